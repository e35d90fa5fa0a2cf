// SPDX-License-Identifier: BSD-3-Clause
// socketname.c: system calls that make sockets, name them and bring them together, for all
// families.
#include <sys/socket.h>

#include "core/lib/errno.h"
#include "core/linux/calls.h"
#include "core/linux/socketcalls.h"
#include "core/linux/user.h"
#include "core/vfs/fdtable.h"

int socket_address_write(const struct socket_address *address, void *user, uint32_t *user_size)
{
    uint32_t room;
    int error = user_read(&room, user_size, sizeof room);
    if (error != 0 || (int32_t)room < 0) {
        return error != 0 ? error : -EINVAL;
    }
    const uint32_t length = address->size;
    error = user_write(user, &address->local, room < length ? room : length);
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
static int type_check(int domain, int type)
{
    if (type < 0 || type > SOCK_PACKET) {
        return -EINVAL;
    }
    if (domain == AF_INET || domain == AF_INET6 || domain == AF_NETLINK ||
        domain == AF_PACKET) {
        return type;
    }
    if (domain != AF_UNIX) {
        return -EAFNOSUPPORT;
    }
    type = type == SOCK_RAW ? SOCK_DGRAM : type;
    const bool is_known = type == SOCK_STREAM || type == SOCK_DGRAM || type == SOCK_SEQPACKET;
    return is_known ? type : -ESOCKTNOSUPPORT;
}

// type as type_check answers it.
static int socket_make(struct file **file, int domain, int type, int protocol, uint32_t flags)
{
    return domain == AF_UNIX      ? local_create(file, type, protocol, flags)
           : domain == AF_NETLINK ? netlink_create(file, type, protocol, flags)
           : domain == AF_PACKET  ? packet_create(file, type, protocol, flags)
                                  : inet_create(file, domain, type, protocol, flags);
}

// There are no pairs of them; which error it is is a matter of what socket would say.
static int pair_error(int domain, int type, int protocol)
{
    struct file *file;
    const int error = socket_make(&file, domain, type, protocol, 0);
    if (error == 0) {
        file_put(file);
    }
    return error != 0 ? error : -EOPNOTSUPP;
}

long linux_socketpair(int domain, int kind, int protocol, int *user)
{
    const int flags = kind & (SOCK_NONBLOCK | SOCK_CLOEXEC);
    const int type = type_check(domain, kind & ~(SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (type < 0) {
        return type;
    }
    if (domain != AF_UNIX) {
        return pair_error(domain, type, protocol);
    }
    if (protocol != 0 && protocol != AF_UNIX) {
        return -EPROTONOSUPPORT;
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
    const int type = type_check(domain, kind & ~(SOCK_NONBLOCK | SOCK_CLOEXEC));
    struct file *file;
    if (type < 0) {
        return type;
    }
    const int error = socket_make(&file, domain, type, protocol, (uint32_t)flags);
    return error != 0 ? error : socket_install(file, flags);
}

// ---- Names ---------------------------------------------------------------

long linux_bind(int fd, const void *address, uint32_t size)
{
    struct file *file;
    int error = socket_get(fd, &file);
    if (error == 0) {
        error = socket_calls_of(file)->bind(file, address, size);
        file_put(file);
    }
    return error;
}

long linux_connect(int fd, const void *address, uint32_t size)
{
    struct file *file;
    int error = socket_get(fd, &file);
    if (error == 0) {
        error = socket_calls_of(file)->connect(file, address, size);
        file_put(file);
    }
    return error;
}

long linux_listen(int fd, int backlog)
{
    struct file *file;
    int error = socket_get(fd, &file);
    if (error == 0) {
        error = socket_calls_of(file)->listen(file, backlog);
        file_put(file);
    }
    return error;
}

static long file_accept(struct file *file, void *address, uint32_t *size, int flags)
{
    struct file *accepted;
    struct socket_address name;
    const struct socket_calls *calls = socket_calls_of(file);
    int error = calls->accept(file, (uint32_t)flags, &accepted);
    if (error == 0 && address != NULL) {
        error = calls->name(accepted, true, &name);
        error = error != 0 ? error : socket_address_write(&name, address, size);
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

static long name_get(int fd, bool is_peer, void *address, uint32_t *size)
{
    struct file *file;
    struct socket_address name;
    int error = socket_get(fd, &file);
    if (error != 0) {
        return error;
    }
    error = socket_calls_of(file)->name(file, is_peer, &name);
    file_put(file);
    return error != 0 ? error : socket_address_write(&name, address, size);
}

long linux_getsockname(int fd, void *address, uint32_t *size)
{
    return name_get(fd, false, address, size);
}

long linux_getpeername(int fd, void *address, uint32_t *size)
{
    return name_get(fd, true, address, size);
}
