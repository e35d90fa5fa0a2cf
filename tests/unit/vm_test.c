// SPDX-License-Identifier: BSD-3-Clause
// vm_test.c: the address space against a model: each page of the windows has a protection and one
// byte of contents.
#include "core/lib/errno.h"
#include "core/mem/frame.h"
#include "core/mem/heap.h"
#include "core/vm/vm.h"
#include "vm_host.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

// ---- The model -----------------------------------------------------------

struct page {
    bool is_mapped;
    unsigned prot;
    unsigned char byte; // what its first and last byte are
};

static struct page model[WINDOW_PAGES];
struct walked {
    size_t bytes, wrong;
    char *end;
};

static bool walk_check(const struct vm_area_info *area, void *argument)
{
    struct walked *walked = argument;
    ck_assert(area->start < area->end && area->start >= walked->end);
    walked->bytes += (size_t)(area->end - area->start);
    walked->end = area->end;
    for (char *va = area->start; va < area->end && area->start >= WINDOW_BASE; va += PAGE) {
        const struct page *page = &model[(va - WINDOW_BASE) / PAGE];
        walked->wrong += !page->is_mapped || page->prot != area->prot;
    }
    return true;
}

START_TEST(anonymous_memory_is_there_and_zero)
{
    boot();
    char *va = NULL;
    ck_assert_int_eq(vm_map(&va, 5 * MIB, RW, 0, NULL, 0), 0);
    ck_assert_uint_le(map_calls, 6);
    unsigned char resident[5 * MIB / PAGE];
    ck_assert_int_eq(vm_is_resident(va, 5 * MIB, resident), 0);
    ck_assert(resident[0] && resident[5 * MIB / PAGE - 1]);
    expect(va, 5 * MIB, 0);
    fill(va, 5 * MIB, 7);
    ck_assert_uint_eq(vm_mapped_bytes(), 5 * MIB);
    ck_assert_int_eq(vm_unmap(va, 5 * MIB), 0);
    ck_assert_uint_eq(vm_mapped_bytes(), 0);
    ck_assert_uint_eq(frame_free_count(), free_at_start);
    va = NULL;
    ck_assert_int_eq(vm_map(&va, 5 * MIB, RW, 0, NULL, 0), 0);
    expect(va, 5 * MIB, 0);
}
END_TEST

START_TEST(parts_split_and_neighbours_merge)
{
    boot();
    char *va = NULL;
    ck_assert_int_eq(vm_map(&va, 16 * PAGE, RW, 0, NULL, 0), 0);
    fill(va, 16 * PAGE, 1);
    ck_assert_int_eq(vm_protect(va + 4 * PAGE, 4 * PAGE, HAL_READ), 0);
    ck_assert_uint_eq(areas(), 3);
    ck_assert(!touch(va + 4 * PAGE, HAL_WRITE));
    ck_assert(touch(va + 8 * PAGE, HAL_WRITE));
    ck_assert_int_eq(vm_unmap(va + 6 * PAGE, 4 * PAGE), 0);
    ck_assert_uint_eq(areas(), 3);
    ck_assert_int_eq(vm_protect(va, 16 * PAGE, RW), -ENOMEM);
    char *middle = va + 6 * PAGE;
    ck_assert_int_eq(vm_map(&middle, 4 * PAGE, RW, VM_FIXED | VM_NOREPLACE, NULL, 0), 0);
    ck_assert_int_eq(vm_map(&middle, 4 * PAGE, RW, VM_FIXED | VM_NOREPLACE, NULL, 0), -EEXIST);
    ck_assert_int_eq(vm_protect(va, 16 * PAGE, RW), 0);
    ck_assert_uint_eq(areas(), 1);
    expect(va, 6 * PAGE, 1);
    expect(va + 6 * PAGE, 4 * PAGE, 0);
    expect(va + 10 * PAGE, 6 * PAGE, 1);
    ck_assert_int_eq(vm_protect(va, 16 * PAGE, 0), 0);
    ck_assert(!touch(va, HAL_READ));
    ck_assert_int_eq(vm_protect(va, 16 * PAGE, HAL_READ), 0);
    expect(va, 6 * PAGE, 1);
    ck_assert_int_eq(vm_unmap(va - 4 * MIB < WINDOW_BASE ? va : va - 4 * MIB, 8 * MIB), 0);
    ck_assert_uint_eq(areas(), 0);
    ck_assert_uint_eq(frame_free_count(), free_at_start);
}
END_TEST

