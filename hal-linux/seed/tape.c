// SPDX-License-Identifier: BSD-3-Clause
// tape.c: which turns there were, and whether a run that is made again is the same.
//
// Both sides count alike: the limit of a turn is looked at in the same places when a run is
// recorded and when it is replayed, so that what goes the plain way in the one does in the other.
#include "hal-linux/seed/tape.h"

enum { CHECK_POINTS = 1024 };

bool tape_is_on, tape_replays;

// Of a vCPU: how many points it will have passed when its turn is at an end, and the turns of the
// recording that are still to come, by kind.
static struct tape_cpu {
    uint64_t limit;
    const struct seed_turn *next[SEED_TURN_KINDS], *end[SEED_TURN_KINDS];
} tape_cpus[HAL_CPU_MAX];

static const struct seed_recording *recording;
static const struct seed_check *check_next, *check_end; // of the recording
static uint64_t check_at;                               // when the next one is written
static uint64_t agreed_until;                           // so far the run is the recorded one
static uint64_t departed_at;                            // here it is not; 0: it is

static void replay_init(void)
{
    const struct seed_turn *turn = recording->turns, *end = turn + recording->turn_count;
    while (turn < end) {
        struct tape_cpu *cpu = &tape_cpus[turn->cpu];
        const uint32_t index = turn->cpu;
        const enum seed_turn_kind kind = turn->kind;
        cpu->next[kind] = turn;
        while (turn < end && turn->cpu == index && turn->kind == kind) {
            ++turn;
        }
        cpu->end[kind] = turn;
    }
    check_next = recording->checks;
    check_end = check_next + recording->check_count;
}

void tape_init(const struct seed_options *wanted)
{
    recording = wanted->replay;
    tape_replays = recording != NULL;
    tape_is_on = tape_replays || wanted->record != NULL;
    check_at = CHECK_POINTS;
    for (uint32_t i = 0; i < HAL_CPU_MAX; ++i) {
        tape_cpus[i].limit = TAPE_TURN_POINTS;
    }
    if (tape_replays) {
        replay_init();
    }
}

bool tape_is_departed(uint64_t *from, uint64_t *to)
{
    if (!tape_replays) {
        return false;
    }
    const struct seed_check *end = &recording->end;
    bool is_whole = end->point == 0 || (end->point == point_count && end->hash == point_hash);
    *from = agreed_until;
    *to = departed_at != 0 ? departed_at : point_count;
    return departed_at != 0 || !is_whole;
}

// ---- Where the tape has something to do ------------------------------------------------

static void earlier(uint64_t *count, uint64_t other)
{
    *count = other < *count ? other : *count;
}

// The next one of that kind, which is not behind the vCPU; or NULL.
static const struct seed_turn *turn_next(struct tape_cpu *cpu, enum seed_turn_kind kind,
                                         uint64_t point)
{
    while (cpu->next[kind] < cpu->end[kind] && cpu->next[kind]->point < point) {
        ++cpu->next[kind];
    }
    return cpu->next[kind] < cpu->end[kind] ? cpu->next[kind] : NULL;
}

// The one of that kind when the vCPU has passed just so many points; or NULL.
static const struct seed_turn *turn_at(struct tape_cpu *cpu, enum seed_turn_kind kind,
                                       uint64_t point)
{
    const struct seed_turn *turn = turn_next(cpu, kind, point);
    return turn != NULL && turn->point == point ? turn : NULL;
}

// At least POINT_NS pass from point to point: it is never too late, and tape_look may be too early.
hal_ns tape_next(void)
{
    const uint64_t point = turn_points();
    struct tape_cpu *cpu = &tape_cpus[vcpu_self()->index];
    const struct seed_turn *turn = turn_next(cpu, SEED_TURN, point + 1);
    const struct seed_turn *stand = turn_next(cpu, SEED_STAND, point + 1);
    uint64_t count = cpu->limit > point ? cpu->limit - point : 1;
    earlier(&count, turn != NULL ? turn->point - point : UINT64_MAX);
    earlier(&count, stand != NULL ? stand->point - point : UINT64_MAX);
    if (check_next < check_end) {
        earlier(&count, check_next->point - point_count);
    }
    if (record_is_on) {
        earlier(&count, check_at - point_count);
    }
    return point_now + count * POINT_NS;
}

void tape_check(void)
{
    if (check_next < check_end && check_next->point == point_count) {
        if (check_next->hash != point_hash) {
            departed_at = point_count;
            check_next = check_end;
        } else {
            agreed_until = point_count;
            ++check_next;
        }
    }
    if (record_is_on && check_at == point_count) {
        record_check(point_count, point_hash);
        check_at += CHECK_POINTS;
    }
}

// Of a replay: whether a turn may end here.
static bool replay_look(struct tape_cpu *cpu, uint64_t point, hal_ns *stall)
{
    const struct seed_turn *stand = turn_at(cpu, SEED_STAND, point);
    if (stand != NULL) {
        *stall = stand->to;
        inject_stall_note();
    }
    return stand != NULL || cpu->limit == point || turn_at(cpu, SEED_TURN, point) != NULL;
}

bool tape_look(bool chooses, hal_ns *stall)
{
    const uint64_t point = turn_points();
    const uint32_t index = vcpu_self()->index;
    struct tape_cpu *cpu = &tape_cpus[index];
    bool ends = tape_replays && replay_look(cpu, point, stall);
    if (*stall != 0) {
        record_turn(SEED_STAND, index, point, (uint32_t)*stall, NULL);
    }
    if (!tape_replays && cpu->limit == point && !chooses) {
        record_turn(SEED_TURN, index, point, index, NULL);
        cpu->limit += TAPE_TURN_POINTS;
    }
    return ends;
}

// ---- Choices -----------------------------------------------------------------------

static bool is_among(const uint32_t *able, uint32_t count, uint32_t index)
{
    for (uint32_t i = 0; i < count; ++i) {
        if (able[i] == index) {
            return true;
        }
    }
    return false;
}

static uint32_t plain(const uint32_t *able, uint32_t count, uint32_t running,
                      enum turn_reason reason)
{
    bool goes_on = reason == TURN_POINT && tape_cpus[running].limit != turn_points();
    return goes_on ? running : choice_following(able, count, running);
}

uint32_t tape_choose(const uint32_t *able, uint32_t count, uint32_t running,
                     enum turn_reason reason)
{
    const uint64_t point = turn_points();
    const enum seed_turn_kind kind = reason == TURN_WAIT ? SEED_WAIT : SEED_TURN;
    const struct seed_turn *turn = turn_at(&tape_cpus[running], kind, point);
    bool is_named = turn != NULL && is_among(able, count, turn->to);
    return is_named ? turn->to : plain(able, count, running, reason);
}

void tape_note(const uint32_t *able, uint32_t count, uint32_t running, enum turn_reason reason,
               uint32_t chosen, const void *place)
{
    const uint64_t point = turn_points();
    if (record_is_on && chosen != plain(able, count, running, reason)) {
        record_turn(reason == TURN_WAIT ? SEED_WAIT : SEED_TURN, running, point, chosen, place);
    }
    if (tape_cpus[running].limit == point) {
        tape_cpus[running].limit += TAPE_TURN_POINTS;
    }
}

void tape_turn_begin(uint32_t index)
{
    tape_cpus[index].limit = turn_cpus[index].points + TAPE_TURN_POINTS;
}
