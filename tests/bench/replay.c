// SPDX-License-Identifier: BSD-3-Clause
// replay.c: asks malloc what a trace of fragmentation.py says, writes to all that it gets, and
// prints the most bytes that were in use and by how many the program grew.
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    STEP = 500,   // calls between two looks at the size
    NOTABLE = 64, // and one when a part so large has come
};

struct call {
    uint32_t slot;
    uint32_t is_resized; // the slot's block becomes one of size bytes; else it is freed
    uint64_t size;
};

static char **blocks;
static size_t *sizes;
static size_t live, live_most, live_seen, grown_most, first;
static int is_due; // a look, since more is in use than was at any look before

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static size_t resident(void)
{
    char text[128];
    size_t size = 0, pages = 0;
    int statm = open("/proc/self/statm", O_RDONLY);
    ssize_t length = read(statm, text, sizeof text - 1);
    close(statm);
    text[length < 0 ? 0 : length] = 0;
    if (sscanf(text, "%zu %zu", &size, &pages) != 2) {
        fail("/proc/self/statm");
    }
    return pages * 4096;
}

static void look(void)
{
    size_t now = resident();
    grown_most = now > first && now - first > grown_most ? now - first : grown_most;
    live_seen = live > live_seen ? live : live_seen;
    is_due = 0;
}

static void run(const struct call *call)
{
    size_t before = sizes[call->slot];
    if (call->is_resized) {
        char *block = realloc(blocks[call->slot], call->size == 0 ? 1 : call->size);
        if (block == NULL) {
            fail("realloc");
        }
        if (call->size > before) {
            memset(block + before, 1, call->size - before);
        }
        blocks[call->slot] = block;
        sizes[call->slot] = call->size;
        live += call->size - before;
        if (live > live_most) {
            live_most = live;
            is_due |= live > live_seen + live_seen / NOTABLE;
        }
    } else {
        free(blocks[call->slot]);
        blocks[call->slot] = NULL;
        sizes[call->slot] = 0;
        live -= before;
    }
}

static void *pages(size_t size, int file)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_POPULATE | (file < 0 ? MAP_ANONYMOUS : 0), file, 0);
    if (memory == MAP_FAILED) {
        fail("mmap");
    }
    return memory;
}

// What is mapped of this program: a page of it that comes later is none of malloc's.
static void program_touch(void)
{
    extern char __executable_start[], _end[];
    for (volatile char *page = __executable_start; page < _end; page += 4096) {
        (void)*page;
    }
}

// All that is needed for the replay itself is there before the first look.
int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: %s SLOTS CALLS < TRACE\n", argv[0]);
        return 2;
    }
    size_t slots = strtoul(argv[1], NULL, 10), count = strtoul(argv[2], NULL, 10), got = 0;
    char *calls = pages(count * sizeof(struct call) + 1, -1);
    blocks = pages(slots * sizeof *blocks, -1);
    sizes = pages(slots * sizeof *sizes, -1);
    for (ssize_t part; got < count * sizeof(struct call); got += (size_t)part) {
        part = read(0, calls + got, count * sizeof(struct call) - got);
        if (part <= 0) {
            fail("standard input");
        }
    }
    program_touch();
    first = resident();
    first = resident();
    for (size_t i = 0; i < count; ++i) {
        run((const struct call *)(void *)calls + i);
        if (i % STEP == 0 || is_due) {
            look();
        }
    }
    look();
    printf("%zu %zu\n", live_most, grown_most);
    return 0;
}
