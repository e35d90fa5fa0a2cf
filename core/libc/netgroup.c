// SPDX-License-Identifier: BSD-3-Clause
// netgroup.c: netgroups, of which there are none: they come from NIS.
#include <stddef.h>

#include "core/libc/export.h"

EXPORT(int, innetgr, const char *group, const char *host, const char *user, const char *domain)
{
    return 0;
}

EXPORT(int, setnetgrent, const char *group)
{
    return 0;
}

EXPORT(void, endnetgrent, void)
{
}

EXPORT(int, getnetgrent, char **host, char **user, char **domain)
{
    return 0;
}

EXPORT(int, getnetgrent_r, char **host, char **user, char **domain, char *buffer, size_t size)
{
    return 0;
}
