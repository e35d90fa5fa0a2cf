// SPDX-License-Identifier: BSD-3-Clause
// print.h: the printf family with options of format.h.
#ifndef CORE_LIBC_PRINT_H
#define CORE_LIBC_PRINT_H

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <wchar.h>

int libc_vfprintf(FILE *stream, const char *pattern, va_list arguments, int options);
int libc_vfwprintf(FILE *stream, const wchar_t *pattern, va_list arguments, int options);
int libc_vsnprintf(char *text, size_t size, const char *pattern, va_list arguments, int options);
int libc_vswprintf(wchar_t *text, size_t size, const wchar_t *pattern, va_list arguments,
                   int options);
int libc_vasprintf(char **text, const char *pattern, va_list arguments, int options);
int libc_vdprintf(int fd, const char *pattern, va_list arguments, int options);

#endif
