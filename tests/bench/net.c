// SPDX-License-Identifier: BSD-3-Clause
// net.c: the loopback network between two threads of one CPU: a byte there and back by TCP and by
// UDP, a stream of 64 KB writes, and connecting, a byte and closing.
#include "bench.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <sys/socket.h>

enum { CHUNK = 65536 };

static struct sockaddr_in server;
static int listener, echo;

static void check(bool is_good, const char *what)
{
    if (!is_good) {
        BENCH_DIE(what);
    }
}

static void *stream_serve(void *argument)
{
    static char data[CHUNK];
    int fd;
    (void)argument;
    bench_pin(0);
    while ((fd = accept(listener, NULL, NULL)) >= 0) {
        const int on = 1;
        char mode;
        ssize_t size;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        if (recv(fd, &mode, 1, 0) == 1 && mode != 'c') {
            while ((size = recv(fd, data, CHUNK, 0)) > 0) {
                if (mode == 'r' && send(fd, data, (size_t)size, MSG_NOSIGNAL) != size) {
                    break;
                }
            }
        }
        close(fd);
    }
    return NULL;
}

static void *datagram_serve(void *argument)
{
    (void)argument;
    bench_pin(0);
    for (;;) {
        struct sockaddr_in from;
        socklen_t from_size = sizeof from;
        char data[64];
        const ssize_t size =
            recvfrom(echo, data, sizeof data, 0, (struct sockaddr *)&from, &from_size);
        if (size < 0 ||
            sendto(echo, data, (size_t)size, 0, (struct sockaddr *)&from, from_size) != size) {
            return NULL;
        }
    }
}

static void serve(void)
{
    pthread_t stream, datagram;
    socklen_t size = sizeof server;
    server = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    listener = socket(AF_INET, SOCK_STREAM, 0);
    echo = socket(AF_INET, SOCK_DGRAM, 0);
    check(bind(listener, (struct sockaddr *)&server, size) == 0, "bind");
    check(getsockname(listener, (struct sockaddr *)&server, &size) == 0, "getsockname");
    check(listen(listener, 16) == 0, "listen");
    check(bind(echo, (struct sockaddr *)&server, size) == 0, "bind");
    check(pthread_create(&stream, NULL, stream_serve, NULL) == 0, "pthread_create");
    check(pthread_create(&datagram, NULL, datagram_serve, NULL) == 0, "pthread_create");
}

static int dial(char mode)
{
    const int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    check(connect(fd, (struct sockaddr *)&server, sizeof server) == 0, "connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    check(send(fd, &mode, 1, MSG_NOSIGNAL) == 1, "send");
    return fd;
}

static void round_trips(void *fd, uint64_t count)
{
    char data = 'x';
    while (count-- > 0) {
        check(send(*(int *)fd, &data, 1, MSG_NOSIGNAL) == 1, "send");
        check(recv(*(int *)fd, &data, 1, 0) == 1, "recv");
    }
}

static void chunks(void *fd, uint64_t count)
{
    static char data[CHUNK];
    while (count-- > 0) {
        check(send(*(int *)fd, data, CHUNK, MSG_NOSIGNAL) == CHUNK, "send");
    }
}

// The server closes first, and has what waits.
static void connections(void *unused, uint64_t count)
{
    (void)unused;
    while (count-- > 0) {
        char data;
        const int fd = dial('c');
        check(recv(fd, &data, 1, 0) == 0, "recv");
        close(fd);
    }
}

static void measure(const char *name, bench_fn function, int *fd)
{
    struct bench_plain plain = {function, fd};
    bench_ns_timed(name, bench_plain_run, &plain);
    if (fd != NULL) {
        close(*fd);
    }
}

int main(void)
{
    bench_pin(0);
    serve();
    int fd = dial('r');
    measure("tcp_rr_1B_1cpu", round_trips, &fd);
    fd = socket(AF_INET, SOCK_DGRAM, 0);
    check(connect(fd, (struct sockaddr *)&server, sizeof server) == 0, "connect");
    measure("udp_rr_1B_1cpu", round_trips, &fd);
    fd = dial('s');
    measure("tcp_stream_64k_1cpu", chunks, &fd);
    measure("tcp_connect_close_1cpu", connections, NULL);
    return 0;
}
