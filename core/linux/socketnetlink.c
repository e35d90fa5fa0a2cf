// SPDX-License-Identifier: BSD-3-Clause
// socketnetlink.c: the family of netlink(7), as system calls see it.
//
// A request is answered while it is sent: the answers wait in the socket's queue, cut into
// datagrams where messages end. Who does not read them gets no more once there are as many bytes as
// SO_RCVBUF allows, and is told so (ENOBUFS).
#include <sys/ioctl.h>

#include "core/lib/errno.h"
#include "core/lib/list.h"
#include "core/lib/string.h"
#include "core/linux/calls.h"
#include "core/linux/credentials.h"
#include "core/linux/netlink.h"
#include "core/linux/socketcalls.h"
#include "core/linux/transfer.h"
#include "core/linux/user.h"
#include "core/mem/heap.h"
#include "core/net/netif.h"
#include "core/net/route.h"
#include "core/sync/waitqueue.h"
#include "core/vfs/nameless.h"
#include "core/vfs/poll.h"

enum {
    LIMIT_DEFAULT = 212992, // net.core.wmem_default, rmem_default of Linux
    DATAGRAM_MAX = 3776,    // of a dump, but for a longer message: less than a page, as on Linux
    GROUP_LAST = 32,        // that anything is ever sent to
};

struct datagram {
    struct datagram *next;
    uint32_t group; // that it was sent to; 0: an answer
    size_t size;
    char bytes[];
};

struct netlink_socket {
    struct list node; // in all, under all_lock
    uint8_t type, protocol;
    _Atomic uint32_t port;     // 0: none yet. Changed with all_lock held
    _Atomic uint32_t groups;   // bit n - 1: group n
    _Atomic uint32_t peer;     // the same, of connect
    _Atomic uint32_t switches; // bit n: enum netlink_option
    struct mutex lock;         // guards what follows
    struct datagram *first, **last;
    size_t queued; // bytes
    int error;     // to be told once
    struct waitqueue readers;
    struct poll_list poll;
    struct socket_options options;
    struct nameless nameless;
};

static struct mutex all_lock;
static struct list all = LIST_EMPTY(all);

static const struct file_ops netlink_ops;

bool file_is_netlinksocket(const struct file *file)
{
    return file->ops == &netlink_ops;
}

static struct netlink_socket *netlink_of(const struct file *file)
{
    return file->state;
}

static struct socket_options *netlink_options(struct file *file)
{
    return &netlink_of(file)->options;
}

static bool has_switch(const struct netlink_socket *socket, int name)
{
    return (atomic_load(&socket->switches) >> name & 1) != 0;
}

// ---- The queue -----------------------------------------------------------------------------

// Takes the datagram. With lock held.
static void datagram_push(struct netlink_socket *socket, struct datagram *datagram)
{
    datagram->next = NULL;
    *socket->last = datagram;
    socket->last = &datagram->next;
    socket->queued += datagram->size;
    waitqueue_wake_one(&socket->readers);
}

// The same.
static void bytes_push(struct netlink_socket *socket, uint32_t group, const char *bytes,
                       size_t size)
{
    size = packet_filter_look(&socket->options.filter, bytes, size);
    if (size == 0) {
        return;
    }
    const bool has_room = socket->queued < atomic_load(&socket->options.receive_limit);
    struct datagram *datagram = has_room ? heap_alloc(sizeof *datagram + size) : NULL;
    if (datagram == NULL) {
        socket->error = has_switch(socket, NETLINK_NO_ENOBUFS) ? socket->error : -ENOBUFS;
        return;
    }
    datagram->group = group;
    datagram->size = size;
    memcpy(datagram->bytes, bytes, size);
    datagram_push(socket, datagram);
}

static uint32_t message_size(const char *message)
{
    uint32_t size;
    memcpy(&size, message, sizeof size);
    return (size + NETLINK_ALIGN - 1) & ~(uint32_t)(NETLINK_ALIGN - 1);
}

