// SPDX-License-Identifier: BSD-3-Clause
// lazy_vm_test.c: the address space where no memory is mapped at once (hal_boot.eager_max is 0):
// all of it comes by faults.
#include "core/lib/errno.h"
#include "core/mem/frame.h"
#include "core/vm/vm.h"
#include "tests/unit/hal/unit_hal.h"
#include "vm_host.h"

#include <check.h>
#include <stdlib.h>

static void boot_lazy(void)
{
    vm_host_eager_max = 0;
    boot();
}

START_TEST(memory_comes_by_faults_where_none_is_eager)
{
    boot_lazy();
    char *va = NULL, *populated = NULL;
    ck_assert_int_eq(vm_map(&va, 5 * MIB, RW, 0, NULL, 0), 0);
    ck_assert_uint_ge(frame_free_count(), free_at_start - 2); // records
    ck_assert_uint_eq(translation_of(va)->pa, 0);
    fill(va, 5 * MIB, 7);
    expect(va, 5 * MIB, 7);
    ck_assert_int_eq(vm_map(&populated, MIB, RW, VM_POPULATE, NULL, 0), 0);
    ck_assert_uint_ne(translation_of(populated)->pa, 0);
    ck_assert_int_eq(vm_unmap(populated, MIB), 0);
    ck_assert_int_eq(vm_unmap(va, 5 * MIB), 0);
    ck_assert_uint_ge(frame_free_count(), free_at_start - 2);
}
END_TEST

// What is mapped and then touched, piece by piece.
START_TEST(what_cannot_come_is_refused_when_it_is_mapped)
{
    boot_lazy();
    char *va = NULL;
    ck_assert_int_eq(vm_map(&va, MEMORY + MIB, RW, 0, NULL, 0), -ENOMEM);
    size_t count = 0;
    char *pieces[MEMORY / MIB];
    while (vm_map(&va, MIB, RW, 0, NULL, 0) == 0) {
        ck_assert_uint_lt(count, MEMORY / MIB);
        fill(va, MIB, 5);
        pieces[count++] = va;
        va = NULL;
    }
    ck_assert_uint_gt(count, MEMORY / MIB - 4);
    while (count > 0) {
        ck_assert_int_eq(vm_unmap(pieces[--count], MIB), 0);
    }
    ck_assert_int_eq(vm_map(&va, 16 * MIB, RW, 0, NULL, 0), 0);
    ck_assert_int_eq(vm_unmap(va, 16 * MIB), 0);
    ck_assert_uint_ge(frame_free_count(), free_at_start - 64);
}
END_TEST

// Records merge by growing and shrink by being cut.
START_TEST(small_mappings_side_by_side_are_one_record)
{
    boot_lazy();
    char *first = NULL, *next = NULL;
    ck_assert_int_eq(vm_map(&first, PAGE, RW, 0, NULL, 0), 0);
    for (size_t i = 1; i < 40; i++) {
        next = NULL;
        ck_assert_int_eq(vm_map(&next, PAGE, RW, 0, NULL, 0), 0);
        ck_assert_ptr_eq(next, first + i * PAGE);
    }
    ck_assert_uint_eq(areas(), 1);
    ck_assert_int_eq(vm_unmap(first, PAGE), 0);
    ck_assert_int_eq(vm_unmap(first + 39 * PAGE, PAGE), 0);
    ck_assert_uint_eq(areas(), 1);
    ck_assert_int_eq(vm_unmap(first + 7 * PAGE, PAGE), 0);
    ck_assert_uint_eq(areas(), 2);
    next = NULL;
    ck_assert_int_eq(vm_map(&next, PAGE, RW, 0, NULL, 0), 0);
    ck_assert_ptr_eq(next, first); // the lowest hole
    next = NULL;
    ck_assert_int_eq(vm_map(&next, PAGE, RW, 0, NULL, 0), 0);
    ck_assert_ptr_eq(next, first + 7 * PAGE);
    ck_assert_uint_eq(areas(), 1);
    ck_assert_int_eq(vm_protect(first + PAGE, PAGE, HAL_READ), 0);
    ck_assert_uint_eq(areas(), 3);
    ck_assert_int_eq(vm_protect(first + PAGE, PAGE, RW), 0);
    ck_assert_uint_eq(areas(), 1);
    ck_assert_int_eq(vm_unmap(first, 40 * PAGE), 0);
    ck_assert_uint_eq(areas(), 0);
}
END_TEST

