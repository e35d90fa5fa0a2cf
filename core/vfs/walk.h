// SPDX-License-Identifier: BSD-3-Clause
// walk.h: from a path to what it names.
//
// A walk goes up to the last component, then the caller looks that one up or uses the name to
// create or remove. It is 8 KiB and comes from a slab: system calls run on the application's stack,
// which may be small.
#ifndef CORE_VFS_WALK_H
#define CORE_VFS_WALK_H

#include <stdbool.h>

#include "core/vfs/entry.h"
#include "core/vfs/vnode.h"

enum { WALK_LINK_MAX = 40, WALK_BUFFER_SIZE = 2 * PATH_SIZE_MAX };

enum walk_last { WALK_NAME, WALK_DOT, WALK_DOT_DOT, WALK_ROOT };

struct walk {
    struct entry *at; // the directory reached; counted
    struct file
        *file;  // instead of an entry: a link of procfs led to something without a name; counted
    char *rest; // what is still to go: in buffer, right-aligned
    unsigned link_count;
    enum walk_last last;
    bool slash; // the last component is followed by one: it must be a directory
    char name[NAME_LENGTH_MAX + 1];
    char buffer[WALK_BUFFER_SIZE];
};

// Goes to the directory that the last component of path is in, starting at base (an open directory;
// NULL: the current directory). Then at, last, slash and name say where. On success the caller ends
// with walk_end.
int walk_begin(struct file *base, const char *path, struct walk **walk);
void walk_end(struct walk *walk);

// Looks the last component up; a symbolic link there is followed if follow says so or a slash comes
// after it (then at and name are those of its target, also on -ENOENT). May leave walk->file
// instead of an entry, then *entry is NULL.
int walk_last(struct walk *walk, bool follow, struct entry **entry);

// Both at once, for what must exist; links of procfs to nameless files answer their -ENOENT here.
int walk_find(struct file *base, const char *path, bool follow, struct entry **entry);

// The same, with such a file as the answer: *entry or *file.
int walk_find_any(struct file *base, const char *path, bool follow, struct entry **entry,
                  struct file **file);

// The current directory, counted; and to change it (takes over the reference).
struct entry *walk_current(void);
void walk_current_set(struct entry *entry);
struct entry *walk_root(void); // counted
void walk_root_set(struct entry *entry);

#endif
