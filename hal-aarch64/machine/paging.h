// SPDX-License-Identifier: BSD-3-Clause
// paging.h: the kernel's own mappings.
#ifndef HAL_AARCH64_MACHINE_PAGING_H
#define HAL_AARCH64_MACHINE_PAGING_H

#include "hal/common/memory_list.h"
#include "hal/hal.h"

// Makes tables for the direct map of all of ram, without the right to execute, and for the image,
// each part with its rights. Tables come out of usable.
void paging_init(const struct memory_list *ram, struct memory_list *usable);

// Maps a device's registers. After paging_init, and while the machine boots only.
char *paging_device(hal_phys pa, size_t size);

// Puts the tables in the place of boot.S's.
void paging_enter(void);

// Whether the tables permit an access of hal_prot's kind to va now.
bool paging_permits(const char *va, unsigned access);

// The same for a write; if so, notes that the page has been written, for hal_dirty_take.
bool paging_write_permit(const char *va);

#endif
