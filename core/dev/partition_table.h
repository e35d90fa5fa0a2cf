// SPDX-License-Identifier: BSD-3-Clause
// partition_table.h: what the table of partitions on a disk says: GPT (UEFI 2.10, 5.3) or the older
// one in the first sector (UEFI 2.10, 5.2.1), as Linux numbers its partitions.
//
// Nothing in a table is believed: what is left in the result lies on the disk. What is wrong with
// a table the console says.
#ifndef CORE_DEV_PARTITION_TABLE_H
#define CORE_DEV_PARTITION_TABLE_H

#include <stddef.h>
#include <stdint.h>

enum { PARTITION_COUNT_MAX = 15, PARTITION_ID_SIZE = 16 };

struct partition_disk {
    const char *name;    // for the console; NULL: nothing is said
    uint64_t size;       // bytes
    uint32_t block_size; // 512 .. 4096, a power of two
    // 0 or -errno; the range lies on the disk.
    int (*read)(void *state, uint64_t offset, char *to, size_t size);
    void *state;
};

struct partition_place {
    uint32_t number; // 1 .. PARTITION_COUNT_MAX
    uint64_t start, size;
    uint8_t id[PARTITION_ID_SIZE]; // of GPT's, as it lies on the disk; else zeros
};

struct partition_table {
    uint32_t count; // 0: the disk has no table, or none that can be used
    struct partition_place places[PARTITION_COUNT_MAX]; // by ascending numbers
};

void partition_table_read(const struct partition_disk *disk, struct partition_table *table);

#endif
