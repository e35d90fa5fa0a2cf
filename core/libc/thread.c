// SPDX-License-Identifier: BSD-3-Clause
// thread.c: making and ending threads, and the cache of stacks that makes it cheap.
//
// One mapping holds a thread: guard, stack (8 MiB by default, of which only the top is mapped
// before it is touched), static TLS, struct libc_thread. An ended thread's mapping goes to the
// cache with that top, so that create and join need no call of vm, unless the thread has touched
// more of its stack: that is given back. Invariant: a mapping is in the cache only after its thread
// has left the stack: that is known from thread_join, or from the released callback, which hands it
// over through `ended`.
#include "core/libc/thread.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>

#include "core/elf/tls.h"
#include "core/lib/assert.h"
#include "core/libc/libc.h"
#include "core/libc/pthread.h"
#include "core/linux/process.h"
#include "core/linux/syscall.h"
#include "core/mem/frame.h"
#include "core/mem/heap.h"
#include "core/sync/mutex.h"
#include "core/sync/shrinker.h"
#include "core/vm/vm.h"

enum { CACHE_MAX = 64, PAGE = HAL_PAGE_SIZE };

static struct mutex cache_mutex;
static struct libc_thread *cache; // guarded by cache_mutex
static uint32_t cache_count;      // guarded by cache_mutex
static _Atomic(struct libc_thread *) ended;
static _Atomic uint32_t thread_count = 1;

static size_t page_round(size_t size)
{
    return (size + PAGE - 1) / PAGE * PAGE;
}

// Bytes above the stack: static TLS and struct libc_thread.
static size_t top_size(size_t *alignment)
{
    size_t tls_size;
    elf_tls_layout(&tls_size, alignment);
    if (*alignment < 64) {
        *alignment = 64;
    }
    return page_round(tls_size + sizeof(struct libc_thread) + 2 * *alignment);
}

// Where struct libc_thread is in a mapping that ends at end.
static struct libc_thread *thread_place(char *end)
{
    size_t tls_size;
    size_t alignment;
    elf_tls_layout(&tls_size, &alignment);
    alignment = alignment < 64 ? 64 : alignment;
    return libc_thread_in(end, tls_size, alignment);
}

static struct libc_thread *cache_take(size_t stack_size, size_t guard_size)
{
    mutex_lock(&cache_mutex);
    struct libc_thread **link = &cache;
    while (*link != NULL &&
           ((*link)->stack_size != stack_size || (*link)->guard_size != guard_size)) {
        link = &(*link)->next;
    }
    struct libc_thread *found = *link;
    if (found != NULL) {
        *link = found->next;
        --cache_count;
    }
    mutex_unlock(&cache_mutex);
    return found;
}

// False: it keeps count_max already.
static bool cache_put(struct libc_thread *self, uint32_t count_max)
{
    mutex_lock(&cache_mutex);
    bool keeps = cache_count < count_max;
    if (keeps) {
        self->next = cache;
        cache = self;
        ++cache_count;
    }
    mutex_unlock(&cache_mutex);
    return keeps;
}

// Maps a stack. The top is there from the start: the first frames, TLS and hal_context_init touch
// it.
static struct libc_thread *stack_map(size_t stack_size, size_t guard_size)
{
    size_t alignment;
    size_t top = top_size(&alignment);
    size_t size = guard_size + stack_size + top;
    size_t eager = (stack_size < LIBC_STACK_EAGER ? stack_size : LIBC_STACK_EAGER) + top;
    char *map = NULL;
    if (vm_map(&map, size, HAL_READ | HAL_WRITE, VM_LAZY, NULL, 0) != 0) {
        return NULL;
    }
    char *eager_start = map + size - eager;
    if (vm_map(&eager_start, eager, HAL_READ | HAL_WRITE, VM_FIXED, NULL, 0) != 0 ||
        (guard_size > 0 && vm_protect(map, guard_size, 0) != 0)) {
        int error = vm_unmap(map, size);
        (void)error; // without memory even for this, addresses are lost and nothing else
        return NULL;
    }
    struct libc_thread *self = thread_place(map + size);
    self->map = map;
    self->map_size = size;
    self->stack = map + guard_size;
    self->stack_size = stack_size;
    self->guard_size = guard_size;
    return self;
}

// Takes back what detached threads have left. Their stacks are free: released says so.
static void ended_collect(void)
{
    struct libc_thread *thread = atomic_exchange(&ended, NULL);
    while (thread != NULL) {
        struct libc_thread *next = thread->next;
        libc_stack_put(thread);
        thread = next;
    }
}

