// SPDX-License-Identifier: BSD-3-Clause
// dynamic.c: the tables that PT_DYNAMIC leads to.
//
// After elf_dynamic_read every table pointer of the object is inside one segment for as many
// entries as its count says; what indexes them with numbers from the file compares with the count.
#include "core/elf/object.h"

#include "core/lib/errno.h"
#include "core/lib/string.h"
#include "core/mem/heap.h"

struct dynamic_values {
    uint64_t value[ELF_DT_COUNT];
    bool is_given[ELF_DT_COUNT];
    size_t needed_count;
};

static int damaged(const struct elf_object *object, const char *what)
{
    return elf_fail(ENOEXEC, "%s: has a damaged %s; build or copy it again", object->path, what);
}

static size_t place_of_tag(int64_t tag)
{
    if (tag > 0 && tag < ELF_DT_GNU_HASH) {
        return (size_t)tag;
    }
    if (tag >= ELF_TAG_FLAGS_1 && tag <= ELF_TAG_VERNEEDNUM) {
        static const uint8_t places[] = {ELF_DT_FLAGS_1, ELF_DT_VERDEF, ELF_DT_VERDEFNUM,
                                         ELF_DT_VERNEED, ELF_DT_VERNEEDNUM};
        return places[tag - ELF_TAG_FLAGS_1];
    }
    return tag == ELF_TAG_GNU_HASH ? ELF_DT_GNU_HASH : tag == ELF_TAG_VERSYM ? ELF_DT_VERSYM : 0;
}

static void values_read(const struct elf_object *object, struct dynamic_values *values)
{
    const struct elf_dynamic *entry = object->dynamic;
    memset(values, 0, sizeof(*values));
    for (size_t left = object->dynamic_header->memory_size / sizeof(*entry);
         left > 0 && entry->tag != ELF_DT_NULL; --left, ++entry) {
        size_t place = place_of_tag(entry->tag);
        values->needed_count += place == ELF_DT_NEEDED;
        if (place != 0) {
            values->value[place] = entry->value;
            values->is_given[place] = true;
        }
    }
}

// The table of count entries at the address that tag gives. NULL: it is not inside the object.
static void *table_at(const struct elf_object *object, const struct dynamic_values *values,
                      enum elf_dynamic_tag tag, size_t size, size_t alignment)
{
    uint64_t address = values->value[tag];
    return address % alignment != 0 ? NULL : elf_object_table(object, address, size);
}

// How many bytes of the file the segment has from address on.
static size_t room_at(const struct elf_object *object, uint64_t address)
{
    const struct elf_segment *segment = elf_object_segment(object, address, 1);
    size_t offset = segment == NULL ? 0 : (size_t)(address - segment->address);
    return segment == NULL || offset > segment->file_size ? 0 : segment->file_size - offset;
}

static int symbols_read(struct elf_object *object, const struct dynamic_values *values)
{
    object->strings_size = values->value[ELF_DT_STRSZ];
    object->strings = table_at(object, values, ELF_DT_STRTAB, object->strings_size, 1);
    if (object->strings == NULL || object->strings_size == 0 ||
        object->strings[object->strings_size - 1] != '\0') {
        return damaged(object, "string table");
    }
    uint64_t address = values->value[ELF_DT_SYMTAB];
    size_t room = room_at(object, address);
    uint64_t strings = values->value[ELF_DT_STRTAB];
    if (strings > address && strings - address < room) {
        room = strings - address; // it follows the symbols in every known linker's output
    }
    object->symbols = table_at(object, values, ELF_DT_SYMTAB, sizeof(struct elf_symbol_entry), 8);
    object->symbol_limit = room / sizeof(struct elf_symbol_entry);
    if (object->symbols == NULL ||
        (values->is_given[ELF_DT_SYMENT] &&
         values->value[ELF_DT_SYMENT] != sizeof(struct elf_symbol_entry))) {
        return damaged(object, "symbol table");
    }
    if (values->is_given[ELF_DT_VERSYM]) {
        object->version_indices = table_at(object, values, ELF_DT_VERSYM, 2, 2);
        object->version_indices_limit = room_at(object, values->value[ELF_DT_VERSYM]) / 2;
        if (object->version_indices == NULL) {
            return damaged(object, "version table");
        }
    }
    return 0;
}

