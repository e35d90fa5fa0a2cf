// SPDX-License-Identifier: BSD-3-Clause
// socketlocal.c: the family of unix(7), as system calls see it.
#include <stddef.h>

#include "core/lib/errno.h"
#include "core/lib/string.h"
#include "core/linux/calls.h"
#include "core/linux/credentials.h"
#include "core/linux/socketcalls.h"
#include "core/linux/transfer.h"
#include "core/linux/user.h"
#include "core/mem/heap.h"
#include "core/vfs/fdtable.h"
#include "core/vfs/vfs.h"
#include "core/vfs/vnode.h"

_Static_assert(LOCALSOCKET_STREAM == SOCK_STREAM && LOCALSOCKET_DATAGRAM == SOCK_DGRAM &&
                   LOCALSOCKET_PACKET == SOCK_SEQPACKET,
               "socket types");
_Static_assert(sizeof(struct localsocket_credentials) == sizeof(struct ucred), "struct ucred");
_Static_assert(sizeof(((struct sockaddr_un *)0)->sun_path) == LOCALSOCKET_NAME_MAX, "sun_path");

enum {
    PATH_OFFSET = offsetof(struct sockaddr_un, sun_path),
    USER_NOBODY = 65534, // kernel.overflowuid
};

// ---- Names ---------------------------------------------------------------

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

static int name_read(struct localsocket_name *name, const void *user, uint32_t size)
{
    char path[LOCALSOCKET_NAME_MAX + 1];
    int error = bytes_read(name, path, user, size);
    return error != 0 || path[0] == 0 ? error : vfs_find_socket(path, &name->vnode);
}

// Also after an error of name_read.
static void name_put(struct localsocket_name *name)
{
    vnode_put(name->vnode);
    name->vnode = NULL;
}

// is_family: a socket without a name has the family alone, else nothing.
static void name_tell(const struct localsocket_name *name, bool is_family,
                      struct socket_address *address)
{
    address->local = (struct sockaddr_un){.sun_family = AF_UNIX};
    address->size = name->size > 0 ? (uint32_t)(PATH_OFFSET + name->size)
                    : is_family    ? PATH_OFFSET
                                   : 0;
    memcpy(address->local.sun_path, name->bytes, name->size);
}

static int local_name(struct file *file, bool is_peer, struct socket_address *address)
{
    struct localsocket_name name;
    int error = 0;
    if (is_peer) {
        error = localsocket_peer_name(file, &name);
    } else {
        localsocket_name_of(file, &name);
    }
    if (error == 0) {
        name_tell(&name, true, address);
    }
    return error;
}

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

static int local_bind(struct file *file, const void *user, uint32_t size)
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
    name_put(&name);
    return error;
}

static int local_connect(struct file *file, const void *user, uint32_t size)
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
    error = error != 0 ? error : name_read(&name, user, size);
    error = error != 0 ? error : localsocket_connect(file, &name);
    name_put(&name);
    return error;
}

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

static bool is_among(uint32_t id, const struct credential_ids *ids)
{
    return id == ids->real || id == ids->effective || id == ids->saved;
}

