// SPDX-License-Identifier: BSD-3-Clause
// pager.c: mappings of files in EROFS format have the image's own pages, or, where it is on a disk,
// those of the disk's cache: a pager reads and holds the chunks of a range before it is mapped
// (prepare), and until it goes. Chunks are only added, so that find takes no lock.
//
// But for a last page that is not whole: what lies behind the file there is something else, or
// would be seen. Each pager of such a file has a copy of that page with zeros behind, made before
// anybody asks for it.
#include "core/dev/blockcache.h"
#include "core/lib/errno.h"
#include "core/lib/string.h"
#include "core/mem/frame.h"
#include "core/mem/heap.h"
#include "core/vfs/erofs/erofs.h"
#include "core/vfs/pager.h"

struct erofs_pages {                        // state of a pager
    char *tail;                             // the copy of the last page; NULL: it is whole
    struct mutex lock;                      // for who adds chunks
    uint64_t first;                         // chunk of the disk
    size_t count;                           // of chunks
    _Atomic(struct block_chunk *) chunks[]; // NULL: not asked for yet
};

static struct erofs_node *node_of(struct vm_pager *pager)
{
    return erofs_node_of(file_pager_of(pager)->file->vnode);
}

static struct erofs_pages *pages_of(struct vm_pager *pager)
{
    return file_pager_of(pager)->state;
}

static struct erofs_image *image_of(struct vm_pager *pager)
{
    return &erofs_mount_of(&node_of(pager)->vnode)->image;
}

static uint64_t whole_size(const struct erofs_inode *inode)
{
    return inode->size & ~(uint64_t)(HAL_PAGE_SIZE - 1);
}

// The frame of the page at offset, and how many bytes of the file follow in frames behind it. 0: it
// has not been asked for.
static hal_phys pages_at(struct vm_pager *pager, uint64_t offset, uint64_t *size)
{
    const struct erofs_node *node = node_of(pager);
    struct erofs_pages *pages = pages_of(pager);
    const uint64_t whole = whole_size(&node->inode), place = node->inode.blocks + offset;
    if (offset >= whole) {
        *size = HAL_PAGE_SIZE;
        return frame_of(pages->tail);
    }
    *size = whole - offset;
    if (image_of(pager)->start != NULL) {
        return erofs_mount_of(&node->vnode)->start + place;
    }
    const uint64_t on_disk = erofs_disk_place(image_of(pager), place);
    const struct block_chunk *chunk =
        atomic_load(&pages->chunks[on_disk / BLOCK_CHUNK - pages->first]);
    const uint64_t at = on_disk % BLOCK_CHUNK;
    *size = *size < BLOCK_CHUNK - at ? *size : BLOCK_CHUNK - at;
    return chunk == NULL ? 0 : frame_of(block_chunk_data(chunk)) + at;
}

static int pager_find(struct vm_pager *pager, uint64_t offset, size_t size, bool is_made,
                      struct vm_frames *found)
{
    (void)is_made;
    if (offset >= node_of(pager)->inode.size) {
        return -EFAULT;
    }
    uint64_t there;
    found->start = pages_at(pager, offset, &there);
    found->size = size < there ? size : (size_t)there;
    return found->start != 0 ? 0 : -EFAULT;
}

static bool pager_owns(struct vm_pager *pager, uint64_t offset, hal_phys page)
{
    uint64_t size;
    return offset < node_of(pager)->inode.size && pages_at(pager, offset, &size) == page;
}

static uint64_t pager_size(struct vm_pager *pager)
{
    return node_of(pager)->inode.size;
}

static int chunk_add(struct vm_pager *pager, struct erofs_pages *pages, uint64_t index)
{
    struct erofs_image *image = image_of(pager);
    _Atomic(struct block_chunk *) *slot = &pages->chunks[index - pages->first];
    struct block_chunk *chunk;
    if (atomic_load(slot) != NULL) {
        return 0;
    }
    const int error = block_chunk_get(erofs_disk_cache(image), index, &chunk);
    if (error == -EIO) {
        const uint64_t start = erofs_disk_place(image, 0), at = index * BLOCK_CHUNK;
        erofs_complain_unread(image, at > start ? at - start : 0);
    }
    if (error == 0) {
        atomic_store(slot, chunk);
    }
    return error;
}

static int pager_prepare(struct vm_pager *pager, uint64_t offset, size_t size)
{
    struct erofs_pages *pages = pages_of(pager);
    const struct erofs_inode *inode = &node_of(pager)->inode;
    const uint64_t whole = whole_size(inode);
    if (offset >= whole || size == 0) {
        return 0;
    }
    const uint64_t last = (size < whole - offset ? offset + size : whole) - 1;
    const uint64_t start = erofs_disk_place(image_of(pager), inode->blocks);
    int error = 0;
    mutex_lock(&pages->lock);
    for (uint64_t i = (start + offset) / BLOCK_CHUNK;
         i <= (start + last) / BLOCK_CHUNK && error == 0; ++i) {
        error = chunk_add(pager, pages, i);
    }
    mutex_unlock(&pages->lock);
    return error;
}

static void pager_release(struct file_pager *own)
{
    struct erofs_pages *pages = own->state;
    for (size_t i = 0; i < pages->count; ++i) {
        struct block_chunk *chunk = atomic_load(&pages->chunks[i]);
        if (chunk != NULL) {
            block_chunk_put(erofs_disk_cache(image_of(&own->pager)), chunk);
        }
    }
    if (pages->tail != NULL) {
        frame_free(frame_of(pages->tail), 1);
    }
    heap_free(pages);
}

static struct erofs_pages *pages_new(const struct erofs_image *image,
                                     const struct erofs_inode *inode)
{
    const uint64_t whole = whole_size(inode);
    uint64_t first = 0, count = 0;
    if (image->start == NULL && whole != 0) {
        const uint64_t start = erofs_disk_place(image, inode->blocks);
        first = start / BLOCK_CHUNK;
        count = (start + whole - 1) / BLOCK_CHUNK - first + 1;
    }
    struct erofs_pages *pages = heap_alloc_zeroed(sizeof *pages + count * sizeof pages->chunks[0]);
    if (pages != NULL) {
        pages->first = first;
        pages->count = count;
    }
    return pages;
}

static int tail_make(struct file_pager *own, struct erofs_pages *pages)
{
    const struct erofs_inode *inode = &node_of(&own->pager)->inode;
    const size_t size = inode->size % HAL_PAGE_SIZE;
    if (size == 0) {
        return 0;
    }
    hal_phys frame;
    const int error = frame_alloc(1, FRAME_ZERO, &frame);
    if (error != 0) {
        return error;
    }
    pages->tail = frame_address(frame);
    return own->pager.read(&own->pager, whole_size(inode), pages->tail, size);
}

int erofs_pager(struct file *file, struct vm_pager **result)
{
    struct file_pager *own;
    int error = pager_create(file, &own);
    if (error != 0) {
        return error;
    }
    struct erofs_pages *pages = pages_new(image_of(&own->pager), &node_of(&own->pager)->inode);
    if (pages == NULL) {
        own->pager.put(&own->pager);
        return -ENOMEM;
    }
    own->state = pages;
    own->release = pager_release;
    error = tail_make(own, pages);
    if (error != 0) {
        own->pager.put(&own->pager);
        return error;
    }
    own->pager.find = pager_find;
    own->pager.owns = pager_owns;
    own->pager.size = pager_size;
    own->pager.prepare = image_of(&own->pager)->start == NULL ? pager_prepare : NULL;
    *result = &own->pager;
    return 0;
}
