// SPDX-License-Identifier: BSD-3-Clause
// memory_rare.c: the table of calls on memory that few programs make: protection keys, the memory
// of a process by its number, pages of files in another order, seals, limits.
//
// Left out is what hangs on the processor (a key that there is) and on the kernel (which barriers
// membarrier has).
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ipc.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "cases.h"

// ---- Protection keys, barriers -------------------------------------------

static void make_key(struct run *run)
{
    static const long flags[] = {0, 1, -1}, rights[] = {0, 1, 2, 3, 4, -1};
    long flag = CHOOSE(run, flags), right = CHOOSE(run, rights);
    long key = syscall(SYS_pkey_alloc, flag, right);
    say(run, " flags %lx rights %lx", flag, right);
    if (flag != 0 || right < 0 || right > 3) {
        say_result(run, key);
    } else if (key < 0 && errno == ENOSYS) {
        say(run, " no such call");
    } else if (key > 0) {
        syscall(SYS_pkey_free, key);
    }
}

static void make_key_free(struct run *run)
{
    say_result(run, syscall(SYS_pkey_free, NUMBER_CHOOSE(run, "key", -1, 1, 15, 16, INT_MAX)));
}

static void make_key_protect(struct run *run)
{
    static const long offsets[] = {0, 2 * PAGE, 6 * PAGE, 8 * PAGE, 0x123};
    static const size_t sizes[] = {0, PAGE, 3 * PAGE, (size_t)-PAGE, (size_t)-1};
    char *va = memory_of(run)->arena + CHOOSE(run, offsets);
    size_t size = CHOOSE(run, sizes);
    say_place(run, va);
    say(run, ",%lx", (long)size);
    int prot =
        NUMBER_CHOOSE(run, "prot", PROT_NONE, PROT_READ, RW, PROT_GROWSUP | PROT_GROWSDOWN, 0x10);
    int key = NUMBER_CHOOSE(run, "key", -1, -2, 7, 16);
    struct attempt attempt = attempt_begin(run);
    long error;
    do {
        error = syscall(SYS_pkey_mprotect, va, size, prot, key);
    } while (attempt_again(run, &attempt, error != 0));
    say_result(run, error);
}

static void make_barrier(struct run *run)
{
    int command = NUMBER_CHOOSE(run, "command", 0, 3, 5, 1 << 20, -1);
    int flags = NUMBER_CHOOSE(run, "flags", 0, 1, 2, -1);
    long result = syscall(SYS_membarrier, command, flags, 0);
    say_result(run, result > 0 ? 0 : result);
}

// ---- The memory of a process ---------------------------------------------

enum { VECTORS_MAX = 3, TOP = 1 << 20 };

// Offsets in the arena; TOP: no program's memory.
struct vectors {
    uint8_t count;
    struct {
        uint32_t offset;
        size_t size;
    } list[VECTORS_MAX];
};

// The two have no page in common, so that nothing is copied to itself.
static const struct vectors own_vectors[] = {
    {1, {{0, PAGE}}},
    {2, {{16, 100}, {2048, 1000}}},
    {1, {{PAGE, 2 * PAGE}}}, // up to the hole
    {1, {{2 * PAGE, PAGE}}},
    {2, {{0, 0}, {PAGE, PAGE}}},
    {1, {{13 * PAGE, PAGE}}}, // to be read
    {1, {{7 * PAGE, PAGE}}},  // no access
    {1, {{0, SIZE_MAX}}},
    {1, {{TOP, PAGE}}},
    {1, {{14 * PAGE, 2 * PAGE}}},
    {2, {{0, PAGE}, {2 * PAGE, PAGE}}},
    {2, {{0, PAGE}, {0, SIZE_MAX}}},
};

static const struct vectors process_vectors[] = {
    {1, {{3 * PAGE, PAGE}}},
    {3, {{3 * PAGE + 8, 500}, {5 * PAGE + 128, 704}, {10 * PAGE, 64}}},
    {1, {{6 * PAGE, 2 * PAGE}}}, // up to where there is no access
    {2, {{3 * PAGE, 0}, {4 * PAGE, PAGE}}},
    {1, {{6 * PAGE, PAGE}}},
    {1, {{11 * PAGE, PAGE}}}, // beyond the file's end
    {1, {{3 * PAGE, SIZE_MAX}}},
    {1, {{TOP, PAGE}}},
    {1, {{12 * PAGE, PAGE}}},
    {2, {{3 * PAGE, PAGE}, {2 * PAGE, PAGE}}},
    {1, {{8 * PAGE, 2 * PAGE}}},
    {1, {{3 * PAGE, 0}}},
};

