// SPDX-License-Identifier: BSD-3-Clause
// memory.c: what mapping calls answer, and what the memory then holds.
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "show.h"

enum { PAGE = 4096 };

static sigjmp_buf after_fault;
static volatile int fault_signal;
static volatile int is_touching;

static void on_fault(int signal)
{
    if (!is_touching) { // a mapping that was refused, where failures are planted
        _exit(3);
    }
    fault_signal = signal;
    siglongjmp(after_fault, 1);
}

// What touching the byte answers: its value, or "fault".
static void touch(const char *what, volatile char *byte, int is_write)
{
    if (sigsetjmp(after_fault, 1) != 0) {
        is_touching = 0;
        printf("%s: fault %d\n", what, fault_signal);
        return;
    }
    is_touching = 1;
    if (is_write) {
        *byte = 'w';
    }
    const int value = *byte;
    is_touching = 0;
    printf("%s: %d\n", what, value);
}

static char *map(size_t pages, int protection, int flags)
{
    char *va = mmap(NULL, pages * PAGE, protection, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
    return va == MAP_FAILED ? NULL : va;
}

// How many pages of a mapping are there before anything is touched.
static void populated(void)
{
    enum { PAGES = 300 };
    unsigned char there[PAGES];
    char *va = map(PAGES, PROT_READ | PROT_WRITE, MAP_POPULATE | MAP_NORESERVE);
    SHOW(mincore(va, PAGES * PAGE, there));
    int count = 0;
    for (int i = 0; i < PAGES; ++i) {
        count += there[i] & 1;
    }
    printf("populated: %d of %d, %d\n", count, PAGES, va[PAGE]);
    SHOW(munmap(va, PAGES * PAGE));
    printf("huge pages: %s\n", map(512, PROT_READ, MAP_HUGETLB) == NULL ? "none" : "some");
}

static void anonymous(void)
{
    char *va = map(4, PROT_READ | PROT_WRITE, 0);
    touch("fresh", va, 0);
    touch("fresh, written", va + PAGE, 1);
    SHOW(mprotect(va + PAGE, PAGE, PROT_READ));
    touch("read only, read", va + PAGE, 0);
    touch("read only, written", va + PAGE, 1);
    SHOW(mprotect(va + 2 * PAGE, PAGE, PROT_NONE));
    touch("none", va + 2 * PAGE, 0);
    SHOW(mprotect(va + 1, PAGE, PROT_READ));
    SHOW(munmap(va + 3 * PAGE, PAGE));
    touch("unmapped", va + 3 * PAGE, 0);
    SHOW(mprotect(va, 4 * PAGE, PROT_READ));
    SHOW(mprotect(va, 3 * PAGE, PROT_READ | PROT_WRITE));
    touch("writable again", va + PAGE, 1);
    SHOW(munmap(va + 1, PAGE));
    SHOW(munmap(va, 0));
    SHOW(munmap(va, 4 * PAGE));
    touch("gone", va, 0);
    SHOW(munmap(va, 4 * PAGE));
    va = map(1, PROT_READ | PROT_WRITE, 0);
    touch("recycled memory", va, 0);
}

static void fixed(void)
{
    char *va = map(8, PROT_READ | PROT_WRITE, 0);
    memset(va, 'a', 8 * PAGE);
    char *inside = va + 2 * PAGE;
    SHOW(mmap(inside, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
              0) == inside);
    touch("replaced", inside, 0);
    touch("beside", va + PAGE, 0);
    touch("behind", va + 4 * PAGE, 0);
    SHOW_OK(
        mmap(inside, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0));
    SHOW(munmap(inside, PAGE));
    SHOW(mmap(inside, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) ==
         inside);
    SHOW_OK(mmap(inside + 1, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
    SHOW_OK(mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    SHOW_OK(mmap(NULL, PAGE, PROT_READ, MAP_ANONYMOUS, -1, 0));
    SHOW_OK(mmap(NULL, (size_t)1 << 60, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    SHOW_OK(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, 999, 0));
    SHOW(munmap(va, 8 * PAGE));
}

// Reserved, where the machine likes to, at an address like those that V8 makes up.
static void far_away(void)
{
    char *va = mmap((char *)0x18f607440000, 64 * PAGE, PROT_NONE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    touch("reserved", va, 0);
    SHOW(mprotect(va + 4 * PAGE, 8 * PAGE, PROT_READ | PROT_WRITE));
    touch("reserved, then writable", va + 5 * PAGE, 1);
    touch("still reserved", va + 12 * PAGE, 0);
    SHOW(madvise(va + 4 * PAGE, 8 * PAGE, MADV_DONTNEED));
    touch("discarded", va + 5 * PAGE, 0);
    SHOW(munmap(va, 64 * PAGE));
}

static void of_files(void)
{
    int fd = open("mapped", O_RDWR | O_CREAT, 0600);
    char data[PAGE + 100];
    memset(data, 'f', sizeof data);
    SHOW(write(fd, data, sizeof data));
    char *va = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    touch("file", va, 0);
    touch("file, second page", va + PAGE + 99, 0);
    touch("behind the end", va + PAGE + 100, 0);
    touch("private write", va, 1);
    char byte = 0;
    SHOW(pread(fd, &byte, 1, 0));
    printf("file still holds %c\n", byte);
    SHOW(munmap(va, 2 * PAGE));
    va = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, PAGE);
    touch("second page alone", va, 0);
    touch("read-only file page", va, 1);
    SHOW_OK(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 100));
    close(fd);
    touch("after close", va, 0);
    fd = open("mapped", O_WRONLY);
    SHOW_OK(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0));
    close(fd);
    unlink("mapped");
}

static void remapping(void)
{
    char *va = map(2, PROT_READ | PROT_WRITE, 0);
    memset(va, 'r', 2 * PAGE);
    char *grown = mremap(va, 2 * PAGE, 100 * PAGE, MREMAP_MAYMOVE);
    touch("grown, old part", grown + PAGE, 0);
    touch("grown, new part", grown + 50 * PAGE, 0);
    char *shrunk = mremap(grown, 100 * PAGE, PAGE, 0);
    SHOW(shrunk == grown);
    touch("shrunk", shrunk, 0);
    touch("cut off", shrunk + PAGE, 0);
    SHOW_OK(mremap(shrunk, PAGE, 0, 0));
    SHOW(madvise(shrunk, PAGE, MADV_DONTNEED));
    touch("discarded", shrunk, 0);
    SHOW(madvise(shrunk, PAGE, 12345));
    unsigned char resident[2] = {0};
    SHOW(mincore(shrunk, PAGE, resident));
}

static void the_break(void)
{
    char *start = sbrk(0);
    SHOW(brk(start + 10 * PAGE));
    SHOW((char *)sbrk(0) - start);
    touch("break", start + 5 * PAGE, 1);
    SHOW(brk(start));
    SHOW((char *)sbrk(0) - start);
}

static void heap(void)
{
    static char *blocks[2000];
    uint32_t random = 1;
    for (int round = 0; round < 20; ++round) {
        for (int i = 0; i < 2000; ++i) {
            random = random * 1103515245 + 12345;
            size_t size = (random >> 8) % (i % 100 == 0 ? 300000 : 600) + 1;
            blocks[i] = realloc(i % 3 == 0 ? blocks[i] : (free(blocks[i]), NULL), size);
            memset(blocks[i], i, size);
        }
        for (int i = 0; i < 2000; ++i) {
            if (*blocks[i] != (char)i) {
                printf("block %d is broken\n", i);
            }
        }
    }
    printf("heap held\n");
    SHOW_OK(malloc((size_t)1 << 62) == NULL ? -1 : 0);
}

int main(void)
{
    signal(SIGSEGV, on_fault);
    signal(SIGBUS, on_fault);
    anonymous();
    populated();
    fixed();
    far_away();
    of_files();
    remapping();
    the_break();
    heap();
    return 0;
}
