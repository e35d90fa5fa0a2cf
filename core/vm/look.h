// SPDX-License-Identifier: BSD-3-Clause
// look.h: what the machine's tables say of the program's pages, for the program itself.
//
// Thread context, may block. Ranges are page multiples.
#ifndef CORE_VM_LOOK_H
#define CORE_VM_LOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hal/hal.h"

struct vm_page {
    char *start; // of all that the machine maps at once, which may begin before the range
    size_t size;
    unsigned prot;
    bool is_dirty;
};

// Puts up to count pages of [*va, end) that are there into pages, in ascending order, and moves *va
// behind what it has looked at. Answers how many; less than count: there are no more.
size_t vm_pages_look(char **va, char *end, struct vm_page *pages, size_t count);

// Sets bits[i] where page i of the range may have been written, or was mapped, since its mark was
// taken last, and takes the mark. One flush of the translation caches for all of it. -EINVAL: not a
// range of pages where mappings are made.
HAL_MUST_CHECK int vm_dirty_take(char *va, size_t size, uint64_t *bits);

#endif
