// SPDX-License-Identifier: BSD-3-Clause
// link_host.c: see link_host.h.
#include "link_host.h"

#include <check.h>
#include <string.h>

#include "core/dev/packet.h"
#include "core/net/address_text.h"
#include "core/net/interface.h"
#include "core/net/ip.h"
#include "core/net/socket.h"

const uint8_t here[] = {2, 0, 0, 0, 0, 1}, there[] = {2, 0, 0, 0, 0, 2};
struct packet *heard[HEARD_MAX];
size_t heard_count;

static void transmit(struct ethernet *ethernet, struct packet *frame)
{
    (void)ethernet;
    ck_assert_uint_lt(heard_count, HEARD_MAX);
    heard[heard_count++] = frame;
}

struct ethernet wire = {.netif = {.name = "eth0", .mtu = 1500}, .transmit = transmit};

void link_start(const char *text)
{
    struct interface_address address;
    ck_assert_int_eq(net_start(), 0);
    memcpy(wire.netif.hardware, here, sizeof here);
    ck_assert_int_eq(ethernet_start(&wire), 0);
    ck_assert_int_eq(interface_address_read(&address, text), 0);
    ck_assert_int_eq(interface_address_set(&wire, &address), 0);
}

void link_forget(void)
{
    while (heard_count > 0) {
        packet_free(heard[--heard_count]);
    }
}

struct net_address address_of(const char *text)
{
    struct net_address address;
    ck_assert_int_eq(address_read(&address, &text), 0);
    ck_assert_int_eq(*text, 0);
    return address;
}

void whole_check(struct packet *packet, const char *data, uint32_t size)
{
    struct ip_header header;
    ck_assert_ptr_nonnull(packet);
    ck_assert_int_eq(ip_header_read(&header, packet->data, packet->size, false), 0);
    ck_assert_uint_eq(header.protocol, 99);
    ck_assert_uint_eq(header.size, size);
    ck_assert_mem_eq(packet->data + header.transport, data, size);
    packet_free(packet);
}
