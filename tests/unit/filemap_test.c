// SPDX-License-Identifier: BSD-3-Clause
// filemap_test.c: mappings of files whose frames are mapped themselves, against a model: what each
// page of the file holds, and which pages of private mappings are copies.
#include "core/lib/errno.h"
#include "core/mem/frame.h"
#include "core/vm/change.h"
#include "core/vm/piece.h"
#include "core/vm/vm.h"
#include "vm_host.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_PAGES = 200 };

// ---- The file ------------------------------------------------------------

static struct {
    hal_phys frames[FILE_PAGES]; // 0: a hole
    size_t pages;                // its length
    int users, writes;
} file;

static int file_find(struct vm_pager *pager, uint64_t offset, size_t size, bool is_made,
                     struct vm_frames *found)
{
    size_t index = offset / PAGE, count = 1;
    if (index >= file.pages) {
        return -EFAULT;
    }
    if (file.frames[index] == 0) {
        found->size = PAGE;
        if (!is_made) {
            return -ENOENT;
        }
        if (frame_alloc(1, FRAME_ZERO, &file.frames[index]) != 0) {
            return -ENOMEM;
        }
    }
    found->start = file.frames[index];
    while (count < size / PAGE && index + count < file.pages &&
           file.frames[index + count] == found->start + count * PAGE) {
        count++;
    }
    found->size = count * PAGE;
    return 0;
}

static bool file_owns(struct vm_pager *pager, uint64_t offset, hal_phys page)
{
    return offset / PAGE < FILE_PAGES && file.frames[offset / PAGE] == page;
}

static int file_read(struct vm_pager *pager, uint64_t offset, char *to, size_t size)
{
    (void)areas(); // takes the mutex, so it is free
    if (fails()) {
        return -EIO;
    }
    for (size_t i = 0; i < size; i += PAGE) {
        size_t index = (offset + i) / PAGE;
        hal_phys frame = index < file.pages ? file.frames[index] : 0;
        if (frame != 0) {
            memcpy(to + i, frame_address(frame), PAGE);
        } else {
            memset(to + i, 0, PAGE);
        }
    }
    return 0;
}

// A file whose pages are not here: find asks for prepare, which brings a page.
static struct {
    bool is_here[FILE_PAGES];
    int prepare_count, prepare_error;
} far;

static int far_find(struct vm_pager *pager, uint64_t offset, size_t size, bool is_made,
                    struct vm_frames *found)
{
    if (!far.is_here[offset / PAGE]) {
        return -EAGAIN;
    }
    return file_find(pager, offset, PAGE, is_made, found);
}

static int far_prepare(struct vm_pager *pager, uint64_t offset, size_t size)
{
    (void)areas(); // the mutex is free
    ++far.prepare_count;
    far.is_here[offset / PAGE] = offset / PAGE < file.pages && far.prepare_error == 0;
    return far.prepare_error;
}

static uint64_t file_size(struct vm_pager *pager)
{
    return file.pages == 0 ? 0 : file.pages * PAGE - 7;
}

static void file_get(struct vm_pager *pager)
{
    file.users++;
}

static void file_put(struct vm_pager *pager)
{
    (void)areas();
    file.users--;
}

static void file_written(struct vm_pager *pager)
{
    file.writes++;
}

static const char *file_name(struct vm_pager *pager)
{
    return "/file";
}

static struct vm_pager pager = {.read = file_read,
                                .get = file_get,
                                .put = file_put,
                                .name = file_name,
                                .find = file_find,
                                .owns = file_owns,
                                .written = file_written,
                                .size = file_size,
                                .around = 64 << 10,
                                .object = &file};

static void file_make(size_t pages)
{
    boot();
    file.pages = pages;
    for (size_t i = 0; i < pages; i++) {
        ck_assert_int_eq(frame_alloc(1, FRAME_ZERO, &file.frames[i]), 0);
        frame_address(file.frames[i])[0] = frame_address(file.frames[i])[PAGE - 1] = (char)(i + 1);
    }
}

