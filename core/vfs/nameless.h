// SPDX-License-Identifier: BSD-3-Clause
// nameless.h: what stat(2) says, and chmod(2) and its kin change, of files that no directory leads
// to: pipes and sockets, each of which has a struct nameless (file_ops.nameless); and what it says
// of event counters, timers and the like, which share one (Linux's anonymous inode).
#ifndef CORE_VFS_NAMELESS_H
#define CORE_VFS_NAMELESS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/vfs/file.h"
#include "hal/hal.h"

struct vnode_change;

struct nameless {
    uint64_t inode;       // no two have the same
    _Atomic uint32_t uid; // the file-system ids of who made it, at first
    _Atomic bool is_taken; // false: a file is yet to lead to it
    // nameless.c's, under its lock
    uint32_t gid;
    uint32_t mode; // with its type
    struct file_time accessed, modified, changed;
};

// A new one of mode, MODE_FIFO or MODE_SOCKET with permissions, which nobody else knows yet.
void nameless_init(struct nameless *nameless, uint32_t mode);

// It waits for nameless_take; nobody else knows it yet.
void nameless_leave(struct nameless *nameless);

// It is the caller's: a connection that was made for another is accepted. No file leads to it yet.
void nameless_take(struct nameless *nameless);

void nameless_status(const struct nameless *nameless, struct file_status *status);

// -EPERM: the process may not.
HAL_MUST_CHECK int nameless_change(struct nameless *nameless, const struct vnode_change *change);

// file_ops.status of those that share one.
int nameless_shared_status(struct file *file, struct file_status *status);

#endif