struct chosen {
    struct iovec vectors[VECTORS_MAX], *at;
    size_t count;
};

static void vectors_choose(struct run *run, const struct vectors *sets, uint32_t set_count,
                           struct chosen *chosen)
{
    uint32_t set = choose(run, set_count + 4);
    say(run, " vectors %u", set);
    chosen->at = chosen->vectors;
    if (set >= set_count) {
        static const size_t counts[] = {0, 1, 1025, SIZE_MAX};
        chosen->count = counts[set - set_count];
        chosen->at = NULL;
        return;
    }
    chosen->count = sets[set].count;
    for (uint32_t i = 0; i < sets[set].count; ++i) {
        uint32_t offset = sets[set].list[i].offset;
        chosen->vectors[i].iov_base =
            offset == TOP ? (char *)-(uintptr_t)PAGE : memory_of(run)->arena + offset;
        chosen->vectors[i].iov_len = sets[set].list[i].size;
    }
}

#define VECTORS_CHOOSE(run, sets, chosen)                                                          \
    vectors_choose(run, sets, sizeof(sets) / sizeof(sets)[0], chosen)

static void process_call(struct run *run, long number)
{
    struct chosen own, process;
    int id = NUMBER_CHOOSE(run, "id", -2 /* the caller's */, -1, INT_MAX);
    long flags = id == INT_MAX ? NUMBER_CHOOSE(run, "flags", 0, 1) : 0;
    VECTORS_CHOOSE(run, own_vectors, &own);
    VECTORS_CHOOSE(run, process_vectors, &process);
    long result;
    do {
        result = syscall(number, id == -2 ? getpid() : id, own.at, own.count, process.at,
                         process.count, flags);
    } while ((result < 0 ? errno == EFAULT || errno == ENOMEM : true) && run_again(run));
    say_result(run, result);
}

static void make_process_read(struct run *run)
{
    process_call(run, SYS_process_vm_readv);
}

static void make_process_write(struct run *run)
{
    process_call(run, SYS_process_vm_writev);
}

// Descriptors that are no process's: there are no others here.
static void make_process_advise(struct run *run)
{
    struct chosen own;
    int fd = NUMBER_CHOOSE(run, "fd", -1, 1000, -2 /* a file */);
    VECTORS_CHOOSE(run, own_vectors, &own);
    int advice = NUMBER_CHOOSE(run, "advice", MADV_COLD, 999);
    int flags = NUMBER_CHOOSE(run, "flags", 0, 1);
    say_result(run, syscall(SYS_process_madvise, fd == -2 ? memory_of(run)->fds[FILE_MEMFD] : fd,
                            own.at, own.count, advice, flags));
}

// ---- Pages of files, and which are there ---------------------------------

static void make_remap_pages(struct run *run)
{
    static const size_t first_pages[] = {0, 2, FILE_PAGES + 5, (size_t)1 << 50, SIZE_MAX};
    char *va = place_choose(run, true);
    size_t size = size_choose(run, va, false);
    size_t first = CHOOSE(run, first_pages);
    int what = NUMBER_CHOOSE(run, "what", 0, 1 /* flags */, 2 /* a protection */);
    int prot = what == 2 ? PROT_READ : 0, flags = what == 1 ? MAP_NONBLOCK : 0;
    say(run, " page %lx", (long)first);
    struct attempt attempt = attempt_begin(run);
    int error;
    do {
        error = remap_file_pages(va, size, prot, first, flags);
    } while (attempt_again(run, &attempt, error != 0));
    say_result(run, error);
}

// Of pages that were touched or locked, or of which there are none. Whether others are there, or
// come back at once, is the machine's affair.
static void make_core_says(struct run *run)
{
    static const uint8_t places[] = {0, 3, 5, 7, 10, 11, 12, 13, 14};
    unsigned char is_there = 0;
    int page = CHOOSE(run, places);
    char *va = memory_of(run)->arena + page * PAGE;
    int then =
        NUMBER_CHOOSE(run, "then", 0, MADV_DONTNEED, 24 /* MADV_DONTNEED_LOCKED */, MADV_WILLNEED);
    bool is_file = page != 0 && page != 12 && page != 14;
    say(run, " page %d", page);
    if (page >= 13 && mlock(va, PAGE) != 0) {
        say(run, " not locked");
    }
    if (then != 0) {
        say_result(run, madvise(va, PAGE, then));
    }
    say_result(run, mincore(va, PAGE, &is_there));
    if (is_file || then == 0 || then == MADV_WILLNEED) {
        say(run, " there %d", is_there & 1);
    }
}

