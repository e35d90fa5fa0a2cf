// SPDX-License-Identifier: BSD-3-Clause
// poll.h: waiting for any of several files.
//
// A file type keeps a struct poll_list; its poll operation adds the entry (if any) to it and
// answers what is ready now. Whenever something becomes ready it calls poll_list_wake. The waiter
// parks once and looks at all files again.
#ifndef CORE_VFS_POLL_H
#define CORE_VFS_POLL_H

#include <stddef.h>

#include "core/lib/list.h"
#include "core/sync/mutex.h"
#include "core/vfs/file.h"

struct thread;
struct poll_list;

struct poll_entry { // lives on the waiter's stack or heap
    struct list node;
    struct poll_list *list; // NULL: in none
    struct thread *thread;
    _Atomic uint32_t *woken; // set before the thread is woken
};

struct poll_list {
    struct mutex lock;
    struct list entries; // guarded by lock; all-zero is empty
};

void poll_list_add(struct poll_list *list, struct poll_entry *entry);
void poll_list_wake(struct poll_list *list);
void poll_entry_remove(struct poll_entry *entry); // one that is in no list is left alone

struct poll_item {
    struct file *file; // NULL: ignored, ready stays 0
    unsigned wanted, ready;
};

// Waits until an item is ready, the deadline passes or a signal comes. Answers how many are ready,
// or -EINTR, -ENOMEM.
int poll_wait(struct poll_item *items, size_t count, hal_ns deadline);

#endif
