// SPDX-License-Identifier: BSD-3-Clause
// frame_orders.h: in what pieces memory is free.
#ifndef CORE_MEM_FRAME_ORDERS_H
#define CORE_MEM_FRAME_ORDERS_H

#include <stddef.h>
#include <stdint.h>

enum { FRAME_ORDERS = 11 }; // as Linux has them: up to 1024 frames

// counts[i]: aligned pieces of 2^i free frames of a node, as large as they can be. What its CPUs
// keep ready counts as single frames. A moment's answer; any context.
void frame_orders(uint32_t node, size_t counts[FRAME_ORDERS]);

#endif
