// SPDX-License-Identifier: BSD-3-Clause
// socket.c: system calls that send, receive and set the options of sockets. There are local ones.
#include <limits.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>

#include "core/lib/errno.h"
#include "core/lib/string.h"
#include "core/linux/calls.h"
#include "core/linux/signal.h"
#include "core/linux/socketname.h"
#include "core/linux/transfer.h"
#include "core/linux/user.h"
#include "core/mem/heap.h"
#include "core/vfs/fdtable.h"
#include "core/vfs/file.h"
#include "core/vfs/localsocket.h"
#include "core/vfs/vnode.h"
#include "hal/hal.h"

_Static_assert(LOCALSOCKET_STREAM == SOCK_STREAM && LOCALSOCKET_DATAGRAM == SOCK_DGRAM &&
                   LOCALSOCKET_PACKET == SOCK_SEQPACKET,
               "socket types");
_Static_assert(OPEN_NONBLOCK == SOCK_NONBLOCK && OPEN_CLOSE_ON_EXEC == SOCK_CLOEXEC, "flags");
_Static_assert(sizeof(struct localsocket_credentials) == sizeof(struct ucred), "struct ucred");

enum {
    CONTROL_MAX = 20480, // net.core.optmem_max of Linux
    LIMIT_MIN = 4608,    // SOCK_MIN_SNDBUF
    RECEIVE_MIN = 2304,  // SOCK_MIN_RCVBUF
    LIMIT_MAX = 212992,  // net.core.wmem_max
    USER_NOBODY = 65534, // kernel.overflowuid
    MESSAGES_MAX = 1024, // UIO_MAXIOV: of one sendmmsg, recvmmsg
};

// ---- What goes along -----------------------------------------------------

static void files_put(struct localsocket_message *message)
{
    for (uint32_t i = 0; i < message->file_count; ++i) {
        file_put(message->files[i]);
    }
    message->file_count = 0;
}

static int rights_read(struct localsocket_message *message, const char *data, size_t size)
{
    for (size_t at = 0; at + sizeof(int) <= size; at += sizeof(int)) {
        int fd;
        memcpy(&fd, data + at, sizeof fd);
        if (message->file_count == LOCALSOCKET_FILES_MAX) {
            return -EINVAL;
        }
        int error = fd_get(fd, &message->files[message->file_count]);
        if (error != 0) {
            return error;
        }
        ++message->file_count;
    }
    return 0;
}

static int credentials_read(struct localsocket_message *message, const char *data, size_t size)
{
    if (size != sizeof message->credentials) {
        return -EINVAL;
    }
    memcpy(&message->credentials, data, size);
    message->sender = LOCALSOCKET_SENDER_SAID;
    const bool is_ours = message->credentials.process == (int32_t)linux_getpid() &&
                         message->credentials.user == vnode_owner_uid &&
                         message->credentials.group == vnode_owner_gid;
    return is_ours || vnode_owner_uid == 0 ? 0 : -EPERM;
}

static int controls_parse(struct localsocket_message *message, const char *data, size_t size)
{
    size_t at = 0;
    while (at + sizeof(struct cmsghdr) <= size) {
        struct cmsghdr head;
        memcpy(&head, data + at, sizeof head);
        const size_t length = *(const size_t *)(const void *)(data + at); // 64 bits of it
        if (length < sizeof head || length > size - at) {
            return -EINVAL;
        }
        const char *content = data + at + CMSG_LEN(0);
        int error = -EINVAL;
        if (head.cmsg_level != SOL_SOCKET) {
            error = 0; // others' business
        } else if (head.cmsg_type == SCM_RIGHTS) {
            error = rights_read(message, content, length - CMSG_LEN(0));
        } else if (head.cmsg_type == SCM_CREDENTIALS) {
            error = credentials_read(message, content, length - CMSG_LEN(0));
        }
        if (error != 0) {
            return error;
        }
        at += CMSG_ALIGN(length);
    }
    return 0;
}