// All messages of an answer; those of a dump share datagrams, but for the last, which ends it.
static void answer_push(struct netlink_socket *socket, const struct netlink_answer *answer)
{
    size_t begin = 0, end = 0;
    mutex_lock(&socket->lock);
    while (end < answer->size) {
        const size_t size = message_size(answer->data + end);
        const bool is_end = !answer->is_dump || end == answer->message;
        if (end > begin && (is_end || end + size - begin > DATAGRAM_MAX)) {
            bytes_push(socket, 0, answer->data + begin, end - begin);
            begin = end;
        }
        end += size;
    }
    if (end > begin) {
        bytes_push(socket, 0, answer->data + begin, end - begin);
    }
    mutex_unlock(&socket->lock);
    poll_list_wake(&socket->poll, POLL_IN_ANY | POLL_ERROR);
}

void netlink_tell(uint32_t group, const struct netlink_answer *message)
{
    struct list *node;
    mutex_lock(&all_lock);
    list_for_each(node, &all)
    {
        struct netlink_socket *socket = container_of(node, struct netlink_socket, node);
        if (socket->protocol == NETLINK_ROUTE &&
            (atomic_load(&socket->groups) >> (group - 1) & 1) != 0) {
            mutex_lock(&socket->lock);
            bytes_push(socket, group, message->data, message->size);
            mutex_unlock(&socket->lock);
            poll_list_wake(&socket->poll, POLL_IN_ANY | POLL_ERROR);
        }
    }
    mutex_unlock(&all_lock);
}

// ---- Requests ------------------------------------------------------------------------------

// What became of a request: of one that failed it is sent back, if that is not declined.
static void verdict_put(struct netlink_socket *socket, const struct netlink_request *request,
                        struct netlink_answer *answer, int error)
{
    const struct netlink_header *asked = request->header;
    const bool is_whole = error != 0 && !has_switch(socket, NETLINK_CAP_ACK);
    const bool has_why = answer->why != NULL && has_switch(socket, NETLINK_EXT_ACK);
    const size_t body = is_whole ? request->size : 0;
    answer->flags = (uint16_t)((is_whole ? 0 : NLM_F_CAPPED) | (has_why ? NLM_F_ACK_TLVS : 0));
    char *to = netlink_begin(answer, NLMSG_ERROR, sizeof error + sizeof *asked + body);
    if (to != NULL) {
        memcpy(to, &error, sizeof error);
        memcpy(to + sizeof error, asked, sizeof *asked);
        memcpy(to + sizeof error + sizeof *asked, request->body, body);
    }
    if (has_why) {
        netlink_put_text(answer, NLMSGERR_ATTR_MSG, answer->why);
    }
}

static void dump_end(struct netlink_socket *socket, struct netlink_answer *answer, int error)
{
    const bool has_why = error != 0 && answer->why != NULL && has_switch(socket, NETLINK_EXT_ACK);
    answer->flags |= has_why ? NLM_F_ACK_TLVS : 0;
    char *to = netlink_begin(answer, NLMSG_DONE, sizeof error);
    if (to != NULL) {
        memcpy(to, &error, sizeof error);
    }
    if (has_why) {
        netlink_put_text(answer, NLMSGERR_ATTR_MSG, answer->why);
    }
}

static netlink_asked *asked_of(const struct netlink_socket *socket)
{
    return socket->protocol == NETLINK_ROUTE ? netlink_route_asked : netlink_diag_asked;
}

static void request_answer(struct netlink_socket *socket, const struct netlink_request *request)
{
    const uint16_t flags = request->header->flags;
    const bool is_request = (flags & NLM_F_REQUEST) != 0 && request->header->type >= NLMSG_MIN_TYPE;
    struct netlink_answer answer = {.port = socket->port, .sequence = request->header->sequence};
    answer.flags = flags & NLM_F_DUMP ? NLM_F_MULTI : 0;
    int error = is_request ? asked_of(socket)(request, &answer) : 0;
    if (answer.is_dump) {
        dump_end(socket, &answer, error);
    } else if (error != 0 || (flags & NLM_F_ACK) != 0) {
        verdict_put(socket, request, &answer, error);
    }
    if (answer.is_short) { // not a part of it
        answer.size = 0;
        mutex_lock(&socket->lock);
        socket->error = -ENOBUFS;
        mutex_unlock(&socket->lock);
    }
    answer_push(socket, &answer);
    heap_free(answer.data);
}

