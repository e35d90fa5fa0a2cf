// SPDX-License-Identifier: BSD-3-Clause
// partition_fuzz.c: any bytes at all as a disk with a table of partitions: what is read lies on the
// disk, and so does each partition.
//
// Two checksums keep what is changed blindly out: the mutator changes one number of a header or an
// entry half of the time, likes those near limits, and makes the checksums right again.
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/dev/partition_table.h"

enum {
    SECTOR = 512,
    HEADER_SIZE = 92,
    CHECKSUM_AT = 16,
    TABLE_AT = 72,
    COUNT_AT = 80,
    SIZE_AT = 84,
    ENTRIES_CHECKSUM_AT = 88,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);

struct bytes {
    const uint8_t *data;
    size_t size;
};

static int disk_read(void *state, uint64_t offset, char *to, size_t size)
{
    const struct bytes *bytes = state;
    if (offset > bytes->size || size > bytes->size - offset) {
        abort();
    }
    memcpy(to, bytes->data + offset, size);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes bytes = {.data = data, .size = size / SECTOR * SECTOR};
    for (uint32_t block_size = SECTOR; block_size <= 4096; block_size *= 8) {
        const struct partition_disk disk = {.size = bytes.size / block_size * block_size,
                                            .block_size = block_size,
                                            .read = disk_read,
                                            .state = &bytes};
        struct partition_table table;
        partition_table_read(&disk, &table);
        if (table.count > PARTITION_COUNT_MAX) {
            abort();
        }
        for (uint32_t i = 0; i < table.count; ++i) {
            const struct partition_place *place = &table.places[i];
            const bool is_ordered = i == 0 || table.places[i - 1].number < place->number;
            if (!is_ordered || place->number > PARTITION_COUNT_MAX || place->size == 0 ||
                place->start == 0 || place->start > disk.size ||
                place->size > disk.size - place->start) {
                abort();
            }
        }
    }
    return 0;
}

// ---- The mutator -------------------------------------------------------------------

static unsigned random_next(unsigned *state)
{
    *state = *state * 1664525 + 1013904223;
    return *state >> 8;
}

static uint32_t checksum(const uint8_t *from, size_t size)
{
    uint32_t sum = UINT32_MAX;
    for (size_t i = 0; i < 8 * size; ++i) {
        const uint32_t bit = (uint32_t)(from[i / 8] >> i % 8 & 1);
        sum = (sum & 1) != bit ? sum >> 1 ^ 0xedb88320 : sum >> 1;
    }
    return ~sum;
}

static uint32_t number_at(const uint8_t *at)
{
    uint32_t number;
    memcpy(&number, at, sizeof number);
    return number;
}

static void header_seal(uint8_t *data, size_t size, size_t at)
{
    uint32_t sum;
    const uint64_t table = (uint64_t)number_at(data + at + TABLE_AT) * SECTOR;
    const uint64_t length =
        (uint64_t)number_at(data + at + COUNT_AT) * number_at(data + at + SIZE_AT);
    if (table <= size && length <= size - table) {
        sum = checksum(data + table, length);
        memcpy(data + at + ENTRIES_CHECKSUM_AT, &sum, sizeof sum);
    }
    memset(data + at + CHECKSUM_AT, 0, sizeof sum);
    sum = checksum(data + at, HEADER_SIZE);
    memcpy(data + at + CHECKSUM_AT, &sum, sizeof sum);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    static const uint64_t likely[] = {0,   1,   2,    22,         23,         24,
                                      127, 128, 4096, 0x7fffffff, UINT32_MAX, UINT64_MAX};
    unsigned state = seed;
    if (size < 6 * SECTOR || random_next(&state) % 2 == 0) {
        return LLVMFuzzerMutate(data, size, max_size);
    }
    const size_t last = size / SECTOR * SECTOR - SECTOR;
    const size_t starts[] = {446, SECTOR + 8, last + 8, 2 * SECTOR, last - 2 * SECTOR};
    const size_t at = starts[random_next(&state) % 5] + random_next(&state) % 28 * 4;
    uint64_t number = likely[random_next(&state) % (sizeof likely / sizeof likely[0])];
    number += random_next(&state) % 3;
    memcpy(data + at, &number, (size_t)4 << random_next(&state) % 2);
    header_seal(data, size, SECTOR);
    header_seal(data, size, last);
    return size;
}
