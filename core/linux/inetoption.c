// SPDX-License-Identifier: BSD-3-Clause
// inetoption.c: the options of ip(7), ipv6(7) and udp(7), and what they make datagrams tell.
#include <netinet/udp.h>

#include "core/lib/errno.h"
#include "core/lib/string.h"
#include "core/linux/socketinet.h"
#include "core/linux/user.h"
#include "core/net/datagram.h"
#include "core/net/ip.h"
#include "core/net/netif.h"
#include "core/net/output.h"
#include "core/net/route.h"
#include "core/net/udp.h"

enum { HOPS_MAX = 255 };

// ---- What datagrams tell ---------------------------------------------------

// 0: none of these.
static uint32_t tells_of(int level, int name)
{
    if (level == IPPROTO_IP) {
        return name == IP_PKTINFO   ? INET_TELLS_TARGET
               : name == IP_RECVTTL ? INET_TELLS_HOPS
               : name == IP_RECVTOS ? INET_TELLS_SERVICE
                                    : 0;
    }
    return name == IPV6_RECVPKTINFO    ? INET_TELLS_TARGET_V6
           : name == IPV6_RECVHOPLIMIT ? INET_TELLS_HOPS_V6
           : name == IPV6_RECVTCLASS   ? INET_TELLS_SERVICE_V6
                                       : 0;
}

static int target_write(const struct net_message *message, struct controls *to)
{
    struct in_pktinfo target = {.ipi_ifindex = message->netif};
    struct net_address own = message->target; // that an answer would come from
    const struct netif *netif = netif_at(message->netif);
    if (netif != NULL && !route_is_local(&own)) {
        (void)route_source_any(netif, true, false, &own);
    }
    memcpy(&target.ipi_addr, address_v4_bytes(&message->target), sizeof target.ipi_addr);
    memcpy(&target.ipi_spec_dst, address_v4_bytes(&own), sizeof target.ipi_spec_dst);
    return control_write(to, IPPROTO_IP, IP_PKTINFO, &target, sizeof target);
}

static int target_v6_write(const struct net_message *message, struct controls *to)
{
    struct in6_pktinfo target = {.ipi6_ifindex = message->netif};
    memcpy(&target.ipi6_addr, &message->target, sizeof target.ipi6_addr);
    return control_write(to, IPPROTO_IPV6, IPV6_PKTINFO, &target, sizeof target);
}

// SO_TIMESTAMP, SO_TIMESTAMPNS.
static int stamp_write(const struct inet_socket *inet, hal_ns arrived, struct controls *to)
{
    const hal_ns since = hal_clock_ns() - arrived;
    const int kind = inet->stamps_ns ? SO_TIMESTAMPNS : SO_TIMESTAMP;
    return control_stamp_write(to, kind, hal_clock_wall_ns() - since);
}

int inet_controls_write(struct inet_socket *inet, const struct net_message *message,
                        struct controls *to)
{
    const uint32_t tells = atomic_load_explicit(&inet->tells, memory_order_relaxed);
    const bool is_v4 = address_is_v4(&message->target);
    const int hops = message->hops, service = message->service;
    int error = message->arrived != 0 ? stamp_write(inet, message->arrived, to) : 0;
    if (error == 0 && (tells & INET_TELLS_TARGET_V6)) {
        error = target_v6_write(message, to);
    }
    if (error == 0 && !is_v4 && (tells & INET_TELLS_HOPS_V6)) {
        error = control_write(to, IPPROTO_IPV6, IPV6_HOPLIMIT, &hops, sizeof hops);
    }
    if (error == 0 && !is_v4 && (tells & INET_TELLS_SERVICE_V6)) {
        error = control_write(to, IPPROTO_IPV6, IPV6_TCLASS, &service, sizeof service);
    }
    if (error == 0 && is_v4 && (tells & INET_TELLS_TARGET)) {
        error = target_write(message, to);
    }
    if (error == 0 && is_v4 && (tells & INET_TELLS_HOPS)) {
        error = control_write(to, IPPROTO_IP, IP_TTL, &hops, sizeof hops);
    }
    if (error == 0 && is_v4 && (tells & INET_TELLS_SERVICE)) {
        error = control_write(to, IPPROTO_IP, IP_TOS, &message->service, sizeof message->service);
    }
    return error;
}

// As struct sock_extended_err of Linux, and who has sent the message.
struct report {
    uint32_t error;
    uint8_t origin, type, code, pad;
    uint32_t info, data;
    union {
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } offender;
};

