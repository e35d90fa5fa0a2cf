// SPDX-License-Identifier: BSD-3-Clause
// segments.c: System V's shared memory.
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "show.h"

enum { PAGE = 4096, SIZE = 3 * PAGE, MANY = 100, ROUNDS = 200 };

static sigjmp_buf after_fault;

static void on_fault(int signal)
{
    (void)signal;
    siglongjmp(after_fault, 1);
}

static int writes(char *va)
{
    if (sigsetjmp(after_fault, 1) != 0) {
        return 0;
    }
    *(volatile char *)va = 'w';
    return 1;
}

static int key_of_own(void)
{
    return 0x05000000 | (getpid() & 0xffff);
}

static void status(const char *when, int id)
{
    struct shmid_ds now;
    memset(&now, 0xa5, sizeof now);
    if (shmctl(id, IPC_STAT, &now) != 0) {
        printf("%s: %s\n", when, strerrorname_np(errno));
        return;
    }
    time_t clock = time(NULL);
    printf("%s: key %d mode %o size %zu mappings %ld mine %d %d attached %d detached %d changed %d "
           "users %d %d %d %d\n",
           when, now.shm_perm.__key == key_of_own(), now.shm_perm.mode, now.shm_segsz,
           (long)now.shm_nattch, now.shm_cpid == getpid(),
           now.shm_lpid == getpid() ? 1
           : now.shm_lpid == 0      ? 0
                                    : 2,
           now.shm_atime != 0 && clock - now.shm_atime < 60,
           now.shm_dtime != 0 && clock - now.shm_dtime < 60, clock - now.shm_ctime < 60,
           now.shm_perm.uid == geteuid(), now.shm_perm.gid == getegid(),
           now.shm_perm.cuid == geteuid(), now.shm_perm.cgid == getegid());
}

// ---- Numbers and keys ------------------------------------------------------

static void making(void)
{
    int key = key_of_own();
    SHOW(shmget(key, SIZE, 0600));
    SHOW(shmget(key, 0, IPC_CREAT | 0600));
    SHOW(shmget(key, SIZE_MAX, IPC_CREAT | 0600));
    SHOW(shmget(key, SIZE_MAX / 2, IPC_CREAT | 0600));
    SHOW(shmget(key, (size_t)1 << 50, IPC_CREAT | 0600));
    SHOW(shmget(key, SIZE, IPC_CREAT | SHM_HUGETLB | 0600));
    int id = shmget(key, SIZE - 10, IPC_CREAT | IPC_EXCL | 0640);
    printf("made: %d\n", id >= 0);
    status("new", id);
    printf("the same: %d %d %d\n", shmget(key, SIZE - 10, IPC_CREAT | 0600) == id,
           shmget(key, 0, 0) == id, shmget(key, 5, 0400) == id);
    SHOW(shmget(key, SIZE, 0));
    SHOW(shmget(key, SIZE - 9, IPC_CREAT));
    SHOW(shmget(key, 5, IPC_CREAT | IPC_EXCL));
    SHOW(shmget(key, SIZE, IPC_CREAT | IPC_EXCL));
    SHOW(shmget(key, SIZE, IPC_EXCL));
    int first = shmget(IPC_PRIVATE, PAGE, 0600), second = shmget(IPC_PRIVATE, PAGE, IPC_EXCL);
    printf("private: %d\n", first >= 0 && second >= 0 && first != second);
    status("no permissions", second);
    SHOW(shmctl(first, IPC_RMID, NULL));
    SHOW(shmctl(first, IPC_RMID, NULL));
    SHOW_OK(shmat(first, NULL, 0));
    SHOW(shmctl(second, IPC_RMID, NULL));
    SHOW(shmctl(id, IPC_RMID, NULL));
    SHOW(shmget(key, SIZE, 0600));
    int again = shmget(key, SIZE, IPC_CREAT | 0600);
    printf("another number: %d\n", again >= 0 && again != id);
    SHOW(syscall(SYS_shmctl, again, IPC_RMID, NULL));
    int reserve = shmget(IPC_PRIVATE, (size_t)1 << 36, SHM_NORESERVE | 0600);
    printf("64 GiB without promise: %d\n", reserve >= 0);
    SHOW(shmctl(reserve, IPC_RMID, NULL));
}

