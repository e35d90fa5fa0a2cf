// SPDX-License-Identifier: BSD-3-Clause
// limits.c: what a process may map (RLIMIT_AS, RLIMIT_DATA), and places of mappings that programs
// ask for by flags.
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "show.h"

enum {
    PAGE = 4096,
    MB = 1 << 20,
    RW = PROT_READ | PROT_WRITE,
    PRIVATE = MAP_PRIVATE | MAP_ANONYMOUS
};

// What is mapped, or of that what is private and may be written.
static size_t mapped(int is_data)
{
    char line[400], perms[8], name[64];
    size_t sum = 0;
    FILE *file = fopen("/proc/self/maps", "r");
    while (fgets(line, sizeof line, file) != NULL) {
        size_t start, end;
        name[0] = 0;
        sscanf(line, "%zx-%zx %7s %*x %*x:%*x %*u %63s", &start, &end, perms, name);
        int is_reserved = strcmp(name, "[heap]") == 0 && perms[0] == '-';
        int is_counted = is_data ? strcmp(perms, "rw-p") == 0 && strcmp(name, "[stack]") != 0
                                 : strcmp(name, "[vsyscall]") != 0;
        sum += is_counted && !is_reserved ? end - start : 0;
    }
    fclose(file);
    return sum;
}

static void limit(int what, size_t size)
{
    struct rlimit limit = {size, RLIM_INFINITY};
    SHOW(setrlimit(what, &limit));
}

static char *map(size_t size, int prot, int flags)
{
    return mmap(NULL, size, prot, flags, -1, 0);
}

static void address_space(void)
{
    size_t used = mapped(0);
    char *first = map(4 * MB, RW, PRIVATE),
         *hole = map(64 * MB, PROT_NONE, PRIVATE | MAP_NORESERVE);
    printf("64 MiB more: %d\n", (mapped(0) - used) / MB == 68);
    limit(RLIMIT_AS, mapped(0) + 40 * MB);
    SHOW_OK(map(48 * MB, RW, PRIVATE));
    SHOW_OK(map(48 * MB, PROT_NONE, PRIVATE | MAP_NORESERVE));
    SHOW_OK(map(48 * MB, RW, MAP_SHARED | MAP_ANONYMOUS));
    char *block = malloc(48 * MB);
    printf("malloc: %d\n", block == NULL && errno == ENOMEM);
    free(block);
    SHOW_OK(syscall(SYS_mremap, first, 4 * MB, 52 * MB, MREMAP_MAYMOVE));
    SHOW_OK(mmap(hole, 64 * MB, RW, PRIVATE | MAP_FIXED | MAP_NORESERVE, -1, 0));
    SHOW_OK(mmap(hole + 32 * MB, 80 * MB, RW, PRIVATE | MAP_FIXED | MAP_NORESERVE, -1, 0));
    SHOW(mprotect(hole, 64 * MB, PROT_READ));
    char *some = map(16 * MB, RW, PRIVATE);
    printf("16 MiB: %d\n", some != MAP_FAILED);
    memset(some, 1, 16 * MB);
    SHOW_OK(map(32 * MB, RW, PRIVATE | MAP_POPULATE));
    SHOW(munmap(some, 16 * MB));
    char *more = map(32 * MB, RW, PRIVATE);
    printf("32 MiB again: %d\n", more != MAP_FAILED);
    int count = 0; // many small ones
    static char *small[200];
    while (count < 200 && (small[count] = map(64 << 10, RW, PRIVATE)) != MAP_FAILED) {
        ++count;
    }
    printf("small ones: %d\n", count > 8 && count < 160);
    munmap(more, 32 * MB);
    while (count > 0) {
        munmap(small[--count], 64 << 10);
    }
    char *end = sbrk(0);
    SHOW_OK(sbrk(64 * MB));
    printf("unmoved: %d\n", sbrk(0) == end);
    SHOW_OK(sbrk(8 * MB));
    SHOW_OK(sbrk(-8 * MB));
    limit(RLIMIT_AS, RLIM_INFINITY);
    SHOW_OK(sbrk(64 * MB));
    SHOW_OK(sbrk(-64 * MB));
    SHOW(munmap(hole, 64 * MB));
    SHOW(munmap(first, 4 * MB));
}

static void *nothing(void *argument)
{
    return argument;
}

static void threads(void)
{
    pthread_attr_t attributes;
    pthread_t thread;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 64 * MB);
    limit(RLIMIT_AS, mapped(0) + 40 * MB);
    printf("a thread: %s\n", strerrorname_np(pthread_create(&thread, &attributes, nothing, NULL)));
    limit(RLIMIT_AS, RLIM_INFINITY);
    SHOW(pthread_create(&thread, &attributes, nothing, NULL));
    SHOW(pthread_join(thread, NULL));
}

