// SPDX-License-Identifier: BSD-3-Clause
// symtab.c: the names of functions, for people: crash reports and profilers.
//
// They come from the .symtab of the object's file, which is not loaded but read when somebody asks
// (System V gABI, "Sections" and "Symbol Table"); where it has none, or the file is another by now,
// from the dynamic symbols. Of core's own image the machine hands over the file's bytes. Nothing in
// a file is believed: every place is read through source_read, which knows the file's size, and a
// name that is cut off is only a wrong name.
#include "core/elf/object.h"
#include "core/lib/string.h"
#include "core/mem/heap.h"
#include "core/vfs/vfs.h"

enum { CHUNK = 64, SECTION_TYPE_SYMBOLS = 2, STRINGS_MAX = 256 << 20 };

struct section { // Elf64_Shdr
    uint32_t name, type;
    uint64_t flags, address, offset, size;
    uint32_t link, information;
    uint64_t alignment, entry_size;
};

_Static_assert(sizeof(struct section) == 64, "gABI");

struct table {
    const struct elf_object *object;
    struct file *file; // NULL: bytes
    const char *bytes;
    uint64_t size; // of the file
    uint64_t symbols, count, strings, strings_size;
    char *strings_copy; // heap, with a NUL added; NULL: names are read one by one
};

static bool source_read(const struct table *table, uint64_t offset, void *to, size_t size)
{
    if (offset > table->size || size > table->size - offset) {
        return false;
    }
    if (table->file == NULL) {
        memcpy(to, table->bytes + offset, size);
        return true;
    }
    size_t filled = 0, done = 1;
    while (filled < size && done > 0) {
        done = 0;
        if (file_read_at(table->file, offset + filled, (char *)to + filled, size - filled, &done) !=
            0) {
            return false;
        }
        filled += done;
    }
    return filled == size;
}

static bool source_open(struct table *table)
{
    const struct elf_object *object = table->object;
    if (object->is_system) {
        table->bytes = object->image_file;
        table->size = object->image_file == NULL ? 0 : object->file_size;
        return table->bytes != NULL;
    }
    struct file_status status;
    if (vfs_open(NULL, object->path, OPEN_READ_ONLY, 0, &table->file) != 0) {
        return false;
    }
    if (file_status(table->file, &status) != 0 || !elf_object_is_file(object, &status)) {
        file_put(table->file);
        table->file = NULL;
        return false;
    }
    table->size = status.size;
    return true;
}

static bool section_read(const struct table *table, const struct elf_header *header, uint32_t index,
                         struct section *section)
{
    return index < header->section_count &&
           source_read(table, header->section_offset + (uint64_t)index * sizeof *section, section,
                       sizeof *section);
}

static void table_close(struct table *table)
{
    if (table->file != NULL) {
        file_put(table->file);
    }
    heap_free(table->strings_copy);
}

// False: the object has no such table that could be read.
static bool table_open(struct table *table, const struct elf_object *object)
{
    struct elf_header header;
    struct section section = {0}, strings;
    *table = (struct table){.object = object};
    if (!source_open(table)) {
        return false;
    }
    bool is_found = false;
    if (source_read(table, 0, &header, sizeof header) &&
        header.section_entry_size == sizeof section) {
        for (uint32_t i = 0; i < header.section_count && !is_found; ++i) {
            is_found =
                section_read(table, &header, i, &section) && section.type == SECTION_TYPE_SYMBOLS;
        }
    }
    if (!is_found || !section_read(table, &header, section.link, &strings)) {
        table_close(table);
        return false;
    }
    table->symbols = section.offset;
    table->count = section.size / sizeof(struct elf_symbol_entry);
    table->strings = strings.offset;
    table->strings_size = strings.size;
    return true;
}

static void name_read(const struct table *table, uint64_t at, char name[ELF_NAME_SIZE])
{
    size_t size = 0;
    if (at < table->strings_size) {
        uint64_t room = table->strings_size - at;
        size = room < ELF_NAME_SIZE - 1 ? room : ELF_NAME_SIZE - 1;
    }
    if (!source_read(table, table->strings + at, name, size)) {
        size = 0;
    }
    name[size] = 0;
}

