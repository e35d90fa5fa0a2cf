// SPDX-License-Identifier: BSD-3-Clause
// vnode.h: what a name leads to: a file, directory, link or device of some file system.
//
// A file system embeds struct vnode in its own node. Vnodes are counted; who looks one up gets a
// reference.
#ifndef CORE_VFS_VNODE_H
#define CORE_VFS_VNODE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/vfs/file.h"

struct entry;
struct file_system_status;
struct mount;
struct vnode;

enum { NAME_LENGTH_MAX = 255, PATH_SIZE_MAX = 4096 };

struct vnode_new {    // what create makes
    uint32_t mode;    // with its type
    uint64_t device;  // of a character or block device
    const char *text; // of a symbolic link
};

enum vnode_change_what {
    CHANGE_MODE = 1,
    CHANGE_UID = 2,
    CHANGE_GID = 4,
    CHANGE_SIZE = 8,
    CHANGE_ACCESSED = 16,
    CHANGE_MODIFIED = 32,
    CHANGE_ACCESSED_NOW = 64,
    CHANGE_MODIFIED_NOW = 128,
};

struct vnode_change {
    unsigned what;
    uint32_t mode, uid, gid;
    uint64_t size;
    struct file_time accessed, modified;
};

// Where a link of procfs leads, which is no path: one of the two, counted.
struct vnode_jump {
    struct entry *entry;
    struct file *file;
};

// Names are single components of 1 .. NAME_LENGTH_MAX bytes, never "." or "..". NULL: not
// supported.
struct vnode_ops {
    int (*lookup)(struct vnode *directory, const char *name, struct vnode **child);
    // The same without locks and without a reference, for a directory that may be gone
    // (shortcut.h). hash is name.h's. NULL, as an operation or an answer: ask lookup.
    struct vnode *(*glance)(struct vnode *directory, const char *name, size_t length, uint32_t hash,
                            uint32_t sequence);
    int (*create)(struct vnode *directory, const char *name, const struct vnode_new *new,
                  struct vnode **child);
    // Creates a regular file and opens it in one step, if no such name is there; NULL: create and
    // open do as well.
    int (*create_open)(struct vnode *directory, const char *name, uint32_t mode, struct file *file,
                       struct vnode **child);
    // The same without a name; link may give it one unless the file was opened OPEN_EXCLUSIVE.
    // NULL: not supported.
    int (*temporary)(struct vnode *directory, uint32_t mode, struct file *file,
                     struct vnode **child);
    int (*link)(struct vnode *directory, const char *name, struct vnode *target);
    int (*remove)(struct vnode *directory, const char *name, bool is_directory);
    int (*rename)(struct vnode *from, const char *name, struct vnode *to, const char *to_name,
                  unsigned flags);
    int (*read_link)(struct vnode *vnode, char *text, size_t size,
                     size_t *length); // at most size, no NUL
    int (*jump)(struct vnode *vnode, struct vnode_jump *target);
    int (*open)(struct vnode *vnode,
                struct file *file); // sets file->ops, state and is_stream; flags are there
    int (*status)(struct vnode *vnode, struct file_status *status);
    int (*change)(struct vnode *vnode, const struct vnode_change *change);
    int (*access)(struct vnode *vnode, unsigned mode); // NULL: by mode and owner
    int (*space)(struct vnode *vnode, struct file_system_status *status);
    int (*sync)(struct vnode *vnode);     // its whole file system; NULL: there is nothing to do
    void (*release)(struct vnode *vnode); // the last reference is gone
};

struct vnode {
    const struct vnode_ops *ops;
    struct mount *mount;
    _Atomic uint32_t reference_count;
    uint32_t type; // of enum mode_type
    uint64_t inode;
    _Atomic(struct mount *) upon; // what is mounted upon it, as far as this vnode knows
    bool is_fresh; // lookup has just brought the attributes along: status may use them. Cleared by
                   // whoever keeps the vnode
};

// Ready with one reference, as the last act: one that is type-stable may be found from then on.
void vnode_init(struct vnode *vnode, const struct vnode_ops *ops, struct mount *mount,
                uint32_t type, uint64_t inode);
void vnode_get(struct vnode *vnode);
bool vnode_get_unless_free(struct vnode *vnode); // for one that is type-stable. False: it is free
void vnode_put(struct vnode *vnode);             // NULL is nothing

// The vnode is kept: its attributes are not those of a moment ago any more. One that others may
// have too is not fresh, and is not written to.
static inline void vnode_age(struct vnode *vnode)
{
    if (vnode->is_fresh) {
        vnode->is_fresh = false;
    }
}

static inline bool vnode_is_directory(const struct vnode *vnode)
{
    return vnode->type == MODE_DIRECTORY;
}

static inline bool vnode_is_link(const struct vnode *vnode)
{
    return vnode->type == MODE_LINK;
}

// May the process do this (read 4, write 2, execute 1)? 0 or -EACCES or -EROFS.
int vnode_access(struct vnode *vnode, unsigned mode);
// May it change this of a file of that user and group? 0 or -EPERM.
int vnode_change_check(uint32_t uid, uint32_t gid, const struct vnode_change *change);
// May the process change the names in this directory, as far as core can tell?
int vnode_names_access(struct vnode *directory);
int vnode_status(struct vnode *vnode, struct file_status *status);

// May names be looked up in it? 0, -ENOTDIR or -EACCES.
int vnode_search_access(struct vnode *directory);
// Looks a name up in directory, if that is one and allows it: the name's own vnode, counted,
// whatever is mounted there.
int vnode_search(struct vnode *directory, const char *name, struct vnode **child);

// As whom the process acts on files: whose those are that it makes, and by whom vnode_access
// judges. Whether the program has changed that: a file system of the machine may judge by whom it
// was before. vnode_has_group tells of supplementary groups; NULL: there are none.
extern _Atomic uint32_t vnode_owner_uid, vnode_owner_gid;
extern _Atomic bool vnode_owner_is_other;
extern bool (*vnode_has_group)(uint32_t gid); // set at boot

// Whether core judges, be it besides the file system's own judgement in lookup and open.
static inline bool vnode_is_judged(const struct vnode *vnode)
{
    return vnode->ops->access == NULL ||
           atomic_load_explicit(&vnode_owner_is_other, memory_order_relaxed);
}

// May the process look names up in a directory of this mode? As vnode_access, as far as a glance
// goes.
static inline bool vnode_is_open_to_search(uint32_t mode)
{
    return atomic_load_explicit(&vnode_owner_uid, memory_order_relaxed) == 0 ||
           (mode & 0111) == 0111;
}

// The time of day, as files are stamped.
struct file_time file_time_now(void);

#endif
