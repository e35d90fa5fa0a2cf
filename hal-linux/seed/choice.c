// SPDX-License-Identifier: BSD-3-Clause
// choice.c: which vCPU goes on, and for how long.
//
// Bugs lie where vCPUs meet: where one accesses atomically what another one accessed last. Few
// accesses are like that, so every way of choosing gives them weight of their own: a turn may end
// just before such an access, just after it (what was published is then looked at before the
// publisher has gone on), or soon after.
//
// SCHEDULE_RANDOM draws all of it. How long a turn is on average is drawn once for the run, from a
// few points to thousands: some bugs want two switches close together, some a long stay elsewhere;
// in half of the runs it is drawn anew for each turn, up to that. In most runs a turn also ends
// where vCPUs meet, or, more rarely, at any atomic access, by chances drawn once; and in most of
// those the vCPU that was stopped there may be stalled for a while, so that the others get far.
// SCHEDULE_PCT gives the vCPUs random priorities and lets the highest run; at `depth` random
// meetings the one that runs becomes the lowest (Burckhardt et al., ASPLOS 2010). SCHEDULE_TURNS
// goes round; but for preemptions at `depth` random meetings a vCPU goes on until it waits. In
// both, whoever has gone on for TURN_POINTS has had its turn: it may be polling for what another
// one will do.
//
// SCHEDULE_REPLAY chooses nothing: the turns are on the tape (tape.h).
#include "hal-linux/seed/seed.h"

enum {
    GAP_POINTS_MIN_LOG = 3, // 8 points
    GAP_POINTS_LOGS = 10,   // .. 4096
    ATOMIC_LOG_MIN = 2,
    ATOMIC_LOGS = 8,
    MEET_LOGS = 6,
    NEVER_LOG = 40,
    STALL_POINTS_LOG_MIN = 4,
    STALL_POINTS_LOGS = 11,
    AFTER_POINTS_LOG = 8,
    RUN_MEETS_LOG =
        12, // how often vCPUs meet in a run, as PCT guesses: the change points fall within
    DEPTH_MAX = 64,
    TURN_POINTS = 200000,
    PLACES_LOG = 12,
    HEAT = 8,
};

#define NEVER_NS (UINT64_MAX / 2)

static struct random choices;
static enum seed_schedule schedule;
static uint32_t gap_log;
static bool is_mixed;                 // each turn has an average of its own
static uint32_t atomic_log, meet_log; // one in 2^log of these accesses ends a turn
static uint32_t stall_log;            // one in 2^log of those stalls the vCPU
static bool is_stubborn;              // whoever spins goes on spinning, as long as its turn lasts
static uint64_t priorities[HAL_CPU_MAX]; // the higher goes first
static uint64_t lowest;
static hal_ns stalled_until[HAL_CPU_MAX];
static uint64_t changes[DEPTH_MAX]; // sorted; the numbers of the meetings that force a preemption
static uint32_t change_count, change_next;
static uint64_t meet_count;

// What is known of an address, by a hash of it.
static struct place {
    uint8_t visitor; // 1 + who accessed it last
    uint8_t heat;    // so many more accesses by the same one are still a meeting
} places[1 << PLACES_LOG];

// 1 .. 2^logs, each power of two as likely as the next.
static uint64_t spread(uint32_t logs)
{
    return 1 + random_below(&choices, 2ul << random_below(&choices, logs));
}

static void changes_init(uint32_t depth)
{
    change_count = depth < DEPTH_MAX ? depth : DEPTH_MAX;
    for (uint32_t i = 0; i < change_count; ++i) {
        uint64_t at = spread(RUN_MEETS_LOG);
        uint32_t place = i;
        while (place > 0 && changes[place - 1] > at) {
            changes[place] = changes[place - 1];
            --place;
        }
        changes[place] = at;
    }
}

static void random_init(void)
{
    gap_log = GAP_POINTS_MIN_LOG + (uint32_t)random_below(&choices, GAP_POINTS_LOGS);
    is_mixed = random_below(&choices, 2) == 0;
    is_stubborn = random_below(&choices, 2) == 0;
    bool is_blind = random_below(&choices, 8) == 0;
    uint32_t log = ATOMIC_LOG_MIN + (uint32_t)random_below(&choices, ATOMIC_LOGS);
    atomic_log = is_blind ? NEVER_LOG : log;
    log = (uint32_t)random_below(&choices, MEET_LOGS);
    meet_log = is_blind ? NEVER_LOG : log;
    log = (uint32_t)random_below(&choices, 4);
    stall_log = log == 3 ? NEVER_LOG : log;
}

