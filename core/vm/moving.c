// SPDX-License-Identifier: BSD-3-Clause
// moving.c: the pages that are on their way, as moving.h promises it.
//
// Each of the 32 words of lazy.c says whether its chunk is still moving. Invariant: while it is,
// nothing of the chunk is in the machine's tables and nobody has written to its frames since
// moving_begin and the flush behind it; so the copy is true where all 32 are still moving, at once,
// with interrupts off.
#include "core/vm/moving.h"

#include "core/lib/assert.h"
#include "core/lib/mark.h"
#include "core/lib/string.h"
#include "core/mem/frame.h"
#include "core/vm/gather.h"
#include "core/vm/lazy.h"

enum { CHUNK_PAGES = LAZY_CHUNK / HAL_PAGE_SIZE };

// Written by moving_begin before the words say so, and then constant until moving_end.
static struct {
    char *base;
    unsigned prot;
    hal_phys frames[MOVING_PAGES]; // 0: none
} moving;

static size_t frames_look(char *base)
{
    size_t count = 0;
    for (size_t i = 0; i < MOVING_PAGES; ++i) {
        unsigned prot;
        bool is_there = hal_translate(base + i * HAL_PAGE_SIZE, &moving.frames[i], &prot) == 0;
        moving.frames[i] = is_there ? moving.frames[i] : 0;
        count += is_there;
    }
    return count;
}

// How many pages from first on lie one behind the other; all of them absent, or none.
static size_t run_length(size_t first, size_t end)
{
    size_t i = first + 1;
    bool is_absent = moving.frames[first] == 0;
    while (i < end && moving.frames[i] ==
                          (is_absent ? 0 : moving.frames[first] + (i - first) * HAL_PAGE_SIZE)) {
        ++i;
    }
    return i - first;
}

int moving_return(char *chunk)
{
    const size_t first = (size_t)(chunk - moving.base) / HAL_PAGE_SIZE;
    ASSERT(first < MOVING_PAGES && first % CHUNK_PAGES == 0);
    size_t i = first;
    while (i < first + CHUNK_PAGES) {
        size_t count = run_length(i, first + CHUNK_PAGES);
        int error = moving.frames[i] == 0
                        ? 0
                        : hal_map(moving.base + i * HAL_PAGE_SIZE, moving.frames[i],
                                  count * HAL_PAGE_SIZE, moving.prot);
        if (error != 0) {
            int undo = i > first ? hal_unmap(chunk, (i - first) * HAL_PAGE_SIZE) : 0;
            ASSERT(undo == 0); // whole mappings
            return error;
        }
        i += count;
    }
    return 0;
}

// In two steps: the table that has the pages stays, so that they find it when they come back.
static bool pages_take(char *base)
{
    const size_t half = MOVING_SIZE / 2;
    if (hal_unmap(base, half) != 0) {
        return false;
    }
    if (hal_unmap(base + half, half) == 0) {
        return true;
    }
    for (char *chunk = base; chunk < base + half; chunk += LAZY_CHUNK) {
        int error = moving_return(chunk);
        ASSERT(error == 0); // as many mappings as there were
    }
    return false;
}

size_t moving_begin(char *base, unsigned prot, size_t count_min)
{
    moving.base = base;
    moving.prot = prot;
    const uintptr_t irq = lazy_hold(base, base + MOVING_SIZE);
    size_t count = frames_look(base);
    bool is_begun = count > 0 && count >= count_min && pages_take(base);
    if (is_begun) {
        lazy_moving_set(base);
    }
    lazy_release(base, base + MOVING_SIZE, irq);
    return is_begun ? count : 0;
}

MARK_GUESS void moving_copy(hal_phys target)
{
    for (size_t i = 0; i < MOVING_PAGES; ++i) {
        char *to = frame_address(target + i * HAL_PAGE_SIZE);
        if (moving.frames[i] == 0) {
            memset(to, 0, HAL_PAGE_SIZE);
        } else {
            memcpy(to, frame_address(moving.frames[i]), HAL_PAGE_SIZE);
        }
    }
}

static bool target_map(hal_phys target)
{
    int error = hal_unmap(moving.base, MOVING_SIZE); // the empty table
    return error == 0 && hal_map(moving.base, target, MOVING_SIZE, moving.prot) == 0;
}

bool moving_end(hal_phys target, struct gather *gather)
{
    char *base = moving.base, *end = base + MOVING_SIZE;
    uintptr_t irq = lazy_hold(base, end);
    bool is_moved = lazy_moving_count(base) == MOVING_SIZE / LAZY_CHUNK && target_map(target);
    if (is_moved) {
        lazy_moving_clear(base);
    }
    lazy_release(base, end, irq);
    if (!is_moved) {
        lazy_moving_return(base, end);
        return false;
    }
    gather_range(gather, base, end);
    for (size_t i = 0; i < MOVING_PAGES;) {
        size_t count = run_length(i, MOVING_PAGES);
        if (moving.frames[i] != 0) {
            gather_frames(gather, moving.frames[i], count);
        }
        i += count;
    }
    return true;
}