static int gnu_hash_read(struct elf_object *object, const struct dynamic_values *values)
{
    uint64_t address = values->value[ELF_DT_GNU_HASH];
    const uint32_t *header = table_at(object, values, ELF_DT_GNU_HASH, 16, 8);
    if (header == NULL) {
        return damaged(object, "hash table");
    }
    struct elf_gnu_hash *hash = &object->gnu_hash;
    size_t bloom_count = header[2];
    size_t size = 16 + 8 * bloom_count + 4 * (size_t)header[0];
    if (header[0] == 0 || bloom_count == 0 || (bloom_count & (bloom_count - 1)) != 0 ||
        elf_object_table(object, address, size) == NULL) {
        return damaged(object, "hash table");
    }
    hash->bucket_count = header[0];
    hash->first = header[1];
    hash->bloom_mask = header[2] - 1;
    hash->bloom_shift = header[3] & 31;
    hash->bloom = (const uint64_t *)(header + 4);
    hash->buckets = (const uint32_t *)(hash->bloom + bloom_count);
    hash->chain = hash->buckets + hash->bucket_count;
    hash->chain_count = (room_at(object, address) - size) / 4;
    return 0;
}

static int sysv_hash_read(struct elf_object *object, const struct dynamic_values *values)
{
    const uint32_t *header = table_at(object, values, ELF_DT_HASH, 8, 4);
    if (header == NULL || header[0] == 0 ||
        elf_object_table(object, values->value[ELF_DT_HASH],
                         8 + 4 * ((size_t)header[0] + header[1])) == NULL) {
        return damaged(object, "hash table");
    }
    struct elf_sysv_hash *hash = &object->sysv_hash;
    hash->bucket_count = header[0];
    hash->chain_count = header[1];
    hash->buckets = header + 2;
    hash->chain = hash->buckets + hash->bucket_count;
    return 0;
}

static int relocations_read(struct elf_object *object, const struct dynamic_values *values,
                            struct elf_relocations *relocations, enum elf_dynamic_tag tag)
{
    size_t size = values->value[tag == ELF_DT_RELA ? ELF_DT_RELASZ : ELF_DT_PLTRELSZ];
    if (!values->is_given[tag] || size == 0) {
        return 0;
    }
    relocations->entries = table_at(object, values, tag, size, 8);
    relocations->count = size / sizeof(struct elf_relocation);
    return relocations->entries == NULL || size % sizeof(struct elf_relocation) != 0
               ? damaged(object, "relocation table")
               : 0;
}

static int all_relocations_read(struct elf_object *object, const struct dynamic_values *values)
{
    if (values->is_given[ELF_DT_REL] ||
        (values->is_given[ELF_DT_JMPREL] && values->value[ELF_DT_PLTREL] != ELF_DT_RELA) ||
        (values->is_given[ELF_DT_RELAENT] &&
         values->value[ELF_DT_RELAENT] != sizeof(struct elf_relocation))) {
        return damaged(object, "relocation table");
    }
    if (values->is_given[ELF_DT_TEXTREL] || (values->value[ELF_DT_FLAGS] & ELF_DF_TEXTREL) != 0) {
        return elf_fail(ENOEXEC, "%s: relocates its own text; compile it with -fPIC", object->path);
    }
    int error = relocations_read(object, values, &object->relocations, ELF_DT_RELA);
    if (error == 0) {
        error = relocations_read(object, values, &object->jump_slots, ELF_DT_JMPREL);
    }
    if (error != 0 || !values->is_given[ELF_DT_RELR]) {
        return error;
    }
    object->relative_count = values->value[ELF_DT_RELRSZ] / 8;
    object->relative = table_at(object, values, ELF_DT_RELR, 8 * object->relative_count, 8);
    return object->relative == NULL ? damaged(object, "relocation table") : 0;
}

static int functions_read(struct elf_object *object, const struct dynamic_values *values,
                          struct elf_functions *functions, enum elf_dynamic_tag tag,
                          enum elf_dynamic_tag size_tag)
{
    functions->count = values->is_given[tag] ? values->value[size_tag] / 8 : 0;
    if (functions->count == 0) {
        return 0;
    }
    functions->entries = table_at(object, values, tag, 8 * functions->count, 8);
    return functions->entries == NULL ? damaged(object, "initialiser table") : 0;
}

