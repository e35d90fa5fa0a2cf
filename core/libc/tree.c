// SPDX-License-Identifier: BSD-3-Clause
// tree.c: tsearch and its family: a red-black tree, of glibc's shapes, which twalk shows.
//
// Insertion goes down only: a node with two red children is split on the way, so that the new
// node's place needs at most one more rotation. Deletion takes a node with at most one child out
// and mends the blacks on the way up. Invariant: no red node has a red child, and each way down has
// as many black nodes; the way down is at most DEPTH_MAX long.
#include <search.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/libc/export.h"
#include "core/libc/memory.h"

enum { LEFT, RIGHT };
enum { DEPTH_MAX = 2 * 48 }; // of a tree that fills 2^48 bytes

struct node { // begins with the key: programs read it
    const void *key;
    struct node *child[2];
    bool is_red;
};

typedef int compare_function(const void *, const void *);

static bool is_red(const struct node *node)
{
    return node != NULL && node->is_red;
}

// The child of *place at side takes its place.
static void rotate(struct node **place, int side)
{
    struct node *node = *place;
    struct node *raised = node->child[side];
    node->child[side] = raised->child[!side];
    raised->child[!side] = node;
    *place = raised;
}

// Places from a node up: of itself, its parent and its grandparent, and the sides on the way down.
struct place {
    struct node **node, **parent, **grandparent;
    int side, parent_side; // of parent's and of grandparent's children
};

// *at.node has become red: its parent may be so, too. Then the grandparent is black.
static void red_mend(const struct place *at)
{
    if (at->parent == NULL || !(*at->parent)->is_red) {
        return;
    }
    struct node *grandparent = *at->grandparent;
    if (at->side != at->parent_side) {
        rotate(at->parent, at->side);
    }
    grandparent->is_red = true;
    (*at->parent)->is_red = false;
    rotate(at->grandparent, at->parent_side);
}

static void split(const struct place *at)
{
    struct node *node = *at->node;
    if (is_red(node->child[LEFT]) && is_red(node->child[RIGHT])) {
        node->is_red = true;
        node->child[LEFT]->is_red = false;
        node->child[RIGHT]->is_red = false;
        red_mend(at);
    }
}

EXPORT(void *, tsearch, const void *key, void **root, compare_function *compare)
{
    if (root == NULL) {
        return NULL;
    }
    struct place at = {.node = (struct node **)root};
    if (*at.node != NULL) {
        (*at.node)->is_red = false;
    }
    while (*at.node != NULL) {
        struct node *node = *at.node;
        int order = compare(key, node->key);
        if (order == 0) {
            return node;
        }
        split(&at);
        // After a rotation the places above are others. Nobody asks for them: the next node is not
        // split, because its parent was, and the one after has a black parent.
        at.grandparent = at.parent;
        at.parent = at.node;
        at.parent_side = at.side;
        at.side = order < 0 ? LEFT : RIGHT;
        if (*at.parent != node) {
            at.parent = NULL;
        }
        at.node = &node->child[at.side];
    }
    struct node *added = libc_malloc(sizeof *added);
    if (added == NULL) {
        return NULL;
    }
    *added = (struct node){.key = key, .is_red = true};
    *at.node = added;
    red_mend(&at);
    return added;
}

EXPORT(void *, tfind, const void *key, void *const *root, compare_function *compare)
{
    struct node *node = root == NULL ? NULL : *root;
    while (node != NULL) {
        int order = compare(key, node->key);
        if (order == 0) {
            break;
        }
        node = node->child[order < 0 ? LEFT : RIGHT];
    }
    return node;
}

// The deepest node on the way has lost a black one at `side`. Returns whether its own subtree has,
// too. The way's end moves down by one where a red sibling is above.
static bool black_mend(struct node **way[], size_t *depth, int side)
{
    struct node *parent = *way[*depth - 1];
    struct node *sibling = parent->child[!side];
    if (sibling->is_red) {
        sibling->is_red = false;
        parent->is_red = true;
        rotate(way[*depth - 1], !side);
        way[*depth] = &sibling->child[side];
        ++*depth;
        sibling = parent->child[!side];
    }
    if (!is_red(sibling->child[LEFT]) && !is_red(sibling->child[RIGHT])) {
        sibling->is_red = true;
        bool lacks = !parent->is_red;
        parent->is_red = false;
        return lacks;
    }
    if (!is_red(sibling->child[!side])) {
        sibling->child[side]->is_red = false;
        sibling->is_red = true;
        rotate(&parent->child[!side], side);
        sibling = parent->child[!side];
    }
    sibling->is_red = parent->is_red;
    parent->is_red = false;
    sibling->child[!side]->is_red = false;
    rotate(way[*depth - 1], !side);
    return false;
}

