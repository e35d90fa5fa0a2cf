// SPDX-License-Identifier: BSD-3-Clause
// address_text.h: addresses as people write them (RFC 4291, 2.2): 10.0.2.15, fe80::1.
#ifndef CORE_NET_ADDRESS_TEXT_H
#define CORE_NET_ADDRESS_TEXT_H

#include "core/net/address.h"
#include "hal/hal.h"

enum { ADDRESS_TEXT_SIZE = 40 };

// Those of IPv6 with all of their zeros.
void address_write(const struct net_address *address, char text[ADDRESS_TEXT_SIZE]);

// Reads an address from *text on, which is behind it then. -EINVAL: there is none.
HAL_MUST_CHECK int address_read(struct net_address *address, const char **text);

// The same, and "/BITS".
HAL_MUST_CHECK int address_network_read(struct net_address *address, uint8_t *bits,
                                        const char **text);

#endif
