// SPDX-License-Identifier: BSD-3-Clause
// wait_test.c: a wait for several objects under every schedule of two threads with at most three
// preemptions.
#include "core/sync/wait.h"

#include <string.h>

#include "core/lib/list.h"
#include "core/sync/mutex.h"
#include "seed.h"
#include "seed_main.h"
#include "seed_thread.h"
#include "slab_seed.h"

enum { OBJECT_COUNT = 2 };

// Something that can be waited for.
static struct object {
    struct mutex lock;
    struct list waiters; // of struct entry
    unsigned ready;
} objects[OBJECT_COUNT];

struct entry {
    struct wait_source source;
    struct list node;
    struct object *object;
    struct wait *wait;
    bool has_entered;
};

static int taken;

static void reset(void)
{
    memset(objects, 0, sizeof objects);
    for (int i = 0; i < OBJECT_COUNT; ++i) {
        list_init(&objects[i].waiters);
    }
    taken = 0;
    seed_threads_reset();
    seed_slabs_reset();
}

static void check(void)
{
    for (int i = 0; i < OBJECT_COUNT; ++i) {
        seed_check(list_is_empty(&objects[i].waiters), "an entry was left");
    }
}

static void check_all_taken(void)
{
    check();
    seed_check(taken == OBJECT_COUNT, "something was not taken");
}

static unsigned look(struct wait_source *source)
{
    struct entry *entry = container_of(source, struct entry, source);
    struct object *object = entry->object;
    mutex_lock(&object->lock);
    if (!entry->has_entered) {
        list_push_back(&object->waiters, &entry->node);
        entry->has_entered = true;
    }
    unsigned ready = object->ready;
    mutex_unlock(&object->lock);
    return ready;
}

static void wake_locked(struct object *object)
{
    struct list *node;
    list_for_each(node, &object->waiters)
    {
        wait_wake(container_of(node, struct entry, node)->wait);
    }
}

static void make_ready(struct object *object)
{
    mutex_lock(&object->lock);
    object->ready = 1;
    wake_locked(object);
    mutex_unlock(&object->lock);
}

// Waits for any, and takes what is ready. Answers how many.
static int take(hal_ns deadline)
{
    struct wait wait = wait_make(THREAD_WAIT_NONE, NULL);
    struct entry entries[OBJECT_COUNT];
    struct wait_source *next = NULL;
    unsigned ready = 0;
    for (int i = OBJECT_COUNT; i-- > 0;) {
        entries[i] = (struct entry){.source = {next, look}, .object = &objects[i], .wait = &wait};
        next = &entries[i].source;
        ready |= look(next);
    }
    int waited = ready != 0 ? 1 : wait_any(next, &wait, deadline);
    int count = 0;
    for (int i = 0; i < OBJECT_COUNT; ++i) {
        mutex_lock(&objects[i].lock);
        list_remove(&entries[i].node);
        count += (int)objects[i].ready;
        objects[i].ready = 0;
        mutex_unlock(&objects[i].lock);
    }
    seed_check(count >= waited, "what was said to be ready is not");
    taken += count;
    memset(&wait, 0x55, sizeof wait);
    return count;
}

static void take_all(void)
{
    while (taken < OBJECT_COUNT) {
        seed_check(take(UINT64_MAX) > 0, "nothing was ready");
    }
}

static void make_both(void)
{
    make_ready(&objects[1]);
    make_ready(&objects[0]);
}

// The look waits for one object's lock while the other becomes ready.
static void take_one(void)
{
    seed_check(take(UINT64_MAX) == 1, "not one was ready");
}

static void make_one_with_other(void)
{
    mutex_lock(&objects[0].lock);
    make_ready(&objects[1]);
    mutex_unlock(&objects[0].lock);
}

static void wake_for_nothing(void)
{
    mutex_lock(&objects[0].lock);
    wake_locked(&objects[0]);
    mutex_unlock(&objects[0].lock);
    make_ready(&objects[1]);
}

static void take_timed(void)
{
    (void)take(1);
}

static const char *const marks[] = {"wait: woken between the look and the sleep", NULL};

static const struct seed_test tests[] = {
    {
        .name = "wait for two",
        .reset = reset,
        .bodies = {take_all, make_both},
        .check = check_all_taken,
        .preemption_max = 3,
    },
    {
        .name = "wait, a look that sleeps",
        .reset = reset,
        .bodies = {take_one, make_one_with_other},
        .check = check,
        .marks = marks,
        .preemption_max = 3,
    },
    {
        .name = "wait, woken for nothing",
        .reset = reset,
        .bodies = {take_one, wake_for_nothing},
        .check = check,
        .preemption_max = 3,
    },
    {
        .name = "wait, timed",
        .reset = reset,
        .bodies = {take_timed, make_both},
        .check = check,
        .preemption_max = 3,
    },
};

int main(int argc, char **argv)
{
    return seed_main(argc, argv, tests, sizeof tests / sizeof tests[0]);
}
