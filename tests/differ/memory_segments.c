// SPDX-License-Identifier: BSD-3-Clause
// memory_segments.c: the table of System V's shared memory. A case begins with one segment of three
// pages; between two cases there is none.
//
// Left out are segments of huge pages, and what is summed up over all segments of the machine.
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cases.h"

enum { SIZE = 3 * PAGE - 100, WHOLE = 3 * PAGE };

static int segment = -1;

static int key_of_own(void)
{
    return 0x05000000 | (getpid() & 0xffffff);
}

static void segments_begin(struct run *run)
{
    cases_begin(run);
    do {
        segment = shmget(key_of_own(), SIZE, IPC_CREAT | IPC_EXCL | 0640);
    } while (segment < 0 && run->may_fail);
    char *va;
    do {
        va = segment < 0 ? MAP_FAILED : shmat(segment, NULL, 0);
    } while (va == MAP_FAILED && run->may_fail);
    if (va == MAP_FAILED) {
        arena_die("differ: a segment");
    }
    memset(va, 's', SIZE);
    while (shmdt(va) != 0) {
    }
}

static void say_status(struct run *run, int id)
{
    struct shmid_ds now;
    memset(&now, 0, sizeof now);
    int error = shmctl(id, IPC_STAT, &now);
    say_result(run, error);
    if (error == 0) {
        say(run, " key %d mode %o size %lx mapped %ld mine %d %d times %d %d %d ids %d %d %d %d",
            now.shm_perm.__key == key_of_own(), now.shm_perm.mode, (long)now.shm_segsz,
            (long)now.shm_nattch, now.shm_cpid == getpid(),
            now.shm_lpid == 0 ? 0 : 1 + (now.shm_lpid == getpid()), now.shm_atime != 0,
            now.shm_dtime != 0, now.shm_ctime != 0, now.shm_perm.uid == getuid(),
            now.shm_perm.gid == getgid(), now.shm_perm.cuid == getuid(),
            now.shm_perm.cgid == getgid());
    }
}

static void segments_look(struct run *run)
{
    say_status(run, segment);
    cases_look(run);
    char *arena = memory_of(run)->arena;
    while (mmap(arena, memory_of(run)->size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
                0) == MAP_FAILED) {
    }
    shmctl(segment, IPC_RMID, NULL);
    say_status(run, segment);
}

// ---- Calls ---------------------------------------------------------------

static void make_get(struct run *run)
{
    static const size_t sizes[] = {0,     1,         PAGE,         SIZE,    SIZE + 1,
                                   WHOLE, WHOLE + 1, SIZE_MAX - 1, SIZE_MAX};
    int kind = NUMBER_CHOOSE(run, "key", 0 /* the segment's */, 1 /* another */, 2 /* none */);
    size_t size = CHOOSE(run, sizes);
    int flags = NUMBER_CHOOSE(run, "flags", 0, IPC_CREAT, IPC_CREAT | IPC_EXCL, IPC_EXCL,
                              IPC_CREAT | SHM_NORESERVE, IPC_CREAT | 0x100000, 0x200);
    int mode = NUMBER_CHOOSE(run, "mode", 0600, 0, 0400, 0777);
    int key = kind == 0 ? key_of_own() : kind == 1 ? key_of_own() | 0x40000000 : IPC_PRIVATE;
    say(run, " size %lx", (long)size);
    int id;
    do {
        id = shmget(key, size, flags | mode);
    } while (id < 0 && errno == ENOMEM && run_again(run));
    say(run, " is it %d", id == segment);
    say_result(run, id < 0 ? -1 : 0);
    if (id >= 0 && id != segment) {
        say_status(run, id);
        shmctl(id, IPC_RMID, NULL);
    }
}

static int id_choose(struct run *run)
{
    int kind = NUMBER_CHOOSE(run, "id", 0 /* the segment's */, 1 /* another */, -1, INT32_MAX);
    return kind == 0 ? segment : kind == 1 ? (segment ^ 0x40000000) : kind;
}

static void make_attach(struct run *run)
{
    int id = id_choose(run);
    char *va = place_choose(run, true);
    static const int flag_list[] = {0,
                                    SHM_RDONLY,
                                    SHM_RND,
                                    SHM_REMAP,
                                    SHM_EXEC,
                                    SHM_RND | SHM_REMAP,
                                    SHM_RDONLY | SHM_REMAP,
                                    1 << 20};
    int flags = CHOOSE(run, flag_list);
    say(run, " flags %x", (unsigned)flags);
    struct attempt attempt = attempt_begin(run);
    char *result;
    do {
        result = shmat(id, va, flags);
    } while (attempt_again(run, &attempt, result == (char *)-1));
    say_address(run, result);
    say_status(run, segment);
    bool is_elsewhere = result != (char *)-1 &&
                        (result < memory_of(run)->arena || result >= memory_of(run)->arena + ARENA);
    int signal = 0;
    if (is_elsewhere) {
        say(run, " wrote %lx %d", (long)bytes_touch(result, WHOLE, 3, &signal), signal);
        while (shmdt(result) != 0 && run_again(run)) {
        }
    }
}

