// SPDX-License-Identifier: BSD-3-Clause
// datagrams.c: UDP over the loopback network, of both IP versions: names, connections, errors that
// come back, options, what goes along, waits.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>

#include "show.h"

union name {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    struct sockaddr_storage room;
};

// Ports are the machine's choice: in each section the first that is met is P0, and so on.
static uint16_t seen[64];

static const char *port_name(uint16_t port)
{
    static char text[8];
    unsigned i = 0;
    if (ntohs(port) < 1024) {
        snprintf(text, sizeof text, "%u", ntohs(port));
        return text;
    }
    while (i < 64 && seen[i] != 0 && seen[i] != port) {
        ++i;
    }
    seen[i] = port;
    snprintf(text, sizeof text, "P%u", i);
    return text;
}

static void section(const char *name, int family)
{
    memset(seen, 0, sizeof seen);
    printf("-- %s, family %d\n", name, family == AF_INET ? 4 : 6);
}

static void name_print(const union name *name, socklen_t size)
{
    char text[INET6_ADDRSTRLEN] = "?";
    if (size == 0) {
        puts("  nobody");
    } else if (name->any.sa_family == AF_INET) {
        inet_ntop(AF_INET, &name->v4.sin_addr, text, sizeof text);
        printf("  %d: %s %s\n", (int)size, text, port_name(name->v4.sin_port));
    } else if (name->any.sa_family == AF_INET6) {
        inet_ntop(AF_INET6, &name->v6.sin6_addr, text, sizeof text);
        printf("  %d: %s %s scope %u\n", (int)size, text, port_name(name->v6.sin6_port),
               name->v6.sin6_scope_id);
    } else {
        printf("  %d: family %d\n", (int)size, name->any.sa_family);
    }
}

static void show_name(int fd)
{
    union name name = {0};
    socklen_t size = sizeof name;
    if (SHOW(getsockname(fd, &name.any, &size)) == 0) {
        name_print(&name, size);
    }
}

static void show_peer(int fd)
{
    union name name = {0};
    socklen_t size = sizeof name;
    if (SHOW(getpeername(fd, &name.any, &size)) == 0) {
        name_print(&name, size);
    }
}

static void show_poll(int fd)
{
    enum { ALL = POLLIN | POLLOUT | POLLRDHUP | POLLRDNORM | POLLWRNORM };
    struct pollfd item = {.fd = fd, .events = ALL};
    SHOW(poll(&item, 1, 0));
    printf("  %x\n", item.revents);
}

static void show_receive(int fd, int flags)
{
    char data[64] = "";
    union name name = {0};
    socklen_t size = sizeof name;
    const long got = recvfrom(fd, data, sizeof data, flags | MSG_DONTWAIT, &name.any, &size);
    if (show("recvfrom", got) >= 0) {
        name_print(&name, size);
        printf("  '%s'\n", data);
    }
}

static socklen_t name_make(union name *name, const char *address, uint16_t port)
{
    memset(name, 0, sizeof *name);
    if (inet_pton(AF_INET, address, &name->v4.sin_addr) == 1) {
        name->v4.sin_family = AF_INET;
        name->v4.sin_port = htons(port);
        return sizeof name->v4;
    }
    inet_pton(AF_INET6, address, &name->v6.sin6_addr);
    name->v6.sin6_family = AF_INET6;
    name->v6.sin6_port = htons(port);
    return sizeof name->v6;
}

static int bind_to(int fd, const char *address, uint16_t port)
{
    union name name;
    const socklen_t size = name_make(&name, address, port);
    return bind(fd, &name.any, size);
}

static int connect_to(int fd, const char *address, uint16_t port)
{
    union name name;
    const socklen_t size = name_make(&name, address, port);
    return connect(fd, &name.any, size);
}

static long send_to(int fd, const char *text, const char *address, uint16_t port)
{
    union name name;
    const socklen_t size = name_make(&name, address, port);
    return sendto(fd, text, strlen(text), MSG_DONTWAIT, &name.any, size);
}

static uint16_t port_of(int fd)
{
    union name name = {0};
    socklen_t size = sizeof name;
    getsockname(fd, &name.any, &size);
    return ntohs(name.any.sa_family == AF_INET ? name.v4.sin_port : name.v6.sin6_port);
}