static size_t present_count(char *va, size_t size)
{
    size_t count = 0;
    for (char *at = va; at < va + size; at += PAGE) {
        count += translation_of(at)->pa != 0;
    }
    return count;
}

START_TEST(memory_comes_in_2_mib_where_there_is_plenty)
{
    boot_lazy();
    char *va = NULL;
    ck_assert_int_eq(vm_map(&va, 8 * MIB, RW, 0, NULL, 0), 0);
    ck_assert_uint_eq((uintptr_t)va % (2 * MIB), 0);
    size_t maps = map_calls;
    ck_assert(touch(va + 3 * MIB, HAL_WRITE));
    ck_assert_uint_eq(map_calls, maps + 1);
    ck_assert_uint_eq(present_count(va, 8 * MIB), 512);
    ck_assert_uint_eq(translation_of(va + 2 * MIB)->pa % (2 * MIB), 0);
    // What is only read, or advised against, or touched already, comes in 64 KiB.
    ck_assert(touch(va, HAL_READ));
    ck_assert(touch(va + MIB, HAL_WRITE));
    ck_assert_uint_eq(present_count(va, 2 * MIB), 32);
    ck_assert_int_eq(vm_advise_large(va + 4 * MIB, 2 * MIB, false), 0);
    ck_assert(touch(va + 4 * MIB, HAL_WRITE));
    ck_assert_uint_eq(present_count(va + 4 * MIB, 2 * MIB), 16);
    ck_assert_int_eq(vm_advise_large(va, 9 * MIB, false), -ENOMEM);
    // Parts of it are as any memory.
    fill(va + 2 * MIB, 2 * MIB, 6);
    ck_assert_int_eq(vm_protect(va + 3 * MIB, PAGE, HAL_READ), 0);
    ck_assert_int_eq(vm_unmap(va + 2 * MIB, 512 << 10), 0);
    ck_assert(!touch(va + 3 * MIB, HAL_WRITE));
    expect(va + 3 * MIB, MIB, 6);
    // What was thrown away comes again, as zeros.
    ck_assert_int_eq(vm_discard(va + 3 * MIB, MIB), 0);
    expect(va + 3 * MIB, MIB, 0);
    ck_assert_int_eq(vm_unmap(va, 8 * MIB), 0);
    ck_assert_uint_ge(frame_free_count(), free_at_start - 4);
    // A range whose protection is changed before it is touched, as Java's heap.
    ck_assert_int_eq(vm_map(&va, 8 * MIB, 0, 0, NULL, 0), 0);
    ck_assert_int_eq(vm_protect(va + 2 * MIB, 2 * MIB, RW), 0);
    ck_assert(touch(va + 2 * MIB, HAL_WRITE));
    ck_assert_uint_eq(present_count(va, 8 * MIB), 512);
    // Advice from before that holds.
    ck_assert_int_eq(vm_advise_large(va + 4 * MIB, 2 * MIB, false), 0);
    ck_assert_int_eq(vm_protect(va + 4 * MIB, 4 * MIB, RW), 0);
    ck_assert(touch(va + 4 * MIB, HAL_WRITE));
    ck_assert_uint_eq(present_count(va + 4 * MIB, 4 * MIB), 16);
    ck_assert(touch(va + 6 * MIB, HAL_WRITE));
    ck_assert_uint_eq(present_count(va + 6 * MIB, 2 * MIB), 512);
    ck_assert_int_eq(vm_unmap(va, 8 * MIB), 0);
    // Scarce memory comes in small pieces.
    char *most = NULL;
    ck_assert_int_eq(vm_map(&most, 52 * MIB, RW, VM_POPULATE, NULL, 0), 0);
    ck_assert_int_eq(vm_map(&va, 2 * MIB, RW, 0, NULL, 0), 0);
    ck_assert(touch(va, HAL_WRITE));
    ck_assert_uint_eq(present_count(va, 2 * MIB), 16);
    ck_assert_int_eq(vm_unmap(va, 2 * MIB), 0);
    ck_assert_int_eq(vm_unmap(most, 52 * MIB), 0);
    ck_assert_uint_ge(frame_free_count(), free_at_start - 8);
}
END_TEST