static void requests_answer(struct netlink_socket *socket, const char *data, size_t size)
{
    struct netlink_header head;
    for (size_t at = 0; size - at >= sizeof head;) {
        memcpy(&head, data + at, sizeof head);
        if (head.size < sizeof head || head.size > size - at) {
            return;
        }
        const struct netlink_request request = {
            .header = &head,
            .body = data + at + sizeof head,
            .size = (uint32_t)(head.size - sizeof head),
            .is_strict = has_switch(socket, NETLINK_GET_STRICT_CHK),
        };
        request_answer(socket, &request);
        const size_t step = message_size(data + at);
        at += step < size - at ? step : size - at;
    }
}

// ---- Names ---------------------------------------------------------------------------------

// With all_lock held.
static bool port_is_taken(const struct netlink_socket *socket, uint32_t port)
{
    const struct list *node;
    list_for_each(node, &all)
    {
        const struct netlink_socket *other = container_of(node, struct netlink_socket, node);
        if (other->protocol == socket->protocol && other->port == port) {
            return true;
        }
    }
    return false;
}

// The process's number, or, where another socket has that, a large one.
static int port_choose(struct netlink_socket *socket, uint32_t wanted)
{
    enum { LAST = -4096 };
    uint32_t port = wanted != 0 ? wanted : (uint32_t)linux_getpid();
    int error = 0;
    mutex_lock(&all_lock);
    if (socket->port != 0) {
        error = wanted != 0 && wanted != socket->port ? -EINVAL : 0;
    } else if (wanted != 0) {
        error = port_is_taken(socket, wanted) ? -EADDRINUSE : 0;
        socket->port = error == 0 ? wanted : 0;
    } else {
        for (uint32_t next = (uint32_t)LAST; port_is_taken(socket, port); --next) {
            port = next;
        }
        socket->port = port;
    }
    mutex_unlock(&all_lock);
    return error;
}

static int name_read(struct netlink_name *name, const void *user, uint32_t size)
{
    if (size < sizeof *name) {
        return -EINVAL;
    }
    const int error = user_read(name, user, sizeof *name);
    return error != 0 ? error : name->family != AF_NETLINK ? -EINVAL : 0;
}

static int netlink_bind(struct file *file, const void *user, uint32_t size)
{
    struct netlink_socket *socket = netlink_of(file);
    struct netlink_name name;
    int error = name_read(&name, user, size);
    error = error != 0 ? error : port_choose(socket, name.port);
    if (error == 0) {
        atomic_store(&socket->groups, name.groups);
    }
    return error;
}

// Who it is for is the kernel: 0.
static int netlink_connect(struct file *file, const void *user, uint32_t size)
{
    struct netlink_socket *socket = netlink_of(file);
    struct netlink_name name = {0};
    sa_family_t family = AF_UNSPEC;
    int error = size < sizeof family ? -EINVAL : user_read(&family, user, sizeof family);
    if (error == 0 && family == AF_UNSPEC) {
        atomic_store(&socket->peer, 0);
        return 0;
    }
    error = error != 0 ? error : name_read(&name, user, size);
    error = error == 0 && name.port != 0 ? -ECONNREFUSED : error;
    error = error != 0 ? error : port_choose(socket, 0);
    if (error == 0) {
        atomic_store(&socket->peer, name.groups);
    }
    return error;
}

static int netlink_name(struct file *file, bool is_peer, struct socket_address *address)
{
    struct netlink_socket *socket = netlink_of(file);
    address->netlink = (struct netlink_name){
        .family = AF_NETLINK,
        .port = is_peer ? 0 : atomic_load(&socket->port),
        .groups = atomic_load(is_peer ? &socket->peer : &socket->groups),
    };
    address->size = sizeof address->netlink;
    return 0;
}

// ---- Moving --------------------------------------------------------------------------------

static int bytes_read(const struct io_vector *vectors, size_t count, size_t size, char *to)
{
    size_t at = 0;
    int error = 0;
    for (size_t i = 0; i < count && error == 0 && at < size; ++i) {
        error = user_read(to + at, vectors[i].data, vectors[i].size);
        at += vectors[i].size;
    }
    return error;
}

