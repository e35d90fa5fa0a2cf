// SPDX-License-Identifier: BSD-3-Clause
// devices.c: a far end for tests. The part that a worker runs is hosted C.
#include "tests/system/hal_linux/devices.h"

#include <stddef.h>
#include <unistd.h>

#include "hal-linux/dev/device.h"

static void echo_answer(struct device_chain *chain)
{
    const struct iovec *in = chain->parts, *out = chain->parts + chain->in_count;
    char byte;
    size_t written = 0;
    while (device_gather(in, chain->in_count, written, &byte, 1) == 1 &&
           device_scatter(out, chain->out_count, written, &byte, 1) == 1) {
        ++written;
    }
    device_chain_done(chain, (uint32_t)written);
}

static void echo_late(struct device_chain *chain)
{
    unsigned char delay_ms = 0;
    (void)device_gather(chain->parts, chain->in_count, 0, &delay_ms, 1);
    usleep(delay_ms * 1000u);
    echo_answer(chain);
}

static void echo_serve(struct device_chain *chain)
{
    if (chain->queue == ECHO_BY_WORKER) {
        device_chain_defer(chain, echo_late);
    } else {
        echo_answer(chain);
    }
}

int echo_add(void)
{
    static const struct device_ops ops = {.queue_count = 2, .config_size = 4, .serve = echo_serve};
    static const uint32_t config = ECHO_CONFIG;
    return device_add(HAL_CONSOLE, "echo", &ops, NULL, &config);
}
