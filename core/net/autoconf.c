// SPDX-License-Identifier: BSD-3-Clause
// autoconf.c: see autoconf.h.
#include "core/net/autoconf.h"

#include "core/lib/errno.h"
#include "core/lib/string.h"
#include "core/lib/times.h"
#include "core/net/ethernet.h"

#define SECOND UINT64_C(1000000000)
#define FOREVER UINT64_MAX

enum { // RFC 4861, 10; RFC 4862, 5.1
    QUESTIONS_MAX = 3,
    QUESTION_SECONDS = 4,
    ASK_SECONDS = 1,
    VALID_LEAST = 7200, // seconds: who is not known to be a router cannot take more (5.5.3)
};

// ---- Messages ------------------------------------------------------------------------------

struct option_prefix { // RFC 4861, 4.6.2
    uint8_t type, units, bits, flags;
    uint32_t valid, preferred, reserved;
    uint8_t prefix[ADDRESS_V6_SIZE];
};

struct option_word { // an MTU; what begins a list of name servers, and is its lifetime there
    uint8_t type, units;
    uint16_t reserved;
    uint32_t value;
};

struct head { // RFC 4861, 4.2
    uint8_t type, code;
    uint16_t checksum;
    uint8_t hops, flags;
    uint16_t lifetime;
    uint32_t reachable, retransmit;
};

enum { OPTION_PREFIX = 3, OPTION_MTU = 5, OPTION_SERVERS = 25, OPTION_UNIT = 8 };
enum { IS_ON_LINK = 0x80, IS_FOR_ADDRESSES = 0x40, ADVERTISEMENT = 134 };

_Static_assert(sizeof(struct head) == 16 && sizeof(struct option_prefix) == 32, "RFC 4861");

static void prefix_read(struct advertisement *advertisement, const uint8_t *option, uint32_t size)
{
    struct option_prefix raw;
    if (size < sizeof raw || advertisement->prefix_count == AUTOCONF_PREFIXES_MAX) {
        return;
    }
    memcpy(&raw, option, sizeof raw);
    const struct net_address address = address_of_v6(raw.prefix);
    if (raw.bits > 8 * ADDRESS_V6_SIZE || address_is_link_local(&address) ||
        address_is_multicast(&address) || address_is_v4(&address)) {
        return;
    }
    advertisement->prefixes[advertisement->prefix_count++] = (struct autoconf_prefix){
        .address = address_prefix(&address, raw.bits),
        .bits = raw.bits,
        .is_on_link = (raw.flags & IS_ON_LINK) != 0,
        .is_for_addresses = (raw.flags & IS_FOR_ADDRESSES) != 0,
        .valid = net_order32(raw.valid),
        .preferred = net_order32(raw.preferred),
    };
}

static void servers_read(struct advertisement *advertisement, const uint8_t *option, uint32_t size)
{
    struct option_word raw;
    memcpy(&raw, option, sizeof raw);
    advertisement->server_lifetime = net_order32(raw.value);
    for (uint32_t at = sizeof raw; at + ADDRESS_V6_SIZE <= size; at += ADDRESS_V6_SIZE) {
        if (advertisement->server_count < AUTOCONF_SERVERS_MAX) {
            advertisement->servers[advertisement->server_count++] = address_of_v6(option + at);
        }
    }
}

static void option_read(struct advertisement *advertisement, const uint8_t *option, uint32_t size)
{
    struct option_word word;
    memcpy(&word, option, sizeof word);
    switch (option[0]) {
    case OPTION_PREFIX:
        prefix_read(advertisement, option, size);
        break;
    case OPTION_MTU:
        advertisement->mtu = net_order32(word.value);
        break;
    case OPTION_SERVERS:
        servers_read(advertisement, option, size);
        break;
    default:
        break;
    }
}

int advertisement_read(struct advertisement *advertisement, const struct net_address *router,
                       const uint8_t *message, uint32_t size)
{
    struct head head;
    if (size < sizeof head || !address_is_link_local(router)) {
        return -EINVAL;
    }
    memcpy(&head, message, sizeof head);
    if (head.type != ADVERTISEMENT || head.code != 0) {
        return -EINVAL;
    }
    *advertisement =
        (struct advertisement){.router = *router, .lifetime = net_order16(head.lifetime)};
    for (uint32_t at = sizeof head; at < size;) {
        const uint32_t length = at + 1 < size ? OPTION_UNIT * (uint32_t)message[at + 1] : 0;
        if (length == 0 || length > size - at) {
            return -EINVAL;
        }
        option_read(advertisement, message + at, length);
        at += length;
    }
    return 0;
}

// ---- Addresses -----------------------------------------------------------------------------

// The prefix, and the hardware's address as RFC 4291, appendix A, makes 64 bits of it.
static struct net_address address_make(const struct autoconf *autoconf,
                                       const struct net_address *prefix)
{
    const uint8_t *hardware = autoconf->hardware;
    struct net_address address = *prefix;
    const uint8_t end[] = {hardware[0] ^ 2, hardware[1], hardware[2], 0xff, 0xfe,
                           hardware[3],     hardware[4], hardware[5]};
    memcpy(&address.words[1], end, sizeof end);
    return address;
}

