// SPDX-License-Identifier: BSD-3-Clause
// gather.c: one flush for each change of the address space.
//
// Frames are written down in pages that are taken meanwhile, 255 runs in each: what goes away pays
// for writing it down.
#include "core/vm/gather.h"

#include "core/lib/assert.h"
#include "core/mem/frame.h"

enum { PAGE_RUNS = 255 };

struct gather_page {
    struct gather_page *next;
    size_t count;
    struct frame_run runs[PAGE_RUNS];
};

_Static_assert(sizeof(struct gather_page) == HAL_PAGE_SIZE, "one frame");

struct hal_cpu_set gather_cpus;

void gather_init(const struct hal_boot *boot)
{
    for (uint32_t i = 0; i < boot->cpu_count; ++i) {
        gather_cpus.words[i / 64] |= (uint64_t)1 << i % 64;
    }
}

void pages_flush(char *start, char *end)
{
    hal_tlb_flush(&(struct hal_range){start, (size_t)(end - start)}, 1, &gather_cpus);
}

void gather_range_more(struct gather *gather, char *start, char *end)
{
    ASSERT(start < end && gather->range_count > 0);
    struct hal_range *last = &gather->ranges[gather->range_count - 1];
    char *last_end = last->va + last->size;
    bool touches = start <= last_end && end >= last->va;
    if (!touches && gather->range_count < GATHER_RANGES) {
        gather->ranges[gather->range_count++] = (struct hal_range){start, (size_t)(end - start)};
        return;
    }
    char *low = start < last->va ? start : last->va;
    last->size = (size_t)((end > last_end ? end : last_end) - low);
    last->va = low;
}

// ---- Frames --------------------------------------------------------------

static bool run_join(struct frame_run *last, hal_phys start, size_t count)
{
    bool follows = last->start + last->count * HAL_PAGE_SIZE == start;
    last->count += follows ? count : 0;
    return follows;
}

// The page that has room, or NULL: no memory.
static struct gather_page *page_with_room(struct gather *gather)
{
    hal_phys frame;
    if (gather->more != NULL && gather->more->count < PAGE_RUNS) {
        return gather->more;
    }
    if (frame_alloc(1, FRAME_SURE | FRAME_PROMISED, &frame) != 0) {
        return NULL;
    }
    struct gather_page *page = (struct gather_page *)(void *)frame_address(frame);
    page->next = gather->more;
    page->count = 0;
    gather->more = page;
    return page;
}

void gather_frames_more(struct gather *gather, hal_phys start, size_t count)
{
    if (gather->range_count == 0) {
        frame_free(start, count); // memory was short, and the range is flushed
        return;
    }
    if (gather->run_count > 0 && gather->more == NULL &&
        run_join(&gather->runs[gather->run_count - 1], start, count)) {
        return;
    }
    if (gather->run_count < GATHER_RUNS) {
        gather->runs[gather->run_count++] = (struct frame_run){start, count};
        return;
    }
    struct gather_page *page = gather->more;
    if (page != NULL && run_join(&page->runs[page->count - 1], start, count)) {
        return;
    }
    page = page_with_room(gather);
    if (page == NULL) {
        gather_finish(gather);
        frame_free(start, count);
        return;
    }
    page->runs[page->count++] = (struct frame_run){start, count};
}

void gather_frames_free(struct gather *gather)
{
    for (size_t i = 0; i < gather->run_count; ++i) {
        frame_free(gather->runs[i].start, gather->runs[i].count);
    }
    struct gather_page *page = gather->more;
    while (page != NULL) {
        struct gather_page *next = page->next;
        for (size_t i = 0; i < page->count; ++i) {
            frame_free(page->runs[i].start, page->runs[i].count);
        }
        frame_free(frame_of(page), 1);
        page = next;
    }
}
