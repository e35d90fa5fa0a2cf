// SPDX-License-Identifier: BSD-3-Clause
// percpu.h: what each CPU has of the network for itself, so that none waits for a line that another
// writes.
#ifndef CORE_NET_PERCPU_H
#define CORE_NET_PERCPU_H

#include <stdint.h>

#include "core/mem/percpu.h"
#include "hal/hal.h"

struct siphash_key;

enum { NET_CPU_LINE = 64 };

struct net_cpu {
    // What was sent on lo (core/lib/count.h), by threads that are not preempted meanwhile.
    _Alignas(NET_CPU_LINE) uint64_t sent;
    uint64_t sent_bytes;
    // Of net_cpu_siphash, with interrupts off: what was hashed last, and what that gave.
    uint64_t hashed[2], hash;
};

extern struct net_cpu *net_cpus; // of as many as there are; NULL before net_start

// The caller stays on this CPU.
static inline struct net_cpu *net_cpu_self(void)
{
    return &net_cpus[percpu_index()];
}

// siphash of two words with the one key that all callers have. Who asks mostly asks soon again: both
// ends of a connection within this machine, and who makes the child of a listening socket. Any
// context, after net_start.
uint64_t net_cpu_siphash(const struct siphash_key *key, const uint64_t words[2]);

// Of net_start, which calls it again where it has failed itself. -ENOMEM.
HAL_MUST_CHECK int net_cpus_start(void);

#endif
