// SPDX-License-Identifier: BSD-3-Clause
// rings.c: see rings.h. They last as long as the process does.
#include "sim/rings.h"

#include "hal-linux/dev/net.h"
#include "hal-linux/dev/uring.h"

static struct uring readers[NET_FAR_PAIRS_MAX], writers[NET_FAR_PAIRS_MAX];

int rings_add(struct net_far *far)
{
    int failure = 0;
    for (uint32_t i = 0; failure == 0 && i < far->pair_count; ++i) {
        far->readers[i] = &readers[i];
        far->writers[i] = &writers[i];
        failure = io_uring_queue_init(URING_MAX, &readers[i].ring, 0);
        failure = failure == 0 ? io_uring_queue_init(URING_MAX, &writers[i].ring, 0) : failure;
    }
    return failure;
}
