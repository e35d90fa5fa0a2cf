// SPDX-License-Identifier: BSD-3-Clause
// shortcut_test.c: a walk without locks under every schedule with who changes the names: what it
// finds had that name at some moment of the walk.
#include "core/vfs/shortcut.h"

#include "core/lib/mark.h"
#include "core/vfs/mount.h"
#include "core/vfs/vnode.h"
#include "seed.h"
#include "seed_main.h"

// The file system is /d/f: each directory has one name, which leads to some vnode.
struct node {
    struct vnode vnode;
    _Atomic(struct node *) child;
};

static struct node root, first, second, file;
static bool is_released;
static unsigned found_count;

static struct vnode *glance(struct vnode *directory, const char *name, size_t length, uint32_t hash,
                            uint32_t sequence)
{
    struct node *child = atomic_load(&((struct node *)(void *)directory)->child);
    return child != NULL && shortcut_holds(sequence) ? &child->vnode : NULL;
}

static void release(struct vnode *vnode)
{
    is_released = true;
}

static void node_reset(struct node *node, struct node *child, uint32_t type, uint64_t inode)
{
    static const struct vnode_ops ops = {.glance = glance, .release = release};
    vnode_init(&node->vnode, &ops, NULL, type, inode);
    node->child = child;
}

static void reset(void)
{
    is_released = false;
    found_count = 0;
    shortcut_sequence = (struct sequence){0};
    node_reset(&root, &first, MODE_DIRECTORY, 1);
    node_reset(&first, &file, MODE_DIRECTORY, 1);
    node_reset(&second, NULL, MODE_DIRECTORY, 1);
    node_reset(&file, NULL, MODE_FILE, 1);
    shortcut_root_set(&root.vnode);
}

static void find(void)
{
    struct vnode *found;
    size_t length;
    if (shortcut_find("/d/f", true, &found, &length)) {
        seed_check(length == 4, "a path of another length");
        seed_check(found == &file.vnode, "something else was found");
        seed_check(found->inode == 1, "another file in the same memory was found");
        seed_check(!is_released, "what was found is gone");
        seed_point();
        seed_check(!is_released, "what was found is gone");
        ++found_count;
        vnode_put(found);
    }
}

static void find_twice(void)
{
    find();
    find();
}

// Where /d/new would be made.
static void find_parent(void)
{
    struct vnode *found;
    const char *name;
    if (shortcut_parent("/d/new", &found, &name)) {
        seed_check(name[0] == 'n', "another part of the path");
        seed_check(found == &first.vnode || found == &second.vnode, "something else was found");
        seed_check(found->inode == 1, "another directory in the same memory was found");
        seed_check(!is_released, "what was found is gone");
        seed_point();
        seed_check(!is_released, "what was found is gone");
        ++found_count;
        vnode_put(found);
    }
}

// /d goes, and another directory is made in its memory.
static void directory_reuse(void)
{
    shortcut_change_begin();
    atomic_store(&root.child, NULL);
    shortcut_change_end();
    vnode_put(&first.vnode);
    if (is_released) {
        node_reset(&first, NULL, MODE_DIRECTORY, 2);
    }
}

// /d becomes another directory, which has the file from then on.
static void move(void)
{
    shortcut_change_begin();
    atomic_store(&second.child, atomic_exchange(&first.child, NULL));
    atomic_store(&root.child, &second);
    shortcut_change_end();
}

// The name goes, and then the file.
static void remove_file(void)
{
    shortcut_change_begin();
    atomic_store(&first.child, NULL);
    shortcut_change_end();
    vnode_put(&file.vnode);
}

// The same, and another file is made in its memory.
static void remove_and_reuse(void)
{
    remove_file();
    if (is_released) {
        node_reset(&file, NULL, MODE_FILE, 2);
    }
}

// /d is another directory, and only then has the old one another child: /d/f never was that.
static void lead_astray(void)
{
    shortcut_change_begin();
    atomic_store(&root.child, &second);
    atomic_store(&first.child, &second);
    shortcut_change_end();
}

static void check_removed(void)
{
    seed_check(is_released && file.vnode.reference_count == 0, "a reference was left");
}

static void check_reused(void)
{
    seed_check(is_released && file.vnode.reference_count == (file.vnode.inode == 2),
               "a reference was left, or lost");
}

static void check_directory_reused(void)
{
    seed_check(is_released && first.vnode.reference_count == (first.vnode.inode == 2),
               "a reference was left, or lost");
}

static void check_kept(void)
{
    seed_check(!is_released && file.vnode.reference_count == 1, "a reference was left, or lost");
}

static const char *const marks[] = {"shortcut: the names changed on the way", NULL};
static const char *const end_marks[] = {"shortcut: the name went when it was found", NULL};

static const struct seed_test tests[] = {
    {
        .name = "shortcut, moved",
        .reset = reset,
        .bodies = {find_twice, move},
        .check = check_kept,
        .marks = marks,
    },
    {
        .name = "shortcut, parent moved",
        .reset = reset,
        .bodies = {find_parent, move},
        .check = check_kept,
        .marks = marks,
    },
    {
        .name = "shortcut, parent removed and used again",
        .reset = reset,
        .bodies = {find_parent, directory_reuse},
        .check = check_directory_reused,
        .marks = end_marks,
    },
    {
        .name = "shortcut, removed",
        .reset = reset,
        .bodies = {find_twice, remove_file},
        .check = check_removed,
        .marks = end_marks,
    },
    {
        .name = "shortcut, removed and used again",
        .reset = reset,
        .bodies = {find_twice, remove_and_reuse},
        .check = check_reused,
    },
    {
        .name = "shortcut, led astray",
        .reset = reset,
        .bodies = {find_twice, lead_astray},
        .check = check_kept,
    },
};

int main(int argc, char **argv)
{
    return seed_main(argc, argv, tests, sizeof tests / sizeof tests[0]);
}
