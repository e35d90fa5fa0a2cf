// SPDX-License-Identifier: BSD-3-Clause
// elf_fuzz.c: any bytes at all as a program or a library: headers, segments, tables, versions,
// relocations, look-ups. No code of it runs.
//
// Bytes that are changed blindly seldom pass the first checks. So the mutator changes, half of the
// time, one field where such a field is: of a program header, of the dynamic section, of a table
// that the dynamic section leads to; and likes numbers near limits.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/elf/object.h"
#include "core/elf/program.h"
#include "elf_far.h"

enum { LOOK_UPS_MAX = 200, NEEDED_MAX = 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);

static void look_up(struct elf_object *object, const char *name, const struct elf_version *version,
                    unsigned flags)
{
    struct elf_reference reference;
    struct elf_definition found;
    elf_reference_make(&reference, name, version, flags);
    if (elf_lookup_in(object, &reference, &found) &&
        elf_symbol_type(found.entry) != ELF_STT_IFUNC) {
        elf_definition_address(&found);
    }
}

static void look_ups(struct elf_object *object)
{
    size_t count = elf_symbol_count(object);
    look_up(object, "main", NULL, ELF_LOOKUP_CALL);
    look_up(object, "no_such_symbol", NULL, ELF_LOOKUP_NEWEST);
    for (size_t i = 0; i < count && i < LOOK_UPS_MAX; i++) {
        const char *name = elf_object_string(object, object->symbols[i].name);
        if (name != NULL) {
            look_up(object, name, elf_symbol_version(object, i), 0);
            look_up(object, name, NULL, i % 2 == 0 ? ELF_LOOKUP_NEWEST : ELF_LOOKUP_CALL);
        }
    }
}

// What others see of a library that is loaded.
static void walk(struct elf_object *object)
{
    struct elf_place place;
    struct elf_object_info info;
    if (elf_publish_reserve(1) != 0) {
        abort();
    }
    elf_publish(object);
    elf_place_of(object->map_start, &place);
    elf_place_of(object->map_start + object->map_size / 2, &place);
    if (place.symbol_name != NULL && strlen(place.symbol_name) > object->strings_size) {
        abort();
    }
    if (!elf_object_of(object->map_start + object->map_size - 1, &info)) {
        abort();
    }
    elf_unpublish(object);
}

static int load(struct elf_object *object, const uint8_t *data, size_t size)
{
    struct elf_object *objects[] = {object, &elf_system};
    struct elf_scope scope = {objects, 2, 2};
    int error = elf_file_load(object, far_file(data, size));
    error = error != 0 ? error : elf_dynamic_read(object);
    error = error != 0 ? error : elf_tls_assign(object, object->is_program);
    if (error == 0) {
        look_ups(object);
    }
    error = error != 0 ? error : elf_relocate(object, &scope);
    error = error != 0 ? error : elf_relro_protect(object);
    if (error == 0) {
        look_ups(object);
        walk(object);
    }
    return error;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char message[ELF_MESSAGE_SIZE];
    if (size == 0) {
        return 0;
    }
    far_system_register(); // forgets what the last program has copied
    elf_message_begin(message);
    struct elf_object *object = elf_object_create("/lib/input.so");
    object->link_name = object->path;
    // The last byte says as what it is loaded: sections end there, and nobody reads them.
    object->is_program = (data[size - 1] & 1) != 0;
    object->is_lazy = (data[size - 1] & 2) != 0;
    object->is_strict = (data[size - 1] & 4) != 0;
    int error = load(object, data, size);
    if (error != 0 && (message[0] == '\0' || strchr(message, '\n') != NULL)) {
        abort();
    }
    elf_indirect_forget();
    elf_unique_forget(object);
    elf_missing_forget(object);
    elf_tls_release(object);
    elf_object_destroy(object);
    if (elf_missing_finish() != 0) {
        abort();
    }
    far_check_nothing_left();
    return 0;
}

// ---- The mutator