static int initialisers_read(struct elf_object *object, const struct dynamic_values *values)
{
    if (values->value[ELF_DT_INIT] != 0) {
        object->init = elf_object_va(object, values->value[ELF_DT_INIT]);
    }
    if (values->value[ELF_DT_FINI] != 0) {
        object->fini = elf_object_va(object, values->value[ELF_DT_FINI]);
    }
    if ((object->init != NULL && !elf_object_has_code(object, object->init)) ||
        (object->fini != NULL && !elf_object_has_code(object, object->fini))) {
        return damaged(object, "initialiser address");
    }
    int error = functions_read(object, values, &object->preinit_array, ELF_DT_PREINIT_ARRAY,
                               ELF_DT_PREINIT_ARRAYSZ);
    if (error == 0) {
        error = functions_read(object, values, &object->init_array, ELF_DT_INIT_ARRAY,
                               ELF_DT_INIT_ARRAYSZ);
    }
    return error != 0 ? error
                      : functions_read(object, values, &object->fini_array, ELF_DT_FINI_ARRAY,
                                       ELF_DT_FINI_ARRAYSZ);
}

// DT_SONAME and its like; *text stays as it is where the tag is not given.
static int string_read(struct elf_object *object, const struct dynamic_values *values,
                       enum elf_dynamic_tag tag, const char **text)
{
    if (!values->is_given[tag]) {
        return 0;
    }
    *text = elf_object_string(object, values->value[tag]);
    return *text == NULL ? damaged(object, "string table") : 0;
}

static int names_read(struct elf_object *object, const struct dynamic_values *values)
{
    int error = string_read(object, values, ELF_DT_SONAME, &object->soname);
    error = error != 0 ? error : string_read(object, values, ELF_DT_RUNPATH, &object->run_path);
    if (error == 0 && object->run_path == NULL) {
        error = string_read(object, values, ELF_DT_RPATH, &object->old_run_path);
    }
    if (error != 0 || values->needed_count == 0) {
        return error;
    }
    object->needed_names = heap_alloc_zeroed(values->needed_count * sizeof(char *));
    object->needed = heap_alloc_zeroed(values->needed_count * sizeof(struct elf_object *));
    if (object->needed_names == NULL || object->needed == NULL) {
        return elf_fail(ENOMEM, "%s: no memory; give more with --memory", object->path);
    }
    const struct elf_dynamic *entry = object->dynamic;
    for (; object->needed_count < values->needed_count; ++entry) {
        if (entry->tag != ELF_DT_NEEDED) {
            continue;
        }
        const char *name = elf_object_string(object, entry->value);
        if (name == NULL) {
            return damaged(object, "string table");
        }
        object->needed_names[object->needed_count++] = name;
    }
    return 0;
}

static void tls_read(struct elf_object *object)
{
    const struct elf_program_header *header = object->tls_header;
    if (header == NULL || header->memory_size == 0) {
        return;
    }
    object->tls.image = elf_object_va(object, header->address);
    object->tls.image_size = header->file_size;
    object->tls.size = header->memory_size;
    object->tls.alignment = header->alignment == 0 ? 1 : header->alignment;
}

int elf_dynamic_read(struct elf_object *object)
{
    struct dynamic_values values;
    const struct elf_program_header *header = object->dynamic_header;
    if (header->address % 8 != 0 ||
        elf_object_table(object, header->address, header->memory_size) == NULL ||
        header->memory_size < sizeof(struct elf_dynamic)) {
        return damaged(object, "dynamic section");
    }
    object->dynamic = (const void *)elf_object_va(object, header->address);
    values_read(object, &values);
    uint64_t flags = values.value[ELF_DT_FLAGS], flags_1 = values.value[ELF_DT_FLAGS_1];
    object->is_symbolic = values.is_given[ELF_DT_SYMBOLIC] || (flags & ELF_DF_SYMBOLIC) != 0;
    object->is_bound_now = values.is_given[ELF_DT_BIND_NOW] || (flags & ELF_DF_BIND_NOW) != 0 ||
                           (flags_1 & ELF_DF_1_NOW) != 0;
    object->is_nodelete = (flags_1 & ELF_DF_1_NODELETE) != 0;
    object->plt_got = values.value[ELF_DT_PLTGOT];
    object->is_pie = (flags_1 & ELF_DF_1_PIE) != 0;
    int error = symbols_read(object, &values);
    if (error == 0 && values.is_given[ELF_DT_GNU_HASH]) {
        error = gnu_hash_read(object, &values);
    }
    if (error == 0 && values.is_given[ELF_DT_HASH]) {
        error = sysv_hash_read(object, &values);
    }
    error = error != 0 ? error : elf_versions_read(object, values.value);
    error = error != 0 ? error : all_relocations_read(object, &values);
    error = error != 0 ? error : initialisers_read(object, &values);
    error = error != 0 ? error : names_read(object, &values);
    tls_read(object);
    if (error == 0 && object->is_symbolic && object->symbols == NULL) {
        error = damaged(object, "symbol table");
    }
    return error;
}
