// SPDX-License-Identifier: BSD-3-Clause
// blockcache.c: what has been read of a block device, in chunks of 64 KiB.
//
// The cache's lock guards the table, the counts of holders, what is valid, and the order of the
// chunks that nobody holds, the longest unused first: they are what is given up when there are too
// many, or memory is scarce. A chunk's own lock is held over the device's work on it. Who has read
// it makes it valid only if it has not been forgotten since he began. Readers look whether it is
// valid without a lock, for a device promises nothing to who reads what is being written.
//
// Invariant: a chunk in the table is what the device has there, or is not valid.
#include "core/dev/blockcache.h"

#include <stdatomic.h>

#include "core/dev/block.h"
#include "core/lib/assert.h"
#include "core/lib/errno.h"
#include "core/lib/list.h"
#include "core/lib/mark.h"
#include "core/lib/string.h"
#include "core/mem/frame.h"
#include "core/mem/heap.h"
#include "core/mem/pressure.h"
#include "core/sync/mutex.h"
#include "core/sync/shrinker.h"

enum {
    CHUNK_FRAMES = BLOCK_CHUNK / HAL_PAGE_SIZE,
    BUCKETS = 256,
    COUNT_MIN = 8,
    MEMORY_SHARE = 8, // at most one part in so many is for chunks that nobody holds
};

struct block_chunk {
    struct list bucket, order; // order: empty while somebody holds it
    uint64_t index;
    uint32_t holder_count;
    char *data;
    struct mutex lock;
    _Atomic bool is_valid; // set after the data is there
    uint64_t forgotten_count;
};

struct block_cache {
    struct block_device *device;
    struct mutex lock;
    struct list buckets[BUCKETS];
    struct list order; // of those that nobody holds
    size_t count, count_max;
    struct shrinker shrinker;
};

static size_t cache_shrink(struct shrinker *shrinker, size_t wanted, bool may_wait);
static size_t cache_held(struct shrinker *shrinker);

int block_cache_create(struct block_device *device, struct block_cache **result)
{
    struct block_cache *cache = heap_alloc_zeroed(sizeof *cache);
    if (cache == NULL) {
        return -ENOMEM;
    }
    cache->device = device;
    for (size_t i = 0; i < BUCKETS; ++i) {
        list_init(&cache->buckets[i]);
    }
    list_init(&cache->order);
    cache->count_max = frame_total_count() / CHUNK_FRAMES / MEMORY_SHARE;
    cache->count_max = cache->count_max > COUNT_MIN ? cache->count_max : COUNT_MIN;
    cache->shrinker =
        (struct shrinker){.name = "blocks of disks", .shrink = cache_shrink, .held = cache_held};
    shrinker_register(&cache->shrinker);
    *result = cache;
    return 0;
}

// ---- The table; the lock is held ----

static void chunk_forget_locked(struct block_chunk *chunk)
{
    atomic_store(&chunk->is_valid, false);
    ++chunk->forgotten_count;
}

static struct block_chunk *chunk_find(struct block_cache *cache, uint64_t index)
{
    struct list *bucket = &cache->buckets[index % BUCKETS], *node;
    list_for_each(node, bucket)
    {
        struct block_chunk *chunk = container_of(node, struct block_chunk, bucket);
        if (chunk->index == index) {
            return chunk;
        }
    }
    return NULL;
}

static struct block_chunk *chunk_new(struct block_cache *cache)
{
    struct block_chunk *chunk = heap_alloc_zeroed(sizeof *chunk);
    hal_phys frames;
    if (chunk == NULL || frame_alloc(CHUNK_FRAMES, 0, &frames) != 0) {
        heap_free(chunk);
        return NULL;
    }
    chunk->data = frame_address(frames);
    list_init(&chunk->order);
    ++cache->count;
    return chunk;
}

static void chunk_free(struct block_cache *cache, struct block_chunk *chunk)
{
    list_remove(&chunk->bucket);
    list_remove(&chunk->order);
    frame_free(frame_of(chunk->data), CHUNK_FRAMES);
    heap_free(chunk);
    --cache->count;
}