static int vectors_send(struct netlink_socket *socket, const struct io_vector *vectors,
                        size_t count, size_t *done)
{
    size_t size = 0;
    for (size_t i = 0; i < count && size <= LIMIT_DEFAULT; ++i) {
        size += vectors[i].size;
    }
    if (size == 0 || size > atomic_load(&socket->options.send_limit)) {
        return size == 0 ? -ENODATA : -EMSGSIZE;
    }
    char *data = heap_alloc(size);
    int error = data == NULL ? -ENOBUFS : bytes_read(vectors, count, size, data);
    error = error != 0 ? error : port_choose(socket, 0);
    if (error == 0) {
        requests_answer(socket, data, size);
        *done = size;
    }
    heap_free(data);
    return error;
}

static long netlink_send(struct file *file, const struct socket_message *sent)
{
    struct netlink_name name;
    size_t done = 0;
    int error = 0;
    if (sent->flags & MSG_OOB) {
        return -EOPNOTSUPP;
    }
    if (sent->name != NULL && sent->name_size > 0) {
        error = name_read(&name, sent->name, sent->name_size);
        error = error == 0 && name.port != 0 ? -ECONNREFUSED : error;
    }
    error = error != 0 ? error : vectors_send(netlink_of(file), sent->vectors, sent->count, &done);
    return error != 0 ? error : (long)done;
}

// With lock held.
static int datagram_await(struct netlink_socket *socket, bool waits, hal_ns deadline)
{
    for (;;) {
        const int error = socket->error;
        socket->error = 0;
        if (error != 0 || socket->first != NULL) {
            return error;
        }
        if (!waits) {
            return -EAGAIN;
        }
        const enum wait_result result =
            waitqueue_wait_until(&socket->readers, &socket->lock, deadline, true);
        if (result != WAIT_WOKEN) {
            return result == WAIT_INTERRUPTED ? -EINTR : -EAGAIN;
        }
    }
}

static int bytes_write(const struct datagram *datagram, const struct io_vector *vectors,
                       size_t count, size_t *done)
{
    int error = 0;
    for (size_t i = 0; i < count && error == 0 && *done < datagram->size; ++i) {
        const size_t rest = datagram->size - *done;
        const size_t part = rest < vectors[i].size ? rest : vectors[i].size;
        error = user_write(vectors[i].data, datagram->bytes + *done, part);
        *done += part;
    }
    return error;
}

// The next datagram, as much of it as fits, and of *head what is known without its bytes.
static int datagram_receive(struct file *file, const struct io_vector *vectors, size_t count,
                            int flags, struct datagram *head, size_t *done)
{
    struct netlink_socket *socket = netlink_of(file);
    const uint32_t file_flags = atomic_load_explicit(&file->flags, memory_order_relaxed);
    const bool waits = (flags & MSG_DONTWAIT) == 0 && (file_flags & OPEN_NONBLOCK) == 0;
    const hal_ns span = atomic_load(&socket->options.receive_timeout);
    const hal_ns deadline = span == 0 ? UINT64_MAX : hal_clock_ns() + span;
    struct datagram *taken = NULL;
    mutex_lock(&socket->lock);
    int error = datagram_await(socket, waits, deadline);
    if (error == 0) {
        struct datagram *datagram = socket->first;
        *head = *datagram;
        error = bytes_write(datagram, vectors, count, done);
        if ((flags & MSG_PEEK) == 0) {
            taken = datagram;
            socket->first = datagram->next;
            socket->last = socket->first == NULL ? &socket->first : socket->last;
            socket->queued -= datagram->size;
        }
    }
    mutex_unlock(&socket->lock);
    heap_free(taken);
    return error;
}

static int controls_put(struct netlink_socket *socket, uint32_t group, struct controls *controls)
{
    static const struct localsocket_credentials kernel = {0, 0, 0};
    int error = 0;
    if (has_switch(socket, NETLINK_PKTINFO)) {
        error = control_write(controls, SOL_NETLINK, NETLINK_PKTINFO, &group, sizeof group);
    }
    if (error == 0 && atomic_load(&socket->options.passes_credentials)) {
        error = control_write(controls, SOL_SOCKET, SCM_CREDENTIALS, &kernel, sizeof kernel);
    }
    return error;
}

