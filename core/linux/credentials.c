// SPDX-License-Identifier: BSD-3-Clause
// credentials.c: ids of user and group, and supplementary groups.
//
// An id is read without a lock: what is asked is one number. Those who change them take turns.
#include "core/linux/credentials.h"

#include <stdatomic.h>

#include "core/lib/assert.h"
#include "core/lib/errno.h"
#include "core/lib/format.h"
#include "core/lib/string.h"
#include "core/linux/calls.h"
#include "core/linux/user.h"
#include "core/mem/heap.h"
#include "core/sync/mutex.h"
#include "core/vfs/vfs.h"
#include "core/vfs/vnode.h"

enum { NONE = UINT32_MAX, GROUPS_MAX = 65536 };

enum which { REAL, EFFECTIVE, SAVED, FILE_SYSTEM, IDS };

static _Atomic uint32_t user[IDS], group[IDS];
static struct mutex lock; // of who changes them

static uint32_t *groups; // supplementary, in order; NULL: none
static size_t group_count;
static struct mutex groups_lock;

static bool has_group(uint32_t gid)
{
    mutex_lock(&groups_lock);
    bool found = false;
    for (size_t i = 0; i < group_count && !found; ++i) {
        found = groups[i] == gid;
    }
    mutex_unlock(&groups_lock);
    return found;
}

// Takes over the block.
static void groups_set(uint32_t *ids, size_t count)
{
    mutex_lock(&groups_lock);
    uint32_t *before = groups;
    groups = ids;
    group_count = count;
    mutex_unlock(&groups_lock);
    heap_free(before);
}

static struct credential_ids ids_of(const _Atomic uint32_t ids[IDS])
{
    return (struct credential_ids){
        .real = atomic_load_explicit(&ids[REAL], memory_order_relaxed),
        .effective = atomic_load_explicit(&ids[EFFECTIVE], memory_order_relaxed),
        .saved = atomic_load_explicit(&ids[SAVED], memory_order_relaxed),
        .file = atomic_load_explicit(&ids[FILE_SYSTEM], memory_order_relaxed)};
}

static void ids_store(_Atomic uint32_t ids[IDS], const struct credential_ids *from)
{
    atomic_store_explicit(&ids[REAL], from->real, memory_order_relaxed);
    atomic_store_explicit(&ids[EFFECTIVE], from->effective, memory_order_relaxed);
    atomic_store_explicit(&ids[SAVED], from->saved, memory_order_relaxed);
    atomic_store_explicit(&ids[FILE_SYSTEM], from->file, memory_order_relaxed);
}

void credentials_init(uint32_t uid, uint32_t gid)
{
    const struct credential_ids users = {uid, uid, uid, uid}, own_groups = {gid, gid, gid, gid};
    ids_store(user, &users);
    ids_store(group, &own_groups);
    capabilities_init(uid == 0);
    vfs_owner_set(uid, gid);
    vnode_has_group = has_group;
    uint32_t *first = heap_alloc(sizeof *first);
    ASSERT(first != NULL); // a first few bytes
    *first = gid;
    groups_set(first, 1);
}

struct credential_ids credentials_user(void)
{
    return ids_of(user);
}

struct credential_ids credentials_group(void)
{
    return ids_of(group);
}

bool credentials_is_member(uint32_t gid)
{
    return gid == (uint32_t)linux_getegid() || has_group(gid);
}

bool credentials_is_within(uint32_t first, uint32_t last)
{
    const uint32_t gid = (uint32_t)linux_getegid();
    bool found = gid >= first && gid <= last;
    mutex_lock(&groups_lock);
    for (size_t i = 0; i < group_count && !found; ++i) {
        found = groups[i] >= first && groups[i] <= last;
    }
    mutex_unlock(&groups_lock);
    return found;
}

// ---- What they are -------------------------------------------------------

long linux_getuid(void)
{
    return atomic_load_explicit(&user[REAL], memory_order_relaxed);
}

long linux_getgid(void)
{
    return atomic_load_explicit(&group[REAL], memory_order_relaxed);
}

long linux_geteuid(void)
{
    return atomic_load_explicit(&user[EFFECTIVE], memory_order_relaxed);
}

long linux_getegid(void)
{
    return atomic_load_explicit(&group[EFFECTIVE], memory_order_relaxed);
}

