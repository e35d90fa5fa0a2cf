// SPDX-License-Identifier: BSD-3-Clause
// vnode.c: the life of vnodes, and permission by mode bits (POSIX.1-2017, 4.5 File Access
// Permissions).
#include "core/vfs/vnode.h"

#include "core/lib/assert.h"
#include "core/lib/errno.h"
#include "core/lib/string.h"
#include "core/vfs/mount.h"
#include "hal/hal.h"

_Atomic uint32_t vnode_owner_uid, vnode_owner_gid;
_Atomic bool vnode_owner_is_other;
bool (*vnode_has_group)(uint32_t gid);

static bool is_member(uint32_t gid)
{
    return gid == atomic_load_explicit(&vnode_owner_gid, memory_order_relaxed) ||
           (vnode_has_group != NULL && vnode_has_group(gid));
}

void vnode_init(struct vnode *vnode, const struct vnode_ops *ops, struct mount *mount,
                uint32_t type, uint64_t inode)
{
    ASSERT((type & ~(uint32_t)MODE_TYPE) == 0);
    vnode->ops = ops;
    vnode->mount = mount;
    vnode->type = type;
    vnode->inode = inode;
    vnode->is_fresh = false;
    atomic_store_explicit(&vnode->upon, NULL, memory_order_relaxed);
    // Release pairs with the acquire in vnode_get_unless_free.
    atomic_store_explicit(&vnode->reference_count, 1, memory_order_release);
}

void vnode_get(struct vnode *vnode)
{
    // Relaxed: the caller has a reference already, so nothing is published by this one.
    atomic_fetch_add_explicit(&vnode->reference_count, 1, memory_order_relaxed);
}

bool vnode_get_unless_free(struct vnode *vnode)
{
    uint32_t count = atomic_load_explicit(&vnode->reference_count, memory_order_relaxed);
    while (count != 0) {
        if (atomic_compare_exchange_weak_explicit(&vnode->reference_count, &count, count + 1,
                                                  memory_order_acquire, memory_order_relaxed)) {
            return true;
        }
    }
    return false;
}

void vnode_put(struct vnode *vnode)
{
    if (vnode == NULL) {
        return;
    }
    // Release pairs with the acquire of whoever takes the last one: all uses come before the end.
    uint32_t before = atomic_fetch_sub_explicit(&vnode->reference_count, 1, memory_order_acq_rel);
    ASSERT(before != 0);
    if (before == 1 && vnode->ops->release != NULL) {
        vnode->ops->release(vnode);
    }
}

int vnode_status(struct vnode *vnode, struct file_status *status)
{
    memset(status, 0, sizeof *status);
    return vnode->ops->status(vnode, status);
}

static int access_by_mode(struct vnode *vnode, unsigned mode)
{
    struct file_status status;
    const uint32_t uid = atomic_load_explicit(&vnode_owner_uid, memory_order_relaxed);
    if (uid == 0 && ((mode & 1) == 0 || vnode->type != MODE_FILE)) {
        return 0;
    }
    int error = vnode_status(vnode, &status);
    if (error != 0) {
        return error;
    }
    if (uid == 0) {
        // The superuser executes only what somebody may execute.
        return (status.mode & 0111) == 0 ? -EACCES : 0;
    }
    unsigned granted = status.mode & 7;
    if (status.uid == uid) {
        granted = status.mode >> 6 & 7;
    } else if (is_member(status.gid)) {
        granted = status.mode >> 3 & 7;
    }
    return (mode & ~granted & 7) != 0 ? -EACCES : 0;
}

int vnode_access(struct vnode *vnode, unsigned mode)
{
    bool is_data =
        vnode->type == MODE_FILE || vnode->type == MODE_DIRECTORY || vnode_is_link(vnode);
    if ((mode & 2) != 0 && is_data && vnode->mount->read_only) {
        return -EROFS;
    }
    int error = vnode->ops->access != NULL ? vnode->ops->access(vnode, mode) : 0;
    return error == 0 && vnode_is_judged(vnode) ? access_by_mode(vnode, mode) : error;
}

int vnode_change_check(uint32_t uid, uint32_t gid, const struct vnode_change *change)
{
    const uint32_t self = atomic_load_explicit(&vnode_owner_uid, memory_order_relaxed);
    bool is_owner = self == 0 || self == uid;
    bool changes_uid = (change->what & CHANGE_UID) != 0 && change->uid != uid;
    bool changes_gid = (change->what & CHANGE_GID) != 0 && change->gid != gid;
    if (self != 0 && (changes_uid || (changes_gid && !is_member(change->gid)))) {
        return -EPERM;
    }
    unsigned owned = CHANGE_MODE | CHANGE_UID | CHANGE_GID | CHANGE_ACCESSED | CHANGE_MODIFIED;
    return (change->what & owned) != 0 && !is_owner ? -EPERM : 0;
}

int vnode_names_access(struct vnode *directory)
{
    if (directory->mount->read_only) {
        return -EROFS;
    }
    return vnode_is_judged(directory) ? vnode_access(directory, 3) : 0;
}

int vnode_search_access(struct vnode *directory)
{
    if (!vnode_is_directory(directory)) {
        return -ENOTDIR;
    }
    // File systems with a judgement of their own make it in lookup.
    return vnode_is_judged(directory) ? vnode_access(directory, 1) : 0;
}

int vnode_search(struct vnode *directory, const char *name, struct vnode **child)
{
    int error = vnode_search_access(directory);
    return error != 0 ? error : directory->ops->lookup(directory, name, child);
}

struct file_time file_time_now(void)
{
    hal_ns now = hal_clock_wall_ns();
    return (struct file_time){.seconds = (int64_t)(now / 1000000000),
                              .nanoseconds = (uint32_t)(now % 1000000000)};
}
