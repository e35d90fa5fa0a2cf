// SPDX-License-Identifier: BSD-3-Clause
// heap_test.c: blocks are apart, aligned, as large as asked, keep their contents, and move between
// CPUs.
#include "core/mem/frame.h"
#include "core/mem/heap.h"
#include "core/mem/percpu.h"
#include "tests/unit/hal/unit_hal.h"

#include <check.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <valgrind/valgrind.h>

#include "memory_host.h"

enum { MIB = 1 << 20, CPUS = 3 };

static struct percpu cpus[CPUS];

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
    for (uint32_t i = 0; i < CPUS; i++) {
        cpus[i].heap = percpu_heaps[i];
    }
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

// Of what was asked for, rounded up to 16, at most an eighth more; and of the memory that is taken
// for many blocks at most a sixteenth at the ends of spans, beside what is taken ahead.
START_TEST(no_size_wastes_more_than_an_eighth)
{
    boot();
    for (size_t size = 0; size <= 256 * HAL_PAGE_SIZE; size += size < HEAP_SMALL_MAX ? 1 : 997) {
        char *block = heap_alloc(size);
        size_t least = size < 16 ? 16 : (size + 15) / 16 * 16;
        ck_assert_uint_ge(heap_size(block), size);
        ck_assert_uint_le(heap_size(block), least + least / 8);
        heap_free(block);
    }
}
END_TEST

START_TEST(spans_waste_no_more_than_a_sixteenth)
{
    boot();
    for (size_t asked = 16; asked <= HEAP_SMALL_MAX;) {
        size_t frames = frame_free_count(), count = MIB / asked;
        char *first = heap_alloc(asked), *last = first;
        size_t size = heap_size(first);
        ck_assert_uint_eq(size, asked);
        for (size_t i = 1; i < count; i++) {
            char *block = heap_alloc(asked);
            *(char **)(void *)block = last;
            last = block;
        }
        size_t taken = (frames - frame_free_count()) * HAL_PAGE_SIZE;
        ck_assert_uint_le(taken, size * count * 17 / 16 + (128 << 10));
        for (char *next; last != first; last = next) {
            next = *(char **)(void *)last;
            heap_free(last);
        }
        heap_free(first);
        char *larger = heap_alloc(asked + 1);
        asked = heap_size(larger);
        heap_free(larger);
    }
}
END_TEST

// A size that its class is too large for gets its own when many blocks of it are there, and then
// memory for all of them is hardly more than they are.
START_TEST(a_size_of_many_blocks_wastes_nothing)
{
    enum { SIZE = 4368, BLOCKS = 2000 };
    boot();
    size_t frames = frame_free_count();
    for (int i = 0; i < BLOCKS; i++) {
        ck_assert_ptr_nonnull(heap_alloc(SIZE));
    }
    ck_assert_uint_eq(heap_size(heap_alloc(SIZE)), SIZE);
    ck_assert_uint_eq(heap_size(heap_alloc(SIZE + 16)), 4608);
    size_t taken = (frames - frame_free_count()) * HAL_PAGE_SIZE;
    ck_assert_uint_le(taken, (size_t)BLOCKS * SIZE * 101 / 100);
}
END_TEST

