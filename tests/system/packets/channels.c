// SPDX-License-Identifier: BSD-3-Clause
// channels.c: an example of network channels of the program's own (osv/channel.h): by ends, and by
// a packet filter, which takes from all others; a batch by one call; frames of its own making;
// limits.
//
// With "ends" or "frames" and a number: a server of memcached's UDP protocol by a channel of that
// kind, on eth0, until so many questions have been answered.
#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/time.h>

#include "core/libc/include/osv/channel.h"
#include "ends.h"
#include "question.h"

enum {
    PORT = 4100,
    OTHER = 4200,
    SILENT = 4300,
    BATCH = 32,
    MANY = 100, // twice as many fit
    LARGE = 20000,
    OWN_PROTOCOL = 253, // for experiments (RFC 3692)
    UDP_HEADER = sizeof(struct udphdr),
};

static socklen_t name_make(struct sockaddr_in6 *name, int family, uint16_t port)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
    *name = (struct sockaddr_in6){
        .sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = in6addr_loopback};
    v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (family == AF_INET) {
        memcpy(name, &v4, sizeof v4);
    }
    return family == AF_INET ? sizeof v4 : sizeof *name;
}

static int socket_make(int family, uint16_t port)
{
    struct sockaddr_in6 name;
    const socklen_t size = name_make(&name, family, port);
    const int fd = socket(family, SOCK_DGRAM, 0);
    if (bind(fd, (struct sockaddr *)&name, size) != 0) {
        perror("bind");
    }
    return fd;
}

static int channel_of_ends(int family, uint16_t port)
{
    struct sockaddr_in6 name;
    const socklen_t size = name_make(&name, family, port);
    const int fd = socket(family, SOCK_DGRAM, 0);
    if (osv_channel_open(fd) != 0 || bind(fd, (struct sockaddr *)&name, size) != 0) {
        perror("channel");
    }
    return fd;
}

static void filter_set(int fd, struct sock_filter *program, unsigned short count)
{
    const struct sock_fprog filter = {count, program};
    if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter) != 0) {
        perror("filter");
    }
}

// What is of IPv4 and protocol, and, unless port is 0, to that port.
static void filter_make(int fd, uint8_t protocol, uint16_t port)
{
    struct sock_filter program[] = {
        BPF_STMT(BPF_LD + BPF_B + BPF_ABS, 9), // from IP's header on
        BPF_JUMP(BPF_JMP + BPF_JEQ + BPF_K, protocol, 0, 4),
        BPF_STMT(BPF_LDX + BPF_B + BPF_MSH, 0),
        BPF_STMT(BPF_LD + BPF_H + BPF_IND, 2),
        BPF_JUMP(BPF_JMP + BPF_JEQ + BPF_K, port, 0, 1),
        BPF_STMT(BPF_RET + BPF_K, UINT32_MAX),
        BPF_STMT(BPF_RET + BPF_K, 0),
    };
    if (port == 0) {
        program[4].jf = 0;
    }
    filter_set(fd, program, sizeof program / sizeof program[0]);
}

static int channel_of_frames(const char *interface, uint8_t protocol, uint16_t port)
{
    const struct sockaddr_ll name = {
        .sll_family = AF_PACKET,
        .sll_protocol = htons(ETH_P_IP),
        .sll_ifindex = (int)if_nametoindex(interface),
    };
    const int fd = socket(AF_PACKET, SOCK_DGRAM, 0);
    filter_make(fd, protocol, port);
    if (osv_channel_open(fd) != 0 || bind(fd, (const struct sockaddr *)&name, sizeof name) != 0) {
        perror("channel");
    }
    return fd;
}

static void tell(int fd, int family, uint16_t port, const char *data, size_t size)
{
    struct sockaddr_in6 name;
    const socklen_t name_size = name_make(&name, family, port);
    if (sendto(fd, data, size, 0, (struct sockaddr *)&name, name_size) != (ssize_t)size) {
        perror("sendto");
    }
}

static void hear(const char *what, int fd, int flags)
{
    char data[64];
    const ssize_t size = recv(fd, data, sizeof data, flags);
    printf("%s: %zd '%.*s'\n", what, size, size < 0 ? 0 : (int)size, data);
}

static void frame_show(const struct osv_frame *frame)
{
    const uint32_t start = frame->transport + UDP_HEADER;
    printf("  version %d, protocol %d, link %d, %u bytes", frame->version, frame->protocol,
           frame->link, frame->size);
    if (frame->protocol == IPPROTO_UDP) {
        printf(": '%.*s'", (int)(frame->size - start), frame->data + start);
    }
    puts("");
}

// ---- By ends -----------------------------------------------------------------------

