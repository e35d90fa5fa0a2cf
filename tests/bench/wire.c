// SPDX-License-Identifier: BSD-3-Clause
// wire.c: the network between two machines, for wire.py.
//
//   wire serve PORT                    the far end of all that follows; says "ready"
//   wire rr|udp_rr ADDRESS PORT        a byte there and back, by TCP and by UDP
//   wire to|from ADDRESS PORT          a stream of 64 KB writes, to the far end and from it
//   wire connect ADDRESS PORT          connecting, a byte, and the far end closes
//   wire memcached ADDRESS PORT COUNT  memcached by UDP, COUNT requests under way: nine in ten get,
//                                      one sets, of 1000 keys with 32 bytes
//
// Answers nanoseconds an operation, as bench.h prints them.
#include "bench.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <sys/socket.h>

enum {
    CHUNK = 65536,
    KEYS = 1000,
    VALUE = 32,
    FRAME = 8, // of memcached: number, which of how many datagrams, and nothing
    REQUEST_MAX = 128,
    ANSWER_MAX = 2048,
    PATIENCE_US = 200000,
};

static struct sockaddr_in far;
static char data[CHUNK];

static void check(bool is_good, const char *what)
{
    if (!is_good) {
        BENCH_DIE(what);
    }
}

static int bound(int kind, int port)
{
    const struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    const int fd = socket(AF_INET, kind, 0), on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    check(bind(fd, (const struct sockaddr *)&any, sizeof any) == 0, "bind");
    return fd;
}

// ---- The far end --------------------------------------------------------------------------

static void *datagrams_serve(void *fd)
{
    struct sockaddr_in from;
    struct sockaddr *name = (struct sockaddr *)&from;
    socklen_t name_size = sizeof from;
    char text[64];
    ssize_t size;
    while ((size = recvfrom(*(int *)fd, text, sizeof text, 0, name, &name_size)) >= 0) {
        (void)sendto(*(int *)fd, text, (size_t)size, 0, name, name_size);
    }
    BENCH_DIE("recvfrom");
}

// The first byte of a connection says what is wanted.
static void stream_serve(int fd)
{
    const int on = 1;
    uint64_t count = 0;
    char mode;
    ssize_t size;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (recv(fd, &mode, 1, 0) != 1) {
        return;
    }
    if (mode == 'f' && recv(fd, &count, sizeof count, MSG_WAITALL) == sizeof count) {
        while (count-- > 0 && send(fd, data, CHUNK, MSG_NOSIGNAL) == CHUNK) {
        }
    }
    while ((mode == 'r' || mode == 't') && (size = recv(fd, data, CHUNK, 0)) > 0) {
        if (mode == 'r' && send(fd, data, (size_t)size, MSG_NOSIGNAL) != size) {
            return;
        }
    }
}

static int serve(int port)
{
    int datagrams = bound(SOCK_DGRAM, port);
    const int listener = bound(SOCK_STREAM, port);
    pthread_t thread;
    int fd;
    check(listen(listener, 64) == 0, "listen");
    check(pthread_create(&thread, NULL, datagrams_serve, &datagrams) == 0, "pthread_create");
    printf("ready\n");
    fflush(stdout);
    while ((fd = accept(listener, NULL, NULL)) >= 0) {
        stream_serve(fd);
        close(fd);
    }
    BENCH_DIE("accept");
}

// ---- Who asks ---------------------------------------------------------------------------

