// SPDX-License-Identifier: BSD-3-Clause
// memfile.c: files of ramfs without a name, on a mount that is nowhere, and what seals forbid.
#include "core/vfs/memfile.h"

#include "core/lib/errno.h"
#include "core/lib/string.h"
#include "core/mem/heap.h"
#include "core/vfs/hugefile.h"
#include "core/vfs/mount.h"
#include "core/vfs/ramfs.h"
#include "core/vfs/ramfs_node.h"

static struct mutex lock;
static _Atomic(struct mount *) nowhere; // made with the first file, under lock

static const struct file_ops unopened_ops; // of a file that was never open

static struct ramfs_node *node_of(const struct file *file)
{
    return container_of(file->vnode, struct ramfs_node, vnode);
}

static struct mount *mount_get(void)
{
    mutex_lock(&lock);
    if (nowhere == NULL) {
        nowhere = mount_new("ramfs", "memfd", false);
    }
    struct mount *mount = nowhere;
    mutex_unlock(&lock);
    return mount;
}

static int path_set(struct file *file, const char *path)
{
    size_t size = strlen(path) + 1;
    file->path = heap_alloc(size);
    if (file->path == NULL) {
        return -ENOMEM;
    }
    memcpy(file->path, path, size);
    return 0;
}

static int file_make(struct file **result, const char *path, uint32_t seals, bool is_huge,
                     struct file *origin)
{
    struct mount *mount = mount_get();
    struct file *file;
    int error = mount == NULL ? -ENOSPC : file_create(&file, &unopened_ops, OPEN_READ_WRITE, NULL);
    if (error != 0) {
        return error;
    }
    error = ramfs_unnamed_make(mount, 0777, false, &file->vnode);
    error = error == 0 && is_huge ? hugefile_init(node_of(file), origin) : error;
    error = error != 0 ? error : path_set(file, path);
    error = error != 0 ? error : file->vnode->ops->open(file->vnode, file);
    if (error != 0) {
        file_put(file);
        return error;
    }
    node_of(file)->seals = seals;
    *result = file;
    return 0;
}

int memfile_create(struct file **file, const char *path, uint32_t seals)
{
    return file_make(file, path, seals, false, NULL);
}

int hugefile_create(struct file **file, const char *path, uint32_t seals, struct file *origin)
{
    return file_make(file, path, seals, true, origin);
}

bool memfile_is(const struct file *file)
{
    return file->vnode != NULL && nowhere != NULL && file->vnode->mount == nowhere;
}

bool memfile_is_device(uint64_t device)
{
    const struct mount *mount = nowhere;
    return mount != NULL && mount->device == device;
}

// ---- Seals ---------------------------------------------------------------

static bool is_sealable(const struct file *file)
{
    return memfile_is(file) && (node_of(file)->seals & SEALS_KNOWN) != 0;
}

int memfile_seals(struct file *file, uint32_t *seals)
{
    if (!is_sealable(file)) {
        return -EINVAL;
    }
    struct ramfs_node *node = node_of(file);
    mutex_lock(&node->lock);
    *seals = node->seals & SEAL_ALL;
    mutex_unlock(&node->lock);
    return 0;
}

int memfile_seals_add(struct file *file, uint32_t seals)
{
    uint32_t access = atomic_load_explicit(&file->flags, memory_order_relaxed) & OPEN_ACCESS;
    if (access == OPEN_READ_ONLY) {
        return -EPERM;
    }
    if ((seals & ~(uint32_t)SEAL_ALL) != 0 || !is_sealable(file)) {
        return -EINVAL;
    }
    struct ramfs_node *node = node_of(file);
    mutex_lock(&node->lock);
    bool ends_writing = (seals & ~node->seals & SEAL_WRITE) != 0;
    int error = (node->seals & SEAL_SEAL) != 0          ? -EPERM
                : ends_writing && node->claim_count > 0 ? -EBUSY
                                                        : 0;
    node->seals |= error == 0 ? seals : 0;
    mutex_unlock(&node->lock);
    return error;
}

int ramfs_seals_allow_change(const struct ramfs_node *node)
{
    return (node->seals & (SEAL_WRITE | SEAL_FUTURE_WRITE)) != 0 ? -EPERM : 0;
}

int ramfs_seals_allow_write(const struct ramfs_node *node, uint64_t offset, size_t *size)
{
    if (ramfs_seals_allow_change(node) != 0) {
        return -EPERM;
    }
    if ((node->seals & SEAL_GROW) != 0 && offset + *size > node->size) {
        // Whole pages before the one in which it would grow.
        uint64_t end = node->size & ~(uint64_t)(HAL_PAGE_SIZE - 1);
        if (end <= offset) {
            return -EPERM;
        }
        *size = (size_t)(end - offset);
    }
    return 0;
}

int ramfs_seals_allow_size(const struct ramfs_node *node, uint64_t size)
{
    bool is_refused = (size < node->size && (node->seals & SEAL_SHRINK) != 0) ||
                      (size > node->size && (node->seals & SEAL_GROW) != 0);
    return is_refused ? -EPERM : 0;
}
