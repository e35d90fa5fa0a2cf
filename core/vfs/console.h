// SPDX-License-Identifier: BSD-3-Clause
// console.h: the machine's console as a program's standard streams.
#ifndef CORE_VFS_CONSOLE_H
#define CORE_VFS_CONSOLE_H

struct console_device;
struct file;

// Makes file, whose flags are set, one that writes to the console. Reads find its end: input is
// console_input's.
void console_open(struct file *file);

// From now on the console is this device, not hal_console_write. Once, while the machine starts.
void console_device_set(struct console_device *device);

// A file that reads what comes from that device. -ENOMEM. Once.
int console_input(struct file **file);

#endif
