// SPDX-License-Identifier: BSD-3-Clause
// walk.c: which object an address belongs to, for unwinders, dl_iterate_phdr, dladdr and crash
// reports.
//
// Objects are only ever added, at the end of a list: walking it needs no lock, at any time, also in
// a crash. For the unwinder, which asks once per frame, there is an array sorted by address. A
// sequence number is odd while it changes; a reader that sees a change walks the list instead, and
// so never waits.
#include "core/elf/object.h"

#include "core/elf/tls.h"
#include "core/lib/errno.h"
#include "core/mem/heap.h"

struct span {
    _Atomic(uintptr_t) start;
    _Atomic(struct elf_object *) object;
};

struct spans {
    size_t capacity;
    struct span entries[];
};

// Written under the loader's mutex.
static _Atomic(struct elf_object *) first;
static struct elf_object *last;
static _Atomic(uint64_t) added_count;
static _Atomic(struct spans *) spans;
static _Atomic(size_t) span_count;
static _Atomic(uint32_t) sequence;
static _Atomic(bool) image_is_known;

static bool contains(const struct elf_object *object, const void *address)
{
    return (uintptr_t)address - (uintptr_t)object->map_start < object->map_size;
}

static void span_move(struct span *to, const struct span *from)
{
    atomic_store_explicit(&to->start, atomic_load_explicit(&from->start, memory_order_relaxed),
                          memory_order_relaxed);
    atomic_store_explicit(&to->object, atomic_load_explicit(&from->object, memory_order_relaxed),
                          memory_order_relaxed);
}

// The old array is not freed, as a reader may be in it; sizes double.
int elf_publish_reserve(size_t more)
{
    struct spans *old = atomic_load_explicit(&spans, memory_order_relaxed);
    size_t count = atomic_load_explicit(&span_count, memory_order_relaxed);
    size_t capacity = old == NULL ? 32 : old->capacity;
    while (capacity < count + more) {
        capacity *= 2;
    }
    if (old != NULL && capacity == old->capacity) {
        return 0;
    }
    struct spans *new = heap_alloc_zeroed(sizeof(*new) + capacity * sizeof(struct span));
    if (new == NULL) {
        return elf_fail(ENOMEM, "no memory; give more with --memory");
    }
    new->capacity = capacity;
    for (size_t i = 0; i < count; ++i) {
        span_move(&new->entries[i], &old->entries[i]);
    }
    atomic_store_explicit(&spans, new, memory_order_release); // pairs with the load in find_sorted
    return 0;
}

static void span_insert(struct elf_object *object)
{
    struct spans *array = atomic_load_explicit(&spans, memory_order_relaxed);
    size_t count = atomic_load_explicit(&span_count, memory_order_relaxed);
    uintptr_t start = (uintptr_t)object->map_start;
    size_t place = count;
    atomic_fetch_add(&sequence,
                     1); // seq_cst: before the stores below; pairs with the loads in find_sorted
    for (; place > 0 &&
           atomic_load_explicit(&array->entries[place - 1].start, memory_order_relaxed) > start;
         --place) {
        span_move(&array->entries[place], &array->entries[place - 1]);
    }
    atomic_store_explicit(&array->entries[place].start, start, memory_order_relaxed);
    atomic_store_explicit(&array->entries[place].object, object, memory_order_relaxed);
    atomic_store_explicit(&span_count, count + 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&sequence, 1, memory_order_release);
}

void elf_publish(struct elf_object *object)
{
    // Release: whoever finds the object finds it filled. Pairs with the acquires in elf_first and
    // elf_next.
    object->previous = last;
    atomic_store_explicit(last == NULL ? &first : &last->next, object, memory_order_release);
    last = object;
    span_insert(object);
    atomic_fetch_add_explicit(&added_count, 1, memory_order_relaxed);
}

struct elf_object *elf_first(void)
{
    return atomic_load_explicit(&first, memory_order_acquire);
}

struct elf_object *elf_next(const struct elf_object *object)
{
    return atomic_load_explicit(&object->next, memory_order_acquire);
}

