// SPDX-License-Identifier: BSD-3-Clause
// loader.h: what the boot loader says.
#ifndef HAL_X86_64_MACHINE_LOADER_H
#define HAL_X86_64_MACHINE_LOADER_H

#include "hal/common/memory_list.h"
#include "hal/hal.h"

// How it speaks; boot.S has the same numbers.
enum loader_protocol {
    LOADER_PVH,       // Xen docs/misc/pvh.pandoc and public/arch-x86/hvm/start_info.h
    LOADER_LINUX,     // Linux Documentation/arch/x86/boot.rst, "64-bit boot protocol", and
                      // zero-page.rst
    LOADER_MULTIBOOT, // GNU Multiboot2 2.0, 3.6 "Boot information format"
};

enum { LOADER_MODULE_MAX = 16, LOADER_LOW_MEMORY = 1 << 20 };

// Everything in here but line is copied: the loader's own memory may be given to core. A module may
// lie in the first MiB, in low_page, too.
struct loader {
    struct memory_list ram;  // all of it above the first 64 KiB but low_page
    hal_phys low_page;       // a page of RAM in the first MiB, where other CPUs start; 0: none
    const char *line;        // the loader's own command line, where it has left it; NULL: none
    const char *const *args; // the image's and the loader's (hal/common/image.h); ends with NULL
    struct hal_module modules[LOADER_MODULE_MAX];
    size_t module_count;
    hal_phys rsdp; // ACPI's root pointer; 0: the loader does not say
};

// Reads what is at physical address info, while boot.S's map of low memory is there.
void loader_read(struct loader *loader, enum loader_protocol protocol, hal_phys info);

// For a protocol's reader: adds what count entries of size bytes each say of memory, and a module
// (size 0: none).
void loader_memory_read(struct loader *loader, const void *entries, size_t count, size_t size);
void loader_module_add(struct loader *loader, hal_phys start, uint64_t size);

#endif