static size_t cut_from, cut_to;

static void file_remove(void *argument)
{
    for (size_t i = cut_from; i < cut_to && i < FILE_PAGES; i++) {
        if (file.frames[i] != 0) {
            frame_free(file.frames[i], 1);
            file.frames[i] = 0;
        }
    }
}

static int file_truncate(size_t pages)
{
    size_t old = file.pages;
    cut_from = file.pages = pages;
    cut_to = FILE_PAGES;
    int error = vm_cut(&file, pages * PAGE, UINT64_MAX, true, file_remove, NULL);
    file.pages = error == 0 ? pages : old;
    return error;
}

static void file_clean_up(void)
{
    ck_assert_int_eq(file.users, 0);
    ck_assert_int_eq(file_truncate(0), 0);
    ck_assert_uint_ge(frame_free_count(), free_at_start - 64); // the heap's and lazy.c's
}

// ---- Cases ---------------------------------------------------------------

START_TEST(shared_mappings_are_the_file)
{
    file_make(40);
    char *va = NULL, *other = NULL;
    size_t free = frame_free_count();
    ck_assert_int_eq(vm_map(&va, 40 * PAGE, RW, VM_SHARED, &pager, 0), 0);
    ck_assert_int_eq(
        vm_map(&other, 20 * PAGE, HAL_READ, VM_SHARED | VM_READ_ONLY, &pager, 5 * PAGE), 0);
    for (unsigned i = 0; i < 40; i++) {
        expect(va + i * PAGE, PAGE, (unsigned char)(i + 1));
    }
    fill(va + 6 * PAGE, PAGE, 99);
    expect(other + PAGE, PAGE, 99);
    ck_assert_uint_eq((unsigned char)frame_address(file.frames[6])[0], 99);
    ck_assert(!touch(other, HAL_WRITE));
    ck_assert_int_eq(vm_protect(other, PAGE, RW), -EACCES);
    ck_assert_uint_ge(frame_free_count() + 8, free); // tables
    ck_assert_int_eq(vm_discard(va, 40 * PAGE), 0);
    expect(va + 6 * PAGE, PAGE, 99);
    ck_assert_int_eq(vm_unmap(va + 3 * PAGE, 10 * PAGE), 0);
    ck_assert_int_eq(vm_unmap(va, 40 * PAGE), 0);
    expect(other + PAGE, PAGE, 99);
    ck_assert_int_eq(vm_unmap(other, 20 * PAGE), 0);
    file_clean_up();
}
END_TEST

START_TEST(a_page_that_is_not_here_is_prepared)
{
    struct vm_pager far_pager = pager;
    far_pager.find = far_find;
    far_pager.prepare = far_prepare;
    vm_host_may_wait = true;
    file_make(20);
    char *va = NULL, *own = NULL;
    ck_assert_int_eq(vm_map(&va, 30 * PAGE, RW, VM_SHARED, &far_pager, 0), 0);
    ck_assert_int_eq(vm_map(&own, 100 * PAGE, RW, 0, &far_pager, 0), 0);
    ck_assert_int_eq(far.prepare_count, 2);
    expect(va + 7 * PAGE, PAGE, 8);
    ck_assert_int_eq(far.prepare_count, 3);
    fill(own + 9 * PAGE, PAGE, 99); // the copy's neighbours are not here
    ck_assert_int_eq(far.prepare_count, 4);
    expect(va + 9 * PAGE, PAGE, 10);
    ck_assert_int_eq(far.prepare_count, 4);
    ck_assert(!touch(va + 25 * PAGE, HAL_READ)); // beyond the end, however often it is prepared
    far.prepare_error = -EIO;
    far.prepare_count = 0;
    ck_assert(!touch(va + 11 * PAGE, HAL_READ));
    ck_assert_int_eq(far.prepare_count, 1);
    ck_assert_int_eq(vm_unmap(va, 30 * PAGE), 0);
    ck_assert_int_eq(vm_unmap(own, 100 * PAGE), 0);
    file_clean_up();
}
END_TEST

