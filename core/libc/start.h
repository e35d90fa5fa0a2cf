// SPDX-License-Identifier: BSD-3-Clause
// start.h: what start.c needs of the ISA (start_ISA.c, enter_ISA.S) and of its neighbours.
#ifndef CORE_LIBC_START_H
#define CORE_LIBC_START_H

#include <stddef.h>
#include <stdint.h>

#include "hal/hal.h"

struct libc_hardware {
    size_t capabilities;  // AT_HWCAP
    const char *platform; // AT_PLATFORM
};

struct libc_hardware libc_hardware(void);

// Writes what the processor can do where the image's libm looks for it: _rtld_global_ro.
void libc_features_set(char *rtld_global_ro);
extern char glibc__rtld_global_ro[];

// Copies the image of count words to the top of what is left of the stack, points sp at it and
// jumps to entry with the registers as Linux leaves them. The caller's frames are gone.
HAL_NORETURN void libc_enter(void *entry, const uintptr_t *image, size_t count);

void libc_musl_locale_init(void);

#endif
