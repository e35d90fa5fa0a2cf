// SPDX-License-Identifier: BSD-3-Clause
// usage.c: what /proc says of memory, read as free, top, ps, jemalloc and Go read it.
//
//   usage formats    names, their order, columns and units; on Linux, too
//   usage values     that figures mean what they say
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/system/figures.h"

enum { KIB = 1024, MIB = 1 << 20, PAGE_KIB = 4 };

static long sum(const char *path, const char *name)
{
    char line[1024];
    long all = 0, one;
    char pattern[64];
    snprintf(pattern, sizeof pattern, "%s: %%ld kB", name);
    FILE *file = fopen(path, "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        all += sscanf(line, pattern, &one) == 1 ? one : 0;
    }
    fclose(file);
    return all;
}

// ---- Formats ----

static int place_in(const char *const *names, const char *name)
{
    for (int i = 0; names[i] != NULL; ++i) {
        if (strcmp(names[i], name) == 0) {
            return i;
        }
    }
    return -1;
}

// Names that are known come in this order, each number ends in column 24, and "kB" follows.
static int is_table(const char *path, const char *const *names, const char *const *unitless)
{
    int place = -1, count = 0, ok = 1;
    char *rest = text_of(path);
    for (char *line = strsep(&rest, "\n"); line != NULL; line = strsep(&rest, "\n")) {
        char name[64];
        int end = 0;
        unsigned long number;
        if (sscanf(line, "%63[^: ]: %lu%n", name, &number, &end) != 2) {
            continue;
        }
        int is_plain = place_in(unitless, name) >= 0;
        int next = place_in(names, name);
        ok &= number > 99999999 || (end == 24 && strcmp(line + end, is_plain ? "" : " kB") == 0);
        if (next >= 0) {
            ok &= next > place || next == 0;
            place = next;
            ++count;
        }
    }
    return ok && count > 5;
}

static const char *const meminfo_names[] = {
    "MemTotal",       "MemFree",        "MemAvailable",  "Buffers",         "Cached",
    "SwapCached",     "Active",         "Inactive",      "Active(anon)",    "Inactive(anon)",
    "Active(file)",   "Inactive(file)", "Unevictable",   "Mlocked",         "SwapTotal",
    "SwapFree",       "Dirty",          "Writeback",     "AnonPages",       "Mapped",
    "Shmem",          "KReclaimable",   "Slab",          "SReclaimable",    "SUnreclaim",
    "KernelStack",    "PageTables",     "AnonHugePages", "HugePages_Total", "HugePages_Free",
    "HugePages_Rsvd", "HugePages_Surp", "Hugepagesize",  "Hugetlb",         NULL};
static const char *const smaps_names[] = {"Size",
                                          "KernelPageSize",
                                          "MMUPageSize",
                                          "Rss",
                                          "Pss",
                                          "Pss_Dirty",
                                          "Shared_Clean",
                                          "Shared_Dirty",
                                          "Private_Clean",
                                          "Private_Dirty",
                                          "Referenced",
                                          "Anonymous",
                                          "LazyFree",
                                          "AnonHugePages",
                                          "ShmemPmdMapped",
                                          "FilePmdMapped",
                                          "Shared_Hugetlb",
                                          "Private_Hugetlb",
                                          "Swap",
                                          "SwapPss",
                                          "Locked",
                                          "THPeligible",
                                          NULL};
static const char *const unitless[] = {"HugePages_Total", "HugePages_Free", "HugePages_Rsvd",
                                       "HugePages_Surp",  "THPeligible",    NULL};
static const char *const status_names[] = {
    "Name",  "Umask", "State",   "Tgid",         "Ngid",        "Pid",     "PPid",  "TracerPid",
    "Uid",   "Gid",   "FDSize",  "Groups",       "VmPeak",      "VmSize",  "VmLck", "VmPin",
    "VmHWM", "VmRSS", "RssAnon", "RssFile",      "RssShmem",    "VmData",  "VmStk", "VmExe",
    "VmLib", "VmPTE", "VmSwap",  "HugetlbPages", "CoreDumping", "Threads", NULL};

