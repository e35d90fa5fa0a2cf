// SPDX-License-Identifier: BSD-3-Clause
// dhcp.h: a client of DHCP for IPv4 (RFC 2131, 4.4) as a state machine: it knows no lock, no clock
// and no packet. Who calls does what the functions answer, and after each of them calls
// dhcp_timeout until there is nothing to be done.
#ifndef CORE_NET_DHCP_H
#define CORE_NET_DHCP_H

#include <stdbool.h>
#include <stdint.h>

#include "core/net/dhcp_message.h"

enum dhcp_state {
    DHCP_SELECTING,  // asks all servers for offers
    DHCP_REQUESTING, // wants what one has offered
    DHCP_PROBING,    // has it, and asks whether somebody uses it nevertheless
    DHCP_BOUND,
    DHCP_RENEWING,   // asks its server for more time
    DHCP_REBINDING,  // asks any server for more time
    DHCP_CONFIRMING, // asks any server whether it may keep it on a link that was cut
    DHCP_WAITING,    // somebody uses the address: starts anew after a while
};

struct dhcp {
    enum dhcp_state state;
    uint8_t hardware[NETIF_HARDWARE_SIZE];
    uint64_t random;
    uint32_t number;
    unsigned tries;
    hal_ns started, sent; // the exchange; its last request
    hal_ns deadline;      // of the state
    hal_ns renewal, rebinding, end;
    struct dhcp_reply lease; // an offer, until DHCP_PROBING
};

enum dhcp_act {
    DHCP_NOTHING,
    DHCP_SEND_ALL,    // request, from request.own or nobody, to all on the link
    DHCP_SEND_SERVER, // request, from request.own to its server
    DHCP_ASK,         // on the link who has the lease's address
    DHCP_TAKE,        // the lease's address and the rest are this machine's
    DHCP_KEEP,        // the same address; the rest may be new
    DHCP_LOSE,        // the lease's address is this machine's no more
};

struct dhcp_step {
    enum dhcp_act act;
    struct dhcp_request request;
    struct dhcp_reply former; // of DHCP_KEEP: as it was before
};

// random: of this boot, and not 0.
void dhcp_start(struct dhcp *dhcp, const uint8_t hardware[NETIF_HARDWARE_SIZE], uint64_t random,
                hal_ns now);

// A server's message has come.
void dhcp_input(struct dhcp *dhcp, const struct dhcp_reply *reply, hal_ns now,
                struct dhcp_step *step);

// Somebody on the link has the address, or is about to take it.
void dhcp_heard(struct dhcp *dhcp, const struct net_address *address, hal_ns now,
                struct dhcp_step *step);

// The link was cut, and is whole again; perhaps it is another network's now (RFC 2131, 3.2
// and 3.7).
void dhcp_link_returned(struct dhcp *dhcp, hal_ns now);

// What is due: one thing at a time, until DHCP_NOTHING; then not before dhcp->deadline.
void dhcp_timeout(struct dhcp *dhcp, hal_ns now, struct dhcp_step *step);

#endif
