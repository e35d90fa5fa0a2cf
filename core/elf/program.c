// SPDX-License-Identifier: BSD-3-Clause
// program.c: loading a program or a library with everything it needs.
//
// A load goes through stages, for all of its objects together: map (breadth first over DT_NEEDED),
// give out thread-local storage, relocate (those needed before those that need them), run
// resolvers, protect, publish. Until it is published nobody else can see an object, so a load that
// fails takes its objects away again.
//
// One recursive mutex is held throughout, and while initialisers run, which may load more. Objects
// are never unloaded: elf_close counts, and that is all.
#include "core/elf/program.h"

#include "core/elf/object.h"
#include "core/elf/tls.h"
#include "core/lib/assert.h"
#include "core/lib/errno.h"
#include "core/lib/format.h"
#include "core/lib/string.h"
#include "core/mem/heap.h"
#include "core/sync/mutex.h"
#include "core/vfs/file.h"
#include "core/vfs/vfs.h"

enum { LINK_COUNT_MAX = 40, PATH_SIZE = 4096, ORIGIN_SIZE = 2048 };

static struct mutex loader;
// Written under the mutex. Readers without it: none but the loads of other threads.
static struct elf_scope global_scope;
static struct elf_object *program;

void elf_loader_lock(void)
{
    mutex_lock_recursive(&loader);
}

void elf_loader_unlock(void)
{
    mutex_unlock_recursive(&loader);
}

// One load.
struct load {
    struct elf_scope fresh;   // new objects, as they were mapped
    struct elf_scope *search; // breadth first: what is being built
    bool is_startup;
};

// ---- Finding and mapping

static struct elf_object *find_by_name(const struct load *load, const char *name)
{
    for (struct elf_object *object = elf_first(); object != NULL; object = elf_next(object)) {
        if (object->soname != NULL && strcmp(object->soname, name) == 0) {
            return object;
        }
    }
    for (size_t i = 0; i < load->fresh.count; ++i) {
        struct elf_object *object = load->fresh.objects[i];
        if (object->soname != NULL && strcmp(object->soname, name) == 0) {
            return object;
        }
    }
    return NULL;
}

// Not by device: one directory of the host may be mounted twice (/lib and /usr/lib), and a library
// must not be loaded twice.
static bool is_same_file(const struct elf_object *object, const struct file_status *status)
{
    return object->inode == status->inode && object->file_size == status->size &&
           object->modified.seconds == status->modified.seconds &&
           object->modified.nanoseconds == status->modified.nanoseconds;
}

static struct elf_object *find_by_file(const struct load *load, struct file *file)
{
    struct file_status status;
    if (file_status(file, &status) != 0) {
        return NULL;
    }
    for (struct elf_object *object = elf_first(); object != NULL; object = elf_next(object)) {
        if (is_same_file(object, &status)) {
            return object;
        }
    }
    for (size_t i = 0; i < load->fresh.count; ++i) {
        if (is_same_file(load->fresh.objects[i], &status)) {
            return load->fresh.objects[i];
        }
    }
    return NULL;
}

// Maps an open file as a new object. path is as found.
static int object_map(struct load *load, struct file *file, const char *path,
                      struct elf_object *needer, struct elf_object **result)
{
    struct elf_object *object = elf_object_create(path);
    if (object == NULL) {
        return elf_fail(ENOMEM, "%s: no memory; give more with --memory", path);
    }
    object->is_program = load->is_startup && load->fresh.count == 0;
    object->link_name = object->is_program ? "" : object->path;
    object->loader = needer;
    int error = elf_file_load(object, file);
    if (error == 0) {
        error = elf_dynamic_read(object);
    }
    if (error == 0 && !object->is_program && (object->is_executable || object->is_pie)) {
        error = elf_fail(ENOEXEC, "%s: cannot dynamically load %sexecutable", path,
                         object->is_pie ? "position-independent " : "");
    }
    if (error == 0 && elf_scope_add(&load->fresh, object) != 0) {
        error = elf_fail(ENOMEM, "%s: no memory; give more with --memory", path);
    }
    if (error != 0) {
        elf_object_destroy(object);
        return error;
    }
    *result = object;
    return 0;
}

