// SPDX-License-Identifier: BSD-3-Clause
// dhcp_client.c: see dhcp_client.h.
//
// A client's messages come from nobody before it has an address, and a server's answers go to an
// address that is not yet ours: so they do not pass through sockets, but are taken at the link.
#include "core/net/dhcp_client.h"

#include "core/dev/packet.h"
#include "core/lib/errno.h"
#include "core/lib/list.h"
#include "core/lib/string.h"
#include "core/mem/heap.h"
#include "core/net/arp.h"
#include "core/net/checksum.h"
#include "core/net/counts.h"
#include "core/net/dhcp.h"
#include "core/net/ethernet.h"
#include "core/net/ip.h"
#include "core/net/names.h"
#include "core/net/output.h"
#include "core/net/route.h"
#include "core/net/udp.h"
#include "core/sync/alarm.h"
#include "core/sync/waitqueue.h"

struct dhcp_client {
    struct ethernet *ethernet;
    struct alarm alarm;
    struct mutex lock; // guards what follows; held also while it is done what dhcp says
    struct dhcp dhcp;
    bool has_address;
    struct waitqueue waiters; // for it
};

// ---- Messages --------------------------------------------------------------------------

static struct packet *message_make(const struct dhcp_request *request,
                                   const struct net_address *target)
{
    const uint32_t size = sizeof(struct udp_header) + DHCP_MESSAGE_SIZE;
    const struct ip_header header = {
        .source = request->own, .target = *target, .protocol = IP_UDP, .hops = IP_HOPS_DEFAULT};
    struct udp_header udp = {
        .source = net_order16(DHCP_CLIENT_PORT),
        .target = net_order16(DHCP_SERVER_PORT),
        .size = net_order16((uint16_t)size),
    };
    struct packet *packet = packet_alloc_block(size);
    if (packet == NULL) {
        net_count(NET_NO_MEMORY);
        return NULL;
    }
    memcpy(packet->data, &udp, sizeof udp);
    dhcp_request_write(request, (uint8_t *)packet->data + sizeof udp);
    const uint64_t sum = checksum_add_ends(0, &header.source, &header.target, IP_UDP, size);
    udp.checksum = checksum_end(checksum_add(sum, packet->data, size));
    udp.checksum = udp.checksum == 0 ? UINT16_MAX : udp.checksum; // 0: none
    memcpy(packet->data, &udp, sizeof udp);
    packet->size = size;
    ip_header_push(packet, &header);
    return packet;
}

static void all_send(struct dhcp_client *client, const struct dhcp_request *request)
{
    static const uint8_t all[ADDRESS_V4_SIZE] = {255, 255, 255, 255};
    static const uint8_t all_hardware[NETIF_HARDWARE_SIZE] = {255, 255, 255, 255, 255, 255};
    const struct net_address target = address_of_v4(all);
    struct packet *packet = message_make(request, &target);
    if (packet != NULL) {
        ethernet_send(client->ethernet, packet, ETHERNET_V4, all_hardware);
    }
}

static void server_send(struct dhcp_client *client, const struct dhcp_request *request)
{
    struct packet *packet = message_make(request, &client->dhcp.lease.server);
    if (packet != NULL) {
        net_output(packet);
    }
}

// ---- What a lease gives ----------------------------------------------------------------

static struct route_entry entry_of(struct netif *netif, const struct dhcp_reply *lease, uint32_t i)
{
    return (struct route_entry){
        .target = lease->routes[i].target,
        .bits = lease->routes[i].bits,
        .netif = netif,
        .gateway = lease->routes[i].gateway,
        .source = lease->address,
        .origin = ROUTE_ORIGIN_DHCP,
    };
}

// What does not fit is as if the server had not told of it: others go on.
static void routes_set(struct netif *netif, const struct dhcp_reply *lease)
{
    for (uint32_t i = 0; i < lease->route_count; ++i) {
        const struct route_entry entry = entry_of(netif, lease, i);
        if (route_add(&entry) != 0) {
            net_count(NET_NO_MEMORY);
        }
    }
}

static void routes_remove(struct netif *netif, const struct dhcp_reply *lease)
{
    for (uint32_t i = 0; i < lease->route_count; ++i) {
        const struct route_entry entry = entry_of(netif, lease, i);
        const int error = route_remove(&entry);
        (void)error; // it did not fit, then
    }
}

static struct route_address own_of(const struct dhcp_client *client)
{
    return (struct route_address){
        .address = client->dhcp.lease.address,
        .bits = client->dhcp.lease.bits,
        .netif = &client->ethernet->netif,
        .preferred_until = client->dhcp.end,
        .valid_until = client->dhcp.end,
    };
}

static void lease_take(struct dhcp_client *client)
{
    struct netif *netif = &client->ethernet->netif;
    const struct dhcp_reply *lease = &client->dhcp.lease;
    const struct route_address own = own_of(client);
    if (lease->mtu >= ETHERNET_MTU_MIN && lease->mtu < netif->mtu) {
        netif->mtu = lease->mtu;
        netif_changed(netif);
    }
    if (route_address_add(&own) != 0) {
        net_count(NET_NO_MEMORY);
        return;
    }
    routes_set(netif, lease);
    net_names_learn(&lease->names);
    ethernet_announce(client->ethernet, &lease->address);
    client->has_address = true;
    waitqueue_wake_all(&client->waiters);
}

