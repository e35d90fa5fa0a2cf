// SPDX-License-Identifier: BSD-3-Clause
// dl.c: dlopen and its kin, over core/elf.
//
// The text of dlerror belongs to the thread that failed, and is given once.
#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <string.h>

#include "core/elf/program.h"
#include "core/elf/tls.h"
#include "core/lib/format.h"
#include "core/libc/copied.h"
#include "core/libc/export.h"
#include "core/libc/thread.h"
#include "core/mem/heap.h"

// What glibc has in its <dlfcn.h> beside musl's.
enum { RTLD_DL_SYMENT = 1, RTLD_DL_LINKMAP = 2 };
enum { LM_ID_BASE = 0 };
enum {
    RTLD_DI_LMID = 1,
    RTLD_DI_SERINFO = 4,
    RTLD_DI_SERINFOSIZE = 5,
    RTLD_DI_ORIGIN = 6,
    RTLD_DI_TLS_MODID = 9,
    RTLD_DI_TLS_DATA = 10,
    DL_INFO_HEADERS = 11, // RTLD_DI_PHDR
};

struct search_path { // Dl_serpath
    char *dls_name;
    unsigned dls_flags;
};

struct search_info { // Dl_serinfo
    size_t dls_size;
    unsigned dls_cnt;
    struct search_path dls_serpath[];
};

static void message_set(const char *text)
{
    struct libc_thread *self = libc_thread_self();
    size_t size = strlen(text) + 1;
    char *copy = heap_realloc(self->dl_message, size);
    if (copy != NULL) {
        memcpy(copy, text, size);
        self->dl_message = copy;
        self->dl_message_shown = false;
    }
}

EXPORT(char *, dlerror, void)
{
    struct libc_thread *self = libc_thread_self();
    if (self->dl_message == NULL || self->dl_message_shown) {
        return NULL;
    }
    self->dl_message_shown = true;
    return self->dl_message;
}

static void *open_object(const char *path, int flags, const void *caller)
{
    struct elf_object *object;
    char message[ELF_MESSAGE_SIZE] = "";
    if (elf_open(path, flags, caller, &object, message) != 0) {
        if (message[0] != 0) { // NOLOAD: what is not there is not a failure to tell of
            message_set(message);
        }
        return NULL;
    }
    return object;
}

EXPORT(void *, dlopen, const char *path, int flags)
{
    return open_object(path, flags, __builtin_return_address(0));
}

EXPORT(void *, dlmopen, long space, const char *path, int flags)
{
    if (space != LM_ID_BASE) {
        char message[ELF_MESSAGE_SIZE];
        format(message, sizeof message,
               "%s: dlmopen: there is one namespace only; use LM_ID_BASE or dlopen",
               path == NULL ? "" : path);
        message_set(message);
        return NULL;
    }
    return open_object(path, flags, __builtin_return_address(0));
}

EXPORT(int, dlclose, void *object)
{
    char message[ELF_MESSAGE_SIZE] = "";
    if (elf_close(object, message) != 0) {
        message_set(message);
        return -1;
    }
    return 0;
}

static void *find_symbol(void *object, const char *name, const char *version, const void *caller)
{
    void *address;
    if (elf_symbol_find(object, name, version, caller, &address) == 0) {
        return address;
    }
    struct elf_place place;
    const char *where = *libc_progname_full;
    if (object != RTLD_DEFAULT && object != RTLD_NEXT) {
        const struct link_map *map = object; // so begins an elf_object
        where = map->l_name[0] != 0 ? map->l_name : where;
    } else if (elf_place_of(caller, &place) && place.object_name[0] != 0) {
        where = place.object_name;
    }
    char message[ELF_MESSAGE_SIZE];
    if (version != NULL) {
        format(message, sizeof message, "%s: undefined symbol: %s, version %s", where, name,
               version);
    } else {
        format(message, sizeof message, "%s: undefined symbol: %s", where, name);
    }
    message_set(message);
    return NULL;
}

EXPORT(void *, dlsym, void *object, const char *name)
{
    return find_symbol(object, name, NULL, __builtin_return_address(0));
}

EXPORT(void *, dlvsym, void *object, const char *name, const char *version)
{
    return find_symbol(object, name, version, __builtin_return_address(0));
}

static int find_place(const void *address, Dl_info *info, struct elf_place *place)
{
    if (!elf_place_find(address, place)) {
        return 0;
    }
    info->dli_fname = place->object_name;
    info->dli_fbase = place->object_base;
    info->dli_sname = place->symbol_name;
    info->dli_saddr = place->symbol_address;
    return 1;
}