// ---- Seals ---------------------------------------------------------------

enum { SEALED_PAGES = 3 };

static long sealed_map(int fd, int prot, int flags, int then)
{
    char *va = mmap(NULL, SEALED_PAGES * PAGE, prot, flags, fd, 0);
    if (va == MAP_FAILED) {
        return -1;
    }
    long result = then != 0 ? mprotect(va, PAGE, then) : 0;
    int error = errno;
    munmap(va, SEALED_PAGES * PAGE);
    errno = error;
    return result;
}

static long sealed_call(int fd, uint32_t call)
{
    static const char text[2 * PAGE] = "text";
    switch (call) {
    case 0:
        return pwrite(fd, text, 5, 0);
    case 1:
        return pwrite(fd, text, 5, SEALED_PAGES * PAGE);
    case 2:
        return pwrite(fd, text, sizeof text, (SEALED_PAGES - 1) * PAGE);
    case 3:
        return ftruncate(fd, PAGE);
    case 4:
        return ftruncate(fd, 5l * PAGE);
    case 5:
        return ftruncate(fd, SEALED_PAGES * PAGE);
    case 6:
        return fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, PAGE);
    case 7:
        return fallocate(fd, 0, 0, 5l * PAGE);
    case 8:
        return sealed_map(fd, RW, MAP_SHARED, 0);
    case 9:
        return sealed_map(fd, PROT_READ, MAP_SHARED, 0);
    case 10:
        return sealed_map(fd, PROT_READ, MAP_SHARED, RW);
    case 11:
        return sealed_map(fd, RW, MAP_PRIVATE, 0);
    case 12:
        return fcntl(fd, F_ADD_SEALS, F_SEAL_GROW);
    default:
        return fcntl(fd, F_ADD_SEALS, 0);
    }
}

static void make_seal(struct run *run)
{
    enum { CALLS = 14 };
    static const struct {
        int prot, flags;
    } before[] = {{0, 0}, {RW, MAP_SHARED}, {PROT_READ, MAP_SHARED}, {RW, MAP_PRIVATE}};
    unsigned flag = choose(run, 2) != 0 ? 0 : MFD_ALLOW_SEALING;
    int seals = NUMBER_CHOOSE(run, "seals", 0, F_SEAL_SEAL, F_SEAL_SHRINK, F_SEAL_GROW,
                              F_SEAL_WRITE, F_SEAL_FUTURE_WRITE, F_SEAL_SHRINK | F_SEAL_GROW,
                              F_SEAL_SEAL | F_SEAL_WRITE, 0x1f, 0x100, -1);
    uint32_t mapping = choose(run, sizeof before / sizeof before[0]);
    uint32_t call = choose(run, CALLS);
    int fd;
    do {
        fd = memfd_create("sealed", flag);
    } while (fd < 0 && run_again(run));
    while (ftruncate(fd, SEALED_PAGES * PAGE) != 0 && run_again(run)) {
    }
    char *va = NULL;
    while (before[mapping].prot != 0 &&
           (va = mmap(NULL, PAGE, before[mapping].prot, before[mapping].flags, fd, 0)) ==
               MAP_FAILED &&
           run_again(run)) {
    }
    say(run, " %d before %u call %u", flag != 0, mapping, call);
    say_result(run, fcntl(fd, F_ADD_SEALS, seals));
    long result;
    do {
        result = sealed_call(fd, call);
    } while (result < 0 && (errno == ENOMEM || errno == ENOSPC) && run_again(run));
    say_result(run, result);
    say_result(run, fcntl(fd, F_GET_SEALS));
    if (before[mapping].prot == RW) {
        int signal = 0;
        while (bytes_touch(va, 64, 'w', &signal) < 64 && run_again(run)) {
        }
        say(run, " signal %d", signal);
    }
    if (va != NULL && va != MAP_FAILED) {
        munmap(va, PAGE);
    }
    say(run, " size %ld", (long)lseek(fd, 0, SEEK_END));
    close(fd);
}

