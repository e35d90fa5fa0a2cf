// SPDX-License-Identifier: BSD-3-Clause
// errors.h: the texts of errors, for files of core/libc itself.
#ifndef CORE_LIBC_ERRORS_H
#define CORE_LIBC_ERRORS_H

#include <stddef.h>

// What programs know as strerrorname_np and as strerror_r, the GNU one.
const char *glibc_strerrorname_np(int error);
char *glibc_strerror_r(int error, char *text, size_t size);

#endif
