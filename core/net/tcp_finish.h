// SPDX-License-Identifier: BSD-3-Clause
// tcp_finish.h: the end of all connections with other machines, before this machine's own.
#ifndef CORE_NET_TCP_FINISH_H
#define CORE_NET_TCP_FINISH_H

#include "hal/hal.h"

// Closes them as if their files were closed, and waits until the peers have what was written, as
// long as each takes some of it within patience. Thread context; the caller holds no lock.
void tcp_finish(hal_ns patience);

#endif
