// SPDX-License-Identifier: BSD-3-Clause
// udpsegments.c: one send that is cut into datagrams (UDP_SEGMENT), of both IP versions.
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "show.h"

enum { SEGMENT = 1000 };

union name {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static char bytes[70000];
static int server, client;

static socklen_t size_of(const union name *name)
{
    return name->any.sa_family == AF_INET ? sizeof name->v4 : sizeof name->v6;
}

static void both_make(union name *name, int family)
{
    socklen_t size = sizeof *name;
    server = socket(family, SOCK_DGRAM, 0);
    client = socket(family, SOCK_DGRAM, 0);
    memset(name, 0, sizeof *name);
    name->any.sa_family = (sa_family_t)family;
    if (family == AF_INET) {
        name->v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    } else {
        name->v6.sin6_addr = in6addr_loopback;
    }
    bind(server, &name->any, size_of(name));
    getsockname(server, &name->any, &size);
    SHOW(connect(client, &name->any, size_of(name)));
}

static void both_close(void)
{
    close(server);
    close(client);
}

static int option_set(int name, int value)
{
    return setsockopt(client, SOL_UDP, name, &value, sizeof value);
}

static void option_show(int name)
{
    int value = -1;
    socklen_t size = sizeof value;
    SHOW(getsockopt(client, SOL_UDP, name, &value, &size));
    printf("  %d, %u bytes\n", value, size);
}

// All that is there, which lies one behind the other in bytes.
static void show_all(void)
{
    static char data[sizeof bytes];
    size_t at = 0;
    for (;;) {
        const long size = recv(server, data, sizeof data, MSG_DONTWAIT);
        if (show("recv", size) < 0) {
            return;
        }
        if (memcmp(data, bytes + at, (size_t)size) != 0) {
            printf("  other bytes\n");
        }
        at += (size_t)size;
    }
}

// With a message that says how it is cut; of a size that may be wrong.
static long send_cut(size_t size, uint16_t segment, size_t said)
{
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {0};
    struct iovec parts[] = {{bytes, size / 3}, {bytes + size / 3, size - size / 3}};
    struct msghdr message = {.msg_iov = parts,
                             .msg_iovlen = 2,
                             .msg_control = control,
                             .msg_controllen = CMSG_SPACE(said)};
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_UDP;
    head->cmsg_type = UDP_SEGMENT;
    head->cmsg_len = CMSG_LEN(said);
    memcpy(CMSG_DATA(head), &segment, sizeof segment);
    return sendmsg(client, &message, 0);
}

static void options(void)
{
    option_show(UDP_SEGMENT);
    SHOW(option_set(UDP_SEGMENT, -1));
    SHOW(option_set(UDP_SEGMENT, 65536));
    SHOW(option_set(UDP_SEGMENT, 65535));
    option_show(UDP_SEGMENT);
    SHOW(option_set(UDP_SEGMENT, 0));
    option_show(UDP_GRO);
    SHOW(option_set(UDP_GRO, 5));
    option_show(UDP_GRO);
    SHOW(option_set(UDP_GRO, 0));
}

static void by_option(void)
{
    SHOW(option_set(UDP_SEGMENT, SEGMENT));
    SHOW(send(client, bytes, 2500, 0));
    show_all();
    SHOW(send(client, bytes, 3000, 0));
    show_all();
    SHOW(send(client, bytes, SEGMENT, 0));
    SHOW(send(client, bytes, 0, 0));
    show_all();
    SHOW(send(client, bytes, 60001, 0));
    show_all();
    SHOW(send(client, bytes, 65530, 0));
    SHOW(option_set(UDP_SEGMENT, 10));
    SHOW(send(client, bytes, 10000, 0));
    show_all();
    SHOW(option_set(UDP_SEGMENT, 0));
}

static void by_message(void)
{
    SHOW(send_cut(2500, SEGMENT, sizeof(uint16_t)));
    show_all();
    SHOW(option_set(UDP_SEGMENT, 500));
    SHOW(send_cut(2500, SEGMENT, sizeof(uint16_t)));
    show_all();
    SHOW(send_cut(2500, 0, sizeof(uint16_t)));
    show_all();
    SHOW(send_cut(2500, SEGMENT, sizeof(int)));
    SHOW(send_cut(2500, SEGMENT, 1));
    show_all();
    SHOW(option_set(UDP_SEGMENT, 0));
}

static void corked(void)
{
    SHOW(option_set(UDP_SEGMENT, SEGMENT));
    SHOW(send(client, bytes, 700, MSG_MORE));
    SHOW(send(client, bytes + 700, 700, MSG_MORE));
    SHOW(send(client, bytes + 1400, 700, 0));
    show_all();
}

int main(void)
{
    static const int families[] = {AF_INET, AF_INET6};
    for (size_t i = 0; i < sizeof bytes; ++i) {
        bytes[i] = (char)(i * 7 >> 3);
    }
    for (size_t i = 0; i < 2; ++i) {
        union name name;
        both_make(&name, families[i]);
        options();
        by_option();
        by_message();
        corked();
        both_close();
    }
    return 0;
}
