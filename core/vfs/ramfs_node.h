// SPDX-License-Identifier: BSD-3-Clause
// ramfs_node.h: what ramfs.c (names) and ramfs_data.c (contents) share.
#ifndef CORE_VFS_RAMFS_NODE_H
#define CORE_VFS_RAMFS_NODE_H

#include "core/lib/list.h"
#include "core/lib/sequence.h"
#include "core/lib/tree.h"
#include "core/sync/mutex.h"
#include "core/vfs/vnode.h"

struct hugefile;
struct pipe;
struct ramfs_name; // an entry of a directory

struct ramfs_node {
    struct vnode vnode; // a directory's entry counts as a reference
    struct mutex lock;  // of a file: one write or truncation at a time
    // Around changes of size and times of a file under lock: ramfs_status takes no lock.
    struct sequence sequence;
    // Guarded by the tree lock of ramfs.c (one for all: names change rarely and briefly). What
    // ramfs_glance and ramfs_status read without it changes between shortcut_change_begin and _end:
    uint32_t mode, uid, gid;
    uint32_t link_count;
    bool may_link;   // without a name as yet, and may get one
    uint64_t device; // of device nodes
    struct ramfs_node
        *parent; // of a directory, not counted: a parent lives while it has children. NULL: removed
    struct tree names;           // of a directory, oldest first
    struct ramfs_name **buckets; // of a directory
    size_t bucket_count, name_count;
    uint64_t position_next;
    char *text; // of a symbolic link
    // Guarded by lock:
    struct pipe *pipe;    // of a FIFO that is open
    uint32_t seals;       // memfile.c's, with SEALS_KNOWN; 0: a file that has none
    uint32_t claim_count; // of pagers that are for writing
    // Guarded by lock; also read without:
    uint64_t size;
    // Changed under pages_lock and one of the two that keep readers away: the tree lock, for a
    // change of attributes or names, or lock, for a change of contents.
    struct file_time accessed, modified, changed;
    // ramfs_pages.c's. Pages come under pages_lock; they go under both locks, and where the file is
    // mapped under the mutex of the address space as well.
    struct mutex pages_lock;
    uintptr_t pages;              // the tree's root
    struct sequence layout;       // around that: reads take no lock
    _Atomic size_t present_count; // of pages
    uint32_t mapping_count;       // pagers: while there are none, no page is mapped
    struct hugefile *huge;        // hugefile.c's: the file has large pages. NULL: it has not
};

// The largest file, far beyond memory.
#define RAMFS_SIZE_MAX (UINT64_C(1) << 40)

// ramfs_data.c. Give back the pages of a file that nobody uses any more.
void ramfs_data_free(struct ramfs_node *node);
// With lock held: the contents have changed, and this is their size; frees the pages [first, end),
// which no mapping has then; end UINT64_MAX: all that follow, for the file ends there.
void ramfs_data_changed(struct ramfs_node *node, uint64_t size);
int ramfs_data_cut(struct ramfs_node *node, uint64_t first, uint64_t end);
int ramfs_data_truncate(struct ramfs_node *node, uint64_t size);
int ramfs_data_open(struct ramfs_node *node, struct file *file);

// memfile.c. What seals say, under lock: to any change of contents, to a write of size bytes, which
// may become shorter, and to a new size. 0 or -EPERM.
int ramfs_seals_allow_change(const struct ramfs_node *node);
int ramfs_seals_allow_write(const struct ramfs_node *node, uint64_t offset, size_t *size);
int ramfs_seals_allow_size(const struct ramfs_node *node, uint64_t size);

// ramfs_hole.c, of struct file_ops.
int ramfs_hole_find(struct file *file, uint64_t offset, enum seek_from what, uint64_t *result);
int ramfs_hole_allocate(struct file *file, unsigned how, uint64_t offset, uint64_t size);

// hugefile.c: of files with huge, under pages_lock: ramfs_pages_make and ramfs_pages_cut for whole
// large pages; and what is left when the file goes.
size_t ramfs_huge_make(struct ramfs_node *node, uint64_t index);
void ramfs_huge_cut(struct ramfs_node *node, uint64_t first, uint64_t end);
void ramfs_huge_free(struct ramfs_node *node);

// ramfs_pager.c: the file's own frames for mappings.
int ramfs_pager(struct file *file, struct vm_pager **pager);
// A mapping is being written to. Waits for nobody who copies.
void ramfs_data_written(struct ramfs_node *node);

#endif
