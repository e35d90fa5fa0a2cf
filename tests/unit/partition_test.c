// SPDX-License-Identifier: BSD-3-Clause
// partition_test.c: tables of partitions as sgdisk's and fdisk's would lie on a disk, and damaged
// ones.
#include <check.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/dev/partition_table.h"

enum { BLOCKS = 2000, BLOCK_MAX = 4096, ENTRIES = 128, ENTRY = 128 };

static uint32_t block; // size
static uint8_t *bytes;
static int error;           // of reads
static uint64_t read_count; // bytes

static void put(uint64_t at, uint64_t number, size_t size)
{
    memcpy(bytes + at, &number, size);
}

// Bit by bit, from the definition.
static uint32_t crc(const uint8_t *from, size_t size)
{
    uint32_t sum = UINT32_MAX;
    for (size_t i = 0; i < 8 * size; ++i) {
        const uint32_t bit = (uint32_t)(from[i / 8] >> i % 8 & 1);
        sum = (sum & 1) != bit ? sum >> 1 ^ 0xedb88320 : sum >> 1;
    }
    return ~sum;
}

static int disk_read(void *state, uint64_t offset, char *to, size_t size)
{
    ck_assert_ptr_eq(state, &bytes);
    ck_assert_uint_le(offset + size, (uint64_t)BLOCKS * block);
    memcpy(to, bytes + offset, size);
    read_count += size;
    return error;
}

static struct partition_table table_read(void)
{
    struct partition_table table;
    const struct partition_disk disk = {
        .size = (uint64_t)BLOCKS * block, .block_size = block, .read = disk_read, .state = &bytes};
    partition_table_read(&disk, &table);
    return table;
}

static void start(void)
{
    block = 512;
    bytes = calloc(BLOCKS, BLOCK_MAX);
    error = 0;
}

static void stop(void)
{
    free(bytes);
}

static void old_set(int index, uint8_t kind, uint32_t first, uint32_t count)
{
    const uint64_t at = 446 + 16 * (uint64_t)index;
    put(510, 0xaa55, 2);
    put(at + 4, kind, 1);
    put(at + 8, first, 4);
    put(at + 12, count, 4);
}

static void header_seal(uint64_t own)
{
    const uint64_t at = own * block;
    const uint32_t size = ENTRIES * ENTRY;
    uint64_t entries;
    memcpy(&entries, bytes + at + 72, sizeof entries);
    put(at + 88, crc(bytes + entries * block, size), 4);
    put(at + 16, 0, 4);
    put(at + 16, crc(bytes + at, 92), 4);
}

static void header_make(uint64_t own, uint64_t entries)
{
    const uint64_t at = own * block;
    memcpy(bytes + at, "EFI PART\0\0\1\0\x5c\0\0\0", 16);
    put(at + 24, own, 8);
    put(at + 72, entries, 8);
    put(at + 80, ENTRIES, 4);
    put(at + 84, ENTRY, 4);
}

static void entry_set(int index, uint64_t first, uint64_t last)
{
    const uint64_t tables[] = {2ull * block, (BLOCKS - 1ull) * block - ENTRIES * ENTRY};
    for (int i = 0; i < 2; ++i) {
        const uint64_t at = tables[i] + (uint64_t)index * ENTRY;
        memset(bytes + at, 'k', 16);
        memset(bytes + at + 16, 'a' + index, 16);
        put(at + 32, first, 8);
        put(at + 40, last, 8);
    }
}

static void gpt_make(uint32_t size)
{
    block = size;
    old_set(0, 0xee, 1, BLOCKS - 1);
    header_make(1, 2);
    header_make(BLOCKS - 1, BLOCKS - 1 - ENTRIES * ENTRY / block);
}

static void gpt_seal(void)
{
    header_seal(1);
    header_seal(BLOCKS - 1);
}

static void place_check(const struct partition_place *place, uint32_t number, uint64_t first,
                        uint64_t count)
{
    ck_assert_uint_eq(place->number, number);
    ck_assert_uint_eq(place->start, first * block);
    ck_assert_uint_eq(place->size, count * block);
}

