// SPDX-License-Identifier: BSD-3-Clause
// requests.h: what is asked by sockets of netlink(7): requests with attributes.
#ifndef TESTS_SYSTEM_REQUESTS_H
#define TESTS_SYSTEM_REQUESTS_H

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdint.h>
#include <string.h>

enum { LO = 1 };

struct request {
    struct nlmsghdr head;
    union {
        struct ifinfomsg link;
        struct ifaddrmsg address;
        struct rtmsg route;
        char bytes[256];
    };
};

static unsigned sequence;

static inline struct request request_of(unsigned type, unsigned flags, size_t size)
{
    struct request request = {.head = {.nlmsg_len = NLMSG_LENGTH(size),
                                       .nlmsg_type = (uint16_t)type,
                                       .nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags),
                                       .nlmsg_seq = ++sequence}};
    return request;
}

static inline void attribute_add(struct request *request, unsigned short type, const void *data,
                                 unsigned short size)
{
    struct rtattr *attribute =
        (struct rtattr *)((char *)request + NLMSG_ALIGN(request->head.nlmsg_len));
    attribute->rta_type = type;
    attribute->rta_len = RTA_LENGTH(size);
    memcpy(RTA_DATA(attribute), data, size);
    request->head.nlmsg_len = NLMSG_ALIGN(request->head.nlmsg_len) + RTA_ALIGN(attribute->rta_len);
}

#endif
