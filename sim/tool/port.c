// SPDX-License-Identifier: BSD-3-Clause
// port.c: see port.h.
#include "sim/tool/port.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_SIZE = 64 }; // longer than any that is right

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

bool port_parse(struct port *port, const char *text)
{
    char rest[TEXT_SIZE];
    struct in_addr address;
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
    const char *name = rest[0] == 0 ? "127.0.0.1" : rest;
    (void)snprintf(port->address, sizeof port->address, "%.*s", PORT_ADDRESS_SIZE - 1, name);
    return is_protocol && port->guest != 0 && port->host != 0 &&
           strlen(name) < sizeof port->address && inet_pton(AF_INET, name, &address) == 1;
}