static int is_status(void)
{
    int place = 0, ok = 1, count = 0;
    char *rest = text_of("/proc/self/status");
    for (char *line = strsep(&rest, "\n"); line != NULL; line = strsep(&rest, "\n")) {
        char name[64];
        if (sscanf(line, "%63[^:]:", name) != 1 || place_in(status_names, name) < 0) {
            continue;
        }
        ok &= place_in(status_names, name) == place++;
        unsigned long kib;
        char unit[3];
        if (name[0] == 'V' || name[0] == 'R') {
            ok &= sscanf(line + strlen(name), ":\t%8lu %2s", &kib, unit) == 2 &&
                  strcmp(unit, "kB") == 0 && strlen(line) == strlen(name) + 13;
            ++count;
        }
    }
    return ok && count == 15 && status_names[place] == NULL;
}

static void formats(void)
{
    unsigned long number[11];
    char zone[16];
    promise("meminfo", is_table("/proc/meminfo", meminfo_names, unitless));
    promise("smaps", is_table("/proc/self/smaps", smaps_names, unitless));
    promise("smaps_rollup", is_table("/proc/self/smaps_rollup", smaps_names + 3, unitless));
    promise("rollup's name", strstr(text_of("/proc/self/smaps_rollup"), "[rollup]\n") != NULL);
    promise("status", is_status());
    promise("statm has seven",
            sscanf(text_of("/proc/self/statm"), "%lu %lu %lu %lu %lu %lu %lu\n", &number[0],
                   &number[1], &number[2], &number[3], &number[4], &number[5], &number[6]) == 7);
    promise("vmstat", figure("/proc/vmstat", "nr_free_pages") > 0 &&
                          figure("/proc/vmstat", "pgfault") > 0 &&
                          figure("/proc/vmstat", "pgmajfault") >= 0);
    char *buddies = strstr(text_of("/proc/buddyinfo"), "zone   Normal");
    promise("buddyinfo has eleven orders",
            buddies != NULL &&
                sscanf(buddies, "zone %15s %lu %lu %lu %lu %lu %lu %lu %lu %lu %lu %lu", zone,
                       &number[0], &number[1], &number[2], &number[3], &number[4], &number[5],
                       &number[6], &number[7], &number[8], &number[9], &number[10]) == 12);
}

// ---- Values ----

static int is_near(long have, long want, long slack)
{
    int ok = have >= want - slack && have <= want + slack;
    if (!ok) {
        printf("%ld instead of %ld ", have, want);
    }
    return ok;
}

static long resident_kib(void)
{
    long size, resident;
    return sscanf(text_of("/proc/self/statm"), "%ld %ld", &size, &resident) == 2
               ? resident * PAGE_KIB
               : -1;
}

static void meminfo_adds_up(void)
{
    static const char *const parts[] = {"MemFree", "AnonPages",  "Buffers",    "Cached",
                                        "Slab",    "PageTables", "KernelStack"};
    char *copy = strdup(text_of("/proc/meminfo"));
    long total = 0, all = 0;
    char *rest = copy;
    for (char *line = strsep(&rest, "\n"); line != NULL; line = strsep(&rest, "\n")) {
        char name[64];
        long kib;
        if (sscanf(line, "%63[^:]: %ld kB", name, &kib) == 2) {
            total = strcmp(name, "MemTotal") == 0 ? kib : total;
            for (size_t i = 0; i < sizeof parts / sizeof parts[0]; ++i) {
                all += strcmp(name, parts[i]) == 0 ? kib : 0;
            }
        }
    }
    free(copy);
    promise("meminfo adds up to MemTotal", is_near(all, total, 0));
    promise("available is free but for the reserve",
            figure("/proc/meminfo", "MemAvailable") >= figure("/proc/meminfo", "MemFree") * 9 / 10);
}

