// SPDX-License-Identifier: BSD-3-Clause
// lock.h: advisory locks on files, as fcntl(2) and flock(2) have them.
//
// Three kinds, by who owns them: ranges of the process (all threads are one owner), ranges of an
// open file, and whole files of an open file (flock). The first two exclude each other, the third
// only its own kind. Locks are known by the file's device and inode: all its names and open files
// share them. Thread context, may block.
#ifndef CORE_VFS_LOCK_H
#define CORE_VFS_LOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "hal/hal.h"

struct file;

enum lock_kind { LOCK_OF_PROCESS, LOCK_OF_FILE, LOCK_WHOLE };
enum lock_type { LOCK_NONE, LOCK_READ, LOCK_WRITE };

#define LOCK_LAST INT64_MAX

struct lock {
    enum lock_kind kind;
    enum lock_type type;
    int64_t start, last; // last is in it; 0 .. LOCK_LAST for LOCK_WHOLE
};

// Makes lock the owner's in place of what it has there; LOCK_NONE gives that up. A range is split
// and joined as needed. -EAGAIN: another owner's is in the way. waits: until it is not; -EINTR: a
// signal came. -ENOLCK: no memory. Where a whole file's lock fails, the one it was to replace is
// gone, as on Linux.
HAL_MUST_CHECK int lock_set(struct file *file, const struct lock *lock, bool waits);

// What is in the way of lock, in lock itself; LOCK_NONE: nothing, and the rest is as before.
HAL_MUST_CHECK int lock_find(struct file *file, struct lock *lock);

// A descriptor of file is closed: the process loses its ranges of it.
void lock_drop_process(struct file *file);

// The open file ends, and its locks with it. For files with has_locks.
void lock_drop_file(struct file *file);

#endif