static int not_found(const char *name, const struct elf_object *needer, int error)
{
    const char *reason = error == -EACCES    ? "Permission denied"
                         : error == -ENOTDIR ? "Not a directory"
                                             : "No such file or directory";
    if (needer == NULL) {
        return elf_fail(ELIBACC, "%s: cannot open shared object file: %s", name, reason);
    }
    return elf_fail(
        ELIBACC,
        "%s: cannot open shared object file: %s (needed by %s; add it, or give its directory in "
        "LD_LIBRARY_PATH)",
        name, reason, needer->path);
}

// The object of that name, loaded before or now. needer: whose paths count. is_dependency: it is in
// its DT_NEEDED.
static int object_get(struct load *load, const char *name, struct elf_object *needer,
                      bool is_dependency, struct elf_object **result)
{
    if (elf_system_supplies(name)) {
        *result = &elf_system;
        return 0;
    }
    *result = strchr(name, '/') == NULL ? find_by_name(load, name) : NULL;
    if (*result != NULL) {
        return 0;
    }
    struct file *file;
    char *path;
    int error = elf_library_open(name, needer, &file, &path);
    if (error == -ENOMEM) {
        return elf_fail(ENOMEM, "%s: no memory; give more with --memory", name);
    }
    if (error != 0) {
        return not_found(name, is_dependency ? needer : NULL, error);
    }
    *result = find_by_file(load, file);
    if (*result == NULL) {
        error = object_map(load, file, path, needer, result);
    }
    file_put(file);
    heap_free(path);
    return error;
}

static int scope_add(struct elf_scope *scope, struct elf_object *object)
{
    return elf_scope_add(scope, object) == 0
               ? 0
               : elf_fail(ENOMEM, "%s: no memory; give more with --memory", object->path);
}

// Completes a list that starts with its roots: what each object needs, breadth first.
static int scope_complete(struct load *load, struct elf_scope *scope)
{
    for (size_t i = 0; i < scope->count; ++i) {
        struct elf_object *object = scope->objects[i];
        for (size_t n = 0; n < object->needed_count; ++n) {
            int error = 0;
            if (object->needed[n] == NULL) {
                error = object_get(load, object->needed_names[n], object, true, &object->needed[n]);
            }
            error = error != 0 ? error : scope_add(scope, object->needed[n]);
            if (error != 0) {
                return error;
            }
        }
    }
    return 0;
}

// ---- The stages after mapping

static int order_fill(const struct elf_scope *scope, struct elf_object ***order, size_t *count)
{
    return elf_init_order(scope, order, count) == 0
               ? 0
               : elf_fail(ENOMEM, "no memory; give more with --memory");
}

// Resolvers may be compiled with a stack guard, which lies at the thread pointer; the program's
// first thread has none yet. This block stands in for it.
static void startup_pointer_set(void)
{
    static struct {
        char below[1024];
        struct elf_tcb tcb;
        char above[2048];
    } block __attribute__((aligned(64)));
    elf_tcb_prepare(&block.tcb);
    hal_tp_set(elf_tcb_pointer(&block.tcb));
}

static int load_relocate(struct load *load)
{
    int error = 0;
    for (size_t i = 0; i < load->fresh.count && error == 0; ++i) {
        error = elf_tls_assign(load->fresh.objects[i], load->is_startup);
    }
    for (size_t i = load->fresh.count; i > 0 && error == 0; --i) {
        error = elf_relocate(load->fresh.objects[i - 1], &global_scope);
    }
    error = error != 0 ? error : elf_missing_finish();
    if (error == 0) {
        if (load->is_startup) {
            startup_pointer_set();
            elf_debug_register(load->fresh.objects[0]);
        }
        error = elf_indirect_resolve();
    }
    for (size_t i = 0; i < load->fresh.count && error == 0; ++i) {
        error = elf_relro_protect(load->fresh.objects[i]);
    }
    return error;
}

// After elf_publish_reserve nothing can fail any more.
static void load_publish(struct load *load)
{
    elf_tls_commit();
    for (size_t i = 0; i < load->fresh.count; ++i) {
        elf_publish(load->fresh.objects[i]);
    }
    elf_debug_update();
}

