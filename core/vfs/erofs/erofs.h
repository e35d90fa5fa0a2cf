// SPDX-License-Identifier: BSD-3-Clause
// erofs.h: file systems in EROFS format in memory that came with the boot. Read-only; mappings of
// files are the image's own pages.
#ifndef CORE_VFS_EROFS_EROFS_H
#define CORE_VFS_EROFS_EROFS_H

#include "core/vfs/erofs/image.h"
#include "core/vfs/file.h"
#include "core/vfs/vnode.h"
#include "hal/hal.h"

struct vm_pager;

struct erofs_node {
    struct vnode vnode;
    struct erofs_inode inode;
};

struct erofs_mount { // mount->state
    struct erofs_image image;
    hal_phys start; // of the image
};

// Gives mount, which is read-only, the root of the image in memory at region. -EINVAL, -EIO,
// -EOPNOTSUPP as erofs_image_open, -ENOMEM. -EINVAL also where region does not start at a page.
int erofs_fill(struct mount *mount, const struct hal_region *region);

// pager.c.
int erofs_pager(struct file *file, struct vm_pager **pager);

struct erofs_node *erofs_node_of(struct vnode *vnode);
struct erofs_mount *erofs_mount_of(const struct vnode *vnode);

#endif
