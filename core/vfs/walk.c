// SPDX-License-Identifier: BSD-3-Clause
// walk.c: path resolution (POSIX.1-2017, 4.13 Pathname Resolution; Linux's path_resolution(7)).
//
// The text still to go lies at the end of the walk's buffer. A symbolic link's text is put before
// it, so links nest without a stack of their own.
#include "core/vfs/walk.h"

#include "core/lib/assert.h"
#include "core/lib/errno.h"
#include "core/lib/string.h"
#include "core/mem/slab.h"
#include "core/sync/mutex.h"
#include "core/vfs/mount.h"

static struct slab walks = {.object_size = (sizeof(struct walk) + 15) & ~(size_t)15};
static struct mutex place_lock;
static struct entry *root, *current; // guarded by place_lock; both counted

static struct entry *place_get(struct entry **place)
{
    mutex_lock(&place_lock);
    struct entry *entry = entry_get(*place);
    mutex_unlock(&place_lock);
    return entry;
}

static void place_set(struct entry **place, struct entry *entry)
{
    mutex_lock(&place_lock);
    struct entry *old = *place;
    *place = entry;
    mutex_unlock(&place_lock);
    entry_put(old);
}

struct entry *walk_current(void)
{
    return place_get(&current);
}

void walk_current_set(struct entry *entry)
{
    place_set(&current, entry);
}

struct entry *walk_root(void)
{
    return place_get(&root);
}

void walk_root_set(struct entry *entry)
{
    place_set(&root, entry);
}

// Goes on at entry, whose reference it takes over.
static void at_set(struct walk *walk, struct entry *entry)
{
    struct entry *old = walk->at;
    walk->at = entry;
    entry_put(old);
}

static void skip_slashes(struct walk *walk)
{
    while (*walk->rest == '/') {
        ++walk->rest;
    }
}

// Puts the text before what is still to go, and starts at the root if it is absolute.
static int text_prepend(struct walk *walk, size_t length)
{
    // The text lies at the start of the buffer; a slash separates it from the rest.
    size_t room = (size_t)(walk->rest - walk->buffer);
    if (length + 1 > room) {
        return -ENAMETOOLONG;
    }
    if (*walk->rest != 0) {
        *--walk->rest = '/';
    }
    walk->rest -= length;
    memmove(walk->rest, walk->buffer, length);
    if (*walk->rest == '/') {
        at_set(walk, walk_root());
    }
    return 0;
}

static int link_follow(struct walk *walk, struct vnode *link)
{
    if (++walk->link_count > WALK_LINK_MAX) {
        return -ELOOP;
    }
    if (link->ops->jump != NULL) {
        struct vnode_jump target = {0};
        int error = link->ops->jump(link, &target);
        if (error == 0 && target.entry != NULL) {
            at_set(walk, target.entry);
        }
        walk->file = target.file;
        return error;
    }
    size_t room = (size_t)(walk->rest - walk->buffer);
    size_t length = 0;
    int error = link->ops->read_link(link, walk->buffer, room, &length);
    if (error != 0) {
        return error;
    }
    return length == 0 ? -ENOENT : text_prepend(walk, length);
}

// Takes the next component off the rest. True: more text follows its slashes, so it is not the
// last.
static int component_take(struct walk *walk, bool *is_last)
{
    skip_slashes(walk);
    size_t length = 0;
    while (walk->rest[length] != 0 && walk->rest[length] != '/') {
        ++length;
    }
    if (length > NAME_LENGTH_MAX) {
        return -ENAMETOOLONG;
    }
    memcpy(walk->name, walk->rest, length);
    walk->name[length] = 0;
    walk->rest += length;
    walk->slash = *walk->rest == '/';
    skip_slashes(walk);
    *is_last = *walk->rest == 0;
    walk->last = WALK_NAME;
    if (length == 0) {
        walk->last = WALK_ROOT;
    } else if (strcmp(walk->name, ".") == 0) {
        walk->last = WALK_DOT;
    } else if (strcmp(walk->name, "..") == 0) {
        walk->last = WALK_DOT_DOT;
    }
    return 0;
}

