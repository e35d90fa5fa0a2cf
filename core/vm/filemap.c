// SPDX-License-Identifier: BSD-3-Clause
// filemap.c: pages of files in areas.
//
// A page of such an area is absent, a frame of the file, or (in a private area) a copy of the
// area's own. Shared areas map the file's frames with the area's protection, private ones without
// HAL_WRITE: the fault of a write brings the copy. Which of the two a frame is, the pager says
// (owns): nothing is kept here. That holds because frames leave a mapped file only by vm_cut, which
// takes them out of the areas with their gates closed. Anything but a copy may be taken out of the
// tables then; a fault brings it again.
#include "core/vm/filemap.h"

#include "core/lib/assert.h"
#include "core/lib/errno.h"
#include "core/lib/string.h"
#include "core/mem/frame.h"
#include "core/vm/change.h"
#include "core/vm/gate.h"
#include "core/vm/lazy.h"
#include "core/vm/pages.h"
#include "core/vm/vm.h"
#include "hal/hal.h"

enum { RUNS_AT_ONCE = 16 };

bool filemap_is(const struct area *area)
{
    return area->pager != NULL && area->pager->find != NULL;
}

static uint64_t offset_of(const struct area *area, const char *va)
{
    return area->offset + (uint64_t)(va - area->start);
}

static char *page_down(char *va, size_t size)
{
    return (char *)((uintptr_t)va & ~(uintptr_t)(size - 1));
}

static bool is_there(const char *va)
{
    hal_phys pa;
    unsigned prot;
    return hal_translate(va, &pa, &prot) == 0;
}

// ---- The file's own frames -----------------------------------------------

// Maps one run from va on, where no page is; the next page that is there ends it. Moves *va behind
// it, or behind the hole that is there.
static int run_map(const struct area *area, char **va, char *end, bool is_made)
{
    struct vm_pager *pager = area->pager;
    struct vm_frames found = {0, HAL_PAGE_SIZE};
    int error = pager->find(pager, offset_of(area, *va), (size_t)(end - *va), is_made, &found);
    if (error == -ENOENT) {
        *va += found.size < (size_t)(end - *va) ? found.size : (size_t)(end - *va);
        return 0;
    }
    if (error != 0) {
        return error;
    }
    ASSERT(found.size > 0 && found.size <= (size_t)(end - *va));
    size_t size = HAL_PAGE_SIZE;
    while (size < found.size && !is_there(*va + size)) {
        size += HAL_PAGE_SIZE;
    }
    struct pages_kind kind = area_kind(area);
    error = hal_map(*va, found.start, size, pages_prot(&kind, area->prot));
    if (error == 0 && (area->prot & HAL_EXEC) != 0) {
        hal_code_sync(*va, size);
    }
    *va += error == 0 ? size : 0;
    return error;
}

// Maps what is absent in [va, end), as far as run_count runs go. An error only ends it.
static void runs_map(const struct area *area, char *va, char *end, bool is_made, size_t run_count)
{
    for (size_t i = 0; va < end && i < run_count; ++i) {
        while (va < end && is_there(va)) {
            va += HAL_PAGE_SIZE;
        }
        if (va < end && run_map(area, &va, end, is_made) != 0) {
            return;
        }
    }
}

void filemap_populate(struct area *area, bool is_whole)
{
    if (area->prot != 0) {
        runs_map(area, area->start, area->end, is_whole, is_whole ? SIZE_MAX : RUNS_AT_ONCE);
    }
}

// The piece around va that one fault looks at: of one gate.
static void piece_find(const struct area *area, char *va, size_t size, char **start, char **end)
{
    size = size == 0 || size > GATE_SIZE ? GATE_SIZE : size;
    char *low = page_down(va, size), *high = low + size;
    *start = low > area->start ? low : area->start;
    *end = high < area->end ? high : area->end;
}

static int frames_map(const struct area *area, char *page)
{
    char *start, *end, *next = page;
    piece_find(area, page, area->pager->around, &start, &end);
    int error = run_map(area, &next, end, true);
    if (error == 0) {
        runs_map(area, start, page, false, RUNS_AT_ONCE);
        runs_map(area, next, end, false, RUNS_AT_ONCE);
    }
    return error;
}

// ---- Private copies ------------------------------------------------------

