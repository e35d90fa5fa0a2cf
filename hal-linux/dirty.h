// SPDX-License-Identifier: BSD-3-Clause
// dirty.h: which pages were written. Who takes a page's mark lets nobody write it, and the fault of
// the next write makes the mark again: the host's own marks a process cannot take.
//
// One lock orders that with changes of rights. Whoever holds it may fault on its own stack, whose
// pages are such pages, too.
#ifndef HAL_LINUX_DIRTY_H
#define HAL_LINUX_DIRTY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hal/hal.h"

// Of the word of a page.
enum { PAGE_PROT = 7, PAGE_MAPPED = 8, PAGE_CLEAN = 16, PAGE_FRAME_SHIFT = 5 };

// Rights for the host, or fewer where the page is clean.
static inline unsigned dirty_prot(uint32_t word)
{
    const unsigned prot = word & PAGE_PROT;
    return (word & PAGE_CLEAN) != 0 ? prot & ~(unsigned)HAL_WRITE : prot;
}

// Whether dirty_take was called; core orders that with changes of rights.
bool dirty_is_used(void);

// Interrupts are off; me: of the vCPU, not 0. Around changes of the rights of pages that are
// mapped, in words and host, where dirty_is_used.
void dirty_lock(uint32_t me);
void dirty_unlock(void);

// As hal_dirty_take, of the pages at va whose words these are.
void dirty_take(uint32_t *words, char *va, size_t count, uint64_t *bits, uint32_t me);

// After a write of the page at va was refused. True: it may be written now.
bool dirty_fault(uint32_t *word, char *va, uint32_t me);

// memory.c's: the host's rights. False: the host has no room for so many mappings.
bool dirty_host_protect(char *va, size_t size, unsigned prot);

#endif
