// SPDX-License-Identifier: BSD-3-Clause
// sched.h: starting the scheduler; for core/boot and the self-test.
//
// What the scheduler promises, and the test that measures it (tests/):
//
//   lock-free    a run queue is its CPU's alone (inbox.c)      seed/inbox_test, wake_test, poll_test
//                256 CPUs; one kick for all that a call wakes  system/seeded scheduler_placed
//                no kick to a CPU that looks                   system/seeded scheduler_idle
//   preemptive   busy loops in application and core            system/shares, system/boot
//                vector registers and control words survive    system/vectors
//   tick-less    no interrupt in a second                      system/seeded scheduler_ticks
//   fair         equal, nice, sleepers, late ones              system/seeded scheduler_fair
//                the paper's formula, in double                unit/decay_test
//                real-time: priorities, slices                 system/seeded scheduler_real_time
//   scalable     O(log n) of 10, 1 000, 100 000 runnable       unit/runq_test
//                O(1) of as many timers                        unit/wheel_steps_test
//                twice as many threads as CPUs: even in 50 ms  system/seeded scheduler_balance
//                who hands over is together, else apart        system/seeded scheduler_placed
//                an affinity mask moves a running thread       seed/place_test, unit/sched_test
//                10 000 threads; a minute of coming and going  system/multitude, storm_soak
//   efficient    idle CPUs look for 1/64 of the time at most   system/seeded scheduler_idle
//                a switch, a hand-over                         bench/ctxsw
#ifndef CORE_SCHED_SCHED_H
#define CORE_SCHED_SCHED_H

#include <stdint.h>

#include "hal/hal.h"

struct thread;

// Gives the boot CPU its struct cpu, whose first field is the CPU's index. First thing in upcall_boot.
void sched_adopt(void);

// After frame_init and heap_init, on the boot CPU. Makes the caller's CPU and all others of boot run threads; the first
// is a thread that calls first(argument).
HAL_NORETURN void sched_start(const struct hal_boot *boot, void (*first)(void *), void *argument);

// What has happened so far, on all CPUs.
struct sched_counts {
    uint64_t switches, wakes, kicks;
    uint64_t interrupts, timers, kicked; // the last two are of the first
    uint64_t faults;
    uint64_t polls;           // how often an idle CPU looked for work before it halted
    uint64_t polled_ns;       // for how long
    uint64_t polled_vain_ns;  // and of that for nothing
    uint64_t unkicked;        // wakes that needed no kick, since the other CPU was looking
    uint64_t moves;           // threads that went to another CPU
};
void sched_counts_sum(struct sched_counts *sum);
void sched_counts_get(uint32_t cpu, struct sched_counts *counts); // of one of them
void sched_fault_count(void); // one more

// hook is called at the end of each interrupt, after any switch: core/linux looks at pending signals there. frame as
// in upcall.h; where it is not NULL the hook may turn interrupts on, and blocks then as any thread may. Registered
// once at boot; NULL: nobody.
void sched_frame_hook_set(void (*hook)(struct hal_frame *frame));

// For the hook: makes the CPU's timer call it again after delay at the latest. Interrupts off.
void sched_look_again(hal_ns delay);

// Has errand called on another CPU, soon: in an interrupt, and on whatever thread that finds there. Interrupts are off.
// Nobody sends a second one before the first was called.
void sched_errand_send(uint32_t cpu, void (*errand)(void));

// The last call of every upcall that is an interrupt: preempts the thread that was interrupted if that is due, and
// calls the hook. May return on another CPU.
void sched_interrupt_end(struct hal_frame *frame);

#endif