static long ids_write(uint32_t *const users[3], const _Atomic uint32_t ids[IDS])
{
    for (int i = 0; i < 3; ++i) {
        uint32_t id = atomic_load_explicit(&ids[i], memory_order_relaxed);
        int error = user_write(users[i], &id, sizeof id);
        if (error != 0) {
            return error;
        }
    }
    return 0;
}

long linux_getresuid(uint32_t *real, uint32_t *effective, uint32_t *saved)
{
    return ids_write((uint32_t *const[]){real, effective, saved}, user);
}

long linux_getresgid(uint32_t *real, uint32_t *effective, uint32_t *saved)
{
    return ids_write((uint32_t *const[]){real, effective, saved}, group);
}

// ---- To change them ------------------------------------------------------

// The bits 1 << REAL ... say which of the ids that the process has now it may take. All: any.
static bool may_take(uint32_t id, const struct credential_ids *now, unsigned own, bool may_any)
{
    return id == NONE || may_any || ((own & 1u << REAL) != 0 && id == now->real) ||
           ((own & 1u << EFFECTIVE) != 0 && id == now->effective) ||
           ((own & 1u << SAVED) != 0 && id == now->saved);
}

// What comes of the wish, a rule of its own for each call. -EPERM.
typedef int ids_rule(struct credential_ids *ids, const uint32_t wish[3], bool may_any);

static long ids_change(_Atomic uint32_t ids[IDS], ids_rule *rule, const uint32_t wish[3])
{
    const bool is_user = ids == user;
    mutex_lock(&lock);
    const bool may_any = credentials_may(is_user ? CAPABILITY_SETUID : CAPABILITY_SETGID);
    const struct credential_ids before = ids_of(ids);
    struct credential_ids now = before;
    int error = rule(&now, wish, may_any);
    if (error == 0) {
        now.file = now.effective;
        ids_store(ids, &now);
        if (is_user) {
            capabilities_follow(&before, &now);
        }
        vfs_owner_change(user[FILE_SYSTEM], group[FILE_SYSTEM]);
    }
    mutex_unlock(&lock);
    return error;
}

static int set_all(struct credential_ids *ids, const uint32_t wish[3], bool may_any)
{
    if (!may_take(wish[0], ids, 1u << REAL | 1u << SAVED, may_any)) {
        return -EPERM;
    }
    ids->effective = wish[0];
    if (may_any) {
        ids->real = ids->saved = wish[0];
    }
    return 0;
}

static int set_two(struct credential_ids *ids, const uint32_t wish[3], bool may_any)
{
    const uint32_t real = wish[0], effective = wish[1], before = ids->real;
    if (!may_take(real, ids, 1u << REAL | 1u << EFFECTIVE, may_any) ||
        !may_take(effective, ids, 1u << REAL | 1u << EFFECTIVE | 1u << SAVED, may_any)) {
        return -EPERM;
    }
    ids->real = real == NONE ? ids->real : real;
    ids->effective = effective == NONE ? ids->effective : effective;
    if (real != NONE || (effective != NONE && effective != before)) {
        ids->saved = ids->effective;
    }
    return 0;
}

static int set_three(struct credential_ids *ids, const uint32_t wish[3], bool may_any)
{
    for (int i = 0; i < 3; ++i) {
        if (!may_take(wish[i], ids, 1u << REAL | 1u << EFFECTIVE | 1u << SAVED, may_any)) {
            return -EPERM;
        }
    }
    ids->real = wish[0] == NONE ? ids->real : wish[0];
    ids->effective = wish[1] == NONE ? ids->effective : wish[1];
    ids->saved = wish[2] == NONE ? ids->saved : wish[2];
    return 0;
}

long linux_setuid(uint32_t uid)
{
    return uid == NONE ? -EINVAL : ids_change(user, set_all, (const uint32_t[3]){uid});
}

long linux_setgid(uint32_t gid)
{
    return gid == NONE ? -EINVAL : ids_change(group, set_all, (const uint32_t[3]){gid});
}

long linux_setreuid(uint32_t real, uint32_t effective)
{
    return ids_change(user, set_two, (const uint32_t[3]){real, effective});
}

long linux_setregid(uint32_t real, uint32_t effective)
{
    return ids_change(group, set_two, (const uint32_t[3]){real, effective});
}

