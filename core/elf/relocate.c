// SPDX-License-Identifier: BSD-3-Clause
// relocate.c: writing the addresses into a loaded object.
//
// The instruction set's relocation numbers become a few kinds (machine_*.c). Everything is bound at
// once but the jump slots of objects that are lazy: elf_bind does those, each when it is first
// used. Whatever needs a resolver of the program to run (IFUNC) is put off until all objects of the
// load are relocated, since a resolver may use any of them. Linkers sort relocations by symbol, so
// remembering the last look-up is enough. Every place that is written is checked to lie in a
// writable segment.
#include "core/elf/object.h"

#include "core/elf/tls.h"
#include "core/lib/errno.h"
#include "core/lib/format.h"
#include "core/lib/string.h"
#include "core/mem/heap.h"

enum { SYSTEM_COPY_MAX = 4096 }; // no object of the C library's is larger

// A resolver's call that was put off: *place = resolver() + addend.
struct indirect {
    char *place, *resolver;
    int64_t addend;
};

// Loader's mutex.
static struct {
    struct indirect *entries;
    size_t count, capacity;
} indirect;

struct relocating {
    struct elf_object *object;
    const struct elf_scope *global;
    const struct elf_object *definer;  // the last that was noted
    const struct elf_segment *segment; // of the last place
    uint32_t symbol;                   // the last look-up: its symbol and flags
    unsigned flags;
    bool has_symbol, is_found;
    struct elf_definition definition;
};

static int damaged(const struct elf_object *object)
{
    return elf_fail(ENOEXEC, "%s: has a damaged relocation; build or copy it again", object->path);
}

// The writable bytes at address, or NULL.
static char *place_of(struct relocating *state, uint64_t address, size_t size)
{
    const struct elf_segment *segment = state->segment;
    if (segment == NULL || address - segment->address > segment->size - size ||
        segment->size < size || address < segment->address) {
        segment = elf_object_segment(state->object, address, size);
        if (segment == NULL || (~segment->prot & (HAL_READ | HAL_WRITE)) != 0) {
            return NULL;
        }
        state->segment = segment;
    }
    // The string table ends with a NUL, and shall do so afterwards.
    char *place = elf_object_va(state->object, address);
    size_t distance = (size_t)(place + size - state->object->strings);
    return distance > 0 && distance < state->object->strings_size + size ? NULL : place;
}

static void word_write(char *place, uint64_t value)
{
    __builtin_memcpy(place, &value, sizeof(value));
}

static int relative_apply(struct relocating *state)
{
    const struct elf_object *object = state->object;
    uint64_t address = 0;
    for (size_t i = 0; i < object->relative_count; ++i) {
        uint64_t entry = object->relative[i];
        uint64_t bits = (entry & 1) == 0 ? 1 : entry >> 1;
        address = (entry & 1) == 0 ? entry : address;
        uint64_t next = (entry & 1) == 0 ? entry + 8 : address + 63 * 8;
        for (; bits != 0; bits >>= 1, address += 8) {
            if ((bits & 1) == 0) {
                continue;
            }
            char *place = place_of(state, address, 8);
            if (place == NULL) {
                return damaged(object);
            }
            uint64_t value;
            __builtin_memcpy(&value, place, 8);
            word_write(place, value + (uint64_t)object->base);
        }
        address = next;
    }
    return 0;
}

// ---- Look-ups

static bool binds_to_itself(const struct elf_symbol_entry *entry)
{
    return elf_symbol_binding(entry) == ELF_STB_LOCAL ||
           (entry->section != ELF_SHN_UNDEF && elf_symbol_visibility(entry) != ELF_STV_DEFAULT);
}

static bool groups_search(const struct elf_scope *groups, size_t from, size_t to,
                          struct elf_reference *reference, struct elf_definition *found)
{
    for (size_t i = from; i < to; ++i) {
        if (elf_lookup_scope(&groups->objects[i]->search, 0, reference, found)) {
            return true;
        }
    }
    return false;
}

bool elf_scopes_search(struct elf_object *object, const struct elf_scope *global,
                       struct elf_reference *reference, struct elf_definition *found)
{
    const struct elf_scope *groups = &object->groups;
    size_t early = object->is_deep && groups->count > 0 ? 1 : 0;
    return groups_search(groups, 0, early, reference, found) ||
           elf_lookup_scope(global, 0, reference, found) ||
           groups_search(groups, early, groups->count, reference, found);
}

