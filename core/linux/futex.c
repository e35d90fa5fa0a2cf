// SPDX-License-Identifier: BSD-3-Clause
// futex.c: buckets of waiters by the word's address, each under a sleeping mutex.
//
// Invariant: a waiter is in exactly one bucket's list from when it has compared the word, under
// that bucket's mutex, until somebody takes it out: a waker, who then sets is_woken and wakes the
// thread, or the waiter itself, which gives up. Only private futexes exist: there is one address
// space. Who waits for several words has a waiter for each, and one struct wait for them all.
#include "core/linux/futex.h"

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "core/lib/errno.h"
#include "core/lib/list.h"
#include "core/linux/clock.h"
#include "core/linux/syscall.h"
#include "core/linux/task.h"
#include "core/linux/user.h"
#include "core/mem/heap.h"
#include "core/sched/thread.h"
#include "core/sync/mutex.h"
#include "core/sync/wait.h"
#include "core/sync/waitqueue.h"

enum { BUCKET_COUNT = 256 };

// Linux include/uapi/linux/futex.h
enum {
    FUTEX_WAIT = 0,
    FUTEX_WAKE = 1,
    FUTEX_REQUEUE = 3,
    FUTEX_CMP_REQUEUE = 4,
    FUTEX_WAIT_BITSET = 9,
    FUTEX_WAKE_BITSET = 10,
    FUTEX_CMD_MASK = 0x7f,
    FUTEX_CLOCK_REALTIME = 256,
};

struct futex_waiter {
    struct list node; // by priority, equals in the order in which they came
    struct thread *thread;
    struct wait *wait;                // of who waits for several; NULL: for this one alone
    _Atomic(_Atomic uint32_t *) word; // changed under the bucket's mutex, by a requeue
    uint32_t bits;
    uint8_t priority; // of a real-time thread, when it began to wait; else 0
    _Atomic bool is_woken;
};

struct futex_bucket {
    _Alignas(64) struct mutex lock;
    struct list waiters; // lock; links NULL until the first waiter
};

static struct futex_bucket buckets[BUCKET_COUNT];

static struct futex_bucket *bucket_of(const _Atomic uint32_t *word)
{
    uint64_t hash = ((uintptr_t)word >> 2) * 0x9e3779b97f4a7c15u;
    return &buckets[hash >> 56];
}

static void bucket_lock(struct futex_bucket *bucket)
{
    mutex_lock(&bucket->lock);
    if (bucket->waiters.next == NULL) {
        list_init(&bucket->waiters);
    }
}

static struct futex_waiter *waiter_of(struct list *node)
{
    return container_of(node, struct futex_waiter, node);
}

static void bucket_add(struct futex_bucket *bucket, struct futex_waiter *waiter)
{
    struct list *after = bucket->waiters.previous;
    while (after != &bucket->waiters && waiter_of(after)->priority < waiter->priority) {
        after = after->previous;
    }
    list_insert_after(after, &waiter->node);
}

static uint8_t priority_of_self(void)
{
    return thread_schedule_get(thread_self()).priority;
}

static void waiter_wake(struct futex_waiter *waiter)
{
    list_remove(&waiter->node);
    struct thread *thread = waiter->thread;
    struct wait *wait = waiter->wait;
    atomic_store_explicit(&waiter->is_woken, true,
                          memory_order_release); // waiter is gone from here
    if (wait != NULL) {
        // After that, so that a look which follows finds it. Who waits for several takes the
        // bucket's mutex to leave: wait is there.
        (void)wait_flag(wait);
    }
    thread_wake(thread);
}

// Takes the waiter out of wherever a requeue has put it by now. False: it has been woken, and the
// waker is done with it.
static bool waiter_withdraw(struct futex_waiter *waiter)
{
    for (;;) {
        _Atomic uint32_t *word = atomic_load(&waiter->word);
        struct futex_bucket *bucket = bucket_of(word);
        bucket_lock(bucket);
        bool is_here = bucket_of(atomic_load(&waiter->word)) == bucket;
        bool is_waiting = !atomic_load_explicit(&waiter->is_woken, memory_order_acquire);
        if (is_here && is_waiting) {
            list_remove(&waiter->node);
        }
        mutex_unlock(&bucket->lock);
        if (is_here) {
            return is_waiting;
        }
    }
}

