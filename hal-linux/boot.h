// SPDX-License-Identifier: BSD-3-Clause
// boot.h: starts the machine. Hosted.
#ifndef HAL_LINUX_BOOT_H
#define HAL_LINUX_BOOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct seed_options; // machine.h

struct boot_options {
    uint32_t cpu_count;
    size_t memory_size;
    uint32_t node_count;     // that it says it has
    const char *const *args; // for core: hal_boot.args
    const char *const *env;
    const struct seed_options *seed; // for the seeded machine
    bool verbose;                    // says on standard error what this host lacks
    bool is_profiled;                // perf shall find the program's functions by a map
};

// CPUs that this process may use.
uint32_t boot_host_cpus(void);

// Runs the machine with the devices added so far until it halts. The answer is the exit status of
// the process.
int boot_run(const struct boot_options *options);

#endif