static bool everything_search(struct relocating *state, struct elf_reference *reference,
                              struct elf_definition *found)
{
    struct elf_object *object = state->object;
    return (object->is_symbolic && (reference->flags & ELF_LOOKUP_COPY) == 0 &&
            elf_lookup_in(object, reference, found)) ||
           elf_scopes_search(object, state->global, reference, found);
}

void elf_binding_note(struct elf_object *object, struct elf_object *definer)
{
    if (definer == object || definer->is_startup || definer->is_nodelete) {
        return;
    }
    if (object->is_startup || object->is_nodelete) {
        definer->is_nodelete = true;
        return;
    }
    for (size_t i = 0; i < object->needed_count; ++i) {
        if (object->needed[i] == definer) {
            return;
        }
    }
    if (elf_scope_add(&object->bindings, definer) != 0) {
        definer->is_nodelete = true; // no memory to remember for whom it stays
    }
}

// Fills state->definition for the symbol of a relocation. is_found false: nobody defines it.
// -ENOEXEC, -ENOMEM; says nothing about them.
static int symbol_look_up(struct relocating *state, uint32_t index, unsigned flags)
{
    struct elf_object *object = state->object;
    if (state->has_symbol && state->symbol == index && state->flags == flags) {
        return 0;
    }
    const struct elf_symbol_entry *entry =
        index < object->symbol_limit ? &object->symbols[index] : NULL;
    const char *name = entry == NULL ? NULL : elf_object_string(object, entry->name);
    if (name == NULL) {
        return -ENOEXEC;
    }
    state->has_symbol = true;
    state->symbol = index;
    state->flags = flags;
    if (binds_to_itself(entry)) {
        state->definition = (struct elf_definition){.object = object, .entry = entry};
        state->is_found = true;
        return 0;
    }
    struct elf_reference reference;
    elf_reference_make(&reference, name, elf_symbol_version(object, index),
                       flags | (object->is_leaving ? ELF_LOOKUP_LEAVING : 0));
    state->is_found = everything_search(state, &reference, &state->definition);
    if (!state->is_found) {
        return 0;
    }
    if (state->definition.entry != NULL &&
        elf_symbol_binding(state->definition.entry) == ELF_STB_UNIQUE &&
        elf_unique_bind(name, &state->definition) != 0) {
        return -ENOMEM;
    }
    if (state->definition.object != state->definer) {
        elf_binding_note(object, state->definition.object);
        state->definer = state->definition.object;
    }
    elf_trace_binding(object, &reference, &state->definition);
    return 0;
}

static int symbol_resolve(struct relocating *state, uint32_t index, unsigned flags)
{
    int error = symbol_look_up(state, index, flags);
    return error == -ENOMEM
               ? elf_fail(ENOMEM, "%s: no memory; give more with --memory", state->object->path)
           : error != 0 ? damaged(state->object)
                        : 0;
}

// The words for what came by dlopen are glibc's: programs show them.
static int missing_fail(const struct elf_object *object, uint32_t index)
{
    const char *name = elf_object_string(object, object->symbols[index].name);
    const struct elf_version *version = elf_symbol_version(object, index);
    const char *comma = version == NULL ? "" : ", version ";
    const char *version_name = version == NULL ? "" : version->name;
    if (object->is_strict) {
        return elf_fail(ELIBACC, "%s: undefined symbol: %s%s%s", object->path, name, comma,
                        version_name);
    }
    return elf_fail(ELIBACC,
                    "%s: needs the data object %s%s%s, which no library here has; "
                    "add the library that defines it",
                    object->path, name, comma, version_name);
}

// Of the kernel's own libraries less may be there than the needer lists and ever calls.
static bool is_forgiven(const struct elf_object *object, uint32_t index)
{
    const struct elf_version *version = elf_symbol_version(object, index);
    return !object->is_strict ||
           (version != NULL && version->file != NULL && elf_system_supplies(version->file));
}

