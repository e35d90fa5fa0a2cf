// SPDX-License-Identifier: BSD-3-Clause
// symbols.h: the names of the kernel's functions, for its crash reports.
#ifndef SIM_IMAGE_SYMBOLS_H
#define SIM_IMAGE_SYMBOLS_H

#include <stddef.h>

// An ELF file of nothing but the functions' symbols that the ELF file bytes has. Its size is 0
// where there are none. For free().
char *symbols_make(const char *bytes, size_t size, size_t *result_size);

#endif
