// SPDX-License-Identifier: BSD-3-Clause
// socketinet.c: the families of ip(7) and ipv6(7), as system calls see them. What is
// different for tcp(7) is in inettcp.c.
#include "core/linux/socketinet.h"

#include <netinet/udp.h>
#include <sys/ioctl.h>

#include "core/lib/errno.h"
#include "core/lib/list.h"
#include "core/lib/string.h"
#include "core/linux/credentials.h"
#include "core/linux/transfer.h"
#include "core/linux/user.h"
#include "core/mem/heap.h"
#include "core/net/datagram.h"
#include "core/net/flow.h"
#include "core/net/ip.h"
#include "core/net/netif.h"
#include "core/net/udp.h"

enum {
    LIMIT_DEFAULT = 212992,   // net.core.wmem_default, rmem_default of Linux
    V6_SIZE_MIN = 24,         // a sockaddr_in6 without scope (RFC 2133)
    PORT_UNPRIVILEGED = 1024, // net.ipv4.ip_unprivileged_port_start
    PROTOCOL_MAX = 262,       // IPPROTO_MPTCP
    POLL_ALL = POLL_IN_ANY | POLL_READ_HANG_UP | POLL_HANG_UP | POLL_ERROR, // without saying
};

bool file_is_inetsocket(const struct file *file)
{
    return file->ops == &inet_ops;
}

static struct socket_options *inet_options(struct file *file)
{
    return &inet_of(file)->options;
}

static bool has_switch(struct inet_socket *inet, int name)
{
    return (atomic_load(&inet->options.switches) >> name & 1) != 0;
}

struct net_patience inet_patience(const struct file *file, int flags, const _Atomic hal_ns *timeout)
{
    const uint32_t file_flags = atomic_load_explicit(&file->flags, memory_order_relaxed);
    const hal_ns span = atomic_load_explicit(timeout, memory_order_relaxed);
    return (struct net_patience){
        .waits = (flags & MSG_DONTWAIT) == 0 && (file_flags & OPEN_NONBLOCK) == 0,
        .deadline = span == 0 ? UINT64_MAX : hal_clock_ns() + span,
    };
}

// ---- Addresses -------------------------------------------------------------

static int v4_read(struct net_end *end, const struct sockaddr_in *address, uint32_t size)
{
    if (size < sizeof *address) {
        return -EINVAL;
    }
    *end = (struct net_end){address_of_v4(&address->sin_addr), net_order16(address->sin_port)};
    return 0;
}

// A caller's address and its family, which who calls judges. The rest is there where the family is
// AF_INET or, for an IPv6 socket, AF_INET6.
struct inet_name {
    struct net_end end;
    int family;
    uint32_t scope; // the index of the interface, where the address needs one and it is said; or 0
};

static int address_read(struct inet_socket *inet, struct inet_name *name, const void *user,
                        uint32_t size)
{
    union {
        sa_family_t family;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } address = {0};
    if (size < sizeof address.family || (int32_t)size < 0 ||
        size > sizeof(struct sockaddr_storage)) {
        return -EINVAL;
    }
    const int error = user_read(&address, user, size < sizeof address ? size : sizeof address);
    if (error != 0) {
        return error;
    }
    name->family = address.family;
    name->scope = 0;
    if (address.family == AF_INET6 && !inet->socket.is_v4) {
        if (size < V6_SIZE_MIN) {
            return -EINVAL;
        }
        name->end = (struct net_end){address_of_v6(&address.v6.sin6_addr),
                                     net_order16(address.v6.sin6_port)};
        if (address_needs_scope(&name->end.address) && size >= sizeof address.v6) {
            name->scope = address.v6.sin6_scope_id;
        }
        return 0;
    }
    // What is of neither family is a matter of its length first where the socket is IPv4's.
    const bool is_v4 = address.family == AF_INET || inet->socket.is_v4;
    return is_v4 ? v4_read(&name->end, &address.v4, size) : 0;
}

