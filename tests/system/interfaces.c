// SPDX-License-Identifier: BSD-3-Clause
// interfaces.c: what programs are told of the loopback network: by calls, by ioctl, by /proc/net;
// and names that lead there. A machine may have other interfaces, and others use the network, too.
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netpacket/packet.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "show.h"

static void address_print(const char *what, const struct sockaddr *address)
{
    char text[INET6_ADDRSTRLEN] = "";
    if (address == NULL) {
        printf("  %s none\n", what);
        return;
    }
    if (address->sa_family == AF_INET) {
        inet_ntop(AF_INET, &((const struct sockaddr_in *)address)->sin_addr, text, sizeof text);
    } else if (address->sa_family == AF_INET6) {
        inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)address)->sin6_addr, text, sizeof text);
    } else if (address->sa_family == AF_PACKET) {
        const struct sockaddr_ll *link = (const struct sockaddr_ll *)address;
        snprintf(text, sizeof text, "%d %d %d", link->sll_ifindex, link->sll_hatype,
                 link->sll_halen);
    }
    printf("  %s %d %s\n", what, address->sa_family, text);
}

static void addresses(void)
{
    struct ifaddrs *all;
    if (SHOW(getifaddrs(&all)) != 0) {
        return;
    }
    for (struct ifaddrs *one = all; one != NULL; one = one->ifa_next) {
        if (strcmp(one->ifa_name, "lo") == 0) {
            printf("lo flags %x data %d\n", one->ifa_flags, one->ifa_data != NULL);
            address_print("address", one->ifa_addr);
            address_print("mask", one->ifa_netmask);
            address_print("other", one->ifa_dstaddr);
        }
    }
    freeifaddrs(all);
    struct if_nameindex *names = if_nameindex();
    printf("first: %u %s\n", names[0].if_index, names[0].if_name);
    if_freenameindex(names);
    char name[IF_NAMESIZE] = "";
    SHOW(if_nametoindex("lo"));
    SHOW(if_nametoindex("no-such"));
    printf("  %s\n", if_indextoname(1, name));
    SHOW(if_indextoname(7777, name) == NULL ? -1 : 0);
}

static void requests(int family, int type)
{
    static const unsigned long all[] = {SIOCGIFFLAGS, SIOCGIFADDR,   SIOCGIFNETMASK, SIOCGIFMTU,
                                        SIOCGIFINDEX, SIOCGIFHWADDR, SIOCGIFMETRIC};
    int fd = socket(family, type, 0);
    for (size_t i = 0; i < sizeof all / sizeof *all; ++i) {
        struct ifreq request = {.ifr_name = "lo"};
        printf("%lx: ", all[i]);
        SHOW(ioctl(fd, all[i], &request));
        for (size_t at = IFNAMSIZ; at < IFNAMSIZ + 16; ++at) {
            const bool is_short = all[i] == SIOCGIFFLAGS && at >= IFNAMSIZ + 2;
            printf("%02x", is_short ? 0 : ((uint8_t *)&request)[at]);
        }
        putchar('\n');
        strcpy(request.ifr_name, "no-such");
        SHOW(ioctl(fd, all[i], &request));
    }
    struct ifreq request = {.ifr_ifindex = 1};
    SHOW(ioctl(fd, SIOCGIFNAME, &request));
    printf("  %s\n", request.ifr_name);
    request.ifr_ifindex = 7777;
    SHOW(ioctl(fd, SIOCGIFNAME, &request));
    struct ifreq room[1];
    struct ifconf list = {.ifc_len = sizeof room, .ifc_req = room};
    SHOW(ioctl(fd, SIOCGIFCONF, &list));
    printf("  %d %s\n", list.ifc_len, room[0].ifr_name);
    list.ifc_len = sizeof room - 1;
    SHOW(ioctl(fd, SIOCGIFCONF, &list));
    printf("  %d\n", list.ifc_len);
    SHOW(ioctl(fd, SIOCGIFFLAGS, (void *)8));
    SHOW(ioctl(fd, 0x89ee, &request));
    close(fd);
}

// ---- /proc/net ----

// The line of the socket with that inode, without what differs from machine to machine.
static void socket_line_print(const char *path, uint64_t inode)
{
    FILE *file = fopen(path, "r");
    char line[512], local[64], remote[64];
    unsigned state, uid, drops;
    unsigned long found;
    bool is_head = true;
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        if (is_head) {
            printf("%s %zu bytes: %.60s\n", path, strlen(line), line);
            is_head = false;
        } else if (sscanf(line, "%*d: %63s %63s %x %*s %*s %*s %u %*u %lu %*u %*s %u", local,
                          remote, &state, &uid, &found, &drops) == 6 &&
                   found == inode) {
            *strchr(local, ':') = *strchr(remote, ':') = 0;
            printf("  %s %s state %x, ours %d, drops %d, %d long\n", local, remote, state,
                   uid == getuid(), drops != 0, strlen(line) > 120);
        }
    }
    if (file != NULL) {
        fclose(file);
    }
}

