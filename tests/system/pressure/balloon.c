// SPDX-License-Identifier: BSD-3-Clause
// balloon.c: a program from whose machine memory is taken.
//
//   balloon taken MIB    waits until so much is gone; what is left is all there is
//   balloon busy MIB     the same, while two threads take, fill and free memory
//   balloon lent MIB     the same, and takes more than is left: it comes back
//   balloon promised MIB maps so much, says so, and touches it when it is told to
//   balloon back         waits until memory has gone, says so, and until all is back
//   balloon beyond       is there
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sysinfo.h>

#include "tests/system/figures.h"

enum { PAGE = 4096, MIB = 1 << 20, PIECES = 1024 };

static long total_kib(void)
{
    return figure("/proc/meminfo", "MemTotal");
}

// What the hypervisor has, in MiB.
static long balloon_mib(void)
{
    return (figure("/proc/vmstat", "balloon_inflate") - figure("/proc/vmstat", "balloon_deflate")) /
           (MIB / PAGE);
}

static void wait_for(long mib)
{
    while (balloon_mib() < mib) {
        sched_yield();
    }
}

// How many MiB there are to be had; all are touched, and given back.
static long fill(void)
{
    static char *pieces[PIECES];
    long count = 0;
    while (count < PIECES && (pieces[count] = malloc(MIB)) != NULL) {
        memset(pieces[count], (int)count + 1, MIB);
        ++count;
    }
    for (long i = 0; i < count; ++i) {
        if (pieces[i][0] != (char)(i + 1) || pieces[i][MIB - 1] != (char)(i + 1)) {
            count = -1;
            break;
        }
        free(pieces[i]);
    }
    return count;
}

static void taken(long mib)
{
    wait_for(mib);
    struct sysinfo info;
    const long total = total_kib();
    sysinfo(&info);
    promise("it is gone from MemTotal", total > 0 && total <= (96 - mib) * 1024);
    promise("and for sysinfo", (long)(info.totalram / 1024) == total);
    const long free_mib = figure("/proc/meminfo", "MemFree") / 1024, filled = fill();
    promise("what is free can be had", filled > free_mib / 2 && filled <= free_mib);
    promise("again", fill() >= filled - 2);
    promise("and the hypervisor keeps what it has", balloon_mib() == mib);
}

static atomic_int is_over, wrong;

static void *churn(void *seed)
{
    unsigned state = (unsigned)(size_t)seed;
    while (!is_over) {
        state = state * 1103515245 + 12345;
        const size_t size = 1 + (state >> 8) % (3 * MIB);
        unsigned char *block = malloc(size);
        if (block == NULL) {
            continue; // there may be no room for it
        }
        memset(block, (int)(state >> 16), size);
        sched_yield();
        for (size_t at = 0; at < size; at += PAGE) {
            wrong += block[at] != (unsigned char)(state >> 16);
        }
        free(block);
    }
    return NULL;
}

static void busy(long mib)
{
    pthread_t threads[2];
    for (size_t i = 0; i < 2; ++i) {
        if (pthread_create(&threads[i], NULL, churn, (void *)(i + 1)) != 0) {
            exit(3);
        }
    }
    wait_for(mib);
    is_over = 1;
    for (size_t i = 0; i < 2; ++i) {
        pthread_join(threads[i], NULL);
    }
    promise("memory is taken while the program uses it", balloon_mib() == mib);
    promise("none of what it uses", wrong == 0);
}

static void lent(long mib)
{
    wait_for(mib);
    promise("MemTotal is as it was", total_kib() > (96 - 24) * 1024);
    const size_t size = (size_t)mib * MIB;
    char *block = malloc(size);
    promise("memory comes back instead of ENOMEM", block != NULL);
    if (block == NULL) {
        exit(3);
    }
    memset(block, 1, size);
    __asm__ volatile("" : : "r"(block) : "memory"); // else clang does without all of it
    promise("as it was counted",
            balloon_mib() < mib && figure("/proc/vmstat", "balloon_deflate") > 0);
    const long stolen = figure("/proc/vmstat", "pgsteal_direct");
    promise("by who could not wait",
            stolen > 0 && figure("/proc/vmstat", "pgscan_direct") >= stolen);
    free(block);
}

static void promised(long mib)
{
    char line[16];
    const size_t size = (size_t)mib * MIB;
    char *map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    promise("mapped", map != MAP_FAILED);
    if (fgets(line, sizeof line, stdin) == NULL) {
        exit(3);
    }
    memset(map, 1, size);
    promise("touched", map[size - 1] == 1);
}

static void back(void)
{
    const long total = total_kib();
    promise("ready", 1);
    while (total_kib() == total) {
        sched_yield();
    }
    promise("less", 1);
    while (total_kib() != total) {
        sched_yield();
    }
    promise("all", balloon_mib() == 0);
}

int main(int argc, char **argv)
{
    const char *mode = argc > 1 ? argv[1] : "";
    const long mib = argc > 2 ? strtol(argv[2], NULL, 10) : 0;
    if (strcmp(mode, "taken") == 0) {
        taken(mib);
    } else if (strcmp(mode, "busy") == 0) {
        busy(mib);
    } else if (strcmp(mode, "lent") == 0) {
        lent(mib);
    } else if (strcmp(mode, "promised") == 0) {
        promised(mib);
    } else if (strcmp(mode, "back") == 0) {
        back();
    } else if (strcmp(mode, "beyond") == 0) {
        while (balloon_mib() < mib) {
            sched_yield();
        }
        promise("the program goes on", 1);
    } else {
        return 2;
    }
    return 0;
}
