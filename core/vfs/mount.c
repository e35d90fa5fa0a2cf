// SPDX-License-Identifier: BSD-3-Clause
// mount.c: the mount table: an array that only grows.
//
// Invariant: slots below mount_count are attached and never change again, so readers need no lock.
// A later mount upon the same directory hides the earlier one: search from the end.
#include "core/vfs/mount.h"

#include "core/lib/assert.h"
#include "core/lib/format.h"
#include "core/lib/string.h"
#include "core/sync/mutex.h"
#include "core/vfs/vnode.h"

static struct mutex mount_lock; // guards used_count and additions
static struct mount mounts[MOUNT_MAX];
static uint32_t used_count;
static struct mount *attached[MOUNT_MAX];
static _Atomic uint32_t attached_count;

struct mount *mount_new(const char *type, const char *source, bool read_only)
{
    mutex_lock(&mount_lock);
    struct mount *mount = used_count < MOUNT_MAX ? &mounts[used_count++] : NULL;
    mutex_unlock(&mount_lock);
    if (mount != NULL) {
        mount->type = type;
        format(mount->source, sizeof mount->source, "%s", source);
        mount->read_only = read_only;
        // Linux numbers file systems without a disk 0:N; N encodes in the low byte and above
        // bit 20.
        mount->device = 20 + (uint64_t)(mount - mounts);
    }
    return mount;
}

void mount_discard(struct mount *mount)
{
    mutex_lock(&mount_lock);
    memset(mount, 0, sizeof *mount);
    if (mount == &mounts[used_count - 1]) {
        --used_count;
    }
    mutex_unlock(&mount_lock);
}

void mount_attach(struct mount *mount, struct vnode *covered, const char *path)
{
    ASSERT(mount->root != NULL);
    format(mount->path, sizeof mount->path, "%s", path);
    const char *slash = strrchr(mount->path, '/');
    mount->name = slash != NULL ? slash + 1 : mount->path;
    mutex_lock(&mount_lock);
    uint32_t count = atomic_load_explicit(&attached_count, memory_order_relaxed);
    if (covered != NULL) {
        mount->parent = covered->mount;
        mount->parent_inode = covered->inode;
    } else {
        ASSERT(count == 0);
    }
    attached[count] = mount;
    // Release pairs with the acquire in mount_upon: who sees the count sees the slot.
    atomic_store_explicit(&attached_count, count + 1, memory_order_release);
    if (covered != NULL) {
        // Release pairs with the acquire in shortcut.c.
        atomic_store_explicit(&covered->upon, mount, memory_order_release);
        atomic_fetch_add(&covered->mount->covered, 1);
    }
    mutex_unlock(&mount_lock);
}

struct mount *mount_upon(const struct vnode *directory, const char *name)
{
    if (atomic_load_explicit(&directory->mount->covered, memory_order_relaxed) == 0) {
        return NULL;
    }
    uint32_t count = atomic_load_explicit(&attached_count, memory_order_acquire);
    for (uint32_t i = count; i-- > 0;) {
        struct mount *mount = attached[i];
        if (mount->parent == directory->mount && mount->parent_inode == directory->inode &&
            strcmp(mount->name, name) == 0) {
            return mount;
        }
    }
    return NULL;
}

void mount_walk(bool (*visit)(const struct mount *mount, void *argument), void *argument)
{
    uint32_t count = atomic_load_explicit(&attached_count, memory_order_acquire);
    for (uint32_t i = 0; i < count && visit(attached[i], argument); ++i) {
    }
}

struct mount *mount_root(void)
{
    ASSERT(atomic_load_explicit(&attached_count, memory_order_acquire) > 0);
    return attached[0];
}
