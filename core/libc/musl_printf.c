// SPDX-License-Identifier: BSD-3-Clause
// musl_printf.c: where printf's text goes: streams, strings, memory, descriptors.
//
// A stream with a buffer is written in place; one without gets the whole in one write, as long as
// it is not longer than glibc's own buffer for this.
#include "core/libc/print.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "core/libc/format.h"
#include "stdio_impl.h"

wint_t __fputwc_unlocked(wchar_t c, FILE *stream);

enum { BLOCK = 1024, UNBUFFERED_BLOCK = 8192, SCRATCH = 64, MEMORY_FIRST = 256 };

static void sink_restart(struct format_sink *sink, void *start, void *end)
{
    sink->drained += sink->place - sink->start;
    sink->start = sink->place = start;
    sink->end = end;
}

// --- streams
// --------------------------------------------------------------------------------------

static bool stream_drain(struct format_sink *sink)
{
    FILE *stream = sink->target;
    stream->wpos = (unsigned char *)sink->place;
    stream->write(stream, NULL, 0);
    sink_restart(sink, stream->wpos, stream->wend);
    return stream->wpos != NULL;
}

static int buffered_print(FILE *stream, const char *pattern, va_list arguments, int options)
{
    struct format_sink sink = {
        .start = (char *)stream->wpos,
        .place = (char *)stream->wpos,
        .end = (char *)stream->wend,
        .drain = stream_drain,
        .target = stream,
    };
    int length = format_print(&sink, pattern, arguments, options);
    if (sink.place != NULL) {
        stream->wpos = (unsigned char *)sink.place;
    }
    return length;
}

static bool block_drain(struct format_sink *sink)
{
    size_t size = (size_t)(sink->place - sink->start);
    size_t written = __fwritex((unsigned char *)sink->start, size, sink->target);
    sink_restart(sink, sink->start, sink->end);
    return written == size;
}

static int block_print(FILE *stream, const char *pattern, va_list arguments, int options,
                       char *block, size_t size)
{
    struct format_sink sink = {
        .start = block,
        .place = block,
        .end = block + size,
        .drain = block_drain,
        .target = stream,
    };
    int length = format_print(&sink, pattern, arguments, options);
    if (sink.place != sink.start && !block_drain(&sink)) {
        return -1;
    }
    return length;
}

static __attribute__((noinline)) int line_print(FILE *stream, const char *pattern,
                                                va_list arguments, int options)
{
    char block[BLOCK];
    return block_print(stream, pattern, arguments, options, block, sizeof block);
}

static __attribute__((noinline)) int unbuffered_print(FILE *stream, const char *pattern,
                                                      va_list arguments, int options)
{
    char block[UNBUFFERED_BLOCK];
    return block_print(stream, pattern, arguments, options, block, sizeof block);
}

int libc_vfprintf(FILE *stream, const char *pattern, va_list arguments, int options)
{
    int length = -1;
    FLOCK(stream);
    if (stream->mode > 0) {
        length = -1; // a stream of wide characters
    } else if (stream->wend == NULL && __towrite(stream) != 0) {
        errno = EBADF;
    } else if (stream->buf_size == 0) {
        length = unbuffered_print(stream, pattern, arguments, options);
    } else if (stream->lbf >= 0) {
        length = line_print(stream, pattern, arguments, options);
    } else {
        length = buffered_print(stream, pattern, arguments, options);
    }
    stream->mode |= stream->mode - 1;
    FUNLOCK(stream);
    return length;
}

int vfprintf(FILE *restrict stream, const char *restrict pattern, va_list arguments)
{
    return libc_vfprintf(stream, pattern, arguments, 0);
}

static bool wide_drain(struct format_sink *sink)
{
    bool is_written = true;
    for (char *place = sink->start; place != sink->place && is_written; place += sizeof(wchar_t)) {
        is_written = __fputwc_unlocked(*(wchar_t *)place, sink->target) != WEOF;
    }
    sink_restart(sink, sink->start, sink->end);
    return is_written;
}

int libc_vfwprintf(FILE *stream, const wchar_t *pattern, va_list arguments, int options)
{
    enum { WIDE_BLOCK = 128 };
    wchar_t block[WIDE_BLOCK];
    struct format_sink sink = {
        .start = (char *)block,
        .place = (char *)block,
        .end = (char *)(block + WIDE_BLOCK),
        .is_wide = true,
        .drain = wide_drain,
        .target = stream,
    };
    int length = -1;
    FLOCK(stream);
    if (fwide(stream, 1) > 0) {
        length = format_print(&sink, pattern, arguments, options);
        if (sink.place != sink.start && !wide_drain(&sink)) {
            length = -1;
        }
    }
    FUNLOCK(stream);
    return length;
}

