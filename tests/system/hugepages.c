// SPDX-License-Identifier: BSD-3-Clause
// hugepages.c: MAP_HUGETLB, MFD_HUGETLB and SHM_HUGETLB. With a pool, which who runs it on Linux
// needs to be root for, and with none.
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/system/figures.h"

#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif

#define POOL "/proc/sys/vm/nr_hugepages"
#define SURPLUS "/proc/sys/vm/nr_overcommit_hugepages"
#define FOLDER "/sys/kernel/mm/hugepages/hugepages-2048kB/"
#define HUGE (MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB)
#define HUGE_ALL (MAP_SHARED | MAP_ANONYMOUS | MAP_HUGETLB)
#define NOWHERE ((char *)0x10000)

enum { PAGE = 4096, LARGE = 2 << 20, READ_WRITE = PROT_READ | PROT_WRITE, POOL_PAGES = 6 };

static int put(const char *path, const char *value)
{
    int fd = open(path, O_WRONLY);
    int error = fd < 0 || write(fd, value, strlen(value)) < 0 ? errno : 0;
    close(fd);
    return error;
}

static void show(const char *what, long result)
{
    if (result == -1) {
        printf("%s: %s\n", what, strerror(errno));
    } else {
        printf("%s: %ld\n", what, result);
    }
    fflush(stdout);
}

static void pool(const char *when)
{
    const char *all = text_of("/proc/meminfo");
    printf("%s: total %ld, free %ld, reserved %ld, surplus %ld, %ld kB\n", when,
           number_behind(all, "HugePages_Total:"), number_behind(all, "HugePages_Free:"),
           number_behind(all, "HugePages_Rsvd:"), number_behind(all, "HugePages_Surp:"),
           number_behind(all, "Hugetlb:"));
    fflush(stdout);
}

static sigjmp_buf back;

static volatile sig_atomic_t is_expected;

static void faulted(int number)
{
    if (!is_expected) {
        _exit(2);
    }
    siglongjmp(back, number);
}

// The signal that a touch ends in, or 0.
static int touch(volatile char *va, int is_write)
{
    int number = sigsetjmp(back, 1);
    is_expected = number == 0;
    if (number == 0) {
        if (is_write) {
            *va = 1;
        } else {
            (void)*va;
        }
    }
    is_expected = 0;
    return number;
}

static const char *map_answer(void *va)
{
    return va == MAP_FAILED ? strerror(errno) : "mapped";
}

static void none(void)
{
    pool("none");
    printf("mmap: %s\n", map_answer(mmap(NULL, LARGE, READ_WRITE, HUGE, -1, 0)));
    printf("mmap of all: %s\n", map_answer(mmap(NULL, LARGE, READ_WRITE, HUGE_ALL, -1, 0)));
    char *va = mmap(NULL, LARGE, READ_WRITE, HUGE | MAP_NORESERVE, -1, 0);
    printf("unreserved: %s\n", map_answer(va));
    printf("touched: %d %d\n", touch(va, 0), touch(va + PAGE, 1));
    show("unmapped", munmap(va, LARGE));
    show("shmget", shmget(IPC_PRIVATE, LARGE, SHM_HUGETLB | 0600));
    int fd = memfd_create("none", MFD_HUGETLB);
    show("ftruncate", ftruncate(fd, LARGE));
    printf("mmap of it: %s\n", map_answer(mmap(NULL, LARGE, READ_WRITE, MAP_SHARED, fd, 0)));
    close(fd);
}

static void wrong(void)
{
    printf("no size: %s\n", map_answer(mmap(NULL, 0, READ_WRITE, HUGE, -1, 0)));
    printf("size of pages: %s\n",
           map_answer(mmap(NULL, LARGE, READ_WRITE, HUGE | 13 << 26, -1, 0)));
    printf("misplaced: %s\n",
           map_answer(mmap(NOWHERE, LARGE, READ_WRITE, HUGE | MAP_FIXED, -1, 0)));
    int fd = memfd_create("small", 0);
    printf("small file: %s\n",
           map_answer(mmap(NULL, LARGE, READ_WRITE, MAP_SHARED | MAP_HUGETLB, fd, 0)));
    close(fd);
    show("memfd of other pages", memfd_create("other", MFD_HUGETLB | 13 << 26));
    show("size without", memfd_create("other", 21u << 26));
}

