// SPDX-License-Identifier: BSD-3-Clause
// pages.c: frames in and out of ranges of addresses.
//
// Only the two ends of a range can cut a large mapping in the machine's tables, and only that can
// fail when pages are unmapped or protected. So work goes in batches from the start, and where
// there is more than one, the last page is done first: what fails later can be taken back without
// failing.
#include "core/vm/pages.h"

#include "core/lib/assert.h"
#include "core/lib/errno.h"
#include "core/lib/string.h"
#include "core/mem/frame.h"
#include "core/mem/heap.h"
#include "core/vm/lazy.h"
#include "core/vm/vm.h"

enum { BATCH_RUNS = 32 };

static struct hal_cpu_set all_cpus;

void pages_init(const struct hal_boot *boot)
{
    for (uint32_t i = 0; i < boot->cpu_count; ++i) {
        all_cpus.words[i / 64] |= (uint64_t)1 << i % 64;
    }
}

static void range_flush(char *start, char *end)
{
    hal_tlb_flush(&(struct hal_range){start, (size_t)(end - start)}, 1, &all_cpus);
}

// ---- Frame lists ---------------------------------------------------------

static bool list_add(struct frame_list *list, hal_phys start, size_t count)
{
    if (list->last->count == FRAME_LIST_PIECE) {
        struct frame_list_piece *piece = heap_alloc(sizeof *piece);
        if (piece == NULL) {
            return false;
        }
        piece->next = NULL;
        piece->count = 0;
        list->last->next = piece;
        list->last = piece;
    }
    list->last->runs[list->last->count++] = (struct frame_run){start, count};
    return true;
}

int frame_list_fill(struct frame_list *list, size_t size, struct vm_pager *pager, uint64_t offset)
{
    list->first.next = NULL;
    list->first.count = 0;
    list->last = &list->first;
    size_t left = size / HAL_PAGE_SIZE;
    int error = 0;
    while (left > 0 && error == 0) {
        hal_phys start;
        size_t count = frame_alloc_run(left, pager == NULL ? FRAME_ZERO : 0, &start);
        if (count == 0) {
            error = -ENOMEM;
        } else if (!list_add(list, start, count)) {
            frame_free(start, count);
            error = -ENOMEM;
        } else if (pager != NULL) {
            error = pager->read(pager, offset, frame_address(start), count * HAL_PAGE_SIZE);
        }
        left -= count;
        offset += count * HAL_PAGE_SIZE;
    }
    if (error != 0) {
        frame_list_free(list);
    }
    return error;
}

void frame_list_done(struct frame_list *list)
{
    struct frame_list_piece *piece = list->first.next;
    while (piece != NULL) {
        struct frame_list_piece *next = piece->next;
        heap_free(piece);
        piece = next;
    }
    list->first.next = NULL;
    list->first.count = 0;
}

void frame_list_free(struct frame_list *list)
{
    for (struct frame_list_piece *piece = &list->first; piece != NULL; piece = piece->next) {
        for (size_t i = 0; i < piece->count; ++i) {
            frame_free(piece->runs[i].start, piece->runs[i].count);
        }
    }
    frame_list_done(list);
}

int pages_map(char *va, const struct frame_list *list, unsigned prot)
{
    char *at = va;
    for (const struct frame_list_piece *piece = &list->first; piece != NULL; piece = piece->next) {
        for (size_t i = 0; i < piece->count; ++i) {
            size_t size = piece->runs[i].count * HAL_PAGE_SIZE;
            int error = hal_map(at, piece->runs[i].start, size, prot);
            if (error != 0) {
                // Whole mappings of our own go: nothing is cut.
                ASSERT(at == va || pages_forget(va, at) == 0);
                return error;
            }
            at += size;
        }
    }
    return 0;
}

// ---- What is there -------------------------------------------------------

static bool page_get(const char *va, hal_phys *pa)
{
    unsigned prot;
    return hal_translate(va, pa, &prot) == 0;
}

// The first page at or after va that is there; end: none.
static char *present_find(char *va, char *end, enum pages_kind kind)
{
    hal_phys pa;
    while (va < end) {
        if (kind == PAGES_FAULTS) {
            va = lazy_next(va, end);
        }
        if (va < end && page_get(va, &pa)) {
            return va;
        }
        va += va < end ? HAL_PAGE_SIZE : 0;
    }
    return end;
}

// The end of the run of neighbouring frames that begins at va, where a page is there.
static char *run_end(char *va, char *end, struct frame_run *run)
{
    hal_phys pa;
    bool is_there = page_get(va, &run->start);
    ASSERT(is_there);
    run->count = 1;
    va += HAL_PAGE_SIZE;
    while (va < end && page_get(va, &pa) && pa == run->start + run->count * HAL_PAGE_SIZE) {
        ++run->count;
        va += HAL_PAGE_SIZE;
    }
    return va;
}