START_TEST(lazy_memory_comes_in_chunks)
{
    boot();
    char *va = NULL;
    ck_assert_int_eq(vm_map(&va, 8 * MIB, RW, VM_LAZY, NULL, 0), 0);
    ck_assert_uint_eq(map_calls, 1); // that of boot
    ck_assert_uint_eq((uintptr_t)va % 65536, 0);
    expect(va + 8 * MIB - PAGE, PAGE, 0);
    ck_assert_uint_eq(map_calls, 2);
    expect(va + 8 * MIB - 65536, 65536, 0);
    ck_assert_uint_eq(map_calls, 2);
    // A guard at the bottom, and the top there from the start.
    ck_assert_int_eq(vm_protect(va, PAGE, 0), 0);
    char *top = va + 8 * MIB - 70000 / PAGE * PAGE;
    ck_assert_int_eq(vm_map(&top, 70000 / PAGE * PAGE, RW, VM_FIXED, NULL, 0), 0);
    ck_assert(!touch(va, HAL_READ));
    fill(va + PAGE, 8 * MIB - PAGE, 3);
    expect(va + PAGE, 8 * MIB - PAGE, 3);
    ck_assert(!touch(va, HAL_READ));
    ck_assert(!touch(va + 8 * MIB, HAL_READ));
    ck_assert_int_eq(vm_unmap(va, 8 * MIB), 0);
    ck_assert(!touch(va + MIB, HAL_READ));
}
END_TEST

static bool touch_in_walk(const struct vm_area_info *area, void *argument)
{
    uintptr_t irq = hal_irq_save();
    ck_assert(touch(argument, HAL_WRITE));
    hal_irq_restore(irq);
    return false;
}

START_TEST(a_fault_takes_no_lock)
{
    boot();
    char *va = NULL;
    ck_assert_int_eq(vm_map(&va, 8 * MIB, RW, VM_LAZY, NULL, 0), 0);
    vm_walk(touch_in_walk, va + MIB);
    ck_assert_uint_ne(translation_of(va + MIB)->pa, 0);
}
END_TEST

START_TEST(reserved_memory_is_made_usable)
{
    boot();
    char *va = NULL;
    ck_assert_int_eq(vm_map(&va, 128 * MIB, 0, 0, NULL, 0), 0);
    ck_assert_uint_eq(frame_free_count(), free_at_start);
    ck_assert(!touch(va + MIB, HAL_READ));
    ck_assert_int_eq(vm_protect(va + MIB, 3 * MIB, RW), 0);
    fill(va + MIB, 3 * MIB, 9);
    ck_assert_int_eq(vm_protect(va + 2 * MIB, MIB, HAL_READ), 0);
    expect(va + MIB, 3 * MIB, 9);
    ck_assert(!touch(va + 2 * MIB, HAL_WRITE));
    ck_assert(!touch(va + 4 * MIB, HAL_READ));
    ck_assert_int_eq(vm_unmap(va, 128 * MIB), 0);
    ck_assert_uint_ge(frame_free_count(), free_at_start - 8); // the tables of lazy.c stay
}
END_TEST

