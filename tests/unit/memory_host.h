// SPDX-License-Identifier: BSD-3-Clause
// memory_host.h: core/mem on a piece of the host's memory, for tests of what stands on it.
#ifndef TESTS_UNIT_MEMORY_HOST_H
#define TESTS_UNIT_MEMORY_HOST_H

#include <stdint.h>

// 128 MiB, for that many CPUs. The caller is CPU 0 (hal_cpu_self). Once in a process.
void memory_host_init(uint32_t cpu_count);

#endif
