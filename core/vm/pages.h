// SPDX-License-Identifier: BSD-3-Clause
// pages.h: the pages of a range of addresses: their frames, and the machine's tables, which alone
// remember them.
//
// For the holder of the address space's mutex, but for the frame lists. Ranges are page multiples.
#ifndef CORE_VM_PAGES_H
#define CORE_VM_PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hal/hal.h"

struct gather;
struct vm_pager;

enum { FRAME_LIST_PIECE = 30 };

struct frame_run {
    hal_phys start;
    size_t count;
};

struct frame_list_piece {
    struct frame_list_piece *next;
    size_t count;
    struct frame_run runs[FRAME_LIST_PIECE];
};

// Frames that are to be mapped one after the other. Lives on its user's stack.
struct frame_list {
    struct frame_list_piece first;
    struct frame_list_piece *last;
};

// Takes frames for size bytes, zeroed or with the contents of pager from offset. May block.
// -ENOMEM, -EIO.
HAL_MUST_CHECK int frame_list_fill(struct frame_list *list, size_t size, struct vm_pager *pager,
                                   uint64_t offset);
void frame_list_free(struct frame_list *list); // and the frames
void frame_list_done(struct frame_list *list); // the frames are mapped

// Maps all of list from va on. -ENOMEM: nothing is mapped.
HAL_MUST_CHECK int pages_map(char *va, const struct frame_list *list, unsigned prot);

enum pages_presence {
    PAGES_ALL,    // each is there
    PAGES_SOME,   // any may be absent
    PAGES_FAULTS, // any may be absent, and those there came by faults
};

// What pages_* need to know of the pages in a range.
struct pages_kind {
    enum pages_presence presence;
    struct vm_pager *pager; // whose some of the frames are (find): they are mapped without
                            // HAL_WRITE, and never freed here. NULL: all frames are the range's own
    bool is_shared;         // all frames are the pager's, and writable
    uint64_t bias;          // the pager's offset of address 0
};

// Whether the frame at va, which is there, is the pager's.
bool page_is_foreign(const struct pages_kind *kind, const char *va, hal_phys page);

// Whether va is mapped by 2 MiB at once.
static inline bool page_is_large(const char *va)
{
    struct hal_page page;
    return hal_page_look(va, &page) == 0 && page.size > HAL_PAGE_SIZE;
}

// What frames of the pager are mapped with.
unsigned pages_prot(const struct pages_kind *kind, unsigned prot);

// Whether a range has at most size_max bytes and nothing of it is there.
bool pages_are_absent(const char *start, const char *end, size_t size_max);

// What follows leaves translations and frames to gather.

// Unmaps what is there and frees the range's own frames. Nothing may fault pages in before
// gather_finish. -ENOMEM: nothing has changed.
HAL_MUST_CHECK int pages_free(char *start, char *end, struct pages_kind kind,
                              struct gather *gather);

// Takes what is there out of an anonymous range that lazy_adopt has been called for, and frees it:
// it reads as zeros. Faults may bring pages meanwhile.
void pages_discard(char *start, char *end, struct pages_kind kind, struct gather *gather);

// Changes the protection of what is there. -ENOMEM: nothing has changed.
HAL_MUST_CHECK int pages_protect(char *start, char *end, unsigned old_prot, unsigned prot,
                                 struct pages_kind kind, struct gather *gather);

// Maps the range's own frames at target as well; and takes the first or the second mapping away
// again, keeping the frames.
HAL_MUST_CHECK int pages_alias(char *start, char *end, char *target, unsigned prot,
                               struct pages_kind kind);
HAL_MUST_CHECK int pages_forget(char *start, char *end, struct gather *gather);

// Takes the pager's frames out of the range, leaving its own there. -ENOMEM: some are still there.
HAL_MUST_CHECK int pages_drop(char *start, char *end, struct pages_kind kind,
                              struct gather *gather);

// Writes zeros into what is there; all frames are the range's own.
void pages_clear(char *start, char *end, struct pages_kind kind);

void pages_flush(char *start, char *end); // at once: no CPU has an old translation any more

#endif
