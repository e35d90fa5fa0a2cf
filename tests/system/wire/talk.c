// SPDX-License-Identifier: BSD-3-Clause
// talk.c: talks by UDP and TCP over the network.
//
//   talk serve PORT COUNT        gives back what COUNT connections and a datagram bring, of both
//                                versions of IP; says "ready" when it can
//   talk ask ADDRESS PORT [MAX]  wants back what it sends: short and long datagrams, but none
//                                longer than MAX, several by one send, and a stream
//   talk lend ADDRESS PORT       a stream alone, whose bytes are lent, and not copied
//   talk fail ADDRESS PORT       says how a connection fails
//   talk list                    says which interfaces and routes there are
//   talk autoconf                waits until eth0 has addresses of IPv6, and a way to others, by
//                                itself, and says which, but for the hardware's part
//   talk names                   says who knows names, and whether that can be changed
//   talk link                    says "ready"; then, once each, when eth0's link is down and when
//                                it is up again
//   talk spin PORT COUNT         gives back datagrams until an empty one comes, without ever
//                                sleeping when COUNT have come; says "ready" when it can
#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { STREAM = 3 << 20, CHUNK = 65536, LONGEST = 20000 };
enum { PIECE = 1000, PIECES = 5, PIECES_SIZE = 4500 };

static const int lengths[] = {0, 1, 17, 512, 1400, 1472, 1473, 3000, LONGEST};
enum { LENGTHS = sizeof lengths / sizeof *lengths };

__attribute__((noreturn)) static void fail(const char *what)
{
    printf("%s: %s\n", what, strerror(errno));
    exit(1);
}

static uint8_t byte_at(size_t index)
{
    return (uint8_t)(index * 7 + (index >> 8) * 13);
}

static socklen_t address_make(struct sockaddr_storage *address, const char *text, int port)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)address;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)address;
    memset(address, 0, sizeof *address);
    if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons((uint16_t)port);
        return sizeof *v4;
    }
    char address_text[INET6_ADDRSTRLEN] = "";
    const size_t end = strcspn(text, "%"); // of the interface's name
    memcpy(address_text, text, end < sizeof address_text ? end : 0);
    if (inet_pton(AF_INET6, address_text, &v6->sin6_addr) != 1) {
        errno = EINVAL;
        fail(text);
    }
    v6->sin6_scope_id = text[end] == '%' ? if_nametoindex(text + end + 1) : 0;
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons((uint16_t)port);
    return sizeof *v6;
}

static int bound(int kind, int port)
{
    struct sockaddr_storage any;
    const socklen_t size = address_make(&any, "::", port);
    const int fd = socket(AF_INET6, kind, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&any, size) != 0) {
        fail("bind");
    }
    return fd;
}

// Sends one back. Answers its size; -1: none is there.
static ssize_t datagram_answer(int fd, int flags)
{
    static char data[CHUNK];
    struct sockaddr_storage from;
    socklen_t size = sizeof from;
    const ssize_t got = recvfrom(fd, data, sizeof data, flags, (struct sockaddr *)&from, &size);
    if (got < 0 && errno == EAGAIN) {
        return -1;
    }
    if (got < 0 || sendto(fd, data, (size_t)got, 0, (struct sockaddr *)&from, size) != got) {
        fail("datagram");
    }
    return got;
}

static void *datagrams_serve(void *argument)
{
    while (datagram_answer(*(int *)argument, 0) >= 0) {
    }
    return NULL;
}

// Sleeps until count datagrams have come, and never after that: until an empty one has come.
static int spin(int port, int count)
{
    const int fd = bound(SOCK_DGRAM, port);
    printf("ready\n");
    fflush(stdout);
    for (int i = 0; i < count; ++i) {
        (void)datagram_answer(fd, 0);
    }
    while (datagram_answer(fd, MSG_DONTWAIT) != 0) {
    }
    printf("served\n");
    return 0;
}

static void stream_serve(int fd)
{
    static char data[CHUNK];
    ssize_t got;
    while ((got = read(fd, data, sizeof data)) > 0) {
        for (ssize_t at = 0, put; at < got; at += put) {
            put = write(fd, data + at, (size_t)(got - at));
            if (put < 0) {
                fail("write");
            }
        }
    }
    if (got < 0) {
        fail("read");
    }
    close(fd);
}

