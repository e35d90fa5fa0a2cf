// SPDX-License-Identifier: BSD-3-Clause
// watch.c: the hosted side: options, the watchdog, the last words. Hosted.
//
// A program that computes without calling the kernel passes no point, so nothing can happen to it:
// a loop that waits for another thread would never end. The main thread looks every second whether
// points were passed, and sends the machine's host thread the signal that means "look". Once a run
// is spoilt it looks more often.
#include <stdatomic.h>
#include <stdio.h>

#include "hal-linux/machine.h"
#include "hal-linux/seed/seed.h"
#include "hal-linux/syscall.h"

enum { WATCH_NS = 1000000000 };

static const struct seed_options *options;
static _Atomic bool is_paused;
static _Atomic bool is_due;

bool machine_is_seeded(void)
{
    return true;
}

void machine_init(const struct seed_options *wanted)
{
    options = wanted;
    point_init(wanted);
    job_init(wanted->seed);
    entropy_init(wanted->seed);
    file_init();
}

bool watch_take(void)
{
    return atomic_exchange(&is_due, false);
}

void watch_pause(bool paused)
{
    atomic_store(&is_paused, paused);
}

uint64_t machine_watch(void)
{
    static uint64_t count_before;
    uint64_t count = __atomic_load_n(&point_count, __ATOMIC_RELAXED);
    int tid = atomic_load(&vcpus[0].tid);
    if (count == count_before && !atomic_load(&is_paused) && tid != 0) {
        atomic_store(&is_due, true);
        syscall3(SYS_tgkill, vcpu_pid, tid, VCPU_SIGNAL);
    }
    count_before = count;
    return point_is_spoilt() ? WATCH_SPOILT_NS : WATCH_NS;
}

void machine_end(enum hal_halt how)
{
    if (options->prints_hash) {
        fprintf(stderr, "osv-sim: trace hash %016lx, %lu points, %lu ns, %s\n", point_hash,
                point_count, point_now, trap_processor());
    }
    if (how == HAL_CRASH) {
        fprintf(stderr, "osv-sim: replay: %s\n", options->command);
    }
}
