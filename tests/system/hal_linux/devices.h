// SPDX-License-Identifier: BSD-3-Clause
// devices.h: a far end for tests.
#ifndef TESTS_SYSTEM_HAL_LINUX_DEVICES_H
#define TESTS_SYSTEM_HAL_LINUX_DEVICES_H

enum { ECHO_CONFIG = 0x12345678, ECHO_AT_ONCE = 0, ECHO_BY_WORKER = 1 };

// Hosted. A device that copies what it reads to what it writes: queue 0 at once, queue 1 on a
// worker thread, after as many milliseconds as the first byte says.
int echo_add(void);

enum { WIRE_FRAMES = 5000, WIRE_FRAME = 64, WIRE_NUMBER_AT = 26 };

// Hosted. A network device by which so many frames come, each with its number, 0 .., at that place:
// some at once, some after up to a fifth of a millisecond, some after three.
int wire_add(void);

#endif