// Nobody defines the symbol. Weak: 0. A function: a stub that says so when it is called.
static int missing_value(struct relocating *state, const struct elf_relocation *relocation,
                         char **value)
{
    struct elf_object *object = state->object;
    const struct elf_symbol_entry *entry = &object->symbols[relocation->symbol];
    unsigned type = elf_symbol_type(entry);
    *value = NULL;
    if (elf_symbol_binding(entry) == ELF_STB_WEAK) {
        return 0;
    }
    bool is_data = type != ELF_STT_FUNCTION && type != ELF_STT_NOTYPE && type != ELF_STT_IFUNC;
    if (is_data || !is_forgiven(object, relocation->symbol)) {
        return missing_fail(object, relocation->symbol);
    }
    return elf_missing_stub(elf_object_string(object, entry->name),
                            elf_symbol_version(object, relocation->symbol), object, value);
}

static bool is_indirect(const struct elf_definition *definition)
{
    return definition->entry != NULL && elf_symbol_type(definition->entry) == ELF_STT_IFUNC &&
           definition->entry->section != ELF_SHN_UNDEF;
}

// ---- Resolvers

static int indirect_add(const struct elf_object *object, char *place, char *resolver,
                        int64_t addend)
{
    if (indirect.count == indirect.capacity) {
        size_t capacity = indirect.capacity == 0 ? 64 : 2 * indirect.capacity;
        struct indirect *entries = heap_realloc(indirect.entries, capacity * sizeof(*entries));
        if (entries == NULL) {
            return elf_fail(ENOMEM, "%s: no memory; give more with --memory", object->path);
        }
        indirect.entries = entries;
        indirect.capacity = capacity;
    }
    indirect.entries[indirect.count++] = (struct indirect){place, resolver, addend};
    return 0;
}

int elf_indirect_resolve(void)
{
    for (size_t i = 0; i < indirect.count; ++i) {
        const struct indirect *entry = &indirect.entries[i];
        word_write(entry->place,
                   (uint64_t)elf_resolver_call(entry->resolver) + (uint64_t)entry->addend);
    }
    elf_indirect_forget();
    return 0;
}

void elf_indirect_forget(void)
{
    heap_free(indirect.entries);
    indirect.entries = NULL;
    indirect.count = indirect.capacity = 0;
}

// ---- One relocation of each kind

// S: the address of the relocation's symbol. *is_done: a resolver was put off, nothing is to be
// written now.
static int symbol_address(struct relocating *state, const struct elf_relocation *relocation,
                          unsigned flags, char *place, char **value, bool *is_done)
{
    *is_done = false;
    *value = NULL;
    if (relocation->symbol == 0) {
        return 0;
    }
    int error = symbol_resolve(state, relocation->symbol, flags);
    if (error != 0) {
        return error;
    }
    if (!state->is_found) {
        return missing_value(state, relocation, value);
    }
    if (is_indirect(&state->definition)) {
        struct elf_object *definer = state->definition.object;
        char *resolver = elf_object_va(definer, state->definition.entry->value);
        *is_done = true;
        return elf_object_has_code(definer, resolver)
                   ? indirect_add(state->object, place, resolver, relocation->addend)
                   : damaged(definer);
    }
    const struct elf_symbol *system = state->definition.system;
    if (system != NULL && system->is_tls) {
        return damaged(state->object);
    }
    *value = elf_definition_address(&state->definition);
    return 0;
}

static int copy_apply(struct relocating *state, const struct elf_relocation *relocation)
{
    struct elf_object *object = state->object;
    int error = symbol_resolve(state, relocation->symbol, ELF_LOOKUP_COPY);
    if (error != 0) {
        return error;
    }
    if (!object->is_program) {
        return damaged(object);
    }
    const struct elf_definition *definition = &state->definition;
    size_t size = object->symbols[relocation->symbol].size;
    char *place = place_of(state, relocation->offset, size);
    if (!state->is_found) {
        return elf_symbol_binding(&object->symbols[relocation->symbol]) == ELF_STB_WEAK
                   ? 0
                   : missing_fail(object, relocation->symbol);
    }
    if (place == NULL) {
        return damaged(object);
    }
    if (definition->entry == NULL) {
        if (definition->system->is_tls || definition->system->address == NULL ||
            size > SYSTEM_COPY_MAX) {
            return damaged(object);
        }
        elf_system_copy(definition->system, place, size);
        return 0;
    }
    const struct elf_symbol_entry *source = definition->entry;
    size = source->size < size ? source->size : size;
    const char *bytes = elf_object_bytes(definition->object, source->value, size);
    if (bytes == NULL) {
        return damaged(definition->object);
    }
    memmove(place, bytes, size); // a damaged file may copy from its own target
    return 0;
}

