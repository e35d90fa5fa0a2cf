// SPDX-License-Identifier: BSD-3-Clause
// poll.h: waiting for any of several files.
//
// A file type keeps a struct poll_list; its poll operation adds the entry (if any) to it and
// answers what is ready now. Whenever something becomes ready it calls poll_list_wake with the
// events that may be ready by now, which calls those who wait for one of them: a poll's item, whose
// thread looks at all files again, or an epoll's item (epoll.c), which stays entered.
#ifndef CORE_VFS_POLL_H
#define CORE_VFS_POLL_H

#include <stddef.h>

#include "core/lib/list.h"
#include "core/sync/mutex.h"
#include "core/sync/wait.h"
#include "core/vfs/file.h"

struct poll_list;

// Lives with the waiter. Its maker sets wanted, is_exclusive and wake; the list's lock guards
// wanted from when it is entered.
struct poll_entry {
    struct list node;
    struct poll_list *list; // NULL: in none
    unsigned wanted;        // events to be woken for; POLL_ERROR and POLL_HANG_UP always are
    bool is_exclusive;      // of these, one that takes it is enough
    // Called under the list's lock, which wake must not take; it may be called for nothing. True:
    // it took what became ready.
    bool (*wake)(struct poll_entry *entry, unsigned events);
};

struct poll_list {
    struct mutex lock;
    struct list entries;          // guarded by lock; all-zero is empty
    _Atomic uint32_t entry_count; // changed with lock held
};

void poll_list_add(struct poll_list *list, struct poll_entry *entry);
void poll_list_wake(struct poll_list *list, unsigned events);
bool poll_list_is_empty(struct poll_list *list);

// The same for a caller that made something ready under a lock under which the poll operation
// looks, after it has added its entry: an entry that is not counted here yet will see what is
// ready.
static inline void poll_list_wake_ordered(struct poll_list *list, unsigned events)
{
    if (atomic_load_explicit(&list->entry_count, memory_order_relaxed) != 0) {
        poll_list_wake(list, events);
    }
}

// One that is in no list is left alone. On return its wake is not running and will not.
void poll_entry_remove(struct poll_entry *entry);
void poll_entry_want(struct poll_entry *entry, unsigned wanted);

struct poll_item {
    struct file *file; // NULL: ignored, ready stays 0
    unsigned wanted, ready;
    // poll_wait's own.
    struct wait_source source;
    struct poll_entry entry;
    struct wait *wait; // that entry wakes
};

// Waits until an item is ready, the deadline passes or a signal comes. Answers how many are ready,
// or -EINTR.
int poll_wait(struct poll_item *items, size_t count, hal_ns deadline);

#endif
