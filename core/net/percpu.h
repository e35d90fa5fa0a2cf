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

// Things that come and go on all CPUs, of which there may be so many.
enum net_tally {
    NET_TALLY_WAITING, // connections in TIME-WAIT
    NET_TALLY_ORPHANS, // connections without a file, but for those
    NET_TALLIES,
};

enum { NET_TALLY_KEPT = 32 }; // changes that a CPU may keep to itself

struct net_cpu {
    // What was sent on lo (core/lib/count.h), by threads that are not preempted meanwhile.
    _Alignas(NET_CPU_LINE) uint64_t sent;
    uint64_t sent_bytes;
    // Of net_cpu_siphash, with interrupts off: what was hashed last, and what that gave.
    uint64_t hashed[2], hash;
    int32_t kept[NET_TALLIES]; // of net_tally_add, the same
};

extern struct net_cpu *net_cpus; // of as many as there are; NULL before net_start

// The caller stays on this CPU.
static inline struct net_cpu *net_cpu_self(void)
{
    return &net_cpus[percpu_index()];
}

// siphash of two words with the one key that all callers have. Who asks mostly asks soon again:
// both ends of a connection within this machine, and who makes the child of a listening socket. Any
// context, after net_start.
uint64_t net_cpu_siphash(const struct siphash_key *key, const uint64_t words[2]);

// There are by more. Answers how many there are, but for what other CPUs keep to themselves. Any
// context, after net_start.
int32_t net_tally_add(enum net_tally which, int32_t by);

// Of net_start, which calls it again where it has failed itself. -ENOMEM.
HAL_MUST_CHECK int net_cpus_start(void);

#endif