// What there is one of takes the pages it lies in, and those of the next.
START_TEST(a_lone_block_takes_no_span)
{
    boot();
    for (size_t size = 1280; size <= HEAP_SMALL_MAX; size = size * 5 / 4) {
        size_t frames = frame_free_count();
        void *block = heap_alloc(size);
        size_t pages = (heap_size(block) + HAL_PAGE_SIZE - 1) / HAL_PAGE_SIZE;
        ck_assert_uint_le(frames - frame_free_count(), 2 * pages);
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

// Of blocks that are cut for a size that is asked for often: their span grows.
START_TEST(a_span_grows_to_where_memory_ends)
{
    for (size_t size = 1000; size < 5000; size += 259) {
        boot();
        while (heap_alloc(size) != NULL) {
        }
    }
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

// ---- Mistakes ------------------------------------------------------------

static jmp_buf mistake_seen;
static enum heap_mistake mistake;
static const void *mistaken;
static size_t mistaken_size;

static void note_mistake(enum heap_mistake what, const void *block, size_t size)
{
    mistake = what;
    mistaken = block;
    mistaken_size = size;
    longjmp(mistake_seen, 1);
}

static bool free_is_mistake(void *block, enum heap_mistake what)
{
    mistaken = NULL;
    heap_program_broken = note_mistake;
    if (setjmp(mistake_seen) == 0) {
        heap_program_free(block);
        return false;
    }
    ck_assert_ptr_eq(mistaken, block);
    return mistake == what;
}

// Wherever the block is by then: in a CPU's magazines, or on a stack.
START_TEST(a_block_freed_twice_is_named)
{
    enum { COUNT = 2000 };
    static void *blocks[COUNT];
    boot();
    for (size_t size = 16; size <= 4096; size *= 4) {
        for (int i = 0; i < COUNT; i++) {
            blocks[i] = heap_program_alloc(size);
        }
        for (int i = 0; i < COUNT; i++) {
            heap_program_free(blocks[i]);
        }
        for (uint32_t cpu = 0; cpu < CPUS; cpu++) {
            cpu_switch(cpu);
            for (int i = 0; i < COUNT; i += 111) {
                ck_assert(free_is_mistake(blocks[i], HEAP_FREED_TWICE));
                ck_assert_uint_eq(mistaken_size, size);
            }
        }
        cpu_switch(0);
        for (int i = 0; i < COUNT; i++) {
            ck_assert_ptr_nonnull(blocks[i] = heap_program_alloc(size));
        }
    }
    void *large = heap_program_alloc(100000);
    heap_program_free(large);
    ck_assert(free_is_mistake(large, HEAP_NO_BLOCK));
}
END_TEST

// What reads as a link of a free block, but is in none of the chains, is only a program's data.
START_TEST(a_block_with_an_old_link_in_it_is_freed)
{
    boot();
    void **one = heap_program_alloc(64), **two = heap_program_alloc(64);
    heap_program_free(one);
    heap_program_free(two);
    ck_assert_ptr_eq(heap_program_alloc(64), two); // its second word is the link to one
    ck_assert(!free_is_mistake(two, HEAP_FREED_TWICE));
    ck_assert_ptr_eq(heap_program_alloc(64), two);
    ck_assert_ptr_eq(heap_program_alloc(64), one);
}
END_TEST

// So that its free need not look for it among the free ones; and the first word, which programs
// write first, stays alone.
START_TEST(a_block_keeps_no_link_and_its_first_word)
{
    static const size_t sizes[] = {16, 2000, 40000, 200000};
    boot();
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        uintptr_t *other = heap_program_alloc(sizes[i]), *block = heap_program_alloc(sizes[i]);
        heap_program_free(other);
        block[0] = 7;
        heap_program_free(block);
        ck_assert_ptr_eq(heap_program_alloc(sizes[i]), block);
        ck_assert_uint_eq(block[0], 7);
        ck_assert_uint_eq(block[1], 0);
    }
}
END_TEST

START_TEST(what_is_no_block_is_named)
{
    static char elsewhere[256] __attribute__((aligned(64)));
    boot();
    heap_large_register(&test_large);
    char *large = heap_program_alloc(100000), *mapped = heap_program_alloc(3 * MIB);
    ck_assert(free_is_mistake(elsewhere + 64, HEAP_NO_BLOCK));
    ck_assert(free_is_mistake(elsewhere + 65, HEAP_NO_BLOCK));
    ck_assert(free_is_mistake(large + 4096, HEAP_NO_BLOCK));
    ck_assert(free_is_mistake(large + 64, HEAP_NO_BLOCK));
    ck_assert(free_is_mistake(mapped + 4096, HEAP_NO_BLOCK));
    heap_program_free(mapped);
    ck_assert(free_is_mistake(mapped, HEAP_NO_BLOCK));
    heap_program_free(large);
}
END_TEST

START_TEST(a_late_write_to_a_freed_block_is_told)
{
    boot();
    uintptr_t *block = heap_program_alloc(48), *other = heap_program_alloc(48);
    heap_program_free(other);
    heap_program_free(block);
    block[1] = (uintptr_t)other + 8;
    heap_program_broken = note_mistake;
    if (setjmp(mistake_seen) == 0) {
        for (int i = 0; i < 2; i++) {
            heap_program_alloc(48);
        }
        ck_abort_msg("nothing was told");
    }
    ck_assert_int_eq(mistake, HEAP_OVERWRITTEN);
    ck_assert_uint_eq(mistaken_size, 48);
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
    tcase_add_test(tests, no_size_wastes_more_than_an_eighth);
    tcase_add_test(tests, spans_waste_no_more_than_a_sixteenth);
    tcase_add_test(tests, a_size_of_many_blocks_wastes_nothing);
    tcase_add_test(tests, a_lone_block_takes_no_span);
    tcase_add_test(tests, a_block_freed_twice_is_named);
    tcase_add_test(tests, a_block_with_an_old_link_in_it_is_freed);
    tcase_add_test(tests, a_block_keeps_no_link_and_its_first_word);
    tcase_add_test(tests, what_is_no_block_is_named);
    tcase_add_test(tests, a_late_write_to_a_freed_block_is_told);
    tcase_add_test(tests, fresh_memory_is_populated_before_its_use);
    tcase_add_test(tests, a_growing_block_is_seldom_copied);
    tcase_add_test(tests, blocks_of_every_class_are_apart);
    tcase_add_test(tests, what_one_cpu_frees_another_gets);
    tcase_add_test(tests, no_memory_is_null_and_the_old_block_stays);
    tcase_add_test(tests, a_span_grows_to_where_memory_ends);
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
