// SPDX-License-Identifier: BSD-3-Clause
// user.h: memory that a system call's caller points to: it may not be there.
#ifndef CORE_LINUX_USER_H
#define CORE_LINUX_USER_H

#include <stddef.h>

#include "hal/hal.h"

// Copies to or from the caller's memory. -EFAULT.
HAL_MUST_CHECK int user_read(void *target, const void *user, size_t size);
HAL_MUST_CHECK int user_write(void *user, const void *source, size_t size);

// Looks at the first and the last byte of a buffer, so that a wild pointer answers -EFAULT before a
// room of core uses it. What lies between is the caller's word.
HAL_MUST_CHECK int user_check(const void *user, size_t size);

enum { USER_PATH_MAX = 4096 };

// Copies a path. -EFAULT, -ENAMETOOLONG.
HAL_MUST_CHECK int user_read_path(char path[USER_PATH_MAX], const char *user);

#endif
