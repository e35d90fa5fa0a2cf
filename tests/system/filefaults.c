// SPDX-License-Identifier: BSD-3-Clause
// filefaults.c: pages of a file are touched by some threads while others put mappings in the place
// of mappings, protect them, throw pages away, and map elsewhere.
//
//     filefaults [FOLDER]
//
// Each page of the file holds its tag. No access fails but a write to what may only be read.
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

enum { PAGE = 4096, PAGES = 600, PIECE = 20, ROUNDS = 120, RW = PROT_READ | PROT_WRITE };

static int file;
static char *shared, *private, *guarded;
static atomic_int wrong, ended, writers_stopped;
static __thread sigjmp_buf after_fault;
static __thread volatile int may_fail;

static void on_fault(int signal, siginfo_t *info, void *context)
{
    (void)context;
    if (!may_fail || signal != SIGSEGV || info->si_code != SEGV_ACCERR) {
        printf("signal %d, code %d at %p: shared %p, private %p, guarded %p\n", signal,
               info->si_code, info->si_addr, shared, private, guarded);
        fflush(stdout);
        _exit(99);
    }
    siglongjmp(after_fault, 1);
}

static uint64_t tag(int page)
{
    return 0x1234567800000000 + (uint64_t)page;
}

static volatile uint64_t *word_of(char *va, int page)
{
    return (volatile uint64_t *)(va + (size_t)page * PAGE);
}

static void expect(const char *who, int page, uint64_t value, uint64_t other)
{
    if (value != tag(page) && value != other) {
        printf("%s: page %d holds %llx\n", who, page, (unsigned long long)value);
        ++wrong;
    }
}

static int place(unsigned i)
{
    return (int)(i * 37 % (PAGES - PIECE));
}

static void *map(char *va, size_t pages, int flags, int from)
{
    char *at = mmap(va, pages * PAGE, RW, flags, (flags & MAP_ANONYMOUS) != 0 ? -1 : file,
                    (off_t)from * PAGE);
    if (at == MAP_FAILED) {
        perror("mmap");
        exit(1);
    }
    return at;
}

// Zeros in the place of pages of the file, and back.
static void *replace(void *unused)
{
    for (unsigned i = 0; i < ROUNDS; ++i) {
        char *va = shared + (size_t)place(i) * PAGE;
        map(va, PIECE, MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, 0);
        map(va, PIECE, MAP_FIXED | MAP_SHARED, place(i));
    }
    ++ended;
    return unused;
}

static void *protect(void *unused)
{
    for (unsigned i = 0; i < ROUNDS; ++i) {
        char *va = guarded + (size_t)place(i) * PAGE;
        if (mprotect(va, PIECE * PAGE, PROT_READ) != 0 || mprotect(va, PIECE * PAGE, RW) != 0) {
            ++wrong;
        }
        madvise(va, PIECE / 2 * PAGE, MADV_DONTNEED);
    }
    ++ended;
    return unused;
}

static void *discard(void *unused)
{
    for (unsigned i = 0; i < ROUNDS; ++i) {
        madvise(private + (size_t)place(i) * PAGE, PIECE * PAGE, MADV_DONTNEED);
        char *other = map(NULL, PIECE, MAP_SHARED, place(i));
        expect("elsewhere", place(i) + 3, *word_of(other, 3), 0);
        munmap(other, PIECE * PAGE);
    }
    ++ended;
    return unused;
}

static void write_guarded(int page)
{
    may_fail = 1;
    if (sigsetjmp(after_fault, 1) == 0) {
        *word_of(guarded, page) = tag(page);
    } else {
        ++writers_stopped;
    }
    may_fail = 0;
}

static void *touch(void *argument)
{
    unsigned step = *(unsigned *)argument;
    for (unsigned i = step; ended < 3; i += step) {
        int page = (int)(i % PAGES);
        expect("shared", page, *word_of(shared, page), 0);
        expect("guarded", page, *word_of(guarded, page), 0);
        write_guarded(page);
        *word_of(private, page) = ~tag(page);
        expect("private", page, *word_of(private, page), ~tag(page));
    }
    return argument;
}

int main(int argc, char **argv)
{
    static void *(*const works[])(void *) = {replace, protect, discard, touch, touch};
    static unsigned steps[] = {1, 1, 1, 7, 11};
    enum { WORKS = sizeof works / sizeof works[0] };
    const struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
    char name[4096];
    pthread_t threads[WORKS];
    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGBUS, &action, NULL);
    snprintf(name, sizeof name, "%s/filefaults.XXXXXX", argc > 1 ? argv[1] : "/tmp");
    file = mkstemp(name); // other runs of this share /tmp
    for (int page = 0; page < PAGES; ++page) {
        uint64_t words[PAGE / 8] = {tag(page)};
        if (write(file, words, sizeof words) != sizeof words) {
            perror(name);
            return 1;
        }
    }
    shared = map(NULL, PAGES, MAP_SHARED, 0);
    private = map(NULL, PAGES, MAP_PRIVATE, 0);
    guarded = map(NULL, PAGES, MAP_SHARED, 0);
    for (int i = 0; i < WORKS; ++i) {
        pthread_create(&threads[i], NULL, works[i], &steps[i]);
    }
    for (int i = 0; i < WORKS; ++i) {
        pthread_join(threads[i], NULL);
    }
    for (int page = 0; page < PAGES; ++page) {
        expect("at the end", page, *word_of(shared, page), tag(page));
    }
    unlink(name);
    printf("wrong: %d\n", wrong);
    return 0;
}
