// SPDX-License-Identifier: BSD-3-Clause
// rings.h: io_uring for the queues of a TAP (hal-linux/dev/uring.h).
#ifndef SIM_RINGS_H
#define SIM_RINGS_H

struct net_far;

// Two of each queue of far's. 0; or -errno: the host refuses them.
int rings_add(struct net_far *far);

#endif
