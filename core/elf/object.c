// SPDX-License-Identifier: BSD-3-Clause
// object.c: what can be asked of an ELF object once its segments are known.
//
// Every address that comes from a file goes through elf_object_bytes before it is followed.
#include "core/elf/object.h"

#include "core/lib/errno.h"
#include "core/lib/string.h"
#include "core/mem/heap.h"

char *elf_text_copy(const char *text, size_t size)
{
    char *copy = heap_alloc(size + 1);
    if (copy != NULL) {
        memcpy(copy, text, size);
        copy[size] = '\0';
    }
    return copy;
}

// Structs that were published once: a reader without a lock may still look at one (walk.c).
static struct elf_object *retired; // linked by `loader`; loader's mutex

static struct elf_object *object_take(void)
{
    struct elf_object *object = retired;
    if (object == NULL) {
        return heap_alloc_zeroed(sizeof(*object));
    }
    retired = object->loader;
    memset(object, 0, sizeof(*object));
    return object;
}

struct elf_object *elf_object_create(const char *path)
{
    struct elf_object *object = object_take();
    if (object == NULL) {
        return NULL;
    }
    const char *slash = strrchr(path, '/');
    size_t origin_size = slash == NULL || slash == path ? 1 : (size_t)(slash - path);
    object->path = elf_text_copy(path, strlen(path));
    object->origin = elf_text_copy(slash == NULL ? "." : path, origin_size);
    if (object->path == NULL || object->origin == NULL) {
        elf_object_destroy(object);
        return NULL;
    }
    return object;
}

void elf_object_destroy(struct elf_object *object)
{
    elf_file_unload(object);
    while (object->descriptors != NULL) {
        struct elf_descriptor *descriptor = object->descriptors;
        object->descriptors = descriptor->next;
        heap_free(descriptor);
    }
    heap_free((void *)object->headers);
    heap_free(object->segments);
    heap_free(object->versions);
    heap_free(object->needed_names);
    heap_free(object->needed);
    heap_free(object->search.objects);
    heap_free(object->groups.objects);
    heap_free(object->bindings.objects);
    heap_free(object->path);
    heap_free(object->origin);
    // A handle that somebody kept is not open, and leads nowhere.
    memset(object, 0, sizeof(*object));
    object->loader = retired;
    retired = object;
}

const struct elf_segment *elf_object_segment(const struct elf_object *object, uint64_t address,
                                             size_t size)
{
    for (size_t i = 0; i < object->segment_count; ++i) {
        const struct elf_segment *segment = &object->segments[i];
        uint64_t offset = address - segment->address;
        if (address >= segment->address && offset <= segment->size &&
            size <= segment->size - offset) {
            return segment;
        }
    }
    return NULL;
}

bool elf_object_is_readable(const struct elf_object *object, uint64_t address, size_t size)
{
    const struct elf_segment *segment = elf_object_segment(object, address, size);
    return segment != NULL && (segment->prot & HAL_READ) != 0;
}

char *elf_object_bytes(const struct elf_object *object, uint64_t address, size_t size)
{
    return elf_object_is_readable(object, address, size) ? elf_object_va(object, address) : NULL;
}

char *elf_object_table(const struct elf_object *object, uint64_t address, size_t size)
{
    const struct elf_segment *segment = elf_object_segment(object, address, size);
    return segment != NULL && (segment->prot & HAL_READ) != 0 &&
                   address + size - segment->address <= segment->file_size
               ? elf_object_va(object, address)
               : NULL;
}

bool elf_object_has_code(const struct elf_object *object, const char *va)
{
    uint64_t address = elf_object_address(object, va);
    const struct elf_segment *segment = elf_object_segment(object, address, 1);
    return segment != NULL && (segment->prot & HAL_EXEC) != 0;
}

const char *elf_object_string(const struct elf_object *object, uint64_t offset)
{
    return offset < object->strings_size ? object->strings + offset : NULL;
}

bool elf_object_is_file(const struct elf_object *object, const struct file_status *status)
{
    return object->inode == status->inode && object->file_size == status->size &&
           object->modified.seconds == status->modified.seconds &&
           object->modified.nanoseconds == status->modified.nanoseconds;
}

bool elf_scope_has(const struct elf_scope *scope, const struct elf_object *object)
{
    for (size_t i = 0; i < scope->count; ++i) {
        if (scope->objects[i] == object) {
            return true;
        }
    }
    return false;
}

int elf_scope_add(struct elf_scope *scope, struct elf_object *object)
{
    return elf_scope_has(scope, object) ? 0 : elf_scope_append(scope, object);
}

void elf_scope_remove(struct elf_scope *scope, const struct elf_object *object)
{
    size_t count = 0;
    for (size_t i = 0; i < scope->count; ++i) {
        if (scope->objects[i] != object) {
            scope->objects[count++] = scope->objects[i];
        }
    }
    scope->count = count;
}

int elf_scope_append(struct elf_scope *scope, struct elf_object *object)
{
    if (scope->count == scope->capacity) {
        size_t capacity = scope->capacity == 0 ? 16 : 2 * scope->capacity;
        struct elf_object **objects = heap_alloc(capacity * sizeof(struct elf_object *));
        if (objects == NULL) {
            return -ENOMEM;
        }
        if (scope->count > 0) {
            memcpy(objects, scope->objects, scope->count * sizeof(struct elf_object *));
        }
        heap_free(scope->objects);
        scope->objects = objects;
        scope->capacity = capacity;
    }
    scope->objects[scope->count++] = object;
    return 0;
}
