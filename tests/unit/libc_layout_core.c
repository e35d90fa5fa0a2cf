// SPDX-License-Identifier: BSD-3-Clause
// libc_layout_core.c: libc_layout.h's table by the headers that core/libc is compiled with.
#include "libc_layout.h"

const struct layout_row layout_of_core[] = {
    LIBC_LAYOUT(LAYOUT_SIZE, LAYOUT_FIELD, LAYOUT_VALUE) //
};
const int layout_of_core_count = sizeof layout_of_core / sizeof layout_of_core[0];
