// SPDX-License-Identifier: BSD-3-Clause
// shrink.c: which preemptions a failure needs: delta debugging (Zeller, Hildebrandt, IEEE TSE 2002)
// of the recorded turns.
//
// A turn may be left out that another one made up for. So where no turn can be left out by itself
// any two are tried: a vCPU that is preempted and comes back is needed for neither, or for both.
// The end is a run of which no two can be left out, not the least of all.
//
// Invariant: `least` is the recording of a run that failed as the first one did. What is left out
// of it may move what comes later; so the turns to go on with are those that the shorter run had.
#include "sim/shrink.h"

#include <stdlib.h>
#include <string.h>

#include "sim/options.h"
#include "sim/recording.h"
#include "sim/trial.h"

enum { RUNS_MAX = 5000, PAIRS_OF_MAX = 40 };

static struct recording first, least;
static struct seed_turn *turns; // those that are tried

static size_t preemptions(const struct recording *recording)
{
    size_t count = 0;
    for (size_t i = 0; i < recording->run.turn_count; ++i) {
        count += recording_is_preemption(&recording->run.turns[i]);
    }
    return count;
}

// Makes the run with the first `count` of turns. True: it fails alike, and is the least now.
static bool try(const struct recording *of, size_t count)
{
    struct recording result;
    if (trial_is_over() || !trial_make(of, turns, count, &result)) {
        return false;
    }
    if (!trial_is_same(&first, &result) || result.run.turn_count > first.run.turn_count) {
        recording_free(&result);
        return false;
    }
    trial_keep();
    if (least.text != first.text) {
        recording_free(&least);
    }
    least = result;
    return true;
}

// Faults are not preemptions, and stay.
static size_t faults_take(const struct recording *recording)
{
    size_t count = 0;
    for (size_t i = 0; i < recording->run.turn_count; ++i) {
        if (recording->run.turns[i].kind == SEED_STAND) {
            turns[count++] = recording->run.turns[i];
        }
    }
    return count;
}

static size_t preemptions_take(const struct recording *recording)
{
    size_t count = faults_take(recording);
    for (size_t i = 0; i < recording->run.turn_count; ++i) {
        if (recording_is_preemption(&recording->run.turns[i])) {
            turns[count++] = recording->run.turns[i];
        }
    }
    return count;
}

// Much at once: nothing but the plain way; then preemptions alone, also with vCPUs that give way
// when they spin.
static void shrink_roughly(void)
{
    struct recording polite = first;
    polite.run.spins_go = true;
    if (try(&polite, faults_take(&first)) || try(&polite, preemptions_take(&first))) {
        return;
    }
    (void)try(&first, preemptions_take(&first));
}

// All but [from, from + size) and `other` of the turns of `least`; faults stay.
static size_t rest_take(size_t from, size_t size, size_t other)
{
    size_t count = 0;
    for (size_t i = 0; i < least.run.turn_count; ++i) {
        bool is_out = (i >= from && i < from + size) || i == other;
        if (!is_out || least.run.turns[i].kind == SEED_STAND) {
            turns[count++] = least.run.turns[i];
        }
    }
    return count;
}

static void shrink_finely(void)
{
    size_t size = least.run.turn_count / 2;
    while (size > 0 && !trial_is_over()) {
        bool is_less = false;
        size_t from = 0;
        while (from < least.run.turn_count && !trial_is_over()) {
            size_t before = least.run.turn_count;
            size_t count = rest_take(from, size, from);
            bool leaves_out = count < before && try(&least, count);
            is_less = is_less || leaves_out;
            from += leaves_out ? 0 : size;
        }
        size = is_less && size == 1 ? 1 : size / 2;
    }
}

// Leaves out any two turns. False: there are no such.
static bool shrink_by_two(void)
{
    const size_t all = least.run.turn_count;
    for (size_t i = 0; i < all && all <= PAIRS_OF_MAX; ++i) {
        for (size_t other = i + 1; other < all && !trial_is_over(); ++other) {
            if (rest_take(i, 1, other) == all - 2 && try(&least, all - 2)) {
                return true;
            }
        }
    }
    return false;
}

void shrink(const struct options *options, char *name)
{
    trial_begin(options, name, "--shrink", RUNS_MAX);
    if (!trial_first(&first)) {
        fputs("osv-sim: --shrink: the run could not be made, or did not end\n", stderr);
        trial_end(EXIT_USAGE);
    }
    if (!trial_is_failure(&first)) {
        fputs("osv-sim: --shrink: this run does not fail: its exit status is 0\n", stderr);
        trial_end(EXIT_USAGE);
    }
    trial_keep();
    least = first;
    turns = calloc(first.run.turn_count + 1, sizeof *turns);
    if (turns == NULL) {
        options_fail(EXIT_USAGE, "out of memory");
    }
    shrink_roughly();
    do {
        shrink_finely();
    } while (shrink_by_two());
    fprintf(stderr,
            "osv-sim: --shrink: the run (%s, status %u) needs %zu of %zu preemptions; %u runs%s\n",
            first.how, first.code, preemptions(&least), preemptions(&first), trial_count(),
            trial_is_over() ? ", and then it was given up: fewer may do" : "");
    trial_show(&least);
    trial_end(0);
}
