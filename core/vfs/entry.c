// SPDX-License-Identifier: BSD-3-Clause
// entry.c: counted chains of names.
#include "core/vfs/entry.h"

#include "core/lib/assert.h"
#include "core/lib/errno.h"
#include "core/lib/string.h"
#include "core/mem/heap.h"
#include "core/vfs/vnode.h"

struct entry *entry_new(struct entry *parent, struct vnode *vnode, const char *name)
{
    size_t size = strlen(name) + 1;
    struct entry *entry = heap_alloc(sizeof *entry + size);
    if (entry == NULL) {
        vnode_put(vnode);
        return NULL;
    }
    atomic_init(&entry->reference_count, 1);
    entry->parent = parent != NULL ? entry_get(parent) : NULL;
    entry->vnode = vnode;
    memcpy(entry->name, name, size);
    return entry;
}

struct entry *entry_get(struct entry *entry)
{
    atomic_fetch_add_explicit(&entry->reference_count, 1, memory_order_relaxed);
    return entry;
}

void entry_put(struct entry *entry)
{
    while (entry != NULL) {
        // Release and acquire: all uses of the entry come before its end.
        uint32_t before =
            atomic_fetch_sub_explicit(&entry->reference_count, 1, memory_order_acq_rel);
        ASSERT(before != 0);
        if (before != 1) {
            return;
        }
        struct entry *parent = entry->parent;
        vnode_put(entry->vnode);
        heap_free(entry);
        entry = parent;
    }
}

int entry_path(const struct entry *entry, char *path, size_t size, size_t *length)
{
    size_t total = 0;
    for (const struct entry *at = entry; at->parent != NULL; at = at->parent) {
        total += 1 + strlen(at->name);
    }
    *length = total == 0 ? 1 : total;
    if (*length + 1 > size) {
        return -ENAMETOOLONG;
    }
    path[0] = '/';
    path[*length] = 0;
    for (const struct entry *at = entry; at->parent != NULL; at = at->parent) {
        size_t name_length = strlen(at->name);
        total -= name_length + 1;
        path[total] = '/';
        memcpy(path + total + 1, at->name, name_length);
    }
    return 0;
}