// What is left of an attachment of which a part has another protection, is gone, or moved.
static void make_detach(struct run *run)
{
    char *arena = memory_of(run)->arena, *va = arena + 2 * PAGE;
    int changed = NUMBER_CHOOSE(run, "changed", 0, 1, 2, 3, 4, 5, 6);
    int where = NUMBER_CHOOSE(run, "where", 0, PAGE, 2 * PAGE, 1, -PAGE, 8 * PAGE, 5 * PAGE);
    char *at;
    while ((at = shmat(segment, va, SHM_REMAP)) == (char *)-1 && run_again(run)) {
    }
    say_address(run, at);
    long result = 0;
    do {
        result = changed == 1   ? munmap(va, PAGE)
                 : changed == 2 ? munmap(va + PAGE, PAGE)
                 : changed == 3 ? mprotect(va + PAGE, PAGE, PROT_READ)
                 : changed == 4 ? (long)mremap(va + 2 * PAGE, PAGE, PAGE,
                                               MREMAP_MAYMOVE | MREMAP_FIXED, arena + 10 * PAGE) -
                                      (long)(arena + 10 * PAGE)
                 : changed == 5
                     ? (shmat(segment, arena + 7 * PAGE, SHM_REMAP) == (void *)-1 ? -1 : 0)
                 : changed == 6 ? shmctl(segment, IPC_RMID, NULL)
                                : 0;
    } while (result < 0 && changed != 6 && run_again(run));
    say_result(run, result);
    say_status(run, segment);
    struct attempt attempt = attempt_begin(run);
    int error;
    do {
        error = shmdt(va + where);
    } while (attempt_again(run, &attempt, error != 0));
    say_result(run, error);
}

static void make_control(struct run *run)
{
    int id = id_choose(run);
    int command = NUMBER_CHOOSE(run, "command", IPC_STAT, IPC_SET, IPC_RMID, SHM_LOCK, SHM_UNLOCK,
                                IPC_SET | 0x100 /* IPC_64 */, 99, -1);
    int what = NUMBER_CHOOSE(run, "buffer", 0, 1 /* wrong */, 2 /* NULL */);
    int mode = NUMBER_CHOOSE(run, "mode", 0600, 0, 07777);
    int owner = NUMBER_CHOOSE(run, "owner", 0 /* as it is */, -1);
    struct shmid_ds status;
    if (shmctl(segment, IPC_STAT, &status) != 0) {
        arena_die("differ: shmctl");
    }
    status.shm_perm.mode = (unsigned short)mode;
    status.shm_perm.uid = owner == 0 ? status.shm_perm.uid : (uid_t)owner;
    int error;
    do {
        error = shmctl(id, command,
                       what == 0   ? &status
                       : what == 1 ? (void *)(memory_of(run)->arena + 7 * PAGE)
                                   : NULL);
    } while (error != 0 && errno == ENOMEM && run_again(run));
    say_result(run, error);
    if (error == 0 && command == SHM_LOCK) {
        say_status(run, segment);
        say_result(run, shmctl(segment, SHM_UNLOCK, NULL));
    }
    if (what == 0 && error == 0 && command == IPC_STAT) {
        say(run, " size %lx", (long)status.shm_segsz);
    }
}

// Once it is removed: who has attached it, who wants to, and who makes another with its key.
static void make_removed(struct run *run)
{
    char *arena = memory_of(run)->arena, *va = arena + 2 * PAGE;
    int then = NUMBER_CHOOSE(run, "then", 0, 1, 2, 3, 4);
    while (shmat(segment, va, SHM_REMAP) == (void *)-1 && run_again(run)) {
    }
    say_result(run, shmctl(segment, IPC_RMID, NULL));
    say_status(run, segment);
    long result = 0;
    do {
        result = then == 0   ? shmdt(va)
                 : then == 1 ? ((long)shmat(segment, arena + 7 * PAGE, SHM_REMAP) == -1 ? -1 : 0)
                 : then == 2 ? shmget(key_of_own(), 1, 0)
                 : then == 3 ? shmctl(segment, IPC_RMID, NULL)
                             : shmget(key_of_own(), 1, IPC_CREAT | IPC_EXCL | 0600);
    } while (result < 0 && errno == ENOMEM && run_again(run));
    say_result(run, result < 0 ? -1 : 0);
    if (then == 4 && result >= 0) {
        shmctl((int)result, IPC_RMID, NULL);
    }
}

static const struct operation operations[] = {
    {"shmget", 1, make_get},     {"shmat", 1, make_attach},        {"shmdt", 1, make_detach},
    {"shmctl", 1, make_control}, {"shm_removed", 1, make_removed},
};

const struct world memory_segments_world = {
    .name = "memory_segments",
    .is_table = true,
    .operations = operations,
    .operation_count = sizeof operations / sizeof operations[0],
    .open = cases_open,
    .begin = segments_begin,
    .look = segments_look,
    .close = arena_close,
};