// The module and the offset in it that a TLS relocation names. A system symbol has no module, only
// an offset from the thread pointer.
struct tls_place {
    struct elf_object *module; // NULL: system, or a weak symbol that nobody defines
    int64_t offset;
    bool is_undefined;
};

static int tls_place_of(struct relocating *state, const struct elf_relocation *relocation,
                        struct tls_place *place)
{
    *place = (struct tls_place){.module = state->object};
    if (relocation->symbol != 0) {
        int error = symbol_resolve(state, relocation->symbol, ELF_LOOKUP_CALL);
        if (error != 0) {
            return error;
        }
        if (!state->is_found) {
            place->module = NULL;
            place->is_undefined = true;
            return elf_symbol_binding(&state->object->symbols[relocation->symbol]) == ELF_STB_WEAK
                       ? 0
                       : missing_fail(state->object, relocation->symbol);
        }
        const struct elf_definition *definition = &state->definition;
        if (definition->entry == NULL) {
            place->module = NULL;
            place->offset = definition->system->tls_offset;
            return definition->system->is_tls ? 0 : damaged(state->object);
        }
        place->module = definition->object;
        place->offset = (int64_t)definition->entry->value;
    }
    return place->module->tls.number == 0 ? damaged(state->object) : 0;
}

// From the thread pointer: the module's block has to be a static one.
static int tls_offset_of(struct relocating *state, const struct tls_place *place, int64_t *offset)
{
    *offset = place->offset;
    if (place->module == NULL) {
        return 0;
    }
    if (!place->module->tls.is_static && elf_tls_make_static(place->module) != 0) {
        return elf_fail(ENOMEM, "%s: cannot allocate memory in static TLS block",
                        place->module->path);
    }
    *offset += place->module->tls.offset;
    return 0;
}

static int descriptor_apply(struct relocating *state, const struct elf_relocation *relocation,
                            char *place, const struct tls_place *tls)
{
    int64_t offset;
    if (!elf_descriptors_are_known) {
        return elf_fail(ENOEXEC, "%s: uses TLS descriptors; compile it with -mtls-dialect=trad",
                        state->object->path);
    }
    if (tls->is_undefined) {
        word_write(place, (uint64_t)elf_descriptor_undefined);
        word_write(place + 8, (uint64_t)relocation->addend);
        return 0;
    }
    if (tls->module == NULL || tls->module->tls.is_static) {
        int error = tls_offset_of(state, tls, &offset);
        word_write(place, (uint64_t)elf_descriptor_static);
        word_write(place + 8, (uint64_t)(offset + relocation->addend));
        return error;
    }
    struct elf_descriptor *descriptor = heap_alloc(sizeof(*descriptor));
    if (descriptor == NULL) {
        return elf_fail(ENOMEM, "%s: no memory; give more with --memory", state->object->path);
    }
    descriptor->index.module = tls->module->tls.number;
    descriptor->index.offset = (size_t)(tls->offset + relocation->addend);
    descriptor->next = state->object->descriptors;
    state->object->descriptors = descriptor;
    word_write(place, (uint64_t)elf_descriptor_dynamic);
    word_write(place + 8, (uint64_t)&descriptor->index);
    return 0;
}

static int tls_apply(struct relocating *state, const struct elf_relocation *relocation, char *place,
                     enum elf_relocation_kind kind)
{
    struct tls_place tls;
    int64_t offset;
    int error = tls_place_of(state, relocation, &tls);
    if (error != 0) {
        return error;
    }
    switch (kind) {
    case ELF_R_TLS_MODULE:
        word_write(place, tls.module == NULL ? ELF_TLS_SYSTEM : tls.module->tls.number);
        return 0;
    case ELF_R_TLS_OFFSET:
        word_write(place, (uint64_t)(tls.offset + relocation->addend));
        return 0;
    case ELF_R_TLS_POINTER:
        error = tls_offset_of(state, &tls, &offset);
        if (error == 0) {
            word_write(place, (uint64_t)(offset + relocation->addend));
        }
        return error;
    default:
        return descriptor_apply(state, relocation, place, &tls);
    }
}

