// SPDX-License-Identifier: BSD-3-Clause
// hostcache.c: pages of mapped files behind a file-system device that has no shared memory.
//
// A page comes when a fault or a mapping asks for it (prepare), with its neighbours, in one
// request. It goes with the last mapping of the file, where the file is cut, or where memory gets
// scarce (hostpages.c). What a mapping has
// written is found by what a page had when it was last the same as the file's: a checksum of 64
// bits, kept while a mapping may be written (a claim). It is written back when somebody reads the
// file by a descriptor or syncs it, when a claim goes, and at the end.
//
// transfer_lock is held while pages are brought, written back or dropped, and is not taken under
// the mutex of the address space; lock guards the table of pages, for moments, also under that
// mutex. A page is entered under both, and taken out only by vm_cut or when nobody maps the file:
// so find and owns may look under lock alone. Who has transfer_lock waits for the far end, but
// neither for memory nor for a fault.
#include "core/vfs/hostcache.h"

#include "core/lib/errno.h"
#include "core/lib/mark.h"
#include "core/lib/string.h"
#include "core/mem/frame.h"
#include "core/mem/heap.h"
#include "core/mem/usage.h"
#include "core/sync/shrinker.h"
#include "core/vfs/hostpages.h"
#include "core/vfs/pager.h"

enum {
    SETS = 64,
    FLUSH_SIZE = HEAP_SMALL_MAX // what one request writes back
};

struct cache_mapping { // state of a pager
    struct host_cache *cache;
    const struct host_file *host;
    struct list claim; // in cache->claims, or alone
};

static struct host_cache *sets[SETS]; // host_caches_lock
static _Atomic size_t cache_count;    // written under host_caches_lock

static uint64_t page_down(uint64_t offset)
{
    return offset & ~(uint64_t)(HAL_PAGE_SIZE - 1);
}

// ---- Which files have pages ----

static struct host_cache **set_of(uint64_t node)
{
    return &sets[(node * 0x9e3779b97f4a7c15) >> 58];
}

_Static_assert(SETS == 1 << (64 - 58), "set_of");

static struct host_cache *find_locked(const struct fs_device *device, uint64_t node)
{
    struct host_cache *cache = *set_of(node);
    while (cache != NULL && (cache->device != device || cache->node != node)) {
        cache = cache->next;
    }
    if (cache != NULL) {
        ++cache->reference_count;
    }
    return cache;
}

struct host_cache *host_cache_find(const struct fs_device *device, uint64_t node)
{
    // Who maps the file at the same time is not waited for.
    if (atomic_load(&cache_count) == 0) {
        return NULL;
    }
    mutex_lock(&host_caches_lock);
    struct host_cache *cache = find_locked(device, node);
    mutex_unlock(&host_caches_lock);
    return cache;
}

static void remove_locked(struct host_cache *cache)
{
    struct host_cache **place = set_of(cache->node);
    while (*place != cache) {
        place = &(*place)->next;
    }
    *place = cache->next;
    atomic_store(&cache_count, atomic_load(&cache_count) - 1);
}

void host_cache_put(struct host_cache *cache)
{
    if (cache == NULL) {
        return;
    }
    mutex_lock(&host_caches_lock);
    const bool is_last = --cache->reference_count == 0;
    if (is_last) {
        remove_locked(cache);
    }
    mutex_unlock(&host_caches_lock);
    if (is_last) {
        host_pages_free(cache, 0);
        host_pieces_free(cache, 0);
        heap_free(cache->pieces);
        heap_free(cache);
    }
}

// What is given back here may be promised to mappings at once, and is then not to be had again: so
// some stay, the program's text first, which go for each other when a fault finds no memory.
static size_t pages_shrink(struct shrinker *shrinker, size_t wanted, bool may_wait)
{
    enum { KEPT = 1 << 20 };
    (void)shrinker;
    (void)may_wait; // it waits for far ends only, which answer whatever happens here
    return host_pages_reclaim(wanted, KEPT);
}

