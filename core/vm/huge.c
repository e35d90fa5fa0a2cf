// SPDX-License-Identifier: BSD-3-Clause
// huge.c: counts.
#include "core/vm/huge.h"

#include <stdatomic.h>
#include <stddef.h>

enum { NOTICES = 1024 };

static _Atomic uint64_t counts[HUGE_COUNTS];
static _Atomic uint32_t notices;
static _Atomic(void (*)(void)) listener;

void huge_count(enum huge_count which)
{
    // Relaxed, as all here: a figure.
    atomic_fetch_add_explicit(&counts[which], 1, memory_order_relaxed);
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
