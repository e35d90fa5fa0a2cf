// SPDX-License-Identifier: BSD-3-Clause
// bell_test.c: a bell on the real core/sched under every schedule with at most three preemptions:
// what is rung for is done, also where that came before the listener, or while it parks.
#include "core/sync/bell.h"

#include "core/lib/mark.h"
#include "core/sched/thread.h"
#include "guest.h"
#include "seed.h"
#include "seed_main.h"

static struct bell bell;
static uint32_t heard;

static const struct hal_cpu_set only_0 = {{1}}, only_1 = {{2}};

// Ends when both bits have been heard of. It looks as often as it likes.
static void listen(void *argument)
{
    while (heard != 3) {
        uint32_t bits = bell_wait(&bell);
        seed_check(bits != 0, "rung for nothing");
        seed_check((heard & bits) == 0, "heard twice");
        heard |= bits;
    }
    seed_end();
}

enum { WAIT_NS = 1000 };

// The same, but that it does not wait for long at first.
static void listen_awhile(void *argument)
{
    heard = bell_wait_until(&bell, hal_clock_ns() + WAIT_NS);
    listen(argument);
}

// As core/linux's signal_init: the listener is known before it runs.
static void listener_make(const struct hal_cpu_set *where, void (*run)(void *))
{
    struct thread *thread;
    const struct thread_config config = {.affinity = where, .detached = true};
    seed_check(thread_create(&thread, &config, run, NULL) == 0, "no memory");
    bell_listener_set(&bell, thread);
    thread_start(thread);
}

static void listener_make_here(void)
{
    listener_make(&only_0, listen);
}

static void listener_make_there(void)
{
    listener_make(&only_1, listen);
}

static void hasty_make_here(void)
{
    listener_make(&only_0, listen_awhile);
}

// As an interrupt does.
static void ring(uint32_t bit)
{
    uintptr_t irq = hal_irq_save();
    bell_ring(&bell, bit);
    hal_irq_restore(irq);
}

static void ring_twice(void)
{
    ring(1);
    ring(2);
}

static void reset(void (*make)(void))
{
    bell = (struct bell){0};
    heard = 0;
    guests_reset();
    guest_reset(0, 0, make);
    guest_reset(1, 1, ring_twice);
}

static void reset_apart(void)
{
    reset(listener_make_here);
}

static void reset_together(void)
{
    reset(listener_make_there);
}

static void reset_hasty(void)
{
    reset(hasty_make_here);
}

static const char *const hasty_marks[] = {
    "bell: nobody has rung in time",
    NULL,
};

static const char *const marks[] = {
    "bell: rung before anybody listens",
    "park: woken before",
    NULL,
};

static const struct seed_test tests[] = {
    {
        .name = "bell, rung on another CPU",
        .reset = reset_apart,
        .bodies = {guest_cpu_run, guest_cpu_run},
        .end_count = 3,
        .marks = marks,
        .preemption_max = 3,
    },
    {
        .name = "bell, listened to for a while",
        .reset = reset_hasty,
        .bodies = {guest_cpu_run, guest_cpu_run},
        .end_count = 3,
        .marks = hasty_marks,
        .preemption_max = 2,
    },
    {
        .name = "bell, rung on its CPU",
        .reset = reset_together,
        .bodies = {guest_cpu_run, guest_cpu_run},
        .end_count = 3,
        .preemption_max = 2,
    },
};

int main(int argc, char **argv)
{
    return seed_main(argc, argv, tests, sizeof tests / sizeof tests[0]);
}
