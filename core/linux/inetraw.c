// SPDX-License-Identifier: BSD-3-Clause
// inetraw.c: what is different for the sockets of raw(7) and icmp(7): who may have them, and their
// options.
#include <netinet/in.h>
#include <sys/socket.h>

#include "core/lib/errno.h"
#include "core/lib/format.h"
#include "core/lib/string.h"
#include "core/linux/credentials.h"
#include "core/linux/socketinet.h"
#include "core/linux/user.h"
#include "core/vfs/procfs.h"

enum { LEVEL_RAW = 255, FILTER = 1 /* ICMP_FILTER, ICMP6_FILTER */, V6_CHECKSUM = 7 };

// ---- Who may have them -----------------------------------------------------

// Groups whose members may have pings; as Debian's systemd sets it. first > last: nobody may.
static _Atomic uint64_t ping_groups = (uint64_t)INT32_MAX << 32; // last << 32 | first

static size_t groups_make(char *text, size_t size, void *argument)
{
    const uint64_t both = atomic_load_explicit(&ping_groups, memory_order_relaxed);
    (void)argument;
    return format(text, size, "%u\t%u\n", (uint32_t)both, (uint32_t)(both >> 32));
}

static int groups_set(const char *text, void *argument)
{
    uint64_t numbers[2];
    (void)argument;
    for (int i = 0; i < 2; ++i) {
        while (*text == ' ' || *text == '\t') {
            ++text;
        }
        if (*text < '0' || *text > '9') {
            return -EINVAL;
        }
        for (numbers[i] = 0; *text >= '0' && *text <= '9' && numbers[i] <= UINT32_MAX; ++text) {
            numbers[i] = numbers[i] * 10 + (uint64_t)(*text - '0');
        }
    }
    if (*text != 0 || numbers[0] > INT32_MAX || numbers[1] > INT32_MAX) {
        return -EINVAL;
    }
    atomic_store_explicit(&ping_groups, numbers[1] << 32 | numbers[0], memory_order_relaxed);
    return 0;
}

int rawfiles_add(void)
{
    static const struct procfs_setting range = {"sys/net/ipv4/ping_group_range", groups_make,
                                                groups_set, NULL};
    return procfs_add_setting(PROCFS_PROC, &range);
}

static bool may_ping(void)
{
    const uint64_t both = atomic_load_explicit(&ping_groups, memory_order_relaxed);
    return credentials_is_within((uint32_t)both, (uint32_t)(both >> 32));
}

int raw_kind_check(bool is_v4, int type, int protocol, enum net_kind *kind)
{
    const bool is_icmp = protocol == (is_v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6);
    if (type == SOCK_DGRAM && is_icmp) {
        *kind = NET_PING;
        return may_ping() ? protocol : -EACCES;
    }
    if (type != SOCK_RAW || protocol == 0 || protocol > UINT8_MAX) {
        return -EPROTONOSUPPORT;
    }
    *kind = NET_RAW;
    return credentials_may(CAPABILITY_NET_RAW) ? protocol : -EPERM;
}

// ---- Options ---------------------------------------------------------------

bool raw_has_option(int level, int name)
{
    return level == LEVEL_RAW || level == IPPROTO_ICMPV6 ||
           (level == IPPROTO_IP && name == IP_HDRINCL) ||
           (level == IPPROTO_IPV6 && (name == V6_CHECKSUM || name == IPV6_HDRINCL));
}

// Which types of ICMP do not come, 32 of them or 256: bytes, or -errno.
static int filter_size(const struct inet_socket *inet, int level, int name)
{
    const struct net_socket *socket = &inet->socket;
    const int own = socket->is_v4 ? LEVEL_RAW : IPPROTO_ICMPV6;
    const int protocol = socket->is_v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6;
    if (level != own || name != FILTER || socket->kind != NET_RAW) {
        return -ENOPROTOOPT;
    }
    return socket->protocol != protocol ? -EOPNOTSUPP
           : socket->is_v4              ? (int)sizeof(uint32_t)
                                        : (int)(RAW_FILTER_WORDS * sizeof(uint32_t));
}

static int filter_set(struct inet_socket *inet, const void *user, size_t size)
{
    uint32_t words[RAW_FILTER_WORDS];
    for (int i = 0; i < RAW_FILTER_WORDS; ++i) { // what is not said stays
        words[i] = atomic_load_explicit(&inet->raw.filter[i], memory_order_relaxed);
    }
    const int error = user_read(words, user, size);
    for (int i = 0; error == 0 && i < RAW_FILTER_WORDS; ++i) {
        atomic_store_explicit(&inet->raw.filter[i], words[i], memory_order_relaxed);
    }
    return error;
}

static int checksum_set(struct inet_socket *inet, int level, int offset)
{
    const bool is_icmp = inet->socket.protocol == IPPROTO_ICMPV6;
    if ((is_icmp && level == IPPROTO_IPV6) || (offset > 0 && offset % 2 != 0)) { // RFC 3542, 3.1
        return -EINVAL;
    }
    inet->raw.checksum_offset = offset < 0 ? -1 : offset;
    return 0;
}

// Of the first two it is the kernel's business where the checksum lies, at either level.
static bool is_checksum(const struct inet_socket *inet, int level, int name)
{
    return !inet->socket.is_v4 && name == V6_CHECKSUM &&
           (level == IPPROTO_IPV6 || level == LEVEL_RAW);
}

static bool is_header(const struct inet_socket *inet, int level, int name)
{
    return inet->socket.is_v4
               ? level == IPPROTO_IP && name == IP_HDRINCL
               : (level == IPPROTO_IPV6 || level == LEVEL_RAW) && name == IPV6_HDRINCL;
}

int raw_option_set(struct inet_socket *inet, int level, int name, const void *user, uint32_t size)
{
    int value;
    const bool is_number = is_header(inet, level, name) || is_checksum(inet, level, name);
    if (!is_number) {
        const int most = filter_size(inet, level, name);
        return most < 0 ? most
                        : filter_set(inet, user, size < (uint32_t)most ? size : (size_t)most);
    }
    int error = inet->socket.kind != NET_RAW ? -ENOPROTOOPT
                : size < sizeof value        ? -EINVAL
                                             : user_read(&value, user, sizeof value);
    if (error != 0) {
        return error;
    }
    mutex_lock(&inet->socket.lock);
    if (is_header(inet, level, name)) {
        inet->raw.writes_header = value != 0;
    } else {
        error = checksum_set(inet, level, value);
    }
    mutex_unlock(&inet->socket.lock);
    return error;
}

int raw_option_get(struct inet_socket *inet, int level, int name, union socket_option *value)
{
    const bool is_number = is_header(inet, level, name) || is_checksum(inet, level, name);
    if (!is_number) {
        for (int i = 0; i < RAW_FILTER_WORDS; ++i) {
            value->words[i] = atomic_load_explicit(&inet->raw.filter[i], memory_order_relaxed);
        }
        return filter_size(inet, level, name);
    }
    if (inet->socket.kind != NET_RAW) {
        return -ENOPROTOOPT;
    }
    mutex_lock(&inet->socket.lock);
    value->number =
        is_header(inet, level, name) ? inet->raw.writes_header : inet->raw.checksum_offset;
    mutex_unlock(&inet->socket.lock);
    return sizeof value->number;
}
