// SPDX-License-Identifier: BSD-3-Clause
// epoll.c: a set of files that stays entered in their lists of waiters.
//
// Each item has an entry in its file's poll_list. A wake puts the item into the list of ready ones
// and wakes one waiter; epoll_collect takes items out of it, asks each file again, and puts those
// that are level-triggered back. So a wait costs what is ready, not what is in the set. An item
// that is taken out is asked afterwards: what becomes ready after that puts it in again.
//
// Locks, in this order: sets_lock (files' lists of items; which epoll is in which), epoll->lock
// (items; held while files are asked, so that one file's end waits for it), a file's own, its
// poll_list's, epoll->ready_lock. Epolls form no loop and nest at most NEST_MAX deep, so the
// calls through file_poll and wake that go from one to the next are bounded.
//
// The set does not keep files open: the last file_put calls epoll_forget, before the file's close.
#include "core/vfs/epoll.h"

#include "core/lib/assert.h"
#include "core/lib/errno.h"
#include "core/lib/list.h"
#include "core/lib/tree.h"
#include "core/mem/heap.h"
#include "core/sync/waitqueue.h"
#include "core/vfs/nameless.h"
#include "core/vfs/poll.h"
#include "core/vfs/vnode.h"

enum { NEST_MAX = 4 };

// Linux include/uapi/linux/eventpoll.h
#define EPOLL_EXCLUSIVE (UINT32_C(1) << 28)
#define EPOLL_WAKE_UP (UINT32_C(1) << 29)
#define EPOLL_ONE_SHOT (UINT32_C(1) << 30)
#define EPOLL_EDGE (UINT32_C(1) << 31)
#define EPOLL_HOW (EPOLL_EXCLUSIVE | EPOLL_WAKE_UP | EPOLL_ONE_SHOT | EPOLL_EDGE)
#define EPOLL_EXCLUSIVE_OK                                                                         \
    (POLL_IN | POLL_OUT | POLL_ERROR | POLL_HANG_UP | EPOLL_WAKE_UP | EPOLL_EDGE | EPOLL_EXCLUSIVE)

struct epoll {
    struct mutex lock;
    struct tree items;       // lock; by file and number
    struct mutex ready_lock; // guards the next two
    struct list ready;
    struct waitqueue waiters;
    struct poll_list poll; // who waits for the epoll as a file
    int above;             // sets_lock: it was once in so many epolls, one in the other; never less
};

struct epoll_item {
    struct tree_node node;   // epoll->lock
    struct list file_node;   // in file->watchers; sets_lock
    struct list ready_node;  // ready_lock; empty: not in the list
    struct poll_entry entry; // in the file's list of waiters
    struct epoll *epoll;
    struct file *file;
    int fd;
    uint32_t events; // epoll->lock
    uint64_t data;   // epoll->lock
};

static struct mutex sets_lock;
static const struct file_ops epoll_ops;

static struct epoll_item *item_of(struct tree_node *node)
{
    return node == NULL ? NULL : container_of(node, struct epoll_item, node);
}

static bool item_less(const struct tree_node *a, const struct tree_node *b)
{
    const struct epoll_item *x = container_of(a, struct epoll_item, node);
    const struct epoll_item *y = container_of(b, struct epoll_item, node);
    return x->file != y->file ? x->file < y->file : x->fd < y->fd;
}

static struct epoll_item *item_find(struct epoll *epoll, struct file *file, int fd)
{
    struct epoll_item key = {.file = file, .fd = fd};
    struct tree_node *node = epoll->items.root;
    while (node != NULL) {
        if (item_less(&key.node, node)) {
            node = node->left;
        } else if (item_less(node, &key.node)) {
            node = node->right;
        } else {
            break;
        }
    }
    return item_of(node);
}

// Answers whether somebody waits for it.
static bool ready_push(struct epoll_item *item)
{
    struct epoll *epoll = item->epoll;
    mutex_lock(&epoll->ready_lock);
    if (list_is_empty(&item->ready_node)) {
        list_push_back(&epoll->ready, &item->ready_node);
    }
    bool is_taken = waitqueue_wake_one(&epoll->waiters);
    mutex_unlock(&epoll->ready_lock);
    return is_taken;
}