static void ends(int family)
{
    struct osv_frame got[BATCH];
    const int fd = channel_of_ends(family, PORT), client = socket_make(family, OTHER);
    struct pollfd item = {.fd = fd, .events = POLLIN};
    show("nothing", osv_channel_receive(fd, got, BATCH, MSG_DONTWAIT));
    tell(client, family, PORT, "one", 3);
    tell(client, family, PORT, "", 0);
    tell(client, family, PORT, "three", 5);
    printf("poll: %d\n", poll(&item, 1, -1));
    const int count = osv_channel_receive(fd, got, BATCH, 0);
    show("frames", count);
    for (int i = 0; i < count; ++i) {
        frame_show(&got[i]);
        char text[] = "answer 0";
        text[sizeof text - 2] = (char)('0' + i);
        if (osv_frame_answer(&got[i], text, sizeof text - 1) != 0) {
            perror("answer");
        }
    }
    show("sent", osv_channel_send(fd, got, (unsigned)(count > 0 ? count : 0)));
    for (int i = 0; i < count; ++i) {
        hear("answer", client, 0);
    }
    printf("poll: %d\n", poll(&item, 1, 0));
    show("recv", (int)recv(fd, got, sizeof got, MSG_DONTWAIT));
    tell(fd, family, OTHER, "by sendto", 9);
    hear("from the channel", client, 0);
    tell(fd, family, SILENT, "nobody", 6);
    show("about what was sent", osv_channel_receive(fd, got, BATCH, 0));
    frame_show(&got[0]);
    close(fd);
    printf("after close: %d\n", got[0].data[0] >> 4 & 15);
    osv_frames_free(got, 1);
    close(client);
}

// What is taken counts: the channel gets no more until it is given back.
static void limit(void)
{
    static char data[LARGE];
    struct osv_frame got[BATCH];
    const int fd = channel_of_ends(AF_INET, PORT), client = socket_make(AF_INET, OTHER);
    const int size = LARGE;
    unsigned count = 0;
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    for (int i = 0; i < 8; ++i) {
        tell(client, AF_INET, PORT, data, sizeof data);
        const int more = osv_channel_receive(fd, got + count, BATCH - count, MSG_DONTWAIT);
        count += more > 0 ? (unsigned)more : 0;
    }
    printf("lent: %d\n", count < 4 && count > 0);
    osv_frames_free(got, count);
    tell(client, AF_INET, PORT, data, sizeof data);
    show("after that", osv_channel_receive(fd, got, BATCH, MSG_DONTWAIT));
    osv_frames_free(got, 1);
    const struct timeval span = {.tv_usec = 1000};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &span, sizeof span);
    show("nothing in time", osv_channel_receive(fd, got, BATCH, 0));
    shutdown(fd, SHUT_RD);
    show("shut", osv_channel_receive(fd, got, BATCH, 0));
    close(fd);
    close(client);
}

// ---- Several threads ---------------------------------------------------------------

static void *many_send(void *first)
{
    const int fd = socket(AF_INET, SOCK_DGRAM, 0);
    for (int i = 0; i < MANY; ++i) {
        const int number = *(int *)first + i;
        tell(fd, AF_INET, PORT, (const char *)&number, sizeof number);
    }
    close(fd);
    return NULL;
}

// Each sender's datagrams come once, in the order in which it has sent them.
static void many(void)
{
    struct osv_frame got[BATCH];
    pthread_t threads[2];
    int firsts[] = {0, MANY}, next[] = {0, MANY}, wrong = 0, total = 0;
    const int fd = channel_of_ends(AF_INET, PORT);
    for (int i = 0; i < 2; ++i) {
        pthread_create(&threads[i], NULL, many_send, &firsts[i]);
    }
    while (total < 2 * MANY) {
        const int count = osv_channel_receive(fd, got, BATCH, 0);
        for (int i = 0; i < count; ++i) {
            int number;
            memcpy(&number, got[i].data + got[i].transport + UDP_HEADER, sizeof number);
            wrong += number != next[number >= MANY]++;
        }
        osv_frames_free(got, count > 0 ? (unsigned)count : 0);
        total += count;
    }
    printf("many: %d, wrong: %d\n", total, wrong);
    for (int i = 0; i < 2; ++i) {
        pthread_join(threads[i], NULL);
    }
    close(fd);
}

// ---- By a filter -------------------------------------------------------------------

// The socket has only what the filter leaves.
static void frames(void)
{
    struct osv_frame got[BATCH];
    struct sock_filter nothing[] = {BPF_STMT(BPF_RET + BPF_K, 0)};
    const int server = socket_make(AF_INET, PORT), client = socket_make(AF_INET, OTHER);
    const int fd = channel_of_frames("lo", IPPROTO_UDP, PORT);
    struct pollfd item = {.fd = fd, .events = POLLIN};
    tell(client, AF_INET, PORT, "taken", 5);
    tell(client, AF_INET, OTHER, "left", 4);
    hear("its socket", server, MSG_DONTWAIT);
    hear("another", client, MSG_DONTWAIT);
    printf("poll: %d\n", poll(&item, 1, -1));
    show("frames", osv_channel_receive(fd, got, BATCH, 0));
    frame_show(&got[0]);
    filter_set(fd, nothing, 1);
    show("sent on", osv_channel_send(fd, got, 1));
    hear("its socket", server, 0);
    filter_make(fd, IPPROTO_UDP, PORT);
    tell(client, AF_INET, PORT, "lost", 4);
    close(fd);
    tell(client, AF_INET, PORT, "heard", 5);
    hear("without a channel", server, 0);
    close(server);
    close(client);
}