int futex_wait(_Atomic uint32_t *word, uint32_t expected, uint32_t bits, hal_ns deadline)
{
    struct futex_waiter waiter = {
        .thread = thread_self(), .bits = bits, .priority = priority_of_self()};
    atomic_store_explicit(&waiter.word, word, memory_order_relaxed);
    char byte; // of a word that is aligned: the rest is on the same page
    int error = user_read(&byte, (const void *)word, 1);
    if (error != 0) {
        return error;
    }
    struct futex_bucket *bucket = bucket_of(word);
    bucket_lock(bucket);
    if (atomic_load(word) != expected) {
        mutex_unlock(&bucket->lock);
        return -EAGAIN;
    }
    bucket_add(bucket, &waiter);
    mutex_unlock(&bucket->lock);

    thread_wait_note(waiter.thread, THREAD_WAIT_FUTEX, (const void *)word);
    int result = 0;
    while (result == 0 && !atomic_load_explicit(&waiter.is_woken,
                                                memory_order_acquire)) { // pairs with waiter_wake
        bool is_timed_out = !thread_park_until(deadline);
        if ((is_timed_out || wait_is_interrupted()) && waiter_withdraw(&waiter)) {
            result = is_timed_out ? -ETIMEDOUT : -EINTR;
        }
    }
    thread_wait_note(waiter.thread, THREAD_WAIT_NONE, NULL);
    return result;
}

int futex_wake(_Atomic uint32_t *word, int count, uint32_t bits)
{
    struct futex_bucket *bucket = bucket_of(word);
    int woken = 0;
    int looked = 0;
    bucket_lock(bucket);
    bool is_batch = count > 1 && bucket->waiters.next != bucket->waiters.previous;
    uintptr_t irq = is_batch ? thread_batch_begin() : 0;
    struct list *next;
    for (struct list *node = bucket->waiters.next; node != &bucket->waiters && woken < count;
         node = next) {
        struct futex_waiter *waiter = waiter_of(node);
        next = node->next;
        if (is_batch && ++looked % THREAD_BATCH_MAX == 0) {
            thread_batch_end(irq);
            irq = thread_batch_begin();
        }
        if (atomic_load_explicit(&waiter->word, memory_order_relaxed) == word &&
            (waiter->bits & bits) != 0) {
            waiter_wake(waiter);
            ++woken;
        }
    }
    if (is_batch) {
        thread_batch_end(irq);
    }
    mutex_unlock(&bucket->lock);
    return woken;
}

// Both buckets, in the order of their addresses.
static void bucket_lock_both(struct futex_bucket *a, struct futex_bucket *b)
{
    bucket_lock(a < b ? a : b);
    if (a != b) {
        bucket_lock(a < b ? b : a);
    }
}

int futex_requeue(_Atomic uint32_t *word, int wake_count, int requeue_count,
                  _Atomic uint32_t *target)
{
    struct futex_bucket *from = bucket_of(word);
    struct futex_bucket *to = bucket_of(target);
    int woken = 0;
    int moved = 0;
    bucket_lock_both(from, to);
    struct list *next;
    for (struct list *node = from->waiters.next; node != &from->waiters; node = next) {
        struct futex_waiter *waiter = waiter_of(node);
        next = node->next;
        if (atomic_load_explicit(&waiter->word, memory_order_relaxed) != word || word == target) {
            continue;
        }
        if (woken < wake_count) {
            waiter_wake(waiter);
            ++woken;
        } else if (moved < requeue_count) {
            list_remove(&waiter->node);
            atomic_store(&waiter->word, target);
            bucket_add(to, waiter);
            ++moved;
        }
    }
    mutex_unlock(&from->lock);
    if (from != to) {
        mutex_unlock(&to->lock);
    }
    return woken + moved;
}

static int deadline_read(hal_ns *deadline, const struct timespec *timeout, int operation)
{
    *deadline = UINT64_MAX;
    if (timeout == NULL) {
        return 0;
    }
    bool is_absolute = (operation & FUTEX_CMD_MASK) == FUTEX_WAIT_BITSET;
    int clock = operation & FUTEX_CLOCK_REALTIME ? CLOCK_REALTIME : CLOCK_MONOTONIC;
    return clock_deadline_read(deadline, clock, is_absolute, timeout);
}

