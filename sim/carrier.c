// SPDX-License-Identifier: BSD-3-Clause
// carrier.c: see carrier.h. Only rtnetlink(7) says it of interfaces that are down, too.
#include "sim/carrier.h"

#include <linux/rtnetlink.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ANSWER_SIZE = 16384 };

static bool answer_holds(const struct nlmsghdr *answer, size_t size)
{
    if (!NLMSG_OK(answer, size) || answer->nlmsg_type != RTM_NEWLINK) {
        return false;
    }
    const struct ifinfomsg *link = NLMSG_DATA(answer);
    const struct rtattr *fact = IFLA_RTA(link);
    for (size_t left = IFLA_PAYLOAD(answer); RTA_OK(fact, left); fact = RTA_NEXT(fact, left)) {
        if (fact->rta_type == IFLA_CARRIER) {
            return *(const uint8_t *)RTA_DATA(fact) != 0;
        }
    }
    return false;
}

bool carrier_is_on(unsigned index)
{
    static _Alignas(struct nlmsghdr) char data[ANSWER_SIZE];
    const struct {
        struct nlmsghdr head;
        struct ifinfomsg link;
    } ask = {{.nlmsg_len = sizeof ask, .nlmsg_type = RTM_GETLINK, .nlmsg_flags = NLM_F_REQUEST},
             {.ifi_family = AF_UNSPEC, .ifi_index = (int)index}};
    const int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    const bool is_asked = fd >= 0 && send(fd, &ask, sizeof ask, 0) == sizeof ask;
    const ssize_t size = is_asked ? recv(fd, data, sizeof data, 0) : 0;
    close(fd);
    return size > 0 && answer_holds((const struct nlmsghdr *)(void *)data, (size_t)size);
}