void inet_address_tell(const struct inet_socket *inet, const struct net_end *end, uint32_t netif,
                       struct socket_address *address)
{
    if (inet->socket.is_v4) {
        address->v4 =
            (struct sockaddr_in){.sin_family = AF_INET, .sin_port = net_order16(end->port)};
        memcpy(&address->v4.sin_addr, address_v4_bytes(&end->address), ADDRESS_V4_SIZE);
        address->size = sizeof address->v4;
    } else {
        address->v6 =
            (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = net_order16(end->port)};
        memcpy(&address->v6.sin6_addr, &end->address, ADDRESS_V6_SIZE);
        address->v6.sin6_scope_id = address_needs_scope(&end->address) ? netif : 0;
        address->size = sizeof address->v6;
    }
}

static bool is_mapped_refused(struct inet_socket *inet, const struct net_end *end)
{
    return inet->socket.options.is_v6_only && address_is_v4(&end->address);
}

// ---- Interfaces --------------------------------------------------------------

static uint32_t inet_netif(const struct file *file)
{
    return net_socket_netif(&inet_of(file)->socket);
}

static int inet_netif_set(struct file *file, uint32_t index)
{
    struct inet_socket *inet = inet_of(file);
    if (inet_is_stream(inet)) {
        tcp_enter(&inet->tcp);
        const int error = net_socket_netif_set(&inet->socket, index);
        tcp_leave_and_run(&inet->tcp);
        return error;
    }
    mutex_lock(&inet->socket.lock);
    const int error = net_socket_netif_set(&inet->socket, index);
    mutex_unlock(&inet->socket.lock);
    return error;
}

// An address of IPv6 that needs an interface binds the socket to that (RFC 4007, 6). -EINVAL: there
// is none. may_move: another than the socket's.
static int scope_use(struct file *file, const struct inet_name *name, bool may_move)
{
    const uint32_t bound = inet_netif(file);
    if (!address_needs_scope(&name->end.address)) {
        return 0;
    }
    if (name->scope == 0 || name->scope == bound) {
        return bound == 0 ? -EINVAL : 0;
    }
    return bound != 0 && !may_move ? -EINVAL : inet_netif_set(file, name->scope);
}

// The same for bind, where the interface has to be there.
static int bind_scope_use(struct file *file, const struct inet_name *name)
{
    const int error = scope_use(file, name, true);
    const bool is_bound = !address_is_any(&name->end.address) &&
                          !address_is_v4(&name->end.address) && inet_netif(file) != 0;
    return error == 0 && is_bound && netif_at(inet_netif(file)) == NULL ? -ENODEV : error;
}

static int inet_bind(struct file *file, const void *user, uint32_t size)
{
    struct inet_socket *inet = inet_of(file);
    struct inet_name name;
    int error = address_read(inet, &name, user, size);
    if (error != 0) {
        return error;
    }
    if (!inet->socket.is_v4 && size < V6_SIZE_MIN) {
        return -EINVAL;
    }
    const bool is_ours = name.family == (inet->socket.is_v4 ? AF_INET : AF_INET6);
    const bool is_nobody = inet->socket.is_v4 && name.family == AF_UNSPEC;
    if (!is_ours && !(is_nobody && address_is_any(&name.end.address))) {
        return -EAFNOSUPPORT;
    }
    if (is_mapped_refused(inet, &name.end)) {
        return -EINVAL;
    }
    if (!inet_is_raw(inet) && name.end.port != 0 && name.end.port < PORT_UNPRIVILEGED &&
        !credentials_may(CAPABILITY_NET_BIND_SERVICE)) {
        return -EACCES;
    }
    error = bind_scope_use(file, &name);
    if (error != 0) {
        return error;
    }
    if (inet_is_raw(inet)) {
        return raw_bind(&inet->raw, &name.end);
    }
    mutex_lock(&inet->socket.lock);
    inet->socket.options.shares =
        (uint8_t)((has_switch(inet, SO_REUSEADDR) ? FLOW_SHARES_ADDRESS : 0) |
                  (has_switch(inet, SO_REUSEPORT) ? FLOW_SHARES_PORT : 0));
    mutex_unlock(&inet->socket.lock);
    return net_socket_bind(&inet->socket, &name.end);
}

static int datagram_connect(struct inet_socket *inet, const struct net_end *end)
{
    return inet_is_raw(inet) ? raw_connect(&inet->raw, end) : udp_connect(&inet->socket, end);
}

