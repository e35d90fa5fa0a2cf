// SPDX-License-Identifier: BSD-3-Clause
// devices.c: sockets that are bound to an interface, on a machine that has one beside lo.
//
//   devices NAME V4 V6 LINK   NAME has these addresses; LINK is good on its link alone
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char *device;

static long show(const char *what, long result)
{
    printf("  %s: %s\n", what, result >= 0 ? "done" : strerrorname_np(errno));
    return result;
}

static const char *index_name(unsigned index)
{
    return index == 0 ? "none" : index == if_nametoindex(device) ? "the device" : "another";
}

// The text may end in %NAME.
static socklen_t address_of(struct sockaddr_storage *address, const char *text)
{
    const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found;
    if (getaddrinfo(text, NULL, &hints, &found) != 0) {
        printf("no address: %s\n", text);
        exit(1);
    }
    const socklen_t size = found->ai_addrlen;
    memcpy(address, found->ai_addr, size);
    freeaddrinfo(found);
    return size;
}

static unsigned scope_of(const struct sockaddr_storage *address)
{
    return address->ss_family == AF_INET6
               ? ((const struct sockaddr_in6 *)(const void *)address)->sin6_scope_id
               : 0;
}

static int bound_to(int family, int type, int protocol, const char *name)
{
    const int fd = socket(family, type, protocol);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, (socklen_t)strlen(name)) != 0) {
        printf("SO_BINDTODEVICE %s: %s\n", name, strerror(errno));
        exit(1);
    }
    return fd;
}

static unsigned index_of(int fd)
{
    int index = -1;
    socklen_t size = sizeof index;
    getsockopt(fd, SOL_SOCKET, SO_BINDTOIFINDEX, &index, &size);
    return (unsigned)index;
}

// A connection within this machine, to who listens on the interface of that name; "": on any.
static void stream(const char *text, const char *listener_name, const char *client_name)
{
    struct sockaddr_storage address, peer;
    socklen_t size = address_of(&address, text), peer_size = sizeof peer;
    const int listener = bound_to(address.ss_family, SOCK_STREAM, 0, listener_name);
    const int client = bound_to(address.ss_family, SOCK_STREAM, 0, client_name);
    if (show("bind", bind(listener, (struct sockaddr *)&address, size)) == 0 &&
        listen(listener, 1) == 0 &&
        getsockname(listener, (struct sockaddr *)&address, &size) == 0 &&
        show("connect", connect(client, (struct sockaddr *)&address, size)) == 0) {
        const int child = accept(listener, (struct sockaddr *)&peer, &peer_size);
        printf("  child on %s, scope %s, client on %s\n", index_name(index_of(child)),
               index_name(scope_of(&peer)), index_name(index_of(client)));
        close(child);
    }
    close(client);
    close(listener);
}

static void datagram_print(int fd)
{
    _Alignas(8) char room[128];
    struct sockaddr_storage from = {.ss_family = 0};
    char byte;
    struct iovec vector = {&byte, 1};
    struct msghdr message = {.msg_name = &from,
                             .msg_namelen = sizeof from,
                             .msg_iov = &vector,
                             .msg_iovlen = 1,
                             .msg_control = room,
                             .msg_controllen = sizeof room};
    if (show("recvmsg", recvmsg(fd, &message, MSG_DONTWAIT)) != 1) {
        return;
    }
    unsigned index = 0;
    const struct cmsghdr *head = CMSG_FIRSTHDR(&message);
    if (head != NULL && head->cmsg_level == IPPROTO_IP) {
        index = (unsigned)((const struct in_pktinfo *)(const void *)CMSG_DATA(head))->ipi_ifindex;
    } else if (head != NULL) {
        index = ((const struct in6_pktinfo *)(const void *)CMSG_DATA(head))->ipi6_ifindex;
    }
    printf("  by %s, scope %s\n", index_name(index), index_name(scope_of(&from)));
}

static void datagrams(const char *text)
{
    struct sockaddr_storage address;
    socklen_t size = address_of(&address, text);
    const bool is_v4 = address.ss_family == AF_INET;
    const int on = 1, plain = socket(address.ss_family, SOCK_DGRAM, 0);
    const int own = bound_to(address.ss_family, SOCK_DGRAM, 0, device);
    const int other = bound_to(address.ss_family, SOCK_DGRAM, 0, "lo");
    setsockopt(own, is_v4 ? IPPROTO_IP : IPPROTO_IPV6, is_v4 ? IP_PKTINFO : IPV6_RECVPKTINFO, &on,
               sizeof on);
    show("bind", bind(own, (struct sockaddr *)&address, size));
    getsockname(own, (struct sockaddr *)&address, &size);
    printf("  own scope %s\n", index_name(scope_of(&address)));
    show("sendto", sendto(plain, "x", 1, 0, (struct sockaddr *)&address, size));
    datagram_print(own);
    if (!is_v4) { // by lo nothing leads there
        show("connect by lo", connect(other, (struct sockaddr *)&address, size));
    }
    close(plain), close(own), close(other);
}

// What answers an echo that this machine sends to itself goes to who is on its interface.
static void echoes(const char *text)
{
    struct sockaddr_storage address;
    const socklen_t size = address_of(&address, text);
    const struct icmphdr echo = {.type = ICMP_ECHO, .checksum = 0xfff7}; // of zeros, but for the 8
    const int own = bound_to(AF_INET, SOCK_RAW, IPPROTO_ICMP, device);
    const int other = bound_to(AF_INET, SOCK_RAW, IPPROTO_ICMP, "lo");
    const int any = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
    char data[128];
    puts("echoes");
    show("sendto", sendto(any, &echo, sizeof echo, 0, (const struct sockaddr *)&address, size));
    show("any", recv(any, data, sizeof data, 0));
    show("its own", recv(own, data, sizeof data, MSG_DONTWAIT));
    show("lo's", recv(other, data, sizeof data, MSG_DONTWAIT));
    close(own), close(other), close(any);
}

int main(int argc, char **argv)
{
    char link[64];
    if (argc != 5) {
        return 2;
    }
    device = argv[1];
    snprintf(link, sizeof link, "%s%%%s", argv[4], device);
    const char *const all[] = {argv[2], argv[3], link};
    for (int i = 0; i < 3; ++i) {
        printf("address %d\n", i);
        stream(all[i], "", "");
        stream(all[i], device, "");
        stream(all[i], "", device);
        stream(all[i], device, device);
        stream(all[i], "lo", "");
    }
    for (int i = 0; i < 3; ++i) {
        printf("datagrams to %d\n", i);
        datagrams(all[i]);
    }
    echoes(argv[2]);
    return 0;
}
