// SPDX-License-Identifier: BSD-3-Clause
// netlink.h: what sockets of netlink(7) are asked, and how answers are put together: messages one
// after the other in a block of the heap, which the socket (socketnetlink.c) cuts into datagrams.
//
// Thread context, may block.
#ifndef CORE_LINUX_NETLINK_H
#define CORE_LINUX_NETLINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/linux/netlinkwire.h"
#include "hal/hal.h"

struct net_address;
struct netif;
struct route_address;
struct route_change;

struct netlink_request { // one message, whole
    const struct netlink_header *header;
    const char *body; // what follows it
    uint32_t size;    // of that
    bool is_strict;   // NETLINK_GET_STRICT_CHK: what cannot be heeded is an error
};

struct netlink_answer {
    uint32_t port, sequence; // of all its messages
    uint16_t flags;          // the same
    bool is_dump;            // set by who answers: it ends in NLMSG_DONE, and so do errors
    bool is_short;           // there was no memory for all of it
    const char *why;         // of an error, for people; NULL: the number says it
    char *data;
    size_t size, room;
    size_t message; // where the last one begins
};

// ---- Reading -----------------------------------------------------------------------------

// The content of the attribute of that type behind the first skip bytes of the body; *size is that
// of the content. NULL: there is none.
const void *netlink_find(const struct netlink_request *request, uint32_t skip, uint16_t type,
                         uint32_t *size);

// The same of a number. False: there is none, and *value is as it was.
bool netlink_number(const struct netlink_request *request, uint32_t skip, uint16_t type,
                    uint32_t *value);

// The same of an address of that family, AF_INET or AF_INET6.
bool netlink_address(const struct netlink_request *request, uint32_t skip, uint16_t type,
                     uint8_t family, struct net_address *address);

uint8_t netlink_family(const struct net_address *address); // AF_INET, AF_INET6

// ---- Writing -----------------------------------------------------------------------------

// A message begins, or its next part; zeros of that size, which the caller fills before it writes
// more. NULL: there is no memory, as is_short says from now on.
void *netlink_begin(struct netlink_answer *answer, uint16_t type, size_t size);
void *netlink_more(struct netlink_answer *answer, size_t size);

void netlink_put(struct netlink_answer *answer, uint16_t type, const void *content, size_t size);
void netlink_put_number(struct netlink_answer *answer, uint16_t type, uint32_t value);
void netlink_put_byte(struct netlink_answer *answer, uint16_t type, uint8_t value);
void netlink_put_address(struct netlink_answer *answer, uint16_t type,
                         const struct net_address *address);
void netlink_put_text(struct netlink_answer *answer, uint16_t type, const char *text);

// ---- What is asked -----------------------------------------------------------------------

// Answers one request, which is no message of netlink's own. 0 or -errno, which the asker is told.
typedef int netlink_asked(const struct netlink_request *request, struct netlink_answer *answer);

netlink_asked netlink_route_asked;   // NETLINK_ROUTE: netlinkroute.c
netlink_asked netlink_link_asked;    // of that, links: netlinklink.c
netlink_asked netlink_address_asked; // and addresses: netlinkaddress.c
netlink_asked netlink_diag_asked;    // NETLINK_SOCK_DIAG: netlinkdiag.c
netlink_asked netlink_unix_asked;    // of that, local sockets: netlinkunix.c

// ---- What is told unasked ------------------------------------------------------------------

// The message goes to all sockets of NETLINK_ROUTE that are in the group.
void netlink_tell(uint32_t group, const struct netlink_answer *message);

void netlink_route_changed(const struct route_change *change); // as route_watch wants it
void netlink_link_changed(const struct netif *netif);          // as netif_watch does

void netlink_address_put(struct netlink_answer *answer, uint16_t type,
                         const struct route_address *own);

#endif
