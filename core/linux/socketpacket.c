// SPDX-License-Identifier: BSD-3-Clause
// socketpacket.c: the family of packet(7), as system calls see it.
#include <net/if_arp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>

#include "core/dev/packet.h"
#include "core/lib/errno.h"
#include "core/lib/list.h"
#include "core/lib/string.h"
#include "core/linux/credentials.h"
#include "core/linux/packetring.h"
#include "core/linux/socketcalls.h"
#include "core/linux/socketinet.h"
#include "core/linux/user.h"
#include "core/mem/heap.h"
#include "core/net/datagram.h"
#include "core/net/packet_socket.h"
#include "core/vfs/nameless.h"

_Static_assert(PACKET_WAY_SENT == PACKET_OUTGOING && PACKET_WAY_ELSEWHERE == PACKET_OTHERHOST,
               "as Linux numbers them");

enum {
    LIMIT_DEFAULT = 212992, // net.core.wmem_default, rmem_default of Linux
    HARDWARE_OFFSET = offsetof(struct sockaddr_ll, sll_addr),
    RECEIVE_FLAGS = MSG_PEEK | MSG_DONTWAIT | MSG_TRUNC | MSG_CMSG_CLOEXEC | MSG_ERRQUEUE,
    POLL_ALL = POLL_IN_ANY | POLL_OUT_ANY | POLL_ERROR,
};

enum status { // of struct tpacket_auxdata of Linux, which follows
    STATUS_READ = 1,
    STATUS_LACKS_CHECKSUM = 8,
};

struct auxiliary {
    uint32_t status, size, size_read;
    uint16_t link, network, tag, tag_kind;
};

struct packet_file {
    struct packet_socket packet; // first
    struct poll_list poll;
    struct socket_options options;
    _Atomic bool tells_auxiliary, tells_origin; // PACKET_AUXDATA, PACKET_ORIGDEV
    _Atomic int stamps;                         // SO_TIMESTAMP, SO_TIMESTAMPNS; 0: none
    // Guarded by the socket's lock.
    struct packet_ring *ring; // where frames go; NULL: to who receives
    int ring_version;
    uint32_t ring_reserved; // PACKET_RESERVE
    struct nameless nameless;
};

static const struct file_ops packet_ops;

bool file_is_packetsocket(const struct file *file)
{
    return file->ops == &packet_ops;
}

static struct packet_file *packet_of(const struct file *file)
{
    return file->state;
}

struct net_socket *packet_socket_of(const struct file *file)
{
    return &packet_of(file)->packet.socket;
}

static struct socket_options *packet_options(struct file *file)
{
    return &packet_of(file)->options;
}

static packet_filter_slot *packet_filter(struct file *file)
{
    return &packet_of(file)->packet.socket.filter;
}

// ---- Names -----------------------------------------------------------------

static uint16_t link_kind(const struct netif *netif)
{
    return (netif->flags & NETIF_LOOPBACK) != 0 ? NETIF_KIND_LOOPBACK : NETIF_KIND_ETHERNET;
}

static int name_read(struct sockaddr_ll *name, const void *user, uint32_t size)
{
    return size < sizeof *name ? -EINVAL : user_read(name, user, sizeof *name);
}

static int packet_bind(struct file *file, const void *user, uint32_t size)
{
    struct packet_socket *packet = &packet_of(file)->packet;
    struct sockaddr_ll name;
    const int error = name_read(&name, user, size);
    if (error != 0 || name.sll_family != AF_PACKET) {
        return error != 0 ? error : -EINVAL;
    }
    if (name.sll_ifindex != 0 && netif_at((uint32_t)name.sll_ifindex) == NULL) {
        return -ENODEV;
    }
    const uint16_t kind = name.sll_protocol != 0 ? net_order16(name.sll_protocol)
                                                 : (uint16_t)atomic_load(&packet->kind);
    packet_socket_bind(packet, (uint32_t)name.sll_ifindex, kind);
    return 0;
}

