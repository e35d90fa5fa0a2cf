// SPDX-License-Identifier: BSD-3-Clause
// collector.c: a program that reads its own page tables, as a collector of garbage does
// (osv/pages.h): it copies what was written since it looked last, while others write.
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "core/libc/include/osv/pages.h"

enum {
    PAGE = 4096,
    LARGE = 2 << 20,
    RW = PROT_READ | PROT_WRITE,
    HEAP_PAGES = 600,
    WRITERS = 2,
    ROUNDS = 40,
    WORDS = PAGE / sizeof(uint64_t),
};

static void show(const char *what, int is_so)
{
    printf("%s %d\n", what, is_so);
}

static char *map(size_t size)
{
    char *va = mmap(NULL, size, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    madvise(va, size, MADV_NOHUGEPAGE);
    return va;
}

static int bit(const uint64_t *bits, size_t i)
{
    return bits[i / 64] >> i % 64 & 1;
}

static size_t count(const uint64_t *bits, size_t pages)
{
    size_t sum = 0;
    for (size_t i = 0; i < pages; ++i) {
        sum += bit(bits, i);
    }
    return sum;
}

// ---- What is there -------------------------------------------------------

struct seen {
    char *start, *end;
    size_t bytes, count, writable, executable;
    int is_ordered;
    size_t stop_after;
};

static bool visit(const struct osv_page *page, void *argument)
{
    struct seen *seen = argument;
    seen->is_ordered &= page->start >= seen->end && (uintptr_t)page->start % page->size == 0;
    seen->start = seen->count == 0 ? page->start : seen->start;
    seen->end = page->start + page->size;
    seen->bytes += page->size;
    seen->writable += page->is_writable;
    seen->executable += page->is_executable;
    return ++seen->count != seen->stop_after;
}

static struct seen walk(char *start, size_t size, size_t stop_after)
{
    struct seen seen = {.is_ordered = 1, .stop_after = stop_after};
    if (osv_pages_walk(start, size, visit, &seen) != 0) {
        perror("osv_pages_walk");
    }
    return seen;
}

static void walks(void)
{
    char *va = map(100 * PAGE);
    show("nothing is there", walk(va, 100 * PAGE, 0).count == 0);
    memset(va + 64 * PAGE, 1, PAGE);
    struct seen seen = walk(va, 100 * PAGE, 0);
    show("one is there",
         seen.count > 0 && seen.start <= va + 64 * PAGE && seen.end > va + 64 * PAGE);
    memset(va, 1, 100 * PAGE);
    seen = walk(va, 100 * PAGE, 0);
    show("all are", seen.bytes == 100 * PAGE && seen.is_ordered && seen.writable == seen.count);
    show("none may be executed", seen.executable == 0);
    mprotect(va + 10 * PAGE, 10 * PAGE, PROT_READ);
    seen = walk(va, 100 * PAGE, 0);
    show("ten are not writable", seen.count - seen.writable == 10 && seen.count == 100);
    munmap(va + 50 * PAGE, 20 * PAGE);
    show("some are gone", walk(va, 100 * PAGE, 0).count == 80);
    show("it stops", walk(va, 100 * PAGE, 7).count == 7);
    seen = walk(va + 30 * PAGE, 5 * PAGE, 0);
    show("a part", seen.count == 5 && seen.start == va + 30 * PAGE);
    munmap(va, 100 * PAGE);

    va = mmap(NULL, 4 * LARGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    seen = walk(va, 4 * LARGE, 0);
    show("8 MiB", seen.bytes >= 4 * LARGE && seen.is_ordered && seen.count <= 4 * LARGE / PAGE);
    munmap(va, 4 * LARGE);
}

static void errors(void)
{
    uint64_t bits = 0;
    char *va = map(PAGE);
    show("unaligned", osv_pages_walk(va + 1, PAGE, visit, NULL) == -1 && errno == EINVAL);
    show("no function", osv_pages_walk(va, PAGE, NULL, NULL) == -1 && errno == EINVAL);
    show("goes round", osv_pages_walk(va, -(size_t)PAGE, visit, NULL) == -1 && errno == EINVAL);
    show("part of a page", osv_pages_take_dirty(va, 7, &bits) == -1 && errno == EINVAL);
    show("unaligned", osv_pages_take_dirty(va + 8, PAGE, &bits) == -1 && errno == EINVAL);
    show("no memory of ours", osv_pages_take_dirty(NULL, PAGE, &bits) == -1 && errno == EINVAL);
    show("no bits", osv_pages_take_dirty(va, PAGE, (uint64_t *)8) == -1 && errno == EFAULT);
    show("absent", osv_pages_take_dirty(va, PAGE, &bits) == 0 && bits == 0);
    munmap(va, PAGE);
}

// ---- What was written ----------------------------------------------------

static void marks(void)
{
    enum { PAGES = 130 };
    uint64_t bits[3] = {0};
    char *va = map(PAGES * PAGE);
    memset(va, 1, PAGES * PAGE);
    osv_pages_take_dirty(va, PAGES * PAGE, bits);
    show("all were written", count(bits, PAGES) == PAGES);
    show("no bit beyond", (bits[2] >> 2) == 0);
    memset(bits, 0, sizeof bits);
    va[0] = va[64 * PAGE + 5] = va[129 * PAGE] = 2;
    osv_pages_take_dirty(va, PAGES * PAGE, bits);
    show("these were", bit(bits, 0) && bit(bits, 64) && bit(bits, 129));
    show("no others", count(bits, PAGES) == 3);
    osv_pages_take_dirty(va, PAGES * PAGE, bits);
    memset(bits, 0xff, sizeof bits);
    osv_pages_take_dirty(va, PAGES * PAGE, bits);
    show("bits are cleared", count(bits, PAGES) == 0);
    volatile char sum = va[3 * PAGE];
    (void)sum;
    osv_pages_take_dirty(va, PAGES * PAGE, bits);
    show("reading is not writing", count(bits, PAGES) == 0);
    va[5 * PAGE] = 1;
    osv_pages_take_dirty(va, 5 * PAGE, bits);
    show("others' marks stay", count(bits, 5) == 0);
    osv_pages_take_dirty(va + 5 * PAGE, PAGE, bits);
    show("its own", bits[0] == 1);
    munmap(va, PAGES * PAGE);
    uint64_t large[16];
    va = mmap(NULL, 3 * LARGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char *aligned = va + (-(uintptr_t)va % LARGE);
    madvise(aligned, LARGE, MADV_HUGEPAGE);
    memset(aligned, 1, 2 * LARGE);
    osv_pages_take_dirty(aligned, 2 * LARGE, large);
    aligned[LARGE / 2] = 1;
    osv_pages_take_dirty(aligned, 2 * LARGE, large);
    size_t dirty = count(large, 512);
    show("2 MiB or a page of it",
         (dirty == 512 || dirty == 1) && bit(large, 256) && count(large, 1024) == dirty);
    munmap(va, 3 * LARGE);
}

// Writers write anywhere; the copy is made of what was written alone, and is right in the end.
static uint64_t *heap, *copy;
static atomic_int ended;

static void *writer(void *argument)
{
    uint64_t random = (uint64_t)(uintptr_t)argument + 1;
    for (int i = 0; i < ROUNDS * 50; ++i) {
        random = random * 6364136223846793005 + 1442695040888963407;
        size_t page = (random >> 33) % HEAP_PAGES, word = (random >> 20) % WORDS;
        __atomic_store_n(&heap[page * WORDS + word], random, __ATOMIC_RELAXED);
    }
    ++ended;
    return NULL;
}

static size_t collect(void)
{
    uint64_t bits[HEAP_PAGES / 64 + 1];
    osv_pages_take_dirty(heap, HEAP_PAGES * PAGE, bits);
    for (size_t i = 0; i < HEAP_PAGES; ++i) {
        for (size_t word = 0; word < WORDS && bit(bits, i); ++word) {
            copy[i * WORDS + word] = __atomic_load_n(&heap[i * WORDS + word], __ATOMIC_RELAXED);
        }
    }
    return count(bits, HEAP_PAGES);
}

static void collecting(void)
{
    pthread_t threads[WRITERS];
    heap = (uint64_t *)map(HEAP_PAGES * PAGE);
    copy = (uint64_t *)map(HEAP_PAGES * PAGE);
    for (int i = 0; i < WRITERS; ++i) {
        pthread_create(&threads[i], NULL, writer, (void *)(uintptr_t)i);
    }
    size_t sum = 0;
    while (ended < WRITERS) {
        sum += collect();
    }
    for (int i = 0; i < WRITERS; ++i) {
        pthread_join(threads[i], NULL);
    }
    sum += collect();
    show("some was written", sum > 0);
    show("the copy is the heap", memcmp(heap, copy, HEAP_PAGES * PAGE) == 0);
    munmap(heap, HEAP_PAGES * PAGE);
    munmap(copy, HEAP_PAGES * PAGE);
}

// The marks of all memory there is, while others use theirs: own stacks and data, text and
// mappings that come and go.
static atomic_int is_over;

static void *user(void *argument)
{
    size_t wrong = 0;
    while (!is_over) {
        char local[3 * PAGE];
        memset(local, 7, sizeof local);
        char *va = map(4 * PAGE);
        memset(va, 5, 4 * PAGE);
        mprotect(va + PAGE, PAGE, PROT_READ);
        wrong += va[PAGE] != 5 || local[PAGE] != 7;
        munmap(va, 4 * PAGE);
    }
    (void)argument;
    return (void *)wrong;
}

static size_t all_take(void)
{
    static uint64_t bits[(16 << 20) / PAGE / 64];
    char line[400];
    size_t taken = 0;
    FILE *file = fopen("/proc/self/maps", "r");
    while (fgets(line, sizeof line, file) != NULL) {
        size_t start, end;
        sscanf(line, "%zx-%zx", &start, &end);
        end = end - start > 16 << 20 ? start + (16 << 20) : end;
        taken += osv_pages_take_dirty((void *)start, end - start, bits) == 0;
    }
    fclose(file);
    return taken;
}

static void everything(void)
{
    pthread_t threads[WRITERS];
    size_t wrong = 0, taken = 0;
    for (int i = 0; i < WRITERS; ++i) {
        pthread_create(&threads[i], NULL, user, NULL);
    }
    for (int i = 0; i < ROUNDS; ++i) {
        taken += all_take();
    }
    is_over = 1;
    for (int i = 0; i < WRITERS; ++i) {
        void *result;
        pthread_join(threads[i], &result);
        wrong += (size_t)result;
    }
    show("marks of all memory", taken >= ROUNDS && wrong == 0);
}

int main(void)
{
    if (osv_pages_walk == NULL) {
        puts("no page tables here");
        return 0;
    }
    walks();
    errors();
    marks();
    collecting();
    everything();
    return 0;
}