// A page that is absent or the file's.
static bool is_uncopied(const struct area *area, const char *va)
{
    hal_phys pa;
    unsigned prot;
    struct pages_kind kind = area_kind(area);
    return hal_translate(va, &pa, &prot) != 0 || page_is_foreign(&kind, va, pa);
}

// Fills the frame with what the file has for the page at va.
static int page_copy(const struct area *area, const char *va, hal_phys frame)
{
    struct vm_pager *pager = area->pager;
    struct vm_frames found;
    int error = pager->find(pager, offset_of(area, va), HAL_PAGE_SIZE, false, &found);
    if (error == -ENOENT) {
        memset(frame_address(frame), 0, HAL_PAGE_SIZE);
        return 0;
    }
    // Memory of a device may be gone: where the host has cut the file.
    return error != 0
               ? error
               : hal_copy_safe(frame_address(frame), frame_address(found.start), HAL_PAGE_SIZE);
}

// Maps copies in place of what is there.
static int copies_map(const struct area *area, char *start, char *end, hal_phys frames)
{
    int error = hal_unmap(start, (size_t)(end - start));
    if (error != 0) {
        return error;
    }
    pages_flush(start, end);
    error = hal_map(start, frames, (size_t)(end - start), area->prot);
    if (error == 0 && (area->prot & HAL_EXEC) != 0) {
        hal_code_sync(start, (size_t)(end - start));
    }
    return error;
}

static size_t page_count(const char *start, const char *end)
{
    return (size_t)(end - start) / HAL_PAGE_SIZE;
}

// Copies the page, and, where nobody writes to the file (VM_COPY), its neighbours as far as they
// can be had in one run of frames.
static int pages_copy(const struct area *area, char *page)
{
    char *low, *high, *first = page, *last = page + HAL_PAGE_SIZE;
    size_t size = (area->flags & VM_COPY) != 0 ? LAZY_CHUNK : HAL_PAGE_SIZE;
    piece_find(area, page, size, &low, &high);
    while (first > low && is_uncopied(area, first - HAL_PAGE_SIZE)) {
        first -= HAL_PAGE_SIZE;
    }
    while (last < high && is_uncopied(area, last)) {
        last += HAL_PAGE_SIZE;
    }
    hal_phys frames;
    if (frame_alloc(page_count(first, last), 0, &frames) != 0) {
        first = page;
        last = page + HAL_PAGE_SIZE;
        if (frame_alloc(1, 0, &frames) != 0) {
            return -ENOMEM;
        }
    }
    hal_phys bias = frames - (uintptr_t)first;
    int error = page_copy(area, page, bias + (uintptr_t)page);
    char *start = page, *end = error == 0 ? page + HAL_PAGE_SIZE : page;
    while (error == 0 && end < last && page_copy(area, end, bias + (uintptr_t)end) == 0) {
        end += HAL_PAGE_SIZE;
    }
    while (error == 0 && start > first &&
           page_copy(area, start - HAL_PAGE_SIZE, bias + (uintptr_t)start - HAL_PAGE_SIZE) == 0) {
        start -= HAL_PAGE_SIZE;
    }
    error = error == 0 ? copies_map(area, start, end, bias + (uintptr_t)start) : error;
    if (error != 0) {
        end = start; // none is used
    }
    if (start > first) {
        frame_free(frames, page_count(first, start));
    }
    if (last > end) {
        frame_free(bias + (uintptr_t)end, page_count(end, last));
    }
    return error;
}

// ---- Faults --------------------------------------------------------------

int filemap_fault(const struct area *area, char *va, unsigned access)
{
    hal_phys pa;
    unsigned prot;
    char *page = page_down(va, (area->flags & VM_HUGE) != 0 ? GATE_SIZE : HAL_PAGE_SIZE);
    bool is_write = (access & HAL_WRITE) != 0;
    bool is_private = (area->flags & VM_SHARED) == 0;
    bool is_present = hal_translate(page, &pa, &prot) == 0;
    if (is_present && (!is_write || !is_private || (prot & HAL_WRITE) != 0)) {
        return 0; // another thread's fault, or call, was faster
    }
    if (is_write && is_private) {
        return pages_copy(area, page);
    }
    int error = frames_map(area, page);
    if (error == 0 && is_write && area->pager->written != NULL) {
        area->pager->written(area->pager);
    }
    return error;
}

