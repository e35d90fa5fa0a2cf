// SPDX-License-Identifier: BSD-3-Clause
// pager.c: what the pagers of all kinds of files have in common: the file that they keep open, its
// name and identity, and copying by its read operation.
#include "core/vfs/pager.h"

#include "core/lib/errno.h"
#include "core/lib/list.h"
#include "core/lib/string.h"
#include "core/mem/heap.h"
#include "core/vfs/file.h"

struct file_pager *file_pager_of(struct vm_pager *pager)
{
    return container_of(pager, struct file_pager, pager);
}

static int pager_read(struct vm_pager *pager, uint64_t offset, char *to, size_t size)
{
    struct file *file = file_pager_of(pager)->file;
    size_t filled = 0;
    while (filled < size) {
        size_t done = 0;
        int error = file->ops->read(file, offset + filled, to + filled, size - filled, &done);
        if (error != 0) {
            return -EIO;
        }
        if (done == 0) {
            break;
        }
        filled += done;
    }
    memset(to + filled, 0, size - filled);
    return 0;
}

static void pager_get(struct vm_pager *pager)
{
    atomic_fetch_add_explicit(&file_pager_of(pager)->reference_count, 1, memory_order_relaxed);
}

static void pager_put(struct vm_pager *pager)
{
    struct file_pager *own = file_pager_of(pager);
    if (atomic_fetch_sub_explicit(&own->reference_count, 1, memory_order_acq_rel) == 1) {
        if (own->release != NULL) {
            own->release(own);
        }
        file_put(own->file);
        heap_free(own);
    }
}

static const char *pager_name(struct vm_pager *pager)
{
    const char *path = file_pager_of(pager)->file->path;
    return path != NULL ? path : "";
}

int pager_create(struct file *file, struct file_pager **result)
{
    struct file_status status;
    int error = file_status(file, &status);
    if (error != 0) {
        return error;
    }
    struct file_pager *pager = heap_alloc_zeroed(sizeof *pager);
    if (pager == NULL) {
        return -ENOMEM;
    }
    pager->pager = (struct vm_pager){
        .read = pager_read,
        .get = pager_get,
        .put = pager_put,
        .name = pager_name,
        .device = status.device,
        .inode = status.inode,
        .object = file->vnode,
    };
    atomic_init(&pager->reference_count, 1);
    file_get(file);
    pager->file = file;
    pager->size = status.size;
    *result = pager;
    return 0;
}
