// SPDX-License-Identifier: BSD-3-Clause
// partition.h: disks and the partitions on them.
#ifndef CORE_DEV_PARTITION_H
#define CORE_DEV_PARTITION_H

#include "core/dev/partition_table.h"

struct block_device;

enum { PARTITION_NAME_SIZE = 16 };

struct partition { // never changes
    struct block_device *device;
    struct partition_place place;   // number 0: the whole disk, whose size may change
    char name[PARTITION_NAME_SIZE]; // "vda", "vda1"
};

// Reads the tables of all disks, which have been opened. Once. May block.
void partitions_find(void);

// Each disk and, behind it, its partitions. NULL: there are no more.
const struct partition *partition_at(uint32_t index);

// By its name or, with "partuuid:" before it, by the GUID that GPT has for it, in lower case. NULL:
// there is none; of several disks with the same GUID the first counts.
const struct partition *partition_find(const char *name);

uint64_t partition_size(const struct partition *partition); // bytes

#endif
