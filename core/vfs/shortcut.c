// SPDX-License-Identifier: BSD-3-Clause
// shortcut.c: a sequence lock around all names in memory, and a walk under it.
//
// What the walk meets may be changed and freed under its hands. So before it uses a pointer it asks
// whether the sequence holds: then the pointer led to something that was alive, which lies in the
// direct map and may be read for ever. What it read is believed only after it has asked again.
// Nodes are type-stable, so that a reference to the last one can be tried for; the sequence still
// holding afterwards, that one was named so.
#include "core/vfs/shortcut.h"

#include "core/lib/mark.h"
#include "core/lib/string.h"
#include "core/vfs/mount.h"
#include "core/vfs/name.h"
#include "core/vfs/vnode.h"

struct sequence shortcut_sequence;
static _Atomic(struct vnode *) root_vnode;

void shortcut_root_set(struct vnode *root)
{
    atomic_store_explicit(&root_vnode, root, memory_order_release);
}

// The component at text: its length and hash. 0: it is not a plain one.
static inline size_t component_read(const char *text, uint32_t *hash)
{
    const unsigned char *end = (const unsigned char *)text;
    uint32_t sum = (uint32_t)NAME_HASH_START;
    for (unsigned byte; (byte = *end) != '/' && byte != 0; ++end) {
        sum = name_hash_add(sum, (unsigned char)byte);
    }
    *hash = sum;
    size_t length = (size_t)(end - (const unsigned char *)text);
    bool is_dots = text[0] == '.' && (length == 1 || (length == 2 && text[1] == '.'));
    return is_dots || length > NAME_LENGTH_MAX ? 0 : length;
}

// The next two look at a vnode that may have become another one by now: what they answer is
// believed once the sequence has held after that.

MARK_GUESS static const struct vnode_ops *ops_of(const struct vnode *vnode)
{
    return vnode->ops;
}

MARK_GUESS static bool is_link(const struct vnode *vnode)
{
    return vnode->type == MODE_LINK;
}

// One step down; NULL: not here.
static inline struct vnode *child_find(struct vnode *at, const char *name, size_t length,
                                       uint32_t hash, uint32_t sequence)
{
    const struct vnode_ops *ops = ops_of(at);
    if (ops->glance == NULL) {
        return NULL;
    }
    struct vnode *child = ops->glance(at, name, length, hash, sequence);
    if (child == NULL) {
        return NULL;
    }
    // Acquire pairs with mount_attach: the mount is whole. It stays, and so does its root.
    struct mount *mount = atomic_load_explicit(&child->upon, memory_order_acquire);
    if (!shortcut_holds(sequence)) {
        MARK("shortcut: the names changed on the way");
        return NULL;
    }
    return mount != NULL ? mount->root : child;
}

// A reference to what a walk has come to; NULL if it was not named so.
static inline struct vnode *at_get(struct vnode *at, uint32_t sequence)
{
    if (!vnode_get_unless_free(at)) {
        return NULL;
    }
    if (!shortcut_holds(sequence)) {
        MARK("shortcut: the name went when it was found");
        vnode_put(at);
        return NULL;
    }
    return at;
}

static inline bool walk_starts(const char *path, struct vnode **at, uint32_t *sequence)
{
    *at = atomic_load_explicit(&root_vnode, memory_order_acquire);
    return path[0] == '/' && *at != NULL && shortcut_begin(sequence);
}

bool shortcut_find(const char *path, bool follow, struct vnode **result, size_t *path_length)
{
    uint32_t sequence, hash;
    struct vnode *at;
    if (!walk_starts(path, &at, &sequence)) {
        return false;
    }
    const char *start = path;
    while (*path == '/') {
        ++path;
        size_t length = component_read(path, &hash);
        at = length == 0 ? NULL : child_find(at, path, length, hash, sequence);
        path += length;
        if (at == NULL || (is_link(at) && (follow || *path != 0))) {
            return false;
        }
    }
    *path_length = (size_t)(path - start);
    *result = at_get(at, sequence);
    return *result != NULL;
}

bool shortcut_parent(const char *path, struct vnode **directory, const char **name)
{
    uint32_t sequence, hash;
    struct vnode *at;
    if (!walk_starts(path, &at, &sequence)) {
        return false;
    }
    for (;;) {
        size_t length = component_read(++path, &hash);
        if (length == 0 || ops_of(at)->glance == NULL) {
            return false;
        }
        if (path[length] == 0) {
            break;
        }
        at = child_find(at, path, length, hash, sequence);
        path += length;
        if (at == NULL || is_link(at)) {
            return false;
        }
    }
    *name = path;
    *directory = at_get(at, sequence);
    return *directory != NULL;
}
