// SPDX-License-Identifier: BSD-3-Clause
// trial.h: runs of the seeded machine, made one after another by a process of their own each, to
// learn how they end. What the program prints is not shown. The first run reads our input, the others
// know it from that run's recording.
//
// Trials are limited in number and time, for the whole process.
#ifndef SIM_TRIAL_H
#define SIM_TRIAL_H

#include "sim/recording.h"

struct options;

// Before the first. option is named in messages. Prints what is wrong, and ends the process.
void trial_begin(const struct options *options, char *name, const char *option, unsigned runs_max);

unsigned trial_count(void);

// No more trials, since there were so many or they took so long.
bool trial_is_over(void);

// The run that the options ask for. False: it ended without a recording.
bool trial_first(struct recording *result);

// The run of `of` with these turns only. False: it ended without a recording, or took too long.
bool trial_make(const struct recording *of, const struct seed_turn *turns, size_t count,
                struct recording *result);

bool trial_is_failure(const struct recording *recording);

// Whether both ended in the same way.
bool trial_is_same(const struct recording *left, const struct recording *right);

// Keeps the file of the last trial, in place of one kept before.
void trial_keep(void);

// Prints what preempts in the one that was kept, and by which command it is made again.
void trial_show(const struct recording *recording);

// Ends the process.
__attribute__((noreturn)) void trial_end(int status);

#endif
