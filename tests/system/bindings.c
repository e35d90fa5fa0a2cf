// SPDX-License-Identifier: BSD-3-Clause
// bindings.c: sockets that are bound to an interface (SO_BINDTODEVICE, SO_BINDTOIFINDEX), and
// addresses of IPv6 that say something with one only.
#include <arpa/inet.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "show.h"

enum { LO = 1, NOWHERE = 12345 };

union name {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static socklen_t name_make(union name *name, const char *text, int port, unsigned scope)
{
    *name = (union name){.v4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)}};
    if (inet_pton(AF_INET, text, &name->v4.sin_addr) == 1) {
        return sizeof name->v4;
    }
    name->v6 = (struct sockaddr_in6){
        .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port), .sin6_scope_id = scope};
    inet_pton(AF_INET6, text, &name->v6.sin6_addr);
    return sizeof name->v6;
}

static long bind_to(int fd, const char *text, int port, unsigned scope)
{
    union name name;
    const socklen_t size = name_make(&name, text, port, scope);
    return bind(fd, &name.any, size);
}

static long connect_to(int fd, const char *text, int port, unsigned scope)
{
    union name name;
    const socklen_t size = name_make(&name, text, port, scope);
    return connect(fd, &name.any, size);
}

static long send_to(int fd, const char *text, int port, unsigned scope)
{
    union name name;
    const socklen_t size = name_make(&name, text, port, scope);
    return sendto(fd, "x", 1, 0, &name.any, size);
}

static int port_of(int fd)
{
    union name name;
    socklen_t size = sizeof name;
    getsockname(fd, &name.any, &size);
    return ntohs(name.v4.sin_port);
}

static long device_set(int fd, const char *name, socklen_t size)
{
    return setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, size);
}

static long index_set(int fd, int index)
{
    return setsockopt(fd, SOL_SOCKET, SO_BINDTOIFINDEX, &index, sizeof index);
}

static void show_device(int fd, socklen_t size)
{
    char name[64] = "unchanged";
    int index = -1;
    socklen_t index_size = sizeof index;
    const long result = getsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, &size);
    getsockopt(fd, SOL_SOCKET, SO_BINDTOIFINDEX, &index, &index_size);
    show("getsockopt", result);
    if (result == 0) {
        printf("  %u bytes: %s\n", size, name);
    }
    printf("  index %d\n", index);
}

static void options(int family, int type, int protocol)
{
    const int fd = socket(family, type, protocol);
    const uint8_t byte = LO;
    printf("-- family %d\n", family);
    show_device(fd, 16);
    show_device(fd, 1);
    SHOW(device_set(fd, "lo", 3));
    show_device(fd, 16);
    show_device(fd, 15);
    show_device(fd, 64);
    SHOW(device_set(fd, "", 1));
    SHOW(device_set(fd, "lo\0anything that is longer than a name", 30));
    SHOW(device_set(fd, "nope", 5));
    SHOW(device_set(fd, "a name that is too long", 23));
    SHOW(device_set(fd, (const char *)8, 4));
    show_device(fd, 16);
    SHOW(device_set(fd, "", 0));
    show_device(fd, 16);
    SHOW(device_set(fd, "lo", 2)); // without a zero
    SHOW(index_set(fd, -1));
    SHOW(setsockopt(fd, SOL_SOCKET, SO_BINDTOIFINDEX, &byte, sizeof byte));
    SHOW(index_set(fd, NOWHERE)); // which need not be there
    show_device(fd, 16);
    SHOW(index_set(fd, 0));
    close(fd);
}

// ---- Who gets what -------------------------------------------------------------------------

static void show_received(const char *who, int fd)
{
    char byte;
    printf("%s ", who);
    show("recv", recv(fd, &byte, 1, MSG_DONTWAIT));
}

static int datagrams_on(int index, int *port)
{
    const int fd = socket(AF_INET, SOCK_DGRAM, 0), on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    index_set(fd, index);
    SHOW(bind_to(fd, "0.0.0.0", *port, 0));
    *port = port_of(fd);
    return fd;
}