int inet_connect_with(struct file *file, const struct net_message *message, size_t *done,
                      const void *user, uint32_t size)
{
    struct inet_socket *inet = inet_of(file);
    struct inet_name name = {.family = AF_UNSPEC};
    int error = address_read(inet, &name, user, size);
    const int family = name.family;
    if (family == AF_UNSPEC && size >= sizeof(sa_family_t) && error != -EFAULT) {
        if (inet_is_stream(inet)) {
            tcp_disconnect(&inet->tcp);
            return 0;
        }
        return datagram_connect(inet, NULL);
    }
    if (error != 0) {
        return error;
    }
    const bool is_v4_taken = inet->socket.is_v4 || !inet->socket.options.is_v6_only;
    if (family != AF_INET6 && !(family == AF_INET && is_v4_taken)) {
        return -EAFNOSUPPORT;
    }
    if (family == AF_INET6 && inet->socket.is_v4) {
        return -EAFNOSUPPORT;
    }
    if (is_mapped_refused(inet, &name.end)) {
        return -ENETUNREACH;
    }
    error = scope_use(file, &name, false);
    if (error != 0) {
        return error;
    }
    if (!inet_is_stream(inet)) {
        return datagram_connect(inet, &name.end);
    }
    if (message != NULL) {
        return tcp_connect_fast_to(&inet->tcp, &name.end, message, done);
    }
    return stream_connect(file, &name.end);
}

static int inet_connect(struct file *file, const void *user, uint32_t size)
{
    return inet_connect_with(file, NULL, NULL, user, size);
}

static int inet_name(struct file *file, bool is_peer, struct socket_address *address)
{
    struct inet_socket *inet = inet_of(file);
    struct net_end local, remote;
    net_socket_ends(&inet->socket, &local, &remote);
    if (is_peer && (remote.port == 0 || (inet_is_stream(inet) && !tcp_is_connected(&inet->tcp)))) {
        return -ENOTCONN;
    }
    inet_address_tell(inet, is_peer ? &remote : &local, inet_netif(file), address);
    return 0;
}

static int inet_listen(struct file *file, int backlog)
{
    struct inet_socket *inet = inet_of(file);
    return inet_is_stream(inet) ? tcp_listen(&inet->tcp, backlog) : -EOPNOTSUPP;
}

static int inet_accept(struct file *file, uint32_t flags, struct file **accepted)
{
    return inet_is_stream(inet_of(file)) ? stream_accept(file, flags, accepted) : -EOPNOTSUPP;
}

static int inet_shutdown(struct file *file, int how)
{
    static const unsigned what[] = {
        [SHUT_RD] = NET_SHUT_READ,
        [SHUT_WR] = NET_SHUT_WRITE,
        [SHUT_RDWR] = NET_SHUT_READ | NET_SHUT_WRITE,
    };
    struct inet_socket *inet = inet_of(file);
    return inet_is_stream(inet) ? tcp_shutdown(&inet->tcp, what[how])
                                : datagram_shutdown(&inet->socket, what[how]);
}

// ---- Moving ----------------------------------------------------------------

// Where a datagram goes. *to stays NULL where it is not said.
static int addressee_read(struct inet_socket *inet, const struct socket_message *sent,
                          struct inet_name *name, const struct net_end **to)
{
    *to = NULL;
    if (sent->name == NULL) {
        return 0;
    }
    const int error = address_read(inet, name, sent->name, sent->name_size);
    const int family = name->family;
    if (error != 0) {
        return error;
    }
    *to = &name->end;
    if (inet->socket.is_v4) {
        return family == AF_INET || family == AF_UNSPEC ? 0 : -EAFNOSUPPORT;
    }
    if (family == AF_UNSPEC) {
        *to = NULL;
        return 0;
    }
    if (family != AF_INET && family != AF_INET6) {
        return -EINVAL;
    }
    return is_mapped_refused(inet, &name->end) ? -ENETUNREACH : 0;
}

// What goes along with a datagram: where it is to come from, and how it is cut. The address is the
// caller's.
struct origin {
    struct net_address source;
    int index;
    bool has_source, has_segment;
    uint16_t segment;
};