START_TEST(private_mappings_copy_what_is_written)
{
    file_make(100);
    char *va = NULL;
    ck_assert_int_eq(vm_map(&va, 100 * PAGE, RW, 0, &pager, 0), 0);
    expect(va + 3 * PAGE, PAGE, 4);
    ck_assert_uint_eq(translation_of(va + 3 * PAGE)->pa, file.frames[3]);
    ck_assert(!(translation_of(va + 3 * PAGE)->prot & HAL_WRITE));
    size_t free = frame_free_count();
    fill(va + 20 * PAGE, PAGE, 99);
    ck_assert_uint_eq(frame_free_count(), free - 1); // others may still write to the file
    expect(va + 19 * PAGE, PAGE, 20);
    ck_assert_uint_eq((unsigned char)frame_address(file.frames[20])[0], 21);
    ck_assert_int_eq(vm_protect(va, 50 * PAGE, HAL_READ), 0);
    ck_assert(!touch(va + 20 * PAGE, HAL_WRITE));
    ck_assert_int_eq(vm_protect(va, 50 * PAGE, RW), 0);
    ck_assert(!(translation_of(va + 3 * PAGE)->prot & HAL_WRITE));
    ck_assert(translation_of(va + 20 * PAGE)->prot & HAL_WRITE);
    expect(va + 20 * PAGE, PAGE, 99);
    ck_assert_int_eq(vm_discard(va + 10 * PAGE, 30 * PAGE), 0);
    ck_assert_uint_eq(frame_free_count(), free);
    expect(va + 20 * PAGE, PAGE, 21);
    ck_assert_int_eq(vm_unmap(va, 100 * PAGE), 0);
    file_clean_up();
}
END_TEST

START_TEST(program_data_is_copied_with_its_neighbours)
{
    file_make(100);
    char *va = NULL;
    ck_assert_int_eq(vm_map(&va, 100 * PAGE, RW, VM_COPY, &pager, 0), 0);
    size_t free = frame_free_count();
    fill(va + 20 * PAGE, PAGE, 99);
    ck_assert_uint_eq(frame_free_count(), free - 16);
    expect(va + 19 * PAGE, PAGE, 20);
    ck_assert_int_eq(vm_unmap(va, 100 * PAGE), 0);
    file_clean_up();
}
END_TEST

START_TEST(small_private_data_is_copied_at_once_up_to_the_end)
{
    file_make(10);
    char *va = NULL;
    ck_assert_int_eq(vm_map(&va, 8 * PAGE, RW, VM_COPY, &pager, 5 * PAGE), 0);
    ck_assert_uint_ne(translation_of(va)->pa, 0);
    ck_assert_uint_ne(translation_of(va)->pa, file.frames[5]);
    expect(va + 4 * PAGE, PAGE, 10);
    ck_assert_uint_eq(translation_of(va + 5 * PAGE)->pa, 0);
    ck_assert(!touch(va + 5 * PAGE, HAL_READ));
    ck_assert_int_eq(vm_refusal(va + 5 * PAGE, HAL_READ), VM_NO_PAGE);
    ck_assert_int_eq(vm_unmap(va, 8 * PAGE), 0);
    file_clean_up();
}
END_TEST

