// SPDX-License-Identifier: BSD-3-Clause
// procfs.h: what the kernel tells about itself and the process, as files of text. procfs_add is in
// vfs.h.
#ifndef CORE_VFS_PROCFS_H
#define CORE_VFS_PROCFS_H

#include <stddef.h>
#include <stdint.h>

struct mount;
struct thread;

// Gives mount its root directory. -ENOMEM.
int procfs_fill(struct mount *mount);

// proctext.c: registers the files that core/vfs can fill by itself.
int proctext_add(void);

// Who `self` is, and what its threads are called: id answers 0 for a thread that is not the
// program's. Until then the process is 1, and shows no threads.
void procfs_process_set(uint32_t process, int32_t (*id)(const struct thread *thread));
int32_t procfs_thread_id(const struct thread *thread); // by that

#endif
