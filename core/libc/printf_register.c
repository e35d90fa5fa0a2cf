// SPDX-License-Identifier: BSD-3-Clause
// printf_register.c: <printf.h>: which arguments a pattern has. Conversions of the program's own are
// not possible here, and it is told so.
//
// libquadmath asks for one in its constructor and lives with the answer.
#include <errno.h>

#include "core/libc/export.h"
#include "core/libc/format.h"

EXPORT(size_t, parse_printf_format, const char *pattern, size_t room, int *types)
{
    return format_types(pattern, room, types);
}

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