START_TEST(more_than_half_of_memory_comes_lazily)
{
    boot();
    char *va = NULL;
    ck_assert_int_eq(vm_map(&va, 48 * MIB, RW, 0, NULL, 0), 0);
    ck_assert_uint_ge(frame_free_count(), free_at_start - 8);
    expect(va + 40 * MIB, MIB, 0);
    char *more = NULL;
    ck_assert_int_eq(vm_map(&more, 80 * MIB, RW, 0, NULL, 0), -ENOMEM);
    ck_assert_int_eq(vm_map(&more, 80 * MIB, RW, VM_LAZY, NULL, 0), 0);
}
END_TEST

START_TEST(remap_grows_in_place_or_moves)
{
    boot();
    char *va = NULL, *wall = NULL;
    ck_assert_int_eq(vm_map(&va, 4 * PAGE, RW, 0, NULL, 0), 0);
    fill(va, 4 * PAGE, 5);
    char *old = va;
    ck_assert_int_eq(vm_remap(&va, 4 * PAGE, 8 * PAGE, false), 0);
    ck_assert_ptr_eq(va, old);
    ck_assert_uint_eq(areas(), 1);
    expect(va, 4 * PAGE, 5);
    expect(va + 4 * PAGE, 4 * PAGE, 0);
    wall = va + 8 * PAGE;
    ck_assert_int_eq(vm_map(&wall, PAGE, HAL_READ, VM_FIXED, NULL, 0), 0);
    hal_phys frame = translation_of(va)->pa;
    ck_assert_int_eq(vm_remap(&va, 8 * PAGE, 16 * PAGE, false), -ENOMEM);
    ck_assert_int_eq(vm_remap(&va, 8 * PAGE, 16 * PAGE, true), 0);
    ck_assert_ptr_ne(va, old);
    ck_assert_uint_eq(translation_of(va)->pa, frame);
    ck_assert_uint_eq(translation_of(old)->pa, 0);
    expect(va, 4 * PAGE, 5);
    expect(va + 4 * PAGE, 12 * PAGE, 0);
    ck_assert_int_eq(vm_remap(&va, 16 * PAGE, 2 * PAGE, true), 0);
    ck_assert_int_eq(vm_unmap(va, 2 * PAGE), 0);
    ck_assert_int_eq(vm_unmap(wall, PAGE), 0);
    ck_assert_uint_eq(frame_free_count(), free_at_start);
    ck_assert_int_eq(vm_remap(&va, 2 * PAGE, 4 * PAGE, true), -EFAULT);
}
END_TEST

START_TEST(remap_moves_lazy_memory)
{
    boot();
    char *va = NULL;
    ck_assert_int_eq(vm_map(&va, MIB, RW, VM_LAZY, NULL, 0), 0);
    fill(va + 65536, 65536, 4);
    char *wall = va + MIB, *old = va;
    ck_assert_int_eq(vm_map(&wall, PAGE, HAL_READ, VM_FIXED, NULL, 0), 0);
    ck_assert_int_eq(vm_remap(&va, MIB, 2 * MIB, true), 0);
    ck_assert(!touch(old, HAL_READ));
    expect(va, 65536, 0);
    expect(va + 65536, 65536, 4);
    expect(va + MIB, MIB, 0);
    ck_assert_int_eq(vm_unmap(va, 2 * MIB), 0);
    ck_assert(!touch(va + 65536, HAL_READ));
    ck_assert_uint_ge(frame_free_count(), free_at_start - 8);
}
END_TEST

START_TEST(discarded_memory_reads_as_zeros)
{
    boot();
    char *va = NULL;
    ck_assert_int_eq(vm_map(&va, 4 * MIB, RW, 0, NULL, 0), 0);
    fill(va, 4 * MIB, 6);
    ck_assert_int_eq(vm_discard(va + PAGE, 3 * PAGE), 0);
    expect(va, PAGE, 6);
    expect(va + PAGE, 3 * PAGE, 0);
    expect(va + 4 * PAGE, PAGE, 6);
    size_t before = frame_free_count();
    ck_assert_int_eq(vm_discard(va + MIB, 2 * MIB), 0);
    ck_assert_uint_ge(frame_free_count(), before + 2 * MIB / PAGE - 2);
    expect(va + MIB, 2 * MIB, 0);
    expect(va + 3 * MIB, MIB, 6);
    ck_assert_int_eq(vm_protect(va, 4 * MIB, HAL_READ), 0);
    expect(va + 3 * MIB, MIB, 6);
    ck_assert_int_eq(vm_discard(va, 5 * MIB), -ENOMEM);
}
END_TEST

