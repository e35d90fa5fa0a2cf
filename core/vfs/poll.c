// SPDX-License-Identifier: BSD-3-Clause
// poll.c: waiting for any of several files.
//
// An item enters its file's list in the same breath as it looks whether the file is ready, under
// the file's own rules.
#include "core/vfs/poll.h"

#include "core/lib/assert.h"

enum { ALWAYS_WANTED = POLL_ERROR | POLL_HANG_UP };

// With the list's lock held.
static void entries_count(struct poll_list *list, uint32_t change)
{
    uint32_t count = atomic_load_explicit(&list->entry_count, memory_order_relaxed);
    atomic_store_explicit(&list->entry_count, count + change, memory_order_relaxed);
}

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
    entries_count(list, 1);
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
        entries_count(entry->list, -1u);
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

// ---- Several files ----------------------------------------------------------

static bool item_wake(struct poll_entry *entry, unsigned events)
{
    (void)events;
    wait_wake(container_of(entry, struct poll_item, entry)->wait);
    return true;
}

static unsigned item_look(struct poll_item *item, struct poll_entry *entry)
{
    item->ready = file_poll(item->file, entry) & (item->wanted | ALWAYS_WANTED | POLL_INVALID);
    return item->ready;
}

static unsigned source_look(struct wait_source *source)
{
    return item_look(container_of(source, struct poll_item, source), NULL);
}

// Answers how many are ready. wait NULL: enters none.
static int items_look(struct poll_item *items, size_t count, struct wait *wait)
{
    int ready = 0;
    for (size_t i = 0; i < count; ++i) {
        struct poll_item *item = &items[i];
        struct poll_entry *entry = NULL;
        item->ready = 0;
        item->entry.list = NULL;
        if (item->file == NULL) {
            continue;
        }
        // Once something is ready there will be no sleep, and nothing to be woken from.
        if (wait != NULL && ready == 0) {
            item->entry = (struct poll_entry){.wanted = item->wanted, .wake = item_wake};
            item->wait = wait;
            entry = &item->entry;
        }
        ready += item_look(item, entry) != 0;
    }
    return ready;
}

// They have been looked at.
static int items_wait(struct poll_item *items, size_t count, struct wait *wait, hal_ns deadline)
{
    struct wait_source *sources = NULL;
    for (size_t i = count; i-- > 0;) {
        if (items[i].file != NULL) {
            items[i].source = (struct wait_source){.next = sources, .look = source_look};
            sources = &items[i].source;
        }
    }
    return wait_any(sources, wait, deadline);
}

int poll_wait(struct poll_item *items, size_t count, hal_ns deadline)
{
    if (deadline <= hal_clock_ns()) {
        return items_look(items, count, NULL);
    }
    struct wait wait = wait_make(THREAD_WAIT_POLL, items);
    int result = items_look(items, count, &wait);
    if (result == 0) {
        result = items_wait(items, count, &wait, deadline);
    }
    for (size_t i = 0; i < count; ++i) {
        poll_entry_remove(&items[i].entry);
    }
    return result;
}
