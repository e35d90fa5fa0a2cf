// SPDX-License-Identifier: BSD-3-Clause
// sched.h: a scheduler just large enough to try the contract: round robin, park and wake, sleep.
#ifndef TESTS_SYSTEM_HAL_LINUX_SCHED_H
#define TESTS_SYSTEM_HAL_LINUX_SCHED_H

#include <stdatomic.h>

#include "hal/hal.h"

enum { THREAD_STACK = 65536 };
enum thread_state { THREAD_RUNNING, THREAD_PARKED, THREAD_NOTIFIED };

struct thread {
    struct hal_context context;
    struct cpu *cpu;     // where it runs or last ran; changes only while it is THREAD_RUNNING
    struct thread *next; // in a run queue, an inbox or a sleep list
    _Atomic uint32_t state;
    hal_ns wake_ns;
    void (*entry)(void *);
    void *arg;
    uint64_t fault_count; // taken by this thread
};

struct cpu {
    uint32_t index;
    struct thread *current;
    struct thread *runq_first, *runq_last; // this CPU, masked
    struct thread *sleepers;               // soonest first; this CPU, masked
    struct thread *departing;              // switched out for another CPU, not yet posted there
    _Atomic(struct thread *) inbox;
    hal_ns slice_end_ns;
    uint64_t random;
    uint64_t preempt_count, migrate_count, kick_count, switch_count, masked_fault_count,
        nested_count;
    struct thread idle;
};

struct sched_options {
    hal_ns slice_min_ns, slice_span_ns; // a slice is random in [min, min + span)
    bool switch_on_kick;
    bool migrate; // each preemption moves the thread to the next CPU
};

extern struct cpu cpus[HAL_CPU_MAX];
extern struct sched_options sched_options;
extern uint32_t cpu_count;
extern char *va_next;

#define ASSERT(condition) ((condition) ? (void)0 : sched_panic(#condition, __LINE__))
HAL_NORETURN void sched_panic(const char *text, uint64_t value);
void report(const char *text, uint64_t value);

// Starts the scheduler; first runs on CPU 0.
HAL_NORETURN void sched_start(const struct hal_boot *boot, void (*first)(void *), void *arg);

char *page_alloc(size_t count, hal_phys *pa); // direct-map address; never freed

// Makes a thread and starts it on a CPU. stack NULL: one of its own. THREAD_STACK bytes.
struct thread *thread_create(uint32_t cpu, char *stack, void *tp, void (*entry)(void *), void *arg);
void thread_park(void);             // may return early
void thread_wake(struct thread *t); // any context
void thread_yield(void);
void thread_sleep_until(hal_ns when);
HAL_NORETURN void thread_exit(void);

#endif
