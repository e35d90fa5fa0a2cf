// SPDX-License-Identifier: BSD-3-Clause
// net_world.h: the machine that hostile packets come to: sockets of UDP and TCP of both versions,
// which listen, connect, read, answer and end; packets whose sums are right; virtual time.
//
// An input leaves nothing behind: once its sockets are closed and time has passed, all memory is
// given back, or the fuzzer stops. So the thousandth input costs what the first did.
#ifndef TESTS_FUZZ_NET_WORLD_H
#define TESTS_FUZZ_NET_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "core/net/address.h"
#include "hal/hal.h"

struct packet;

enum { WORLD_PORT = 80, WORLD_CALLER = 81, WORLD_PEER = 9999 };

// Once, when all interfaces are there.
void world_start(void);

void world_rest(void); // what is in use now stays

// Sockets, bound to WORLD_PORT; and streams from WORLD_CALLER to WORLD_PEER of an address.
void world_open(void);
void world_call(const struct net_address *peer);
void world_serve(void); // what has come is read, and answered
void world_close(void); // all

// A step of an item's head: 0, or 2 ms to 32 s.
void world_pass(uint32_t head);

// A packet of so many bytes, from its IP header on; that of IPv4 has a right sum. is_right: so has
// what it carries.
struct packet *world_packet(const uint8_t *data, uint32_t size, bool is_right);

// Puts the right sums into a packet that begins with an IP header.
void world_sums_set(struct packet *packet);

#endif
