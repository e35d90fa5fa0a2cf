// SPDX-License-Identifier: BSD-3-Clause
// disk.c: an image on a disk: what has been looked at of it stays in memory, chunk by chunk.
#include "core/dev/block.h"
#include "core/dev/blockcache.h"
#include "core/lib/errno.h"
#include "core/mem/heap.h"
#include "core/vfs/erofs/image.h"

// A chunk of the disk, which is held from now on.
static struct block_chunk *chunk_hold(struct erofs_image *image, uint64_t index)
{
    struct block_chunk *chunk = atomic_load(&image->held[index]);
    if (chunk != NULL) {
        return chunk;
    }
    mutex_lock(&image->lock);
    chunk = atomic_load(&image->held[index]);
    if (chunk == NULL && block_chunk_get(block_device_cache(image->device), index, &chunk) == 0) {
        atomic_store(&image->held[index], chunk);
    }
    mutex_unlock(&image->lock);
    return chunk;
}

static const char *disk_read(struct erofs_image *image, uint64_t offset, size_t *size)
{
    const struct block_chunk *chunk = chunk_hold(image, offset / BLOCK_CHUNK);
    const size_t at = offset % BLOCK_CHUNK;
    if (chunk == NULL) {
        erofs_complain_unread(image, offset);
        return NULL;
    }
    *size = *size < BLOCK_CHUNK - at ? *size : BLOCK_CHUNK - at;
    return block_chunk_data(chunk) + at;
}

int erofs_image_open_disk(struct erofs_image *image, struct block_device *device)
{
    const uint64_t size = block_device_size(device);
    *image = (struct erofs_image){.name = block_device_facts(device)->name,
                                  .read = disk_read,
                                  .device = device,
                                  .size = size};
    image->held_count = (size + BLOCK_CHUNK - 1) / BLOCK_CHUNK;
    image->held = heap_alloc_zeroed(image->held_count * sizeof *image->held);
    return image->held == NULL ? -ENOMEM : erofs_superblock_read(image);
}

void erofs_image_close(struct erofs_image *image)
{
    for (uint64_t i = 0; image->held != NULL && i < image->held_count; ++i) {
        struct block_chunk *chunk = atomic_load(&image->held[i]);
        if (chunk != NULL) {
            block_chunk_put(block_device_cache(image->device), chunk);
        }
    }
    heap_free(image->held);
}
