// SPDX-License-Identifier: BSD-3-Clause
// radix_entry.h: the bits of a translation table entry on aarch64 (Arm ARM D8.3), 4 KiB pages,
// stage 1 of EL1.
//
// Bits that the processor ignores hold the rights as they were asked for and say that the entry is
// in use, also while it gives no right at all. Processors of version 8.0 do not mark pages as
// written: a page is taken for written from the start, and after hal_dirty_take it is read-only
// until the fault of the next write.
#ifndef HAL_AARCH64_MACHINE_RADIX_ENTRY_H
#define HAL_AARCH64_MACHINE_RADIX_ENTRY_H

#include "hal/hal.h"

#include "layout.h"

#define ENTRY_VALID 0x1ull
#define ENTRY_PAGE 0x2ull   // a page at level 0, a table above; without it a large mapping
#define ENTRY_DEVICE 0x4ull // MAIR 1; MAIR 0 is normal memory
#define ENTRY_READ_ONLY 0x80ull
#define ENTRY_SHARED 0x300ull
#define ENTRY_ACCESSED 0x400ull
#define ENTRY_ADDRESS 0x0000fffffffff000ull
#define ENTRY_NO_EXEC (3ull << 53)
#define ENTRY_PROT_SHIFT 55 // three bits: HAL_READ, HAL_WRITE, HAL_EXEC
#define ENTRY_USED (1ull << 58)

enum { ENTRY_RIGHTS = HAL_READ | HAL_WRITE | HAL_EXEC };

static inline char *entry_pointer(hal_phys table)
{
    return (char *)(LAYOUT_DIRECT + table);
}

static inline uint64_t entry_table(hal_phys table)
{
    return table | ENTRY_VALID | ENTRY_PAGE;
}

static inline uint64_t entry_rights(unsigned prot)
{
    uint64_t entry =
        ENTRY_USED | (uint64_t)(prot & ENTRY_RIGHTS) << ENTRY_PROT_SHIFT | ENTRY_ACCESSED;
    entry |= prot & ENTRY_RIGHTS ? ENTRY_VALID : 0;
    entry |= prot & HAL_WRITE ? 0 : ENTRY_READ_ONLY;
    entry |= prot & HAL_EXEC ? 0 : ENTRY_NO_EXEC;
    entry |= prot & HAL_DEVICE ? ENTRY_DEVICE : ENTRY_SHARED;
    return entry;
}

static inline uint64_t entry_leaf(hal_phys pa, unsigned prot, unsigned level)
{
    return pa | entry_rights(prot) | (level == 0 ? ENTRY_PAGE : 0);
}

// A table is the one thing that is in use without saying so in ENTRY_USED.
static inline bool entry_is_table(uint64_t entry)
{
    return (entry & (ENTRY_VALID | ENTRY_USED)) == ENTRY_VALID;
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
    return (entry & (ENTRY_ADDRESS | ENTRY_PAGE)) | entry_rights(rights);
}

// Page i of a large mapping.
static inline uint64_t entry_part(uint64_t entry, size_t i)
{
    return (entry | ENTRY_PAGE) + i * HAL_PAGE_SIZE;
}

// Break before make (Arm ARM D8.14): between two forms of a translation there must be none, in no
// cache either. What it maps may be the stack we run on, so nothing touches memory meanwhile but
// the entry, and interrupts are off. Other CPUs take a fault there and find the new form. False:
// the entry has changed.
static inline bool entry_split(_Atomic uint64_t *entry, uint64_t old, uint64_t table, uint64_t va)
{
    const uintptr_t state = hal_irq_save();
    uint64_t seen, failed;
    __asm__ volatile("1: ldaxr %0, [%2]\n\t"
                     "cmp %0, %3\n\t"
                     "b.ne 2f\n\t"
                     "stlxr %w1, xzr, [%2]\n\t"
                     "cbnz %w1, 1b\n\t"
                     "dsb ishst\n\t"
                     "tlbi vaae1is, %5\n\t"
                     "dsb ish\n\t"
                     "str %4, [%2]\n\t"
                     "dsb ishst\n\t"
                     "isb\n\t"
                     "b 3f\n"
                     "2: clrex\n"
                     "3:"
                     : "=&r"(seen), "=&r"(failed)
                     : "r"(entry), "r"(old), "r"(table), "r"(va >> 12)
                     : "memory", "cc");
    hal_irq_restore(state);
    return seen == old;
}

static inline bool entry_is_dirty(uint64_t entry)
{
    return (entry_prot(entry) & HAL_WRITE) != 0 && (entry & ENTRY_READ_ONLY) == 0;
}

static inline uint64_t entry_clean(uint64_t entry)
{
    return entry | ENTRY_READ_ONLY;
}

static inline uint64_t entry_dirty(uint64_t entry)
{
    return entry & ~ENTRY_READ_ONLY;
}

#endif
