// SPDX-License-Identifier: BSD-3-Clause
// growth.c: mappings that grow down (MAP_GROWSDOWN, PROT_GROWSDOWN), how far, and the first stack
// (RLIMIT_STACK).
#include <alloca.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
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
    PAGES = 4096, // of the range where all this happens
    RW = PROT_READ | PROT_WRITE,
    PRIVATE = MAP_PRIVATE | MAP_ANONYMOUS
};

static char *base;
static sigjmp_buf escape;
static volatile int caught;

static void on_signal(int signal, siginfo_t *info, void *context)
{
    (void)context;
    caught = signal * 100 + info->si_code;
    siglongjmp(escape, 1);
}

// 0, or the signal and its code.
static int touch(long page)
{
    caught = 0;
    if (sigsetjmp(escape, 1) == 0) {
        *(volatile char *)(base + page * PAGE) = 1;
    }
    return caught;
}

static void maps_show(void)
{
    char line[400], perms[8];
    FILE *file = fopen("/proc/self/maps", "r");
    while (fgets(line, sizeof line, file) != NULL) {
        unsigned long start, end;
        sscanf(line, "%lx-%lx %7s", &start, &end, perms);
        if (end > (unsigned long)base && start < (unsigned long)base + PAGES * PAGE) {
            printf("    %ld-%ld %s\n", ((long)start - (long)base) / PAGE,
                   ((long)end - (long)base) / PAGE, perms);
        }
    }
    fclose(file);
}

static char *map(long page, long pages, int prot, int flags)
{
    return mmap(base + page * PAGE, pages * PAGE, prot, PRIVATE | MAP_FIXED | flags, -1, 0);
}

static void clear(void)
{
    munmap(base, (size_t)PAGES * PAGE);
}

static void limit(size_t size)
{
    struct rlimit limit = {size, RLIM_INFINITY};
    SHOW(setrlimit(RLIMIT_STACK, &limit));
}

static void distances(void)
{
    map(3000, 4, RW, MAP_GROWSDOWN);
    maps_show();
    SHOW(touch(2999));
    SHOW(touch(2700));
    maps_show();
    SHOW(touch(3004 - 2049));
    maps_show();
    SHOW(touch(3004 - 2048));
    maps_show();
    limit(MB);
    SHOW(touch(955));
    limit(16 * MB);
    SHOW(touch(955));
    maps_show();
    char *word = base + 955 * PAGE;
    printf("contents: %d %d %d\n", word[0], word[1], base[3000 * PAGE]);
    limit(8 * MB);
    clear();
}

static void neighbours(void)
{
    map(0, 10, RW, 0);
    map(1000, 4, RW, MAP_GROWSDOWN);
    SHOW(touch(265));
    SHOW(touch(266));
    SHOW(touch(265));
    maps_show();
    clear();
    map(0, 10, PROT_NONE, 0);
    map(1000, 4, RW, MAP_GROWSDOWN);
    SHOW(touch(12));
    SHOW(touch(10));
    SHOW(touch(9));
    maps_show();
    clear();
    map(0, 10, RW, MAP_GROWSDOWN);
    map(1000, 4, RW, MAP_GROWSDOWN);
    SHOW(touch(10));
    maps_show();
    clear();
    map(1000, 4, RW, MAP_GROWSDOWN);
    map(1004, 4, RW, MAP_GROWSDOWN);
    map(1008, 4, RW, 0);
    maps_show();
    clear();
}

static int is_at(long page, int flags)
{
    char *va = mmap(base + page * PAGE, PAGE, RW, PRIVATE | flags, -1, 0);
    int is_there = va == base + page * PAGE;
    if (va != MAP_FAILED) {
        munmap(va, PAGE);
    }
    return is_there;
}

static void places(void)
{
    map(1000, 4, RW, MAP_GROWSDOWN);
    SHOW(is_at(990, 0));
    SHOW(is_at(744, 0));
    SHOW(is_at(743, 0));
    SHOW(is_at(900, MAP_FIXED_NOREPLACE));
    SHOW(is_at(999, MAP_FIXED));
    SHOW(is_at(1004, 0));
    clear();
    char *va = mmap(NULL, 4 * PAGE, RW, PRIVATE | MAP_GROWSDOWN, -1, 0);
    base = va;
    SHOW(touch(3));
    SHOW(munmap(va, 4 * PAGE));
}

