// SPDX-License-Identifier: BSD-3-Clause
// net_fuzz.c: any bytes at all as packets of IP on lo. Each item is a packet, and how much time
// passes before it. Half of the packets count as sent by this machine, whose payload needs no sum.
#include "core/dev/packet.h"
#include "core/net/netif.h"
#include "core/net/run.h"
#include "input.h"
#include "net_world.h"

enum { HOPS = 8 };

static bool is_started;

static void bring(const struct item *item)
{
    struct packet *packet = world_packet(item->data, item->size, (item->head & 0x4000) != 0);
    packet->is_trusted = (item->head & 0x8000) != 0;
    for (int hop = 0; packet != NULL; ++hop) { // an answer, and what that is answered with
        demand(hop < HOPS, "answers end");
        packet = net_input(&loopback, packet);
    }
    net_run();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct item item;
    if (!is_started) {
        world_start();
        is_started = true;
    }
    world_open();
    while (item_next(&item, &data, &size)) {
        world_pass(item.head);
        bring(&item);
        world_serve();
    }
    world_close();
    return 0;
}
