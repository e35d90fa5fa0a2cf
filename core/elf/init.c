// SPDX-License-Identifier: BSD-3-Clause
// init.c: initialisers and finalisers, in glibc's order.
//
// Depth first from the last object of the breadth-first list to the first, each after what it needs
// (post-order). glibc 2.35 and later do exactly this, and programs come to depend on it. Finalisers
// run in the opposite order, which also heeds what has been bound to what since.
#include "core/elf/object.h"

#include "core/lib/errno.h"
#include "core/lib/string.h"
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
    size_t next; // index in needed, then in bindings
};

struct ordering {
    struct visit *stack;
    struct elf_object **order;
    size_t count;
    bool is_following_bindings, has_bindings;
};

// The next object that shall come before that of visit; NULL: no more.
static struct elf_object *next_of(struct ordering *ordering, struct visit *visit)
{
    struct elf_object *object = visit->object;
    size_t bindings = ordering->is_following_bindings ? object->bindings.count : 0;
    while (visit->next < object->needed_count + bindings) {
        size_t index = visit->next++;
        struct elf_object *other =
            index < object->needed_count
                ? object->needed[index]
                : object->bindings.objects[bindings - 1 - (index - object->needed_count)];
        ordering->has_bindings |= index >= object->needed_count;
        if (other != NULL && other->mark != state.mark && !other->is_program) {
            return other;
        }
    }
    return NULL;
}

// Puts object behind everything it needs that is not in order yet.
static void post_order(struct ordering *ordering, struct elf_object *object)
{
    size_t depth = 0;
    if (object->mark == state.mark) {
        return;
    }
    object->mark = state.mark;
    ordering->stack[depth++] = (struct visit){object, 0};
    while (depth > 0) {
        struct visit *top = &ordering->stack[depth - 1];
        struct elf_object *next = next_of(ordering, top);
        if (next == NULL) {
            ordering->order[ordering->count++] = top->object;
            --depth;
        } else {
            next->mark = state.mark;
            ordering->stack[depth++] = (struct visit){next, 0};
        }
    }
}

// Where bindings contradict needs, needs win: a second pass follows needs only, from the order that
// the first has made.
static void bindings_weigh(struct ordering *ordering, struct elf_object **first)
{
    size_t count = ordering->count;
    memcpy(first, ordering->order, count * sizeof(struct elf_object *));
    ordering->is_following_bindings = false;
    ordering->count = 0;
    ++state.mark;
    for (size_t i = 0; i < count; ++i) {
        post_order(ordering, first[i]);
    }
}

// What objects of a scope need and are bound to is in the scope, so that each is on the stack once
// at most.
int elf_init_order(const struct elf_scope *scope, bool for_end, struct elf_object ***order,
                   size_t *count)
{
    size_t room = scope->count + 1;
    struct ordering ordering = {.stack = heap_alloc(room * sizeof(struct visit)),
                                .order = heap_alloc(room * sizeof(struct elf_object *)),
                                .is_following_bindings = for_end};
    struct elf_object **first = heap_alloc(room * sizeof(struct elf_object *));
    bool is_possible = ordering.stack != NULL && ordering.order != NULL && first != NULL;
    if (is_possible) {
        ++state.mark;
        if (!for_end) {
            scope->objects[0]->mark = state.mark; // it comes last, also in a circle
        }
        for (size_t i = scope->count; i > 0; --i) {
            post_order(&ordering, scope->objects[i - 1]);
        }
        if (!for_end) {
            ordering.order[ordering.count++] = scope->objects[0];
        }
        if (ordering.has_bindings) {
            bindings_weigh(&ordering, first);
        }
    } else {
        heap_free(ordering.order);
        ordering.order = NULL;
    }
    heap_free(ordering.stack);
    heap_free(first);
    *order = ordering.order;
    *count = ordering.count;
    return is_possible ? 0 : -ENOMEM;
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
    if (object->is_program) {
        elf_trace_print(ELF_TRACE_LIBS, "initialize program: %s", object->path);
    } else if (object->init != NULL || object->init_array.count > 0) {
        elf_trace_print(ELF_TRACE_LIBS, "calling init: %s", object->path);
    }
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

// A finaliser that calls exit finds the mark gone: nothing runs twice.
void elf_fini_object(struct elf_object *object)
{
    if (!object->is_to_finish) {
        return;
    }
    object->is_to_finish = false;
    if (object->fini != NULL || object->fini_array.count > 0) {
        elf_trace_print(ELF_TRACE_LIBS, "calling fini: %s [0]", object->link_name);
    }
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
    elf_bindings_lock();
    is_complete = is_complete && elf_init_order(&all, true, order, &count) == 0;
    elf_bindings_unlock();
    elf_loader_unlock();
    heap_free(all.objects);
    return is_complete ? count : 0;
}

void elf_fini_run(void)
{
    struct elf_object **order = NULL;
    for (size_t i = order_all(&order); i > 0; --i) {
        elf_fini_object(order[i - 1]);
    }
    heap_free(order);
}