static void protections(void)
{
    char *va = map(1000, 8, RW, MAP_GROWSDOWN);
    touch(998);
    SHOW(mprotect(va + 4 * PAGE, PAGE, PROT_READ | PROT_GROWSDOWN));
    maps_show();
    SHOW(mprotect(va - 4 * PAGE, PAGE, RW | PROT_GROWSDOWN));
    SHOW(mprotect(va - 4 * PAGE, 6 * PAGE, RW | PROT_GROWSDOWN));
    maps_show();
    SHOW(touch(995));
    maps_show();
    SHOW(mprotect(va + 7 * PAGE, 6 * PAGE, PROT_READ | PROT_GROWSDOWN));
    maps_show();
    SHOW(mprotect(va, PAGE, PROT_READ | PROT_GROWSUP));
    SHOW(mprotect(va, PAGE, PROT_READ | PROT_GROWSUP | PROT_GROWSDOWN));
    SHOW(mprotect(va + 100 * PAGE, 0, PROT_READ | PROT_GROWSDOWN));
    map(0, 2, RW, 0);
    SHOW(mprotect(base, PAGE, PROT_READ | PROT_GROWSDOWN));
    SHOW(mprotect(base, PAGE, PROT_READ | PROT_GROWSUP));
    clear();
    map(1000, 4, PROT_READ, MAP_GROWSDOWN);
    SHOW(touch(999));
    maps_show();
    clear();
    map(1000, 4, PROT_NONE, MAP_GROWSDOWN);
    SHOW(touch(999));
    maps_show();
    SHOW(mprotect(base + 1000 * PAGE, 4 * PAGE, RW));
    SHOW(touch(1000));
    SHOW(touch(999));
    SHOW(mprotect(base + 999 * PAGE, PAGE, RW));
    SHOW(touch(998));
    maps_show();
    clear();
}

static void calls(void)
{
    unsigned char vector[16];
    char *va = map(1000, 8, RW, MAP_GROWSDOWN);
    int zero = open("/dev/zero", O_RDONLY);
    SHOW(read(zero, va - 10 * PAGE, 1));
    maps_show();
    SHOW(mincore(va - 20 * PAGE, PAGE, vector));
    SHOW(mlock(va - 20 * PAGE, PAGE));
    SHOW(madvise(va - 20 * PAGE, PAGE, MADV_WILLNEED));
    SHOW(munmap(va + 2 * PAGE, 2 * PAGE)); // the part below grows as well
    SHOW(touch(1003));
    SHOW(touch(980));
    maps_show();
    clear();
    map(1000, 8, RW, MAP_GROWSDOWN);
    SHOW_OK(syscall(SYS_mremap, va, 4 * PAGE, 4 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
                    base + 2000 * PAGE));
    SHOW(touch(1999));
    maps_show();
    clear();
    map(1000, 4, RW, MAP_GROWSDOWN | MAP_POPULATE);
    base[1000 * PAGE] = 3;
    SHOW(touch(990));
    base[995 * PAGE] = 4;
    printf("contents: %d %d %d %d\n", base[990 * PAGE], base[994 * PAGE], base[995 * PAGE],
           base[1000 * PAGE]);
    SHOW(madvise(base + 990 * PAGE, 14 * PAGE, MADV_DONTNEED));
    printf("contents: %d %d\n", base[990 * PAGE], base[1000 * PAGE]);
    clear();
    SHOW_OK(mmap(va, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED | MAP_GROWSDOWN, -1, 0));
    SHOW_OK(mmap(va, PAGE, RW, MAP_PRIVATE | MAP_FIXED | MAP_GROWSDOWN, zero, 0));
    int file = memfd_create("file", 0);
    SHOW_OK(mmap(va, PAGE, RW, MAP_PRIVATE | MAP_FIXED | MAP_GROWSDOWN, file, 0));
    SHOW_OK(mmap(va, PAGE, RW, MAP_SHARED | MAP_FIXED | MAP_GROWSDOWN, file, 0));
    close(file);
    close(zero);
}

static void limits(void)
{
    map(1000, 4, RW, MAP_GROWSDOWN);
    struct rlimit old, small = {64 << 10, RLIM_INFINITY};
    getrlimit(RLIMIT_AS, &old);
    small.rlim_max = old.rlim_max;
    setrlimit(RLIMIT_AS, &small);
    SHOW(touch(999));
    setrlimit(RLIMIT_AS, &old);
    SHOW(touch(999));
    getrlimit(RLIMIT_DATA, &old);
    small.rlim_cur = 0;
    setrlimit(RLIMIT_DATA, &small);
    SHOW(touch(998));
    setrlimit(RLIMIT_DATA, &old);
    clear();
}

// ---- The first stack -----------------------------------------------------

static __attribute__((noinline)) int deep(size_t left)
{
    volatile char frame[32 << 10];
    frame[0] = (char)left;
    int depth = left > sizeof frame ? deep(left - sizeof frame) : 1;
    __asm__ volatile("" : : "r"(frame) : "memory"); // each call has its own, whatever compiles it
    return depth;
}

static int survives(size_t depth)
{
    caught = 0;
    return sigsetjmp(escape, 1) == 0 ? deep(depth) : caught / 100;
}