// 32-bit places: the value must fit.
static int narrow_apply(struct relocating *state, const struct elf_relocation *relocation,
                        char *place, int64_t value, bool is_signed)
{
    if (is_signed ? value != (int32_t)value : (uint64_t)value != (uint32_t)value) {
        return elf_fail(ENOEXEC, "%s: a 32-bit relocation does not reach; compile it with -fPIC",
                        state->object->path);
    }
    uint32_t narrow = (uint32_t)value;
    __builtin_memcpy(place, &narrow, sizeof(narrow));
    (void)relocation;
    return 0;
}

static int address_apply(struct relocating *state, const struct elf_relocation *relocation,
                         char *place, enum elf_relocation_kind kind)
{
    char *value;
    bool is_done;
    unsigned flags = kind == ELF_R_CALL_SLOT ? ELF_LOOKUP_CALL : 0;
    int error = symbol_address(state, relocation, flags, place, &value, &is_done);
    if (error != 0 || is_done) {
        return error;
    }
    uint64_t sum = (uint64_t)value + (uint64_t)relocation->addend;
    switch (kind) {
    case ELF_R_ABSOLUTE_32:
        return narrow_apply(state, relocation, place, (int64_t)sum, false);
    case ELF_R_RELATIVE_32:
        return narrow_apply(state, relocation, place, (int64_t)(sum - (uint64_t)place), true);
    case ELF_R_RELATIVE_64:
        sum -= (uint64_t)place;
        break;
    default:
        break;
    }
    word_write(place, sum);
    return 0;
}

static int size_apply(struct relocating *state, const struct elf_relocation *relocation,
                      char *place, enum elf_relocation_kind kind)
{
    int error = symbol_resolve(state, relocation->symbol, 0);
    if (error != 0) {
        return error;
    }
    const struct elf_symbol_entry *entry = state->is_found && state->definition.entry != NULL
                                               ? state->definition.entry
                                               : &state->object->symbols[relocation->symbol];
    int64_t size = (int64_t)entry->size + relocation->addend;
    if (kind == ELF_R_SIZE_32) {
        return narrow_apply(state, relocation, place, size, false);
    }
    word_write(place, (uint64_t)size);
    return 0;
}

static size_t width_of(enum elf_relocation_kind kind)
{
    switch (kind) {
    case ELF_R_ABSOLUTE_32:
    case ELF_R_RELATIVE_32:
    case ELF_R_SIZE_32:
        return 4;
    case ELF_R_TLS_DESCRIPTOR:
        return 16;
    case ELF_R_COPY:
        return 0; // checked with the symbol's size
    default:
        return 8;
    }
}

static int entry_apply(struct relocating *state, const struct elf_relocation *relocation)
{
    struct elf_object *object = state->object;
    enum elf_relocation_kind kind = elf_relocation_kind(relocation->type);
    if (kind == ELF_R_NONE) {
        return 0;
    }
    char *place = place_of(state, relocation->offset, width_of(kind));
    if (place == NULL) {
        return damaged(object);
    }
    switch (kind) {
    case ELF_R_RELATIVE:
        word_write(place, (uint64_t)object->base + (uint64_t)relocation->addend);
        return 0;
    case ELF_R_ABSOLUTE:
    case ELF_R_DATA_SLOT:
    case ELF_R_CALL_SLOT:
    case ELF_R_ABSOLUTE_32:
    case ELF_R_RELATIVE_32:
    case ELF_R_RELATIVE_64:
        return address_apply(state, relocation, place, kind);
    case ELF_R_COPY:
        return copy_apply(state, relocation);
    case ELF_R_INDIRECT: {
        char *resolver = elf_object_va(object, (uint64_t)relocation->addend);
        return elf_object_has_code(object, resolver) ? indirect_add(object, place, resolver, 0)
                                                     : damaged(object);
    }
    case ELF_R_TLS_MODULE:
    case ELF_R_TLS_OFFSET:
    case ELF_R_TLS_POINTER:
    case ELF_R_TLS_DESCRIPTOR:
        return tls_apply(state, relocation, place, kind);
    case ELF_R_SIZE_32:
    case ELF_R_SIZE_64:
        return size_apply(state, relocation, place, kind);
    default:
        return elf_fail(ENOEXEC,
                        "%s: has a relocation of unknown type %u; build it with a known linker",
                        object->path, (unsigned)relocation->type);
    }
}

