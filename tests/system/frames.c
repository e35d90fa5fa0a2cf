// SPDX-License-Identifier: BSD-3-Clause
// frames.c: packet sockets on the loopback network: who may have them, what they get and are told,
// what they send, filters and figures (packet(7)).
#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "show.h"

enum { LO = 1, OWN_KIND = 0x88b5 /* for experiments */, HEADS = ETHER_HDR_LEN };

static struct sockaddr_ll name_of(int netif, int kind)
{
    return (struct sockaddr_ll){
        .sll_family = AF_PACKET,
        .sll_protocol = htons((uint16_t)kind),
        .sll_ifindex = netif,
        .sll_halen = ETH_ALEN,
    };
}

static int opened(int type, int kind)
{
    const struct sockaddr_ll name = name_of(LO, kind);
    const int fd = socket(AF_PACKET, type, 0);
    if (fd < 0 || bind(fd, (const struct sockaddr *)&name, sizeof name) != 0) {
        SHOW(fd);
    }
    return fd;
}

static void name_print(const struct sockaddr_ll *name, socklen_t size)
{
    printf("  %u: family %d kind %04x of %d hardware %d way %d address %d:", size, name->sll_family,
           ntohs(name->sll_protocol), name->sll_ifindex, name->sll_hatype, name->sll_pkttype,
           name->sll_halen);
    for (int i = 0; i < name->sll_halen; ++i) {
        printf(" %02x", name->sll_addr[i]);
    }
    puts("");
}

// Of IP's headers only what is no number or sum of the machine's choosing.
static void bytes_print(const uint8_t *data, long size, bool is_cooked)
{
    const uint8_t *ip = is_cooked ? data : data + HEADS;
    if (!is_cooked && size >= HEADS) {
        printf("  header");
        for (int i = 0; i < HEADS; ++i) {
            printf(" %02x", data[i]);
        }
        puts("");
    }
    const long left = size - (ip - data);
    if (left >= 28 && ip[0] == 0x45) {
        printf("  IPv4 %d bytes, protocol %d, ends with '%.*s'\n", ip[2] << 8 | ip[3], ip[9],
               (int)left - 28, ip + 28);
    } else if (left >= 48 && ip[0] >> 4 == 6) {
        printf("  IPv6 %d bytes, protocol %d, ends with '%.*s'\n", ip[4] << 8 | ip[5], ip[6],
               (int)left - 48, ip + 48);
    } else {
        printf("  '%.*s'\n", left < 0 ? 0 : (int)left, ip);
    }
}

static bool show_frame(int fd, bool is_cooked, size_t room, int flags)
{
    uint8_t data[512] = {0};
    struct sockaddr_ll name = {0};
    socklen_t size = sizeof name;
    const long got =
        recvfrom(fd, data, room, flags | MSG_DONTWAIT, (struct sockaddr *)&name, &size);
    if (show("recvfrom", got) < 0) {
        return false;
    }
    name_print(&name, size);
    bytes_print(data, got < (long)room ? got : (long)room, is_cooked);
    return true;
}

static void show_frames(int fd, bool is_cooked)
{
    while (show_frame(fd, is_cooked, 512, 0)) {
    }
}

static int udp_make(int family, uint16_t port)
{
    const struct sockaddr_in v4 = {AF_INET, htons(port), {htonl(INADDR_LOOPBACK)}, {0}};
    const struct sockaddr_in6 v6 = {AF_INET6, htons(port), 0, IN6ADDR_LOOPBACK_INIT, 0};
    const int fd = socket(family, SOCK_DGRAM, 0);
    const bool is_v4 = family == AF_INET;
    const void *name = is_v4 ? (const void *)&v4 : (const void *)&v6;
    const socklen_t size = is_v4 ? sizeof v4 : sizeof v6;
    if (bind(fd, name, size) != 0 || connect(fd, name, size) != 0) { // with itself
        SHOW(fd);
    }
    return fd;
}