static uint64_t random_state;

static uint64_t random_next(void)
{
    random_state = random_state * 6364136223846793005 + 1442695040888963407;
    return random_state >> 24;
}

static uint64_t number_near(uint64_t former, size_t size)
{
    static const uint64_t numbers[] = {
        0,      1,      2,          8,          0x7f,       0xff,       0xfff,      0x1000,
        0x7fff, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff, 1ull << 40, 1ull << 47, 1ull << 63};
    switch (random_next() % 6) {
    case 0:
        return numbers[random_next() % 16];
    case 1:
        return -numbers[random_next() % 16];
    case 2:
        return former + random_next() % 33 - 16;
    case 3:
        return random_next() % size;
    case 4:
        return former ^ 1ull << random_next() % 64;
    default:
        return random_next() % 64;
    }
}

static void field_change(uint8_t *data, size_t size, size_t place, size_t width)
{
    uint64_t value = 0;
    if (place > size || size - place < width) {
        return;
    }
    memcpy(&value, data + place, width);
    value = number_near(value, size);
    memcpy(data + place, &value, width);
}

// One field of the structure at place, whose fields are 2, 4 or 8 bytes wide.
static void structure_change(uint8_t *data, size_t size, size_t place, size_t structure_size)
{
    size_t width = (size_t)2 << random_next() % 3;
    field_change(data, size, place + random_next() % structure_size / width * width, width);
}

static const struct elf_program_header *header_find(const uint8_t *data, size_t size, unsigned type,
                                                    uint64_t address)
{
    const struct elf_header *header = (const void *)data;
    for (size_t i = 0; i < header->program_count; i++) {
        size_t place = header->program_offset + i * sizeof(struct elf_program_header);
        const struct elf_program_header *found = (const void *)(data + place);
        if (place % 8 != 0 || place > size || size - place < sizeof(*found)) {
            return NULL;
        }
        if (found->type == type && (address == 0 || address - found->address < found->file_size)) {
            return found;
        }
    }
    return NULL;
}

// The entry of the dynamic section, or something that one of its entries leads to.
static void dynamic_change(uint8_t *data, size_t size)
{
    const struct elf_program_header *dynamic = header_find(data, size, ELF_PT_DYNAMIC, 0);
    if (dynamic == NULL || dynamic->offset > size || dynamic->offset % 8 != 0) {
        return;
    }
    size_t room = (size - dynamic->offset) / sizeof(struct elf_dynamic);
    size_t count = dynamic->file_size / sizeof(struct elf_dynamic);
    size_t index = random_next() % ((count < room ? count : room) + 1);
    size_t place = dynamic->offset + index * sizeof(struct elf_dynamic);
    struct elf_dynamic entry;
    if (index >= room) {
        return;
    }
    memcpy(&entry, data + place, sizeof(entry));
    const struct elf_program_header *segment = header_find(data, size, ELF_PT_LOAD, entry.value);
    if (segment == NULL || random_next() % 4 == 0) {
        structure_change(data, size, place, sizeof(entry));
        return;
    }
    size_t table = entry.value - segment->address + segment->offset;
    structure_change(data, size, table + random_next() % 32 * 8, 8);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    random_state = seed;
    if (size < sizeof(struct elf_header) || random_next() % 2 == 0) {
        return LLVMFuzzerMutate(data, size, max_size);
    }
    const struct elf_header *header = (const void *)data;
    for (unsigned left = 1 + random_next() % 3; left > 0; left--) {
        switch (random_next() % 8) {
        case 0:
            structure_change(data, size, 0, sizeof(*header));
            break;
        case 1:
        case 2:
            structure_change(data, size,
                             header->program_offset +
                                 random_next() % 12 * sizeof(struct elf_program_header),
                             sizeof(struct elf_program_header));
            break;
        case 3:
            data[size - 1] = (uint8_t)random_next();
            break;
        default:
            dynamic_change(data, size);
            break;
        }
    }
    return size;
}
