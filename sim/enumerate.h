// SPDX-License-Identifier: BSD-3-Clause
// enumerate.h: osv-sim --schedule enumerate:K[,RUNS].
#ifndef SIM_ENUMERATE_H
#define SIM_ENUMERATE_H

struct options;

// Makes the runs with none, one .. K preemptions where vCPUs meet until one fails, says which, and
// ends the process: 0, or 1 where one failed. name is what the person calls this program.
__attribute__((noreturn)) void enumerate(const struct options *options, char *name);

#endif
