// SPDX-License-Identifier: BSD-3-Clause
// port.c: see port.h.
#include "sim/tool/port.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_SIZE = 80 }; // longer than any that is right

// Cuts the last number off text, which has a colon before it unless it is the first. 0: there is
// none.
static uint16_t number_cut(char *text)
{
    char *colon = strrchr(text, ':'), *end;
    const char *digits = colon == NULL ? text : colon + 1;
    const unsigned long number = strtoul(digits, &end, 10);
    const bool is_number = digits[0] >= '0' && digits[0] <= '9' && *end == 0;
    *(colon == NULL ? text : colon) = 0;
    return is_number && number <= UINT16_MAX ? (uint16_t)number : 0;
}

// One of IPv6 stands in brackets.
static bool address_parse(struct port *port, const char *name)
{
    struct in6_addr bytes;
    const size_t size = strlen(name);
    port->is_v6 = size > 2 && name[0] == '[' && name[size - 1] == ']';
    const size_t skipped = port->is_v6 ? 1 : 0;
    if (size - 2 * skipped >= sizeof port->address) {
        return false;
    }
    (void)snprintf(port->address, sizeof port->address, "%.*s", (int)(size - 2 * skipped),
                   name + skipped);
    return inet_pton(port->is_v6 ? AF_INET6 : AF_INET, port->address, &bytes) == 1;
}

bool port_parse(struct port *port, const char *text)
{
    char rest[TEXT_SIZE];
    if (strlen(text) >= sizeof rest) {
        return false;
    }
    strcpy(rest, text);
    char *slash = strrchr(rest, '/');
    const char *protocol = slash == NULL ? "tcp" : slash + 1;
    port->is_datagrams = strcmp(protocol, "udp") == 0;
    const bool is_protocol = port->is_datagrams || strcmp(protocol, "tcp") == 0;
    if (slash != NULL) {
        *slash = 0;
    }
    port->guest = number_cut(rest);
    port->host = number_cut(rest);
    return is_protocol && port->guest != 0 && port->host != 0 &&
           address_parse(port, rest[0] == 0 ? "127.0.0.1" : rest);
}