// ---- Files ---------------------------------------------------------------

static int pager_users, pager_reads;

static int test_read(struct vm_pager *pager, uint64_t offset, char *to, size_t size)
{
    (void)areas(); // takes the mutex, so it is free
    if (fails()) {
        return -EIO;
    }
    pager_reads++;
    for (size_t i = 0; i < size; i += PAGE) {
        memset(to + i, (int)((offset + i) / PAGE + 1), PAGE);
    }
    return 0;
}

static void test_get(struct vm_pager *pager)
{
    pager_users++;
}

static void test_put(struct vm_pager *pager)
{
    (void)areas();
    pager_users--;
}

static const char *test_name(struct vm_pager *pager)
{
    return "/file";
}

static struct vm_pager pager = {.read = test_read,
                                .get = test_get,
                                .put = test_put,
                                .name = test_name,
                                .device = 8,
                                .inode = 9};

START_TEST(file_mappings_are_private_copies)
{
    boot();
    char *va = NULL;
    ck_assert_int_eq(vm_map(&va, 8 * PAGE, RW, 0, &pager, 2 * PAGE), 0);
    for (unsigned i = 0; i < 8; i++) {
        expect(va + i * PAGE, PAGE, (unsigned char)(i + 3));
    }
    fill(va + PAGE, PAGE, 99);
    ck_assert_int_eq(vm_protect(va + 4 * PAGE, PAGE, HAL_READ), 0);
    ck_assert_uint_eq(areas(), 3);
    ck_assert_int_eq(pager_users, 3);
    ck_assert_int_eq(vm_protect(va + 4 * PAGE, PAGE, RW), 0);
    ck_assert_uint_eq(areas(), 1);
    ck_assert_int_eq(pager_users, 1);
    expect(va + PAGE, PAGE, 99);
    ck_assert_int_eq(vm_discard(va + PAGE, 2 * PAGE), 0);
    expect(va + PAGE, PAGE, 4);
    ck_assert_uint_eq(areas(), 1);
    ck_assert_int_eq(vm_unmap(va + 2 * PAGE, PAGE), 0);
    ck_assert_int_eq(pager_users, 2);
    ck_assert_int_eq(vm_unmap(va, 8 * PAGE), 0);
    ck_assert_int_eq(pager_users, 0);
    ck_assert_uint_eq(frame_free_count(), free_at_start);
}
END_TEST

START_TEST(low_addresses_and_bad_places)
{
    boot();
    char *va = LOW_BASE;
    ck_assert_int_eq(vm_map(&va, 4 * PAGE, RW, VM_FIXED, NULL, 0), 0);
    expect(va, 4 * PAGE, 0);
    char *low = NULL;
    ck_assert_int_eq(vm_map(&low, 4 * PAGE, RW, VM_LOW, NULL, 0), 0);
    ck_assert((uintptr_t)low < 0x80000000u);
    char *none = (char *)0x10000;
    ck_assert_int_eq(vm_map(&none, PAGE, RW, VM_FIXED, NULL, 0), -ENOMEM);
    none = WINDOW_BASE + WINDOW - PAGE;
    ck_assert_int_eq(vm_map(&none, 2 * PAGE, RW, VM_FIXED, NULL, 0), -ENOMEM);
    ck_assert_int_eq(vm_map(&none, PAGE, RW, VM_FIXED, NULL, 0), 0);
    none = WINDOW_BASE + 1;
    ck_assert_int_eq(vm_map(&none, PAGE, RW, VM_FIXED, NULL, 0), -EINVAL);
    ck_assert_int_eq(vm_map(&none, 0, RW, 0, NULL, 0), -EINVAL);
    ck_assert_int_eq(vm_map(&none, PAGE, 8, 0, NULL, 0), -EINVAL);
    char *hint = WINDOW_BASE + 100 * MIB;
    ck_assert_int_eq(vm_map(&hint, PAGE, RW, 0, NULL, 0), 0);
    ck_assert_ptr_eq(hint, WINDOW_BASE + 100 * MIB);
    ck_assert_int_eq(vm_map(&hint, PAGE, RW, 0, NULL, 0), 0);
    ck_assert_ptr_ne(hint, WINDOW_BASE + 100 * MIB);
}
END_TEST