static long netlink_receive(struct file *file, struct socket_message *to)
{
    struct datagram head = {.size = 0};
    size_t done = 0;
    if (to->flags & MSG_OOB) {
        return -EOPNOTSUPP;
    }
    int error = datagram_receive(file, to->vectors, to->count, to->flags, &head, &done);
    if (error != 0) {
        return error;
    }
    to->from.netlink = (struct netlink_name){
        .family = AF_NETLINK,
        .groups = head.group == 0 ? 0 : 1u << (head.group - 1),
    };
    to->from.size = sizeof to->from.netlink;
    to->answer_flags = done < head.size ? MSG_TRUNC : 0;
    if (to->controls != NULL) {
        error = controls_put(netlink_of(file), head.group, to->controls);
    }
    return error != 0 ? error : (long)(to->flags & MSG_TRUNC ? head.size : done);
}

static int netlink_read_vectors(struct file *file, const struct io_vector *vectors, size_t count,
                                size_t *done)
{
    struct datagram head;
    return datagram_receive(file, vectors, count, 0, &head, done);
}

static int netlink_write_vectors(struct file *file, const struct io_vector *vectors, size_t count,
                                 size_t *done)
{
    return vectors_send(netlink_of(file), vectors, count, done);
}

// ---- As a file -----------------------------------------------------------------------------

static unsigned netlink_poll(struct file *file, struct poll_entry *entry)
{
    struct netlink_socket *socket = netlink_of(file);
    if (entry != NULL) {
        poll_list_add(&socket->poll, entry);
    }
    mutex_lock(&socket->lock);
    const unsigned ready = POLL_OUT_ANY | (socket->first != NULL ? POLL_IN_ANY : 0) |
                           (socket->error != 0 ? POLL_ERROR : 0);
    mutex_unlock(&socket->lock);
    return ready;
}

static void netlink_close(struct file *file)
{
    struct netlink_socket *socket = netlink_of(file);
    mutex_lock(&all_lock);
    list_remove(&socket->node);
    mutex_unlock(&all_lock);
    while (socket->first != NULL) {
        struct datagram *next = socket->first->next;
        heap_free(socket->first);
        socket->first = next;
    }
    packet_filter_end(&socket->options.filter);
    heap_free(socket);
}

static struct nameless *netlink_nameless(struct file *file)
{
    return &netlink_of(file)->nameless;
}

static const struct file_ops netlink_ops = {
    .read = socket_file_read,
    .write = socket_file_write,
    .poll = netlink_poll,
    .nameless = netlink_nameless,
    .close = netlink_close,
};

int netlink_create(struct file **file, int type, int protocol, uint32_t flags)
{
    if (type != SOCK_RAW && type != SOCK_DGRAM) {
        return -ESOCKTNOSUPPORT;
    }
    if (protocol != NETLINK_ROUTE && protocol != NETLINK_SOCK_DIAG) {
        return -EPROTONOSUPPORT;
    }
    struct netlink_socket *socket = heap_alloc_zeroed(sizeof *socket);
    if (socket == NULL) {
        return -ENOMEM;
    }
    socket->type = (uint8_t)type;
    socket->protocol = (uint8_t)protocol;
    socket->last = &socket->first;
    nameless_init(&socket->nameless, MODE_SOCKET | 0777);
    atomic_store(&socket->options.send_limit, LIMIT_DEFAULT);
    atomic_store(&socket->options.receive_limit, LIMIT_DEFAULT);
    const int error =
        file_create(file, &netlink_ops, (flags & OPEN_NONBLOCK) | OPEN_READ_WRITE, socket);
    if (error != 0) {
        heap_free(socket);
        return error;
    }
    (*file)->is_stream = true;
    route_watch(netlink_route_changed);
    netif_watch(netlink_link_changed);
    mutex_lock(&all_lock);
    list_push_back(&all, &socket->node);
    mutex_unlock(&all_lock);
    return 0;
}

// ---- Options -------------------------------------------------------------------------------