int vfwprintf(FILE *restrict stream, const wchar_t *restrict pattern, va_list arguments)
{
    return libc_vfwprintf(stream, pattern, arguments, 0);
}

// --- strings
// --------------------------------------------------------------------------------------

// What does not fit is counted only.
static bool scratch_drain(struct format_sink *sink)
{
    sink_restart(sink, sink->target, (char *)sink->target + SCRATCH);
    return true;
}

int libc_vsnprintf(char *text, size_t size, const char *pattern, va_list arguments, int options)
{
    char scratch[SCRATCH];
    size_t room = size == 0 ? 0 : size - 1;
    if (room > UINTPTR_MAX - (uintptr_t)text) {
        room = UINTPTR_MAX - (uintptr_t)text;
    }
    struct format_sink sink = {
        .start = text,
        .place = text,
        .end = text + room,
        .drain = scratch_drain,
        .target = scratch,
    };
    int length = format_print(&sink, pattern, arguments, options);
    if (size != 0) {
        *(sink.start == scratch ? text + room : sink.place) = 0;
    }
    return length;
}

int vsnprintf(char *restrict text, size_t size, const char *restrict pattern, va_list arguments)
{
    return libc_vsnprintf(text, size, pattern, arguments, 0);
}

int vsprintf(char *restrict text, const char *restrict pattern, va_list arguments)
{
    return libc_vsnprintf(text, (size_t)INT_MAX + 1, pattern, arguments, 0);
}

static bool never_drain(struct format_sink *sink)
{
    (void)sink;
    return false;
}

int libc_vswprintf(wchar_t *text, size_t size, const wchar_t *pattern, va_list arguments,
                   int options)
{
    if (size == 0) {
        return -1;
    }
    struct format_sink sink = {
        .start = (char *)text,
        .place = (char *)text,
        .end = (char *)(text + size - 1),
        .is_wide = true,
        .drain = never_drain,
    };
    int length = format_print(&sink, pattern, arguments, options);
    *(wchar_t *)sink.place = 0;
    return length;
}

int vswprintf(wchar_t *restrict text, size_t size, const wchar_t *restrict pattern,
              va_list arguments)
{
    return libc_vswprintf(text, size, pattern, arguments, 0);
}

// --- memory and descriptors
// -------------------------------------------------------------------------

// The text stays in one piece: drained is 0 for ever.
static bool memory_drain(struct format_sink *sink)
{
    size_t size = (size_t)(sink->place - sink->start);
    char **memory = sink->target;
    char *larger = realloc(*memory, 2 * size);
    if (larger == NULL) {
        return false;
    }
    if (*memory == NULL) {
        memcpy(larger, sink->start, size);
    }
    *memory = sink->start = larger;
    sink->place = larger + size;
    sink->end = larger + 2 * size;
    return true;
}

int libc_vasprintf(char **text, const char *pattern, va_list arguments, int options)
{
    char first[MEMORY_FIRST];
    char *memory = NULL;
    struct format_sink sink = {
        .start = first,
        .place = first,
        .end = first + sizeof first,
        .drain = memory_drain,
        .target = &memory,
    };
    int length = format_print(&sink, pattern, arguments, options);
    if (length < 0) {
        free(memory);
        return -1;
    }
    char *result = realloc(memory, (size_t)length + 1);
    if (result == NULL) {
        free(memory);
        return -1;
    }
    if (memory == NULL) {
        memcpy(result, first, (size_t)length);
    }
    result[length] = 0;
    *text = result;
    return length;
}

int vasprintf(char **text, const char *pattern, va_list arguments)
{
    return libc_vasprintf(text, pattern, arguments, 0);
}

static bool descriptor_drain(struct format_sink *sink)
{
    const char *place = sink->start;
    while (place != sink->place) {
        long written = syscall(SYS_write, *(int *)sink->target, place, sink->place - place);
        if (written < 0) {
            return false;
        }
        place += written;
    }
    sink_restart(sink, sink->start, sink->end);
    return true;
}

int libc_vdprintf(int fd, const char *pattern, va_list arguments, int options)
{
    char block[BLOCK];
    struct format_sink sink = {
        .start = block,
        .place = block,
        .end = block + sizeof block,
        .drain = descriptor_drain,
        .target = &fd,
    };
    int length = format_print(&sink, pattern, arguments, options);
    return sink.place != sink.start && !descriptor_drain(&sink) ? -1 : length;
}

int vdprintf(int fd, const char *restrict pattern, va_list arguments)
{
    return libc_vdprintf(fd, pattern, arguments, 0);
}
