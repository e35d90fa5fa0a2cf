// SPDX-License-Identifier: BSD-3-Clause
// multicast.c: groups of multicast on lo: who is a member, what is delivered to whom, and what is
// wrong; and what is for all on a network.
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include "show.h"

enum { LO = 1 };

static struct sockaddr_in name_of(const char *text, int port)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    inet_pton(AF_INET, text, &name.sin_addr);
    return name;
}

static int bound(const char *text, int *port)
{
    const int on = 1, fd = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in name = name_of(text, *port);
    socklen_t size = sizeof name;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    SHOW(bind(fd, (struct sockaddr *)&name, sizeof name));
    getsockname(fd, (struct sockaddr *)&name, &size);
    *port = ntohs(name.sin_port);
    return fd;
}

static int member(int fd, int option, const char *group, int index)
{
    struct ip_mreqn request = {.imr_ifindex = index};
    inet_pton(AF_INET, group, &request.imr_multiaddr);
    return setsockopt(fd, IPPROTO_IP, option, &request, sizeof request);
}

static int number(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof value);
}

static void numbers(int fd, int level, const int *options, size_t count)
{
    static const int values[] = {-2, -1, 0, 1, 2, 255, 256};
    for (size_t i = 0; i < count; ++i) {
        for (size_t j = 0; j < sizeof values / sizeof *values; ++j) {
            int value = -7;
            socklen_t size = sizeof value;
            printf("%d %d: ", options[i], values[j]);
            SHOW(number(fd, level, options[i], values[j]));
            SHOW(getsockopt(fd, level, options[i], &value, &size));
            printf("  %d, %u\n", value, size);
        }
    }
}

static void received(int fd)
{
    char data[64];
    struct sockaddr_in from = {0};
    socklen_t size = sizeof from;
    const ssize_t got =
        recvfrom(fd, data, sizeof data, MSG_DONTWAIT, (struct sockaddr *)&from, &size);
    if (got < 0) {
        printf("  nothing: %s\n", strerrorname_np(errno));
    } else {
        printf("  %.*s from %s\n", (int)got, data, inet_ntoa(from.sin_addr));
    }
}

static void said(int fd, const char *text, const char *group, int port)
{
    const struct sockaddr_in name = name_of(group, port);
    SHOW(sendto(fd, text, strlen(text), 0, (const struct sockaddr *)&name, sizeof name));
}

static void members(void)
{
    int port = 0, fd = bound("0.0.0.0", &port);
    SHOW(member(fd, IP_ADD_MEMBERSHIP, "239.7.7.1", LO));
    SHOW(member(fd, IP_ADD_MEMBERSHIP, "239.7.7.1", LO));
    SHOW(member(fd, IP_ADD_MEMBERSHIP, "10.7.7.1", LO));
    SHOW(member(fd, IP_ADD_MEMBERSHIP, "239.7.7.1", 7777));
    SHOW(member(fd, IP_DROP_MEMBERSHIP, "239.7.7.2", LO));
    SHOW(member(fd, IP_DROP_MEMBERSHIP, "239.7.7.1", LO));
    SHOW(member(fd, IP_DROP_MEMBERSHIP, "239.7.7.1", LO));
    int count = 0;
    for (int i = 0; i < 100; ++i) {
        char group[32];
        snprintf(group, sizeof group, "239.7.8.%d", i);
        if (member(fd, IP_ADD_MEMBERSHIP, group, LO) != 0) {
            break;
        }
        ++count;
    }
    printf("%d, then %s\n", count, strerrorname_np(errno));
    struct group_req request = {.gr_interface = LO};
    *(struct sockaddr_in *)&request.gr_group = name_of("239.7.7.9", 0);
    close(fd);
    fd = bound("239.7.7.9", &port);
    SHOW(setsockopt(fd, IPPROTO_IP, MCAST_JOIN_GROUP, &request, sizeof request));
    SHOW(setsockopt(fd, IPPROTO_IP, MCAST_JOIN_GROUP, &request, sizeof request));
    SHOW(setsockopt(fd, IPPROTO_IP, MCAST_LEAVE_GROUP, &request, sizeof request));
    SHOW(setsockopt(fd, IPPROTO_IP, MCAST_LEAVE_GROUP, &request, sizeof request));
    request.gr_group.ss_family = AF_INET6;
    SHOW(setsockopt(fd, IPPROTO_IP, MCAST_JOIN_GROUP, &request, sizeof request));
    SHOW(setsockopt(fd, IPPROTO_IP, MCAST_JOIN_GROUP, &request, 8));
    SHOW(setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &request, 4));
    close(fd);
    fd = socket(AF_INET, SOCK_STREAM, 0);
    SHOW(member(fd, IP_ADD_MEMBERSHIP, "239.7.7.1", LO));
    SHOW(number(fd, IPPROTO_IP, IP_MULTICAST_TTL, 3));
    close(fd);
}

