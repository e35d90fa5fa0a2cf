// SPDX-License-Identifier: BSD-3-Clause
// netlink.c: what sockets of netlink(7) answer about the loopback network, and to what is wrong. A
// machine may have other interfaces; nothing of it is changed.
#include <arpa/inet.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "requests.h"
#include "show.h"

enum { ROOM = 65536 };

static char answer[ROOM];

static int opened(void)
{
    return socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
}

static void option(int fd, int name)
{
    const int on = 1;
    setsockopt(fd, SOL_NETLINK, name, &on, sizeof on);
}

// ---- Printing ----

static void numbers_print(const char *what, const void *data, int size)
{
    printf(" %s=", what);
    for (int i = 0; i < size; ++i) {
        printf("%02x", ((const uint8_t *)data)[i]);
    }
}

static const struct {
    unsigned type;
    const char *name;
} link_attributes[] = {{IFLA_IFNAME, "name"},     {IFLA_TXQLEN, "queue"},
                       {IFLA_OPERSTATE, "state"}, {IFLA_MTU, "mtu"},
                       {IFLA_GROUP, "group"},     {IFLA_PROMISCUITY, "promiscuity"},
                       {IFLA_CARRIER, "carrier"}, {IFLA_QDISC, "discipline"},
                       {IFLA_ADDRESS, "address"}, {IFLA_BROADCAST, "broadcast"}},
  address_attributes[] = {{IFA_ADDRESS, "address"},
                          {IFA_LOCAL, "local"},
                          {IFA_BROADCAST, "broadcast"},
                          {IFA_LABEL, "label"},
                          {IFA_FLAGS, "flags"}},
  route_attributes[] = {{RTA_TABLE, "table"},     {RTA_DST, "target"},   {RTA_SRC, "source"},
                        {RTA_GATEWAY, "gateway"}, {RTA_PREFSRC, "from"}, {RTA_OIF, "by"},
                        {RTA_PRIORITY, "metric"}, {RTA_UID, "uid"}};

#define ATTRIBUTES_PRINT(known, start, message)                                                    \
    for (size_t k = 0; k < sizeof known / sizeof *known; ++k) {                                    \
        int left = (int)((message)->nlmsg_len - NLMSG_LENGTH(start));                              \
        struct rtattr *at = (struct rtattr *)((char *)NLMSG_DATA(message) + NLMSG_ALIGN(start));   \
        for (; RTA_OK(at, left); at = RTA_NEXT(at, left)) {                                        \
            if ((at->rta_type & NLA_TYPE_MASK) == known[k].type) {                                 \
                numbers_print(known[k].name, RTA_DATA(at), (int)RTA_PAYLOAD(at));                  \
            }                                                                                      \
        }                                                                                          \
    }

static void link_print(const struct nlmsghdr *message)
{
    const struct ifinfomsg *link = NLMSG_DATA(message);
    if (link->ifi_index != LO) {
        return;
    }
    printf("  link %d family %d type %d flags %x:", link->ifi_index, link->ifi_family,
           link->ifi_type, link->ifi_flags);
    ATTRIBUTES_PRINT(link_attributes, sizeof *link, message)
    putchar('\n');
}

static void address_print(const struct nlmsghdr *message)
{
    const struct ifaddrmsg *address = NLMSG_DATA(message);
    if (address->ifa_index != LO) {
        return;
    }
    printf("  address of %d family %d bits %d flags %x scope %d:", address->ifa_index,
           address->ifa_family, address->ifa_prefixlen, address->ifa_flags, address->ifa_scope);
    ATTRIBUTES_PRINT(address_attributes, sizeof *address, message)
    putchar('\n');
}

static void route_print(const struct nlmsghdr *message)
{
    const struct rtmsg *route = NLMSG_DATA(message);
    printf("  route family %d bits %d %d table %d protocol %d scope %d type %d flags %x:",
           route->rtm_family, route->rtm_dst_len, route->rtm_src_len, route->rtm_table,
           route->rtm_protocol, route->rtm_scope, route->rtm_type, route->rtm_flags);
    ATTRIBUTES_PRINT(route_attributes, sizeof *route, message)
    putchar('\n');
}

