// SPDX-License-Identifier: BSD-3-Clause
// vfs_host.c: the rooms under core/vfs and core/dev, played by the host: memory, locks, threads,
// address space.
//
// There is one thread. A lock that is taken twice, or a wait that nothing can end, is a bug that
// the test reports.
#include "vfs_host.h"

#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "core/mem/frame.h"
#include "core/mem/frame_clear.h"
#include "core/mem/frame_orders.h"
#include "core/mem/frame_zones.h"
#include "core/mem/heap.h"
#include "core/mem/plain.h"
#include "core/mem/slab.h"
#include "core/sched/sched.h"
#include "core/sched/thread.h"
#include "core/sync/mutex.h"
#include "core/sync/rcu.h"
#include "core/sync/waitqueue.h"
#include "core/vm/vm.h"
#include "hal/unit_hal.h"

enum { FRAMES = 16384, SLEEP_MAX = 100 };

void (*host_sleep_hook)(void);
bool host_is_interrupted;

static size_t block_count, frame_count;
static int fail_after = -1;
static struct thread only_thread = {.id = 1, .name = "test"};

static void fail(const char *what)
{
    fprintf(stderr, "vfs_host: %s\n", what);
    abort();
}

__attribute__((constructor)) static void thread_become(void)
{
    unit_self = &only_thread;
}

static bool must_fail(void)
{
    return fail_after >= 0 && fail_after-- == 0;
}

void host_memory_fail_after(int count)
{
    fail_after = count;
}

size_t host_block_count(void)
{
    return block_count;
}

size_t host_frame_count(void)
{
    return frame_count;
}

// ---- mem: frames lie in an arena, small blocks in it as well, so that devices may reach them ----

static char *arena;
static bool frame_used[FRAMES];

