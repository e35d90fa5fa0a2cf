// SPDX-License-Identifier: BSD-3-Clause
// ramfs.h: a file system in memory.
#ifndef CORE_VFS_RAMFS_H
#define CORE_VFS_RAMFS_H

#include "core/vfs/vnode.h"

struct mount;
struct vnode;

// Gives mount an empty root directory with these mode bits. -ENOMEM.
int ramfs_fill(struct mount *mount, uint32_t mode);

// A regular file without a name; may_link: it may get one.
int ramfs_unnamed_make(struct mount *mount, uint32_t mode, bool may_link, struct vnode **vnode);

#endif
