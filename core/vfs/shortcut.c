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
#include "core/vfs/vnode.h"

struct sequence shortcut_sequence;
static _Atomic(struct vnode *) root_vnode;

void shortcut_root_set(struct vnode *root)
{
    atomic_store_explicit(&root_vnode, root, memory_order_release);
}

// The length of the component at text; 0: it is not a plain one.
static size_t component_length(const char *text)
{
    size_t length = 0;
    while (text[length] != 0 && text[length] != '/') {
        ++length;
    }
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
static struct vnode *child_find(struct vnode *at, const char *name, size_t length,
                                uint32_t sequence)
{
    const struct vnode_ops *ops = ops_of(at);
    if (ops->glance == NULL) {
        return NULL;
    }
    struct vnode *child = ops->glance(at, name, length, sequence);
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

bool shortcut_find(const char *path, bool follow, struct vnode **result)
{
    uint32_t sequence;
    struct vnode *at = atomic_load_explicit(&root_vnode, memory_order_acquire);
    if (path[0] != '/' || at == NULL || !shortcut_begin(&sequence)) {
        return false;
    }
    while (*path == '/') {
        ++path;
        size_t length = component_length(path);
        at = length == 0 ? NULL : child_find(at, path, length, sequence);
        path += length;
        if (at == NULL || (is_link(at) && (follow || *path != 0))) {
            return false;
        }
    }
    if (!vnode_get_unless_free(at)) {
        return false;
    }
    if (!shortcut_holds(sequence)) {
        MARK("shortcut: the name went when it was found");
        vnode_put(at);
        return false;
    }
    *result = at;
    return true;
}
