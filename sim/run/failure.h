// SPDX-License-Identifier: BSD-3-Clause
// failure.h: osv-run's own exit statuses, and how it ends with one.
#ifndef SIM_RUN_FAILURE_H
#define SIM_RUN_FAILURE_H

#include "sim/tool/failure.h"

// Otherwise the status is the program's, or 128 + N where signal N ended osv-run; 134 or 125 where
// the kernel crashed.
enum {
    STATUS_USAGE = 2,
    STATUS_CLOSED = 121,  // the machine turned itself off, or was destroyed, without a status
    STATUS_KILLED = 122,  // QEMU was killed, or died
    STATUS_RESET = 123,   // the machine reset itself
    STATUS_TIMEOUT = 124, // --timeout
    STATUS_CANNOT = 125,  // there is no QEMU, no libvirt, no memory ..., or the machine crashed
    STATUS_NOT_BOOTABLE = 126,
    STATUS_NOT_FOUND = 127, // there is no such image
};

#endif