static void verdict_print(const struct nlmsghdr *message)
{
    const struct nlmsgerr *verdict = NLMSG_DATA(message);
    printf("  verdict %s on type %d, %u long, flags %x\n",
           verdict->error == 0 ? "0" : strerrorname_np(-verdict->error), verdict->msg.nlmsg_type,
           message->nlmsg_len, message->nlmsg_flags & ~NLM_F_ACK_TLVS);
}

// False: that was the last.
static bool message_print(const struct nlmsghdr *message)
{
    if (message->nlmsg_seq != sequence) {
        printf("  sequence %d\n", (int)(message->nlmsg_seq - sequence));
    }
    switch (message->nlmsg_type) {
    case NLMSG_DONE:
        printf("  done %d, flags %x\n", *(int *)NLMSG_DATA(message),
               message->nlmsg_flags & ~NLM_F_ACK_TLVS);
        return false;
    case NLMSG_ERROR:
        verdict_print(message);
        return false;
    case RTM_NEWLINK:
        link_print(message);
        break;
    case RTM_NEWADDR:
        address_print(message);
        break;
    case RTM_NEWROUTE:
        route_print(message);
        break;
    default:
        printf("  type %d\n", message->nlmsg_type);
    }
    return (message->nlmsg_flags & NLM_F_MULTI) != 0;
}

static void answers_print(int fd)
{
    for (bool is_more = true; is_more;) {
        ssize_t got = recv(fd, answer, sizeof answer, 0);
        if (got < 0) {
            SHOW(got);
            return;
        }
        for (struct nlmsghdr *message = (struct nlmsghdr *)answer; NLMSG_OK(message, (unsigned)got);
             message = NLMSG_NEXT(message, got)) {
            is_more = message_print(message);
        }
    }
}

static void ask(int fd, const char *what, const struct request *request)
{
    printf("%s\n", what);
    if (send(fd, request, request->head.nlmsg_len, 0) != (ssize_t)request->head.nlmsg_len) {
        SHOW(-1);
        return;
    }
    answers_print(fd);
}

// ---- Sockets ----

static void name_print(int fd, bool is_peer)
{
    struct sockaddr_nl name = {0};
    socklen_t size = sizeof name;
    SHOW(is_peer ? getpeername(fd, (struct sockaddr *)&name, &size)
                 : getsockname(fd, (struct sockaddr *)&name, &size));
    printf("  %u %d %s %x\n", size, name.nl_family,
           name.nl_pid == 0                    ? "nobody"
           : name.nl_pid == (unsigned)getpid() ? "the process"
                                               : "a number",
           name.nl_groups);
}

static void sockets(void)
{
    SHOW(socket(AF_NETLINK, SOCK_STREAM, NETLINK_ROUTE));
    SHOW(socket(AF_NETLINK, SOCK_RAW, 31));
    SHOW(socket(AF_NETLINK, SOCK_RAW, 32));
    SHOW(socket(AF_NETLINK, SOCK_RAW, -1));
    int pair[2];
    SHOW(socketpair(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE, pair));
    int fd = opened(), other = opened();
    struct sockaddr_nl name = {.nl_family = AF_NETLINK,
                               .nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR};
    name_print(fd, false);
    SHOW(bind(fd, (struct sockaddr *)&name, sizeof name - 1));
    name.nl_family = AF_INET;
    SHOW(bind(fd, (struct sockaddr *)&name, sizeof name));
    SHOW(connect(fd, (struct sockaddr *)&name, sizeof name));
    name.nl_family = AF_NETLINK;
    SHOW(bind(fd, (struct sockaddr *)&name, sizeof name));
    name_print(fd, false);
    name_print(fd, true);
    name.nl_groups = 0;
    SHOW(bind(other, (struct sockaddr *)&name, sizeof name));
    name_print(other, false);
    name.nl_pid = (unsigned)getpid();
    SHOW(bind(other, (struct sockaddr *)&name, sizeof name));
    int third = opened();
    SHOW(bind(third, (struct sockaddr *)&name, sizeof name));
    name.nl_pid = 0;
    SHOW(connect(third, (struct sockaddr *)&name, sizeof name));
    name_print(third, true);
    SHOW(listen(fd, 1));
    SHOW(accept(fd, NULL, NULL));
    SHOW(shutdown(fd, SHUT_RDWR));
    SHOW(recv(fd, answer, sizeof answer, MSG_DONTWAIT));
    SHOW(send(fd, "", 0, 0));
    SHOW(send(fd, answer, 1, MSG_OOB));
    SHOW(send(fd, answer, 1 << 20, 0));
    close(fd);
    close(other);
    close(third);
}

