// SPDX-License-Identifier: BSD-3-Clause
// lookup.c: which object defines a symbol, and where.
//
// An object is asked through its GNU hash table (bloom filter, then one chain) or, without one,
// through the SysV table. A reference with a version takes the definition with that version; an
// object without versions fits any. A reference without a version takes the base version or the
// oldest, or with ELF_LOOKUP_NEWEST the default one. These are glibc's rules (elf/dl-lookup.c), so
// that programs bind here as they do there. Numbers from the file are compared with the table's
// limits before each use.
#include "core/elf/object.h"

#include "core/lib/string.h"

uint32_t elf_gnu_hash(const char *name)
{
    uint32_t hash = 5381;
    for (const unsigned char *c = (const unsigned char *)name; *c != '\0'; ++c) {
        hash = hash * 33 + *c;
    }
    return hash;
}

uint32_t elf_sysv_hash(const char *name)
{
    uint32_t hash = 0;
    for (const unsigned char *c = (const unsigned char *)name; *c != '\0'; ++c) {
        hash = (hash << 4) + *c;
        hash ^= (hash >> 24) & 0xf0;
    }
    return hash & 0x0fffffff;
}

void elf_reference_make(struct elf_reference *reference, const char *name,
                        const struct elf_version *version, unsigned flags)
{
    *reference = (struct elf_reference){
        .name = name, .version = version, .gnu_hash = elf_gnu_hash(name), .flags = flags};
}

struct lookup {
    struct elf_object *object;
    const struct elf_reference *reference;
    const struct elf_symbol_entry
        *candidate; // the only one that is not hidden, when no version is asked for
    unsigned candidate_count;
};

static bool version_is_equal(const struct elf_version *a, const struct elf_version *b)
{
    return a->hash == b->hash && a->name != NULL && strcmp(a->name, b->name) == 0;
}

static bool version_fits(struct lookup *lookup, size_t index, const struct elf_symbol_entry *entry)
{
    const struct elf_object *object = lookup->object;
    const struct elf_version *wanted = lookup->reference->version;
    if (object->version_indices == NULL || index >= object->version_indices_limit) {
        return true;
    }
    unsigned bits = object->version_indices[index];
    size_t place = bits & ELF_VERSION_INDEX;
    bool is_hidden = (bits & ELF_VERSION_HIDDEN) != 0;
    if (wanted != NULL) {
        bool has_name = place < object->version_count && object->versions[place].name != NULL;
        if (has_name && version_is_equal(&object->versions[place], wanted)) {
            return true;
        }
        return !wanted->is_hidden && !has_name && !is_hidden;
    }
    bool is_newest = (lookup->reference->flags & ELF_LOOKUP_NEWEST) != 0;
    if (place < (is_newest ? 2 : 3)) {
        return true;
    }
    if (!is_hidden && lookup->candidate_count++ == 0) {
        lookup->candidate = entry;
    }
    return false;
}

static const struct elf_symbol_entry *entry_check(struct lookup *lookup, size_t index)
{
    const struct elf_object *object = lookup->object;
    if (index >= object->symbol_limit) {
        return NULL;
    }
    const struct elf_symbol_entry *entry = &object->symbols[index];
    const char *name = elf_object_string(object, entry->name);
    if (name == NULL || strcmp(name, lookup->reference->name) != 0) {
        return NULL;
    }
    unsigned type = elf_symbol_type(entry);
    unsigned visibility = elf_symbol_visibility(entry);
    if ((entry->value == 0 && entry->section != ELF_SHN_ABS && type != ELF_STT_TLS) ||
        (entry->section == ELF_SHN_UNDEF &&
         (type == ELF_STT_TLS || (lookup->reference->flags & ELF_LOOKUP_CALL) != 0)) ||
        visibility == ELF_STV_HIDDEN || visibility == ELF_STV_INTERNAL ||
        elf_symbol_binding(entry) == ELF_STB_LOCAL) {
        return NULL;
    }
    return version_fits(lookup, index, entry) ? entry : NULL;
}