static void many(void)
{
    static int ids[MANY];
    int good = 0;
    for (int i = 0; i < MANY; ++i) {
        ids[i] = shmget(IPC_PRIVATE, PAGE, 0600);
        good += ids[i] >= 0;
        for (int j = 0; j < i; ++j) {
            good -= ids[i] == ids[j];
        }
    }
    for (int i = 0; i < MANY; ++i) {
        char *va = shmat(ids[i], NULL, 0);
        good += va[0] == 0;
        va[0] = (char)i;
        good += shmdt(va) == 0;
    }
    for (int i = 0; i < MANY; ++i) {
        char *va = shmat(ids[i], NULL, SHM_RDONLY);
        good += va[0] == (char)i && shmctl(ids[i], IPC_RMID, NULL) == 0 && shmdt(va) == 0;
    }
    printf("many: %d of %d\n", good, 4 * MANY);
}

// ---- Attaching -------------------------------------------------------------

static void attaching(void)
{
    int id = shmget(IPC_PRIVATE, SIZE - 10, 0600);
    SHOW_OK(shmat(-1, NULL, 0));
    SHOW_OK(shmat(id + 1, NULL, 0));
    SHOW_OK(shmat(id, (char *)8, 0));
    SHOW_OK(shmat(id, NULL, SHM_REMAP));
    SHOW_OK(shmat(id, (char *)8, SHM_RND | SHM_REMAP));
    SHOW_OK(shmat(id, (char *)(UINTPTR_MAX - PAGE + 1), 0));
    SHOW_OK(shmat(id, (char *)((uintptr_t)1 << 47), 0));
    SHOW_OK(shmat(id, (char *)((uintptr_t)1 << 47), SHM_REMAP));
    char *va = shmat(id, NULL, 0), *other = shmat(id, NULL, SHM_RDONLY | SHM_RND);
    SHOW(shmdt(shmat(id, NULL, 0)));
    status("twice", id);
    strcpy(va + PAGE - 3, "across");
    printf("%s, to the page's end: %d\n", other + PAGE - 3, other[SIZE - 1]);
    printf("writes: %d %d\n", writes(va), writes(other));
    SHOW(mprotect(other, SIZE, PROT_READ | PROT_WRITE));
    SHOW(mprotect(other, PAGE, PROT_NONE));
    SHOW(mprotect(other, PAGE, PROT_READ));
    status("in pieces", id);
    SHOW(munmap(other, PAGE));
    status("without the first", id);
    SHOW(shmdt(other + PAGE));
    SHOW(shmdt(other + 8));
    SHOW(shmdt(other));
    SHOW(shmdt(other));
    status("once", id);
    SHOW_OK(shmat(id, va, 0));
    printf("over itself: %d\n", shmat(id, va, SHM_REMAP) == va);
    status("over", id);
    SHOW(munmap(va + PAGE, PAGE));
    status("with a hole", id);
    SHOW_OK(shmat(id, va + 2 * PAGE, 0));
    SHOW(shmdt(va));
    char *hole = mmap(NULL, 8 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(hole, 8 * PAGE);
    printf("rounded: %d\n", shmat(id, hole + 100, SHM_RND | SHM_EXEC) == hole);
    va = mremap(hole, SIZE, SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, hole + 4 * PAGE);
    printf("moved: %d, %s\n", va == hole + 4 * PAGE, va + PAGE - 3);
    SHOW(shmdt(hole));
    SHOW(shmdt(va));
    SHOW(shmdt(NULL));
    SHOW(shmdt((char *)&id - (uintptr_t)&id % PAGE));
    status("none", id);
    SHOW(shmctl(id, IPC_RMID, NULL));
}

static void removal(void)
{
    int key = key_of_own(), id = shmget(key, PAGE, IPC_CREAT | 0600);
    char *va = shmat(id, NULL, 0);
    strcpy(va, "kept");
    SHOW(shmctl(id, IPC_RMID, NULL));
    status("removed", id);
    SHOW(shmget(key, PAGE, 0600));
    int next = shmget(key, PAGE, IPC_CREAT | 0600);
    printf("next: %d\n", next >= 0 && next != id);
    char *more = shmat(id, NULL, 0);
    printf("%s\n", more == MAP_FAILED ? "?" : more);
    SHOW(shmctl(id, IPC_RMID, NULL));
    SHOW(shmdt(va));
    status("one is left", id);
    SHOW(munmap(more, PAGE));
    status("gone", id);
    SHOW_OK(shmat(id, NULL, 0));
    SHOW(shmctl(next, IPC_RMID, NULL));
    status("never used", next);
}

// ---- Asking and changing ---------------------------------------------------

static void control(void)
{
    int id = shmget(IPC_PRIVATE, PAGE, 0600);
    struct shmid_ds set;
    struct shminfo limits;
    SHOW(shmctl(id, IPC_STAT, NULL));
    SHOW(shmctl(id, 77, NULL));
    SHOW(shmctl(-1, IPC_STAT, &set));
    SHOW(shmctl(id + 1, IPC_STAT, &set));
    SHOW(shmctl(id + 1, IPC_SET, NULL));
    SHOW(shmctl(-1, IPC_INFO, (struct shmid_ds *)&limits));
    shmctl(id, IPC_STAT, &set);
    set.shm_perm.mode = 0177444;
    SHOW(shmctl(id, IPC_SET, &set));
    status("set", id);
    set.shm_perm.uid = (uid_t)-1;
    SHOW(shmctl(id, IPC_SET, &set));
    set.shm_perm.uid = geteuid();
    set.shm_perm.mode = 0;
    SHOW(shmctl(id, IPC_SET, &set));
    status("nobody may", id);
    char *va = shmat(id, NULL, SHM_RDONLY);
    printf("attached: %d\n", va != MAP_FAILED);
    if (va != MAP_FAILED) {
        shmdt(va);
    }
    SHOW(shmctl(id, SHM_LOCK, NULL));
    status("locked", id);
    SHOW(shmctl(id, SHM_LOCK, NULL));
    SHOW(shmctl(id, SHM_UNLOCK, NULL));
    status("unlocked", id);
    SHOW(shmctl(id + 1, SHM_LOCK, NULL));
    SHOW_OK(shmctl(0, IPC_INFO, (struct shmid_ds *)&limits));
    printf("limits %lx %ld %ld %ld %lx\n", limits.shmmax, limits.shmmin, limits.shmmni,
           limits.shmseg, limits.shmall);
    SHOW(shmctl(0, IPC_INFO, NULL));
    SHOW(shmctl(0, SHM_INFO, NULL));
    SHOW(shmctl(id, IPC_RMID, NULL));
}

static void sums(void)
{
    struct shm_info before, after;
    struct shmid_ds set;
    shmctl(0, SHM_INFO, (struct shmid_ds *)&before);
    int id = shmget(IPC_PRIVATE, SIZE, 0600);
    char *va = shmat(id, NULL, 0);
    va[SIZE - 1] = 1;
    int last = shmctl(0, SHM_INFO, (struct shmid_ds *)&after);
    printf("sums: %d %ld %ld %ld\n", after.used_ids - before.used_ids,
           (long)(after.shm_tot - before.shm_tot), (long)(after.shm_rss - before.shm_rss),
           (long)after.shm_swp);
    int seen = 0, missing = 0;
    for (int i = 0; i <= last; ++i) {
        int found = shmctl(i, SHM_STAT, &set);
        seen += found == id && set.shm_segsz == SIZE;
        seen += shmctl(i, SHM_STAT_ANY, &set) == id;
        missing += found < 0 && errno != EINVAL;
    }
    printf("by slot: %d, %d\n", seen, missing);
    SHOW(shmctl(32767, SHM_STAT, &set));
    shmdt(va);
    SHOW(shmctl(id, IPC_RMID, NULL));
}

static void line_print(const char *line, int id)
{
    int key, number, uid, gid, cuid, cgid;
    unsigned mode;
    unsigned long size, mappings, resident, swapped;
    long attached, detached, changed;
    int creator, last;
    int count = sscanf(line, "%d %d %o %lu %d %d %lu %d %d %d %d %ld %ld %ld %lu %lu", &key,
                       &number, &mode, &size, &creator, &last, &mappings, &uid, &gid, &cuid, &cgid,
                       &attached, &detached, &changed, &resident, &swapped);
    if (count == 16 && number == id) {
        printf(
            "line of %zu: key %d mode %o size %lu by %d %d mappings %lu user %d resident %lu %lu "
            "times %d %d %d\n",
            strlen(line), key == key_of_own(), mode, size, creator == getpid(), last == getpid(),
            mappings, uid == (int)getuid(), resident, swapped, attached != 0, detached != 0,
            changed != 0);
    }
}

static void text(void)
{
    int id = shmget(key_of_own(), SIZE - 1, IPC_CREAT | 0606), count = 0;
    char *va = shmat(id, NULL, 0), line[400], name[64] = "", perms[8] = "";
    va[2 * PAGE] = 1;
    FILE *file = fopen("/proc/sysvipc/shm", "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        if (count++ == 0) {
            printf("%s", line);
        }
        line_print(line, id);
    }
    fclose(file);
    file = fopen("/proc/self/maps", "r");
    while (fgets(line, sizeof line, file) != NULL) {
        unsigned long start, end, inode = 1, wanted = (unsigned long)id;
        if (sscanf(line, "%lx-%lx %7s %*x %*x:%*x %lu %63[^\n]", &start, &end, perms, &inode,
                   name) >= 4 &&
            (char *)start == va) {
            snprintf(line, sizeof line, "/SYSV%08x (deleted)", key_of_own());
            printf("%lx %s %d %d\n", end - start, perms, inode == wanted, strcmp(line, name));
        }
    }
    fclose(file);
    shmctl(id, IPC_RMID, NULL);
    SHOW(shmdt(va));
}