START_TEST(no_table_is_none)
{
    ck_assert_uint_eq(table_read().count, 0);
    old_set(0, 0x83, 10, 20);
    put(446 + 16, 0x55, 1); // a flag that is none: text of a boot sector
    ck_assert_uint_eq(table_read().count, 0);
    put(446 + 16, 0x80, 1);
    ck_assert_uint_eq(table_read().count, 1);
    error = -EIO;
    ck_assert_uint_eq(table_read().count, 0);
}
END_TEST

START_TEST(the_old_form_is_read)
{
    block = (uint32_t)_i;
    old_set(0, 0x83, 10, 20);
    old_set(1, 5, 30, 40); // extended
    old_set(2, 0x0c, BLOCKS - 3, 3);
    old_set(3, 0x83, BLOCKS - 3, 4); // one block too many
    const struct partition_table table = table_read();
    ck_assert_uint_eq(table.count, 2);
    place_check(&table.places[0], 1, 10, 20);
    place_check(&table.places[1], 3, BLOCKS - 3, 3);
    ck_assert_uint_eq(table.places[0].id[0], 0);
    old_set(0, 0x83, 0, 20);
    old_set(2, 0x83, UINT32_MAX, UINT32_MAX);
    ck_assert_uint_eq(table_read().count, 0);
}
END_TEST

START_TEST(gpt_is_read)
{
    gpt_make((uint32_t)_i);
    entry_set(0, 100, 199);
    entry_set(4, 300, 300);
    entry_set(14, 400, BLOCKS - 1);
    entry_set(15, 500, 501);      // has no number here
    entry_set(5, 300, 299);       // ends before it begins
    entry_set(6, BLOCKS, BLOCKS); // lies elsewhere
    entry_set(7, 1, UINT64_MAX);
    entry_set(8, 0, 10);
    gpt_seal();
    const struct partition_table table = table_read();
    ck_assert_uint_eq(table.count, 3);
    place_check(&table.places[0], 1, 100, 100);
    place_check(&table.places[1], 5, 300, 1);
    place_check(&table.places[2], 15, 400, BLOCKS - 400);
    ck_assert_mem_eq(table.places[1].id, "eeeeeeeeeeeeeeee", 16);
}
END_TEST

START_TEST(a_damaged_one_has_a_copy)
{
    static const struct {
        uint64_t at, number;
        size_t size;
    } damages[] = {
        {0, 'X', 1},   {12, 91, 4},          {12, UINT32_MAX, 4},        {16, 1, 4}, {24, 2, 8},
        {72, 3, 8},    {72, UINT64_MAX, 8},  {80, UINT32_MAX, 4},        {84, 0, 4}, {84, 127, 4},
        {84, 8192, 4}, {512 + 32, 12345, 8}, {512 + 16 * 1024 - 1, 1, 1}};
    gpt_make(512);
    entry_set(0, 100, 199);
    gpt_seal();
    uint8_t *good = malloc((size_t)BLOCKS * BLOCK_MAX);
    memcpy(good, bytes, (size_t)BLOCKS * BLOCK_MAX);
    for (size_t i = 0; i < sizeof damages / sizeof damages[0]; ++i) {
        put(512 + damages[i].at, damages[i].number, damages[i].size);
        ck_assert_msg(table_read().count == 1, "damage %zu", i);
        put((BLOCKS - 1) * 512, 0, 8);
        ck_assert_msg(table_read().count == 0, "damage %zu", i);
        memcpy(bytes, good, (size_t)BLOCKS * BLOCK_MAX);
    }
    // Right by its checksum, and still no table.
    put(512 + 84, 96, 4);
    put((BLOCKS - 1) * 512 + 80, UINT32_MAX, 4);
    gpt_seal();
    read_count = 0;
    ck_assert_uint_eq(table_read().count, 0);
    ck_assert_uint_le(read_count, 10 * 512);
    free(good);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("partition");
    TCase *test = tcase_create("table");
    tcase_add_checked_fixture(test, start, stop);
    suite_add_tcase(suite, test);
    tcase_add_test(test, no_table_is_none);
    tcase_add_loop_test(test, the_old_form_is_read, 512, 513);
    tcase_add_loop_test(test, gpt_is_read, 512, 513);
    tcase_add_loop_test(test, gpt_is_read, 4096, 4097);
    tcase_add_test(test, a_damaged_one_has_a_copy);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
