// SPDX-License-Identifier: BSD-3-Clause
// tree.h: ordered sets whose links lie in the elements: a treap (Seidel and Aragon, 1996).
//
// Expected O(log n) for insertion and removal. All-zero is an empty tree. The caller provides the
// lock.
#ifndef CORE_LIB_TREE_H
#define CORE_LIB_TREE_H

#include <stdbool.h>
#include <stddef.h>

struct tree_node {
    struct tree_node *left, *right, *parent;
};

struct tree {
    struct tree_node *root;
};

typedef bool tree_less(const struct tree_node *a, const struct tree_node *b);

// Equal elements keep the order of their insertion.
void tree_insert(struct tree *tree, struct tree_node *node, tree_less *less);
void tree_remove(struct tree *tree, struct tree_node *node);

// Trees whose nodes know something of their subtrees, say the greatest of some value there (Cormen
// et al., "augmented"). update makes it anew from the node's own and its children's; false: it is
// as before.
typedef bool tree_update(struct tree_node *node);

// Puts node behind previous; NULL: first of all.
void tree_insert_behind(struct tree *tree, struct tree_node *node, struct tree_node *previous,
                        tree_update *update);
void tree_remove_updated(struct tree *tree, struct tree_node *node, tree_update *update);
void tree_changed(struct tree_node *node, tree_update *update); // its own value has

// In order; NULL where there is none.
struct tree_node *tree_first(const struct tree *tree);
struct tree_node *tree_last(const struct tree *tree);
struct tree_node *tree_next(const struct tree_node *node);
struct tree_node *tree_previous(const struct tree_node *node);

static inline bool tree_is_empty(const struct tree *tree)
{
    return tree->root == NULL;
}

#endif
