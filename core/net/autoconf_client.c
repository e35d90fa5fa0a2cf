// SPDX-License-Identifier: BSD-3-Clause
// autoconf_client.c: see autoconf_client.h.
#include "core/net/autoconf_client.h"

#include "core/dev/packet.h"
#include "core/lib/errno.h"
#include "core/lib/list.h"
#include "core/mem/heap.h"
#include "core/net/autoconf.h"
#include "core/net/counts.h"
#include "core/net/ethernet.h"
#include "core/net/group_link.h"
#include "core/net/ip.h"
#include "core/net/names.h"
#include "core/net/nd.h"
#include "core/net/route.h"
#include "core/sync/alarm.h"

enum { METRIC = 1024 }; // of a way that a router has offered, as Linux has it

struct autoconf_client {
    struct ethernet *ethernet;
    struct alarm alarm;
    struct mutex lock; // guards what follows; held also while it is done what autoconf says
    struct autoconf autoconf;
};

// ---- What routers have offered -------------------------------------------------------------

// The address that packets to others come from: one that is good beyond the link, if there is one.
static bool source_find(const struct autoconf_client *client, struct net_address *source)
{
    const struct autoconf_address *own = client->autoconf.addresses;
    for (int i = AUTOCONF_ADDRESSES_MAX; i-- > 0;) {
        if (own[i].state == AUTOCONF_OURS) {
            *source = own[i].address;
            return true;
        }
    }
    return false;
}

static struct route_entry entry_of(const struct autoconf_client *client,
                                   const struct net_address *router)
{
    return (struct route_entry){
        .target = address_any(false),
        .netif = &client->ethernet->netif,
        .gateway = *router,
        .origin = ROUTE_ORIGIN_ROUTER,
        .metric = METRIC,
    };
}

// What does not fit is as if the router had not told of it: others go on.
static void route_set(struct autoconf_client *client, const struct net_address *router)
{
    struct route_entry entry = entry_of(client, router);
    if (source_find(client, &entry.source) && route_add(&entry) != 0) {
        net_count(NET_NO_MEMORY);
    }
}

static void route_end(struct autoconf_client *client, const struct net_address *router)
{
    const struct route_entry entry = entry_of(client, router);
    const int error = route_remove(&entry);
    (void)error; // it did not fit, then
}

// The source may be another.
static void routes_renew(struct autoconf_client *client)
{
    for (int i = 0; i < AUTOCONF_ROUTERS_MAX; ++i) {
        const struct autoconf_router *router = &client->autoconf.routers[i];
        if (router->is_told) {
            route_set(client, &router->address);
        }
    }
}

static void address_take(struct autoconf_client *client, const struct autoconf_step *step)
{
    const struct route_address own = {
        .address = step->address,
        .bits = step->bits,
        .netif = &client->ethernet->netif,
        .preferred_until = step->preferred_until,
        .valid_until = step->until,
    };
    if (route_address_add(&own) != 0) {
        net_count(NET_NO_MEMORY);
        return;
    }
    routes_renew(client);
}

static void times_renew(struct autoconf_client *client)
{
    for (int i = 0; i < AUTOCONF_ADDRESSES_MAX; ++i) {
        const struct autoconf_address *one = &client->autoconf.addresses[i];
        const struct route_address own = {
            .address = one->address,
            .preferred_until = one->preferred_until,
            .valid_until = one->until,
        };
        const int error = one->state == AUTOCONF_OURS ? route_address_renew(&own) : 0;
        (void)error; // it did not fit, then
    }
}

static void address_lose(struct autoconf_client *client, const struct net_address *address)
{
    const int error = route_address_remove(address);
    (void)error; // it did not fit, then
    nd_group_leave(client->ethernet, address);
    routes_renew(client);
}

static void servers_set(const struct autoconf *autoconf)
{
    net_names_offer(autoconf->servers, autoconf->server_count);
}

static void mtu_set(struct autoconf_client *client)
{
    struct netif *netif = &client->ethernet->netif;
    if (client->autoconf.mtu < netif->mtu) {
        netif->mtu = client->autoconf.mtu;
        netif_changed(netif);
    }
}

// ---- Running -------------------------------------------------------------------------------

static void address_ask(struct autoconf_client *client, const struct net_address *address)
{
    const int error = nd_group_join(client->ethernet, address);
    (void)error; // then switches that keep groups apart may keep answers from us
    nd_probe(client->ethernet, address);
}

static void step_do(struct autoconf_client *client, const struct autoconf_step *step)
{
    switch (step->act) {
    case AUTOCONF_NOTHING:
        break;
    case AUTOCONF_ASK:
        address_ask(client, &step->address);
        break;
    case AUTOCONF_TAKE:
        address_take(client, step);
        break;
    case AUTOCONF_LOSE:
        address_lose(client, &step->address);
        break;
    case AUTOCONF_SOLICIT:
        nd_solicit(client->ethernet, &step->address);
        break;
    case AUTOCONF_ROUTE:
        route_set(client, &step->address);
        break;
    case AUTOCONF_NO_ROUTE:
        route_end(client, &step->address);
        break;
    case AUTOCONF_SERVERS:
        servers_set(&client->autoconf);
        break;
    case AUTOCONF_MTU:
        mtu_set(client);
        break;
    }
}

// With lock held: all that is due.
static void client_run(struct autoconf_client *client)
{
    struct autoconf_step step;
    do {
        autoconf_timeout(&client->autoconf, hal_clock_ns(), &step);
        step_do(client, &step);
    } while (step.act != AUTOCONF_NOTHING);
    const int error = alarm_set(&client->alarm, autoconf_deadline(&client->autoconf));
    (void)error; // the interface has an alarm, too: its thread is there
}

static void alarm_ring(struct alarm *alarm)
{
    autoconf_client_start(container_of(alarm, struct autoconf_client, alarm));
}

void autoconf_client_start(struct autoconf_client *client)
{
    mutex_lock(&client->lock);
    client_run(client);
    mutex_unlock(&client->lock);
}

void autoconf_client_link_returned(struct autoconf_client *client)
{
    mutex_lock(&client->lock);
    autoconf_link_returned(&client->autoconf, hal_clock_ns());
    client_run(client);
    mutex_unlock(&client->lock);
}

bool autoconf_client_input(struct autoconf_client *client, const struct packet *packet,
                           const struct ip_header *header)
{
    struct advertisement advertisement;
    const uint8_t *message = (const uint8_t *)packet->data + header->transport;
    if (advertisement_read(&advertisement, &header->source, message, header->size) != 0) {
        return false;
    }
    mutex_lock(&client->lock);
    autoconf_advertised(&client->autoconf, &advertisement, hal_clock_ns());
    times_renew(client);
    client_run(client);
    mutex_unlock(&client->lock);
    return true;
}

void autoconf_client_heard(struct autoconf_client *client, const struct net_address *address)
{
    mutex_lock(&client->lock);
    autoconf_heard(&client->autoconf, address);
    mutex_unlock(&client->lock);
}

int autoconf_client_make(struct ethernet *ethernet)
{
    struct autoconf_client *client = heap_alloc_zeroed(sizeof *client);
    uint64_t random;
    if (client == NULL) {
        return -ENOMEM;
    }
    client->ethernet = ethernet;
    client->alarm.ring = alarm_ring;
    hal_entropy(&random, sizeof random);
    autoconf_start(&client->autoconf, ethernet->netif.hardware, random, hal_clock_ns());
    ethernet->autoconf = client;
    return 0;
}
