// SPDX-License-Identifier: BSD-3-Clause
// rcu_list.c: how a list is changed under the eyes of its readers.
//
// One store at a time, after each of which the list is whole. A removed element still leads on to
// what followed it, so that a reader that stands on it goes on.
#include "core/sync/rcu_list.h"

#include "core/lib/assert.h"

void rcu_list_push(struct rcu_list *list, struct rcu_node *node)
{
    struct rcu_node *first = atomic_load_explicit(&list->first, memory_order_relaxed);
    atomic_store_explicit(&node->next, first, memory_order_relaxed);
    // Release pairs with rcu_list_first and rcu_list_next.
    atomic_store_explicit(&list->first, node, memory_order_release);
}

void rcu_list_remove(struct rcu_list *list, struct rcu_node *node)
{
    _Atomic(struct rcu_node *) *link = &list->first;
    struct rcu_node *at;
    while ((at = atomic_load_explicit(link, memory_order_relaxed)) != node) {
        ASSERT(at != NULL);
        link = &at->next;
    }
    struct rcu_node *next = atomic_load_explicit(&node->next, memory_order_relaxed);
    // Release: who finds next by this link finds it whole, as by the link that it was pushed with.
    atomic_store_explicit(link, next, memory_order_release);
}
