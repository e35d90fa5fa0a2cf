// SPDX-License-Identifier: BSD-3-Clause
// flushes.c: how often one call makes other processors forget translations, as /proc/vmstat counts:
// once, however many pieces it is about, and not at all where nothing was there.
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/system/figures.h"

enum { PAGE = 4096, PIECES = 40, PIECE = 32 * PAGE, BIG = 1 << 20 };

struct flushes {
    long remote, all, one;
};

static struct flushes count(void)
{
    const char *text = text_of("/proc/vmstat");
    return (struct flushes){number_behind(text, "nr_tlb_remote_flush "),
                            number_behind(text, "nr_tlb_local_flush_all "),
                            number_behind(text, "nr_tlb_local_flush_one ")};
}

// How often since before; where there is one CPU, whether. Flushes of everything are counted, and
// so are pages: one of the two it is.
static int since(const struct flushes *before)
{
    const struct flushes now = count();
    if (sysconf(_SC_NPROCESSORS_ONLN) > 1) {
        return (int)(now.remote - before->remote);
    }
    long all = now.all - before->all;
    return all > 0 ? (int)all : now.one > before->one;
}

static char *map(size_t size)
{
    char *va = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                    -1, 0);
    if (va == MAP_FAILED) {
        exit(3);
    }
    return va;
}

// Pieces of two protections, each its own mapping, every other page of them there.
static char *pieces(void)
{
    char *va = map(PIECES * PIECE);
    for (int i = 0; i < PIECES; ++i) {
        memset(va + i * PIECE, i + 1, PIECE);
        if (i % 2 != 0 && mprotect(va + i * PIECE, PIECE, PROT_READ) != 0) {
            exit(3);
        }
    }
    return va;
}

static void whole(void)
{
    char *va = pieces();
    struct flushes before = count();
    int error = mprotect(va, PIECES * PIECE, PROT_READ);
    promise("mprotect of many pieces", error == 0 && since(&before) == 1);
    before = count();
    error = munmap(va, PIECES * PIECE);
    promise("munmap of many pieces", error == 0 && since(&before) == 1);
    va = pieces();
    before = count();
    va = mmap(va, PIECES * PIECE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    promise("mmap over many pieces", va != MAP_FAILED && since(&before) == 1);
    munmap(va, PIECES * PIECE);
}

static void discarded(void)
{
    char *va = map(8 * BIG);
    for (int i = 0; i < 8; ++i) {
        memset(va + i * BIG, i + 1, BIG);
        mprotect(va + i * BIG, BIG, PROT_READ | (i % 2 != 0 ? PROT_WRITE : 0));
    }
    struct flushes before = count();
    int error = madvise(va, 8 * BIG, MADV_DONTNEED);
    promise("madvise of several mappings", error == 0 && since(&before) == 1);
    promise("reads as zeros", va[0] == 0 && va[3 * BIG] == 0 && va[8 * BIG - 1] == 0);
    before = count();
    error = madvise(va, 8 * BIG, MADV_DONTNEED);
    munmap(va, 8 * BIG);
    va = map(BIG);
    memset(va, 1, BIG);
    before = count();
    char *moved = mremap(va, BIG, 4 * BIG, MREMAP_MAYMOVE);
    promise("mremap", moved != MAP_FAILED && since(&before) <= 1 && moved[BIG - 1] == 1);
    munmap(moved, 4 * BIG);
}

static void untouched(void)
{
    struct flushes before = count();
    char *va = map(64 * BIG);
    mprotect(va + BIG, BIG, PROT_READ);
    mprotect(va, 64 * BIG, PROT_READ);
    munmap(va, 64 * BIG);
    promise("what was never touched", since(&before) == 0);
    int fd = memfd_create("flushes", 0);
    if (fd < 0 || ftruncate(fd, BIG) != 0) {
        exit(3);
    }
    va = mmap(NULL, BIG, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    before = count();
    munmap(va, BIG);
    promise("a shared file that was never touched", since(&before) == 0);
    va = mmap(NULL, BIG, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    memset(va, 1, BIG);
    before = count();
    int error = ftruncate(fd, 0);
    promise("a file that is cut", error == 0 && since(&before) == 1);
    before = count();
    munmap(va, BIG);
    promise("and then unmapped", since(&before) == 0);
    close(fd);
}

int main(void)
{
    const struct flushes start = count();
    promise("counted", start.remote >= 0 && start.all >= 0 && start.one >= 0 &&
                           figure("/proc/vmstat", "nr_tlb_remote_flush_received") >= 0);
    whole();
    discarded();
    untouched();
    return 0;
}
