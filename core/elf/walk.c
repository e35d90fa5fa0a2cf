// SPDX-License-Identifier: BSD-3-Clause
// walk.c: which object an address belongs to, for unwinders, dl_iterate_phdr, dladdr and crash
// reports.
//
// The list is walked and changed with its lock, which is recursive: what a walk calls may load and
// throw. For the unwinder, which asks once per frame, for crash reports, and wherever a lock cannot
// be taken, there is an array sorted by address, which is read without one (spans.h): a reader that
// saw a change reads again. What it reads may be stale but is never freed: structs of objects are
// used again for objects.
#include "core/elf/object.h"

#include "core/elf/spans.h"
#include "core/elf/tls.h"
#include "core/lib/errno.h"
#include "core/lib/mark.h"
#include "core/sync/mutex.h"

enum { TRIES_MAX = 1 << 24 }; // a reader gives up: the writer has died

static struct mutex list;               // taken with the loader's mutex held, or without it
static struct elf_object *first, *last; // list
static _Atomic(uint64_t) added_count, removed_count;
static struct spans spans; // changed with the loader's mutex held, and but for room the list's lock
static _Atomic(bool) image_is_known;

// Looks at an object that may be gone, and its struct another's, while it looks: span_read throws
// the answer away then.
MARK_GUESS static bool contains(const struct elf_object *object, const void *address)
{
    return (uintptr_t)address - (uintptr_t)object->map_start < object->map_size;
}

int elf_publish_reserve(size_t more)
{
    int error = spans_reserve(&spans, more);
    return error == 0 ? 0 : elf_fail(ENOMEM, "no memory; give more with --memory");
}

void elf_list_lock(void)
{
    mutex_lock_recursive(&list);
}

void elf_list_unlock(void)
{
    mutex_unlock_recursive(&list);
}

void elf_publish(struct elf_object *object)
{
    if (object->eh_frame_header != NULL) {
        object->eh_frame = elf_object_va(object, object->eh_frame_header->address);
    }
    elf_list_lock();
    object->previous = last;
    object->next = NULL;
    *(last == NULL ? &first : &last->next) = object;
    last = object;
    spans_insert(&spans, (uintptr_t)object->map_start, object);
    atomic_fetch_add_explicit(&added_count, 1, memory_order_relaxed);
    elf_list_unlock();
}

void elf_unpublish(struct elf_object *object)
{
    elf_list_lock();
    *(object->previous == NULL ? &first : &object->previous->next) = object->next;
    *(object->next == NULL ? &last : &object->next->previous) = object->previous;
    spans_remove(&spans, (uintptr_t)object->map_start);
    atomic_fetch_add_explicit(&removed_count, 1, memory_order_relaxed);
    elf_list_unlock();
}

struct elf_object *elf_first(void)
{
    return first;
}

struct elf_object *elf_next(const struct elf_object *object)
{
    return object->next;
}

MARK_GUESS static void info_fill(const struct elf_object *object, struct elf_object_info *info)
{
    *info = (struct elf_object_info){
        .object = object->is_system ? NULL : (struct elf_object *)object,
        .base = object->base,
        .name = object->link_name,
        .program_headers = object->headers,
        .program_header_count = object->header_count,
        .added = atomic_load_explicit(&added_count, memory_order_relaxed) + 1,
        .removed = atomic_load_explicit(&removed_count, memory_order_relaxed),
        .tls_module = object->tls.number,
        .map_start = object->map_start,
        .map_end = object->map_start + object->map_size,
        .eh_frame_header = object->eh_frame,
    };
}

// One look into the array. Answers whether nothing changed meanwhile; then *found is the object, or
// NULL, and info what is known of it.
static bool span_read(const void *address, struct elf_object **found, struct elf_object_info *info)
{
    struct elf_object *object;
    uint32_t number;
    *found = NULL;
    if (!spans_find(&spans, (uintptr_t)address, &number, &object)) {
        return false;
    }
    if (object != NULL && contains(object, address)) {
        *found = object;
        info_fill(object, info);
    }
    return spans_hold(&spans, number);
}

static struct elf_object *object_find(const void *address, struct elf_object_info *info)
{
    struct elf_object *object = NULL;
    for (unsigned left = TRIES_MAX; left > 0 && !span_read(address, &object, info); --left) {
        object = NULL;
        hal_cpu_relax();
    }
    if (object == NULL && atomic_load_explicit(&image_is_known, memory_order_acquire) &&
        contains(&elf_system, address)) {
        object = &elf_system;
        info_fill(object, info);
    }
    return object;
}

struct elf_object *elf_object_at(const void *address)
{
    struct elf_object_info info;
    return object_find(address, &info);
}

bool elf_object_of(const void *address, struct elf_object_info *info)
{
    return object_find(address, info) != NULL;
}

