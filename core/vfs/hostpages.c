// SPDX-License-Identifier: BSD-3-Clause
// hostpages.c: see hostpages.h.
//
// Pieces stand in one order, whose first is looked at and becomes the last (a clock). One that was
// asked for since it was last looked at is taken out of the mappings, so that the next look tells
// whether it still is; another is given back. So what a program works with stays, and what it reads
// once goes.
//
// Only what the file has, too, goes: where the file has no claims, no mapping may be written; where
// it has, the sum tells. It goes within vm_cut_idle, while faults there wait.
//
// Nobody who holds a lock that is taken here waits for memory, or faults: so threads that are out
// of memory may come here themselves, whatever they hold besides.
#include "core/vfs/hostpages.h"

#include "core/lib/errno.h"
#include "core/lib/string.h"
#include "core/mem/frame.h"
#include "core/mem/heap.h"
#include "core/mem/usage.h"
#include "core/vm/vm.h"

struct mutex host_caches_lock;
static struct list order = LIST_EMPTY(order); // the next to look at first: host_caches_lock
static size_t order_count;                    // host_caches_lock

uint64_t host_page_sum(const char *memory)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < HAL_PAGE_SIZE; i += sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, memory + i, sizeof word);
        sum = (sum ^ word) * 0x9e3779b97f4a7c15;
        sum ^= sum >> 29;
    }
    return sum;
}

static size_t pieces_of(size_t page_count)
{
    return (page_count + HOST_PIECE_PAGES - 1) / HOST_PIECE_PAGES;
}

// Memory is taken and given outside of lock: it may be that of the address space.
int host_pages_grow(struct host_cache *cache, uint64_t size)
{
    const size_t page_count = host_pages_of(size);
    const size_t count = pieces_of(page_count), old_count = pieces_of(cache->page_count);
    struct host_piece **old = NULL, **pieces = NULL;
    if (count > old_count) {
        pieces = heap_alloc_zeroed(count * sizeof(struct host_piece *));
        if (pieces == NULL) {
            return -ENOMEM;
        }
    }
    mutex_lock(&cache->lock);
    if (pieces != NULL) {
        old = cache->pieces;
        if (old != NULL) {
            memcpy(pieces, old, old_count * sizeof(struct host_piece *));
        }
        cache->pieces = pieces;
    }
    cache->page_count = page_count > cache->page_count ? page_count : cache->page_count;
    mutex_unlock(&cache->lock);
    heap_free(old);
    atomic_store(&cache->size, size);
    return 0;
}

int host_piece_make(struct host_cache *cache, size_t page)
{
    const size_t index = page / HOST_PIECE_PAGES;
    if (cache->pieces[index] != NULL) {
        return 0;
    }
    struct host_piece *piece = heap_alloc_zeroed(sizeof *piece);
    if (piece == NULL) {
        return -ENOMEM;
    }
    piece->cache = cache;
    piece->index = index;
    mutex_lock(&cache->lock);
    cache->pieces[index] = piece;
    mutex_unlock(&cache->lock);
    mutex_lock(&host_caches_lock);
    list_push_back(&order, &piece->order);
    ++order_count;
    mutex_unlock(&host_caches_lock);
    return 0;
}

static void page_free(struct host_page *page)
{
    frame_free(frame_of(page->memory), 1);
    page->memory = NULL;
    usage_take(USAGE_FILE_PAGES, 1);
}

void host_pages_free(struct host_cache *cache, size_t first)
{
    for (size_t i = first; i < cache->page_count; ++i) {
        struct host_page *page = host_page_at(cache, i);
        if (page != NULL && page->memory != NULL) {
            page_free(page);
        }
    }
}

static bool is_empty(const struct host_piece *piece)
{
    size_t i = 0;
    while (i < HOST_PIECE_PAGES && piece->pages[i].memory == NULL) {
        ++i;
    }
    return i == HOST_PIECE_PAGES;
}

static void piece_free(struct host_cache *cache, struct host_piece *piece)
{
    mutex_lock(&cache->lock);
    cache->pieces[piece->index] = NULL;
    mutex_unlock(&cache->lock);
    mutex_lock(&host_caches_lock);
    list_remove(&piece->order);
    --order_count;
    mutex_unlock(&host_caches_lock);
    heap_free(piece);
}

void host_pieces_free(struct host_cache *cache, size_t first)
{
    for (size_t i = first / HOST_PIECE_PAGES; i < pieces_of(cache->page_count); ++i) {
        if (cache->pieces[i] != NULL && is_empty(cache->pieces[i])) {
            piece_free(cache, cache->pieces[i]);
        }
    }
}

// ---- Reclaim ----

struct look {
    struct host_cache *cache; // counted
    size_t index;             // of the piece
    bool is_used;
    size_t freed;
};

// False: there is nothing to look at.
static bool order_next(struct look *look)
{
    look->cache = NULL;
    mutex_lock(&host_caches_lock);
    for (size_t i = 0; i < order_count && look->cache == NULL; ++i) {
        struct list *node = list_pop_front(&order);
        struct host_piece *piece = container_of(node, struct host_piece, order);
        list_push_back(&order, node);
        if (piece->cache->reference_count > 0) { // else it goes just now
            ++piece->cache->reference_count;
            look->cache = piece->cache;
            look->index = piece->index;
            look->is_used = atomic_load(&piece->is_used);
            atomic_store(&piece->is_used, false); // one that came just now is lost
        }
    }
    mutex_unlock(&host_caches_lock);
    return look->cache != NULL;
}

static size_t order_length(void)
{
    mutex_lock(&host_caches_lock);
    const size_t count = order_count;
    mutex_unlock(&host_caches_lock);
    return count;
}

// What the file has, too.
static bool is_clean(const struct host_cache *cache, const struct host_page *page)
{
    return list_is_empty(&cache->claims) || page->sum == host_page_sum(page->memory);
}

// Nobody maps the piece, and faults there wait.
static void piece_take(void *argument)
{
    struct look *look = argument;
    struct host_cache *cache = look->cache;
    mutex_lock(&cache->lock);
    struct host_piece *piece = cache->pieces[look->index];
    for (size_t i = 0; i < HOST_PIECE_PAGES && !look->is_used; ++i) {
        if (piece->pages[i].memory != NULL && is_clean(cache, &piece->pages[i])) {
            page_free(&piece->pages[i]);
            look->freed += HAL_PAGE_SIZE;
        }
    }
    mutex_unlock(&cache->lock);
}

// Under transfer_lock.
static void piece_look(struct look *look)
{
    struct host_cache *cache = look->cache;
    struct host_piece *piece =
        look->index < pieces_of(cache->page_count) ? cache->pieces[look->index] : NULL;
    const uint64_t from = (uint64_t)look->index * HOST_PIECE;
    if (piece != NULL && vm_cut_idle(cache, from, from + HOST_PIECE, piece_take, look) == 0 &&
        is_empty(piece)) {
        piece_free(cache, piece);
    }
}

size_t host_pages_reclaim(size_t wanted, size_t kept)
{
    size_t freed = 0;
    struct look look;
    // Twice around: what was asked for goes where there is nothing else.
    for (size_t i = 2 * order_length(); i > 0 && freed < wanted; --i) {
        if (usage_get(USAGE_FILE_PAGES) * HAL_PAGE_SIZE <= kept || !order_next(&look)) {
            break;
        }
        look.freed = 0;
        mutex_lock(&look.cache->transfer_lock);
        piece_look(&look);
        mutex_unlock(&look.cache->transfer_lock);
        freed += look.freed;
        host_cache_put(look.cache);
    }
    return freed;
}
