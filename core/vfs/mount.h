// SPDX-License-Identifier: BSD-3-Clause
// mount.h: which file system is seen at which directory. Mounts are made and never removed.
#ifndef CORE_VFS_MOUNT_H
#define CORE_VFS_MOUNT_H

#include <stdbool.h>
#include <stdint.h>

struct vnode;

enum { MOUNT_MAX = 64, MOUNT_PATH_SIZE = 256 };

struct mount {
    struct vnode *root; // counted; NULL until mount_attach
    const char *type;   // "ramfs", "proc", ... as /proc/mounts shows it
    char source[64];    // "host:/usr"
    char path[MOUNT_PATH_SIZE];
    bool read_only;
    uint64_t device;          // st_dev of its files where the file system has none
    _Atomic uint32_t covered; // how many of its directories have a mount upon them
    // The directory that root hides; NULL for the root of all. Known by these three, because a
    // host's directory has a new vnode each time it is looked up.
    struct mount *parent;
    uint64_t parent_inode;
    const char *name; // last component of path
    void *state;      // the file system's
};

// A slot with a device number of its own, not yet seen by anybody. NULL: MOUNT_MAX is reached.
struct mount *mount_new(const char *type, const char *source, bool read_only);
void mount_discard(
    struct mount *mount); // instead of mount_attach; gives nothing back but the slot's content

// Makes mount's root (set by the caller) appear instead of directory `name` with this vnode; NULL:
// it is the root of all.
void mount_attach(struct mount *mount, struct vnode *covered, const char *path);

// The mount upon a directory that was looked up as name, or NULL. Lock-free.
struct mount *mount_upon(const struct vnode *directory, const char *name);

// All mounts in order of their making, until visit says false.
void mount_walk(bool (*visit)(const struct mount *mount, void *argument), void *argument);

struct mount *mount_root(void);

#endif
