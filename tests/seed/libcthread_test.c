// SPDX-License-Identifier: BSD-3-Clause
// libcthread_test.c: core/libc/thread.c on the real core/sched under every schedule of a thread
// that ends and of who joins or detaches it meanwhile: its stack is used again when the thread has
// left it, and once.
#include <string.h>

#include "core/lib/mark.h"
#include "core/libc/libc.h"
#include "core/libc/pthread.h"
#include "core/libc/thread.h"
#include "core/linux/process.h"
#include "core/mem/frame.h"
#include "core/mem/heap.h"
#include "core/vm/vm.h"
#include "guest.h"
#include "seed.h"
#include "seed_main.h"

enum { STACK = 16384, MAP = 2 * STACK };

static _Alignas(HAL_PAGE_SIZE) char map[MAP];
static bool is_mapped;
static struct libc_thread first; // of the guest that makes threads
static struct libc_thread *made;
static unsigned discarded, destroyed;

// ---- What thread.c asks of others ---------------------------------------------------

void elf_tls_layout(size_t *size, size_t *alignment)
{
    *size = 0;
    *alignment = 64;
}

int elf_tls_create(struct elf_tcb *tcb)
{
    return 0;
}

void elf_tls_destroy(struct elf_tcb *tcb)
{
    ++destroyed;
}

// One mapping is all there is.
int vm_map(char **va, size_t size, unsigned prot, unsigned flags, struct vm_pager *pager,
           uint64_t offset)
{
    if ((flags & VM_FIXED) != 0) {
        return 0;
    }
    if (is_mapped) {
        return -1;
    }
    seed_check(size <= MAP, "too small");
    is_mapped = true;
    *va = map;
    return 0;
}

int vm_protect(char *va, size_t size, unsigned prot)
{
    return 0;
}

int vm_discard(char *va, size_t size)
{
    return 0;
}

int vm_unmap(char *va, size_t size)
{
    seed_fail("unmapped");
    return 0;
}

int hal_translate(const char *va, hal_phys *pa, unsigned *prot)
{
    return -1;
}

bool frame_is_checked(void)
{
    return false;
}

void heap_free(void *block)
{
    seed_check(block == NULL, "not from the heap");
}

// The user brings no stack.
void *heap_alloc_aligned(size_t alignment, size_t size)
{
    return NULL;
}

void libc_exit(int status)
{
    seed_fail("the last thread has ended");
}

int task_create(struct task **task)
{
    *task = (struct task *)(void *)map;
    return 0;
}

void task_start(struct task *task, struct thread *thread)
{
}

void task_discard(struct task *task)
{
    ++discarded;
}

int32_t task_id(const struct thread *thread)
{
    return 3;
}

void task_exit(void)
{
}

struct libc_thread *libc_thread_self(void)
{
    return thread_self() == guest(0) ? &first : made;
}

void *libc_thread_tp(struct libc_thread *self)
{
    return NULL;
}

struct libc_thread *libc_thread_in(char *end, size_t tls_size, size_t alignment)
{
    return (struct libc_thread *)(void *)(((uintptr_t)end - sizeof first) & ~(alignment - 1));
}

void libc_guards_set(struct elf_tcb *tcb)
{
}

char *libc_single_threaded_flag(void)
{
    static char flag;
    return &flag;
}

void libc_musl_thread_init(struct libc_thread *self)
{
    made = self;
}

void libc_musl_threads_changed(int change)
{
}

void libc_thread_destructors_run(struct libc_thread *self)
{
}

void libc_thread_keys_run(struct libc_thread *self)
{
}

void libc_robust_release(struct libc_thread *self)
{
}

// ---- Bodies --------------------------------------------------------------------------

static void *live_briefly(void *argument)
{
    return argument;
}

static struct libc_thread *start(bool is_detached)
{
    static const struct hal_cpu_set only_1 = {{2}};
    const struct libc_thread_attributes attributes = {
        .stack_size = STACK, .affinity = &only_1, .detached = is_detached};
    struct libc_thread *thread;
    seed_check(libc_thread_create(&thread, &attributes, live_briefly, NULL, &made) == 0,
               "no thread");
    return thread;
}

// The only stack there is, once it is free.
static void stack_await(void)
{
    struct libc_thread *self;
    while ((self = libc_stack_get(STACK, 0)) == NULL) {
        hal_cpu_relax();
    }
    seed_check(self == made, "another stack");
    seed_check(self->thread->context.sp != NULL, "its thread runs on it still");
    seed_check(libc_stack_get(STACK, 0) == NULL, "it is free twice");
    seed_check(discarded == 1 && destroyed == 1, "not ended once");
}

static void join(void)
{
    void *result;
    seed_check(libc_thread_join(start(false), &result, UINT64_MAX) == 0, "not joined");
    seed_check(result == &made, "another result");
    stack_await();
}

static void detach(void)
{
    seed_check(libc_thread_detach(start(false)) == 0, "not detached");
    stack_await();
}

static void start_detached(void)
{
    (void)start(true);
    stack_await();
}

static void nothing(void)
{
}

static void reset(void (*body)(void))
{
    is_mapped = false;
    made = NULL;
    discarded = destroyed = 0;
    guests_reset();
    guest_reset(0, 0, body);
    guest_reset(1, 1, nothing);
}

static void reset_join(void)
{
    reset(join);
}

static void reset_detach(void)
{
    reset(detach);
}

static void reset_detached(void)
{
    reset(start_detached);
}

static const char *const join_marks[] = {
    "join: the joiner came first",
    "join: the thread ended first",
    NULL,
};
static const char *const detach_marks[] = {
    "detach: the thread ended first",
    "detach: before the thread ended",
    NULL,
};
static const char *const detached_marks[] = {"detach: before the thread ended", NULL};

static const struct seed_test tests[] = {
    {
        .name = "libc thread, joined",
        .reset = reset_join,
        .bodies = {guest_cpu_run, guest_cpu_run},
        .end_count = 2,
        .marks = join_marks,
        .preemption_max = 2,
    },
    {
        .name = "libc thread, detached",
        .reset = reset_detach,
        .bodies = {guest_cpu_run, guest_cpu_run},
        .end_count = 2,
        .marks = detach_marks,
        .preemption_max = 2,
    },
    {
        .name = "libc thread, made detached",
        .reset = reset_detached,
        .bodies = {guest_cpu_run, guest_cpu_run},
        .end_count = 2,
        .marks = detached_marks,
        .preemption_max = 2,
    },
};

int main(int argc, char **argv)
{
    return seed_main(argc, argv, tests, sizeof tests / sizeof tests[0]);
}
