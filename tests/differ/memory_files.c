// SPDX-License-Identifier: BSD-3-Clause
// memory_files.c: the table of what memory comes from besides mmap: the break, files without a
// name, shared memory by name.
//
// Between two cases nothing is left: descriptors are closed, names removed, the break is back.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "arena.h"

enum { NAME_SIZE = 300, BREAK_ROOM = 64 * PAGE };

static void say_file(struct run *run, int fd)
{
    struct stat status = {0};
    if (fd < 0) {
        say_result(run, -1);
        return;
    }
    say(run, " = a descriptor, flags %x %x", (unsigned)fcntl(fd, F_GETFD),
        (unsigned)fcntl(fd, F_GETFL));
    if (fstat(fd, &status) == 0) {
        say(run, " mode %o", status.st_mode);
    }
    if (S_ISREG(status.st_mode)) {
        say(run, " size %ld links %d", (long)status.st_size, (int)status.st_nlink);
    }
}

// ---- The break -----------------------------------------------------------

// Changes the break by so much, and says by how much it changed: contents, too.
static void break_change(struct run *run, char *base, long by)
{
    char *old = sbrk(0);
    if (old + by < base) {
        by = base - old; // what is below is malloc's
    }
    void *result;
    do {
        result = sbrk(by);
    } while (result == (void *)-1 && run_again(run));
    char *now = sbrk(0);
    say(run, " by %lx: %s %ld", by, result == (void *)-1 ? strerrorname_np(errno) : "ok",
        (long)(now - old));
    char *low = now > old ? old : base;
    say(run, " content %016llx",
        (unsigned long long)hash_bytes(HASH_EMPTY, low, (size_t)(now - low)));
    memset(base, 'b', (size_t)(now - base));
}

static void make_break(struct run *run)
{
    static const long steps[] = {0,        1,        100,           PAGE,        3 * PAGE + 5,
                                 -1,       -PAGE,    -2 * PAGE - 9, -BREAK_ROOM, PAGE - 1,
                                 1l << 46, INT64_MAX};
    char *base = sbrk(0);
    for (int i = 0; i < 3; ++i) {
        long by = CHOOSE(run, steps);
        break_change(run, base, by);
    }
    while (sbrk(base - (char *)sbrk(0)) == (void *)-1) {
        if (run->may_fail) {
            continue;
        }
        arena_die("differ: the break does not go back");
    }
}

// ---- Files without a name ------------------------------------------------

static void make_memfd(struct run *run)
{
    static const size_t lengths[] = {0, 1, 248, 249, 250};
    static char name[NAME_SIZE];
    uint32_t kind = choose(run, sizeof lengths / sizeof lengths[0] + 3);
    const char *given = name;
    memset(name, 'm', sizeof name);
    if (kind < sizeof lengths / sizeof lengths[0]) {
        name[lengths[kind]] = '\0';
    } else if (kind == sizeof lengths / sizeof lengths[0]) {
        strcpy(name, "a/b");
    } else {
        given = kind == 6 ? NULL : (const char *)-(uintptr_t)PAGE;
    }
    static const unsigned flags[] = {
        0, MFD_CLOEXEC, MFD_ALLOW_SEALING, MFD_CLOEXEC | MFD_ALLOW_SEALING, 0x40, 0x80000000};
    unsigned flag = CHOOSE(run, flags);
    say(run, " name %u flags %x", kind, flag);
    int fd;
    do {
        fd = memfd_create(given, flag);
    } while (fd < 0 && errno == ENOMEM && run_again(run));
    say_file(run, fd);
    if (fd >= 0) {
        say(run, " seals");
        say_result(run, fcntl(fd, F_GET_SEALS));
        char path[64], link[NAME_SIZE] = "";
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        say(run, " link %zd %.8s", readlink(path, link, sizeof link - 1), link);
        close(fd);
    }
}

// ---- Shared memory by name -----------------------------------------------

static void make_shm(struct run *run)
{
    enum { LONGEST = 260 };
    static char longest[LONGEST + 2];
    char own[32];
    snprintf(own, sizeof own, "//differ.%x", own_number());
    const char *const names[] = {own + 1, own,  own + 2, "/",         "",          "/a/b",
                                 ".",     "..", longest, longest + 1, longest + 4, longest + 6};
    memset(longest, 's', sizeof longest - 1);
    bool exists = choose(run, 2);
    uint32_t kind = choose(run, sizeof names / sizeof names[0]);
    const char *name = names[kind];
    int flags = ((const int[]){O_RDONLY, O_RDWR, O_WRONLY, O_RDONLY | O_CREAT, O_RDWR | O_CREAT,
                               O_RDWR | O_CREAT | O_EXCL, O_RDWR | O_TRUNC,
                               O_RDONLY | O_TRUNC})[choose(run, 8)];
    say(run, " exists %d name %u flags %x", exists, kind, (unsigned)flags);
    int fd;
    shm_unlink(own);
    if (exists) {
        do {
            fd = shm_open(own, O_RDWR | O_CREAT, 0600);
        } while (fd < 0 && run_again(run));
        while (ftruncate(fd, 3 * PAGE) != 0 && run_again(run)) {
        }
        close(fd);
    }
    do {
        fd = shm_open(name, flags, 0640);
    } while (fd < 0 && errno == ENOMEM && run_again(run));
    say_file(run, fd);
    if (fd >= 0) {
        close(fd);
    }
    say(run, " unlinked");
    say_result(run, shm_unlink(name));
    say_result(run, shm_unlink(name));
    shm_unlink(own);
}

static const struct operation operations[] = {
    {"brk", 1, make_break},
    {"memfd_create", 1, make_memfd},
    {"shm_open", 1, make_shm},
};

static void *files_open(unsigned thread)
{
    (void)thread;
    umask(022);
    return NULL;
}

static void files_nothing(struct run *run)
{
    (void)run;
}

static void files_close(void *state)
{
    (void)state;
}

const struct world memory_files_world = {
    .name = "memory_files",
    .is_table = true,
    .operations = operations,
    .operation_count = sizeof operations / sizeof operations[0],
    .open = files_open,
    .begin = files_nothing,
    .look = files_nothing,
    .close = files_close,
};