static void kinds(void)
{
    static const int all[][2] = {{SOCK_RAW, ETH_P_ALL},
                                 {SOCK_DGRAM, ETH_P_IP},
                                 {SOCK_RAW, 0},
                                 {SOCK_STREAM, 0},
                                 {SOCK_SEQPACKET, 0}};
    int value;
    socklen_t size;
    puts("-- kinds");
    for (unsigned i = 0; i < sizeof all / sizeof *all; ++i) {
        const int fd = socket(AF_PACKET, all[i][0], htons((uint16_t)all[i][1]));
        printf("%d %d: ", all[i][0], all[i][1]);
        if (show("socket", fd >= 0 ? 0 : fd) == 0) {
            static const int names[] = {SO_TYPE, SO_DOMAIN, SO_PROTOCOL, SO_RCVBUF, SO_ERROR};
            for (unsigned j = 0; j < sizeof names / sizeof *names; ++j) {
                size = sizeof value;
                SHOW(getsockopt(fd, SOL_SOCKET, names[j], &value, &size));
                printf("  %d\n", value);
            }
            close(fd);
        }
    }
    SHOW(socketpair(AF_PACKET, SOCK_RAW, 0, (int[2]){0}));
}

static void names(void)
{
    const int fd = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_IP));
    struct sockaddr_ll name = name_of(77, 0);
    socklen_t size = sizeof name;
    struct stat status;
    puts("-- names");
    SHOW(getsockname(fd, (struct sockaddr *)&name, &size));
    name_print(&name, size);
    SHOW(getpeername(fd, (struct sockaddr *)&name, &size));
    name = name_of(77, 0);
    SHOW(bind(fd, (struct sockaddr *)&name, sizeof name));
    name = name_of(LO, 0);
    SHOW(bind(fd, (struct sockaddr *)&name, sizeof name - 1));
    name.sll_family = AF_INET;
    SHOW(bind(fd, (struct sockaddr *)&name, sizeof name));
    name.sll_family = AF_PACKET;
    SHOW(bind(fd, (struct sockaddr *)&name, sizeof name));
    size = sizeof name;
    memset(&name, 0, sizeof name);
    SHOW(getsockname(fd, (struct sockaddr *)&name, &size));
    name_print(&name, size);
    SHOW(connect(fd, (struct sockaddr *)&name, sizeof name));
    SHOW(listen(fd, 1));
    SHOW(accept(fd, NULL, NULL));
    SHOW(shutdown(fd, SHUT_RDWR));
    SHOW(fstat(fd, &status));
    printf("  %o\n", status.st_mode);
    struct ifreq request = {.ifr_name = "lo"};
    SHOW(ioctl(fd, SIOCGIFINDEX, &request));
    SHOW(ioctl(fd, SIOCGIFADDR, &request));
    close(fd);
}

static void seen(int family)
{
    const int all = opened(SOCK_RAW, ETH_P_ALL), cooked = opened(SOCK_DGRAM, ETH_P_ALL);
    const int v4 = opened(SOCK_DGRAM, ETH_P_IP), v6 = opened(SOCK_RAW, ETH_P_IPV6);
    const int none = socket(AF_PACKET, SOCK_RAW, 0);
    printf("-- seen, %d\n", family == AF_INET ? 4 : 6);
    const int udp = udp_make(family, 5353);
    struct pollfd item = {.fd = all, .events = POLLIN | POLLOUT};
    SHOW(poll(&item, 1, 0));
    printf("  %x\n", item.revents);
    SHOW(send(udp, "hello", 5, 0));
    SHOW(poll(&item, 1, -1));
    printf("  %x\n", item.revents);
    int waiting = 0;
    SHOW(ioctl(all, FIONREAD, &waiting));
    printf("  %d\n", waiting);
    show_frames(all, false);
    puts(" cooked");
    show_frames(cooked, true);
    puts(" of IPv4");
    show_frames(v4, true);
    puts(" of IPv6");
    show_frames(v6, false);
    show_frames(none, false);
    close(all);
    close(cooked);
    close(v4);
    close(v6);
    close(none);
    close(udp);
}