// One that is bound to a port of the machine's choosing.
static int bound(int family, const char *address)
{
    int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (bind_to(fd, address, 0) != 0) {
        perror("bind");
    }
    return fd;
}

static void makings(void)
{
    int fds[2];
    struct stat status;
    section("making", AF_INET);
    SHOW(socket(AF_INET, 99, 0));
    SHOW(socket(AF_INET, SOCK_RDM, 0));
    SHOW(socket(AF_INET, SOCK_DGRAM, IPPROTO_TCP));
    SHOW(socket(AF_INET, SOCK_DGRAM, 300));
    SHOW(socket(AF_INET, SOCK_DGRAM, -1));
    SHOW(socket(AF_INET6, SOCK_DGRAM, IPPROTO_TCP));
    SHOW(socketpair(AF_INET, SOCK_DGRAM, 0, fds));
    SHOW(socketpair(AF_INET6, SOCK_DGRAM, IPPROTO_TCP, fds));
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_UDP);
    SHOW(fcntl(fd, F_GETFD));
    SHOW(fcntl(fd, F_GETFL));
    SHOW(fstat(fd, &status));
    printf("  %o %d\n", status.st_mode, (int)status.st_size);
    SHOW(lseek(fd, 0, SEEK_SET));
    SHOW(listen(fd, 1));
    SHOW(accept(fd, NULL, NULL));
    SHOW(close(fd));
}

static void alone(int family)
{
    char data[8];
    int count = -1;
    section("alone", family);
    int fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    show_name(fd);
    show_peer(fd);
    show_poll(fd);
    SHOW(read(fd, data, sizeof data));
    SHOW(read(fd, data, 0));
    SHOW(send(fd, "x", 1, 0));
    SHOW(write(fd, "x", 1));
    SHOW(ioctl(fd, FIONREAD, &count));
    printf("  %d\n", count);
    SHOW(shutdown(fd, SHUT_RD));
    SHOW(shutdown(fd, 9));
    show_poll(fd);
    SHOW(read(fd, data, sizeof data));
    SHOW(shutdown(fd, SHUT_WR));
    show_poll(fd);
    SHOW(send(fd, "x", 1, 0));
    SHOW(close(fd));
}

static void names(void)
{
    union name name;
    section("names", AF_INET);
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    int other = socket(AF_INET, SOCK_DGRAM, 0);
    int six = socket(AF_INET6, SOCK_DGRAM, 0);
    SHOW(bind_to(fd, "192.0.2.77", 0));
    SHOW(bind_to(fd, "::1", 0));
    SHOW(bind_to(six, "127.0.0.1", 0));
    SHOW(bind_to(six, "2001:db8::77", 0));
    name_make(&name, "127.0.0.1", 0);
    SHOW(bind(fd, &name.any, sizeof name.v4 - 1));
    SHOW(bind(fd, &name.any, 1));
    SHOW(bind(fd, (struct sockaddr *)8, sizeof name.v4));
    name.any.sa_family = AF_UNIX;
    SHOW(bind(fd, &name.any, sizeof name.v4));
    name.any.sa_family = AF_UNSPEC;
    SHOW(bind(fd, &name.any, sizeof name.v4));
    SHOW(bind_to(fd, "127.0.0.1", 0));
    show_name(fd);
    SHOW(bind_to(fd, "127.0.0.1", 0));
    const uint16_t port = port_of(fd);
    SHOW(bind_to(other, "127.0.0.1", port));
    SHOW(bind_to(other, "0.0.0.0", port));
    SHOW(bind_to(six, "::", port));
    SHOW(bind_to(six, "::1", port));
    SHOW(bind_to(other, "127.0.0.2", port));
    show_name(other);
    close(other);
    other = socket(AF_INET, SOCK_DGRAM, 0);
    name_make(&name, "0.0.0.0", 0);
    name.any.sa_family = AF_UNSPEC;
    SHOW(bind(other, &name.any, sizeof name.v4));
    show_name(other);
    socklen_t size = 3;
    memset(&name, 0, sizeof name);
    SHOW(getsockname(other, &name.any, &size));
    printf("  %d %d\n", (int)size, name.any.sa_family);
    size = (socklen_t)-1;
    SHOW(getsockname(other, &name.any, &size));
    close(fd);
    close(other);
    close(six);
}

