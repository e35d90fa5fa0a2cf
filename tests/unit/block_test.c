// SPDX-License-Identifier: BSD-3-Clause
// block_test.c: the driver of disks and their cache against a disk in memory, and one that is
// wrong.
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "block_far.h"
#include "core/dev/blockcache.h"
#include "core/sync/shrinker.h"
#include "core/mem/frame.h"

enum { SIZE = 5 * BLOCK_CHUNK + 4096 };

#define FEATURE(name) (1ul << VIRTIO_BLK_F_##name)

static char *bytes;
static char *buffer; // of the direct map

static void start(void)
{
    hal_phys frames;
    far_disk = (struct block_far){.features = 0};
    bytes = malloc(SIZE);
    for (size_t i = 0; i < SIZE; ++i) {
        bytes[i] = (char)(i * 7 + i / 999);
    }
    ck_assert_int_eq(frame_alloc(2 * BLOCK_CHUNK / HAL_PAGE_SIZE, 0, &frames), 0);
    buffer = frame_address(frames);
}

static void stop(void)
{
    free(bytes);
}

START_TEST(a_plain_disk_is_read_and_written)
{
    struct block_device *disk = far_disk_open(bytes, SIZE);
    ck_assert_ptr_eq(disk, block_device_find("vda"));
    ck_assert_ptr_null(block_device_find("vdb"));
    const struct block_facts *facts = block_device_facts(disk);
    ck_assert_uint_eq(block_device_size(disk), SIZE);
    ck_assert_uint_eq(facts->block_size, 512);
    ck_assert_uint_eq(facts->physical_block_size, 512);
    ck_assert(!facts->is_read_only && !facts->can_flush && !facts->can_discard && !facts->can_zero);
    ck_assert_str_eq(facts->serial, "a serial number");
    ck_assert_int_eq(block_read(disk, 512, buffer, 2 * BLOCK_CHUNK), 0);
    ck_assert_mem_eq(buffer, bytes + 512, 2 * BLOCK_CHUNK);
    memset(buffer, 5, 1024);
    ck_assert_int_eq(block_write(disk, SIZE - 1024, buffer, 1024), 0);
    ck_assert_mem_eq(bytes + SIZE - 1024, buffer, 1024);
    ck_assert_int_eq(block_read(disk, SIZE, buffer, 512), -EIO);
    const uint32_t count = far_disk.request_count;
    ck_assert_int_eq(block_flush(disk), 0); // it has no cache
    ck_assert_int_eq(block_discard(disk, 0, 512), -EOPNOTSUPP);
    ck_assert_int_eq(block_zero(disk, 0, 512), -EOPNOTSUPP);
    ck_assert_uint_eq(far_disk.request_count, count);
}
END_TEST

START_TEST(limits_are_kept)
{
    far_disk.features =
        FEATURE(SIZE_MAX) | FEATURE(SEG_MAX) | FEATURE(BLK_SIZE) | FEATURE(TOPOLOGY);
    far_disk.config = (struct virtio_blk_config){
        .size_max = 5000, .seg_max = _i == 0 ? 1 : 100, .blk_size = 1024, .physical_block_exp = 2};
    far_disk.ring_max = _i == 0 ? 4 : 16;
    struct block_device *disk = far_disk_open(bytes, SIZE);
    ck_assert_uint_eq(block_device_facts(disk)->block_size, 1024);
    ck_assert_uint_eq(block_device_facts(disk)->physical_block_size, 4096);
    ck_assert_int_eq(block_read(disk, 1024, buffer, BLOCK_CHUNK), 0);
    ck_assert_mem_eq(buffer, bytes + 1024, BLOCK_CHUNK);
    ck_assert_uint_eq(far_disk.segment_size_max, 4096);
    ck_assert_uint_eq(far_disk.segment_count_max, _i == 0 ? 1 : 2);
}
END_TEST

START_TEST(what_a_device_offers_is_used)
{
    far_disk.features = FEATURE(FLUSH) | FEATURE(DISCARD) | FEATURE(WRITE_ZEROES);
    far_disk.config = (struct virtio_blk_config){.max_discard_sectors = 8,
                                                 .max_discard_seg = 1,
                                                 .max_write_zeroes_sectors = 100,
                                                 .max_write_zeroes_seg = 1};
    struct block_device *disk = far_disk_open(bytes, SIZE);
    ck_assert_int_eq(block_flush(disk), 0);
    ck_assert_uint_eq(far_disk.last_type, VIRTIO_BLK_T_FLUSH);
    far_disk.request_count = 0;
    ck_assert_int_eq(block_discard(disk, 512, 20 * 512), 0);
    ck_assert_uint_eq(far_disk.last_type, VIRTIO_BLK_T_DISCARD);
    ck_assert_uint_eq(far_disk.request_count, 3);
    ck_assert_int_eq(block_zero(disk, 512, 20 * 512), 0);
    ck_assert_uint_eq(far_disk.last_type, VIRTIO_BLK_T_WRITE_ZEROES);
    block_devices_end();
    ck_assert_uint_eq(far_disk.last_type, VIRTIO_BLK_T_FLUSH);
    ck_assert_uint_ge(far_disk.stop_count, 1);
}
END_TEST

