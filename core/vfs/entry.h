// SPDX-License-Identifier: BSD-3-Clause
// entry.h: names as they were walked: a vnode, the name it was found by and the directory it was
// found in.
//
// A chain of entries leads to the root, so `..`, getcwd and /proc/self/fd need no search. Chains
// are made anew by each walk and are not shared, so nothing has to be kept coherent with the host.
// (A directory renamed while it is open or current keeps showing its old path.)
#ifndef CORE_VFS_ENTRY_H
#define CORE_VFS_ENTRY_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

struct vnode;

struct entry {
    _Atomic uint32_t reference_count;
    struct entry *parent; // counted; NULL: the root
    struct vnode *vnode;  // counted
    char name[];
};

// Takes over the caller's reference to vnode (also on failure) and gets one more to parent. NULL:
// no memory.
struct entry *entry_new(struct entry *parent, struct vnode *vnode, const char *name);
struct entry *entry_get(struct entry *entry); // answers entry
void entry_put(struct entry *entry);          // NULL is nothing

// The absolute path; length without the NUL. -ENAMETOOLONG: longer than size.
int entry_path(const struct entry *entry, char *path, size_t size, size_t *length);

#endif