void choice_init(const struct seed_options *options)
{
    choices = random_stream(options->seed, 0);
    schedule = options->replay != NULL ? SCHEDULE_REPLAY : options->schedule;
    lowest = 1ul << 32;
    for (uint32_t i = 0; i < HAL_CPU_MAX; ++i) {
        priorities[i] = lowest + random_next(&choices) % lowest + 1;
    }
    if (schedule == SCHEDULE_RANDOM) {
        random_init();
    } else if (schedule == SCHEDULE_REPLAY) {
        is_stubborn = !options->replay->spins_go;
    } else {
        changes_init(options->depth);
    }
}

hal_ns choice_gap(void)
{
    if (schedule == SCHEDULE_RANDOM) {
        return (is_mixed ? spread(gap_log + 1) : 1 + random_below(&choices, 2ul << gap_log)) *
               POINT_NS;
    }
    return schedule == SCHEDULE_REPLAY ? NEVER_NS : TURN_POINTS * POINT_NS;
}

bool choice_at_spin(void)
{
    return !is_stubborn;
}

// True: another vCPU was here last, or lately.
static bool is_meeting(const volatile void *address, uint32_t running)
{
    uint64_t hash = ((uintptr_t)address >> 2) * 0x9e3779b97f4a7c15u;
    struct place *place = &places[hash >> (64 - PLACES_LOG)];
    uint8_t visitor = (uint8_t)(running + 1);
    if (place->visitor != visitor) {
        place->heat = place->visitor == 0 ? 0 : HEAT;
        place->visitor = visitor;
    }
    place->heat -= place->heat != 0;
    return place->heat != 0;
}

static bool is_drawn(uint32_t log)
{
    return random_next(&choices) >> (63 - log) >> 1 == 0;
}

static bool ends_turn(bool is_met)
{
    if (schedule == SCHEDULE_RANDOM) {
        return is_drawn(is_met ? meet_log : atomic_log);
    }
    if (!is_met || change_next == change_count || ++meet_count < changes[change_next]) {
        return false;
    }
    ++change_next;
    return true;
}

hal_ns choice_at_atomic(const volatile void *address, uint32_t running)
{
    if (schedule == SCHEDULE_REPLAY) {
        return UINT64_MAX;
    }
    bool is_met = is_meeting(address, running);
    if (!ends_turn(is_met)) {
        return UINT64_MAX;
    }
    if (schedule == SCHEDULE_RANDOM && is_drawn(stall_log)) {
        stalled_until[running] =
            point_now + (spread(STALL_POINTS_LOGS) << STALL_POINTS_LOG_MIN) * POINT_NS;
    }
    switch (random_below(&choices, 4)) {
    case 0:
        return point_now + spread(AFTER_POINTS_LOG) * POINT_NS;
    case 1:
        return point_now;
    default:
        return point_now + 2 * POINT_NS;
    }
}

static uint32_t highest(const uint32_t *able, uint32_t count)
{
    uint32_t best = able[0];
    for (uint32_t i = 1; i < count; ++i) {
        best = priorities[able[i]] > priorities[best] ? able[i] : best;
    }
    return best;
}

uint32_t choice_following(const uint32_t *able, uint32_t count, uint32_t running)
{
    uint32_t best = able[0];
    for (uint32_t i = 1; i < count; ++i) {
        bool is_behind = able[i] > running, is_best_behind = best > running;
        if (is_behind == is_best_behind ? able[i] < best : is_behind) {
            best = able[i];
        }
    }
    return best;
}

bool choice_wants_events(void)
{
    return schedule == SCHEDULE_PCT;
}

// Leaves those who are not stalled, if there are any.
static uint32_t stalled_drop(uint32_t *able, uint32_t count)
{
    uint32_t left = 0;
    for (uint32_t i = 0; i < count; ++i) {
        uint32_t cpu = able[i];
        if (stalled_until[cpu] <= point_now) {
            able[i] = able[left];
            able[left++] = cpu;
        }
    }
    return left != 0 ? left : count;
}

uint32_t choice_make(uint32_t *able, uint32_t count, uint32_t running, bool is_change)
{
    switch (schedule) {
    case SCHEDULE_PCT:
        if (is_change) {
            priorities[running] = --lowest;
        }
        return highest(able, count);
    case SCHEDULE_TURNS:
        return choice_following(able, count, running);
    default:
        return able[random_below(&choices, stalled_drop(able, count))];
    }
}