void autoconf_start(struct autoconf *autoconf, const uint8_t hardware[NETIF_HARDWARE_SIZE],
                    uint64_t random, hal_ns now)
{
    const struct net_address link = {{0x80fe, 0}}; // fe80::
    *autoconf = (struct autoconf){.question_at = FOREVER, .servers_until = FOREVER};
    memcpy(autoconf->hardware, hardware, sizeof autoconf->hardware);
    autoconf->addresses[0] = (struct autoconf_address){
        .address = address_make(autoconf, &link),
        .bits = AUTOCONF_BITS,
        .state = AUTOCONF_WAITING,
        .deadline = now + random % (ASK_SECONDS * SECOND),
        .until = FOREVER,
        .preferred_until = FOREVER,
    };
}

static struct autoconf_address *address_find(struct autoconf *autoconf,
                                             const struct net_address *address)
{
    for (int i = 0; i < AUTOCONF_ADDRESSES_MAX; ++i) {
        struct autoconf_address *one = &autoconf->addresses[i];
        if (one->state != AUTOCONF_FREE && address_is_equal(&one->address, address)) {
            return one;
        }
    }
    return NULL;
}

static hal_ns time_after(hal_ns now, uint32_t seconds)
{
    return seconds == UINT32_MAX ? FOREVER : now + seconds * SECOND;
}

// RFC 4862, 5.5.3, (e).
static void address_renew(struct autoconf_address *address, uint32_t valid, hal_ns now)
{
    const hal_ns until = time_after(now, valid);
    if (valid > VALID_LEAST || until > address->until) {
        address->until = until;
    } else if (address->until > now + VALID_LEAST * SECOND) {
        address->until = now + VALID_LEAST * SECOND;
    }
}

static void prefix_use(struct autoconf *autoconf, const struct autoconf_prefix *prefix, hal_ns now)
{
    if (!prefix->is_for_addresses || prefix->bits != AUTOCONF_BITS ||
        prefix->preferred > prefix->valid) {
        return;
    }
    const struct net_address address = address_make(autoconf, &prefix->address);
    struct autoconf_address *known = address_find(autoconf, &address);
    if (known != NULL) {
        address_renew(known, prefix->valid, now);
        known->preferred_until = time_after(now, prefix->preferred);
        return;
    }
    for (int i = 1; i < AUTOCONF_ADDRESSES_MAX && prefix->valid > 0; ++i) {
        if (autoconf->addresses[i].state == AUTOCONF_FREE) {
            autoconf->addresses[i] = (struct autoconf_address){
                .address = address,
                .bits = prefix->is_on_link ? AUTOCONF_BITS : 8 * ADDRESS_V6_SIZE,
                .state = AUTOCONF_WAITING,
                .deadline = now,
                .until = time_after(now, prefix->valid),
                .preferred_until = time_after(now, prefix->preferred),
            };
            return;
        }
    }
}

void autoconf_heard(struct autoconf *autoconf, const struct net_address *address)
{
    struct autoconf_address *known = address_find(autoconf, address);
    if (known != NULL && (known->state == AUTOCONF_WAITING || known->state == AUTOCONF_ASKED)) {
        known->state = AUTOCONF_TAKEN;
    }
}

// ---- Routers -------------------------------------------------------------------------------

static void router_use(struct autoconf *autoconf, const struct advertisement *said, hal_ns now)
{
    struct autoconf_router *place = NULL;
    for (int i = 0; i < AUTOCONF_ROUTERS_MAX; ++i) {
        struct autoconf_router *router = &autoconf->routers[i];
        const bool is_free = router->until == 0 && !router->is_told;
        if (!is_free && address_is_equal(&router->address, &said->router)) {
            place = router;
            break;
        }
        place = place == NULL && is_free ? router : place;
    }
    if (place != NULL) {
        place->address = said->router;
        place->until = said->lifetime == 0 ? 0 : now + said->lifetime * SECOND;
    }
}

static void servers_use(struct autoconf *autoconf, const struct advertisement *said, hal_ns now)
{
    const uint32_t count = said->server_lifetime == 0 ? 0 : said->server_count;
    if (said->server_count == 0) {
        return;
    }
    autoconf->has_news_of_servers |=
        autoconf->server_count != count ||
        memcmp(autoconf->servers, said->servers, count * sizeof said->servers[0]) != 0;
    autoconf->server_count = count;
    memcpy(autoconf->servers, said->servers, count * sizeof said->servers[0]);
    autoconf->servers_until = count == 0 ? FOREVER : time_after(now, said->server_lifetime);
}