// Pages that did not come by faults are found again.
START_TEST(moved_and_discarded_memory_is_not_taken_for_fresh)
{
    boot_lazy();
    char *va = NULL;
    ck_assert_int_eq(vm_map(&va, 4 * MIB, RW, VM_POPULATE, NULL, 0), 0);
    fill(va, 4 * MIB, 3);
    ck_assert_int_eq(vm_discard(va, MIB), 0);
    ck_assert_int_eq(vm_protect(va, 4 * MIB, HAL_READ), 0);
    ck_assert_int_eq(vm_protect(va, 4 * MIB, RW), 0);
    expect(va + MIB, 3 * MIB, 3);
    char *wall = va + 4 * MIB;
    ck_assert_int_eq(vm_map(&wall, PAGE, HAL_READ, VM_FIXED, NULL, 0), 0);
    ck_assert_int_eq(vm_remap(&va, 4 * MIB, 6 * MIB, true), 0);
    expect(va, MIB, 0);
    expect(va + MIB, 3 * MIB, 3);
    fill(va, 6 * MIB, 4);
    ck_assert_int_eq(vm_unmap(va, 6 * MIB), 0);
    ck_assert_uint_eq(present_count(va, 6 * MIB), 0);
    ck_assert_int_eq(vm_unmap(wall, PAGE), 0);
    ck_assert_uint_ge(frame_free_count(), free_at_start - 8);
}
END_TEST

static size_t discard_unmaps;

static void irq_is_off(void)
{
    ck_assert(!hal_irq_enabled());
    ++discard_unmaps;
}

// So that nobody is preempted while faults, which may come with interrupts off, wait for it.
START_TEST(who_discards_keeps_faults_out_with_interrupts_off_only)
{
    boot_lazy();
    char *va = NULL;
    ck_assert_int_eq(vm_map(&va, 8 * MIB, RW, 0, NULL, 0), 0);
    fill(va, 8 * MIB, 3);
    vm_host_unmaps = irq_is_off;
    ck_assert_int_eq(vm_discard(va + 512 * 1024, 7 * MIB), 0);
    vm_host_unmaps = NULL;
    ck_assert_uint_eq(discard_unmaps, 4);
    ck_assert(hal_irq_enabled());
    ck_assert_uint_eq(present_count(va, 8 * MIB), 256);
    expect(va, 512 * 1024, 3);
    expect(va + 512 * 1024, 7 * MIB, 0);
    expect(va + 7 * MIB + 512 * 1024, 512 * 1024, 3);
    ck_assert_int_eq(vm_unmap(va, 8 * MIB), 0);
    ck_assert_uint_ge(frame_free_count(), free_at_start - 8);
}
END_TEST

// Without a table to cut a large mapping its pages are cleared where they are.
START_TEST(what_cannot_be_taken_out_is_cleared)
{
    for (long n = 0; n < 8; n++) {
        boot_lazy();
        char *va = NULL;
        ck_assert_int_eq(vm_map(&va, 8 * MIB, RW, 0, NULL, 0), 0);
        fill(va, 8 * MIB, 3);
        fail_after = n;
        ck_assert_int_eq(vm_discard(va + MIB, 6 * MIB), 0);
        fail_after = -1;
        expect(va, MIB, 3);
        expect(va + MIB, 6 * MIB, 0);
        expect(va + 7 * MIB, MIB, 3);
        ck_assert_int_eq(vm_unmap(va, 8 * MIB), 0);
        ck_assert_uint_ge(frame_free_count(), free_at_start - 8);
    }
}
END_TEST

