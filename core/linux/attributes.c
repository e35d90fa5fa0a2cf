// SPDX-License-Identifier: BSD-3-Clause
// attributes.c: extended attributes: no file system here has any, and says so as Linux's do. What
// is wrong with a call beyond that is told first.
#include <fcntl.h>

#include "core/lib/errno.h"
#include "core/lib/string.h"
#include "core/linux/calls.h"
#include "core/linux/user.h"
#include "core/vfs/fdtable.h"
#include "core/vfs/vfs.h"

enum { NAME_MAX_LENGTH = 255, VALUE_MAX = 65536, SET_FLAGS = 3 };

static int path_check(const char *user, unsigned flags)
{
    char path[USER_PATH_MAX];
    int error = user_read_path(path, user);
    return error != 0 ? error : vfs_access(NULL, path, 0, flags);
}

static int fd_check(int fd)
{
    struct file *file;
    int error = fd_get(fd, &file);
    if (error == 0) {
        error = (atomic_load(&file->flags) & OPEN_PATH) != 0 ? -EBADF : 0;
        file_put(file);
    }
    return error;
}

static int name_check(const char *user)
{
    char name[USER_PATH_MAX];
    int error = user_read_path(name, user);
    size_t length = error == 0 ? strnlen(name, sizeof name) : 0;
    if (error == -ENAMETOOLONG || (error == 0 && (length == 0 || length > NAME_MAX_LENGTH))) {
        return -ERANGE;
    }
    return error;
}

static long refuse(int error, const char *name)
{
    error = error != 0 ? error : name_check(name);
    return error != 0 ? error : -EOPNOTSUPP;
}

static int value_check(size_t size, int flags)
{
    return (flags & ~SET_FLAGS) != 0 ? -EINVAL : size > VALUE_MAX ? -E2BIG : 0;
}

long linux_setxattr(const char *path, const char *name, const void *value, size_t size, int flags)
{
    (void)value;
    int error = path_check(path, 0);
    return refuse(error != 0 ? error : value_check(size, flags), name);
}

long linux_lsetxattr(const char *path, const char *name, const void *value, size_t size, int flags)
{
    (void)value;
    int error = path_check(path, VFS_NO_FOLLOW);
    return refuse(error != 0 ? error : value_check(size, flags), name);
}

long linux_fsetxattr(int fd, const char *name, const void *value, size_t size, int flags)
{
    (void)value;
    int error = fd_check(fd);
    return refuse(error != 0 ? error : value_check(size, flags), name);
}

// getxattr and removexattr.
long linux_attribute_refuse(const char *path, const char *name)
{
    return refuse(path_check(path, 0), name);
}

long linux_attribute_refuse_link(const char *path, const char *name)
{
    return refuse(path_check(path, VFS_NO_FOLLOW), name);
}

long linux_attribute_refuse_fd(int fd, const char *name)
{
    return refuse(fd_check(fd), name);
}

// An empty list.
long linux_listxattr(const char *path)
{
    return path_check(path, 0);
}

long linux_llistxattr(const char *path)
{
    return path_check(path, VFS_NO_FOLLOW);
}

long linux_flistxattr(int fd)
{
    return fd_check(fd);
}
