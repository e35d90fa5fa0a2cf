// SPDX-License-Identifier: BSD-3-Clause
// lending.c: an example of datagrams that are received where they lie (osv/zcopy.h): many by one
// call, as many as the socket may keep, after their socket is gone; and that no byte is copied.
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/libc/include/osv/pfil.h"
#include "core/libc/include/osv/zcopy.h"

enum { PORT = 6000, COUNT = 16, LARGE = 20000 };

static const char *seen_at; // where a filter has seen the last datagram

static enum osv_verdict look(struct osv_packet *packet, void *argument)
{
    (void)argument;
    seen_at = packet->data + packet->transport + 8;
    return OSV_PASS;
}

static int socket_make(int family, uint16_t port)
{
    struct sockaddr_in6 name = {.sin6_family = (sa_family_t)family, .sin6_port = htons(port)};
    const int fd = socket(family, SOCK_DGRAM, 0);
    if (bind(fd, (struct sockaddr *)&name, family == AF_INET ? 16 : sizeof name) != 0) {
        perror("bind");
    }
    return fd;
}

static void tell(const char *data, size_t size, int family)
{
    struct sockaddr_in6 v6 = {
        .sin6_family = AF_INET6, .sin6_port = htons(PORT), .sin6_addr = in6addr_loopback};
    struct sockaddr_in v4 = {
        .sin_family = AF_INET, .sin_port = htons(PORT), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int fd = socket_make(family, PORT + 1);
    const bool is_v4 = family == AF_INET;
    if (sendto(fd, data, size, 0, is_v4 ? (struct sockaddr *)&v4 : (struct sockaddr *)&v6,
               is_v4 ? sizeof v4 : sizeof v6) != (long)size) {
        perror("sendto");
    }
    close(fd);
}

static void show(const char *what, int got)
{
    printf("%s: %d", what, got);
    printf(got < 0 ? " %s\n" : "\n", strerrorname_np(errno));
}

static void families(void)
{
    for (int i = 0; i < 2; ++i) {
        const int family = i == 0 ? AF_INET : AF_INET6;
        const int fd = socket_make(family, PORT);
        struct osv_piece got[COUNT];
        struct pollfd item = {.fd = fd, .events = POLLIN};
        show("nothing", osv_zcopy_rx(fd, got, COUNT, MSG_DONTWAIT));
        tell("one", 3, family);
        tell("", 0, family);
        tell("three", 5, family);
        printf("poll: %d\n", poll(&item, 1, -1));
        const int count = osv_zcopy_rx(fd, got, COUNT, 0);
        show("datagrams", count);
        for (int j = 0; j < count; ++j) {
            const struct sockaddr_in *from = (const struct sockaddr_in *)&got[j].from;
            printf("  '%.*s' from port %u of family %d\n", (int)got[j].size, got[j].data,
                   ntohs(from->sin_port), from->sin_family == family);
        }
        printf("poll: %d\n", poll(&item, 1, 0));
        close(fd);
        if (count > 0) {
            got[0].data[0] = 'O';
            printf("  after close: '%.3s'\n", got[0].data);
            osv_zcopy_rxgc(got, (unsigned)count);
        }
    }
}

// What is lent counts: the socket takes no more until it is given back.
static void limit(void)
{
    static char data[LARGE];
    struct osv_piece got[COUNT];
    const int fd = socket_make(AF_INET, PORT), size = LARGE;
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    unsigned count = 0;
    for (int i = 0; i < 8; ++i) {
        tell(data, sizeof data, AF_INET);
        const int more = osv_zcopy_rx(fd, got + count, COUNT - count, MSG_DONTWAIT);
        count += more > 0 ? (unsigned)more : 0;
    }
    printf("lent: %d\n", count < 4 && count > 0);
    osv_zcopy_rxgc(got, count);
    tell(data, sizeof data, AF_INET);
    show("after that", osv_zcopy_rx(fd, got, COUNT, MSG_DONTWAIT));
    osv_zcopy_rxgc(got, 1);
    close(fd);
}

// The program gets the bytes where they were when the packet came.
static void place(void)
{
    struct osv_piece got;
    const int fd = socket_make(AF_INET, PORT);
    struct osv_pfil *looking = osv_pfil_add_hook(look, NULL);
    tell("here", 4, AF_INET);
    show("lent", osv_zcopy_rx(fd, &got, 1, 0));
    osv_pfil_remove_hook(looking);
    printf("it has not moved: %d\n", got.data == seen_at);
    osv_zcopy_rxgc(&got, 1);
    close(fd);
}

static void wrong(void)
{
    struct osv_piece got;
    const int local = socket(AF_UNIX, SOCK_STREAM, 0), fd = socket_make(AF_INET, PORT);
    show("a local socket", osv_zcopy_rx(local, &got, 1, 0));
    show("no socket", osv_zcopy_rx(1000, &got, 1, 0));
    show("none", osv_zcopy_rx(fd, &got, 0, 0));
    show("flags", osv_zcopy_rx(fd, &got, 1, MSG_PEEK));
    close(local);
    close(fd);
}

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (osv_zcopy_rx == NULL) {
        puts("nothing is lent here");
        return 1;
    }
    families();
    limit();
    place();
    wrong();
    return 0;
}
