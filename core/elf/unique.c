// SPDX-License-Identifier: BSD-3-Clause
// unique.c: STB_GNU_UNIQUE: one definition per process, whatever the scopes say.
//
// C++ uses it for inline variables and the static variables of templates. The first definition that
// a look-up finds is the one for all, and its object stays for ever. Bindings' lock.
#include "core/elf/object.h"

#include "core/lib/errno.h"
#include "core/lib/string.h"
#include "core/mem/heap.h"

enum { BUCKET_COUNT = 256 };

struct unique {
    struct unique *next;
    const char *name; // in the object's string table
    uint32_t hash;
    struct elf_definition definition;
};

static struct unique *buckets[BUCKET_COUNT];

int elf_unique_bind(const char *name, struct elf_definition *definition)
{
    uint32_t hash = elf_gnu_hash(name);
    struct unique **bucket = &buckets[hash % BUCKET_COUNT];
    for (struct unique *unique = *bucket; unique != NULL; unique = unique->next) {
        if (unique->hash == hash && strcmp(unique->name, name) == 0) {
            *definition = unique->definition;
            return 0;
        }
    }
    struct unique *unique = heap_alloc(sizeof(*unique));
    const char *own_name = elf_object_string(definition->object, definition->entry->name);
    if (unique == NULL || own_name == NULL) {
        heap_free(unique);
        return -ENOMEM;
    }
    *unique = (struct unique){*bucket, own_name, hash, *definition};
    *bucket = unique;
    definition->object->is_nodelete = true;
    return 0;
}

void elf_unique_forget(const struct elf_object *object)
{
    for (size_t i = 0; i < BUCKET_COUNT; ++i) {
        struct unique **link = &buckets[i];
        while (*link != NULL) {
            struct unique *unique = *link;
            if (unique->definition.object == object) {
                *link = unique->next;
                heap_free(unique);
            } else {
                link = &unique->next;
            }
        }
    }
}
