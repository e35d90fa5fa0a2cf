// SPDX-License-Identifier: BSD-3-Clause
// origins.c: datagrams whose sender says where they come from and by which interface they go
// (IP_PKTINFO, IPV6_PKTINFO of sendmsg).
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include "show.h"

enum { LO = 1 };

union name {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static socklen_t name_make(union name *name, int family, const char *text)
{
    memset(name, 0, sizeof *name);
    name->any.sa_family = (sa_family_t)family;
    inet_pton(family, text,
              family == AF_INET ? (void *)&name->v4.sin_addr : (void *)&name->v6.sin6_addr);
    return family == AF_INET ? sizeof name->v4 : sizeof name->v6;
}

static int server_make(union name *name, int family, const char *text)
{
    socklen_t size = name_make(name, family, text);
    const int fd = socket(family, SOCK_DGRAM, 0);
    SHOW(bind(fd, &name->any, size));
    getsockname(fd, &name->any, &size);
    return fd;
}

static void show_origin(int fd)
{
    union name from;
    socklen_t size = sizeof from;
    char text[INET6_ADDRSTRLEN] = "?", byte;
    if (show("recvfrom", recvfrom(fd, &byte, 1, MSG_DONTWAIT, &from.any, &size)) == 1) {
        const bool is_v4 = from.any.sa_family == AF_INET;
        inet_ntop(from.any.sa_family,
                  is_v4 ? (void *)&from.v4.sin_addr : (void *)&from.v6.sin6_addr, text,
                  sizeof text);
        printf("  from %s\n", text);
    }
}

static void send_with(int from, int to, const union name *name, int level, int type,
                      const void *content, size_t size)
{
    _Alignas(8) char room[64] = {0};
    struct iovec vector = {"x", 1};
    struct msghdr message = {
        .msg_name = (void *)(uintptr_t)name,
        .msg_namelen = name == NULL                     ? 0
                       : name->any.sa_family == AF_INET ? sizeof name->v4
                                                        : sizeof name->v6,
        .msg_iov = &vector,
        .msg_iovlen = 1,
        .msg_control = room,
        .msg_controllen = CMSG_SPACE(size),
    };
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);
    *head = (struct cmsghdr){.cmsg_len = CMSG_LEN(size), .cmsg_level = level, .cmsg_type = type};
    memcpy(CMSG_DATA(head), content, size);
    show("sendmsg", sendmsg(from, &message, 0));
    show_origin(to);
}

static void v4_send(int from, int to, const union name *name, const char *source, int index)
{
    struct in_pktinfo origin = {.ipi_ifindex = index};
    inet_pton(AF_INET, source, &origin.ipi_spec_dst);
    printf("%s of %d: ", source, index);
    send_with(from, to, name, IPPROTO_IP, IP_PKTINFO, &origin, sizeof origin);
}

static void v6_send(int from, int to, const union name *name, const char *source, int index)
{
    struct in6_pktinfo origin = {.ipi6_ifindex = (unsigned)index};
    inet_pton(AF_INET6, source, &origin.ipi6_addr);
    printf("%s of %d: ", source, index);
    send_with(from, to, name, IPPROTO_IPV6, IPV6_PKTINFO, &origin, sizeof origin);
}

static void v4(void)
{
    union name name, own;
    const int to = server_make(&name, AF_INET, "127.0.0.1");
    const int fd = socket(AF_INET, SOCK_DGRAM, 0);
    const struct in_pktinfo none = {.ipi_ifindex = LO};
    puts("-- 4");
    v4_send(fd, to, &name, "0.0.0.0", 0);
    v4_send(fd, to, &name, "0.0.0.0", LO);
    v4_send(fd, to, &name, "127.0.0.2", 0);
    v4_send(fd, to, &name, "127.7.7.7", LO);
    v4_send(fd, to, &name, "10.9.8.7", 0);
    v4_send(fd, to, &name, "0.0.0.0", 77);
    v4_send(fd, to, &name, "0.0.0.0", -1);
    send_with(fd, to, &name, IPPROTO_IP, IP_PKTINFO, &none, sizeof none - 1);
    send_with(fd, to, &name, IPPROTO_IPV6, IPV6_PKTINFO, &none, sizeof none);
    send_with(fd, to, &name, IPPROTO_TCP, 1, &none, sizeof none); // of others
    const int bound = server_make(&own, AF_INET, "127.0.0.5");
    SHOW(connect(bound, &name.any, sizeof name.v4));
    v4_send(bound, to, NULL, "127.0.0.6", 0);
    v4_send(bound, to, NULL, "0.0.0.0", LO);
    close(bound);
    close(fd);
    close(to);
}

static void v6(void)
{
    union name name, mapped, old;
    const int to = server_make(&name, AF_INET6, "::1");
    const int fd = socket(AF_INET6, SOCK_DGRAM, 0);
    const struct in6_pktinfo none = {.ipi6_ifindex = LO};
    puts("-- 6");
    v6_send(fd, to, &name, "::", 0);
    v6_send(fd, to, &name, "::", LO);
    v6_send(fd, to, &name, "::1", LO);
    v6_send(fd, to, &name, "fd00::7", 0);
    v6_send(fd, to, &name, "::", 77);
    send_with(fd, to, &name, IPPROTO_IPV6, IPV6_PKTINFO, &none, sizeof none - 1);
    const int v4_to = server_make(&old, AF_INET, "127.0.0.1");
    name_make(&mapped, AF_INET6, "::ffff:127.0.0.1");
    mapped.v6.sin6_port = old.v4.sin_port;
    puts("-- mapped");
    v4_send(fd, v4_to, &mapped, "127.0.0.3", 0);
    close(v4_to);
    close(fd);
    close(to);
}

int main(void)
{
    v4();
    v6();
    puts("done");
    return 0;
}
