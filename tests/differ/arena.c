// SPDX-License-Identifier: BSD-3-Clause
// arena.c: as arena.h promises.
#include "arena.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HOLE = 16 << 20, TEXT_MAX = 1 << 20 };

static _Thread_local sigjmp_buf after_fault;
static _Thread_local volatile int fault_signal;

static void on_fault(int signal)
{
    fault_signal = signal;
    siglongjmp(after_fault, 1);
}

_Noreturn void arena_die(const char *what)
{
    perror(what);
    exit(3);
}

// ---- Words ---------------------------------------------------------------

void say_address(struct run *run, const char *va)
{
    long offset = va - memory_of(run)->arena;
    if (va == MAP_FAILED) {
        say_result(run, -1);
    } else if (offset >= 0 && offset <= (long)memory_of(run)->size) {
        say(run, " = a+%lx", offset);
    } else {
        say(run, " = elsewhere");
    }
}

void say_range(struct run *run, const char *start, size_t size)
{
    if ((intptr_t)start < 0) {
        say(run, " top-%lx,%lx", -(long)start, (long)size);
    } else {
        say(run, " a+%lx,%lx", (long)(start - memory_of(run)->arena), (long)size);
    }
}

// ---- What is there -------------------------------------------------------

static bool page_hash(const char *page, uint64_t *hash)
{
    if (sigsetjmp(after_fault, 0) != 0) {
        return false;
    }
    *hash = hash_bytes(HASH_EMPTY, page, PAGE);
    return true;
}

size_t bytes_touch(char *start, size_t bytes, int pattern, int *signal)
{
    volatile size_t done = 0, size = bytes;
    if (sigsetjmp(after_fault, 0) != 0) {
        *signal = fault_signal;
        return done;
    }
    for (; done < size; done += 64) {
        if (pattern >= 0) {
            *(volatile char *)(start + done) = (char)(pattern + done / 64);
        } else {
            (void)*(volatile char *)(start + done);
        }
    }
    return size;
}

static bool is_unseen(const struct memory *memory, const char *page)
{
    return (uintptr_t)(page - memory->unseen) < memory->unseen_size;
}

// For every page, its hash or the signal: what a fault that may fail says is asked again.
static void say_contents(struct run *run)
{
    const char *arena = memory_of(run)->arena;
    uint64_t hash = HASH_EMPTY;
    for (int i = 0; i < (int)(memory_of(run)->size / PAGE); ++i) {
        uint64_t page = 0;
        if (is_unseen(memory_of(run), arena + (size_t)i * PAGE)) {
            continue;
        }
        bool is_there = page_hash(arena + (size_t)i * PAGE, &page);
        while (!is_there && run_again(run)) {
            is_there = page_hash(arena + (size_t)i * PAGE, &page);
        }
        run->retries = run->may_fail ? 12 : 0;
        page = is_there ? page : (uint64_t)fault_signal;
        say(run, " %02x", is_there ? (unsigned)(page >> 40 & 0xff) | 0x100 : (unsigned)page);
        hash = hash_bytes(hash, &page, sizeof page);
    }
    say(run, " %016llx", (unsigned long long)hash);
}

// A private mapping of /dev/zero is memory like any other; Linux says where it came from, too.
static const char *file_name(const struct memory *memory, unsigned long inode, const char *path)
{
    return inode == 0                     ? "-"
           : inode == memory->inodes[0]   ? "memfd"
           : inode == memory->inodes[1]   ? "shm"
           : strstr(path, "zero") != NULL ? "zero"
                                          : "another";
}

// /proc/self/maps of the arena, page by page: how the machine merges neighbours is its own affair.
void arena_maps_say(struct run *run)
{
    struct memory *memory = memory_of(run);
    size_t size = 0;
    ssize_t part;
    lseek(memory->maps, 0, SEEK_SET);
    do {
        part = read(memory->maps, memory->text + size, TEXT_MAX - 1 - size);
        size += part > 0 ? (size_t)part : 0;
    } while (part > 0 || (part < 0 && run->may_fail));
    memory->text[size] = '\0';
    uint64_t hash = HASH_EMPTY;
    uintptr_t arena = (uintptr_t)memory->arena;
    for (char *line = memory->text, *next; *line != '\0'; line = next) {
        unsigned long start, end, offset, inode;
        char perms[8], path[256] = "";
        next = strchr(line, '\n');
        next = next == NULL ? line + strlen(line) : next + 1;
        if (sscanf(line, "%lx-%lx %7s %lx %*s %lu %255[^\n]", &start, &end, perms, &offset, &inode,
                   path) < 5) {
            break;
        }
        inode = strcmp(path, "/dev/zero") == 0 ? 0 : inode;
        for (uintptr_t va = start > arena ? start : arena; va < end && va < arena + memory->size;
             va += PAGE) {
            char word[64];
            if (is_unseen(memory, (const char *)va)) {
                continue;
            }
            int length = snprintf(word, sizeof word, "%d%s%s+%lx", (int)((va - arena) / PAGE),
                                  perms, file_name(memory, inode, path),
                                  inode != 0 ? (offset + (va - start)) / PAGE : 0ul);
            hash = hash_bytes(hash, word, (size_t)length);
            say(run, " %s", word);
        }
    }
    say(run, " %016llx", (unsigned long long)hash);
}