static int packet_name(struct file *file, bool is_peer, struct socket_address *address)
{
    const struct packet_socket *packet = &packet_of(file)->packet;
    const uint32_t index = atomic_load(&packet->netif);
    const struct netif *netif = netif_at(index);
    if (is_peer) {
        return -EOPNOTSUPP;
    }
    address->packet = (struct sockaddr_ll){
        .sll_family = AF_PACKET,
        .sll_protocol = net_order16((uint16_t)atomic_load(&packet->kind)),
        .sll_ifindex = (int)index,
    };
    if (netif != NULL) {
        address->packet.sll_hatype = link_kind(netif);
        address->packet.sll_halen = NETIF_HARDWARE_SIZE;
        memcpy(address->packet.sll_addr, netif->hardware, NETIF_HARDWARE_SIZE);
    }
    address->size = HARDWARE_OFFSET + address->packet.sll_halen;
    return 0;
}

static void origin_tell(const struct packet_note *note, struct socket_address *address)
{
    const struct netif *netif = netif_at(note->netif);
    address->packet = (struct sockaddr_ll){
        .sll_family = AF_PACKET,
        .sll_protocol = net_order16(note->kind),
        .sll_ifindex = note->netif,
        .sll_hatype = link_kind(netif),
        .sll_pkttype = note->way,
        .sll_halen = NETIF_HARDWARE_SIZE,
    };
    memcpy(address->packet.sll_addr, note->hardware, NETIF_HARDWARE_SIZE);
    address->size = sizeof address->packet;
}

// ---- The ring --------------------------------------------------------------

static void ring_put(struct packet_file *own, struct packet *frame)
{
    struct net_socket *socket = &own->packet.socket;
    struct packet_note note;
    struct socket_address name;
    memcpy(&note, frame->data, sizeof note);
    origin_tell(&note, &name);
    const struct packet_ring_frame one = {
        .note = &note,
        .name = &name.packet,
        .bytes = frame->data + frame->transport,
        .size = frame->size - frame->transport,
        .link_size = own->packet.is_cooked ? 0 : PACKET_LINK_HEADER,
        .reserved = own->ring_reserved,
        .is_after_drops = atomic_load(&socket->drop_count) != 0,
    };
    if (!packet_ring_put(own->ring, &one)) {
        atomic_fetch_add(&socket->drop_count, 1);
    }
}

// With lock held: what has come goes where the program looks for it, or nowhere.
static void ring_fill(struct packet_file *own)
{
    struct net_socket *socket = &own->packet.socket;
    datagrams_look(socket);
    while (socket->first != NULL) {
        struct packet *frame = socket->first;
        socket->first = frame->next;
        if (own->ring != NULL) {
            ring_put(own, frame);
        }
        channel_return_locked(&socket->channel, frame->cost);
        packet_free(frame);
    }
}

static void ring_look(struct packet_file *own)
{
    mutex_lock(&own->packet.socket.lock);
    if (own->ring != NULL) {
        ring_fill(own);
    }
    mutex_unlock(&own->packet.socket.lock);
}

// With lock held.
static int ring_change(struct packet_file *own, const struct packet_ring_request *request)
{
    if (own->ring != NULL && (packet_ring_is_mapped(own->ring) || request->block_count != 0)) {
        return -EBUSY;
    }
    if (own->packet.socket.is_direct || (request->block_count == 0 && request->frame_count != 0)) {
        return -EINVAL;
    }
    struct packet_ring *ring = NULL;
    const int error = request->block_count == 0
                          ? 0
                          : packet_ring_make(&ring, request, own->ring_version, own->ring_reserved);
    if (error == 0) {
        packet_ring_free(own->ring);
        own->ring = NULL;
        ring_fill(own); // what was not received before
        own->ring = ring;
    }
    return error;
}

