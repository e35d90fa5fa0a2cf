// SPDX-License-Identifier: BSD-3-Clause
// stackname.c: see stackname.h. A thread that is made does not tell its stack's name to anybody:
// who asks for names looks at the threads, so that making one costs nothing.
#include "core/vfs/stackname.h"

#include "core/mem/heap.h"
#include "core/sched/thread.h"
#include "core/vfs/procfs.h"

struct stack_name {
    struct tree_node node; // by start
    const char *start, *end;
    int32_t id;
};

static struct stack_name *name_of(const struct tree_node *node)
{
    return (struct stack_name *)(uintptr_t)node; // its first member
}

static bool is_lower(const struct tree_node *a, const struct tree_node *b)
{
    return name_of(a)->start < name_of(b)->start;
}

static void thread_add(struct thread *thread, void *argument)
{
    struct stack_names *names = argument;
    int32_t id = procfs_thread_id(thread);
    struct stack_name *name = id == 0 || thread->stack == NULL ? NULL : heap_alloc(sizeof *name);
    if (name != NULL) {
        const char *end = thread->stack + thread->stack_size;
        *name = (struct stack_name){.start = thread->stack, .end = end, .id = id};
        tree_insert(&names->tree, &name->node, is_lower);
    }
}

void stack_names_collect(struct stack_names *names)
{
    *names = (struct stack_names){0};
    thread_walk(thread_add, names);
}

void stack_names_free(struct stack_names *names)
{
    struct tree_node *node;
    while ((node = tree_first(&names->tree)) != NULL) {
        tree_remove(&names->tree, node);
        heap_free(name_of(node));
    }
}

// Stacks do not overlap, so that their ends are in order as well.
int32_t stack_names_find(const struct stack_names *names, const char *start, const char *end)
{
    const struct stack_name *lowest = NULL;
    const struct tree_node *node = names->tree.root;
    while (node != NULL) {
        bool ends_above = name_of(node)->end > start;
        lowest = ends_above ? name_of(node) : lowest;
        node = ends_above ? node->left : node->right;
    }
    return lowest != NULL && lowest->start < end ? lowest->id : 0;
}
