// SPDX-License-Identifier: BSD-3-Clause
// nodes.h: a machine that says it has several nodes, where the host's may be one: for programs that
// ask, and for core's tests.
#ifndef HAL_LINUX_NODES_H
#define HAL_LINUX_NODES_H

#include "hal/hal.h"

// Memory and CPUs in count equal parts, in their order. NULL: count is 1.
const struct hal_nodes *nodes_divide(uint32_t count, size_t memory_size, uint32_t cpu_count);

#endif
