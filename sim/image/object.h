// SPDX-License-Identifier: BSD-3-Clause
// object.h: what a program or a library says of itself (System V gABI, "Object Files" and "Dynamic
// Linking").
#ifndef SIM_IMAGE_OBJECT_H
#define SIM_IMAGE_OBJECT_H

#include <stdbool.h>
#include <stddef.h>

enum object_kind {
    OBJECT_NONE,    // no ELF file
    OBJECT_FOREIGN, // for another machine
    OBJECT_STATIC,  // an executable that needs no dynamic linker, or not one that can be run
    OBJECT_DYNAMIC,
};

struct object {
    enum object_kind kind;
    char *bytes; // the file; what is below points there
    size_t size;
    const char **needed; // DT_NEEDED
    size_t needed_count;
    const char *soname, *old_run_path, *run_path; // NULL: has none
};

// Reads the file. A damaged one ends the run.
void object_read(struct object *object, const char *file);

// Only the kind: of a file that may be a library.
enum object_kind object_kind_of(const char *file);

void object_free(struct object *object);

#endif