// Other CPUs are not disturbed for what nobody has touched.
START_TEST(what_was_never_there_is_not_flushed)
{
    boot_lazy();
    char *va = NULL;
    ck_assert_int_eq(vm_map(&va, MIB, RW, 0, NULL, 0), 0);
    size_t flushes = unit_flushes;
    ck_assert_int_eq(vm_protect(va, 4 * PAGE, 0), 0);
    ck_assert_int_eq(vm_protect(va, MIB, HAL_READ), 0);
    ck_assert_int_eq(vm_protect(va, MIB, RW), 0);
    ck_assert_int_eq(vm_unmap(va, MIB / 2), 0);
    ck_assert_uint_eq(unit_flushes, flushes);
    fill(va + MIB / 2, PAGE, 1);
    ck_assert_int_eq(vm_protect(va + MIB / 2, MIB / 2, HAL_READ), 0);
    ck_assert_uint_eq(unit_flushes, flushes + 1);
    ck_assert_int_eq(vm_unmap(va + MIB / 2, MIB / 2), 0);
    ck_assert_uint_gt(unit_flushes, flushes + 1);
}
END_TEST

// Whatever it is made of: areas, frames that lie anywhere.
START_TEST(a_change_flushes_once)
{
    boot_lazy();
    char *va = NULL;
    ck_assert_int_eq(vm_map(&va, 8 * MIB, RW, VM_LAZY, NULL, 0), 0);
    char *holes = va + 4 * MIB;
    for (size_t i = 0; i < 4 * MIB; i += PAGE) { // their frames alternate
        fill(va + i, PAGE, 1);
        fill(holes + i, PAGE, 2);
    }
    for (size_t i = 0; i < 8 * MIB; i += 3 * PAGE) {
        ck_assert_int_eq(vm_protect(va + i, PAGE, HAL_READ), 0);
    }
    ck_assert_uint_gt(areas(), 1000);
    size_t flushes = unit_flushes;
    ck_assert_int_eq(vm_protect(va, 4 * MIB, HAL_READ), 0);
    ck_assert_uint_eq(unit_flushes, flushes + 1);
    ck_assert_int_eq(vm_unmap(va, 4 * MIB), 0);
    ck_assert_uint_eq(unit_flushes, flushes + 2);
    ck_assert_int_eq(vm_map(&holes, 4 * MIB, RW, VM_LAZY | VM_FIXED, NULL, 0), 0);
    ck_assert_uint_eq(unit_flushes, flushes + 3);
    expect(holes, 4 * MIB, 0);
    ck_assert_int_eq(vm_unmap(holes, 4 * MIB), 0);
    ck_assert_uint_ge(frame_free_count(), free_at_start - 100); // records and tables
}
END_TEST

// Where no frame is left to write them down, frames go in several steps.
START_TEST(without_memory_a_change_flushes_more_often)
{
    boot_lazy();
    char *va = NULL;
    ck_assert_int_eq(vm_map(&va, 2 * MIB, RW, VM_LAZY, NULL, 0), 0);
    for (size_t i = 0; i < MIB; i += PAGE) {
        fill(va + (i * 7 + i / MIB) % (2 * MIB), PAGE, 1);
    }
    static hal_phys taken[MEMORY / PAGE];
    size_t count = 0;
    while (frame_alloc(1, 0, &taken[count]) == 0) {
        count++;
    }
    size_t flushes = unit_flushes;
    ck_assert_int_eq(vm_unmap(va, 2 * MIB), 0);
    ck_assert_uint_ge(unit_flushes, flushes + 1);
    ck_assert_uint_ge(frame_free_count(), 256);
    while (count-- > 0) {
        frame_free(taken[count], 1);
    }
    ck_assert_uint_ge(frame_free_count(), free_at_start - 8);
}
END_TEST

// Three mappings that meet within what one fault brings.
START_TEST(several_mappings_are_discarded_at_once)
{
    boot_lazy();
    char *va = NULL;
    ck_assert_int_eq(vm_map(&va, 3 * MIB, RW, VM_LAZY, NULL, 0), 0);
    fill(va, 3 * MIB, 5);
    ck_assert_int_eq(vm_protect(va + MIB - 3 * PAGE, MIB, HAL_READ), 0);
    char *eager = va + 2 * MIB;
    ck_assert_int_eq(vm_map(&eager, MIB, RW, VM_POPULATE | VM_FIXED, NULL, 0), 0);
    fill(eager, MIB, 6);
    ck_assert_uint_ge(areas(), 3);
    size_t flushes = unit_flushes;
    ck_assert_int_eq(vm_discard(va + PAGE, 3 * MIB - 2 * PAGE), 0);
    ck_assert_uint_eq(unit_flushes, flushes + 1);
    expect(va, PAGE, 5);
    expect(va + PAGE, 3 * MIB - 2 * PAGE, 0);
    expect(va + 3 * MIB - PAGE, PAGE, 6);
    ck_assert_int_eq(vm_unmap(va, 3 * MIB), 0);
    ck_assert_uint_ge(frame_free_count(), free_at_start - 8);
}
END_TEST

