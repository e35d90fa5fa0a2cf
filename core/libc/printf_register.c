// SPDX-License-Identifier: BSD-3-Clause
// printf_register.c: printf's own conversions by programs are not possible here, and they are told
// so.
//
// libquadmath asks for one in its constructor and lives with the answer.
#include <errno.h>

#include "core/libc/export.h"

static int refuse(void)
{
    errno = ENOSYS;
    return -1;
}

EXPORT(int, register_printf_function, int letter, void *print, void *information)
{
    return refuse();
}

EXPORT(int, register_printf_specifier, int letter, void *print, void *information)
{
    return refuse();
}

EXPORT(int, register_printf_modifier, const void *text)
{
    return refuse();
}

EXPORT(int, register_printf_type, void *store)
{
    return refuse();
}