static void option_print(int fd, int level, int name)
{
    int value = -1;
    socklen_t size = sizeof value;
    printf("option %d %d: ", level, name);
    SHOW(getsockopt(fd, level, name, &value, &size));
    printf("  %d, %u\n", value, size);
}

static void options(void)
{
    static const int names[] = {NETLINK_PKTINFO, NETLINK_BROADCAST_ERROR, NETLINK_NO_ENOBUFS,
                                NETLINK_CAP_ACK, NETLINK_EXT_ACK,         NETLINK_GET_STRICT_CHK};
    int fd = opened(), value = 1;
    for (size_t i = 0; i < sizeof names / sizeof *names; ++i) {
        option_print(fd, SOL_NETLINK, names[i]);
        SHOW(setsockopt(fd, SOL_NETLINK, names[i], &value, sizeof value));
        option_print(fd, SOL_NETLINK, names[i]);
    }
    option_print(fd, SOL_SOCKET, SO_TYPE);
    option_print(fd, SOL_SOCKET, SO_DOMAIN);
    option_print(fd, SOL_SOCKET, SO_PROTOCOL);
    option_print(fd, SOL_SOCKET, SO_ERROR);
    option_print(fd, SOL_NETLINK, 99);
    option_print(fd, IPPROTO_IP, 1);
    SHOW(setsockopt(fd, SOL_NETLINK, 99, &value, sizeof value));
    value = RTNLGRP_IPV6_IFADDR;
    SHOW(setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &value, sizeof value));
    name_print(fd, false);
    SHOW(setsockopt(fd, SOL_NETLINK, NETLINK_DROP_MEMBERSHIP, &value, sizeof value));
    name_print(fd, false);
    value = 0;
    SHOW(setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &value, sizeof value));
    value = 1000;
    SHOW(setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &value, sizeof value));
    close(fd);
}

// ---- Asking ----

static void links(int fd)
{
    const char *name = "lo", *none = "no-such";
    struct request request = request_of(RTM_GETLINK, NLM_F_DUMP, sizeof request.link);
    ask(fd, "all links", &request);
    request = request_of(RTM_GETLINK, NLM_F_DUMP, sizeof request.link);
    request.link.ifi_family = AF_INET6;
    ask(fd, "all links of IPv6", &request);
    request = request_of(RTM_GETLINK, 0, sizeof request.link);
    request.link.ifi_index = LO;
    ask(fd, "link 1", &request);
    request = request_of(RTM_GETLINK, 0, sizeof request.link);
    attribute_add(&request, IFLA_IFNAME, name, 3);
    ask(fd, "link lo", &request);
    request = request_of(RTM_GETLINK, 0, sizeof request.link);
    attribute_add(&request, IFLA_IFNAME, none, 8);
    ask(fd, "no such link", &request);
    request = request_of(RTM_GETLINK, 0, sizeof request.link);
    request.link.ifi_index = 7777;
    ask(fd, "no such index", &request);
    request = request_of(RTM_GETLINK, 0, sizeof request.link);
    ask(fd, "which link?", &request);
    request = request_of(RTM_GETLINK, 0, 4);
    ask(fd, "a short question", &request);
}