static int ring_set(struct packet_file *own, const void *user, uint32_t size)
{
    struct packet_ring_request request;
    const int error = size < sizeof request ? -EINVAL : user_read(&request, user, sizeof request);
    if (error != 0) {
        return error;
    }
    channel_watch(&own->packet.socket.channel); // packet_ready is called for each frame
    mutex_lock(&own->packet.socket.lock);
    const int result = ring_change(own, &request);
    mutex_unlock(&own->packet.socket.lock);
    return result;
}

// A socket has a ring, or takes frames.
int packet_take_begin(struct file *file)
{
    struct packet_file *own = packet_of(file);
    mutex_lock(&own->packet.socket.lock);
    const int error = own->ring != NULL ? -EINVAL : packet_socket_take(&own->packet);
    mutex_unlock(&own->packet.socket.lock);
    return error;
}

// What a ring is made with.
static int ring_number_set(struct packet_file *own, int name, const void *user, uint32_t size)
{
    int value = 0;
    int error = size != sizeof value ? -EINVAL : user_read(&value, user, sizeof value);
    const bool is_wrong = name == PACKET_VERSION ? packet_ring_header_size(value) == 0 : value < 0;
    if (error != 0 || is_wrong) {
        return error != 0 ? error : -EINVAL;
    }
    mutex_lock(&own->packet.socket.lock);
    if (own->ring != NULL) {
        error = -EBUSY;
    } else if (name == PACKET_VERSION) {
        own->ring_version = value;
    } else {
        own->ring_reserved = (uint32_t)value;
    }
    mutex_unlock(&own->packet.socket.lock);
    return error;
}

static int packet_pager(struct file *file, struct vm_pager **pager)
{
    struct packet_file *own = packet_of(file);
    mutex_lock(&own->packet.socket.lock);
    const int error = own->ring == NULL ? -EINVAL : packet_ring_pager(own->ring, file, pager);
    mutex_unlock(&own->packet.socket.lock);
    return error;
}

// ---- Moving ----------------------------------------------------------------

// Where a frame goes: what the caller names, or what the socket is bound to.
static int target_read(const struct packet_socket *packet, const struct socket_message *sent,
                       struct packet_target *target)
{
    struct sockaddr_ll name = {0};
    uint32_t index = atomic_load(&packet->netif);
    *target = (struct packet_target){.kind = (uint16_t)atomic_load(&packet->kind)};
    if (sent->name != NULL) {
        const int error = name_read(&name, sent->name, sent->name_size);
        if (error != 0 || sent->name_size < (uint32_t)HARDWARE_OFFSET + name.sll_halen) {
            return error != 0 ? error : -EINVAL;
        }
        index = (uint32_t)name.sll_ifindex;
        target->kind = net_order16(name.sll_protocol);
        memcpy(target->hardware, name.sll_addr, NETIF_HARDWARE_SIZE);
    }
    target->netif = netif_at(index);
    if (target->netif == NULL) {
        return -ENXIO;
    }
    const bool is_lo = (target->netif->flags & NETIF_LOOPBACK) != 0;
    return packet->is_cooked && sent->name == NULL && !is_lo ? -EINVAL : 0;
}

static long packet_send(struct file *file, const struct socket_message *sent)
{
    struct packet_socket *packet = &packet_of(file)->packet;
    const struct net_message message = {.vectors = sent->vectors, .count = sent->count};
    struct packet_target target;
    size_t done = 0;
    int error = target_read(packet, sent, &target);
    error = error != 0 ? error : packet_socket_send(packet, &message, &target, &done);
    return error != 0 ? error : (long)done;
}

static int controls_put(const struct packet_file *own, const struct packet_note *note,
                        const struct net_message *message, struct controls *to)
{
    const struct auxiliary auxiliary = {
        .status = STATUS_READ | (note->lacks_checksum ? STATUS_LACKS_CHECKSUM : 0),
        .size = note->full_size,
        .size_read = (uint32_t)message->full_size,
        .network = own->packet.is_cooked ? 0 : PACKET_LINK_HEADER,
    };
    const int stamps = atomic_load(&own->stamps);
    const int error = stamps == 0 ? 0 : control_stamp_write(to, stamps, note->arrived);
    return error != 0 || !atomic_load(&own->tells_auxiliary)
               ? error
               : control_write(to, SOL_PACKET, PACKET_AUXDATA, &auxiliary, sizeof auxiliary);
}

