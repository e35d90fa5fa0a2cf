// SPDX-License-Identifier: BSD-3-Clause
// arena.h: what the worlds of memory share: an arena of addresses, the files that are mapped there,
// and what is to be seen of both.
//
// The arena lies between two holes of addresses that are larger than all that an operation maps, so
// that what the machine places where it likes falls into neither the arena nor next to it.
#ifndef TESTS_DIFFER_ARENA_H
#define TESTS_DIFFER_ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>

#include "differ.h"

enum {
    PAGE = 4096,
    FILE_PAGES = 10,
    FILE_COUNT = 4,
    RW = PROT_READ | PROT_WRITE,
};

// Both files are in memory: what a host's file system does is another world's.
enum { FILE_MEMFD, FILE_SHM, FILE_READ_ONLY, FILE_WRITE_ONLY };

struct memory {
    char *arena;
    size_t size;         // of the arena, bytes
    int fds[FILE_COUNT]; // the last two are the second one, opened otherwise
    uint64_t inodes[2];
    int maps;           // /proc/self/maps
    char *text;         // of it
    const char *unseen; // where arena_look does not look
    size_t unseen_size;
};

static inline struct memory *memory_of(struct run *run)
{
    return run->state;
}

void *arena_open(unsigned thread, size_t pages);
void arena_begin(struct run *run); // all of it without access; the files as they were at first
void arena_look(struct run *run);
void arena_maps_say(struct run *run); // what is mapped alone
void arena_close(void *state);
_Noreturn void arena_die(const char *what); // says why, by errno

void say_address(struct run *run, const char *va);
void say_range(struct run *run, const char *start, size_t size);

// Touches a byte in every 64, one after the other, as far as it goes; with a pattern (not -1):
// writes. Answers how far. *signal: what ended it.
size_t bytes_touch(char *start, size_t size, int pattern, int *signal);

// What was there before a call that may fail by chance.
struct attempt {
    uint64_t before;
    bool has_changed;
    const char *lost; // may be lost
    size_t lost_size;
};

struct attempt attempt_begin(struct run *run);
// The same for mremap, which may lose what was at its target when it fails, as on Linux.
struct attempt attempt_begin_losing(struct run *run, const char *target, size_t size);
// Whether the call is to be made again: it said ENOMEM, which may be by chance. Who fails by chance
// has changed nothing; who fails each time, as on Linux, may have.
bool attempt_again(struct run *run, struct attempt *attempt, bool is_error);

#endif
