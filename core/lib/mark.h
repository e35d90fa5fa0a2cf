// SPDX-License-Identifier: BSD-3-Clause
// mark.h: what core tells a machine that watches it. Here it is nothing; what is compiled for such a
// machine finds another mark.h first.
#ifndef CORE_LIB_MARK_H
#define CORE_LIB_MARK_H

// A branch that only a rare interleaving reaches. Tests of tests/seed fail where one was not.
#define MARK(name) ((void)0)

// Accesses that the compiler does not show: the caller is about to read, or write, size bytes.
#define MARK_READ(start, size)  ((void)0)
#define MARK_WRITE(start, size) ((void)0)

// A function that reads what may be somebody else's by then, and knows it: what it reads is thrown away,
// or only guides a guess.
#define MARK_GUESS __attribute__((no_sanitize("thread")))

// A block is handed out, which is the last that its giver does with it; and it is given back. What was
// done before it was handed out comes before its return, whatever way it took meanwhile, and two
// accesses to it on both sides of its being handed out are no race.
#define MARK_ALLOCATED(block, size) ((void)0)
#define MARK_FREED(block)           ((void)0)

// The caller is about to wait for a lock; or for one that it has had, and slept meanwhile; or has got it without
// waiting; or gives it back. Where the first is said tells which lock it is, so it is said inline.
#define MARK_LOCK(lock)       ((void)0)
#define MARK_LOCK_AGAIN(lock) ((void)0)
#define MARK_LOCK_TRIED(lock) ((void)0)
#define MARK_UNLOCK(lock)     ((void)0)

// An object that has been made for the application, which shows it to other threads in ways of its own that
// need not be seen: its making is no side of a race.
#define MARK_MADE(object, size) ((void)0)

#endif