static int segment_read(struct origin *origin, const struct cmsghdr *head, const char *content,
                        size_t size)
{
    if (head->cmsg_type != UDP_SEGMENT || size != sizeof origin->segment) {
        return -EINVAL;
    }
    memcpy(&origin->segment, content, sizeof origin->segment);
    origin->has_segment = true;
    return 0;
}

static int origin_read(struct origin *origin, const struct cmsghdr *head, const char *content,
                       size_t size)
{
    struct in_pktinfo v4;
    struct in6_pktinfo v6;
    if (head->cmsg_level == IPPROTO_IP && head->cmsg_type == IP_PKTINFO && size == sizeof v4) {
        memcpy(&v4, content, sizeof v4);
        origin->index = v4.ipi_ifindex != 0 ? v4.ipi_ifindex : origin->index;
        origin->has_source = true; // 0.0.0.0: as the way says, whatever bind has said
        origin->source = address_of_v4(&v4.ipi_spec_dst);
        return v4.ipi_ifindex != 0 && netif_at((uint32_t)v4.ipi_ifindex) == NULL ? -ENODEV : 0;
    }
    if (head->cmsg_level == IPPROTO_IPV6 && head->cmsg_type == IPV6_PKTINFO && size >= sizeof v6) {
        memcpy(&v6, content, sizeof v6);
        if (origin->index != 0 && v6.ipi6_ifindex != 0 && origin->index != (int)v6.ipi6_ifindex) {
            return -EINVAL;
        }
        origin->index = v6.ipi6_ifindex != 0 ? (int)v6.ipi6_ifindex : origin->index;
        origin->source = address_of_v6(&v6.ipi6_addr);
        origin->has_source = !address_is_any(&origin->source);
        return v6.ipi6_ifindex != 0 && netif_at(v6.ipi6_ifindex) == NULL ? -ENODEV : 0;
    }
    return -EINVAL;
}

// Those of other levels are others' business.
static int controls_read(struct inet_socket *inet, const struct socket_message *sent,
                         struct origin *origin)
{
    char *data;
    int error = controls_copy(sent, &data);
    size_t at = 0;
    while (error == 0 && data != NULL && at + sizeof(struct cmsghdr) <= sent->control_size) {
        struct cmsghdr head;
        size_t length; // 64 bits of it
        memcpy(&head, data + at, sizeof head);
        memcpy(&length, data + at, sizeof length);
        const bool is_whole = length >= sizeof head && length <= sent->control_size - at;
        const bool is_ours = head.cmsg_level == IPPROTO_IP ||
                             (head.cmsg_level == IPPROTO_IPV6 && !inet->socket.is_v4);
        const char *content = data + at + CMSG_LEN(0);
        error = !is_whole || head.cmsg_level == SOL_SOCKET ? -EINVAL
                : is_ours ? origin_read(origin, &head, content, length - CMSG_LEN(0))
                : head.cmsg_level == SOL_UDP && !inet_is_raw(inet)
                    ? segment_read(origin, &head, content, length - CMSG_LEN(0))
                    : 0;
        at += CMSG_ALIGN(length);
    }
    heap_free(data);
    return error;
}

// Into message, which points to origin.
static int origin_use(const struct origin *origin, struct net_message *message)
{
    message->source = origin->has_source ? &origin->source : NULL;
    message->has_segment = origin->has_segment;
    message->segment = origin->segment;
    message->by = origin->index != 0 ? netif_at((uint32_t)origin->index) : NULL;
    return origin->index != 0 && message->by == NULL ? -ENETUNREACH : 0;
}

static int datagram_send(struct inet_socket *inet, const struct net_message *message, size_t *done)
{
    return inet_is_raw(inet) ? raw_send(&inet->raw, message, done)
                             : udp_send(&inet->socket, message, done);
}

