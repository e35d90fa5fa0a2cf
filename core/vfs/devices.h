// SPDX-License-Identifier: BSD-3-Clause
// devices.h: character devices by number, as Linux numbers them
// (Documentation/admin-guide/devices.txt).
#ifndef CORE_VFS_DEVICES_H
#define CORE_VFS_DEVICES_H

#include <stdint.h>

struct file;

// A device number as stat shows it (Linux's new_encode_dev for small numbers).
#define DEVICE_NUMBER(major, minor) ((uint64_t)(major) << 8 | (minor))

// Makes file, whose flags are set, one on that device. -ENXIO: no such device.
int device_node_open(uint64_t number, struct file *file);

// What /dev/tty and /dev/console are: the machine's standard stream, once there is one. Without it
// /dev/console is the machine's own (console.h).
void device_terminal_set(struct file *stream);

#endif
