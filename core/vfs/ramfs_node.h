// SPDX-License-Identifier: BSD-3-Clause
// ramfs_node.h: what ramfs.c (names) and ramfs_data.c (contents) share.
#ifndef CORE_VFS_RAMFS_NODE_H
#define CORE_VFS_RAMFS_NODE_H

#include "core/lib/list.h"
#include "core/lib/tree.h"
#include "core/sync/mutex.h"
#include "core/vfs/vnode.h"

struct pipe;
struct ramfs_name; // an entry of a directory

struct ramfs_node {
    struct vnode vnode; // a directory's entry counts as a reference
    struct mutex lock;  // guards data and pages of a file, for who changes them
    // Odd while size or times of a file are changed under lock: ramfs_status takes no lock.
    _Atomic uint32_t sequence;
    // Guarded by the tree lock of ramfs.c (one for all: names change rarely and briefly). What
    // ramfs_glance and ramfs_status read without it changes between shortcut_change_begin and _end:
    uint32_t mode, uid, gid;
    uint32_t link_count;
    uint64_t device; // of device nodes
    struct file_time accessed, modified, changed;
    struct ramfs_node
        *parent; // of a directory, not counted: a parent lives while it has children. NULL: removed
    struct tree names;           // of a directory, oldest first
    struct ramfs_name **buckets; // of a directory
    size_t bucket_count, name_count;
    uint64_t position_next;
    char *text; // of a symbolic link
    // Guarded by lock:
    struct pipe *pipe; // of a FIFO that is open
    uint64_t size;
    char **pages;                 // NULL pages are holes
    size_t page_count;            // length of pages
    _Atomic uint32_t layout;      // odd while pages go, or the array moves: reads take no lock
    _Atomic size_t present_count; // of pages that are not NULL
};

// ramfs_data.c. Give back the pages of a file that nobody uses any more.
void ramfs_data_free(struct ramfs_node *node);
int ramfs_data_truncate(struct ramfs_node *node, uint64_t size);
int ramfs_data_open(struct ramfs_node *node, struct file *file);

#endif
