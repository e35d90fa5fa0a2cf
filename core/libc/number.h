// SPDX-License-Identifier: BSD-3-Clause
// number.h: text to numbers, for files of core/libc itself: what programs know without glibc_.
#ifndef CORE_LIBC_NUMBER_H
#define CORE_LIBC_NUMBER_H

long glibc_strtol(const char *text, char **end, int base);
unsigned long glibc_strtoul(const char *text, char **end, int base);
float glibc_strtof(const char *text, char **end);
double glibc_strtod(const char *text, char **end);
long double glibc_strtold(const char *text, char **end);

#endif