static const struct elf_symbol_entry *gnu_find(struct lookup *lookup)
{
    const struct elf_gnu_hash *table = &lookup->object->gnu_hash;
    uint32_t hash = lookup->reference->gnu_hash;
    uint64_t word = table->bloom[(hash / 64) & table->bloom_mask];
    uint64_t bits = (uint64_t)1 << (hash % 64) | (uint64_t)1 << ((hash >> table->bloom_shift) % 64);
    if ((word & bits) != bits) {
        return NULL;
    }
    uint32_t index = table->buckets[hash % table->bucket_count];
    if (index < table->first) {
        return NULL; // 0: an empty bucket
    }
    for (size_t i = index - table->first; i < table->chain_count; ++i) {
        if ((table->chain[i] | 1) == (hash | 1)) {
            const struct elf_symbol_entry *entry = entry_check(lookup, i + table->first);
            if (entry != NULL) {
                return entry;
            }
        }
        if ((table->chain[i] & 1) != 0) {
            break;
        }
    }
    return NULL;
}

static const struct elf_symbol_entry *sysv_find(struct lookup *lookup, uint32_t hash)
{
    const struct elf_sysv_hash *table = &lookup->object->sysv_hash;
    uint32_t index = table->buckets[hash % table->bucket_count];
    for (uint32_t left = table->chain_count; left > 0 && index != 0 && index < table->chain_count;
         --left) {
        const struct elf_symbol_entry *entry = entry_check(lookup, index);
        if (entry != NULL) {
            return entry;
        }
        index = table->chain[index];
    }
    return NULL;
}

bool elf_lookup_in(struct elf_object *object, struct elf_reference *reference,
                   struct elf_definition *found)
{
    *found = (struct elf_definition){.object = object};
    if (object->is_system) {
        found->system = elf_system_lookup(reference);
        return found->system != NULL;
    }
    struct lookup lookup = {.object = object, .reference = reference};
    if (object->gnu_hash.bucket_count != 0) {
        found->entry = gnu_find(&lookup);
    } else if (object->sysv_hash.bucket_count != 0) {
        if (!reference->has_sysv_hash) {
            reference->sysv_hash = elf_sysv_hash(reference->name);
            reference->has_sysv_hash = true;
        }
        found->entry = sysv_find(&lookup, reference->sysv_hash);
    }
    if (found->entry == NULL && lookup.candidate_count == 1) {
        found->entry = lookup.candidate;
    }
    return found->entry != NULL;
}

bool elf_lookup_scope(const struct elf_scope *scope, size_t from, struct elf_reference *reference,
                      struct elf_definition *found)
{
    for (size_t i = from; i < scope->count; ++i) {
        struct elf_object *object = scope->objects[i];
        bool is_hidden = object->is_leaving && (reference->flags & ELF_LOOKUP_LEAVING) == 0;
        if (is_hidden || ((reference->flags & ELF_LOOKUP_COPY) != 0 && object->is_program)) {
            continue;
        }
        if (elf_lookup_in(object, reference, found)) {
            return true;
        }
    }
    return false;
}

void *elf_definition_address(const struct elf_definition *definition)
{
    if (definition->entry == NULL) {
        return elf_system_address(definition->system);
    }
    const struct elf_symbol_entry *entry = definition->entry;
    char *address = entry->section == ELF_SHN_ABS ? (char *)(uintptr_t)entry->value
                                                  : elf_object_va(definition->object, entry->value);
    if (elf_symbol_type(entry) == ELF_STT_IFUNC && entry->section != ELF_SHN_UNDEF) {
        return elf_object_has_code(definition->object, address) ? elf_resolver_call(address) : NULL;
    }
    return address;
}

// How many symbols there are. The file does not say; the last chain of the hash table does.
size_t elf_symbol_count(const struct elf_object *object)
{
    const struct elf_gnu_hash *table = &object->gnu_hash;
    size_t count = object->sysv_hash.chain_count;
    if (table->bucket_count != 0) {
        uint32_t last = 0;
        for (uint32_t i = 0; i < table->bucket_count; ++i) {
            last = table->buckets[i] > last ? table->buckets[i] : last;
        }
        count = table->first;
        if (last >= table->first) {
            size_t i = last - table->first;
            while (i < table->chain_count && (table->chain[i] & 1) == 0) {
                ++i;
            }
            count = i + 1 + table->first;
        }
    }
    return count < object->symbol_limit ? count : object->symbol_limit;
}
