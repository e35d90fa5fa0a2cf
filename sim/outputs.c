// SPDX-License-Identifier: BSD-3-Clause
// outputs.c: files that core writes on the host. Each has a device of its own, which serves the
// file's directory; core makes the file there when it has something to write.
#include "sim/outputs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hal-linux/dev/fs.h"

// "--OPTION=OPTION:NAME"
static const char *output_add(const char *option, const char *path)
{
    char *argument;
    const char *slash = strrchr(path, '/');
    const char *name = slash == NULL ? path : slash + 1;
    char *directory = slash == NULL   ? strdup(".")
                      : slash == path ? strdup("/")
                                      : strndup(path, (size_t)(slash - path));
    if (directory == NULL || asprintf(&argument, "--%s=%s:%s", option, option, name) < 0) {
        options_fail(EXIT_USAGE, "out of memory");
    }
    if (name[0] == 0 || strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
        options_fail(EXIT_USAGE, "--%s: '%s' is not the name of a file", option, path);
    }
    if (access(directory, W_OK | X_OK) != 0) {
        options_fail(EXIT_USAGE, "--%s: %s: %s", option, directory, strerror(errno));
    }
    int failure = fs_add_directory(option, directory, false);
    if (failure != 0) {
        options_fail(EXIT_USAGE, "--%s: %s: %s", option, directory, strerror(-failure));
    }
    free(directory);
    return argument;
}

size_t outputs_add(const struct options *options, const char **arguments)
{
    size_t count = 0;
    if (options->core != NULL) {
        arguments[count++] = output_add("core", options->core);
    }
    if (options->perf_map) {
        char path[40];
        snprintf(path, sizeof path, "/tmp/perf-%d.map", getpid());
        arguments[count++] = output_add("perf-map", path);
    }
    return count;
}
