// SPDX-License-Identifier: BSD-3-Clause
// seed.h: a machine of two CPUs that runs core under every schedule with at most PREEMPTIONS_MAX
// preemptions.
//
// Both CPUs are coroutines on one host thread. core and the test are compiled with
// -fsanitize=thread, and every access to memory calls __tsan_*, which is ours: a point where the
// other CPU may go on. A point at which only one of the CPUs ever touches the memory is none: to
// preempt there is to preempt at the next that is one. What is shared is learned while running;
// whenever something new turns out to be shared, the enumeration starts again.
//
// A schedule ends when all threads have called seed_end. It fails when an assertion fails, when
// nobody can run (a wake-up was lost), when a context is resumed that was not saved, or when it
// does not come to its end. Memory is sequentially consistent here: the enumeration says nothing
// about weaker orders.
//
// With the real core/sched a test's two bodies start the CPUs. Without it, seed_thread.c stands in
// for core/sched: each body is a thread with a CPU of its own, and a timed park may time out at any
// moment.
#ifndef SEED_SEED_H
#define SEED_SEED_H

#include <stdbool.h>
#include <stdint.h>

#include "hal/hal.h"

enum { SEED_CPU_COUNT = 2, PREEMPTIONS_MAX = 4 };

struct seed_test {
    const char *name;
    void (*reset)(void);                   // before each schedule: all that the bodies use, static or not
    void (*bodies[SEED_CPU_COUNT])(void);  // what each CPU starts with
    unsigned end_count;                    // the schedule ends after so many calls of seed_end; 0: one for each body
    void (*check)(void);                   // after each schedule; may be NULL
    const char *const *marks;              // all must be reached by some schedule; NULL ends
    unsigned preemption_max;               // 0: PREEMPTIONS_MAX
};

struct seed_result {
    const char *violation; // NULL: none
    bool is_mark_missing;  // some mark was not reached
    uint64_t schedule_count;
};

// Runs test under all schedules, or up to the first that fails, and prints what it did.
struct seed_result seed_enumerate(const struct seed_test *test);

// For bodies.
void seed_end(void);
void seed_point(void); // the other CPU may go on here
void seed_check(bool condition, const char *text);
HAL_NORETURN void seed_fail(const char *text);

bool seed_is_running(void); // inside a schedule

void seed_wall_step(hal_ns by); // the clock on the wall goes forth

// For resets of tests with the real core/sched: gives CPU index its struct cpu.
void seed_cpu_set(unsigned index, struct cpu *cpu);

// For seed_thread.c: the CPU that runs, and waiting.
unsigned seed_index(void);
void seed_self_set(unsigned index, void *self);
void seed_self_outside_set(void *self); // of reset and check; NULL at first
// Until seed_unblock(index of the caller), or, if may_time_out, at any moment: false.
bool seed_block(bool may_time_out);
void seed_unblock(unsigned index);
bool seed_is_blocked(unsigned index);

#endif
