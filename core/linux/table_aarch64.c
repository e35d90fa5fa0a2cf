// SPDX-License-Identifier: BSD-3-Clause
// table_aarch64.c: the system calls of aarch64, numbered as Linux numbers them there.
#include <sys/syscall.h>

#include "core/linux/calls.h"
#include "core/linux/futex.h"
#include "core/linux/mempolicy.h"
#include "core/linux/table.h"

#define CAST(function) ((linux_call *)(void (*)(void))(function))
#define ROW(name, function, arguments)                                                             \
    {                                                                                              \
        CAST(function), #name, arguments, SYS_##name, false                                        \
    }
#define ROW_NEVER(name, function, arguments)                                                       \
    {                                                                                              \
        CAST(function), #name, arguments, SYS_##name, true                                         \
    }

// clang-format off
const struct linux_row linux_rows[] = {
LINUX_ROWS_COMMON
};
// clang-format on

const size_t linux_row_count = sizeof linux_rows / sizeof linux_rows[0];