// The files that it took are message's also on failure.
static int controls_read(struct localsocket_message *message, const struct msghdr *head)
{
    const size_t size = head->msg_controllen;
    message->file_count = 0;
    message->sender = LOCALSOCKET_SENDER_OURS;
    if (size == 0) {
        return 0;
    }
    if (size > CONTROL_MAX) {
        return -ENOBUFS;
    }
    char *data = heap_alloc(size);
    if (data == NULL) {
        return -ENOMEM;
    }
    int error = user_read(data, head->msg_control, size);
    error = error != 0 ? error : controls_parse(message, data, size);
    heap_free(data);
    return error;
}

struct controls { // the caller's room for them
    char *data;
    size_t size, done;
    int flags; // answer
};

// Writes one; it is cut off where the room ends, and that is said in the flags. -EFAULT.
static int control_write(struct controls *to, int type, const void *content, size_t size)
{
    const size_t room = to->size - to->done;
    size_t length = CMSG_LEN(size);
    if (room < CMSG_LEN(0)) {
        to->flags |= MSG_CTRUNC;
        return 0;
    }
    if (room < length) {
        to->flags |= MSG_CTRUNC;
        length = room;
    }
    const struct cmsghdr head = {
        .cmsg_len = (socklen_t)length, .cmsg_level = SOL_SOCKET, .cmsg_type = type};
    int error = user_write(to->data + to->done, &head, sizeof head);
    error = error != 0
                ? error
                : user_write(to->data + to->done + CMSG_LEN(0), content, length - CMSG_LEN(0));
    to->done += CMSG_SPACE(size) < room ? CMSG_SPACE(size) : room;
    return error;
}

// Those that have no room are closed.
static int rights_write(struct controls *to, struct localsocket_message *message,
                        bool close_on_exec)
{
    int fds[LOCALSOCKET_FILES_MAX];
    const size_t room = to->size - to->done;
    const size_t fits = room < CMSG_LEN(0) ? 0 : (room - CMSG_LEN(0)) / sizeof(int);
    uint32_t count = 0;
    while (count < message->file_count && count < fits) {
        const int fd = fd_install(message->files[count], 0, close_on_exec);
        if (fd < 0) {
            break;
        }
        fds[count++] = fd;
    }
    if (count < message->file_count) {
        to->flags |= MSG_CTRUNC;
    }
    for (uint32_t i = count; i < message->file_count; ++i) {
        file_put(message->files[i]);
    }
    message->file_count = 0;
    return count == 0 ? 0 : control_write(to, SCM_RIGHTS, fds, count * sizeof(int));
}

// ---- Moving --------------------------------------------------------------

static long message_send(struct file *file, struct localsocket_message *message, int flags)
{
    size_t done = 0;
    if (flags & MSG_OOB) {
        return -EOPNOTSUPP;
    }
    message->never_waits = (flags & MSG_DONTWAIT) != 0;
    const int error = localsocket_send(file, message, &done);
    const bool is_silent = (flags & MSG_NOSIGNAL) != 0 || breaks_silently(file);
    return is_silent && done == 0 ? error : transfer_result(error, done);
}

// Where message goes to, which is in name; socketname_put ends the use of that, also after an
// error. Streams and packets are told of it, and see to the rest.
static int addressee_read(struct localsocket_message *message, struct localsocket_name *name,
                          const struct file *file, const void *user, uint32_t size)
{
    name->vnode = NULL;
    name->size = 0;
    message->to = user == NULL || size == 0 ? NULL : name;
    const bool is_found = message->to != NULL && localsocket_type_of(file) == LOCALSOCKET_DATAGRAM;
    return is_found ? socketname_read(name, user, size) : 0;
}

long linux_sendto(int fd, const char *data, size_t size, int flags, const void *address,
                  uint32_t address_size)
{
    struct file *file;
    int error = socket_get(fd, &file);
    if (error != 0) {
        return error;
    }
    const struct io_vector vector = {(char *)(uintptr_t)data, transfer_limit(size)};
    struct localsocket_message message;
    struct localsocket_name name;
    message.vectors = &vector;
    message.count = 1;
    message.file_count = 0;
    message.sender = LOCALSOCKET_SENDER_OURS;
    error = addressee_read(&message, &name, file, address, address_size);
    const long result = error != 0 ? error : message_send(file, &message, flags);
    socketname_put(&name);
    file_put(file);
    return result;
}