void arena_look(struct run *run)
{
    say_contents(run);
    say(run, ";");
    arena_maps_say(run);
}

// ---- Calls that may fail by chance ---------------------------------------

// All that can be seen, as one number: for an operation that has failed and must have changed
// nothing.
static uint64_t arena_hash(struct run *run, const struct attempt *attempt)
{
    struct memory *memory = memory_of(run);
    size_t length = run->length;
    uint32_t retries = run->retries;
    memory->unseen = attempt->lost;
    memory->unseen_size = attempt->lost_size;
    arena_look(run);
    memory->unseen_size = 0;
    uint64_t hash = hash_bytes(HASH_EMPTY, run->line + length, run->length - length);
    run->length = length;
    run->line[length] = '\0';
    run->retries = retries;
    return hash;
}

struct attempt attempt_begin_losing(struct run *run, const char *target, size_t size)
{
    struct attempt attempt = {.lost = target, .lost_size = size};
    attempt.before = run->may_fail ? arena_hash(run, &attempt) : 0;
    return attempt;
}

struct attempt attempt_begin(struct run *run)
{
    return attempt_begin_losing(run, NULL, 0);
}

bool attempt_again(struct run *run, struct attempt *attempt, bool is_error)
{
    int error = errno;
    bool is_again = is_error && error == ENOMEM && run_again(run);
    if (is_again) {
        attempt->has_changed |= arena_hash(run, attempt) != attempt->before;
    } else if (!is_error && attempt->has_changed) {
        say(run, " (had changed something when it failed)");
    }
    errno = error;
    return is_again;
}

// ---- Sequences -----------------------------------------------------------

static void files_open(struct memory *memory, unsigned thread)
{
    char path[64];
    snprintf(path, sizeof path, "/dev/shm/differ.%x.%u", own_number(), thread);
    memory->fds[FILE_MEMFD] = memfd_create("differ", MFD_CLOEXEC);
    memory->fds[FILE_SHM] = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    memory->fds[FILE_READ_ONLY] = open(path, O_RDONLY);
    memory->fds[FILE_WRITE_ONLY] = open(path, O_WRONLY);
    for (int i = 0; i < FILE_COUNT; ++i) {
        if (memory->fds[i] < 0) {
            arena_die(path);
        }
    }
    for (int i = 0; i < 2; ++i) {
        struct stat status;
        if (fstat(memory->fds[i], &status) != 0) {
            arena_die(path);
        }
        memory->inodes[i] = status.st_ino;
    }
    unlink(path);
}

void *arena_open(unsigned thread, size_t pages)
{
    struct memory *memory = memory_allocate(sizeof *memory);
    memory->size = pages * PAGE;
    memory->text = memory_allocate(TEXT_MAX);
    memory->maps = open("/proc/self/maps", O_RDONLY);
    char *va = mmap(NULL, HOLE + memory->size + HOLE, PROT_NONE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory->maps < 0 || va == MAP_FAILED || munmap(va, HOLE) != 0 ||
        munmap(va + HOLE + memory->size, HOLE) != 0) {
        arena_die("differ: no arena");
    }
    memory->arena = va + HOLE;
    struct sigaction action = {.sa_handler = on_fault, .sa_flags = SA_NODEFER};
    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGBUS, &action, NULL);
    files_open(memory, thread);
    return memory;
}

void arena_begin(struct run *run)
{
    struct memory *memory = memory_of(run);
    char page[PAGE];
    while (mmap(memory->arena, memory->size, PROT_NONE,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0) == MAP_FAILED) {
        if (!run->may_fail) {
            arena_die("differ: the arena");
        }
    }
    for (int file = 0; file < 2; ++file) {
        while (ftruncate(memory->fds[file], 0) != 0) {
        }
        for (int i = 0; i < FILE_PAGES; ++i) {
            memset(page, 'a' + i + 16 * file, sizeof page);
            size_t size = i + 1 == FILE_PAGES ? 100 : PAGE;
            while (pwrite(memory->fds[file], page, size, (off_t)i * PAGE) != (ssize_t)size) {
                if (!run->may_fail) {
                    arena_die("differ: a file");
                }
            }
        }
    }
}

void arena_close(void *state)
{
    struct memory *memory = state;
    munmap(memory->arena, memory->size);
    for (int i = 0; i < FILE_COUNT; ++i) {
        close(memory->fds[i]);
    }
    close(memory->maps);
    free(memory->text);
    free(memory);
}
