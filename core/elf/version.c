// SPDX-License-Identifier: BSD-3-Clause
// version.c: the versions that an object's symbols carry: those it defines and those it needs.
//
// DT_VERSYM gives each symbol an index; DT_VERDEF and DT_VERNEED say what an index means. Both are
// chains of offsets in the file, followed here once, with a bound, into an array. Source: the LSB's
// symbol versioning.
#include "core/elf/object.h"

#include "core/lib/errno.h"
#include "core/lib/string.h"
#include "core/mem/heap.h"

enum { VERSION_BASE_FLAG = 1 };

static int damaged(const struct elf_object *object)
{
    return elf_fail(ENOEXEC, "%s: has a damaged version table; build or copy it again",
                    object->path);
}

// Calls itself never; visit is called with the index, the name, the hash and the file of each
// entry.
struct version_walk {
    struct elf_object *object;
    bool is_counting;
    int error;
};

static void version_visit(struct version_walk *walk, unsigned index, uint32_t name, uint32_t file,
                          uint32_t hash)
{
    struct elf_object *object = walk->object;
    size_t place = index & ELF_VERSION_INDEX;
    if (walk->is_counting) {
        object->version_count = place >= object->version_count ? place + 1 : object->version_count;
        return;
    }
    struct elf_version *version = &object->versions[place];
    version->name = elf_object_string(object, name);
    version->file = file == 0 ? NULL : elf_object_string(object, file);
    version->hash = hash;
    version->is_hidden = (index & ELF_VERSION_HIDDEN) != 0;
    if (version->name == NULL) {
        walk->error = damaged(object);
    }
}

static void definitions_walk(struct version_walk *walk, uint64_t address, uint64_t count)
{
    for (; count > 0 && walk->error == 0; --count) {
        const struct elf_version_definition *definition =
            (const void *)elf_object_table(walk->object, address, sizeof(*definition));
        const struct elf_version_definition_name *name = NULL;
        if (definition != NULL && address % 4 == 0 && definition->names_offset % 4 == 0) {
            name = (const void *)elf_object_table(walk->object, address + definition->names_offset,
                                                  sizeof(*name));
        }
        if (name == NULL) {
            walk->error = damaged(walk->object);
            return;
        }
        if ((definition->flags & VERSION_BASE_FLAG) == 0) {
            version_visit(walk, definition->index, name->name, 0, definition->hash);
        }
        if (definition->next_offset == 0) {
            return;
        }
        address += definition->next_offset;
    }
}

static void need_names_walk(struct version_walk *walk, const struct elf_version_need *need,
                            uint64_t address)
{
    for (unsigned left = need->name_count; left > 0 && walk->error == 0; --left) {
        const struct elf_version_need_name *name =
            (const void *)elf_object_table(walk->object, address, sizeof(*name));
        if (name == NULL || address % 4 != 0) {
            walk->error = damaged(walk->object);
            return;
        }
        version_visit(walk, name->index, name->name, need->file, name->hash);
        if (name->next_offset == 0) {
            return;
        }
        address += name->next_offset;
    }
}

static void needs_walk(struct version_walk *walk, uint64_t address, uint64_t count)
{
    for (; count > 0 && walk->error == 0; --count) {
        const struct elf_version_need *need =
            (const void *)elf_object_table(walk->object, address, sizeof(*need));
        if (need == NULL || address % 4 != 0) {
            walk->error = damaged(walk->object);
            return;
        }
        need_names_walk(walk, need, address + need->names_offset);
        if (need->next_offset == 0) {
            return;
        }
        address += need->next_offset;
    }
}

int elf_versions_read(struct elf_object *object, const uint64_t *values)
{
    struct version_walk walk = {.object = object, .is_counting = true};
    if (object->version_indices == NULL) {
        return 0;
    }
    uint64_t definition_count = values[ELF_DT_VERDEFNUM] & 0xffff;
    uint64_t need_count = values[ELF_DT_VERNEEDNUM] & 0xffff;
    for (unsigned pass = 0; pass < 2 && walk.error == 0; ++pass) {
        definitions_walk(&walk, values[ELF_DT_VERDEF], definition_count);
        needs_walk(&walk, values[ELF_DT_VERNEED], need_count);
        if (walk.is_counting && walk.error == 0 && object->version_count > 0) {
            object->versions =
                heap_alloc_zeroed(object->version_count * sizeof(struct elf_version));
            if (object->versions == NULL) {
                return elf_fail(ENOMEM, "%s: no memory; give more with --memory", object->path);
            }
        }
        walk.is_counting = false;
    }
    return walk.error;
}

// The version of a symbol, or NULL: it has none.
const struct elf_version *elf_symbol_version(const struct elf_object *object, size_t index)
{
    if (object->version_indices == NULL || index >= object->version_indices_limit) {
        return NULL;
    }
    size_t place = object->version_indices[index] & ELF_VERSION_INDEX;
    return place < object->version_count && object->versions[place].name != NULL
               ? &object->versions[place]
               : NULL;
}
