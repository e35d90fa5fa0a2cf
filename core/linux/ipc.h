// SPDX-License-Identifier: BSD-3-Clause
// ipc.h: what System V's objects have in common: numbers, keys and permissions (sysvipc(7)).
//
// Who calls holds the table's lock, unless stated.
#ifndef CORE_LINUX_IPC_H
#define CORE_LINUX_IPC_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/ipc.h>

#include "core/lib/tree.h"
#include "core/sync/mutex.h"
#include "hal/hal.h"

struct ipc_object {
    struct tree_node node; // by key, where it has one
    int32_t key, id;
    uint32_t uid, gid;                 // whose it is
    uint32_t creator_uid, creator_gid; // who made it
    uint32_t mode;                     // permissions, and flags of the kind's
    int64_t changed;                   // seconds since 1970: made, or its permissions set
};

struct ipc_table {
    struct mutex lock; // guards the rest, and the objects
    uint32_t limit;    // the most objects: set at the start
    struct ipc_object **slots;
    uint32_t slot_count, object_count;
    uint32_t next;     // where the search for a free slot begins
    int32_t last;      // slot of the newest object; -1 at the start
    uint32_t sequence; // what ids have beside the slot, so that an old id is nobody's for long
    struct tree keys;
};

// Gives object, all zero but for the kind's own, a number and an owner. -ENOSPC: limit. -ENOMEM.
HAL_MUST_CHECK int ipc_add(struct ipc_table *table, struct ipc_object *object, int32_t key,
                           uint32_t mode);
void ipc_remove(struct ipc_table *table, struct ipc_object *object);
void ipc_key_remove(struct ipc_table *table, struct ipc_object *object); // it has none any more

// What shmget, semget and msgget answer before an object is made or its kind's own says no. 0:
// *object is the one with the key, or NULL: to be made. -ENOENT, -EEXIST.
HAL_MUST_CHECK int ipc_find_key(const struct ipc_table *table, int32_t key, int flags,
                                struct ipc_object **object);

struct ipc_object *ipc_at(const struct ipc_table *table, uint32_t slot); // or NULL
struct ipc_object *ipc_of(const struct ipc_table *table, int32_t id);    // or NULL
int ipc_slot_last(const struct ipc_table *table); // of an object; 0: of the first, or of none

// Whether the caller has the permissions, of which one of the three sets of bits in mode is enough.
bool ipc_may(const struct ipc_object *object, uint32_t mode);
bool ipc_may_change(const struct ipc_object *object); // its permissions, or remove it

struct ipc_perm ipc_permissions(const struct ipc_object *object);
// IPC_SET: owner and permissions. -EPERM, -EINVAL: no such owner.
HAL_MUST_CHECK int ipc_permissions_set(struct ipc_object *object, const struct ipc_perm *set);

int64_t ipc_now(void); // seconds since 1970. Any context

#endif
