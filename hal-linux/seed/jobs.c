// SPDX-License-Identifier: BSD-3-Clause
// jobs.c: device work that may block, at a time that the seed gives.
//
// A job waits until it is due. Then a hosted worker does it while the machine stands still, so that
// what it did is there at one place of the run and no other. Real time does not count: virtual time
// stands still too. Only where that takes longer than PATIENCE_NS, and there is something else that
// could go on, the machine goes on without it; such a run cannot be repeated.
//
// What hosted threads raise lies in `arrived` until the machine looks.
#include <errno.h>
#include <linux/futex.h>
#include <stddef.h>
#include <time.h>

#include "hal-linux/dev/job.h"
#include "hal-linux/halt.h"
#include "hal-linux/seed/seed.h"
#include "hal-linux/syscall.h"

enum { SLOT_MAX = 1024, DELAY_NS = 100000, PATIENCE_S = 1 };

enum slot_state { SLOT_FREE, SLOT_WAITS, SLOT_RUNS };

static struct slot {
    struct worker_job *job;
    void (*run)(struct worker_job *);
    hal_ns due;
    _Atomic uint32_t state; // enum slot_state; the futex word of who waits for it
} slots[SLOT_MAX];

static uint32_t slot_end; // none from here on was ever used
static struct random delays;

static _Atomic uint32_t arrived[HAL_CPU_MAX];
static _Atomic uint32_t arrived_word; // counts; the futex word of a machine with nothing else to do
static uint32_t arrived_seen;

void job_init(uint64_t seed)
{
    delays = random_stream(seed, 2);
}

void job_raise(uint32_t index, uint32_t causes)
{
    atomic_fetch_or(&arrived[index], causes);
    atomic_fetch_add(&arrived_word, 1);
    syscall3(SYS_futex, (long)&arrived_word, FUTEX_WAKE_PRIVATE, 1);
}

void job_take_arrived(void)
{
    stream_note_late();
    uint32_t word = atomic_load(&arrived_word);
    if (word == arrived_seen) {
        return;
    }
    arrived_seen = word;
    for (uint32_t i = 0; i < vcpu_count; ++i) {
        uint32_t causes = atomic_exchange(&arrived[i], 0);
        if (causes & VCPU_NOTICE) {
            point_spoil("a signal came from outside");
        }
        if (causes != 0) {
            vcpu_raise(&vcpus[i], causes);
        }
    }
}

// On a worker, in place of the job's own function.
static void slot_run(struct worker_job *job)
{
    struct slot *slot = NULL;
    for (uint32_t i = 0; i < SLOT_MAX; ++i) {
        if (slots[i].job == job && atomic_load(&slots[i].state) == SLOT_RUNS) {
            slot = &slots[i];
        }
    }
    slot->job = NULL; // the job may come again before we are done
    slot->run(job);
    atomic_store(&slot->state, SLOT_FREE);
    syscall3(SYS_futex, (long)&slot->state, FUTEX_WAKE_PRIVATE, 1);
}

void worker_submit(struct worker_job *job)
{
    for (uint32_t i = 0; i < SLOT_MAX; ++i) {
        struct slot *slot = &slots[i];
        if (atomic_load(&slot->state) == SLOT_FREE) {
            hal_ns due = point_now + random_below(&delays, DELAY_NS) + inject_delay();
            *slot = (struct slot){job, job->run, due, SLOT_WAITS};
            job->run = slot_run;
            slot_end = i < slot_end ? slot_end : i + 1;
            point_next = due < point_next ? due : point_next;
            return;
        }
    }
    halt_fatal("more device work at once than the seeded machine can hold", SLOT_MAX);
}

hal_ns job_due(void)
{
    hal_ns due = UINT64_MAX;
    for (uint32_t i = 0; i < slot_end; ++i) {
        if (atomic_load(&slots[i].state) == SLOT_WAITS && slots[i].due < due) {
            due = slots[i].due;
        }
    }
    return due;
}

// True when the worker is done with slot; false when patience has ended and others may go on.
static bool slot_wait(struct slot *slot)
{
    while (atomic_load(&slot->state) == SLOT_RUNS) {
        struct timespec patience = {.tv_sec = PATIENCE_S};
        long result =
            syscall4(SYS_futex, (long)&slot->state, FUTEX_WAIT_PRIVATE, SLOT_RUNS, (long)&patience);
        if (result == -ETIMEDOUT && turn_is_any_able()) {
            return false;
        }
    }
    return true;
}

void job_run_due(void)
{
    for (uint32_t i = 0; i < slot_end; ++i) {
        struct slot *slot = &slots[i];
        if (atomic_load(&slot->state) != SLOT_WAITS || slot->due > point_now) {
            continue;
        }
        atomic_store(&slot->state, SLOT_RUNS);
        job_queue(slot->job);
        watch_pause(true);
        if (!slot_wait(slot)) {
            point_spoil("input did not come within a second");
        }
        watch_pause(false);
        job_take_arrived();
    }
}

bool job_wait_late(void)
{
    bool is_late = false;
    for (uint32_t i = 0; i < slot_end; ++i) {
        is_late = is_late || atomic_load(&slots[i].state) == SLOT_RUNS;
    }
    if (is_late) {
        watch_pause(true);
        syscall4(SYS_futex, (long)&arrived_word, FUTEX_WAIT_PRIVATE, arrived_seen, 0);
        watch_pause(false);
    }
    return is_late;
}
