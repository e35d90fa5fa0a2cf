// SPDX-License-Identifier: BSD-3-Clause
// trim_test.c: what nobody uses goes back to where frames come from, what somebody uses stays as it
// is, and the heap's figures say which is which.
#include "core/mem/frame.h"
#include "core/mem/heap.h"
#include "core/mem/percpu.h"
#include "tests/unit/hal/unit_hal.h"

#include <check.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "memory_host.h"

enum { CPUS = 3, MIB = 1 << 20 };

static struct percpu cpus[CPUS];

static void cpu_switch(uint32_t index)
{
    unit_cpu = (struct cpu *)(void *)&cpus[index];
}

static char *test_map(size_t size, size_t alignment)
{
    (void)alignment;
    return mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void test_unmap(char *va, size_t size)
{
    ck_assert_int_eq(munmap(va, size), 0);
}

static char *test_remap(char *va, size_t old_size, size_t new_size)
{
    char *moved = mremap(va, old_size, new_size, MREMAP_MAYMOVE);
    return moved == MAP_FAILED ? NULL : moved;
}

static const struct heap_large test_large = {test_map, test_unmap, test_remap};

static void boot(void)
{
    for (uint32_t i = 0; i < CPUS; i++) {
        cpus[i].index = i;
    }
    cpu_switch(0);
    memory_host_init(CPUS);
    for (uint32_t i = 0; i < CPUS; i++) {
        cpus[i].heap = percpu_heaps[i];
    }
    heap_large_register(&test_large);
}

// All CPUs' are flushed, as core/sync/heap_trim.c has it done. Answers the bytes given back.
static size_t trim(void)
{
    size_t returned = 0;
    for (uint32_t i = 0; i < CPUS; i++) {
        cpu_switch(i);
        returned += heap_flush();
    }
    return returned + heap_unmap() + heap_trim();
}

static size_t random_size(void)
{
    static const size_t limits[] = {16, 64, 256, 1024, 4096, 32768};
    size_t limit = rand() % 64 == 0 ? 200000 : limits[rand() % 6];
    return 1 + (size_t)rand() % limit;
}

// A span per CPU and class is being cut, and stays.
START_TEST(all_that_is_free_is_given_back)
{
    enum { BLOCKS = 20000 };
    static void *blocks[BLOCKS];
    boot();
    srand(1);
    size_t left = 0;
    for (int round = 0; round < 3; round++) {
        size_t before = frame_free_count();
        for (int i = 0; i < BLOCKS; i++) {
            cpu_switch((uint32_t)rand() % CPUS);
            blocks[i] = heap_alloc(random_size());
            ck_assert_ptr_nonnull(blocks[i]);
        }
        size_t taken = before - frame_free_count();
        for (int i = 0; i < BLOCKS; i++) {
            cpu_switch((uint32_t)rand() % CPUS);
            heap_free(blocks[i]);
        }
        size_t kept = before - frame_free_count();
        size_t returned = trim();
        left += before - frame_free_count();
        ck_assert_uint_gt(taken, 40 * MIB / HAL_PAGE_SIZE);
        ck_assert_uint_gt(kept, taken / 2);
        ck_assert_uint_eq(returned / HAL_PAGE_SIZE, kept - (before - frame_free_count()));
        // Spans of 72 classes, of 16 pages at most and 6 on average.
        ck_assert_uint_le(left, CPUS * 72 * 6);
        ck_assert_uint_eq(trim(), 0);
    }
}
END_TEST

START_TEST(blocks_in_use_stay_as_they_are)
{
    enum { BLOCKS = 3000 };
    static struct {
        unsigned char *block;
        size_t size;
        unsigned char fill;
    } pieces[BLOCKS], *piece;
    boot();
    srand(2);
    size_t returned = 0;
    for (int step = 0; step < 200000; step++) {
        cpu_switch((uint32_t)rand() % CPUS);
        piece = &pieces[rand() % BLOCKS];
        if (piece->block != NULL) {
            ck_assert_uint_eq(piece->block[0], piece->fill);
            ck_assert_uint_eq(piece->block[piece->size / 2], piece->fill);
            ck_assert_uint_eq(piece->block[piece->size - 1], piece->fill);
            heap_free(piece->block);
            piece->block = NULL;
        } else {
            piece->size = random_size() % 5000 + 1;
            piece->block = heap_alloc(piece->size);
            piece->fill = (unsigned char)rand();
            memset(piece->block, piece->fill, piece->size);
        }
        if (rand() % 5000 == 0) {
            returned += trim();
        }
    }
    ck_assert_uint_gt(returned, 0);
}
END_TEST

// What a program has freed of one size goes back while it asks for others.
START_TEST(a_program_grows_by_what_it_uses)
{
    enum { SIZES = 40, BLOCKS = 50 };
    static void *blocks[BLOCKS];
    boot();
    size_t frames = frame_free_count();
    for (size_t size = 1100; size < 1100 + SIZES * 700; size += 700) {
        for (int i = 0; i < BLOCKS; i++) {
            blocks[i] = heap_program_alloc(size);
            ck_assert_ptr_nonnull(blocks[i]);
        }
        ck_assert_uint_le((frames - frame_free_count()) * HAL_PAGE_SIZE,
                          size * BLOCKS * 5 / 4 + (256 << 10));
        for (int i = 0; i < BLOCKS; i++) {
            heap_program_free(blocks[i]);
        }
    }
}
END_TEST

// One block in each hundred is in use: what has none goes, and the rest serves further allocations.
START_TEST(spans_with_a_block_in_use_stay)
{
    enum { BLOCKS = 40000, SIZE = 128 };
    static char *blocks[BLOCKS];
    boot();
    for (int i = 0; i < BLOCKS; i++) {
        blocks[i] = heap_alloc(SIZE);
        blocks[i][SIZE - 1] = (char)i;
    }
    for (int i = 0; i < BLOCKS; i++) {
        if (i % 100 != 0) {
            heap_free(blocks[i]);
        }
    }
    size_t pages = BLOCKS * SIZE / HAL_PAGE_SIZE, returned = trim() / HAL_PAGE_SIZE;
    ck_assert_uint_ge(returned, pages * 2 / 3 - 32); // 32 blocks in a page: two pages of three
    ck_assert_uint_le(returned, pages * 2 / 3 + 64);
    size_t frames = frame_free_count();
    int again = (int)((pages - returned) * 31) - 64;
    for (int i = 0; i < again; i++) {
        ck_assert_ptr_nonnull(heap_alloc(SIZE));
    }
    ck_assert_uint_eq(frame_free_count(), frames);
    for (int i = 0; i < BLOCKS; i += 100) {
        ck_assert_int_eq(blocks[i][SIZE - 1], (char)i);
    }
}
END_TEST

START_TEST(figures_say_what_is_in_use)
{
    enum { BLOCKS = 1000 };
    static void *blocks[BLOCKS];
    struct heap_counts before, during, after;
    boot();
    heap_counts_get(&before);
    ck_assert_uint_eq(before.used, 0);
    size_t used = 0;
    srand(3);
    for (int i = 0; i < BLOCKS; i++) {
        cpu_switch((uint32_t)i % CPUS);
        blocks[i] = heap_alloc(random_size());
        used += heap_size(blocks[i]);
    }
    void *mapped = heap_alloc(5 * MIB);
    heap_counts_get(&during);
    ck_assert_uint_eq(during.used, used);
    ck_assert_uint_ge(during.taken, used);
    ck_assert_uint_eq(during.mapped_count, 1);
    ck_assert_uint_ge(during.mapped, 5 * MIB);
    for (int i = 0; i < BLOCKS; i++) {
        cpu_switch((uint32_t)i / 2 % CPUS);
        heap_free(blocks[i]);
    }
    heap_free(mapped);
    heap_counts_get(&after);
    ck_assert_uint_eq(after.used, 0);
    ck_assert_uint_ge(after.free_count, BLOCKS);
    ck_assert_uint_gt(after.ready_count, 0);
    ck_assert_uint_ge(after.idle, 5 * MIB);
    ck_assert_uint_eq(after.mapped_count, 0);
    ck_assert_uint_eq(after.mapped_count_most, 1);
    trim();
    heap_counts_get(&after);
    ck_assert_uint_eq(after.used, 0);
    ck_assert_uint_eq(after.idle, 0);
    ck_assert_uint_lt(after.taken, during.taken);
}
END_TEST

// A chain that a program wrote to is left alone, and malloc names what was done.
static jmp_buf told;

static void note_mistake(enum heap_mistake what, const void *block, size_t size)
{
    (void)block;
    longjmp(told, what == HEAP_OVERWRITTEN && size == 96 ? 1 : 2);
}

START_TEST(a_late_write_is_told_after_a_trim)
{
    enum { BLOCKS = 100 };
    uintptr_t *blocks[BLOCKS];
    boot();
    for (int i = 0; i < BLOCKS; i++) {
        blocks[i] = heap_program_alloc(96);
    }
    for (int i = 0; i < BLOCKS; i++) {
        heap_program_free(blocks[i]);
    }
    trim();
    blocks[BLOCKS - 9][1] = (uintptr_t)blocks[0] + 8; // of the span that is being cut, which stays
    trim();
    cpu_switch(0);
    heap_program_broken = note_mistake;
    int what = setjmp(told);
    if (what == 0) {
        for (int i = 0; i < 2 * BLOCKS; i++) {
            heap_program_alloc(96);
        }
        ck_abort_msg("nothing was told");
    }
    ck_assert_int_eq(what, 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("trim");
    TCase *tests = tcase_create("unit");
    tcase_set_timeout(tests, 250);
    tcase_add_test(tests, all_that_is_free_is_given_back);
    tcase_add_test(tests, blocks_in_use_stay_as_they_are);
    tcase_add_test(tests, a_program_grows_by_what_it_uses);
    tcase_add_test(tests, spans_with_a_block_in_use_stay);
    tcase_add_test(tests, figures_say_what_is_in_use);
    tcase_add_test(tests, a_late_write_is_told_after_a_trim);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
