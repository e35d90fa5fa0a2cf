// SPDX-License-Identifier: BSD-3-Clause
// inetethtool.c: what SIOCETHTOOL tells of interfaces: their link, what they do of the transports'
// work, and how packets are stamped.
#include <net/if.h>

#include "core/lib/errno.h"
#include "core/linux/socketinet.h"
#include "core/linux/user.h"
#include "core/net/netif.h"

enum command { // as Linux numbers them
    GET_LINK = 0x0a,
    GET_CUTS_TCP = 0x1e,
    GET_CUTS = 0x23,
    GET_JOINS = 0x2b,
    GET_STAMPS = 0x41,
};

struct value {
    uint32_t command, number;
};

struct stamps { // as struct ethtool_ts_info of Linux
    uint32_t command, kinds;
    int32_t clock;
    uint32_t send_kinds, send_unused[3], receive_kinds, receive_unused[3];
};

// A device's clock stamps nothing; packets are stamped when a socket gets them.
static int stamps_write(void *user)
{
    enum { SENT_BY_SOFTWARE = 2, RECEIVED_BY_SOFTWARE = 8, BY_SOFTWARE = 16 };
    const struct stamps stamps = {
        .command = GET_STAMPS,
        .kinds = SENT_BY_SOFTWARE | RECEIVED_BY_SOFTWARE | BY_SOFTWARE,
        .clock = -1,
    };
    return user_write(user, &stamps, sizeof stamps);
}

int interface_ethtool(const struct netif *netif, void *user)
{
    const bool is_lo = (netif->flags & NETIF_LOOPBACK) != 0;
    const bool cuts = is_lo || (netif->flags & (NETIF_SEGMENTS_V4 | NETIF_SEGMENTS_V6)) != 0;
    struct value value;
    const int error = user_read(&value.command, user, sizeof value.command);
    if (error != 0) {
        return error;
    }
    switch (value.command) {
    case GET_LINK:
        value.number = !atomic_load(&netif->is_cut);
        break;
    case GET_CUTS_TCP:
        value.number = cuts;
        break;
    case GET_CUTS: // Linux's names for longer packets than a link's, both ways
    case GET_JOINS:
        value.number = 1;
        break;
    case GET_STAMPS:
        return stamps_write(user);
    default:
        return -EOPNOTSUPP;
    }
    return user_write(user, &value, sizeof value);
}
