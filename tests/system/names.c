// SPDX-License-Identifier: BSD-3-Clause
// names.c: names and contents of files in memory stay whole for who looks at them while others
// change them: a file that is replaced by rename is always there, and a read is of one file.
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MUST(claim)                                                                                \
    ((claim) ? (void)0 : (printf("line %d: not so: %s\n", __LINE__, #claim), exit(1)))

enum { CHANGES = 300, MANY = 40, PAGE = 4096 };

static char folder[] = "/tmp/names-XXXXXX";
static _Atomic int stop, looked;

static const char *path(const char *name)
{
    static _Thread_local char text[2][128];
    static _Thread_local int turn;
    turn ^= 1;
    snprintf(text[turn], sizeof text[turn], "%s/%s", folder, name);
    return text[turn];
}

static void file_make(const char *name, char byte, size_t size)
{
    char data[PAGE];
    memset(data, byte, sizeof data);
    int fd = open(path(name), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    MUST(fd >= 0);
    for (size_t done = 0; done < size; done += sizeof data) {
        MUST(write(fd, data, sizeof data) == sizeof data);
    }
    close(fd);
}

// Counts what must never be.
static void *looker(void *argument)
{
    long *wrong = argument;
    char data[PAGE];
    struct stat status;
    while (!stop) {
        *wrong += stat(path("deep/er/file"), &status) != 0;
        *wrong += status.st_size != PAGE || status.st_mode != (S_IFREG | 0644);
        int fd = open(path("deep/er/file"), O_RDONLY);
        *wrong += fd < 0;
        *wrong += pread(fd, data, sizeof data, 0) != sizeof data;
        *wrong += memcmp(data, data + 1, sizeof data - 1) != 0; // all bytes are the same
        close(fd);
        *wrong += stat(path("deep/none"), &status) == 0;
        ++looked;
    }
    return NULL;
}

// Makes, removes and replaces the file by other names of its directory.
static void replace_and_fill(void)
{
    char name[32];
    for (int i = 0; i < CHANGES; ++i) {
        snprintf(name, sizeof name, "deep/er/n%d", i % MANY);
        file_make(name, (char)('a' + i % 26), PAGE);
        if (i % 3 == 0) {
            MUST(rename(path(name), path("deep/er/file")) == 0);
        } else if (i % 3 == 1) {
            MUST(unlink(path(name)) == 0);
        }
    }
}

static void names_hold_while_they_change(void)
{
    pthread_t threads[2];
    long wrong[2] = {0, 0};
    MUST(mkdir(path("deep"), 0755) == 0 && mkdir(path("deep/er"), 0755) == 0);
    file_make("deep/er/file", 'x', PAGE);
    for (int i = 0; i < 2; ++i) {
        MUST(pthread_create(&threads[i], NULL, looker, &wrong[i]) == 0);
    }
    replace_and_fill();
    while (looked == 0) {
        sched_yield();
    }
    stop = 1;
    for (int i = 0; i < 2; ++i) {
        pthread_join(threads[i], NULL);
    }
    printf("wrong looks: %ld %ld\n", wrong[0], wrong[1]);
}

static void *reader(void *argument)
{
    char data[4 * PAGE];
    long *wrong = argument;
    int fd = open(path("shrinks"), O_RDONLY);
    while (!stop) {
        ssize_t got = pread(fd, data, sizeof data, 0);
        for (ssize_t i = 0; i < got; ++i) {
            *wrong += data[i] != 's' && data[i] != 0;
        }
        ++looked;
    }
    close(fd);
    return NULL;
}

// The pages that one file gives back become another's while the first is being read.
static void reads_hold_while_pages_go(void)
{
    pthread_t thread;
    long wrong = 0;
    stop = looked = 0;
    file_make("shrinks", 's', 4 * PAGE);
    MUST(pthread_create(&thread, NULL, reader, &wrong) == 0);
    for (int i = 0; i < CHANGES / 3; ++i) {
        MUST(truncate(path("shrinks"), 0) == 0);
        file_make("other", 'o', 4 * PAGE);
        file_make("shrinks", 's', 4 * PAGE);
    }
    while (looked == 0) {
        sched_yield();
    }
    stop = 1;
    pthread_join(thread, NULL);
    printf("wrong bytes: %ld\n", wrong);
}

// A buffer that ends in the middle of a transfer: what fits is done.
static void bad_buffers_end_transfers(void)
{
    char *memory = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(memory + 2 * PAGE, PAGE);
    memset(memory, 'm', 2 * PAGE);
    int fd = open(path("ends"), O_RDWR | O_CREAT, 0644);
    char *late = memory + 2 * PAGE - 100;
    printf("write past the end of memory: %zd\n", write(fd, late, 3000));
    struct stat status;
    fstat(fd, &status);
    printf("size %ld\n", (long)status.st_size);
    MUST(ftruncate(fd, 8000) == 0);
    memset(memory, 'm', 2 * PAGE);
    printf("read past the end of memory: %zd\n", pread(fd, late, 3000, 0));
    printf("%d %d\n", late[0], late[99]);
    printf("read to nowhere: %zd\n", pread(fd, memory + 2 * PAGE, 10, 0));
    char tail[200];
    MUST(pread(fd, tail, sizeof tail, 0) == sizeof tail);
    printf("%d %d\n", tail[99], tail[100]);
    close(fd);
    munmap(memory, 2 * PAGE);
}

static void blocks_are_counted(void)
{
    struct stat status;
    int fd = open(path("blocks"), O_RDWR | O_CREAT, 0644);
    MUST(pwrite(fd, "x", 1, 10 * PAGE) == 1);
    fstat(fd, &status);
    printf("one page of eleven: %ld blocks, size %ld\n", (long)status.st_blocks,
           (long)status.st_size);
    MUST(pwrite(fd, "x", 1, 0) == 1);
    MUST(ftruncate(fd, 2 * PAGE) == 0);
    fstat(fd, &status);
    printf("the first is left: %ld\n", (long)status.st_blocks);
    close(fd);
}

static void plain_paths_and_others(void)
{
    char name[128];
    struct stat status;
    int fd = open(path("deep/er/file"), O_RDONLY);
    char link[64], target[128];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, target, sizeof target - 1);
    MUST(length > 0);
    target[length] = 0;
    MUST(strcmp(target, path("deep/er/file")) == 0);
    int again = open(link, O_RDONLY);
    MUST(again >= 0 && again != fd);
    MUST(openat(fd, "x", O_RDONLY) == -1);
    close(again);
    close(fd);
    static const char *const others[] = {
        "deep/./er/file", "deep//er/file",  "deep/er/../er/file", "deep/er/file/",
        "deep/er/",       "deep/er/file/x", "deep/er/..",         "sym/file",
    };
    MUST(symlink("deep/er", path("sym")) == 0);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; ++i) {
        snprintf(name, sizeof name, "%s/%s", folder, others[i]);
        printf("%s: %d\n", others[i], stat(name, &status) == 0 ? (int)(status.st_mode >> 12) : -1);
    }
    MUST(lstat(path("sym"), &status) == 0 && S_ISLNK(status.st_mode));
    MUST(open(path("sym"), O_RDONLY | O_NOFOLLOW) == -1);
    MUST(chmod(path("deep/er/file"), 0600) == 0);
    MUST(stat(path("deep/er/file"), &status) == 0 && status.st_mode == (S_IFREG | 0600));
    MUST(unlink(path("deep/er/file")) == 0);
    MUST(stat(path("deep/er/file"), &status) == -1);
}

static int take_away(const char *name, const struct stat *status, int kind, struct FTW *place)
{
    (void)status, (void)kind, (void)place;
    return remove(name);
}

int main(void)
{
    umask(022);
    MUST(mkdtemp(folder) != NULL);
    names_hold_while_they_change();
    reads_hold_while_pages_go();
    bad_buffers_end_transfers();
    blocks_are_counted();
    plain_paths_and_others();
    MUST(nftw(folder, take_away, 10, FTW_DEPTH | FTW_PHYS) == 0);
    return 0;
}
