// SPDX-License-Identifier: BSD-3-Clause
// cases.c: see cases.h.
#include "cases.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { PATTERN = 7 };
// What is where; the third page is a hole.
struct piece {
    uint8_t page, pages;
    int prot, flags;
    int8_t file;    // -1: none
    uint8_t offset; // pages
    bool is_touched, is_locked;
};

static const struct piece layout[] = {
    {0, 2, RW, MAP_PRIVATE, -1, 0, true, false},
    {3, 2, RW, MAP_SHARED, FILE_MEMFD, 1, true, false},
    {5, 1, RW, MAP_PRIVATE, FILE_MEMFD, 0, true, false},
    {6, 1, PROT_READ, MAP_PRIVATE, -1, 0, false, false},
    // page 7: no access
    {8, 2, PROT_READ, MAP_SHARED, FILE_READ_ONLY, 2, false, false},
    {10, 1, RW, MAP_SHARED, -1, 0, true, false},
    {11, 1, RW, MAP_SHARED, FILE_SHM, FILE_PAGES + 1, false, false}, // beyond the end
    {12, 1, RW, MAP_PRIVATE, -1, 0, true, true},
    {13, 1, PROT_READ, MAP_PRIVATE, FILE_MEMFD, 3, false, false},
    // two more pages, untouched
    {14, 2, RW, MAP_PRIVATE, -1, 0, false, false},
};

static void piece_map(struct run *run, const struct piece *piece)
{
    struct memory *memory = memory_of(run);
    char *va = memory->arena + (size_t)piece->page * PAGE;
    size_t size = (size_t)piece->pages * PAGE;
    int flags = piece->flags | MAP_FIXED | (piece->file < 0 ? MAP_ANONYMOUS : 0);
    int fd = piece->file < 0 ? -1 : memory->fds[piece->file], signal;
    while (mmap(va, size, piece->prot, flags, fd, (off_t)piece->offset * PAGE) == MAP_FAILED) {
        if (!run->may_fail) {
            arena_die("differ: a mapping");
        }
    }
    while (piece->is_touched && bytes_touch(va, size, PATTERN + piece->page, &signal) < size) {
    }
    while (piece->is_locked && mlock(va, size) != 0) {
    }
}

void cases_begin(struct run *run)
{
    arena_begin(run);
    while (munmap(memory_of(run)->arena + 2 * PAGE, PAGE) != 0) {
    }
    for (size_t i = 0; i < sizeof layout / sizeof layout[0]; ++i) {
        piece_map(run, &layout[i]);
    }
}

// Which pages can be written, too.
void cases_look(struct run *run)
{
    struct memory *memory = memory_of(run);
    arena_look(run);
    for (int i = 0; i < ARENA_PAGES; ++i) {
        int signal = 0;
        do {
            signal = 0;
        } while (bytes_touch(memory->arena + i * PAGE + 128, 64, i, &signal) < 64 &&
                 run_again(run));
        say(run, " %d", signal);
    }
    char bytes[64];
    for (int i = 0; i < FILE_PAGES; ++i) {
        for (int file = 0; file < 2; ++file) {
            ssize_t size = pread(memory->fds[file], bytes, sizeof bytes, (off_t)i * PAGE + 128);
            say(run, " %02x", size > 0 ? bytes[0] & 0xff : 0);
        }
    }
}

// ---- Classes of arguments ------------------------------------------------

void say_place(struct run *run, const char *va)
{
    long offset = va - memory_of(run)->arena;
    if (offset >= -PAGE && offset <= ARENA) {
        say(run, " a+%lx", offset);
    } else {
        say(run, " %lx", (unsigned long)va);
    }
}

char *place_choose(struct run *run, bool has_null)
{
    static const uint8_t pages[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 14, 16};
    enum { PAGES = sizeof pages, UNALIGNED = PAGES, LAST, TOP, NONE };
    char *arena = memory_of(run)->arena, *va;
    uint32_t chosen = choose(run, NONE + has_null);
    switch (chosen) {
    case UNALIGNED:
        va = arena + 0x123;
        break;
    case LAST:
        va = (char *)address_last;
        break;
    case TOP:
        va = (char *)-(uintptr_t)PAGE;
        break;
    case NONE:
        va = NULL;
        break;
    default:
        va = arena + (size_t)pages[chosen] * PAGE;
        break;
    }
    say_place(run, va);
    return va;
}

// Where a call goes on behind a hole, what is large would be the program itself.
size_t size_choose(struct run *run, const char *va, bool goes_on)
{
    static const size_t sizes[] = {
        0,        1,     PAGE,          PAGE + 1,          2 * PAGE,
        3 * PAGE, ARENA, (size_t)-PAGE, (size_t)-PAGE + 1, (size_t)1 << 47};
    uint32_t count = sizeof sizes / sizeof sizes[0];
    count -= goes_on ? va == NULL ? 3 : 1 : 0;
    size_t size = sizes[choose(run, count)];
    say(run, ",%lx", (long)size);
    return size;
}

int number_choose(struct run *run, const char *name, const int *numbers, uint32_t count)
{
    int number = numbers[choose(run, count)];
    say(run, " %s %x", name, (unsigned)number);
    return number;
}

// What the machine has put where it likes: its contents, and away.
void elsewhere_end(struct run *run, char *va, size_t size)
{
    struct memory *memory = memory_of(run);
    if (va == MAP_FAILED || (va >= memory->arena && va < memory->arena + ARENA)) {
        return;
    }
    int signal;
    size_t readable;
    do {
        signal = 0;
        readable = bytes_touch(va, size, -1, &signal);
    } while (readable < size && run_again(run));
    say(run, " readable %lx %d", (long)readable, signal);
    while (munmap(va, size) != 0) {
        if (!run->may_fail) {
            say_result(run, -1);
            return;
        }
    }
}

void *cases_open(unsigned thread)
{
    return arena_open(thread, ARENA_PAGES);
}
