// SPDX-License-Identifier: BSD-3-Clause
// enumerate.c: all schedules with few preemptions, the fewest first (Musuvathi, Qadeer, PLDI 2007).
//
// A run goes the plain way but for its preemptions. It says where vCPUs met in it; each such place
// behind the last preemption is where the next one may be. So the runs are the nodes of a tree, of
// which each depth is searched in turn.
#include "sim/enumerate.h"

#include <string.h>

#include "sim/options.h"
#include "sim/recording.h"
#include "sim/trial.h"

enum { STATUS_FAILED = 1 };

static const struct options *options;
static struct seed_turn turns[ENUMERATE_DEPTH_MAX];
static unsigned endless; // runs that left no recording

static __attribute__((noreturn)) void found(const struct recording *recording)
{
    trial_keep();
    fprintf(stderr, "osv-sim: --schedule: run %u fails (%s, status %u)\n", trial_count(),
            recording->how, recording->code);
    trial_show(recording);
    trial_end(STATUS_FAILED);
}

static void search(const struct recording *base, uint32_t count, uint32_t depth);

// The run with count turns; and those that follow from it.
static void visit(const struct recording *base, uint32_t count, uint32_t depth)
{
    struct recording result;
    if (!trial_make(base, turns, count, &result)) {
        ++endless;
        return;
    }
    if (trial_is_failure(&result)) {
        found(&result);
    }
    if (count < depth && result.run.turn_count == count) {
        search(&result, count, depth);
    }
    recording_free(&result);
}

static void search(const struct recording *base, uint32_t count, uint32_t depth)
{
    for (size_t i = 0; i < base->meeting_count; ++i) {
        const struct seed_turn *meeting = &base->meetings[i];
        for (uint32_t to = 0; to < options->cpu_count && meeting->order >= count; ++to) {
            if (trial_is_over()) {
                return;
            }
            if (to != meeting->cpu) {
                turns[count] = *meeting;
                turns[count].to = to;
                visit(base, count + 1, depth);
            }
        }
    }
}

void enumerate(const struct options *given, char *name)
{
    struct recording plain;
    options = given;
    trial_begin(options, name, "--schedule", options->enumerated_runs);
    if (!trial_first(&plain)) {
        fputs("osv-sim: --schedule: the run could not be made, or did not end\n", stderr);
        trial_end(EXIT_USAGE);
    }
    if (trial_is_failure(&plain)) {
        found(&plain);
    }
    for (uint32_t depth = 1; depth <= options->enumerated_depth; ++depth) {
        search(&plain, 0, depth);
    }
    fprintf(stderr, "osv-sim: --schedule: none of %u runs fails%s\n", trial_count(),
            trial_is_over() ? "; there are more: it was given up" : "");
    if (endless > 0) {
        fprintf(stderr, "osv-sim: --schedule: %u of them did not end in time\n", endless);
    }
    trial_end(0);
}