START_TEST(errors_are_told)
{
    static const struct {
        int status, error;
    } cases[] = {
        {VIRTIO_BLK_S_IOERR, -EIO}, {VIRTIO_BLK_S_UNSUPP, -EOPNOTSUPP}, {3, -EIO}, {-1, -EIO}};
    far_disk.features = _i == 4 ? FEATURE(RO) : 0;
    struct block_device *disk = far_disk_open(bytes, SIZE);
    if (_i == 4) {
        ck_assert_int_eq(block_write(disk, 0, buffer, 512), -EPERM);
        ck_assert_int_eq(block_discard(disk, 0, 512), -EPERM);
        return;
    }
    far_disk.status = cases[_i].status;
    ck_assert_int_eq(block_read(disk, 0, buffer, 512), cases[_i].error);
    ck_assert_int_eq(block_write(disk, 0, buffer, 512), cases[_i].error);
    far_disk.status = 0;
    ck_assert_int_eq(block_read(disk, 0, buffer, 512), 0);
}
END_TEST

START_TEST(a_device_that_lies_is_stopped)
{
    struct block_device *disk = far_disk_open(bytes, SIZE);
    far_disk.lies = true;
    ck_assert_int_eq(block_read(disk, 0, buffer, 512), -EIO);
    ck_assert_uint_eq(far_disk.stop_count, 1);
    far_disk.lies = false;
    ck_assert_int_eq(block_read(disk, 0, buffer, 512), -EIO);
    ck_assert_uint_eq(far_disk.stop_count, 1);
}
END_TEST

START_TEST(a_device_that_makes_no_sense_is_left_out)
{
    far_disk.features = FEATURE(BLK_SIZE);
    far_disk.config.blk_size = _i == 0 ? 0 : _i == 1 ? 768 : _i == 2 ? 8192 : 512;
    far_disk.refuses = _i == 3;
    far_disk.ring_max = _i == 4 ? 2 : 0;
    ck_assert_ptr_null(far_disk_open(bytes, SIZE));
    ck_assert_uint_eq(far_disk.stop_count, 1);
}
END_TEST

// ---- The cache ----

START_TEST(chunks_are_read_once)
{
    struct block_cache *cache = block_device_cache(far_disk_open(bytes, SIZE));
    struct block_chunk *chunk;
    far_disk.request_count = 0;
    ck_assert_int_eq(block_copy_in(cache, BLOCK_CHUNK + 5, buffer, 1000, false), 0);
    ck_assert_mem_eq(buffer, bytes + BLOCK_CHUNK + 5, 1000);
    ck_assert_int_eq(block_copy_in(cache, BLOCK_CHUNK, buffer, BLOCK_CHUNK, false), 0);
    ck_assert_mem_eq(buffer, bytes + BLOCK_CHUNK, BLOCK_CHUNK);
    ck_assert_uint_eq(far_disk.request_count, 1);
    bytes[BLOCK_CHUNK] ^= 1; // somebody else
    ck_assert_int_eq(block_copy_in(cache, BLOCK_CHUNK, buffer, 1, false), 0);
    ck_assert_int_ne(buffer[0], bytes[BLOCK_CHUNK]);
    ck_assert_int_eq(block_copy_in(cache, BLOCK_CHUNK, buffer, 512, true), 0); // the disk itself
    ck_assert_int_eq(buffer[0], bytes[BLOCK_CHUNK]);
    bytes[BLOCK_CHUNK] ^= 1;
    block_cache_forget(cache, BLOCK_CHUNK + 512, 1);
    ck_assert_int_eq(block_copy_in(cache, BLOCK_CHUNK, buffer, 1, false), 0);
    ck_assert_int_eq(buffer[0], bytes[BLOCK_CHUNK]);
    ck_assert_int_eq(block_chunk_get(cache, 5, &chunk), 0); // the last, which is no whole one
    ck_assert_mem_eq(block_chunk_data(chunk), bytes + 5 * BLOCK_CHUNK, 4096);
    for (size_t i = 4096; i < BLOCK_CHUNK; ++i) {
        ck_assert_int_eq(block_chunk_data(chunk)[i], 0);
    }
    block_chunk_put(cache, chunk);
}
END_TEST

