// SPDX-License-Identifier: BSD-3-Clause
// choice.c: which vCPU goes on, and for how long.
//
// SCHEDULE_RANDOM draws both. How long a turn is on average is drawn once for the run, from a few
// points to thousands: some bugs want two switches close together, some a long stay elsewhere. In
// most runs a turn also ends, by a chance drawn once, before an atomic access: that is where
// threads meet. SCHEDULE_PCT gives the vCPUs random priorities and lets the highest run; at `depth`
// random points the one that runs becomes the lowest (Burckhardt et al., ASPLOS 2010).
// SCHEDULE_TURNS goes round; but for `depth` random preemptions a vCPU goes on until it waits. In
// both, whoever has gone on for TURN_POINTS has had its turn: it may be polling for what another
// one will do.
#include "hal-linux/seed/seed.h"

enum {
    GAP_POINTS_MIN_LOG = 3, // 8 points
    GAP_POINTS_LOGS = 10,   // .. 4096
    ATOMIC_LOG_MIN = 2,
    ATOMIC_LOGS = 8,
    ATOMIC_NEVER = 40,
    RUN_POINTS_LOG = 20, // a run's length, as PCT guesses it: the change points fall within
    DEPTH_MAX = 64,
    TURN_POINTS = 200000,
};

static struct random choices;
static enum seed_schedule schedule;
static uint32_t gap_log;
static uint32_t atomic_log; // one in 2^atomic_log atomic accesses ends a turn
static bool is_stubborn;    // whoever spins goes on spinning, as long as its turn lasts
static uint64_t priorities[HAL_CPU_MAX]; // the higher goes first
static uint64_t lowest;
static hal_ns changes[DEPTH_MAX]; // sorted; when a preemption is forced
static uint32_t change_count, change_next;

static void changes_init(uint32_t depth)
{
    change_count = depth < DEPTH_MAX ? depth : DEPTH_MAX;
    for (uint32_t i = 0; i < change_count; ++i) {
        uint64_t points =
            1 + random_below(&choices, 1ul << (random_below(&choices, RUN_POINTS_LOG) + 1));
        hal_ns at = points * POINT_NS;
        uint32_t place = i;
        while (place > 0 && changes[place - 1] > at) {
            changes[place] = changes[place - 1];
            --place;
        }
        changes[place] = at;
    }
}

void choice_init(const struct seed_options *options)
{
    choices = random_stream(options->seed, 0);
    schedule = options->schedule;
    gap_log = GAP_POINTS_MIN_LOG + (uint32_t)random_below(&choices, GAP_POINTS_LOGS);
    uint32_t log = ATOMIC_LOG_MIN + (uint32_t)random_below(&choices, ATOMIC_LOGS);
    bool is_rare = schedule != SCHEDULE_RANDOM || random_below(&choices, 4) == 0;
    atomic_log = is_rare ? ATOMIC_NEVER : log;
    is_stubborn = schedule == SCHEDULE_RANDOM && random_below(&choices, 2) == 0;
    lowest = 1ul << 32;
    for (uint32_t i = 0; i < HAL_CPU_MAX; ++i) {
        priorities[i] = lowest + random_next(&choices) % lowest + 1;
    }
    changes_init(schedule == SCHEDULE_RANDOM ? 0 : options->depth);
}

hal_ns choice_gap(void)
{
    if (schedule == SCHEDULE_RANDOM) {
        return (1 + random_below(&choices, 2ul << gap_log)) * POINT_NS;
    }
    const hal_ns turn = TURN_POINTS * POINT_NS;
    if (change_next == change_count || changes[change_next] > point_now + turn) {
        return turn;
    }
    hal_ns at = changes[change_next++];
    return at > point_now ? at - point_now : POINT_NS;
}

bool choice_at_spin(void)
{
    return !is_stubborn;
}

bool choice_at_atomic(void)
{
    return random_next(&choices) >> (64 - atomic_log) == 0;
}

static uint32_t highest(const uint32_t *able, uint32_t count)
{
    uint32_t best = able[0];
    for (uint32_t i = 1; i < count; ++i) {
        best = priorities[able[i]] > priorities[best] ? able[i] : best;
    }
    return best;
}

// The next one after running, going round.
static uint32_t following(const uint32_t *able, uint32_t count, uint32_t running)
{
    for (uint32_t i = 0; i < count; ++i) {
        if (able[i] > running) {
            return able[i];
        }
    }
    return able[0];
}

bool choice_wants_events(void)
{
    return schedule == SCHEDULE_PCT;
}

uint32_t choice_make(const uint32_t *able, uint32_t count, uint32_t running, bool is_change)
{
    switch (schedule) {
    case SCHEDULE_PCT:
        if (is_change) {
            priorities[running] = --lowest;
        }
        return highest(able, count);
    case SCHEDULE_TURNS:
        return following(able, count, running);
    default:
        return able[random_below(&choices, count)];
    }
}
