// SPDX-License-Identifier: BSD-3-Clause
// interface.h: interfaces over the machine's network devices: eth0 and so on.
//
// Thread context, may block.
#ifndef CORE_NET_INTERFACE_H
#define CORE_NET_INTERFACE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/net/route.h"
#include "hal/hal.h"

struct ethernet;

// An address that the interface is to have; gateway any: it is not told of one.
struct interface_address {
    struct net_address address, gateway;
    uint8_t bits; // of the network on the link
};

// ADDRESS/BITS[,GATEWAY], of either version. -EINVAL: it is not that, or the gateway is not on the
// network.
HAL_MUST_CHECK int interface_address_read(struct interface_address *address, const char *text);

// The interface over the index-th network device: from now on what comes there is received.
// has_dhcp: with ethernet->dhcp and ethernet->autoconf, which are not yet started. -ENXIO: there is no such device.
// -ENODEV: its driver cannot use it; -ENOMEM.
HAL_MUST_CHECK int interface_open(size_t index, bool has_dhcp, struct ethernet **ethernet);

// An address more of own->netif, which those on its link are told of. -EEXIST: this machine has it
// already; -EMSGSIZE: its MTU is less than the version of IP asks for; -ENOSPC, -ENOMEM.
// It is taken back when own->valid_until is over.
HAL_MUST_CHECK int interface_address_add(const struct route_address *own);

// The times of one that was given so, or of another nothing. -EADDRNOTAVAIL, -ENOMEM.
HAL_MUST_CHECK int interface_address_renew(const struct route_address *own);

// Gives it the address, and, where there is a gateway, the way to all others. As
// interface_address_add.
HAL_MUST_CHECK int interface_address_set(struct ethernet *ethernet,
                                         const struct interface_address *address);

#endif
