// SPDX-License-Identifier: BSD-3-Clause
// ramfs_data.c: the contents of files in memory: an array of pages, with holes where nothing was
// written.
//
// The lock of a file is held while bytes are copied. A fault on the other side of the copy brings
// anonymous memory without any lock (core/vm/lazy.c): it never comes here.
//
// Reads take no lock where no page goes and the array does not move meanwhile, which layout tells:
// a sequence lock. What a read finds may be freed under its hands, but stays readable, since it
// lies in the direct map; what it copied counts only if the layout still holds.
#include "core/lib/assert.h"
#include "core/lib/errno.h"
#include "core/lib/string.h"
#include "core/mem/frame.h"
#include "core/mem/heap.h"
#include "core/vfs/entry.h"
#include "core/vfs/pager.h"
#include "core/vfs/ramfs_node.h"
#include "hal/hal.h"

enum { PAGES_MIN = 4, PAGES_UNLOCKED_MAX = 131072 }; // larger arrays are not in the direct map

// The largest file: what an array of page pointers of 2 GiB can hold, far beyond memory.
#define SIZE_LIMIT (UINT64_C(1) << 40)

static struct ramfs_node *node_of(struct vnode *vnode)
{
    return container_of(vnode, struct ramfs_node, vnode);
}

// Copies between a page and the application's memory at user (one of both). Answers how many bytes:
// fewer than size where the application's memory ends, which it does at a page's end.
static size_t user_copy(char *to, const char *from, size_t size, const char *user)
{
    if (hal_copy_safe(to, from, size) == 0) {
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

static char *page_at(const struct ramfs_node *node, uint64_t index)
{
    return index < node->page_count ? node->pages[index] : NULL;
}

static void layout_change_begin(struct ramfs_node *node)
{
    uint32_t layout = atomic_load_explicit(&node->layout, memory_order_relaxed);
    atomic_store_explicit(&node->layout, layout + 1, memory_order_relaxed);
    // Pairs with the fence in layout_holds: who reads what comes now sees the odd number.
    atomic_thread_fence(memory_order_release);
}

static void layout_change_end(struct ramfs_node *node)
{
    uint32_t layout = atomic_load_explicit(&node->layout, memory_order_relaxed);
    // Release pairs with the acquire in ramfs_read.
    atomic_store_explicit(&node->layout, layout + 1, memory_order_release);
}

static bool layout_holds(const struct ramfs_node *node, uint32_t layout)
{
    atomic_thread_fence(memory_order_acquire);
    return atomic_load_explicit(&node->layout, memory_order_relaxed) == layout;
}

// The page, or NULL for a hole. False: it takes the lock to say.
static bool page_find(const struct ramfs_node *node, uint64_t index, uint32_t layout,
                      const char **page)
{
    char **pages = __atomic_load_n(&node->pages, __ATOMIC_RELAXED);
    size_t count = __atomic_load_n(&node->page_count, __ATOMIC_RELAXED);
    if (!layout_holds(node, layout) ||
        (count > PAGES_UNLOCKED_MAX && !mutex_is_mine(&node->lock))) {
        return false;
    }
    // Acquire pairs with the release in page_make: the page is zeroed.
    *page = index < count ? __atomic_load_n(&pages[index], __ATOMIC_ACQUIRE) : NULL;
    return true;
}

static int pages_grow(struct ramfs_node *node, uint64_t count)
{
    if (count <= node->page_count) {
        return 0;
    }
    size_t wanted = node->page_count * 2 > PAGES_MIN ? node->page_count * 2 : PAGES_MIN;
    wanted = wanted > count ? wanted : (size_t)count;
    layout_change_begin(node);
    char **pages = heap_realloc(node->pages, wanted * sizeof *pages);
    if (pages != NULL) {
        memset(pages + node->page_count, 0, (wanted - node->page_count) * sizeof *pages);
        node->pages = pages;
        node->page_count = wanted;
    }
    layout_change_end(node);
    return pages != NULL ? 0 : -ENOSPC;
}

// lock is held, or nobody else knows the node.
static void present_add(struct ramfs_node *node, size_t count)
{
    size_t present = atomic_load_explicit(&node->present_count, memory_order_relaxed);
    atomic_store_explicit(&node->present_count, present + count, memory_order_relaxed);
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
        // Release pairs with the acquire in page_find.
        __atomic_store_n(&node->pages[index], frame_address(frame), __ATOMIC_RELEASE);
        present_add(node, 1);
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
            present_add(node, -(size_t)1);
        }
    }
}

void ramfs_data_free(struct ramfs_node *node)
{
    pages_free_from(node, 0);
    heap_free(node->pages);
}

// The contents have changed; lock is held.
static void status_set(struct ramfs_node *node, uint64_t size)
{
    struct file_time now = file_time_now();
    uint32_t sequence = atomic_load_explicit(&node->sequence, memory_order_relaxed);
    atomic_store_explicit(&node->sequence, sequence + 1, memory_order_relaxed);
    atomic_thread_fence(memory_order_release);             // pairs with the fence in ramfs_status
    __atomic_store_n(&node->size, size, __ATOMIC_RELEASE); // pairs with the acquire in copy_out
    node->modified = node->changed = now;
    // Release pairs with the acquire in ramfs_status.
    atomic_store_explicit(&node->sequence, sequence + 2, memory_order_release);
}

int ramfs_data_truncate(struct ramfs_node *node, uint64_t size)
{
    if (size > SIZE_LIMIT) {
        return -EFBIG;
    }
    mutex_lock(&node->lock);
    if (size < node->size) {
        layout_change_begin(node);
        pages_free_from(node, (size + HAL_PAGE_SIZE - 1) / HAL_PAGE_SIZE);
        layout_change_end(node);
        // What is beyond the end reads as zeros if the file grows again.
        char *page = page_at(node, size / HAL_PAGE_SIZE);
        if (page != NULL) {
            size_t used = size % HAL_PAGE_SIZE;
            memset(page + used, 0, HAL_PAGE_SIZE - used);
        }
    }
    status_set(node, size);
    mutex_unlock(&node->lock);
    return 0;
}

static const char zeros[HAL_PAGE_SIZE];

// -EAGAIN: the layout does not hold, and nothing of this counts.
static int copy_out(struct ramfs_node *node, uint32_t layout, uint64_t offset, char *data,
                    size_t size, size_t *done)
{
    // Acquire pairs with the release in status_set: what is below the end has been written.
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
        if (!page_find(node, at / HAL_PAGE_SIZE, layout, &page)) {
            return -EAGAIN;
        }
        size_t copied =
            user_copy(data + *done, page != NULL ? page + start : zeros, part, data + *done);
        if (!layout_holds(node, layout)) {
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
    // Acquire pairs with layout_change_end.
    uint32_t layout = atomic_load_explicit(&node->layout, memory_order_acquire);
    int error = (layout & 1) == 0 ? copy_out(node, layout, offset, data, size, done) : -EAGAIN;
    if (error != -EAGAIN) {
        return error;
    }
    *done = 0;
    mutex_lock(&node->lock);
    layout = atomic_load_explicit(&node->layout, memory_order_relaxed);
    error = copy_out(node, layout, offset, data, size, done);
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
        if (error != 0) {
            return *done > 0 ? 0 : error;
        }
        size_t copied = user_copy(page + start, data + *done, part, data + *done);
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
    int error = copy_in_locked(node, start, data, size, done);
    if (*done > 0) {
        status_set(node, start + *done > node->size ? start + *done : node->size);
    }
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