static void load_undo(struct load *load)
{
    elf_indirect_forget();
    elf_tls_rollback();
    for (size_t i = 0; i < load->fresh.count; ++i) {
        elf_unique_forget(load->fresh.objects[i]);
        elf_missing_forget(load->fresh.objects[i]);
    }
    for (size_t i = load->fresh.count; i > 0; --i) {
        elf_object_destroy(load->fresh.objects[i - 1]);
    }
}

// ---- The program

// Follows links to the file itself and makes the path absolute: $ORIGIN of a program is where its
// file is. The result is heap memory; NULL: no memory or no such path, then the path counts as
// given.
static char *origin_find(const char *path)
{
    char *text = heap_alloc(2 * PATH_SIZE);
    if (text == NULL) {
        return NULL;
    }
    char *link = text + PATH_SIZE;
    size_t length = 0;
    if (path[0] != '/' && vfs_current_directory(text, ORIGIN_SIZE, &length) == 0) {
        length = strlen(text);
        text[length++] = '/';
    }
    format(text + length, PATH_SIZE - length, "%s", path);
    for (unsigned left = LINK_COUNT_MAX; left > 0; --left) {
        size_t size = 0;
        if (vfs_read_link(NULL, text, link, ORIGIN_SIZE, &size) != 0 || size >= ORIGIN_SIZE) {
            break;
        }
        link[size] = '\0';
        char *slash = strrchr(text, '/');
        size_t kept = link[0] == '/' || slash == NULL ? 0 : (size_t)(slash + 1 - text);
        format(text + kept, PATH_SIZE - kept, "%s", link);
    }
    char *slash = strrchr(text, '/');
    if (slash != NULL) {
        slash[slash == text ? 1 : 0] = '\0';
    }
    return text;
}

static int program_open(struct load *load, const char *path)
{
    struct file *file;
    int error = vfs_open(NULL, path, OPEN_READ_ONLY | OPEN_CLOSE_ON_EXEC, 0, &file);
    if (error != 0) {
        return elf_fail(-error, "%s: %s", path,
                        error == -ENOENT    ? "no such file; give the path of a program"
                        : error == -EACCES  ? "permission denied; make it readable"
                        : error == -ENOTDIR ? "a part of the path is not a directory"
                                            : "cannot be opened");
    }
    struct elf_object *object;
    error = object_map(load, file, path, NULL, &object);
    file_put(file);
    if (error != 0) {
        return error;
    }
    char *origin = origin_find(path);
    if (origin != NULL) {
        heap_free(object->origin);
        object->origin = origin;
    }
    return scope_add(load->search, object);
}

static int program_check(const struct elf_object *object)
{
    if (object->has_interpreter) {
        return elf_object_has_code(object, elf_object_va(object, object->entry))
                   ? 0
                   : elf_fail(ENOEXEC, "%s: has a damaged entry address; build or copy it again",
                              object->path);
    }
    if (object->is_pie) {
        return elf_fail(ENOEXEC, "%s: is statically linked; link it without -static", object->path);
    }
    struct elf_reference reference;
    struct elf_definition main;
    elf_reference_make(&reference, "main", NULL, ELF_LOOKUP_CALL);
    if (!elf_lookup_in((struct elf_object *)object, &reference, &main)) {
        return elf_fail(ENOEXEC, "%s: is a library without a function main; give a program",
                        object->path);
    }
    return 0;
}

// LD_PRELOAD: what cannot be loaded is said and passed over, as ld.so does.
static int preload_all(struct load *load, const char *names)
{
    char message[ELF_MESSAGE_SIZE], *saved;
    while (names != NULL && *names != '\0') {
        size_t size = 0;
        while (names[size] != '\0' && names[size] != ' ' && names[size] != ':') {
            ++size;
        }
        char *name = elf_text_copy(names, size);
        struct elf_object *object = NULL;
        if (name == NULL) {
            return elf_fail(ENOMEM, "no memory; give more with --memory");
        }
        message[0] = '\0';
        saved = elf_message_replace(message);
        int error =
            size == 0 ? -ENOENT : object_get(load, name, load->fresh.objects[0], false, &object);
        elf_message_replace(saved);
        if (error == 0) {
            error = scope_add(load->search, object);
        } else if (size > 0) {
            console_print("osv: object '%s' from LD_PRELOAD cannot be preloaded: ignored.\n", name);
        }
        heap_free(name);
        names += size + (names[size] != '\0');
    }
    return 0;
}