static void sharing(void)
{
    int fds[3], on = 1;
    section("sharing a port", AF_INET);
    for (int i = 0; i < 3; ++i) {
        fds[i] = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    }
    setsockopt(fds[0], SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    SHOW(bind_to(fds[0], "127.0.0.1", 0));
    const uint16_t port = port_of(fds[0]);
    SHOW(bind_to(fds[1], "127.0.0.1", port));
    setsockopt(fds[1], SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    SHOW(bind_to(fds[1], "127.0.0.1", port));
    SHOW(send_to(fds[2], "newest", "127.0.0.1", port));
    show_poll(fds[0]);
    show_poll(fds[1]);
    close(fds[1]);
    SHOW(send_to(fds[2], "the other", "127.0.0.1", port));
    show_poll(fds[0]);
    close(fds[0]);
    close(fds[2]);

    int members[4], sender = socket(AF_INET, SOCK_DGRAM, 0), got = 0;
    uint16_t shared = 0;
    for (int i = 0; i < 4; ++i) {
        members[i] = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
        setsockopt(members[i], SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
        SHOW(bind_to(members[i], "127.0.0.1", shared));
        shared = port_of(members[i]);
    }
    for (int i = 0; i < 10; ++i) { // one sender: always the same member
        send_to(sender, "m", "127.0.0.1", shared);
    }
    for (int i = 0; i < 4; ++i) {
        char data[8];
        int count = 0;
        while (recv(members[i], data, sizeof data, 0) == 1) {
            ++count;
        }
        got += count == 10 ? 100 : count;
        close(members[i]);
    }
    printf("  %d\n", got);
    close(sender);
}

static void exchange(int family, const char *address)
{
    char data[16];
    section(address, family);
    int server = bound(family, address);
    int client = socket(family, SOCK_DGRAM, 0);
    const uint16_t port = port_of(server);
    SHOW(send_to(client, "first", address, port));
    show_name(client);
    SHOW(send_to(client, "", address, port));
    SHOW(send_to(client, "a longer one", address, port));
    show_poll(server);
    int count = 0;
    SHOW(ioctl(server, FIONREAD, &count));
    printf("  %d\n", count);
    show_receive(server, MSG_PEEK);
    show_receive(server, 0);
    show_receive(server, MSG_TRUNC);
    SHOW(recv(server, data, 4, MSG_PEEK | MSG_TRUNC));
    SHOW(recv(server, data, 4, 0));
    show_receive(server, 0);
    SHOW(send_to(client, "x", address, 0));
    SHOW(connect_to(client, address, port));
    show_name(client);
    show_peer(client);
    struct iovec out[] = {{"gath", 4}, {"", 0}, {"ered", 4}};
    SHOW(writev(client, out, 3));
    struct iovec in[] = {{data, 1}, {data + 1, 15}};
    SHOW(readv(server, in, 2));
    printf("  %.8s\n", data);
    SHOW(write(client, "", 0));
    show_receive(server, 0);
    SHOW(send(client, (char *)8, 10, 0));
    SHOW(send(client, "gone", 4, 0));
    SHOW(recv(server, (char *)8, 10, 0));
    show_receive(server, 0);
    // Others' datagrams are not for one that is connected.
    int other = bound(family, address);
    SHOW(send_to(other, "other", address, port_of(client)));
    show_poll(client);
    SHOW(send_to(server, "answer", address, port_of(client)));
    show_receive(client, 0);
    close(other);
    close(client);
    close(server);
}

static void refused(int family, const char *address)
{
    char data[8];
    int value = -1;
    socklen_t size = sizeof value;
    section("nobody there", family);
    int gone = bound(family, address);
    const uint16_t port = port_of(gone);
    close(gone);
    int fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    SHOW(send_to(fd, "unconnected", address, port));
    show_poll(fd);
    SHOW(connect_to(fd, address, port));
    SHOW(send(fd, "1", 1, 0));
    show_poll(fd);
    SHOW(send(fd, "2", 1, 0));
    SHOW(send(fd, "3", 1, 0));
    SHOW(recv(fd, data, sizeof data, 0));
    SHOW(recv(fd, data, sizeof data, 0));
    SHOW(send(fd, "4", 1, 0));
    SHOW(getsockopt(fd, SOL_SOCKET, SO_ERROR, &value, &size));
    printf("  %s\n", strerrorname_np(value));
    SHOW(getsockopt(fd, SOL_SOCKET, SO_ERROR, &value, &size));
    printf("  %d\n", value);
    int poller = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN | EPOLLET};
    epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event);
    SHOW(send(fd, "5", 1, 0));
    SHOW(epoll_wait(poller, &event, 1, 0));
    printf("  %x\n", event.events);
    close(poller);
    close(fd);
}

static void connections(void)
{
    union name nobody = {.any.sa_family = AF_UNSPEC};
    section("connections", AF_INET);
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    SHOW(connect_to(fd, "0.0.0.0", 9));
    show_peer(fd);
    SHOW(connect_to(fd, "127.0.0.5", 9));
    show_name(fd);
    show_peer(fd);
    SHOW(connect(fd, &nobody.any, sizeof nobody.any));
    show_name(fd);
    show_peer(fd);
    SHOW(connect(fd, &nobody.any, 1));
    SHOW(connect_to(fd, "::1", 9));
    SHOW(send_to(fd, "x", "::1", 9));
    close(fd);
    fd = bound(AF_INET, "0.0.0.0");
    SHOW(connect_to(fd, "127.0.0.1", 9));
    show_name(fd);
    SHOW(connect(fd, &nobody.any, sizeof nobody.any));
    show_name(fd);
    close(fd);
    fd = socket(AF_INET, SOCK_DGRAM, 0);
    bind_to(fd, "127.0.0.1", 0);
    const uint16_t port = port_of(fd);
    close(fd);
    fd = socket(AF_INET, SOCK_DGRAM, 0);
    bind_to(fd, "127.0.0.3", port);
    SHOW(connect_to(fd, "127.0.0.1", 9));
    SHOW(connect(fd, &nobody.any, sizeof nobody.any));
    show_name(fd);
    close(fd);
}

static void both_versions(void)
{
    int on = 1;
    section("both versions", AF_INET);
    int six = bound(AF_INET6, "::");
    int four = socket(AF_INET, SOCK_DGRAM, 0);
    const uint16_t port = port_of(six);
    SHOW(bind_to(four, "127.0.0.1", port));
    SHOW(send_to(four, "from four", "127.0.0.1", port));
    show_receive(six, 0);
    SHOW(connect_to(six, "::ffff:127.0.0.1", port_of(four)));
    show_name(six);
    show_peer(six);
    SHOW(send(six, "back", 4, 0));
    show_receive(four, 0);
    SHOW(setsockopt(six, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on));
    close(six);
    six = socket(AF_INET6, SOCK_DGRAM, 0);
    SHOW(setsockopt(six, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on));
    SHOW(bind_to(six, "::ffff:127.0.0.1", 0));
    SHOW(bind_to(six, "::", port_of(four)));
    SHOW(send_to(six, "x", "::ffff:127.0.0.1", 9));
    SHOW(connect_to(six, "::ffff:127.0.0.1", 9));
    SHOW(connect_to(six, "127.0.0.1", 9));
    SHOW(send_to(six, "x", "127.0.0.1", 9));
    SHOW(send_to(six, "self", "::1", port_of(six)));
    show_receive(six, 0);
    close(six);
    close(four);
}

static void sizes(int family, const char *address, size_t most)
{
    char *data = calloc(1, 70000), *back = calloc(1, 70000);
    int server = bound(family, address);
    int client = socket(family, SOCK_DGRAM, 0);
    section("sizes", family);
    connect_to(client, address, port_of(server));
    for (int i = 0; i < 70000; ++i) {
        data[i] = (char)(i * 7 + i / 1000);
    }
    SHOW(send(client, data, 70000, 0));
    SHOW(send(client, data, most + 1, 0));
    SHOW(send(client, data, most, 0) == (long)most);
    SHOW(recv(server, back, 70000, 0) == (long)most);
    SHOW(memcmp(data, back, most));
    SHOW(send(client, data, 1473, 0));
    SHOW(recv(server, back, 70000, 0));
    SHOW(send(client, "x", 1, MSG_OOB));
    free(data);
    free(back);
    close(server);
    close(client);
}

static void option_show(int fd, int level, int name)
{
    int value = -1;
    socklen_t size = sizeof value;
    SHOW(getsockopt(fd, level, name, &value, &size));
    printf("  %d %d: %d of %d\n", level, name, value, (int)size);
}

static void option_try(int fd, int level, int name, int value)
{
    SHOW(setsockopt(fd, level, name, &value, sizeof value));
    option_show(fd, level, name);
}

// How long a datagram may be, by how the way's length is found.
static void paths(int family, const char *address)
{
    static char data[65508];
    int server = bound(family, address);
    section("paths", family);
    for (int how = 0; how < 6; ++how) {
        const bool is_v4 = family == AF_INET;
        int client = socket(family, SOCK_DGRAM, 0);
        connect_to(client, address, port_of(server));
        option_try(client, is_v4 ? IPPROTO_IP : IPPROTO_IPV6,
                   is_v4 ? IP_MTU_DISCOVER : IPV6_MTU_DISCOVER, how);
        option_show(client, is_v4 ? IPPROTO_IP : IPPROTO_IPV6, is_v4 ? IP_MTU : IPV6_MTU);
        SHOW(send(client, data, 65488, 0)); // what the loopback network takes with IPv6's header
        SHOW(send(client, data, 65507, 0));
        close(client);
    }
    close(server);
}

static void options(int family)
{
    static const int names[] = {SO_TYPE,       SO_DOMAIN,    SO_PROTOCOL, SO_ERROR,
                                SO_ACCEPTCONN, SO_SNDBUF,    SO_RCVBUF,   SO_KEEPALIVE,
                                SO_REUSEADDR,  SO_REUSEPORT, SO_BROADCAST};
    section("options", family);
    int fd = socket(family, SOCK_DGRAM, 0);
    for (size_t i = 0; i < sizeof names / sizeof *names; ++i) {
        option_show(fd, SOL_SOCKET, names[i]);
    }
    option_try(fd, SOL_SOCKET, SO_RCVBUF, 100);
    option_try(fd, SOL_SOCKET, SO_RCVBUF, 5000);
    option_try(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    option_try(fd, SOL_SOCKET, 12345, 1);
    option_try(fd, IPPROTO_IP, IP_TTL, 0);
    option_try(fd, IPPROTO_IP, IP_TTL, 300);
    option_try(fd, IPPROTO_IP, IP_TTL, 7);
    option_try(fd, IPPROTO_IP, IP_TTL, -1);
    option_try(fd, IPPROTO_IP, IP_TOS, 16);
    option_try(fd, IPPROTO_IP, IP_PKTINFO, 5);
    option_try(fd, IPPROTO_IP, IP_RECVTTL, 1);
    option_try(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO);
    option_try(fd, IPPROTO_IP, IP_MTU_DISCOVER, 77);
    option_try(fd, IPPROTO_IP, 999, 1);
    option_show(fd, IPPROTO_IP, IP_MTU);
    option_try(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
    option_try(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, 9);
    option_try(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, 256);
    option_try(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
    option_try(fd, IPPROTO_IPV6, 999, 1);
    option_try(fd, 12345, 1, 1);
    uint8_t byte = 9;
    SHOW(setsockopt(fd, IPPROTO_IP, IP_TTL, &byte, 1));
    option_show(fd, IPPROTO_IP, IP_TTL);
    SHOW(setsockopt(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, &byte, 1));
    struct linger linger = {5, 3};
    SHOW(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger));
    socklen_t size = sizeof linger;
    SHOW(getsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, &size));
    printf("  %d %d\n", linger.l_onoff, linger.l_linger);
    struct timeval span = {.tv_usec = 1000};
    SHOW(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &span, sizeof span));
    bind_to(fd, family == AF_INET ? "127.0.0.1" : "::1", 0);
    SHOW(read(fd, &byte, 1));
    close(fd);
}

static void along(int family, const char *address)
{
    union {
        char data[256];
        struct cmsghdr align;
    } control;
    int on = 1, hops = 9;
    char data[8];
    union name name = {0};
    section("what goes along", family);
    int server = bound(family, family == AF_INET ? "0.0.0.0" : "::");
    int client = socket(family, SOCK_DGRAM, 0);
    if (family == AF_INET) {
        setsockopt(server, IPPROTO_IP, IP_PKTINFO, &on, sizeof on);
        setsockopt(server, IPPROTO_IP, IP_RECVTTL, &on, sizeof on);
        setsockopt(server, IPPROTO_IP, IP_RECVTOS, &on, sizeof on);
        setsockopt(client, IPPROTO_IP, IP_TTL, &hops, sizeof hops);
        setsockopt(client, IPPROTO_IP, IP_TOS, &(int){32}, sizeof(int));
    } else {
        setsockopt(server, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on);
        setsockopt(server, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, &on, sizeof on);
        setsockopt(server, IPPROTO_IPV6, IPV6_RECVTCLASS, &on, sizeof on);
        setsockopt(client, IPPROTO_IPV6, IPV6_UNICAST_HOPS, &hops, sizeof hops);
        setsockopt(client, IPPROTO_IPV6, IPV6_TCLASS, &(int){32}, sizeof(int));
    }
    for (int room = 0; room < 2; ++room) {
        SHOW(send_to(client, "told", address, port_of(server)));
        memset(&control, 0, sizeof control);
        struct iovec vector = {data, 2};
        struct msghdr message = {
            .msg_name = &name,
            .msg_namelen = sizeof name,
            .msg_iov = &vector,
            .msg_iovlen = 1,
            .msg_control = control.data,
            .msg_controllen = room == 0 ? sizeof control : CMSG_LEN(4),
        };
        SHOW(recvmsg(server, &message, 0));
        name_print(&name, message.msg_namelen);
        printf("  flags %x, %d of control\n", message.msg_flags, (int)message.msg_controllen);
        for (struct cmsghdr *head = CMSG_FIRSTHDR(&message); head != NULL;
             head = CMSG_NXTHDR(&message, head)) {
            printf("  %d %d, %d:", head->cmsg_level, head->cmsg_type, (int)head->cmsg_len);
            for (size_t i = 0; i < head->cmsg_len - CMSG_LEN(0) && room == 0; ++i) {
                printf(" %02x", CMSG_DATA(head)[i]);
            }
            putchar('\n');
        }
    }
    close(client);
    close(server);
}

static void many(void)
{
    char data[3][8] = {"a", "bb", "ccc"}, back[4][8] = {{0}};
    struct iovec out[3], in[4];
    struct mmsghdr sent[3] = {0}, got[4] = {0};
    union name name;
    section("many at once", AF_INET);
    int server = bound(AF_INET, "127.0.0.1");
    int client = socket(AF_INET, SOCK_DGRAM, 0);
    const socklen_t size = name_make(&name, "127.0.0.1", port_of(server));
    for (int i = 0; i < 4; ++i) {
        in[i] = (struct iovec){back[i], sizeof back[i]};
        got[i].msg_hdr.msg_iov = &in[i];
        got[i].msg_hdr.msg_iovlen = 1;
    }
    for (int i = 0; i < 3; ++i) {
        out[i] = (struct iovec){data[i], i + 1};
        sent[i].msg_hdr.msg_iov = &out[i];
        sent[i].msg_hdr.msg_iovlen = 1;
        sent[i].msg_hdr.msg_name = &name;
        sent[i].msg_hdr.msg_namelen = size;
    }
    SHOW(sendmmsg(client, sent, 3, 0));
    SHOW(recvmmsg(server, got, 4, MSG_WAITFORONE, NULL));
    printf("  %d %d %d %s\n", got[0].msg_len, got[1].msg_len, got[2].msg_len, back[2]);
    close(client);
    close(server);
}

// ---- Threads ----

enum { ROUNDS = 500, WAITERS = 4 };

static void *echo(void *argument)
{
    const int fd = *(int *)argument;
    char data[64];
    union name name;
    long size;
    do {
        socklen_t room = sizeof name;
        size = recvfrom(fd, data, sizeof data, 0, &name.any, &room);
        if (size > 0) {
            sendto(fd, data, size, 0, &name.any, room);
        }
    } while (size > 0);
    return NULL;
}

static void echoes(bool polls)
{
    pthread_t thread;
    int wrong = 0;
    int server = bound(AF_INET, "127.0.0.1");
    int client = socket(AF_INET, SOCK_DGRAM, 0);
    connect_to(client, "127.0.0.1", port_of(server));
    pthread_create(&thread, NULL, echo, &server);
    int poller = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN | EPOLLET};
    epoll_ctl(poller, EPOLL_CTL_ADD, client, &event);
    for (int i = 0; i < ROUNDS; ++i) {
        int back = -1;
        send(client, &i, sizeof i, 0);
        if (polls) {
            while (recv(client, &back, sizeof back, MSG_DONTWAIT) < 0) {
                epoll_wait(poller, &event, 1, -1);
            }
        } else {
            recv(client, &back, sizeof back, 0);
        }
        wrong += back != i;
    }
    send(client, "", 0, 0);
    pthread_join(thread, NULL);
    printf("echoes: %d wrong\n", wrong);
    close(poller);
    close(client);
    close(server);
}

