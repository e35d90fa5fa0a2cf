// SPDX-License-Identifier: BSD-3-Clause
// thread.c: threads begin and end.
//
// The memory of a thread is type-stable. The last SPARE_MAX that were freed, about, keep their
// stacks from one thread to the next, so that creating one maps nothing. It is freed when two
// things are done: its stack has been left (thread_release, called by whoever runs next on that
// CPU) and somebody has joined or detached it. `joiner` decides who is last:
//
//     0 -> the joining thread -> ENDED        0 -> ENDED, then joined        0 -> DETACHED -> freed
//     by thread_release
#include "core/sched/thread.h"

#include "core/lib/assert.h"
#include "core/lib/errno.h"
#include "core/lib/mark.h"
#include "core/lib/string.h"
#include "core/mem/frame.h"
#include "core/mem/slab.h"
#include "core/sched/cpu.h"

enum { JOINER_ENDED = 1, JOINER_DETACHED = 2 }; // no thread has such an address
enum { SPARE_MAX = 128 };

static struct slab thread_slab = {.object_size = (sizeof(struct thread) + 15) / 16 * 16};
static _Atomic uint32_t id_last = 1;         // 1 is init on Linux; the first thread is 2
static _Atomic(struct thread *) all_threads; // every memory that ever was a thread; only pushed
static _Atomic uint32_t walker_count;
static _Atomic(struct thread *) freed_in_walk;
static _Atomic int32_t spare_count; // of free threads with stacks

// Pages of the direct map: pinned, as an entry stack must be. NULL: no memory.
static char *pages_alloc(size_t size)
{
    hal_phys start;
    return frame_alloc(size / HAL_PAGE_SIZE, 0, &start) == 0 ? frame_address(start) : NULL;
}

static void all_threads_push(struct thread *thread)
{
    thread->listed = true;
    struct thread *head = atomic_load_explicit(&all_threads, memory_order_relaxed);
    do {
        thread->all_next = head;
    } while (!atomic_compare_exchange_weak(&all_threads, &head, thread)); // pairs with thread_walk
}

static void stacks_free(struct thread *thread)
{
    if (thread->own_entry_stack != NULL) {
        char *stack = (char *)thread->own_entry_stack - HAL_ENTRY_STACK;
        frame_free(frame_of(stack), HAL_ENTRY_STACK / HAL_PAGE_SIZE);
        thread->own_entry_stack = NULL;
    }
    if (thread->own_stack != NULL) {
        frame_free(frame_of(thread->own_stack), THREAD_STACK_SIZE / HAL_PAGE_SIZE);
        thread->own_stack = NULL;
    }
}

static void memory_give(struct thread *thread)
{
    // Raised before the thread is there for others, who lower it.
    bool has_stack = thread->own_entry_stack != NULL;
    int32_t before = atomic_fetch_add_explicit(&spare_count, has_stack, memory_order_relaxed);
    if (!has_stack || before >= SPARE_MAX) {
        atomic_fetch_sub_explicit(&spare_count, has_stack, memory_order_relaxed);
        stacks_free(thread);
    }
    slab_free(&thread_slab, thread);
}

size_t thread_spares_free(void)
{
    struct thread *taken = NULL;
    size_t freed = 0;
    for (int i = 0; i < SPARE_MAX; ++i) {
        struct thread *thread = atomic_load(&spare_count) > 0 ? slab_alloc(&thread_slab) : NULL;
        if (thread == NULL) {
            break;
        }
        if (thread->own_entry_stack != NULL) {
            atomic_fetch_sub_explicit(&spare_count, 1, memory_order_relaxed);
            freed += HAL_ENTRY_STACK + (thread->own_stack != NULL ? (size_t)THREAD_STACK_SIZE : 0);
            stacks_free(thread);
        }
        thread->next = taken;
        taken = thread;
    }
    while (taken != NULL) {
        struct thread *next = taken->next;
        slab_free(&thread_slab, taken);
        taken = next;
    }
    return freed;
}