EXPORT(int, dladdr, const void *address, Dl_info *info)
{
    struct elf_place place;
    return find_place(address, info, &place);
}

EXPORT(int, dladdr1, const void *address, Dl_info *info, void **extra, int flags)
{
    struct elf_place place;
    int found = find_place(address, info, &place);
    if (found && flags == RTLD_DL_SYMENT) {
        *extra = (void *)(uintptr_t)place.symbol_entry;
    } else if (found && flags == RTLD_DL_LINKMAP) {
        *extra = place.object;
    }
    return found;
}

// ---- dlinfo

struct listing {
    struct search_info *info; // NULL: only count
    size_t count, text_size;
    char *text;
};

static void listing_take(const char *directory, void *argument)
{
    struct listing *listing = argument;
    size_t size = strlen(directory) + 1;
    if (listing->info != NULL && listing->count < listing->info->dls_cnt) {
        struct search_path *path = &listing->info->dls_serpath[listing->count];
        path->dls_name = memcpy(listing->text, directory, size);
        path->dls_flags = 0; // as glibc has it
        listing->text += size;
    }
    ++listing->count;
    listing->text_size += size;
}

// dls_cnt directories, then their names: the program makes room for dls_size bytes.
static int search_paths(const struct elf_object *object, struct search_info *info, bool only_size)
{
    struct listing listing = {.info = only_size ? NULL : info};
    if (!only_size) {
        listing.text = (char *)&info->dls_serpath[info->dls_cnt];
    }
    if (elf_search_walk(object, listing_take, &listing) != 0) {
        message_set("cannot allocate memory");
        return -1;
    }
    if (only_size) {
        info->dls_cnt = (unsigned)listing.count;
        info->dls_size = offsetof(struct search_info, dls_serpath) +
                         listing.count * sizeof(struct search_path) + listing.text_size;
    }
    return 0;
}

EXPORT(int, dlinfo, void *object, int request, void *result)
{
    size_t count;
    switch (request) {
    case RTLD_DI_LMID:
        *(long *)result = LM_ID_BASE;
        return 0;
    case RTLD_DI_LINKMAP:
        *(void **)result = object;
        return 0;
    case RTLD_DI_ORIGIN:
        strcpy(result, elf_origin_of(object));
        return 0;
    case RTLD_DI_SERINFO:
    case RTLD_DI_SERINFOSIZE:
        return search_paths(object, result, request == RTLD_DI_SERINFOSIZE);
    case RTLD_DI_TLS_MODID:
        *(size_t *)result = elf_tls_module_of(object);
        return 0;
    case RTLD_DI_TLS_DATA:
        *(void **)result = elf_tls_block_of(object);
        return 0;
    case DL_INFO_HEADERS:
        *(const void **)result = elf_headers_of(object, &count);
        return (int)count;
    default:
        message_set("unsupported dlinfo request");
        return -1;
    }
}

struct phdr_visit {
    int (*visit)(struct dl_phdr_info *info, size_t size, void *argument);
    void *argument;
};

static int phdr_visit_one(const struct elf_object_info *object, void *argument)
{
    const struct phdr_visit *visit = argument;
    struct dl_phdr_info info = {
        .dlpi_addr = (ElfW(Addr))object->base,
        .dlpi_name = object->name,
        .dlpi_phdr = object->program_headers,
        .dlpi_phnum = object->program_header_count,
        .dlpi_adds = object->added,
        .dlpi_subs = object->removed,
        .dlpi_tls_modid = object->tls_module,
        .dlpi_tls_data = object->tls_data,
    };
    return visit->visit(&info, sizeof info, visit->argument);
}

EXPORT(int, dl_iterate_phdr, int (*visit)(struct dl_phdr_info *info, size_t size, void *argument),
       void *argument)
{
    struct phdr_visit visit_all = {visit, argument};
    return elf_walk(phdr_visit_one, &visit_all);
}

struct found_object { // struct dl_find_object of glibc on x86_64 and aarch64
    unsigned long long flags;
    void *map_start, *map_end;
    struct link_map *link_map;
    void *eh_frame;
    unsigned long long reserved[7];
};

EXPORT(int, _dl_find_object, void *address, struct found_object *result)
{
    struct elf_object_info info;
    if (!elf_object_of(address, &info) || info.eh_frame_header == NULL) {
        return -1;
    }
    result->flags = 0;
    result->map_start = info.map_start;
    result->map_end = info.map_end;
    result->link_map = (struct link_map *)info.object;
    result->eh_frame = (void *)(uintptr_t)info.eh_frame_header;
    return 0;
}

EXPORT(void *, __tls_get_addr, const struct elf_tls_index *index)
{
    return elf_tls_address(index);
}
