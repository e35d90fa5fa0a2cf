// SPDX-License-Identifier: BSD-3-Clause
// ramfs_data.c: the contents of files in memory: pages, with holes where nothing was written.
//
// The lock of a file is held while bytes are written. A fault on the other side of the copy may
// bring a page of a mapped file, even of this one: it takes pages_lock (ramfs_pager.c), under which
// nothing is copied.
//
// Reads take no lock where no page goes meanwhile, which layout tells (ramfs_pages.c): what a read
// copied counts only if the layout still holds.
#include "core/lib/assert.h"
#include "core/lib/errno.h"
#include "core/lib/mark.h"
#include "core/lib/string.h"
#include "core/vfs/entry.h"
#include "core/vfs/ramfs_node.h"
#include "core/vfs/ramfs_pages.h"
#include "core/vfs/zeros.h"
#include "core/vm/hugepool.h"
#include "core/vm/vm.h"
#include "hal/hal.h"

static struct ramfs_node *node_of(struct vnode *vnode)
{
    return container_of(vnode, struct ramfs_node, vnode);
}

// Copies between a page and the application's memory at user (one of both). Answers how many bytes:
// fewer than size where the application's memory ends, which it does at a page's end. Memory that
// is the file's own may be copied to a place next to it: then no byte is copied twice.
static size_t user_copy(const struct ramfs_node *node, char *to, const char *from, size_t size,
                        const char *user)
{
    // A mapping of the program's own is there before it makes the call.
    bool may_overlap = __atomic_load_n(&node->mapping_count, __ATOMIC_RELAXED) > 0;
    if (!may_overlap && hal_copy_safe(to, from, size) == 0) {
        return size;
    }
    size_t done = 0;
    while (done < size) {
        size_t part = HAL_PAGE_SIZE - (uintptr_t)(user + done) % HAL_PAGE_SIZE;
        part = part < size - done ? part : size - done;
        if (hal_copy_safe(to + done, from + done, part) != 0) {
            break;
        }
        done += part;
    }
    return done;
}

void ramfs_data_free(struct ramfs_node *node)
{
    ramfs_pages_cut(node, 0, UINT64_MAX);
    if (node->huge != NULL) {
        ramfs_huge_free(node);
    }
}

void ramfs_data_changed(struct ramfs_node *node, uint64_t size)
{
    struct file_time now = file_time_now();
    mutex_lock(&node->pages_lock);
    sequence_change_begin(&node->sequence);
    __atomic_store_n(&node->size, size, __ATOMIC_RELEASE); // pairs with the acquire in copy_out
    node->modified = node->changed = now;
    sequence_change_end(&node->sequence);
    mutex_unlock(&node->pages_lock);
}

struct cut {
    struct ramfs_node *node;
    uint64_t first, end; // the pages that go
};

static void cut_locked(void *argument)
{
    const struct cut *cut = argument;
    mutex_lock(&cut->node->pages_lock);
    ramfs_pages_cut(cut->node, cut->first, cut->end);
    mutex_unlock(&cut->node->pages_lock);
}

int ramfs_data_cut(struct ramfs_node *node, uint64_t first, uint64_t end)
{
    struct cut cut = {node, first, end};
    mutex_lock(&node->pages_lock);
    bool is_mapped = node->mapping_count > 0; // who maps it after this finds no such page
    if (!is_mapped) {
        ramfs_pages_cut(node, first, end);
    }
    mutex_unlock(&node->pages_lock);
    if (!is_mapped) {
        return 0;
    }
    bool is_tail = end == UINT64_MAX; // then what was copied on write goes, too
    uint64_t end_offset = is_tail ? UINT64_MAX : end * HAL_PAGE_SIZE;
    return vm_cut(&node->vnode, first * HAL_PAGE_SIZE, end_offset, is_tail, cut_locked, &cut);
}

int ramfs_data_truncate(struct ramfs_node *node, uint64_t size)
{
    if (size > RAMFS_SIZE_MAX) {
        return -EFBIG;
    }
    mutex_lock(&node->lock);
    uint64_t old_size = node->size;
    int error = ramfs_seals_allow_size(node, size);
    if (error != 0) {
        mutex_unlock(&node->lock);
        return error;
    }
    ramfs_data_changed(node, size); // first: a fault makes no page behind the end that is cut
    if (size < old_size) {
        error = ramfs_data_cut(node, (size + HAL_PAGE_SIZE - 1) / HAL_PAGE_SIZE, UINT64_MAX);
        // What is beyond the end reads as zeros if the file grows again.
        char *page = ramfs_page_get(node, size / HAL_PAGE_SIZE);
        size_t used = size % HAL_PAGE_SIZE;
        if (error != 0) {
            ramfs_data_changed(node, old_size);
        } else if (page != NULL && used != 0) {
            memset(page + used, 0, HAL_PAGE_SIZE - used);
        }
    }
    mutex_unlock(&node->lock);
    return error;
}

void ramfs_data_written(struct ramfs_node *node)
{
    // Where somebody has the lock, a write or a truncation sets the times.
    if (mutex_try_lock(&node->lock)) {
        ramfs_data_changed(node, node->size);
        mutex_unlock(&node->lock);
    }
}