static void growth(void)
{
    enum { SIZE = 16 };
    long anonymous = figure("/proc/meminfo", "AnonPages");
    long resident = figure("/proc/self/status", "VmRSS"), statm = resident_kib();
    long rss_anon = figure("/proc/self/status", "RssAnon");
    char *block = malloc(SIZE * MIB);
    memset(block, 1, SIZE * MIB);
    __asm__ volatile("" : : "r"(block) : "memory");
    promise("AnonPages grows",
            is_near(figure("/proc/meminfo", "AnonPages") - anonymous, SIZE * KIB, 3 * KIB));
    promise("VmRSS grows",
            is_near(figure("/proc/self/status", "VmRSS") - resident, SIZE * KIB, 3 * KIB));
    promise("RssAnon grows",
            is_near(figure("/proc/self/status", "RssAnon") - rss_anon, SIZE * KIB, 3 * KIB));
    promise("statm grows", is_near(resident_kib() - statm, SIZE * KIB, 3 * KIB));
    promise("VmHWM is not less than VmRSS",
            figure("/proc/self/status", "VmHWM") >= figure("/proc/self/status", "VmRSS"));
    free(block);
}

static void files(void)
{
    long shmem = figure("/proc/meminfo", "Shmem"), rss = figure("/proc/self/status", "RssShmem");
    int fd = (int)syscall(SYS_memfd_create, "file", 0);
    static char page[4 * KIB];
    for (int i = 0; i < 4 * KIB / PAGE_KIB; ++i) {
        if (write(fd, page, sizeof page) != sizeof page) {
            break;
        }
    }
    promise("Shmem grows", is_near(figure("/proc/meminfo", "Shmem") - shmem, 4 * KIB, 64));
    char *map = mmap(NULL, 4 * MIB, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
    promise("RssShmem grows", is_near(figure("/proc/self/status", "RssShmem") - rss, 4 * KIB, 64));
    munmap(map, 4 * MIB);
    close(fd);
    promise("and shrinks", is_near(figure("/proc/meminfo", "Shmem"), shmem, 64) &&
                               is_near(figure("/proc/self/status", "RssShmem"), rss, 64));
}

static void areas(void)
{
    char *map = mmap(NULL, 4 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    mprotect(map + 3 * MIB, MIB, PROT_NONE);
    memset(map, 1, MIB);
    char range[64];
    snprintf(range, sizeof range, "%08lx-%08lx rw-p", (long)map, (long)map + 3 * MIB);
    promise("the area is in maps", strstr(text_of("/proc/self/maps"), range) != NULL);
    char *found = strstr(text_of("/proc/self/smaps"), range);
    long size = 0, rss = 0;
    char *line = found == NULL ? NULL : strstr(found, "Size:");
    int is_size = line != NULL && sscanf(line, "Size: %ld kB", &size) == 1;
    line = found == NULL ? NULL : strstr(found, "Rss:");
    int is_rss = line != NULL && sscanf(line, "Rss: %ld kB", &rss) == 1;
    promise("smaps has its size and what is there",
            is_size && is_rss && size == 3 * KIB && rss >= KIB && rss <= size);
    long rollup = sum("/proc/self/smaps_rollup", "Rss"), all = sum("/proc/self/smaps", "Rss");
    promise("smaps_rollup is the sum of smaps", is_near(rollup, all, 256));
    promise("and less than VmRSS", rollup <= figure("/proc/self/status", "VmRSS"));
    char here;
    unsigned long start = 0, end = 0;
    const char *maps = text_of("/proc/self/maps"), *stack = strstr(maps, "[stack]");
    while (stack != NULL && stack > maps && stack[-1] != '\n') {
        --stack;
    }
    promise("the stack is named", stack != NULL && sscanf(stack, "%lx-%lx", &start, &end) == 2 &&
                                      (unsigned long)&here >= start && (unsigned long)&here < end);
    munmap(map, 4 * MIB);
}

static void free_pieces(void)
{
    long pages = 0, free_kib = figure("/proc/meminfo", "MemFree");
    char *rest = strstr(text_of("/proc/buddyinfo"), "Normal") + strlen("Normal");
    for (int order = 0; order < 11; ++order) {
        pages += strtol(rest, &rest, 10) << order;
    }
    promise("buddyinfo's pieces are MemFree", is_near(pages * PAGE_KIB, free_kib, 512));
    promise("and vmstat's",
            is_near(figure("/proc/vmstat", "nr_free_pages") * PAGE_KIB, free_kib, 512));
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "formats") == 0) {
        formats();
        return 0;
    }
    meminfo_adds_up();
    growth();
    files();
    areas();
    free_pieces();
    return 0;
}