static void cut(void)
{
    const int fd = opened(SOCK_DGRAM, ETH_P_IP), udp = udp_make(AF_INET, 5353);
    puts("-- cut");
    SHOW(send(udp, "a long datagram", 15, 0));
    show_frame(fd, true, 30, MSG_PEEK);
    show_frame(fd, true, 30, MSG_PEEK | MSG_TRUNC);
    show_frame(fd, true, 30, MSG_TRUNC);
    SHOW(recv(fd, NULL, 0, MSG_OOB));
    SHOW(recv(fd, NULL, 0, MSG_ERRQUEUE));
    SHOW(recv(fd, NULL, 0, MSG_DONTWAIT));
    close(fd);
    close(udp);
}

static void control_print(int fd)
{
    uint8_t data[512];
    char room[256];
    struct iovec vector = {data, sizeof data};
    struct msghdr message = {
        .msg_iov = &vector, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
    SHOW(recvmsg(fd, &message, MSG_DONTWAIT));
    printf("  flags %x\n", message.msg_flags);
    for (struct cmsghdr *head = CMSG_FIRSTHDR(&message); head; head = CMSG_NXTHDR(&message, head)) {
        printf("  level %d type %d size %d\n", head->cmsg_level, head->cmsg_type,
               (int)head->cmsg_len);
        if (head->cmsg_level == SOL_PACKET) {
            struct tpacket_auxdata one;
            memcpy(&one, CMSG_DATA(head), sizeof one);
            printf("  status %x size %u, %u of it, at %u and %u\n", one.tp_status, one.tp_len,
                   one.tp_snaplen, one.tp_mac, one.tp_net);
        } else {
            struct timeval stamp, now;
            memcpy(&stamp, CMSG_DATA(head), sizeof stamp);
            gettimeofday(&now, NULL);
            printf("  of today: %d\n", now.tv_sec - stamp.tv_sec < 60);
        }
    }
}

static void told(void)
{
    const int fd = opened(SOCK_RAW, ETH_P_IP), udp = udp_make(AF_INET, 5353), yes = 1;
    int value = 0;
    socklen_t size = sizeof value;
    puts("-- told");
    SHOW(setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &yes, sizeof yes));
    SHOW(getsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &value, &size));
    printf("  %d\n", value);
    SHOW(setsockopt(fd, SOL_SOCKET, SO_TIMESTAMP, &yes, sizeof yes));
    SHOW(send(udp, "told", 4, 0));
    control_print(fd);
    const struct sock_filter twenty = BPF_STMT(BPF_RET | BPF_K, 20);
    const struct sock_fprog program = {1, (struct sock_filter *)(uintptr_t)&twenty};
    SHOW(setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program));
    SHOW(send(udp, "cut off", 7, 0));
    control_print(fd);
    close(fd);
    close(udp);
}

#define FILTER(fd, ...)                                                                            \
    filter(fd, (const struct sock_filter[]){__VA_ARGS__},                                          \
           sizeof((const struct sock_filter[]){__VA_ARGS__}) / sizeof(struct sock_filter))

static void filter(int fd, const struct sock_filter *all, unsigned count)
{
    const struct sock_fprog program = {(unsigned short)count, (struct sock_filter *)(uintptr_t)all};
    SHOW(setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program));
}

// What a filter knows of a frame: each is asked for one fact, and answers it in the size.
static void facts(void)
{
    static const struct {
        const char *name;
        struct sock_filter load;
    } all[] = {
        {"kind", BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 12)},
        {"length", BPF_STMT(BPF_LD | BPF_LEN, 0)},
        {"protocol", BPF_STMT(BPF_LD | BPF_B | BPF_ABS, (uint32_t)SKF_NET_OFF + 9)},
        {"link", BPF_STMT(BPF_LD | BPF_H | BPF_ABS, (uint32_t)SKF_LL_OFF + 12)},
        {"known kind", BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)SKF_AD_OFF + SKF_AD_PROTOCOL)},
        {"way", BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)SKF_AD_OFF + SKF_AD_PKTTYPE)},
        {"interface", BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)SKF_AD_OFF + SKF_AD_IFINDEX)},
        {"hardware", BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)SKF_AD_OFF + SKF_AD_HATYPE)},
        {"tag", BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)SKF_AD_OFF + SKF_AD_VLAN_TAG)},
    };
    const int udp = udp_make(AF_INET, 5353);
    uint8_t data[512];
    puts("-- facts");
    for (int type = SOCK_RAW; type >= SOCK_DGRAM; --type) {
        const int fd = opened(type, ETH_P_ALL);
        printf(" %s\n", type == SOCK_RAW ? "whole" : "cooked");
        for (unsigned i = 0; i < sizeof all / sizeof *all; ++i) {
            FILTER(fd, all[i].load, BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 63),
                   BPF_STMT(BPF_ALU | BPF_ADD | BPF_K, 1), BPF_STMT(BPF_RET | BPF_A, 0));
            (void)send(udp, "a datagram that is long enough for all of the answers", 53, 0);
            printf("%s:", all[i].name);
            for (long got; (got = recv(fd, data, sizeof data, MSG_DONTWAIT)) > 0;) {
                printf(" %ld", got - 1);
            }
            puts("");
        }
        close(fd);
    }
    close(udp);
}

