// SPDX-License-Identifier: BSD-3-Clause
// raws.c: raw sockets and pings on the loopback network, of both IP versions: who may have them,
// what they get and send, filters, headers and checksums, errors that come back (raw(7), icmp(7)).
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/errqueue.h>
#include <linux/icmp.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "show.h"

union name {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static socklen_t name_make(union name *name, bool is_v4, uint16_t port)
{
    memset(name, 0, sizeof *name);
    if (is_v4) {
        name->v4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port)};
        name->v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        return sizeof name->v4;
    }
    name->v6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(port)};
    name->v6.sin6_addr = in6addr_loopback;
    return sizeof name->v6;
}

static void name_print(const union name *name, socklen_t size)
{
    char text[INET6_ADDRSTRLEN] = "?";
    const bool is_v4 = name->any.sa_family == AF_INET;
    inet_ntop(name->any.sa_family,
              is_v4 ? (const void *)&name->v4.sin_addr : (const void *)&name->v6.sin6_addr, text,
              sizeof text);
    printf("  %d: %s %u\n", (int)size, text, ntohs(name->v4.sin_port));
}

static int family_of(bool is_v4)
{
    return is_v4 ? AF_INET : AF_INET6;
}

static int icmp_of(bool is_v4)
{
    return is_v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6;
}

static void show_name(int fd, bool is_peer)
{
    union name name = {0};
    socklen_t size = sizeof name;
    const int got = is_peer ? getpeername(fd, &name.any, &size) : getsockname(fd, &name.any, &size);
    if (show(is_peer ? "getpeername" : "getsockname", got) == 0) {
        name_print(&name, size);
    }
}

static void show_option(int fd, int level, int option)
{
    unsigned value[8] = {77, 77, 77, 77, 77, 77, 77, 77};
    socklen_t size = sizeof value;
    if (show("getsockopt", getsockopt(fd, level, option, value, &size)) == 0) {
        printf("  %u:", (unsigned)size);
        for (unsigned i = 0; i < size / 4; ++i) {
            printf(" %x", value[i]);
        }
        puts("");
    }
}

static void set_option(int fd, int level, int option, int value)
{
    show("setsockopt", setsockopt(fd, level, option, &value, sizeof value));
}

// Bytes of a message, of which the identifier and the checksum are the machine's choice.
static void bytes_print(const uint8_t *data, long size, long from, long to)
{
    printf("  %ld bytes:", size);
    for (long i = 0; i < size; ++i) {
        printf(i >= from && i < to ? " .." : " %02x", data[i]);
    }
    puts("");
}

static long show_receive(int fd, int flags, bool is_v4_raw)
{
    uint8_t data[256] = {0};
    union name name = {0};
    socklen_t size = sizeof name;
    const long got = recvfrom(fd, data, sizeof data, flags | MSG_DONTWAIT, &name.any, &size);
    if (show("recvfrom", got) >= 0) {
        name_print(&name, size);
        const long whole = got < (long)sizeof data ? got : (long)sizeof data;
        if (is_v4_raw) { // the header's number and checksum
            printf("  version %d length %d protocol %d ttl %d tos %d\n", data[0] >> 4,
                   (data[0] & 15) * 4, data[9], data[8], data[1]);
            bytes_print(data + 20, whole - 20, 0, 0);
        } else {
            bytes_print(data, whole, 0, 0);
        }
    }
    return got;
}

static void show_poll(int fd)
{
    struct pollfd item = {.fd = fd, .events = POLLIN | POLLOUT};
    SHOW(poll(&item, 1, 0));
    printf("  %x\n", item.revents);
}

