// SPDX-License-Identifier: BSD-3-Clause
// nat.h: a network of one machine whose way out is this process's own sockets: no privilege is
// needed. There are a gateway, which is the host and answers by its loopback addresses, a server of
// DHCP and of router advertisements, and a name server, which asks the host's.
#ifndef SIM_NAT_H
#define SIM_NAT_H

#include <stddef.h>

struct port;

struct nat_options {
    const char *const *addresses; // of --ip
    size_t address_count;
    const struct port *ports;
    size_t port_count;
    unsigned mtu;
};

// Starts it on a thread of its own, and answers the socket that is its wire: a frame at a time,
// with a virtio header of header_size bytes, all zero, before it. Ends the process where it cannot
// be had.
int nat_start(const struct nat_options *options, size_t header_size);

#endif