static void datagrams(void)
{
    int port = 0;
    const int sender = socket(AF_INET, SOCK_DGRAM, 0), one = datagrams_on(LO, &port);
    const int other = datagrams_on(NOWHERE, &port), any = datagrams_on(0, &port);
    puts("-- datagrams");
    SHOW(send_to(sender, "127.0.0.1", port, 0));
    show_received("lo's", one);
    show_received("nobody's", other);
    show_received("any's", any);
    SHOW(index_set(one, NOWHERE)); // though it has its port
    SHOW(send_to(sender, "127.0.0.1", port, 0));
    show_received("nobody's", one);
    show_received("any's", any);
    SHOW(index_set(one, LO));
    SHOW(send_to(one, "127.0.0.1", port, 0));
    show_received("lo's", one);
    SHOW(send_to(other, "127.0.0.1", port, 0));
    SHOW(connect_to(other, "127.0.0.1", port, 0));
    SHOW(index_set(sender, LO));
    SHOW(send_to(sender, "127.255.255.254", port, 0));
    show_received("lo's", one);
    close(sender), close(one), close(other), close(any);
}

// Who has a port where is in nobody's way elsewhere.
static void ports(int type)
{
    const int one = socket(AF_INET, type, 0), other = socket(AF_INET, type, 0);
    const int any = socket(AF_INET, type, 0);
    puts("-- ports");
    SHOW(index_set(one, LO));
    SHOW(bind_to(one, "0.0.0.0", 0, 0));
    SHOW(index_set(other, NOWHERE));
    SHOW(bind_to(other, "0.0.0.0", port_of(one), 0));
    SHOW(bind_to(any, "127.0.0.1", port_of(one), 0));
    SHOW(index_set(any, LO));
    SHOW(bind_to(any, "127.0.0.1", port_of(one), 0));
    close(one), close(other), close(any);
}

static void streams(int family, const char *home)
{
    const int listener = socket(family, SOCK_STREAM, 0), early = socket(family, SOCK_STREAM, 0);
    const int late = socket(family, SOCK_STREAM, 0), astray = socket(family, SOCK_STREAM, 0);
    const int bound = socket(family, SOCK_STREAM, 0);
    char byte;
    printf("-- streams of %d\n", family);
    SHOW(bind_to(listener, home, 0, 0));
    SHOW(listen(listener, 5));
    SHOW(index_set(listener, NOWHERE));
    SHOW(connect_to(early, home, port_of(listener), 0));
    SHOW(device_set(listener, "lo", 3));
    SHOW(connect_to(late, home, port_of(listener), 0));
    SHOW(index_set(astray, NOWHERE));
    SHOW(connect_to(astray, home, port_of(listener), 0));
    const int child = accept(listener, NULL, NULL);
    show_device(child, 16); // as who listened
    SHOW(write(late, "a", 1));
    SHOW(read(child, &byte, 1));
    SHOW(index_set(late, LO)); // in the middle of it
    SHOW(write(late, "b", 1));
    SHOW(read(child, &byte, 1));
    SHOW(write(child, "c", 1));
    SHOW(read(late, &byte, 1));
    SHOW(index_set(bound, LO));
    SHOW(connect_to(bound, home, port_of(listener), 0));
    close(child), close(bound), close(astray), close(late), close(early), close(listener);
}

// ---- Addresses that need an interface ------------------------------------------------------

static void show_name(int fd)
{
    union name name;
    socklen_t size = sizeof name;
    char text[INET6_ADDRSTRLEN];
    getsockname(fd, &name.any, &size);
    printf("  %s of %u\n", inet_ntop(AF_INET6, &name.v6.sin6_addr, text, sizeof text),
           name.v6.sin6_scope_id);
}

static int fresh(int fd, int type)
{
    close(fd);
    return socket(AF_INET6, type, 0);
}

