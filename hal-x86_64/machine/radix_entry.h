// SPDX-License-Identifier: BSD-3-Clause
// radix_entry.h: the bits of a translation table entry on x86_64 (Intel SDM vol. 3, 4.5).
//
// Bits that the processor ignores hold the rights as they were asked for and say that the entry is
// in use, also while it gives no right at all.
#ifndef HAL_X86_64_MACHINE_RADIX_ENTRY_H
#define HAL_X86_64_MACHINE_RADIX_ENTRY_H

#include <stdatomic.h>

#include "hal/hal.h"

#include "layout.h"

#define ENTRY_PRESENT 0x1ull
#define ENTRY_WRITABLE 0x2ull
#define ENTRY_UNCACHED 0x18ull
#define ENTRY_ACCESSED 0x20ull
#define ENTRY_DIRTY 0x40ull
#define ENTRY_LARGE 0x80ull
#define ENTRY_PROT_SHIFT 9 // three bits: HAL_READ, HAL_WRITE, HAL_EXEC
#define ENTRY_ADDRESS 0x000ffffffffff000ull
#define ENTRY_USED (1ull << 52)
#define ENTRY_DEVICE (1ull << 53)
#define ENTRY_NO_EXEC (1ull << 63)

enum { ENTRY_RIGHTS = HAL_READ | HAL_WRITE | HAL_EXEC };

static inline char *entry_pointer(hal_phys table)
{
    return (char *)(LAYOUT_DIRECT + table);
}

static inline uint64_t entry_table(hal_phys table)
{
    return table | ENTRY_PRESENT | ENTRY_WRITABLE | ENTRY_ACCESSED;
}

static inline uint64_t entry_rights(unsigned prot)
{
    uint64_t entry = ENTRY_USED | (uint64_t)(prot & ENTRY_RIGHTS) << ENTRY_PROT_SHIFT;
    entry |= prot & ENTRY_RIGHTS ? ENTRY_PRESENT | ENTRY_ACCESSED : 0;
    entry |= prot & HAL_WRITE ? ENTRY_WRITABLE | ENTRY_DIRTY : 0;
    entry |= prot & HAL_EXEC ? 0 : ENTRY_NO_EXEC;
    entry |= prot & HAL_DEVICE ? ENTRY_DEVICE | ENTRY_UNCACHED : 0;
    return entry;
}

static inline uint64_t entry_leaf(hal_phys pa, unsigned prot, unsigned level)
{
    return pa | entry_rights(prot) | (level > 0 ? ENTRY_LARGE : 0);
}

// A table is the one thing that is in use without saying so in ENTRY_USED.
static inline bool entry_is_table(uint64_t entry)
{
    return (entry & (ENTRY_PRESENT | ENTRY_USED)) == ENTRY_PRESENT;
}

static inline hal_phys entry_address(uint64_t entry)
{
    return entry & ENTRY_ADDRESS;
}

static inline unsigned entry_prot(uint64_t entry)
{
    return (unsigned)(entry >> ENTRY_PROT_SHIFT & ENTRY_RIGHTS) |
           (entry & ENTRY_DEVICE ? HAL_DEVICE : 0);
}

// The kind of memory stays.
static inline uint64_t entry_protect(uint64_t entry, unsigned prot)
{
    const unsigned rights = (prot & ENTRY_RIGHTS) | (entry & ENTRY_DEVICE ? HAL_DEVICE : 0);
    return (entry & (ENTRY_ADDRESS | ENTRY_LARGE | ENTRY_DIRTY)) | entry_rights(rights);
}

// Page i of a large mapping.
static inline uint64_t entry_part(uint64_t entry, size_t i)
{
    return (entry & ~ENTRY_LARGE) + i * HAL_PAGE_SIZE;
}

// The translations stay the same, so processors may go on with the old entry. False: the entry has
// changed.
static inline bool entry_split(_Atomic uint64_t *entry, uint64_t old, uint64_t table, uint64_t va)
{
    (void)va;
    return atomic_compare_exchange_strong(entry, &old, table);
}

// What may be written has the mark from the start, which saves the processor from setting it; once it
// is taken, the processor sets it.
static inline bool entry_is_dirty(uint64_t entry)
{
    return (entry & ENTRY_DIRTY) != 0;
}

static inline uint64_t entry_clean(uint64_t entry)
{
    return entry & ~ENTRY_DIRTY;
}

static inline uint64_t entry_dirty(uint64_t entry)
{
    return entry | ENTRY_DIRTY;
}

#endif