int elf_walk(int (*visit)(const struct elf_object_info *object, void *argument), void *argument)
{
    struct elf_object_info info;
    int result = 0;
    elf_list_lock();
    for (struct elf_object *object = first; object != NULL && result == 0; object = object->next) {
        info_fill(object, &info);
        info.tls_data = elf_tls_data(object);
        result = visit(&info, argument);
    }
    if (result == 0 && atomic_load_explicit(&image_is_known, memory_order_acquire)) {
        info_fill(&elf_system, &info);
        result = visit(&info, argument);
    }
    elf_list_unlock();
    return result;
}

// The symbol whose bytes hold address; NULL: none.
static const struct elf_symbol_entry *symbol_at(const struct elf_object *object, uint64_t address)
{
    const struct elf_symbol_entry *best = NULL;
    size_t count = elf_symbol_count(object);
    for (size_t i = 1; i < count; ++i) {
        const struct elf_symbol_entry *entry = &object->symbols[i];
        if (entry->section == ELF_SHN_UNDEF || elf_symbol_type(entry) == ELF_STT_TLS ||
            entry->value > address || (best != NULL && entry->value <= best->value)) {
            continue;
        }
        if (entry->size == 0 ? entry->value == address : address - entry->value < entry->size) {
            best = entry;
        }
    }
    return best;
}

bool elf_place_of(const void *address, struct elf_place *place)
{
    struct elf_object *object = elf_object_at(address);
    if (object == NULL) {
        return false;
    }
    *place = (struct elf_place){.object = object->is_system ? NULL : object,
                                .object_name = object->path,
                                .object_base = object->base};
    if (object->is_system) {
        const struct elf_symbol *symbol = elf_system_symbol_at(address);
        if (symbol != NULL) {
            place->symbol_name = elf_system_name(symbol);
            place->symbol_address = symbol->address;
        }
        return true;
    }
    const struct elf_symbol_entry *entry = symbol_at(object, elf_object_address(object, address));
    if (entry != NULL) {
        place->symbol_entry = entry;
        place->symbol_name = elf_object_string(object, entry->name);
        place->symbol_address = elf_object_va(object, entry->value);
    }
    return true;
}

bool elf_place_find(const void *address, struct elf_place *place)
{
    elf_loader_lock();
    bool is_found = elf_place_of(address, place);
    elf_loader_unlock();
    return is_found;
}

const char *elf_origin_of(const struct elf_object *object)
{
    return object->origin;
}

size_t elf_tls_module_of(const struct elf_object *object)
{
    return object->tls.number;
}

void *elf_tls_block_of(const struct elf_object *object)
{
    return elf_tls_data(object);
}

const void *elf_headers_of(const struct elf_object *object, size_t *count)
{
    *count = object->header_count;
    return object->headers;
}

// The image's headers are trusted: it is this code's own.
static const char *scratch; // these two: constant once the image is known
static size_t scratch_size;

const char *elf_image_scratch(size_t *size)
{
    *size = scratch_size;
    return scratch;
}

void elf_image_register(const struct hal_boot *boot)
{
    scratch = boot->scratch;
    scratch_size = boot->scratch_size;
    const char *image = boot->image;
    const struct elf_header *header = (const void *)image;
    const struct elf_program_header *headers = (const void *)(image + header->program_offset);
    uint64_t start = UINT64_MAX, end = 0;
    if (boot->image_size < sizeof(*header) || header->program_count == 0) {
        return;
    }
    for (size_t i = 0; i < header->program_count; ++i) {
        if (headers[i].type == ELF_PT_LOAD) {
            start = headers[i].address < start ? headers[i].address : start;
            uint64_t segment_end = headers[i].address + headers[i].memory_size;
            end = segment_end > end ? segment_end : end;
        } else if (headers[i].type == ELF_PT_DYNAMIC) {
            elf_system.dynamic_header = &headers[i];
        } else if (headers[i].type == ELF_PT_EH_FRAME) {
            elf_system.eh_frame_header = &headers[i];
        }
    }
    elf_system.image_path = boot->image_path;
    elf_system.image_file = boot->image_file;
    elf_system.file_size = boot->image_file_size;
    start &= ~(uint64_t)(HAL_PAGE_SIZE - 1);
    elf_system.headers = headers;
    elf_system.header_count = header->program_count;
    elf_system.base =
        header->type == ELF_TYPE_EXECUTABLE ? NULL : (char *)((uintptr_t)image - start);
    if (elf_system.eh_frame_header != NULL) {
        elf_system.eh_frame = elf_object_va(&elf_system, elf_system.eh_frame_header->address);
    }
    if (elf_system.dynamic_header != NULL) {
        elf_system.dynamic = (void *)elf_object_va(&elf_system, elf_system.dynamic_header->address);
    }
    elf_system.map_start = elf_object_va(&elf_system, start);
    elf_system.map_size = end - start;
    atomic_store_explicit(&image_is_known, true,
                          memory_order_release); // pairs with the acquires above
}