static long sendmsg_to(struct file *file, const struct msghdr *user, int flags)
{
    struct msghdr head;
    struct vectors vectors;
    struct localsocket_message message;
    struct localsocket_name name;
    int error = user_read(&head, user, sizeof head);
    error = error != 0 ? error : vectors_read(&vectors, head.msg_iov, head.msg_iovlen);
    if (error != 0) {
        return error == -EINVAL && head.msg_iovlen > IOV_MAX ? -EMSGSIZE : error;
    }
    message.vectors = vectors.all;
    message.count = vectors.count;
    error = controls_read(&message, &head);
    long result = error;
    if (error == 0) {
        error = addressee_read(&message, &name, file, head.msg_name, head.msg_namelen);
        result = error != 0 ? error : message_send(file, &message, flags);
        socketname_put(&name);
    }
    files_put(&message);
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
    const long result = sendmsg_to(file, user, flags);
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
        result = sendmsg_to(file, &user[done].msg_hdr, flags);
        const unsigned size = (unsigned)result;
        if (result >= 0) {
            error = user_write(&user[done].msg_len, &size, sizeof size);
            result = error != 0 ? error : result;
            done += error == 0;
        }
    }
    file_put(file);
    return done > 0 ? (long)done : result;
}

static void receive_begin(struct localsocket_message *message, int flags)
{
    message->never_waits = (flags & MSG_DONTWAIT) != 0;
    message->only_looks = (flags & MSG_PEEK) != 0;
    message->waits_for_all = (flags & MSG_WAITALL) != 0;
    message->file_count = 0;
}

static size_t received_size(const struct file *file, const struct localsocket_message *message,
                            size_t done, int flags)
{
    const bool is_whole =
        (flags & MSG_TRUNC) != 0 && localsocket_type_of(file) != LOCALSOCKET_STREAM;
    return is_whole ? message->full_size : done;
}

long linux_recvfrom(int fd, char *data, size_t size, int flags, void *address,
                    uint32_t *address_size)
{
    struct file *file;
    size_t done = 0;
    int error = socket_get(fd, &file);
    if (error != 0) {
        return error;
    }
    const struct io_vector vector = {data, transfer_limit(size)};
    struct localsocket_message message;
    struct localsocket_name from;
    message.vectors = &vector;
    message.count = 1;
    receive_begin(&message, flags);
    message.from = address == NULL ? NULL : &from;
    error = (flags & MSG_OOB) ? -EINVAL : localsocket_receive(file, &message, &done);
    files_put(&message);
    if (error == 0 && address != NULL) {
        error = socketname_write(&from, false, address, address_size);
    }
    done = received_size(file, &message, done, flags);
    file_put(file);
    return error != 0 ? error : (long)done;
}

static struct localsocket_credentials ours(void)
{
    return (struct localsocket_credentials){(int32_t)linux_getpid(), vnode_owner_uid,
                                            vnode_owner_gid};
}

static struct localsocket_credentials sender_of(const struct localsocket_message *message)
{
    switch (message->sender) {
    case LOCALSOCKET_SENDER_OURS:
        return ours();
    case LOCALSOCKET_SENDER_SAID:
        return message->credentials;
    default:
        return (struct localsocket_credentials){0, USER_NOBODY, USER_NOBODY};
    }
}

static int controls_write(struct file *file, struct localsocket_message *message,
                          struct msghdr *head, int flags)
{
    struct controls to = {.data = head->msg_control, .size = head->msg_controllen};
    int error = 0;
    if (atomic_load(&localsocket_options(file)->passes_credentials)) {
        struct localsocket_credentials sender = sender_of(message);
        error = control_write(&to, SCM_CREDENTIALS, &sender, sizeof sender);
    }
    if (error == 0 && message->file_count > 0) {
        error = rights_write(&to, message, (flags & MSG_CMSG_CLOEXEC) != 0);
    }
    files_put(message);
    head->msg_controllen = (socklen_t)to.done;
    head->msg_flags |= to.flags;
    return error;
}

static int sender_write(const struct localsocket_name *from, struct msghdr *head)
{
    uint32_t size = head->msg_namelen;
    if (head->msg_name == NULL) {
        head->msg_namelen = 0;
        return 0;
    }
    int error = socketname_write(from, false, head->msg_name, &size);
    head->msg_namelen = size;
    return error;
}

