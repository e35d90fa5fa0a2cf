// SPDX-License-Identifier: BSD-3-Clause
// hostpages.h: the pages that a struct host_cache has, in pieces, and how they are given back when
// memory gets scarce. For hostcache.c.
#ifndef CORE_VFS_HOSTPAGES_H
#define CORE_VFS_HOSTPAGES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/lib/list.h"
#include "core/sync/mutex.h"
#include "hal/hal.h"

struct fs_device;

enum { HOST_PIECE = 256 << 10, HOST_PIECE_PAGES = HOST_PIECE / HAL_PAGE_SIZE };

struct host_page {
    char *memory; // NULL: not here
    uint64_t sum; // of what the file has; while there are claims
};

struct host_piece {    // of a file, where any of its pages has been here
    struct list order; // host_caches_lock
    struct host_cache *cache;
    size_t index;
    _Atomic bool is_used; // a mapping has asked for a page since somebody last looked
    struct host_page pages[HOST_PIECE_PAGES];
};

struct host_cache {
    struct host_cache *next;  // in its set: host_caches_lock
    uint32_t reference_count; // host_caches_lock
    const struct fs_device *device;
    uint64_t node;
    struct mutex transfer_lock;
    struct list claims; // of struct cache_mapping: transfer_lock
    struct mutex lock;
    struct host_piece **pieces; // lock; NULL: none
    size_t page_count;          // of the file, and of what pieces are for: lock
    _Atomic uint64_t size;      // of the file; written under transfer_lock
};

// Guards which files have pages, their counts, and the order of reclaim.
extern struct mutex host_caches_lock;

static inline size_t host_pages_of(uint64_t size)
{
    return (size_t)((size + HAL_PAGE_SIZE - 1) / HAL_PAGE_SIZE);
}

// NULL: its piece is not here, or it lies behind the file. Under lock or transfer_lock.
static inline struct host_page *host_page_at(const struct host_cache *cache, size_t index)
{
    struct host_piece *piece =
        index < cache->page_count ? cache->pieces[index / HOST_PIECE_PAGES] : NULL;
    return piece == NULL ? NULL : &piece->pages[index % HOST_PIECE_PAGES];
}

uint64_t host_page_sum(const char *memory);

// Under transfer_lock. Makes room for a file of that size; makes the piece of a page within.
// -ENOMEM.
HAL_MUST_CHECK int host_pages_grow(struct host_cache *cache, uint64_t size);
HAL_MUST_CHECK int host_piece_make(struct host_cache *cache, size_t page);

// The pages from index first on go. Under lock, where anybody else may know the cache.
void host_pages_free(struct host_cache *cache, size_t first);
// So do pieces, from that of page first on, that have none. Under transfer_lock.
void host_pieces_free(struct host_cache *cache, size_t first);

// Gives back wanted bytes, if it can, of pages that are as the file has them, and answers how many.
// What shared mappings let be written stays, as does what is locked (mlock), and with the last
// `kept` bytes it stops. Who calls holds no lock of hostcache.h's, nor the address space's.
size_t host_pages_reclaim(size_t wanted, size_t kept);

// Counts the file of the next piece in the order. hostcache.c's.
void host_cache_put(struct host_cache *cache);

#endif
