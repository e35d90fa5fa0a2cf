// SPDX-License-Identifier: BSD-3-Clause
// table.c: makes the cases of a table's operations.
//
//     differ TABLE [-n COUNT] [-r]
//         a line for each operation: its name, how many cases, a hash of what they said
//     differ TABLE [-n COUNT] [-r] -l OPERATION [CASE...]
//         a line for each case; of these cases, with all that is to be seen
//
// A case is named by its choices: 3.0.2. COUNT: of each operation so many cases at random, where it
// has more. -r: allocations may fail by chance.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "differ.h"

enum { RETRIES = 12 };

static struct {
    const struct world *world;
    uint32_t random_count;
    const char *shown; // the operation whose cases are shown, or NULL
    char **cases;
    int case_count;
} table;

uint32_t choose(struct run *run, uint32_t count)
{
    uint32_t at = run->choices.at++;
    if (at >= CHOICES_MAX) {
        fprintf(stderr, "differ: more than %d choices\n", CHOICES_MAX);
        exit(3);
    }
    if (at >= run->choices.set) {
        run->choices.chosen[at] = run->choices.is_random ? random_below(run, count) : 0;
    }
    run->choices.counts[at] = count;
    return run->choices.chosen[at];
}

// The next way to choose. False: there is none.
static bool choices_next(struct run *run)
{
    uint32_t at = run->choices.at;
    while (at > 0 && run->choices.chosen[at - 1] + 1 >= run->choices.counts[at - 1]) {
        --at;
    }
    run->choices.set = at;
    if (at > 0) {
        ++run->choices.chosen[at - 1];
    }
    return at > 0;
}

static void choices_read(struct run *run, const char *name)
{
    char *end;
    run->choices.set = 0;
    do {
        run->choices.chosen[run->choices.set++] = (uint32_t)strtoul(name, &end, 10);
        name = end + 1;
    } while (*end == '.' && run->choices.set < CHOICES_MAX);
}

static void case_name(struct run *run, const char *operation, char *name, size_t size)
{
    size_t length = (size_t)snprintf(name, size, "%s ", operation);
    for (uint32_t i = 0; i < run->choices.at && length < size; ++i) {
        length += (size_t)snprintf(name + length, size - length, "%s%u", i == 0 ? "" : ".",
                                   run->choices.chosen[i]);
    }
}

static uint64_t case_make(struct run *run, const struct operation *operation, bool is_whole,
                          uint64_t hash)
{
    char name[128];
    run->choices.at = 0;
    run->retries = run->may_fail ? RETRIES : 0;
    table.world->begin(run);
    run->length = 0;
    operation->make(run);
    say(run, ";");
    size_t seen = run->length;
    run->retries = run->may_fail ? RETRIES : 0;
    table.world->look(run);
    hash = hash_bytes(hash, run->line, run->length);
    case_name(run, operation->name, name, sizeof name);
    if (table.shown != NULL && is_whole) {
        printf("%s%s\n", name, run->line);
    } else if (table.shown != NULL) {
        uint64_t state = hash_bytes(HASH_EMPTY, run->line + seen, run->length - seen);
        printf("%s%.*s %016llx\n", name, (int)seen, run->line, (unsigned long long)state);
    }
    return hash;
}

static void chosen_make(struct run *run, const struct operation *operation)
{
    for (int i = 0; i < table.case_count; ++i) {
        choices_read(run, table.cases[i]);
        case_make(run, operation, true, 0);
    }
}

static void some_make(struct run *run, const struct operation *operation, uint64_t *hash)
{
    uint64_t seed = hash_bytes(HASH_EMPTY, operation->name, strlen(operation->name));
    run->choices.is_random = true;
    for (uint32_t i = 0; i < table.random_count; ++i) {
        run->random = hash_mix(seed + i);
        run->choices.set = 0;
        *hash = case_make(run, operation, false, *hash);
    }
}

static void operation_make(struct run *run, const struct operation *operation)
{
    uint64_t hash = HASH_EMPTY;
    unsigned count = table.random_count;
    if (table.case_count > 0) {
        chosen_make(run, operation);
        return;
    }
    if (count > 0) {
        some_make(run, operation, &hash);
    } else {
        run->choices.set = 0;
        do {
            hash = case_make(run, operation, false, hash);
            ++count;
        } while (choices_next(run));
    }
    if (table.shown == NULL) {
        printf("%s %u %016llx\n", operation->name, count, (unsigned long long)hash);
    }
}

int table_main(struct run *run, const struct world *world, int count, char **words)
{
    int option;
    table.world = world;
    while ((option = getopt(count, words, "n:rl:")) != -1) {
        table.random_count = option == 'n' ? (uint32_t)atoi(optarg) : table.random_count;
        table.shown = option == 'l' ? optarg : table.shown;
        run->may_fail |= option == 'r';
    }
    table.cases = words + optind;
    table.case_count = count - optind;
    run->state = world->open(0);
    for (size_t i = 0; i < world->operation_count; ++i) {
        const struct operation *operation = &world->operations[i];
        if (table.shown == NULL || strcmp(table.shown, operation->name) == 0) {
            operation_make(run, operation);
        }
    }
    world->close(run->state);
    return 0;
}