START_TEST(the_break_moves)
{
    boot();
    char *start = vm_brk(NULL);
    ck_assert_ptr_nonnull(start);
    ck_assert_ptr_eq(vm_brk(start + 100000), start + 100000);
    fill(start, 24 * PAGE, 8);
    ck_assert_ptr_eq(vm_brk(start + 10), start + 10);
    ck_assert(!touch(start + PAGE, HAL_READ));
    ck_assert_ptr_eq(vm_brk(start + 3 * PAGE), start + 3 * PAGE);
    expect(start, PAGE, 8);
    expect(start + PAGE, 2 * PAGE, 0);
    ck_assert_ptr_eq(vm_brk(start + WINDOW), start + 3 * PAGE);
    ck_assert_ptr_eq(vm_brk(start - 1), start + 3 * PAGE);
}
END_TEST

// ---- Random changes ------------------------------------------------------

enum { ARENA_PAGES = 600 };

static void model_check(void)
{
    struct walked walked = {0, 0, NULL};
    vm_walk(walk_check, &walked);
    size_t bytes = 0, wrong = 0; // counted: an assertion per page is slow under Valgrind
    for (size_t i = 0; i < ARENA_PAGES; i++) {
        char *va = WINDOW_BASE + i * PAGE;
        const struct page *page = &model[i];
        const struct translation *there = translation_of(va);
        bytes += page->is_mapped ? PAGE : 0;
        if (!page->is_mapped) {
            wrong += there->pa != 0;
        } else if (there->pa != 0) {
            wrong += there->prot != page->prot || bytes_of(va)[0] != page->byte;
        } else {
            wrong += page->byte != 0;
        }
    }
    ck_assert_uint_eq(wrong + walked.wrong, 0);
    ck_assert_uint_eq(walked.bytes, bytes);
    ck_assert_uint_eq(vm_mapped_bytes(), bytes);
}

static void model_set(size_t first, size_t count, struct page page)
{
    for (size_t i = first; i < first + count; i++) {
        model[i] = page;
    }
}

static bool model_is_mapped(size_t first, size_t count)
{
    for (size_t i = first; i < first + count; i++) {
        if (!model[i].is_mapped) {
            return false;
        }
    }
    return true;
}

static unsigned prot_random(void)
{
    static const unsigned prots[] = {0, HAL_READ, RW, RW, RW, HAL_READ | HAL_EXEC};
    return prots[rand() % 6];
}

static void step_map(size_t first, size_t count)
{
    char *va = WINDOW_BASE + first * PAGE;
    unsigned prot = prot_random();
    unsigned flags = VM_FIXED | (rand() % 2 ? VM_LAZY : 0);
    size_t failures = map_failures;
    if (rand() % 4 == 0) {
        if (vm_map(&va, count * PAGE, prot, flags, &pager, first * PAGE) == 0) {
            for (size_t i = first; i < first + count; i++) {
                model[i] = (struct page){true, prot, (unsigned char)(i + 1)};
            }
        }
    } else if (vm_map(&va, count * PAGE, prot, flags, NULL, 0) == 0) {
        model_set(first, count, (struct page){true, prot, 0});
    }
    // What was there is gone when the machine has no table for what replaces it.
    if (map_failures > failures) {
        model_set(first, count, (struct page){false, 0, 0});
    }
}