static long recvmsg_from(struct file *file, struct msghdr *user, int flags)
{
    struct msghdr head;
    struct vectors vectors;
    struct localsocket_message message;
    struct localsocket_name from = {.size = 0};
    size_t done = 0;
    int error = user_read(&head, user, sizeof head);
    error = error != 0 ? error : vectors_read(&vectors, head.msg_iov, head.msg_iovlen);
    if (error != 0) {
        return error == -EINVAL && head.msg_iovlen > IOV_MAX ? -EMSGSIZE : error;
    }
    message.vectors = vectors.all;
    message.count = vectors.count;
    receive_begin(&message, flags);
    message.from = &from;
    error = (flags & MSG_OOB) ? -EINVAL : localsocket_receive(file, &message, &done);
    error = error != 0 ? error : sender_write(&from, &head);
    if (error != 0) {
        files_put(&message);
    } else {
        head.msg_flags = (message.is_cut ? MSG_TRUNC : 0) | (flags & MSG_CMSG_CLOEXEC);
        error = controls_write(file, &message, &head, flags);
        error = error != 0 ? error : user_write(user, &head, sizeof head);
    }
    vectors_free(&vectors);
    return error != 0 ? error : (long)received_size(file, &message, done, flags);
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
        const unsigned size = (unsigned)result;
        if (result >= 0) {
            error = user_write(&user[done].msg_len, &size, sizeof size);
            result = error != 0 ? error : result;
            done += error == 0;
        }
        flags |= flags & MSG_WAITFORONE ? MSG_DONTWAIT : 0;
    }
    file_put(file);
    return done > 0 ? (long)done : result;
}

// ---- Ends, names, options ------------------------------------------------

long linux_shutdown(int fd, int how)
{
    static const unsigned what[] = {
        [SHUT_RD] = LOCALSOCKET_SHUT_READ,
        [SHUT_WR] = LOCALSOCKET_SHUT_WRITE,
        [SHUT_RDWR] = LOCALSOCKET_SHUT_READ | LOCALSOCKET_SHUT_WRITE,
    };
    struct file *file;
    int error = socket_get(fd, &file);
    if (error != 0) {
        return error;
    }
    if (how < SHUT_RD || how > SHUT_RDWR) {
        error = -EINVAL;
    } else {
        localsocket_shutdown(file, what[how]);
    }
    file_put(file);
    return error;
}

static hal_ns span_of(const struct timeval *time)
{
    return (hal_ns)time->tv_sec * 1000000000 + (hal_ns)time->tv_usec * 1000;
}

static struct timeval time_of(hal_ns span)
{
    return (struct timeval){.tv_sec = (time_t)(span / 1000000000),
                            .tv_usec = (suseconds_t)(span % 1000000000 / 1000)};
}

static int timeout_set(_Atomic hal_ns *timeout, const void *user, uint32_t size)
{
    struct timeval time;
    if (size < sizeof time) {
        return -EINVAL;
    }
    int error = user_read(&time, user, sizeof time);
    if (error != 0) {
        return error;
    }
    if (time.tv_usec < 0 || time.tv_usec >= 1000000) {
        return -EDOM;
    }
    atomic_store(timeout, time.tv_sec < 0 ? 0 : span_of(&time));
    return 0;
}

static uint32_t limit_of(int wanted, uint32_t least)
{
    const uint32_t size = wanted < 0 || wanted > LIMIT_MAX ? LIMIT_MAX : (uint32_t)wanted;
    return size * 2 < least ? least : size * 2;
}

// Those that are kept, and change nothing for a local socket.
static bool is_switch(int name)
{
    enum {
        SWITCHES = 1 << SO_DEBUG | 1 << SO_REUSEADDR | 1 << SO_DONTROUTE | 1 << SO_BROADCAST |
                   1 << SO_KEEPALIVE | 1 << SO_OOBINLINE | 1 << SO_REUSEPORT,
    };
    return name >= 0 && name < 32 && (SWITCHES >> name & 1) != 0;
}

