// SPDX-License-Identifier: BSD-3-Clause
// console.h: the machine's console as a program's standard streams.
#ifndef CORE_VFS_CONSOLE_H
#define CORE_VFS_CONSOLE_H

#include <stdint.h>

struct file;

// Makes file, whose flags are set, one that writes to the console (hal_console_write). There is no
// way to ask the console for input: reads find its end.
void console_open(struct file *file);

#endif