// Under the lock of the file's list of waiters.
static bool item_wake(struct poll_entry *entry, unsigned events)
{
    (void)events;
    struct epoll_item *item = container_of(entry, struct epoll_item, entry);
    bool is_taken = ready_push(item);
    poll_list_wake_ordered(&item->epoll->poll, POLL_IN_ANY); // by ready_lock
    return is_taken;
}

static void ready_remove(struct epoll_item *item)
{
    mutex_lock(&item->epoll->ready_lock);
    list_remove(&item->ready_node);
    mutex_unlock(&item->epoll->ready_lock);
}

static unsigned wanted_of(uint32_t events)
{
    return events & ~EPOLL_HOW;
}

// Events that are ready and wanted; a one-shot that has been reported wants none, not even errors.
static unsigned item_look(struct epoll_item *item, struct poll_entry *entry)
{
    unsigned wanted = wanted_of(item->events);
    unsigned ready = file_poll(item->file, entry);
    return wanted == 0 ? 0 : ready & wanted;
}

// ---- The set ---------------------------------------------------------------

static void item_events_set(struct epoll_item *item, uint32_t events)
{
    item->events = events | POLL_ERROR | POLL_HANG_UP;
    poll_entry_want(&item->entry, wanted_of(item->events));
}

// After an item was made or changed: what is ready already counts.
static void item_start(struct epoll_item *item, struct poll_entry *entry)
{
    if (item_look(item, entry) != 0) {
        (void)ready_push(item);
        poll_list_wake_ordered(&item->epoll->poll, POLL_IN_ANY);
    }
}

// sets_lock and epoll->lock are held.
static int item_add(struct epoll *epoll, struct file *file, int fd, uint32_t events, uint64_t data)
{
    struct epoll_item *item = heap_alloc_zeroed(sizeof *item);
    if (item == NULL) {
        return -ENOMEM;
    }
    list_init(&item->ready_node);
    item->epoll = epoll;
    item->file = file;
    item->fd = fd;
    item->data = data;
    item->entry.wake = item_wake;
    item->entry.is_exclusive = (events & EPOLL_EXCLUSIVE) != 0;
    item_events_set(item, events);
    if (file->watchers.next == NULL) {
        list_init(&file->watchers);
    }
    list_push_back(&file->watchers, &item->file_node);
    tree_insert(&epoll->items, &item->node, item_less);
    item_start(item, &item->entry);
    return 0;
}

// sets_lock and epoll->lock are held.
static void item_discard(struct epoll_item *item)
{
    poll_entry_remove(&item->entry); // from here on nobody puts it into the list of ready ones
    ready_remove(item);
    list_remove(&item->file_node);
    tree_remove(&item->epoll->items, &item->node);
    heap_free(item);
}

static int item_change(struct epoll_item *item, uint32_t events, uint64_t data)
{
    if (((item->events | events) & EPOLL_EXCLUSIVE) != 0) {
        return -EINVAL;
    }
    item->data = data;
    item_events_set(item, events);
    item_start(item, NULL);
    return 0;
}

static bool is_epoll(const struct file *file)
{
    return file->ops == &epoll_ops;
}

// The first item at or after node that watches an epoll.
static struct tree_node *nested_next(struct tree_node *node)
{
    while (node != NULL && !is_epoll(item_of(node)->file)) {
        node = tree_next(node);
    }
    return node;
}

// Visits start, which is to lie above epolls deep, and the epolls in it. False: target is among
// them, or they would lie too deep. is_commit: notes how deep each lies. sets_lock is held.
static bool nest_walk(struct epoll *start, const struct epoll *target, int above, bool is_commit)
{
    struct tree_node *path[NEST_MAX];
    int depth = 0;
    struct epoll *visited = start;
    for (;;) {
        if (visited == target || above + depth > NEST_MAX) {
            return false;
        }
        if (is_commit && visited->above < above + depth) {
            visited->above = above + depth;
        }
        struct tree_node *node = nested_next(tree_first(&visited->items));
        while (node == NULL && depth > 0) {
            node = nested_next(tree_next(path[--depth]));
        }
        if (node == NULL) {
            return true;
        }
        path[depth++] = node;
        visited = item_of(node)->file->state;
    }
}

