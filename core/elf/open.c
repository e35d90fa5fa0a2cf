// SPDX-License-Identifier: BSD-3-Clause
// open.c: dlopen, dlclose and dlsym.
//
// What dlopen brings forms a group: the object that was asked for and what it needs, breadth first
// (its `search`). A reference of an object is looked up in the global scope, then in each group
// that it is in, in the order in which the groups came; with DEEPBIND its first group comes before
// the global scope. These are glibc's rules, and so are those of RTLD_NEXT.
#include "core/elf/object.h"
#include "core/elf/program.h"
#include "core/lib/errno.h"
#include "core/lib/format.h"
#include "core/lib/string.h"
#include "core/mem/heap.h"

static bool bind_now; // loader's mutex

void elf_bind_now_set(bool now)
{
    bind_now = now;
}

// ---- dlopen

// The breadth-first list of an object that is asked for by name.
static int search_build(struct elf_loading *loading, struct elf_object *object)
{
    if (object->search.count > 0) {
        return 0;
    }
    struct elf_scope search = {0};
    int error = elf_scope_add(&search, object) == 0
                    ? elf_scope_complete(loading, &search)
                    : elf_fail(ENOMEM, "%s: no memory; give more with --memory", object->path);
    if (error != 0) {
        heap_free(search.objects);
        return error;
    }
    elf_bindings_lock();
    object->search = search;
    elf_bindings_unlock();
    return 0;
}

// Room in the lists first, so that nothing has to be taken back.
static int global_add(const struct elf_object *object)
{
    int error = 0;
    elf_bindings_lock();
    size_t former_count = elf_global.count;
    for (size_t i = 0; i < object->search.count && error == 0; ++i) {
        error = elf_scope_add(&elf_global, object->search.objects[i]);
    }
    if (error != 0) {
        elf_global.count = former_count;
        error = elf_fail(ENOMEM, "%s: no memory; give more with --memory", object->path);
    }
    elf_bindings_unlock();
    return error;
}

// What was there before and is in root's group too finds root's symbols from now on.
static int groups_add(struct elf_object *root)
{
    int error = 0;
    elf_bindings_lock();
    for (size_t i = 0; i < root->search.count && error == 0; ++i) {
        struct elf_object *object = root->search.objects[i];
        if (!object->is_system && !object->is_startup) {
            error = elf_scope_add(&object->groups, root);
        }
    }
    elf_bindings_unlock();
    return error == 0 ? 0 : elf_fail(ENOMEM, "%s: no memory; give more with --memory", root->path);
}

// The load has failed, and root may go.
static void groups_remove(const struct elf_object *root)
{
    elf_bindings_lock();
    for (size_t i = 0; i < root->search.count; ++i) {
        elf_scope_remove(&root->search.objects[i]->groups, root);
    }
    elf_bindings_unlock();
}

// Everything but the initialisers, and nothing that others could see. *is_known: the object was
// there, and so was its group.
static int library_load(struct elf_loading *loading, const char *path, int flags,
                        struct elf_object *needer, struct elf_object **result, bool *is_known)
{
    int error = elf_object_get(loading, path, needer, false, result);
    *is_known = error != 0 || (*result)->search.count > 0;
    error = error != 0 ? error : search_build(loading, *result);
    for (size_t i = 0; i < loading->fresh.count && error == 0; ++i) {
        struct elf_object *object = loading->fresh.objects[i];
        object->is_deep = (flags & ELF_DEEPBIND) != 0;
        object->is_strict = true;
        error = elf_scope_add(&object->groups, *result) == 0
                    ? 0
                    : elf_fail(ENOMEM, "%s: no memory; give more with --memory", object->path);
    }
    return error != 0 ? error : elf_loading_relocate(loading);
}

static int library_publish(struct elf_loading *loading, struct elf_object *root, int flags,
                           bool is_known)
{
    int error = elf_publish_reserve(loading->fresh.count);
    if (error == 0 && !is_known) {
        error = groups_add(root);
    }
    if (error == 0 && (flags & ELF_GLOBAL) != 0) {
        error = global_add(root);
    }
    if (error == 0) {
        root->is_nodelete |= (flags & ELF_NODELETE) != 0;
        ++root->open_count;
        elf_loading_publish(loading);
    }
    return error;
}

// The load failed: the list names objects that go.
static void search_forget(struct elf_object *object)
{
    groups_remove(object);
    elf_bindings_lock();
    object->search.count = 0;
    elf_bindings_unlock();
}

static int library_open(const char *path, int flags, struct elf_object *needer,
                        struct elf_object **result)
{
    struct elf_loading loading = {.is_eager = bind_now || (flags & ELF_NOW) != 0};
    struct elf_object **order = NULL;
    size_t count = 0;
    bool is_known;
    int error = library_load(&loading, path, flags, needer, result, &is_known);
    if (error == 0 && elf_init_order(&(*result)->search, false, &order, &count) != 0) {
        error = elf_fail(ENOMEM, "%s: no memory; give more with --memory", path);
    }
    error = error != 0 ? error : library_publish(&loading, *result, flags, is_known);
    if (error == 0) {
        elf_init_objects(order, count);
    } else {
        if (!is_known) {
            search_forget(*result);
        }
        elf_loading_undo(&loading);
    }
    heap_free(order);
    heap_free(loading.fresh.objects);
    return error;
}