static long packet_receive(struct file *file, struct socket_message *to)
{
    struct packet_file *own = packet_of(file);
    struct packet_note note = {.netif = 0};
    struct net_message message = {
        .vectors = to->vectors,
        .count = to->count,
        .patience = inet_patience(file, to->flags, &own->options.receive_timeout),
        .only_looks = (to->flags & MSG_PEEK) != 0,
    };
    size_t done = 0;
    if ((to->flags & ~RECEIVE_FLAGS) != 0) {
        return -EINVAL;
    }
    if ((to->flags & MSG_ERRQUEUE) != 0) { // which is for stamps of what was sent
        return -EAGAIN;
    }
    int error = packet_socket_receive(&own->packet, &message, &note, &done);
    if (error != 0) {
        return error;
    }
    to->answer_flags = message.is_cut ? MSG_TRUNC : 0;
    origin_tell(&note, &to->from);
    if (to->controls != NULL) {
        error = controls_put(own, &note, &message, to->controls);
    }
    return error != 0 ? error : (long)(to->flags & MSG_TRUNC ? message.full_size : done);
}

static int packet_read_vectors(struct file *file, const struct io_vector *vectors, size_t count,
                               size_t *done)
{
    struct socket_message message = {.vectors = vectors, .count = count};
    const long result = packet_receive(file, &message);
    *done = result < 0 ? 0 : (size_t)result;
    return result < 0 ? (int)result : 0;
}

static int packet_write_vectors(struct file *file, const struct io_vector *vectors, size_t count,
                                size_t *done)
{
    const struct socket_message message = {.vectors = vectors, .count = count};
    const long result = packet_send(file, &message);
    *done = result < 0 ? 0 : (size_t)result;
    return result < 0 ? (int)result : 0;
}

// ---- Options ---------------------------------------------------------------

// All that an interface gets it shows anyway, so that a membership changes nothing.
static int member_set(const void *user, uint32_t size)
{
    struct packet_mreq request;
    if (size < sizeof request) {
        return -EINVAL;
    }
    const int error = user_read(&request, user, sizeof request);
    if (error != 0) {
        return error;
    }
    if (size < request.mr_alen + offsetof(struct packet_mreq, mr_address)) {
        return -EINVAL;
    }
    const struct netif *netif = netif_at((uint32_t)request.mr_ifindex);
    return netif == NULL ? -ENODEV : request.mr_alen > NETIF_HARDWARE_SIZE ? -EINVAL : 0;
}

static int switch_set(_Atomic bool *is_on, const void *user, uint32_t size)
{
    int value;
    const int error = size < sizeof value ? -EINVAL : user_read(&value, user, sizeof value);
    if (error == 0) {
        atomic_store(is_on, value != 0);
    }
    return error;
}

static int stamps_set(struct packet_file *own, int name, const void *user)
{
    int value;
    const int error = user_read(&value, user, sizeof value);
    if (error == 0) {
        atomic_store(&own->stamps, value != 0 ? name : 0);
    }
    return error;
}

static int packet_option_set(struct file *file, int level, int name, const void *user,
                             uint32_t size)
{
    struct packet_file *own = packet_of(file);
    if (level == SOL_SOCKET) {
        return name == SO_TIMESTAMP || name == SO_TIMESTAMPNS ? stamps_set(own, name, user)
                                                              : -ENOPROTOOPT;
    }
    if (level != SOL_PACKET) {
        return -ENOPROTOOPT;
    }
    switch (name) {
    case PACKET_ADD_MEMBERSHIP:
    case PACKET_DROP_MEMBERSHIP:
        return member_set(user, size);
    case PACKET_RX_RING:
        return ring_set(own, user, size);
    case PACKET_VERSION:
    case PACKET_RESERVE:
        return ring_number_set(own, name, user, size);
    case PACKET_AUXDATA:
        return switch_set(&own->tells_auxiliary, user, size);
    case PACKET_ORIGDEV:
        return switch_set(&own->tells_origin, user, size);
    case PACKET_IGNORE_OUTGOING:
        return switch_set(&own->packet.ignores_sent, user, size);
    default:
        return -ENOPROTOOPT;
    }
}

