// SPDX-License-Identifier: BSD-3-Clause
// differ.h: worlds: tables of operations that are made at random, the same ones on Linux and here.
//
// What an operation does is decided by its own number (random_below and its kin), never by what
// others did or by the machine: an operation may be left out and the others stay what they are,
// which is what makes a sequence with a difference short. What it says (say) must be the same on
// every machine that does it right: addresses relative to something of the world's own, no times,
// no ids.
#ifndef TESTS_DIFFER_DIFFER_H
#define TESTS_DIFFER_DIFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LINE_MAX_SIZE = 16 << 10, CHOICES_MAX = 12 };

// One thread's sequence.
struct run {
    uint64_t random;  // of the operation that is being made
    void *state;      // the world's, of this thread
    bool may_fail;    // allocations may fail by chance: an operation that says ENOMEM is made again
    uint32_t retries; // left to this operation
    struct { // of a table's case: what was chosen, of how many, and up to where that is set
        uint32_t at, set;
        uint32_t chosen[CHOICES_MAX], counts[CHOICES_MAX];
        bool is_random;
    } choices;
    size_t length; // of line
    char line[LINE_MAX_SIZE];
};

struct operation {
    const char *name;
    unsigned weight; // how often, relative to the others
    void (*make)(struct run *run);
};

// A world is made at random, or is a table: then each operation's choices (choose) are made in
// every way, one case for each, from the same state.
struct world {
    const char *name;
    bool is_table;
    const struct operation *operations;
    size_t operation_count;
    void *(*open)(unsigned thread); // what a thread needs for all its sequences
    void (*begin)(struct run *run); // the same state for every sequence
    void (*look)(struct run *run);  // says all that can be seen of the state
    void (*close)(void *state);
};

extern const struct world memory_world, calls_world, memory_files_world, memory_growth_world,
    memory_rare_world, memory_segments_world, files_world, huge_world;

uint32_t random_below(struct run *run, uint32_t limit);
bool random_chance(struct run *run, uint32_t one_in);
// The next choice of a table's operation: below count. Choices do not hang on what calls answer.
uint32_t choose(struct run *run, uint32_t count);
#define CHOOSE(run, list) ((list)[choose(run, sizeof(list) / sizeof(list)[0])])

void say(struct run *run, const char *format, ...) __attribute__((format(printf, 2, 3)));
// "= 5" or "= ENOENT", of errno.
void say_result(struct run *run, long result);
// Whether to make an operation that has failed with ENOMEM once more.
bool run_again(struct run *run);
// Cleared memory, however often that fails by chance.
void *memory_allocate(size_t size);
// For names in /dev/shm. Others of the same process number may be running, in other namespaces.
unsigned own_number(void);

// What differ does for a table, after its name on the command line.
int table_main(struct run *run, const struct world *world, int count, char **words);

uint64_t hash_bytes(uint64_t hash, const void *data, size_t size);
uint64_t hash_mix(uint64_t x);
#define HASH_EMPTY UINT64_C(0xcbf29ce484222325)

#endif
