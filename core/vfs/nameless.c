// SPDX-License-Identifier: BSD-3-Clause
// nameless.c: see nameless.h.
#include "core/vfs/nameless.h"

#include "core/sync/mutex.h"
#include "core/vfs/vnode.h"

enum { PIPE_DEVICE = 13, SOCKET_DEVICE = 8, SHARED_DEVICE = 14, SHARED_INODE = 9 };

static _Atomic uint64_t inode_next = 10000;
static struct mutex lock;

void nameless_init(struct nameless *nameless, uint32_t mode)
{
    nameless->inode = atomic_fetch_add_explicit(&inode_next, 1, memory_order_relaxed);
    nameless->mode = mode;
    // A socket of Linux has no times before somebody changes it.
    const bool has_times = (mode & MODE_TYPE) == MODE_FIFO;
    nameless->changed = has_times ? file_time_now() : (struct file_time){.seconds = 0};
    nameless->accessed = nameless->modified = nameless->changed;
    nameless_take(nameless);
}

void nameless_leave(struct nameless *nameless)
{
    atomic_init(&nameless->is_taken, false);
}

void nameless_take(struct nameless *nameless)
{
    const uint32_t uid = atomic_load_explicit(&vnode_owner_uid, memory_order_relaxed);
    atomic_store_explicit(&nameless->uid, uid, memory_order_relaxed);
    nameless->gid = atomic_load_explicit(&vnode_owner_gid, memory_order_relaxed);
    atomic_store_explicit(&nameless->is_taken, true, memory_order_relaxed);
}

void nameless_status(const struct nameless *nameless, struct file_status *status)
{
    mutex_lock(&lock);
    *status = (struct file_status){
        .device = (nameless->mode & MODE_TYPE) == MODE_FIFO ? PIPE_DEVICE : SOCKET_DEVICE,
        .inode = nameless->inode,
        .link_count = 1,
        .block_size = 4096,
        .mode = nameless->mode,
        .uid = atomic_load_explicit(&nameless->uid, memory_order_relaxed),
        .gid = nameless->gid,
        .accessed = nameless->accessed,
        .modified = nameless->modified,
        .changed = nameless->changed,
    };
    mutex_unlock(&lock);
}

// With the lock held.
static void change_make(struct nameless *nameless, const struct vnode_change *change)
{
    const struct file_time now = file_time_now();
    const unsigned what = change->what;
    if ((what & CHANGE_MODE) != 0) {
        nameless->mode = (nameless->mode & MODE_TYPE) | change->mode;
    }
    if ((what & CHANGE_UID) != 0) {
        atomic_store_explicit(&nameless->uid, change->uid, memory_order_relaxed);
    }
    if ((what & CHANGE_GID) != 0) {
        nameless->gid = change->gid;
    }
    if ((what & (CHANGE_ACCESSED | CHANGE_ACCESSED_NOW)) != 0) {
        nameless->accessed = (what & CHANGE_ACCESSED) != 0 ? change->accessed : now;
    }
    if ((what & (CHANGE_MODIFIED | CHANGE_MODIFIED_NOW)) != 0) {
        nameless->modified = (what & CHANGE_MODIFIED) != 0 ? change->modified : now;
    }
    nameless->changed = now;
}

int nameless_change(struct nameless *nameless, const struct vnode_change *change)
{
    mutex_lock(&lock);
    const uint32_t uid = atomic_load_explicit(&nameless->uid, memory_order_relaxed);
    const int error = vnode_change_check(uid, nameless->gid, change);
    if (error == 0) {
        change_make(nameless, change);
    }
    mutex_unlock(&lock);
    return error;
}

int nameless_shared_status(struct file *file, struct file_status *status)
{
    (void)file;
    *status = (struct file_status){.device = SHARED_DEVICE,
                                   .inode = SHARED_INODE,
                                   .link_count = 1,
                                   .block_size = 4096,
                                   .mode = 0600};
    return 0;
}
