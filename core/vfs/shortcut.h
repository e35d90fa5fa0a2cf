// SPDX-License-Identifier: BSD-3-Clause
// shortcut.h: from a plain path to its vnode without locks and without references on the way.
//
// Plain means: absolute, of names that are there, in file systems that have the operation glance,
// without ".", "..", doubled or trailing slashes and links on the way. All else is for walk.h,
// which finds the same.
#ifndef CORE_VFS_SHORTCUT_H
#define CORE_VFS_SHORTCUT_H

#include <stddef.h>

#include "core/lib/sequence.h"

struct vnode;

// Around all changes of names or attributes of a glancing file system. Its writers exclude each
// other by a lock of theirs.
extern struct sequence shortcut_sequence;

static inline void shortcut_change_begin(void)
{
    sequence_change_begin(&shortcut_sequence);
}

static inline void shortcut_change_end(void)
{
    sequence_change_end(&shortcut_sequence);
}

// False: something is being changed.
static inline bool shortcut_begin(uint32_t *sequence)
{
    return sequence_begin(&shortcut_sequence, sequence);
}

// Whether all that was read since shortcut_begin was so at one time.
static inline bool shortcut_holds(uint32_t sequence)
{
    return sequence_holds(&shortcut_sequence, sequence);
}

// The vnode that path names, counted, and path's length. The last component may be a symbolic link unless follow says
// otherwise. False: ask walk.h.
bool shortcut_find(const char *path, bool follow, struct vnode **vnode, size_t *length);

// The vnode, counted, that the last component of a plain path is to be looked up in, and that
// component, in path. It may be anything, and need not let the process search it. False: ask
// walk.h.
bool shortcut_parent(const char *path, struct vnode **directory, const char **name);

// Where absolute paths begin. It stays.
void shortcut_root_set(struct vnode *root);

#endif
