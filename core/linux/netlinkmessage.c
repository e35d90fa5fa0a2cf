// SPDX-License-Identifier: BSD-3-Clause
// netlinkmessage.c: messages of netlink(7), read and written: see netlink.h.
#include <sys/socket.h>

#include "core/lib/string.h"
#include "core/linux/netlink.h"
#include "core/mem/heap.h"
#include "core/net/address.h"

static size_t aligned(size_t size)
{
    return (size + NETLINK_ALIGN - 1) & ~(size_t)(NETLINK_ALIGN - 1);
}

// ---- Reading -----------------------------------------------------------------------------

const void *netlink_find(const struct netlink_request *request, uint32_t skip, uint16_t type,
                         uint32_t *size)
{
    struct netlink_attribute head;
    for (size_t at = aligned(skip); at + sizeof head <= request->size;) {
        memcpy(&head, request->body + at, sizeof head);
        if (head.size < sizeof head || head.size > request->size - at) {
            return NULL;
        }
        if ((head.type & NETLINK_TYPE_MASK) == type) {
            *size = (uint32_t)(head.size - sizeof head);
            return request->body + at + sizeof head;
        }
        at += aligned(head.size);
    }
    return NULL;
}

bool netlink_number(const struct netlink_request *request, uint32_t skip, uint16_t type,
                    uint32_t *value)
{
    uint32_t size = 0;
    const void *content = netlink_find(request, skip, type, &size);
    if (content == NULL || size < sizeof *value) {
        return false;
    }
    memcpy(value, content, sizeof *value);
    return true;
}

bool netlink_address(const struct netlink_request *request, uint32_t skip, uint16_t type,
                     uint8_t family, struct net_address *address)
{
    const uint32_t wanted = family == AF_INET ? ADDRESS_V4_SIZE : ADDRESS_V6_SIZE;
    uint32_t size = 0;
    const void *bytes = netlink_find(request, skip, type, &size);
    if (bytes == NULL || size < wanted) {
        return false;
    }
    *address = family == AF_INET ? address_of_v4(bytes) : address_of_v6(bytes);
    return true;
}

uint8_t netlink_family(const struct net_address *address)
{
    return address_is_v4(address) ? AF_INET : AF_INET6;
}

// ---- Writing -----------------------------------------------------------------------------

static void *room_take(struct netlink_answer *answer, size_t size)
{
    enum { ROOM_FIRST = 2048 };
    size_t room = answer->room == 0 ? ROOM_FIRST : answer->room;
    while (room - answer->size < aligned(size)) {
        room *= 2;
    }
    char *data = answer->is_short       ? NULL
                 : room == answer->room ? answer->data
                                        : heap_realloc(answer->data, room);
    if (data == NULL) {
        answer->is_short = true;
        return NULL;
    }
    answer->data = data;
    answer->room = room;
    void *taken = memset(data + answer->size, 0, aligned(size));
    answer->size += aligned(size);
    return taken;
}

void *netlink_more(struct netlink_answer *answer, size_t size)
{
    void *taken = room_take(answer, size);
    if (taken != NULL) {
        const uint32_t whole = (uint32_t)(answer->size - answer->message);
        memcpy(answer->data + answer->message, &whole, sizeof whole);
    }
    return taken;
}

void *netlink_begin(struct netlink_answer *answer, uint16_t type, size_t size)
{
    const struct netlink_header head = {
        .type = type,
        .flags = answer->flags,
        .sequence = answer->sequence,
        .port = answer->port,
    };
    const size_t message = answer->size;
    void *taken = room_take(answer, sizeof head);
    if (taken == NULL) {
        return NULL;
    }
    answer->message = message;
    memcpy(taken, &head, sizeof head);
    return netlink_more(answer, size);
}

void netlink_put(struct netlink_answer *answer, uint16_t type, const void *content, size_t size)
{
    const struct netlink_attribute head = {(uint16_t)(sizeof head + size), type};
    char *taken = netlink_more(answer, sizeof head + size);
    if (taken != NULL) {
        memcpy(taken, &head, sizeof head);
        memcpy(taken + sizeof head, content, size);
    }
}

void netlink_put_number(struct netlink_answer *answer, uint16_t type, uint32_t value)
{
    netlink_put(answer, type, &value, sizeof value);
}

void netlink_put_byte(struct netlink_answer *answer, uint16_t type, uint8_t value)
{
    netlink_put(answer, type, &value, sizeof value);
}

void netlink_put_text(struct netlink_answer *answer, uint16_t type, const char *text)
{
    netlink_put(answer, type, text, strlen(text) + 1);
}

void netlink_put_address(struct netlink_answer *answer, uint16_t type,
                         const struct net_address *address)
{
    if (address_is_v4(address)) {
        netlink_put(answer, type, address_v4_bytes(address), ADDRESS_V4_SIZE);
    } else {
        netlink_put(answer, type, address_bytes(address), ADDRESS_V6_SIZE);
    }
}