// ---- Limits --------------------------------------------------------------

// A page of System V's shared memory; there is one at a time.
static int segment = -1;

static int segment_made(void)
{
    segment = segment >= 0 ? segment : shmget(IPC_PRIVATE, PAGE, 0600);
    return segment;
}

static void limited_end(void)
{
    if (segment >= 0) {
        shmctl(segment, IPC_RMID, NULL);
        segment = -1;
    }
    munlockall();
}

// Of what counts as locked, and in ways to map that count otherwise.
static long locking_call(struct run *run, uint32_t call)
{
    struct memory *memory = memory_of(run);
    char *arena = memory->arena;
    const int private = MAP_PRIVATE | MAP_ANONYMOUS;
    void *va = NULL;
    switch (call) {
    case 14:
        return mlock(arena, PAGE);
    case 15:
        return sbrk(64l * PAGE) == (void *)-1 ? -1 : 0;
    case 16:
        return mlock(arena, 2 * PAGE);
    case 17:
        return mlock2(arena, PAGE, MLOCK_ONFAULT);
    case 18:
        va = mmap(arena + 2 * PAGE, PAGE, RW, private | MAP_FIXED | MAP_LOCKED, -1, 0);
        break;
    case 19:
        va = mmap(arena + 2 * PAGE, PAGE, RW, private | MAP_FIXED | MAP_NORESERVE, -1, 0);
        break;
    case 20:
        va =
            mmap(arena + 2 * PAGE, PAGE, RW, private | MAP_FIXED | MAP_STACK | MAP_POPULATE, -1, 0);
        break;
    case 21:
        va = mmap(arena + 2 * PAGE, PAGE, RW, MAP_SHARED | MAP_FIXED, memory->fds[FILE_SHM], 0);
        break;
    case 22:
        va = mremap(arena, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP,
                    arena + 2 * PAGE);
        break;
    case 23:
        va = mremap(arena + 12 * PAGE, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
                    arena + 2 * PAGE); // locked
        break;
    case 24:
        return munlock(arena + 12 * PAGE, PAGE);
    case 25:
        return munlockall();
    case 26:
        return mlockall(MCL_FUTURE);
    case 27:
        va = shmat(segment_made(), arena + 2 * PAGE, 0);
        break;
    default:
        return shmctl(segment_made(), SHM_LOCK, NULL);
    }
    return va == MAP_FAILED ? -1 : (char *)va - arena;
}

static long limited_call(struct run *run, uint32_t call)
{
    struct memory *memory = memory_of(run);
    char *arena = memory->arena;
    const int private = MAP_PRIVATE | MAP_ANONYMOUS, shared = MAP_SHARED | MAP_ANONYMOUS;
    void *va = NULL;
    switch (call) {
    case 0:
        va = mmap(arena + 2 * PAGE, PAGE, RW, private | MAP_FIXED, -1, 0);
        break;
    case 1:
        va = mmap(arena + 2 * PAGE, PAGE, PROT_NONE, private | MAP_FIXED, -1, 0);
        break;
    case 2:
        va = mmap(arena + 2 * PAGE, PAGE, RW, shared | MAP_FIXED, -1, 0);
        break;
    case 3:
        va = mmap(arena + 2 * PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_FIXED,
                  memory->fds[FILE_MEMFD], 0);
        break;
    case 4: // in place of what is private and may be written
        va = mmap(arena, 2 * PAGE, RW, private | MAP_FIXED, -1, 0);
        break;
    case 5: // of what may not
        va = mmap(arena + 6 * PAGE, PAGE, RW, private | MAP_FIXED, -1, 0);
        break;
    case 6:
        va = mmap(arena + PAGE, 2 * PAGE, RW, private | MAP_FIXED, -1, 0);
        break;
    case 7:
        va = mremap(arena, 2 * PAGE, 3 * PAGE, 0);
        break;
    case 8:
        va = mremap(arena, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, arena + 2 * PAGE);
        break;
    case 9:
        va = mremap(arena, 2 * PAGE, PAGE, 0);
        break;
    case 10:
        return mprotect(arena + 6 * PAGE, PAGE, RW);
    case 11:
        return mprotect(arena, PAGE, PROT_READ);
    case 12:
        return mprotect(arena + 4 * PAGE, PAGE, PROT_READ);
    case 13:
        return munmap(arena + PAGE, PAGE);
    default:
        return locking_call(run, call);
    }
    return va == MAP_FAILED ? -1 : (char *)va - arena;
}