int inet_report_write(struct inet_socket *inet, const struct net_report *report,
                      struct controls *to)
{
    enum { ORIGIN_ICMP = 2, ORIGIN_ICMP6 = 3 };
    const bool is_v4 = address_is_v4(&report->origin);
    struct socket_address offender;
    struct report said = {
        .error = (uint32_t)-report->error,
        .origin = is_v4 ? ORIGIN_ICMP : ORIGIN_ICMP6,
        .type = report->type,
        .code = report->code,
        .info = report->mtu,
    };
    const struct net_end origin = {.address = report->origin};
    inet_address_tell(inet, &origin, report->netif, &offender);
    memcpy(&said.offender, &offender.local, offender.size);
    return control_write(to, inet->socket.is_v4 ? IPPROTO_IP : IPPROTO_IPV6,
                         inet->socket.is_v4 ? IP_RECVERR : IPV6_RECVERR, &said,
                         offsetof(struct report, offender) + offender.size);
}

// ---- Setting ---------------------------------------------------------------

// Numbers of one byte are taken, too, where ip(7) has them.
static int number_read(int *value, int level, const void *user, uint32_t size)
{
    uint8_t byte = 0;
    if (size >= sizeof *value) {
        return user_read(value, user, sizeof *value);
    }
    if (level != IPPROTO_IP || size == 0) {
        return -EINVAL;
    }
    const int error = user_read(&byte, user, sizeof byte);
    *value = byte;
    return error;
}

static int hops_set(uint8_t *hops, int value, int least)
{
    if (value != -1 && (value < least || value > HOPS_MAX)) {
        return -EINVAL;
    }
    *hops = value == -1 ? IP_HOPS_DEFAULT : (uint8_t)value;
    return 0;
}

static int discover_set(uint8_t *discover, int value)
{
    if (value < 0 || value >= PATH_COUNT) {
        return -EINVAL;
    }
    *discover = (uint8_t)value;
    return 0;
}

// With the socket's lock held. Of streams there are none.
static int reports_set(struct inet_socket *inet, int value)
{
    inet->socket.options.reports = value != 0;
    return inet_is_stream(inet) ? -ENOPROTOOPT : 0;
}

// The same.
static int v4_set(struct inet_socket *inet, int name, int value)
{
    switch (name) {
    case IP_TOS:
        inet->socket.options.service = (uint8_t)value;
        return 0;
    case IP_TTL:
        return hops_set(&inet->socket.options.hops, value, 1);
    case IP_MTU_DISCOVER:
        return discover_set(&inet->socket.options.discover, value);
    case IP_RECVERR:
        return reports_set(inet, value);
    case IP_RETOPTS: // options of packets are skipped: there are none to be told
        return 0;
    default:
        return -ENOPROTOOPT;
    }
}

// The same.
static int v6_set(struct inet_socket *inet, int name, int value)
{
    switch (name) {
    case IPV6_V6ONLY:
        if (inet->socket.flow != NULL) {
            return -EINVAL;
        }
        inet->socket.options.is_v6_only = value != 0;
        return 0;
    case IPV6_TCLASS:
        if (value < -1 || value > UINT8_MAX) {
            return -EINVAL;
        }
        inet->socket.options.service = value == -1 ? 0 : (uint8_t)value;
        return 0;
    case IPV6_UNICAST_HOPS:
        return hops_set(&inet->socket.options.hops_v6, value, 0);
    case IPV6_MTU_DISCOVER:
        return discover_set(&inet->socket.options.discover_v6, value);
    case IPV6_RECVERR:
        return reports_set(inet, value);
    case IPV6_DONTFRAG:
        inet->socket.options.never_cuts = value != 0;
        return 0;
    default:
        return -ENOPROTOOPT;
    }
}

static bool level_is_known(const struct inet_socket *inet, int level)
{
    return level == IPPROTO_IP || (level == IPPROTO_IPV6 && !inet->socket.is_v4);
}

static int linger_set(struct inet_socket *inet, const void *user, uint32_t size)
{
    struct linger linger;
    if (size < sizeof linger) {
        return -EINVAL;
    }
    const int error = user_read(&linger, user, sizeof linger);
    if (error == 0) {
        mutex_lock(&inet->socket.lock);
        inet->linger = (struct linger){linger.l_onoff != 0, linger.l_linger};
        if (inet_is_stream(inet)) {
            stream_linger_set(inet);
        }
        mutex_unlock(&inet->socket.lock);
    }
    return error;
}

