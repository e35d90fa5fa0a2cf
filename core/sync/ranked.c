// SPDX-License-Identifier: BSD-3-Clause
// ranked.c: a stack that anybody pushes onto, and the popper's own list.
//
// The popper takes the whole stack, and puts it, oldest first, into the list. As long as the list
// has somebody it need not look at the stack again, unless one of rank has come: then the lowest
// bit of the stack's pointer is set. Invariant: the list is in order, and whoever is in it came
// before all in the stack; so the list's first is the one to be served if the bit is not set.
#include "core/sync/ranked.h"

#include "core/lib/assert.h"
#include "core/lib/mark.h"

enum { HAS_RANK = 1 };

static struct ranked *newest_of(struct ranked *inbox)
{
    return (struct ranked *)((uintptr_t)inbox & ~(uintptr_t)HAS_RANK);
}

static uintptr_t mark_of(struct ranked *inbox)
{
    return (uintptr_t)inbox & HAS_RANK;
}

void ranked_push(struct ranked_queue *queue, struct ranked *one)
{
    struct ranked *inbox = atomic_load_explicit(&queue->inbox, memory_order_relaxed);
    struct ranked *pushed;
    do {
        one->next = newest_of(inbox);
        pushed = (struct ranked *)((uintptr_t)one | mark_of(inbox) | (one->rank != 0));
        // seq_cst: a locker of mutex.c reads the baton after its push.
    } while (!atomic_compare_exchange_weak(&queue->inbox, &inbox, pushed));
}

static struct ranked *turned_round(struct ranked *newest)
{
    struct ranked *oldest = NULL;
    while (newest != NULL) {
        struct ranked *older = newest->next;
        newest->next = oldest;
        oldest = newest;
        newest = older;
    }
    return oldest;
}

void ranked_gather(struct ranked_queue *queue)
{
    struct ranked *one = turned_round(newest_of(atomic_exchange(&queue->inbox, NULL)));
    struct ranked **link = &queue->first;
    while (one != NULL) {
        struct ranked *younger = one->next;
        link = one->rank != 0 ? &queue->first
                              : link; // whoever has none comes behind the last of these
        while (*link != NULL && (*link)->rank >= one->rank) {
            link = &(*link)->next;
        }
        one->next = *link;
        *link = one;
        one = younger;
    }
}

struct ranked *ranked_pop(struct ranked_queue *queue)
{
    if (queue->first == NULL) {
        ranked_gather(queue);
    } else if (mark_of(atomic_load(&queue->inbox)) != 0) {
        MARK("ranked: one of rank may pass those who came before");
        ranked_gather(queue);
    }
    struct ranked *first = queue->first;
    ASSERT(first != NULL);
    queue->first = first->next;
    return first;
}

struct list *ranked_ring_add(struct list *first, struct ranked_node *one)
{
    list_init(&one->list);
    if (first == NULL) {
        return &one->list;
    }
    struct list *place = first; // one comes before it, or is the last
    bool is_last = one->rank == 0;
    while (!is_last && container_of(place, struct ranked_node, list)->rank >= one->rank) {
        place = place->next;
        is_last = place == first;
    }
    list_push_back(place, &one->list);
    return place == first && !is_last ? &one->list : first;
}
