// SPDX-License-Identifier: BSD-3-Clause
// lock.c: advisory locks, one table for each file that has some.
//
// A table is found by the file's device and inode, and lives while it holds a lock or somebody
// waits there. Invariant: the ranges of one owner are neighbours in their list, ascending,
// disjoint, and two that touch are of different types. Who has to wait looks again whenever a lock
// of that file has been given up.
//
// There is one process, so no wait of it can close a circle with another's: what Linux answers
// EDEADLK to does not come about (it does not look at the waits of open files either).
#include "core/vfs/lock.h"

#include "core/lib/assert.h"
#include "core/lib/errno.h"
#include "core/lib/list.h"
#include "core/mem/heap.h"
#include "core/sync/waitqueue.h"
#include "core/vfs/file.h"
#include "core/vfs/mount.h"
#include "core/vfs/vnode.h"

enum { BUCKET_COUNT = 64 };

struct range {
    struct list node;
    const struct file *owner; // NULL: the process
    enum lock_type type;
    int64_t start, last;
};

struct table {
    struct list node; // in its bucket
    uint64_t device, inode;
    struct list ranges, wholes; // of struct range
    struct waitqueue waiters;
    uint32_t waiter_count;
};

static struct mutex lock; // guards all of the below
static struct list buckets[BUCKET_COUNT];
static _Atomic uint32_t process_range_count; // read without the lock, too

// ---- Tables ----

static int key_of(struct file *file, uint64_t *device, uint64_t *inode)
{
    if (file->vnode != NULL) {
        *device = file->vnode->mount->device;
        *inode = file->vnode->inode;
        return 0;
    }
    struct file_status status;
    int error = file_status(file, &status);
    *device = status.device;
    *inode = status.inode;
    return error;
}

static struct list *bucket_of(uint64_t inode)
{
    struct list *bucket = &buckets[inode % BUCKET_COUNT];
    if (bucket->next == NULL) {
        list_init(bucket);
    }
    return bucket;
}

static struct table *table_find(uint64_t device, uint64_t inode)
{
    struct list *node;
    list_for_each(node, bucket_of(inode))
    {
        struct table *table = container_of(node, struct table, node);
        if (table->device == device && table->inode == inode) {
            return table;
        }
    }
    return NULL;
}

static struct table *table_make(uint64_t device, uint64_t inode)
{
    struct table *table = heap_alloc_zeroed(sizeof *table);
    if (table != NULL) {
        table->device = device;
        table->inode = inode;
        list_init(&table->ranges);
        list_init(&table->wholes);
        list_push_front(bucket_of(inode), &table->node);
    }
    return table;
}

static void table_drop_unused(struct table *table)
{
    if (table->waiter_count == 0 && list_is_empty(&table->ranges) &&
        list_is_empty(&table->wholes)) {
        list_remove(&table->node);
        heap_free(table);
    }
}

// ---- Ranges ----

static struct range *range_of(struct list *node)
{
    return container_of(node, struct range, node);
}

static struct range *range_new(const struct range *like)
{
    struct range *range = heap_alloc(sizeof *range);
    if (range != NULL) {
        *range = *like;
    }
    return range;
}

static void range_insert(struct list *before, struct range *range)
{
    list_push_back(before, &range->node);
    process_range_count += range->owner == NULL;
}

static void range_remove(struct range *range)
{
    process_range_count -= range->owner == NULL;
    list_remove(&range->node);
    heap_free(range);
}

static bool overlaps(const struct range *a, const struct range *b)
{
    return a->start <= b->last && b->start <= a->last;
}

static bool touches(const struct range *a, const struct range *b)
{
    return overlaps(a, b) || (a->last != LOCK_LAST && a->last + 1 == b->start) ||
           (b->last != LOCK_LAST && b->last + 1 == a->start);
}

// The first range of another owner that excludes wanted; NULL: none.
static struct range *conflict_find(struct list *ranges, const struct range *wanted)
{
    struct list *node;
    list_for_each(node, ranges)
    {
        struct range *range = range_of(node);
        bool excludes = range->type == LOCK_WRITE || wanted->type == LOCK_WRITE;
        if (range->owner != wanted->owner && excludes && overlaps(range, wanted)) {
            return range;
        }
    }
    return NULL;
}

// Takes wanted's place out of range, which is of another type and overlaps it. tail is memory for
// what is left behind it, where something is left before it, too; NULL: it was used.
static void range_cut(struct range *range, const struct range *wanted, struct range **tail)
{
    bool has_head = range->start < wanted->start;
    bool has_tail = range->last > wanted->last;
    if (has_head && has_tail) {
        **tail = *range;
        (*tail)->start = wanted->last + 1;
        range_insert(range->node.next, *tail);
        *tail = NULL;
        range->last = wanted->start - 1;
    } else if (has_head) {
        range->last = wanted->start - 1;
    } else if (has_tail) {
        range->start = wanted->last + 1;
    } else {
        range_remove(range);
    }
}

// Where a range of that owner and start belongs: before the node answered.
static struct list *place_find(struct list *ranges, const struct range *wanted, struct list *end)
{
    struct list *node;
    list_for_each(node, ranges)
    {
        struct range *range = range_of(node);
        if (range->owner == wanted->owner && range->start > wanted->start) {
            return node;
        }
    }
    return end;
}