// The record of what went last is kept for the next one, and nobody sees it.
START_TEST(small_memory_comes_and_goes_without_records)
{
    boot_lazy();
    char *first = NULL, *va = NULL;
    ck_assert_int_eq(vm_map(&first, PAGE, RW, 0, NULL, 0), 0);
    for (int i = 0; i < 20; i++) {
        fill(first, PAGE, 9);
        ck_assert_int_eq(vm_unmap(first, PAGE), 0);
        ck_assert_uint_eq(translation_of(first)->pa, 0);
        ck_assert(!touch(first, HAL_READ));
        va = NULL;
        // The same again; longer; of another kind; where it was told; elsewhere.
        size_t size = i % 5 == 1 ? 3 * PAGE : PAGE;
        unsigned prot = i % 5 == 2 ? HAL_READ : RW;
        va = i % 5 == 4 ? first + 8 * PAGE : NULL;
        if (i % 5 == 3) {
            ck_assert_uint_eq(areas(), 0);
            ck_assert_int_eq(vm_protect(first, PAGE, HAL_READ), -ENOMEM);
        }
        ck_assert_int_eq(vm_map(&va, size, prot, 0, NULL, 0), 0);
        ck_assert_ptr_eq(va, i % 5 == 4 ? first + 8 * PAGE : first);
        ck_assert_uint_eq(vm_mapped_bytes(), size);
        expect(va, size, 0);
        ck_assert_int_eq(touch(va, HAL_WRITE), prot == RW);
        ck_assert_int_eq(touch(va + size, HAL_WRITE), false);
        ck_assert_int_eq(vm_unmap(va, size), 0);
        va = first;
        ck_assert_int_eq(vm_map(&va, PAGE, RW, VM_FIXED, NULL, 0), 0);
        ck_assert_uint_eq(areas(), 1);
    }
    ck_assert_int_eq(vm_unmap(first, PAGE), 0);
    // A wall right behind it leaves no room for more.
    char *wall = first + PAGE;
    ck_assert_int_eq(vm_map(&wall, PAGE, HAL_READ, VM_FIXED, NULL, 0), 0);
    va = NULL;
    ck_assert_int_eq(vm_map(&va, PAGE, RW, 0, NULL, 0), 0);
    ck_assert_ptr_eq(va, first);
    ck_assert_int_eq(vm_unmap(va, PAGE), 0);
    va = NULL;
    ck_assert_int_eq(vm_map(&va, 2 * PAGE, RW, 0, NULL, 0), 0);
    ck_assert_ptr_eq(va, wall + PAGE);
    ck_assert_int_eq(vm_unmap(first, 4 * PAGE), 0);
    ck_assert_uint_eq(areas(), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lazy_vm");
    TCase *tests = tcase_create("unit");
    tcase_set_timeout(tests, 250);
    tcase_add_test(tests, memory_comes_by_faults_where_none_is_eager);
    tcase_add_test(tests, what_cannot_come_is_refused_when_it_is_mapped);
    tcase_add_test(tests, small_mappings_side_by_side_are_one_record);
    tcase_add_test(tests, memory_comes_in_2_mib_where_there_is_plenty);
    tcase_add_test(tests, moved_and_discarded_memory_is_not_taken_for_fresh);
    tcase_add_test(tests, who_discards_keeps_faults_out_with_interrupts_off_only);
    tcase_add_test(tests, what_cannot_be_taken_out_is_cleared);
    tcase_add_test(tests, small_memory_comes_and_goes_without_records);
    tcase_add_test(tests, what_was_never_there_is_not_flushed);
    tcase_add_test(tests, a_change_flushes_once);
    tcase_add_test(tests, without_memory_a_change_flushes_more_often);
    tcase_add_test(tests, several_mappings_are_discarded_at_once);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
