// SPDX-License-Identifier: BSD-3-Clause
// string.h: the C standard's memory and string functions that core itself uses. Applications see
// the same ones.
#ifndef CORE_LIB_STRING_H
#define CORE_LIB_STRING_H

#include <stddef.h>

void *memcpy(void *restrict target, const void *restrict source, size_t size);
void *memmove(void *target, const void *source, size_t size);
void *memset(void *target, int value, size_t size);
int memcmp(const void *a, const void *b, size_t size);
void *memchr(const void *bytes, int value, size_t size);
size_t strlen(const char *text);
size_t strnlen(const char *text, size_t size);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t size);
char *strchr(const char *text, int c);
char *strchrnul(const char *text, int c); // the end of text where there is no c
char *strrchr(const char *text, int c);

#endif