// Memory for a thread, with the stacks that it needs. NULL: no memory.
static struct thread *thread_alloc(bool with_stack)
{
    struct thread *thread = slab_alloc(&thread_slab);
    if (thread == NULL) {
        return NULL;
    }
    if (thread->own_entry_stack != NULL) {
        atomic_fetch_sub_explicit(&spare_count, 1, memory_order_relaxed);
    } else {
        char *stack = pages_alloc(HAL_ENTRY_STACK);
        thread->own_entry_stack = stack == NULL ? NULL : stack + HAL_ENTRY_STACK;
    }
    if (with_stack && thread->own_stack == NULL) {
        thread->own_stack = pages_alloc(THREAD_STACK_SIZE);
    }
    if (thread->own_entry_stack == NULL || (with_stack && thread->own_stack == NULL)) {
        memory_give(thread);
        return NULL;
    }
    if (!thread->listed) {
        all_threads_push(thread);
    }
    return thread;
}

static void freed_push(struct thread *thread)
{
    struct thread *head = atomic_load_explicit(&freed_in_walk, memory_order_relaxed);
    do {
        thread->next = head;
    } while (!atomic_compare_exchange_weak(&freed_in_walk, &head, thread));
}

// Of a caller that counts as a walker. Frees what ended during walks: what it has taken out before
// it leaves nobody finds who walks later, so if it leaves last, nobody looks at it. Else those who
// are left see to it.
static void walk_end(void)
{
    for (;;) {
        struct thread *thread = atomic_exchange(&freed_in_walk, NULL);
        bool is_last = atomic_fetch_sub(&walker_count, 1) == 1;
        while (thread != NULL) {
            struct thread *next = thread->next;
            if (is_last) {
                memory_give(thread);
            } else {
                MARK("walk: two at once");
                freed_push(thread);
            }
            thread = next;
        }
        if (atomic_load(&freed_in_walk) == NULL || atomic_load(&walker_count) != 0) {
            return;
        }
        // It came after the list was taken, or went back after the others had left.
        atomic_fetch_add(&walker_count, 1);
    }
}

// live is false before walker_count is read: a walk that starts later skips this memory, and one
// that started before is seen.
static void thread_free(struct thread *thread)
{
    atomic_store(&thread->live, false);
    if (atomic_load(&walker_count) == 0) {
        memory_give(thread);
        return;
    }
    freed_push(thread);
    if (atomic_load(&walker_count) == 0) {
        MARK("walk: has ended meanwhile");
        atomic_fetch_add(&walker_count, 1);
        walk_end();
    }
}

static void name_copy(struct thread *thread, const char *name)
{
    size_t size = strnlen(name, THREAD_NAME_SIZE - 1);
    memcpy(thread->name, name, size);
    memset(thread->name + size, 0, THREAD_NAME_SIZE - size);
}

static void thread_begin(void *argument)
{
    struct thread *self = argument;
    // Acquire: what was done before thread_start, by whoever called it.
    ASSERT(atomic_load_explicit(&self->state, memory_order_acquire) != THREAD_NEW);
    sched_finish();
    hal_irq_restore(0);
    self->entry(self->argument);
    thread_exit();
}

// What both threads and idle threads start from.
static void thread_fill(struct thread *thread, struct cpu *cpu, void *tp)
{
    thread->context.tp = tp;
    thread->context.self = thread;
    thread->context.entry_stack = thread->own_entry_stack;
    atomic_store_explicit(&thread->cpu, cpu, memory_order_relaxed);
    thread->preempt_count = 0;
    thread->need_switch = false;
    thread->to_run = NULL;
    thread->found = THREAD_FOUND;
    thread->is_serving = false;
    atomic_store_explicit(&thread->is_called, false, memory_order_relaxed);
    atomic_store_explicit(&thread->unusual, UNUSUAL_MIGRATING | UNUSUAL_WEIGHT,
                          memory_order_relaxed);
    thread->timer_armed = false;
    atomic_store_explicit(&thread->on_wall, false, memory_order_relaxed);
    thread_wait_note(thread, THREAD_WAIT_NONE, NULL);
    thread->pair = (struct thread_pair){0};
    thread->preempted = false;
    thread->order = 0;
    thread->priority = 0;
    thread->weight = 0;
    atomic_store_explicit(&thread->runtime_ns, 0, memory_order_relaxed);
    atomic_store_explicit(&thread->switched_ns, 0, memory_order_relaxed);
}

