// SPDX-License-Identifier: BSD-3-Clause
// devices.h: a far end for tests.
#ifndef TESTS_SYSTEM_HAL_LINUX_DEVICES_H
#define TESTS_SYSTEM_HAL_LINUX_DEVICES_H

enum { ECHO_CONFIG = 0x12345678, ECHO_AT_ONCE = 0, ECHO_BY_WORKER = 1 };

// Hosted. A device that copies what it reads to what it writes: queue 0 at once, queue 1 on a
// worker thread, after as many milliseconds as the first byte says.
int echo_add(void);

#endif