static long inet_send(struct file *file, const struct socket_message *sent)
{
    struct inet_socket *inet = inet_of(file);
    struct net_message message = {.vectors = sent->vectors, .count = sent->count};
    struct inet_name name = {.scope = 0};
    struct origin origin = {.index = 0};
    size_t done = 0;
    if (inet_is_stream(inet)) {
        return stream_send(file, sent);
    }
    struct inet_loan *loan = NULL;
    message.has_rest = (sent->flags & MSG_MORE) != 0;
    if ((message.has_rest && inet_is_raw(inet)) ||
        ((sent->flags & MSG_OOB) && inet->socket.is_v4)) {
        return -EOPNOTSUPP;
    }
    message.has_next = (sent->flags & SOCKET_BATCH) != 0;
    int error = addressee_read(inet, sent, &name, &message.to);
    origin.index = (int)name.scope;
    if (origin.index == 0 && sent->control_size != 0 && !inet->socket.is_v4) {
        origin.index = (int)inet_netif(file);
    }
    error = error != 0 || sent->control_size == 0 ? error : controls_read(inet, sent, &origin);
    error = error != 0 ? error : origin_use(&origin, &message);
    if (error == 0 && (sent->flags & MSG_ZEROCOPY) != 0) {
        error = inet_loan_begin(inet, sent, &loan);
    }
    error = error != 0 ? error : datagram_send(inet, &message, &done); // copied, loan or not
    if (loan != NULL) {
        inet_loan_sent(loan, done);
    }
    return error != 0 ? error : (long)done;
}

static long report_receive(struct inet_socket *inet, struct net_message *message,
                           struct socket_message *to)
{
    struct net_report report;
    size_t done = 0;
    int error = datagram_report_receive(&inet->socket, message, &report, &done);
    if (error != 0) {
        return error == -EAGAIN ? inet_loan_receive(inet, to) : error;
    }
    to->answer_flags = MSG_ERRQUEUE | (message->is_cut ? MSG_TRUNC : 0);
    inet_address_tell(inet, &message->from, message->netif, &to->from);
    if (to->controls != NULL) {
        error = inet_controls_write(inet, message, to->controls);
        error = error != 0 ? error : inet_report_write(inet, &report, to->controls);
    }
    return error != 0 ? error : (long)done;
}

static long inet_receive(struct file *file, struct socket_message *to)
{
    struct inet_socket *inet = inet_of(file);
    struct net_message message = {
        .vectors = to->vectors,
        .count = to->count,
        .patience = inet_patience(file, to->flags, &inet->options.receive_timeout),
        .only_looks = (to->flags & MSG_PEEK) != 0,
    };
    size_t done = 0;
    if (inet_is_stream(inet)) {
        return stream_receive(file, to);
    }
    if (to->flags & MSG_ERRQUEUE) {
        return report_receive(inet, &message, to);
    }
    int error = datagram_receive(&inet->socket, &message, &done);
    if (error != 0) {
        return error;
    }
    to->answer_flags = message.is_cut ? MSG_TRUNC : 0;
    if (!message.is_from_some) { // the end
        return 0;
    }
    inet_address_tell(inet, &message.from, message.netif, &to->from);
    if (to->controls != NULL) {
        error = inet_controls_write(inet, &message, to->controls);
    }
    return error != 0 ? error : (long)(to->flags & MSG_TRUNC ? message.full_size : done);
}

static int inet_read_vectors(struct file *file, const struct io_vector *vectors, size_t count,
                             size_t *done)
{
    struct inet_socket *inet = inet_of(file);
    struct net_message message = {
        .vectors = vectors,
        .count = count,
        .patience = inet_patience(file, 0, &inet->options.receive_timeout),
    };
    size_t size = 0;
    for (size_t i = 0; i < count; ++i) {
        size += vectors[i].size;
    }
    if (size == 0) {
        return 0;
    }
    return inet_is_stream(inet) ? tcp_receive(&inet->tcp, &message, false, false, done)
                                : datagram_receive(&inet->socket, &message, done);
}

static int inet_write_vectors(struct file *file, const struct io_vector *vectors, size_t count,
                              size_t *done)
{
    struct inet_socket *inet = inet_of(file);
    const struct net_message message = {
        .vectors = vectors,
        .count = count,
        .patience = inet_patience(file, 0, &inet->options.send_timeout),
    };
    return inet_is_stream(inet) ? tcp_send(&inet->tcp, &message, done)
                                : datagram_send(inet, &message, done);
}

// ---- As a file -------------------------------------------------------------

