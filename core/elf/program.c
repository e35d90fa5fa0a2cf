// SPDX-License-Identifier: BSD-3-Clause
// program.c: loading a program or a library with everything it needs.
//
// A load goes through stages, for all of its objects together: map (breadth first over DT_NEEDED),
// give out thread-local storage, relocate (those needed before those that need them), run
// resolvers, protect, publish. Until it is published nobody else can see an object, so a load that
// fails takes its objects away again. The loader's mutex is held throughout.
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
static struct mutex bindings;
struct elf_scope elf_global;
struct elf_object *elf_program;

void elf_loader_lock(void)
{
    mutex_lock_recursive(&loader);
}

void elf_loader_unlock(void)
{
    mutex_unlock_recursive(&loader);
}

void elf_bindings_lock(void)
{
    mutex_lock(&bindings);
}

void elf_bindings_unlock(void)
{
    mutex_unlock(&bindings);
}

// ---- Finding and mapping

static struct elf_object *find_by_name(const struct elf_loading *loading, const char *name)
{
    for (struct elf_object *object = elf_first(); object != NULL; object = elf_next(object)) {
        if (!object->is_leaving && object->soname != NULL && strcmp(object->soname, name) == 0) {
            return object;
        }
    }
    for (size_t i = 0; i < loading->fresh.count; ++i) {
        struct elf_object *object = loading->fresh.objects[i];
        if (object->soname != NULL && strcmp(object->soname, name) == 0) {
            return object;
        }
    }
    return NULL;
}

static bool is_loaded_from(const struct elf_object *object, const struct file_status *status)
{
    return !object->is_leaving && elf_object_is_file(object, status);
}

static struct elf_object *find_by_file(const struct elf_loading *loading, struct file *file)
{
    struct file_status status;
    if (file_status(file, &status) != 0) {
        return NULL;
    }
    for (struct elf_object *object = elf_first(); object != NULL; object = elf_next(object)) {
        if (is_loaded_from(object, &status)) {
            return object;
        }
    }
    for (size_t i = 0; i < loading->fresh.count; ++i) {
        if (is_loaded_from(loading->fresh.objects[i], &status)) {
            return loading->fresh.objects[i];
        }
    }
    return NULL;
}

