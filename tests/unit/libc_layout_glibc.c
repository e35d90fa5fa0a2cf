// SPDX-License-Identifier: BSD-3-Clause
// libc_layout_glibc.c: libc_layout.h's table by the host's headers, which programs are compiled
// with.
#include "libc_layout.h"

const struct layout_row layout_of_glibc[] = {
    LIBC_LAYOUT(LAYOUT_SIZE, LAYOUT_FIELD, LAYOUT_VALUE) //
};
const int layout_of_glibc_count = sizeof layout_of_glibc / sizeof layout_of_glibc[0];
