// SPDX-License-Identifier: BSD-3-Clause
// run.h: sockets whose channels have something that nobody waits for. Thread context; the caller
// holds no lock of the network's.
#ifndef CORE_NET_RUN_H
#define CORE_NET_RUN_H

#include <stdbool.h>

#include "hal/hal.h"

struct net_socket;

// The socket, which the caller has counted, is run soon: by the caller, who calls net_run, or by
// another that is at it.
void net_run_later(struct net_socket *socket);
void net_run_later_counted(struct net_socket *socket); // the same, and the caller's count is gone

// Whether there may be something to be run that the caller has brought about.
bool net_run_is_due(void);

// Runs what is to be run, and what comes of that. now: hal_clock_ns of just now, or 0, which is
// asked where it is needed. Not from within socket->run.
void net_run_at(hal_ns now);

static inline void net_run(void)
{
    net_run_at(0);
}

#endif
