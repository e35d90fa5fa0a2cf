// SPDX-License-Identifier: BSD-3-Clause
// ramfs_hole.c: holes in files in memory, and room before anything is written: what fallocate(2)
// and lseek(2) do there as on Linux's tmpfs.
//
// Room is pages of zeros, beyond the end, too, from where a truncation takes them away. They count
// as data, which Linux says of them only once they are written.
#include "core/lib/errno.h"
#include "core/lib/string.h"
#include "core/mem/frame.h"
#include "core/vfs/ramfs_node.h"
#include "core/vfs/ramfs_pages.h"
#include "core/vm/hugepool.h"
#include "hal/hal.h"

static struct ramfs_node *node_of(struct vnode *vnode)
{
    return container_of(vnode, struct ramfs_node, vnode);
}

static uint64_t page_count(uint64_t size)
{
    return (size + HAL_PAGE_SIZE - 1) / HAL_PAGE_SIZE;
}

// The first hole from index on, below end; end: none.
static uint64_t hole_next(const struct ramfs_node *node, uint64_t index, uint64_t end)
{
    while (index < end && ramfs_page_get(node, index) != NULL) {
        ++index;
    }
    return index;
}

int ramfs_hole_find(struct file *file, uint64_t offset, enum seek_from what, uint64_t *result)
{
    struct ramfs_node *node = node_of(file->vnode);
    mutex_lock(&node->lock); // no page goes
    mutex_lock(&node->pages_lock);
    uint64_t size = node->size;
    uint64_t index = offset / HAL_PAGE_SIZE;
    uint64_t found = what == SEEK_TO_DATA ? ramfs_page_next(node, index, page_count(size))
                                          : hole_next(node, index, page_count(size));
    mutex_unlock(&node->pages_lock);
    mutex_unlock(&node->lock);
    uint64_t place = found == index ? offset : found * HAL_PAGE_SIZE;
    bool is_there = place < size;
    *result = is_there ? place : size;
    return is_there || (what == SEEK_TO_HOLE && offset < size) ? 0 : -ENXIO;
}

// Zeros in one page, if it is there. lock is held.
static void page_clear(struct ramfs_node *node, uint64_t offset, uint64_t end)
{
    char *page = ramfs_page_get(node, offset / HAL_PAGE_SIZE);
    if (page != NULL) {
        memset(page + offset % HAL_PAGE_SIZE, 0, (size_t)(end - offset));
    }
}

// The same in all of them.
static void range_clear(struct ramfs_node *node, uint64_t offset, uint64_t end)
{
    while (offset < end) {
        const uint64_t next = (offset / HAL_PAGE_SIZE + 1) * HAL_PAGE_SIZE;
        page_clear(node, offset, next < end ? next : end);
        offset = next;
    }
}

// Large pages: the whole ones go, what is left of the others becomes zeros. lock is held.
static int huge_punch_locked(struct ramfs_node *node, uint64_t offset, uint64_t end)
{
    const uint64_t low = (offset + HUGEPOOL_PAGE - 1) / HUGEPOOL_PAGE * HUGEPOOL_PAGE;
    const uint64_t high = end / HUGEPOOL_PAGE * HUGEPOOL_PAGE;
    const uint64_t size = node->size;
    end = end < size ? end : size;
    if (low >= high) {
        range_clear(node, offset, end);
        return 0;
    }
    int error = ramfs_data_cut(node, low / HAL_PAGE_SIZE, high / HAL_PAGE_SIZE);
    if (error == 0) {
        range_clear(node, offset, low);
        range_clear(node, high, end);
    }
    return error;
}

// lock is held.
static int punch_locked(struct ramfs_node *node, uint64_t offset, uint64_t end)
{
    if (node->huge != NULL) {
        return huge_punch_locked(node, offset, end);
    }
    uint64_t first = page_count(offset); // the first whole page of the hole
    uint64_t last = end / HAL_PAGE_SIZE; // and the one after the last
    if (first > last) {
        page_clear(node, offset, end); // all within one page
        return 0;
    }
    int error = first < last ? ramfs_data_cut(node, first, last) : 0;
    if (error == 0 && offset < first * HAL_PAGE_SIZE) {
        page_clear(node, offset, first * HAL_PAGE_SIZE);
    }
    if (error == 0 && last * HAL_PAGE_SIZE < end) {
        page_clear(node, last * HAL_PAGE_SIZE, end);
    }
    return error;
}

// Fills the holes of [first, end) with pages of zeros. lock is held.
static int room_make(struct ramfs_node *node, uint64_t first, uint64_t end)
{
    if (node->huge == NULL && end - first > frame_free_count()) {
        return -ENOSPC;
    }
    int error = 0;
    mutex_lock(&node->pages_lock);
    while (first < end && error == 0) {
        first = hole_next(node, first, end);
        size_t made = first < end ? ramfs_pages_make(node, first, (size_t)(end - first)) : 1;
        error = made == 0 ? -ENOSPC : 0; // what was made stays: the file reads the same
    }
    mutex_unlock(&node->pages_lock);
    return error;
}

int ramfs_hole_allocate(struct file *file, unsigned how, uint64_t offset, uint64_t size)
{
    struct ramfs_node *node = node_of(file->vnode);
    uint64_t end = offset + size;
    if ((how & ~(unsigned)(ALLOCATE_KEEP_SIZE | ALLOCATE_PUNCH_HOLE)) != 0) {
        return -EOPNOTSUPP;
    }
    if (end > RAMFS_SIZE_MAX && (how & ALLOCATE_PUNCH_HOLE) == 0) {
        return -EFBIG;
    }
    mutex_lock(&node->lock);
    int error = 0;
    if ((how & ALLOCATE_PUNCH_HOLE) != 0) {
        error = ramfs_seals_allow_change(node);
        error = error != 0 ? error : punch_locked(node, offset, end);
    } else {
        error = end > node->size ? ramfs_seals_allow_size(node, end) : 0;
        error = error != 0 ? error : room_make(node, offset / HAL_PAGE_SIZE, page_count(end));
    }
    if (error == 0) {
        bool grows = (how & ALLOCATE_KEEP_SIZE) == 0 && end > node->size;
        ramfs_data_changed(node, grows ? end : node->size);
    }
    mutex_unlock(&node->lock);
    return error;
}
