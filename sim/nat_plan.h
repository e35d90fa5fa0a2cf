// SPDX-License-Identifier: BSD-3-Clause
// nat_plan.h: who has which address on the network of --net user.
#ifndef SIM_NAT_PLAN_H
#define SIM_NAT_PLAN_H

#include <netinet/in.h>
#include <stddef.h>

struct nat_plan {
    struct in_addr network, mask, gateway, names, machine; // names: the name server
    struct in6_addr prefix, gateway6, names6, machine6;    // machine6: 0 where it makes its own
    unsigned prefix_bits;
};

// 10.0.2.0/24 with the gateway .2, the name server .3 and the machine .15, and fd00::/64 with ::2
// and ::3; but the networks, addresses and gateways of the first ones given,
// ADDRESS/BITS[,GATEWAY], one of each version. What has another form is passed over: core tells of
// it. NULL, or an address on whose network there is no room for the others.
const char *nat_plan_make(struct nat_plan *plan, const char *const *addresses, size_t count);

#endif
