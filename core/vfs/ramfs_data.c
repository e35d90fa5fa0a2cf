// SPDX-License-Identifier: BSD-3-Clause
// ramfs_data.c: the contents of files in memory: an array of pages, with holes where nothing was
// written.
//
// The lock of a file is held while bytes are copied, and vm may hold its own while it reads a page
// through the pager. A fault on the other side of a copy would take them the other way round: so a
// buffer's pages are touched before the lock is taken.
#include "core/lib/assert.h"
#include "core/lib/errno.h"
#include "core/lib/string.h"
#include "core/mem/frame.h"
#include "core/mem/heap.h"
#include "core/vfs/entry.h"
#include "core/vfs/pager.h"
#include "core/vfs/ramfs_node.h"
#include "hal/hal.h"

enum { PAGES_MIN = 4 };

// The largest file: what an array of page pointers of 2 GiB can hold, far beyond memory.
#define SIZE_LIMIT (UINT64_C(1) << 40)

static struct ramfs_node *node_of(struct vnode *vnode)
{
    return container_of(vnode, struct ramfs_node, vnode);
}

// Reads one byte of each page, and writes it back where the buffer is to be filled.
static int buffer_touch(char *data, size_t size, bool to_write)
{
    uintptr_t end = (uintptr_t)data + size;
    for (uintptr_t at = (uintptr_t)data; at < end; at = (at | (HAL_PAGE_SIZE - 1)) + 1) {
        char byte;
        int error = hal_copy_safe(&byte, (const char *)at, 1);
        if (error == 0 && to_write) {
            error = hal_copy_safe((char *)at, &byte, 1);
        }
        if (error != 0) {
            return error;
        }
    }
    return 0;
}

static char *page_at(const struct ramfs_node *node, uint64_t index)
{
    return index < node->page_count ? node->pages[index] : NULL;
}

static int pages_grow(struct ramfs_node *node, uint64_t count)
{
    if (count <= node->page_count) {
        return 0;
    }
    size_t wanted = node->page_count * 2 > PAGES_MIN ? node->page_count * 2 : PAGES_MIN;
    wanted = wanted > count ? wanted : (size_t)count;
    char **pages = heap_realloc(node->pages, wanted * sizeof *pages);
    if (pages == NULL) {
        return -ENOSPC;
    }
    memset(pages + node->page_count, 0, (wanted - node->page_count) * sizeof *pages);
    node->pages = pages;
    node->page_count = wanted;
    return 0;
}

static int page_make(struct ramfs_node *node, uint64_t index, char **page)
{
    int error = pages_grow(node, index + 1);
    if (error != 0) {
        return error;
    }
    if (node->pages[index] == NULL) {
        hal_phys frame;
        if (frame_alloc(1, FRAME_ZERO, &frame) != 0) {
            return -ENOSPC;
        }
        node->pages[index] = frame_address(frame);
    }
    *page = node->pages[index];
    return 0;
}

static void pages_free_from(struct ramfs_node *node, uint64_t first)
{
    for (uint64_t i = first; i < node->page_count; ++i) {
        if (node->pages[i] != NULL) {
            frame_free(frame_of(node->pages[i]), 1);
            node->pages[i] = NULL;
        }
    }
}

void ramfs_data_free(struct ramfs_node *node)
{
    pages_free_from(node, 0);
    heap_free(node->pages);
}

int ramfs_data_truncate(struct ramfs_node *node, uint64_t size)
{
    if (size > SIZE_LIMIT) {
        return -EFBIG;
    }
    mutex_lock(&node->lock);
    if (size < node->size) {
        pages_free_from(node, (size + HAL_PAGE_SIZE - 1) / HAL_PAGE_SIZE);
        // What is beyond the end reads as zeros if the file grows again.
        char *page = page_at(node, size / HAL_PAGE_SIZE);
        if (page != NULL) {
            size_t used = size % HAL_PAGE_SIZE;
            memset(page + used, 0, HAL_PAGE_SIZE - used);
        }
    }
    node->size = size;
    node->modified = node->changed = file_time_now();
    mutex_unlock(&node->lock);
    return 0;
}