static int stamps_set(struct inet_socket *inet, int name, const void *user, uint32_t size)
{
    int value;
    if (size < sizeof value) {
        return -EINVAL;
    }
    const int error = user_read(&value, user, sizeof value);
    if (error == 0) {
        mutex_lock(&inet->socket.lock);
        inet->socket.options.has_stamps = value != 0;
        inet->stamps_ns = value != 0 && name == SO_TIMESTAMPNS;
        mutex_unlock(&inet->socket.lock);
    }
    return error;
}

static bool is_datagram_level(const struct inet_socket *inet, int level)
{
    return level == IPPROTO_UDP && !inet_is_raw(inet) && !inet_is_stream(inet);
}

static int datagram_option_set(struct inet_socket *inet, int name, const void *user, uint32_t size)
{
    int value;
    if (size < sizeof value) {
        return -EINVAL;
    }
    const int error = user_read(&value, user, sizeof value);
    const bool is_known = name == UDP_CORK || name == UDP_SEGMENT || name == UDP_GRO;
    if (error != 0 || !is_known || (name == UDP_SEGMENT && (value < 0 || value > UINT16_MAX))) {
        return error != 0 ? error : is_known ? -EINVAL : -ENOPROTOOPT;
    }
    struct net_options *options = &inet->socket.options;
    mutex_lock(&inet->socket.lock);
    options->gathers = name == UDP_CORK ? value != 0 : options->gathers;
    options->has_merged = name == UDP_GRO ? value != 0 : options->has_merged;
    options->segment = name == UDP_SEGMENT ? (uint16_t)value : options->segment;
    mutex_unlock(&inet->socket.lock);
    if (name == UDP_CORK && value == 0) {
        udp_push(&inet->socket);
    }
    return 0;
}

int inet_option_set(struct file *file, int level, int name, const void *user, uint32_t size)
{
    struct inet_socket *inet = inet_of(file);
    const uint32_t tells = tells_of(level, name);
    int value;
    if (level == SOL_SOCKET) {
        return name == SO_LINGER                                ? linger_set(inet, user, size)
               : name == SO_TIMESTAMP || name == SO_TIMESTAMPNS ? stamps_set(inet, name, user, size)
               : name == SO_ZEROCOPY                            ? inet_loans_set(inet, user, size)
               : name == SO_MAX_PACING_RATE && inet_is_stream(inet)
                   ? stream_pace_set(inet, user, size)
                   : -ENOPROTOOPT;
    }
    if (level == IPPROTO_TCP && inet_is_stream(inet)) {
        return stream_option_set(inet, name, user, size);
    }
    if (is_datagram_level(inet, level)) {
        return datagram_option_set(inet, name, user, size);
    }
    if (inet_is_raw(inet) && raw_has_option(level, name)) {
        return raw_option_set(inet, level, name, user, size);
    }
    if (!level_is_known(inet, level)) {
        return -ENOPROTOOPT;
    }
    if (inet_group_option(level, name)) {
        return inet_group_set(inet, level, name, user, size);
    }
    int error = number_read(&value, level, user, size);
    if (error != 0) {
        return error;
    }
    if (tells != 0) {
        value != 0 ? atomic_fetch_or(&inet->tells, tells) : atomic_fetch_and(&inet->tells, ~tells);
        return 0;
    }
    mutex_lock(&inet->socket.lock);
    error = level == IPPROTO_IP ? v4_set(inet, name, value) : v6_set(inet, name, value);
    mutex_unlock(&inet->socket.lock);
    if (error == 0 && value == 0 && (name == IP_RECVERR || name == IPV6_RECVERR)) {
        datagram_reports_drop(&inet->socket);
    }
    return error;
}

// ---- Getting ---------------------------------------------------------------

uint32_t inet_mtu(const struct inet_socket *inet)
{
    const struct net_address *target = &inet->socket.remote.address;
    struct netif *by = NULL;
    const int error = net_socket_by(&inet->socket, target, &by);
    const uint32_t mtu = net_output_mtu(target, error == 0 ? by : NULL);
    return address_is_v4(target) && mtu > IP_SIZE_MAX ? IP_SIZE_MAX : mtu;
}

// With the socket's lock held, as the next two.
static int mtu_get(const struct inet_socket *inet, int *value)
{
    *value = (int)inet_mtu(inet);
    return inet->socket.remote.port == 0 ? -ENOTCONN : (int)sizeof *value;
}

