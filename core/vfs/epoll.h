// SPDX-License-Identifier: BSD-3-Clause
// epoll.h: a set of files that stays entered in their lists of waiters, as epoll(7) has it.
//
// Thread context, may block. Events are Linux's EPOLL* bits; those below POLL_READ_HANG_UP's are
// poll_events.
#ifndef CORE_VFS_EPOLL_H
#define CORE_VFS_EPOLL_H

#include "core/vfs/file.h"
#include "hal/hal.h"

enum { EPOLL_ADD = 1, EPOLL_REMOVE = 2, EPOLL_CHANGE = 3 };

int epoll_make(struct file **file);

// Enters, removes or changes file under the number fd. -EEXIST, -ENOENT; -EPERM: file cannot be
// waited for; -ELOOP: it would wait for itself, or too deep; -EINVAL: epoll is none, or file is it.
HAL_MUST_CHECK int epoll_control(struct file *epoll, int operation, struct file *file, int fd,
                                 uint32_t events, uint64_t data);

// Waits for events and gives at most max to emit, which answers 0 or -errno. Answers how many, 0
// after the deadline, -EINTR, or what emit answered for the first; -EINVAL: epoll is none.
int epoll_collect(struct file *epoll, int max, hal_ns deadline,
                  int (*emit)(uint32_t events, uint64_t data, void *argument), void *argument);

// Called by file_put for a file that goes and is in some epoll's set.
void epoll_forget(struct file *file);

#endif
