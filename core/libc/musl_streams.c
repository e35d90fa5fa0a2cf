// SPDX-License-Identifier: BSD-3-Clause
// musl_streams.c: the three standard streams, in musl's FILE, with buffers of glibc's size.
//
// The lock is -1, which musl reads as "no other thread", until the first thread is created
// (libc_musl_threads_changed).
#include "stdio_impl.h"

static unsigned char input_buffer[BUFSIZ + UNGET];
static unsigned char output_buffer[BUFSIZ + UNGET];
static unsigned char error_buffer[UNGET];

extern hidden FILE __stdout_FILE;

// A question on the terminal is shown before the answer is waited for.
static size_t input_read(FILE *stream, unsigned char *bytes, size_t size)
{
    if (__stdout_FILE.lbf >= 0 && __stdout_FILE.wpos != __stdout_FILE.wbase) {
        fflush(&__stdout_FILE);
    }
    return __stdio_read(stream, bytes, size);
}

hidden FILE __stdin_FILE = {
    .buf = input_buffer + UNGET,
    .buf_size = BUFSIZ,
    .fd = 0,
    .flags = F_PERM | F_NOWR,
    .read = input_read,
    .seek = __stdio_seek,
    .close = __stdio_close,
    .lock = -1,
};

hidden FILE __stdout_FILE = {
    .buf = output_buffer + UNGET,
    .buf_size = BUFSIZ,
    .fd = 1,
    .flags = F_PERM | F_NORD,
    .lbf = '\n',
    .write = __stdout_write,
    .seek = __stdio_seek,
    .close = __stdio_close,
    .lock = -1,
};

hidden FILE __stderr_FILE = {
    .buf = error_buffer + UNGET,
    .buf_size = 0,
    .fd = 2,
    .flags = F_PERM | F_NORD,
    .lbf = -1,
    .write = __stdio_write,
    .seek = __stdio_seek,
    .close = __stdio_close,
    .lock = -1,
};

FILE *volatile __stdin_used = &__stdin_FILE;
FILE *volatile __stdout_used = &__stdout_FILE;
FILE *volatile __stderr_used = &__stderr_FILE;

// What programs see as stdin, stdout, stderr, until they take them over.
FILE *glibc_stdin = &__stdin_FILE;
FILE *glibc_stdout = &__stdout_FILE;
FILE *glibc_stderr = &__stderr_FILE;

FILE **libc_stdin = &glibc_stdin;
FILE **libc_stdout = &glibc_stdout;
FILE **libc_stderr = &glibc_stderr;
