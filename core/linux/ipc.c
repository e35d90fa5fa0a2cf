// SPDX-License-Identifier: BSD-3-Clause
// ipc.c: an object lies in a slot of its table; its id is the slot and a sequence number, which
// rises whenever slots are used from the start again, as Linux counts.
#include "core/linux/ipc.h"

#include "core/lib/errno.h"
#include "core/lib/list.h"
#include "core/lib/string.h"
#include "core/linux/credentials.h"
#include "core/mem/heap.h"

enum {
    SLOT_BITS = 15,
    SLOTS_FIRST = 64, // so many are used before the first comes again
    SEQUENCE_END = INT32_MAX >> SLOT_BITS,
    PERMISSIONS = 0777,
};

static struct ipc_object *object_of(struct tree_node *node)
{
    return container_of(node, struct ipc_object, node);
}

int64_t ipc_now(void)
{
    return (int64_t)(hal_clock_wall_ns() / 1000000000);
}

// ---- Keys ----------------------------------------------------------------

static bool is_less(const struct tree_node *a, const struct tree_node *b)
{
    return container_of(a, const struct ipc_object, node)->key <
           container_of(b, const struct ipc_object, node)->key;
}

static struct ipc_object *key_find(const struct ipc_table *table, int32_t key)
{
    struct tree_node *node = table->keys.root;
    while (node != NULL && object_of(node)->key != key) {
        node = key < object_of(node)->key ? node->left : node->right;
    }
    return node != NULL ? object_of(node) : NULL;
}

void ipc_key_remove(struct ipc_table *table, struct ipc_object *object)
{
    if (object->key != IPC_PRIVATE) {
        tree_remove(&table->keys, &object->node);
        object->key = IPC_PRIVATE;
    }
}

int ipc_find_key(const struct ipc_table *table, int32_t key, int flags, struct ipc_object **object)
{
    *object = key == IPC_PRIVATE ? NULL : key_find(table, key);
    if (*object == NULL) {
        return key != IPC_PRIVATE && (flags & IPC_CREAT) == 0 ? -ENOENT : 0;
    }
    return (flags & IPC_CREAT) != 0 && (flags & IPC_EXCL) != 0 ? -EEXIST : 0;
}

// ---- Slots ---------------------------------------------------------------

static int slots_grow(struct ipc_table *table, uint32_t count)
{
    struct ipc_object **slots = heap_alloc_zeroed(count * sizeof *slots);
    if (slots == NULL) {
        return -ENOMEM;
    }
    if (table->slot_count > 0) {
        memcpy(slots, table->slots, table->slot_count * sizeof *slots);
    }
    heap_free(table->slots);
    table->slots = slots;
    table->slot_count = count;
    return 0;
}

// Slots are used in turn, of half as many again as there are objects.
static uint32_t slots_wanted(const struct ipc_table *table)
{
    uint32_t wanted = table->object_count / 2 * 3 + table->object_count % 2;
    wanted = wanted > SLOTS_FIRST ? wanted : SLOTS_FIRST;
    return wanted < table->limit ? wanted : table->limit;
}

static uint32_t slot_find(const struct ipc_table *table, uint32_t count)
{
    uint32_t slot = table->next < count ? table->next : 0;
    for (uint32_t i = 0; i < count && table->slots[slot] != NULL; ++i) {
        slot = slot + 1 < count ? slot + 1 : 0;
    }
    return slot;
}

int ipc_add(struct ipc_table *table, struct ipc_object *object, int32_t key, uint32_t mode)
{
    if (table->object_count >= table->limit) {
        return -ENOSPC;
    }
    const uint32_t wanted = slots_wanted(table);
    int error = wanted > table->slot_count ? slots_grow(table, wanted) : 0;
    if (error != 0) {
        return error;
    }
    const uint32_t slot = slot_find(table, wanted);
    if ((int32_t)slot <= table->last) {
        table->sequence = table->sequence + 1 < SEQUENCE_END ? table->sequence + 1 : 0;
    }
    table->last = (int32_t)slot;
    table->next = slot + 1;
    table->slots[slot] = object;
    ++table->object_count;
    object->key = key;
    object->id = (int32_t)(table->sequence << SLOT_BITS | slot);
    object->uid = object->creator_uid = credentials_user().effective;
    object->gid = object->creator_gid = credentials_group().effective;
    object->mode = mode & PERMISSIONS;
    object->changed = ipc_now();
    if (key != IPC_PRIVATE) {
        tree_insert(&table->keys, &object->node, is_less);
    }
    return 0;
}

struct ipc_object *ipc_at(const struct ipc_table *table, uint32_t slot)
{
    return slot < table->slot_count ? table->slots[slot] : NULL;
}

struct ipc_object *ipc_of(const struct ipc_table *table, int32_t id)
{
    struct ipc_object *object = id < 0 ? NULL : ipc_at(table, (uint32_t)id % (1u << SLOT_BITS));
    return object != NULL && object->id == id ? object : NULL;
}

int ipc_slot_last(const struct ipc_table *table)
{
    uint32_t slot = table->slot_count;
    while (slot > 0 && table->slots[slot - 1] == NULL) {
        --slot;
    }
    return slot > 0 ? (int)slot - 1 : 0;
}

void ipc_remove(struct ipc_table *table, struct ipc_object *object)
{
    ipc_key_remove(table, object);
    table->slots[(uint32_t)object->id % (1u << SLOT_BITS)] = NULL;
    --table->object_count;
}

// ---- Permissions ---------------------------------------------------------

bool ipc_may(const struct ipc_object *object, uint32_t mode)
{
    const uint32_t uid = credentials_user().effective;
    uint32_t wanted = mode >> 6 | mode >> 3 | mode, granted = object->mode;
    if (uid == object->uid || uid == object->creator_uid) {
        granted >>= 6;
    } else if (credentials_is_member(object->gid) || credentials_is_member(object->creator_gid)) {
        granted >>= 3;
    }
    return (wanted & ~granted & 7) == 0 || credentials_may(CAPABILITY_IPC_OWNER);
}

bool ipc_may_change(const struct ipc_object *object)
{
    const uint32_t self = credentials_user().effective;
    return self == object->uid || self == object->creator_uid ||
           credentials_may(CAPABILITY_SYS_ADMIN);
}

struct ipc_perm ipc_permissions(const struct ipc_object *object)
{
    return (struct ipc_perm){
        .__ipc_perm_key = object->key,
        .uid = object->uid,
        .gid = object->gid,
        .cuid = object->creator_uid,
        .cgid = object->creator_gid,
        .mode = object->mode,
        .__ipc_perm_seq = object->id >> SLOT_BITS,
    };
}

int ipc_permissions_set(struct ipc_object *object, const struct ipc_perm *set)
{
    if (!ipc_may_change(object)) {
        return -EPERM;
    }
    if (set->uid == UINT32_MAX || set->gid == UINT32_MAX) {
        return -EINVAL;
    }
    object->uid = set->uid;
    object->gid = set->gid;
    object->mode = (object->mode & ~(uint32_t)PERMISSIONS) | (set->mode & PERMISSIONS);
    object->changed = ipc_now();
    return 0;
}
