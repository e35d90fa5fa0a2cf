// SPDX-License-Identifier: BSD-3-Clause
// quiescence_test.c: waiting for all sections, on the real core/sched: a reader on one CPU meets
// whoever replaces what it reads, on the other, wherever the two are.
#include "core/sched/quiescence.h"
#include "core/sched/sched.h"
#include "core/sched/thread.h"
#include "guest.h"
#include "seed.h"
#include "seed_main.h"

static hal_ns patience;
static bool is_alive[2];
static _Atomic unsigned found; // which of the two readers find

static void data_reset(void)
{
    is_alive[0] = is_alive[1] = true;
    found = 0;
    patience = 0;
}

static void look(void)
{
    preempt_disable();
    unsigned index = atomic_load(&found);
    seed_check(is_alive[index], "found what had ended");
    preempt_disable();
    seed_point();
    preempt_enable();
    seed_check(is_alive[index], "ended while it was read");
    preempt_enable();
}

static void replace(void)
{
    atomic_store(&found, 1);
    quiescence_wait(patience);
    is_alive[0] = false;
}

static void look_twice(void)
{
    look();
    look();
}

static void reset_busy(void)
{
    guests_reset();
    data_reset();
    guest_reset(0, 0, replace);
    guest_reset(1, 1, look_twice);
}

// The same, and the reader's CPU gets time to switch by itself, which is too short at times.
static void reset_patient(void)
{
    reset_busy();
    patience = 1000;
}

// The reader sleeps, and is woken just before.

static void wake_and_replace(void)
{
    guest_tell(1);
    replace();
}

static void wait_and_look(void)
{
    guest_wait(1);
    look();
}

static void reset_idle(void)
{
    guests_reset();
    data_reset();
    guest_reset(0, 0, wake_and_replace);
    guest_reset(1, 1, wait_and_look);
}

// The reader is an interrupt of a CPU that idles.

static void look_in_interrupt(void)
{
    quiescence_interrupt_begin();
    look();
    quiescence_interrupt_end();
    seed_end();
}

static void interrupt_and_replace(void)
{
    const uintptr_t irq = hal_irq_save();
    sched_errand_send(1, look_in_interrupt);
    hal_irq_restore(irq);
    replace();
}

static void reset_interrupt(void)
{
    guests_reset();
    data_reset();
    guest_reset(0, 0, interrupt_and_replace);
    atomic_store(&guest(0)->affinity[0], 1);
}

static void reset_interrupt_patient(void)
{
    reset_interrupt();
    patience = 1000;
}

// Whoever comes first replaces, and replaces again; the other reads.

static _Atomic bool is_free;

static void replace_or_look(void)
{
    bool was_free = true;
    if (atomic_compare_exchange_strong(&is_free, &was_free, false)) {
        replace();
        atomic_store(&found, 0);
        is_alive[0] = true;
        quiescence_wait(patience);
        is_alive[1] = false;
    } else {
        look();
    }
}

static void reset_both(void)
{
    guests_reset();
    data_reset();
    is_free = true;
    guest_reset(0, 0, replace_or_look);
    guest_reset(1, 1, replace_or_look);
}

static const char *const busy_marks[] = {
    "quiescence: interrupted outside of a section",
    "quiescence: interrupted in a section",
    NULL,
};
static const char *const patient_marks[] = {"quiescence: out of patience", NULL};
static const char *const idle_marks[] = {
    "quiescence: a CPU idles",
    "quiescence: two answer for a CPU",
    NULL,
};

static const struct seed_test tests[] = {
    {
        .name = "quiescence, a reader that wakes up",
        .reset = reset_idle,
        .bodies = {guest_cpu_run, guest_cpu_run},
        .end_count = 2,
        .marks = idle_marks,
        .preemption_max = 3,
    },
    {
        .name = "quiescence, a reader that runs",
        .reset = reset_busy,
        .bodies = {guest_cpu_run, guest_cpu_run},
        .end_count = 2,
        .marks = busy_marks,
        .preemption_max = 3,
    },
    {
        .name = "quiescence, with patience",
        .reset = reset_patient,
        .bodies = {guest_cpu_run, guest_cpu_run},
        .end_count = 2,
        .marks = patient_marks,
        .preemption_max = 3,
    },
    {
        .name = "quiescence, a reader that is an interrupt",
        .reset = reset_interrupt,
        .bodies = {guest_cpu_run, guest_cpu_run},
        .end_count = 2,
        .preemption_max = 2,
    },
    {
        .name = "quiescence, a reader that is an interrupt, with patience",
        .reset = reset_interrupt_patient,
        .bodies = {guest_cpu_run, guest_cpu_run},
        .end_count = 2,
        .preemption_max = 2,
    },
    {
        .name = "quiescence, twice",
        .reset = reset_both,
        .bodies = {guest_cpu_run, guest_cpu_run},
        .end_count = 2,
        .preemption_max = 2,
    },
};

int main(int argc, char **argv)
{
    return seed_main(argc, argv, tests, sizeof tests / sizeof tests[0]);
}