static int table_apply(struct relocating *state, const struct elf_relocations *table)
{
    int error = 0;
    for (size_t i = 0; i < table->count && error == 0; ++i) {
        error = entry_apply(state, &table->entries[i]);
    }
    return error;
}

// ---- Jump slots that wait for their first use

// Whether address, of a slot, is where it will be writable.
static bool is_kept_writable(const struct elf_object *object, uint64_t address, size_t size)
{
    const struct elf_program_header *relro = object->relro_header;
    const struct elf_segment *segment = elf_object_segment(object, address, size);
    if (segment == NULL || (~segment->prot & (HAL_READ | HAL_WRITE)) != 0) {
        return false;
    }
    uint64_t end = relro == NULL ? 0 : relro->address + relro->memory_size;
    end &= ~(uint64_t)(HAL_PAGE_SIZE - 1);
    return relro == NULL || address >= end || address + size <= relro->address;
}

// Sends each slot to the linker's code, which comes to elf_bind_entry with the object and the
// relocation's index. *is_possible false: this one has to be bound now.
static int slot_delay(struct relocating *state, const struct elf_relocation *relocation,
                      bool *is_possible)
{
    struct elf_object *object = state->object;
    *is_possible = elf_relocation_kind(relocation->type) == ELF_R_CALL_SLOT &&
                   is_kept_writable(object, relocation->offset, 8);
    if (!*is_possible) {
        return 0;
    }
    char *place = elf_object_va(object, relocation->offset);
    uint64_t linked;
    __builtin_memcpy(&linked, place, sizeof(linked));
    char *code = elf_object_va(object, linked);
    *is_possible = elf_object_has_code(object, code);
    if (*is_possible) {
        word_write(place, (uint64_t)code);
    }
    return 0;
}

static int slots_apply(struct relocating *state)
{
    struct elf_object *object = state->object;
    uint64_t got = object->plt_got;
    // The table's header is written now, and protected later.
    bool is_lazy = object->is_lazy && elf_bind_entry != NULL && got != 0 && got % 8 == 0 &&
                   place_of(state, got, 24) != NULL;
    if (!is_lazy) {
        return table_apply(state, &object->jump_slots);
    }
    int error = 0;
    for (size_t i = 0; i < object->jump_slots.count && error == 0; ++i) {
        bool is_possible;
        error = slot_delay(state, &object->jump_slots.entries[i], &is_possible);
        if (error == 0 && !is_possible) {
            error = entry_apply(state, &object->jump_slots.entries[i]);
        }
    }
    word_write(elf_object_va(object, got + 8), (uint64_t)object);
    word_write(elf_object_va(object, got + 16), (uint64_t)elf_bind_entry);
    return error;
}

int elf_relocate(struct elf_object *object, const struct elf_scope *global)
{
    struct relocating state = {.object = object, .global = global};
    int error = relative_apply(&state);
    if (error == 0) {
        error = table_apply(&state, &object->relocations);
    }
    return error != 0 ? error : slots_apply(&state);
}

// Runs in place of the function, on the thread that calls it; what it answers is called instead.
char *elf_bind(struct elf_object *object, size_t index)
{
    struct relocating state = {.object = object, .global = &elf_global};
    const struct elf_relocation *relocation =
        index < object->jump_slots.count ? &object->jump_slots.entries[index] : NULL;
    elf_bindings_lock();
    int error =
        relocation == NULL ? -ENOEXEC : symbol_look_up(&state, relocation->symbol, ELF_LOOKUP_CALL);
    elf_bindings_unlock();
    if (error != 0) {
        elf_die(error == -ENOMEM ? "no memory to bind a symbol; give more with --memory"
                                 : "a damaged procedure linkage table was used");
    }
    const struct elf_symbol_entry *entry = &object->symbols[relocation->symbol];
    char *value = NULL;
    if (state.is_found) {
        value = elf_definition_address(&state.definition); // may run a resolver: no lock is held
    } else if (elf_symbol_binding(entry) != ELF_STB_WEAK) {
        elf_missing_die(elf_object_string(object, entry->name),
                        elf_symbol_version(object, relocation->symbol), object);
    }
    value += relocation->addend;
    // Two threads may come here at once, and find the same.
    if (is_kept_writable(object, relocation->offset, 8) && relocation->offset % 8 == 0) {
        __atomic_store_n((char **)elf_object_va(object, relocation->offset), value,
                         __ATOMIC_RELEASE);
    }
    return value;
}
