// SPDX-License-Identifier: BSD-3-Clause
// corks.c: datagrams that are gathered from several sends (MSG_MORE, UDP_CORK), of both IP
// versions.
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "show.h"

enum { MOST_V4 = 65507, MOST_V6 = 65527, PIECE = 1000 };

union name {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static char bytes[70000];

static socklen_t size_of(const union name *name)
{
    return name->any.sa_family == AF_INET ? sizeof name->v4 : sizeof name->v6;
}

static int server_make(union name *name, int family)
{
    socklen_t size = sizeof *name;
    const int fd = socket(family, SOCK_DGRAM, 0);
    memset(name, 0, sizeof *name);
    name->any.sa_family = (sa_family_t)family;
    if (family == AF_INET) {
        name->v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    } else {
        name->v6.sin6_addr = in6addr_loopback;
    }
    bind(fd, &name->any, size_of(name));
    getsockname(fd, &name->any, &size);
    return fd;
}

static int client_make(const union name *server)
{
    const int fd = socket(server->any.sa_family, SOCK_DGRAM, 0);
    SHOW(connect(fd, &server->any, size_of(server)));
    return fd;
}

static int cork_set(int fd, int value)
{
    return setsockopt(fd, SOL_UDP, UDP_CORK, &value, sizeof value);
}

// All that is there.
static void show_all(const char *name, int fd)
{
    static char data[sizeof bytes];
    for (;;) {
        memset(data, 0, sizeof data);
        const long size = recv(fd, data, sizeof data, MSG_DONTWAIT);
        printf("%s: ", name);
        if (show("recv", size) < 0) {
            return;
        }
        printf("  '%.40s' %s\n", data,
               size >= PIECE && memcmp(data, bytes, (size_t)size) != 0 ? "other bytes" : "");
    }
}

static void show_poll(int fd)
{
    struct pollfd item = {.fd = fd, .events = POLLIN | POLLOUT};
    SHOW(poll(&item, 1, 0));
    printf("  %x\n", item.revents);
}

static void messages(int server, const union name *name)
{
    const int fd = client_make(name);
    puts("-- MSG_MORE");
    SHOW(send(fd, "one ", 4, MSG_MORE));
    show_all("server", server);
    show_poll(fd);
    SHOW(send(fd, "two ", 4, MSG_MORE));
    SHOW(write(fd, "three", 5));
    show_all("server", server);
    SHOW(send(fd, "alone", 5, 0));
    SHOW(send(fd, "", 0, MSG_MORE));
    SHOW(send(fd, "", 0, MSG_MORE));
    SHOW(send(fd, "", 0, 0));
    show_all("server", server);
    struct iovec vectors[] = {{"a", 1}, {"", 0}, {"bc", 2}};
    const struct msghdr several = {.msg_iov = vectors, .msg_iovlen = 3};
    SHOW(sendmsg(fd, &several, MSG_MORE));
    SHOW(sendmsg(fd, &several, 0));
    struct mmsghdr two[] = {{.msg_hdr = several}, {.msg_hdr = several}};
    SHOW(sendmmsg(fd, two, 2, MSG_MORE));
    SHOW(writev(fd, vectors, 3));
    show_all("server", server);
    close(fd);
}

static void options(int server, const union name *name)
{
    const int fd = client_make(name);
    int value = -1;
    socklen_t size = sizeof value;
    puts("-- UDP_CORK");
    SHOW(getsockopt(fd, SOL_UDP, UDP_CORK, &value, &size));
    SHOW(value);
    SHOW(cork_set(fd, 0));
    SHOW(cork_set(fd, 5));
    SHOW(getsockopt(fd, SOL_UDP, UDP_CORK, &value, &size));
    SHOW(value);
    SHOW(write(fd, "under ", 6));
    SHOW(send(fd, "the ", 4, MSG_MORE));
    SHOW(cork_set(fd, 1));
    SHOW(write(fd, "cork", 4));
    show_all("server", server);
    SHOW(cork_set(fd, 0));
    show_all("server", server);
    SHOW(cork_set(fd, 0));
    SHOW(send(fd, "more ", 5, MSG_MORE));
    SHOW(cork_set(fd, 0));
    show_all("server", server);
    SHOW(setsockopt(fd, SOL_UDP, UDP_CORK, &value, 3));
    SHOW(setsockopt(fd, SOL_UDP, UDP_CORK, NULL, sizeof value));
    SHOW(setsockopt(fd, SOL_UDP, 77, &value, sizeof value));
    SHOW(getsockopt(fd, SOL_UDP, 77, &value, &size));
    SHOW(getsockopt(server, IPPROTO_TCP, 1, &value, &size));
    close(fd);
}

// Where it goes was decided by the first.
static void addressees(int server, const union name *name)
{
    union name other_name;
    const int other = server_make(&other_name, name->any.sa_family);
    const int fd = socket(name->any.sa_family, SOCK_DGRAM, 0);
    puts("-- addressees");
    SHOW(send(fd, "nobody", 6, MSG_MORE));
    SHOW(sendto(fd, "first ", 6, MSG_MORE, &name->any, size_of(name)));
    SHOW(sendto(fd, "second ", 7, MSG_MORE, &other_name.any, size_of(&other_name)));
    SHOW(send(fd, "third", 5, MSG_MORE));
    SHOW(cork_set(fd, 0));
    show_all("server", server);
    show_all("other", other);
    SHOW(connect(fd, &other_name.any, size_of(&other_name)));
    SHOW(send(fd, "fourth", 6, 0));
    show_all("server", server);
    show_all("other", other);
    close(other);
    SHOW(sendto(fd, "kept", 4, MSG_MORE, &name->any, size_of(name)));
    SHOW(shutdown(fd, SHUT_WR));
    SHOW(send(fd, " back", 5, 0));
    show_all("server", server);
    SHOW(sendto(fd, "late", 4, MSG_MORE, &name->any, size_of(name)));
    close(fd);
}

static void sizes(int server, const union name *name)
{
    const int fd = client_make(name);
    const int most = name->any.sa_family == AF_INET ? MOST_V4 : MOST_V6;
    int left = most;
    puts("-- sizes");
    for (; left > PIECE; left -= PIECE) {
        if (send(fd, bytes + most - left, PIECE, MSG_MORE) != PIECE) {
            SHOW(left);
        }
    }
    SHOW(send(fd, bytes + most - left, (size_t)left, 0));
    show_all("server", server);
    SHOW(send(fd, bytes, (size_t)most, MSG_MORE));
    SHOW(send(fd, "x", 1, MSG_MORE)); // all is gone
    show_all("server", server);
    SHOW(send(fd, "new", 3, 0));
    show_all("server", server);
    SHOW(send(fd, bytes, (size_t)most + 1, MSG_MORE));
    SHOW(send(fd, "and ", 4, MSG_MORE));
    SHOW(send(fd, (void *)8, 4, MSG_MORE));
    SHOW(send(fd, "after", 5, 0));
    show_all("server", server);
    SHOW(send(fd, "forgotten", 9, MSG_MORE));
    close(fd);
    show_all("server", server);
}

// Of a socket of IPv6, addressees of IPv4.
static void mapped(void)
{
    union name v4, v6, as_v6 = {.v6 = {.sin6_family = AF_INET6}};
    const int server = server_make(&v4, AF_INET), server_v6 = server_make(&v6, AF_INET6);
    const int fd = socket(AF_INET6, SOCK_DGRAM, 0);
    as_v6.v6.sin6_port = v4.v4.sin_port;
    as_v6.v6.sin6_addr.s6_addr32[2] = htonl(0xffff);
    as_v6.v6.sin6_addr.s6_addr32[3] = v4.v4.sin_addr.s_addr;
    puts("-- mapped");
    SHOW(sendto(fd, "v4 ", 3, MSG_MORE, &as_v6.any, sizeof as_v6.v6));
    SHOW(sendto(fd, "v6 ", 3, MSG_MORE, &v6.any, sizeof v6.v6));
    SHOW(cork_set(fd, 0));
    SHOW(sendto(fd, "v6 ", 3, MSG_MORE, &v6.any, sizeof v6.v6));
    SHOW(sendto(fd, "v4 ", 3, MSG_MORE, &as_v6.any, sizeof as_v6.v6));
    SHOW(sendto(fd, "end", 3, 0, &v6.any, sizeof v6.v6));
    show_all("IPv4", server);
    show_all("IPv6", server_v6);
    close(fd);
    close(server);
    close(server_v6);
}

static void all(int family)
{
    union name name;
    const int server = server_make(&name, family);
    printf("---- IPv%d\n", family == AF_INET ? 4 : 6);
    messages(server, &name);
    options(server, &name);
    addressees(server, &name);
    sizes(server, &name);
    close(server);
}

int main(void)
{
    for (size_t i = 0; i < sizeof bytes; ++i) {
        bytes[i] = (char)('a' + i % 23);
    }
    all(AF_INET);
    all(AF_INET6);
    mapped();
    return 0;
}