struct batch {
    char *start, *end;
    size_t count;
    struct frame_run runs[BATCH_RUNS];
};

// Collects up to BATCH_RUNS runs from va on, and answers where to go on.
static char *batch_collect(struct batch *batch, char *va, char *end, enum pages_kind kind)
{
    batch->count = 0;
    batch->start = batch->end = va = present_find(va, end, kind);
    while (va < end && batch->count < BATCH_RUNS) {
        va = run_end(va, end, &batch->runs[batch->count++]);
        batch->end = va;
        va = present_find(va, end, kind);
    }
    return va;
}

static void batch_free(const struct batch *batch)
{
    range_flush(batch->start, batch->end);
    for (size_t i = 0; i < batch->count; ++i) {
        frame_free(batch->runs[i].start, batch->runs[i].count);
    }
}

int pages_free(char *start, char *end, enum pages_kind kind)
{
    struct batch batch;
    char *at = batch_collect(&batch, start, end, kind);
    hal_phys last = 0;
    unsigned last_prot = 0;
    char *stop = end;
    bool has_last = at < end && hal_translate(end - HAL_PAGE_SIZE, &last, &last_prot) == 0;
    if (has_last) {
        stop = end - HAL_PAGE_SIZE;
        int error = hal_unmap(stop, HAL_PAGE_SIZE);
        if (error != 0) {
            return error;
        }
    }
    while (batch.count > 0) {
        int error = hal_unmap(batch.start, (size_t)(batch.end - batch.start));
        if (error != 0) {
            int undo = has_last ? hal_map(stop, last, HAL_PAGE_SIZE, last_prot) : 0;
            ASSERT(undo == 0); // its table is there
            return error;
        }
        batch_free(&batch);
        at = batch_collect(&batch, at, stop, kind);
    }
    if (has_last) {
        range_flush(stop, end);
        frame_free(last, 1);
    }
    return 0;
}

void pages_clear(char *start, char *end, enum pages_kind kind)
{
    for (char *va = present_find(start, end, kind); va < end; va = present_find(va, end, kind)) {
        struct frame_run run;
        va = run_end(va, end, &run);
        memset(frame_address(run.start), 0, run.count * HAL_PAGE_SIZE);
    }
}

// ---- Protection and place ------------------------------------------------

// The end of the pages that are there from va on.
static char *present_end(char *va, char *end, enum pages_kind kind)
{
    hal_phys pa;
    if (kind == PAGES_ALL) {
        return end;
    }
    while (va < end && page_get(va, &pa)) {
        va += HAL_PAGE_SIZE;
    }
    return va;
}

static int range_protect(char *start, char *end, unsigned prot, enum pages_kind kind,
                         char **reached)
{
    char *va = kind == PAGES_ALL ? start : present_find(start, end, kind);
    while (va < end) {
        char *stop = present_end(va, end, kind);
        int error = hal_protect(va, (size_t)(stop - va), prot);
        if (error != 0) {
            *reached = va;
            return error;
        }
        va = present_find(stop, end, kind);
    }
    *reached = end;
    return 0;
}

int pages_protect(char *start, char *end, unsigned old_prot, unsigned prot, enum pages_kind kind)
{
    char *reached;
    int error = range_protect(start, end, prot, kind, &reached);
    if (error != 0) {
        int undo = range_protect(start, reached, old_prot, PAGES_SOME, &reached);
        ASSERT(undo == 0); // its borders are there
        return error;
    }
    if ((old_prot & ~prot) != 0) {
        range_flush(start, end);
    }
    if ((prot & HAL_EXEC) != 0 && kind == PAGES_ALL) {
        hal_code_sync(start, (size_t)(end - start));
    }
    return 0;
}

int pages_alias(char *start, char *end, char *target, unsigned prot, enum pages_kind kind)
{
    char *va = present_find(start, end, kind);
    while (va < end) {
        struct frame_run run;
        char *next = run_end(va, end, &run);
        int error = hal_map(target + (va - start), run.start, (size_t)(next - va), prot);
        if (error != 0) {
            ASSERT(va == start || pages_forget(target, target + (va - start)) == 0);
            return error;
        }
        va = present_find(next, end, kind);
    }
    return 0;
}

int pages_forget(char *start, char *end)
{
    int error = hal_unmap(start, (size_t)(end - start));
    if (error == 0) {
        range_flush(start, end);
    }
    return error;
}
