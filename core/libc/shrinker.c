// SPDX-License-Identifier: BSD-3-Clause
// shrinker.c: the program's shrinkers (include/osv/shrinker.h).
//
// To core/sync they are one, `program`. It hands what is wanted to the program's own thread, which
// has what functions of programs need (a thread pointer, a stack of their size), and waits for the
// answer. The thread is made with the first shrinker, and stays.
//
// Invariant: `running` is in the list, and freed by the worker where it is gone by its end.
#include <errno.h>

#include "core/libc/export.h"
#include "core/libc/include/osv/shrinker.h"
#include "core/libc/pthread.h"
#include "core/lib/format.h"
#include "core/lib/list.h"
#include "core/mem/heap.h"
#include "core/sync/shrinker.h"
#include "core/sync/waitqueue.h"

enum { NAME_SIZE = 32, STACK_SIZE = 256 << 10 };

struct osv_shrinker {
    struct list node;
    size_t (*shrink)(size_t wanted, bool may_wait, void *argument);
    void *argument;
    char name[NAME_SIZE];
    bool is_gone; // not to be called again
};

static struct mutex lock; // guards all that follows
static struct list shrinkers = LIST_EMPTY(shrinkers);
static struct osv_shrinker *running;
static struct libc_thread *worker; // NULL: not yet
static struct waitqueue asked, answered;
static uint64_t question, answer; // numbers: they differ while the worker has something to do
static size_t wanted_bytes, freed_bytes;
static bool may_wait_now;

// ---- The program's thread --------------------------------------------------

// The lock is held, and not while it runs. Answers the place behind it.
static struct list *shrinker_run(struct osv_shrinker *shrinker)
{
    size_t left = wanted_bytes - freed_bytes;
    running = shrinker;
    mutex_unlock(&lock);
    size_t freed = shrinker->shrink(left, may_wait_now, shrinker->argument);
    mutex_lock_again(&lock);
    running = NULL;
    freed_bytes += freed < left ? freed : left;
    struct list *next = shrinker->node.next;
    if (shrinker->is_gone) {
        list_remove(&shrinker->node);
        heap_free(shrinker);
        waitqueue_wake_all(&answered);
    }
    return next;
}

static void *worker_run(void *unused)
{
    shrinker_worker_set(thread_self());
    mutex_lock(&lock);
    for (;;) {
        while (question == answer) {
            waitqueue_wait(&asked, &lock);
        }
        struct list *node = shrinkers.next;
        while (node != &shrinkers && freed_bytes < wanted_bytes) {
            node = shrinker_run(container_of(node, struct osv_shrinker, node));
        }
        answer = question;
        waitqueue_wake_all(&answered);
    }
    return unused;
}

static size_t program_shrink(struct shrinker *shrinker, size_t wanted, bool may_wait)
{
    (void)shrinker;
    mutex_lock(&lock);
    wanted_bytes = wanted;
    freed_bytes = 0;
    may_wait_now = may_wait;
    ++question;
    (void)waitqueue_wake_one(&asked);
    while (question != answer) {
        waitqueue_wait(&answered, &lock);
    }
    size_t freed = freed_bytes;
    mutex_unlock(&lock);
    return freed;
}

// With the lock held. False: no memory.
static bool worker_make(void)
{
    static struct shrinker program = {.name = "program", .shrink = program_shrink};
    if (worker == NULL && libc_worker_create(&worker, STACK_SIZE, worker_run) == 0) {
        shrinker_register(&program);
    }
    return worker != NULL;
}

// ---- The contract ----------------------------------------------------------

EXPORT(struct osv_shrinker *, osv_register_shrinker, const char *name,
       size_t (*shrink)(size_t wanted, bool may_wait, void *argument), void *argument)
{
    if (shrink == NULL) {
        errno = EINVAL;
        return NULL;
    }
    struct osv_shrinker *shrinker = heap_alloc_zeroed(sizeof *shrinker);
    mutex_lock(&lock);
    bool is_made = shrinker != NULL && worker_make();
    if (is_made) {
        shrinker->shrink = shrink;
        shrinker->argument = argument;
        (void)format(shrinker->name, sizeof shrinker->name, "%s", name != NULL ? name : "");
        list_push_back(&shrinkers, &shrinker->node);
    }
    mutex_unlock(&lock);
    if (!is_made) {
        heap_free(shrinker);
        errno = ENOMEM;
        return NULL;
    }
    return shrinker;
}

EXPORT(void, osv_unregister_shrinker, struct osv_shrinker *shrinker)
{
    if (shrinker == NULL) {
        return;
    }
    mutex_lock(&lock);
    bool is_running = running == shrinker;
    if (is_running) {
        shrinker->is_gone = true;
        while (running == shrinker && thread_self() != worker->thread) {
            waitqueue_wait(&answered, &lock);
        }
    } else {
        list_remove(&shrinker->node);
        heap_free(shrinker);
    }
    mutex_unlock(&lock);
}