static size_t stack_size(void)
{
    char line[400];
    unsigned long start = 0, end = 0;
    FILE *file = fopen("/proc/self/maps", "r");
    while (fgets(line, sizeof line, file) != NULL) {
        if (strstr(line, "[stack]") != NULL) {
            sscanf(line, "%lx-%lx", &start, &end);
        }
    }
    fclose(file);
    return end - start;
}

static void stack(void)
{
    struct rlimit now;
    getrlimit(RLIMIT_STACK, &now);
    printf("8 MiB: %d\n", now.rlim_cur == 8 * MB);
    SHOW(survives(7 * MB));
    printf("seen: %d\n", stack_size() >= 7 * MB && stack_size() <= 8 * MB);
    SHOW(survives(9 * MB));
    limit(40 * MB);
    SHOW(survives(36 * MB));
    printf("seen: %d\n", stack_size() >= 36 * MB && stack_size() <= 40 * MB);
    SHOW(survives(42 * MB));
    limit(2 * MB); // what is there stays
    SHOW(survives(30 * MB));
    limit(8 * MB);
}

static void lowered(void)
{
    printf("less than 1 MiB: %d\n", stack_size() < MB);
    limit(2 * MB);
    SHOW(survives(MB));
    SHOW(survives(3 * MB));
    limit(8 * MB);
    SHOW(survives(3 * MB));
}

// How large pthread_getattr_np takes the first stack for: by the limit, but for what lies above.
static int is_told(size_t size)
{
    pthread_attr_t attributes;
    void *start = NULL;
    size_t told = 0;
    limit(size);
    pthread_getattr_np(pthread_self(), &attributes);
    pthread_attr_getstack(&attributes, &start, &told);
    pthread_attr_destroy(&attributes);
    char *here = __builtin_frame_address(0);
    return told <= size && told > size - 256 * PAGE && here > (char *)start &&
           here < (char *)start + told;
}

static void told(void)
{
    SHOW(is_told(8 * MB));
    SHOW(is_told(16 * MB));
    SHOW(is_told(4 * MB));
    limit(8 * MB);
}

// ---- One's own stack, thrown away below what is in use ---------------------

static __attribute__((noinline)) int discard_below(size_t size, size_t depth)
{
    volatile char *pad = alloca(depth);
    __asm__ volatile("" : "+r"(pad));
    pad[0] = 1;
    char *end = (char *)((uintptr_t)(pad - 64) & -(uintptr_t)PAGE); // not where madvise returns to
    int error = madvise(end - size, size, MADV_DONTNEED);
    return error == 0 && pad[0] == 1;
}

static void below(size_t size)
{
    char *low = (char *)__builtin_frame_address(0) - size;
    int count = 0, zeros = 0;
    for (size_t depth = 16; depth < PAGE; depth += 240) {
        deep(size + 64 * PAGE);
        count += discard_below(size, depth);
        zeros += low[0] == 0 && low[size / 2] == 0;
    }
    printf("below, %zu KiB: %d %d\n", size >> 10, count, zeros);
}

enum { DATA = 192 << 10, SMALL_STACK = 16 << 10 };
static char *beside;

static void *discard_beside(void *argument)
{
    return madvise(beside, DATA, MADV_DONTNEED) == 0 ? argument : NULL;
}

// What lies below the stack is not one's own any more: it is gone to the last byte.
static void under(void)
{
    pthread_t thread;
    pthread_attr_t attributes;
    void *result = NULL;
    beside = mmap(NULL, DATA + SMALL_STACK, RW, PRIVATE, -1, 0);
    memset(beside, 1, DATA);
    pthread_attr_init(&attributes);
    pthread_attr_setstack(&attributes, beside + DATA, SMALL_STACK);
    pthread_create(&thread, &attributes, discard_beside, beside);
    pthread_join(thread, &result);
    int left = 0;
    for (int i = 0; i < DATA; ++i) {
        left += beside[i];
    }
    printf("under: %d, left %d\n", result == beside, left);
    munmap(beside, DATA + SMALL_STACK);
}

int main(void)
{
    static char signal_stack[64 << 10];
    sigaltstack(&(stack_t){.ss_sp = signal_stack, .ss_size = sizeof signal_stack}, NULL);
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGBUS, &action, NULL);
    char *arena =
        mmap(NULL, (size_t)PAGES * PAGE + 4 * MB, PROT_NONE, PRIVATE | MAP_NORESERVE, -1, 0);
    base = arena + 2 * MB; // with a distance to the others
    munmap(arena, (size_t)PAGES * PAGE + 4 * MB);
    distances();
    neighbours();
    protections();
    calls();
    limits();
    lowered();
    stack();
    told();
    below(128 << 10);
    below(MB);
    under();
    places();
    return 0;
}
