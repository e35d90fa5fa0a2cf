// SPDX-License-Identifier: BSD-3-Clause
// huge.c: settings and counts.
#include "core/vm/huge.h"

#include <stddef.h>

enum { NOTICES = 1024, ABSENT_MAX = 64, SCAN_PAGES = 32768 };

struct huge_settings huge_settings = {
    .policy = HUGE_ALWAYS,
    .absent_max = ABSENT_MAX,
    .scan_pages = SCAN_PAGES,
};
_Atomic bool huge_is_used; // any page has ever been large

static _Atomic uint64_t counts[HUGE_COUNTS];
static _Atomic uint32_t notices;
static _Atomic(void (*)(void)) listener;

void huge_count(enum huge_count which)
{
    // Relaxed, as all here: a figure.
    atomic_fetch_add_explicit(&counts[which], 1, memory_order_relaxed);
    if (which == HUGE_FAULTS || which == HUGE_COLLAPSES) {
        huge_come();
    }
}

void huge_come(void)
{
    atomic_store_explicit(&huge_is_used, true, memory_order_relaxed);
}

uint64_t huge_count_get(enum huge_count which)
{
    return atomic_load_explicit(&counts[which], memory_order_relaxed);
}

void huge_notice(void)
{
    if (atomic_fetch_add_explicit(&notices, 1, memory_order_relaxed) % NOTICES == NOTICES - 1) {
        void (*listen)(void) = atomic_load(&listener);
        if (listen != NULL) {
            listen();
        }
    }
}

void huge_listen(void (*new_listener)(void))
{
    atomic_store(&listener, new_listener);
}
