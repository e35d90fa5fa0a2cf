// SPDX-License-Identifier: BSD-3-Clause
// owner.h: who is told by a signal of what happens to a file: fcntl(2), "Managing signals".
//
// Files that can be waited for, and are sockets, FIFOs or devices, tell. Thread context, may block.
// Answers are the calls': a result or -errno.
#ifndef CORE_LINUX_OWNER_H
#define CORE_LINUX_OWNER_H

#include <stdbool.h>

struct file;

enum { OWNER_CODE_MAX = 6 }; // of si_code, from 1 on, in a signal that F_SETSIG chose

// F_SETOWN, F_GETOWN, F_SETOWN_EX, F_GETOWN_EX, F_SETSIG, F_GETSIG. -EINVAL: another.
long owner_control(struct file *file, int command, long argument);

// O_ASYNC of a file: signals say that number fd is ready, or do no longer. -ENOTTY: such a file
// never tells, and nothing has changed.
int owner_tells_set(struct file *file, int fd, bool tells);

// FIOSETOWN, FIOGETOWN, SIOCSPGRP, SIOCGPGRP of a socket. -ENOTTY: another.
int owner_ioctl(struct file *file, unsigned long request, int *user);

#endif
