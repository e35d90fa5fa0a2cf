// SPDX-License-Identifier: BSD-3-Clause
// netchanges.c: addresses and routes that a program changes by netlink(7), and what sockets in
// groups are told of it. On lo, which all machines have.
#include <arpa/inet.h>
#include <stdbool.h>
#include <sys/fsuid.h>
#include <sys/socket.h>
#include <unistd.h>

#include "requests.h"
#include "show.h"

static char answer[65536];
static int asking, hearing;

static void event_print(const struct nlmsghdr *message, const struct sockaddr_nl *from)
{
    const bool is_address = message->nlmsg_type < RTM_NEWROUTE;
    const size_t start = is_address ? sizeof(struct ifaddrmsg) : sizeof(struct rtmsg);
    struct rtattr *at = (struct rtattr *)((char *)NLMSG_DATA(message) + start);
    int left = (int)(message->nlmsg_len - NLMSG_LENGTH(start));
    printf("  told: type %d, group %x, bits %d", message->nlmsg_type, from->nl_groups,
           ((uint8_t *)NLMSG_DATA(message))[1]);
    for (; RTA_OK(at, left); at = RTA_NEXT(at, left)) {
        char text[64] = "";
        if (at->rta_type == RTA_DST || (!is_address && at->rta_type == RTA_GATEWAY)) {
            inet_ntop(RTA_PAYLOAD(at) == 4 ? AF_INET : AF_INET6, RTA_DATA(at), text, sizeof text);
            printf(" %s", text);
        }
    }
    putchar('\n');
}

static void heard_print(void)
{
    struct sockaddr_nl from;
    socklen_t size = sizeof from;
    ssize_t got;
    while ((got = recvfrom(hearing, answer, sizeof answer, MSG_DONTWAIT, (struct sockaddr *)&from,
                           &size)) > 0) {
        event_print((struct nlmsghdr *)answer, &from);
    }
}

static void ask(const char *what, const struct request *request)
{
    const struct nlmsghdr *message = (struct nlmsghdr *)answer;
    send(asking, request, request->head.nlmsg_len, 0);
    const ssize_t got = recv(asking, answer, sizeof answer, 0);
    const int error = got > 0 ? ((struct nlmsgerr *)NLMSG_DATA(message))->error : 1;
    printf("%s: %s\n", what, error == 0 ? "0" : strerrorname_np(-error));
    heard_print();
}

static void address(unsigned type, const char *text, unsigned char bits)
{
    char bytes[16];
    const bool is_v4 = strchr(text, '.') != NULL;
    const unsigned flags = type == RTM_NEWADDR ? NLM_F_CREATE | NLM_F_EXCL : 0;
    struct request request = request_of(type, NLM_F_ACK | flags, sizeof request.address);
    inet_pton(is_v4 ? AF_INET : AF_INET6, text, bytes);
    request.address = (struct ifaddrmsg){
        .ifa_family = is_v4 ? AF_INET : AF_INET6, .ifa_prefixlen = bits, .ifa_index = LO};
    attribute_add(&request, IFA_LOCAL, bytes, is_v4 ? 4 : 16);
    ask(text, &request);
}

static void times_print(const struct nlmsghdr *message)
{
    const struct ifaddrmsg *head = NLMSG_DATA(message);
    const struct rtattr *at = IFA_RTA(head);
    int left = (int)IFA_PAYLOAD(message);
    for (; RTA_OK(at, left); at = RTA_NEXT(at, left)) {
        if (at->rta_type == IFA_CACHEINFO) {
            const struct ifa_cacheinfo *times = RTA_DATA(at);
            printf("  flags %x, preferred %u0 s, valid %u0 s\n",
                   head->ifa_flags & (IFA_F_PERMANENT | IFA_F_DEPRECATED),
                   (times->ifa_prefered + 5) / 10, (times->ifa_valid + 5) / 10);
        }
    }
}

// Of all addresses with so many bits.
static void times_show(unsigned char bits)
{
    struct request request = request_of(RTM_GETADDR, NLM_F_DUMP, sizeof request.address);
    send(asking, &request, request.head.nlmsg_len, 0);
    for (bool is_over = false; !is_over;) {
        int left = (int)recv(asking, answer, sizeof answer, 0);
        const struct nlmsghdr *message = (struct nlmsghdr *)answer;
        for (; left > 0 && NLMSG_OK(message, (unsigned)left); message = NLMSG_NEXT(message, left)) {
            is_over = message->nlmsg_type == NLMSG_DONE;
            if (!is_over && ((uint8_t *)NLMSG_DATA(message))[1] == bits) {
                times_print(message);
            }
        }
    }
}

