// SPDX-License-Identifier: BSD-3-Clause
// dhcp_message.c: see dhcp_message.h.
//
// An option may come in pieces, which are joined (RFC 3396), and in the fields that were made for
// names of files (RFC 2132, 9.3). So options are looked for one after the other, each in all
// places.
#include "core/net/dhcp_message.h"

#include "core/lib/errno.h"
#include "core/lib/string.h"

enum {
    ASKS = 1,
    ANSWERS = 2,
    IS_ETHERNET = 1,
    COOKIE = 0x63825363,
    OPTIONS = 240, // where they begin
    JOINED_MAX = 512,
};

enum option {
    OPTION_PAD = 0,
    OPTION_MASK = 1,
    OPTION_ROUTER = 3,
    OPTION_NAMES = 6,
    OPTION_HOST = 12,
    OPTION_DOMAIN = 15,
    OPTION_MTU = 26,
    OPTION_WANTED = 50,
    OPTION_LEASE = 51,
    OPTION_OVERLOAD = 52,
    OPTION_KIND = 53,
    OPTION_SERVER = 54,
    OPTION_ASKED = 55,
    OPTION_SIZE = 57,
    OPTION_RENEWAL = 58,
    OPTION_REBINDING = 59,
    OPTION_CLIENT = 61,
    OPTION_ROUTES = 121,
    OPTION_END = 255,
};

struct header { // RFC 2131, figure 1
    uint8_t operation, hardware_kind, hardware_size, hops;
    uint32_t number;
    uint16_t seconds, flags;
    uint8_t client[ADDRESS_V4_SIZE], yours[ADDRESS_V4_SIZE], next[ADDRESS_V4_SIZE];
    uint8_t relay[ADDRESS_V4_SIZE], hardware[16];
    uint8_t server_name[64], file[128];
    uint32_t cookie;
};

_Static_assert(sizeof(struct header) == OPTIONS, "RFC 2131, figure 1");

// ---- Writing ---------------------------------------------------------------------------

static uint8_t *option_put(uint8_t *at, enum option option, const void *data, size_t size)
{
    *at++ = (uint8_t)option;
    *at++ = (uint8_t)size;
    memcpy(at, data, size);
    return at + size;
}

static uint8_t *address_put(uint8_t *at, enum option option, const struct net_address *address)
{
    return address_is_any(address)
               ? at
               : option_put(at, option, address_v4_bytes(address), ADDRESS_V4_SIZE);
}

void dhcp_request_write(const struct dhcp_request *request, uint8_t *message)
{
    // Routes first: who gives them gives them in place of the router (RFC 3442).
    static const uint8_t asked[] = {OPTION_MASK,    OPTION_ROUTES,   OPTION_ROUTER, OPTION_NAMES,
                                    OPTION_HOST,    OPTION_DOMAIN,   OPTION_MTU,    OPTION_LEASE,
                                    OPTION_RENEWAL, OPTION_REBINDING};
    static const uint8_t size_max[] = {DHCP_MESSAGE_MAX >> 8, DHCP_MESSAGE_MAX & 255};
    const uint8_t kind = (uint8_t)request->kind;
    struct header header = {
        .operation = ASKS,
        .hardware_kind = IS_ETHERNET,
        .hardware_size = NETIF_HARDWARE_SIZE,
        .number = net_order32(request->number),
        .seconds = net_order16(request->seconds),
        .cookie = net_order32(COOKIE),
    };
    uint8_t client[1 + NETIF_HARDWARE_SIZE] = {IS_ETHERNET};
    memcpy(header.hardware, request->hardware, sizeof request->hardware);
    memcpy(header.client, address_v4_bytes(&request->own), sizeof header.client);
    memcpy(client + 1, request->hardware, sizeof request->hardware);
    memset(message, OPTION_PAD, DHCP_MESSAGE_SIZE);
    memcpy(message, &header, sizeof header);
    uint8_t *at = option_put(message + OPTIONS, OPTION_KIND, &kind, sizeof kind);
    at = option_put(at, OPTION_CLIENT, client, sizeof client);
    at = address_put(at, OPTION_WANTED, &request->wanted);
    at = address_put(at, OPTION_SERVER, &request->server);
    if (request->kind == DHCP_DISCOVER || request->kind == DHCP_REQUEST) {
        at = option_put(at, OPTION_SIZE, size_max, sizeof size_max);
        at = option_put(at, OPTION_ASKED, asked, sizeof asked);
    }
    *at = OPTION_END;
}

