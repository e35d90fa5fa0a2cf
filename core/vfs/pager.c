// SPDX-License-Identifier: BSD-3-Clause
// pager.c: files as the source of mapped pages (struct vm_pager of core/vm).
#include "core/vfs/pager.h"

#include <stdatomic.h>

#include "core/lib/errno.h"
#include "core/lib/list.h"
#include "core/lib/string.h"
#include "core/mem/heap.h"
#include "core/vfs/file.h"
#include "core/vm/vm.h"

struct file_pager {
    struct vm_pager pager;
    _Atomic uint32_t reference_count;
    struct file *file; // counted
};

static struct file_pager *pager_of(struct vm_pager *pager)
{
    return container_of(pager, struct file_pager, pager);
}

static int pager_read(struct vm_pager *pager, uint64_t offset, char *to, size_t size)
{
    struct file *file = pager_of(pager)->file;
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
    atomic_fetch_add_explicit(&pager_of(pager)->reference_count, 1, memory_order_relaxed);
}

static void pager_put(struct vm_pager *pager)
{
    struct file_pager *own = pager_of(pager);
    if (atomic_fetch_sub_explicit(&own->reference_count, 1, memory_order_acq_rel) == 1) {
        file_put(own->file);
        heap_free(own);
    }
}

static const char *pager_name(struct vm_pager *pager)
{
    const char *path = pager_of(pager)->file->path;
    return path != NULL ? path : "";
}

int pager_of_file(struct file *file, struct vm_pager **result)
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
    };
    atomic_init(&pager->reference_count, 1);
    file_get(file);
    pager->file = file;
    *result = &pager->pager;
    return 0;
}