static int option_set(struct file *file, int name, const void *user, uint32_t size)
{
    struct localsocket_options *options = localsocket_options(file);
    int value;
    if (name == SO_RCVTIMEO || name == SO_SNDTIMEO) {
        const bool is_send = name == SO_SNDTIMEO;
        return timeout_set(is_send ? &options->send_timeout : &options->receive_timeout, user,
                           size);
    }
    if (size < sizeof value) {
        return -EINVAL;
    }
    int error = user_read(&value, user, sizeof value);
    if (error != 0) {
        return error;
    }
    switch (name) {
    case SO_SNDBUF:
        atomic_store(&options->send_limit, limit_of(value, LIMIT_MIN));
        return 0;
    case SO_RCVBUF:
        atomic_store(&options->receive_limit, limit_of(value, RECEIVE_MIN));
        return 0;
    case SO_PASSCRED:
        atomic_store(&options->passes_credentials, value != 0);
        return 0;
    default:
        break;
    }
    if (!is_switch(name)) {
        return -ENOPROTOOPT;
    }
    if (value != 0) {
        atomic_fetch_or(&options->switches, 1u << name);
    } else {
        atomic_fetch_and(&options->switches, ~(1u << name));
    }
    return 0;
}

long linux_setsockopt(int fd, int level, int name, const void *user, uint32_t size)
{
    struct file *file;
    int error = socket_get(fd, &file);
    if (error != 0) {
        return error;
    }
    error = (int32_t)size < 0     ? -EINVAL
            : level != SOL_SOCKET ? -EOPNOTSUPP
                                  : option_set(file, name, user, size);
    file_put(file);
    return error;
}

union option {
    int number;
    struct timeval time;
    struct localsocket_credentials sender;
};

// Answers its size; -ENOPROTOOPT.
static int option_get(struct file *file, int name, union option *value)
{
    static const struct localsocket_credentials nobody = {0, UINT32_MAX, UINT32_MAX};
    struct localsocket_options *options = localsocket_options(file);
    switch (name) {
    case SO_TYPE:
        value->number = localsocket_type_of(file);
        return sizeof value->number;
    case SO_DOMAIN:
        value->number = AF_UNIX;
        return sizeof value->number;
    case SO_ERROR:
        value->number = -localsocket_error_take(file);
        return sizeof value->number;
    case SO_SNDBUF:
        value->number = (int)atomic_load(&options->send_limit);
        return sizeof value->number;
    case SO_RCVBUF:
        value->number = (int)atomic_load(&options->receive_limit);
        return sizeof value->number;
    case SO_PASSCRED:
        value->number = atomic_load(&options->passes_credentials);
        return sizeof value->number;
    case SO_PROTOCOL:
        value->number = 0;
        return sizeof value->number;
    case SO_ACCEPTCONN:
        value->number = localsocket_is_listening(file);
        return sizeof value->number;
    case SO_RCVTIMEO:
        value->time = time_of(atomic_load(&options->receive_timeout));
        return sizeof value->time;
    case SO_SNDTIMEO:
        value->time = time_of(atomic_load(&options->send_timeout));
        return sizeof value->time;
    case SO_PEERCRED:
        value->sender = localsocket_has_peer(file) ? ours() : nobody;
        return sizeof value->sender;
    default:
        if (!is_switch(name)) {
            return -ENOPROTOOPT;
        }
        value->number = (int)(atomic_load(&options->switches) >> name & 1);
        return sizeof value->number;
    }
}

long linux_getsockopt(int fd, int level, int name, void *user, uint32_t *user_size)
{
    struct file *file;
    union option value = {0};
    uint32_t size = 0;
    int error = socket_get(fd, &file);
    if (error != 0) {
        return error;
    }
    error = user_read(&size, user_size, sizeof size);
    error = error != 0 ? error : (int32_t)size < 0 ? -EINVAL : 0;
    error = error != 0 ? error : level != SOL_SOCKET ? -EOPNOTSUPP : 0;
    const int length = error != 0 ? error : option_get(file, name, &value);
    file_put(file);
    if (length < 0) {
        return length;
    }
    size = size < (uint32_t)length ? size : (uint32_t)length;
    error = user_write(user, &value, size);
    return error != 0 ? error : user_write(user_size, &size, sizeof size);
}