static void addresses(int fd)
{
    static const int families[] = {AF_UNSPEC, AF_INET, AF_INET6};
    for (size_t i = 0; i < sizeof families / sizeof *families; ++i) {
        struct request request = request_of(RTM_GETADDR, NLM_F_DUMP, sizeof request.address);
        request.address.ifa_family = (uint8_t)families[i];
        ask(fd, "addresses", &request);
    }
    struct request request = request_of(RTM_GETADDR, NLM_F_DUMP, sizeof(struct rtgenmsg));
    ask(fd, "addresses, asked shortly", &request);
    request = request_of(RTM_GETADDR, 0, sizeof request.address);
    request.address.ifa_family = AF_INET;
    ask(fd, "one address of IPv4", &request);
}

static void strictly(int fd)
{
    option(fd, NETLINK_GET_STRICT_CHK);
    struct request request = request_of(RTM_GETADDR, NLM_F_DUMP, sizeof request.address);
    request.address.ifa_index = LO;
    ask(fd, "addresses of lo", &request);
    request = request_of(RTM_GETADDR, NLM_F_DUMP, sizeof request.address);
    request.address.ifa_index = 7777;
    ask(fd, "addresses of none", &request);
    request = request_of(RTM_GETADDR, NLM_F_DUMP, sizeof request.address);
    request.address.ifa_prefixlen = 8;
    ask(fd, "addresses, badly asked", &request);
    request = request_of(RTM_GETLINK, NLM_F_DUMP, sizeof request.link);
    request.link.ifi_flags = 1;
    ask(fd, "links, badly asked", &request);
    for (int family = AF_INET; family <= AF_INET6; family += AF_INET6 - AF_INET) {
        const uint32_t lo = LO;
        request = request_of(RTM_GETROUTE, NLM_F_DUMP, sizeof request.route);
        request.route.rtm_family = (uint8_t)family;
        request.route.rtm_table = RT_TABLE_LOCAL;
        attribute_add(&request, RTA_OIF, &lo, sizeof lo);
        ask(fd, "local routes by lo", &request);
    }
    request = request_of(RTM_GETROUTE, NLM_F_DUMP, sizeof request.route);
    request.route.rtm_family = AF_INET;
    request.route.rtm_dst_len = 8;
    ask(fd, "routes, badly asked", &request);
}

static void routes(int fd)
{
    static const char *const targets[] = {"127.0.0.1", "127.1.2.3", "::1"};
    for (size_t i = 0; i < sizeof targets / sizeof *targets; ++i) {
        char bytes[16];
        const bool is_v4 = strchr(targets[i], '.') != NULL;
        struct request request = request_of(RTM_GETROUTE, 0, sizeof request.route);
        inet_pton(is_v4 ? AF_INET : AF_INET6, targets[i], bytes);
        request.route.rtm_family = is_v4 ? AF_INET : AF_INET6;
        request.route.rtm_dst_len = is_v4 ? 32 : 128;
        attribute_add(&request, RTA_DST, bytes, is_v4 ? 4 : 16);
        ask(fd, targets[i], &request);
        request.route.rtm_flags = RTM_F_LOOKUP_TABLE;
        request.head.nlmsg_seq = ++sequence;
        ask(fd, "and its table", &request);
    }
}

static void what_is_wrong(int fd)
{
    struct request request = request_of(RTM_GETLINK, NLM_F_ACK, sizeof request.link);
    request.link.ifi_index = LO;
    ask(fd, "with a verdict", &request);
    answers_print(fd);
    request = request_of(200, 0, sizeof request.link);
    ask(fd, "no such type", &request);
    request = request_of(NLMSG_NOOP, NLM_F_ACK, 0);
    ask(fd, "nothing", &request);
    request = request_of(RTM_GETLINK, NLM_F_ACK, sizeof request.link);
    request.head.nlmsg_flags = NLM_F_ACK;
    ask(fd, "no request", &request);
    request = request_of(RTM_GETLINK, 0, sizeof request.link);
    request.head.nlmsg_len = 8;
    SHOW(send(fd, &request, sizeof request, 0));
    request.head.nlmsg_len = 4000;
    SHOW(send(fd, &request, sizeof request, 0));
    SHOW(send(fd, &request, 7, 0));
    SHOW(recv(fd, answer, sizeof answer, MSG_DONTWAIT));
    option(fd, NETLINK_CAP_ACK);
    request = request_of(200, 0, sizeof request.link);
    ask(fd, "no such type, shortly", &request);
    struct request two[2] = {request_of(200, 0, sizeof request),
                             request_of(201, 0, sizeof request)};
    two[0].head.nlmsg_len = two[1].head.nlmsg_len = sizeof *two;
    SHOW(send(fd, two, sizeof two, 0) == sizeof two);
    answers_print(fd);
    answers_print(fd);
}