static void kinds(void)
{
    static const struct {
        int domain, type, protocol;
    } all[] = {
        {AF_INET, SOCK_RAW, 0},
        {AF_INET, SOCK_RAW, IPPROTO_ICMP},
        {AF_INET, SOCK_RAW, IPPROTO_TCP},
        {AF_INET, SOCK_RAW, IPPROTO_RAW},
        {AF_INET, SOCK_RAW, 250},
        {AF_INET, SOCK_RAW, -1},
        {AF_INET, SOCK_RAW, 1000},
        {AF_INET6, SOCK_RAW, 0},
        {AF_INET6, SOCK_RAW, IPPROTO_ICMPV6},
        {AF_INET, SOCK_DGRAM, IPPROTO_ICMP},
        {AF_INET, SOCK_DGRAM, IPPROTO_ICMPV6},
        {AF_INET, SOCK_DGRAM, IPPROTO_TCP},
        {AF_INET6, SOCK_DGRAM, IPPROTO_ICMPV6},
        {AF_INET6, SOCK_DGRAM, IPPROTO_ICMP},
        {AF_INET, SOCK_STREAM, IPPROTO_ICMP},
        {AF_INET, SOCK_SEQPACKET, 0},
    };
    puts("-- kinds");
    for (unsigned i = 0; i < sizeof all / sizeof *all; ++i) {
        const int fd = socket(all[i].domain, all[i].type, all[i].protocol);
        printf("%d %d %d: ", all[i].domain, all[i].type, all[i].protocol);
        show("socket", fd >= 0 ? 0 : fd);
        if (fd >= 0) {
            show_option(fd, SOL_SOCKET, SO_TYPE);
            show_option(fd, SOL_SOCKET, SO_PROTOCOL);
            close(fd);
        }
    }
}

static int echo_make(uint8_t data[16], bool is_v4)
{
    memset(data, 0, 16);
    data[0] = is_v4 ? ICMP_ECHO : ICMP6_ECHO_REQUEST;
    data[5] = 7;
    data[7] = 1;
    memcpy(data + 8, "12345678", 8);
    return 16;
}

static void pings(bool is_v4)
{
    union name name;
    uint8_t echo[16];
    const socklen_t size = name_make(&name, is_v4, 0);
    const int size_of_echo = echo_make(echo, is_v4);
    printf("-- pings, %d\n", is_v4 ? 4 : 6);
    const int fd = socket(family_of(is_v4), SOCK_DGRAM, icmp_of(is_v4));
    const int other = socket(family_of(is_v4), SOCK_DGRAM, icmp_of(is_v4));
    const int wrong = socket(family_of(is_v4), SOCK_DGRAM, icmp_of(is_v4));
    show_name(fd, false);
    show_name(fd, true);
    SHOW(send(wrong, echo, size_of_echo, 0)); // it has a number now
    SHOW(bind(wrong, &name.any, size));
    SHOW(sendto(wrong, echo, 7, 0, &name.any, size));
    echo[1] = 1;
    SHOW(sendto(wrong, echo, size_of_echo, 0, &name.any, size));
    echo[1] = 0;
    echo[0] ^= 3;
    SHOW(sendto(wrong, echo, size_of_echo, 0, &name.any, size));
    echo[0] ^= 3;
    close(wrong);
    name_make(&name, is_v4, 4711);
    SHOW(bind(fd, &name.any, size));
    SHOW(bind(fd, &name.any, size));
    show_name(fd, false);
    show_poll(fd);
    SHOW(sendto(fd, echo, size_of_echo, 0, &name.any, size));
    show_poll(fd);
    show_receive(fd, MSG_PEEK, false);
    show_receive(fd, 0, false);
    show_receive(fd, 0, false);
    SHOW(connect(fd, &name.any, size));
    show_name(fd, true);
    SHOW(send(fd, echo, size_of_echo, 0));
    show_receive(fd, 0, false);
    SHOW(bind(other, &name.any, size)); // the newest gets the answers
    SHOW(send(fd, echo, size_of_echo, 0));
    show_receive(other, 0, false);
    show_receive(fd, 0, false);
    SHOW(listen(fd, 1));
    SHOW(shutdown(fd, SHUT_WR));
    close(fd);
    close(other);
}

