// SPDX-License-Identifier: BSD-3-Clause
// figures.h: for programs that look at what /proc and /sys say, and print a line for each promise:
// what, and 1 where it is kept.
#ifndef TESTS_SYSTEM_FIGURES_H
#define TESTS_SYSTEM_FIGURES_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static inline void promise(const char *what, int is_so)
{
    printf("%s %d\n", what, is_so != 0);
    fflush(stdout);
}

// All of a file, until the next call; "": there is none. One thread.
static inline char *text_of(const char *path)
{
    static char text[1 << 20];
    int fd = open(path, O_RDONLY);
    size_t length = 0;
    ssize_t got;
    while (fd >= 0 && (got = read(fd, text + length, sizeof text - 1 - length)) > 0) {
        length += (size_t)got;
    }
    text[length] = 0;
    close(fd);
    return text;
}

// The number behind the first name in text; -1: it is not there.
static inline long number_behind(const char *text, const char *name)
{
    const char *found = strstr(text, name);
    return found == NULL ? -1 : strtol(found + strlen(name), NULL, 10);
}

// The number behind "name:" or "name " at the start of a line of a file; -1: there is none. Any
// thread.
static inline long figure(const char *path, const char *name)
{
    char line[256];
    const size_t length = strlen(name);
    long found = -1;
    FILE *file = fopen(path, "r");
    while (file != NULL && found < 0 && fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, name, length) == 0 && (line[length] == ':' || line[length] == ' ')) {
            found = strtol(line + length + 1, NULL, 10);
        }
    }
    if (file != NULL) {
        fclose(file);
    }
    return found;
}

#endif
