// SPDX-License-Identifier: BSD-3-Clause
// vm.h: the application's address space: areas, mappings, protection, faults.
//
// Addresses and sizes are page multiples unless stated. Thread context, may block, unless stated.
// One mutex inside. On failure nothing has changed; but what VM_FIXED replaces may be gone when the
// machine has no table (or mapping) left for what comes in its place.
#ifndef CORE_VM_VM_H
#define CORE_VM_VM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hal/hal.h"

// Where the pages of a file mapping come from. Private mappings read each page once.
struct vm_pager {
    // Fills size bytes at to (direct map) from offset; what lies beyond the end of the file is
    // zeroed. 0 or -EIO.
    int (*read)(struct vm_pager *pager, uint64_t offset, char *to, size_t size);
    void (*get)(struct vm_pager *pager); // one more area uses it
    void (*put)(struct vm_pager *pager);
    // What /proc/self/maps shows. Valid while the pager is held.
    const char *(*name)(struct vm_pager *pager);
    uint64_t device, inode;
};

enum vm_flags {
    VM_FIXED = 1,     // at *va exactly, whatever is there is unmapped first
    VM_NOREPLACE = 2, // with VM_FIXED: -EEXIST when anything is there
    VM_LAZY = 4,      // anonymous only: no memory until touched (thread stacks, reservations)
    VM_SHARED = 8,    // anonymous only here
    VM_LOW = 16,      // in the first 2 GiB (MAP_32BIT)
    VM_STACK = 32,    // a stack: every lazy area is fit for one, since faults take no lock
    VM_POPULATE = 64, // anonymous only: touched at once, not lazy unless memory is scarce
};

int vm_init(const struct hal_boot *boot);

// Maps size bytes. *va is a hint (NULL: none) or, with VM_FIXED, the place; the result goes back
// there. pager NULL: anonymous, reads as zeros. prot of HAL_READ|HAL_WRITE|HAL_EXEC, 0 is a guard.
// -ENOMEM, -EEXIST, -EINVAL, -EIO.
HAL_MUST_CHECK int vm_map(char **va, size_t size, unsigned prot, unsigned flags,
                          struct vm_pager *pager, uint64_t offset);
HAL_MUST_CHECK int vm_unmap(char *va, size_t size);                  // holes are fine
HAL_MUST_CHECK int vm_protect(char *va, size_t size, unsigned prot); // -ENOMEM: a hole
HAL_MUST_CHECK int vm_remap(char **va, size_t old_size, size_t new_size, bool may_move);
HAL_MUST_CHECK int vm_discard(char *va,
                              size_t size); // MADV_DONTNEED: reads as zeros (or the file) again
HAL_MUST_CHECK int vm_is_resident(char *va, size_t size, unsigned char *pages); // mincore

// The break, as brk(2): end NULL asks. Answers the break after the call.
char *vm_brk(char *end);

// Resolves a page fault at va (any address) for access (HAL_READ, HAL_WRITE or HAL_EXEC), or says
// false. Called by upcall_fault: any context, never blocks (it may yield where interrupts are on).
bool vm_fault(char *va, unsigned access);

struct vm_area_info {
    char *start, *end;
    unsigned prot, flags;
    uint64_t offset, device, inode;
    const char *name; // of the pager, or "[heap]", "[stack]", or ""
};

// Calls visit for each area in ascending order until it says false. The mutex is held: visit must
// not call vm.
void vm_walk(bool (*visit)(const struct vm_area_info *area, void *argument), void *argument);
void vm_name_set(char *va, const char *name); // static text, for anonymous areas

size_t vm_mapped_bytes(void);

#endif