// A chunk that is in no bucket: a new one, or the one that has been unused for longest.
static struct block_chunk *chunk_make(struct block_cache *cache)
{
    bool may_grow = cache->count < cache->count_max && !pressure_is_min();
    struct block_chunk *chunk = may_grow ? chunk_new(cache) : NULL;
    if (chunk == NULL && !list_is_empty(&cache->order)) {
        chunk = container_of(list_pop_front(&cache->order), struct block_chunk, order);
        list_remove(&chunk->bucket);
        chunk_forget_locked(chunk);
        return chunk;
    }
    return chunk != NULL ? chunk : chunk_new(cache); // all are held
}

static size_t cache_shrink(struct shrinker *shrinker, size_t wanted, bool may_wait)
{
    struct block_cache *cache = container_of(shrinker, struct block_cache, shrinker);
    size_t freed = 0;
    if (may_wait) {
        mutex_lock(&cache->lock);
    } else if (!mutex_try_lock(&cache->lock)) {
        return 0;
    }
    while (freed < wanted && !list_is_empty(&cache->order)) {
        chunk_free(cache, container_of(cache->order.next, struct block_chunk, order));
        freed += BLOCK_CHUNK;
    }
    mutex_unlock(&cache->lock);
    return freed;
}

// For statistics: somebody may be changing it.
static MARK_GUESS size_t cache_held(struct shrinker *shrinker)
{
    const struct block_cache *cache = container_of(shrinker, struct block_cache, shrinker);
    return *(const volatile size_t *)&cache->count * BLOCK_CHUNK;
}

static struct block_chunk *chunk_hold(struct block_cache *cache, uint64_t index)
{
    mutex_lock(&cache->lock);
    struct block_chunk *chunk = chunk_find(cache, index);
    if (chunk == NULL) {
        chunk = chunk_make(cache);
        if (chunk != NULL) {
            chunk->index = index;
            list_push_front(&cache->buckets[index % BUCKETS], &chunk->bucket);
        }
    }
    if (chunk != NULL) {
        list_remove(&chunk->order);
        ++chunk->holder_count;
    }
    mutex_unlock(&cache->lock);
    return chunk;
}

void block_chunk_put(struct block_cache *cache, struct block_chunk *chunk)
{
    mutex_lock(&cache->lock);
    ASSERT(chunk->holder_count > 0);
    if (--chunk->holder_count == 0) {
        if (atomic_load(&chunk->is_valid) && cache->count <= cache->count_max) {
            list_push_back(&cache->order, &chunk->order);
        } else {
            chunk_free(cache, chunk);
        }
    }
    mutex_unlock(&cache->lock);
}

// ---- Contents; the chunk is held, and its lock ----

// How much of the chunk is on the device.
static size_t chunk_size(const struct block_cache *cache, const struct block_chunk *chunk)
{
    const uint64_t start = chunk->index * BLOCK_CHUNK;
    const uint64_t end = block_device_size(cache->device);
    if (start >= end) {
        return 0;
    }
    return end - start < BLOCK_CHUNK ? (size_t)(end - start) : BLOCK_CHUNK;
}

static uint64_t forgotten_count(struct block_cache *cache, const struct block_chunk *chunk)
{
    mutex_lock(&cache->lock);
    const uint64_t count = chunk->forgotten_count;
    mutex_unlock(&cache->lock);
    return count;
}

static void chunk_validate(struct block_cache *cache, struct block_chunk *chunk, uint64_t count)
{
    mutex_lock(&cache->lock);
    if (chunk->forgotten_count == count) {
        atomic_store(&chunk->is_valid, true);
    }
    mutex_unlock(&cache->lock);
}

static int chunk_read_locked(struct block_cache *cache, struct block_chunk *chunk)
{
    if (atomic_load(&chunk->is_valid)) {
        return 0;
    }
    const uint64_t count = forgotten_count(cache, chunk);
    const size_t size = chunk_size(cache, chunk);
    const int error = block_read(cache->device, chunk->index * BLOCK_CHUNK, chunk->data, size);
    if (error == 0) {
        memset(chunk->data + size, 0, BLOCK_CHUNK - size);
        chunk_validate(cache, chunk, count);
    }
    return error;
}