static int program_load(struct load *load, const char *path, const struct elf_options *options)
{
    int error = program_open(load, path);
    error = error != 0 ? error : program_check(load->search->objects[0]);
    error = error != 0 ? error : preload_all(load, options->preload);
    error = error != 0 ? error : scope_complete(load, load->search);
    error = error != 0 ? error : scope_add(load->search, &elf_system);
    error = error != 0 ? error : load_relocate(load);
    if (error != 0) {
        return error;
    }
    struct elf_object *object = load->fresh.objects[0];
    error = order_fill(load->search, &object->start_order, &object->start_order_count);
    error = error != 0 ? error : elf_publish_reserve(load->fresh.count);
    if (error == 0) {
        load_publish(load);
    }
    return error;
}

int elf_load(const char *path, const struct elf_options *options, struct elf_object **result,
             char message[ELF_MESSAGE_SIZE])
{
    struct load load = {.search = &global_scope, .is_startup = true};
    elf_loader_lock();
    ASSERT(program == NULL);
    elf_message_begin(message);
    elf_missing_verbose_set(options->bind_verbose);
    elf_library_path_set(options->library_path);
    elf_tls_mark();
    int error = program_load(&load, path, options);
    if (error == 0) {
        program = load.fresh.objects[0];
        for (size_t i = 0; i < global_scope.count; ++i) {
            global_scope.objects[i]->is_global = true;
        }
        *result = program;
    } else {
        load_undo(&load);
        global_scope.count = 0;
    }
    heap_free(load.fresh.objects);
    elf_loader_unlock();
    return error;
}

void elf_start_get(const struct elf_object *object, struct elf_start *start)
{
    struct elf_reference reference;
    struct elf_definition definition;
    elf_reference_make(&reference, "main", NULL, ELF_LOOKUP_CALL);
    *start = (struct elf_start){
        .entry = object->has_interpreter ? elf_object_va(object, object->entry) : NULL,
        .program_headers = object->headers,
        .program_header_size = sizeof(struct elf_program_header),
        .program_header_count = object->header_count,
        .base = object->base,
    };
    if (elf_lookup_in((struct elf_object *)object, &reference, &definition)) {
        start->main =
            (int (*)(int, char **, char **))(uintptr_t)elf_definition_address(&definition);
    }
    for (size_t i = 0; i < object->header_count; ++i) {
        const struct elf_program_header *header = &object->headers[i];
        char *mapped = elf_object_bytes(object, header->address, header->memory_size);
        if (header->type == ELF_PT_PHDR && mapped != NULL) {
            start->program_headers = mapped;
        }
    }
}

// ---- dlopen and its kin

// The breadth-first list of an object that is asked for by name.
static int search_build(struct load *load, struct elf_object *object)
{
    if (object->search.count > 0) {
        return 0;
    }
    int error = scope_add(&object->search, object);
    error = error != 0 ? error : scope_complete(load, &object->search);
    if (error != 0) {
        object->search.count = 0;
    }
    return error;
}

static int make_global(struct elf_object *object)
{
    size_t former_count = global_scope.count;
    for (size_t i = 0; i < object->search.count; ++i) {
        int error = scope_add(&global_scope, object->search.objects[i]);
        if (error != 0) {
            global_scope.count = former_count;
            return error;
        }
    }
    for (size_t i = 0; i < object->search.count; ++i) {
        object->search.objects[i]->is_global = true;
    }
    return 0;
}

// Everything but the initialisers, and nothing that others could see.
static int library_load(struct load *load, const char *path, int flags, struct elf_object *needer,
                        struct elf_object **result)
{
    struct elf_object *object;
    int error = object_get(load, path, needer, false, &object);
    error = error != 0 ? error : search_build(load, object);
    if (error != 0) {
        return error;
    }
    for (size_t i = 0; i < load->fresh.count; ++i) {
        load->fresh.objects[i]->local = &object->search;
        load->fresh.objects[i]->is_deep = (flags & ELF_DEEPBIND) != 0;
        load->fresh.objects[i]->is_strict = (flags & ELF_NOW) != 0;
    }
    *result = object;
    return load_relocate(load);
}

