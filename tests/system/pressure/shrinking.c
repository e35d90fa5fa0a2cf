// SPDX-License-Identifier: BSD-3-Clause
// shrinking.c: a program with a cache that lasts as long as there is memory for it
// (osv/shrinker.h).
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sysinfo.h>

#include "core/libc/include/osv/shrinker.h"
#include "tests/system/figures.h"

enum { ENTRY = 1 << 20, ENTRIES = 4096 };

// The cache: anonymous memory, so that what it gives back can be used for anything.
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char *entries[ENTRIES];
static int entry_count;
static atomic_int calls;

// Memory that is there, not merely promised.
static char *fill(size_t size)
{
    static unsigned char pages[1 << 16];
    char *memory =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (memory == MAP_FAILED) {
        return NULL;
    }
    mincore(memory, size, pages);
    for (size_t i = 0; i < size / 4096; ++i) {
        if ((pages[i] & 1) == 0) {
            munmap(memory, size);
            errno = ENOMEM;
            return NULL;
        }
    }
    return memory;
}

static size_t cache_shrink(size_t wanted, bool may_wait, void *argument)
{
    atomic_fetch_add((atomic_int *)argument, 1);
    if (may_wait) {
        pthread_mutex_lock(&lock);
    } else if (pthread_mutex_trylock(&lock) != 0) {
        return 0;
    }
    size_t freed = 0;
    while (freed < wanted && entry_count > 0) {
        munmap(entries[--entry_count], ENTRY);
        freed += ENTRY;
    }
    pthread_mutex_unlock(&lock);
    return freed;
}

// Until there are count entries, or no memory. Where the reclaimer takes them as fast as they come,
// as many are left as memory is for.
static void cache_fill(int count)
{
    enum { TRIES = 1000 };
    for (int i = 0; i < TRIES; ++i) {
        char *entry = fill(ENTRY);
        pthread_mutex_lock(&lock);
        if (entry == NULL || entry_count >= count) {
            pthread_mutex_unlock(&lock);
            if (entry != NULL) {
                munmap(entry, ENTRY);
            }
            return;
        }
        entries[entry_count++] = entry;
        pthread_mutex_unlock(&lock);
    }
}

static size_t free_bytes(void)
{
    struct sysinfo info;
    sysinfo(&info);
    return info.freeram * info.mem_unit;
}

// Small allocations, which are served all along.
static void shortage(void)
{
    cache_fill((int)(free_bytes() * 3 / 4 / ENTRY));
    int had = entry_count;
    size_t size = free_bytes() + 4 * (size_t)ENTRY;
    static char *pieces[65536];
    size_t count = 0;
    while (count < size / 65536 && (pieces[count] = fill(65536)) != NULL) {
        ++count;
    }
    promise("more small pieces than were free", count == size / 65536);
    promise("the cache gave what was missing", entry_count < had && atomic_load(&calls) > 0);
    while (count > 0) {
        munmap(pieces[--count], 65536);
    }
}

// One allocation that is larger than what is free.
static void one_large(void)
{
    cache_fill((int)(free_bytes() / ENTRY) - 4 + entry_count);
    int before = atomic_load(&calls);
    long stalls = figure("/proc/vmstat", "allocstall_normal"),
         direct = figure("/proc/vmstat", "pgsteal_direct");
    long unasked = figure("/proc/vmstat", "pgsteal_kswapd");
    char *large = fill(8 * (size_t)ENTRY);
    promise("one large piece", large != NULL && atomic_load(&calls) > before);
    long waited =
        figure("/proc/vmstat", "pgsteal_direct") - direct; // 0 where the reclaimer came first
    promise("vmstat counts it",
            direct >= 0 && waited + figure("/proc/vmstat", "pgsteal_kswapd") > unasked);
    promise("and who waited",
            (waited > 0) == (figure("/proc/vmstat", "allocstall_normal") > stalls));
    if (large != NULL) {
        munmap(large, 8 * (size_t)ENTRY);
    }
}

static struct osv_shrinker *once;

static size_t once_shrink(size_t wanted, bool may_wait, void *argument)
{
    (void)wanted;
    (void)may_wait;
    atomic_fetch_add((atomic_int *)argument, 1);
    osv_unregister_shrinker(once);
    return 0;
}

static size_t allocating_shrink(size_t wanted, bool may_wait, void *argument)
{
    (void)wanted;
    (void)may_wait;
    // Larger than what is there: it must fail, and not wait for this very shrinker.
    char *large = free_bytes() < 14 * (size_t)ENTRY ? fill(free_bytes() + ENTRY) : NULL;
    atomic_store((atomic_int *)argument, large == NULL ? 1 : 2);
    return 0;
}

int main(void)
{
    if (osv_register_shrinker == NULL) {
        printf("no shrinkers here\n");
        return 0;
    }
    static atomic_int once_calls, allocation, removed_calls;
    errno = 0;
    promise("no function: EINVAL",
            osv_register_shrinker("none", NULL, NULL) == NULL && errno == EINVAL);
    once = osv_register_shrinker("once", once_shrink, &once_calls);
    struct osv_shrinker *removed = osv_register_shrinker("removed", cache_shrink, &removed_calls);
    struct osv_shrinker *allocating =
        osv_register_shrinker("allocating", allocating_shrink, &allocation);
    struct osv_shrinker *cache = osv_register_shrinker("cache", cache_shrink, &calls);
    promise("registered", once != NULL && removed != NULL && allocating != NULL && cache != NULL);
    osv_unregister_shrinker(removed);
    osv_unregister_shrinker(NULL);
    shortage();
    one_large();
    promise("one that removes itself is called once", atomic_load(&once_calls) == 1);
    promise("one that allocates is refused", atomic_load(&allocation) == 1);
    promise("one that is removed is not called", atomic_load(&removed_calls) == 0);
    osv_unregister_shrinker(allocating);
    osv_unregister_shrinker(cache);
    int before = atomic_load(&calls);
    while (fill(ENTRY) != NULL) {
    }
    promise("none is called: ENOMEM", errno == ENOMEM && before == atomic_load(&calls));
    return 0;
}