static long wait_call(_Atomic uint32_t *word, int operation, uint32_t value, uintptr_t timeout,
                      uint32_t bits)
{
    hal_ns deadline;
    if (bits == 0) {
        return -EINVAL;
    }
    int error = deadline_read(&deadline, (const struct timespec *)timeout, operation);
    if (error == 0) {
        error = futex_wait(word, value, bits, deadline);
    }
    return error == -EINTR && timeout != 0 ? -LINUX_INTERRUPTED : error;
}

long linux_futex(_Atomic uint32_t *word, int operation, uint32_t value, uintptr_t timeout,
                 _Atomic uint32_t *word2, uint32_t value3)
{
    if (((uintptr_t)word & 3) != 0) {
        return -EINVAL;
    }
    switch (operation & FUTEX_CMD_MASK) {
    case FUTEX_WAIT:
        return wait_call(word, operation, value, timeout, (uint32_t)FUTEX_ANY);
    case FUTEX_WAIT_BITSET:
        return wait_call(word, operation, value, timeout, value3);
    case FUTEX_WAKE:
        return futex_wake(word, (int)value, (uint32_t)FUTEX_ANY);
    case FUTEX_WAKE_BITSET:
        return value3 == 0 ? -EINVAL : futex_wake(word, (int)value, value3);
    case FUTEX_REQUEUE:
        return futex_requeue(word, (int)value, (int)timeout, word2);
    case FUTEX_CMP_REQUEUE:
        if (atomic_load(word) != value3) {
            return -EAGAIN;
        }
        return futex_requeue(word, (int)value, (int)timeout, word2);
    default:
        return -ENOSYS;
    }
}

// ---- Several words at once: futex_waitv(2) -----------------------------------------

enum { VECTOR_MAX = 128, VECTOR_SIZE_U32 = 2, VECTOR_PRIVATE = 128 };

// As the caller has it, include/uapi/linux/futex.h: struct futex_waitv.
struct vector_word {
    uint64_t expected;
    uint64_t address;
    uint32_t flags;
    uint32_t reserved;
};

struct vector_source {
    struct wait_source source;
    struct futex_waiter waiter;
    uint32_t expected;
};

static unsigned vector_look(struct wait_source *source)
{
    struct vector_source *of = container_of(source, struct vector_source, source);
    return atomic_load_explicit(&of->waiter.is_woken, memory_order_acquire);
}

// False: the word is not what the caller expects.
static bool vector_enter(struct vector_source *source, struct wait *wait)
{
    const _Atomic uint32_t *word = atomic_load(&source->waiter.word);
    struct futex_bucket *bucket = bucket_of(word);
    source->waiter.thread = wait->thread;
    source->waiter.wait = wait;
    bucket_lock(bucket);
    bool is_expected = atomic_load(word) == source->expected;
    if (is_expected) {
        bucket_add(bucket, &source->waiter);
    }
    mutex_unlock(&bucket->lock);
    return is_expected;
}

static int vector_read(struct vector_source *sources, uintptr_t user, size_t count)
{
    int error = 0;
    for (size_t i = 0; i < count && error == 0; ++i) {
        struct vector_word word;
        error = user_read(&word, (const void *)(user + i * sizeof word), sizeof word);
        if (error == 0 && ((word.flags & ~(uint32_t)VECTOR_PRIVATE) != VECTOR_SIZE_U32 ||
                           word.reserved != 0 || word.expected > UINT32_MAX)) {
            error = -EINVAL;
        }
        sources[i] = (struct vector_source){
            .source = {i + 1 < count ? &sources[i + 1].source : NULL, vector_look},
            .waiter = {.word = (_Atomic uint32_t *)(uintptr_t)word.address,
                       .bits = (uint32_t)FUTEX_ANY,
                       .priority = priority_of_self()},
            .expected = (uint32_t)word.expected,
        };
    }
    for (size_t i = 0; i < count && error == 0; ++i) {
        const void *word = (const void *)atomic_load(&sources[i].waiter.word);
        error =
            (uintptr_t)word % sizeof(uint32_t) != 0 ? -EINVAL : user_check(word, sizeof(uint32_t));
    }
    return error;
}

