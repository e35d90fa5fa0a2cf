// SPDX-License-Identifier: BSD-3-Clause
// filecuts.c: a file that is cut and grown by one thread while others write, map and copy it.
//
//     filecuts [FOLDER]
//
// Each page of the file holds its tag or zeros, whoever wrote it; a page that has left the file is
// nobody's but who has it next: other memory keeps what was written there.
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PAGE = 4096, PAGES = 40, ROUNDS = 150, OTHER = 24 };

static int file;
static atomic_int wrong, ended;
static atomic_long cuts_seen;
static __thread sigjmp_buf after_fault;

static void on_fault(int signal, siginfo_t *info, void *context)
{
    (void)info;
    (void)context;
    if (signal != SIGBUS) {
        _exit(99);
    }
    siglongjmp(after_fault, 1);
}

static uint64_t tag(int page)
{
    return 0x1234567800000000 + (uint64_t)page;
}

static void expect(const char *who, int page, uint64_t value)
{
    if (value != 0 && value != tag(page)) {
        printf("%s: page %d holds %llx\n", who, page, (unsigned long long)value);
        ++wrong;
    }
}

// Reads or writes the page's first word. 0: it is behind the end.
static int visit(const char *who, char *va, int page, int is_write)
{
    volatile uint64_t *word = (volatile uint64_t *)(va + page * PAGE);
    if (sigsetjmp(after_fault, 1) != 0) {
        ++cuts_seen;
        return 0;
    }
    expect(who, page, *word);
    if (is_write) {
        *word = tag(page);
    }
    return 1;
}

static void *cut(void *unused)
{
    static const int sizes[] = {PAGES, 7, 33, 0, PAGES, 16, 20, 1};
    for (int i = 0; i < ROUNDS; ++i) {
        if (ftruncate(file, sizes[i % 8] * PAGE) != 0) {
            perror("ftruncate");
            ++wrong;
        }
        sched_yield();
    }
    ended = 1;
    return unused;
}

static void *share(void *unused)
{
    char *va = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    for (unsigned i = 0; !ended; ++i) {
        visit("shared", va, (int)(i * 7 % PAGES), 1);
    }
    munmap(va, PAGES * PAGE);
    return unused;
}

static void *copy(void *unused)
{
    for (unsigned i = 0; !ended; ++i) {
        size_t size = i % 2 ? 100 * PAGE : PAGES * PAGE;
        char *va = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
        for (int page = (int)(i % 3); page < PAGES; page += 5) {
            visit("private", va, page, (int)(i + (unsigned)page) % 3 == 0);
        }
        madvise(va, 10 * PAGE, MADV_DONTNEED);
        munmap(va + 3 * PAGE, 4 * PAGE);
        munmap(va, size);
    }
    return unused;
}

static void *transfer(void *unused)
{
    char *va = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    for (unsigned i = 0; !ended; ++i) {
        int page = (int)(i * 3 % PAGES);
        uint64_t word = 0;
        if (pread(file, &word, sizeof word, (off_t)page * PAGE) == sizeof word) {
            expect("read", page, word);
        }
        // From the file to itself, by way of the mapping.
        if (pread(file, va + page * PAGE, PAGE, (off_t)page * PAGE) < 0 && errno != EFAULT) {
            ++wrong;
        }
        if (pwrite(file, va + page * PAGE, 8, (off_t)page * PAGE) < 0 && errno != EFAULT) {
            ++wrong;
        }
    }
    munmap(va, PAGES * PAGE);
    return unused;
}

static void *keep(void *unused)
{
    for (unsigned i = 0; !ended; ++i) {
        uint64_t *own =
            mmap(NULL, OTHER * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        for (int page = 0; page < OTHER; ++page) {
            wrong += own[page * PAGE / 8] != 0;
            own[page * PAGE / 8] = i;
        }
        sched_yield();
        for (int page = 0; page < OTHER; ++page) {
            wrong += own[page * PAGE / 8] != i;
        }
        munmap(own, OTHER * PAGE);
    }
    return unused;
}

int main(int count, char **arguments)
{
    void *(*const roles[])(void *) = {cut, share, copy, transfer, keep};
    enum { THREADS = sizeof roles / sizeof roles[0] };
    pthread_t threads[THREADS];
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGBUS, &action, NULL);
    char name[256];
    snprintf(name, sizeof name, "%s/filecutsXXXXXX", count > 1 ? arguments[1] : "/tmp");
    file = mkstemp(name);
    for (int i = 0; i < THREADS; ++i) {
        pthread_create(&threads[i], NULL, roles[i], NULL);
    }
    for (int i = 0; i < THREADS; ++i) {
        pthread_join(threads[i], NULL);
    }
    unlink(name);
    printf("wrong: %d\n", wrong);
    if (getenv("FILECUTS_SHOW") != NULL) {
        printf("faults behind the end: %ld\n", (long)cuts_seen);
    }
    return wrong != 0;
}
