// SPDX-License-Identifier: BSD-3-Clause
// trace.c: a system call as text: "[2] openat(-100, "/etc/passwd", 0x80000, 0) = 3".
//
// Letters of a row's arguments: d signed, u unsigned, x hexadecimal, o octal, p pointer, s string,
// b the bytes that the next argument counts.
#include "core/linux/trace.h"

#include <stdint.h>
#include <sys/syscall.h>

#include "core/lib/format.h"
#include "core/lib/string.h"
#include "core/linux/calls.h"
#include "core/linux/syscall.h"
#include "core/linux/task.h"
#include "core/linux/user.h"

enum { LINE_SIZE = 512, STRING_MAX = 64 };

struct line {
    char text[LINE_SIZE];
    size_t used;
};

__attribute__((format(printf, 2, 3))) static void add(struct line *line, const char *pattern, ...)
{
    va_list arguments;
    va_start(arguments, pattern);
    size_t length =
        format_list(line->text + line->used, LINE_SIZE - line->used, pattern, arguments);
    va_end(arguments);
    size_t room = LINE_SIZE - 1 - line->used;
    line->used += length < room ? length : room;
}

static void add_byte(struct line *line, unsigned char c)
{
    switch (c) {
    case '\n':
        add(line, "\\n");
        break;
    case '\t':
        add(line, "\\t");
        break;
    case '"':
    case '\\':
        add(line, "\\%c", c);
        break;
    default:
        if (c < ' ' || c > '~') {
            add(line, "\\%o", c);
        } else {
            add(line, "%c", c);
        }
        break;
    }
}

// size SIZE_MAX: up to the NUL.
static void add_string(struct line *line, const char *user, size_t size)
{
    char text[STRING_MAX + 1] = {0};
    size_t wanted = size < STRING_MAX ? size : STRING_MAX;
    for (size_t i = 0; i < wanted; ++i) {
        if (user_read(&text[i], user + i, 1) != 0) {
            add(line, "%p", (const void *)user);
            return;
        }
        if (size == SIZE_MAX && text[i] == 0) {
            wanted = i;
        }
    }
    add(line, "\"");
    for (size_t i = 0; i < wanted; ++i) {
        add_byte(line, (unsigned char)text[i]);
    }
    add(line, wanted == STRING_MAX ? "\"..." : "\"");
}

static void add_argument(struct line *line, char letter, const long *argument)
{
    switch (letter) {
    case 'd':
        add(line, "%d", (int)argument[0]);
        break;
    case 'u':
        add(line, "%lu", (unsigned long)argument[0]);
        break;
    case 'o':
        add(line, "0%lo", (unsigned long)argument[0]);
        break;
    case 's':
        add_string(line, (const char *)argument[0], SIZE_MAX);
        break;
    case 'b':
        add_string(line, (const char *)argument[0], (size_t)argument[1]);
        break;
    default:
        add(line, "0x%lx", (unsigned long)argument[0]);
        break;
    }
}

static void line_start(struct line *line, long number, const long arguments[6])
{
    const struct linux_row *row = syscall_row(number);
    line->used = 0;
    if (row == NULL) {
        add(line, "[%d] syscall_%ld(0x%lx, 0x%lx, 0x%lx)", task_self()->id, number, arguments[0],
            arguments[1], arguments[2]);
        return;
    }
    add(line, "[%d] %s(", task_self()->id, row->name);
    for (int i = 0; row->arguments[i] != 0; ++i) {
        add(line, i == 0 ? "" : ", ");
        add_argument(line, row->arguments[i], &arguments[i]);
    }
    add(line, ")");
}

void trace_enter(long number, const long arguments[6])
{
    if (number == SYS_exit || number == SYS_exit_group) {
        struct line line;
        line_start(&line, number, arguments);
        console_print("%s\n", line.text);
    }
}

void trace_leave(long number, const long arguments[6], long result)
{
    struct line line;
    line_start(&line, number, arguments);
    if (result < 0 && result > -4096) {
        add(&line, " = -1 (errno %ld)", -result);
    } else if (result > 0xffffffff) {
        add(&line, " = 0x%lx", (unsigned long)result);
    } else {
        add(&line, " = %ld", result);
    }
    console_print("%s\n", line.text);
}
