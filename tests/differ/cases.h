// SPDX-License-Identifier: BSD-3-Clause
// cases.h: what the tables of calls on memory share: an arena with one page or two of each kind of
// mapping, and the classes of addresses and sizes.
#ifndef TESTS_DIFFER_CASES_H
#define TESTS_DIFFER_CASES_H

#include "arena.h"

enum { ARENA_PAGES = 16, ARENA = ARENA_PAGES * PAGE };

void *cases_open(unsigned thread);
void cases_begin(struct run *run);
void cases_look(struct run *run); // which pages can be written, too

static const uintptr_t address_last = ((uintptr_t)1 << 47) - PAGE; // Linux's: one page less

void say_place(struct run *run, const char *va);
char *place_choose(struct run *run, bool has_null);
// For a call that goes on behind a hole: what is large would be the program itself.
size_t size_choose(struct run *run, const char *va, bool goes_on);
int number_choose(struct run *run, const char *name, const int *numbers, uint32_t count);

#define NUMBER_CHOOSE(run, name, ...)                                                              \
    number_choose(run, name, (const int[]){__VA_ARGS__},                                           \
                  sizeof((const int[]){__VA_ARGS__}) / sizeof(int))

// What the machine has put where it likes: its contents, and away.
void elsewhere_end(struct run *run, char *va, size_t size);

#endif
