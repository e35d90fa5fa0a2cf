// SPDX-License-Identifier: BSD-3-Clause
// heap_test.c: blocks are apart, aligned, as large as asked, keep their contents, and move between
// CPUs.
#include "core/mem/frame.h"
#include "core/mem/heap.h"
#include "tests/unit/hal/unit_hal.h"

#include <check.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <valgrind/valgrind.h>

#include "memory_host.h"

enum { MIB = 1 << 20, CPUS = 3 };

static struct {
    uint32_t index;
} cpus[CPUS];

static void cpu_switch(uint32_t index)
{
    unit_cpu = (struct cpu *)(void *)&cpus[index];
}

static void boot(void)
{
    for (uint32_t i = 0; i < CPUS; i++) {
        cpus[i].index = i;
    }
    cpu_switch(0);
    memory_host_init(CPUS);
}

// ---- What core/vm would register -----------------------------------------

static size_t mapped_bytes, map_count;

static char *test_map(size_t size, size_t alignment)
{
    ck_assert_uint_eq(size % HAL_PAGE_SIZE, 0);
    ck_assert_uint_eq(alignment, HAL_PAGE_SIZE);
    char *va = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    mapped_bytes += size;
    map_count++;
    return va == MAP_FAILED ? NULL : va;
}

static void test_unmap(char *va, size_t size)
{
    mapped_bytes -= size;
    ck_assert_int_eq(munmap(va, size), 0);
}

static char *test_remap(char *va, size_t old_size, size_t new_size)
{
    char *moved = mremap(va, old_size, new_size, MREMAP_MAYMOVE);
    mapped_bytes += new_size - old_size;
    return moved == MAP_FAILED ? NULL : moved;
}

static const struct heap_large test_large = {test_map, test_unmap, test_remap};

// ---- A model -------------------------------------------------------------

struct piece {
    unsigned char *block;
    size_t size;
    unsigned char fill;
};

static void piece_check(const struct piece *piece)
{
    size_t step = piece->size > 4096 ? piece->size / 997 + 1 : 1;
    size_t wrong = 0;
    for (size_t i = 0; i < piece->size; i += step) {
        wrong += piece->block[i] != piece->fill;
    }
    ck_assert_uint_eq(wrong, 0);
    ck_assert(piece->size == 0 || piece->block[piece->size - 1] == piece->fill);
    ck_assert_uint_ge(heap_size(piece->block), piece->size);
}

static void piece_fill(struct piece *piece)
{
    piece->fill = (unsigned char)rand();
    memset(piece->block, piece->fill, piece->size);
}

static size_t size_random(void)
{
    static const size_t limits[] = {16, 64, 256, 1024, 4096, 32768, 70000, 300000, 3 * MIB};
    size_t which = (size_t)rand() % 64;
    return (size_t)rand() % (limits[which < 8 ? which : which < 10 ? 8 : which % 6] + 1);
}

static void piece_new(struct piece *piece)
{
    piece->size = size_random();
    size_t alignment = 16;
    if (rand() % 8 == 0) {
        alignment = (size_t)1 << rand() % 18;
        piece->block = heap_alloc_aligned(alignment, piece->size);
    } else if (rand() % 4 == 0) {
        piece->block = heap_alloc_zeroed(piece->size);
        piece->fill = 0;
        piece_check(piece);
    } else {
        piece->block = heap_alloc(piece->size);
    }
    ck_assert_ptr_nonnull(piece->block);
    ck_assert_uint_eq((uintptr_t)piece->block % (alignment < 16 ? 16 : alignment), 0);
    piece_fill(piece);
}

static void piece_resize(struct piece *piece)
{
    size_t size = rand() % 2 ? size_random() : piece->size + (size_t)rand() % (piece->size + 16);
    piece->block = heap_realloc(piece->block, size);
    ck_assert_ptr_nonnull(piece->block);
    piece->size = size < piece->size ? size : piece->size;
    piece_check(piece);
    piece->size = size > 8 * MIB ? 8 * MIB : size;
    piece_fill(piece);
}

