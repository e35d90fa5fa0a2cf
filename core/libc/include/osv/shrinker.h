// SPDX-License-Identifier: BSD-3-Clause
// shrinker.h: how a program keeps memory only as long as nobody else needs it.
//
// For programs: <osv/shrinker.h> by -I core/libc/include; C++ includes it within extern "C". The
// functions are weak, so that a program that uses them also starts on Linux, where they are NULL;
// tests/system/pressure/shrinking.c is an example.
#ifndef CORE_LIBC_INCLUDE_OSV_SHRINKER_H
#define CORE_LIBC_INCLUDE_OSV_SHRINKER_H

#include <stdbool.h>
#include <stddef.h>

struct osv_shrinker;

// shrink(wanted, may_wait, argument) is called when memory gets scarce. It gives back about wanted
// bytes of what the program can do without (free of blocks of all sizes, munmap, MADV_DONTNEED) and
// answers how many it gave; 0: it has nothing. name is for people; the first 31 bytes count.
//
// It runs on a thread of its own, in which all signals are blocked, one at a time with all the
// program's others. It may allocate, which may fail. may_wait false: a thread of the program is
// within malloc or mmap, which wait for the answer, and may hold any lock of the program's. Then
// take a lock by trying only, and answer 0 where somebody has it.
//
// NULL: errno is EINVAL (no shrink) or ENOMEM.
__attribute__((weak)) struct osv_shrinker *
osv_register_shrinker(const char *name,
                      size_t (*shrink)(size_t wanted, bool may_wait, void *argument),
                      void *argument);

// Returns when shrink does not run and will not run again; from within that shrink, too, which then
// is not called again. NULL is nothing.
__attribute__((weak)) void osv_unregister_shrinker(struct osv_shrinker *shrinker);

#endif