static void members_v6(void)
{
    const int fd = socket(AF_INET6, SOCK_DGRAM, 0);
    struct ipv6_mreq request = {.ipv6mr_interface = LO};
    static const int options[] = {IPV6_MULTICAST_HOPS, IPV6_MULTICAST_LOOP};
    inet_pton(AF_INET6, "ff05::77", &request.ipv6mr_multiaddr);
    SHOW(setsockopt(fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, &request, sizeof request));
    SHOW(setsockopt(fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, &request, sizeof request));
    SHOW(setsockopt(fd, IPPROTO_IPV6, IPV6_LEAVE_GROUP, &request, sizeof request));
    SHOW(setsockopt(fd, IPPROTO_IPV6, IPV6_LEAVE_GROUP, &request, sizeof request));
    request.ipv6mr_interface = 7777;
    SHOW(setsockopt(fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, &request, sizeof request));
    request.ipv6mr_interface = LO;
    inet_pton(AF_INET6, "fd00::77", &request.ipv6mr_multiaddr);
    SHOW(setsockopt(fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, &request, sizeof request));
    SHOW(setsockopt(fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, &request, 4));
    numbers(fd, IPPROTO_IPV6, options, 2);
    SHOW(number(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, LO));
    SHOW(number(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, 7777));
    SHOW(number(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, 0));
    close(fd);
}

static void delivered(void)
{
    int port = 0;
    const int any = bound("0.0.0.0", &port), group = bound("239.7.7.1", &port);
    const int other = bound("0.0.0.0", &port), sender = socket(AF_INET, SOCK_DGRAM, 0);
    const struct in_addr lo = {htonl(INADDR_LOOPBACK)};
    SHOW(setsockopt(sender, IPPROTO_IP, IP_MULTICAST_IF, &lo, sizeof lo));
    puts("nobody is a member");
    said(sender, "one", "239.7.7.1", port);
    received(any), received(group), received(other);
    puts("one is");
    SHOW(member(any, IP_ADD_MEMBERSHIP, "239.7.7.1", LO));
    said(sender, "two", "239.7.7.1", port);
    received(any), received(group), received(other);
    puts("one wants its own groups only");
    SHOW(number(other, IPPROTO_IP, IP_MULTICAST_ALL, 0));
    said(sender, "three", "239.7.7.1", port);
    received(any), received(group), received(other);
    puts("and is a member");
    SHOW(member(other, IP_ADD_MEMBERSHIP, "239.7.7.1", LO));
    said(sender, "four", "239.7.7.1", port);
    received(any), received(group), received(other);
    puts("another group");
    SHOW(member(any, IP_ADD_MEMBERSHIP, "239.7.7.2", LO));
    said(sender, "five", "239.7.7.2", port);
    received(any), received(group), received(other);
    puts("both are left, one by its end");
    SHOW(member(any, IP_DROP_MEMBERSHIP, "239.7.7.1", LO));
    close(other);
    said(sender, "six", "239.7.7.1", port);
    received(any), received(group);
    struct sockaddr_in name = name_of("239.7.7.2", port);
    SHOW(connect(sender, (struct sockaddr *)&name, sizeof name));
    SHOW(send(sender, "seven", 5, 0));
    received(any), received(group);
    close(any);
    close(group);
    close(sender);
}

