// SPDX-License-Identifier: BSD-3-Clause
// watch.c: the hosted side: options, the watchdog, the last words. Hosted.
//
// A program that computes without calling the kernel passes no point, so nothing can happen to it:
// a loop that waits for another thread would never end. The main thread looks every second whether
// points were passed, and sends the machine's host thread, once that has computed for a second
// since the last point that was seen, the signal that means "look". A busy host, on which a second
// passes with little computed, changes nothing. Once a run is spoilt it looks more often.
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "hal-linux/machine.h"
#include "hal-linux/seed/seed.h"
#include "hal-linux/seed/tape.h"
#include "hal-linux/syscall.h"

enum { WATCH_NS = 1000000000 };

static const struct seed_options *options;
static _Atomic bool is_paused;
static _Atomic bool is_due;

bool machine_is_seeded(void)
{
    return true;
}

size_t machine_eager_max(void)
{
    return options->seed % 2 == 0 ? 0 : 64 << 10;
}

void machine_init(const struct seed_options *wanted)
{
    options = wanted;
    tape_init(wanted);
    point_init(wanted);
    job_init(wanted->seed);
    entropy_init(wanted->seed);
    inject_init(wanted);
    link_init(wanted);
    file_init(wanted);
    stream_init(wanted);
    if (witness_init(wanted) != 0) {
        fputs("osv-sim: --races: this host does not let us reserve the memory for it\n", stderr);
    }
}

// The same run, in which the stacks of the accesses that came first are kept.
static void races_print(uint32_t count)
{
    const size_t program = strlen(options->command) - strlen(options->command_rest);
    fprintf(stderr, "osv-sim: data races: %u; the stacks of both sides: %.*s --races=", count,
            (int)program, options->command);
    uint64_t numbers[SEED_RACES_MAX];
    const uint32_t number_count = witness_race_firsts(numbers);
    for (uint32_t i = 0; i < number_count; ++i) {
        fprintf(stderr, "%s%lu", i == 0 ? "" : ",", numbers[i]);
    }
    fprintf(stderr, "%s\n", options->command_rest);
}

bool watch_take(void)
{
    return atomic_exchange(&is_due, false);
}

void watch_pause(bool paused)
{
    atomic_store(&is_paused, paused);
}

// What the host thread has computed so far, in nanoseconds. The kernel's number for its clock is
// made from its id: the complement, three bits further, and 6 for "CPU time of a thread".
static uint64_t computed_ns(int tid)
{
    struct timespec time = {0};
    clock_gettime((clockid_t)(~(unsigned)tid << 3 | 6), &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

void machine_prepare(const struct hal_boot *boot)
{
    trap_init();
    origin_begin(options, boot);
}

uint64_t machine_watch(void)
{
    static uint64_t count_before, computed_before;
    const uint64_t pause_ns = point_is_spoilt() ? WATCH_SPOILT_NS : WATCH_NS;
    const uint64_t count = __atomic_load_n(&point_count, __ATOMIC_RELAXED);
    const int tid = atomic_load(&vcpus[0].tid);
    if (tid == 0) {
        return pause_ns;
    }
    const uint64_t computed = computed_ns(tid);
    if (count != count_before || atomic_load(&is_paused)) {
        count_before = count;
        computed_before = computed;
    } else if (computed - computed_before >= pause_ns * 9 / 10) {
        computed_before = computed;
        atomic_store(&is_due, true);
        syscall3(SYS_tgkill, vcpu_pid, tid, VCPU_SIGNAL);
    }
    return pause_ns;
}

static void faults_print(void)
{
    const uint64_t *counts = inject_counts;
    bool is_any = false;
    for (int i = 0; i < SEED_FAULT_COUNT; ++i) {
        is_any = is_any || options->faults[i] != 0;
    }
    if (is_any && options->prints_hash) {
        fprintf(stderr,
                "osv-sim: faults: page %lu, io %lu, delay %lu, short %lu, clock %lu, stall %lu, "
                "disk %lu\n",
                counts[SEED_FAULT_PAGE], counts[SEED_FAULT_IO], counts[SEED_FAULT_DELAY],
                counts[SEED_FAULT_SHORT], counts[SEED_FAULT_CLOCK], counts[SEED_FAULT_STALL],
                counts[SEED_FAULT_DISK]);
    }
}

static void link_print(void)
{
    const uint64_t *counts = link_counts;
    if (link_is_there && options->prints_hash) {
        fprintf(stderr,
                "osv-sim: network: sent %lu, too long %lu, lost %lu, cut %lu, no room %lu, "
                "corrupted %lu, duplicated %lu, unanswered %lu, no buffer %lu, received %lu\n",
                counts[LINK_SENT], counts[LINK_TOO_LONG], counts[LINK_LOST], counts[LINK_CUT],
                counts[LINK_NO_ROOM], counts[LINK_CORRUPTED], counts[LINK_DUPLICATED],
                counts[LINK_UNANSWERED], counts[LINK_NO_BUFFER], counts[LINK_RECEIVED]);
    }
}

int machine_end(enum hal_halt how, int code)
{
    uint32_t races = witness_race_count();
    uint32_t circles = locks_circle_count();
    if (options->prints_hash) {
        fprintf(stderr, "osv-sim: trace hash %016lx, %lu points, %lu ns, %s\n", point_hash,
                point_count, point_now, trap_processor());
    }
    faults_print();
    link_print();
    if (how == HAL_CRASH) {
        fprintf(stderr, "osv-sim: replay: %s\n", options->command);
    }
    if (races > 0) {
        races_print(races);
    }
    if (circles > 0) {
        fprintf(stderr, "osv-sim: locks are taken in %u circles; again: %s\n", circles,
                options->command);
    }
    const char *kind = turn_is_deadlock() ? "deadlock"
                       : how == HAL_CRASH ? "crash"
                       : races > 0        ? "races"
                       : circles > 0      ? "locks"
                                          : "exit";
    if (how != HAL_CRASH) {
        code = races > 0 ? SEED_EXIT_RACES : circles > 0 ? SEED_EXIT_LOCKS : code;
    }
    const bool is_departed = tape_is_on && origin_end(options, kind, code);
    return is_departed && how != HAL_CRASH ? SEED_EXIT_DEPARTED : code;
}