static void statistics(void)
{
    const int fd = opened(SOCK_RAW, ETH_P_IP), udp = udp_make(AF_INET, 5353), little = 1;
    struct tpacket_stats stats;
    socklen_t size = sizeof stats;
    uint8_t data[512];
    puts("-- statistics");
    SHOW(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &little, sizeof little));
    for (int i = 0; i < 50; ++i) {
        (void)send(udp, "figure", 6, 0);
    }
    unsigned got = 0;
    while (recv(fd, data, sizeof data, MSG_DONTWAIT) > 0) {
        ++got;
    }
    SHOW(getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &stats, &size));
    printf("  %u: %u, of which some had no room: %d; the others came: %d\n", size, stats.tp_packets,
           stats.tp_drops > 0, stats.tp_packets - stats.tp_drops == got);
    SHOW(getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &stats, &size));
    printf("  %u %u\n", stats.tp_packets, stats.tp_drops);
    close(fd);
    close(udp);
}

static void options(void)
{
    const int fd = opened(SOCK_RAW, ETH_P_ALL), udp = udp_make(AF_INET, 5353), yes = 1;
    struct packet_mreq member = {.mr_ifindex = LO, .mr_type = PACKET_MR_PROMISC};
    int value = 0;
    socklen_t size = sizeof value;
    puts("-- options");
    SHOW(setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &member, sizeof member));
    SHOW(setsockopt(fd, SOL_PACKET, PACKET_DROP_MEMBERSHIP, &member, sizeof member));
    SHOW(setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &member, sizeof member - 1));
    member.mr_alen = 8;
    SHOW(setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &member, sizeof member));
    member = (struct packet_mreq){.mr_ifindex = 77, .mr_type = PACKET_MR_PROMISC};
    SHOW(setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &member, sizeof member));
    SHOW(setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &yes, 2));
    SHOW(setsockopt(fd, SOL_PACKET, 99, &yes, sizeof yes));
    SHOW(getsockopt(fd, SOL_PACKET, 99, &value, &size));
    SHOW(setsockopt(fd, IPPROTO_IP, 1, &yes, sizeof yes));
    SHOW(setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &yes, sizeof yes));
    SHOW(send(udp, "came alone", 10, 0));
    show_frames(fd, false);
    close(fd);
    close(udp);
}

