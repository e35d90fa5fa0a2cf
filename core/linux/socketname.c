// SPDX-License-Identifier: BSD-3-Clause
// socketname.c: system calls that make sockets, name them and bring them together: those of
// unix(7).
#include "core/linux/socketname.h"

#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "core/lib/errno.h"
#include "core/lib/string.h"
#include "core/linux/calls.h"
#include "core/linux/user.h"
#include "core/vfs/fdtable.h"
#include "core/vfs/vfs.h"
#include "core/vfs/vnode.h"

_Static_assert(sizeof(((struct sockaddr_un *)0)->sun_path) == LOCALSOCKET_NAME_MAX, "sun_path");

enum { PATH_OFFSET = offsetof(struct sockaddr_un, sun_path) };

int socket_get(int fd, struct file **file)
{
    int error = fd_get(fd, file);
    if (error == 0 && !file_is_localsocket(*file)) {
        file_put(*file);
        error = -ENOTSOCK;
    }
    return error;
}

// ---- Addresses -----------------------------------------------------------

// The bytes of the name; those of a path end with a zero, which counts. Without its node.
static int bytes_read(struct localsocket_name *name, char path[LOCALSOCKET_NAME_MAX + 1],
                      const void *user, uint32_t size)
{
    struct sockaddr_un address = {0};
    name->vnode = NULL;
    name->size = 0;
    if (size <= PATH_OFFSET || size > sizeof address) {
        return -EINVAL;
    }
    int error = user_read(&address, user, size);
    if (error != 0) {
        return error;
    }
    if (address.sun_family != AF_UNIX) {
        return -EINVAL;
    }
    const size_t length = size - PATH_OFFSET;
    path[0] = 0;
    memcpy(name->bytes, address.sun_path, length);
    name->size = length;
    if (name->bytes[0] != 0) {
        const size_t end = strnlen(name->bytes, length);
        memcpy(path, name->bytes, end);
        path[end] = 0;
        name->size = end < LOCALSOCKET_NAME_MAX ? end + 1 : end;
        memcpy(name->bytes, path, name->size);
    }
    return 0;
}

int socketname_read(struct localsocket_name *name, const void *user, uint32_t size)
{
    char path[LOCALSOCKET_NAME_MAX + 1];
    int error = bytes_read(name, path, user, size);
    return error != 0 || path[0] == 0 ? error : vfs_find_socket(path, &name->vnode);
}

void socketname_put(struct localsocket_name *name)
{
    vnode_put(name->vnode);
    name->vnode = NULL;
}

int socketname_write(const struct localsocket_name *name, bool is_family, void *user,
                     uint32_t *user_size)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const bool is_named = name->size > 0;
    const uint32_t length = is_named    ? (uint32_t)(PATH_OFFSET + name->size)
                            : is_family ? PATH_OFFSET
                                        : 0;
    uint32_t room;
    memcpy(address.sun_path, name->bytes, name->size);
    int error = user_read(&room, user_size, sizeof room);
    if (error != 0 || (int32_t)room < 0) {
        return error != 0 ? error : -EINVAL;
    }
    error = user_write(user, &address, room < length ? room : length);
    return error != 0 ? error : user_write(user_size, &length, sizeof length);
}

// ---- Making --------------------------------------------------------------

static int fds_install(struct file *ends[2], int fds[2], bool close_on_exec)
{
    fds[0] = fd_install(ends[0], 0, close_on_exec);
    if (fds[0] < 0) {
        file_put(ends[0]);
        file_put(ends[1]);
        return fds[0];
    }
    fds[1] = fd_install(ends[1], 0, close_on_exec);
    if (fds[1] < 0) {
        file_put(ends[1]);
        (void)fd_close(fds[0]);
        return fds[1];
    }
    return 0;
}

// What socket and socketpair take alike. Answers the type, or -errno.
static int type_check(int domain, int type, int protocol)
{
    if (type < 0 || type > SOCK_PACKET) {
        return -EINVAL;
    }
    if (domain != AF_UNIX) {
        return -EAFNOSUPPORT;
    }
    if (protocol != 0 && protocol != AF_UNIX) {
        return -EPROTONOSUPPORT;
    }
    type = type == SOCK_RAW ? SOCK_DGRAM : type;
    const bool is_known = type == SOCK_STREAM || type == SOCK_DGRAM || type == SOCK_SEQPACKET;
    return is_known ? type : -ESOCKTNOSUPPORT;
}

long linux_socketpair(int domain, int kind, int protocol, int *user)
{
    const int flags = kind & (SOCK_NONBLOCK | SOCK_CLOEXEC);
    const int type = type_check(domain, kind & ~(SOCK_NONBLOCK | SOCK_CLOEXEC), protocol);
    if (type < 0) {
        const bool is_other = type == -EAFNOSUPPORT && (domain == AF_INET || domain == AF_INET6);
        return is_other ? -EOPNOTSUPP : type;
    }
    struct file *ends[2];
    int fds[2];
    int error = localsocket_pair(ends, (enum localsocket_type)type, (uint32_t)flags);
    error = error != 0 ? error : fds_install(ends, fds, (flags & SOCK_CLOEXEC) != 0);
    if (error == 0 && (error = user_write(user, fds, sizeof fds)) != 0) {
        (void)fd_close(fds[0]);
        (void)fd_close(fds[1]);
    }
    return error;
}

