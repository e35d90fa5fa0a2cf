// SPDX-License-Identifier: BSD-3-Clause
// mark.h: takes the place of core/lib/mark.h in what is compiled for the deterministic machine.
#ifndef HAL_LINUX_SEED_MARK_H
#define HAL_LINUX_SEED_MARK_H

#ifndef __ASSEMBLER__ // it is included before everything that is compiled

void seed_mark(const char *name);
// caller: whose access it is.
void seed_mark_access(const void *start, unsigned long size, int writes, const void *caller);
void seed_mark_allocated(const void *block, unsigned long size);
void seed_mark_freed(const void *block);
void seed_mark_made(const void *object, unsigned long size);
void seed_mark_lock(const void *lock);
void seed_mark_lock_again(const void *lock);
void seed_mark_lock_tried(const void *lock);
void seed_mark_unlock(const void *lock);

// gcc 12 forgets the attribute of a function of which anything becomes part of another.
#ifdef __clang__
#define MARK_GUESS __attribute__((disable_sanitizer_instrumentation, noinline))
#else
#define MARK_GUESS __attribute__((no_sanitize("thread"), noipa))
#endif

#define MARK(name)                  seed_mark(name)
#define MARK_READ(start, size)      seed_mark_access(start, size, 0, __builtin_return_address(0))
#define MARK_WRITE(start, size)     seed_mark_access(start, size, 1, __builtin_return_address(0))
#define MARK_ALLOCATED(block, size) seed_mark_allocated(block, size)
#define MARK_FREED(block)           seed_mark_freed(block)
#define MARK_MADE(object, size)     seed_mark_made(object, size)
#define MARK_LOCK(lock)             seed_mark_lock(lock)
#define MARK_LOCK_AGAIN(lock)       seed_mark_lock_again(lock)
#define MARK_LOCK_TRIED(lock)       seed_mark_lock_tried(lock)
#define MARK_UNLOCK(lock)           seed_mark_unlock(lock)

#endif

#endif
