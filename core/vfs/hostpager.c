// SPDX-License-Identifier: BSD-3-Clause
// hostpager.c: mappings of files behind a file-system device: the device's shared memory itself, so
// that a mapping is the host's own page cache, and costs no copy.
//
// A pager maps parts of its file into the window before they are asked for (prepare), and keeps
// them until it goes. Parts are only added, and published by part_count: find takes no lock. Where
// the file ends is for the host to say, by a fault (HAL_FAULT_BUS); only what is mapped unasked
// goes by the size that the file had when it was mapped.
#include "core/lib/errno.h"
#include "core/mem/frame.h"
#include "core/mem/heap.h"
#include "core/vfs/hostcache.h"
#include "core/vfs/hostfs.h"
#include "core/vfs/pager.h"

enum { PARTS_MAX = 12, WHOLE_MAX = 64 << 20 };

struct part { // chunks of the file, and of the window
    uint64_t first;
    uint32_t count, chunk;
};

struct host_parts {    // state of a pager
    struct mutex lock; // for who adds a part
    _Atomic uint32_t part_count;
    struct part parts[PARTS_MAX];
};

static struct host_parts *parts_of(struct vm_pager *pager)
{
    return file_pager_of(pager)->state;
}

static const struct host_file *host_of(struct vm_pager *pager)
{
    return file_pager_of(pager)->file->state;
}

static const struct part *part_find(struct host_parts *own, uint64_t offset)
{
    uint64_t chunk = offset / FS_CHUNK_SIZE;
    uint32_t count = atomic_load_explicit(&own->part_count, memory_order_acquire);
    for (uint32_t i = 0; i < count; ++i) {
        const struct part *part = &own->parts[i];
        if (chunk >= part->first && chunk - part->first < part->count) {
            return part;
        }
    }
    return NULL;
}

static int pager_find(struct vm_pager *pager, uint64_t offset, size_t size, bool is_made,
                      struct vm_frames *found)
{
    uint64_t size_known = file_pager_of(pager)->size;
    const struct part *part = part_find(parts_of(pager), offset);
    if (part == NULL || (!is_made && offset >= size_known)) {
        return -EFAULT;
    }
    uint64_t start = part->first * FS_CHUNK_SIZE;
    uint64_t end = start + (uint64_t)part->count * FS_CHUNK_SIZE;
    uint64_t known = (size_known + HAL_PAGE_SIZE - 1) & ~(uint64_t)(HAL_PAGE_SIZE - 1);
    end = !is_made && end > known ? known : end;
    const char *address = fs_chunk_address(host_of(pager)->device, part->chunk);
    found->start = (hal_phys)(address + (offset - start) - frame_direct_base());
    found->size = end - offset < size ? (size_t)(end - offset) : size;
    return 0;
}

// What is no memory of ours is the window's.
static bool pager_owns(struct vm_pager *pager, uint64_t offset, hal_phys page)
{
    (void)pager;
    (void)offset;
    return !frame_is_direct(frame_address(page));
}

static bool is_prepared(struct host_parts *own, uint64_t offset, uint64_t end)
{
    while (offset < end) {
        const struct part *part = part_find(own, offset);
        if (part == NULL) {
            return false;
        }
        offset = (part->first + part->count) * FS_CHUNK_SIZE;
    }
    return true;
}

static int part_add(struct vm_pager *pager, uint64_t offset, uint64_t end)
{
    struct host_parts *own = parts_of(pager);
    struct file *file = file_pager_of(pager)->file;
    uint32_t access = atomic_load_explicit(&file->flags, memory_order_relaxed) & OPEN_ACCESS;
    uint32_t count = atomic_load_explicit(&own->part_count, memory_order_relaxed);
    uint64_t chunks = (end + FS_CHUNK_SIZE - 1) / FS_CHUNK_SIZE - offset / FS_CHUNK_SIZE;
    if (count == PARTS_MAX || chunks > UINT32_MAX) {
        return -ENOMEM;
    }
    struct part *part = &own->parts[count];
    *part = (struct part){.first = offset / FS_CHUNK_SIZE, .count = (uint32_t)chunks};
    const struct host_file *host = host_of(pager);
    int error = fs_chunks_map(host->device, host->handle, part->first * FS_CHUNK_SIZE, part->count,
                              access == OPEN_READ_WRITE, &part->chunk);
    if (error == 0) {
        // Release pairs with the acquire in part_find.
        atomic_store_explicit(&own->part_count, count + 1, memory_order_release);
    }
    return error == -ENOSPC ? -ENOMEM : error;
}

// The first part is all of a file that is not large: the segments of a program are one part.
static int pager_prepare(struct vm_pager *pager, uint64_t offset, size_t size)
{
    struct host_parts *own = parts_of(pager);
    uint64_t end = offset + size;
    mutex_lock(&own->lock);
    int error = 0;
    if (!is_prepared(own, offset, end)) {
        uint64_t file_size = file_pager_of(pager)->size;
        bool is_first = atomic_load_explicit(&own->part_count, memory_order_relaxed) == 0;
        if (is_first && file_size <= WHOLE_MAX && offset < file_size) {
            offset = 0;
            end = end > file_size ? end : file_size;
        }
        error = part_add(pager, offset, end);
    }
    mutex_unlock(&own->lock);
    return error;
}

static int pager_sync(struct vm_pager *pager)
{
    return host_file_sync(file_pager_of(pager)->file, true);
}

static uint64_t pager_size(struct vm_pager *pager)
{
    return file_pager_of(pager)->size;
}

static void pager_release(struct file_pager *pager)
{
    struct host_parts *own = pager->state;
    uint32_t count = atomic_load_explicit(&own->part_count, memory_order_acquire);
    for (uint32_t i = 0; i < count; ++i) {
        fs_chunks_unmap(host_of(&pager->pager)->device, own->parts[i].chunk, own->parts[i].count);
    }
    heap_free(own);
}

static int window_attach(struct file_pager *pager)
{
    struct host_parts *own = heap_alloc_zeroed(sizeof *own);
    if (own == NULL) {
        return -ENOMEM;
    }
    pager->state = own;
    pager->release = pager_release;
    pager->pager.size = pager_size;
    pager->pager.find = pager_find;
    pager->pager.owns = pager_owns;
    pager->pager.prepare = pager_prepare;
    pager->pager.sync = pager_sync;
    return 0;
}

// Where the device has no shared memory, pages are kept here.
int host_pager(struct file *file, struct vm_pager **result)
{
    struct file_pager *pager;
    int error = pager_create(file, &pager);
    if (error != 0) {
        return error;
    }
    const struct host_file *host = file->state;
    error = fs_has_chunks(host->device) ? window_attach(pager) : host_cache_attach(pager);
    if (error != 0) {
        pager->pager.put(&pager->pager);
        return error;
    }
    *result = &pager->pager;
    return 0;
}