static long socket_install(struct file *file, int flags)
{
    const int fd = fd_install(file, 0, (flags & SOCK_CLOEXEC) != 0);
    if (fd < 0) {
        file_put(file);
    }
    return fd;
}

long linux_socket(int domain, int kind, int protocol)
{
    const int flags = kind & (SOCK_NONBLOCK | SOCK_CLOEXEC);
    const int type = type_check(domain, kind & ~(SOCK_NONBLOCK | SOCK_CLOEXEC), protocol);
    struct file *file;
    int error =
        type < 0 ? type : localsocket_create(&file, (enum localsocket_type)type, (uint32_t)flags);
    return error != 0 ? error : socket_install(file, flags);
}

// ---- Names ---------------------------------------------------------------

// Makes a node for the name, and takes it away again where the socket cannot have it.
static int path_bind(struct file *file, struct localsocket_name *name, const char *path)
{
    struct localsocket_name before;
    localsocket_name_of(file, &before);
    if (before.size > 0) {
        return -EINVAL;
    }
    int error = vfs_make_socket(path, 0777, &name->vnode);
    if (error != 0) {
        return error;
    }
    error = localsocket_bind(file, name);
    if (error != 0) {
        int ignored = vfs_remove(NULL, path, 0);
        (void)ignored; // somebody else may have removed it
    }
    return error;
}

static int file_bind(struct file *file, const void *user, uint32_t size)
{
    struct localsocket_name name;
    char path[LOCALSOCKET_NAME_MAX + 1];
    sa_family_t family;
    if (size == PATH_OFFSET) {
        int error = user_read(&family, user, sizeof family);
        return error != 0 ? error : family == AF_UNIX ? localsocket_bind_any(file) : -EINVAL;
    }
    int error = bytes_read(&name, path, user, size);
    if (error == 0) {
        error = path[0] != 0 ? path_bind(file, &name, path) : localsocket_bind(file, &name);
    }
    socketname_put(&name);
    return error;
}

long linux_bind(int fd, const void *address, uint32_t size)
{
    struct file *file;
    int error = socket_get(fd, &file);
    if (error == 0) {
        error = file_bind(file, address, size);
        file_put(file);
    }
    return error;
}

static int file_connect(struct file *file, const void *user, uint32_t size)
{
    struct localsocket_name name = {.size = 0};
    sa_family_t family;
    if (size < sizeof family) {
        return -EINVAL;
    }
    int error = user_read(&family, user, sizeof family);
    if (error == 0 && family == AF_UNSPEC) {
        return localsocket_connect(file, NULL);
    }
    error = error != 0 ? error : socketname_read(&name, user, size);
    error = error != 0 ? error : localsocket_connect(file, &name);
    socketname_put(&name);
    return error;
}

long linux_connect(int fd, const void *address, uint32_t size)
{
    struct file *file;
    int error = socket_get(fd, &file);
    if (error == 0) {
        error = file_connect(file, address, size);
        file_put(file);
    }
    return error;
}

long linux_listen(int fd, int backlog)
{
    struct file *file;
    int error = socket_get(fd, &file);
    if (error == 0) {
        error = localsocket_listen(file, backlog);
        file_put(file);
    }
    return error;
}

static long file_accept(struct file *file, void *address, uint32_t *size, int flags)
{
    struct file *accepted;
    struct localsocket_name name;
    int error = localsocket_accept(file, (uint32_t)flags, &accepted);
    if (error == 0 && address != NULL) {
        error = localsocket_peer_name(accepted, &name);
        error = error != 0 ? error : socketname_write(&name, true, address, size);
        if (error != 0) {
            file_put(accepted);
        }
    }
    return error != 0 ? error : socket_install(accepted, flags);
}

long linux_accept4(int fd, void *address, uint32_t *size, int flags)
{
    struct file *file;
    if ((flags & ~(SOCK_NONBLOCK | SOCK_CLOEXEC)) != 0) {
        return -EINVAL;
    }
    int error = socket_get(fd, &file);
    if (error != 0) {
        return error;
    }
    const long result = file_accept(file, address, size, flags);
    file_put(file);
    return result;
}

long linux_accept(int fd, void *address, uint32_t *size)
{
    return linux_accept4(fd, address, size, 0);
}

long linux_getsockname(int fd, void *address, uint32_t *size)
{
    struct file *file;
    struct localsocket_name name;
    int error = socket_get(fd, &file);
    if (error != 0) {
        return error;
    }
    localsocket_name_of(file, &name);
    file_put(file);
    return socketname_write(&name, true, address, size);
}

long linux_getpeername(int fd, void *address, uint32_t *size)
{
    struct file *file;
    struct localsocket_name name;
    int error = socket_get(fd, &file);
    if (error != 0) {
        return error;
    }
    error = localsocket_peer_name(file, &name);
    file_put(file);
    return error != 0 ? error : socketname_write(&name, true, address, size);
}