// ---- Locked memory, threads ------------------------------------------------

static void future_locked(void)
{
    int id = shmget(IPC_PRIVATE, SIZE, 0600);
    SHOW(mlockall(MCL_FUTURE));
    char *va = shmat(id, NULL, 0);
    unsigned char pages[SIZE / PAGE];
    mincore(va, SIZE, pages);
    printf("there: %d %d %d\n", pages[0] & 1, pages[1] & 1, pages[2] & 1);
    SHOW(madvise(va, PAGE, MADV_DONTNEED));
    SHOW(munlockall());
    SHOW(shmdt(va));
    SHOW(shmctl(id, IPC_RMID, NULL));
}

static void *attach_often(void *argument)
{
    int id = *(int *)argument;
    long bad = 0;
    for (int i = 0; i < ROUNDS; ++i) {
        char *va = shmat(id, NULL, 0);
        if (va == MAP_FAILED) {
            ++bad;
            continue;
        }
        __atomic_fetch_add((int *)va, 1, __ATOMIC_RELAXED);
        bad += shmdt(va) != 0;
    }
    return (void *)bad;
}

// Linux counts one that is being attached twice for a moment.
static void threads(void)
{
    int id = shmget(IPC_PRIVATE, PAGE, 0600);
    pthread_t others[3];
    char *va = shmat(id, NULL, 0);
    for (int i = 0; i < 3; ++i) {
        pthread_create(&others[i], NULL, attach_often, &id);
    }
    for (int i = 0; i < ROUNDS; ++i) {
        struct shmid_ds now;
        if (shmctl(id, IPC_STAT, &now) != 0 || now.shm_nattch < 1 || now.shm_nattch > 7) {
            printf("%d: %ld mappings\n", i, (long)now.shm_nattch);
        }
    }
    long bad = 0;
    for (int i = 0; i < 3; ++i) {
        void *result;
        pthread_join(others[i], &result);
        bad += (long)result;
    }
    printf("threads: %ld wrong, %d\n", bad, *(int *)va);
    SHOW(shmctl(id, IPC_RMID, NULL));
    SHOW(shmdt(va));
}

int main(void)
{
    struct sigaction action = {.sa_handler = on_fault};
    sigaction(SIGSEGV, &action, NULL);
    making();
    many();
    attaching();
    removal();
    control();
    sums();
    text();
    future_locked();
    threads();
    return 0;
}
