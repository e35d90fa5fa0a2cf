// SPDX-License-Identifier: BSD-3-Clause
// debug.c: what debuggers look at: the list of loaded objects, and a function that is called
// whenever it has changed.
//
// The program's DT_DEBUG leads to a struct r_debug as ld.so's does (System V gABI, "Dynamic
// Section"; its fields are debuggers' custom), so a core file shows its libraries to any debugger.
// A live one cannot find them that way, for it believes in the host's ld.so: sim/osv_gdb.py stops
// at elf_debug_state and reads the list.
//
// Each object has an entry of its own there, for core's own image is one of them, in the second
// place: debuggers take the first for the program.
#include "core/elf/object.h"

struct debug_list { // struct r_debug
    int version;
    struct elf_debug_map *first;
    void (*changed)(void);
    int state;
    char *loader_base;
};

static struct debug_list debug_list = {.version = 1, .changed = elf_debug_state};

static void (*loaded_hook)(void);

void elf_loaded_hook_set(void (*hook)(void))
{
    loaded_hook = hook;
}

uint16_t elf_machine_number(void)
{
    return elf_machine;
}

bool elf_image_part(size_t index, struct elf_image_part *part)
{
    for (size_t i = 0; i < elf_system.header_count; ++i) {
        const struct elf_program_header *header = &elf_system.headers[i];
        if (header->type != ELF_PT_LOAD || index-- > 0) {
            continue;
        }
        uintptr_t start = (uintptr_t)elf_object_va(&elf_system, header->address);
        uintptr_t end = start + header->memory_size;
        start &= ~(uintptr_t)(HAL_PAGE_SIZE - 1);
        end = (end + HAL_PAGE_SIZE - 1) & ~(uintptr_t)(HAL_PAGE_SIZE - 1);
        unsigned prot = ((header->flags & ELF_PF_READ) != 0 ? HAL_READ : 0u) |
                        ((header->flags & ELF_PF_WRITE) != 0 ? HAL_WRITE : 0u) |
                        ((header->flags & ELF_PF_EXEC) != 0 ? HAL_EXEC : 0u);
        *part = (struct elf_image_part){(char *)start, end - start, prot};
        return true;
    }
    return false;
}

// Debuggers stop here. The list is consistent, and no initialiser of what is new has run.
__attribute__((noinline)) void elf_debug_state(void)
{
    __asm__ volatile("" : : "r"(&debug_list) : "memory");
}

void elf_debug_register(const struct elf_object *object)
{
    const struct elf_program_header *header = object->dynamic_header;
    const struct elf_segment *segment =
        header == NULL ? NULL : elf_object_segment(object, header->address, header->memory_size);
    if (segment == NULL || (segment->prot & HAL_WRITE) == 0) {
        return;
    }
    struct elf_dynamic *entry = (void *)elf_object_va(object, header->address);
    for (size_t i = 0; i < header->memory_size / sizeof *entry; ++i) {
        if (entry[i].tag == ELF_DT_DEBUG) {
            entry[i].value = (uintptr_t)&debug_list;
        }
    }
}

static void map_append(struct elf_debug_map **last, const struct elf_object *object,
                       struct elf_debug_map *map, const char *name)
{
    *map = (struct elf_debug_map){.base = object->base, .name = name, .previous = *last};
    map->dynamic = object->dynamic;
    *(*last == NULL ? &debug_list.first : &(*last)->next) = map;
    *last = map;
}

void elf_debug_update(void)
{
    struct elf_debug_map *last = NULL;
    debug_list.first = NULL;
    for (struct elf_object *object = elf_first(); object != NULL; object = elf_next(object)) {
        map_append(&last, object, &object->debug_map, object->link_name);
        if (object == elf_first() && elf_system.image_path != NULL) {
            map_append(&last, &elf_system, &elf_system.debug_map, elf_system.image_path);
        }
    }
    elf_debug_state();
    if (loaded_hook != NULL) {
        loaded_hook();
    }
}