// Answers which waiter was woken, the last where there were several, or error.
static int vector_leave(struct vector_source *sources, size_t count, int error)
{
    int result = error;
    for (size_t i = 0; i < count; ++i) {
        if (!waiter_withdraw(&sources[i].waiter)) {
            result = (int)i;
        }
    }
    return result;
}

static int vector_wait(struct vector_source *sources, size_t count, hal_ns deadline)
{
    const void *first = (const void *)atomic_load(&sources[0].waiter.word);
    struct wait wait = wait_make(THREAD_WAIT_FUTEX, first);
    for (size_t i = 0; i < count; ++i) {
        if (!vector_enter(&sources[i], &wait)) {
            return vector_leave(sources, i, -EAGAIN);
        }
    }
    int result = wait_any(&sources[0].source, &wait, deadline);
    return vector_leave(sources, count, result == 0 ? -ETIMEDOUT : result);
}

long linux_futex_waitv(const void *words, uint32_t count, uint32_t flags,
                       const struct timespec *timeout, int clock)
{
    if (flags != 0 || count == 0 || count > VECTOR_MAX || words == NULL) {
        return -EINVAL;
    }
    hal_ns deadline = UINT64_MAX;
    int error = 0;
    if (timeout != NULL) {
        error = clock != CLOCK_MONOTONIC && clock != CLOCK_REALTIME
                    ? -EINVAL
                    : clock_deadline_read(&deadline, clock, true, timeout);
    }
    if (error != 0) {
        return error;
    }
    struct vector_source *sources = heap_alloc(count * sizeof *sources);
    if (sources == NULL) {
        return -ENOMEM;
    }
    int result = vector_read(sources, (uintptr_t)words, count);
    if (result == 0) {
        result = vector_wait(sources, count, deadline);
    }
    heap_free(sources);
    return result;
}

// ---- Robust lists (Documentation/locking/robust-futex-ABI.rst) ---------------------

struct robust_head {
    uintptr_t first; // of a list that ends at head; the lowest bit of a link says: of another kind
    long word_offset;
    uintptr_t pending; // about to be put in or taken out; 0: none
};

static void robust_word_release(uintptr_t word_address, int32_t id)
{
    enum { WAITERS = INT32_MIN, OWNER_DIED = 0x40000000, ID_MASK = 0x3fffffff };
    _Atomic uint32_t *word = (_Atomic uint32_t *)word_address;
    if (word_address % sizeof *word != 0 || user_check((const void *)word, sizeof *word) != 0) {
        return;
    }
    uint32_t value = atomic_load(word);
    do {
        if ((int32_t)(value & ID_MASK) != id) {
            return;
        }
    } while (!atomic_compare_exchange_weak(word, &value,
                                           (value & (uint32_t)WAITERS) | (uint32_t)OWNER_DIED));
    if ((value & (uint32_t)WAITERS) != 0) {
        futex_wake(word, 1, (uint32_t)FUTEX_ANY);
    }
}

// The list is the program's: it may lead anywhere, or round in circles.
void robust_list_release(struct task *task)
{
    enum { LENGTH_MAX = 2048, KIND_BIT = 1 };
    struct robust_head head;
    if (task->robust_list == NULL || user_read(&head, task->robust_list, sizeof head) != 0) {
        return;
    }
    uintptr_t node = head.first;
    for (int i = 0; i < LENGTH_MAX && node != (uintptr_t)task->robust_list; ++i) {
        uintptr_t next; // read first: the woken one may take the node out
        uintptr_t place = node & ~(uintptr_t)KIND_BIT;
        int error = user_read(&next, (const void *)place, sizeof next);
        if (place != (head.pending & ~(uintptr_t)KIND_BIT)) {
            robust_word_release(place + (uintptr_t)head.word_offset, task->id);
        }
        if (error != 0) {
            break;
        }
        node = next;
    }
    if (head.pending != 0) {
        robust_word_release((head.pending & ~(uintptr_t)KIND_BIT) + (uintptr_t)head.word_offset,
                            task->id);
    }
    task->robust_list = NULL;
}
