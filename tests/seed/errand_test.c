// SPDX-License-Identifier: BSD-3-Clause
// errand_test.c: errands that CPUs are sent, on the real core/sched: each is called once, where it
// was sent to, in an interrupt, and what was done before it was sent has been done.
#include "core/sched/cpu.h"
#include "core/sched/sched.h"
#include "core/sched/thread.h"
#include "guest.h"
#include "seed.h"
#include "seed_main.h"

enum { ROUNDS = 2 };

// By the CPU that is sent to.
static unsigned sent[SEED_CPU_COUNT]; // plain: how many were, set before the next goes
static _Atomic unsigned called[SEED_CPU_COUNT];

static void errand(void)
{
    const unsigned here = hal_cpu_self()->index;
    const unsigned count = sent[here]; // before the next may be sent
    seed_check(!hal_irq_enabled(), "interrupts are on");
    seed_check(atomic_fetch_add(&called[here], 1) + 1 == count, "called too early, or again");
    thread_wake(guest(1 - here));
}

// Guest 0 is on CPU 0, and sends to CPU 1; guest 1, the other way.
static void send_all(unsigned target)
{
    for (unsigned i = 1; i <= ROUNDS; ++i) {
        uintptr_t irq = hal_irq_save();
        sent[target] = i;
        sched_errand_send(target, errand);
        hal_irq_restore(irq);
        while (atomic_load(&called[target]) < i) {
            thread_park();
        }
    }
}

static void send_to_1(void)
{
    send_all(1);
}

static void send_to_0(void)
{
    send_all(0);
}

static void nothing(void)
{
}

static void reset_with(void (*other)(void))
{
    guests_reset();
    for (unsigned i = 0; i < SEED_CPU_COUNT; ++i) {
        sent[i] = 0;
        atomic_store(&called[i], 0);
        guest_reset(i, i, i == 0 ? send_to_1 : other);
        atomic_store(&guest(i)->affinity[0], 1u << i);
    }
}

// To one whose thread ends, and that idles then.
static void reset_idle(void)
{
    reset_with(nothing);
}

static void reset_both(void)
{
    reset_with(send_to_0);
}

static void all_called(void)
{
    for (unsigned i = 0; i < SEED_CPU_COUNT; ++i) {
        seed_check(called[i] == sent[i], "one was not called");
    }
    seed_check(called[1] == ROUNDS, "one was not sent");
}

static const struct seed_test tests[] = {
    {
        .name = "errands, to one that idles",
        .reset = reset_idle,
        .bodies = {guest_cpu_run, guest_cpu_run},
        .end_count = 2,
        .check = all_called,
        .preemption_max = 2,
    },
    {
        .name = "errands, both ways",
        .reset = reset_both,
        .bodies = {guest_cpu_run, guest_cpu_run},
        .end_count = 2,
        .check = all_called,
        .preemption_max = 2,
    },
};

int main(int argc, char **argv)
{
    return seed_main(argc, argv, tests, sizeof tests / sizeof tests[0]);
}