struct libc_thread *libc_stack_get(size_t stack_size, size_t guard_size)
{
    if (atomic_load_explicit(&ended, memory_order_relaxed) != NULL) {
        ended_collect();
    }
    stack_size = page_round(stack_size);
    guard_size = page_round(guard_size);
    struct libc_thread *self = cache_take(stack_size, guard_size);
    return self != NULL ? self : stack_map(stack_size, guard_size);
}

// The user's stack holds the stack alone, for its size was chosen for that; TLS and struct
// libc_thread come from the heap.
struct libc_thread *libc_stack_adopt(char *stack, size_t size)
{
    size_t alignment;
    size_t top = top_size(&alignment);
    char *block = heap_alloc_aligned(alignment, top);
    if (block == NULL) {
        return NULL;
    }
    memset(block, 0, top);
    struct libc_thread *self = thread_place(block + top);
    self->map = block;
    self->map_size = top;
    self->stack = stack;
    self->stack_size = size;
    self->guard_size = 0;
    self->stack_is_users = true;
    return self;
}

static void thread_release(struct libc_thread *self)
{
    if (self->task != NULL) {
        task_discard(self->task);
        self->task = NULL;
    }
    elf_tls_destroy(&self->tcb);
    heap_free(self->far_values);
    self->far_values = NULL;
}

// Whether more of the stack was touched than was there from the start. A few looks: what they
// miss is small.
static bool stack_is_deep(const struct libc_thread *self)
{
    const char *end = self->stack + self->stack_size;
    hal_phys page;
    unsigned prot;
    for (size_t depth = LIBC_STACK_EAGER + PAGE; depth <= self->stack_size; depth *= 2) {
        if (hal_translate(end - depth, &page, &prot) == 0) {
            return true;
        }
    }
    return false;
}

// What the thread has touched goes back, but for what was there from the start: all of it where
// not every instruction can be restarted.
static void stack_trim(const struct libc_thread *self)
{
    if (!frame_is_checked() && stack_is_deep(self)) {
        int error = vm_discard(self->stack, self->stack_size - LIBC_STACK_EAGER);
        (void)error; // it is kept, then
    }
}

void libc_stack_put(struct libc_thread *self)
{
    thread_release(self);
    if (self->stack_is_users) {
        heap_free(self->map);
        return;
    }
    stack_trim(self);
    // What there is no memory to unmap is kept, too.
    if (!cache_put(self, CACHE_MAX) && vm_unmap(self->map, self->map_size) != 0) {
        (void)cache_put(self, UINT32_MAX);
    }
}

static struct libc_thread *cache_take_any(void)
{
    mutex_lock(&cache_mutex);
    struct libc_thread *found = cache;
    if (found != NULL) {
        cache = found->next;
        --cache_count;
    }
    mutex_unlock(&cache_mutex);
    return found;
}

// Nobody waits for the reclaimer with a lock that is taken here.
static size_t stacks_give_back(size_t wanted)
{
    size_t freed = 0;
    ended_collect();
    struct libc_thread *self;
    while (freed < wanted && (self = cache_take_any()) != NULL) {
        size_t alignment, size = self->map_size;
        const size_t eager = LIBC_STACK_EAGER + top_size(&alignment);
        if (vm_unmap(self->map, size) != 0) {
            (void)cache_put(self, UINT32_MAX);
            break;
        }
        freed += size < eager ? size : eager;
    }
    return freed;
}

void libc_stacks_drop(void)
{
    (void)stacks_give_back(SIZE_MAX);
}

static size_t stacks_shrink(struct shrinker *shrinker, size_t wanted, bool may_wait)
{
    (void)shrinker, (void)may_wait;
    return stacks_give_back(wanted) + thread_spares_free();
}

void libc_stacks_init(void)
{
    // What it has counts as the program's mappings.
    static struct shrinker stacks = {.name = "stacks of threads", .shrink = stacks_shrink};
    shrinker_register(&stacks);
}

void libc_thread_prepare(struct libc_thread *self)
{
    struct libc_thread keep = {
        .map = self->map,
        .map_size = self->map_size,
        .stack = self->stack,
        .stack_size = self->stack_size,
        .guard_size = self->guard_size,
        .stack_is_users = self->stack_is_users,
    };
    *self = keep;
    libc_guards_set(&self->tcb);
}

