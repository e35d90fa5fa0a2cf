// SPDX-License-Identifier: BSD-3-Clause
// socket.c: system calls that send, receive and set the options of sockets, for all families.
#include <limits.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>

#include "core/lib/errno.h"
#include "core/linux/calls.h"
#include "core/linux/socketcalls.h"
#include "core/linux/transfer.h"
#include "core/linux/user.h"
#include "core/vfs/fdtable.h"
#include "hal/hal.h"

_Static_assert(OPEN_NONBLOCK == SOCK_NONBLOCK && OPEN_CLOSE_ON_EXEC == SOCK_CLOEXEC, "flags");

enum { MESSAGES_MAX = 1024 }; // UIO_MAXIOV: of one sendmmsg, recvmmsg

const struct socket_calls *socket_calls_of_other(const struct file *file)
{
    return file_is_localsocket(file)     ? &local_calls
           : file_is_netlinksocket(file) ? &netlink_calls
           : file_is_packetsocket(file)  ? &packet_calls
                                         : NULL;
}

int socket_file_read(struct file *file, uint64_t offset, char *data, size_t size, size_t *done)
{
    (void)offset;
    const struct io_vector vector = {data, size};
    return socket_calls_of(file)->read(file, &vector, 1, done);
}

int socket_file_write(struct file *file, uint64_t offset, const char *data, size_t size,
                      size_t *done)
{
    (void)offset;
    const struct io_vector vector = {(char *)(uintptr_t)data, size};
    return socket_calls_of(file)->write(file, &vector, 1, done);
}

int socket_get(int fd, struct file **file)
{
    int error = fd_get(fd, file);
    if (error == 0 && socket_calls_of(*file) == NULL) {
        file_put(*file);
        error = -ENOTSOCK;
    }
    return error;
}

// What a program's message is of; vectors_free() at the end.
static int message_read(const struct msghdr *user, struct msghdr *head, struct vectors *vectors)
{
    int error = user_read(head, user, sizeof *head);
    if (error != 0) {
        return error;
    }
    error = vectors_read(vectors, head->msg_iov, head->msg_iovlen);
    return error == -EINVAL && head->msg_iovlen > IOV_MAX ? -EMSGSIZE : error;
}

// One of several is over with result: tells its size, and counts it. Answers the result, or -errno.
static long message_count(struct mmsghdr *user, long result, unsigned *done)
{
    const unsigned size = (unsigned)result;
    const int error = result < 0 ? 0 : user_write(&user->msg_len, &size, sizeof size);
    *done += result >= 0 && error == 0;
    return error != 0 ? error : result;
}

// ---- Sending -------------------------------------------------------------

long linux_sendto(int fd, const char *data, size_t size, int flags, const void *address,
                  uint32_t address_size)
{
    struct file *file;
    int error = socket_get(fd, &file);
    if (error != 0) {
        return error;
    }
    const struct io_vector vector = {(char *)(uintptr_t)data, transfer_limit(size)};
    const struct socket_message message = {
        .vectors = &vector,
        .count = 1,
        .flags = flags,
        .name = address,
        .name_size = address_size,
    };
    const long result = socket_calls_of(file)->send(file, &message);
    file_put(file);
    return result;
}

long socket_message_send(struct file *file, const struct msghdr *user, int flags,
                         struct net_loan *loan)
{
    struct msghdr head;
    struct vectors vectors;
    int error = message_read(user, &head, &vectors);
    if (error != 0) {
        return error;
    }
    const struct socket_message message = {
        .vectors = vectors.all,
        .count = vectors.count,
        .flags = flags,
        .name = head.msg_name,
        .name_size = head.msg_namelen,
        .control = head.msg_control,
        .control_size = head.msg_controllen,
        .loan = loan,
    };
    const long result = socket_calls_of(file)->send(file, &message);
    vectors_free(&vectors);
    return result;
}

long linux_sendmsg(int fd, const struct msghdr *user, int flags)
{
    struct file *file;
    int error = socket_get(fd, &file);
    if (error != 0) {
        return error;
    }
    const long result = socket_message_send(file, user, flags, NULL);
    file_put(file);
    return result;
}

long linux_sendmmsg(int fd, struct mmsghdr *user, unsigned count, int flags)
{
    struct file *file;
    int error = socket_get(fd, &file);
    if (error != 0) {
        return error;
    }
    unsigned done = 0;
    long result = 0;
    count = count < MESSAGES_MAX ? count : MESSAGES_MAX;
    while (done < count && result >= 0) {
        const int batch = done + 1 < count ? SOCKET_BATCH : 0;
        result = socket_message_send(file, &user[done].msg_hdr, flags | batch, NULL);
        result = message_count(&user[done], result, &done);
    }
    file_put(file);
    return done > 0 ? (long)done : result;
}

// ---- Receiving -----------------------------------------------------------

long linux_recvfrom(int fd, char *data, size_t size, int flags, void *address,
                    uint32_t *address_size)
{
    struct file *file;
    int error = socket_get(fd, &file);
    if (error != 0) {
        return error;
    }
    const struct io_vector vector = {data, transfer_limit(size)};
    struct socket_message message = {.vectors = &vector, .count = 1, .flags = flags};
    const long result = socket_calls_of(file)->receive(file, &message);
    if (result >= 0 && address != NULL) {
        error = socket_address_write(&message.from, address, address_size);
    }
    file_put(file);
    return error != 0 ? error : result;
}