START_TEST(what_is_cut_off_is_in_no_mapping)
{
    file_make(60);
    char *va = NULL, *own = NULL;
    ck_assert_int_eq(vm_map(&va, 100 * PAGE, RW, VM_SHARED, &pager, 0), 0);
    ck_assert_int_eq(vm_map(&own, 100 * PAGE, RW, 0, &pager, 10 * PAGE), 0);
    fill(own + 20 * PAGE, PAGE, 7);
    expect(va + 59 * PAGE, PAGE, 60);
    ck_assert(!touch(va + 60 * PAGE, HAL_READ));
    ck_assert_int_eq(file_truncate(25), 0);
    ck_assert(!touch(va + 25 * PAGE, HAL_WRITE));
    ck_assert(!touch(own + 20 * PAGE, HAL_READ));
    ck_assert_int_eq(vm_refusal(own + 20 * PAGE, HAL_READ), VM_NO_PAGE);
    expect(va + 24 * PAGE, PAGE, 25);
    file.pages = 80;
    expect(va + 25 * PAGE, 55 * PAGE, 0); // holes got pages
    expect(own + 20 * PAGE, PAGE, 0);
    // A hole is punched: copies stay.
    fill(own + 50 * PAGE, PAGE, 8);
    fill(va + 60 * PAGE, PAGE, 9);
    cut_from = 55;
    cut_to = 65;
    ck_assert_int_eq(vm_cut(&file, 55 * PAGE, 65 * PAGE, false, file_remove, NULL), 0);
    expect(own + 50 * PAGE, PAGE, 8);
    expect(va + 60 * PAGE, PAGE, 0);
    ck_assert_int_eq(vm_unmap(va, 100 * PAGE), 0);
    ck_assert_int_eq(vm_unmap(own, 100 * PAGE), 0);
    file_clean_up();
}
END_TEST

START_TEST(remap_grows_and_moves)
{
    file_make(100);
    char *va = NULL;
    ck_assert_int_eq(vm_map(&va, 70 * PAGE, RW, 0, &pager, 0), 0);
    fill(va + 5 * PAGE, PAGE, 99);
    char *old = va, *wall = va + 80 * PAGE;
    ck_assert_int_eq(vm_map(&wall, PAGE, HAL_READ, VM_FIXED, NULL, 0), 0);
    ck_assert_int_eq(vm_remap(&va, 70 * PAGE, 80 * PAGE, false), 0);
    expect(va + 75 * PAGE, PAGE, 76);
    ck_assert_int_eq(vm_remap(&va, 80 * PAGE, 90 * PAGE, false), -ENOMEM);
    ck_assert_int_eq(vm_remap(&va, 80 * PAGE, 90 * PAGE, true), 0);
    ck_assert(!touch(old, HAL_READ));
    expect(va + 5 * PAGE, PAGE, 99);
    expect(va + 85 * PAGE, PAGE, 86);
    ck_assert_uint_eq(areas(), 2);
    ck_assert_int_eq(vm_unmap(va, 90 * PAGE), 0);
    ck_assert_int_eq(vm_unmap(wall, PAGE), 0);
    file_clean_up();
}
END_TEST

START_TEST(no_fault_of_a_file_where_it_would_have_to_wait)
{
    file_make(100);
    char *va = NULL;
    ck_assert_int_eq(vm_map(&va, 100 * PAGE, RW, 0, &pager, 0), 0);
    uintptr_t irq = hal_irq_save();
    ck_assert(!touch(va + 99 * PAGE, HAL_WRITE));
    hal_irq_restore(irq);
    ck_assert(touch(va + 99 * PAGE, HAL_WRITE));
    ck_assert_int_eq(vm_unmap(va, 100 * PAGE), 0);
    file_clean_up();
}
END_TEST

// ---- Random changes ------------------------------------------------------

enum { ARENA_PAGES = 300 };

static struct page {
    bool is_mapped, is_shared, is_copy;
    unsigned prot;
    size_t index;       // in the file
    unsigned char byte; // of a copy
} model[ARENA_PAGES];
static unsigned char contents[FILE_PAGES];

static bool model_touch(size_t i, unsigned access)
{
    const struct page *page = &model[i];
    return page->is_mapped && (access & ~page->prot) == 0 && page->index < file.pages;
}

