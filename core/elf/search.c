// SPDX-License-Identifier: BSD-3-Clause
// search.c: from a name in DT_NEEDED (or dlopen) to an open file, as ld.so(8) looks for it.
//
// A name with a slash is a path. Any other is tried in DT_RPATH of the needer, of those who brought
// it in and of the program (where the needer has no DT_RUNPATH), LD_LIBRARY_PATH, DT_RUNPATH of the
// needer, /etc/ld.so.cache, and the default directories. Files for another machine are passed over.
// It is the cache that is read and not /etc/ld.so.conf, as ld.so does: one look instead of one
// directory after the other, and a library that ldconfig has not been told of is found here exactly
// when it is found on Linux. Variants for better processors (glibc-hwcaps) are not looked for.
// Loader's mutex.
#include "core/elf/object.h"

#include "core/lib/errno.h"
#include "core/lib/format.h"
#include "core/lib/string.h"
#include "core/mem/heap.h"
#include "core/sync/mutex.h"
#include "core/sync/shrinker.h"
#include "core/vfs/file.h"
#include "core/vfs/vfs.h"

enum { PATH_SIZE = 4096, CACHE_SIZE_MAX = 16 << 20, LOADER_DEPTH_MAX = 1000 };

struct search {
    const char *name;
    const struct elf_object *origin; // whose $ORIGIN counts
    char *path;                      // PATH_SIZE bytes: what is tried
    size_t length;
    struct file *file; // found
};

enum list_kind { LIST_OLD_RUN_PATH, LIST_LIBRARY_PATH, LIST_RUN_PATH, LIST_DEFAULT };

static const char *library_path;
static const struct elf_object *program;

void elf_search_program_set(const struct elf_object *object)
{
    program = object;
}

const char *elf_library_directory(void)
{
    return elf_default_directories[1];
}

void elf_library_path_set(const char *path)
{
    library_path = path;
}

// ---- Building a path

static void append(struct search *search, const char *text, size_t size)
{
    size_t room = PATH_SIZE - 1 - search->length;
    // A path that is too long is not found: the NUL cuts it, and no directory is that long.
    size = size < room ? size : room;
    memcpy(search->path + search->length, text, size);
    search->length += size;
    search->path[search->length] = '\0';
}

// The value of the token at text ("$ORIGIN", "${LIB}"), and its length; NULL: it is none.
static const char *token_value(const struct elf_object *origin, const char *text, size_t *size)
{
    const struct {
        const char *name, *value;
    } tokens[] = {{"ORIGIN", origin == NULL ? "." : origin->origin},
                  {"LIB", elf_lib_token},
                  {"PLATFORM", elf_platform}};
    size_t brace = text[1] == '{';
    for (size_t i = 0; i < sizeof(tokens) / sizeof(tokens[0]); ++i) {
        size_t length = strlen(tokens[i].name);
        if (strncmp(text + 1 + brace, tokens[i].name, length) == 0 &&
            (brace == 0 || text[1 + brace + length] == '}')) {
            *size = 1 + 2 * brace + length;
            return tokens[i].value;
        }
    }
    return NULL;
}

static void append_expanded(struct search *search, const char *text, size_t size)
{
    const char *end = text + size;
    while (text < end) {
        const char *dollar = memchr(text, '$', (size_t)(end - text));
        size_t plain = (size_t)((dollar == NULL ? end : dollar) - text);
        append(search, text, plain);
        text += plain;
        if (dollar == NULL) {
            return;
        }
        size_t token_size = 1;
        const char *value = token_value(search->origin, dollar, &token_size);
        append(search, value == NULL ? "$" : value, value == NULL ? 1 : strlen(value));
        text += token_size;
    }
}

// ---- Trying it

// Whether the file is one for this machine, as far as its first bytes say. Another kind of file is
// left to the loader, which says what is wrong with it.
static bool is_foreign(struct file *file)
{
    struct elf_header header;
    size_t done;
    if (file_read_at(file, 0, (char *)&header, 20, &done) != 0 || done != 20 ||
        memcmp(header.magic, "\177ELF", 4) != 0) {
        return false;
    }
    return header.class_code != ELF_CLASS_64 || header.machine != elf_machine;
}

static int path_try(struct search *search)
{
    struct file *file;
    elf_trace_print(ELF_TRACE_LIBS, "  trying file=%s", search->path);
    int error = vfs_open(NULL, search->path, OPEN_READ_ONLY | OPEN_CLOSE_ON_EXEC, 0, &file);
    if (error != 0) {
        return error;
    }
    if (is_foreign(file)) {
        file_put(file);
        return -ENOENT;
    }
    search->file = file;
    return 0;
}

// Puts the directory into search->path, with what its name stands for.
static void directory_set(struct search *search, const char *directory, size_t size)
{
    search->length = 0;
    append_expanded(search, size == 0 ? "." : directory, size == 0 ? 1 : size);
}