static int sender_write(const struct socket_address *from, struct msghdr *head)
{
    uint32_t size = head->msg_namelen;
    if (head->msg_name == NULL) {
        head->msg_namelen = 0;
        return 0;
    }
    int error = socket_address_write(from, head->msg_name, &size);
    head->msg_namelen = size;
    return error;
}

static long recvmsg_from(struct file *file, struct msghdr *user, int flags)
{
    struct msghdr head;
    struct vectors vectors;
    int error = message_read(user, &head, &vectors);
    if (error != 0) {
        return error;
    }
    struct controls controls = {.data = head.msg_control, .size = head.msg_controllen};
    struct socket_message message = {
        .vectors = vectors.all, .count = vectors.count, .flags = flags, .controls = &controls};
    const long result = socket_calls_of(file)->receive(file, &message);
    if (result >= 0) {
        head.msg_controllen = (socklen_t)controls.done;
        head.msg_flags = message.answer_flags | controls.flags | (flags & MSG_CMSG_CLOEXEC);
        error = sender_write(&message.from, &head);
        error = error != 0 ? error : user_write(user, &head, sizeof head);
    }
    vectors_free(&vectors);
    return error != 0 ? error : result;
}

long linux_recvmsg(int fd, struct msghdr *user, int flags)
{
    struct file *file;
    int error = socket_get(fd, &file);
    if (error != 0) {
        return error;
    }
    const long result = recvmsg_from(file, user, flags);
    file_put(file);
    return result;
}

long linux_recvmmsg(int fd, struct mmsghdr *user, unsigned count, int flags,
                    const struct timespec *timeout)
{
    struct file *file;
    struct timespec span = {0};
    int error = timeout == NULL ? 0 : user_read(&span, timeout, sizeof span);
    error = error != 0 ? error : socket_get(fd, &file);
    if (error != 0) {
        return error;
    }
    // Looked at between messages, as Linux does.
    const hal_ns until = hal_clock_ns() + (hal_ns)span.tv_sec * 1000000000 + (hal_ns)span.tv_nsec;
    unsigned done = 0;
    long result = 0;
    count = count < MESSAGES_MAX ? count : MESSAGES_MAX;
    while (done < count && result >= 0 &&
           (timeout == NULL || done == 0 || hal_clock_ns() < until)) {
        result = recvmsg_from(file, &user[done].msg_hdr, flags & ~MSG_WAITFORONE);
        result = message_count(&user[done], result, &done);
        flags |= flags & MSG_WAITFORONE ? MSG_DONTWAIT : 0;
    }
    file_put(file);
    return done > 0 ? (long)done : result;
}

// ---- Ends and options ----------------------------------------------------

long linux_shutdown(int fd, int how)
{
    struct file *file;
    int error = socket_get(fd, &file);
    if (error != 0) {
        return error;
    }
    const bool is_known = how >= SHUT_RD && how <= SHUT_RDWR;
    error = is_known ? socket_calls_of(file)->shutdown(file, how) : -EINVAL;
    file_put(file);
    return error;
}

long linux_setsockopt(int fd, int level, int name, const void *user, uint32_t size)
{
    struct file *file;
    int error = socket_get(fd, &file);
    if (error != 0) {
        return error;
    }
    error = (int32_t)size < 0 ? -EINVAL
            : level == SOL_SOCKET
                ? option_set(file, name, user, size)
                : socket_calls_of(file)->option_set(file, level, name, user, size);
    file_put(file);
    return error;
}

long linux_getsockopt(int fd, int level, int name, void *user, uint32_t *user_size)
{
    struct file *file;
    union socket_option value = {0};
    uint32_t size = 0;
    int error = socket_get(fd, &file);
    if (error != 0) {
        return error;
    }
    error = user_read(&size, user_size, sizeof size);
    error = error != 0 ? error : (int32_t)size < 0 ? -EINVAL : 0;
    if (error == 0 && level == SOL_SOCKET && name == SO_GET_FILTER) {
        const long count = filter_copy(file, user, size);
        size = (uint32_t)count;
        file_put(file);
        return count < 0 ? count : user_write(user_size, &size, sizeof size);
    }
    if (error == 0 && level == SOL_PACKET && name == PACKET_HDRLEN) { // of that version
        error = size < sizeof value.number ? -EINVAL
                                           : user_read(&value.number, user, sizeof value.number);
    }
    int length = error;
    if (error == 0 && level == SOL_SOCKET &&
        (name == SO_BINDTODEVICE || name == SO_BINDTOIFINDEX)) {
        length = netif_option_get(file, name, &value, size);
    } else if (error == 0) {
        length = level == SOL_SOCKET ? option_get(file, name, &value)
                                     : socket_calls_of(file)->option_get(file, level, name, &value);
    }
    file_put(file);
    if (length < 0) {
        return length;
    }
    size = size < (uint32_t)length ? size : (uint32_t)length;
    error = user_write(user, &value, size);
    return error != 0 ? error : user_write(user_size, &size, sizeof size);
}
