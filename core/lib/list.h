// SPDX-License-Identifier: BSD-3-Clause
// list.h: doubly linked lists whose links lie in the elements. The list's own node closes the ring.
#ifndef CORE_LIB_LIST_H
#define CORE_LIB_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
    struct list *next, *previous;
};

#define container_of(pointer, type, member) ((type *)((char *)(pointer)-offsetof(type, member)))
#define list_for_each(node, list) for (node = (list)->next; node != (list); node = node->next)

#define LIST_EMPTY(name)                                                                           \
    {                                                                                              \
        &(name), &(name)                                                                           \
    }

static inline void list_init(struct list *list)
{
    list->next = list->previous = list;
}

static inline bool list_is_empty(const struct list *list)
{
    return list->next == list;
}

static inline void list_insert_after(struct list *place, struct list *node)
{
    node->previous = place;
    node->next = place->next;
    place->next->previous = node;
    place->next = node;
}

static inline void list_push_front(struct list *list, struct list *node)
{
    list_insert_after(list, node);
}

static inline void list_push_back(struct list *list, struct list *node)
{
    list_insert_after(list->previous, node);
}

// Leaves node empty, so that removing it twice is harmless.
static inline void list_remove(struct list *node)
{
    node->previous->next = node->next;
    node->next->previous = node->previous;
    list_init(node);
}

// NULL: the list is empty.
static inline struct list *list_pop_front(struct list *list)
{
    if (list_is_empty(list)) {
        return NULL;
    }
    struct list *first = list->next;
    list_remove(first);
    return first;
}

#endif
