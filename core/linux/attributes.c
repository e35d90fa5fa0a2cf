// SPDX-License-Identifier: BSD-3-Clause
// attributes.c: extended attributes: no file system here has any, and says so as Linux's do.
#include "core/lib/errno.h"
#include "core/linux/calls.h"

// getxattr, setxattr, removexattr and their forms. Callers go on without.
long linux_attribute_refuse(void)
{
    return -EOPNOTSUPP;
}

// listxattr and its forms: an empty list.
long linux_attribute_list(void)
{
    return 0;
}
