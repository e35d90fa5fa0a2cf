// SPDX-License-Identifier: BSD-3-Clause
// script.c: "#!interpreter [argument]": at most one argument, at most 255 bytes, at most 4 deep, as
// Linux has it.
#include "core/boot/script.h"

#include <stdbool.h>
#include <stddef.h>

#include "core/lib/errno.h"
#include "core/lib/string.h"
#include "core/mem/heap.h"
#include "core/vfs/vfs.h"

enum { LINE_MAX = 256, DEPTH_MAX = 4 };

static bool is_shared_object(const char *path)
{
    size_t size = strlen(path);
    return size > 3 && strcmp(path + size - 3, ".so") == 0;
}

// The line is empty where the file is. A shared object needs no permission to execute: it is loaded
// as a library is.
static int line_read(const char *path, char line[LINE_MAX])
{
    struct file *file;
    size_t length = 0;
    int error = is_shared_object(path) ? 0 : vfs_access(NULL, path, 1, 0);
    error = error != 0 ? error : vfs_open(NULL, path, OPEN_READ_ONLY, 0, &file);
    if (error != 0) {
        return error;
    }
    error = file_read_at(file, 0, line, LINE_MAX - 1, &length);
    file_put(file);
    line[length] = 0;
    return error;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

// Cuts the line into interpreter and argument (NULL: none).
static int line_split(char *line, char **interpreter, char **argument)
{
    char *end = strchr(line, '\n');
    if (end == NULL) {
        end = line + strlen(line);
    }
    while (end > line && is_blank(end[-1])) {
        --end;
    }
    *end = 0;
    char *p = line + 2;
    while (is_blank(*p)) {
        ++p;
    }
    *interpreter = p;
    while (*p != 0 && !is_blank(*p)) {
        ++p;
    }
    *argument = NULL;
    if (*p != 0) {
        *p++ = 0;
        while (is_blank(*p)) {
            ++p;
        }
        *argument = *p == 0 ? NULL : p;
    }
    return **interpreter == 0 ? -ENOEXEC : 0;
}

static const char *copy_of(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = heap_alloc(size);
    return copy == NULL ? NULL : memcpy(copy, text, size);
}

// interpreter [argument] script arguments...
static int arguments_replace(struct process_options *process, const char *interpreter,
                             const char *argument)
{
    size_t count = 0;
    while (process->arguments[count] != NULL) {
        ++count;
    }
    const char **all = heap_alloc((count + 4) * sizeof *all);
    if (all == NULL || (interpreter = copy_of(interpreter)) == NULL ||
        (argument != NULL && (argument = copy_of(argument)) == NULL)) {
        return -ENOMEM;
    }
    size_t used = 0;
    all[used++] = interpreter;
    if (argument != NULL) {
        all[used++] = argument;
    }
    all[used++] = process->executable;
    for (size_t i = 1; i < count; ++i) {
        all[used++] = process->arguments[i];
    }
    all[used] = NULL;
    process->arguments = all;
    process->executable = interpreter;
    return 0;
}

int script_resolve(struct process_options *process)
{
    for (int depth = 0; depth <= DEPTH_MAX; ++depth) {
        char line[LINE_MAX];
        char *interpreter;
        char *argument;
        int error = line_read(process->executable, line);
        if (error != 0 || line[0] != '#' || line[1] != '!') {
            return error;
        }
        error = line_split(line, &interpreter, &argument);
        if (error != 0 || (error = arguments_replace(process, interpreter, argument)) != 0) {
            return error;
        }
    }
    return -ELOOP;
}