static void step_map(size_t first, size_t count)
{
    static const unsigned prots[] = {0, HAL_READ, RW, RW, RW};
    char *va = WINDOW_BASE + first * PAGE;
    unsigned prot = prots[rand() % 5];
    size_t index = (size_t)rand() % 150, failures = map_failures;
    bool is_shared = rand() % 2;
    unsigned flags = VM_FIXED | (is_shared ? VM_SHARED : 0) | (rand() % 3 ? 0 : VM_POPULATE);
    bool is_done = vm_map(&va, count * PAGE, prot, flags, &pager, index * PAGE) == 0;
    for (size_t i = 0; i < count && (is_done || map_failures > failures); i++) {
        model[first + i] = (struct page){is_done, is_shared, false, prot, index + i, 0};
    }
}

static void step_write(size_t first, size_t count)
{
    unsigned char byte = (unsigned char)(1 + rand() % 255);
    long after = fail_after;
    fail_after = -1;
    for (size_t i = first; i < first + count; i++) {
        char *va = WINDOW_BASE + i * PAGE;
        ck_assert_int_eq(touch(va, HAL_WRITE), model_touch(i, HAL_WRITE));
        if (!model_touch(i, HAL_WRITE)) {
            continue;
        }
        bytes_of(va)[0] = byte;
        if (model[i].is_shared) {
            contents[model[i].index] = byte;
        } else {
            model[i].is_copy = true;
            model[i].byte = byte;
        }
    }
    fail_after = after;
}

static void step_protect(size_t first, size_t count)
{
    unsigned prot = rand() % 2 ? RW : HAL_READ;
    if (vm_protect(WINDOW_BASE + first * PAGE, count * PAGE, prot) == 0) {
        for (size_t i = first; i < first + count; i++) {
            ck_assert(model[i].is_mapped);
            model[i].prot = prot;
        }
    }
}

// Up to the first hole.
static void step_discard(size_t first, size_t count)
{
    long after = fail_after;
    fail_after = -1;
    int error = vm_discard(WINDOW_BASE + first * PAGE, count * PAGE);
    size_t i = first;
    for (; i < first + count && model[i].is_mapped; i++) {
        model[i].is_copy = false;
    }
    ck_assert_int_eq(error, i == first + count ? 0 : -ENOMEM);
    fail_after = after;
}

static void step_truncate(void)
{
    long after = fail_after;
    fail_after = -1; // a cut that fails in the middle has dropped copies
    size_t old = file.pages, pages = (size_t)rand() % FILE_PAGES;
    if (pages >= old) {
        file.pages = pages;
    } else {
        ck_assert_int_eq(file_truncate(pages), 0);
    }
    for (size_t i = pages; i < old; i++) {
        contents[i] = 0;
    }
    for (size_t i = 0; i < ARENA_PAGES; i++) {
        model[i].is_copy = model[i].is_copy && model[i].index < pages;
    }
    fail_after = after;
}

static void step(void)
{
    size_t first = (size_t)rand() % (ARENA_PAGES - 50), count = 1 + (size_t)rand() % 50;
    switch (rand() % 8) {
    case 0:
    case 1:
        step_map(first, count);
        break;
    case 2:
        if (vm_unmap(WINDOW_BASE + first * PAGE, count * PAGE) == 0) {
            memset(&model[first], 0, count * sizeof model[0]);
        }
        break;
    case 3:
        step_protect(first, count);
        break;
    case 4:
        step_discard(first, count % 10 + 1);
        break;
    case 5:
        step_truncate();
        break;
    default:
        step_write(first, count);
    }
}

// What is not there yet comes for every third page only.
static void model_check(void)
{
    for (size_t i = 0; i < ARENA_PAGES; i++) {
        char *va = WINDOW_BASE + i * PAGE;
        bool is_asked = i % 3 == 0 || translation_of(va)->pa != 0;
        if (!is_asked) {
            continue;
        }
        ck_assert_int_eq(touch(va, HAL_READ), model_touch(i, HAL_READ));
        if (model_touch(i, HAL_READ)) {
            unsigned char byte = model[i].is_copy ? model[i].byte : contents[model[i].index];
            ck_assert_uint_eq(bytes_of(va)[0], byte);
        }
    }
}

