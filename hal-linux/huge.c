// SPDX-License-Identifier: BSD-3-Clause
// huge.c: see huge.h.
#include "hal-linux/huge.h"

#include <linux/mman.h>
#include <stdbool.h>

enum { LARGE = 2 << 20 };

static enum huge_host huge_host; // constant once the machine runs

// Settings list the words that there are, the one that holds in brackets.
static bool is_chosen(const char *text, const char *word)
{
    while (*text != 0 && *text != '[') {
        ++text;
    }
    text += *text != 0;
    while (*word != 0 && *text == *word) {
        ++text;
        ++word;
    }
    return *word == 0 && *text == ']';
}

enum huge_host huge_host_of(const char *all, const char *large)
{
    if (all == NULL || is_chosen(all, "deny")) {
        return HUGE_HOST_NEVER;
    }
    const bool is_inherited = large == NULL || is_chosen(large, "inherit");
    const char *text = is_inherited ? all : large;
    if (is_chosen(all, "force")) {
        return is_inherited ? HUGE_HOST_UNASKED : HUGE_HOST_NEVER;
    }
    if (is_chosen(text, "advise")) {
        return HUGE_HOST_ADVISED;
    }
    const bool is_unasked = is_chosen(text, "always") || is_chosen(text, "within_size");
    return is_unasked ? HUGE_HOST_UNASKED : HUGE_HOST_NEVER;
}

void huge_host_set(enum huge_host host)
{
    huge_host = host;
}

void huge_view(char *va, hal_phys pa, size_t size, unsigned prot)
{
    const size_t before = -(uintptr_t)va % LARGE;
    if (huge_host != HUGE_HOST_ADVISED || (prot & HAL_WRITE) == 0 ||
        ((uintptr_t)va ^ pa) % LARGE != 0 || size < before + LARGE) {
        return;
    }
    const size_t whole = (size - before) & ~(size_t)(LARGE - 1);
    const long result = huge_host_advise(va + before, whole, MADV_HUGEPAGE);
    (void)result; // without it small pages come
}

void huge_populate(char *va, size_t size)
{
    for (size_t step; size > 0; va += step, size -= step) {
        const size_t left = LARGE - (uintptr_t)va % LARGE;
        step = size < left ? size : left;
        if (huge_host_advise(va, step, MADV_POPULATE_WRITE) != 0) {
            return;
        }
    }
}
