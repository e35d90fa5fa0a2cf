// SPDX-License-Identifier: BSD-3-Clause
// shrink.h: osv-sim --shrink.
#ifndef SIM_SHRINK_H
#define SIM_SHRINK_H

struct options;

// Finds the fewest preemptions with which the run still fails in the same way, prints them, and
// ends the process: 0; or 2 where the run does not fail. name is what the person calls this
// program.
__attribute__((noreturn)) void shrink(const struct options *options, char *name);

#endif