static int v4_get(const struct inet_socket *inet, int name, int *value)
{
    switch (name) {
    case IP_TOS:
        *value = inet->socket.options.service;
        return sizeof *value;
    case IP_TTL:
        *value = inet->socket.options.hops;
        return sizeof *value;
    case IP_MTU_DISCOVER:
        *value = inet->socket.options.discover;
        return sizeof *value;
    case IP_RECVERR:
        *value = inet->socket.options.reports;
        return sizeof *value;
    case IP_MTU:
        return mtu_get(inet, value);
    default:
        return -ENOPROTOOPT;
    }
}

static int v6_get(const struct inet_socket *inet, int name, int *value)
{
    switch (name) {
    case IPV6_V6ONLY:
        *value = inet->socket.options.is_v6_only;
        return sizeof *value;
    case IPV6_TCLASS:
        *value = inet->socket.options.service;
        return sizeof *value;
    case IPV6_UNICAST_HOPS:
        *value = inet->socket.options.hops_v6;
        return sizeof *value;
    case IPV6_RECVERR:
        *value = inet->socket.options.reports;
        return sizeof *value;
    case IPV6_MTU:
        return mtu_get(inet, value);
    case IPV6_DONTFRAG:
        *value = inet->socket.options.never_cuts;
        return sizeof *value;
    case IPV6_MTU_DISCOVER:
        *value = inet->socket.options.discover_v6;
        return sizeof *value;
    default:
        return -ENOPROTOOPT;
    }
}

static int socket_level_get(struct inet_socket *inet, int name, union socket_option *value)
{
    switch (name) {
    case SO_TYPE:
        value->number = inet_is_stream(inet)           ? SOCK_STREAM
                        : inet->socket.kind == NET_RAW ? SOCK_RAW
                                                       : SOCK_DGRAM;
        return sizeof value->number;
    case SO_DOMAIN:
        value->number = inet->socket.is_v4 ? AF_INET : AF_INET6;
        return sizeof value->number;
    case SO_PROTOCOL:
        value->number = inet->socket.protocol;
        return sizeof value->number;
    case SO_ACCEPTCONN:
        value->number = inet_is_stream(inet) && inet->tcp.stage == TCP_STAGE_LISTENING;
        return sizeof value->number;
    case SO_TIMESTAMP:
    case SO_TIMESTAMPNS:
        value->number =
            inet->socket.options.has_stamps && inet->stamps_ns == (name == SO_TIMESTAMPNS);
        return sizeof value->number;
    case SO_ZEROCOPY:
        value->number = atomic_load(&inet->lends);
        return sizeof value->number;
    case SO_MAX_PACING_RATE:
        return inet_is_stream(inet) ? stream_pace_get(inet, value) : -ENOPROTOOPT;
    case SO_LINGER:
        mutex_lock(&inet->socket.lock);
        value->linger = inet->linger;
        mutex_unlock(&inet->socket.lock);
        return sizeof value->linger;
    default:
        return -ENOPROTOOPT;
    }
}

static int datagram_option_get(struct inet_socket *inet, int name, int *value)
{
    const struct net_options *options = &inet->socket.options;
    mutex_lock(&inet->socket.lock);
    *value = name == UDP_CORK      ? options->gathers
             : name == UDP_SEGMENT ? options->segment
                                   : options->has_merged;
    mutex_unlock(&inet->socket.lock);
    return name == UDP_CORK || name == UDP_SEGMENT || name == UDP_GRO ? (int)sizeof *value
                                                                      : -ENOPROTOOPT;
}

int inet_option_get(struct file *file, int level, int name, union socket_option *value)
{
    struct inet_socket *inet = inet_of(file);
    const uint32_t tells = tells_of(level, name);
    if (level == SOL_SOCKET) {
        return socket_level_get(inet, name, value);
    }
    if (level == IPPROTO_TCP && inet_is_stream(inet)) {
        return stream_option_get(inet, name, value);
    }
    if (is_datagram_level(inet, level)) {
        return datagram_option_get(inet, name, &value->number);
    }
    if (inet_is_raw(inet) && raw_has_option(level, name)) {
        return raw_option_get(inet, level, name, value);
    }
    if (!level_is_known(inet, level)) {
        return inet->socket.is_v4 ? -EOPNOTSUPP : -ENOPROTOOPT;
    }
    if (tells != 0) {
        value->number = (atomic_load(&inet->tells) & tells) != 0;
        return sizeof value->number;
    }
    if (inet_group_option(level, name)) {
        return inet_group_get(inet, level, name, value);
    }
    mutex_lock(&inet->socket.lock);
    const int size = level == IPPROTO_IP ? v4_get(inet, name, &value->number)
                                         : v6_get(inet, name, &value->number);
    mutex_unlock(&inet->socket.lock);
    return size;
}
