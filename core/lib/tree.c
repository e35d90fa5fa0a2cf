// SPDX-License-Identifier: BSD-3-Clause
// tree.c: a treap: a binary search tree that is also a heap by priority.
//
// The priority of a node is a hash of its address, so it needs no space and no random numbers.
// Invariant: no node has a higher priority than its parent.
#include "core/lib/tree.h"

#include <stdint.h>

#include "core/lib/assert.h"

static uint64_t priority(const struct tree_node *node)
{
    uint64_t hash = (uint64_t)(uintptr_t)node * 0x9e3779b97f4a7c15u;
    return (hash ^ hash >> 29) * 0xbf58476d1ce4e5b9u;
}

// The pointer that leads to node.
static struct tree_node **link_of(struct tree *tree, struct tree_node *node)
{
    struct tree_node *parent = node->parent;
    if (parent == NULL) {
        return &tree->root;
    }
    return parent->left == node ? &parent->left : &parent->right;
}

static void child_set(struct tree_node **link, struct tree_node *parent, struct tree_node *child)
{
    *link = child;
    if (child != NULL) {
        child->parent = parent;
    }
}

// Puts node in its parent's place and the parent below it.
static void rotate_up(struct tree *tree, struct tree_node *node)
{
    struct tree_node *parent = node->parent;
    struct tree_node **above = link_of(tree, parent);
    struct tree_node *grandparent = parent->parent;
    if (parent->left == node) {
        child_set(&parent->left, parent, node->right);
        child_set(&node->right, node, parent);
    } else {
        child_set(&parent->right, parent, node->left);
        child_set(&node->left, node, parent);
    }
    child_set(above, grandparent, node);
}

static bool goes_up(const struct tree_node *node)
{
    return node->parent != NULL && priority(node) > priority(node->parent);
}

void tree_insert(struct tree *tree, struct tree_node *node, tree_less *less)
{
    struct tree_node *parent = NULL;
    struct tree_node **link = &tree->root;
    while (*link != NULL) {
        parent = *link;
        link = less(node, parent) ? &parent->left : &parent->right;
    }
    *node = (struct tree_node){.parent = parent};
    *link = node;
    while (goes_up(node)) {
        rotate_up(tree, node);
    }
}

// Until it has one child at most.
static void sink(struct tree *tree, struct tree_node *node)
{
    while (node->left != NULL && node->right != NULL) {
        rotate_up(tree, priority(node->left) > priority(node->right) ? node->left : node->right);
    }
}

static void unlink(struct tree *tree, struct tree_node *node)
{
    struct tree_node *child = node->left != NULL ? node->left : node->right;
    child_set(link_of(tree, node), node->parent, child);
    *node = (struct tree_node){0};
}

void tree_remove(struct tree *tree, struct tree_node *node)
{
    ASSERT(*link_of(tree, node) == node);
    sink(tree, node);
    unlink(tree, node);
}

void tree_changed(struct tree_node *node, tree_update *update)
{
    while (node != NULL && update(node)) {
        node = node->parent;
    }
}

void tree_insert_behind(struct tree *tree, struct tree_node *node, struct tree_node *previous,
                        tree_update *update)
{
    struct tree_node *parent = previous;
    struct tree_node **link = previous == NULL ? &tree->root : &previous->right;
    while (*link != NULL) {
        parent = *link;
        link = &parent->left;
    }
    *node = (struct tree_node){.parent = parent};
    *link = node;
    while (goes_up(node)) {
        parent = node->parent;
        rotate_up(tree, node);
        update(parent);
    }
    update(node);
    tree_changed(node->parent, update);
}

void tree_remove_updated(struct tree *tree, struct tree_node *node, tree_update *update)
{
    struct tree_node *top = node->parent;
    sink(tree, node);
    struct tree_node *at = node->parent;
    unlink(tree, node);
    for (; at != top; at = at->parent) {
        update(at);
    }
    tree_changed(top, update);
}

struct tree_node *tree_first(const struct tree *tree)
{
    struct tree_node *node = tree->root;
    while (node != NULL && node->left != NULL) {
        node = node->left;
    }
    return node;
}

struct tree_node *tree_last(const struct tree *tree)
{
    struct tree_node *node = tree->root;
    while (node != NULL && node->right != NULL) {
        node = node->right;
    }
    return node;
}

struct tree_node *tree_next(const struct tree_node *node)
{
    if (node->right != NULL) {
        return tree_first(&(struct tree){node->right});
    }
    while (node->parent != NULL && node->parent->right == node) {
        node = node->parent;
    }
    return node->parent;
}

struct tree_node *tree_previous(const struct tree_node *node)
{
    if (node->left != NULL) {
        return tree_last(&(struct tree){node->left});
    }
    while (node->parent != NULL && node->parent->left == node) {
        node = node->parent;
    }
    return node->parent;
}