static int serve(int port, int count)
{
    int datagrams = bound(SOCK_DGRAM, port);
    const int listener = bound(SOCK_STREAM, port);
    pthread_t thread;
    if (listen(listener, 8) != 0 ||
        pthread_create(&thread, NULL, datagrams_serve, &datagrams) != 0) {
        fail("listen");
    }
    printf("ready\n");
    fflush(stdout);
    for (int i = 0; i < count; ++i) {
        const int fd = accept(listener, NULL, NULL);
        if (fd < 0) {
            fail("accept");
        }
        stream_serve(fd);
    }
    printf("served %d\n", count);
    return 0;
}

static int connected(int kind, const char *text, int port)
{
    struct sockaddr_storage address;
    const socklen_t size = address_make(&address, text, port);
    const int fd = socket(address.ss_family, kind, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, size) != 0) {
        fail("connect");
    }
    return fd;
}

// What is lost is sent again.
static void datagram_ask(int fd, int length)
{
    static uint8_t sent[LONGEST], got[CHUNK];
    const struct timeval patience = {.tv_sec = 1};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    for (int i = 0; i < length; ++i) {
        sent[i] = byte_at((size_t)(i + length));
    }
    for (int i = 0; i < 30; ++i) {
        if (send(fd, sent, (size_t)length, 0) != length) {
            fail("send");
        }
        ssize_t size;
        while ((size = recv(fd, got, sizeof got, 0)) >= 0) {
            if (size == length && memcmp(got, sent, (size_t)length) == 0) {
                printf("datagram of %d\n", length);
                return;
            }
        }
        if (errno != EAGAIN) {
            fail("recv");
        }
    }
    fail("no answer");
}

// One send of several datagrams; where the way has no checksums in hardware Linux may refuse that.
static void pieces_send(int fd, const uint8_t *all)
{
    int piece = PIECE, none = 0;
    setsockopt(fd, SOL_UDP, UDP_SEGMENT, &piece, sizeof piece);
    const ssize_t sent = send(fd, all, PIECES_SIZE, 0);
    const int error = errno;
    setsockopt(fd, SOL_UDP, UDP_SEGMENT, &none, sizeof none);
    if (sent < 0 && error == EIO) {
        for (int at = 0; at < PIECES_SIZE; at += PIECE) {
            (void)send(fd, all + at, PIECES_SIZE - at < PIECE ? PIECES_SIZE - at : PIECE, 0);
        }
    } else if (sent != PIECES_SIZE) {
        fail("send of several");
    }
}

static void pieces_ask(int fd)
{
    static uint8_t all[PIECES_SIZE], got[CHUNK];
    bool is_back[PIECES] = {false};
    int count = 0;
    for (int i = 0; i < PIECES_SIZE; ++i) {
        all[i] = (uint8_t)(i / PIECE * 16 + i % 13);
    }
    for (int i = 0; i < 30 && count < PIECES; ++i) {
        ssize_t size;
        pieces_send(fd, all);
        while (count < PIECES && (size = recv(fd, got, sizeof got, 0)) >= 0) {
            const int which = got[0] / 16 % PIECES, begin = which * PIECE;
            const int length = PIECES_SIZE - begin < PIECE ? PIECES_SIZE - begin : PIECE;
            if (size == length && memcmp(got, all + begin, (size_t)length) == 0) {
                count += !is_back[which];
                is_back[which] = true;
            }
        }
        if (count < PIECES && errno != EAGAIN) {
            fail("recv");
        }
    }
    printf("%d datagrams by one send\n", count);
}

// Whether the send that was numbered so has lent its bytes. It is over when this returns.
static bool was_lent(int fd, uint32_t number)
{
    struct { // sock_extended_err
        uint32_t error;
        uint8_t origin, type, code, pad;
        uint32_t first, last;
    } said;
    char control[128];
    struct pollfd item = {.fd = fd};
    struct msghdr message = {.msg_control = control, .msg_controllen = sizeof control};
    if (poll(&item, 1, -1) != 1 || recvmsg(fd, &message, MSG_ERRQUEUE) != 0) {
        fail("recvmsg");
    }
    memcpy(&said, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof said);
    if (said.origin != 5 || said.first != number || said.last != number) {
        printf("%u to %u of %u are over\n", said.first, said.last, said.origin);
        exit(1);
    }
    return said.code == 0;
}

