// SPDX-License-Identifier: BSD-3-Clause
// paging.h: the kernel's own mappings.
#ifndef HAL_X86_64_MACHINE_PAGING_H
#define HAL_X86_64_MACHINE_PAGING_H

#include "hal/common/memory_list.h"
#include "hal/hal.h"

// Replaces the tables that boot.S starts with: the direct map of all of ram and of what lies below
// BOOT_MAPPED, without the right to execute; the image, each part with its rights; nothing else.
// Tables come out of usable.
void paging_init(const struct memory_list *ram, struct memory_list *usable);

// What CR3 holds on every CPU.
hal_phys paging_root(void);

// Maps the pages of a device's registers, some of which may be mapped already. While the machine
// boots only.
char *paging_device(hal_phys pa, size_t size);

// Whether the tables permit an access of hal_prot's kind to va now.
bool paging_permits(const char *va, unsigned access);

#endif
