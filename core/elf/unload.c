// SPDX-License-Identifier: BSD-3-Clause
// unload.c: taking away what nobody needs any more.
//
// An object stays while it came with the program, is open, must not be deleted, has destructors of
// thread_local objects to run, or while one that stays needs it or has bound a symbol to it. All
// others go: marked from those roots (so that cycles go too), finalised while everything is still
// in its place, those first that need others; then they are taken out of every list that a look-up
// reads, and last unmapped. A finaliser may open and close: what goes already is not found by
// dlopen, and what it gives up goes in another round.
#include "core/elf/object.h"

#include "core/elf/tls.h"
#include "core/mem/heap.h"

// Loader's mutex.
static struct {
    unsigned hold_count;
    bool is_wanted;
} unload;

void elf_unload_want(void)
{
    unload.is_wanted = true;
}

void elf_unload_hold(void)
{
    ++unload.hold_count;
}

static bool is_root(const struct elf_object *object)
{
    return object->is_startup || object->is_nodelete || object->open_count > 0 ||
           atomic_load(&object->pin_count) > 0;
}

// Answers whether there was memory for it. With the bindings' lock, as what is bound to what must
// not change before is_leaving says what goes.
static bool staying_find(struct elf_scope *staying)
{
    for (struct elf_object *object = elf_first(); object != NULL; object = elf_next(object)) {
        object->is_kept = is_root(object);
        if (object->is_kept && elf_scope_append(staying, object) != 0) {
            return false;
        }
    }
    for (size_t i = 0; i < staying->count; ++i) {
        const struct elf_object *object = staying->objects[i];
        for (size_t n = 0; n < object->needed_count + object->bindings.count; ++n) {
            struct elf_object *other = n < object->needed_count
                                           ? object->needed[n]
                                           : object->bindings.objects[n - object->needed_count];
            if (other == NULL || other->is_system || other->is_kept) {
                continue;
            }
            other->is_kept = true;
            if (elf_scope_append(staying, other) != 0) {
                return false;
            }
        }
    }
    return true;
}

// Fills leaving, in the order of finalisers. Nothing is leaving where there is no memory to find
// out.
static void leaving_find(struct elf_scope *leaving)
{
    struct elf_scope staying = {0}, all = {0};
    struct elf_object **order = NULL;
    size_t count = 0;
    bool is_known = true;
    for (struct elf_object *object = elf_first(); object != NULL; object = elf_next(object)) {
        is_known = is_known && elf_scope_append(&all, object) == 0;
    }
    // Which every object may need, so that there is room for it.
    is_known = is_known && elf_scope_append(&all, &elf_system) == 0;
    elf_bindings_lock();
    is_known =
        is_known && staying_find(&staying) && elf_init_order(&all, true, &order, &count) == 0;
    for (size_t i = count; i > 0 && is_known; --i) {
        if (!order[i - 1]->is_kept && !order[i - 1]->is_system) {
            is_known = elf_scope_append(leaving, order[i - 1]) == 0;
        }
    }
    leaving->count = is_known ? leaving->count : 0;
    for (size_t i = 0; i < leaving->count; ++i) {
        leaving->objects[i]->is_leaving = true;
    }
    elf_bindings_unlock();
    heap_free(order);
    heap_free(staying.objects);
    heap_free(all.objects);
}

static void scope_strip(struct elf_scope *scope)
{
    size_t count = 0;
    for (size_t i = 0; i < scope->count; ++i) {
        if (!scope->objects[i]->is_leaving) {
            scope->objects[count++] = scope->objects[i];
        }
    }
    scope->count = count;
}

// One whose groups all go is a group of its own from now on, so that it finds its own symbols. No
// memory: it finds global ones only.
static void group_make(struct elf_object *object)
{
    if (object->search.count == 0 && elf_scope_add(&object->search, object) != 0) {
        return;
    }
    bool is_complete = true;
    for (size_t i = 0; i < object->search.count && is_complete; ++i) {
        const struct elf_object *member = object->search.objects[i];
        for (size_t n = 0; n < member->needed_count && is_complete; ++n) {
            is_complete = elf_scope_add(&object->search, member->needed[n]) == 0;
        }
    }
    if (!is_complete || elf_scope_add(&object->groups, object) != 0) {
        object->search.count = 0;
    }
}

// Nobody who stays knows of them any more.
static void leaving_forget(const struct elf_scope *leaving)
{
    elf_list_lock();
    elf_bindings_lock();
    for (size_t i = 0; i < leaving->count; ++i) {
        elf_unpublish(leaving->objects[i]);
        elf_unique_forget(leaving->objects[i]);
    }
    scope_strip(&elf_global);
    for (struct elf_object *object = elf_first(); object != NULL; object = elf_next(object)) {
        bool had_groups = object->groups.count > 0;
        scope_strip(&object->groups);
        if (had_groups && object->groups.count == 0) {
            group_make(object);
        }
        if (object->loader != NULL && object->loader->is_leaving) {
            object->loader = NULL;
        }
    }
    elf_bindings_unlock();
    elf_debug_update();
    elf_list_unlock();
}

static void unload_once(void)
{
    struct elf_scope leaving = {0};
    leaving_find(&leaving);
    for (size_t i = 0; i < leaving.count; ++i) {
        elf_fini_object(leaving.objects[i]);
    }
    if (leaving.count > 0) {
        leaving_forget(&leaving);
    }
    for (size_t i = 0; i < leaving.count; ++i) {
        elf_tls_release(leaving.objects[i]);
        elf_missing_forget(leaving.objects[i]);
        elf_object_destroy(leaving.objects[i]);
    }
    heap_free(leaving.objects);
}

void elf_unload_release(void)
{
    // A finaliser that closes more comes here with the count raised.
    while (unload.hold_count == 1 && unload.is_wanted) {
        unload.is_wanted = false;
        unload_once();
    }
    --unload.hold_count;
}

struct elf_object *elf_pin(const void *address)
{
    struct elf_object *object = elf_object_at(address);
    if (object == NULL || object->is_system || object->is_startup) {
        return NULL;
    }
    atomic_fetch_add(&object->pin_count, 1);
    return object;
}

void elf_unpin(struct elf_object *object)
{
    if (object != NULL) {
        atomic_fetch_sub(&object->pin_count, 1);
    }
}