static bool is_function(const struct elf_symbol_entry *entry)
{
    unsigned type = elf_symbol_type(entry);
    return (type == ELF_STT_FUNCTION || type == ELF_STT_IFUNC) && entry->section != ELF_SHN_UNDEF &&
           entry->section != ELF_SHN_ABS;
}

// ---- One function

// An address belongs to the last function that begins at or below it, if it is not beyond its end.
// Assembly's functions may have no size.
static void entry_consider(const struct elf_symbol_entry *entry, uint64_t address,
                           struct elf_symbol_entry *best)
{
    bool holds =
        entry->value <= address && (entry->size == 0 || address - entry->value < entry->size);
    if (is_function(entry) && holds && (best->name == 0 || entry->value > best->value)) {
        *best = *entry;
    }
}

static bool table_find(const struct table *table, uint64_t address, struct elf_symbol_entry *best)
{
    struct elf_symbol_entry entries[CHUNK];
    *best = (struct elf_symbol_entry){0};
    for (uint64_t at = 0; at < table->count; at += CHUNK) {
        size_t count = table->count - at < CHUNK ? (size_t)(table->count - at) : CHUNK;
        if (!source_read(table, table->symbols + at * sizeof entries[0], entries,
                         count * sizeof entries[0])) {
            break;
        }
        for (size_t i = 0; i < count; ++i) {
            entry_consider(&entries[i], address, best);
        }
    }
    return best->name != 0;
}

bool elf_function_of(const void *address, bool may_read, struct elf_function *function,
                     char name[ELF_NAME_SIZE])
{
    const struct elf_object *object = elf_object_at(address);
    struct table table;
    if (object == NULL || (!may_read && !object->is_system) || !table_open(&table, object)) {
        return false;
    }
    struct elf_symbol_entry entry;
    bool is_found = table_find(&table, elf_object_address(object, address), &entry);
    if (is_found) {
        name_read(&table, entry.name, name);
        *function = (struct elf_function){name, elf_object_va(object, entry.value), entry.size};
    }
    table_close(&table);
    return is_found && name[0] != 0;
}

// ---- All functions

typedef void visitor(const struct elf_function *function, void *argument);

static void entry_visit(const struct elf_object *object, const struct elf_symbol_entry *entry,
                        const char *name, visitor *visit, void *argument)
{
    if (is_function(entry) && name != NULL && name[0] != 0) {
        const struct elf_function function = {name, elf_object_va(object, entry->value),
                                              entry->size};
        visit(&function, argument);
    }
}

static bool table_walk(struct table *table, visitor *visit, void *argument)
{
    struct elf_symbol_entry entries[CHUNK];
    if (table->strings_size > STRINGS_MAX ||
        (table->strings_copy = heap_alloc(table->strings_size + 1)) == NULL ||
        !source_read(table, table->strings, table->strings_copy, table->strings_size)) {
        return false;
    }
    table->strings_copy[table->strings_size] = 0;
    for (uint64_t at = 0; at < table->count; at += CHUNK) {
        size_t count = table->count - at < CHUNK ? (size_t)(table->count - at) : CHUNK;
        if (!source_read(table, table->symbols + at * sizeof entries[0], entries,
                         count * sizeof entries[0])) {
            break;
        }
        for (size_t i = 0; i < count; ++i) {
            if (entries[i].name < table->strings_size) {
                entry_visit(table->object, &entries[i], table->strings_copy + entries[i].name,
                            visit, argument);
            }
        }
    }
    return true;
}

static void object_walk(const struct elf_object *object, visitor *visit, void *argument)
{
    struct table table;
    bool is_done = false;
    if (table_open(&table, object)) {
        is_done = table_walk(&table, visit, argument);
        table_close(&table);
    }
    size_t count = is_done ? 0 : elf_symbol_count(object);
    for (size_t i = 1; i < count; ++i) {
        const struct elf_symbol_entry *entry = &object->symbols[i];
        entry_visit(object, entry, elf_object_string(object, entry->name), visit, argument);
    }
}

void elf_functions_walk_new(visitor *visit, void *argument)
{
    for (struct elf_object *object = elf_first(); object != NULL; object = elf_next(object)) {
        if (!object->is_walked) {
            object->is_walked = true;
            object_walk(object, visit, argument);
        }
    }
}
