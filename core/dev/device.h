// SPDX-License-Identifier: BSD-3-Clause
// device.h: the machine's devices: finding them, and who hears their interrupts.
#ifndef CORE_DEV_DEVICE_H
#define CORE_DEV_DEVICE_H

#include "hal/hal.h"

enum {
    DEVICE_COUNT_MAX = 64,
    DEVICE_CONFIG = 0xffff, // in place of a queue: the configuration has changed
};

// Keeps boot's list of devices. Once, before any other function of core/dev.
void device_init(const struct hal_boot *boot);

// NULL: there is none of this kind with this name. name NULL: the first of the kind.
const struct hal_dev_info *device_find(enum hal_dev_kind kind, const char *name);

// The device of that kind before which there are index others. NULL: there are no more.
const struct hal_dev_info *device_at(enum hal_dev_kind kind, size_t index);

// interrupt(state, queue) is called for each upcall_dev of dev from now on: interrupts off, any
// CPU, must not block. -ENOSPC.
HAL_MUST_CHECK int device_attach(struct hal_dev *dev,
                                 void (*interrupt)(void *state, uint32_t queue), void *state);
void device_detach(struct hal_dev *dev);
bool device_is_attached(struct hal_dev *dev);

#endif