static void step_protect(size_t first, size_t count)
{
    unsigned prot = prot_random();
    int error = vm_protect(WINDOW_BASE + first * PAGE, count * PAGE, prot);
    if (!model_is_mapped(first, count)) {
        ck_assert_int_eq(error, -ENOMEM);
    } else if (error == 0) {
        for (size_t i = first; i < first + count; i++) {
            model[i].prot = prot;
        }
    }
}

static void step_write(size_t first, size_t count)
{
    unsigned char byte = (unsigned char)rand();
    for (size_t i = first; i < first + count; i++) {
        char *va = WINDOW_BASE + i * PAGE;
        bool is_allowed = model[i].is_mapped && (model[i].prot & HAL_WRITE);
        long after = fail_after;
        fail_after = -1;
        ck_assert_int_eq(touch(va, HAL_WRITE), is_allowed);
        fail_after = after;
        if (is_allowed) {
            bytes_of(va)[0] = bytes_of(va)[PAGE - 1] = byte;
            model[i].byte = byte;
        }
    }
}

static void step_remap(size_t first, size_t count)
{
    size_t more = 1 + (size_t)rand() % 40;
    char *va = WINDOW_BASE + first * PAGE;
    char *wanted = va;
    if (first + count + more >= ARENA_PAGES ||
        vm_remap(&va, count * PAGE, (count + more) * PAGE, false) != 0) {
        return;
    }
    ck_assert_ptr_eq(va, wanted);
    for (size_t i = first + count; i < first + count + more; i++) {
        ck_assert(!model[i].is_mapped);
        model[i] = (struct page){true, model[first].prot, 0};
    }
}

static void step_move(size_t first, size_t count)
{
    char *va = WINDOW_BASE + first * PAGE;
    char *wall = va + count * PAGE;
    if (!model[first + count].is_mapped ||
        vm_remap(&va, count * PAGE, (count + 1) * PAGE, true) != 0) {
        return;
    }
    // Back again by hand: the contents went along.
    ck_assert_ptr_ne(va, wall - count * PAGE);
    for (size_t i = 0; i < count; i++) {
        struct translation *there = translation_of(va + i * PAGE);
        ck_assert_uint_eq(there->pa == 0 ? 0 : bytes_of(va + i * PAGE)[0], model[first + i].byte);
    }
    long after = fail_after;
    fail_after = -1;
    ck_assert_int_eq(vm_unmap(va, (count + 1) * PAGE), 0);
    fail_after = after;
    model_set(first, count, (struct page){false, 0, 0});
}

static void step(void)
{
    size_t first = (size_t)rand() % (ARENA_PAGES - 100), count = 1 + (size_t)rand() % 99;
    switch (rand() % 8) {
    case 0:
    case 1:
        step_map(first, count);
        break;
    case 2:
        if (vm_unmap(WINDOW_BASE + first * PAGE, count * PAGE) == 0) {
            model_set(first, count, (struct page){false, 0, 0});
        }
        break;
    case 3:
        step_protect(first, count);
        break;
    case 4:
        step_remap(first, count % 20 + 1);
        break;
    case 5:
        step_move(first, count % 20 + 1);
        break;
    default:
        step_write(first, count);
    }
}

static void clean_up(void)
{
    ck_assert_int_eq(vm_unmap(WINDOW_BASE, ARENA_PAGES * PAGE), 0);
    ck_assert_uint_eq(vm_mapped_bytes(), 0);
    ck_assert_int_eq(pager_users, 0);
    for (size_t i = 0; i < WINDOW_PAGES; i++) {
        ck_assert_uint_eq(translation_of(WINDOW_BASE + i * PAGE)->pa, 0);
    }
    ck_assert_uint_ge(frame_free_count(), free_at_start - 64); // the heap's and lazy.c's
}

