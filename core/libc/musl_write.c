// SPDX-License-Identifier: BSD-3-Clause
// musl_write.c: how bytes go through a stream's buffer, in glibc's portions: a full buffer is
// written when more comes, whole blocks go out without being copied, a line ends in one write.
#include <string.h>

#include <sys/ioctl.h>

#include "stdio_impl.h"

void *memrchr(const void *bytes, int c, size_t size);

// Makes the stream ready for output. Only now is it asked whether standard output is a terminal.
static int write_begin(FILE *stream)
{
    if (stream->wend == NULL && __towrite(stream) != 0) {
        return EOF;
    }
    if (stream->write == __stdout_write) {
        struct winsize size;
        stream->write = __stdio_write;
        if ((stream->flags & F_SVB) == 0 &&
            __syscall(SYS_ioctl, stream->fd, TIOCGWINSZ, &size) != 0) {
            stream->lbf = -1;
        }
    }
    return 0;
}

// Writes what is in the buffer. False: an error.
static int buffer_write(FILE *stream)
{
    if (stream->wpos != stream->wbase) {
        stream->write(stream, NULL, 0);
    }
    return stream->wpos != NULL;
}

static size_t buffer_fill(FILE *stream, const unsigned char *bytes, size_t size)
{
    size_t room = (size_t)(stream->wend - stream->wpos);
    size_t part = size < room ? size : room;
    memcpy(stream->wpos, bytes, part);
    stream->wpos += part;
    return part;
}

// Into the buffer, whatever lines are in it.
static size_t blocks_write(FILE *stream, const unsigned char *bytes, size_t size)
{
    size_t done = 0;
    if (stream->wpos != stream->wbase || size <= stream->buf_size) {
        done = buffer_fill(stream, bytes, size);
    }
    if (done == size || !buffer_write(stream)) {
        return done;
    }
    size_t blocks = (size - done) / stream->buf_size * stream->buf_size;
    if (blocks != 0) {
        size_t written = stream->write(stream, bytes + done, blocks);
        done += written;
        if (written < blocks) {
            return done;
        }
    }
    return done + buffer_fill(stream, bytes + done, size - done);
}

size_t __fwritex(const unsigned char *restrict bytes, size_t size, FILE *restrict stream)
{
    if ((stream->wend == NULL || stream->write == __stdout_write) && write_begin(stream) != 0) {
        return 0;
    }
    if (stream->buf_size == 0) {
        return size == 0 ? 0 : stream->write(stream, bytes, size);
    }
    if (stream->lbf < 0) {
        if (size <= (size_t)(stream->wend - stream->wpos)) {
            memcpy(stream->wpos, bytes, size);
            stream->wpos += size;
            return size;
        }
        return blocks_write(stream, bytes, size);
    }
    const unsigned char *newline = memrchr(bytes, '\n', size);
    size_t lines = newline == NULL ? 0 : (size_t)(newline - bytes) + 1;
    size_t done = blocks_write(stream, bytes, lines);
    if (done < lines || (lines != 0 && !buffer_write(stream))) {
        return done;
    }
    return done + blocks_write(stream, bytes + lines, size - lines);
}

size_t fwrite(const void *restrict bytes, size_t size, size_t count, FILE *restrict stream)
{
    size_t total = size * count;
    if (total == 0) {
        return 0;
    }
    FLOCK(stream);
    size_t written = __fwritex(bytes, total, stream);
    FUNLOCK(stream);
    return written == total ? count : written / size;
}
weak_alias(fwrite, fwrite_unlocked);

int __overflow(FILE *stream, int c)
{
    unsigned char byte = (unsigned char)c;
    if ((stream->wend == NULL || stream->write == __stdout_write) && write_begin(stream) != 0) {
        return EOF;
    }
    if (byte != stream->lbf && stream->wpos != stream->wend) {
        return *stream->wpos++ = byte;
    }
    if (stream->buf_size == 0) {
        return stream->write(stream, &byte, 1) == 1 ? byte : EOF;
    }
    if (stream->wpos == stream->wend && !buffer_write(stream)) {
        return EOF;
    }
    *stream->wpos++ = byte;
    return byte != stream->lbf || buffer_write(stream) ? byte : EOF;
}