static void data(void)
{
    char *read_only = map(48 * MB, PROT_READ, PRIVATE | MAP_NORESERVE);
    char *shared = map(4 * MB, PROT_READ, MAP_SHARED | MAP_ANONYMOUS);
    limit(RLIMIT_DATA, mapped(1) + 40 * MB);
    SHOW_OK(map(48 * MB, RW, PRIVATE));
    SHOW_OK(map(48 * MB, RW, PRIVATE | MAP_NORESERVE));
    SHOW(mprotect(read_only, 48 * MB, RW));
    SHOW(mprotect(read_only, 8 * MB, RW));
    SHOW(mprotect(read_only, 48 * MB, PROT_READ));
    SHOW(mprotect(shared, 4 * MB, RW));
    char *other = map(48 * MB, PROT_READ, PRIVATE | MAP_NORESERVE);
    printf("to read: %d\n", other != MAP_FAILED);
    SHOW(munmap(other, 48 * MB));
    other = map(44 * MB, RW, MAP_SHARED | MAP_ANONYMOUS);
    printf("shared: %d\n", other != MAP_FAILED);
    SHOW(munmap(other, 44 * MB));
    SHOW_OK(mmap(read_only, 48 * MB, RW, PRIVATE | MAP_FIXED | MAP_NORESERVE, -1, 0));
    SHOW_OK(mmap(read_only, 16 * MB, RW, PRIVATE | MAP_FIXED | MAP_NORESERVE, -1, 0));
    SHOW_OK(mmap(read_only, 36 * MB, RW, PRIVATE | MAP_FIXED | MAP_NORESERVE, -1, 0));
    SHOW_OK(sbrk(48 * MB));
    limit(RLIMIT_DATA, RLIM_INFINITY);
    SHOW(munmap(read_only, 48 * MB));
    SHOW(munmap(shared, 4 * MB));
}

static void lowest(void)
{
#ifdef MAP_32BIT
    char *low = map(3 * PAGE, RW, PRIVATE | MAP_32BIT), *next = map(MB, RW, PRIVATE | MAP_32BIT);
    printf("low: %d %d\n", (uintptr_t)low < 1ul << 31, (uintptr_t)next < 1ul << 31);
    low[2 * PAGE] = 1;
    memset(next, 1, MB);
    char *shared = map(PAGE, RW, MAP_SHARED | MAP_ANONYMOUS | MAP_32BIT);
    printf("shared: %d\n", (uintptr_t)shared < 1ul << 31);
    SHOW_OK(map((size_t)1 << 31, PROT_NONE, PRIVATE | MAP_NORESERVE | MAP_32BIT));
    SHOW(munmap(low, 3 * PAGE));
    SHOW(munmap(next, MB));
    SHOW(munmap(shared, PAGE));
#else
    puts("low: 1 1\nshared: 1");
#endif
}

static void file_pages(void)
{
    int fd = memfd_create("pages", 0);
    char page[PAGE];
    for (int i = 0; i < 4; ++i) {
        memset(page, 'a' + i, PAGE);
        write(fd, page, PAGE);
    }
    char *va = mmap(NULL, 4 * PAGE, RW, MAP_SHARED, fd, 0);
    for (int i = 0; i < 4; ++i) { // the other way round
        SHOW(remap_file_pages(va + i * PAGE, PAGE, 0, (size_t)(3 - i), 0));
    }
    printf("%c%c%c%c\n", va[0], va[PAGE], va[2 * PAGE], va[3 * PAGE]);
    va[0] = 'D';
    pread(fd, page, 1, 3 * PAGE);
    printf("%c\n", page[0]);
    SHOW(remap_file_pages(va, 4 * PAGE, 0, 0, 0));
    SHOW(remap_file_pages(va + 7, 2 * PAGE + 9, 0, 1, MAP_NONBLOCK));
    printf("%c%c%c%c\n", va[0], va[PAGE], va[2 * PAGE], va[3 * PAGE]);
    SHOW(remap_file_pages(va, PAGE, PROT_READ, 0, 0));
    SHOW(remap_file_pages(va, 9, 0, 0, 0));
    SHOW(remap_file_pages(va, PAGE, 0, SIZE_MAX, 0));
    SHOW(remap_file_pages(va, 5 * PAGE, 0, 0, 0));
    SHOW(mprotect(va + 3 * PAGE, PAGE, PROT_READ));
    SHOW(remap_file_pages(va + 2 * PAGE, 2 * PAGE, 0, 0, 0));
    char *own = mmap(NULL, PAGE, RW, MAP_PRIVATE, fd, 0);
    SHOW(remap_file_pages(own, PAGE, 0, 1, 0));
    SHOW(munmap(own, PAGE));
    SHOW(remap_file_pages(own, PAGE, 0, 1, 0));
    char *memory = map(2 * PAGE, RW, MAP_SHARED | MAP_ANONYMOUS);
    strcpy(memory + PAGE, "second");
    SHOW(remap_file_pages(memory, PAGE, 0, 1, 0));
    printf("%s\n", memory);
    SHOW(munmap(memory, 2 * PAGE));
    SHOW(munmap(va, 4 * PAGE));
    SHOW(close(fd));
}

int main(void)
{
    address_space();
    threads();
    data();
    lowest();
    file_pages();
    return 0;
}
