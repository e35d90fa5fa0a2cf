// SPDX-License-Identifier: BSD-3-Clause
// balloon.h: the driver of memory balloons (virtio 1.2, 5.5): memory that the hypervisor wants for
// others.
//
// What it wants is taken from what is free and promised to nobody; shrinkers give what they can.
// Where that is not enough the balloon stays smaller, says so once, and looks again every second.
// Where hypervisor and driver agree on DEFLATE_ON_OOM, memory comes back before an allocation
// fails, and the balloon does not grow again before the hypervisor asks for another size.
#ifndef CORE_DEV_BALLOON_H
#define CORE_DEV_BALLOON_H

#include "hal/hal.h"

struct balloon_figures {                     // what the hypervisor may ask for
    uint64_t total, free, available, cached; // bytes
    uint64_t faults;
};

// Starts the driver of the machine's first balloon, if it has one; what is wrong with it is said on
// the console. figures is called in thread context. Thread context, once.
void balloon_start(void (*figures)(struct balloon_figures *figures));

#endif