static int socket_level_get(const struct packet_file *own, int name, union socket_option *value)
{
    switch (name) {
    case SO_TYPE:
        value->number = own->packet.is_cooked ? SOCK_DGRAM : SOCK_RAW;
        break;
    case SO_DOMAIN:
        value->number = AF_PACKET;
        break;
    case SO_PROTOCOL:
    case SO_ACCEPTCONN:
        value->number = 0;
        break;
    case SO_TIMESTAMP:
    case SO_TIMESTAMPNS:
        value->number = atomic_load(&own->stamps) == name;
        break;
    default:
        return -ENOPROTOOPT;
    }
    return sizeof value->number;
}

// Since they were asked for last.
static int statistics_get(struct packet_file *own, union socket_option *value)
{
    struct packet_socket *packet = &own->packet;
    value->words[0] = (uint32_t)atomic_exchange(&packet->seen_count, 0);
    value->words[1] = (uint32_t)atomic_exchange(&packet->socket.drop_count, 0);
    return 2 * sizeof value->words[0];
}

static int packet_option_get(struct file *file, int level, int name, union socket_option *value)
{
    struct packet_file *own = packet_of(file);
    if (level == SOL_SOCKET) {
        return socket_level_get(own, name, value);
    }
    if (level != SOL_PACKET) {
        return -ENOPROTOOPT;
    }
    switch (name) {
    case PACKET_STATISTICS:
        return statistics_get(own, value);
    case PACKET_VERSION:
        value->number = own->ring_version;
        break;
    case PACKET_HDRLEN: // of the version that the caller has put there
        value->number = (int)packet_ring_header_size(value->number);
        if (value->number == 0) {
            return -EINVAL;
        }
        break;
    case PACKET_RESERVE:
        value->number = (int)own->ring_reserved;
        break;
    case PACKET_AUXDATA:
        value->number = atomic_load(&own->tells_auxiliary);
        break;
    case PACKET_ORIGDEV:
        value->number = atomic_load(&own->tells_origin);
        break;
    case PACKET_IGNORE_OUTGOING:
        value->number = atomic_load(&own->packet.ignores_sent);
        break;
    default:
        return -ENOPROTOOPT;
    }
    return sizeof value->number;
}

static void packet_options_changed(struct file *file)
{
    struct packet_file *own = packet_of(file);
    atomic_store(&own->packet.socket.receive_limit, atomic_load(&own->options.receive_limit));
}

static int packet_error_take(struct file *file)
{
    return datagram_error_take(&packet_of(file)->packet.socket);
}

// ---- What there is not -----------------------------------------------------

static int packet_connect(struct file *file, const void *user, uint32_t size)
{
    (void)file, (void)user, (void)size;
    return -EOPNOTSUPP;
}

static int packet_listen(struct file *file, int backlog)
{
    (void)file, (void)backlog;
    return -EOPNOTSUPP;
}

static int packet_accept(struct file *file, uint32_t flags, struct file **accepted)
{
    (void)file, (void)flags, (void)accepted;
    return -EOPNOTSUPP;
}

static int packet_shutdown(struct file *file, int how)
{
    (void)file, (void)how;
    return -EOPNOTSUPP;
}

static bool packet_breaks_silently(const struct file *file)
{
    (void)file;
    return true;
}

// ---- As a file -------------------------------------------------------------

static bool ring_has_some(struct packet_file *own)
{
    mutex_lock(&own->packet.socket.lock);
    const bool has_some = own->ring != NULL && packet_ring_has_some(own->ring);
    mutex_unlock(&own->packet.socket.lock);
    return has_some;
}

