// SPDX-License-Identifier: BSD-3-Clause
// port.h: a port of the host that leads to one of the guest's (--publish).
#ifndef SIM_TOOL_PORT_H
#define SIM_TOOL_PORT_H

#include <stdbool.h>
#include <stdint.h>

enum { PORT_MAX = 16, PORT_ADDRESS_SIZE = 46 };

struct port {
    char address[PORT_ADDRESS_SIZE]; // the host's
    bool is_v6;
    uint16_t host, guest;
    bool is_datagrams; // UDP, otherwise TCP
};

#define PORT_FORM                                                                                  \
    "[ADDRESS:]HOST:GUEST[/tcp|/udp], with ports from 1 to 65535; an address of IPv6 in brackets"

// PORT_FORM; without ADDRESS it is 127.0.0.1. False: text is not that.
bool port_parse(struct port *port, const char *text);

#endif