static void random_steps(int steps, bool with_failures)
{
    file_make(100);
    for (size_t i = 0; i < FILE_PAGES; i++) {
        contents[i] = i < 100 ? (unsigned char)(i + 1) : 0;
    }
    for (int i = 0; i < steps; i++) {
        fail_after = with_failures && rand() % 3 ? rand() % 12 : -1;
        step();
        fail_after = -1;
        model_check();
    }
    ck_assert_int_eq(vm_unmap(WINDOW_BASE, ARENA_PAGES * PAGE), 0);
    for (size_t i = 0; i < WINDOW_PAGES; i++) {
        ck_assert_uint_eq(translation_of(WINDOW_BASE + i * PAGE)->pa, 0);
    }
    file_clean_up();
}

// Another thread is in the middle of mapping something elsewhere.
START_TEST(no_fault_of_a_file_waits_for_other_mappings)
{
    file_make(100);
    char *shared = NULL, *private = NULL;
    ck_assert_int_eq(vm_map(&shared, 100 * PAGE, RW, VM_SHARED, &pager, 0), 0);
    ck_assert_int_eq(vm_map(&private, 100 * PAGE, RW, 0, &pager, 0), 0);
    struct change change;
    void *self = unit_self;
    unit_self = &change;
    ck_assert_int_eq(change_begin(&change), 0);
    unit_self = self;
    expect(shared + 90 * PAGE, PAGE, 91);
    fill(shared + 91 * PAGE, PAGE, 7);
    fill(private + 50 * PAGE, PAGE, 5);
    unit_self = &change;
    change_end(&change);
    unit_self = self;
    expect(private + 91 * PAGE, PAGE, 7);
    expect(private + 50 * PAGE, PAGE, 5);
    ck_assert_int_eq(vm_unmap(shared, 100 * PAGE), 0);
    ck_assert_int_eq(vm_unmap(private, 100 * PAGE), 0);
    file_clean_up();
}
END_TEST

START_TEST(a_fault_of_a_file_waits_for_memory)
{
    file_make(10);
    char *va = NULL;
    ck_assert_int_eq(vm_map(&va, 10 * PAGE, RW, 0, &pager, 0), 0);
    vm_host_is_out = true;
    ck_assert(!vm_fault_patient(va + PAGE, HAL_WRITE)); // nobody has any
    ck_assert_uint_eq(vm_host_waits, 1);
    ck_assert(vm_fault_patient(va + PAGE, HAL_READ)); // which takes none
    vm_host_gives = true;
    ck_assert(!vm_fault(va + PAGE, HAL_WRITE)); // not patient
    ck_assert_uint_eq(vm_host_waits, 1);
    ck_assert(vm_fault_patient(va + PAGE, HAL_WRITE));
    ck_assert_uint_eq(vm_host_waits, 2);
    expect(va + PAGE, PAGE, 2);
    ck_assert_int_eq(vm_unmap(va, 10 * PAGE), 0);
    file_clean_up();
}
END_TEST

static void frames_drop(void *calls)
{
    ++*(int *)calls;
}

