// SPDX-License-Identifier: BSD-3-Clause
// wake_test.c: core/sched itself on two CPUs, under every schedule with at most four preemptions:
// parking and waking across CPUs, timers, migration, the end of a thread.
#include <string.h>

#include "core/lib/mark.h"
#include "core/mem/frame.h"
#include "core/mem/slab.h"
#include "core/sched/cpu.h"
#include "core/sched/sched.h"
#include "core/sched/thread.h"
#include "hal/upcall.h"
#include "seed.h"
#include "seed_main.h"

enum { GUEST_COUNT = 3, STACK_SIZE = 16384 };

struct guest {
    struct thread thread;
    void (*body)(void);
    _Alignas(16) char stack[STACK_SIZE];
};

static struct guest guests[GUEST_COUNT];
static _Alignas(16) char idle_stacks[SEED_CPU_COUNT][STACK_SIZE];
static _Atomic int flags[GUEST_COUNT];
static _Atomic int freed;

// What core/sched asks of core/mem: here only the end of a thread.

int frame_alloc(size_t count, unsigned flag, hal_phys *start)
{
    (void)count;
    (void)flag;
    (void)start;
    return -1;
}

char *frame_address(hal_phys frame)
{
    (void)frame;
    return NULL;
}

void *slab_alloc(struct slab *slab)
{
    (void)slab;
    return NULL;
}

void slab_free(struct slab *slab, void *object)
{
    (void)slab;
    seed_check(((struct thread *)object)->context.sp != NULL, "freed while it runs");
    ++freed;
}

static void guest_begin(void *argument)
{
    struct guest *guest = argument;
    sched_finish();
    hal_irq_restore(0);
    guest->body();
    seed_end();
    for (;;) {
        thread_park();
    }
}

static void cpu_reset(unsigned index)
{
    struct cpu *cpu = &sched_cpus[index];
    struct thread *idle = &cpu->idle_thread;
    memset(cpu, 0, sizeof *cpu);
    cpu->index = index;
    cpu->timer_ns = UINT64_MAX;
    idle->context.self = idle;
    idle->stack = idle_stacks[index];
    idle->stack_size = STACK_SIZE;
    atomic_store(&idle->cpu, cpu);
    atomic_store(&idle->affinity[0], 1u << index);
}

static void guest_reset(unsigned index, unsigned cpu, void (*body)(void))
{
    struct guest *guest = &guests[index];
    struct thread *thread = &guest->thread;
    memset(thread, 0, sizeof *thread);
    guest->body = body;
    thread->id = index + 1;
    thread->context.self = thread;
    hal_context_init(&thread->context, guest->stack, STACK_SIZE, guest_begin, guest);
    atomic_store(&thread->affinity[0], 3);
    atomic_store(&thread->cpu, &sched_cpus[cpu]);
    thread->next = atomic_load(&sched_cpus[cpu].inbox);
    atomic_store(&sched_cpus[cpu].inbox, thread);
    atomic_store(&flags[index], 0);
}

static void machine_reset(void)
{
    sched_count = SEED_CPU_COUNT;
    sched_frame_hook_set(NULL);
    freed = 0;
    for (unsigned i = 0; i < SEED_CPU_COUNT; ++i) {
        cpu_reset(i);
        seed_cpu_set(i, &sched_cpus[i]);
    }
}

static void boot(void)
{
    upcall_cpu(hal_cpu_self());
}

static struct thread *guest(unsigned index)
{
    return &guests[index].thread;
}

static void wait_for(unsigned index)
{
    while (atomic_load(&flags[index]) == 0) {
        thread_park();
    }
}

static void set_and_wake(unsigned index)
{
    atomic_store(&flags[index], 1);
    thread_wake(guest(index));
}

// Two threads wake each other.

static void ping(void)
{
    set_and_wake(1);
    wait_for(0);
}

static void pong(void)
{
    wait_for(1);
    set_and_wake(0);
}

static void reset_ping_pong(void)
{
    machine_reset();
    guest_reset(0, 0, ping);
    guest_reset(1, 1, pong);
}

// One wakes two on the other CPU, one of them twice.

static void wake_both(void)
{
    set_and_wake(1);
    set_and_wake(2);
    thread_wake(guest(1));
}

static void sleep_1(void)
{
    wait_for(1);
}

static void sleep_2(void)
{
    wait_for(2);
}

static void reset_two_sleepers(void)
{
    machine_reset();
    guest_reset(0, 0, wake_both);
    guest_reset(1, 1, sleep_1);
    guest_reset(2, 1, sleep_2);
}

// One changes CPU while the other wakes it.

static const struct hal_cpu_set only_1 = {{2}};

static void migrate(void)
{
    seed_check(thread_affinity_set(thread_self(), &only_1) == 0, "no affinity");
    seed_check(thread_cpu_index() == 1, "not moved");
    wait_for(0);
    seed_check(thread_cpu_index() == 1, "moved back");
}

static void wake_0(void)
{
    set_and_wake(0);
}

static void reset_migrate(void)
{
    machine_reset();
    guest_reset(0, 0, migrate);
    guest_reset(1, 1, wake_0);
}

// One is told by the other to change CPU while it parks.