static uint16_t sum_of(const void *data, size_t size)
{
    const uint16_t *words = data;
    uint32_t sum = 0;
    for (size_t i = 0; i < size / 2; ++i) {
        sum += words[i];
    }
    sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t) ~(sum + (sum >> 16));
}

// A protocol of the program's own, in packets of its own making.
static void own(void)
{
    static const char text[] = "beyond";
    struct osv_frame frame, got[BATCH];
    const int fd = channel_of_frames("lo", OWN_PROTOCOL, 0);
    struct iphdr header = {
        .version = 4,
        .ihl = sizeof header / 4,
        .tot_len = htons(sizeof header + sizeof text),
        .ttl = 1,
        .protocol = OWN_PROTOCOL,
        .saddr = htonl(INADDR_LOOPBACK),
        .daddr = htonl(INADDR_LOOPBACK),
    };
    header.check = sum_of(&header, sizeof header);
    show("made", osv_frame_alloc(&frame, sizeof header + sizeof text));
    memcpy(frame.data, &header, sizeof header);
    memcpy(frame.data + sizeof header, text, sizeof text);
    show("sent", osv_channel_send(fd, &frame, 1));
    show("frames", osv_channel_receive(fd, got, BATCH, 0));
    frame_show(&got[0]);
    printf("  '%s'\n", got[0].data + got[0].transport);
    osv_frames_free(got, 1);
    close(fd);
}

// ---- What is refused ---------------------------------------------------------------

static void wrong(void)
{
    struct osv_frame frame, frames[2];
    const int local = socket(AF_UNIX, SOCK_STREAM, 0), stream = socket(AF_INET, SOCK_STREAM, 0);
    const int bound = socket_make(AF_INET, OTHER), fd = channel_of_ends(AF_INET, PORT);
    const int all = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_IP));
    show("no socket", osv_channel_open(1000));
    show("a local socket", osv_channel_open(local));
    show("a stream", osv_channel_open(stream));
    show("has a port", osv_channel_open(bound));
    show("gets frames", osv_channel_open(all));
    show("no channel", osv_channel_receive(bound, &frame, 1, MSG_DONTWAIT));
    show("none", osv_channel_receive(fd, &frame, 0, 0));
    show("flags", osv_channel_receive(fd, &frame, 1, MSG_PEEK));
    show("too large", osv_frame_alloc(&frame, 70000));
    osv_frame_alloc(&frame, 100);
    show("no packet", osv_channel_send(fd, &frame, 1));
    show("no datagram", osv_frame_answer(&frame, "x", 1));
    frame.link = 14;
    frame.interface = 1;
    show("lo has no link", osv_channel_send(fd, &frame, 1));
    frame.interface = 77;
    show("no interface", osv_channel_send(fd, &frame, 1));
    frame.size = 101;
    show("longer than it is", osv_channel_send(fd, &frame, 1));
    osv_frames_free(&frame, 1);
    tell(bound, AF_INET, PORT, "sent", 4);
    osv_channel_receive(fd, frames, 1, 0);
    osv_frame_alloc(&frames[1], 10);
    show("up to the wrong one", osv_channel_send(fd, frames, 2));
    osv_frames_free(&frames[1], 1);
    close(local);
    close(stream);
    close(bound);
    close(fd);
    close(all);
}

// ---- The server --------------------------------------------------------------------

static int server_make(bool is_of_ends)
{
    const struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(SERVER)};
    if (!is_of_ends) {
        return channel_of_frames("eth0", IPPROTO_UDP, SERVER);
    }
    const int fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (osv_channel_open(fd) != 0 || bind(fd, (const struct sockaddr *)&any, sizeof any) != 0) {
        perror("channel");
    }
    return fd;
}

static void serve(bool is_of_ends, unsigned long wanted)
{
    const int fd = server_make(is_of_ends);
    unsigned long done = 0;
    puts("ready");
    while (done < wanted) {
        struct osv_frame got[BATCH];
        const int count = osv_channel_receive(fd, got, BATCH, 0);
        for (int i = 0; i < count; ++i) {
            const size_t start = got[i].transport + UDP_HEADER;
            char answer[ANSWER_MAX];
            if (got[i].size >= start + FRAME) {
                const size_t size =
                    question_answer(got[i].data + start, got[i].size - start, answer);
                if (osv_frame_answer(&got[i], answer, size) != 0) {
                    perror("answer");
                }
            }
        }
        const int sent = osv_channel_send(fd, got, (unsigned)(count > 0 ? count : 0));
        if (count < 0 || sent != count) {
            perror("channel");
            break;
        }
        done += (unsigned long)sent;
    }
    printf("answered %lu\n", done);
    close(fd);
}

int main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (osv_channel_open == NULL) {
        puts("no channels here");
        return 1;
    }
    if (argc > 2) {
        serve(strcmp(argv[1], "ends") == 0, strtoul(argv[2], NULL, 10));
        return 0;
    }
    ends(AF_INET);
    ends(AF_INET6);
    limit();
    many();
    frames();
    own();
    wrong();
    return 0;
}
