// SPDX-License-Identifier: BSD-3-Clause
// stdio_impl.h: in place of musl's: there are no files here.
#ifndef TESTS_FUZZ_DNS_HOST_STDIO_IMPL_H
#define TESTS_FUZZ_DNS_HOST_STDIO_IMPL_H

#include <stddef.h>
#include <stdio.h>

FILE *__fopen_rb_ca(const char *path, FILE *file, unsigned char *room, size_t size);
int __fclose_ca(FILE *file);

#endif