static int dial(char mode)
{
    const int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    check(connect(fd, (struct sockaddr *)&far, sizeof far) == 0, "connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    check(send(fd, &mode, 1, MSG_NOSIGNAL) == 1, "send");
    return fd;
}

static int datagrams_dial(void)
{
    const struct timeval patience = {.tv_usec = PATIENCE_US};
    const int fd = socket(AF_INET, SOCK_DGRAM, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    check(connect(fd, (struct sockaddr *)&far, sizeof far) == 0, "connect");
    return fd;
}

static uint64_t round_trips(void *fd, uint64_t count)
{
    const uint64_t begin = now_ns();
    char byte = 'x';
    while (count-- > 0) {
        check(send(*(int *)fd, &byte, 1, MSG_NOSIGNAL) == 1, "send");
        check(recv(*(int *)fd, &byte, 1, 0) == 1, "recv");
    }
    return now_ns() - begin;
}

// Until the far end has had all.
static uint64_t chunks_to(void *unused, uint64_t count)
{
    const int fd = dial('t');
    const uint64_t begin = now_ns();
    (void)unused;
    while (count-- > 0) {
        check(send(fd, data, CHUNK, MSG_NOSIGNAL) == CHUNK, "send");
    }
    shutdown(fd, SHUT_WR);
    check(recv(fd, data, 1, 0) == 0, "recv");
    const uint64_t took = now_ns() - begin;
    close(fd);
    return took;
}

static uint64_t chunks_from(void *unused, uint64_t count)
{
    const int fd = dial('f');
    const uint64_t begin = now_ns();
    uint64_t left = count * CHUNK;
    (void)unused;
    check(send(fd, &count, sizeof count, MSG_NOSIGNAL) == sizeof count, "send");
    while (left > 0) {
        const ssize_t size = recv(fd, data, CHUNK, 0);
        check(size > 0, "recv");
        left -= (uint64_t)size;
    }
    const uint64_t took = now_ns() - begin;
    close(fd);
    return took;
}

static uint64_t connections(void *unused, uint64_t count)
{
    const uint64_t begin = now_ns();
    (void)unused;
    while (count-- > 0) {
        char byte;
        const int fd = dial('c');
        check(recv(fd, &byte, 1, 0) == 0, "recv");
        close(fd);
    }
    return now_ns() - begin;
}

// ---- memcached ----------------------------------------------------------------------------

struct load {
    int fd;
    unsigned window, under_way, lost;
    uint16_t number;
    uint64_t chance;
};

static void request_send(struct load *load, unsigned key, bool is_set)
{
    char text[REQUEST_MAX] = {(char)(load->number >> 8), (char)load->number, 0, 0, 0, 1};
    const int size =
        is_set ? sprintf(text + FRAME, "set key%08u 0 0 %d\r\n%0*u\r\n", key, VALUE, VALUE, key)
               : sprintf(text + FRAME, "get key%08u\r\n", key);
    check(send(load->fd, text, (size_t)(FRAME + size), 0) == FRAME + size, "send");
    ++load->number;
    ++load->under_way;
}

// Whether there was an answer: without one, all that is under way is lost.
static bool answer_take(struct load *load)
{
    char text[ANSWER_MAX];
    if (recv(load->fd, text, sizeof text, 0) < FRAME) {
        load->lost += load->under_way;
        load->under_way = 0;
        return false;
    }
    load->under_way -= load->under_way > 0; // one that was lost may be late
    return true;
}

static uint64_t requests(void *argument, uint64_t count)
{
    struct load *load = argument;
    const uint64_t begin = now_ns();
    while (count > 0) {
        while (load->under_way < load->window) {
            load->chance ^= load->chance << 13;
            load->chance ^= load->chance >> 7;
            load->chance ^= load->chance << 17;
            request_send(load, (unsigned)(load->chance >> 20) % KEYS, load->chance % 10 == 0);
        }
        count -= answer_take(load);
    }
    return now_ns() - begin;
}

static void memcached(unsigned window)
{
    struct load load = {
        .fd = datagrams_dial(), .window = window, .chance = UINT64_C(88172645463325252)};
    char name[32];
    for (unsigned key = 0; key < KEYS; ++key) {
        request_send(&load, key, true);
        (void)answer_take(&load);
    }
    check(load.lost < KEYS, "memcached");
    snprintf(name, sizeof name, "memcached_udp_w%u", window);
    bench_ns_timed(name, requests, &load);
    if (load.lost > 0) {
        printf("# %s: %u datagrams had no answer\n", name, load.lost);
    }
}

static void ask(const char *what, unsigned window)
{
    int fd = -1;
    if (strcmp(what, "rr") == 0) {
        fd = dial('r');
        bench_ns_timed("tcp_rr_1B", round_trips, &fd);
    } else if (strcmp(what, "udp_rr") == 0) {
        fd = datagrams_dial();
        bench_ns_timed("udp_rr_1B", round_trips, &fd);
    } else if (strcmp(what, "to") == 0) {
        bench_ns_timed("tcp_stream_to", chunks_to, NULL);
    } else if (strcmp(what, "from") == 0) {
        bench_ns_timed("tcp_stream_from", chunks_from, NULL);
    } else if (strcmp(what, "connect") == 0) {
        bench_ns_timed("tcp_connect_close", connections, NULL);
    } else if (strcmp(what, "memcached") == 0) {
        memcached(window);
    }
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "serve") == 0) {
        return serve(atoi(argv[2]));
    }
    if (argc < 4) {
        fprintf(stderr, "usage: wire serve PORT | wire WHAT ADDRESS PORT [COUNT]\n");
        return 2;
    }
    far = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[3]))};
    check(inet_pton(AF_INET, argv[2], &far.sin_addr) == 1, "inet_pton");
    ask(argv[1], argc > 4 ? (unsigned)atoi(argv[4]) : 1);
    return 0;
}
