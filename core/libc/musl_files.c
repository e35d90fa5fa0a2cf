// SPDX-License-Identifier: BSD-3-Clause
// musl_files.c: calls on files that glibc has and musl has not.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "syscall.h"

ssize_t preadv2(int fd, const struct iovec *vectors, int count, off_t offset, int flags);
ssize_t pwritev2(int fd, const struct iovec *vectors, int count, off_t offset, int flags);
ssize_t getdirentries(int fd, char *buffer, size_t size, off_t *base);
int scandirat(int base, const char *path, struct dirent ***names,
              int (*wanted)(const struct dirent *),
              int (*compare)(const struct dirent **, const struct dirent **));
char *getwd(char *path);
int isfdtype(int fd, int type);
int group_member(gid_t group);

// The kernel's struct stat is the program's: it is written where the program says, or not at all.
int fstatat(int fd, const char *restrict path, struct stat *restrict status, int flags)
{
    return flags == AT_EMPTY_PATH && fd >= 0 && path[0] == 0
               ? syscall(SYS_fstat, fd, status)
               : syscall(SYS_fstatat, fd, path, status, flags);
}
weak_alias(fstatat, fstatat64);
weak_alias(fstatat, __fstatat);

int fchmod(int fd, mode_t mode)
{
    return syscall(SYS_fchmod, fd, mode);
}

int fchown(int fd, uid_t user, gid_t group)
{
    return syscall(SYS_fchown, fd, user, group);
}

int __dup3(int fd, int target, int flags)
{
    return syscall(SYS_dup3, fd, target, flags);
}
weak_alias(__dup3, dup3);

ssize_t preadv2(int fd, const struct iovec *vectors, int count, off_t offset, int flags)
{
    return syscall_cp(SYS_preadv2, fd, vectors, count, offset, 0, flags);
}

ssize_t pwritev2(int fd, const struct iovec *vectors, int count, off_t offset, int flags)
{
    return syscall_cp(SYS_pwritev2, fd, vectors, count, offset, 0, flags);
}

ssize_t getdirentries(int fd, char *buffer, size_t size, off_t *base)
{
    off_t before = lseek(fd, 0, SEEK_CUR);
    ssize_t got = before < 0 ? -1 : syscall(SYS_getdents64, fd, buffer, size);
    if (got >= 0) {
        *base = before;
    }
    return got;
}

// A directory that is open already is read by the name that /proc has for it.
int scandirat(int base, const char *path, struct dirent ***names,
              int (*wanted)(const struct dirent *),
              int (*compare)(const struct dirent **, const struct dirent **))
{
    char name[sizeof "/proc/self/fd/" + 10];
    int fd = openat(base, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return -1;
    }
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    int count = scandir(name, names, wanted, compare);
    int error = errno;
    close(fd);
    errno = error;
    return count;
}

char *getwd(char *path)
{
    return getcwd(path, PATH_MAX);
}

int isfdtype(int fd, int type)
{
    struct stat status;
    return fstat(fd, &status) != 0 ? -1 : (int)(status.st_mode & S_IFMT) == type;
}

int group_member(gid_t group)
{
    int count = getgroups(0, NULL);
    gid_t *groups = count > 0 ? malloc((size_t)count * sizeof *groups) : NULL;
    int is_member = 0;
    count = groups == NULL ? 0 : getgroups(count, groups);
    for (int i = 0; i < count; ++i) {
        is_member |= groups[i] == group;
    }
    free(groups);
    return is_member;
}
