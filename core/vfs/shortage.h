// SPDX-License-Identifier: BSD-3-Clause
// shortage.h: what people are told when memory ends.
#ifndef CORE_VFS_SHORTAGE_H
#define CORE_VFS_SHORTAGE_H

#include <stddef.h>

// Prints who has the memory, and what helps, on the console: for shrinker_report_set. wanted:
// bytes that could not be had. Thread context, holding no lock of core's.
void shortage_report(size_t wanted);

#endif
