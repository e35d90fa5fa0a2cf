// SPDX-License-Identifier: BSD-3-Clause
// netfiles.h: what /proc/net says.
#ifndef CORE_LINUX_NETFILES_H
#define CORE_LINUX_NETFILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/vfs/proctext.h"
#include "hal/hal.h"

struct net_address;
struct net_end;
struct tcp;

// Registers the files with core/vfs. After vfs_init. -ENOMEM.
HAL_MUST_CHECK int netfiles_add(void);

// ---- Of the files themselves ---------------------------------------------------------

struct net_listing { // of sockets, of one family
    struct writer writer;
    bool is_v4;
    unsigned line;
};

void net_hex_put(struct writer *writer, uint32_t value, int digits);
void net_v6_put(struct writer *writer, const struct net_address *address); // its bytes
void net_end_put(struct net_listing *listing, const struct net_end *end);
// The line that begins at start is over; those of IPv4 are filled up to size.
void net_line_end(struct net_listing *listing, size_t start, size_t size);

struct net_timer { // of a connection, as Linux numbers them; 0: none runs
    unsigned kind;
    hal_ns left_ns;
};

// tcpfiles.c
struct net_timer net_timer_of(const struct tcp *tcp, hal_ns now);
HAL_MUST_CHECK int tcpfiles_add(void);
void tcp_snmp_put(struct writer *writer);

#endif