static unsigned packet_poll(struct file *file, struct poll_entry *entry)
{
    struct packet_file *own = packet_of(file);
    if (entry != NULL) {
        poll_list_add(&own->poll, entry);
        channel_watch(&own->packet.socket.channel);
    }
    ring_look(own);
    const unsigned ready = datagram_poll(&own->packet.socket);
    return POLL_OUT_ANY |
           ((ready & DATAGRAM_READABLE) != 0 || ring_has_some(own) ? POLL_IN_ANY : 0) |
           (ready & DATAGRAM_FAILED ? POLL_ERROR : 0);
}

static int packet_control(struct file *file, unsigned long request, void *argument)
{
    if (request != FIONREAD && request != TIOCOUTQ) {
        return -ENOTTY;
    }
    const int answer =
        request == FIONREAD ? (int)datagram_input_size(&packet_of(file)->packet.socket) : 0;
    return hal_copy_safe(argument, &answer, sizeof answer);
}

static struct nameless *packet_nameless(struct file *file)
{
    return &packet_of(file)->nameless;
}

static void packet_close(struct file *file)
{
    packet_socket_close(&packet_of(file)->packet);
}

static const struct file_ops packet_ops = {
    .read = socket_file_read,
    .write = socket_file_write,
    .poll = packet_poll,
    .control = packet_control,
    .nameless = packet_nameless,
    .pager = packet_pager,
    .close = packet_close,
};

// ---- Making ----------------------------------------------------------------

static void packet_ready(struct net_socket *socket, unsigned news)
{
    struct packet_file *own = container_of(socket, struct packet_file, packet.socket);
    (void)news;
    ring_look(own);
    // Pairs with channel_watch in packet_poll: that one sees what has come, or this sees that one.
    atomic_thread_fence(memory_order_seq_cst);
    poll_list_wake_ordered(&own->poll, POLL_ALL);
}

static void packet_release(struct net_socket *socket)
{
    struct packet_file *own = container_of(socket, struct packet_file, packet.socket);
    packet_ring_free(own->ring);
    heap_free(own);
}

int packet_create(struct file **file, int type, int protocol, uint32_t flags)
{
    if (!credentials_may(CAPABILITY_NET_RAW)) {
        return -EPERM;
    }
    if (type != SOCK_RAW && type != SOCK_DGRAM) {
        return -ESOCKTNOSUPPORT;
    }
    struct packet_file *own = heap_alloc_zeroed(sizeof *own);
    if (own == NULL) {
        return -ENOMEM;
    }
    packet_socket_init(&own->packet, type == SOCK_DGRAM);
    own->packet.socket.ready = packet_ready;
    own->packet.socket.release = packet_release;
    nameless_init(&own->nameless, MODE_SOCKET | 0777);
    atomic_store(&own->options.send_limit, LIMIT_DEFAULT);
    atomic_store(&own->options.receive_limit, LIMIT_DEFAULT);
    const int error =
        file_create(file, &packet_ops, (flags & OPEN_NONBLOCK) | OPEN_READ_WRITE, own);
    if (error != 0) {
        heap_free(own);
        return error;
    }
    (*file)->is_stream = true;
    packet_socket_bind(&own->packet, 0, net_order16((uint16_t)protocol));
    return 0;
}

const struct socket_calls packet_calls = {
    .send = packet_send,
    .receive = packet_receive,
    .read = packet_read_vectors,
    .write = packet_write_vectors,
    .bind = packet_bind,
    .connect = packet_connect,
    .listen = packet_listen,
    .accept = packet_accept,
    .name = packet_name,
    .shutdown = packet_shutdown,
    .option_set = packet_option_set,
    .option_get = packet_option_get,
    .options = packet_options,
    .filter = packet_filter,
    .error_take = packet_error_take,
    .options_changed = packet_options_changed,
    .breaks_silently = packet_breaks_silently,
};