static void shrinker_add_locked(void)
{
    // What they have is counted by USAGE_FILE_PAGES.
    static struct shrinker pages = {.name = "pages of mapped files", .shrink = pages_shrink};
    static bool is_added;
    if (!is_added) {
        is_added = true;
        shrinker_register(&pages);
    }
}

// Finds or makes the pages of the file.
static struct host_cache *cache_get(const struct host_file *host)
{
    struct host_cache *new = heap_alloc_zeroed(sizeof *new);
    mutex_lock(&host_caches_lock);
    struct host_cache *cache = find_locked(host->device, host->node);
    if (cache == NULL && new != NULL) {
        cache = new;
        cache->reference_count = 1;
        cache->device = host->device;
        cache->node = host->node;
        list_init(&cache->claims);
        cache->next = *set_of(host->node);
        *set_of(host->node) = cache;
        atomic_store(&cache_count, atomic_load(&cache_count) + 1);
        shrinker_add_locked();
    }
    mutex_unlock(&host_caches_lock);
    if (cache != new) {
        heap_free(new);
    }
    return cache;
}

// ---- Bringing; transfer_lock is held ----

// One run of frames with the file's pages from index on, count at most. How many: *done.
static int run_bring(struct host_cache *cache, const struct host_file *host, size_t index,
                     size_t count, size_t *done)
{
    hal_phys frames;
    count = frame_alloc_run(count, 0, &frames);
    if (count == 0) {
        return -ENOMEM;
    }
    char *memory = frame_address(frames);
    const size_t size = count * HAL_PAGE_SIZE;
    size_t filled = 0;
    const int error = host_read(host, (uint64_t)index * HAL_PAGE_SIZE, memory, size, 0, &filled);
    if (error != 0) {
        frame_free(frames, count);
        return error;
    }
    memset(memory + filled, 0, size - filled);
    mutex_lock(&cache->lock);
    for (size_t i = 0; i < count; ++i) {
        struct host_page *page = host_page_at(cache, index + i);
        page->memory = memory + i * HAL_PAGE_SIZE;
        page->sum = list_is_empty(&cache->claims) ? 0 : host_page_sum(page->memory);
    }
    mutex_unlock(&cache->lock);
    usage_add(USAGE_FILE_PAGES, count);
    *done = count;
    return 0;
}

static size_t absent_count(const struct host_cache *cache, size_t index, size_t end)
{
    size_t count = 0;
    while (index + count < end && host_page_at(cache, index + count)->memory == NULL) {
        ++count;
    }
    return count;
}

// The piece of the file around offset.
static int piece_bring(struct host_cache *cache, const struct host_file *host, uint64_t offset)
{
    uint64_t size = atomic_load(&cache->size);
    int error = 0;
    if (offset >= size) { // it may have grown
        error = host_file_size(host, &size);
        error = error != 0 ? error : host_pages_grow(cache, size);
    }
    const size_t start = (size_t)(offset / HOST_PIECE) * HOST_PIECE_PAGES;
    size_t end = start + HOST_PIECE_PAGES;
    end = end < host_pages_of(size) ? end : host_pages_of(size);
    error = error == 0 && start < end ? host_piece_make(cache, start) : error;
    for (size_t at = start; at < end && error == 0;) {
        size_t done = 1;
        const size_t count = absent_count(cache, at, end);
        error = count == 0 ? 0 : run_bring(cache, host, at, count, &done);
        at += done;
    }
    return error;
}

// ---- Writing back; transfer_lock is held ----