size_t ramfs_data_block_count(struct ramfs_node *node)
{
    size_t count = 0;
    mutex_lock(&node->lock);
    for (size_t i = 0; i < node->page_count; ++i) {
        count += node->pages[i] != NULL;
    }
    mutex_unlock(&node->lock);
    return count * (HAL_PAGE_SIZE / 512);
}

static const char zeros[HAL_PAGE_SIZE];

static int copy_out_locked(struct ramfs_node *node, uint64_t offset, char *data, size_t size,
                           size_t *done)
{
    if (offset >= node->size) {
        return 0;
    }
    uint64_t left = node->size - offset;
    size = left < size ? (size_t)left : size;
    while (*done < size) {
        uint64_t at = offset + *done;
        size_t start = at % HAL_PAGE_SIZE;
        size_t part = HAL_PAGE_SIZE - start < size - *done ? HAL_PAGE_SIZE - start : size - *done;
        const char *page = page_at(node, at / HAL_PAGE_SIZE);
        int error = hal_copy_safe(data + *done, page != NULL ? page + start : zeros, part);
        if (error != 0) {
            return *done > 0 ? 0 : error;
        }
        *done += part;
    }
    return 0;
}

static int ramfs_read(struct file *file, uint64_t offset, char *data, size_t size, size_t *done)
{
    struct ramfs_node *node = node_of(file->vnode);
    // Only what will be filled is touched: a buffer may be promised longer than it is.
    uint64_t end = __atomic_load_n(&node->size, __ATOMIC_RELAXED);
    uint64_t left = offset < end ? end - offset : 0;
    int error = buffer_touch(data, left < size ? (size_t)left : size, true);
    if (error != 0) {
        return error;
    }
    mutex_lock(&node->lock);
    error = copy_out_locked(node, offset, data, size, done);
    mutex_unlock(&node->lock);
    return error;
}

static int copy_in_locked(struct ramfs_node *node, uint64_t offset, const char *data, size_t size,
                          size_t *done)
{
    if (offset >= SIZE_LIMIT) {
        return -EFBIG;
    }
    while (*done < size) {
        uint64_t at = offset + *done;
        size_t start = at % HAL_PAGE_SIZE;
        size_t part = HAL_PAGE_SIZE - start < size - *done ? HAL_PAGE_SIZE - start : size - *done;
        char *page;
        int error = page_make(node, at / HAL_PAGE_SIZE, &page);
        if (error == 0) {
            error = hal_copy_safe(page + start, data + *done, part);
        }
        if (error != 0) {
            return *done > 0 ? 0 : error;
        }
        *done += part;
        uint64_t end = offset + *done;
        if (end > node->size) {
            __atomic_store_n(&node->size, end,
                             __ATOMIC_RELAXED); // ramfs_read looks without the lock
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
    int error = buffer_touch((char *)(uintptr_t)data, size, false);
    if (error != 0) {
        return error;
    }
    mutex_lock(&node->lock);
    error =
        copy_in_locked(node, offset == FILE_OFFSET_NONE ? node->size : offset, data, size, done);
    node->modified = node->changed = file_time_now();
    mutex_unlock(&node->lock);
    return error;
}

static int ramfs_truncate(struct file *file, uint64_t size)
{
    return ramfs_data_truncate(node_of(file->vnode), size);
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
    .sync = ramfs_sync,
    .pager = pager_of_file,
};

int ramfs_data_open(struct ramfs_node *node, struct file *file)
{
    file->ops = &data_ops;
    uint32_t flags = atomic_load_explicit(&file->flags, memory_order_relaxed);
    if ((flags & OPEN_TRUNCATE) != 0 && (flags & OPEN_ACCESS) != OPEN_READ_ONLY) {
        return ramfs_data_truncate(node, 0);
    }
    return 0;
}