// ---- Reading ---------------------------------------------------------------------------

struct found { // an option, joined
    uint8_t data[JOINED_MAX];
    size_t size; // 0: there is none
};

// Adds the option's pieces in size bytes. -EINVAL: an option is longer than what there is.
static int place_search(struct found *found, enum option option, const uint8_t *bytes, size_t size)
{
    for (size_t at = 0; at < size && bytes[at] != OPTION_END;) {
        if (bytes[at] == OPTION_PAD) {
            ++at;
            continue;
        }
        const size_t length = at + 1 < size ? bytes[at + 1] : size;
        if (length > size - at - 2 || size - at < 2) {
            return -EINVAL;
        }
        if (bytes[at] == option) {
            if (length > sizeof found->data - found->size) {
                return -EINVAL;
            }
            memcpy(found->data + found->size, bytes + at + 2, length);
            found->size += length;
        }
        at += 2 + length;
    }
    return 0;
}

struct places {
    const struct header *header;
    const uint8_t *options;
    size_t size;
    unsigned overload; // 1: file has options, too; 2: server_name; 3: both
};

static int option_find(const struct places *places, enum option option, struct found *found)
{
    const struct header *header = places->header;
    found->size = 0;
    int error = place_search(found, option, places->options, places->size);
    if (error == 0 && (places->overload & 1) != 0) {
        error = place_search(found, option, header->file, sizeof header->file);
    }
    if (error == 0 && (places->overload & 2) != 0) {
        error = place_search(found, option, header->server_name, sizeof header->server_name);
    }
    return error;
}

// Of size bytes, 4 at most; 0: there is no such option, or of another size.
static uint32_t number_find(const struct places *places, enum option option, size_t size)
{
    struct found found;
    uint32_t number = 0;
    if (option_find(places, option, &found) != 0 || found.size != size) {
        return 0;
    }
    for (size_t i = 0; i < size; ++i) {
        number = number << 8 | found.data[i];
    }
    return number;
}

// At most max; how many there are.
static uint32_t addresses_find(const struct places *places, enum option option,
                               struct net_address *addresses, uint32_t max)
{
    struct found found;
    uint32_t count = 0;
    if (option_find(places, option, &found) != 0) {
        return 0;
    }
    for (size_t at = 0; found.size - at >= ADDRESS_V4_SIZE && count < max; at += ADDRESS_V4_SIZE) {
        addresses[count++] = address_of_v4(found.data + at);
    }
    return count;
}