static int library_open(const char *path, int flags, struct elf_object *needer,
                        struct elf_object **result)
{
    struct load load = {0};
    struct elf_object **order = NULL;
    size_t count = 0;
    elf_tls_mark();
    int error = library_load(&load, path, flags, needer, result);
    error = error != 0 ? error : order_fill(&(*result)->search, &order, &count);
    error = error != 0 ? error : elf_publish_reserve(load.fresh.count);
    if (error == 0 && (flags & ELF_GLOBAL) != 0) {
        error = make_global(*result);
    }
    if (error == 0) {
        load_publish(&load);
        elf_init_objects(order, count);
    } else {
        load_undo(&load);
    }
    heap_free(order);
    heap_free(load.fresh.objects);
    return error;
}

static int already_open(const char *path, struct elf_object *needer, struct elf_object **result)
{
    struct load load = {0};
    if (elf_system_supplies(path)) {
        *result = &elf_system;
        return 0;
    }
    *result = find_by_name(&load, path);
    struct file *file;
    char *found_path;
    if (*result == NULL && elf_library_open(path, needer, &file, &found_path) == 0) {
        *result = find_by_file(&load, file);
        file_put(file);
        heap_free(found_path);
    }
    return *result != NULL ? 0 : not_found(path, NULL, -ENOENT);
}

int elf_open(const char *path, int flags, const void *caller, struct elf_object **object,
             char message[ELF_MESSAGE_SIZE])
{
    if ((flags & (ELF_LAZY | ELF_NOW)) == 0) {
        format(message, ELF_MESSAGE_SIZE, "invalid mode for dlopen(): Invalid argument");
        return -EINVAL;
    }
    elf_loader_lock();
    elf_message_begin(message);
    struct elf_object *needer = elf_object_at(caller);
    needer = needer == NULL || needer->is_system ? program : needer;
    int error = 0;
    if (path == NULL || path[0] == '\0') {
        *object = program;
    } else if ((flags & ELF_NOLOAD) != 0) {
        error = already_open(path, needer, object);
        if (error == 0 && (flags & ELF_GLOBAL) != 0) {
            error = make_global(*object);
        }
    } else {
        error = library_open(path, flags, needer, object);
    }
    if (error == 0) {
        ++(*object)->open_count;
    }
    elf_loader_unlock();
    return error;
}

int elf_close(struct elf_object *object, char message[ELF_MESSAGE_SIZE])
{
    elf_loader_lock();
    bool is_open = object != NULL && object->open_count > 0;
    if (is_open) {
        --object->open_count;
    } else {
        format(message, ELF_MESSAGE_SIZE, "shared object not open");
    }
    elf_loader_unlock();
    return is_open ? 0 : -EINVAL;
}

// ---- dlsym

// After caller's object in the global scope, or in the scope that brought it in.
static bool find_next(struct elf_object *caller, struct elf_reference *reference,
                      struct elf_definition *found)
{
    const struct elf_scope *scopes[] = {&global_scope, caller->local};
    for (size_t s = 0; s < 2; ++s) {
        for (size_t i = 0; scopes[s] != NULL && i < scopes[s]->count; ++i) {
            if (scopes[s]->objects[i] == caller) {
                return elf_lookup_scope(scopes[s], i + 1, reference, found);
            }
        }
    }
    return false;
}

static bool find_for(struct elf_object *handle, struct elf_object *caller,
                     struct elf_reference *reference, struct elf_definition *found)
{
    if (handle == ELF_DEFAULT || handle == program) {
        return elf_lookup_scope(&global_scope, 0, reference, found) ||
               (handle == ELF_DEFAULT && caller != NULL && caller->local != NULL &&
                elf_lookup_scope(caller->local, 0, reference, found));
    }
    if (handle == ELF_NEXT) {
        return caller != NULL && find_next(caller, reference, found);
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
    bool is_found = find_for(handle, elf_object_at(caller), &reference, &found);
    if (is_found && found.entry != NULL && elf_symbol_binding(found.entry) == ELF_STB_UNIQUE &&
        elf_unique_bind(name, &found) != 0) {
        is_found = false;
    }
    if (is_found) {
        *address = definition_for_thread(&found);
    }
    elf_loader_unlock();
    return is_found ? 0 : -ENOENT;
}
