// SPDX-License-Identifier: BSD-3-Clause
// device_none.c: the device functions of a machine that has found no device.
//
// hal_boot.dev_count is 0 there, so no struct hal_dev exists and only a mistake in core can come
// here.
#include "hal/hal.h"

#include "hal/common/crash.h"
#include "hal/common/error.h"

int hal_dev_open(struct hal_dev *dev, uint64_t *features)
{
    (void)dev;
    *features = 0;
    return -ERROR_NODEV;
}

int hal_dev_queue(struct hal_dev *dev, uint32_t index, const struct hal_ring *ring, uint32_t cpu)
{
    (void)dev;
    (void)index;
    (void)ring;
    (void)cpu;
    return -ERROR_NODEV;
}

int hal_dev_go(struct hal_dev *dev)
{
    (void)dev;
    return -ERROR_NODEV;
}

// These cannot fail, so a caller that ignored the refusals above ends here.

void hal_dev_stop(struct hal_dev *dev)
{
    (void)dev;
    crash("hal_dev_stop: no such device", NULL, 0);
}

void hal_dev_config(struct hal_dev *dev, uint32_t offset, void *out, size_t size)
{
    (void)dev;
    (void)offset;
    (void)out;
    (void)size;
    crash("hal_dev_config: no such device", NULL, 0);
}

void hal_dev_config_write(struct hal_dev *dev, uint32_t offset, const void *in, size_t size)
{
    (void)dev;
    (void)offset;
    (void)in;
    (void)size;
    crash("hal_dev_config_write: no such device", NULL, 0);
}

void hal_dev_kick(struct hal_dev *dev, uint32_t index)
{
    (void)dev;
    (void)index;
    crash("hal_dev_kick: no such device", NULL, 0);
}
