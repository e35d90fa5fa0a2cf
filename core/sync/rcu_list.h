// SPDX-License-Identifier: BSD-3-Clause
// rcu_list.h: singly linked lists that are read without a lock, and a hash of them.
//
// Changes are made under a lock of the owner's. A reader is in an RCU section (rcu.h) or holds that
// lock; it meets what was in the list all the time, and of what comes or goes meanwhile it meets
// some. A removed element keeps its link, for those who stand on it, until it is put into a list
// again, which is after all readers have ended.
#ifndef CORE_SYNC_RCU_LIST_H
#define CORE_SYNC_RCU_LIST_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

struct rcu_node {
    _Atomic(struct rcu_node *) next;
};

struct rcu_list { // all-zero is empty
    _Atomic(struct rcu_node *) first;
};

// Acquire pairs with the releases of rcu_list.c: the element is whole.
static inline struct rcu_node *rcu_list_first(const struct rcu_list *list)
{
    return atomic_load_explicit(&list->first, memory_order_acquire);
}

static inline struct rcu_node *rcu_list_next(const struct rcu_node *node)
{
    return atomic_load_explicit(&node->next, memory_order_acquire);
}

#define rcu_list_for_each(node, list)                                                              \
    for (node = rcu_list_first(list); node != NULL; node = rcu_list_next(node))

void rcu_list_push(struct rcu_list *list, struct rcu_node *node);
void rcu_list_remove(struct rcu_list *list, struct rcu_node *node); // node is in the list

// 1 << bits lists; the elements whose keys fall on one are all in it, with others.
struct rcu_hash {
    struct rcu_list *lists;
    unsigned bits; // 1 .. 32
};

static inline struct rcu_list *rcu_hash_list(const struct rcu_hash *hash, uint64_t key)
{
    return &hash->lists[key * UINT64_C(0x9e3779b97f4a7c15) >> (64 - hash->bits)];
}

#endif
