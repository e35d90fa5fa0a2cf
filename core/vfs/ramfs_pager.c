// SPDX-License-Identifier: BSD-3-Clause
// ramfs_pager.c: mappings of files in memory have the file's own pages.
//
// While a file has pagers its pages go only by vm_cut, which keeps faults out: what a fault finds
// stays until it is mapped.
#include "core/lib/errno.h"
#include "core/mem/frame.h"
#include "core/vfs/pager.h"
#include "core/vfs/ramfs_node.h"
#include "core/vfs/ramfs_pages.h"

enum { AROUND = 64 << 10 };

static struct ramfs_node *node_of(struct vm_pager *pager)
{
    return container_of(file_pager_of(pager)->file->vnode, struct ramfs_node, vnode);
}

static uint64_t pager_size(struct vm_pager *pager)
{
    // Acquire pairs with the release in ramfs_data_changed.
    return __atomic_load_n(&node_of(pager)->size, __ATOMIC_ACQUIRE);
}

// Neighbouring frames from index on, where a page is.
static size_t run_length(const struct ramfs_node *node, uint64_t index, size_t count)
{
    const char *first = ramfs_page_get(node, index);
    size_t length = 1;
    while (length < count &&
           ramfs_page_get(node, index + length) == first + length * HAL_PAGE_SIZE) {
        ++length;
    }
    return length;
}

static int find_locked(struct ramfs_node *node, uint64_t index, size_t count, bool is_made,
                       struct vm_frames *found)
{
    if (ramfs_page_get(node, index) == NULL) {
        if (!is_made) {
            found->size =
                (size_t)(ramfs_page_next(node, index, index + count) - index) * HAL_PAGE_SIZE;
            return -ENOENT;
        }
        if (ramfs_pages_make(node, index, count) == 0) {
            return -ENOMEM;
        }
    }
    found->start = frame_of(ramfs_page_get(node, index));
    found->size = run_length(node, index, count) * HAL_PAGE_SIZE;
    return 0;
}

static int pager_find(struct vm_pager *pager, uint64_t offset, size_t size, bool is_made,
                      struct vm_frames *found)
{
    struct ramfs_node *node = node_of(pager);
    uint64_t index = offset / HAL_PAGE_SIZE;
    mutex_lock(&node->pages_lock);
    uint64_t end = (pager_size(pager) + HAL_PAGE_SIZE - 1) / HAL_PAGE_SIZE;
    int error = -EFAULT;
    if (index < end) {
        size_t count = size / HAL_PAGE_SIZE;
        count = count < end - index ? count : (size_t)(end - index);
        error = find_locked(node, index, count, is_made, found);
    }
    mutex_unlock(&node->pages_lock);
    return error;
}

// No page goes while somebody asks (vm_cut), so it takes no lock to look.
static bool pager_owns(struct vm_pager *pager, uint64_t offset, hal_phys page)
{
    return ramfs_page_get(node_of(pager), offset / HAL_PAGE_SIZE) == frame_address(page);
}

static void pager_written(struct vm_pager *pager)
{
    ramfs_data_written(node_of(pager));
}

static void mapping_count_add(struct ramfs_node *node, uint32_t count)
{
    mutex_lock(&node->pages_lock);
    // user_copy (ramfs_data.c) looks without the lock.
    __atomic_store_n(&node->mapping_count, node->mapping_count + count, __ATOMIC_RELAXED);
    mutex_unlock(&node->pages_lock);
}

static int pager_claim(struct vm_pager *pager)
{
    struct ramfs_node *node = node_of(pager);
    mutex_lock(&node->lock);
    int error = ramfs_seals_allow_change(node);
    if (error == 0) {
        ++node->claim_count;
        file_pager_of(pager)->state = node;
    }
    mutex_unlock(&node->lock);
    return error;
}

static void pager_release(struct file_pager *own)
{
    if (own->state != NULL) { // claimed
        struct ramfs_node *node = node_of(&own->pager);
        mutex_lock(&node->lock);
        --node->claim_count;
        mutex_unlock(&node->lock);
    }
    mapping_count_add(node_of(&own->pager), UINT32_MAX); // one less
}

int ramfs_pager(struct file *file, struct vm_pager **result)
{
    struct file_pager *own;
    int error = pager_create(file, &own);
    if (error != 0) {
        return error;
    }
    own->pager.find = pager_find;
    own->pager.owns = pager_owns;
    own->pager.written = pager_written;
    own->pager.size = pager_size;
    own->pager.claim = pager_claim;
    own->pager.around = node_of(&own->pager)->huge != NULL ? 0 : AROUND;
    own->release = pager_release;
    mapping_count_add(node_of(&own->pager), 1);
    *result = &own->pager;
    return 0;
}
