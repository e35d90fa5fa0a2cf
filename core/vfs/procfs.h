// SPDX-License-Identifier: BSD-3-Clause
// procfs.h: what the kernel tells about itself and the process, as files of text. procfs_add is in
// vfs.h.
#ifndef CORE_VFS_PROCFS_H
#define CORE_VFS_PROCFS_H

#include <stddef.h>
#include <stdint.h>

struct mount;
struct thread;

// Gives mount its root directory: of /proc, or of /sys. -ENOMEM.
int procfs_fill(struct mount *mount);
int procfs_fill_system(struct mount *mount);
void procfs_forget_system(void); // the mount is not seen anywhere
// Its root is one text, as of procfs_add. -ENOMEM.
int procfs_fill_text(struct mount *mount, size_t (*make)(char *text, size_t size, void *argument));

// Before anybody looks: fill adds texts when the first one does. -ENOMEM is that one's answer.
void procfs_fill_later(int (*fill)(void));

enum procfs_tree { PROCFS_PROC, PROCFS_SYSTEM };

// A text, and what becomes of what is written there.
struct procfs_setting {
    const char *name;                                        // "kernel/mm/..."; lives for ever
    size_t (*make)(char *text, size_t size, void *argument); // as procfs_add
    // text is what was written, without white space at its end, with a NUL behind. 0 or -errno.
    // NULL: it cannot be written.
    int (*set)(const char *text, void *argument);
    void *argument;
};
int procfs_add_setting(enum procfs_tree tree, const struct procfs_setting *setting); // -ENOMEM
// The same of a secret: the superuser's alone.
int procfs_add_private(enum procfs_tree tree, const struct procfs_setting *setting);

// proctext.c: registers the files that core/vfs can fill by itself.
int proctext_add(void);

// Who `self` is, and what its threads are called: id answers 0 for a thread that is not the
// program's. Until then the process is 1, and shows no threads.
void procfs_process_set(uint32_t process, int32_t (*id)(const struct thread *thread));
int32_t procfs_thread_id(const struct thread *thread); // by that

#endif