// Writes pages from *index on that differ from the file and lie in a row, by way of buffer, and
// moves *index behind them.
static int run_flush(struct host_cache *cache, const struct host_file *host, char *buffer,
                     size_t *index)
{
    uint64_t sums[FLUSH_SIZE / HAL_PAGE_SIZE];
    const size_t first = *index;
    size_t count = 0;
    for (; count < FLUSH_SIZE / HAL_PAGE_SIZE && *index < cache->page_count; ++*index, ++count) {
        const struct host_page *page = host_page_at(cache, *index);
        char *copy = buffer + count * HAL_PAGE_SIZE;
        if (page == NULL || page->memory == NULL) {
            break;
        }
        memcpy(copy, page->memory, HAL_PAGE_SIZE); // it may be written meanwhile
        sums[count] = host_page_sum(copy);
        if (sums[count] == page->sum) {
            break;
        }
    }
    const uint64_t start = (uint64_t)first * HAL_PAGE_SIZE;
    const uint64_t file_size = atomic_load(&cache->size);
    if (count == 0 || start >= file_size) {
        *index = first + (count == 0 ? 1 : count);
        return 0;
    }
    size_t size = count * HAL_PAGE_SIZE, done = 0;
    size = size < file_size - start ? size : (size_t)(file_size - start);
    const int error = host_write(host, start, buffer, size, &done);
    for (size_t i = 0; i < count && error == 0; ++i) {
        host_page_at(cache, first + i)->sum = sums[i];
    }
    return error != 0 || done == size ? error : -EIO;
}

static int flush_locked(struct host_cache *cache)
{
    if (list_is_empty(&cache->claims)) {
        return 0;
    }
    const struct host_file *host =
        container_of(cache->claims.next, struct cache_mapping, claim)->host;
    char *buffer = heap_alloc(FLUSH_SIZE);
    int error = buffer == NULL ? -ENOMEM : 0;
    for (size_t index = 0; index < cache->page_count && error == 0;) {
        error = run_flush(cache, host, buffer, &index);
    }
    heap_free(buffer);
    return error;
}

int host_cache_flush(struct host_cache *cache)
{
    if (cache == NULL) {
        return 0;
    }
    mutex_lock(&cache->transfer_lock);
    const int error = flush_locked(cache);
    mutex_unlock(&cache->transfer_lock);
    return error;
}

void host_caches_flush(void)
{
    for (size_t i = 0; i < SETS; ++i) {
        mutex_lock(&host_caches_lock);
        struct host_cache *cache = sets[i];
        if (cache != NULL) {
            ++cache->reference_count;
        }
        mutex_unlock(&host_caches_lock);
        while (cache != NULL) {
            // Nobody can be told of a failure.
            const int error = host_cache_flush(cache);
            (void)error;
            mutex_lock(&host_caches_lock);
            struct host_cache *next = cache->next;
            if (next != NULL) {
                ++next->reference_count;
            }
            mutex_unlock(&host_caches_lock);
            host_cache_put(cache);
            cache = next;
        }
    }
}

// ---- Changes by descriptors ----

// The pages have what was written, too. One that mappings have changed stays different from the
// file.
static void pages_write(struct host_cache *cache, uint64_t offset, const char *data, size_t size)
{
    const bool has_claims = !list_is_empty(&cache->claims);
    for (size_t done = 0; done < size;) {
        const uint64_t at = offset + done;
        const size_t start = (size_t)(at % HAL_PAGE_SIZE);
        const size_t room = HAL_PAGE_SIZE - start;
        const size_t part = size - done < room ? size - done : room;
        struct host_page *page = host_page_at(cache, (size_t)(at / HAL_PAGE_SIZE));
        if (page != NULL && page->memory != NULL) {
            const bool is_clean = has_claims && page->sum == host_page_sum(page->memory);
            memcpy(page->memory + start, data + done, part);
            page->sum = is_clean ? host_page_sum(page->memory) : page->sum;
        }
        done += part;
    }
}

