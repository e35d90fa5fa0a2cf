// SPDX-License-Identifier: BSD-3-Clause
// debug.c: what debuggers look at: the list of loaded objects, and a function that is called
// whenever it has changed.
//
// The program's DT_DEBUG leads to a struct r_debug as ld.so's does (System V gABI, "Dynamic
// Section"; its fields are debuggers' custom), so a core file shows its libraries to any debugger.
// A live one cannot find them that way, for it believes in the host's ld.so: sim/osv_gdb.py stops
// at elf_debug_state and reads the list.
//
// The list is that of struct elf_object, which begins as struct link_map, with core's own image put
// second: debuggers take the first for the program.
#include "core/elf/object.h"

struct debug_map { // struct link_map
    char *base;
    const char *name;
    const struct elf_dynamic *dynamic;
    const void *next, *previous;
};

struct debug_list { // struct r_debug
    int version;
    const struct debug_map *first;
    void (*changed)(void);
    int state;
    char *loader_base;
};

static struct debug_map program_map, image_map;
static struct debug_list debug_list = {.version = 1, .changed = elf_debug_state};

static void (*loaded_hook)(void);

void elf_loaded_hook_set(void (*hook)(void))
{
    loaded_hook = hook;
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

static struct debug_map map_of(const struct elf_object *object)
{
    return (struct debug_map){
        .base = object->base, .name = object->link_name, .dynamic = object->dynamic};
}

void elf_debug_update(void)
{
    const struct elf_object *program = elf_first();
    if (program == NULL) {
        return; // a unit test has unloaded everything
    }
    program_map = map_of(program);
    program_map.next = elf_next(program);
    if (elf_system.image_path != NULL) {
        image_map = map_of(&elf_system);
        image_map.name = elf_system.image_path;
        image_map.next = program_map.next;
        image_map.previous = &program_map;
        program_map.next = &image_map;
    }
    debug_list.first = &program_map;
    elf_debug_state();
    if (loaded_hook != NULL) {
        loaded_hook();
    }
}