// Nobody is in the way: makes the owner's ranges in wanted's place what wanted says. wanted and
// tail are memory for at most two more; what is not used is freed.
static void ranges_change(struct list *ranges, struct range *wanted, struct range *tail)
{
    struct list *end = ranges; // what follows the owner's ranges
    struct list *next;
    for (struct list *node = ranges->next; node != ranges; node = next) {
        struct range *range = range_of(node);
        next = node->next;
        if (range->owner != wanted->owner) {
            continue;
        }
        end = next;
        if (range->type == wanted->type && touches(range, wanted)) {
            wanted->start = range->start < wanted->start ? range->start : wanted->start;
            wanted->last = range->last > wanted->last ? range->last : wanted->last;
            range_remove(range);
        } else if (range->type != wanted->type && overlaps(range, wanted)) {
            range_cut(range, wanted, &tail);
        }
    }
    heap_free(tail);
    if (wanted->type == LOCK_NONE) {
        heap_free(wanted);
    } else {
        range_insert(place_find(ranges, wanted, end), wanted);
    }
}

// Takes all of owner's out. True: there were some.
static bool ranges_drop(struct list *ranges, const struct file *owner)
{
    bool had = false;
    struct list *next;
    for (struct list *node = ranges->next; node != ranges; node = next) {
        next = node->next;
        if (range_of(node)->owner == owner) {
            range_remove(range_of(node));
            had = true;
        }
    }
    return had;
}

// ---- Setting ----

// A whole file's lock is replaced in two steps, between which others may get theirs (flock(2)).
// False: it is of that type already.
static bool whole_release(struct table *table, const struct range *wanted)
{
    struct list *node;
    list_for_each(node, &table->wholes)
    {
        if (range_of(node)->owner == wanted->owner && range_of(node)->type == wanted->type) {
            return false;
        }
    }
    if (ranges_drop(&table->wholes, wanted->owner)) {
        waitqueue_wake_all(&table->waiters);
    }
    return true;
}

static int conflict_await(struct table *table, struct list *ranges, const struct range *wanted,
                          bool waits)
{
    enum wait_result result = WAIT_WOKEN;
    while (conflict_find(ranges, wanted) != NULL && result == WAIT_WOKEN) {
        if (!waits) {
            return -EAGAIN;
        }
        ++table->waiter_count;
        result = waitqueue_wait_until(&table->waiters, &lock, UINT64_MAX, true);
        --table->waiter_count;
    }
    return result == WAIT_WOKEN ? 0 : -EINTR;
}

// Takes wanted and tail over.
static int table_set(struct table *table, enum lock_kind kind, struct range *wanted,
                     struct range *tail, bool waits)
{
    struct list *ranges = kind == LOCK_WHOLE ? &table->wholes : &table->ranges;
    int error = 0;
    bool changes = kind != LOCK_WHOLE || whole_release(table, wanted);
    if (changes && wanted->type != LOCK_NONE) {
        error = conflict_await(table, ranges, wanted, waits);
    }
    if (error != 0 || !changes) {
        heap_free(wanted);
        heap_free(tail);
        return error;
    }
    ranges_change(ranges, wanted, tail);
    waitqueue_wake_all(&table->waiters); // part of what was held may be free now
    return 0;
}

static struct range range_wanted(const struct file *file, const struct lock *how)
{
    ASSERT(how->start >= 0 && how->start <= how->last);
    return (struct range){.owner = how->kind == LOCK_OF_PROCESS ? NULL : file,
                          .type = how->type,
                          .start = how->start,
                          .last = how->last};
}

int lock_set(struct file *file, const struct lock *how, bool waits)
{
    uint64_t device, inode;
    struct range wanted = range_wanted(file, how);
    int error = key_of(file, &device, &inode);
    if (error != 0) {
        return error;
    }
    struct range *first = range_new(&wanted);
    struct range *second = range_new(&wanted);
    mutex_lock(&lock);
    struct table *table = table_find(device, inode);
    if (table == NULL && how->type != LOCK_NONE) {
        table = table_make(device, inode);
    }
    if (first == NULL || second == NULL || table == NULL) {
        heap_free(first);
        heap_free(second);
        error = how->type == LOCK_NONE && table == NULL ? 0 : -ENOLCK;
    } else {
        file->has_locks |= how->kind != LOCK_OF_PROCESS;
        error = table_set(table, how->kind, first, second, waits);
    }
    if (table != NULL) {
        table_drop_unused(table);
    }
    mutex_unlock(&lock);
    return error;
}

int lock_find(struct file *file, struct lock *how)
{
    uint64_t device, inode;
    struct range wanted = range_wanted(file, how);
    int error = key_of(file, &device, &inode);
    if (error != 0) {
        return error;
    }
    mutex_lock(&lock);
    struct table *table = table_find(device, inode);
    const struct range *found = table == NULL ? NULL : conflict_find(&table->ranges, &wanted);
    if (found == NULL) {
        how->type = LOCK_NONE;
    } else {
        *how = (struct lock){.kind = found->owner == NULL ? LOCK_OF_PROCESS : LOCK_OF_FILE,
                             .type = found->type,
                             .start = found->start,
                             .last = found->last};
    }
    mutex_unlock(&lock);
    return 0;
}

static void drop(struct file *file, const struct file *owner)
{
    uint64_t device, inode;
    int error = key_of(file, &device, &inode);
    if (error != 0) {
        return; // no lock could be set on it either
    }
    mutex_lock(&lock);
    struct table *table = table_find(device, inode);
    if (table != NULL) {
        bool had = ranges_drop(&table->ranges, owner);
        had |= owner != NULL && ranges_drop(&table->wholes, owner);
        if (had) {
            waitqueue_wake_all(&table->waiters);
        }
        table_drop_unused(table);
    }
    mutex_unlock(&lock);
}

void lock_drop_process(struct file *file)
{
    if (process_range_count != 0) {
        drop(file, NULL);
    }
}

void lock_drop_file(struct file *file)
{
    drop(file, file);
}
