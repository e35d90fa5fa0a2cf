// SPDX-License-Identifier: BSD-3-Clause
// console.h: the machine's console, and a console device's ports, as a program's standard streams.
#ifndef CORE_VFS_CONSOLE_H
#define CORE_VFS_CONSOLE_H

struct console_port;
struct file;

// Makes file, whose flags are set, one that writes to the machine's console. Reads find its end.
void console_open(struct file *file);

// A file that writes to port, or, NULL, to the machine's console, and is to the program an end of a
// pipe. -ENOMEM.
int console_stream(struct console_port *port, struct file **file);

// A file that reads what comes from port. -ENOMEM. Once for each.
int console_input(struct console_port *port, struct file **file);

#endif