static int directory_try(struct search *search, const char *directory, size_t size)
{
    directory_set(search, directory, size);
    if (search->path[search->length - 1] != '/') {
        append(search, "/", 1);
    }
    append(search, search->name, strlen(search->name));
    return path_try(search);
}

// How long the first directory of a list is. LD_LIBRARY_PATH knows semicolons too.
static size_t directory_size(const char *list, enum list_kind kind)
{
    size_t size = 0;
    while (list[size] != '\0' && list[size] != ':' &&
           (list[size] != ';' || kind != LIST_LIBRARY_PATH)) {
        ++size;
    }
    return size;
}

static void list_trace(const char *list, enum list_kind kind, const struct elf_object *owner)
{
    static const char *const kinds[] = {"RPATH", "LD_LIBRARY_PATH", "RUNPATH"};
    bool is_own = kind != LIST_LIBRARY_PATH;
    elf_trace_print(ELF_TRACE_LIBS, " search path=%s\t\t(%s%s%s)", list, kinds[kind],
                    is_own ? " from file " : "", is_own ? owner->path : "");
}

// A list of directories. owner: whose $ORIGIN is meant.
static int list_try(struct search *search, const char *list, enum list_kind kind,
                    const struct elf_object *owner)
{
    if (list == NULL || *list == '\0') {
        return -ENOENT;
    }
    search->origin = owner;
    list_trace(list, kind, owner);
    for (;;) {
        size_t size = directory_size(list, kind);
        if (directory_try(search, list, size) == 0) {
            return 0;
        }
        if (list[size] == '\0') {
            return -ENOENT;
        }
        list += size + 1;
    }
}

// ---- /etc/ld.so.cache, as ldconfig writes it (glibc's elf/cache.c, the new format only)

struct cache_header {
    char magic[20]; // "glibc-ld.so.cache1.1"
    uint32_t entry_count, strings_size;
    uint32_t unused[5];
};

struct cache_entry {
    uint32_t flags, name, path, os_version;
    uint64_t hardware;
};

_Static_assert(sizeof(struct cache_header) == 48 && sizeof(struct cache_entry) == 24,
               "ld.so.cache");

static struct {
    struct mutex lock; // guards the rest
    char *bytes;       // the whole file, and a NUL; NULL: not here
    size_t size;
    bool is_read, is_known; // is_known: to those who reclaim memory
} cache;

// It is read again where it is needed again.
static size_t cache_shrink(struct shrinker *shrinker, size_t wanted, bool may_wait)
{
    (void)shrinker, (void)wanted;
    if (may_wait) {
        mutex_lock(&cache.lock);
    } else if (!mutex_try_lock(&cache.lock)) {
        return 0;
    }
    const size_t size = cache.bytes != NULL ? cache.size + 1 : 0;
    if (cache.bytes != NULL) {
        heap_free(cache.bytes);
        cache.bytes = NULL;
        cache.size = 0;
        cache.is_read = false;
    }
    mutex_unlock(&cache.lock);
    return size;
}

static void cache_make_known(void)
{
    static struct shrinker shrinker = {.name = "ld.so.cache", .shrink = cache_shrink};
    if (!cache.is_known) {
        cache.is_known = true;
        shrinker_register(&shrinker);
    }
}

static void cache_read(void)
{
    struct file *file;
    struct file_status status;
    size_t done = 0;
    cache.is_read = true;
    if (vfs_open(NULL, "/etc/ld.so.cache", OPEN_READ_ONLY | OPEN_CLOSE_ON_EXEC, 0, &file) != 0) {
        return;
    }
    if (file_status(file, &status) == 0 && status.size < CACHE_SIZE_MAX) {
        cache.bytes = heap_alloc(status.size + 1);
    }
    if (cache.bytes != NULL) {
        while (cache.size < status.size &&
               file_read_at(file, cache.size, cache.bytes + cache.size, status.size - cache.size,
                            &done) == 0 &&
               done > 0) {
            cache.size += done;
        }
        cache.bytes[cache.size] = '\0';
    }
    file_put(file);
}

// The path of name; NULL: it is not there.
static const char *cache_find(const char *name)
{
    const struct cache_header *header = (const void *)cache.bytes;
    if (cache.size < sizeof(*header) || memcmp(header->magic, "glibc-ld.so.cache1.1", 20) != 0 ||
        header->entry_count > (cache.size - sizeof(*header)) / sizeof(struct cache_entry)) {
        return NULL;
    }
    const struct cache_entry *entries = (const void *)(header + 1);
    for (size_t i = 0; i < header->entry_count; ++i) {
        const struct cache_entry *entry = &entries[i];
        if (entry->flags == elf_cache_flags && entry->hardware == 0 && entry->name < cache.size &&
            entry->path < cache.size && strcmp(cache.bytes + entry->name, name) == 0) {
            return cache.bytes + entry->path;
        }
    }
    return NULL;
}

