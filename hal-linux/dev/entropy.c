// SPDX-License-Identifier: BSD-3-Clause
// entropy.c: the entropy device: fills what the driver offers with the host's random bytes.
#include "hal-linux/dev/entropy.h"

#include <stddef.h>

#include "hal-linux/dev/device.h"

static void entropy_serve(struct device_chain *chain)
{
    uint32_t written = 0;
    for (uint32_t i = chain->in_count; i < chain->in_count + chain->out_count; ++i) {
        hal_entropy(chain->parts[i].iov_base, chain->parts[i].iov_len);
        written += (uint32_t)chain->parts[i].iov_len;
    }
    device_chain_done(chain, written);
}

int entropy_add(void)
{
    static const struct device_ops ops = {
        .queue_count = 1, .parallel = true, .serve = entropy_serve};
    return device_add(HAL_ENTROPY, "rng", &ops, NULL, NULL);
}