static void be_moved(void)
{
    wait_for(0);
    while (thread_cpu_index() != 1) {
        hal_cpu_relax();
    }
}

static void move_and_wake(void)
{
    seed_check(thread_affinity_set(guest(0), &only_1) == 0, "no affinity");
    set_and_wake(0);
}

static void reset_move(void)
{
    machine_reset();
    guest_reset(0, 0, be_moved);
    guest_reset(1, 1, move_and_wake);
}

// A timer and a waker.

static void sleep_timed(void)
{
    hal_ns deadline = hal_clock_ns() + 6000;
    if (!thread_park_until(deadline)) {
        seed_check(hal_clock_ns() >= deadline, "too early");
    }
    wait_for(0);
}

static void reset_timed(void)
{
    machine_reset();
    guest_reset(0, 0, sleep_timed);
    guest_reset(1, 1, wake_0);
}

// A thread ends and is joined.

static void join_1(void)
{
    (void)thread_join(guest(1), UINT64_MAX);
    seed_check(freed == 1, "joined and not freed");
}

static void exit_1(void)
{
    thread_exit();
}

static void reset_join(void)
{
    machine_reset();
    guest_reset(0, 0, join_1);
    guest_reset(1, 1, exit_1);
}

static void join_timed(void)
{
    if (!thread_join(guest(1), hal_clock_ns() + 5000)) {
        seed_check(freed == 0, "not joined, but freed");
        (void)thread_join(guest(1), UINT64_MAX);
    }
    seed_check(freed == 1, "joined and not freed");
}

static void reset_join_timed(void)
{
    machine_reset();
    guest_reset(0, 0, join_timed);
    guest_reset(1, 1, exit_1);
}

// One is to be interrupted wherever it is: the hook sees what was set before the kick, at once or
// when it is called again; in masked code, where there is no frame, it asks to be called again.

static _Atomic bool is_sent, is_seen;
static hal_ns look_ns;

static void hook(struct hal_frame *frame)
{
    if (thread_self() != guest(0) || !atomic_load(&is_sent)) {
        return;
    }
    if (frame == NULL) {
        MARK("hook: nothing to change");
        look_ns += 100; // the same time in each turn could always meet masked code
        sched_look_again(look_ns);
    } else {
        MARK("hook: application code");
        atomic_store(&is_seen, true);
    }
}

static void be_interrupted(void)
{
    thread_yield();
    while (!atomic_load(&is_seen)) {
        uintptr_t irq = hal_irq_save();
        (void)atomic_load(&is_sent); // masked, and here the other CPU may go on
        hal_irq_restore(irq);
        hal_cpu_relax();
    }
}

static void send(void)
{
    atomic_store(&is_sent, true);
    thread_wake(guest(0));
    thread_kick(guest(0));
}

static void reset_kick(void)
{
    machine_reset();
    sched_frame_hook_set(hook);
    is_sent = is_seen = false;
    look_ns = 500;
    guest_reset(0, 0, be_interrupted);
    guest_reset(1, 1, send);
}

static const char *const ping_marks[] = {
    "park: woken before",
    "inbox: one that is still parking",
    "switch: the parking thread is chosen again",
    NULL,
};
static const char *const sleepers_marks[] = {
    "inbox: a post rides on an earlier kick",
    "wake: of one that is notified already",
    NULL,
};
static const char *const migrate_marks[] = {
    "switch: one that changes CPU is posted by the next",
    NULL,
};
static const char *const timed_marks[] = {"timer: passed", "timer: woken in time", NULL};
static const char *const join_marks[] = {
    "join: the joiner came first",
    "join: the thread ended first",
    NULL,
};

static const char *const kick_marks[] = {
    "hook: nothing to change",
    "hook: application code",
    NULL,
};

static const struct seed_test tests[] = {
    {
        .name = "kick",
        .reset = reset_kick,
        .bodies = {boot, boot},
        .end_count = 2,
        .marks = kick_marks,
        .preemption_max = 3,
    },
    {
        .name = "wake queue",
        .reset = reset_ping_pong,
        .bodies = {boot, boot},
        .end_count = 2,
        .marks = ping_marks,
    },
    {
        .name = "wake queue, two sleepers",
        .reset = reset_two_sleepers,
        .bodies = {boot, boot},
        .end_count = 3,
        .marks = sleepers_marks,
    },
    {
        .name = "migration",
        .reset = reset_migrate,
        .bodies = {boot, boot},
        .end_count = 2,
        .marks = migrate_marks,
    },
    {
        .name = "migration of another",
        .reset = reset_move,
        .bodies = {boot, boot},
        .end_count = 2,
        .marks = migrate_marks,
        .preemption_max = 3,
    },
    {
        .name = "timer",
        .reset = reset_timed,
        .bodies = {boot, boot},
        .end_count = 2,
        .marks = timed_marks,
    },
    {
        .name = "join",
        .reset = reset_join,
        .bodies = {boot, boot},
        .end_count = 1,
        .marks = join_marks,
    },
    {
        .name = "join, timed",
        .reset = reset_join_timed,
        .bodies = {boot, boot},
        .end_count = 1,
    },
};

int main(int argc, char **argv)
{
    return seed_main(argc, argv, tests, sizeof tests / sizeof tests[0]);
}