static void broadcast(void)
{
    int port = 0;
    const int first = bound("0.0.0.0", &port), second = bound("0.0.0.0", &port);
    const int sender = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in name = name_of("127.255.255.255", port);
    said(sender, "one", "127.255.255.255", port);
    SHOW(connect(sender, (struct sockaddr *)&name, sizeof name));
    SHOW(number(sender, SOL_SOCKET, SO_BROADCAST, 1));
    said(sender, "two", "127.255.255.255", port);
    received(first), received(second);
    close(first);
    close(second);
    close(sender);
}

static void information(void)
{
    int port = 0;
    const int fd = bound("0.0.0.0", &port), sender = socket(AF_INET, SOCK_DGRAM, 0);
    const struct in_addr lo = {htonl(INADDR_LOOPBACK)};
    char data[16], control[256];
    struct iovec part = {data, sizeof data};
    struct msghdr head = {.msg_iov = &part,
                          .msg_iovlen = 1,
                          .msg_control = control,
                          .msg_controllen = sizeof control};
    number(fd, IPPROTO_IP, IP_PKTINFO, 1);
    number(fd, IPPROTO_IP, IP_RECVTTL, 1);
    number(sender, IPPROTO_IP, IP_MULTICAST_TTL, 7);
    setsockopt(sender, IPPROTO_IP, IP_MULTICAST_IF, &lo, sizeof lo);
    SHOW(member(fd, IP_ADD_MEMBERSHIP, "239.7.7.1", LO));
    said(sender, "one", "239.7.7.1", port);
    SHOW(recvmsg(fd, &head, MSG_DONTWAIT));
    for (struct cmsghdr *at = CMSG_FIRSTHDR(&head); at != NULL; at = CMSG_NXTHDR(&head, at)) {
        if (at->cmsg_type == IP_PKTINFO) {
            const struct in_pktinfo *info = (struct in_pktinfo *)CMSG_DATA(at);
            printf("  to %s by %d", inet_ntoa(info->ipi_addr), info->ipi_ifindex);
            printf(", as %s\n", inet_ntoa(info->ipi_spec_dst));
        } else {
            printf("  hops %d\n", *(int *)CMSG_DATA(at));
        }
    }
    close(fd);
    close(sender);
}

// What a file of /proc/net says of lo.
static void file_print(const char *path)
{
    FILE *file = fopen(path, "r");
    char line[256];
    bool is_lo = false;
    printf("%s\n", path);
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        is_lo = line[0] == '\t' ? is_lo : strstr(line, "lo ") != NULL;
        if (is_lo) {
            printf("  %s", line);
        }
    }
    if (file != NULL) {
        fclose(file);
    }
}

static void files(void)
{
    const int fd = socket(AF_INET, SOCK_DGRAM, 0), six = socket(AF_INET6, SOCK_DGRAM, 0);
    struct ipv6_mreq request = {.ipv6mr_interface = LO};
    inet_pton(AF_INET6, "ff05::77", &request.ipv6mr_multiaddr);
    SHOW(member(fd, IP_ADD_MEMBERSHIP, "239.7.7.1", LO));
    SHOW(member(fd, IP_ADD_MEMBERSHIP, "239.7.7.2", LO));
    SHOW(setsockopt(six, IPPROTO_IPV6, IPV6_JOIN_GROUP, &request, sizeof request));
    file_print("/proc/net/igmp");
    file_print("/proc/net/igmp6");
    close(fd);
    close(six);
    file_print("/proc/net/igmp");
}

int main(void)
{
    static const int options[] = {IP_MULTICAST_TTL, IP_MULTICAST_LOOP, IP_MULTICAST_ALL};
    const int fd = socket(AF_INET, SOCK_DGRAM, 0);
    numbers(fd, IPPROTO_IP, options, 3);
    struct in_addr address = {htonl(0x0b000001)};
    SHOW(setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &address, sizeof address));
    SHOW(setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &address, 2));
    close(fd);
    members();
    members_v6();
    delivered();
    broadcast();
    information();
    files();
    puts("done");
    return 0;
}