static void address_for(unsigned flags, const char *text, unsigned preferred, unsigned valid)
{
    enum { BITS = 28 };
    char bytes[16];
    const bool is_v4 = strchr(text, '.') != NULL;
    const struct ifa_cacheinfo times = {preferred, valid, 0, 0};
    struct request request = request_of(RTM_NEWADDR, NLM_F_ACK | flags, sizeof request.address);
    inet_pton(is_v4 ? AF_INET : AF_INET6, text, bytes);
    request.address = (struct ifaddrmsg){
        .ifa_family = is_v4 ? AF_INET : AF_INET6, .ifa_prefixlen = BITS, .ifa_index = LO};
    attribute_add(&request, IFA_LOCAL, bytes, is_v4 ? 4 : 16);
    attribute_add(&request, IFA_CACHEINFO, &times, sizeof times);
    ask(text, &request);
    times_show(BITS);
}

static void lifetimes(const char *text)
{
    const unsigned new = NLM_F_CREATE | NLM_F_EXCL, old = NLM_F_REPLACE;
    puts("-- lifetimes");
    address_for(new, text, 500, 0);
    address_for(new, text, 501, 500);
    address_for(new, text, UINT32_MAX, 500);
    address_for(new, text, 500, 1000);
    address_for(new, text, 500, 1000);
    address_for(old, text, 0, 2000);
    address_for(old, text, 3000, UINT32_MAX);
    address_for(old, text, 0, UINT32_MAX);
    address_for(old, text, UINT32_MAX, UINT32_MAX);
    address(RTM_DELADDR, text, 28);
}

static void route(unsigned type, unsigned flags, const char *text, unsigned char bits,
                  const char *gateway)
{
    char bytes[4];
    struct request request = request_of(type, NLM_F_ACK | flags, sizeof request.route);
    request.route = (struct rtmsg){.rtm_family = AF_INET,
                                   .rtm_dst_len = bits,
                                   .rtm_table = RT_TABLE_MAIN,
                                   .rtm_protocol = RTPROT_BOOT,
                                   .rtm_type = type == RTM_NEWROUTE ? RTN_UNICAST : 0};
    inet_pton(AF_INET, text, bytes);
    attribute_add(&request, RTA_DST, bytes, sizeof bytes);
    if (gateway != NULL) {
        inet_pton(AF_INET, gateway, bytes);
        attribute_add(&request, RTA_GATEWAY, bytes, sizeof bytes);
    }
    ask(text, &request);
}

static void source_print(const char *text)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(9)};
    socklen_t size = sizeof name;
    const int fd = socket(AF_INET, SOCK_DGRAM, 0);
    inet_pton(AF_INET, text, &name.sin_addr);
    SHOW(connect(fd, (struct sockaddr *)&name, sizeof name));
    getsockname(fd, (struct sockaddr *)&name, &size);
    printf("  %s\n", inet_ntoa(name.sin_addr));
    close(fd);
}

// That is a matter of capabilities, which setfsuid leaves.
static void small_port(void)
{
    const struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(77)};
    const int fd = socket(AF_INET, SOCK_DGRAM, 0);
    SHOW(bind(fd, (const struct sockaddr *)&name, sizeof name));
    close(fd);
}

int main(void)
{
    const unsigned groups =
        RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE;
    const struct sockaddr_nl name = {.nl_family = AF_NETLINK, .nl_groups = groups};
    asking = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
    hearing = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
    bind(hearing, (const struct sockaddr *)&name, sizeof name);
    address(RTM_NEWADDR, "10.9.0.1", 24);
    address(RTM_NEWADDR, "10.9.0.1", 24);
    address(RTM_NEWADDR, "10.9.0.2", 24);
    address(RTM_NEWADDR, "10.9.0.3", 33);
    address(RTM_NEWADDR, "fd09::1", 64);
    source_print("10.9.0.1");
    route(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, "10.8.0.0", 16, "10.9.0.7");
    route(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, "10.8.0.0", 16, "10.9.0.8");
    route(RTM_NEWROUTE, NLM_F_REPLACE, "10.8.0.0", 16, "10.9.0.8");
    route(RTM_NEWROUTE, 0, "10.7.0.0", 16, "10.9.0.8");
    route(RTM_NEWROUTE, NLM_F_CREATE, "10.8.0.1", 16, "10.9.0.8");
    route(RTM_NEWROUTE, NLM_F_CREATE, "10.7.0.0", 16, "11.0.0.1");
    source_print("10.8.1.1");
    route(RTM_DELROUTE, 0, "10.8.0.0", 16, "10.9.0.7");
    route(RTM_DELROUTE, 0, "10.8.0.0", 16, NULL);
    route(RTM_DELROUTE, 0, "10.8.0.0", 16, NULL);
    address(RTM_DELADDR, "10.9.0.1", 24);
    address(RTM_DELADDR, "10.9.0.1", 24);
    address(RTM_DELADDR, "10.9.0.2", 24);
    address(RTM_DELADDR, "fd09::1", 64);
    source_print("10.9.0.1");
    lifetimes("10.9.1.1");
    lifetimes("fd0a::1");
    setfsuid(1000);
    small_port();
    if (setresuid(1000, 1000, 1000) == 0) {
        address(RTM_NEWADDR, "10.9.0.1", 24);
        small_port();
    }
    puts("done");
    return 0;
}
