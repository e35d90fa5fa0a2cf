// SPDX-License-Identifier: BSD-3-Clause
// program.c: finds the program's file on the host. What is in it is core's to judge.
#include "sim/program.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sim/options.h"

static bool is_shared_object(const char *path)
{
    size_t size = strlen(path);
    return size > 3 && strcmp(path + size - 3, ".so") == 0;
}

// 0: path is a file that may be run; or what is against it. A shared object needs no permission to
// execute: it is loaded as a library is.
static int file_check(const char *path)
{
    struct stat file;
    if (stat(path, &file) != 0) {
        return errno;
    }
    if (S_ISDIR(file.st_mode)) {
        return EISDIR;
    }
    if (!S_ISREG(file.st_mode) || access(path, is_shared_object(path) ? R_OK : R_OK | X_OK) != 0) {
        return EACCES;
    }
    return 0;
}

// The first file that may be run in a directory of PATH, in found; an empty entry is the current
// directory. False: there is none.
static bool path_search(const char *name, char *found)
{
    const char *entry = getenv("PATH");
    entry = entry == NULL ? "/usr/local/bin:/usr/bin:/bin" : entry;
    for (;;) {
        size_t size = strcspn(entry, ":");
        int length =
            snprintf(found, PATH_MAX, "%.*s%s%s", (int)size, entry, size == 0 ? "" : "/", name);
        if (length < PATH_MAX && file_check(found) == 0) {
            return true;
        }
        if (entry[size] == 0) {
            return false;
        }
        entry += size + 1;
    }
}

char *program_find(const char *name)
{
    char found[PATH_MAX];
    const char *path = name;
    bool plain = strchr(name, '/') == NULL;
    if (name[0] == 0) {
        options_fail(EXIT_NOT_FOUND, "'': no such file or directory");
    }
    if (plain && path_search(name, found)) {
        path = found;
    }
    int failure = file_check(path);
    if (failure == ENOENT || failure == ENOTDIR) {
        options_fail(EXIT_NOT_FOUND, "%s: %s", name,
                     plain ? "not found in PATH, nor here" : "no such file or directory");
    }
    if (failure == EISDIR) {
        options_fail(EXIT_NOT_EXECUTABLE, "%s: is a directory", name);
    }
    char *real = failure == 0 ? realpath(path, NULL) : NULL;
    if (real == NULL) {
        options_fail(EXIT_NOT_EXECUTABLE, "%s: %s", name, strerror(failure != 0 ? failure : errno));
    }
    return real;
}
