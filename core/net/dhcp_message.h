// SPDX-License-Identifier: BSD-3-Clause
// dhcp_message.h: messages of DHCP for IPv4 (RFC 2131, 2; RFC 2132; RFC 3442), as bytes: what a
// client sends, and what it reads of a server's.
#ifndef CORE_NET_DHCP_MESSAGE_H
#define CORE_NET_DHCP_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/net/address.h"
#include "core/net/names.h"
#include "core/net/netif.h"
#include "hal/hal.h"

enum {
    DHCP_CLIENT_PORT = 68,
    DHCP_SERVER_PORT = 67,
    DHCP_MESSAGE_SIZE = 300,   // of each that a client sends, bytes: some relays drop shorter ones
    DHCP_MESSAGE_MAX = 1472,   // that it takes
    DHCP_ROUTE_MAX = 16,       // more routes are not taken
    DHCP_FOR_EVER = UINT32_MAX // seconds
};

enum dhcp_kind {
    DHCP_DISCOVER = 1,
    DHCP_OFFER,
    DHCP_REQUEST,
    DHCP_DECLINE,
    DHCP_ACK,
    DHCP_NAK,
    DHCP_RELEASE,
};

struct dhcp_request {
    enum dhcp_kind kind;
    uint32_t number; // of the exchange
    uint16_t seconds;
    uint8_t hardware[NETIF_HARDWARE_SIZE];
    // Any where the message has none of it.
    struct net_address own;    // that the client has and is reached by
    struct net_address wanted; // that it was offered
    struct net_address server; // whom it has chosen
};

// Writes the message: DHCP_MESSAGE_SIZE bytes.
void dhcp_request_write(const struct dhcp_request *request, uint8_t *message);

struct dhcp_route {
    struct net_address target, gateway; // gateway any: it is on the link
    uint8_t bits;
};

struct dhcp_reply {
    enum dhcp_kind kind; // DHCP_OFFER, DHCP_ACK or DHCP_NAK
    uint32_t number;
    struct net_address address, server;       // server any: it does not say
    uint8_t bits;                             // of the network on the link; 0: it does not say
    uint32_t lease_s, renewal_s, rebinding_s; // 0: it does not say
    uint16_t mtu;                             // 0: it does not say
    struct net_names names;                   // of letters, digits, -, _ and dots alone
    uint32_t route_count;
    struct dhcp_route routes[DHCP_ROUTE_MAX]; // all of them: routers are routes to all
};

// Reads a server's message to hardware. -EINVAL: it is none.
HAL_MUST_CHECK int dhcp_reply_read(struct dhcp_reply *reply,
                                   const uint8_t hardware[NETIF_HARDWARE_SIZE],
                                   const uint8_t *message, size_t size);

#endif