// The program's memory, which may be these very pages, is touched without a lock.
int host_cache_write(struct host_cache *cache, const struct host_file *host, uint64_t offset,
                     const char *data, size_t size, size_t *done)
{
    char *buffer = heap_alloc(FLUSH_SIZE);
    int error = buffer == NULL ? -ENOMEM : 0;
    bool is_short = false;
    while (*done < size && error == 0 && !is_short) {
        const size_t part = size - *done < FLUSH_SIZE ? size - *done : FLUSH_SIZE;
        size_t put = 0;
        error = hal_copy_safe(buffer, data + *done, part);
        if (error != 0) {
            break;
        }
        mutex_lock(&cache->transfer_lock);
        error = host_write(host, offset + *done, buffer, part, &put);
        pages_write(cache, offset + *done, buffer, put);
        *done += put;
        if (put > 0 && offset + *done > atomic_load(&cache->size) &&
            host_pages_grow(cache, offset + *done) != 0) {
            MARK("cache: no memory for a longer table"); // a fault there asks again
        }
        mutex_unlock(&cache->transfer_lock);
        is_short = put < part;
    }
    heap_free(buffer);
    return *done > 0 ? 0 : error;
}

void host_cache_change_begin(struct host_cache *cache)
{
    if (cache != NULL) {
        mutex_lock(&cache->transfer_lock);
        const int error = flush_locked(cache);
        (void)
            error; // what could not be written is written later, or lost with the part that is cut
    }
}

struct cut {
    struct host_cache *cache;
    size_t first;
};

static void cut_remove(void *argument)
{
    const struct cut *cut = argument;
    mutex_lock(&cut->cache->lock);
    host_pages_free(cut->cache, cut->first);
    mutex_unlock(&cut->cache->lock);
}

static void cut_nothing(void *argument)
{
    (void)argument;
}

void host_cache_change_end(struct host_cache *cache, uint64_t from, uint64_t size)
{
    if (cache == NULL) {
        return;
    }
    size = size != UINT64_MAX ? size : atomic_load(&cache->size);
    const bool is_cut = size < atomic_load(&cache->size);
    from = is_cut && size < from ? size : from;
    int error = host_pages_grow(cache, size);
    if (error == 0 && from < UINT64_MAX) {
        struct cut cut = {.cache = cache, .first = (size_t)(from / HAL_PAGE_SIZE)};
        error = vm_cut(cache, page_down(from), UINT64_MAX, false, cut_remove, &cut);
        host_pieces_free(cache, cut.first);
    }
    if (error == 0 && is_cut) { // private copies of pages that are no more
        error = vm_cut(cache, host_pages_of(size) * (uint64_t)HAL_PAGE_SIZE, UINT64_MAX, true,
                       cut_nothing, NULL);
    }
    (void)error; // without memory to cut an area the mappings keep what they had
    mutex_unlock(&cache->transfer_lock);
}

// ---- Pagers ----

static struct cache_mapping *mapping_of(struct vm_pager *pager)
{
    return file_pager_of(pager)->state;
}

// The memory of a page that is here, or NULL.
static const char *page_use(struct host_cache *cache, size_t index)
{
    const struct host_page *page = host_page_at(cache, index);
    if (page == NULL || page->memory == NULL) {
        return NULL;
    }
    atomic_store(&cache->pieces[index / HOST_PIECE_PAGES]->is_used, true);
    return page->memory;
}

static int pager_find(struct vm_pager *pager, uint64_t offset, size_t size, bool is_made,
                      struct vm_frames *found)
{
    (void)is_made;
    struct host_cache *cache = mapping_of(pager)->cache;
    const size_t index = (size_t)(offset / HAL_PAGE_SIZE);
    mutex_lock(&cache->lock);
    const char *first = page_use(cache, index);
    if (first != NULL) {
        size_t length = 1;
        while (length < size / HAL_PAGE_SIZE &&
               page_use(cache, index + length) == first + length * HAL_PAGE_SIZE) {
            ++length;
        }
        *found = (struct vm_frames){.start = frame_of(first), .size = length * HAL_PAGE_SIZE};
    }
    mutex_unlock(&cache->lock);
    return first != NULL ? 0 : -EAGAIN;
}