static void make_limit(struct run *run)
{
    enum { CALLS = 29 };
    static const rlim_t limits[] = {0, 1, PAGE, 5 * PAGE, RLIM_INFINITY};
    static const int kinds[] = {RLIMIT_AS, RLIMIT_DATA, RLIMIT_MEMLOCK};
    int what = CHOOSE(run, kinds);
    struct rlimit old, limit;
    getrlimit(what, &old);
    limit = (struct rlimit){CHOOSE(run, limits), old.rlim_max};
    uint32_t call = choose(run, CALLS);
    say(run, " %d limit %lx call %u", what, (long)limit.rlim_cur, call);
    char *end = sbrk(0);
    struct attempt attempt = attempt_begin(run);
    long result;
    do {
        setrlimit(what, &limit);
        result = limited_call(run, call);
        int error = errno;
        setrlimit(what, &old);
        errno = error;
    } while (attempt_again(run, &attempt, result < 0));
    say_result(run, result);
    limited_end();
    while (sbrk(0) != end && sbrk(end - (char *)sbrk(0)) == (void *)-1) {
    }
}

// What setrlimit says of limits themselves. Hard ones stay: who is not privileged cannot take that
// back.
static void make_limit_set(struct run *run)
{
    static const int kinds[] = {RLIMIT_AS, RLIMIT_DATA, RLIMIT_STACK, 16, -1};
    static const rlim_t sizes[] = {64 << 20, (rlim_t)1 << 40, RLIM_INFINITY - 1, RLIM_INFINITY};
    int what = CHOOSE(run, kinds);
    struct rlimit old = {0, 0}, now = {0, 0};
    bool is_known = getrlimit(what, &old) == 0;
    struct rlimit limit = {CHOOSE(run, sizes), CHOOSE(run, sizes)};
    limit.rlim_max = limit.rlim_max < limit.rlim_cur ? limit.rlim_max : old.rlim_max;
    const int how = NUMBER_CHOOSE(run, "how", 0, 1 /* by number */, 2 /* NULL */, 3 /* wrong */);
    const struct rlimit *from = how < 2    ? &limit
                                : how == 2 ? NULL
                                           : (void *)(memory_of(run)->arena + 7 * PAGE);
    say(run, " %d limit %lx %lx", what, (long)limit.rlim_cur, (long)limit.rlim_max);
    long result = how == 1 ? prlimit(getpid(), (enum __rlimit_resource)what, from, &now)
                           : syscall(SYS_prlimit64, 0, what, from, &now);
    say_result(run, result);
    if (is_known) {
        say(run, " was %d", now.rlim_cur == old.rlim_cur && now.rlim_max == old.rlim_max);
        getrlimit(what, &now);
        say(run, " is %d %d", now.rlim_cur == limit.rlim_cur, now.rlim_max == limit.rlim_max);
        setrlimit(what, &old);
    }
}

static const struct operation operations[] = {
    {"pkey_alloc", 1, make_key},
    {"pkey_free", 1, make_key_free},
    {"pkey_mprotect", 1, make_key_protect},
    {"membarrier", 1, make_barrier},
    {"process_vm_readv", 1, make_process_read},
    {"process_vm_writev", 1, make_process_write},
    {"process_madvise", 1, make_process_advise},
    {"remap_file_pages", 1, make_remap_pages},
    {"mincore_says", 1, make_core_says},
    {"seals", 1, make_seal},
    {"limits", 1, make_limit},
    {"setrlimit", 1, make_limit_set},
};

// Without the right to lock what one likes, which who runs this may have on one machine alone.
static void *rare_open(unsigned thread)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct rights[_LINUX_CAPABILITY_U32S_3] = {{0, 0, 0}};
    if (syscall(SYS_capget, &header, rights) == 0) {
        rights[CAP_TO_INDEX(CAP_IPC_LOCK)].effective &= ~CAP_TO_MASK(CAP_IPC_LOCK);
        if (syscall(SYS_capset, &header, rights) != 0) {
            arena_die("differ: capset");
        }
    }
    return cases_open(thread);
}

const struct world memory_rare_world = {
    .name = "memory_rare",
    .is_table = true,
    .operations = operations,
    .operation_count = sizeof operations / sizeof operations[0],
    .open = rare_open,
    .begin = cases_begin,
    .look = cases_look,
    .close = arena_close,
};
