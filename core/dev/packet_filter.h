// SPDX-License-Identifier: BSD-3-Clause
// packet_filter.h: programs of core/lib/bpf.h that sockets have: each sees what comes for its
// socket before it is queued. A socket's is in a slot, which is read in an RCU section; connections
// share their listener's.
#ifndef CORE_DEV_PACKET_FILTER_H
#define CORE_DEV_PACKET_FILTER_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "core/lib/bpf.h"
#include "core/sync/rcu.h"
#include "hal/hal.h"

struct packet;

struct packet_filter {
    struct rcu_head end;
    uint32_t user_count; // slots; packet_filter.c's
    uint32_t count;      // instructions
    struct bpf_instruction program[];
};

typedef _Atomic(struct packet_filter *) packet_filter_slot; // all-zero is empty

// For count instructions, 1 to BPF_COUNT_MAX, which the caller writes before anybody else has it.
// NULL: no memory.
struct packet_filter *packet_filter_alloc(uint32_t count);
// -EINVAL: it may not be run. -ENOMEM.
HAL_MUST_CHECK int packet_filter_check(const struct packet_filter *filter);
void packet_filter_free(struct packet_filter *filter); // which was in no slot

// filter, or NULL, is in the slot from now on, in place of what was. Thread context, may block.
void packet_filter_set(packet_filter_slot *slot, struct packet_filter *filter);
// What is in from is in the empty slot to, which nobody else has yet, too. The same.
void packet_filter_share(packet_filter_slot *to, packet_filter_slot *from);

static inline void packet_filter_end(packet_filter_slot *slot) // its socket is gone
{
    if (atomic_load(slot) != NULL) {
        packet_filter_set(slot, NULL);
    }
}

// How many of the bytes are wanted by what is in the slot: all, where it is empty.
size_t packet_filter_look(packet_filter_slot *slot, const char *bytes, size_t size);

// The bytes of a packet, of which data, network and link are to be said.
struct bpf_view packet_filter_view(const struct packet *packet);

#endif