// Answers whether the array could be read; then *found is the object, or NULL.
static bool find_sorted(const void *address, struct elf_object **found)
{
    *found = NULL;
    uint32_t before = atomic_load_explicit(&sequence, memory_order_acquire);
    const struct spans *array = atomic_load_explicit(&spans, memory_order_acquire);
    size_t low = 0, high = atomic_load_explicit(&span_count, memory_order_relaxed);
    if ((before & 1) != 0 || array == NULL || high > array->capacity) {
        return false;
    }
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (atomic_load_explicit(&array->entries[middle].start, memory_order_relaxed) <=
            (uintptr_t)address) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    struct elf_object *object =
        low == 0 ? NULL
                 : atomic_load_explicit(&array->entries[low - 1].object, memory_order_relaxed);
    atomic_thread_fence(memory_order_acquire); // the loads above come before the next one
    if (atomic_load_explicit(&sequence, memory_order_relaxed) != before) {
        return false;
    }
    *found = object != NULL && contains(object, address) ? object : NULL;
    return true;
}

static struct elf_object *list_find(const void *address)
{
    struct elf_object *object = elf_first();
    while (object != NULL && !contains(object, address)) {
        object = elf_next(object);
    }
    return object;
}

struct elf_object *elf_object_at(const void *address)
{
    struct elf_object *object;
    if (!find_sorted(address, &object)) {
        object = list_find(address);
    }
    if (object == NULL && atomic_load_explicit(&image_is_known, memory_order_acquire) &&
        contains(&elf_system, address)) {
        object = &elf_system;
    }
    return object;
}

static void info_fill(const struct elf_object *object, struct elf_object_info *info)
{
    *info = (struct elf_object_info){
        .object = object->is_system ? NULL : (struct elf_object *)object,
        .base = object->base,
        .name = object->link_name,
        .program_headers = object->headers,
        .program_header_count = object->header_count,
        .added = atomic_load_explicit(&added_count, memory_order_relaxed) + 1,
        .tls_module = object->tls.number,
        .map_start = object->map_start,
        .map_end = object->map_start + object->map_size,
    };
    if (object->eh_frame_header != NULL) {
        info->eh_frame_header = elf_object_va(object, object->eh_frame_header->address);
    }
}

int elf_walk(int (*visit)(const struct elf_object_info *object, void *argument), void *argument)
{
    struct elf_object_info info;
    int result = 0;
    for (struct elf_object *object = elf_first(); object != NULL && result == 0;
         object = elf_next(object)) {
        info_fill(object, &info);
        info.tls_data = elf_tls_data(object);
        result = visit(&info, argument);
    }
    if (result == 0 && atomic_load_explicit(&image_is_known, memory_order_acquire)) {
        info_fill(&elf_system, &info);
        result = visit(&info, argument);
    }
    return result;
}

bool elf_object_of(const void *address, struct elf_object_info *info)
{
    const struct elf_object *object = elf_object_at(address);
    if (object == NULL) {
        return false;
    }
    info_fill(object, info);
    return true;
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
    const struct elf_object *object = elf_object_at(address);
    if (object == NULL) {
        return false;
    }
    *place = (struct elf_place){.object_name = object->path, .object_base = object->base};
    if (object->is_system) {
        const struct elf_symbol *symbol = elf_system_symbol_at(address);
        if (symbol != NULL) {
            place->symbol_name = symbol->name;
            place->symbol_address = symbol->address;
        }
        return true;
    }
    const struct elf_symbol_entry *entry = symbol_at(object, elf_object_address(object, address));
    if (entry != NULL) {
        place->symbol_name = elf_object_string(object, entry->name);
        place->symbol_address = elf_object_va(object, entry->value);
    }
    return true;
}

// The image's headers are trusted: it is this code's own.
void elf_image_register(const char *image, size_t size, const char *path)
{
    const struct elf_header *header = (const void *)image;
    const struct elf_program_header *headers = (const void *)(image + header->program_offset);
    uint64_t start = UINT64_MAX, end = 0;
    if (size < sizeof(*header) || header->program_count == 0) {
        return;
    }
    for (size_t i = 0; i < header->program_count; ++i) {
        if (headers[i].type == ELF_PT_LOAD) {
            start = headers[i].address < start ? headers[i].address : start;
            uint64_t segment_end = headers[i].address + headers[i].memory_size;
            end = segment_end > end ? segment_end : end;
        } else if (headers[i].type == ELF_PT_EH_FRAME) {
            elf_system.eh_frame_header = &headers[i];
        }
    }
    elf_system.image_path = path;
    start &= ~(uint64_t)(HAL_PAGE_SIZE - 1);
    elf_system.headers = headers;
    elf_system.header_count = header->program_count;
    elf_system.base =
        header->type == ELF_TYPE_EXECUTABLE ? NULL : (char *)((uintptr_t)image - start);
    elf_system.map_start = elf_object_va(&elf_system, start);
    elf_system.map_size = end - start;
    atomic_store_explicit(&image_is_known, true,
                          memory_order_release); // pairs with the acquires above
}
