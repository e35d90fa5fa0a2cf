// SPDX-License-Identifier: BSD-3-Clause
// known.c: names of an image that have been looked up, and their vnodes.
//
// An image never changes, so a name that was found once leads to the same vnode for ever, and may
// be found without a lock and without a reference (shortcut.h). Names are added until there are
// KNOWN_MAX, and never go.
//
// Invariant: once a name is here, every lookup answers its vnode; before that no lookup answered
// any, unless there was no room, and then there is none for it later. So what is mounted upon a
// directory is known to the one vnode that it has here.
#include "core/lib/errno.h"
#include "core/lib/list.h"
#include "core/lib/string.h"
#include "core/mem/heap.h"
#include "core/vfs/erofs/erofs.h"
#include "core/vfs/name.h"

struct erofs_known {
    struct rcu_node node;
    struct vnode *vnode; // counted
    uint64_t directory;  // number of its inode
    size_t length;
    char text[];
};

static struct rcu_list *list_of(struct erofs_mount *own, uint64_t directory, uint32_t hash)
{
    return rcu_hash_list(&(struct rcu_hash){own->known, EROFS_KNOWN_BITS}, directory << 32 ^ hash);
}

static struct vnode *listed_find(const struct rcu_list *list, uint64_t directory, const char *text,
                                 size_t length)
{
    struct rcu_node *node;
    rcu_list_for_each(node, list)
    {
        const struct erofs_known *known = container_of(node, struct erofs_known, node);
        if (known->directory == directory && known->length == length &&
            name_is_same(known->text, text, length)) {
            return known->vnode;
        }
    }
    return NULL;
}

struct vnode *erofs_known_find(struct vnode *directory, const char *text, size_t length,
                               uint32_t hash)
{
    const struct erofs_node *node = erofs_node_of(directory);
    return listed_find(list_of(erofs_mount_of(directory), node->inode.number, hash),
                       node->inode.number, text, length);
}

// What is missing is added; known_lock is held.
static int add(struct erofs_mount *own, struct rcu_list *list, uint64_t directory, const char *text,
               size_t length, struct vnode *vnode)
{
    struct erofs_known *known = heap_alloc(sizeof *known + length);
    if (known == NULL) {
        return -ENOMEM;
    }
    vnode_get(vnode);
    *known = (struct erofs_known){.vnode = vnode, .directory = directory, .length = length};
    memcpy(known->text, text, length);
    rcu_list_push(list, &known->node);
    ++own->known_count;
    return 0;
}

int erofs_known_add(struct vnode *directory, const char *text, struct vnode **vnode)
{
    struct erofs_mount *own = erofs_mount_of(directory);
    uint64_t number = erofs_node_of(directory)->inode.number;
    size_t length = strlen(text);
    struct rcu_list *list = list_of(own, number, name_hash(text, length));
    int error = 0;
    mutex_lock(&own->known_lock);
    struct vnode *other = listed_find(list, number, text, length);
    if (other != NULL) {
        vnode_get(other);
    } else if (own->known_count < EROFS_KNOWN_MAX) {
        error = add(own, list, number, text, length, *vnode);
    }
    mutex_unlock(&own->known_lock);
    if (other != NULL || error != 0) {
        vnode_put(*vnode);
        *vnode = other;
    }
    return error;
}
