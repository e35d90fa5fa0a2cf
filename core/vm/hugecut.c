// SPDX-License-Identifier: BSD-3-Clause
// hugecut.c: large pages that a change divides: the machine's tables know them.
#include <stddef.h>

#include "core/vm/huge.h"
#include "hal/hal.h"

enum { LARGE_SIZE = 2 << 20 };

// The large page that reaches over va, or NULL.
static char *large_over(char *va)
{
    struct hal_page page;
    const size_t offset = (uintptr_t)va % LARGE_SIZE;
    return offset != 0 && hal_page_look(va, &page) == 0 && page.size == LARGE_SIZE ? va - offset
                                                                                   : NULL;
}

void huge_cut_look(char *start, char *end, enum huge_cut how)
{
    const char *first = large_over(start), *last = large_over(end);
    const int cuts = (first != NULL) + (last != NULL && last != first);
    for (int i = 0; i < cuts; ++i) {
        huge_count(HUGE_CUTS);
        if (how == HUGE_SPLIT) {
            huge_count(HUGE_SPLITS);
        }
    }
}
