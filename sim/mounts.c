// SPDX-License-Identifier: BSD-3-Clause
// mounts.c: what the program sees of the host's files.
//
// Later mounts lie on earlier ones: the system's directories, the program's own, the current one,
// then the user's in their order. A directory that one before shows in the same way anyway is left
// out.
#include "sim/mounts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "hal-linux/dev/fs.h"

struct mounts {
    const char **arguments;
    size_t count;
};

static char *shown[MOUNTS_MAX]; // where they are mounted
static size_t shown_count;

static bool is_directory(const char *path)
{
    struct stat file;
    return stat(path, &file) == 0 && S_ISDIR(file.st_mode);
}

// True where path is directory, or below it.
static bool is_within(const char *path, const char *directory)
{
    size_t size = strlen(directory);
    return strncmp(path, directory, size) == 0 && (path[size] == 0 || path[size] == '/');
}

static void mount_add(struct mounts *mounts, const char *host, const char *guest, bool read_only)
{
    char tag[16];
    char *argument;
    snprintf(tag, sizeof tag, "fs%zu", mounts->count);
    int failure = fs_add_directory(tag, host, read_only);
    shown[shown_count] = strdup(guest); // the caller's goes
    if (failure == 0 &&
        (shown[shown_count] == NULL || asprintf(&argument, "--mount=virtiofs:%s:%s:%s", tag, guest,
                                                read_only ? "ro" : "rw") < 0)) {
        failure = -ENOMEM;
    }
    if (failure != 0) {
        options_fail(EXIT_USAGE, "cannot mount %s: %s", host, strerror(-failure));
    }
    mounts->arguments[mounts->count++] = argument;
    ++shown_count;
}

static const char *const system_directories[] = {"/usr",   "/etc", "/lib", "/lib32",
                                                 "/lib64", "/bin", "/sbin"};

static bool is_system(const char *path)
{
    for (size_t i = 0; i < sizeof system_directories / sizeof system_directories[0]; ++i) {
        if (is_within(path, system_directories[i])) {
            return true;
        }
    }
    return false;
}

// The whole of the host's root, /dev or /proc is not shown: the program has its own. Memory below
// /dev/shm is files like any other.
static bool is_own(const char *path)
{
    return path[0] == 0 || strcmp(path, "/") == 0 || is_within(path, "/proc") ||
           (is_within(path, "/dev") && !is_within(path, "/dev/shm"));
}

size_t mounts_add(const struct options *options, const char *path, const char *cwd,
                  const char *arguments[MOUNTS_MAX])
{
    struct mounts mounts = {arguments, 0};
    for (size_t i = 0; i < sizeof system_directories / sizeof system_directories[0]; ++i) {
        if (is_directory(system_directories[i])) {
            mount_add(&mounts, system_directories[i], system_directories[i], true);
        }
    }
    char *directory = strndup(path, (size_t)(strrchr(path, '/') - path));
    bool shows_cwd = !is_own(cwd);
    if (!is_own(directory) && !is_system(directory) && !(shows_cwd && is_within(directory, cwd))) {
        mount_add(&mounts, directory, directory, true);
    }
    if (shows_cwd) {
        mount_add(&mounts, cwd, cwd, false);
    }
    for (size_t i = 0; i < options->mount_count; ++i) {
        const struct options_mount *mount = &options->mounts[i];
        if (!is_directory(mount->host)) {
            options_fail(EXIT_USAGE, "--mount: %s: not a directory", mount->host);
        }
        mount_add(&mounts, mount->host, mount->guest, mount->read_only);
    }
    free(directory);
    return mounts.count;
}

static bool is_shown(const char *path)
{
    for (size_t i = 0; i < shown_count; ++i) {
        if (is_within(path, shown[i])) {
            return true;
        }
    }
    return false;
}

void mounts_explain(char *const *arguments)
{
    for (size_t i = 1; arguments[0] != NULL && arguments[i] != NULL; ++i) {
        const char *value = arguments[i][0] == '-' ? strchr(arguments[i], '=') : NULL;
        const char *path = value != NULL ? value + 1 : arguments[i];
        struct stat file;
        if (path[0] != '/' || is_own(path) || is_shown(path) || stat(path, &file) != 0) {
            continue;
        }
        const char *slash = strrchr(path, '/');
        int size = S_ISDIR(file.st_mode) || slash == path ? (int)strlen(path) : (int)(slash - path);
        fprintf(stderr,
                "osv-sim: the program does not see the host's %s; --mount=%.*s:%.*s shows it\n",
                path, size, path, size, path);
    }
}
