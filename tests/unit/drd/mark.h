// SPDX-License-Identifier: BSD-3-Clause
// mark.h: takes the place of core/lib/mark.h where Valgrind's DRD watches (--config=drd) or its
// Helgrind (--config=helgrind).
#ifndef TESTS_UNIT_DRD_MARK_H
#define TESTS_UNIT_DRD_MARK_H

#define MARK(name) ((void)0)
#define MARK_READ(start, size) ((void)0)
#define MARK_WRITE(start, size) ((void)0)
#define MARK_ALLOCATED(block, size) ((void)0)
#define MARK_FREED(block) ((void)0)
#define MARK_LOCK(lock) ((void)0)
#define MARK_LOCK_AGAIN(lock) ((void)0)
#define MARK_LOCK_TRIED(lock) ((void)0)
#define MARK_UNLOCK(lock) ((void)0)

// DRD sees each access whether the compiler calls for it or not. So a guess is compiled as
// everything else is, for access.c to know its atomic operations.
#define MARK_GUESS

#endif
