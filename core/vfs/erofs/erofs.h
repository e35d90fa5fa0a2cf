// SPDX-License-Identifier: BSD-3-Clause
// erofs.h: file systems in EROFS format, in memory that came with the boot or on a disk. Read-only;
// mappings of files are the image's own pages, or those of the disk's cache.
#ifndef CORE_VFS_EROFS_EROFS_H
#define CORE_VFS_EROFS_EROFS_H

#include "core/lib/list.h"
#include "core/sync/mutex.h"
#include "core/sync/rcu_list.h"
#include "core/vfs/erofs/image.h"
#include "core/vfs/file.h"
#include "core/vfs/mount.h"
#include "core/vfs/vnode.h"
#include "hal/hal.h"

struct vm_pager;

enum { EROFS_KNOWN_BITS = 8, EROFS_KNOWN_MAX = 2048 };

struct erofs_node {
    struct vnode vnode;
    struct erofs_inode inode;
};

struct erofs_mount { // mount->state
    struct erofs_image image;
    hal_phys start; // of the image, where it is in memory
    struct mutex known_lock;
    struct rcu_list known[1 << EROFS_KNOWN_BITS]; // changed under known_lock
    uint32_t known_count;                         // known_lock
};

// Gives mount, which is read-only, the root of the image in memory at region. -EINVAL, -EIO,
// -EOPNOTSUPP as erofs_image_open, -ENOMEM. -EINVAL also where region does not start at a page.
int erofs_fill(struct mount *mount, const struct hal_region *region);

// The same for an image on a disk or a partition. -EXDEV as erofs_image_open_disk.
int erofs_fill_disk(struct mount *mount, const struct partition *part);

// pager.c.
int erofs_pager(struct file *file, struct vm_pager **pager);

// known.c. The vnode of a name that has been looked up in directory, not counted: it stays. NULL:
// it is not known here.
struct vnode *erofs_known_find(struct vnode *directory, const char *text, size_t length,
                               uint32_t hash);

// Makes a name known that was looked up just now, if there is room; *vnode, counted, is exchanged
// for another one's who was faster. -ENOMEM: the reference is gone.
int erofs_known_add(struct vnode *directory, const char *text, struct vnode **vnode);

static inline struct erofs_node *erofs_node_of(struct vnode *vnode)
{
    return container_of(vnode, struct erofs_node, vnode);
}

static inline struct erofs_mount *erofs_mount_of(const struct vnode *vnode)
{
    return vnode->mount->state;
}

#endif