static int membership_set(struct netlink_socket *socket, bool is_member, int group)
{
    if (group < 1 || group > RTNLGRP_MAX) {
        return -EINVAL;
    }
    if (group <= GROUP_LAST && is_member) {
        atomic_fetch_or(&socket->groups, 1u << (group - 1));
    } else if (group <= GROUP_LAST) {
        atomic_fetch_and(&socket->groups, ~(1u << (group - 1)));
    }
    return 0;
}

static bool is_switch(int name)
{
    return name == NETLINK_PKTINFO || name == NETLINK_BROADCAST_ERROR ||
           name == NETLINK_NO_ENOBUFS || name == NETLINK_CAP_ACK || name == NETLINK_EXT_ACK ||
           name == NETLINK_GET_STRICT_CHK;
}

static int netlink_option_set(struct file *file, int level, int name, const void *user,
                              uint32_t size)
{
    struct netlink_socket *socket = netlink_of(file);
    int value = 0;
    int error = size < sizeof value ? 0 : user_read(&value, user, sizeof value);
    if (error != 0) {
        return error;
    }
    if (level == SOL_SOCKET && name == SO_PASSCRED) {
        atomic_store(&socket->options.passes_credentials, value != 0);
        return 0;
    }
    if (level != SOL_NETLINK) {
        return -ENOPROTOOPT;
    }
    if (name == NETLINK_ADD_MEMBERSHIP || name == NETLINK_DROP_MEMBERSHIP) {
        return membership_set(socket, name == NETLINK_ADD_MEMBERSHIP, value);
    }
    if (!is_switch(name)) {
        return -ENOPROTOOPT;
    }
    if (value != 0) {
        atomic_fetch_or(&socket->switches, 1u << name);
    } else {
        atomic_fetch_and(&socket->switches, ~(1u << name));
    }
    return 0;
}

static int netlink_option_get(struct file *file, int level, int name, union socket_option *value)
{
    struct netlink_socket *socket = netlink_of(file);
    if (level == SOL_NETLINK && is_switch(name)) {
        value->number = has_switch(socket, name);
        return sizeof value->number;
    }
    if (level == SOL_NETLINK && name == NETLINK_LIST_MEMBERSHIPS) {
        value->groups[0] = atomic_load(&socket->groups);
        value->groups[1] = 0;
        return sizeof value->groups;
    }
    if (level != SOL_SOCKET) {
        return -ENOPROTOOPT;
    }
    switch (name) {
    case SO_TYPE:
        value->number = socket->type;
        return sizeof value->number;
    case SO_DOMAIN:
        value->number = AF_NETLINK;
        return sizeof value->number;
    case SO_PROTOCOL:
        value->number = socket->protocol;
        return sizeof value->number;
    case SO_ACCEPTCONN:
        value->number = 0;
        return sizeof value->number;
    case SO_PASSCRED:
        value->number = atomic_load(&socket->options.passes_credentials);
        return sizeof value->number;
    default:
        return -ENOPROTOOPT;
    }
}

static int netlink_error_take(struct file *file)
{
    struct netlink_socket *socket = netlink_of(file);
    mutex_lock(&socket->lock);
    const int error = socket->error;
    socket->error = 0;
    mutex_unlock(&socket->lock);
    return error;
}

static int netlink_listen(struct file *file, int backlog)
{
    (void)file, (void)backlog;
    return -EOPNOTSUPP;
}

static int netlink_accept(struct file *file, uint32_t flags, struct file **accepted)
{
    (void)file, (void)flags, (void)accepted;
    return -EOPNOTSUPP;
}

static int netlink_shutdown(struct file *file, int how)
{
    (void)file, (void)how;
    return -EOPNOTSUPP;
}

static bool netlink_breaks_silently(const struct file *file)
{
    (void)file;
    return true;
}

const struct socket_calls netlink_calls = {
    .send = netlink_send,
    .receive = netlink_receive,
    .read = netlink_read_vectors,
    .write = netlink_write_vectors,
    .bind = netlink_bind,
    .connect = netlink_connect,
    .listen = netlink_listen,
    .accept = netlink_accept,
    .name = netlink_name,
    .shutdown = netlink_shutdown,
    .option_set = netlink_option_set,
    .option_get = netlink_option_get,
    .options = netlink_options,
    .error_take = netlink_error_take,
    .breaks_silently = netlink_breaks_silently,
};
