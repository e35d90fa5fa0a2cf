// SPDX-License-Identifier: BSD-3-Clause
// policies.c: when large pages come: what /sys/kernel/mm/transparent_hugepage says is what happens,
// and so is what prctl says; and what is counted of it.
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "tests/system/figures.h"

#define FOLDER "/sys/kernel/mm/transparent_hugepage/"

enum { PAGE = 4096, LARGE = 2 << 20, SIZE = 4 * LARGE, COLLAPSE = 25 };

static int is_text(const char *path, const char *wanted)
{
    return strcmp(text_of(path), wanted) == 0;
}

// errno, or 0.
static int put(const char *path, const char *value)
{
    int fd = open(path, O_WRONLY | O_TRUNC);
    int error = fd < 0 || write(fd, value, strlen(value)) != (ssize_t)strlen(value) ? errno : 0;
    close(fd);
    return error;
}

static long count(const char *name)
{
    return number_behind(text_of("/proc/vmstat"), name);
}

// Of memory that comes by faults, aligned: how many large pages came as it was touched.
static long touched_later(int prot, int flags, int advice)
{
    char *va = mmap(NULL, SIZE + LARGE, prot, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
    if (va == MAP_FAILED) {
        exit(3);
    }
    char *base = va + (-(uintptr_t)va & (LARGE - 1));
    if (advice >= 0) {
        madvise(base, SIZE, advice);
    }
    mprotect(base, SIZE, PROT_READ | PROT_WRITE);
    long before = count("thp_fault_alloc ");
    for (size_t i = 0; i < SIZE; i += PAGE) {
        base[i] = 1;
    }
    long came = count("thp_fault_alloc ") - before;
    munmap(va, SIZE + LARGE);
    return came;
}

static long touched(int flags, int advice)
{
    return touched_later(PROT_READ | PROT_WRITE, flags, advice);
}

static long advised(void)
{
    return touched(MAP_NORESERVE, MADV_HUGEPAGE);
}

static void words(void)
{
    promise("enabled", is_text(FOLDER "enabled", "[always] madvise never\n"));
    promise("large as advised", advised() == SIZE / LARGE);
    promise("and not where advised against", touched(0, MADV_NOHUGEPAGE) == 0);
    promise("nor where that was before it could be touched",
            touched_later(PROT_NONE, 0, MADV_NOHUGEPAGE) == 0);
    promise("never", put(FOLDER "enabled", "never\n") == 0 &&
                         is_text(FOLDER "enabled", "always madvise [never]\n"));
    promise("none comes", advised() == 0 && touched(0, -1) == 0);
    promise("madvise", put(FOLDER "enabled", "madvise") == 0 &&
                           is_text(FOLDER "enabled", "always [madvise] never\n"));
    promise("where it was asked for", advised() == SIZE / LARGE);
    promise("or before it could be touched",
            touched_later(PROT_NONE, 0, MADV_HUGEPAGE) == SIZE / LARGE);
    promise("nowhere else", touched(0, -1) == 0);
    promise("no such word", put(FOLDER "enabled", "sometimes") == EINVAL &&
                                is_text(FOLDER "enabled", "always [madvise] never\n"));
    promise("always", put(FOLDER "enabled", "always\n") == 0 &&
                          is_text(FOLDER "enabled", "[always] madvise never\n"));
}

static void numbers(void)
{
    promise("size", is_text(FOLDER "hpage_pmd_size", "2097152\n"));
    promise("what never differs",
            put(FOLDER "defrag", "always") == EACCES &&
                is_text(FOLDER "shmem_enabled", "always within_size advise [never] deny force\n"));
    promise("absent pages", put(FOLDER "khugepaged/max_ptes_none", "511\n") == 0 &&
                                is_text(FOLDER "khugepaged/max_ptes_none", "511\n"));
    promise("too many", put(FOLDER "khugepaged/max_ptes_none", "512") == EINVAL &&
                            is_text(FOLDER "khugepaged/max_ptes_none", "511\n"));
    promise("no number", put(FOLDER "khugepaged/pages_to_scan", "many") == EINVAL &&
                             put(FOLDER "khugepaged/pages_to_scan", "-1") == EINVAL);
    promise("scanned", put(FOLDER "khugepaged/pages_to_scan", "4096") == 0 &&
                           is_text(FOLDER "khugepaged/pages_to_scan", "4096\n"));
}

static int says(long result, int error)
{
    return result == -1 && errno == error;
}

static void disabled(void)
{
    promise("at first", prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0) == 0);
    promise("disabled", prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0) == 0 &&
                            prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0) == 1);
    promise("none comes either", advised() == 0);
    char *va = mmap(NULL, 2 * LARGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memset(va, 1, 2 * LARGE);
    promise("nor by a collapse", says(madvise(va, 2 * LARGE, COLLAPSE), EINVAL));
    munmap(va, 2 * LARGE);
    promise("wrong words", says(prctl(PR_SET_THP_DISABLE, 1, 0, 1, 0), EINVAL) &&
                               says(prctl(PR_SET_THP_DISABLE, 1, 0, 0, 1), EINVAL) &&
                               says(prctl(PR_GET_THP_DISABLE, 1, 0, 0, 0), EINVAL) &&
                               says(prctl(PR_GET_THP_DISABLE, 0, 0, 0, 1), EINVAL));
    promise("enabled again", prctl(PR_SET_THP_DISABLE, 0, 0, 0, 0) == 0 &&
                                 prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0) == 0 &&
                                 advised() == SIZE / LARGE);
}

// What was large, and is not any more.
static void split(void)
{
    char *va = mmap(NULL, 5 * LARGE, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    char *base = va + (-(uintptr_t)va & (LARGE - 1));
    madvise(base, 4 * LARGE, MADV_HUGEPAGE);
    memset(base, 1, 4 * LARGE);
    long pages = count("thp_split_page "), mappings = count("thp_split_pmd ");
    mprotect(base + PAGE, PAGE, PROT_READ);
    promise("by mprotect",
            count("thp_split_pmd ") == mappings + 1 && count("thp_split_page ") == pages);
    munmap(base + LARGE + PAGE, LARGE); // of two
    promise("by munmap",
            count("thp_split_pmd ") == mappings + 3 && count("thp_split_page ") == pages + 2);
    madvise(base + 3 * LARGE + LARGE / 2, LARGE / 2, MADV_DONTNEED);
    promise("by madvise",
            count("thp_split_pmd ") == mappings + 4 && count("thp_split_page ") == pages + 3);
    munmap(va, 5 * LARGE);
    promise("not by the rest", count("thp_split_pmd ") == mappings + 4);
}

int main(void)
{
    words();
    numbers();
    disabled();
    split();
    return 0;
}
