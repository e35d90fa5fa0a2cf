// SPDX-License-Identifier: BSD-3-Clause
// localname.c: a table of names by hash, under one lock: names are few beside connections.
//
// A name in the table has an owner that is open. Who closes a socket takes its name out of the
// table first, so that a socket found here, counted under the lock, was open then.
#include "core/vfs/localname.h"

#include "core/lib/errno.h"
#include "core/lib/format.h"
#include "core/lib/string.h"
#include "core/mem/heap.h"
#include "core/sync/mutex.h"
#include "core/vfs/localqueue.h"
#include "core/vfs/vnode.h"

enum {
    BUCKETS = 64,
    ANY_SIZE = 6, // a zero and five digits
    ANY_COUNT = 1 << 20,
};

static struct {
    struct mutex lock;
    struct localname *buckets[BUCKETS];
    uint32_t any_next;
} names;

// FNV-1a of the bytes, or of the node's numbers.
static struct localname **bucket_of(const struct localname *name)
{
    const char *bytes = name->vnode != NULL ? (const char *)&name->inode : name->bytes;
    const size_t size = name->vnode != NULL ? sizeof name->inode : name->size;
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < size; ++i) {
        hash = (hash ^ (unsigned char)bytes[i]) * 16777619u;
    }
    return &names.buckets[hash % BUCKETS];
}

static bool is_same(const struct localname *a, const struct localname *b)
{
    if (a->vnode != NULL || b->vnode != NULL) {
        return a->vnode != NULL && b->vnode != NULL && a->device == b->device &&
               a->inode == b->inode;
    }
    return a->type == b->type && a->size == b->size && memcmp(a->bytes, b->bytes, a->size) == 0;
}

// With one reference, and no owner.
static int name_make(const struct localsocket_name *from, enum localsocket_type type,
                     struct localname **made)
{
    struct file_status status = {0};
    int error = from->vnode != NULL ? vnode_status(from->vnode, &status) : 0;
    if (error != 0) {
        return error;
    }
    struct localname *name = heap_alloc(sizeof *name + from->size);
    if (name == NULL) {
        return -ENOMEM;
    }
    *name = (struct localname){.reference_count = 1,
                               .vnode = from->vnode,
                               .device = status.device,
                               .inode = status.inode,
                               .type = type,
                               .size = from->size};
    memcpy(name->bytes, from->bytes, from->size);
    if (name->vnode != NULL) {
        vnode_get(name->vnode);
    }
    *made = name;
    return 0;
}

void localname_get(struct localname *name)
{
    atomic_fetch_add_explicit(&name->reference_count, 1, memory_order_relaxed);
}

void localname_put(struct localname *name)
{
    if (name != NULL && atomic_fetch_sub(&name->reference_count, 1) == 1) {
        vnode_put(name->vnode);
        heap_free(name);
    }
}

// The lock is held.
static struct localname *name_find(const struct localname *wanted)
{
    struct localname *name = *bucket_of(wanted);
    while (name != NULL && !is_same(name, wanted)) {
        name = name->next;
    }
    return name;
}

static int name_enter(struct localname *name, struct localsocket *owner)
{
    mutex_lock(&names.lock);
    const bool is_free = name_find(name) == NULL;
    if (is_free) {
        struct localname **bucket = bucket_of(name);
        name->owner = owner;
        name->next = *bucket;
        *bucket = name;
    }
    mutex_unlock(&names.lock);
    return is_free ? 0 : -EADDRINUSE;
}

int localname_claim(struct localsocket *socket, const struct localsocket_name *from,
                    struct localname **claimed)
{
    struct localname *name;
    int error = name_make(from, socket->type, &name);
    if (error != 0) {
        return error;
    }
    error = name_enter(name, socket);
    if (error != 0) {
        localname_put(name);
        return error;
    }
    *claimed = name;
    return 0;
}

int localname_claim_any(struct localsocket *socket, struct localname **claimed)
{
    int error = -EADDRINUSE;
    for (uint32_t i = 0; i < ANY_COUNT && error == -EADDRINUSE; ++i) {
        mutex_lock(&names.lock);
        const uint32_t number = names.any_next++ % ANY_COUNT;
        mutex_unlock(&names.lock);
        struct localsocket_name from = {.size = ANY_SIZE};
        char digits[ANY_SIZE];
        (void)format(digits, sizeof digits, "%05x", number);
        memcpy(from.bytes + 1, digits, ANY_SIZE - 1);
        error = localname_claim(socket, &from, claimed);
    }
    return error;
}

void localname_retire(struct localname *name, const struct localsocket *owner)
{
    mutex_lock(&names.lock);
    if (name->owner == owner) { // not of a connection that has the name of who accepted it
        struct localname **link = bucket_of(name);
        while (*link != name) {
            link = &(*link)->next;
        }
        *link = name->next;
        name->owner = NULL;
    }
    mutex_unlock(&names.lock);
}

int localname_find(const struct localsocket_name *from, enum localsocket_type type,
                   struct localsocket **owner)
{
    struct localname *wanted;
    int error = name_make(from, type, &wanted);
    if (error != 0) {
        return error;
    }
    mutex_lock(&names.lock);
    const struct localname *name = name_find(wanted);
    error = name == NULL ? -ECONNREFUSED : 0;
    if (error == 0) {
        *owner = name->owner;
        localsocket_get(*owner);
    }
    mutex_unlock(&names.lock);
    localname_put(wanted);
    if (error == 0 && (*owner)->type != type) {
        localsocket_put(*owner);
        error = -EPROTOTYPE;
    }
    return error;
}

void localname_copy(const struct localname *name, struct localsocket_name *to)
{
    to->vnode = NULL;
    to->size = name == NULL ? 0 : name->size;
    if (name != NULL) {
        memcpy(to->bytes, name->bytes, name->size);
    }
}
