// SPDX-License-Identifier: BSD-3-Clause
// named_semaphore.c: sem_open: a semaphore in a file of /dev/shm, where glibc has it, mapped.
//
// A new file gets its name when it is complete. Invariant: a file is mapped once, however often it
// was opened, because who waits is found by the semaphore's address.
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/libc/export.h"
#include "core/libc/memory.h"
#include "core/sync/mutex.h"
#include "core/sync/semaphore.h"

#define FOLDER "/dev/shm/"

enum { PATH_SIZE = sizeof FOLDER + NAME_MAX + 1, ATTEMPTS_MAX = 100 };

struct opened {
    struct opened *next;
    dev_t device;
    ino_t file;
    size_t count; // of sem_open
    struct semaphore *semaphore;
};

static struct mutex guard;
static struct opened *all_opened; // guarded by guard

static bool path_make(const char *name, char path[PATH_SIZE])
{
    while (*name == '/') {
        ++name;
    }
    size_t length = strlen(name);
    if (length == 0 || strchr(name, '/') != NULL || length + sizeof "sem." > NAME_MAX) {
        errno = EINVAL;
        return false;
    }
    snprintf(path, PATH_SIZE, FOLDER "sem.%s", name);
    return true;
}

// The semaphore of the open file; NULL and errno.
static struct semaphore *file_map_locked(int fd)
{
    struct stat stat;
    if (fstat(fd, &stat) != 0) {
        return NULL;
    }
    if (!S_ISREG(stat.st_mode) || stat.st_size < (off_t)sizeof(struct semaphore)) {
        errno = EINVAL;
        return NULL;
    }
    for (struct opened *opened = all_opened; opened != NULL; opened = opened->next) {
        if (opened->device == stat.st_dev && opened->file == stat.st_ino) {
            ++opened->count;
            return opened->semaphore;
        }
    }
    struct opened *opened = libc_malloc(sizeof *opened);
    void *mapped = MAP_FAILED;
    if (opened != NULL) {
        mapped = mmap(NULL, sizeof(struct semaphore), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    }
    if (mapped == MAP_FAILED) {
        libc_free(opened);
        return NULL;
    }
    *opened = (struct opened){all_opened, stat.st_dev, stat.st_ino, 1, mapped};
    all_opened = opened;
    return mapped;
}

static struct semaphore *file_map(int fd)
{
    mutex_lock(&guard);
    struct semaphore *semaphore = file_map_locked(fd);
    mutex_unlock(&guard);
    int error = errno;
    close(fd);
    errno = error;
    return semaphore;
}

// A file with a new semaphore and this name, open; -1 and errno, EEXIST where there is one already.
static int file_create(const char *path, mode_t mode, unsigned value)
{
    char draft[PATH_SIZE];
    int fd = -1;
    for (unsigned i = 0; fd < 0 && i < ATTEMPTS_MAX; ++i) {
        snprintf(draft, sizeof draft, FOLDER "sem.new%u", i);
        fd = open(draft, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, mode);
        if (fd < 0 && errno != EEXIST) {
            break;
        }
    }
    if (fd < 0) {
        return -1;
    }
    struct semaphore semaphore;
    semaphore_init(&semaphore, value);
    bool is_made =
        write(fd, &semaphore, sizeof semaphore) == sizeof semaphore && link(draft, path) == 0;
    int error = errno;
    unlink(draft);
    if (!is_made) {
        close(fd);
        errno = error;
    }
    return is_made ? fd : -1;
}

EXPORT(struct semaphore *, sem_open, const char *name, int flags, ...)
{
    char path[PATH_SIZE];
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : 0;
    unsigned value = (flags & O_CREAT) != 0 ? va_arg(arguments, unsigned) : 0;
    va_end(arguments);
    if (!path_make(name, path)) {
        return NULL;
    }
    for (;;) {
        int fd = -1;
        if ((flags & (O_CREAT | O_EXCL)) != (O_CREAT | O_EXCL)) {
            fd = open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
            if (fd < 0 && ((flags & O_CREAT) == 0 || errno != ENOENT)) {
                return NULL;
            }
        }
        if (fd < 0) {
            if (value > INT_MAX) {
                errno = EINVAL;
                return NULL;
            }
            fd = file_create(path, mode, value);
        }
        if (fd >= 0) {
            return file_map(fd);
        }
        if (errno != EEXIST || (flags & O_EXCL) != 0) {
            return NULL;
        }
    }
}

EXPORT(int, sem_close, struct semaphore *semaphore)
{
    mutex_lock(&guard);
    struct opened **place = &all_opened;
    while (*place != NULL && (*place)->semaphore != semaphore) {
        place = &(*place)->next;
    }
    struct opened *opened = *place;
    bool is_last = opened != NULL && --opened->count == 0;
    if (is_last) {
        *place = opened->next;
        munmap(semaphore, sizeof *semaphore);
        libc_free(opened);
    }
    mutex_unlock(&guard);
    if (opened == NULL) {
        errno = EINVAL;
        return -1;
    }
    return 0;
}

EXPORT(int, sem_unlink, const char *name)
{
    char path[PATH_SIZE];
    if (!path_make(name, path)) {
        errno = ENOENT;
        return -1;
    }
    if (unlink(path) == 0) {
        return 0;
    }
    errno = errno == EPERM ? EACCES : errno;
    return -1;
}
