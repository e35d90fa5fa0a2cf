// SPDX-License-Identifier: BSD-3-Clause
// argp_text.c: the lines of argp's help.
//
// Text is kept until somebody asks for the column or changes a margin, so that words can be moved
// whole. Invariant: column is where the pending text begins; -1: a line that was wrapped to the
// very left, and gets no left margin.
#include <stdarg.h>
#include <string.h>

#include "core/libc/argp.h"
#include "core/libc/memory.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static void fill(const struct argp_text *text, int count)
{
    for (int i = 0; i < count; ++i) {
        putc(' ', text->stream);
    }
}

// Writes the line's first part, up to where it is wrapped. Returns where the rest begins.
static const char *line_wrap(struct argp_text *text, const char *line, const char *end)
{
    const char *limit = line + text->right_margin - text->column; // the first that does not fit
    const char *word = limit < line ? line : limit;
    if (word >= end && end > line) {
        word = end - 1 + (limit >= end);
    }
    while (word > line && !(word < end && is_blank(*word))) {
        --word;
    }
    bool is_found = limit >= line && word < end && is_blank(*word);
    const char *stop = word;
    const char *next = word + 1;
    if (is_found) {
        while (stop > line && is_blank(stop[-1])) {
            --stop;
        }
    } else { // one word is longer than the line
        stop = limit < line ? line : limit;
        while (stop < end && !is_blank(*stop)) {
            ++stop;
        }
        next = stop;
        while (next < end && is_blank(*next)) {
            ++next;
        }
    }
    fwrite(line, 1, (size_t)(stop - line), text->stream);
    if (!is_found && stop == end) {
        text->column = 0;
        return end;
    }
    putc('\n', text->stream);
    fill(text, text->wrap_margin);
    text->column = text->wrap_margin > 0 ? text->wrap_margin : -1;
    return next;
}

void libc_text_wrap(struct argp_text *text)
{
    const char *at = text->pending;
    const char *end = at + text->size;
    while (at < end) {
        if (text->column == 0 && text->left_margin > 0) {
            fill(text, text->left_margin);
            text->column = text->left_margin;
        }
        text->column = text->column < 0 ? 0 : text->column;
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        const char *line_end = newline == NULL ? end : newline;
        if (text->column + (line_end - at) >= text->right_margin) {
            const char *next = line_wrap(text, at, line_end);
            if (next < line_end || newline == NULL || text->column != 0) {
                at = next;
                continue;
            }
            at = line_end; // one long word, which ends the line
        }
        fwrite(at, 1, (size_t)(line_end - at), text->stream);
        text->column += (int)(line_end - at);
        at = line_end;
        if (newline != NULL) {
            putc('\n', text->stream);
            text->column = 0;
            ++at;
        }
    }
    text->size = 0;
}

void libc_text_write(struct argp_text *text, const char *bytes, size_t size)
{
    if (text->size + size > text->room) {
        size_t room = 2 * text->room + size;
        char *pending = libc_realloc(text->pending, room);
        if (pending == NULL) {
            text->has_failed = true;
            return;
        }
        text->pending = pending;
        text->room = room;
    }
    if (size > 0) {
        memcpy(text->pending + text->size, bytes, size);
    }
    text->size += size;
}

void libc_text_put(struct argp_text *text, const char *string)
{
    libc_text_write(text, string, strlen(string));
}

void libc_text_print(struct argp_text *text, const char *pattern, ...)
{
    char *string;
    va_list arguments;
    va_start(arguments, pattern);
    int length = vasprintf(&string, pattern, arguments);
    va_end(arguments);
    if (length < 0) {
        text->has_failed = true;
        return;
    }
    libc_text_write(text, string, (size_t)length);
    libc_free(string);
}

static int margin_set(struct argp_text *text, int *margin, int value)
{
    int old = *margin;
    libc_text_wrap(text);
    *margin = value;
    return old;
}

int libc_text_left_set(struct argp_text *text, int margin)
{
    return margin_set(text, &text->left_margin, margin);
}

int libc_text_wrap_set(struct argp_text *text, int margin)
{
    return margin_set(text, &text->wrap_margin, margin);
}

static int column_of(struct argp_text *text)
{
    libc_text_wrap(text);
    return text->column < 0 ? 0 : text->column;
}

void libc_text_space(struct argp_text *text, size_t room)
{
    bool fits = column_of(text) + (int)room < text->right_margin;
    libc_text_write(text, fits ? " " : "\n", 1);
}

void libc_text_indent(struct argp_text *text, int column)
{
    for (int needed = column - column_of(text); needed > 0; --needed) {
        libc_text_write(text, " ", 1);
    }
}

void libc_text_end(struct argp_text *text)
{
    libc_text_wrap(text);
    libc_free(text->pending);
}