long linux_setresuid(uint32_t real, uint32_t effective, uint32_t saved)
{
    return ids_change(user, set_three, (const uint32_t[3]){real, effective, saved});
}

long linux_setresgid(uint32_t real, uint32_t effective, uint32_t saved)
{
    return ids_change(group, set_three, (const uint32_t[3]){real, effective, saved});
}

// Answers what it was, whether or not it changes.
static long file_id_set(_Atomic uint32_t ids[IDS], uint32_t id)
{
    mutex_lock(&lock);
    const struct credential_ids before = ids_of(ids);
    const bool may_any = credentials_may(ids == user ? CAPABILITY_SETUID : CAPABILITY_SETGID);
    struct credential_ids now = before;
    now.file = id;
    if (id != NONE && (id == before.file || may_take(id, &before, ~0u, may_any))) {
        ids_store(ids, &now);
        if (ids == user) {
            capabilities_follow(&before, &now);
        }
        vfs_owner_change(user[FILE_SYSTEM], group[FILE_SYSTEM]);
    }
    mutex_unlock(&lock);
    return before.file;
}

long linux_setfsuid(uint32_t uid)
{
    return file_id_set(user, uid);
}

long linux_setfsgid(uint32_t gid)
{
    return file_id_set(group, gid);
}

// ---- Supplementary groups ------------------------------------------------

// As Linux keeps them. By their bits from low to high: each pass keeps the order of the one before.
static void sort(uint32_t *ids, uint32_t *space, size_t count)
{
    for (unsigned bit = 0; bit < 32; ++bit) {
        size_t low = 0, high = 0;
        for (size_t i = 0; i < count; ++i) {
            bool is_high = (ids[i] >> bit & 1) != 0;
            *(is_high ? &space[high++] : &ids[low++]) = ids[i];
        }
        memcpy(ids + low, space, high * sizeof *ids);
    }
}

long linux_setgroups(size_t count, const uint32_t *ids)
{
    if (!credentials_may(CAPABILITY_SETGID)) {
        return -EPERM;
    }
    if (count > GROUPS_MAX) {
        return -EINVAL;
    }
    uint32_t *copy = heap_alloc(2 * count * sizeof *copy);
    if (copy == NULL) {
        return -ENOMEM;
    }
    int error = count == 0 ? 0 : user_read(copy, ids, count * sizeof *copy);
    if (error != 0) {
        heap_free(copy);
        return error;
    }
    sort(copy, copy + count, count);
    groups_set(copy, count);
    return 0;
}

// NULL: no memory.
static uint32_t *groups_copy(size_t *count)
{
    mutex_lock(&groups_lock);
    uint32_t *copy = heap_alloc((group_count + 1) * sizeof *copy);
    *count = group_count;
    if (copy != NULL && group_count > 0) {
        memcpy(copy, groups, group_count * sizeof *copy);
    }
    mutex_unlock(&groups_lock);
    return copy;
}

long linux_getgroups(int room, uint32_t *ids)
{
    if (room < 0) {
        return -EINVAL;
    }
    size_t count;
    uint32_t *copy = groups_copy(&count);
    if (copy == NULL) {
        return -ENOMEM;
    }
    long result = (long)count;
    if (room != 0 && count > (size_t)room) {
        result = -EINVAL;
    } else if (room != 0) {
        int error = user_write(ids, copy, count * sizeof *copy);
        result = error != 0 ? error : result;
    }
    heap_free(copy);
    return result;
}

size_t credentials_format(char *text, size_t size)
{
    const struct credential_ids u = credentials_user(), g = credentials_group();
    size_t length =
        format(text, size, "Uid:\t%u\t%u\t%u\t%u\nGid:\t%u\t%u\t%u\t%u\nFDSize:\t64\n", u.real,
               u.effective, u.saved, u.file, g.real, g.effective, g.saved, g.file);
    size_t count, used = length < size ? length : size;
    length += format(text + used, size - used, "Groups:\t");
    uint32_t *copy = groups_copy(&count);
    for (size_t i = 0; copy != NULL && i < count; ++i) {
        used = length < size ? length : size;
        length += format(text + used, size - used, "%u ", copy[i]);
    }
    heap_free(copy);
    used = length < size ? length : size;
    return length + format(text + used, size - used, "\n");
}