static char *arena_get(void)
{
    if (arena == NULL) {
        arena = mmap(NULL, FRAMES * (size_t)HAL_PAGE_SIZE, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    }
    return arena;
}

static bool run_is_free(size_t first, size_t count)
{
    for (size_t i = 0; i < count; ++i) {
        if (frame_used[first + i]) {
            return false;
        }
    }
    return true;
}

int frame_alloc(size_t count, unsigned flags, hal_phys *start)
{
    (void)flags;
    static size_t hint;
    if (must_fail()) {
        return -12;
    }
    for (size_t tries = 0; tries < FRAMES; ++tries, ++hint) {
        hint = hint + count > FRAMES ? 0 : hint;
        if (run_is_free(hint, count)) {
            memset(&frame_used[hint], true, count);
            frame_count += count;
            char *va = arena_get() + hint * HAL_PAGE_SIZE;
            memset(va, 0, count * HAL_PAGE_SIZE);
            *start = (uintptr_t)va;
            hint += count;
            return 0;
        }
    }
    return -12;
}

size_t frame_alloc_run(size_t count_max, unsigned flags, hal_phys *start)
{
    return frame_alloc(count_max, flags, start) == 0 ? count_max : 0;
}

void frame_free(hal_phys start, size_t count)
{
    size_t first = (start - (uintptr_t)arena) / HAL_PAGE_SIZE;
    for (size_t i = 0; i < count; ++i) {
        if (!frame_used[first + i]) {
            fail("frame freed twice");
        }
        frame_used[first + i] = false;
    }
    frame_count -= count;
}

char *frame_address(hal_phys frame)
{
    return (char *)frame;
}

hal_phys frame_of(const void *address)
{
    if (!frame_is_direct(address)) {
        fail("frame_of an address that is not in the direct map");
    }
    return (uintptr_t)address;
}

char *frame_direct_base(void)
{
    return NULL; // no device here has shared memory
}

bool frame_is_direct(const void *address)
{
    uintptr_t offset = (uintptr_t)address - (uintptr_t)arena_get();
    return offset < FRAMES * (size_t)HAL_PAGE_SIZE;
}

size_t frame_free_count(void)
{
    return FRAMES - frame_count;
}

hal_phys frame_first(void)
{
    return 0;
}

size_t frame_span(void)
{
    return 0;
}

size_t frame_total_count(void)
{
    return FRAMES;
}

struct frame_zones frame_zones = {.count = 1, .node_count = 1, .totals = {FRAMES}};

size_t frame_node_free_count(uint32_t node)
{
    return node == 0 ? frame_free_count() : 0;
}

struct block { // before each block
    size_t size, frames;
};

static const struct block *newest;

const void *host_newest_block(void)
{
    return newest;
}

static struct block *block_of(const void *data)
{
    return (struct block *)((uintptr_t)data - sizeof(struct block));
}

void *heap_alloc(size_t size)
{
    size_t whole = sizeof(struct block) + size;
    struct block *block;
    if (must_fail()) {
        return NULL;
    }
    if (size > HEAP_SMALL_MAX) {
        newest = block = malloc(whole);
        block->frames = 0;
    } else {
        size_t count = (whole + HAL_PAGE_SIZE - 1) / HAL_PAGE_SIZE;
        hal_phys start;
        if (frame_alloc(count, 0, &start) != 0) {
            return NULL;
        }
        frame_count -= count; // counted as a block
        block = (struct block *)start;
        block->frames = count;
    }
    block->size = size;
    ++block_count;
    memset(block + 1, 0xa5, size);
    return block + 1;
}

void *heap_alloc_zeroed(size_t size)
{
    void *data = heap_alloc(size);
    return data != NULL ? memset(data, 0, size) : NULL;
}

void *plain_alloc_zeroed(size_t size)
{
    return heap_alloc_zeroed(size);
}

void heap_free(void *data)
{
    if (data == NULL) {
        return;
    }
    struct block *block = block_of(data);
    --block_count;
    memset(data, 0x5a, block->size);
    if (block->frames == 0) {
        newest = newest == block ? NULL : newest;
        free(block);
        return;
    }
    frame_count += block->frames;
    frame_free((uintptr_t)block, block->frames);
}

void *heap_realloc(void *data, size_t size)
{
    void *copy = heap_alloc(size);
    if (copy == NULL || data == NULL) {
        return copy;
    }
    size_t old = block_of(data)->size;
    memcpy(copy, data, old < size ? old : size);
    heap_free(data);
    return copy;
}

enum { SLABS = 16 };

static struct {
    struct slab *slab;
    char *free; // the first free object
} slabs[SLABS];

static char **slab_free_list(struct slab *slab)
{
    for (size_t i = 0; i < SLABS; ++i) {
        if (slabs[i].slab == slab || slabs[i].slab == NULL) {
            slabs[i].slab = slab;
            return &slabs[i].free;
        }
    }
    fail("more slabs than expected");
    return NULL;
}

// Free objects keep their content: the pointer to the next one lies behind them.
void *slab_alloc(struct slab *slab)
{
    if (must_fail()) {
        return NULL;
    }
    char **list = slab_free_list(slab);
    char *object = *list;
    if (object ==
        NULL) { // in a frame, as small blocks are: the leak checker reads pointers in neither
        size_t size = slab->object_size + sizeof object;
        size_t count = (size + HAL_PAGE_SIZE - 1) / HAL_PAGE_SIZE;
        hal_phys start;
        if (frame_alloc(count, 0, &start) != 0) {
            return NULL;
        }
        frame_count -= count; // counted as a block
        ++block_count;
        return memset((char *)start, 0, size);
    }
    ++block_count;
    memcpy(list, object + slab->object_size, sizeof object);
    return object;
}

void slab_free(struct slab *slab, void *object)
{
    char **list = slab_free_list(slab);
    memcpy((char *)object + slab->object_size, list, sizeof object);
    *list = object;
    --block_count;
}

// ---- sync, sched ----

static int sleep_count;

// Core's own thread has nothing on its stack when it parks: it leaves it there, and begins anew.
enum { OWN_THREADS = 8 };
uint32_t host_cpu_index, host_cpu_count = 1;
static struct thread own_threads[OWN_THREADS]; // by the CPU that they are bound to, or the first
static jmp_buf own_parked;

static void own_thread_run(struct thread *thread)
{
    const volatile uint32_t cpu = host_cpu_index;
    if (thread->entry != NULL && setjmp(own_parked) == 0) {
        unit_self = thread;
        host_cpu_index = (uint32_t)(thread - own_threads);
        thread->entry(thread->argument);
    }
    host_cpu_index = cpu;
    unit_self = &only_thread;
}

static void sleep_once(void)
{
    if (unit_self != &only_thread) {
        longjmp(own_parked, 1);
    }
    if (host_sleep_hook == NULL || ++sleep_count > SLEEP_MAX) {
        fail("a wait that nothing ends");
    }
    host_sleep_hook();
    host_thread_run();
}

// Deferred calls are made at once: nobody else reads.

static unsigned reader_count;

void preempt_disable(void)
{
    ++reader_count;
}

void preempt_enable(void)
{
    --reader_count;
}

void rcu_defer(struct rcu_head *head, void (*function)(struct rcu_head *head))
{
    if (reader_count != 0) {
        fail("a reader defers, and would wait for itself");
    }
    function(head);
}

void mutex_lock_contended(struct mutex *mutex)
{
    (void)mutex;
    fail("a mutex is locked twice");
}

void mutex_unlock_contended(struct mutex *mutex)
{
    (void)mutex;
    fail("a mutex has a waiter");
}

enum wait_result waitqueue_wait_until(struct waitqueue *queue, struct mutex *mutex, hal_ns deadline,
                                      bool interruptible)
{
    (void)queue;
    (void)deadline;
    if (interruptible && host_is_interrupted) {
        return WAIT_INTERRUPTED;
    }
    mutex_unlock(mutex);
    sleep_once();
    mutex_lock(mutex);
    return interruptible && host_is_interrupted ? WAIT_INTERRUPTED : WAIT_WOKEN;
}

enum wait_result waitqueue_offer(struct waitqueue *queue, struct mutex *mutex, void *offer)
{
    (void)offer;
    return waitqueue_wait_until(queue, mutex, UINT64_MAX, true);
}

void *waitqueue_offered(const struct waitqueue *queue)
{
    (void)queue;
    return NULL;
}

void waitqueue_serve(struct waitqueue *queue)
{
    (void)queue;
    fail("nobody is to be served");
}

void waitqueue_wait(struct waitqueue *queue, struct mutex *mutex)
{
    (void)waitqueue_wait_until(queue, mutex, UINT64_MAX, false);
}

bool waitqueue_wake_one(struct waitqueue *queue)
{
    (void)queue;
    return false;
}

void waitqueue_wake_all(struct waitqueue *queue)
{
    (void)queue;
}

bool wait_is_interrupted(void)
{
    return host_is_interrupted;
}

// A wait with an end takes all of the time until there; one without an end needs somebody else.
bool thread_park_until(hal_ns deadline)
{
    if (deadline != UINT64_MAX && host_sleep_hook == NULL) {
        unit_clock_ns = deadline;
        return false;
    }
    sleep_once();
    return true;
}

void thread_park(void)
{
    sleep_once();
}

void sched_interrupt_end(struct hal_frame *frame)
{
    (void)frame; // nobody is preempted here
}

void thread_wake(struct thread *thread)
{
    (void)thread;
}

uintptr_t thread_batch_begin(void)
{
    return 0;
}

void thread_batch_end(uintptr_t irq)
{
    (void)irq;
}

// There is one at most. It runs whenever the test's thread sleeps.
const struct thread_schedule thread_schedule_core = {0};

int thread_create(struct thread **thread, const struct thread_config *config, void (*entry)(void *),
                  void *argument)
{
    const int cpu = config->affinity == NULL ? 0 : __builtin_ctzll(config->affinity->words[0]);
    own_threads[cpu].entry = entry;
    own_threads[cpu].argument = argument;
    *thread = &own_threads[cpu];
    return 0;
}

void thread_start(struct thread *thread)
{
    (void)thread;
}

void thread_discard(struct thread *thread)
{
    thread->entry = NULL;
}

// It runs until it has ended: whoever is joined can.
bool thread_join(struct thread *thread, hal_ns deadline)
{
    (void)deadline;
    own_thread_run(thread);
    thread->entry = NULL;
    return true;
}

void host_thread_run(void)
{
    for (int i = 0; i < OWN_THREADS; ++i) {
        own_thread_run(&own_threads[i]);
    }
}

void thread_walk(void (*visit)(struct thread *thread, void *argument), void *argument)
{
    visit(&only_thread, argument);
}

hal_ns thread_runtime_ns(struct thread *thread)
{
    (void)thread;
    return 1;
}

uint32_t thread_cpu_index(void)
{
    return host_cpu_index;
}

// Nothing is counted here.
void sched_counts_sum(struct sched_counts *sum)
{
    *sum = (struct sched_counts){0};
}

void sched_counts_get(uint32_t cpu, struct sched_counts *counts)
{
    (void)cpu;
    *counts = (struct sched_counts){0};
}

uint32_t sched_cpu_count(void)
{
    return host_cpu_count;
}

bool thread_is_waited_for(void)
{
    return false;
}

void frame_clear_counts_get(struct frame_clear_counts *counts)
{
    *counts = (struct frame_clear_counts){0};
}

void frame_orders(uint32_t node, size_t counts[FRAME_ORDERS])
{
    (void)node;
    memset(counts, 0, FRAME_ORDERS * sizeof counts[0]);
}

// ---- vm ----

void vm_walk(bool (*visit)(const struct vm_area_info *area, void *argument), void *argument)
{
    const struct vm_area_info area = {.start = (char *)0x400000,
                                      .end = (char *)0x401000,
                                      .prot = HAL_READ | HAL_EXEC,
                                      .device = 0x801,
                                      .inode = 1234,
                                      .name = "/bin/program"};
    visit(&area, argument);
}

void vm_walk_pages(bool (*visit)(const struct vm_area_info *area, const struct vm_pages *pages,
                                 void *argument),
                   void *argument)
{
    const struct vm_area_info area = {
        .start = (char *)0x400000, .end = (char *)0x401000, .prot = HAL_READ, .name = ""};
    visit(&area, &(struct vm_pages){.own = 1}, argument);
}

size_t vm_mapped_bytes(void)
{
    return HAL_PAGE_SIZE;
}

// ---- vm: nothing is mapped ----

int vm_cut_idle(const void *object, uint64_t from, uint64_t to, void (*remove)(void *argument),
                void *argument)
{
    remove(argument);
    return 0;
}

int vm_cut(const void *object, uint64_t from, uint64_t to, bool copies,
           void (*remove)(void *argument), void *argument)
{
    remove(argument);
    return 0;
}