static void *stream_lend(void *argument)
{
    const int fd = *(int *)argument, on = 1;
    uint32_t count = 0, lent = 0;
    uint8_t *data = malloc(CHUNK);
    if (data == NULL || setsockopt(fd, SOL_SOCKET, SO_ZEROCOPY, &on, sizeof on) != 0) {
        fail("SO_ZEROCOPY");
    }
    for (size_t at = 0; at < STREAM; at += CHUNK) {
        for (size_t i = 0; i < CHUNK; ++i) {
            data[i] = byte_at(at + i);
        }
        if (send(fd, data, CHUNK, MSG_ZEROCOPY) != CHUNK) {
            fail("send");
        }
        lent += was_lent(fd, count++);
    }
    printf("lent %u of %u\n", lent, count);
    free(data);
    shutdown(fd, SHUT_WR);
    return NULL;
}

static void *stream_write(void *argument)
{
    const int fd = *(int *)argument;
    static uint8_t data[CHUNK];
    for (size_t at = 0; at < STREAM; at += CHUNK) {
        for (size_t i = 0; i < CHUNK; ++i) {
            data[i] = byte_at(at + i);
        }
        for (size_t done = 0; done < CHUNK;) {
            const ssize_t put = write(fd, data + done, CHUNK - done);
            if (put < 0) {
                fail("write");
            }
            done += (size_t)put;
        }
    }
    shutdown(fd, SHUT_WR);
    return NULL;
}

static void stream_ask(int fd, void *(*run)(void *fd))
{
    static uint8_t data[CHUNK];
    pthread_t writer;
    size_t at = 0;
    ssize_t got;
    if (pthread_create(&writer, NULL, run, &fd) != 0) {
        fail("thread");
    }
    while ((got = read(fd, data, sizeof data)) > 0) {
        for (ssize_t i = 0; i < got; ++i, ++at) {
            if (data[i] != byte_at(at)) {
                printf("byte %zu is wrong\n", at);
                exit(1);
            }
        }
    }
    if (got < 0) {
        fail("read");
    }
    pthread_join(writer, NULL);
    printf("stream of %zu\n", at);
}

static int ask(const char *address, int port, int longest)
{
    const int datagrams = connected(SOCK_DGRAM, address, port);
    for (int i = 0; i < LENGTHS && lengths[i] <= longest; ++i) {
        datagram_ask(datagrams, lengths[i]);
    }
    pieces_ask(datagrams);
    stream_ask(connected(SOCK_STREAM, address, port), stream_write);
    return 0;
}

static void address_print(const char *what, const struct sockaddr *address)
{
    char text[INET6_ADDRSTRLEN] = "?";
    if (address == NULL || address->sa_family == AF_PACKET) {
        return;
    }
    const void *bytes = address->sa_family == AF_INET
                            ? (const void *)&((const struct sockaddr_in *)address)->sin_addr
                            : (const void *)&((const struct sockaddr_in6 *)address)->sin6_addr;
    printf(" %s %s", what, inet_ntop(address->sa_family, bytes, text, sizeof text));
}

static int list(void)
{
    struct ifaddrs *all;
    char line[256];
    if (getifaddrs(&all) != 0) {
        fail("getifaddrs");
    }
    for (const struct ifaddrs *item = all; item != NULL; item = item->ifa_next) {
        printf("%s", item->ifa_name);
        address_print("has", item->ifa_addr);
        address_print("mask", item->ifa_netmask);
        if (item->ifa_flags & IFF_BROADCAST) {
            address_print("broadcast", item->ifa_broadaddr);
        }
        printf("\n");
    }
    FILE *file = fopen("/proc/net/route", "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        line[strcspn(line, " \n")] = 0;
        printf("%s\n", line);
    }
    struct ifreq request = {.ifr_name = "eth0"};
    const int fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (ioctl(fd, SIOCGIFBRDADDR, &request) != 0) {
        fail("ioctl");
    }
    address_print("asked:", &request.ifr_broadaddr);
    printf("\n");
    return 0;
}

