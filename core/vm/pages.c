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
#include "core/vm/gather.h"
#include "core/vm/huge.h"
#include "core/vm/lazy.h"
#include "core/vm/vm.h"

enum {
    BATCH_RUNS = 32,
    MAPPED_LARGE = 2 << 20,
    LOOK_MAX = 4 << 20, // looking whether a page is there costs less than a flush, up to about here
};

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

// Of frames that are taken at once: where no page may be large, 2 MiB less one page, which lie
// nowhere as a large one does.
static size_t run_max(void)
{
    return huge_allows(false) ? SIZE_MAX : MAPPED_LARGE / HAL_PAGE_SIZE - 1;
}

int frame_list_fill(struct frame_list *list, size_t size, struct vm_pager *pager, uint64_t offset)
{
    const size_t count_max = run_max();
    list->first.next = NULL;
    list->first.count = 0;
    list->last = &list->first;
    size_t left = size / HAL_PAGE_SIZE;
    int error = 0;
    while (left > 0 && error == 0) {
        hal_phys start;
        size_t count = frame_alloc_run(left < count_max ? left : count_max,
                                       pager == NULL ? FRAME_ZERO : 0, &start);
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

// Takes back what has just been mapped, in whole mappings: nothing is cut.
static void mapped_undo(char *start, char *end)
{
    if (start < end) {
        int error = hal_unmap(start, (size_t)(end - start));
        ASSERT(error == 0);
        pages_flush(start, end);
    }
}

int pages_map(char *va, const struct frame_list *list, unsigned prot)
{
    char *at = va;
    for (const struct frame_list_piece *piece = &list->first; piece != NULL; piece = piece->next) {
        for (size_t i = 0; i < piece->count; ++i) {
            size_t size = piece->runs[i].count * HAL_PAGE_SIZE;
            int error = hal_map(at, piece->runs[i].start, size, prot);
            if (error != 0) {
                mapped_undo(va, at);
                return error;
            }
            if (size >= MAPPED_LARGE) {
                huge_come();
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

bool page_is_foreign(const struct pages_kind *kind, const char *va, hal_phys page)
{
    struct vm_pager *pager = kind->pager;
    return pager != NULL &&
           (kind->is_shared || pager->owns(pager, kind->bias + (uintptr_t)va, page));
}

unsigned pages_prot(const struct pages_kind *kind, unsigned prot)
{
    bool is_copied = !kind->is_shared && (prot & HAL_WRITE) != 0;
    return is_copied ? (prot & ~(unsigned)HAL_WRITE) | HAL_READ : prot;
}

// The first page at or after va that is there, and its frame; end: none.
static char *present_find(char *va, char *end, enum pages_presence presence, hal_phys *frame)
{
    while (va < end) {
        if (presence == PAGES_FAULTS) {
            va = lazy_next(va, end);
        }
        if (va < end && page_get(va, frame)) {
            return va;
        }
        va += va < end ? HAL_PAGE_SIZE : 0;
    }
    return end;
}

// Neighbouring frames, all of the pager or none.
struct page_run {
    struct frame_run frames;
    bool is_foreign;
};

// The end of the run that begins at va with frame.
static char *run_end(char *va, char *end, const struct pages_kind *kind, hal_phys frame,
                     struct page_run *run)
{
    hal_phys pa;
    struct frame_run *frames = &run->frames;
    frames->start = frame;
    run->is_foreign = page_is_foreign(kind, va, frame);
    frames->count = 1;
    va += HAL_PAGE_SIZE;
    while (va < end && page_get(va, &pa) && pa == frames->start + frames->count * HAL_PAGE_SIZE &&
           page_is_foreign(kind, va, pa) == run->is_foreign) {
        ++frames->count;
        va += HAL_PAGE_SIZE;
    }
    return va;
}

struct batch {
    char *start, *end;
    size_t count;
    struct page_run runs[BATCH_RUNS];
};

// Collects up to BATCH_RUNS runs from va on, and answers where to go on.
static char *batch_collect(struct batch *batch, char *va, char *end, const struct pages_kind *kind)
{
    hal_phys frame;
    batch->count = 0;
    batch->start = batch->end = va = present_find(va, end, kind->presence, &frame);
    while (va < end && batch->count < BATCH_RUNS) {
        va = run_end(va, end, kind, frame, &batch->runs[batch->count++]);
        batch->end = va;
        va = present_find(va, end, kind->presence, &frame);
    }
    return va;
}

static void batch_gather(const struct batch *batch, struct gather *gather)
{
    gather_range(gather, batch->start, batch->end);
    for (size_t i = 0; i < batch->count; ++i) {
        if (!batch->runs[i].is_foreign) {
            gather_frames(gather, batch->runs[i].frames.start, batch->runs[i].frames.count);
        }
    }
}

bool pages_are_absent(const char *start, const char *end, size_t size_max)
{
    hal_phys frame;
    bool is_looked_at = (size_t)(end - start) <= size_max;
    while (is_looked_at && start < end && !page_get(start, &frame)) {
        start += HAL_PAGE_SIZE;
    }
    return start == end;
}

int pages_free(char *start, char *end, struct pages_kind kind, struct gather *gather)
{
    if (kind.is_shared) {
        return pages_are_absent(start, end, LOOK_MAX) ? 0 : pages_forget(start, end, gather);
    }
    huge_cut(start, end, HUGE_SPLIT);
    struct batch batch;
    char *at = batch_collect(&batch, start, end, &kind);
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
        batch_gather(&batch, gather);
        at = batch_collect(&batch, at, stop, &kind);
    }
    if (has_last) {
        gather_range(gather, stop, end);
        if (!page_is_foreign(&kind, stop, last)) {
            gather_frames(gather, last, 1);
        }
    }
    return 0;
}

int pages_drop(char *start, char *end, struct pages_kind kind, struct gather *gather)
{
    hal_phys frame;
    char *va = present_find(start, end, kind.presence, &frame);
    int error = 0;
    while (va < end && error == 0) {
        struct page_run run;
        char *next = run_end(va, end, &kind, frame, &run);
        if (run.is_foreign) {
            error = pages_forget(va, next, gather);
        }
        va = present_find(next, end, kind.presence, &frame);
    }
    return error;
}

void pages_clear(char *start, char *end, struct pages_kind kind)
{
    ASSERT(kind.pager == NULL);
    hal_phys frame;
    for (char *va = present_find(start, end, kind.presence, &frame); va < end;
         va = present_find(va, end, kind.presence, &frame)) {
        struct page_run run;
        va = run_end(va, end, &kind, frame, &run);
        memset(frame_address(run.frames.start), 0, run.frames.count * HAL_PAGE_SIZE);
    }
}

// One piece of a range, as far as batch has room for its runs. Answers where to go on.
static char *piece_take(struct batch *batch, char *va, char *stop, const struct pages_kind *kind)
{
    hal_phys frame;
    const size_t count = batch->count;
    const uintptr_t irq = lazy_hold(va, stop);
    char *start = present_find(va, stop, kind->presence, &frame), *end = start, *next = start;
    while (next < stop && batch->count < BATCH_RUNS) {
        end = run_end(next, stop, kind, frame, &batch->runs[batch->count++]);
        next = present_find(end, stop, kind->presence, &frame);
    }
    const int error = start < end ? hal_unmap(start, (size_t)(end - start)) : 0;
    lazy_release(va, stop, irq);
    if (error != 0) { // no table to cut a large mapping
        batch->count = count;
        pages_clear(start, end, *kind);
    } else if (start < end) {
        batch->start = count == 0 ? start : batch->start;
        batch->end = end;
    }
    return next;
}

void pages_discard(char *start, char *end, struct pages_kind kind, struct gather *gather)
{
    enum { PIECE = 2 << 20 }; // lazy_hold
    struct batch batch;
    while (start < end) {
        batch.count = 0;
        while (start < end && batch.count < BATCH_RUNS) {
            char *stop = start + (PIECE - (uintptr_t)start % PIECE);
            start = piece_take(&batch, start, stop < end ? stop : end, &kind);
        }
        if (batch.count > 0) {
            batch_gather(&batch, gather);
        }
    }
}

// ---- Protection and place ------------------------------------------------

// The end of the pages from va on that are there and get the same protection.
static char *present_end(char *va, char *end, const struct pages_kind *kind)
{
    hal_phys pa;
    if (kind->presence == PAGES_ALL) {
        return end;
    }
    bool is_foreign = kind->pager != NULL && page_get(va, &pa) && page_is_foreign(kind, va, pa);
    do {
        va += HAL_PAGE_SIZE;
    } while (va < end && page_get(va, &pa) && page_is_foreign(kind, va, pa) == is_foreign);
    return va;
}

// reached: how far it came. first: the first page that is there, or end.
static int range_protect(char *start, char *end, unsigned prot, const struct pages_kind *kind,
                         char **first, char **reached)
{
    hal_phys pa;
    char *va = kind->presence == PAGES_ALL ? start : present_find(start, end, kind->presence, &pa);
    *first = va;
    while (va < end) {
        char *stop = present_end(va, end, kind);
        bool is_foreign = kind->pager != NULL && page_get(va, &pa) && page_is_foreign(kind, va, pa);
        int error =
            hal_protect(va, (size_t)(stop - va), is_foreign ? pages_prot(kind, prot) : prot);
        if (error != 0) {
            *reached = va;
            return error;
        }
        if ((prot & HAL_EXEC) != 0) {
            hal_code_sync(va, (size_t)(stop - va));
        }
        va = stop < end ? present_find(stop, end, kind->presence, &pa) : end;
    }
    *reached = end;
    return 0;
}

int pages_protect(char *start, char *end, unsigned old_prot, unsigned prot, struct pages_kind kind,
                  struct gather *gather)
{
    char *first, *reached;
    int error = range_protect(start, end, prot, &kind, &first, &reached);
    if (error != 0) {
        kind.presence = PAGES_SOME;
        int undo = range_protect(start, reached, old_prot, &kind, &first, &reached);
        ASSERT(undo == 0); // its borders are there
        return error;
    }
    if ((old_prot & ~prot) != 0 && first < end) {
        gather_range(gather, first, end);
    }
    return 0;
}

int pages_alias(char *start, char *end, char *target, unsigned prot, struct pages_kind kind)
{
    hal_phys frame;
    char *va = present_find(start, end, kind.presence, &frame);
    while (va < end) {
        struct page_run run;
        char *next = run_end(va, end, &kind, frame, &run);
        int error = run.is_foreign ? 0
                                   : hal_map(target + (va - start), run.frames.start,
                                             (size_t)(next - va), prot);
        if (error != 0) {
            mapped_undo(target, target + (va - start));
            return error;
        }
        va = present_find(next, end, kind.presence, &frame);
    }
    return 0;
}

int pages_forget(char *start, char *end, struct gather *gather)
{
    int error = hal_unmap(start, (size_t)(end - start));
    if (error == 0) {
        gather_range(gather, start, end);
    }
    return error;
}