static int credentials_read(struct localsocket_message *message, const char *data, size_t size)
{
    if (size != sizeof message->credentials) {
        return -EINVAL;
    }
    memcpy(&message->credentials, data, size);
    message->sender = LOCALSOCKET_SENDER_SAID;
    const struct credential_ids user = credentials_user(), group = credentials_group();
    const bool is_allowed = (message->credentials.process == (int32_t)linux_getpid() ||
                             credentials_may(CAPABILITY_SYS_ADMIN)) &&
                            (is_among(message->credentials.user, &user) ||
                             credentials_may(CAPABILITY_SETUID)) &&
                            (is_among(message->credentials.group, &group) ||
                             credentials_may(CAPABILITY_SETGID));
    return is_allowed ? 0 : -EPERM;
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
static int controls_read(struct localsocket_message *message, const struct socket_message *sent)
{
    char *data;
    message->file_count = 0;
    message->sender = LOCALSOCKET_SENDER_OURS;
    int error = controls_copy(sent, &data);
    if (error == 0 && data != NULL) {
        error = controls_parse(message, data, sent->control_size);
        heap_free(data);
    }
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
    return count == 0 ? 0 : control_write(to, SOL_SOCKET, SCM_RIGHTS, fds, count * sizeof(int));
}

// As they go along with a message.
static struct localsocket_credentials ours(void)
{
    return (struct localsocket_credentials){(int32_t)linux_getpid(), credentials_user().real,
                                            credentials_group().real};
}

// As who made the other end is told: the effective ones.
static struct localsocket_credentials ours_as_peer(void)
{
    return (struct localsocket_credentials){(int32_t)linux_getpid(), credentials_user().effective,
                                            credentials_group().effective};
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
                          struct socket_message *to)
{
    int error = 0;
    if (to->controls != NULL && atomic_load(&localsocket_options(file)->passes_credentials)) {
        struct localsocket_credentials sender = sender_of(message);
        error = control_write(to->controls, SOL_SOCKET, SCM_CREDENTIALS, &sender, sizeof sender);
    }
    if (to->controls != NULL && error == 0 && message->file_count > 0) {
        error = rights_write(to->controls, message, (to->flags & MSG_CMSG_CLOEXEC) != 0);
    }
    files_put(message);
    return error;
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

// Where message goes to, which is in name; name_put ends the use of that, also after an error.
// Streams and packets are told of it, and see to the rest.
static int addressee_read(struct localsocket_message *message, struct localsocket_name *name,
                          const struct file *file, const void *user, uint32_t size)
{
    name->vnode = NULL;
    name->size = 0;
    message->to = user == NULL || size == 0 ? NULL : name;
    const bool is_found = message->to != NULL && localsocket_type_of(file) == LOCALSOCKET_DATAGRAM;
    return is_found ? name_read(name, user, size) : 0;
}

static long local_send(struct file *file, const struct socket_message *sent)
{
    struct localsocket_message message;
    struct localsocket_name name;
    message.vectors = sent->vectors;
    message.count = sent->count;
    int error = controls_read(&message, sent);
    long result = error;
    if (error == 0) {
        error = addressee_read(&message, &name, file, sent->name, sent->name_size);
        result = error != 0 ? error : message_send(file, &message, sent->flags);
        name_put(&name);
    }
    files_put(&message);
    return result;
}

static long local_receive(struct file *file, struct socket_message *to)
{
    struct localsocket_message message;
    struct localsocket_name from = {.size = 0};
    size_t done = 0;
    if (to->flags & MSG_OOB) {
        return -EINVAL;
    }
    message.vectors = to->vectors;
    message.count = to->count;
    message.never_waits = (to->flags & MSG_DONTWAIT) != 0;
    message.only_looks = (to->flags & MSG_PEEK) != 0;
    message.waits_for_all = (to->flags & MSG_WAITALL) != 0;
    message.file_count = 0;
    message.from = &from;
    int error = localsocket_receive(file, &message, &done);
    if (error != 0) {
        files_put(&message);
        return error;
    }
    name_tell(&from, false, &to->from);
    to->answer_flags = message.is_cut ? MSG_TRUNC : 0;
    error = controls_write(file, &message, to);
    const bool is_whole =
        (to->flags & MSG_TRUNC) != 0 && localsocket_type_of(file) != LOCALSOCKET_STREAM;
    return error != 0 ? error : (long)(is_whole ? message.full_size : done);
}

// ---- The rest ------------------------------------------------------------

static int local_shutdown(struct file *file, int how)
{
    static const unsigned what[] = {
        [SHUT_RD] = LOCALSOCKET_SHUT_READ,
        [SHUT_WR] = LOCALSOCKET_SHUT_WRITE,
        [SHUT_RDWR] = LOCALSOCKET_SHUT_READ | LOCALSOCKET_SHUT_WRITE,
    };
    localsocket_shutdown(file, what[how]);
    return 0;
}

static int local_option_set(struct file *file, int level, int name, const void *user, uint32_t size)
{
    int value;
    (void)size; // it has been looked at
    if (level != SOL_SOCKET) {
        return -EOPNOTSUPP;
    }
    int error = user_read(&value, user, sizeof value);
    if (error != 0 || name != SO_PASSCRED) {
        return error != 0 ? error : -ENOPROTOOPT;
    }
    atomic_store(&localsocket_options(file)->passes_credentials, value != 0);
    return 0;
}

static int local_option_get(struct file *file, int level, int name, union socket_option *value)
{
    static const struct localsocket_credentials nobody = {0, UINT32_MAX, UINT32_MAX};
    if (level != SOL_SOCKET) {
        return -EOPNOTSUPP;
    }
    switch (name) {
    case SO_TYPE:
        value->number = localsocket_type_of(file);
        return sizeof value->number;
    case SO_DOMAIN:
        value->number = AF_UNIX;
        return sizeof value->number;
    case SO_PASSCRED:
        value->number = atomic_load(&localsocket_options(file)->passes_credentials);
        return sizeof value->number;
    case SO_PROTOCOL:
        value->number = 0;
        return sizeof value->number;
    case SO_ACCEPTCONN:
        value->number = localsocket_is_listening(file);
        return sizeof value->number;
    case SO_PEERCRED:
        value->sender = localsocket_has_peer(file) ? ours_as_peer() : nobody;
        return sizeof value->sender;
    default:
        return -ENOPROTOOPT;
    }
}

static bool local_breaks_silently(const struct file *file)
{
    return localsocket_type_of(file) != LOCALSOCKET_STREAM;
}

int local_create(struct file **file, int type, int protocol, uint32_t flags)
{
    if (protocol != 0 && protocol != AF_UNIX) {
        return -EPROTONOSUPPORT;
    }
    return localsocket_create(file, (enum localsocket_type)type, flags);
}

const struct socket_calls local_calls = {
    .send = local_send,
    .receive = local_receive,
    .read = localsocket_read,
    .write = localsocket_write,
    .bind = local_bind,
    .connect = local_connect,
    .listen = localsocket_listen,
    .accept = localsocket_accept,
    .name = local_name,
    .shutdown = local_shutdown,
    .option_set = local_option_set,
    .option_get = local_option_get,
    .options = localsocket_options,
    .error_take = localsocket_error_take,
    .breaks_silently = local_breaks_silently,
};