// -EAGAIN: the layout does not hold, and nothing of this counts.
static int copy_out(struct ramfs_node *node, uint32_t layout, uint64_t offset, char *data,
                    size_t size, size_t *done)
{
    // Acquire pairs with the release in ramfs_data_changed: what is below the end has been written.
    uint64_t end = __atomic_load_n(&node->size, __ATOMIC_ACQUIRE);
    if (offset >= end) {
        return 0;
    }
    uint64_t left = end - offset;
    size = left < size ? (size_t)left : size;
    while (*done < size) {
        uint64_t at = offset + *done;
        size_t start = at % HAL_PAGE_SIZE;
        size_t part = HAL_PAGE_SIZE - start < size - *done ? HAL_PAGE_SIZE - start : size - *done;
        const char *page;
        if (!ramfs_page_find(node, at / HAL_PAGE_SIZE, layout, &page)) {
            return -EAGAIN;
        }
        size_t copied = user_copy(node, data + *done, page != NULL ? page + start : vfs_zeros, part,
                                  data + *done);
        if (!sequence_holds(&node->layout, layout)) {
            MARK("ramfs: pages went while they were copied");
            return -EAGAIN;
        }
        *done += copied;
        if (copied < part) {
            return *done > 0 ? 0 : -EFAULT;
        }
    }
    return 0;
}

static int ramfs_read(struct file *file, uint64_t offset, char *data, size_t size, size_t *done)
{
    struct ramfs_node *node = node_of(file->vnode);
    uint32_t layout;
    bool is_calm = sequence_begin(&node->layout, &layout);
    int error = is_calm ? copy_out(node, layout, offset, data, size, done) : -EAGAIN;
    if (error != -EAGAIN) {
        return error;
    }
    MARK("ramfs: read under the lock");
    *done = 0;
    mutex_lock(&node->lock);
    is_calm = sequence_begin(&node->layout, &layout);
    ASSERT(is_calm);
    error = copy_out(node, layout, offset, data, size, done);
    mutex_unlock(&node->lock);
    return error;
}

// The page of a write that has so much left to write from there on. lock is held: no page goes.
static char *page_for_write(struct ramfs_node *node, uint64_t index, size_t left)
{
    char *page = ramfs_page_get(node, index);
    if (page == NULL) {
        mutex_lock(&node->pages_lock);
        size_t count = (left + HAL_PAGE_SIZE - 1) / HAL_PAGE_SIZE;
        bool is_there = ramfs_page_get(node, index) != NULL;
        if (is_there) {
            MARK("ramfs: a fault was faster");
        }
        page = is_there || ramfs_pages_make(node, index, count) > 0 ? ramfs_page_get(node, index)
                                                                    : NULL;
        mutex_unlock(&node->pages_lock);
    }
    return page;
}

static int copy_in_locked(struct ramfs_node *node, uint64_t offset, const char *data, size_t size,
                          size_t *done)
{
    if (offset >= RAMFS_SIZE_MAX) {
        return -EFBIG;
    }
    while (*done < size) {
        uint64_t at = offset + *done;
        size_t start = at % HAL_PAGE_SIZE;
        size_t part = HAL_PAGE_SIZE - start < size - *done ? HAL_PAGE_SIZE - start : size - *done;
        char *page = page_for_write(node, at / HAL_PAGE_SIZE, start + size - *done);
        if (page == NULL) {
            return *done > 0 ? 0 : -ENOSPC;
        }
        size_t copied = user_copy(node, page + start, data + *done, part, data + *done);
        *done += copied;
        if (copied < part) {
            return *done > 0 ? 0 : -EFAULT;
        }
    }
    return 0;
}

static int ramfs_write(struct file *file, uint64_t offset, const char *data, size_t size,
                       size_t *done)
{
    struct ramfs_node *node = node_of(file->vnode);
    if (size == 0) {
        return 0;
    }
    mutex_lock(&node->lock);
    uint64_t start = offset == FILE_OFFSET_NONE ? node->size : offset;
    int error = ramfs_seals_allow_write(node, start, &size);
    error = error != 0 ? error : copy_in_locked(node, start, data, size, done);
    if (*done > 0) {
        ramfs_data_changed(node, start + *done > node->size ? start + *done : node->size);
    }
    mutex_unlock(&node->lock);
    return error;
}

static int ramfs_truncate(struct file *file, uint64_t size)
{
    struct ramfs_node *node = node_of(file->vnode);
    return node->huge != NULL && size % HUGEPOOL_PAGE != 0 ? -EINVAL
                                                           : ramfs_data_truncate(node, size);
}

// A file of large pages is written through mappings only.
static int huge_write(struct file *file, uint64_t offset, const char *data, size_t size,
                      size_t *done)
{
    (void)file;
    (void)offset;
    (void)data;
    (void)size;
    (void)done;
    return -EINVAL;
}

static int ramfs_sync(struct file *file, bool data_only)
{
    (void)file;
    (void)data_only;
    return 0;
}

static const struct file_ops data_ops = {
    .read = ramfs_read,
    .write = ramfs_write,
    .truncate = ramfs_truncate,
    .find = ramfs_hole_find,
    .allocate = ramfs_hole_allocate,
    .sync = ramfs_sync,
    .pager = ramfs_pager,
};

static const struct file_ops huge_ops = {
    .read = ramfs_read,
    .write = huge_write,
    .truncate = ramfs_truncate,
    .find = ramfs_hole_find,
    .allocate = ramfs_hole_allocate,
    .sync = ramfs_sync,
    .pager = ramfs_pager,
};

int ramfs_data_open(struct ramfs_node *node, struct file *file)
{
    file->ops = node->huge != NULL ? &huge_ops : &data_ops;
    uint32_t flags = atomic_load_explicit(&file->flags, memory_order_relaxed);
    if ((flags & OPEN_TRUNCATE) != 0) {
        return ramfs_data_truncate(node, 0);
    }
    return 0;
}
