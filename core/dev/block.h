// SPDX-License-Identifier: BSD-3-Clause
// block.h: the driver of block devices (virtio 1.2, 5.2): disks.
//
// Thread context, may block. Offsets and sizes are bytes, and multiples of block_size. Many threads
// may have requests under way; what is written is safe from a power cut after block_flush only.
#ifndef CORE_DEV_BLOCK_H
#define CORE_DEV_BLOCK_H

#include <stdbool.h>

#include "hal/hal.h"

struct block_cache;
struct block_device;

enum { BLOCK_SECTOR = 512, BLOCK_DEVICES_MAX = 26, BLOCK_SERIAL_SIZE = 21 };

struct block_facts {
    const char *name;                   // "vda"
    uint32_t block_size;                // smallest transfer: 512 .. 4096, a power of two
    uint32_t physical_block_size;       // what it writes without reading first
    uint32_t cylinders, heads, sectors; // 0: it does not say
    bool is_read_only, can_flush, can_discard, can_zero;
    char serial[BLOCK_SERIAL_SIZE]; // "": it has none
};

// Opens all block devices of the machine, in their order; says on the console which cannot be used,
// and why.
void block_devices_open(void);

// Flushes all that have been written. Errors are told on the console: sync(2) tells nobody.
void block_devices_flush(void);

// Flushes and stops all of them: the machine is about to halt.
void block_devices_end(void);

// NULL: there are no more, or none of that name.
struct block_device *block_device_at(uint32_t index);
struct block_device *block_device_find(const char *name);

const struct block_facts *block_device_facts(const struct block_device *device);
uint32_t block_device_index(const struct block_device *device);
uint64_t block_device_size(const struct block_device *device); // may change
struct block_cache *block_device_cache(struct block_device *device);

// Data is memory of the direct map. -EIO: the device could not, or broke the rules. -EPERM: it is
// read-only.
HAL_MUST_CHECK int block_read(struct block_device *device, uint64_t offset, char *data,
                              size_t size);
HAL_MUST_CHECK int block_write(struct block_device *device, uint64_t offset, const char *data,
                               size_t size);

// What has been written before is on the medium. Does nothing where the device has no cache. -EIO.
HAL_MUST_CHECK int block_flush(struct block_device *device);

// The range is not needed any more, or reads as zeros. -EOPNOTSUPP: the device cannot. -EIO,
// -EPERM.
HAL_MUST_CHECK int block_discard(struct block_device *device, uint64_t offset, uint64_t size);
HAL_MUST_CHECK int block_zero(struct block_device *device, uint64_t offset, uint64_t size);

#endif
