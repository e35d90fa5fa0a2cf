// SPDX-License-Identifier: BSD-3-Clause
// mirror.h: what is at the other end of a simulated network: a mirror. Whatever address a machine
// sends to, the packet comes back from there: what went from A to B comes from B to A. So a machine
// that speaks to B speaks to itself, and both its ends see a peer across the network.
#ifndef HAL_LINUX_SEED_MIRROR_H
#define HAL_LINUX_SEED_MIRROR_H

#include <stddef.h>
#include <stdint.h>

enum { MIRROR_HARDWARE_SIZE = 6, MIRROR_FRAME_MIN = 86 }; // an advertisement's

// The mirror's, for all addresses.
extern const uint8_t mirror_hardware[MIRROR_HARDWARE_SIZE];

// Turns the frame into what comes back; the buffer has room for MIRROR_FRAME_MIN bytes at least.
// Its size; 0: nothing does. Questions of ARP and of neighbour discovery are answered.
size_t mirror_turn(uint8_t *frame, size_t size);

#endif