static int inet_read(struct file *file, uint64_t offset, char *data, size_t size, size_t *done)
{
    (void)offset;
    const struct io_vector vector = {data, size};
    return inet_read_vectors(file, &vector, 1, done);
}

static int inet_write(struct file *file, uint64_t offset, const char *data, size_t size,
                      size_t *done)
{
    (void)offset;
    const struct io_vector vector = {(char *)(uintptr_t)data, size};
    return inet_write_vectors(file, &vector, 1, done);
}

static unsigned inet_poll(struct file *file, struct poll_entry *entry)
{
    struct inet_socket *inet = inet_of(file);
    if (entry != NULL) {
        poll_list_add(&inet->poll, entry);
        channel_watch(&inet->socket.channel);
    }
    const unsigned told = atomic_load(&inet->has_loans) ? POLL_ERROR : 0;
    if (inet_is_stream(inet)) {
        return told | stream_poll(inet);
    }
    const unsigned ready = datagram_poll(&inet->socket);
    const bool is_shut = (ready & DATAGRAM_SHUT_READ) != 0;
    return told | POLL_OUT_ANY | (ready & DATAGRAM_READABLE || is_shut ? POLL_IN_ANY : 0) |
           (ready & DATAGRAM_FAILED ? POLL_ERROR : 0) | (is_shut ? POLL_READ_HANG_UP : 0) |
           (is_shut && (ready & DATAGRAM_SHUT_WRITE) ? POLL_HANG_UP : 0);
}

static int inet_control(struct file *file, unsigned long request, void *argument)
{
    struct inet_socket *inet = inet_of(file);
    const bool is_mark = request == SIOCATMARK && inet_is_stream(inet);
    if (request != FIONREAD && request != TIOCOUTQ && !is_mark) {
        return -ENOTTY;
    }
    int answer = 0;
    if (is_mark) {
        answer = tcp_is_at_mark(&inet->tcp);
    } else if (inet_is_stream(inet)) {
        if (inet->tcp.stage == TCP_STAGE_LISTENING) {
            return -EINVAL;
        }
        answer =
            (int)(request == FIONREAD ? tcp_input_size(&inet->tcp) : tcp_output_size(&inet->tcp));
    } else if (request == FIONREAD) {
        answer = (int)datagram_input_size(&inet->socket);
    }
    return hal_copy_safe(argument, &answer, sizeof answer);
}

static void inet_close(struct file *file)
{
    struct inet_socket *inet = inet_of(file);
    if (inet_is_stream(inet)) {
        tcp_socket_close(&inet->tcp);
    } else if (inet_is_raw(inet)) {
        raw_socket_close(&inet->raw);
    } else {
        udp_close(&inet->socket);
    }
}

static struct nameless *inet_nameless(struct file *file)
{
    return &inet_of(file)->nameless;
}

const struct file_ops inet_ops = {
    .read = inet_read,
    .write = inet_write,
    .poll = inet_poll,
    .control = inet_control,
    .nameless = inet_nameless,
    .close = inet_close,
};

// ---- Making ----------------------------------------------------------------

static void inet_ready(struct net_socket *socket, unsigned news)
{
    const unsigned events = POLL_ALL | (news & NET_NEWS_ROOM ? POLL_OUT_ANY : 0) |
                            (news & NET_NEWS_URGENT ? POLL_PRIORITY : 0);
    // Pairs with channel_watch in inet_poll: that one sees what has changed, or this sees that one.
    atomic_thread_fence(memory_order_seq_cst);
    poll_list_wake_ordered(&container_of(socket, struct inet_socket, socket)->poll, events);
}

static void inet_release(struct net_socket *socket)
{
    struct inet_socket *inet = container_of(socket, struct inet_socket, socket);
    if (inet_is_stream(inet)) {
        tcp_socket_release(&inet->tcp);
    }
    inet_loans_end(inet);
    heap_free(inet);
}

