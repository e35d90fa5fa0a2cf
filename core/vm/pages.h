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

void pages_init(const struct hal_boot *boot);

// Takes frames for size bytes, zeroed or with the contents of pager from offset. May block.
// -ENOMEM, -EIO.
HAL_MUST_CHECK int frame_list_fill(struct frame_list *list, size_t size, struct vm_pager *pager,
                                   uint64_t offset);
void frame_list_free(struct frame_list *list); // and the frames
void frame_list_done(struct frame_list *list); // the frames are mapped

// Maps all of list from va on. -ENOMEM: nothing is mapped.
HAL_MUST_CHECK int pages_map(char *va, const struct frame_list *list, unsigned prot);

// What pages_* need to know of the pages in a range.
enum pages_kind {
    PAGES_ALL,    // each is there
    PAGES_SOME,   // any may be absent
    PAGES_FAULTS, // any may be absent, and those there came by faults
};

// Unmaps what is there and frees the frames. Nothing may fault pages in meanwhile. -ENOMEM: nothing
// has changed.
HAL_MUST_CHECK int pages_free(char *start, char *end, enum pages_kind kind);

// Changes the protection of what is there. -ENOMEM: nothing has changed.
HAL_MUST_CHECK int pages_protect(char *start, char *end, unsigned old_prot, unsigned prot,
                                 enum pages_kind kind);

// Maps what is there at target as well; and takes the first or the second mapping away again,
// keeping the frames.
HAL_MUST_CHECK int pages_alias(char *start, char *end, char *target, unsigned prot,
                               enum pages_kind kind);
HAL_MUST_CHECK int pages_forget(char *start, char *end);

// Writes zeros into what is there.
void pages_clear(char *start, char *end, enum pages_kind kind);

#endif
