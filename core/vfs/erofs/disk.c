// SPDX-License-Identifier: BSD-3-Clause
// disk.c: an image on a disk or a partition: what has been looked at of it stays in memory, chunk
// by chunk.
#include "core/dev/block.h"
#include "core/dev/blockcache.h"
#include "core/dev/partition.h"
#include "core/lib/errno.h"
#include "core/mem/heap.h"
#include "core/vfs/erofs/image.h"

struct block_cache *erofs_disk_cache(const struct erofs_image *image)
{
    return block_device_cache(image->part->device);
}

uint64_t erofs_disk_place(const struct erofs_image *image, uint64_t offset)
{
    return image->part->place.start + offset;
}

static uint64_t first_chunk(const struct erofs_image *image)
{
    return erofs_disk_place(image, 0) / BLOCK_CHUNK;
}

// A chunk of the disk, which is held from now on.
static struct block_chunk *chunk_hold(struct erofs_image *image, uint64_t index)
{
    _Atomic(struct block_chunk *) *slot = &image->held[index - first_chunk(image)];
    struct block_chunk *chunk = atomic_load(slot);
    if (chunk != NULL) {
        return chunk;
    }
    mutex_lock(&image->lock);
    chunk = atomic_load(slot);
    if (chunk == NULL && block_chunk_get(erofs_disk_cache(image), index, &chunk) == 0) {
        atomic_store(slot, chunk);
    }
    mutex_unlock(&image->lock);
    return chunk;
}

static const char *disk_read(struct erofs_image *image, uint64_t offset, size_t *size)
{
    const uint64_t place = erofs_disk_place(image, offset);
    const struct block_chunk *chunk = chunk_hold(image, place / BLOCK_CHUNK);
    const size_t at = place % BLOCK_CHUNK;
    if (chunk == NULL) {
        erofs_complain_unread(image, offset);
        return NULL;
    }
    *size = *size < BLOCK_CHUNK - at ? *size : BLOCK_CHUNK - at;
    return block_chunk_data(chunk) + at;
}

int erofs_image_open_disk(struct erofs_image *image, const struct partition *part)
{
    const uint64_t size = partition_size(part);
    *image =
        (struct erofs_image){.name = part->name, .read = disk_read, .part = part, .size = size};
    if (erofs_disk_place(image, 0) % HAL_PAGE_SIZE != 0) {
        return -EXDEV; // its pages could not be mapped
    }
    image->held_count =
        (erofs_disk_place(image, size) + BLOCK_CHUNK - 1) / BLOCK_CHUNK - first_chunk(image);
    image->held = heap_alloc_zeroed(image->held_count * sizeof *image->held);
    return image->held == NULL ? -ENOMEM : erofs_superblock_read(image);
}

void erofs_image_close(struct erofs_image *image)
{
    for (uint64_t i = 0; image->held != NULL && i < image->held_count; ++i) {
        struct block_chunk *chunk = atomic_load(&image->held[i]);
        if (chunk != NULL) {
            block_chunk_put(erofs_disk_cache(image), chunk);
        }
    }
    heap_free(image->held);
}
