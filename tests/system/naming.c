// SPDX-License-Identifier: BSD-3-Clause
// naming.c: names of anonymous memory: PR_SET_VMA_ANON_NAME, and what /proc/self/maps shows.
//
// A Linux without CONFIG_ANON_VMA_NAME has none of it: programs.py has what others say.
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "show.h"

enum {
    PAGE = 4096,
    PAGES = 32,
    RW = PROT_READ | PROT_WRITE,
    PRIVATE = MAP_PRIVATE | MAP_ANONYMOUS,
    SET_VMA = 0x53564d41,
    MANY = 1000
};

static char *base;

static long name_set(long page, long pages, const char *text)
{
    return prctl(SET_VMA, 0, base + page * PAGE, pages * PAGE, text);
}

static void maps_show(const char *file_name)
{
    char line[400], name[200];
    FILE *file = fopen(file_name, "r");
    while (fgets(line, sizeof line, file) != NULL) {
        unsigned long start, end;
        name[0] = 0;
        if (sscanf(line, "%lx-%lx %*s %*s %*s %*s %199[^\n]", &start, &end, name) >= 2 &&
            end > (unsigned long)base && start < (unsigned long)base + PAGES * PAGE) {
            printf("    %ld-%ld %s\n", ((long)start - (long)base) / PAGE,
                   ((long)end - (long)base) / PAGE, name);
        }
    }
    fclose(file);
}

static void wrong(void)
{
    char long_name[82];
    memset(long_name, 'n', sizeof long_name);
    long_name[80] = 0;
    SHOW(name_set(0, 1, long_name));
    long_name[79] = 0;
    SHOW(name_set(0, 1, long_name));
    SHOW(name_set(0, 1, "a[b"));
    SHOW(name_set(0, 1, "a]b"));
    SHOW(name_set(0, 1, "a$b"));
    SHOW(name_set(0, 1, "a`b"));
    SHOW(name_set(0, 1, "a\\b"));
    SHOW(name_set(0, 1, "a\nb"));
    SHOW(name_set(0, 1, "\x7f"));
    SHOW(name_set(0, 1, (const char *)8));
    SHOW(name_set(0, 0, "none"));
    SHOW(prctl(SET_VMA, 1, base, PAGE, "x"));
    SHOW(prctl(SET_VMA, 0, base + 1, PAGE, "x"));
    SHOW(prctl(SET_VMA, 0, base, SIZE_MAX, "x"));
    SHOW(prctl(SET_VMA, 0, base, 1, "part of a page"));
    maps_show("/proc/self/maps");
    SHOW(name_set(0, PAGES, NULL));
}

static void holes_and_files(void)
{
    munmap(base + 4 * PAGE, PAGE);
    SHOW(name_set(2, 6, "around a hole"));
    maps_show("/proc/self/maps");
    SHOW(name_set(4, 1, "a hole"));
    int file = memfd_create("file", 0);
    ftruncate(file, PAGE);
    mmap(base + 12 * PAGE, PAGE, RW, MAP_SHARED | MAP_FIXED, file, 0);
    SHOW(name_set(10, 5, "before a file"));
    SHOW(name_set(12, 1, NULL));
    char text[8] = "";
    pread(file, text, 1, 0);
    printf("contents: %d\n", text[0]);
    close(file);
    mmap(base, PAGES * PAGE, RW, PRIVATE | MAP_FIXED, -1, 0);
    maps_show("/proc/self/maps");
}

static void division(void)
{
    SHOW(name_set(0, 4, "one"));
    SHOW(name_set(4, 4, "one"));
    SHOW(name_set(8, 4, "two"));
    memset(base, 1, PAGES * PAGE);
    maps_show("/proc/self/maps");
    maps_show("/proc/self/smaps");
    SHOW(mprotect(base + 2 * PAGE, PAGE, PROT_READ));
    maps_show("/proc/self/maps");
    SHOW(mprotect(base + 2 * PAGE, PAGE, RW));
    maps_show("/proc/self/maps");
    SHOW(name_set(8, 4, "one"));
    SHOW(name_set(3, 1, NULL));
    maps_show("/proc/self/maps");
    SHOW(name_set(3, 1, ""));
    maps_show("/proc/self/maps");
    SHOW(name_set(20, 4, "grows"));
    SHOW(munmap(base + 24 * PAGE, 8 * PAGE));
    SHOW_OK(syscall(SYS_mremap, base + 20 * PAGE, 4 * PAGE, 6 * PAGE, 0));
    maps_show("/proc/self/maps");
    SHOW_OK(syscall(SYS_mremap, base + 20 * PAGE, 6 * PAGE, 6 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
                    base + 26 * PAGE));
    maps_show("/proc/self/maps");
    printf("contents: %d %d\n", base[26 * PAGE], base[31 * PAGE]);
    mmap(base, PAGES * PAGE, RW, PRIVATE | MAP_FIXED, -1, 0);
}

// Names that nobody has any more take no memory.
static void many(void)
{
    int failed = 0;
    for (int i = 0; i < MANY; ++i) {
        char text[32];
        snprintf(text, sizeof text, "name %d", i);
        failed += name_set(i % PAGES, 1, text) != 0;
    }
    printf("failed: %d\n", failed);
    maps_show("/proc/self/maps");
}

int main(void)
{
    base = mmap(NULL, (PAGES + 2) * PAGE, PROT_NONE, PRIVATE, -1, 0);
    base += PAGE; // with a distance to the others
    mmap(base, PAGES * PAGE, RW, PRIVATE | MAP_FIXED, -1, 0);
    if (name_set(0, 1, "first") != 0) {
        puts("no names here");
        return 0;
    }
    maps_show("/proc/self/maps");
    wrong();
    holes_and_files();
    division();
    many();
    return 0;
}
