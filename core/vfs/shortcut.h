// SPDX-License-Identifier: BSD-3-Clause
// shortcut.h: from a plain path to its vnode without locks and without references on the way.
//
// Plain means: absolute, of names that are there, in file systems that have the operation glance,
// without ".", "..", doubled or trailing slashes and links on the way. All else is for walk.h,
// which finds the same.
#ifndef CORE_VFS_SHORTCUT_H
#define CORE_VFS_SHORTCUT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct vnode;

// Odd while names or attributes of a glancing file system are being changed, and greater after each
// change. Its writers exclude each other by a lock of theirs.
extern _Atomic uint32_t shortcut_sequence;

void shortcut_change_begin(void);
void shortcut_change_end(void);

// False: something is being changed.
static inline bool shortcut_begin(uint32_t *sequence)
{
    // Acquire pairs with shortcut_change_end: who sees the number sees the change before it.
    *sequence = atomic_load_explicit(&shortcut_sequence, memory_order_acquire);
    return (*sequence & 1) == 0;
}

// Whether all that was read since shortcut_begin was so at one time.
static inline bool shortcut_holds(uint32_t sequence)
{
    // Pairs with the fence in shortcut_change_begin: who read something new sees the odd number.
    atomic_thread_fence(memory_order_acquire);
    return atomic_load_explicit(&shortcut_sequence, memory_order_relaxed) == sequence;
}

// The vnode that path names, counted. The last component may be a symbolic link unless follow says
// otherwise. False: ask walk.h.
bool shortcut_find(const char *path, bool follow, struct vnode **vnode);

// Where absolute paths begin. It stays.
void shortcut_root_set(struct vnode *root);

#endif
