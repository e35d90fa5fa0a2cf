// SPDX-License-Identifier: BSD-3-Clause
// differ.c: makes random operations of a world, and says what they answered.
//
//     differ WORLD SEED COUNT LENGTH [-t THREADS] [-r]
//         a line for each sequence: its seed, a hash of its lines
//     differ WORLD SEED 1 LENGTH -l [-r] [NUMBER...]
//         the lines of one, of these operations alone
//     differ TABLE ...
//         see table.c
//
// COUNT sequences of LENGTH operations, from seeds SEED, SEED + 1 ..., in threads that take turns.
// -r: allocations may fail by chance.
#include "differ.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

enum { THREADS_MAX = 16, LOOK_EVERY = 8, RETRIES = 12, BEGIN_TRIES = 50 };

static const struct world *const worlds[] = {
    &memory_world,      &calls_world,           &memory_files_world, &memory_growth_world,
    &memory_rare_world, &memory_segments_world, &files_world,        &huge_world};

static struct {
    const struct world *world;
    uint64_t seed;
    size_t count, length;
    unsigned thread_count;
    bool may_fail, is_shown;
    char **chosen; // numbers of operations, ascending; where is_shown
    int chosen_count;
    uint64_t *hashes;
} job = {.thread_count = 1};

uint64_t hash_mix(uint64_t x)
{
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

uint32_t random_below(struct run *run, uint32_t limit)
{
    run->random = hash_mix(run->random);
    return (uint32_t)((run->random >> 32) * limit >> 32);
}

bool random_chance(struct run *run, uint32_t one_in)
{
    return random_below(run, one_in) == 0;
}

void say(struct run *run, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int size =
        vsnprintf(run->line + run->length, sizeof run->line - run->length, format, arguments);
    va_end(arguments);
    run->length += size > 0 ? (size_t)size : 0;
    if (run->length >= sizeof run->line) {
        run->length = sizeof run->line - 1;
    }
}

void say_result(struct run *run, long result)
{
    const char *name = result == -1 ? strerrorname_np(errno) : NULL;
    if (name != NULL) {
        say(run, " = %s", name);
    } else {
        say(run, " = %ld", result);
    }
}

bool run_again(struct run *run)
{
    bool is_again = run->may_fail && run->retries > 0;
    run->retries -= is_again;
    return is_again;
}

void *memory_allocate(size_t size)
{
    void *memory = NULL;
    for (int i = 0; i < BEGIN_TRIES && memory == NULL; ++i) {
        memory = calloc(1, size);
    }
    if (memory == NULL) {
        fprintf(stderr, "differ: no memory\n");
        exit(3);
    }
    return memory;
}

uint64_t hash_bytes(uint64_t hash, const void *data, size_t size)
{
    const unsigned char *bytes = data;
    for (; size >= 8; size -= 8, bytes += 8) {
        uint64_t word;
        memcpy(&word, bytes, sizeof word);
        hash = (hash ^ word) * UINT64_C(0x100000001b3);
        hash ^= hash >> 29;
    }
    for (; size > 0; --size, ++bytes) {
        hash = (hash ^ *bytes) * UINT64_C(0x100000001b3);
    }
    return hash;
}

static const struct operation *operation_choose(struct run *run)
{
    unsigned whole = 0;
    for (size_t i = 0; i < job.world->operation_count; ++i) {
        whole += job.world->operations[i].weight;
    }
    unsigned at = random_below(run, whole);
    const struct operation *operation = job.world->operations;
    while (at >= operation->weight) {
        at -= operation->weight;
        ++operation;
    }
    return operation;
}

unsigned own_number(void)
{
    static _Atomic unsigned number;
    unsigned none = 0, drawn = 0;
    while (getrandom(&drawn, sizeof drawn, 0) != sizeof drawn) {
    }
    return atomic_compare_exchange_strong(&number, &none, drawn | 1) ? drawn | 1 : none;
}

static uint64_t line_end(struct run *run, uint64_t hash)
{
    say(run, "\n");
    hash = hash_bytes(hash, run->line, run->length);
    if (job.is_shown && write(STDOUT_FILENO, run->line, run->length) < 0) {
        exit(3);
    }
    return hash;
}

static uint64_t operation_make(struct run *run, uint64_t seed, size_t number, bool is_last,
                               uint64_t hash)
{
    run->random = hash_mix(seed * UINT64_C(0x2545f4914f6cdd1d) + number);
    run->retries = run->may_fail ? RETRIES : 0;
    run->length = 0;
    const struct operation *operation = operation_choose(run);
    say(run, "%zu %s", number, operation->name);
    operation->make(run);
    hash = line_end(run, hash);
    if ((number + 1) % LOOK_EVERY == 0 || is_last) {
        run->retries = run->may_fail ? RETRIES : 0;
        run->length = 0;
        say(run, "%zu.", number);
        job.world->look(run);
        hash = line_end(run, hash);
    }
    return hash;
}

static uint64_t sequence_make(struct run *run, uint64_t seed)
{
    uint64_t hash = HASH_EMPTY;
    run->random = hash_mix(seed);
    job.world->begin(run);
    if (job.chosen_count > 0) {
        for (int i = 0; i < job.chosen_count; ++i) {
            hash = operation_make(run, seed, strtoul(job.chosen[i], NULL, 10),
                                  i + 1 == job.chosen_count, hash);
        }
        return hash;
    }
    for (size_t i = 0; i < job.length; ++i) {
        hash = operation_make(run, seed, i, i + 1 == job.length, hash);
    }
    return hash;
}

// What a thread maps for itself would come where another has just unmapped, and be mapped over.
static pthread_barrier_t all_open;

static void *sequences_make(void *argument)
{
    unsigned thread = (unsigned)(uintptr_t)argument;
    struct run *run = memory_allocate(sizeof *run);
    run->may_fail = job.may_fail;
    run->state = job.world->open(thread);
    pthread_barrier_wait(&all_open);
    for (size_t i = thread; i < job.count; i += job.thread_count) {
        job.hashes[i] = sequence_make(run, job.seed + i);
    }
    job.world->close(run->state);
    free(run);
    return NULL;
}

static const struct world *world_find(const char *name)
{
    for (size_t i = 0; i < sizeof worlds / sizeof worlds[0]; ++i) {
        if (strcmp(worlds[i]->name, name) == 0) {
            return worlds[i];
        }
    }
    fprintf(stderr, "differ: no world %s\n", name);
    exit(2);
}

static void job_read(int count, char **words)
{
    int option;
    while ((option = getopt(count, words, "t:rl")) != -1) {
        job.thread_count = option == 't' ? (unsigned)atoi(optarg) : job.thread_count;
        job.may_fail |= option == 'r';
        job.is_shown |= option == 'l';
    }
    count -= optind;
    words += optind;
    if (count < 4 || job.thread_count < 1 || job.thread_count > THREADS_MAX) {
        fprintf(stderr,
                "usage: differ WORLD SEED COUNT LENGTH [-t THREADS] [-r] [-l [NUMBER...]]\n");
        exit(2);
    }
    job.world = world_find(words[0]);
    job.seed = strtoull(words[1], NULL, 10);
    job.count = strtoul(words[2], NULL, 10);
    job.length = strtoul(words[3], NULL, 10);
    job.chosen = words + 4;
    job.chosen_count = count - 4;
    job.hashes = memory_allocate((job.count + 1) * sizeof *job.hashes);
}

int main(int count, char **words)
{
    pthread_t threads[THREADS_MAX];
    const struct world *first = count > 1 && words[1][0] != '-' ? world_find(words[1]) : NULL;
    if (first != NULL && first->is_table) {
        struct run *run = memory_allocate(sizeof *run);
        return table_main(run, first, count - 1, words + 1);
    }
    job_read(count, words);
    pthread_barrier_init(&all_open, NULL, job.thread_count);
    for (unsigned i = 1; i < job.thread_count; ++i) {
        int error = EAGAIN;
        for (int tries = 0; tries < BEGIN_TRIES && error == EAGAIN; ++tries) {
            error = pthread_create(&threads[i], NULL, sequences_make, (void *)(uintptr_t)i);
        }
        if (error != 0) {
            fprintf(stderr, "differ: no thread: %s\n", strerror(error));
            return 3;
        }
    }
    sequences_make(NULL);
    for (unsigned i = 1; i < job.thread_count; ++i) {
        pthread_join(threads[i], NULL);
    }
    for (size_t i = 0; i < job.count && !job.is_shown; ++i) {
        printf("%llu %016llx\n", (unsigned long long)(job.seed + i),
               (unsigned long long)job.hashes[i]);
    }
    return 0;
}