// Those of eth0, as far as they do not come from its hardware's; how many have more than the link.
static int v6_print(bool prints)
{
    struct ifaddrs *all;
    int count = 0;
    if (getifaddrs(&all) != 0) {
        fail("getifaddrs");
    }
    for (const struct ifaddrs *item = all; item != NULL; item = item->ifa_next) {
        const struct sockaddr_in6 *address = (const struct sockaddr_in6 *)item->ifa_addr;
        if (strcmp(item->ifa_name, "eth0") != 0 || address->sin6_family != AF_INET6) {
            continue;
        }
        char text[INET6_ADDRSTRLEN];
        struct in6_addr network = address->sin6_addr;
        memset(network.s6_addr + 8, 0, 8);
        count += !IN6_IS_ADDR_LINKLOCAL(&network);
        if (prints) {
            printf("%s of %x..%x\n", inet_ntop(AF_INET6, &network, text, sizeof text),
                   address->sin6_addr.s6_addr[11], address->sin6_addr.s6_addr[12]);
        }
    }
    freeifaddrs(all);
    return count;
}

static bool has_way(void)
{
    struct sockaddr_storage there;
    const socklen_t size = address_make(&there, "2001:db8::1", 9);
    const int fd = socket(AF_INET6, SOCK_DGRAM, 0);
    const bool has = connect(fd, (struct sockaddr *)&there, size) == 0;
    close(fd);
    return has;
}

static int autoconf(void)
{
    const struct sockaddr_nl name = {.nl_family = AF_NETLINK,
                                     .nl_groups = RTMGRP_IPV6_IFADDR | RTMGRP_IPV6_ROUTE};
    const int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
    char data[4096];
    if (bind(fd, (const struct sockaddr *)&name, sizeof name) != 0) {
        fail("bind");
    }
    while (v6_print(false) == 0 || !has_way()) {
        if (recv(fd, data, sizeof data, 0) < 0) { // until something changes
            fail("recv");
        }
    }
    v6_print(true);
    return 0;
}

static int names(void)
{
    char line[256];
    FILE *file = fopen("/etc/resolv.conf", "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        printf("%s", line);
    }
    file = fopen("/etc/resolv.conf", "w");
    printf("%s\n", file == NULL ? strerror(errno) : "written");
    return 0;
}

// As messages about links say it.
static void link_await(int told, bool is_up)
{
    for (;;) {
        _Alignas(struct nlmsghdr) char data[4096];
        const struct nlmsghdr *head = (const struct nlmsghdr *)data;
        const struct ifinfomsg *link = NLMSG_DATA(head);
        if (recv(told, data, sizeof data, 0) < (ssize_t)NLMSG_LENGTH(sizeof *link)) {
            fail("recv");
        }
        if (head->nlmsg_type == RTM_NEWLINK && link->ifi_index == (int)if_nametoindex("eth0") &&
            ((link->ifi_flags & IFF_RUNNING) != 0) == is_up) {
            return;
        }
    }
}

static int link_tell(void)
{
    static const char *const lines[] = {"ready", "down", "up"};
    const struct sockaddr_nl name = {.nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK};
    const int told = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
    if (bind(told, (const struct sockaddr *)&name, sizeof name) != 0) {
        fail("bind");
    }
    for (int i = 0; i < 3; ++i) {
        if (i > 0) {
            link_await(told, i == 2);
        }
        printf("%s\n", lines[i]);
        fflush(stdout);
    }
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "names") == 0) {
        return names();
    }
    if (argc == 2 && strcmp(argv[1], "link") == 0) {
        return link_tell();
    }
    if (argc == 2 && strcmp(argv[1], "autoconf") == 0) {
        return autoconf();
    }
    if (argc == 2 && strcmp(argv[1], "list") == 0) {
        return list();
    }
    if (argc == 4 && strcmp(argv[1], "serve") == 0) {
        return serve(atoi(argv[2]), atoi(argv[3]));
    }
    if (argc == 4 && strcmp(argv[1], "spin") == 0) {
        return spin(atoi(argv[2]), atoi(argv[3]));
    }
    if (argc >= 4 && strcmp(argv[1], "ask") == 0) {
        return ask(argv[2], atoi(argv[3]), argc == 4 ? LONGEST : atoi(argv[4]));
    }
    if (argc == 4 && strcmp(argv[1], "lend") == 0) {
        stream_ask(connected(SOCK_STREAM, argv[2], atoi(argv[3])), stream_lend);
        return 0;
    }
    if (argc == 4 && strcmp(argv[1], "fail") == 0) {
        close(connected(SOCK_STREAM, argv[2], atoi(argv[3])));
        printf("connected\n");
        return 0;
    }
    return 2;
}