// The fields of the mapping that begins at va.
static void smaps(const char *va)
{
    char start[32];
    snprintf(start, sizeof start, "%lx-", (unsigned long)va);
    const char *area = strstr(text_of("/proc/self/smaps"), start);
    if (area == NULL) {
        printf("no mapping\n");
        return;
    }
    const char *rights = strchr(area, ' ') + 1, *name = strchr(area, '/');
    const char *end = strchr(area, '\n');
    printf("smaps: %.4s %.*s, size %ld, pages %ld %ld, resident %ld, private %ld, shared %ld\n",
           rights, name != NULL && name < end ? (int)(end - name) : 0, name,
           number_behind(area, "Size:"), number_behind(area, "KernelPageSize:"),
           number_behind(area, "MMUPageSize:"), number_behind(area, "Rss:"),
           number_behind(area, "Private_Hugetlb:"), number_behind(area, "Shared_Hugetlb:"));
    const char *flags = strstr(area, "VmFlags:");
    end = strchr(flags, '\n');
    const char *huge = strstr(flags, " ht ");
    printf("flag: %d\n", huge != NULL && huge < end);
}

static void private(void)
{
    char *va = mmap(NULL, 3 * LARGE - PAGE, READ_WRITE, HUGE, -1, 0);
    printf("private: %s, aligned %d\n", map_answer(va), (uintptr_t)va % LARGE == 0);
    pool("mapped");
    printf("zeros: %d %d\n", touch(va + PAGE, 0), va[LARGE - 1]);
    va[2 * LARGE] = 'x';
    pool("touched");
    smaps(va);
    printf("HugetlbPages: %ld\n", number_behind(text_of("/proc/self/status"), "HugetlbPages:"));
    show("unmap a page", munmap(va, PAGE));
    show("unmap behind a page", munmap(va + PAGE, 3 * LARGE - PAGE));
    show("protect a page", mprotect(va + LARGE, PAGE, PROT_READ));
    show("protect behind a page", mprotect(va + PAGE, LARGE - PAGE, PROT_READ));
    show("protect", mprotect(va + LARGE, LARGE, PROT_READ));
    printf("write: %d, read: %d\n", touch(va + LARGE, 1), touch(va + LARGE, 0));
    show("protect again", mprotect(va + LARGE, LARGE, READ_WRITE));
    printf("write: %d\n", touch(va + LARGE + 5, 1));
    pool("all touched");
    show("one too many", mmap(NULL, 4 * LARGE, READ_WRITE, HUGE, -1, 0) == MAP_FAILED ? -1 : 0);
    show("unmap the middle", munmap(va + LARGE, LARGE));
    pool("unmapped");
    printf("gone: %d, there: %d %c\n", touch(va + LARGE, 0), touch(va, 0), va[2 * LARGE]);
    char *small = mmap(va, LARGE, READ_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    printf("small in its place: %d %d\n", small == va, small[0]);
    pool("replaced");
    show("unmap all", munmap(va, 3 * LARGE));
    pool("at the end");
}

static void advised(void)
{
    static const int advices[] = {
        MADV_NORMAL,   MADV_RANDOM, MADV_WILLNEED, MADV_FREE,    MADV_REMOVE, MADV_DONTFORK,
        MADV_DONTDUMP, MADV_DODUMP, MADV_COLD,     MADV_PAGEOUT, 25 /* collapse */};
    char *va = mmap(NULL, 2 * LARGE, READ_WRITE, HUGE, -1, 0);
    va[0] = va[LARGE] = 'a';
    for (size_t i = 0; i < sizeof advices / sizeof advices[0]; ++i) {
        printf("advice %d: ", advices[i]);
        show("whole", madvise(va, LARGE, advices[i]));
    }
    show("discard a page", madvise(va, PAGE, MADV_DONTNEED));
    printf("left: %c\n", va[0]);
    show("discard behind a page", madvise(va + PAGE, LARGE, MADV_DONTNEED));
    show("discard", madvise(va, LARGE + PAGE, MADV_DONTNEED));
    pool("discarded");
    printf("zero: %d, left: %c\n", va[0], va[LARGE]);
    pool("touched again");
    unsigned char there[2 * LARGE / PAGE];
    madvise(va + LARGE, LARGE, MADV_DONTNEED);
    show("mincore", mincore(va, 2 * LARGE, there));
    printf("there: %d %d %d\n", there[0], there[511], there[512]);
    show("lock", mlock(va + PAGE, PAGE));
    show("unlock", munlock(va + PAGE, PAGE));
    show("sync", msync(va, LARGE, MS_SYNC));
    show("populate", madvise(va, 2 * LARGE, 23));
    pool("populated");
    munmap(va, 2 * LARGE);
}

// All of it is there: Linux loses count of what was reserved where a part is moved.
static void moved(void)
{
    char *va = mmap(NULL, 4 * LARGE, READ_WRITE, HUGE | MAP_POPULATE, -1, 0);
    pool("populated");
    va[0] = 'm';
    show("longer", mremap(va, LARGE, 2 * LARGE, MREMAP_MAYMOVE) == MAP_FAILED ? -1 : 0);
    show("from a page on", mremap(va + PAGE, LARGE, PAGE, 0) == MAP_FAILED ? -1 : 0);
    void *kept = mremap(va, LARGE, LARGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP);
    show("kept", kept == MAP_FAILED ? -1 : 0);
    show("the same", mremap(va, 4 * LARGE, 4 * LARGE, 0) == va);
    show("shorter", mremap(va, 4 * LARGE, 3 * LARGE - PAGE, 0) == va);
    show("shorter still", mremap(va, 3 * LARGE, LARGE, 0) == va);
    pool("shorter");
    char *place = mmap(NULL, 4 * LARGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char *target = (char *)(((uintptr_t)place + LARGE) & ~(uintptr_t)(LARGE - 1));
    const int how = MREMAP_MAYMOVE | MREMAP_FIXED;
    show("to a wrong place", mremap(va, LARGE, LARGE, how, target + PAGE) == MAP_FAILED ? -1 : 0);
    show("to a place", mremap(va, LARGE, LARGE, how, target) == target);
    printf("moved: %c, left: %d\n", target[0], touch(va, 0));
    pool("moved");
    munmap(place, 4 * LARGE);
    pool("at the end");
}

static void files(void)
{
    struct stat status;
    int fd = memfd_create("large", MFD_HUGETLB | MFD_ALLOW_SEALING);
    show("write", write(fd, "x", 1));
    show("a page", ftruncate(fd, PAGE));
    show("2 MiB", ftruncate(fd, 2 * LARGE));
    pool("with a file");
    fstat(fd, &status);
    printf("size %ld, blocks of %ld, %ld\n", (long)status.st_size, (long)status.st_blksize,
           (long)status.st_blocks);
    char *va = mmap(NULL, 2 * LARGE, READ_WRITE, MAP_SHARED, fd, 0);
    pool("shared");
    strcpy(va + LARGE, "shared");
    pool("written");
    char *again = mmap(NULL, LARGE, READ_WRITE, MAP_SHARED, fd, LARGE);
    printf("seen: %s\n", again);
    pool("mapped twice");
    char *copy = mmap(NULL, LARGE, READ_WRITE, MAP_PRIVATE, fd, LARGE);
    pool("with a private one");
    printf("copied: %s\n", copy);
    strcpy(copy, "private");
    printf("both: %s %s\n", again, copy);
    pool("copied");
    munmap(copy, LARGE);
    pool("without it");
    char bytes[8] = "";
    show("read", pread(fd, bytes, sizeof bytes, LARGE));
    printf("bytes: %s\n", bytes);
    show("read a hole", pread(fd, bytes, sizeof bytes, 10));
    printf("offset: %s\n", map_answer(mmap(NULL, LARGE, READ_WRITE, MAP_SHARED, fd, PAGE)));
    show("punch", fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, LARGE, LARGE));
    pool("punched");
    printf("zero: %d\n", again[0]);
    show("room", fallocate(fd, 0, 0, LARGE));
    pool("with room");
    show("shorter", ftruncate(fd, LARGE));
    pool("cut");
    printf("beyond: %d\n", touch(again, 0));
    munmap(va, 2 * LARGE);
    munmap(again, LARGE);
    pool("unmapped");
    close(fd);
    pool("closed");
    fd = memfd_create("grows", MFD_HUGETLB);
    va = mmap(NULL, LARGE, READ_WRITE, MAP_SHARED, fd, 0);
    fstat(fd, &status);
    printf("it is as long as what is mapped: %ld\n", (long)status.st_size);
    munmap(va, LARGE);
    close(fd);
    pool("at the end");
}

static void segments(void)
{
    int id = shmget(IPC_PRIVATE, LARGE + PAGE, SHM_HUGETLB | 0600);
    show("segment", id < 0 ? -1 : 0);
    pool("made");
    char *va = shmat(id, NULL, 0);
    printf("aligned: %d\n", (uintptr_t)va % LARGE == 0);
    printf("touched: %d %d\n", touch(va, 1), touch(va + 2 * LARGE - 1, 1));
    pool("touched");
    struct shmid_ds status;
    shmctl(id, IPC_STAT, &status);
    printf("size %ld, attached %ld\n", (long)status.shm_segsz, (long)status.shm_nattch);
    show("misplaced", (long)shmat(id, va + 3 * LARGE + PAGE, 0));
    show("detach", shmdt(va));
    show("remove", shmctl(id, IPC_RMID, NULL));
    pool("at the end");
}

static void surplus(void)
{
    show("smaller", put(POOL, "1"));
    char *va = mmap(NULL, LARGE, READ_WRITE, HUGE, -1, 0);
    printf("used: %d\n", va == MAP_FAILED ? -1 : touch(va, 1));
    show("none", put(POOL, "0"));
    pool("in use still");
    munmap(va, LARGE);
    pool("not any more");
    show("none are spare", mmap(NULL, LARGE, READ_WRITE, HUGE, -1, 0) == MAP_FAILED ? -1 : 0);
    show("but some may come", put(SURPLUS, "2"));
    show("too many", mmap(NULL, 3 * LARGE, READ_WRITE, HUGE, -1, 0) == MAP_FAILED ? -1 : 0);
    pool("none came");
    va = mmap(NULL, 2 * LARGE, READ_WRITE, HUGE, -1, 0);
    printf("mapped: %s\n", map_answer(va));
    pool("they came");
    printf("touched: %d\n", touch(va, 1));
    munmap(va, 2 * LARGE);
    pool("they went");
    show("as before", put(SURPLUS, "0"));
}

int main(void)
{
    signal(SIGSEGV, faulted);
    signal(SIGBUS, faulted);
    wrong();
    none();
    show("set aside", put(POOL, "6\n"));
    if (number_behind(text_of(POOL), "") != POOL_PAGES) {
        printf("no pool\n");
        return 1;
    }
    printf("in /sys: %ld", number_behind(text_of(FOLDER "nr_hugepages"), ""));
    printf(" %ld", number_behind(text_of(FOLDER "free_hugepages"), ""));
    printf(" %ld\n", number_behind(text_of(FOLDER "resv_hugepages"), ""));
    private();
    advised();
    moved();
    files();
    segments();
    surplus();
    pool("last");
    return 0;
}