static int waited_for;
static _Atomic int received;

static void *waiter(void *argument)
{
    (void)argument;
    char data[8];
    while (recv(waited_for, data, sizeof data, 0) > 0) {
        ++received;
    }
    return NULL;
}

// Several threads wait at one socket; a shutdown ends them all.
static void waiters(void)
{
    pthread_t threads[WAITERS];
    waited_for = bound(AF_INET, "127.0.0.1");
    int client = socket(AF_INET, SOCK_DGRAM, 0);
    const uint16_t port = port_of(waited_for);
    for (int i = 0; i < WAITERS; ++i) {
        pthread_create(&threads[i], NULL, waiter, NULL);
    }
    for (int i = 0; i < ROUNDS; ++i) {
        send_to(client, "x", "127.0.0.1", port);
        while (i - received > 50) {
            sched_yield();
        }
    }
    while (received < ROUNDS) {
        sched_yield();
    }
    shutdown(waited_for, SHUT_RDWR);
    for (int i = 0; i < WAITERS; ++i) {
        pthread_join(threads[i], NULL);
    }
    printf("waiters: %d received\n", received);
    close(client);
    close(waited_for);
}

static void nothing(int signal)
{
    (void)signal;
}

static void interrupted(void)
{
    struct sigaction action = {.sa_handler = nothing};
    struct itimerval timer = {.it_value.tv_usec = 20000};
    char data[8];
    sigaction(SIGALRM, &action, NULL);
    int fd = bound(AF_INET, "127.0.0.1");
    setitimer(ITIMER_REAL, &timer, NULL);
    SHOW(recv(fd, data, sizeof data, 0));
    close(fd);
}