static int item_add_checked(struct epoll *epoll, struct file *file, int fd, uint32_t events,
                            uint64_t data)
{
    bool is_exclusive = (events & EPOLL_EXCLUSIVE) != 0;
    if (is_exclusive && (is_epoll(file) || (events & ~EPOLL_EXCLUSIVE_OK) != 0)) {
        return -EINVAL;
    }
    mutex_lock(&sets_lock);
    struct epoll *inner = is_epoll(file) ? file->state : NULL;
    int error = inner != NULL && !nest_walk(inner, epoll, epoll->above + 1, false) ? -ELOOP : 0;
    mutex_lock(&epoll->lock);
    if (item_find(epoll, file, fd) != NULL) {
        error = -EEXIST;
    }
    if (error == 0) {
        error = item_add(epoll, file, fd, events, data);
    }
    if (error == 0 && inner != NULL) {
        (void)nest_walk(inner, NULL, epoll->above + 1, true);
    }
    mutex_unlock(&epoll->lock);
    mutex_unlock(&sets_lock);
    return error;
}

static int item_remove(struct epoll *epoll, struct file *file, int fd)
{
    mutex_lock(&sets_lock);
    mutex_lock(&epoll->lock);
    struct epoll_item *item = item_find(epoll, file, fd);
    if (item != NULL) {
        item_discard(item);
    }
    mutex_unlock(&epoll->lock);
    mutex_unlock(&sets_lock);
    return item == NULL ? -ENOENT : 0;
}

int epoll_control(struct file *file, int operation, struct file *target, int fd, uint32_t events,
                  uint64_t data)
{
    struct epoll *epoll = file->state;
    if (target->ops->poll == NULL) {
        return -EPERM;
    }
    if (!is_epoll(file) || file == target) {
        return -EINVAL;
    }
    switch (operation) {
    case EPOLL_ADD:
        return item_add_checked(epoll, target, fd, events, data);
    case EPOLL_REMOVE:
        return item_remove(epoll, target, fd);
    case EPOLL_CHANGE:
        break;
    default:
        return -EINVAL;
    }
    mutex_lock(&epoll->lock);
    struct epoll_item *item = item_find(epoll, target, fd);
    int error = item == NULL ? -ENOENT : item_change(item, events, data);
    mutex_unlock(&epoll->lock);
    return error;
}

void epoll_forget(struct file *file)
{
    mutex_lock(&sets_lock);
    while (file->watchers.next != NULL && !list_is_empty(&file->watchers)) {
        struct epoll_item *item = container_of(file->watchers.next, struct epoll_item, file_node);
        struct epoll *epoll = item->epoll;
        mutex_lock(&epoll->lock); // nobody asks the file any more
        item_discard(item);
        mutex_unlock(&epoll->lock);
    }
    mutex_unlock(&sets_lock);
}

// ---- Waiting ---------------------------------------------------------------

// *last: before that, the last of the ready ones, unless last is NULL.
static struct epoll_item *ready_pop(struct epoll *epoll, struct list **last)
{
    mutex_lock(&epoll->ready_lock);
    if (last != NULL) {
        *last = epoll->ready.previous;
    }
    struct list *node = list_pop_front(&epoll->ready);
    mutex_unlock(&epoll->ready_lock);
    return node == NULL ? NULL : container_of(node, struct epoll_item, ready_node);
}

struct emission {
    int (*emit)(uint32_t events, uint64_t data, void *argument);
    void *argument;
    int max, count, error;
};