// Maps an open file as a new object. path is as found.
static int object_map(struct elf_loading *loading, struct file *file, const char *path,
                      struct elf_object *needer, struct elf_object **result)
{
    struct elf_object *object = elf_object_create(path);
    if (object == NULL) {
        return elf_fail(ENOMEM, "%s: no memory; give more with --memory", path);
    }
    object->is_program = loading->is_startup && loading->fresh.count == 0;
    object->is_startup = loading->is_startup;
    object->link_name = object->is_program ? "" : object->path;
    object->loader = needer;
    int error = elf_file_load(object, file);
    if (error == 0) {
        hal_check_object(path, object->base);
        error = elf_dynamic_read(object);
    }
    if (error == 0 && !object->is_program && (object->is_executable || object->is_pie)) {
        error = elf_fail(ENOEXEC, "%s: cannot dynamically load %sexecutable", path,
                         object->is_pie ? "position-independent " : "");
    }
    if (error == 0 && elf_scope_add(&loading->fresh, object) != 0) {
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

int elf_object_get(struct elf_loading *loading, const char *name, struct elf_object *needer,
                   bool is_dependency, struct elf_object **result)
{
    if (elf_system_supplies(name)) {
        *result = &elf_system;
        return 0;
    }
    *result = strchr(name, '/') == NULL ? find_by_name(loading, name) : NULL;
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
    *result = find_by_file(loading, file);
    if (*result == NULL) {
        error = object_map(loading, file, path, needer, result);
    }
    file_put(file);
    heap_free(path);
    return error;
}

int elf_object_find(const char *name, struct elf_object *needer, struct elf_object **result)
{
    const struct elf_loading nothing = {0};
    if (elf_system_supplies(name)) {
        *result = &elf_system;
        return 0;
    }
    *result = find_by_name(&nothing, name);
    struct file *file;
    char *path;
    if (*result == NULL && elf_library_open(name, needer, &file, &path) == 0) {
        *result = find_by_file(&nothing, file);
        file_put(file);
        heap_free(path);
    }
    return *result != NULL ? 0 : -ENOENT;
}

static int scope_add(struct elf_scope *scope, struct elf_object *object)
{
    return elf_scope_add(scope, object) == 0
               ? 0
               : elf_fail(ENOMEM, "%s: no memory; give more with --memory", object->path);
}

int elf_scope_complete(struct elf_loading *loading, struct elf_scope *scope)
{
    for (size_t i = 0; i < scope->count; ++i) {
        struct elf_object *object = scope->objects[i];
        for (size_t n = 0; n < object->needed_count; ++n) {
            int error = 0;
            if (object->needed[n] == NULL) {
                error = elf_object_get(loading, object->needed_names[n], object, true,
                                       &object->needed[n]);
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

int elf_loading_relocate(struct elf_loading *loading)
{
    int error = 0;
    for (size_t i = 0; i < loading->fresh.count && error == 0; ++i) {
        struct elf_object *object = loading->fresh.objects[i];
        object->is_lazy = !loading->is_eager && !object->is_bound_now;
        error = elf_tls_assign(object, loading->is_startup);
    }
    elf_bindings_lock();
    for (size_t i = loading->fresh.count; i > 0 && error == 0; --i) {
        error = elf_relocate(loading->fresh.objects[i - 1], &elf_global);
    }
    elf_bindings_unlock();
    error = error != 0 ? error : elf_missing_finish();
    if (error == 0) {
        if (loading->is_startup) {
            startup_pointer_set();
            elf_debug_register(loading->fresh.objects[0]);
        }
        error = elf_indirect_resolve();
    }
    for (size_t i = 0; i < loading->fresh.count && error == 0; ++i) {
        error = elf_relro_protect(loading->fresh.objects[i]);
    }
    return error;
}

void elf_loading_publish(struct elf_loading *loading)
{
    for (size_t i = 0; i < loading->fresh.count; ++i) {
        elf_tls_commit(loading->fresh.objects[i]);
        elf_publish(loading->fresh.objects[i]);
    }
    elf_debug_update();
}

void elf_loading_undo(struct elf_loading *loading)
{
    elf_indirect_forget();
    for (size_t i = 0; i < loading->fresh.count; ++i) {
        elf_tls_release(loading->fresh.objects[i]);
        elf_unique_forget(loading->fresh.objects[i]);
        elf_missing_forget(loading->fresh.objects[i]);
    }
    for (size_t i = loading->fresh.count; i > 0; --i) {
        elf_object_destroy(loading->fresh.objects[i - 1]);
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

static int program_open(struct elf_loading *loading, const char *path)
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
    error = object_map(loading, file, path, NULL, &object);
    file_put(file);
    if (error != 0) {
        return error;
    }
    char *origin = origin_find(path);
    if (origin != NULL) {
        heap_free(object->origin);
        object->origin = origin;
    }
    elf_search_program_set(object);
    return scope_add(loading->search, object);
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
static int preload_all(struct elf_loading *loading, const char *names)
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
        int error = size == 0
                        ? -ENOENT
                        : elf_object_get(loading, name, loading->fresh.objects[0], false, &object);
        elf_message_replace(saved);
        if (error == 0) {
            error = scope_add(loading->search, object);
        } else if (size > 0) {
            console_print("osv: object '%s' from LD_PRELOAD cannot be preloaded: ignored.\n", name);
        }
        heap_free(name);
        names += size + (names[size] != '\0');
    }
    return 0;
}

static int program_load(struct elf_loading *loading, const char *path,
                        const struct elf_options *options)
{
    int error = program_open(loading, path);
    error = error != 0 ? error : program_check(loading->search->objects[0]);
    error = error != 0 ? error : preload_all(loading, options->preload);
    error = error != 0 ? error : elf_scope_complete(loading, loading->search);
    error = error != 0 ? error : scope_add(loading->search, &elf_system);
    error = error != 0 ? error : elf_loading_relocate(loading);
    if (error != 0) {
        return error;
    }
    struct elf_object *object = loading->fresh.objects[0];
    if (elf_init_order(loading->search, false, &object->start_order, &object->start_order_count) !=
        0) {
        return elf_fail(ENOMEM, "%s: no memory; give more with --memory", path);
    }
    error = elf_publish_reserve(loading->fresh.count);
    if (error == 0) {
        elf_loading_publish(loading);
    }
    return error;
}

int elf_load(const char *path, const struct elf_options *options, struct elf_object **result,
             char message[ELF_MESSAGE_SIZE])
{
    struct elf_loading loading = {.search = &elf_global,
                                  .is_startup = true,
                                  .is_eager = options->bind_now || options->bind_verbose};
    elf_loader_lock();
    ASSERT(elf_program == NULL);
    elf_message_begin(message);
    elf_missing_verbose_set(options->bind_verbose);
    elf_library_path_set(options->library_path);
    elf_trace_set(options->trace);
    elf_bind_now_set(loading.is_eager);
    int error = program_load(&loading, path, options);
    if (error == 0) {
        elf_program = loading.fresh.objects[0];
        *result = elf_program;
    } else {
        elf_loading_undo(&loading);
        elf_search_program_set(NULL);
        elf_global.count = 0;
    }
    heap_free(loading.fresh.objects);
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

bool elf_program_start_get(struct elf_start *start)
{
    if (elf_program != NULL) {
        elf_start_get(elf_program, start);
    }
    return elf_program != NULL;
}