static void scopes(int type)
{
    int fd = socket(AF_INET6, type, 0);
    printf("-- scopes, type %d\n", type);
    SHOW(bind_to(fd, "fe80::1", 0, 0));
    SHOW(bind_to(fd, "fe80::1", 0, LO));
    show_device(fd, 16);
    SHOW(bind_to(fd, "fe80::1", 0, NOWHERE)); // which is another
    fd = fresh(fd, type);
    SHOW(bind_to(fd, "::1", 0, NOWHERE)); // which does not matter
    show_name(fd);
    fd = fresh(fd, type);
    SHOW(connect_to(fd, "fe80::5", 9, 0));
    SHOW(connect_to(fd, "fe80::5", 9, NOWHERE));
    show_device(fd, 16);
    SHOW(connect_to(fd, "fe80::5", 9, LO)); // it is bound elsewhere
    fd = fresh(fd, type);
    SHOW(index_set(fd, NOWHERE));
    SHOW(bind_to(fd, "::1", 0, 0));
    SHOW(index_set(fd, LO));
    SHOW(bind_to(fd, "::1", 0, 0));
    close(fd);
}

static void groups(void)
{
    int fd = socket(AF_INET6, SOCK_DGRAM, 0);
    puts("-- groups and datagrams");
    SHOW(bind_to(fd, "ff02::1", 0, 0));
    SHOW(bind_to(fd, "ff02::1", 0, LO));
    show_name(fd);
    show_device(fd, 16);
    fd = fresh(fd, SOCK_DGRAM);
    SHOW(send_to(fd, "fe80::5", 9, NOWHERE));
    SHOW(send_to(fd, "::1", 9, NOWHERE));
    show_device(fd, 16); // as before
    SHOW(index_set(fd, LO));
    SHOW(send_to(fd, "fe80::5", 9, NOWHERE));
    close(fd);
}

static void named(const char *text)
{
    const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    char back[64] = "";
    const int error = getaddrinfo(text, "80", &hints, &found);
    printf("%s: %d", text, error);
    if (error == 0) {
        printf(", scope %u", ((struct sockaddr_in6 *)(void *)found->ai_addr)->sin6_scope_id);
        printf(", %d", getnameinfo(found->ai_addr, found->ai_addrlen, back, sizeof back, NULL, 0,
                                   NI_NUMERICHOST));
        printf(" %s", back);
        freeaddrinfo(found);
    }
    putchar('\n');
}

// A member of the group by lo, but bound to an interface.
static int member_on(int index, int *port)
{
    const struct ip_mreqn membership = {.imr_multiaddr.s_addr = htonl(0xe0000199),
                                        .imr_ifindex = LO};
    const int fd = datagrams_on(index, port);
    SHOW(setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &membership, sizeof membership));
    return fd;
}

// Who is bound elsewhere gets no copy of what comes to all members.
static void members(void)
{
    int port = 0;
    puts("-- members");
    const int one = member_on(LO, &port), other = member_on(NOWHERE, &port);
    const int any = member_on(0, &port), sender = socket(AF_INET, SOCK_DGRAM, 0);
    SHOW(index_set(sender, LO));
    SHOW(send_to(sender, "224.0.1.153", port, 0));
    show_received("lo's", one);
    show_received("nobody's", other);
    show_received("any's", any);
    close(one), close(other), close(any), close(sender);
}

// A socket that is bound stays so, unless its user may see all that comes.
static void user(void)
{
    const int fd = socket(AF_INET, SOCK_DGRAM, 0);
    puts("-- a user");
    if (setresuid(1000, 1000, 1000) == 0) {
        SHOW(device_set(fd, "lo", 3));
        SHOW(device_set(fd, "", 0));
        SHOW(index_set(fd, 0));
        show_device(fd, 16);
    }
    close(fd);
}

int main(void)
{
    options(AF_INET, SOCK_DGRAM, 0);
    options(AF_INET6, SOCK_STREAM, 0);
    options(AF_UNIX, SOCK_STREAM, 0);
    options(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
    datagrams();
    ports(SOCK_DGRAM);
    ports(SOCK_STREAM);
    streams(AF_INET, "127.0.0.1");
    streams(AF_INET6, "::1");
    scopes(SOCK_STREAM);
    scopes(SOCK_DGRAM);
    groups();
    named("fe80::5%lo");
    named("fe80::5%1");
    named("fe80::5%nope");
    members();
    user();
    puts("done");
    return 0;
}
