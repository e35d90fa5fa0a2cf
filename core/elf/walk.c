// SPDX-License-Identifier: BSD-3-Clause
// walk.c: which object an address belongs to, for unwinders, dl_iterate_phdr, dladdr and crash
// reports.
//
// The list is walked and changed with its lock, which is recursive: what a walk calls may load and
// throw. For the unwinder, which asks once per frame, for crash reports, and wherever a lock cannot
// be taken, there is an array sorted by address. A sequence number is odd while it changes, which
// it does for moments only, with interrupts off: a reader that saw a change reads again, and never
// waits for a thread that does not run. What it reads may be stale but is never freed: structs of
// objects are used again for objects, and arrays are left behind when they grow.
#include "core/elf/object.h"

#include "core/elf/tls.h"
#include "core/lib/assert.h"
#include "core/lib/errno.h"
#include "core/lib/mark.h"
#include "core/mem/heap.h"
#include "core/sync/mutex.h"

struct span {
    _Atomic(uintptr_t) start;
    _Atomic(struct elf_object *) object;
};

struct spans {
    size_t capacity;
    struct span entries[];
};

enum { TRIES_MAX = 1 << 24 }; // a reader gives up: the writer has died

static struct mutex list;               // taken with the loader's mutex held, or without it
static struct elf_object *first, *last; // list
static _Atomic(uint64_t) added_count, removed_count;
// Written with the list's lock.
static _Atomic(struct spans *) spans;
static _Atomic(size_t) span_count;
static _Atomic(uint32_t) sequence;
static _Atomic(bool) image_is_known;

// Looks at an object that may be gone, and its struct another's, while it looks: span_read throws
// the answer away then.
MARK_GUESS static bool contains(const struct elf_object *object, const void *address)
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

// The place of the first span that does not start below start.
static size_t span_place(const struct spans *array, size_t count, uintptr_t start)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (atomic_load_explicit(&array->entries[middle].start, memory_order_relaxed) < start) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

// The release fence: whoever sees one of the stores that follow sees the odd number in span_read's
// second look.
static void change_begin(void)
{
    atomic_fetch_add_explicit(&sequence, 1, memory_order_relaxed);
    atomic_thread_fence(memory_order_release);
}

static void change_end(void)
{
    atomic_fetch_add_explicit(&sequence, 1, memory_order_release);
}

static void span_insert(struct elf_object *object)
{
    struct spans *array = atomic_load_explicit(&spans, memory_order_relaxed);
    size_t count = atomic_load_explicit(&span_count, memory_order_relaxed);
    uintptr_t start = (uintptr_t)object->map_start;
    size_t place = span_place(array, count, start);
    uintptr_t irq = hal_irq_save();
    change_begin();
    for (size_t i = count; i > place; --i) {
        span_move(&array->entries[i], &array->entries[i - 1]);
    }
    atomic_store_explicit(&array->entries[place].start, start, memory_order_relaxed);
    atomic_store_explicit(&array->entries[place].object, object, memory_order_relaxed);
    atomic_store_explicit(&span_count, count + 1, memory_order_relaxed);
    change_end();
    hal_irq_restore(irq);
}

static void span_remove(const struct elf_object *object)
{
    struct spans *array = atomic_load_explicit(&spans, memory_order_relaxed);
    size_t count = atomic_load_explicit(&span_count, memory_order_relaxed);
    size_t place = span_place(array, count, (uintptr_t)object->map_start);
    ASSERT(place < count && atomic_load(&array->entries[place].object) == object);
    uintptr_t irq = hal_irq_save();
    change_begin();
    for (size_t i = place; i + 1 < count; ++i) {
        span_move(&array->entries[i], &array->entries[i + 1]);
    }
    atomic_store_explicit(&span_count, count - 1, memory_order_relaxed);
    change_end();
    hal_irq_restore(irq);
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
    span_insert(object);
    atomic_fetch_add_explicit(&added_count, 1, memory_order_relaxed);
    elf_list_unlock();
}

void elf_unpublish(struct elf_object *object)
{
    elf_list_lock();
    *(object->previous == NULL ? &first : &object->previous->next) = object->next;
    *(object->next == NULL ? &last : &object->next->previous) = object->previous;
    span_remove(object);
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
    *found = NULL;
    uint32_t before = atomic_load_explicit(&sequence, memory_order_acquire);
    const struct spans *array = atomic_load_explicit(&spans, memory_order_acquire);
    size_t count = atomic_load_explicit(&span_count, memory_order_relaxed);
    if (array == NULL) {
        return true;
    }
    if ((before & 1) != 0 || count > array->capacity) {
        return false;
    }
    size_t place = span_place(array, count, (uintptr_t)address + 1);
    struct elf_object *object =
        place == 0 ? NULL
                   : atomic_load_explicit(&array->entries[place - 1].object, memory_order_relaxed);
    if (object != NULL && contains(object, address)) {
        *found = object;
        info_fill(object, info);
    }
    atomic_thread_fence(memory_order_acquire); // the loads above come before the next one
    return atomic_load_explicit(&sequence, memory_order_relaxed) == before;
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
            place->symbol_name = symbol->name;
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
void elf_image_register(const struct hal_boot *boot)
{
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