static void stamps(void)
{
    union name name;
    uint8_t echo[16];
    char room[128];
    struct iovec vector = {echo, sizeof echo};
    struct msghdr message = {
        .msg_iov = &vector, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
    puts("-- stamps");
    const int fd = socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP);
    const socklen_t size = name_make(&name, true, 0);
    struct timeval now;
    set_option(fd, SOL_SOCKET, SO_TIMESTAMP, 1);
    show_option(fd, SOL_SOCKET, SO_TIMESTAMP);
    SHOW(sendto(fd, echo, echo_make(echo, true), 0, &name.any, size));
    SHOW(recvmsg(fd, &message, 0));
    const struct cmsghdr *head = CMSG_FIRSTHDR(&message);
    struct timeval stamp = {0};
    if (head != NULL) {
        printf("  level %d type %d size %d\n", head->cmsg_level, head->cmsg_type,
               (int)head->cmsg_len);
        memcpy(&stamp, CMSG_DATA(head), sizeof stamp);
    }
    gettimeofday(&now, NULL);
    struct timespec raw; // by which ping knows whether it has begun
    SHOW(clock_gettime(CLOCK_MONOTONIC_RAW, &raw));
    printf("  it is a second since boot: %d\n", raw.tv_sec > 0);
    printf("  it is of today: %d\n", now.tv_sec - stamp.tv_sec < 60);
    close(fd);
}

static void echoes(bool is_v4)
{
    union name name;
    uint8_t echo[16];
    const socklen_t size = name_make(&name, is_v4, 0);
    const int size_of_echo = echo_make(echo, is_v4);
    const int level = is_v4 ? SOL_RAW : IPPROTO_ICMPV6;
    printf("-- echoes, %d\n", is_v4 ? 4 : 6);
    const int fd = socket(family_of(is_v4), SOCK_RAW, icmp_of(is_v4));
    show_name(fd, false);
    if (is_v4) { // a checksum of one's own
        echo[2] = 0x27;
        echo[3] = 0x23;
    }
    SHOW(sendto(fd, echo, size_of_echo, 0, &name.any, size));
    show_receive(fd, MSG_PEEK, is_v4);
    show_receive(fd, 0, is_v4);
    show_receive(fd, 0, is_v4);
    show_receive(fd, 0, is_v4);
    show_option(fd, level, 1);
    unsigned filter[8];
    memset(filter, 0xff, sizeof filter);
    const int reply = is_v4 ? ICMP_ECHOREPLY : ICMP6_ECHO_REPLY;
    filter[reply / 32] &= ~(1u << reply % 32);
    SHOW(setsockopt(fd, level, 1, filter, sizeof filter));
    show_option(fd, level, 1);
    SHOW(sendto(fd, echo, size_of_echo, 0, &name.any, size));
    show_receive(fd, 0, is_v4);
    show_receive(fd, 0, is_v4);
    SHOW(setsockopt(fd, level, 2, filter, sizeof filter));
    const int other = socket(family_of(is_v4), SOCK_RAW, 250);
    SHOW(setsockopt(other, level, 1, filter, sizeof filter));
    close(other);
    close(fd);
}

static void protocols(bool is_v4)
{
    union name name;
    const socklen_t size = name_make(&name, is_v4, 0);
    printf("-- protocols, %d\n", is_v4 ? 4 : 6);
    const int a = socket(family_of(is_v4), SOCK_RAW, 250);
    const int b = socket(family_of(is_v4), SOCK_RAW, 250);
    const int other = socket(family_of(is_v4), SOCK_RAW, 251);
    SHOW(send(a, "?", 1, 0));
    SHOW(sendto(a, "hello", 5, 0, &name.any, size));
    show_receive(a, 0, is_v4);
    show_receive(b, 0, is_v4);
    show_receive(other, 0, is_v4);
    SHOW(bind(b, &name.any, size));
    show_name(b, false);
    SHOW(connect(a, &name.any, size));
    show_name(a, false);
    show_name(a, true);
    if (is_v4) {
        set_option(a, IPPROTO_IP, IP_TTL, 9);
        set_option(a, IPPROTO_IP, IP_TOS, 16);
    }
    SHOW(send(a, "connected", 9, 0));
    show_receive(b, 0, is_v4);
    show_receive(a, 0, is_v4);
    union name far = name;
    if (is_v4) {
        far.v4.sin_addr.s_addr = htonl(0x7f000002);
        SHOW(bind(other, &far.any, size)); // another address of the same network
        SHOW(sendto(b, "elsewhere", 9, 0, &far.any, size));
        show_receive(a, 0, is_v4);
        show_receive(b, 0, is_v4);
        far.v4.sin_addr.s_addr = htonl(0x0a090807);
    } else {
        far.v6.sin6_addr.s6_addr[0] = 0xfd;
    }
    SHOW(bind(other, &far.any, size));
    char *large = calloc(1, 70000);
    SHOW(sendto(b, large, 70000, 0, &name.any, size));
    SHOW(sendto(b, large, 65000, 0, &name.any, size) > 0);
    SHOW(recv(b, large, 70000, MSG_DONTWAIT) - (is_v4 ? 20 : 0));
    free(large);
    SHOW(shutdown(b, SHUT_RD));
    close(a);
    close(b);
    close(other);
}