void autoconf_advertised(struct autoconf *autoconf, const struct advertisement *advertisement,
                         hal_ns now)
{
    if (autoconf->addresses[0].state == AUTOCONF_TAKEN) { // it has no place on this link
        return;
    }
    autoconf->question_at = FOREVER;
    autoconf->questions = QUESTIONS_MAX;
    router_use(autoconf, advertisement, now);
    for (uint32_t i = 0; i < advertisement->prefix_count; ++i) {
        prefix_use(autoconf, &advertisement->prefixes[i], now);
    }
    servers_use(autoconf, advertisement, now);
    if (advertisement->mtu >= ETHERNET_MTU_V6_MIN && advertisement->mtu != autoconf->mtu) {
        autoconf->mtu = advertisement->mtu;
        autoconf->has_news_of_mtu = true;
    }
}

void autoconf_link_returned(struct autoconf *autoconf, hal_ns now)
{
    if (autoconf->addresses[0].state == AUTOCONF_OURS) { // else they are asked once it is
        autoconf->questions = 0;
        autoconf->question_at = now;
    }
}

// ---- What is due ---------------------------------------------------------------------------

static enum autoconf_act address_act(struct autoconf *autoconf, struct autoconf_address *address,
                                     hal_ns now)
{
    if (address->state != AUTOCONF_FREE && address->until <= now) {
        const bool was_ours = address->state == AUTOCONF_OURS;
        address->state = AUTOCONF_FREE;
        return was_ours ? AUTOCONF_LOSE : AUTOCONF_NOTHING;
    }
    if (address->state == AUTOCONF_WAITING && address->deadline <= now) {
        address->state = AUTOCONF_ASKED;
        address->deadline = now + ASK_SECONDS * SECOND;
        return AUTOCONF_ASK;
    }
    if (address->state == AUTOCONF_ASKED && address->deadline <= now) {
        address->state = AUTOCONF_OURS;
        if (address == &autoconf->addresses[0] && autoconf->questions == 0) {
            autoconf->question_at = now;
        }
        return AUTOCONF_TAKE;
    }
    return AUTOCONF_NOTHING;
}

static bool addresses_timeout(struct autoconf *autoconf, hal_ns now, struct autoconf_step *step)
{
    for (int i = 0; i < AUTOCONF_ADDRESSES_MAX; ++i) {
        struct autoconf_address *address = &autoconf->addresses[i];
        const enum autoconf_act act = address_act(autoconf, address, now);
        if (act != AUTOCONF_NOTHING) {
            *step = (struct autoconf_step){
                .act = act,
                .address = address->address,
                .bits = address->bits,
                .preferred_until = address->preferred_until,
                .until = address->until,
            };
            return true;
        }
    }
    return false;
}

static bool routers_timeout(struct autoconf *autoconf, hal_ns now, struct autoconf_step *step)
{
    for (int i = 0; i < AUTOCONF_ROUTERS_MAX; ++i) {
        struct autoconf_router *router = &autoconf->routers[i];
        router->until = router->until <= now ? 0 : router->until;
        const bool is_router = router->until != 0;
        if (is_router != router->is_told) {
            router->is_told = is_router;
            step->act = is_router ? AUTOCONF_ROUTE : AUTOCONF_NO_ROUTE;
            step->address = router->address;
            return true;
        }
    }
    return false;
}

void autoconf_timeout(struct autoconf *autoconf, hal_ns now, struct autoconf_step *step)
{
    *step = (struct autoconf_step){.act = AUTOCONF_NOTHING};
    if (addresses_timeout(autoconf, now, step) || routers_timeout(autoconf, now, step)) {
        return;
    }
    if (autoconf->servers_until <= now) {
        autoconf->servers_until = FOREVER;
        autoconf->server_count = 0;
        autoconf->has_news_of_servers = true;
    }
    if (autoconf->has_news_of_servers) {
        autoconf->has_news_of_servers = false;
        step->act = AUTOCONF_SERVERS;
    } else if (autoconf->has_news_of_mtu) {
        autoconf->has_news_of_mtu = false;
        step->act = AUTOCONF_MTU;
    } else if (autoconf->question_at <= now) {
        ++autoconf->questions;
        autoconf->question_at =
            autoconf->questions < QUESTIONS_MAX ? now + QUESTION_SECONDS * SECOND : FOREVER;
        step->act = AUTOCONF_SOLICIT;
        step->address = autoconf->addresses[0].address;
    }
}

hal_ns autoconf_deadline(const struct autoconf *autoconf)
{
    hal_ns first = earlier(autoconf->question_at, autoconf->servers_until);
    for (int i = 0; i < AUTOCONF_ADDRESSES_MAX; ++i) {
        const struct autoconf_address *address = &autoconf->addresses[i];
        const bool asks = address->state == AUTOCONF_WAITING || address->state == AUTOCONF_ASKED;
        if (address->state != AUTOCONF_FREE) {
            first = earlier(first, address->until);
            first = asks ? earlier(first, address->deadline) : first;
        }
    }
    for (int i = 0; i < AUTOCONF_ROUTERS_MAX; ++i) {
        const hal_ns until = autoconf->routers[i].until;
        first = until != 0 ? earlier(first, until) : first;
    }
    return first;
}