enum { PIECES = 32 };

START_TEST(what_need_not_be_divided_is_unmapped_without_memory)
{
    boot();
    char *va = WINDOW_BASE + 8 * PAGE, *lazy = WINDOW_BASE + 4 * MIB;
    for (long i = 0; i < 3; i++) {
        ck_assert_int_eq(vm_map(&va, 8 * PAGE, HAL_READ | HAL_WRITE, VM_FIXED, NULL, 0), 0);
        ck_assert_int_eq(vm_protect(va, PAGE, 0), 0);
        ck_assert_int_eq(vm_map(&lazy, 4 * MIB, HAL_READ, VM_FIXED | VM_LAZY, NULL, 0), 0);
        fail_after = i;
        ck_assert_int_eq(vm_unmap(va, 9 * PAGE), 0);
        fail_after = i;
        ck_assert_int_eq(vm_unmap(lazy, 4 * MIB), 0);
        fail_after = -1;
        ck_assert_uint_eq(areas(), 0);
        ck_assert_int_eq(vm_map(&va, PIECES * 2 * PAGE, HAL_READ, VM_FIXED, NULL, 0), 0);
        // Records that were kept for it serve some divisions.
        int error = 0;
        size_t pieces = 1;
        while (pieces < PIECES && error == 0) {
            fail_after = 0;
            error = vm_unmap(va + pieces * 2 * PAGE - PAGE, PAGE);
            pieces += error == 0;
        }
        ck_assert_int_eq(error, -ENOMEM);
        ck_assert_uint_eq(areas(), pieces);
        fail_after = 0;
        ck_assert_int_eq(vm_unmap(va, PIECES * 2 * PAGE), 0);
        fail_after = -1;
        ck_assert_uint_eq(areas(), 0);
    }
}
END_TEST

START_TEST(random_changes)
{
    boot();
    srand(11);
    for (int i = 0; i < 500; i++) {
        step();
        model_check();
    }
    clean_up();
}
END_TEST

static void run_random_changes_with_failures(void)
{
    boot();
    srand(12);
    for (int i = 0; i < 1200; i++) {
        fail_after = rand() % 3 ? rand() % 12 : -1;
        step();
        fail_after = -1;
        model_check();
    }
    clean_up();
}

START_TEST(random_changes_with_failures)
{
    run_random_changes_with_failures();
}
END_TEST

START_TEST(random_changes_with_failures_where_none_is_eager)
{
    vm_host_eager_max = 0;
    run_random_changes_with_failures();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("vm");
    TCase *tests = tcase_create("unit");
    tcase_set_timeout(tests, 250);
    tcase_add_test(tests, anonymous_memory_is_there_and_zero);
    tcase_add_test(tests, parts_split_and_neighbours_merge);
    tcase_add_test(tests, lazy_memory_comes_in_chunks);
    tcase_add_test(tests, a_fault_takes_no_lock);
    tcase_add_test(tests, reserved_memory_is_made_usable);
    tcase_add_test(tests, more_than_half_of_memory_comes_lazily);
    tcase_add_test(tests, remap_grows_in_place_or_moves);
    tcase_add_test(tests, remap_moves_lazy_memory);
    tcase_add_test(tests, discarded_memory_reads_as_zeros);
    tcase_add_test(tests, file_mappings_are_private_copies);
    tcase_add_test(tests, low_addresses_and_bad_places);
    tcase_add_test(tests, the_break_moves);
    tcase_add_test(tests, what_need_not_be_divided_is_unmapped_without_memory);
    tcase_add_test(tests, random_changes);
    tcase_add_test(tests, random_changes_with_failures);
    tcase_add_test(tests, random_changes_with_failures_where_none_is_eager);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
