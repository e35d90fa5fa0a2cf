// SPDX-License-Identifier: BSD-3-Clause
// fdtable.h: descriptors: small numbers for open files. One table: there is one process.
#ifndef CORE_VFS_FDTABLE_H
#define CORE_VFS_FDTABLE_H

#include "core/vfs/file.h"

enum { FD_MAX = 65536 };

// The lowest free descriptor that is at least lowest takes the caller's reference. -EMFILE (the
// limit, see fd_limit_set).
int fd_install(struct file *file, int lowest, bool close_on_exec);
int fd_install_at(int fd, struct file *file, bool close_on_exec); // dup2: closes what was there
int fd_get(int fd, struct file **file); // one more reference for the caller: file_put it. -EBADF
// The file, if it is one that is lent (borrow.h): its lock is held, and its operation read_borrowed
// or write_borrowed gives it back. NULL: it is not one, or not open.
struct file *fd_borrow(int fd);
int fd_close(int fd);
int fd_flag_get(int fd); // FD_CLOEXEC: 1 or 0; -EBADF
int fd_flag_set(int fd, bool close_on_exec);
void fd_limit_set(int limit);
int fd_walk(bool (*visit)(int fd, struct file *file, void *argument), void *argument); // ascending

#endif
