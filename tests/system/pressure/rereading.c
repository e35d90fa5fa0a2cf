// SPDX-License-Identifier: BSD-3-Clause
// rereading.c: a file that is larger than memory, read again and again, by calls and by mappings.
//
//   rereading ROUNDS  what is read is right, and pages of the file go where others want memory
//   rereading asked   maps and reads it, says so, and again when it is told to
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/system/figures.h"

enum { PAGE = 4096, MIB = 1 << 20, BLOCK = 16 * PAGE, COPY_STEP = 64, LOCKED = 16 };

static int file;
static size_t page_count;

static uint64_t stamp(size_t page)
{
    return (page + 1) * 0x9e3779b97f4a7c15;
}

static uint64_t stamp_at(const char *at)
{
    uint64_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

static int file_make(void)
{
    static char block[BLOCK];
    file = open("rereading.data", O_RDWR | O_CREAT | O_TRUNC, 0600);
    page_count =
        (size_t)figure("/proc/meminfo", "MemTotal") * 1024 / 2 * 3 / BLOCK * (BLOCK / PAGE);
    for (size_t page = 0; page < page_count; page += BLOCK / PAGE) {
        for (size_t i = 0; i < BLOCK / PAGE; ++i) {
            const uint64_t value = stamp(page + i);
            memcpy(block + i * PAGE, &value, sizeof value);
        }
        if (pwrite(file, block, BLOCK, (off_t)(page * PAGE)) != BLOCK) {
            return 0;
        }
    }
    return 1;
}

static char *file_map(int prot, int flags)
{
    char *map = mmap(NULL, page_count * PAGE, prot, flags, file, 0);
    if (map == MAP_FAILED) {
        perror("mmap");
        exit(3);
    }
    return map;
}

static int is_read(int rounds)
{
    static char block[BLOCK];
    for (; rounds > 0; --rounds) {
        for (size_t page = 0; page < page_count; ++page) {
            const size_t at = page * PAGE % BLOCK;
            if (at == 0 && pread(file, block, BLOCK, (off_t)(page * PAGE)) != BLOCK) {
                return 0;
            }
            if (stamp_at(block + at) != stamp(page)) {
                return 0;
            }
        }
    }
    return 1;
}

static int is_mapped(const char *map, int rounds)
{
    for (; rounds > 0; --rounds) {
        for (size_t page = 0; page < page_count; ++page) {
            if (stamp_at(map + page * PAGE) != stamp(page)) {
                return 0;
            }
        }
    }
    return 1;
}

// Some pages become copies of the program's own, which stay.
static int is_private(int rounds)
{
    char *map = file_map(PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE);
    int ok = 1;
    for (size_t page = 0; page < page_count; page += COPY_STEP) {
        map[page * PAGE + PAGE - 1] = 'c';
    }
    ok = is_mapped(map, rounds);
    for (size_t page = 0; page < page_count; ++page) {
        ok = ok && map[page * PAGE + PAGE - 1] == (page % COPY_STEP == 0 ? 'c' : 0);
    }
    munmap(map, page_count * PAGE);
    return ok;
}

// A call whose buffer is the file itself.
static int is_copied(const char *map)
{
    int out = open("/dev/null", O_WRONLY), ends[2], ok = pipe(ends) == 0;
    uint64_t value;
    for (size_t page = 0; page < page_count && ok; page += COPY_STEP) {
        ok = write(out, map + page * PAGE, PAGE) == PAGE &&
             write(ends[1], map + page * PAGE, sizeof value) == sizeof value &&
             read(ends[0], &value, sizeof value) == sizeof value && value == stamp(page);
    }
    close(out);
    close(ends[0]);
    close(ends[1]);
    return ok;
}

static int is_at_random(const char *map, size_t count)
{
    uint64_t chance = 1;
    for (size_t i = 0; i < count; ++i) {
        chance = chance * 6364136223846793005 + 1442695040888963407;
        const size_t page = (size_t)(chance >> 33) % page_count;
        uint64_t value = 0;
        if (stamp_at(map + page * PAGE) != stamp(page) ||
            pread(file, &value, sizeof value, (off_t)(page * PAGE)) != sizeof value ||
            value != stamp(page)) {
            return 0;
        }
    }
    return 1;
}

static void *backwards(void *map)
{
    for (size_t page = page_count; page-- > 0;) {
        if (stamp_at((char *)map + page * PAGE) != stamp(page)) {
            return NULL;
        }
    }
    return map;
}

static int are_two(char *map, int rounds)
{
    int ok = 1;
    for (; rounds > 0; --rounds) {
        pthread_t other;
        void *result;
        ok = ok && pthread_create(&other, NULL, backwards, map) == 0 && is_mapped(map, 1) &&
             pthread_join(other, &result) == 0 && result == map;
    }
    return ok;
}

static int stays(char *map)
{
    unsigned char there[LOCKED];
    char *at = map + page_count / 2 * PAGE;
    int ok = mlock(at, LOCKED * PAGE) == 0 && is_mapped(map, 1) &&
             mincore(at, LOCKED * PAGE, there) == 0;
    for (int i = 0; i < LOCKED; ++i) {
        ok = ok && (there[i] & 1) != 0;
    }
    return munlock(at, LOCKED * PAGE) == 0 && ok;
}

// Memory of the program's, where pages of the file are.
static int is_given(const char *map)
{
    static char *pieces[1024];
    long count = 0, wanted = figure("/proc/meminfo", "MemTotal") / 1024 / 3;
    is_mapped(map, 1);
    while (count < wanted && count < 1024 && (pieces[count] = malloc(MIB)) != NULL) {
        memset(pieces[count], 1, MIB);
        ++count;
    }
    const int ok = count == wanted;
    while (count > 0) {
        free(pieces[--count]);
    }
    return ok;
}

static int asked(char *map)
{
    promise("read", is_mapped(map, 1));
    getchar();
    promise("read again", is_mapped(map, 2));
    return 0;
}

int main(int argc, char **argv)
{
    promise("made", file_make());
    char *map = file_map(PROT_READ, MAP_SHARED);
    if (argc > 1 && strcmp(argv[1], "asked") == 0) {
        return asked(map);
    }
    const int rounds = argc > 1 ? atoi(argv[1]) : 1;
    promise("by calls", is_read(rounds));
    promise("by a mapping", is_mapped(map, rounds));
    promise("as the program's own", is_private(rounds));
    promise("by calls into a mapping", is_copied(map));
    promise("at random", is_at_random(map, (size_t)rounds * 256));
    promise("by two threads", are_two(map, rounds));
    promise("what is locked stays", stays(map));
    promise("others get its memory", is_given(map));
    promise("and it is read again", is_mapped(map, 1));
    unlink("rereading.data");
    return 0;
}
