// SPDX-License-Identifier: BSD-3-Clause
// outputs.h: files that core writes on the host: core dumps, perf's map.
#ifndef SIM_OUTPUTS_H
#define SIM_OUTPUTS_H

#include "sim/options.h"

enum { OUTPUTS_MAX = 2 };

// Makes a device for each file that options ask for, and core's options for them, at most
// OUTPUTS_MAX. Answers how many. Ends the process where it cannot.
size_t outputs_add(const struct options *options, const char **arguments);

#endif
