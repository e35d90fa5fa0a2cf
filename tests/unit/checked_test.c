// SPDX-License-Identifier: BSD-3-Clause
// checked_test.c: the heap while a memory checker watches. Under Memcheck the checker is there, and
// says what is closed; without it the blocks are the same.
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <valgrind/memcheck.h>

#include "core/mem/frame.h"
#include "core/mem/heap.h"
#include "core/mem/percpu.h"
#include "tests/unit/hal/unit_hal.h"

enum { MIB = 1 << 20, MEMORY = 64 * MIB };

static struct percpu cpu;

static struct hal_region region = {2 * MIB, MEMORY};

static void boot(void)
{
    char *arena =
        mmap(NULL, MEMORY + 2 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert(arena != MAP_FAILED);
    arena = (char *)(((uintptr_t)arena + 2 * MIB - 1) & ~(uintptr_t)(2 * MIB - 1));
    unit_cpu = (struct cpu *)(void *)&cpu;
    const struct hal_boot facts = {
        .cpu_count = 1,
        .direct_base = arena - region.start,
        .regions = &region,
        .region_count = 1,
        .memory_is_zero = true,
        .is_checked = true,
    };
    frame_init(&facts);
    heap_init(1);
}

static bool is_open(const char *bytes, size_t size)
{
    char bits[64];
    return VALGRIND_GET_VBITS(bytes, bits, size) != 3;
}

static void closed_check(const char *bytes, size_t size)
{
    for (size_t i = 0; i < size && RUNNING_ON_VALGRIND; ++i) {
        ck_assert(!is_open(bytes + i, 1));
    }
}

static void block_check(char *block, size_t size, size_t alignment)
{
    ck_assert_ptr_nonnull(block);
    ck_assert_uint_eq((uintptr_t)block % alignment, 0);
    ck_assert_uint_eq(heap_size(block), size);
    memset(block, 0x5a, size);
    closed_check(block - 16, 16);
    closed_check(block + size, 16);
}

START_TEST(blocks_lie_between_red_zones)
{
    static const size_t sizes[] = {0, 1, 15, 16, 17, 100, 1000, 32768, 40000, 3 * MIB};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; ++i) {
        char *mine = heap_alloc(sizes[i]);
        char *theirs = heap_program_alloc(sizes[i]);
        char *aligned = heap_program_alloc_aligned(4096, sizes[i]);
        char *own = heap_alloc_aligned(64, sizes[i]);
        block_check(mine, sizes[i], HEAP_ALIGNMENT);
        block_check(theirs, sizes[i], HEAP_ALIGNMENT);
        block_check(aligned, sizes[i], 4096);
        block_check(own, sizes[i], 64);
        heap_free(mine);
        heap_free(theirs);
        heap_free(aligned);
        heap_free(own);
        closed_check(mine, sizes[i] < 64 ? sizes[i] : 64);
        closed_check(theirs, sizes[i] < 64 ? sizes[i] : 64);
    }
}
END_TEST

START_TEST(zeroed_blocks_are_zero)
{
    for (size_t round = 0; round < (RUNNING_ON_VALGRIND ? 100 : 2000); ++round) {
        char *blocks[2] = {heap_alloc_zeroed(5000), heap_program_alloc_zeroed(5000)};
        for (size_t i = 0; i < 2; ++i) {
            ck_assert(blocks[i][0] == 0 && blocks[i][2500] == 0 && blocks[i][4999] == 0);
            block_check(blocks[i], 5000, HEAP_ALIGNMENT);
            heap_free(blocks[i]);
        }
    }
}
END_TEST

START_TEST(a_freed_block_is_not_the_next_one)
{
    char *old = heap_program_alloc(100);
    heap_free(old);
    for (int i = 0; i < 200; ++i) {
        char *block = heap_program_alloc(100);
        ck_assert_ptr_ne(block, old);
        heap_free(block);
    }
}
END_TEST

START_TEST(realloc_moves_and_copies)
{
    char *block = heap_realloc(NULL, 50);
    memset(block, 7, 50);
    char *larger = heap_realloc(block, 60);
    ck_assert_ptr_ne(larger, block);
    ck_assert(larger[0] == 7 && larger[49] == 7);
    char *smaller = heap_realloc(larger, 3);
    ck_assert_ptr_ne(smaller, larger);
    ck_assert(smaller[2] == 7);
    block_check(smaller, 3, HEAP_ALIGNMENT);
    ck_assert_ptr_null(heap_realloc(smaller, (size_t)1 << 40));
    ck_assert_uint_eq(heap_size(smaller), 3); // as it was
    heap_free(smaller);
}
END_TEST

// Memcheck reports these: they are for who runs without it.
START_TEST(what_is_no_block_is_left_alone)
{
    if (RUNNING_ON_VALGRIND) {
        return;
    }
    static char elsewhere[64];
    char *block = heap_program_alloc(200);
    heap_free(block + 16);
    heap_free(block + 1);
    heap_free(elsewhere + 32);
    ck_assert_uint_eq(heap_size(block), 200);
    heap_free(block);
    heap_free(block);
    ck_assert_uint_eq(heap_size(block), 0);
    ck_assert_ptr_null(heap_realloc(block, 10));
}
END_TEST

START_TEST(the_quarantine_gives_way)
{
    for (int round = 0; round < 6; ++round) { // more than there is, were any kept
        char *block = heap_program_alloc(MEMORY / 4);
        ck_assert_ptr_nonnull(block);
        heap_free(block);
    }
    ck_assert_ptr_null(heap_program_alloc(MEMORY * 2));
    ck_assert_ptr_null(heap_program_alloc(SIZE_MAX / 2));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("checked");
    TCase *tests = tcase_create("unit");
    tcase_add_checked_fixture(tests, boot, NULL);
    tcase_add_test(tests, blocks_lie_between_red_zones);
    tcase_add_test(tests, zeroed_blocks_are_zero);
    tcase_add_test(tests, a_freed_block_is_not_the_next_one);
    tcase_add_test(tests, realloc_moves_and_copies);
    tcase_add_test(tests, what_is_no_block_is_left_alone);
    tcase_add_test(tests, the_quarantine_gives_way);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
