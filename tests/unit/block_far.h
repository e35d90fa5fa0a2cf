// SPDX-License-Identifier: BSD-3-Clause
// block_far.h: a disk in memory behind the contract's device functions, for unit tests: served
// within the kick, and wrong where a test wants it to be.
#ifndef BLOCK_FAR_H
#define BLOCK_FAR_H

#include <linux/virtio_blk.h>

#include "core/dev/block.h"

struct block_far {
    char *bytes;
    uint64_t features;
    struct virtio_blk_config config; // capacity is the size of bytes
    uint16_t ring_max;               // 0: 64
    bool refuses, lies;              // no feature is agreed on; names a chain that is none
    int status;                      // of all requests, if not 0; -1: none is written
    uint64_t bad_sector;             // a request that touches it fails; 0: none
    // What was seen.
    uint32_t request_count, segment_size_max, segment_count_max, stop_count;
    uint32_t last_type;
};

extern struct block_far far_disk;

// A device of core's upon far_disk, which has size bytes from now on. NULL: core has left it out.
struct block_device *far_disk_open(char *bytes, uint64_t size);

#endif
