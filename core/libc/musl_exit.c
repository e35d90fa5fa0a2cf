// SPDX-License-Identifier: BSD-3-Clause
// musl_exit.c: the end, as musl's own files call it.
#include "core/libc/libc.h"

#include <stdlib.h>

#include "core/linux/process.h"

_Noreturn void _Exit(int status)
{
    process_exit(status & 0xff);
}

_Noreturn void exit(int status)
{
    libc_exit(status);
}