static void random_pieces(int steps)
{
    enum { PIECES = 200 };
    static struct piece pieces[PIECES];
    srand(7);
    for (int step = 0; step < steps; step++) {
        cpu_switch((uint32_t)rand() % CPUS);
        struct piece *piece = &pieces[rand() % PIECES];
        if (piece->block == NULL) {
            piece_new(piece);
        } else if (rand() % 3 == 0) {
            piece_check(piece);
            piece_resize(piece);
        } else {
            piece_check(piece);
            heap_free(piece->block);
            piece->block = NULL;
        }
    }
    for (int i = 0; i < PIECES; i++) {
        if (pieces[i].block != NULL) {
            piece_check(&pieces[i]);
        }
        heap_free(pieces[i].block);
        pieces[i].block = NULL;
    }
}

START_TEST(random_pieces_before_mappings)
{
    boot();
    random_pieces(2500);
}
END_TEST

START_TEST(random_pieces_with_mappings)
{
    boot();
    heap_large_register(&test_large);
    random_pieces(2500);
    ck_assert_uint_gt(map_count, 0);
    ck_assert_uint_le(mapped_bytes, 32 * MIB);
}
END_TEST

START_TEST(every_size_fits_its_class)
{
    boot();
    for (size_t size = 0; size <= HEAP_SMALL_MAX + 100; size++) {
        char *block = heap_alloc(size);
        size_t usable = heap_size(block);
        ck_assert_uint_ge(usable, size);
        ck_assert_uint_le(usable, size + size / 4 + 4096 * (size > HEAP_SMALL_MAX) + 16);
        heap_free(block);
    }
}
END_TEST

// Fresh memory is brought in ranges that grow, each beginning where the one before ended.
START_TEST(fresh_memory_is_populated_before_its_use)
{
    enum { BLOCKS = 20000, SIZE = 96 };
    size_t calls = 0, total = 0;
    struct hal_range last = {NULL, 0};
    boot();
    unit_populated = last;
    for (int i = 0; i < BLOCKS; i++) {
        const char *block = heap_alloc(SIZE);
        ck_assert_ptr_nonnull(block);
        if (unit_populated.va != last.va) {
            last = unit_populated;
            calls++;
            total += last.size;
            ck_assert_uint_eq(last.size % HAL_PAGE_SIZE, 0);
        }
        ck_assert(block + SIZE <= last.va + last.size);
    }
    ck_assert_uint_ge(total, BLOCKS * SIZE);
    ck_assert_uint_le(total, BLOCKS * SIZE + (128 << 10));
    ck_assert_uint_le(calls, BLOCKS * SIZE / (64 << 10) + 8);
}
END_TEST

START_TEST(a_growing_block_is_seldom_copied)
{
    enum { START = 40 << 10, STEP = 4 << 10 };
    boot();
    char *block = heap_alloc(START);
    size_t moves = 0;
    for (size_t size = START; size <= MIB; size += STEP) {
        char *grown = heap_realloc(block, size);
        ck_assert_ptr_nonnull(grown);
        moves += grown != block;
        grown[size - 1] = 1;
        block = grown;
    }
    ck_assert_uint_le(moves, 10); // a doubling has eight sizes
    heap_free(block);
}
END_TEST

START_TEST(blocks_of_every_class_are_apart)
{
    boot();
    enum { COUNT = 40 };
    for (size_t size = 16; size <= HEAP_SMALL_MAX; size += size / 64 * 16 + 16) {
        char *blocks[COUNT];
        for (int i = 0; i < COUNT; i++) {
            blocks[i] = heap_alloc(size);
            memset(blocks[i], i, heap_size(blocks[i]));
        }
        for (int i = 0; i < COUNT; i++) {
            for (size_t k = 0; k < heap_size(blocks[i]); k += 8) {
                ck_assert_int_eq(blocks[i][k], (char)i);
            }
            heap_free(blocks[i]);
        }
    }
}
END_TEST

START_TEST(what_one_cpu_frees_another_gets)
{
    boot();
    enum { ROUNDS = 200, COUNT = 1000 };
    static void *blocks[COUNT];
    size_t free_count = 0;
    for (int round = 0; round < ROUNDS; round++) {
        cpu_switch(0);
        for (int i = 0; i < COUNT; i++) {
            blocks[i] = heap_alloc(200);
        }
        cpu_switch(1);
        for (int i = 0; i < COUNT; i++) {
            heap_free(blocks[i]);
        }
        if (round == 3) {
            free_count = frame_free_count();
        }
    }
    ck_assert_uint_eq(frame_free_count(), free_count);
}
END_TEST