// It goes into files that others read: what could be more than a name there is none.
static void name_find(const struct places *places, enum option option, char name[NET_NAME_SIZE])
{
    struct found found;
    name[0] = 0;
    if (option_find(places, option, &found) != 0 || found.size >= NET_NAME_SIZE) {
        return;
    }
    size_t size = found.size;
    while (size > 0 && found.data[size - 1] == 0) {
        --size;
    }
    for (size_t i = 0; i < size; ++i) {
        const uint8_t letter = found.data[i];
        const bool is_right =
            (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
            (letter >= '0' && letter <= '9') || letter == '-' || letter == '_' || letter == '.';
        if (!is_right) {
            return;
        }
    }
    memcpy(name, found.data, size);
    name[size] = 0;
}

// A mask whose ones come first, as their number; 0: it is none.
static uint8_t bits_of(uint32_t mask)
{
    const unsigned bits = mask == 0 ? 0 : (unsigned)__builtin_clz(~mask | 1);
    const bool is_mask = mask == UINT32_MAX || (bits > 0 && mask << bits == 0);
    return mask == UINT32_MAX ? 32 : is_mask ? (uint8_t)bits : 0;
}

// RFC 3442: each is its length in bits, as many bytes as that takes, and the router. -EINVAL: one
// is damaged, and none is to be believed.
static int classless_read(struct dhcp_reply *reply, const struct found *found)
{
    for (size_t at = 0; at < found->size && reply->route_count < DHCP_ROUTE_MAX;) {
        uint8_t target[ADDRESS_V4_SIZE] = {0};
        const uint8_t bits = found->data[at++];
        const size_t bytes = (bits + 7u) / 8;
        if (bits > 8 * ADDRESS_V4_SIZE || found->size - at < bytes + ADDRESS_V4_SIZE) {
            return -EINVAL;
        }
        memcpy(target, found->data + at, bytes);
        const struct net_address whole = address_of_v4(target);
        reply->routes[reply->route_count++] = (struct dhcp_route){
            .target = address_prefix(&whole, bits),
            .gateway = address_of_v4(found->data + at + bytes),
            .bits = bits,
        };
        at += bytes + ADDRESS_V4_SIZE;
    }
    return 0;
}

static void routes_find(struct dhcp_reply *reply, const struct places *places)
{
    struct found found;
    struct net_address router;
    reply->route_count = 0;
    if (option_find(places, OPTION_ROUTES, &found) == 0 && found.size > 0) {
        reply->route_count = classless_read(reply, &found) == 0 ? reply->route_count : 0;
    } else if (addresses_find(places, OPTION_ROUTER, &router, 1) == 1) {
        reply->routes[reply->route_count++] =
            (struct dhcp_route){.target = address_any(true), .gateway = router};
    }
}

static bool is_answer(const struct header *header, const uint8_t hardware[NETIF_HARDWARE_SIZE])
{
    return header->operation == ANSWERS && header->hardware_kind == IS_ETHERNET &&
           header->hardware_size == NETIF_HARDWARE_SIZE && header->cookie == net_order32(COOKIE) &&
           memcmp(header->hardware, hardware, NETIF_HARDWARE_SIZE) == 0;
}

int dhcp_reply_read(struct dhcp_reply *reply, const uint8_t hardware[NETIF_HARDWARE_SIZE],
                    const uint8_t *message, size_t size)
{
    struct header header;
    struct found found;
    if (size < sizeof header) {
        return -EINVAL;
    }
    memcpy(&header, message, sizeof header);
    struct places places = {
        .header = &header, .options = message + OPTIONS, .size = size - OPTIONS};
    if (!is_answer(&header, hardware) || option_find(&places, OPTION_KIND, &found) != 0) {
        return -EINVAL;
    }
    places.overload = number_find(&places, OPTION_OVERLOAD, 1) & 3;
    const uint32_t kind = number_find(&places, OPTION_KIND, 1);
    *reply = (struct dhcp_reply){
        .kind = (enum dhcp_kind)kind,
        .number = net_order32(header.number),
        .address = address_of_v4(header.yours),
        .server = address_any(true),
        .bits = bits_of(number_find(&places, OPTION_MASK, 4)),
        .lease_s = number_find(&places, OPTION_LEASE, 4),
        .renewal_s = number_find(&places, OPTION_RENEWAL, 4),
        .rebinding_s = number_find(&places, OPTION_REBINDING, 4),
        .mtu = (uint16_t)number_find(&places, OPTION_MTU, 2),
    };
    (void)addresses_find(&places, OPTION_SERVER, &reply->server, 1);
    reply->names.server_count =
        addresses_find(&places, OPTION_NAMES, reply->names.servers, NET_NAMES_MAX);
    routes_find(reply, &places);
    name_find(&places, OPTION_HOST, reply->names.host);
    name_find(&places, OPTION_DOMAIN, reply->names.domain);
    return kind == DHCP_OFFER || kind == DHCP_ACK || kind == DHCP_NAK ? 0 : -EINVAL;
}