// By which interface a packet came, and to whom.
static void ways(bool is_v4)
{
    union name name;
    uint8_t data[64];
    char room[128];
    struct iovec vector = {data, sizeof data};
    struct msghdr message = {
        .msg_iov = &vector, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
    const socklen_t size = name_make(&name, is_v4, 0);
    printf("-- ways, %d\n", is_v4 ? 4 : 6);
    const int fd = socket(family_of(is_v4), SOCK_RAW, 250);
    set_option(fd, is_v4 ? IPPROTO_IP : IPPROTO_IPV6, is_v4 ? IP_PKTINFO : IPV6_RECVPKTINFO, 1);
    SHOW(sendto(fd, "hello", 5, 0, &name.any, size));
    SHOW(recvmsg(fd, &message, MSG_DONTWAIT));
    const struct cmsghdr *head = CMSG_FIRSTHDR(&message);
    if (head != NULL) {
        printf("  level %d type %d size %d:", head->cmsg_level, head->cmsg_type,
               (int)head->cmsg_len);
        for (const uint8_t *at = CMSG_DATA(head); at < (uint8_t *)head + head->cmsg_len; ++at) {
            printf(" %02x", *at);
        }
        puts("");
    }
    close(fd);
}

// A datagram is the UDP socket's and the raw one's, too.
static void beside(bool is_v4)
{
    union name name;
    uint8_t data[64];
    const socklen_t size = name_make(&name, is_v4, 5353);
    printf("-- beside, %d\n", is_v4 ? 4 : 6);
    const int raw = socket(family_of(is_v4), SOCK_RAW, IPPROTO_UDP);
    const int udp = socket(family_of(is_v4), SOCK_DGRAM, 0);
    SHOW(bind(udp, &name.any, size));
    SHOW(sendto(udp, "both", 4, 0, &name.any, size));
    SHOW(recv(udp, data, sizeof data, MSG_DONTWAIT));
    const long got = SHOW(recv(raw, data, sizeof data, MSG_DONTWAIT));
    if (got > 4) {
        printf("  '%.4s'\n", data + got - 4);
    }
    close(raw);
    SHOW(sendto(udp, "one", 3, 0, &name.any, size));
    SHOW(recv(udp, data, sizeof data, MSG_DONTWAIT));
    close(udp);
}

// The bytes of a connection, too.
static void beside_streams(bool is_v4)
{
    union name name;
    uint8_t data[256];
    socklen_t size = name_make(&name, is_v4, 0);
    printf("-- beside streams, %d\n", is_v4 ? 4 : 6);
    const int server = socket(family_of(is_v4), SOCK_STREAM, 0);
    const int client = socket(family_of(is_v4), SOCK_STREAM, 0);
    SHOW(bind(server, &name.any, size));
    SHOW(listen(server, 1));
    SHOW(getsockname(server, &name.any, &size));
    SHOW(connect(client, &name.any, size));
    const int raw = socket(family_of(is_v4), SOCK_RAW, IPPROTO_TCP);
    const int end = accept(server, NULL, NULL);
    SHOW(send(client, "stream", 6, 0));
    SHOW(recv(end, data, sizeof data, 0));
    int seen = 0;
    for (long got; (got = recv(raw, data, sizeof data, MSG_DONTWAIT)) > 0;) {
        seen += got > 26 && memcmp(data + got - 6, "stream", 6) == 0;
    }
    printf("  seen %d\n", seen);
    close(raw);
    close(end);
    close(client);
    close(server);
}

// A segment of the program's own making is answered, and what answers it is not waited for.
static void segments(void)
{
    union name name;
    socklen_t size = name_make(&name, true, 0);
    uint8_t data[256];
    puts("-- segments");
    const int server = socket(AF_INET, SOCK_STREAM, 0);
    const int raw = socket(AF_INET, SOCK_RAW, IPPROTO_TCP);
    SHOW(bind(server, &name.any, size));
    SHOW(listen(server, 1));
    SHOW(getsockname(server, &name.any, &size));
    struct tcphdr syn = {
        .source = htons(4), .dest = name.v4.sin_port, .syn = 1, .doff = 5, .window = 512};
    // The checksum: of the protocol, the length, and twice 127.0.0.1, too.
    uint32_t sum = htons(IPPROTO_TCP) + htons(sizeof syn) + 2u * (htons(0x7f00) + htons(1));
    uint16_t words[sizeof syn / 2];
    memcpy(words, &syn, sizeof syn);
    for (unsigned i = 0; i < sizeof syn / 2; ++i) {
        sum += words[i];
    }
    sum = (sum & 0xffff) + (sum >> 16);
    syn.check = (uint16_t) ~(sum + (sum >> 16));
    name.v4.sin_port = 0;
    SHOW(sendto(raw, &syn, sizeof syn, 0, &name.any, size));
    for (long got; (got = recv(raw, data, sizeof data, MSG_DONTWAIT)) > 0;) {
        printf("  flags %x\n", data[20 + 13]);
    }
    close(raw);
    close(server);
}

static void headers(void)
{
    union name name;
    const socklen_t size = name_make(&name, true, 0);
    uint8_t data[32] = {0x45, 0x10, 0, 0, 0, 5, 0, 0, 33, 250, 0, 0, 0, 0, 0, 0, 127, 0, 0, 1};
    puts("-- headers");
    const int fd = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
    const int other = socket(AF_INET, SOCK_RAW, 250);
    show_option(fd, IPPROTO_IP, IP_HDRINCL);
    show_option(other, IPPROTO_IP, IP_HDRINCL);
    memcpy(data + 20, "whole packet", 12);
    SHOW(sendto(fd, data, sizeof data, 0, &name.any, size));
    show_receive(other, 0, true);
    show_receive(fd, 0, true);
    SHOW(sendto(fd, data, 10, 0, &name.any, size));
    data[0] = 0x4f;
    SHOW(sendto(fd, data, sizeof data, 0, &name.any, size));
    data[0] = 0x45;
    set_option(other, IPPROTO_IP, IP_HDRINCL, 1);
    SHOW(sendto(other, data, sizeof data, 0, &name.any, size));
    show_receive(other, 0, true);
    close(fd);
    close(other);
}

static void checksums(void)
{
    union name name;
    const socklen_t size = name_make(&name, false, 0);
    puts("-- checksums");
    const int fd = socket(AF_INET6, SOCK_RAW, 250);
    const int icmp = socket(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6);
    show_option(fd, IPPROTO_IPV6, IPV6_CHECKSUM);
    show_option(icmp, IPPROTO_IPV6, IPV6_CHECKSUM);
    set_option(fd, IPPROTO_IPV6, IPV6_CHECKSUM, 3);
    set_option(icmp, IPPROTO_IPV6, IPV6_CHECKSUM, 2);
    SHOW(sendto(fd, "\0\0\0\0data", 8, 0, &name.any, size));
    show_receive(fd, 0, false);
    set_option(fd, IPPROTO_IPV6, IPV6_CHECKSUM, 2);
    show_option(fd, IPPROTO_IPV6, IPV6_CHECKSUM);
    SHOW(sendto(fd, "\0\0\0\0data", 8, 0, &name.any, size));
    show_receive(fd, 0, false);
    SHOW(sendto(fd, "\0\0", 2, 0, &name.any, size));
    const int wrong = socket(AF_INET6, SOCK_RAW, 250);
    SHOW(sendto(wrong, "\0\0\0\0data", 8, 0, &name.any, size));
    show_receive(fd, 0, false);
    show_receive(wrong, 0, false);
    close(fd);
    close(icmp);
    close(wrong);
}

static void report_print(int fd)
{
    uint8_t data[64] = {0};
    char room[256];
    union name name = {0};
    struct iovec vector = {data, sizeof data};
    struct msghdr message = {.msg_name = &name,
                             .msg_namelen = sizeof name,
                             .msg_iov = &vector,
                             .msg_iovlen = 1,
                             .msg_control = room,
                             .msg_controllen = sizeof room};
    const long got = SHOW(recvmsg(fd, &message, MSG_ERRQUEUE));
    if (got < 0) {
        return;
    }
    name_print(&name, message.msg_namelen);
    printf("  flags %x, %ld bytes\n", message.msg_flags, got);
    for (struct cmsghdr *head = CMSG_FIRSTHDR(&message); head; head = CMSG_NXTHDR(&message, head)) {
        struct sock_extended_err error;
        memcpy(&error, CMSG_DATA(head), sizeof error);
        printf("  level %d type %d size %d: %s origin %d type %d code %d info %u\n",
               head->cmsg_level, head->cmsg_type, (int)head->cmsg_len,
               strerrorname_np((int)error.ee_errno), error.ee_origin, error.ee_type, error.ee_code,
               error.ee_info);
        memcpy(&name, CMSG_DATA(head) + sizeof error, head->cmsg_len - CMSG_LEN(sizeof error));
        name_print(&name, 0);
    }
}

// Of a datagram that nobody takes.
static void reports(bool is_v4)
{
    union name name;
    const socklen_t size = name_make(&name, is_v4, 9);
    const int level = is_v4 ? IPPROTO_IP : IPPROTO_IPV6;
    const int option = is_v4 ? IP_RECVERR : IPV6_RECVERR;
    printf("-- reports, %d\n", is_v4 ? 4 : 6);
    const int fd = socket(family_of(is_v4), SOCK_DGRAM, 0);
    show_option(fd, level, option);
    set_option(fd, level, option, 1);
    show_option(fd, level, option);
    report_print(fd);
    SHOW(sendto(fd, "nobody", 6, 0, &name.any, size));
    show_poll(fd);
    SHOW(sendto(fd, "told", 4, 0, &name.any, size));
    show_poll(fd);
    report_print(fd);
    show_poll(fd);
    report_print(fd);
    SHOW(sendto(fd, "again", 5, 0, &name.any, size));
    set_option(fd, level, option, 0);
    report_print(fd);
    close(fd);
}

// Without the privilege.
static void unprivileged(void)
{
    puts("-- unprivileged");
    SHOW(setuid(65534));
    SHOW(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP));
    SHOW(socket(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6));
    SHOW(socket(AF_INET, SOCK_RAW, 0));
    const int fd = socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP);
    SHOW(fd >= 0);
    close(fd);
}

static void groups(void)
{
    puts("-- groups");
    const int fd = open("/proc/sys/net/ipv4/ping_group_range", O_RDWR);
    char text[64] = "";
    SHOW(read(fd, text, sizeof text - 1));
    printf("  %s", text);
    SHOW(pwrite(fd, "1 0", 3, 0));
    SHOW(socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP));
    SHOW(pwrite(fd, "0 1000", 6, 0));
    const int ping = socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP);
    SHOW(ping >= 0);
    SHOW(pwrite(fd, "x 2", 3, 0));
    SHOW(pwrite(fd, "0 2147483647", 12, 0));
    close(ping);
    close(fd);
}

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    groups();
    kinds();
    stamps();
    segments();
    headers();
    checksums();
    for (int is_v4 = 1; is_v4 >= 0; --is_v4) {
        pings(is_v4);
        echoes(is_v4);
        protocols(is_v4);
        ways(is_v4);
        beside(is_v4);
        beside_streams(is_v4);
        reports(is_v4);
    }
    unprivileged();
    return 0;
}
