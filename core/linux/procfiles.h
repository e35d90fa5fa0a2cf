// SPDX-License-Identifier: BSD-3-Clause
// procfiles.h: what /proc says of the process and the processors.
#ifndef CORE_LINUX_PROCFILES_H
#define CORE_LINUX_PROCFILES_H

#include <stddef.h>

// Registers the files with core/vfs. After process_init and vfs_init. -ENOMEM.
int procfiles_add(void);

// /proc/cpuinfo, as the ISA has it (cpuinfo_*.c).
size_t cpuinfo_make(char *text, size_t size, void *argument);

// /proc/self/limits (limits.c).
size_t limits_make(char *text, size_t size, void *argument);

// /proc/self/numa_maps (nodemaps.c).
size_t nodemaps_make(char *text, size_t size, void *argument);

// /proc/sysvipc/shm (segment.c).
size_t segments_make(char *text, size_t size, void *argument);

#endif