static struct shrinker *cache_shrinker;

static void shrinker_find(struct shrinker *shrinker, void *unused)
{
    (void)unused;
    cache_shrinker = strcmp(shrinker->name, "blocks of disks") == 0 ? shrinker : cache_shrinker;
}

START_TEST(memory_is_given_back)
{
    struct block_cache *cache = block_device_cache(far_disk_open(bytes, SIZE));
    struct block_chunk *held;
    shrinker_walk(shrinker_find, NULL); // the last one
    ck_assert_ptr_nonnull(cache_shrinker);
    for (uint64_t i = 0; i < 3; ++i) {
        ck_assert_int_eq(block_copy_in(cache, i * BLOCK_CHUNK, buffer, 1, false), 0);
    }
    ck_assert_int_eq(block_chunk_get(cache, 1, &held), 0);
    ck_assert_uint_eq(cache_shrinker->held(cache_shrinker), 3 * BLOCK_CHUNK);
    ck_assert_uint_eq(cache_shrinker->shrink(cache_shrinker, 1, false), BLOCK_CHUNK);
    ck_assert_uint_eq(cache_shrinker->shrink(cache_shrinker, SIZE, true), BLOCK_CHUNK);
    ck_assert_uint_eq(cache_shrinker->shrink(cache_shrinker, SIZE, true), 0);
    ck_assert_mem_eq(block_chunk_data(held), bytes + BLOCK_CHUNK, BLOCK_CHUNK);
    block_chunk_put(cache, held);
    ck_assert_uint_eq(cache_shrinker->shrink(cache_shrinker, SIZE, false), BLOCK_CHUNK);
    ck_assert_uint_eq(cache_shrinker->held(cache_shrinker), 0);
    ck_assert_int_eq(block_copy_in(cache, 2 * BLOCK_CHUNK, buffer, 10, false), 0);
    ck_assert_mem_eq(buffer, bytes + 2 * BLOCK_CHUNK, 10);
}
END_TEST

START_TEST(writes_go_through)
{
    struct block_cache *cache = block_device_cache(far_disk_open(bytes, SIZE));
    far_disk.request_count = 0;
    ck_assert_int_eq(block_copy_out(cache, 512, "0123456789", 10), 0); // read, then written
    ck_assert_uint_eq(far_disk.request_count, 2);
    ck_assert_mem_eq(bytes + 512, "0123456789", 10);
    ck_assert_int_eq((unsigned char)bytes[522], (unsigned char)(522 * 7));
    ck_assert_int_eq(block_copy_in(cache, 512, buffer, 10, false), 0);
    ck_assert_mem_eq(buffer, "0123456789", 10);
    ck_assert_uint_eq(far_disk.request_count, 2);
    memset(buffer, 3, 1024);
    ck_assert_int_eq(block_copy_out(cache, BLOCK_CHUNK, buffer, 1024), 0); // whole blocks
    ck_assert_uint_eq(far_disk.request_count, 3);
    far_disk.bad_sector = 1; // what a failed write has left is read anew
    ck_assert_int_eq(block_copy_out(cache, 512, "abc", 3), -EIO);
    far_disk.bad_sector = 0;
    ck_assert_int_eq(block_copy_in(cache, 512, buffer, 10, false), 0);
    ck_assert_mem_eq(buffer, "0123456789", 10);
    far_disk.bad_sector = 2 * BLOCK_CHUNK / 512;
    ck_assert_int_eq(block_copy_in(cache, 2 * BLOCK_CHUNK, buffer, 1, false), -EIO);
    far_disk.bad_sector = 0;
    ck_assert_int_eq(block_copy_in(cache, 2 * BLOCK_CHUNK, buffer, 1, false), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("block");
    TCase *tcase = tcase_create("block");
    tcase_add_checked_fixture(tcase, start, stop);
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, a_plain_disk_is_read_and_written);
    tcase_add_loop_test(tcase, limits_are_kept, 0, 2);
    tcase_add_test(tcase, what_a_device_offers_is_used);
    tcase_add_loop_test(tcase, errors_are_told, 0, 5);
    tcase_add_test(tcase, a_device_that_lies_is_stopped);
    tcase_add_loop_test(tcase, a_device_that_makes_no_sense_is_left_out, 0, 5);
    tcase_add_test(tcase, chunks_are_read_once);
    tcase_add_test(tcase, memory_is_given_back);
    tcase_add_test(tcase, writes_go_through);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
