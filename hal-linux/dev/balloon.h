// SPDX-License-Identifier: BSD-3-Clause
// balloon.h: the far end of a memory balloon (virtio 1.2, 5.5): frames that the driver gives up are
// the host's again, and come back, zeroed, when the driver touches them.
#ifndef HAL_LINUX_DEV_BALLOON_H
#define HAL_LINUX_DEV_BALLOON_H

#include "hal/hal.h"

struct balloon_state { // bytes
    uint64_t actual, wanted;
};

// In the order of the tags of virtio 1.2, 5.5.6.4.
enum balloon_stat {
    BALLOON_SWAP_IN,
    BALLOON_SWAP_OUT,
    BALLOON_MAJOR_FAULTS,
    BALLOON_MINOR_FAULTS,
    BALLOON_FREE,
    BALLOON_TOTAL,
    BALLOON_AVAILABLE,
    BALLOON_CACHED,
    BALLOON_STATS
};

// Hosted. Adds the device, which wants so many bytes from the start. gives_back: the driver may
// take them again before an allocation fails. 0 or -errno.
int balloon_add(uint64_t wanted, bool gives_back);

// Hosted, while the machine runs; by threads that have a GS block (vcpu_adopt_thread).
void balloon_want(uint64_t bytes);
void balloon_look(struct balloon_state *state);

// What the driver says of its memory; what it does not say is UINT64_MAX. One thread at a time.
// False: it does not answer within a second.
bool balloon_stats(uint64_t stats[BALLOON_STATS]);

#endif
