// SPDX-License-Identifier: BSD-3-Clause
// borrow.c: files that are used under their own lock, without a reference.
//
// Invariant: while a file's lock is held and file->lock leads to it, the file is not over: what
// makes it so is done with the lock held, and sets file->lock to NULL. So fd_borrow reads
// file->lock, takes that lock, whosever it is by now (it lies in a slab: it is a lock, and the same
// for ever), and looks whether file->lock still leads there: then the file stays, be it the one
// meant or one made later in its memory. Only then it looks whether the descriptor leads to the
// file: if so, it is the one.
//
// Who sleeps has given the lock back, and is counted before that (sleeper_count). When the last
// reference goes meanwhile, the file is over, but is left as it is: the last that has slept ends
// it, when it gives the lock back. One that is served by another goes without the lock, so the
// other uncounts it; that cannot end the file, so those whose file is over are not served.
#include "core/vfs/borrow.h"

#include "core/lib/assert.h"
#include "core/lib/mark.h"
#include "core/vfs/file.h"

void file_lend(struct file *file, struct mutex *lock)
{
    ASSERT(file->ops->read_borrowed != NULL && file->ops->write_borrowed != NULL);
    // Release pairs with fd_borrow: the lock is one before it is seen.
    atomic_store_explicit(&file->lock, lock, memory_order_release);
}

void file_return(struct file *file, struct mutex *lock)
{
    bool is_last = file->is_over && file->sleeper_count == 0;
    mutex_unlock(lock);
    if (is_last) {
        MARK("borrow: the last that slept ends the file");
        file_end(file);
    }
}

enum wait_result file_sleep(struct file *file, struct mutex *lock, struct waitqueue *queue,
                            struct file_offer *offer)
{
    ++file->sleeper_count;
    enum wait_result result = waitqueue_offer(queue, lock, offer);
    if (result != WAIT_SERVED) {
        --file->sleeper_count;
    }
    return result;
}

struct file_offer *file_offered(struct waitqueue *queue)
{
    struct file_offer *offer = waitqueue_offered(queue);
    if (offer != NULL && offer->file->is_over) {
        MARK("borrow: nobody is served whose file is over");
        waitqueue_wake_all(queue);
        return NULL;
    }
    return offer;
}

void file_serve(struct waitqueue *queue, struct file_offer *offer)
{
    ASSERT(!offer->file->is_over);
    --offer->file->sleeper_count;
    waitqueue_serve(queue);
}

bool file_recall(struct file *file)
{
    // Nobody else changes it by now.
    struct mutex *lock = atomic_load_explicit(&file->lock, memory_order_relaxed);
    if (lock == NULL) {
        return true;
    }
    mutex_lock(lock);
    // The lock orders this before fd_borrow's second look.
    atomic_store_explicit(&file->lock, NULL, memory_order_relaxed);
    file->is_over = true;
    bool is_unused = file->sleeper_count == 0;
    mutex_unlock(lock);
    return is_unused;
}