static bool pager_owns(struct vm_pager *pager, uint64_t offset, hal_phys page)
{
    struct host_cache *cache = mapping_of(pager)->cache;
    mutex_lock(&cache->lock);
    const struct host_page *own = host_page_at(cache, (size_t)(offset / HAL_PAGE_SIZE));
    const bool is_ours = own != NULL && own->memory == frame_address(page);
    mutex_unlock(&cache->lock);
    return is_ours;
}

static int mapping_bring(const struct cache_mapping *mapping, uint64_t offset)
{
    mutex_lock(&mapping->cache->transfer_lock);
    const int error = piece_bring(mapping->cache, mapping->host, offset);
    mutex_unlock(&mapping->cache->transfer_lock);
    return error;
}

// Out of memory it takes that of other pages: the caller may be one that cannot wait for the
// reclaimer.
static int pager_prepare(struct vm_pager *pager, uint64_t offset, size_t size)
{
    enum { TRIES = 4 };
    (void)size;
    const struct cache_mapping *mapping = mapping_of(pager);
    int error = mapping_bring(mapping, offset);
    for (int i = 0; i < TRIES && error == -ENOMEM && host_pages_reclaim(2 * HOST_PIECE, 0) > 0;
         ++i) {
        MARK("cache: pages go for others");
        error = mapping_bring(mapping, offset);
    }
    return error;
}

static uint64_t pager_size(struct vm_pager *pager)
{
    return atomic_load(&mapping_of(pager)->cache->size);
}

static int pager_claim(struct vm_pager *pager)
{
    struct cache_mapping *mapping = mapping_of(pager);
    struct host_cache *cache = mapping->cache;
    mutex_lock(&cache->transfer_lock);
    for (size_t i = 0; list_is_empty(&cache->claims) && i < cache->page_count; ++i) {
        struct host_page *page = host_page_at(cache, i);
        if (page != NULL && page->memory != NULL) {
            page->sum = host_page_sum(page->memory);
        }
    }
    list_push_back(&cache->claims, &mapping->claim);
    mutex_unlock(&cache->transfer_lock);
    return 0;
}

static int pager_sync(struct vm_pager *pager)
{
    return host_file_sync(file_pager_of(pager)->file, true);
}

static void pager_release(struct file_pager *pager)
{
    struct cache_mapping *mapping = pager->state;
    struct host_cache *cache = mapping->cache;
    if (!list_is_empty(&mapping->claim)) {
        mutex_lock(&cache->transfer_lock);
        const int error = flush_locked(cache);
        (void)error; // who wants to know calls msync
        list_remove(&mapping->claim);
        mutex_unlock(&cache->transfer_lock);
    }
    host_cache_put(cache);
    heap_free(mapping);
}

int host_cache_attach(struct file_pager *pager)
{
    struct cache_mapping *mapping = heap_alloc(sizeof *mapping);
    const struct host_file *host = pager->file->state;
    struct host_cache *cache = mapping == NULL ? NULL : cache_get(host);
    if (cache == NULL) {
        heap_free(mapping);
        return -ENOMEM;
    }
    *mapping = (struct cache_mapping){.cache = cache, .host = host};
    list_init(&mapping->claim);
    pager->state = mapping;
    pager->release = pager_release;
    mutex_lock(&cache->transfer_lock);
    const int error =
        pager->size > atomic_load(&cache->size) ? host_pages_grow(cache, pager->size) : 0;
    mutex_unlock(&cache->transfer_lock);
    pager->pager.find = pager_find;
    pager->pager.owns = pager_owns;
    pager->pager.prepare = pager_prepare;
    pager->pager.claim = pager_claim;
    pager->pager.sync = pager_sync;
    pager->pager.size = pager_size;
    pager->pager.around = HOST_PIECE;
    pager->pager.object = cache;
    return error;
}