static void datagrams(int fd)
{
    struct sockaddr_nl from = {0};
    char control[256];
    struct iovec part = {answer, 20};
    struct msghdr head = {.msg_name = &from,
                          .msg_namelen = sizeof from,
                          .msg_iov = &part,
                          .msg_iovlen = 1,
                          .msg_control = control,
                          .msg_controllen = sizeof control};
    struct pollfd item = {fd, POLLIN | POLLOUT, 0};
    int on = 1, size = -1;
    setsockopt(fd, SOL_NETLINK, NETLINK_PKTINFO, &on, sizeof on);
    SHOW(poll(&item, 1, 0));
    printf("  %x\n", item.revents);
    struct request request = request_of(200, 0, sizeof request.link);
    send(fd, &request, request.head.nlmsg_len, 0);
    SHOW(poll(&item, 1, 0));
    printf("  %x\n", item.revents);
    SHOW(ioctl(fd, FIONREAD, &size));
    SHOW(recv(fd, NULL, 0, MSG_PEEK | MSG_TRUNC));
    SHOW(recvmsg(fd, &head, MSG_PEEK));
    printf("  %x %d %u %u, control %d\n", head.msg_flags, head.msg_namelen, from.nl_pid,
           from.nl_groups, head.msg_controllen > 0);
    head.msg_controllen = 0;
    SHOW(recvmsg(fd, &head, MSG_TRUNC));
    printf("  %x\n", head.msg_flags);
    SHOW(recv(fd, answer, sizeof answer, MSG_DONTWAIT));
    SHOW(write(fd, &request, request.head.nlmsg_len));
    SHOW(read(fd, answer, sizeof answer));
    SHOW(send(fd, (void *)8, 100, 0));
    struct sockaddr_nl to = {.nl_family = AF_NETLINK};
    SHOW(sendto(fd, &request, request.head.nlmsg_len, 0, (struct sockaddr *)&to, sizeof to));
    SHOW(recv(fd, answer, sizeof answer, 0));
    SHOW(sendto(fd, &request, request.head.nlmsg_len, 0, (struct sockaddr *)&to, 4));
    struct ifreq named = {.ifr_name = "lo"};
    SHOW(ioctl(fd, SIOCGIFINDEX, &named));
    SHOW(ioctl(fd, SIOCGIFTXQLEN, &named));
    printf("  %d\n", named.ifr_qlen);
}

// Who does not read is told that something is lost.
static void too_much(int fd)
{
    const struct request request = request_of(200, 0, sizeof request.bytes);
    int least = 1, lost = 0;
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &least, sizeof least);
    for (int i = 0; i < 100; ++i) {
        send(fd, &request, request.head.nlmsg_len, 0);
    }
    for (ssize_t got = 0; got >= 0 || errno == ENOBUFS; lost += got < 0) {
        got = recv(fd, answer, sizeof answer, MSG_DONTWAIT);
    }
    printf("lost %d\n", lost > 1);
}

static void each(const char *what, void (*call)(int fd))
{
    int fd = opened();
    printf("%s\n", what);
    call(fd);
    close(fd);
}

int main(void)
{
    sockets();
    options();
    each("links", links);
    each("addresses", addresses);
    each("strictly", strictly);
    each("routes", routes);
    each("wrong", what_is_wrong);
    each("datagrams", datagrams);
    each("too much", too_much);
    puts("done");
    return 0;
}
