// SPDX-License-Identifier: BSD-3-Clause
// ethernet.h: interfaces whose link is an Ethernet (RFC 894, 2464): frames, ARP (RFC 826) and
// neighbours. Who has the device gives it what comes, and takes what is to be sent.
//
// Thread context, may block; the caller holds no lock of the network's and is in no RCU section.
#ifndef CORE_NET_ETHERNET_H
#define CORE_NET_ETHERNET_H

#include "core/net/group_link.h"
#include "core/net/neighbour.h"
#include "core/net/netif.h"
#include "core/sync/alarm.h"

struct autoconf_client;
struct dhcp_client;
struct packet;

enum { ETHERNET_HEADER = 14, ETHERNET_MTU_MIN = 68, ETHERNET_MTU_V6_MIN = 1280 };

enum ethernet_kind { ETHERNET_V4 = 0x0800, ETHERNET_ARP = 0x0806, ETHERNET_V6 = 0x86dd };

struct ethernet {
    struct netif netif;
    // Takes the frame, which begins with the Ethernet header.
    void (*transmit)(struct ethernet *ethernet, struct packet *frame);
    struct neighbours neighbours;
    struct alarm alarm;       // of what neighbours wait for
    struct mutex alarm_lock;  // held while it is set
    struct group_link group_link;
    // NULL: none. Set before anything comes, and not changed then.
    struct dhcp_client *dhcp;
    struct autoconf_client *autoconf;
};

// All-zero but for transmit and netif's name, mtu and hardware; makes its netif known. -ENOSPC.
HAL_MUST_CHECK int ethernet_start(struct ethernet *ethernet);

// A frame has come, and is taken.
void ethernet_input(struct ethernet *ethernet, struct packet *frame);

// The same in an interrupt, as net_input_direct.
bool ethernet_input_direct(struct ethernet *ethernet, struct packet *frame,
                           struct net_socket **told);

// Tells all on the link that the address is here (RFC 5227, 3).
void ethernet_announce(struct ethernet *ethernet, const struct net_address *address);

// Sends packet, of the kind, to hardware.
void ethernet_send(struct ethernet *ethernet, struct packet *packet, enum ethernet_kind kind,
                   const uint8_t hardware[NETIF_HARDWARE_SIZE]);

// Does what a step of the neighbours says.
void ethernet_step(struct ethernet *ethernet, const struct neighbour_step *step);

#endif
