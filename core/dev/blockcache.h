// SPDX-License-Identifier: BSD-3-Clause
// blockcache.h: what has been read of a block device, in chunks of 64 KiB.
//
// Writes go through to the device at once: no chunk is ever newer than the disk. Thread context,
// may block. A chunk stays where it is, and what it is, while somebody holds it.
#ifndef CORE_DEV_BLOCKCACHE_H
#define CORE_DEV_BLOCKCACHE_H

#include <stdbool.h>

#include "hal/hal.h"

struct block_cache;
struct block_chunk;
struct block_device;

enum { BLOCK_CHUNK = 65536 };

HAL_MUST_CHECK int block_cache_create(struct block_device *device, struct block_cache **cache);

// Holds the chunk that begins at index * BLOCK_CHUNK, which has been read, and is zero behind the
// device's end. -EIO, -ENOMEM.
HAL_MUST_CHECK int block_chunk_get(struct block_cache *cache, uint64_t index,
                                   struct block_chunk **chunk);
void block_chunk_put(struct block_cache *cache, struct block_chunk *chunk);
char *block_chunk_data(const struct block_chunk *chunk); // in the direct map, at a page

// Copies between the device and memory that may be the application's; the range lies within one
// chunk and on the device. is_direct: reads from the device itself, and the range is whole blocks.
// -EIO, -ENOMEM, -EPERM; -EFAULT: the memory.
HAL_MUST_CHECK int block_copy_in(struct block_cache *cache, uint64_t offset, char *to, size_t size,
                                 bool is_direct);
HAL_MUST_CHECK int block_copy_out(struct block_cache *cache, uint64_t offset, const char *from,
                                  size_t size);

// Forgets what was read of the range: somebody else has changed it, or it shall be read again.
void block_cache_forget(struct block_cache *cache, uint64_t offset, uint64_t size);

#endif