static void affinity_init(struct thread *thread, const struct hal_cpu_set *cpus)
{
    struct thread *creator = thread_self();
    for (uint32_t i = 0; i < HAL_CPU_MAX / 64; ++i) {
        uint64_t word = creator != NULL ? creator->affinity[i] : UINT64_MAX;
        word = cpus != NULL ? cpus->words[i] : word;
        atomic_store_explicit(&thread->affinity[i], word, memory_order_relaxed);
    }
}

static struct thread_schedule schedule_inherited(const struct thread *creator)
{
    struct thread_schedule schedule = thread_schedule_get(creator);
    if (schedule.resets) {
        if (schedule.policy == THREAD_FIFO || schedule.policy == THREAD_ROUND_ROBIN) {
            schedule.policy = THREAD_FAIR;
            schedule.priority = 0;
            schedule.nice = 0;
        }
        schedule.nice = schedule.nice < 0 ? 0 : schedule.nice;
        schedule.resets = false;
    }
    return schedule;
}

static void schedule_init(struct thread *thread, const struct thread_schedule *schedule)
{
    struct thread_schedule fair = {.policy = THREAD_FAIR};
    struct thread *creator = thread_self();
    fair = schedule != NULL ? *schedule : creator != NULL ? schedule_inherited(creator) : fair;
    atomic_store_explicit(&thread->schedule, fair, memory_order_relaxed);
    atomic_store_explicit(&thread->unusual, UNUSUAL_SCHEDULE | UNUSUAL_MIGRATING | UNUSUAL_WEIGHT,
                          memory_order_relaxed);
}

static void stack_set(struct thread *thread, const struct thread_config *config)
{
    const bool is_own = config->stack == NULL;
    thread->stack = config->stack;
    thread->stack_size = config->stack_size;
    if (is_own && config->on_entry_stack) {
        thread->stack = (char *)thread->own_entry_stack - HAL_ENTRY_STACK;
        thread->stack_size = HAL_ENTRY_STACK;
    } else if (is_own) {
        thread->stack = thread->own_stack;
        thread->stack_size = THREAD_STACK_SIZE;
    }
}

int thread_create(struct thread **out, const struct thread_config *config, void (*entry)(void *),
                  void *argument)
{
    struct thread *thread = thread_alloc(config->stack == NULL && !config->on_entry_stack);
    if (thread == NULL) {
        return -ENOMEM;
    }
    struct thread *creator = thread_self();
    atomic_store_explicit(&thread->state, THREAD_NEW, memory_order_relaxed);
    thread_fill(thread, NULL, config->tp);
    thread->id = atomic_fetch_add_explicit(&id_last, 1, memory_order_relaxed) + 1;
    affinity_init(thread, config->affinity);
    schedule_init(thread, config->schedule);
    name_copy(thread, config->name != NULL ? config->name : creator != NULL ? creator->name : "");
    stack_set(thread, config);
    thread->user = config->user;
    thread->entry = entry;
    thread->argument = argument;
    thread->released = config->released;
    thread->released_argument = config->released_argument;
    atomic_store(&thread->joiner, config->detached ? JOINER_DETACHED : 0);
    hal_context_init(&thread->context, thread->stack, thread->stack_size, thread_begin, thread);
    atomic_store(&thread->live, true);
    *out = thread;
    return 0;
}

void thread_start(struct thread *thread)
{
    ASSERT(atomic_load_explicit(&thread->state, memory_order_relaxed) == THREAD_NEW);
    uintptr_t irq = hal_irq_save();
    struct cpu *cpu = hal_cpu_self();
    struct cpu *target = cpu_is_allowed(thread, cpu) ? cpu : cpu_allowed(thread, cpu);
    pair_rest(thread, cpu->now_ns); // many are short: another CPU is not worth while at once
    atomic_store(&thread->cpu, target);
    atomic_store_explicit(&thread->state, THREAD_RUNNING, memory_order_release);
    bool is_urgent = thread_ready(thread);
    hal_irq_restore(irq);
    if (is_urgent) {
        preempt_for_real_time();
    }
}

void thread_discard(struct thread *thread)
{
    ASSERT(atomic_load_explicit(&thread->state, memory_order_relaxed) == THREAD_NEW);
    thread_free(thread);
}