// An item that has just been taken out of the ready ones. epoll->lock is held.
static void item_report(struct epoll_item *item, struct emission *to)
{
    unsigned ready = item_look(item, NULL);
    if (ready == 0) {
        return;
    }
    to->error = to->emit(ready, item->data, to->argument);
    if (to->error != 0) {
        (void)ready_push(item);
        return;
    }
    ++to->count;
    if ((item->events & EPOLL_ONE_SHOT) != 0) {
        item->events &= EPOLL_HOW;
        poll_entry_want(&item->entry, 0);
    } else if ((item->events & EPOLL_EDGE) == 0) {
        (void)ready_push(item); // still ready as far as anybody knows; wakes another waiter
    }
}

// Items put back meanwhile are not looked at twice: the last of those that were there ends it.
static void ready_report(struct epoll *epoll, struct emission *to)
{
    struct list *last;
    mutex_lock(&epoll->lock);
    struct epoll_item *item = ready_pop(epoll, &last);
    while (item != NULL) {
        bool is_last = &item->ready_node == last;
        item_report(item, to);
        bool goes_on = !is_last && to->count < to->max && to->error == 0;
        item = goes_on ? ready_pop(epoll, NULL) : NULL;
    }
    mutex_unlock(&epoll->lock);
}

static int ready_wait(struct epoll *epoll, hal_ns deadline)
{
    enum wait_result result = WAIT_WOKEN;
    mutex_lock(&epoll->ready_lock);
    while (list_is_empty(&epoll->ready) && result == WAIT_WOKEN) {
        result = waitqueue_wait_until(&epoll->waiters, &epoll->ready_lock, deadline, true);
    }
    bool is_ready = !list_is_empty(&epoll->ready);
    mutex_unlock(&epoll->ready_lock);
    return is_ready ? 1 : result == WAIT_INTERRUPTED ? -EINTR : 0;
}

int epoll_collect(struct file *file, int max, hal_ns deadline,
                  int (*emit)(uint32_t events, uint64_t data, void *argument), void *argument)
{
    if (!is_epoll(file)) {
        return -EINVAL;
    }
    struct epoll *epoll = file->state;
    struct emission to = {.emit = emit, .argument = argument, .max = max};
    for (;;) {
        ready_report(epoll, &to);
        if (to.count > 0 || to.error != 0) {
            return to.count > 0 ? to.count : to.error;
        }
        int result = deadline <= hal_clock_ns() ? 0 : ready_wait(epoll, deadline);
        if (result <= 0) {
            return result;
        }
    }
}

// ---- The epoll as a file ---------------------------------------------------

// An item that turns out not to be ready leaves the list, as in a wait.
static unsigned epoll_poll(struct file *file, struct poll_entry *entry)
{
    struct epoll *epoll = file->state;
    if (entry != NULL) {
        poll_list_add(&epoll->poll, entry);
    }
    unsigned events = 0;
    struct epoll_item *item;
    mutex_lock(&epoll->lock);
    while (events == 0 && (item = ready_pop(epoll, NULL)) != NULL) {
        if (item_look(item, NULL) != 0) {
            events = POLL_IN_ANY;
            (void)ready_push(item);
        }
    }
    mutex_unlock(&epoll->lock);
    return events;
}

static void epoll_close(struct file *file)
{
    struct epoll *epoll = file->state;
    struct tree_node *node;
    mutex_lock(&sets_lock);
    mutex_lock(&epoll->lock);
    while ((node = tree_first(&epoll->items)) != NULL) {
        item_discard(item_of(node));
    }
    mutex_unlock(&epoll->lock);
    mutex_unlock(&sets_lock);
    heap_free(epoll);
}

static const struct file_ops epoll_ops = {
    .seek = file_seek_nowhere,
    .poll = epoll_poll,
    .status = nameless_shared_status,
    .close = epoll_close,
};

int epoll_make(struct file **file)
{
    struct epoll *epoll = heap_alloc_zeroed(sizeof *epoll);
    if (epoll == NULL) {
        return -ENOMEM;
    }
    list_init(&epoll->ready);
    int error = file_create(file, &epoll_ops, OPEN_READ_WRITE, epoll);
    if (error != 0) {
        heap_free(epoll);
        return error;
    }
    (*file)->is_stream = true;
    return 0;
}