// Answers the protocol.
static int kind_check(bool is_v4, int type, int protocol, enum net_kind *kind)
{
    if (protocol < 0 || protocol > PROTOCOL_MAX) {
        return -EINVAL;
    }
    if (type != SOCK_DGRAM && type != SOCK_STREAM && type != SOCK_RAW) {
        return -ESOCKTNOSUPPORT;
    }
    const int wanted = type == SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP;
    *kind = NET_TRANSPORT;
    return type == SOCK_RAW || (protocol != 0 && protocol != wanted)
               ? raw_kind_check(is_v4, type, protocol, kind)
               : wanted;
}

struct inet_socket *inet_make(bool is_v4, enum net_kind kind, uint8_t protocol)
{
    struct inet_socket *inet = heap_alloc_zeroed(sizeof *inet);
    if (inet == NULL) {
        return NULL;
    }
    const bool is_stream = kind == NET_TRANSPORT && protocol == IP_TCP;
    if (kind != NET_TRANSPORT) {
        raw_socket_init(&inet->raw, kind, protocol, is_v4);
    } else if (is_stream) {
        tcp_socket_init(&inet->tcp, is_v4);
        inet->tcp.child_make = stream_child_make;
    } else {
        net_socket_init(&inet->socket, protocol, is_v4);
    }
    inet->socket.ready = inet_ready;
    inet->socket.release = inet_release;
    nameless_init(&inet->nameless, MODE_SOCKET | 0777);
    // Nobody else knows it yet.
    atomic_init(&inet->options.send_limit, is_stream ? STREAM_SEND_LIMIT : LIMIT_DEFAULT);
    atomic_init(&inet->options.receive_limit, is_stream ? STREAM_RECEIVE_LIMIT : LIMIT_DEFAULT);
    return inet;
}

int inet_file_make(struct file **file, struct inet_socket *inet, uint32_t flags)
{
    int error = file_create(file, &inet_ops, (flags & OPEN_NONBLOCK) | OPEN_READ_WRITE, inet);
    if (error == 0) {
        (*file)->is_stream = true;
    }
    return error;
}

int inet_create(struct file **file, int domain, int type, int protocol, uint32_t flags)
{
    enum net_kind kind;
    const int number = kind_check(domain == AF_INET, type, protocol, &kind);
    int error = number < 0 ? number : net_start();
    error = error == 0 && type == SOCK_STREAM ? stream_start() : error;
    if (error != 0) {
        return error;
    }
    struct inet_socket *inet = inet_make(domain == AF_INET, kind, (uint8_t)number);
    if (inet == NULL) {
        return -ENOMEM;
    }
    error = inet_file_make(file, inet, flags);
    if (error != 0) {
        heap_free(inet);
    } else if (kind != NET_TRANSPORT) {
        raw_socket_open(&inet->raw);
    }
    return error;
}

static packet_filter_slot *inet_filter(struct file *file)
{
    return &inet_of(file)->socket.filter;
}

static int inet_error_take(struct file *file)
{
    struct inet_socket *inet = inet_of(file);
    return inet_is_stream(inet) ? tcp_error_take(&inet->tcp) : datagram_error_take(&inet->socket);
}

static void inet_options_changed(struct file *file)
{
    struct inet_socket *inet = inet_of(file);
    if (inet_is_stream(inet)) {
        stream_switches_set(inet);
        return;
    }
    atomic_store(&inet->socket.receive_limit, atomic_load(&inet->options.receive_limit));
    mutex_lock(&inet->socket.lock);
    inet->socket.options.may_broadcast = has_switch(inet, SO_BROADCAST);
    mutex_unlock(&inet->socket.lock);
}

static bool inet_breaks_silently(const struct file *file)
{
    return !inet_is_stream(inet_of(file));
}

const struct socket_calls inet_calls = {
    .send = inet_send,
    .receive = inet_receive,
    .read = inet_read_vectors,
    .write = inet_write_vectors,
    .bind = inet_bind,
    .connect = inet_connect,
    .listen = inet_listen,
    .accept = inet_accept,
    .name = inet_name,
    .shutdown = inet_shutdown,
    .option_set = inet_option_set,
    .option_get = inet_option_get,
    .options = inet_options,
    .filter = inet_filter,
    .error_take = inet_error_take,
    .netif_set = inet_netif_set,
    .netif = inet_netif,
    .options_changed = inet_options_changed,
    .breaks_silently = inet_breaks_silently,
};