static void sent(void)
{
    const int raw = opened(SOCK_RAW, OWN_KIND), all = opened(SOCK_RAW, ETH_P_ALL);
    const int cooked = opened(SOCK_DGRAM, OWN_KIND);
    struct sockaddr_ll name = name_of(LO, OWN_KIND);
    uint8_t frame[HEADS + 6] = {[12] = OWN_KIND >> 8, [13] = OWN_KIND & 255};
    static uint8_t large[70000];
    puts("-- sent");
    memcpy(frame + HEADS, "a raw", 6);
    SHOW(send(raw, frame, sizeof frame, 0));
    show_frames(all, false);
    show_frames(raw, false);
    show_frames(cooked, true);
    puts(" by who sees all");
    SHOW(sendto(all, frame, sizeof frame, 0, (struct sockaddr *)&name, sizeof name));
    show_frames(all, false);
    puts(" cooked");
    SHOW(sendto(cooked, "cooked", 6, 0, (struct sockaddr *)&name, sizeof name));
    show_frames(raw, false);
    puts(" to another");
    frame[0] = 2;
    SHOW(write(raw, frame, sizeof frame));
    show_frame(raw, false, 512, 0);
    puts(" errors");
    SHOW(send(raw, frame, HEADS - 1, 0));
    SHOW(send(raw, large, sizeof large, 0));
    SHOW(sendto(raw, frame, sizeof frame, 0, (struct sockaddr *)&name, sizeof name - 1));
    name.sll_ifindex = 77;
    SHOW(sendto(raw, frame, sizeof frame, 0, (struct sockaddr *)&name, sizeof name));
    const int free = socket(AF_PACKET, SOCK_RAW, 0);
    SHOW(send(free, frame, sizeof frame, 0));
    SHOW(send(raw, (void *)8, 20, 0));
    close(free);
    close(raw);
    close(all);
    close(cooked);
}

// A datagram that was written by hand comes to its socket, but not with an address of IPv4 that is
// this machine's own.
static void written(void)
{
    static const uint8_t v6[53] = {
        0x60,       [5] = 13,    [6] = 17,    [7] = 64,   [23] = 1,    [39] = 1,
        [41] = 9,   [42] = 0x14, [43] = 0xe9, [45] = 13,  [46] = 0xa1, [47] = 0x1a,
        [48] = 'h', [49] = 'a',  [50] = 'n',  [51] = 'd', [52] = 's'};
    static const uint8_t v4[] = {0x45, 0,    0, 33, 0, 1,   0,   0,   64,  17,  0x7c,
                                 0xc9, 127,  0, 0,  1, 127, 0,   0,   1,   0,   9,
                                 0x14, 0xe9, 0, 13, 0, 0,   'h', 'a', 'n', 'd', 's'};
    const int fd = socket(AF_PACKET, SOCK_DGRAM, 0), udp = socket(AF_INET6, SOCK_DGRAM, 0);
    struct sockaddr_ll name = name_of(LO, ETH_P_IP);
    const struct sockaddr_in6 local = {.sin6_family = AF_INET6, .sin6_port = htons(5353)};
    char text[16];
    puts("-- written");
    SHOW(bind(udp, (const struct sockaddr *)&local, sizeof local));
    SHOW(sendto(fd, v4, sizeof v4, 0, (const struct sockaddr *)&name, sizeof name));
    SHOW(recv(udp, text, sizeof text, MSG_DONTWAIT));
    name.sll_protocol = htons(ETH_P_IPV6);
    SHOW(sendto(fd, v6, sizeof v6, 0, (const struct sockaddr *)&name, sizeof name));
    const long got = SHOW(recv(udp, text, sizeof text, MSG_DONTWAIT));
    printf("  '%.*s'\n", got < 0 ? 0 : (int)got, text);
    close(fd);
    close(udp);
}

static void show_ring(int fd, unsigned size, unsigned count, unsigned each, unsigned places)
{
    const struct tpacket_req request = {size, count, each, places};
    printf("%u %u %u %u: ", size, count, each, places);
    show("ring", setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &request, sizeof request));
}

static void show_places(const char *ring, int version, unsigned each, unsigned places)
{
    for (unsigned i = 0; i < places; ++i) {
        const char *place = ring + each * i;
        struct sockaddr_ll name;
        struct tpacket2_hdr v2;
        struct tpacket_hdr v1;
        memcpy(&v1, place, sizeof v1);
        memcpy(&v2, place, sizeof v2);
        memcpy(&name, place + TPACKET_ALIGN(sizeof v2), sizeof name);
        if (version == TPACKET_V1) {
            v2 = (struct tpacket2_hdr){.tp_status = (uint32_t)v1.tp_status,
                                       .tp_len = v1.tp_len,
                                       .tp_snaplen = v1.tp_snaplen,
                                       .tp_mac = v1.tp_mac,
                                       .tp_net = v1.tp_net};
        }
        const bool is_there = (v2.tp_status & TP_STATUS_USER) != 0;
        printf("  %u: status %x %u of %u at %u and %u\n", i,
               v2.tp_status & (TP_STATUS_USER | TP_STATUS_LOSING | TP_STATUS_CSUMNOTREADY),
               v2.tp_snaplen, v2.tp_len, v2.tp_mac, v2.tp_net);
        if (is_there) {
            name_print(&name, sizeof name);
            bytes_print((const uint8_t *)place + v2.tp_mac, v2.tp_snaplen, false);
        }
    }
}

