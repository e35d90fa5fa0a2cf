// SPDX-License-Identifier: BSD-3-Clause
// init.c: initialisers and finalisers, in glibc's order.
//
// Depth first from the last object of the breadth-first list to the first, each after what it needs
// (post-order). glibc 2.35 and later do exactly this, and programs come to depend on it. Finalisers
// run in the reverse of the order in which initialisers ran.
#include "core/elf/object.h"

#include "core/lib/errno.h"
#include "core/mem/heap.h"

typedef void initialiser(int argc, char **argv, char **envp);
typedef void finaliser(void);

// Loader's mutex, or before the program runs.
static struct {
    int argc;
    char **argv, **envp;
    uint32_t mark;
} state;

struct visit {
    struct elf_object *object;
    size_t next; // index in needed
};

// Puts object behind everything it needs that is not in order yet.
static void post_order(struct elf_object *object, struct visit *stack, struct elf_object **order,
                       size_t *count)
{
    size_t depth = 0;
    object->mark = state.mark;
    stack[depth++] = (struct visit){object, 0};
    while (depth > 0) {
        struct visit *top = &stack[depth - 1];
        if (top->next == top->object->needed_count) {
            order[(*count)++] = top->object;
            --depth;
            continue;
        }
        struct elf_object *needed = top->object->needed[top->next++];
        if (needed != NULL && needed->mark != state.mark) {
            needed->mark = state.mark;
            stack[depth++] = (struct visit){needed, 0};
        }
    }
}

// Needed objects of a scope are in the scope, so that each is on the stack once at most.
int elf_init_order(const struct elf_scope *scope, struct elf_object ***order, size_t *count)
{
    struct visit *stack = heap_alloc((scope->count + 1) * sizeof(*stack));
    *order = heap_alloc((scope->count + 1) * sizeof(struct elf_object *));
    *count = 0;
    if (stack == NULL || *order == NULL) {
        heap_free(stack);
        heap_free(*order);
        *order = NULL;
        return -ENOMEM;
    }
    ++state.mark;
    for (size_t i = scope->count; i > 0; --i) {
        if (scope->objects[i - 1]->mark != state.mark) {
            post_order(scope->objects[i - 1], stack, *order, count);
        }
    }
    heap_free(stack);
    return 0;
}

static void array_run(const struct elf_functions *functions)
{
    for (size_t i = 0; i < functions->count; ++i) {
        initialiser *function = (initialiser *)(uintptr_t)functions->entries[i];
        function(state.argc, state.argv, state.envp);
    }
}

static void object_init(struct elf_object *object)
{
    if (object->is_initialised) {
        return;
    }
    object->is_initialised = true;
    object->is_to_finish = true;
    if (object->init != NULL) {
        ((initialiser *)(uintptr_t)object->init)(state.argc, state.argv, state.envp);
    }
    array_run(&object->init_array);
}

void elf_init_objects(struct elf_object **order, size_t count)
{
    for (size_t i = 0; i < count; ++i) {
        object_init(order[i]);
    }
}

void elf_init_run(struct elf_object *program, int argc, char **argv, char **envp, bool skip_program)
{
    state.argc = argc;
    state.argv = argv;
    state.envp = envp;
    array_run(&program->preinit_array);
    for (size_t i = 0; i < program->start_order_count; ++i) {
        struct elf_object *object = program->start_order[i];
        if (object == program && skip_program) {
            program->is_to_finish =
                true; // its finalisers run even if it runs its initialisers itself
        } else {
            object_init(object);
        }
    }
}

void elf_init_run_program(struct elf_object *program, int argc, char **argv, char **envp)
{
    state.argc = argc;
    state.argv = argv;
    state.envp = envp;
    object_init(program);
}

static void object_fini(struct elf_object *object)
{
    for (size_t i = object->fini_array.count; i > 0; --i) {
        ((finaliser *)(uintptr_t)object->fini_array.entries[i - 1])();
    }
    if (object->fini != NULL) {
        ((finaliser *)(uintptr_t)object->fini)();
    }
}

// Everything that is loaded, in the order of initialisers. 0: no memory.
static size_t order_all(struct elf_object ***order)
{
    struct elf_scope all = {0};
    size_t count = 0;
    bool is_complete = true;
    elf_loader_lock();
    for (struct elf_object *object = elf_first(); object != NULL; object = elf_next(object)) {
        is_complete = is_complete && elf_scope_add(&all, object) == 0;
    }
    // Which every object may need, so that there is room for it.
    is_complete = is_complete && elf_scope_add(&all, &elf_system) == 0;
    is_complete = is_complete && elf_init_order(&all, order, &count) == 0;
    elf_loader_unlock();
    heap_free(all.objects);
    return is_complete ? count : 0;
}

// A finaliser that calls exit finds the mark gone: nothing runs twice.
void elf_fini_run(void)
{
    struct elf_object **order = NULL;
    for (size_t i = order_all(&order); i > 0; --i) {
        struct elf_object *object = order[i - 1];
        if (object->is_to_finish) {
            object->is_to_finish = false;
            object_fini(object);
        }
    }
    heap_free(order);
}