static int chunk_read(struct block_cache *cache, struct block_chunk *chunk)
{
    if (atomic_load(&chunk->is_valid)) {
        return 0;
    }
    mutex_lock(&chunk->lock);
    const int error = chunk_read_locked(cache, chunk);
    mutex_unlock(&chunk->lock);
    return error;
}

int block_chunk_get(struct block_cache *cache, uint64_t index, struct block_chunk **result)
{
    struct block_chunk *chunk = chunk_hold(cache, index);
    if (chunk == NULL) {
        return -ENOMEM;
    }
    const int error = chunk_read(cache, chunk);
    if (error != 0) {
        block_chunk_put(cache, chunk);
        return error;
    }
    *result = chunk;
    return 0;
}

char *block_chunk_data(const struct block_chunk *chunk)
{
    return chunk->data;
}

// ---- Copying ----

int block_copy_in(struct block_cache *cache, uint64_t offset, char *to, size_t size, bool is_direct)
{
    struct block_chunk *chunk = chunk_hold(cache, offset / BLOCK_CHUNK);
    const size_t at = offset % BLOCK_CHUNK;
    ASSERT(size <= BLOCK_CHUNK - at);
    if (chunk == NULL) {
        return -ENOMEM;
    }
    int error;
    if (is_direct) {
        mutex_lock(&chunk->lock);
        error = block_read(cache->device, offset, chunk->data + at, size);
        error = error != 0 ? error : hal_copy_safe(to, chunk->data + at, size);
        mutex_unlock(&chunk->lock);
    } else {
        error = chunk_read(cache, chunk);
        error = error != 0 ? error : hal_copy_safe(to, chunk->data + at, size);
    }
    block_chunk_put(cache, chunk);
    return error;
}

// What is not whole blocks needs the rest of them.
static int chunk_write_locked(struct block_cache *cache, struct block_chunk *chunk, size_t at,
                              const char *from, size_t size)
{
    const size_t block = block_device_facts(cache->device)->block_size;
    int error = at % block == 0 && size % block == 0 ? 0 : chunk_read_locked(cache, chunk);
    if (error != 0) {
        return error;
    }
    error = hal_copy_safe(chunk->data + at, from, size);
    const size_t start = at / block * block;
    const size_t end = (at + size + block - 1) / block * block;
    error = error != 0 ? error
                       : block_write(cache->device, chunk->index * BLOCK_CHUNK + start,
                                     chunk->data + start, end - start);
    if (error != 0) {
        mutex_lock(&cache->lock);
        chunk_forget_locked(chunk); // nobody knows what the device has there now
        mutex_unlock(&cache->lock);
    }
    return error;
}

int block_copy_out(struct block_cache *cache, uint64_t offset, const char *from, size_t size)
{
    struct block_chunk *chunk = chunk_hold(cache, offset / BLOCK_CHUNK);
    const size_t at = offset % BLOCK_CHUNK;
    ASSERT(size <= BLOCK_CHUNK - at);
    if (chunk == NULL) {
        return -ENOMEM;
    }
    mutex_lock(&chunk->lock);
    const int error = chunk_write_locked(cache, chunk, at, from, size);
    mutex_unlock(&chunk->lock);
    block_chunk_put(cache, chunk);
    return error;
}

void block_cache_forget(struct block_cache *cache, uint64_t offset, uint64_t size)
{
    mutex_lock(&cache->lock);
    for (size_t i = 0; i < BUCKETS; ++i) {
        struct list *node;
        list_for_each(node, &cache->buckets[i])
        {
            struct block_chunk *chunk = container_of(node, struct block_chunk, bucket);
            const uint64_t start = chunk->index * BLOCK_CHUNK;
            if (start < offset + size && offset < start + BLOCK_CHUNK) {
                chunk_forget_locked(chunk);
            }
        }
    }
    mutex_unlock(&cache->lock);
}