// Frames of memory that is shared: each place is the program's until it gives it back.
static void rings(int version)
{
    enum { SIZE = 4096, EACH = 144, PLACES = 2 * (SIZE / EACH), SHOWN = 3 };
    const int fd = opened(SOCK_RAW, ETH_P_IP), udp = udp_make(AF_INET, 5353), yes = 8;
    struct pollfd item = {.fd = fd, .events = POLLIN};
    struct tpacket_stats stats;
    socklen_t size = sizeof stats;
    int value = version;
    printf("-- rings, %d\n", version);
    SHOW(send(udp, "before", 6, 0));
    SHOW(setsockopt(fd, SOL_PACKET, PACKET_VERSION, &version, sizeof version));
    SHOW(getsockopt(fd, SOL_PACKET, PACKET_HDRLEN, &value, &size));
    printf("  %d\n", value);
    SHOW(mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) != MAP_FAILED);
    show_ring(fd, SIZE, 0, EACH, 1);
    show_ring(fd, SIZE + 1, 1, EACH, SIZE / EACH);
    show_ring(fd, SIZE, 1, 40, SIZE / 40);
    show_ring(fd, SIZE, 1, EACH + 8, SIZE / (EACH + 8));
    show_ring(fd, SIZE, 1, SIZE * 2, 0);
    show_ring(fd, SIZE, 2, EACH, 1);
    SHOW(setsockopt(fd, SOL_PACKET, PACKET_RESERVE, &yes, sizeof yes));
    show_ring(fd, SIZE, 2, EACH, PLACES);
    show_ring(fd, SIZE, 2, EACH, PLACES);
    SHOW(setsockopt(fd, SOL_PACKET, PACKET_VERSION, &version, sizeof version));
    SHOW(setsockopt(fd, SOL_PACKET, PACKET_RESERVE, &yes, sizeof yes));
    char *ring = mmap(NULL, 2 * SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (ring == MAP_FAILED) {
        puts("not mapped");
        return;
    }
    show_ring(fd, 0, 0, 0, 0);
    SHOW(poll(&item, 1, 0));
    SHOW(send(udp, "first", 5, 0));
    SHOW(poll(&item, 1, -1));
    SHOW(send(udp, "a datagram that is longer than its place, as far as there is room", 66, 0));
    SHOW(poll(&item, 1, -1));
    show_places(ring, version, EACH, SHOWN);
    SHOW(recv(fd, NULL, 0, MSG_DONTWAIT));
    for (int i = 0; i < PLACES; ++i) { // more than there are places
        (void)send(udp, "more", 4, 0);
    }
    SHOW(poll(&item, 1, -1));
    for (int i = 0; i < PLACES; ++i) {
        memset(ring + i / (SIZE / EACH) * SIZE + i % (SIZE / EACH) * EACH, 0, 8);
    }
    SHOW(poll(&item, 1, 0));
    SHOW(send(udp, "after", 5, 0));
    SHOW(poll(&item, 1, -1));
    show_places(ring, version, EACH, SHOWN);
    size = sizeof stats;
    SHOW(getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &stats, &size));
    printf("  %u %u\n", stats.tp_packets, stats.tp_drops);
    SHOW(munmap(ring, 2 * SIZE));
    show_ring(fd, 0, 0, 0, 0);
    SHOW(send(udp, "queued", 6, 0));
    show_frames(fd, false);
    close(fd);
    close(udp);
}

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    kinds();
    names();
    seen(AF_INET);
    seen(AF_INET6);
    cut();
    told();
    facts();
    statistics();
    options();
    sent();
    written();
    rings(TPACKET_V1);
    rings(TPACKET_V2);
    puts("done");
    return 0;
}
