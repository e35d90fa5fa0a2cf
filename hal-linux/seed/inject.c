// SPDX-License-Identifier: BSD-3-Clause
// inject.c: faults planted in a run, each kind from a stream of its own, so that one does not
// disturb another, and a kind that is off draws nothing.
//
// Where they strike: page in core's frame allocator and short in its pipes, both asked by
// hal_inject; io, delay and short in the far end of file systems, disk and delay in that of
// disks; delay also in what may block;
// clock where the time of day is read; stall where a turn ends.
#include "hal-linux/machine.h"
#include "hal-linux/seed/seed.h"
#include "hal/upcall.h"

enum {
    STREAM_FIRST = 16, // of the seed's streams
    DELAY_LOGS = 11,   // a device is late by up to 2^10 times this
    DELAY_NS = 50000,
    STALL_NS = 5000000,
};

#define STEP_LONG_NS ((uint64_t)1000 * 1000000000)
#define STEP_SHORT_NS ((uint64_t)10000000)

uint64_t inject_counts[SEED_FAULT_COUNT];

static struct random streams[SEED_FAULT_COUNT];
static uint64_t chances[SEED_FAULT_COUNT]; // of 2^32
static int64_t clock_step;

void inject_init(const struct seed_options *options)
{
    for (uint32_t i = 0; i < SEED_FAULT_COUNT; ++i) {
        streams[i] = random_stream(options->seed, STREAM_FIRST + i);
        chances[i] = options->faults[i];
    }
}

static bool strikes(enum seed_fault kind)
{
    if (chances[kind] == 0 || random_next(&streams[kind]) >> 32 >= chances[kind]) {
        return false;
    }
    ++inject_counts[kind];
    point_note(kind);
    return true;
}

bool seed_inject(enum hal_inject kind)
{
    return strikes(kind == HAL_INJECT_PAGE ? SEED_FAULT_PAGE : SEED_FAULT_SHORT);
}

bool machine_is_late(void)
{
    return strikes(SEED_FAULT_DELAY);
}

// Also on the worker that serves a request late: the machine stands still meanwhile.
bool machine_is_failing(enum seed_fault kind)
{
    return strikes(kind);
}

size_t machine_transfer(size_t size)
{
    bool is_short = size > 1 && strikes(SEED_FAULT_SHORT);
    return is_short ? 1 + random_below(&streams[SEED_FAULT_SHORT], size - 1) : size;
}

// Most are late by little: what matters is often who comes first.
hal_ns inject_delay(void)
{
    struct random *stream = &streams[SEED_FAULT_DELAY];
    if (!strikes(SEED_FAULT_DELAY)) {
        return 0;
    }
    return random_below(stream, (hal_ns)DELAY_NS << random_below(stream, DELAY_LOGS));
}

// Half of the steps are short. Steps do not add up.
int64_t inject_clock_step(void)
{
    struct random *stream = &streams[SEED_FAULT_CLOCK];
    if (strikes(SEED_FAULT_CLOCK)) {
        uint64_t span = random_below(stream, 2) == 0 ? STEP_SHORT_NS : STEP_LONG_NS;
        clock_step = (int64_t)random_below(stream, 2 * span) - (int64_t)span;
        vcpu_raise_notice(HAL_NOTICE_CLOCK);
    }
    return clock_step;
}

void inject_stall_note(void)
{
    ++inject_counts[SEED_FAULT_STALL];
    point_note(SEED_FAULT_STALL);
}

hal_ns inject_stall(void)
{
    return strikes(SEED_FAULT_STALL) ? 1 + random_below(&streams[SEED_FAULT_STALL], STALL_NS) : 0;
}