// Interrupts off, on any CPU: the thread runs no more. Called for detached threads, and for those
// that were joined.
static void thread_released(struct thread *thread)
{
    struct libc_thread *self = thread->released_argument;
    uint32_t expected = LIBC_DETACHED;
    if (!atomic_compare_exchange_strong(&self->ownership, &expected, LIBC_ENDED)) {
        return;
    }
    struct libc_thread *head = atomic_load(&ended);
    do {
        self->next = head;
    } while (!atomic_compare_exchange_weak(&ended, &head, self));
}

static void thread_main(void *argument)
{
    struct libc_thread *self = argument;
    self->first_frame = (uintptr_t)__builtin_frame_address(0);
    if (self->entry != NULL) {
        libc_thread_exit(self->entry(self->argument));
    }
    libc_thread_exit((void *)(intptr_t)self->c11_entry(self->argument));
}

static int thread_build(struct libc_thread *self, const struct libc_thread_attributes *attributes)
{
    if (elf_tls_create(&self->tcb) != 0) {
        return EAGAIN;
    }
    if (task_create(&self->task) != 0) {
        return EAGAIN;
    }
    struct thread_config config = {
        .stack = self->stack,
        .stack_size = self->stack_size,
        .tp = libc_thread_tp(self),
        .user = self->task,
        .affinity = attributes->affinity,
        .schedule = attributes->schedule,
        .released = thread_released,
        .released_argument = self,
        .detached = attributes->detached,
    };
    if (thread_create(&self->thread, &config, thread_main, self) != 0) {
        return EAGAIN;
    }
    self->id = task_id(self->thread);
    task_start(self->task, self->thread);
    libc_musl_thread_init(self);
    return 0;
}

int libc_thread_create(struct libc_thread **result, const struct libc_thread_attributes *attributes,
                       void *(*entry)(void *), int (*c11_entry)(void *), void *argument)
{
    struct libc_thread *self;
    if (attributes->stack != NULL) {
        self = libc_stack_adopt(attributes->stack, attributes->stack_size);
    } else {
        self = libc_stack_get(attributes->stack_size, attributes->guard_size);
    }
    if (self == NULL) {
        return EAGAIN;
    }
    libc_thread_prepare(self);
    self->entry = entry;
    self->c11_entry = c11_entry;
    self->argument = argument;
    self->ownership = attributes->detached ? LIBC_DETACHED : LIBC_JOINABLE;
    int error = thread_build(self, attributes);
    if (error != 0) {
        libc_stack_put(self);
        return error;
    }
    __atomic_store_n(libc_single_threaded_flag(), 0, __ATOMIC_RELAXED); // the program's own word
    libc_musl_threads_changed(1);
    atomic_fetch_add(&thread_count, 1);
    *result = self;
    thread_start(self->thread);
    return 0;
}

// A thread that ends by the system call: nothing of its own runs, and nobody gets a result.
void libc_thread_gone(void)
{
    atomic_fetch_sub(&thread_count, 1);
    libc_musl_threads_changed(-1);
}

void libc_thread_exit(void *result)
{
    struct libc_thread *self = libc_thread_self();
    self->exiting = true;
    libc_thread_destructors_run(self);
    libc_thread_keys_run(self);
    libc_robust_release(self);
    self->result = result;
    if (atomic_fetch_sub(&thread_count, 1) == 1) {
        libc_exit(0);
    }
    libc_musl_threads_changed(-1);
    heap_free(self->dl_message);
    self->dl_message = NULL;
    task_exit();
    thread_exit();
}

int libc_thread_join(struct libc_thread *thread, void **result, hal_ns deadline)
{
    if (thread == libc_thread_self()) {
        return EDEADLK;
    }
    if (atomic_load(&thread->ownership) != LIBC_JOINABLE) {
        return EINVAL;
    }
    thread_serve_begin();
    bool is_joined = thread_join(thread->thread, deadline);
    (void)thread_serve_end();
    if (!is_joined) {
        return ETIMEDOUT;
    }
    atomic_store(&thread->ownership, LIBC_JOINED);
    if (result != NULL) {
        *result = thread->result;
    }
    if (!thread->is_main) {
        libc_stack_put(thread);
    }
    return 0;
}

int libc_thread_detach(struct libc_thread *thread)
{
    uint32_t expected = LIBC_JOINABLE;
    if (!atomic_compare_exchange_strong(&thread->ownership, &expected, LIBC_DETACHED)) {
        return EINVAL;
    }
    thread_detach(thread->thread);
    return 0;
}