static uint64_t inode_of(int fd)
{
    char path[64], text[64] = "";
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    (void)!readlink(path, text, sizeof text - 1);
    const char *bracket = strchr(text, '[');
    return bracket == NULL ? 0 : strtoull(bracket + 1, NULL, 10);
}

static unsigned long figure(const char *protocol, const char *name)
{
    FILE *file = fopen("/proc/net/snmp", "r");
    char names[1024], values[1024];
    unsigned long result = 0;
    while (file != NULL && fgets(names, sizeof names, file) && fgets(values, sizeof values, file)) {
        char *name_rest, *value_rest;
        char *n = strtok_r(names, " \n", &name_rest), *v = strtok_r(values, " \n", &value_rest);
        const bool is_it = n != NULL && strcmp(n, protocol) == 0;
        for (; is_it && n != NULL && v != NULL;
             n = strtok_r(NULL, " \n", &name_rest), v = strtok_r(NULL, " \n", &value_rest)) {
            result = strcmp(n, name) == 0 ? strtoul(v, NULL, 10) : result;
        }
    }
    if (file != NULL) {
        fclose(file);
    }
    return result;
}

static unsigned long long lo_bytes(void)
{
    FILE *file = fopen("/proc/net/dev", "r");
    char line[512];
    unsigned long long received = 0, sent = 0;
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        sscanf(line, " lo: %llu %*u %*u %*u %*u %*u %*u %*u %llu", &received, &sent);
    }
    if (file != NULL) {
        fclose(file);
    }
    return received == sent ? received : 0;
}

static void files(void)
{
    const char data[1000] = "";
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof name;
    int fd = socket(AF_INET, SOCK_DGRAM, 0), client = socket(AF_INET, SOCK_DGRAM, 0);
    int six = socket(AF_INET6, SOCK_DGRAM, 0);
    bind(fd, (struct sockaddr *)&name, sizeof name);
    getsockname(fd, (struct sockaddr *)&name, &size);
    bind(six, (struct sockaddr *)&(struct sockaddr_in6){.sin6_family = AF_INET6},
         sizeof(struct sockaddr_in6));
    connect(client, (struct sockaddr *)&name, sizeof name);
    const unsigned long received = figure("Udp:", "InDatagrams"),
                        sent = figure("Udp:", "OutDatagrams");
    const unsigned long full = figure("Udp:", "RcvbufErrors");
    const unsigned long long bytes = lo_bytes();
    socket_line_print("/proc/net/udp", inode_of(fd));
    socket_line_print("/proc/net/udp", inode_of(client));
    socket_line_print("/proc/net/udp6", inode_of(six));
    for (int i = 0; i < 1000; ++i) {
        send(client, data, sizeof data, 0);
    }
    char back[1000];
    while (recv(fd, back, sizeof back, MSG_DONTWAIT) > 0) {
    }
    socket_line_print("/proc/net/udp", inode_of(fd));
    printf("received %d, sent %d, full %d, bytes %d\n",
           figure("Udp:", "InDatagrams") > received + 50,
           figure("Udp:", "OutDatagrams") >= sent + 1000, figure("Udp:", "RcvbufErrors") > full,
           lo_bytes() >= bytes + 1000000);
    close(fd);
    const unsigned long refused = figure("Udp:", "NoPorts"), told = figure("Icmp:", "OutMsgs");
    send(client, "x", 1, 0);
    printf("refused %d, told %d\n", figure("Udp:", "NoPorts") > refused,
           figure("Icmp:", "OutMsgs") > told);
    close(client);
    close(six);
}

// ---- Names ----

static void resolve(const char *host, const char *service, int family, int flags)
{
    const struct addrinfo hints = {
        .ai_family = family, .ai_flags = flags, .ai_socktype = SOCK_DGRAM};
    struct addrinfo *all = NULL;
    const int error = getaddrinfo(host, service, &hints, &all);
    printf("%s %s: %d\n", host == NULL ? "-" : host, service == NULL ? "-" : service, error);
    for (struct addrinfo *one = all; one != NULL; one = one->ai_next) {
        char address[64], port[16];
        getnameinfo(one->ai_addr, one->ai_addrlen, address, sizeof address, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV);
        printf("  %d %d %d %s %s\n", one->ai_family, one->ai_socktype, one->ai_protocol, address,
               port);
    }
    if (all != NULL) {
        freeaddrinfo(all);
    }
}

int main(void)
{
    addresses();
    requests(AF_INET, SOCK_DGRAM);
    requests(AF_INET6, SOCK_DGRAM);
    requests(AF_UNIX, SOCK_STREAM);
    files();
    resolve("127.0.0.1", "80", AF_UNSPEC, 0);
    resolve("::1", "80", AF_UNSPEC, 0);
    resolve("localhost", "80", AF_INET, AI_ADDRCONFIG);
    resolve(NULL, "80", AF_UNSPEC, AI_PASSIVE);
    resolve(NULL, "80", AF_UNSPEC, 0);
    resolve("no.such.host", NULL, AF_UNSPEC, AI_NUMERICHOST);
    resolve(NULL, NULL, AF_UNSPEC, 0);
    puts("done");
    return 0;
}
