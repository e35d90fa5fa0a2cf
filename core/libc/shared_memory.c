// SPDX-License-Identifier: BSD-3-Clause
// shared_memory.c: shm_open and shm_unlink with glibc's names, flags and errors: musl's refuse
// other names, say so otherwise, and open without blocking.
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/libc/export.h"

// glibc leaves room for the names of semaphores, too: a name that is a little too long for a file
// is refused by the file system.
enum { PATH_SIZE = sizeof "/dev/shm/" + sizeof "sem." - 1 + NAME_MAX };

// Slashes before it do not count, and it has no others.
static bool path_make(const char *name, char path[PATH_SIZE])
{
    name += strspn(name, "/");
    size_t length = strlen(name);
    if (length == 0 || length > PATH_SIZE - sizeof "/dev/shm/" || strchr(name, '/') != NULL) {
        return false;
    }
    (void)snprintf(path, PATH_SIZE, "/dev/shm/%s", name);
    return true;
}

EXPORT(int, shm_open, const char *name, int flags, mode_t mode)
{
    char path[PATH_SIZE];
    if (!path_make(name, path)) {
        errno = EINVAL;
        return -1;
    }
    int state;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
    int fd = open(path, flags | O_NOFOLLOW | O_CLOEXEC, mode);
    if (fd < 0 && errno == EISDIR) {
        errno = EINVAL; // a name that cannot be one
    }
    pthread_setcancelstate(state, NULL);
    return fd;
}

EXPORT(int, shm_unlink, const char *name)
{
    char path[PATH_SIZE];
    if (!path_make(name, path)) {
        errno = ENOENT;
        return -1;
    }
    int result = unlink(path);
    if (result < 0 && errno == EPERM) {
        errno = EACCES; // as POSIX has it
    }
    return result;
}
