// SPDX-License-Identifier: BSD-3-Clause
// backtrace.c: backtrace() and its texts. The frames are found by the image's libgcc_s, as glibc
// does it.
#include <dlfcn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/elf/program.h"
#include "core/libc/export.h"
#include "core/libc/memory.h"

enum { NO_REASON = 0, END_OF_STACK = 5, LINE_MAX_SIZE = 512 };

struct walk {
    void **places;
    int count, room;
    bool is_first; // backtrace's own frame is left out
};

static uintptr_t (*place_of)(void *context);

static int walk_frame(void *context, void *argument)
{
    struct walk *walk = argument;
    if (walk->is_first) {
        walk->is_first = false;
        return NO_REASON;
    }
    if (walk->count == walk->room) {
        return END_OF_STACK;
    }
    walk->places[walk->count++] = (void *)place_of(context);
    return NO_REASON;
}

EXPORT(int, backtrace, void **places, int room)
{
    struct elf_object *unwinder;
    char message[ELF_MESSAGE_SIZE];
    void *walk_all;
    void *place;
    if (elf_open("libgcc_s.so.1", ELF_NOW, NULL, &unwinder, message) != 0 ||
        elf_symbol_find(unwinder, "_Unwind_Backtrace", NULL, NULL, &walk_all) != 0 ||
        elf_symbol_find(unwinder, "_Unwind_GetIP", NULL, NULL, &place) != 0) {
        return 0;
    }
    place_of = (uintptr_t(*)(void *))place;
    struct walk walk = {.places = places, .room = room, .is_first = true};
    ((int (*)(int (*)(void *, void *), void *))walk_all)(walk_frame, &walk);
    if (walk.count > 0 && walk.places[walk.count - 1] == NULL) {
        --walk.count;
    }
    return walk.count;
}

// "object(symbol+0x12) [0x34]", as glibc has it.
static size_t place_print(char *line, size_t size, void *address)
{
    struct elf_place place;
    int length;
    if (!elf_place_of(address, &place)) {
        length = snprintf(line, size, "[%p]", address);
    } else if (place.symbol_name == NULL) {
        length = snprintf(line, size, "%s(+0x%tx) [%p]", place.object_name,
                          (char *)address - place.object_base, address);
    } else {
        length = snprintf(line, size, "%s(%s+0x%tx) [%p]", place.object_name, place.symbol_name,
                          (char *)address - place.symbol_address, address);
    }
    return (size_t)length < size ? (size_t)length : size - 1;
}

// One block: the pointers, then the texts.
EXPORT(char **, backtrace_symbols, void *const *places, int count)
{
    char line[LINE_MAX_SIZE];
    size_t size = (size_t)count * sizeof(char *);
    for (int i = 0; i < count; ++i) {
        size += place_print(line, sizeof line, places[i]) + 1;
    }
    char **texts = libc_malloc(size);
    if (texts == NULL) {
        return NULL;
    }
    char *end = (char *)(texts + count);
    for (int i = 0; i < count; ++i) {
        size_t length = place_print(line, sizeof line, places[i]);
        texts[i] = memcpy(end, line, length + 1);
        end += length + 1;
    }
    return texts;
}

EXPORT(void, backtrace_symbols_fd, void *const *places, int count, int fd)
{
    char line[LINE_MAX_SIZE];
    for (int i = 0; i < count; ++i) {
        size_t length = place_print(line, sizeof line - 1, places[i]);
        line[length] = '\n';
        if (write(fd, line, length + 1) < 0) {
            return;
        }
    }
}