void thread_idle_init(struct cpu *cpu)
{
    struct thread *thread = &cpu->idle_thread;
    char *stack = pages_alloc(HAL_ENTRY_STACK);
    ASSERT(stack != NULL);
    thread->own_entry_stack = stack + HAL_ENTRY_STACK;
    thread_fill(thread, cpu, NULL);
    thread->stack = stack;
    thread->stack_size = HAL_ENTRY_STACK;
    name_copy(thread, "idle");
    struct hal_cpu_set only = {0};
    only.words[cpu->index / 64] = 1ul << cpu->index % 64;
    affinity_init(thread, &only);
}

void thread_exit(void)
{
    (void)hal_irq_save();
    struct thread *self = thread_self();
    ASSERT(self->preempt_count == 0);
    atomic_store(&self->state, THREAD_DEAD);
    sched_switch_dead(hal_cpu_self());
    ASSERT(!"a dead thread ran");
    __builtin_unreachable();
}

static void thread_free_detached(struct thread *thread)
{
    if (thread->released != NULL) {
        thread->released(thread);
    }
    thread_free(thread);
}

void thread_release(struct thread *thread)
{
    uintptr_t joiner = atomic_exchange(&thread->joiner, JOINER_ENDED);
    if (joiner == JOINER_DETACHED) {
        MARK("detach: before the thread ended");
        thread_free_detached(thread);
    } else if (joiner != 0) {
        MARK("join: the joiner came first");
        thread_wake((struct thread *)joiner); // which may have freed thread already
    }
}

bool thread_join(struct thread *thread, hal_ns deadline)
{
    uintptr_t self = (uintptr_t)thread_self();
    uintptr_t joiner = 0;
    if (atomic_compare_exchange_strong(&thread->joiner, &joiner, self)) {
        thread_wait_note(thread_self(), THREAD_WAIT_JOIN, thread);
        while (atomic_load(&thread->joiner) == self) {
            joiner = self;
            thread_serve();
            if (!thread_park_until(deadline) &&
                atomic_compare_exchange_strong(&thread->joiner, &joiner, 0)) {
                thread_wait_note(thread_self(), THREAD_WAIT_NONE, NULL);
                return false;
            }
        }
        thread_wait_note(thread_self(), THREAD_WAIT_NONE, NULL);
    } else {
        MARK("join: the thread ended first");
        ASSERT(joiner == JOINER_ENDED); // not detached, and nobody else joins
    }
    // Acquire: what the thread did before its end. (joiner was written by whoever ran next.)
    ASSERT(atomic_load_explicit(&thread->state, memory_order_acquire) == THREAD_DEAD);
    thread_free(thread);
    return true;
}

void thread_detach(struct thread *thread)
{
    uintptr_t joiner = 0;
    if (!atomic_compare_exchange_strong(&thread->joiner, &joiner, JOINER_DETACHED)) {
        MARK("detach: the thread ended first");
        ASSERT(joiner == JOINER_ENDED);
        uintptr_t irq = hal_irq_save();
        thread_free_detached(thread);
        hal_irq_restore(irq);
    }
}

hal_ns thread_runtime_ns(struct thread *thread)
{
    for (;;) { // a CPU is between its two changes of the version for a few instructions only
        uint32_t version = atomic_load_explicit(&thread->runtime_version, memory_order_acquire);
        uint64_t runtime = atomic_load_explicit(&thread->runtime_ns, memory_order_acquire);
        hal_ns switched = atomic_load_explicit(&thread->switched_ns, memory_order_acquire);
        hal_ns now = switched == 0 ? 0 : hal_clock_ns();
        // The same number: if it runs, its CPU's next look at the clock comes after ours.
        if (version % 2 == 0 && version == atomic_load(&thread->runtime_version)) {
            return runtime + (now > switched ? now - switched : 0);
        }
        MARK("runtime: looked at while it changes");
        hal_cpu_relax();
    }
}

void thread_walk(void (*visit)(struct thread *thread, void *argument), void *argument)
{
    atomic_fetch_add(&walker_count, 1);
    struct thread *thread = atomic_load(&all_threads);
    for (; thread != NULL; thread = thread->all_next) {
        if (atomic_load(&thread->live) && atomic_load(&thread->state) != THREAD_DEAD) {
            visit(thread, argument);
        }
    }
    walk_end();
}
