// SPDX-License-Identifier: BSD-3-Clause
// multiboot.h: what a loader says by Multiboot2, as GRUB does.
#ifndef HAL_X86_64_MACHINE_MULTIBOOT_H
#define HAL_X86_64_MACHINE_MULTIBOOT_H

#include "loader.h"

// Reads the boot information at info, whose physical address is given. Stops the machine where it
// is none, or has no memory map.
void multiboot_read(struct loader *loader, const char *info, hal_phys address);

#endif