START_TEST(idle_pages_are_those_that_are_not_locked_nor_written)
{
    file_make(30);
    int calls = 0;
    char *va = NULL, *own = NULL;
    ck_assert_int_eq(vm_map(&va, 30 * PAGE, HAL_READ, VM_SHARED, &pager, 0), 0);
    ck_assert_int_eq(vm_map(&own, 10 * PAGE, RW, 0, &pager, 0), 0);
    fill(own, PAGE, 9);
    expect(own + PAGE, PAGE, 2);
    expect(va, PAGE, 1);
    ck_assert_int_eq(vm_cut_idle(&file, 0, 10 * PAGE, frames_drop, &calls), 0);
    ck_assert_int_eq(calls, 1);
    ck_assert_uint_eq(translation_of(va)->pa, 0);
    ck_assert_uint_eq(translation_of(own + PAGE)->pa, 0);
    ck_assert_uint_ne(translation_of(own)->pa, 0); // a copy
    ck_assert_int_eq(vm_lock_set(va + 15 * PAGE, PAGE, VM_LOCKED), 0);
    ck_assert_int_eq(vm_cut_idle(&file, 10 * PAGE, 20 * PAGE, frames_drop, &calls), -EBUSY);
    ck_assert_int_eq(vm_cut_idle(&file, 16 * PAGE, 20 * PAGE, frames_drop, &calls), 0);
    ck_assert_int_eq(vm_protect(va + 25 * PAGE, PAGE, RW), 0);
    ck_assert_int_eq(vm_cut_idle(&file, 20 * PAGE, 30 * PAGE, frames_drop, &calls), -EBUSY);
    ck_assert_int_eq(vm_protect(va + 25 * PAGE, PAGE, HAL_READ), 0);
    ck_assert_int_eq(vm_cut_idle(&file, 20 * PAGE, 30 * PAGE, frames_drop, &calls), 0);
    ck_assert_int_eq(vm_cut_idle(&calls, 0, PAGE, frames_drop, &calls), 0); // not mapped
    ck_assert_int_eq(calls, 4);
    ck_assert_int_eq(vm_unmap(va, 30 * PAGE), 0);
    ck_assert_int_eq(vm_unmap(own, 10 * PAGE), 0);
    file_clean_up();
}
END_TEST

// As it is for a moment where one mapping is put in another's place.
START_TEST(a_fault_looks_again_with_the_mutex)
{
    boot();
    char *va = NULL;
    ck_assert_int_eq(vm_map(&va, PAGE, RW, 0, NULL, 0), 0);
    ck_assert(vm_fault(va, HAL_WRITE));
    ck_assert_int_eq(vm_protect(va, PAGE, HAL_READ), 0);
    ck_assert(!vm_fault(va, HAL_WRITE));
    ck_assert_int_eq(vm_refusal(va, HAL_WRITE), VM_FORBIDDEN);
    ck_assert(vm_fault(va, HAL_READ));
    ck_assert_int_eq(vm_refusal(va, HAL_READ), VM_NONE);
    ck_assert_int_eq(vm_unmap(va, PAGE), 0);
    ck_assert(!vm_fault(va, HAL_READ));
}
END_TEST

START_TEST(random_changes)
{
    srand(21);
    random_steps(1500, false);
}
END_TEST

START_TEST(random_changes_with_failures)
{
    srand(22);
    random_steps(2000, true);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("filemap");
    TCase *tests = tcase_create("unit");
    tcase_set_timeout(tests, 250);
    tcase_add_test(tests, shared_mappings_are_the_file);
    tcase_add_test(tests, a_page_that_is_not_here_is_prepared);
    tcase_add_test(tests, private_mappings_copy_what_is_written);
    tcase_add_test(tests, program_data_is_copied_with_its_neighbours);
    tcase_add_test(tests, small_private_data_is_copied_at_once_up_to_the_end);
    tcase_add_test(tests, what_is_cut_off_is_in_no_mapping);
    tcase_add_test(tests, remap_grows_and_moves);
    tcase_add_test(tests, no_fault_of_a_file_where_it_would_have_to_wait);
    tcase_add_test(tests, no_fault_of_a_file_waits_for_other_mappings);
    tcase_add_test(tests, a_fault_of_a_file_waits_for_memory);
    tcase_add_test(tests, idle_pages_are_those_that_are_not_locked_nor_written);
    tcase_add_test(tests, a_fault_looks_again_with_the_mutex);
    tcase_add_test(tests, random_changes);
    tcase_add_test(tests, random_changes_with_failures);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
