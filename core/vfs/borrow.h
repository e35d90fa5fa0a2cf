// SPDX-License-Identifier: BSD-3-Clause
// borrow.h: reading and writing a file without a reference to it.
//
// For types of files that do both under one lock, such as pipes. Who looks a descriptor up
// (fd_borrow, in fdtable.h) takes that lock in place of a reference, and while it is held the file
// stays. Who sleeps meanwhile is counted in the file: its end, if it comes then, is left to the
// last of those (see borrow.c).
//
// A file type that lends its files has the operations read_borrowed and write_borrowed, keeps what
// its files' state points to in a slab, and never makes the lock anew, nor what is touched once it
// has been given back. "The lock" is the file's in each of these.
#ifndef CORE_VFS_BORROW_H
#define CORE_VFS_BORROW_H

#include <stdbool.h>

#include "core/sync/mutex.h"
#include "core/sync/waitqueue.h"

struct file;

// What a call that sleeps offers to others (waitqueue_offer) begins with this.
struct file_offer {
    struct file *file;
};

// By the file's type, before others can find the file, and when its state is complete.
void file_lend(struct file *file, struct mutex *lock);

// Gives the lock back, and with it the file, if that was borrowed.
void file_return(struct file *file, struct mutex *lock);

// Waits, as waitqueue_offer does, with a reference or without. Once WAIT_SERVED, the caller has
// neither lock nor file. offer may be NULL.
enum wait_result file_sleep(struct file *file, struct mutex *lock, struct waitqueue *queue,
                            struct file_offer *offer);

// What the first that waits offers and may be served, with the lock held. NULL: nothing; then those
// whose files are over have been woken, to do it themselves.
struct file_offer *file_offered(struct waitqueue *queue);
void file_serve(struct waitqueue *queue, struct file_offer *offer); // that one: it is done

// For file_put, when the last reference is gone. False: somebody sleeps, and will end the file.
bool file_recall(struct file *file);

#endif