// NOLOAD: what is there may still become global, or stay for ever. What is not there is no error
// that dlerror tells of.
static int already_open(const char *path, int flags, struct elf_object *needer,
                        struct elf_object **result)
{
    struct elf_loading nothing = {0};
    int error = elf_object_find(path, needer, result);
    if (error != 0) {
        return error;
    }
    bool is_known = (*result)->search.count > 0;
    error = search_build(&nothing, *result);
    return error != 0 ? error : library_publish(&nothing, *result, flags, is_known);
}

int elf_open(const char *path, int flags, const void *caller, struct elf_object **object,
             char message[ELF_MESSAGE_SIZE])
{
    if ((flags & (ELF_LAZY | ELF_NOW)) == 0) {
        format(message, ELF_MESSAGE_SIZE, "%s%sinvalid mode for dlopen(): Invalid argument",
               path == NULL ? "" : path, path == NULL || path[0] == '\0' ? "" : ": ");
        return -EINVAL;
    }
    elf_loader_lock();
    elf_unload_hold();
    elf_message_begin(message);
    struct elf_object *needer = elf_object_at(caller);
    needer = needer == NULL || needer->is_system ? elf_program : needer;
    int error = 0;
    if (path == NULL || path[0] == '\0') {
        *object = elf_program;
        ++elf_program->open_count;
    } else if ((flags & ELF_NOLOAD) != 0) {
        error = already_open(path, flags, needer, object);
    } else {
        error = library_open(path, flags, needer, object);
    }
    elf_unload_release();
    elf_loader_unlock();
    return error;
}

int elf_close(struct elf_object *object, char message[ELF_MESSAGE_SIZE])
{
    elf_loader_lock();
    bool is_open = object != NULL && (object->open_count > 0 || object->is_nodelete);
    if (is_open && object->open_count > 0) {
        elf_unload_hold();
        if (--object->open_count == 0) {
            elf_unload_want();
        }
        elf_unload_release();
    } else if (!is_open) {
        format(message, ELF_MESSAGE_SIZE, "shared object not open");
    }
    elf_loader_unlock();
    return is_open ? 0 : -EINVAL;
}

// ---- dlsym

// After caller's object in the list that brought it in.
static bool find_next(struct elf_object *caller, struct elf_reference *reference,
                      struct elf_definition *found)
{
    const struct elf_object *root = caller;
    while (root->loader != NULL) {
        root = root->loader;
    }
    const struct elf_scope *scope = root->is_startup ? &elf_global : &root->search;
    for (size_t i = 0; i < scope->count; ++i) {
        if (scope->objects[i] == caller) {
            return elf_lookup_scope(scope, i + 1, reference, found);
        }
    }
    return false;
}

static bool find_for(struct elf_object *handle, struct elf_object *caller,
                     struct elf_reference *reference, struct elf_definition *found)
{
    if (handle == ELF_DEFAULT) {
        bool is_found = elf_scopes_search(caller, &elf_global, reference, found);
        if (is_found) {
            elf_binding_note(caller, found->object);
        }
        return is_found;
    }
    if (handle == ELF_NEXT) {
        return find_next(caller, reference, found);
    }
    if (handle == elf_program) {
        return elf_lookup_scope(&elf_global, 0, reference, found);
    }
    if (handle->search.count == 0) {
        return elf_lookup_in(handle, reference, found);
    }
    return elf_lookup_scope(&handle->search, 0, reference, found);
}

static void *definition_for_thread(const struct elf_definition *definition)
{
    if (definition->entry != NULL && elf_symbol_type(definition->entry) == ELF_STT_TLS) {
        struct elf_tls_index index = {definition->object->tls.number, definition->entry->value};
        return index.module == 0 ? NULL : elf_tls_address(&index);
    }
    return elf_definition_address(definition);
}

static bool is_real(const struct elf_object *handle)
{
    return handle != ELF_DEFAULT && handle != ELF_NEXT;
}

int elf_symbol_find(struct elf_object *handle, const char *name, const char *version,
                    const void *caller, void **address)
{
    struct elf_version wanted = {.name = version, .is_hidden = true};
    struct elf_reference reference;
    struct elf_definition found;
    if (version != NULL) {
        wanted.hash = elf_sysv_hash(version);
    }
    elf_reference_make(&reference, name, version == NULL ? NULL : &wanted, ELF_LOOKUP_NEWEST);
    elf_loader_lock();
    struct elf_object *asker = elf_object_at(caller);
    asker = asker == NULL || asker->is_system ? elf_program : asker;
    if ((asker != NULL && asker->is_leaving) || (is_real(handle) && handle->is_leaving)) {
        reference.flags |= ELF_LOOKUP_LEAVING;
    }
    elf_bindings_lock();
    bool is_found =
        (asker != NULL || is_real(handle)) && find_for(handle, asker, &reference, &found);
    if (is_found && found.entry != NULL && elf_symbol_binding(found.entry) == ELF_STB_UNIQUE &&
        elf_unique_bind(name, &found) != 0) {
        is_found = false;
    }
    elf_bindings_unlock();
    if (is_found) {
        *address = definition_for_thread(&found);
    }
    elf_loader_unlock();
    return is_found ? 0 : -ENOENT;
}
