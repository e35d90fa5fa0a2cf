// SPDX-License-Identifier: BSD-3-Clause
// allowed.c: what the process is told of its limits: getrlimit, setrlimit, prlimit,
// /proc/self/limits; and how much memory is locked,
// and what that copies.
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "show.h"

enum { PAGE = 4096, RW = PROT_READ | PROT_WRITE, PRIVATE = MAP_PRIVATE | MAP_ANONYMOUS };

static void file_show(const char *name, const char *start)
{
    char line[400];
    FILE *file = fopen(name, "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, start, strlen(start)) == 0) {
            fputs(line, stdout);
        }
    }
    if (file != NULL) {
        fclose(file);
    }
}

static long set(int resource, rlim_t now, rlim_t most)
{
    return setrlimit(resource, &(struct rlimit){now, most});
}

static void answers(void)
{
    struct rlimit limit, old;
    SHOW(set(RLIMIT_STACK, 5 << 20, 60 << 20));
    SHOW(set(RLIMIT_DATA, RLIM_INFINITY, RLIM_INFINITY));
    SHOW(set(RLIMIT_FSIZE, 1 << 30, RLIM_INFINITY));
    SHOW(set(RLIMIT_CORE, 0, 0));
    SHOW(set(RLIMIT_NOFILE, 100, 200));
    SHOW(set(RLIMIT_MEMLOCK, 65536, 65536));
    SHOW(set(RLIMIT_NICE, 0, 0));
    SHOW(set(RLIMIT_CPU, 1000, 2000));
    SHOW(set(RLIMIT_RTTIME, 1000, RLIM_INFINITY));
    SHOW(getrlimit(RLIMIT_STACK, &limit));
    printf("%lu %lu\n", (unsigned long)limit.rlim_cur, (unsigned long)limit.rlim_max);
    SHOW(syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, &(struct rlimit){50, 150}, &old));
    printf("%lu %lu\n", (unsigned long)old.rlim_cur, (unsigned long)old.rlim_max);
    SHOW(set(RLIMIT_NOFILE, 51, 50));
    SHOW(set(16, 0, 0));
    SHOW(set(-1, 0, 0));
    SHOW(getrlimit(16, &limit));
    SHOW(syscall(SYS_getrlimit, RLIMIT_STACK, (void *)8));
    SHOW(syscall(SYS_setrlimit, RLIMIT_STACK, (void *)8));
    SHOW(syscall(SYS_prlimit64, -7, RLIMIT_STACK, NULL, &old));
    SHOW(syscall(SYS_prlimit64, getpid(), RLIMIT_STACK, NULL, &old));
    SHOW(syscall(SYS_prlimit64, 0, RLIMIT_STACK, NULL, NULL));
    static const char *const lines[] = {"Limit",           "Max cpu",    "Max file size",
                                        "Max data",        "Max stack",  "Max core",
                                        "Max open files",  "Max locked", "Max address",
                                        "Max file locks",  "Max nice",   "Max realtime timeout",
                                        "Max resident set"};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; ++i) {
        file_show("/proc/self/limits", lines[i]);
    }
}

// Within the limit, which is not asked of an administrator.
static void locked(void)
{
    char *va = mmap(NULL, 8 * PAGE, RW, PRIVATE, -1, 0);
    file_show("/proc/self/status", "VmLck");
    SHOW(mlock(va + PAGE, 3 * PAGE));
    file_show("/proc/self/status", "VmLck");
    file_show("/proc/self/smaps_rollup", "Locked");
    SHOW(mlock(va, 8 * PAGE));
    file_show("/proc/self/status", "VmLck");
    SHOW(munlock(va + 2 * PAGE, PAGE));
    file_show("/proc/self/status", "VmLck");
    SHOW(munmap(va, 8 * PAGE));
    file_show("/proc/self/status", "VmLck");
}

// What is locked, private, and may be written from now on is copied at once, up to a hole, too.
static void copied(void)
{
    const int fd = memfd_create("copied", 0);
    SHOW(ftruncate(fd, 2 * PAGE));
    char *va = mmap(NULL, 3 * PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
    SHOW(munmap(va + 2 * PAGE, PAGE));
    SHOW(mlock(va, 2 * PAGE));
    SHOW(pwrite(fd, "a", 1, 0));
    SHOW(va[0] == 'a');
    SHOW(mprotect(va, 3 * PAGE, RW));
    SHOW(pwrite(fd, "b", 1, 0));
    SHOW(va[0] == 'a');
    SHOW(munmap(va, 2 * PAGE));
    close(fd);
}

int main(void)
{
    answers();
    locked();
    copied();
    return 0;
}
