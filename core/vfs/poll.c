// SPDX-License-Identifier: BSD-3-Clause
// poll.c: waiting for any of several files.
//
// The waiter enters itself in each file's list in the same breath as it looks whether the file is
// ready, under the file's own rules; a wake sets `woken` before it wakes the thread. So whatever
// becomes ready after the look ends the park.
#include "core/vfs/poll.h"

#include "core/lib/assert.h"
#include "core/lib/errno.h"
#include "core/mem/heap.h"
#include "core/sched/thread.h"
#include "core/sync/waitqueue.h"

enum { ENTRIES_ON_STACK = 4, ALWAYS_WANTED = POLL_ERROR | POLL_HANG_UP };

static void list_ready_locked(struct poll_list *list)
{
    if (list->entries.next == NULL) {
        list_init(&list->entries);
    }
}

// Those who want it alone come last.
void poll_list_add(struct poll_list *list, struct poll_entry *entry)
{
    ASSERT(entry->list == NULL);
    mutex_lock(&list->lock);
    list_ready_locked(list);
    if (entry->is_exclusive) {
        list_push_back(&list->entries, &entry->node);
    } else {
        list_push_front(&list->entries, &entry->node);
    }
    entry->list = list;
    mutex_unlock(&list->lock);
}

void poll_list_wake(struct poll_list *list, unsigned events)
{
    mutex_lock(&list->lock);
    list_ready_locked(list);
    struct list *node;
    list_for_each(node, &list->entries)
    {
        struct poll_entry *entry = container_of(node, struct poll_entry, node);
        bool is_wanted = ((entry->wanted | ALWAYS_WANTED) & events) != 0;
        if (is_wanted && entry->wake(entry, events) && entry->is_exclusive) {
            break;
        }
    }
    mutex_unlock(&list->lock);
}

bool poll_list_is_empty(struct poll_list *list)
{
    mutex_lock(&list->lock);
    bool is_empty = list->entries.next == NULL || list_is_empty(&list->entries);
    mutex_unlock(&list->lock);
    return is_empty;
}

void poll_entry_remove(struct poll_entry *entry)
{
    if (entry->list != NULL) {
        mutex_lock(&entry->list->lock);
        list_remove(&entry->node);
        mutex_unlock(&entry->list->lock);
        entry->list = NULL;
    }
}

void poll_entry_want(struct poll_entry *entry, unsigned wanted)
{
    if (entry->list == NULL) {
        entry->wanted = wanted;
        return;
    }
    mutex_lock(&entry->list->lock);
    entry->wanted = wanted;
    mutex_unlock(&entry->list->lock);
}

// ---- One look at several files, and one park -------------------------------

struct waiter {
    struct thread *thread;
    _Atomic uint32_t woken; // set before the thread is woken
};

struct waiter_entry {
    struct poll_entry entry;
    struct waiter *waiter;
};

static bool waiter_wake(struct poll_entry *entry, unsigned events)
{
    (void)events;
    struct waiter *waiter = container_of(entry, struct waiter_entry, entry)->waiter;
    // Release pairs with the acquire exchange in items_wait.
    atomic_store_explicit(&waiter->woken, 1, memory_order_release);
    thread_wake(waiter->thread);
    return true;
}

// entries NULL: they have been added already.
static int items_look(struct poll_item *items, size_t count, struct waiter_entry *entries)
{
    int ready = 0;
    for (size_t i = 0; i < count; ++i) {
        struct poll_item *item = &items[i];
        item->ready = 0;
        if (item->file == NULL) {
            continue;
        }
        // Once something is ready there will be no park, and nothing to be woken from.
        struct poll_entry *entry = entries != NULL && ready == 0 ? &entries[i].entry : NULL;
        unsigned events = file_poll(item->file, entry);
        item->ready = events & (item->wanted | POLL_ERROR | POLL_HANG_UP | POLL_INVALID);
        ready += item->ready != 0;
    }
    return ready;
}

static int items_wait(struct poll_item *items, size_t count, hal_ns deadline,
                      struct waiter_entry *entries, struct waiter *waiter)
{
    int ready = items_look(items, count, entries);
    bool in_time = true;
    while (ready == 0 && in_time) {
        if (wait_is_interrupted()) {
            return -EINTR;
        }
        if (atomic_exchange_explicit(&waiter->woken, 0, memory_order_acquire) == 0) {
            thread_wait_note(thread_self(), THREAD_WAIT_POLL, items);
            in_time = thread_park_until(deadline);
            thread_wait_note(thread_self(), THREAD_WAIT_NONE, NULL);
        }
        ready = items_look(items, count, NULL);
    }
    return ready;
}

int poll_wait(struct poll_item *items, size_t count, hal_ns deadline)
{
    if (deadline <= hal_clock_ns()) {
        return items_look(items, count, NULL);
    }
    struct waiter_entry few[ENTRIES_ON_STACK];
    struct waiter_entry *entries = few;
    if (count > ENTRIES_ON_STACK) {
        entries = heap_alloc(count * sizeof *entries);
        if (entries == NULL) {
            return -ENOMEM;
        }
    }
    struct waiter waiter = {.thread = thread_self()};
    for (size_t i = 0; i < count; ++i) {
        entries[i] = (struct waiter_entry){
            .entry = {.wanted = items[i].wanted, .wake = waiter_wake}, .waiter = &waiter};
    }
    int result = items_wait(items, count, deadline, entries, &waiter);
    for (size_t i = 0; i < count; ++i) {
        poll_entry_remove(&entries[i].entry);
    }
    if (entries != few) {
        heap_free(entries);
    }
    return result;
}
