// SPDX-License-Identifier: BSD-3-Clause
// perfmap.h: --perf-map: tells the host's profilers which function is where.
#ifndef CORE_LINUX_PERFMAP_H
#define CORE_LINUX_PERFMAP_H

#include "hal/hal.h"

struct process_output;

// Makes the file; from now on it has every function of what is loaded. 0 or -errno.
HAL_MUST_CHECK int perfmap_start(const struct process_output *output);

#endif