bool filemap_is_resident(const struct area *area, const char *va)
{
    struct vm_frames found;
    struct vm_pager *pager = area->pager;
    return is_there(va) ||
           pager->find(pager, offset_of(area, va), HAL_PAGE_SIZE, false, &found) == 0;
}

// ---- Cut -----------------------------------------------------------------

// The addresses of area where [from, to) of its file is. False: nowhere.
static bool cut_find(const struct area *area, uint64_t from, uint64_t to, char **start, char **end)
{
    uint64_t area_to = area->offset + (uint64_t)(area->end - area->start);
    if (from >= area_to || to <= area->offset) {
        return false;
    }
    *start = area->start + (from > area->offset ? from - area->offset : 0);
    *end = area->end - (to < area_to ? area_to - to : 0);
    return *start < *end;
}

// The addresses from the first to the last of areas that have a part of [from, to). False: none.
static bool hull_find(const void *object, uint64_t from, uint64_t to, char **low, char **high)
{
    char *top = (char *)UINTPTR_MAX, *start, *end;
    *low = *high = NULL;
    for (struct area *area = area_first(NULL, top); area != NULL; area = area_after(area, top)) {
        if (filemap_is(area) && area->pager->object == object &&
            cut_find(area, from, to, &start, &end)) {
            *low = *high == NULL ? start : *low;
            *high = end;
        }
    }
    return *high != NULL;
}

// Whether a mapping of [from, to) is one whose pages are to stay. Who changes what is mapped there
// waits for the mutex.
static bool is_kept(const void *object, uint64_t from, uint64_t to, char *low, char *high)
{
    char *start, *end;
    bool is_kept = false;
    for (struct area *area = area_first(low, high); area != NULL && !is_kept;
         area = area_after(area, high)) {
        const bool is_written =
            (area->flags & VM_SHARED) != 0 && (area->prot & (unsigned)HAL_WRITE) != 0;
        is_kept = (is_written || (area->flags & VM_LOCKED) != 0) && filemap_is(area) &&
                  area->pager->object == object && cut_find(area, from, to, &start, &end);
    }
    return is_kept;
}

// A part of a file, and what is done to it.
struct cut {
    const void *object;
    uint64_t from, to;
    bool copies;
    void (*remove)(void *argument);
    void *argument;
};

// The gates of [low, high), which is where it is mapped, are closed.
static int cut_run(const struct cut *cut, char *low, char *high, struct gather *gather)
{
    char *start, *end;
    int error = 0;
    for (struct area *area = area_first(low, high); area != NULL && error == 0;
         area = area_after(area, high)) {
        if (filemap_is(area) && area->pager->object == cut->object &&
            cut_find(area, cut->from, cut->to, &start, &end)) {
            error = cut->copies ? pages_free(start, end, area_kind(area), gather)
                                : pages_drop(start, end, area_kind(area), gather);
        }
    }
    gather_finish(gather);
    if (error == 0) {
        cut->remove(cut->argument);
    }
    return error;
}

static int cut_range(const struct cut *cut, bool keeps)
{
    ASSERT(cut->from % HAL_PAGE_SIZE == 0 &&
           (cut->to % HAL_PAGE_SIZE == 0 || cut->to == UINT64_MAX));
    char *low, *high;
    int error;
    struct change change;
    change_begin_bare(&change);
    const bool is_mapped = hull_find(cut->object, cut->from, cut->to, &low, &high);
    if (is_mapped && keeps && is_kept(cut->object, cut->from, cut->to, low, high)) {
        gather_finish(&change.gather);
        error = -EBUSY;
    } else if (is_mapped) {
        gate_close(low, high);
        error = cut_run(cut, low, high, &change.gather);
        gate_open();
    } else {
        error = cut_run(cut, NULL, NULL, &change.gather);
    }
    change_end(&change);
    return error;
}

int vm_cut(const void *object, uint64_t from, uint64_t to, bool copies,
           void (*remove)(void *argument), void *argument)
{
    const struct cut cut = {object, from, to, copies, remove, argument};
    return cut_range(&cut, false);
}

int vm_cut_idle(const void *object, uint64_t from, uint64_t to, void (*remove)(void *argument),
                void *argument)
{
    const struct cut cut = {object, from, to, false, remove, argument};
    return cut_range(&cut, true);
}