static int cache_try(struct search *search)
{
    mutex_lock(&cache.lock);
    if (!cache.is_read) {
        cache_make_known();
        cache_read();
    }
    const char *path = cache_find(search->name);
    elf_trace_print(ELF_TRACE_LIBS, " search cache=/etc/ld.so.cache");
    const bool is_there = path != NULL;
    if (is_there) {
        search->length = 0;
        append(search, path, strlen(path));
    }
    mutex_unlock(&cache.lock);
    return is_there ? path_try(search) : -ENOENT;
}

// ---- All of it

// Whose DT_RPATH counts after that of object; NULL: no more. The program's always does.
static const struct elf_object *next_owner(const struct elf_object *object, bool *had_program)
{
    *had_program |= object == program;
    if (object->loader != NULL) {
        return object->loader;
    }
    return *had_program ? NULL : program;
}

static int old_run_paths_try(struct search *search, const struct elf_object *needer)
{
    if (needer == NULL || needer->run_path != NULL) {
        return -ENOENT;
    }
    unsigned left = LOADER_DEPTH_MAX;
    bool had_program = false;
    for (const struct elf_object *object = needer; object != NULL && left > 0;
         object = next_owner(object, &had_program), --left) {
        if (object->run_path == NULL &&
            list_try(search, object->old_run_path, LIST_OLD_RUN_PATH, object) == 0) {
            return 0;
        }
    }
    return -ENOENT;
}

static int everywhere_try(struct search *search, const struct elf_object *needer)
{
    elf_trace_print(ELF_TRACE_LIBS, "find library=%s [0]; searching", search->name);
    if (old_run_paths_try(search, needer) == 0 ||
        list_try(search, library_path, LIST_LIBRARY_PATH, needer) == 0 ||
        (needer != NULL && list_try(search, needer->run_path, LIST_RUN_PATH, needer) == 0) ||
        cache_try(search) == 0) {
        return 0;
    }
    for (size_t i = 0; elf_default_directories[i] != NULL; ++i) {
        if (directory_try(search, elf_default_directories[i], strlen(elf_default_directories[i])) ==
            0) {
            return 0;
        }
    }
    return -ENOENT;
}

// ---- What dlinfo tells of it

struct listing {
    struct search search;
    void (*visit)(const char *directory, void *argument);
    void *argument;
};

static void list_walk(struct listing *listing, const char *list, enum list_kind kind,
                      const struct elf_object *owner)
{
    struct search *search = &listing->search;
    search->origin = owner;
    while (list != NULL && *list != '\0') {
        size_t size = directory_size(list, kind);
        directory_set(search, list, size);
        while (search->length > 1 && search->path[search->length - 1] == '/') {
            search->path[--search->length] = '\0';
        }
        listing->visit(search->path, listing->argument);
        list += size + (list[size] != '\0');
    }
}

int elf_search_walk(const struct elf_object *object,
                    void (*visit)(const char *directory, void *argument), void *argument)
{
    struct listing listing = {
        .search.path = heap_alloc(PATH_SIZE), .visit = visit, .argument = argument};
    if (listing.search.path == NULL) {
        return -ENOMEM;
    }
    elf_loader_lock();
    bool had_program = false;
    for (const struct elf_object *owner = object->run_path == NULL ? object : NULL; owner != NULL;
         owner = next_owner(owner, &had_program)) {
        if (owner->run_path == NULL) {
            list_walk(&listing, owner->old_run_path, LIST_OLD_RUN_PATH, owner);
        }
    }
    list_walk(&listing, library_path, LIST_LIBRARY_PATH, object);
    list_walk(&listing, object->run_path, LIST_RUN_PATH, object);
    for (size_t i = 0; elf_default_directories[i] != NULL; ++i) {
        list_walk(&listing, elf_default_directories[i], LIST_DEFAULT, object);
    }
    elf_loader_unlock();
    heap_free(listing.search.path);
    return 0;
}

int elf_library_open(const char *name, const struct elf_object *needer, struct file **file,
                     char **path)
{
    struct search search = {.name = name, .origin = needer, .path = heap_alloc(PATH_SIZE)};
    if (search.path == NULL) {
        return elf_fail(ENOMEM, "%s: no memory; give more with --memory", name);
    }
    int error;
    if (strchr(name, '/') != NULL) {
        append_expanded(&search, name, strlen(name));
        error = path_try(&search);
    } else {
        error = everywhere_try(&search, needer);
    }
    if (error == 0) {
        *file = search.file;
        *path = elf_text_copy(search.path, strlen(search.path));
        if (*path == NULL) {
            file_put(search.file);
            error = elf_fail(ENOMEM, "%s: no memory; give more with --memory", name);
        }
    }
    heap_free(search.path);
    return error;
}