START_TEST(no_memory_is_null_and_the_old_block_stays)
{
    boot();
    enum { COUNT = 4096 };
    static void *blocks[COUNT];
    int count = 0;
    while (count < COUNT && (blocks[count] = heap_alloc(100000)) != NULL) {
        memset(blocks[count++], 5, 100000);
    }
    ck_assert_int_lt(count, COUNT);
    ck_assert_ptr_null(heap_alloc(3 * MIB));
    ck_assert_ptr_null(heap_alloc(SIZE_MAX));
    ck_assert_ptr_null(heap_alloc_aligned((size_t)1 << 62, 1));
    ck_assert_ptr_null(heap_realloc(blocks[0], 4 * MIB));
    ck_assert_int_eq(((char *)blocks[0])[99999], 5);
    while (heap_alloc(HEAP_SMALL_MAX) != NULL) {
    }
    ck_assert_ptr_null(heap_realloc(blocks[1], SIZE_MAX));
    ck_assert_ptr_nonnull(heap_realloc(blocks[1], 10));
    for (int i = 2; i < count; i++) {
        heap_free(blocks[i]);
    }
    ck_assert_ptr_nonnull(heap_alloc(3 * MIB));
}
END_TEST

START_TEST(a_large_buffer_is_mapped_once)
{
    boot();
    heap_large_register(&test_large);
    for (int i = 0; i < 100; i++) {
        char *block = heap_alloc(5 * MIB);
        memset(block, 1, 5 * MIB);
        heap_free(block);
        block = heap_alloc_zeroed(5 * MIB - 1000);
        ck_assert_int_eq(block[4 * MIB], 0);
        heap_free(block);
    }
    ck_assert_uint_eq(map_count, 1);
}
END_TEST

static _Atomic(void *) mailbox[64];

static void *exchange_blocks(void *argument)
{
    cpu_switch((uint32_t)(uintptr_t)argument);
    unsigned seed = (unsigned)(uintptr_t)argument;
    for (int i = 0; i < (RUNNING_ON_VALGRIND ? 2500 : 50000); i++) {
        size_t size = 16u << rand_r(&seed) % 8;
        size_t *block = heap_alloc(size);
        block[0] = size;
        block[size / sizeof size - 1] = size;
        size_t *other = atomic_exchange(&mailbox[rand_r(&seed) % 64], block);
        if (other != NULL) {
            ck_assert(other[other[0] / sizeof size - 1] == other[0]);
            heap_free(other);
        }
    }
    return NULL;
}

START_TEST(cpus_at_the_same_time)
{
    boot();
    pthread_t threads[CPUS];
    for (uintptr_t i = 0; i < CPUS; i++) {
        pthread_create(&threads[i], NULL, exchange_blocks, (void *)i);
    }
    for (int i = 0; i < CPUS; i++) {
        pthread_join(threads[i], NULL);
    }
    for (int i = 0; i < 64; i++) {
        heap_free(mailbox[i]);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("heap");
    TCase *tests = tcase_create("unit");
    tcase_set_timeout(tests, 250);
    tcase_add_test(tests, random_pieces_before_mappings);
    tcase_add_test(tests, random_pieces_with_mappings);
    tcase_add_test(tests, every_size_fits_its_class);
    tcase_add_test(tests, fresh_memory_is_populated_before_its_use);
    tcase_add_test(tests, a_growing_block_is_seldom_copied);
    tcase_add_test(tests, blocks_of_every_class_are_apart);
    tcase_add_test(tests, what_one_cpu_frees_another_gets);
    tcase_add_test(tests, no_memory_is_null_and_the_old_block_stays);
    tcase_add_test(tests, a_large_buffer_is_mapped_once);
    suite_add_tcase(suite, tests);
    TCase *threads = tcase_create("threads");
    tcase_set_tags(threads, "threads");
    tcase_set_timeout(threads, 250);
    tcase_add_test(threads, cpus_at_the_same_time);
    suite_add_tcase(suite, threads);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