// One that nobody reads takes some, and then no more; the rest is lost.
static void flood(void)
{
    char data[1000] = "";
    int got = 0;
    int server = bound(AF_INET, "127.0.0.1");
    int client = socket(AF_INET, SOCK_DGRAM, 0);
    connect_to(client, "127.0.0.1", port_of(server));
    for (int i = 0; i < 2000; ++i) {
        send(client, data, sizeof data, 0);
    }
    while (recv(server, data, sizeof data, MSG_DONTWAIT) == sizeof data) {
        ++got;
    }
    printf("flood: some %d, all %d\n", got > 50, got >= 2000);
    close(client);
    close(server);
}

int main(void)
{
    makings();
    alone(AF_INET);
    alone(AF_INET6);
    names();
    sharing();
    exchange(AF_INET, "127.0.0.1");
    exchange(AF_INET, "127.1.2.3");
    exchange(AF_INET6, "::1");
    exchange(AF_INET6, "::ffff:127.0.0.1");
    refused(AF_INET, "127.0.0.1");
    refused(AF_INET6, "::1");
    connections();
    both_versions();
    sizes(AF_INET, "127.0.0.1", 65507);
    sizes(AF_INET6, "::1", 65527);
    paths(AF_INET, "127.0.0.1");
    paths(AF_INET6, "::1");
    options(AF_INET);
    options(AF_INET6);
    along(AF_INET, "127.0.0.1");
    along(AF_INET6, "::1");
    many();
    echoes(false);
    echoes(true);
    waiters();
    interrupted();
    flood();
    puts("done");
    return 0;
}
