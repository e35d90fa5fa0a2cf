// SPDX-License-Identifier: BSD-3-Clause
// pvh.h: what the boot loader says (Xen docs/misc/pvh.pandoc and public/arch-x86/hvm/start_info.h).
#ifndef HAL_X86_64_MACHINE_PVH_H
#define HAL_X86_64_MACHINE_PVH_H

#include "hal/common/memory_list.h"
#include "hal/hal.h"

enum { PVH_MODULE_MAX = 16 };

// Everything in here is copied: the loader's own memory may be given to core.
struct pvh {
    struct memory_list ram;  // all of it above the first MiB
    hal_phys low_page;       // one page of RAM in the first MiB, where other CPUs start; 0: none
    const char *const *args; // ends with NULL
    struct hal_module modules[PVH_MODULE_MAX];
    size_t module_count;
    hal_phys rsdp; // ACPI's root pointer; 0: the loader does not say
};

// Reads the start info at physical address info, while boot.S's map of low memory is there.
void pvh_read(struct pvh *pvh, hal_phys info);

#endif