static void lease_keep(struct dhcp_client *client, const struct dhcp_reply *former)
{
    struct netif *netif = &client->ethernet->netif;
    const struct dhcp_reply *lease = &client->dhcp.lease;
    const struct route_address own = own_of(client);
    if (route_address_renew(&own) != 0) { // it is said to end when it did before
        net_count(NET_NO_MEMORY);
    }
    if (former->route_count != lease->route_count ||
        memcmp(former->routes, lease->routes, sizeof lease->routes) != 0) {
        routes_remove(netif, former);
        routes_set(netif, lease);
    }
    net_names_learn(&lease->names);
}

// Its routes go with it.
static void lease_lose(struct dhcp_client *client)
{
    const struct net_names none = {0};
    const int error = route_address_remove(&client->dhcp.lease.address);
    (void)error; // it did not fit, then
    net_names_learn(&none);
    client->has_address = false;
}

// ---- Running ---------------------------------------------------------------------------

static void step_do(struct dhcp_client *client, const struct dhcp_step *step)
{
    switch (step->act) {
    case DHCP_NOTHING:
        break;
    case DHCP_SEND_ALL:
        all_send(client, &step->request);
        break;
    case DHCP_SEND_SERVER:
        server_send(client, &step->request);
        break;
    case DHCP_ASK:
        arp_probe(client->ethernet, &client->dhcp.lease.address);
        break;
    case DHCP_TAKE:
        lease_take(client);
        break;
    case DHCP_KEEP:
        lease_keep(client, &step->former);
        break;
    case DHCP_LOSE:
        lease_lose(client);
        break;
    }
}

// With lock held: what step says, and all that is due.
static void client_run(struct dhcp_client *client, struct dhcp_step *step)
{
    step_do(client, step);
    do {
        dhcp_timeout(&client->dhcp, hal_clock_ns(), step);
        step_do(client, step);
    } while (step->act != DHCP_NOTHING);
    const int error = alarm_set(&client->alarm, client->dhcp.deadline);
    (void)error; // the interface has an alarm, too: its thread is there
}

static void alarm_ring(struct alarm *alarm)
{
    struct dhcp_client *client = container_of(alarm, struct dhcp_client, alarm);
    struct dhcp_step step = {.act = DHCP_NOTHING};
    mutex_lock(&client->lock);
    client_run(client, &step);
    mutex_unlock(&client->lock);
}

// False: it is no datagram for a client of DHCP, or damaged.
static bool message_find(const struct packet *packet, const uint8_t **message, size_t *size)
{
    struct ip_header header;
    struct udp_header udp;
    if (packet->more != NULL || ip_header_read(&header, packet->data, packet->size, false) != 0 ||
        header.protocol != IP_UDP || header.size < sizeof udp) {
        return false;
    }
    const char *transport = packet->data + header.transport;
    memcpy(&udp, transport, sizeof udp);
    const uint32_t length = net_order16(udp.size);
    if (udp.target != net_order16(DHCP_CLIENT_PORT) ||
        udp.source != net_order16(DHCP_SERVER_PORT) || length < sizeof udp ||
        length > header.size) {
        return false;
    }
    const uint64_t sum = checksum_add_ends(0, &header.source, &header.target, IP_UDP, length);
    *message = (const uint8_t *)transport + sizeof udp;
    *size = length - sizeof udp;
    return udp.checksum == 0 || packet->is_trusted ||
           checksum_end(checksum_add(sum, transport, length)) == 0;
}

bool dhcp_client_input(struct dhcp_client *client, struct packet *packet)
{
    const uint8_t *message;
    size_t size;
    struct dhcp_reply reply;
    struct dhcp_step step;
    if (!message_find(packet, &message, &size) ||
        dhcp_reply_read(&reply, client->ethernet->netif.hardware, message, size) != 0) {
        return false;
    }
    mutex_lock(&client->lock);
    dhcp_input(&client->dhcp, &reply, hal_clock_ns(), &step);
    client_run(client, &step);
    mutex_unlock(&client->lock);
    packet_free(packet);
    return true;
}

void dhcp_client_heard(struct dhcp_client *client, const struct net_address *address)
{
    struct dhcp_step step;
    mutex_lock(&client->lock);
    dhcp_heard(&client->dhcp, address, hal_clock_ns(), &step);
    if (step.act != DHCP_NOTHING) {
        client_run(client, &step);
    }
    mutex_unlock(&client->lock);
}

int dhcp_client_make(struct ethernet *ethernet)
{
    struct dhcp_client *client = heap_alloc_zeroed(sizeof *client);
    uint64_t random;
    if (client == NULL) {
        return -ENOMEM;
    }
    client->ethernet = ethernet;
    client->alarm.ring = alarm_ring;
    hal_entropy(&random, sizeof random);
    dhcp_start(&client->dhcp, ethernet->netif.hardware, random | 1, hal_clock_ns());
    ethernet->dhcp = client;
    return 0;
}

void dhcp_client_start(struct dhcp_client *client)
{
    struct dhcp_step step = {.act = DHCP_NOTHING};
    mutex_lock(&client->lock);
    client_run(client, &step);
    mutex_unlock(&client->lock);
}

void dhcp_client_link_returned(struct dhcp_client *client)
{
    struct dhcp_step step = {.act = DHCP_NOTHING};
    mutex_lock(&client->lock);
    dhcp_link_returned(&client->dhcp, hal_clock_ns());
    client_run(client, &step);
    mutex_unlock(&client->lock);
}

bool dhcp_client_await(struct dhcp_client *client, hal_ns deadline)
{
    enum wait_result result = WAIT_WOKEN;
    mutex_lock(&client->lock);
    while (!client->has_address && result == WAIT_WOKEN) {
        result = waitqueue_wait_until(&client->waiters, &client->lock, deadline, false);
    }
    const bool has_address = client->has_address;
    mutex_unlock(&client->lock);
    return has_address;
}
