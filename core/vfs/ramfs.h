// SPDX-License-Identifier: BSD-3-Clause
// ramfs.h: a file system in memory.
#ifndef CORE_VFS_RAMFS_H
#define CORE_VFS_RAMFS_H

#include "core/vfs/vnode.h"

struct mount;

// Gives mount an empty root directory with these mode bits. -ENOMEM.
int ramfs_fill(struct mount *mount, uint32_t mode);

#endif
