// SPDX-License-Identifier: BSD-3-Clause
// memory.h: the machine's memory.
#ifndef HAL_LINUX_MEMORY_H
#define HAL_LINUX_MEMORY_H

#include "hal/hal.h"

// What mappings of text are.
enum memory_text {
    MEMORY_TEXT_SHARED,  // views of the memory, as all others
    MEMORY_TEXT_PRIVATE, // a debugger may write breakpoints into it
    MEMORY_TEXT_COPIED,  // the same, and anonymous: only there does perf go by a map
};

// Reserves the windows and makes size bytes of memory, and fills in boot's facts about them.
// shared_size bytes of the direct map behind it, from memory_shared_start on, are left to devices.
// boot->is_checked is set. 0 or -errno.
int memory_init(struct hal_boot *boot, size_t size, size_t shared_size, enum memory_text text);

// Where the devices' shared memory begins beside size bytes of memory.
hal_phys memory_shared_start(size_t size);

// The size bytes at `at` in the devices' shared memory are now fd's from offset on (fd -1: nothing
// is there any more): for hal_map. Multiples of MEMORY_SHARED_UNIT, but for the end of what is
// there. The descriptor stays open until then.
enum { MEMORY_SHARED_UNIT = 2 << 20 };
void memory_shared_set(const char *at, size_t size, int fd, uint64_t offset);

// Maps what was lost by a mapping over [va, va + size), which lies in a window, as core has it.
void memory_view_restore(char *va, size_t size);

// After a write at va was refused: it may be written now, for it was only to be noticed (dirty.h).
// Interrupts are off.
bool memory_write_fault(const char *va);

// The direct map's view of [pa, pa + size), or NULL where that is not all memory.
char *memory_at(hal_phys pa, size_t size);

#endif
