// SPDX-License-Identifier: BSD-3-Clause
// pager.c: mappings of files in EROFS format have the image's own pages.
//
// But for a last page that is not whole: what lies behind the file there is something else, or
// would be seen. Each pager of such a file has a copy of that page with zeros behind, made before
// anybody asks for it.
#include "core/lib/errno.h"
#include "core/lib/string.h"
#include "core/mem/frame.h"
#include "core/vfs/erofs/erofs.h"
#include "core/vfs/pager.h"

static struct erofs_node *node_of(struct vm_pager *pager)
{
    return erofs_node_of(file_pager_of(pager)->file->vnode);
}

static uint64_t whole_size(const struct erofs_inode *inode)
{
    return inode->size & ~(uint64_t)(HAL_PAGE_SIZE - 1);
}

static hal_phys page_at(struct vm_pager *pager, uint64_t offset)
{
    const struct erofs_node *node = node_of(pager);
    if (offset < whole_size(&node->inode)) {
        return erofs_mount_of(&node->vnode)->start + node->inode.blocks + offset;
    }
    return frame_of(file_pager_of(pager)->state);
}

static int pager_find(struct vm_pager *pager, uint64_t offset, size_t size, bool is_made,
                      struct vm_frames *found)
{
    (void)is_made;
    const struct erofs_inode *inode = &node_of(pager)->inode;
    if (offset >= inode->size) {
        return -EFAULT;
    }
    const uint64_t whole = whole_size(inode);
    found->start = page_at(pager, offset);
    found->size = HAL_PAGE_SIZE;
    if (offset < whole) {
        found->size = size < whole - offset ? size : (size_t)(whole - offset);
    }
    return 0;
}

static bool pager_owns(struct vm_pager *pager, uint64_t offset, hal_phys page)
{
    return offset < node_of(pager)->inode.size && page_at(pager, offset) == page;
}

static uint64_t pager_size(struct vm_pager *pager)
{
    return node_of(pager)->inode.size;
}

static void pager_release(struct file_pager *own)
{
    if (own->state != NULL) {
        frame_free(frame_of(own->state), 1);
    }
}

static int tail_make(struct file_pager *own)
{
    const struct erofs_node *node = node_of(&own->pager);
    const struct erofs_inode *inode = &node->inode;
    size_t size = inode->size % HAL_PAGE_SIZE;
    if (size == 0) {
        return 0;
    }
    hal_phys frame;
    const int error = frame_alloc(1, FRAME_ZERO, &frame);
    if (error == 0) {
        own->state = frame_address(frame);
        memcpy(own->state,
               erofs_data(&erofs_mount_of(&node->vnode)->image, inode, whole_size(inode), &size),
               inode->size % HAL_PAGE_SIZE);
    }
    return error;
}

int erofs_pager(struct file *file, struct vm_pager **result)
{
    struct file_pager *own;
    int error = pager_create(file, &own);
    if (error != 0) {
        return error;
    }
    own->release = pager_release;
    error = tail_make(own);
    if (error != 0) {
        own->pager.put(&own->pager);
        return error;
    }
    own->pager.find = pager_find;
    own->pager.owns = pager_owns;
    own->pager.size = pager_size;
    *result = &own->pager;
    return 0;
}
