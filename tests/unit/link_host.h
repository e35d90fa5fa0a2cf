// SPDX-License-Identifier: BSD-3-Clause
// link_host.h: a link with this machine at one end, and the test at the other: what this machine
// sends is kept.
#ifndef TESTS_UNIT_LINK_HOST_H
#define TESTS_UNIT_LINK_HOST_H

#include <stddef.h>
#include <stdint.h>

#include "core/net/address.h"
#include "core/net/ethernet.h"

enum { HEARD_MAX = 64 };

extern const uint8_t here[NETIF_HARDWARE_SIZE], there[NETIF_HARDWARE_SIZE];
extern struct ethernet wire;            // this machine's interface
extern struct packet *heard[HEARD_MAX]; // frames that it has sent since link_forget
extern size_t heard_count;

void link_start(const char *address); // and the network; as --ip says it
void link_forget(void);

struct net_address address_of(const char *text);

// packet begins with an IP header, and carries data by protocol 99. Frees it.
void whole_check(struct packet *packet, const char *data, uint32_t size);

#endif