// Takes the node at *way[depth - 1] out, which has at most one child.
static void node_unlink(struct node **way[], size_t depth)
{
    struct node *node = *way[depth - 1];
    struct node *child = node->child[node->child[LEFT] == NULL ? RIGHT : LEFT];
    bool lacks = !node->is_red && !is_red(child);
    struct node **place = way[--depth];
    *place = child;
    if (child != NULL && !node->is_red) {
        child->is_red = false;
    }
    while (lacks && depth > 0) {
        struct node *parent = *way[depth - 1];
        lacks = black_mend(way, &depth, place == &parent->child[LEFT] ? LEFT : RIGHT);
        place = way[--depth];
    }
}

// The parent of the node that is gone, or, of the root, something that is not NULL.
EXPORT(void *, tdelete, const void *key, void **root, compare_function *compare)
{
    struct node **way[DEPTH_MAX + 1];
    size_t depth = 0;
    struct node **place = (struct node **)root;
    struct node *parent = place == NULL ? NULL : *place;
    int order = 1;
    while (place != NULL && *place != NULL && depth < DEPTH_MAX) {
        way[depth++] = place;
        order = compare(key, (*place)->key);
        if (order == 0) {
            break;
        }
        parent = *place;
        place = &parent->child[order < 0 ? LEFT : RIGHT];
    }
    if (order != 0) {
        return NULL;
    }
    struct node *found = *place;
    struct node *gone = found;
    if (found->child[LEFT] != NULL && found->child[RIGHT] != NULL) {
        for (place = &found->child[RIGHT]; *place != NULL && depth < DEPTH_MAX;
             place = &(*place)->child[LEFT]) {
            way[depth++] = place;
        }
        gone = *way[depth - 1];
    }
    node_unlink(way, depth);
    found->key = gone->key;
    libc_free(gone);
    return parent;
}

// A walk without recursion: each node of the way down and how often it was visited.
struct walk {
    struct node *node[DEPTH_MAX];
    unsigned char visits[DEPTH_MAX];
    int depth;
};

static void walk_push(struct walk *walk, struct node *node)
{
    if (node != NULL && walk->depth < DEPTH_MAX) {
        walk->node[walk->depth] = node;
        walk->visits[walk->depth] = 0;
        ++walk->depth;
    }
}

// Whom the visits are told: twalk's functions know the depth, twalk_r's an argument.
struct visitor {
    void (*plain)(const void *, VISIT, int);
    void (*with_argument)(const void *, VISIT, void *);
    void *argument;
};

static void visit(const struct visitor *visitor, const struct node *node, VISIT kind, int depth)
{
    if (visitor->plain != NULL) {
        visitor->plain(node, kind, depth);
    } else {
        visitor->with_argument(node, kind, visitor->argument);
    }
}

static void tree_walk(const void *root, const struct visitor *visitor)
{
    static const VISIT kinds[] = {preorder, postorder, endorder};
    struct walk walk = {.depth = 0};
    walk_push(&walk, (struct node *)(uintptr_t)root);
    while (walk.depth > 0) {
        int depth = walk.depth - 1;
        struct node *node = walk.node[depth];
        unsigned visits = walk.visits[depth]++;
        bool is_leaf = node->child[LEFT] == NULL && node->child[RIGHT] == NULL;
        if (is_leaf || visits == 2) {
            --walk.depth;
        }
        visit(visitor, node, is_leaf ? leaf : kinds[visits], depth);
        if (!is_leaf && visits < 2) {
            walk_push(&walk, node->child[visits]);
        }
    }
}

EXPORT(void, twalk, const void *root, void (*action)(const void *, VISIT, int))
{
    const struct visitor visitor = {.plain = action};
    if (action != NULL) {
        tree_walk(root, &visitor);
    }
}

EXPORT(void, twalk_r, const void *root, void (*action)(const void *, VISIT, void *), void *argument)
{
    const struct visitor visitor = {.with_argument = action, .argument = argument};
    if (action != NULL) {
        tree_walk(root, &visitor);
    }
}

// Children first, the left one before the right one.
EXPORT(void, tdestroy, void *root, void (*key_free)(void *))
{
    struct walk walk = {.depth = 0};
    walk_push(&walk, root);
    while (walk.depth > 0) {
        struct node *node = walk.node[walk.depth - 1];
        unsigned visits = walk.visits[walk.depth - 1]++;
        if (visits < 2) {
            walk_push(&walk, node->child[visits]);
        } else {
            --walk.depth;
            key_free((void *)(uintptr_t)node->key);
            libc_free(node);
        }
    }
}

// Files of core/libc know them by these names, of <search.h>.
extern __typeof__(glibc_tsearch) tsearch __attribute__((alias("glibc_tsearch")));
extern __typeof__(glibc_tdestroy) tdestroy __attribute__((alias("glibc_tdestroy")));
extern __typeof__(glibc_tfind) tfind __attribute__((alias("glibc_tfind")));
extern __typeof__(glibc_tdelete) tdelete __attribute__((alias("glibc_tdelete")));