// Looks walk->name up in walk->at; crosses into what is mounted there.
static int child_find(struct walk *walk, struct entry **child)
{
    int error = vnode_search_access(walk->at->vnode);
    if (error != 0) {
        return error;
    }
    if (walk->last == WALK_DOT || walk->last == WALK_ROOT) {
        *child = entry_get(walk->at);
        return 0;
    }
    if (walk->last == WALK_DOT_DOT) {
        *child = entry_get(walk->at->parent != NULL ? walk->at->parent : walk->at);
        return 0;
    }
    struct vnode *vnode = NULL;
    error = walk->at->vnode->ops->lookup(walk->at->vnode, walk->name, &vnode);
    if (error != 0) {
        return error;
    }
    struct mount *mount = mount_upon(vnode, walk->name);
    if (mount != NULL) {
        vnode_put(vnode);
        vnode = mount->root;
        vnode_get(vnode);
    }
    *child = entry_new(walk->at, vnode, walk->name);
    return *child != NULL ? 0 : -ENOMEM;
}

// Goes on until only the last component is left in walk->name.
static int advance(struct walk *walk)
{
    for (;;) {
        bool is_last;
        int error = component_take(walk, &is_last);
        if (error != 0) {
            return error;
        }
        if (is_last) {
            return vnode_search_access(walk->at->vnode);
        }
        struct entry *child;
        error = child_find(walk, &child);
        if (error != 0) {
            return error;
        }
        if (vnode_is_link(child->vnode)) {
            error = link_follow(walk, child->vnode);
            entry_put(child);
            if (error == 0 && walk->file != NULL) {
                error = -ENOTDIR;
            }
        } else {
            at_set(walk, child);
        }
        if (error != 0) {
            return error;
        }
    }
}

int walk_begin(struct file *base, const char *path, struct walk **result)
{
    size_t length = strnlen(path, PATH_SIZE_MAX);
    if (length == 0) {
        return -ENOENT;
    }
    if (length == PATH_SIZE_MAX) {
        return -ENAMETOOLONG;
    }
    if (path[0] != '/' && base != NULL && base->entry == NULL) {
        return -ENOTDIR;
    }
    struct walk *walk = slab_alloc(&walks);
    if (walk == NULL) {
        return -ENOMEM;
    }
    walk->rest = walk->buffer + WALK_BUFFER_SIZE - 1 - length;
    memcpy(walk->rest, path, length + 1);
    walk->file = NULL;
    walk->link_count = 0;
    if (path[0] == '/') {
        walk->at = walk_root();
    } else {
        walk->at = base != NULL ? entry_get(base->entry) : walk_current();
    }
    int error = advance(walk);
    if (error != 0) {
        walk_end(walk);
        return error;
    }
    *result = walk;
    return 0;
}

void walk_end(struct walk *walk)
{
    entry_put(walk->at);
    if (walk->file != NULL) {
        file_put(walk->file);
    }
    slab_free(&walks, walk);
}

// A link of procfs was followed: what it led to is the answer, unless text is to go.
static int jumped(struct walk *walk, struct entry **entry)
{
    *entry = walk->file == NULL ? entry_get(walk->at) : NULL;
    if (walk->slash && (*entry == NULL || !vnode_is_directory((*entry)->vnode))) {
        entry_put(*entry);
        return -ENOTDIR;
    }
    return 0;
}

int walk_last(struct walk *walk, bool follow, struct entry **entry)
{
    for (;;) {
        struct entry *child;
        int error = child_find(walk, &child);
        if (error != 0) {
            return error;
        }
        bool is_link = vnode_is_link(child->vnode);
        if (!is_link && walk->slash && !vnode_is_directory(child->vnode)) {
            entry_put(child);
            return -ENOTDIR;
        }
        if (!is_link || (!follow && !walk->slash)) {
            *entry = child;
            return 0;
        }
        bool slash = walk->slash;
        bool jumps = child->vnode->ops->jump != NULL;
        error = link_follow(walk, child->vnode);
        entry_put(child);
        if (error != 0) {
            return error;
        }
        if (jumps) {
            return jumped(walk, entry);
        }
        error = advance(walk);
        if (error != 0) {
            return error;
        }
        walk->slash |= slash;
    }
}

int walk_find_any(struct file *base, const char *path, bool follow, struct entry **entry,
                  struct file **file)
{
    struct walk *walk;
    int error = walk_begin(base, path, &walk);
    if (error != 0) {
        return error;
    }
    error = walk_last(walk, follow, entry);
    if (error == 0 && *entry == NULL) {
        ASSERT(walk->file != NULL);
        *file = walk->file;
        walk->file = NULL;
    }
    walk_end(walk);
    return error;
}

int walk_find(struct file *base, const char *path, bool follow, struct entry **entry)
{
    struct file *file = NULL;
    int error = walk_find_any(base, path, follow, entry, &file);
    if (error == 0 && *entry == NULL) {
        file_put(file);
        return -ENOENT;
    }
    return error;
}
