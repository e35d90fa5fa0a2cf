// SPDX-License-Identifier: BSD-3-Clause
// stdio.h: musl's, but the three streams are reached through the pointers of core/libc/copied.c, and the buffers have the
// size of glibc's.
#include_next <stdio.h>

#ifndef LIBC_OVERRIDE_STDIO_H
#define LIBC_OVERRIDE_STDIO_H

extern FILE **libc_stdin;
extern FILE **libc_stdout;
extern FILE **libc_stderr;

#endif

#undef stdin
#undef stdout
#undef stderr
#define stdin  (*libc_stdin)
#define stdout (*libc_stdout)
#define stderr (*libc_stderr)

#undef BUFSIZ
#define BUFSIZ 4096
