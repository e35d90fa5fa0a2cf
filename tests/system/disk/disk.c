// SPDX-License-Identifier: BSD-3-Clause
// disk.c: a raw disk (or a file of the same size) used as one.
//
//   disk fill FILE    four threads write all of it, each its own pieces, and read them back
//   disk check FILE   whether it holds what fill leaves there
//   disk facts FILE   what Linux answers about a disk, and which errors
//   disk faults FILE  fill, by a device that fails now and then: what was written without an error
//   is there
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { THREADS = 4, PIECE = 20480, ALIGNMENT = 4096, TRIES = 100 };

static const char *name;
static uint64_t disk_size;
static int may_fail;
static _Atomic unsigned failures;

static void fail(const char *what, uint64_t offset)
{
    printf("%s at %llu: %s\n", what, (unsigned long long)offset, strerror(errno));
    exit(1);
}

// What is at each place, whoever wrote it.
static unsigned char byte_at(uint64_t offset)
{
    uint64_t x = offset * 0x9e3779b97f4a7c15;
    return (unsigned char)(x >> 56 ^ x >> 29);
}

static void fill(unsigned char *data, uint64_t offset, size_t size)
{
    for (size_t i = 0; i < size; ++i) {
        data[i] = byte_at(offset + i);
    }
}

static void compare(const unsigned char *data, uint64_t offset, size_t size)
{
    for (size_t i = 0; i < size; ++i) {
        if (data[i] != byte_at(offset + i)) {
            printf("byte %llu is %u and should be %u\n", (unsigned long long)(offset + i), data[i],
                   byte_at(offset + i));
            exit(1);
        }
    }
}

static void transfer(int fd, unsigned char *data, size_t size, uint64_t offset, int writes)
{
    for (int i = 0; i < TRIES; ++i) {
        ssize_t done =
            writes ? pwrite(fd, data, size, (off_t)offset) : pread(fd, data, size, (off_t)offset);
        if (done == (ssize_t)size) {
            return;
        }
        if (!may_fail || (done < 0 && errno != EIO)) {
            fail(writes ? "write" : "read", offset);
        }
        ++failures;
    }
    fail("no end of errors", offset);
}

static size_t piece_size(uint64_t offset)
{
    return disk_size - offset < PIECE ? (size_t)(disk_size - offset) : PIECE;
}

// Pieces of odd length by one descriptor, so that neighbours meet in one block; every fourth whole
// blocks by the other, without a cache.
static void *worker(void *argument)
{
    uintptr_t self = (uintptr_t)argument;
    int fd = open(name, O_RDWR), direct = open(name, O_RDWR | O_DIRECT);
    unsigned char *data = aligned_alloc(ALIGNMENT, PIECE);
    if (fd < 0 || direct < 0 || data == NULL) {
        fail("open", 0);
    }
    for (uint64_t offset = self * PIECE; offset < disk_size; offset += THREADS * PIECE) {
        const size_t size = piece_size(offset);
        const size_t cut = offset / PIECE % 3 == 0 ? size / 3 + 1 : 0; // in two transfers
        const int is_direct = cut == 0 && size % 512 == 0 && offset / PIECE % 4 != 1;
        fill(data, offset, size);
        transfer(is_direct ? direct : fd, data + cut, size - cut, offset + cut, 1);
        if (cut > 0) {
            transfer(fd, data, cut, offset, 1);
        }
        memset(data, 0xee, size);
        transfer(is_direct ? fd : direct, data, size, offset, 0);
        compare(data, offset, size);
    }
    for (int i = 0; fsync(fd) != 0; ++i) {
        if (!may_fail || errno != EIO || i == TRIES) {
            fail("fsync", 0);
        }
    }
    free(data);
    close(direct);
    close(fd);
    return NULL;
}

static void check(void)
{
    int fd = open(name, O_RDONLY);
    unsigned char *data = malloc(PIECE);
    for (uint64_t offset = 0; offset < disk_size; offset += PIECE) {
        transfer(fd, data, piece_size(offset), offset, 0);
        compare(data, offset, piece_size(offset));
    }
    free(data);
    close(fd);
}

static void threads_run(void)
{
    pthread_t threads[THREADS];
    for (uintptr_t i = 0; i < THREADS; ++i) {
        if (pthread_create(&threads[i], NULL, worker, (void *)i) != 0) {
            fail("pthread_create", 0);
        }
    }
    for (int i = 0; i < THREADS; ++i) {
        pthread_join(threads[i], NULL);
    }
}

static void show(const char *what, long result)
{
    printf("%s: %s\n", what, result >= 0 ? "yes" : strerrorname_np(errno));
}

static void facts(void)
{
    struct stat status;
    int fd = open(name, O_RDWR | O_TRUNC), direct = open(name, O_RDWR | O_DIRECT), number = 0;
    static _Alignas(4096) char data[8192];
    void *volatile bad = (void *)8;
    uint64_t size = 0, range[2] = {4096, 8192};
    printf("a block device of no size: %d\n",
           fstat(fd, &status) == 0 && S_ISBLK(status.st_mode) && status.st_size == 0);
    printf("BLKGETSIZE64 %d\n", ioctl(fd, BLKGETSIZE64, &size));
    printf("the end is there: %d\n", size == disk_size);
    printf("BLKSSZGET %d", ioctl(fd, BLKSSZGET, &number));
    printf(" %d\n", number);
    printf("BLKROGET %d", ioctl(fd, BLKROGET, &number));
    printf(" %d\n", number);
    show("seek behind the end", lseek(fd, (off_t)size + 1, SEEK_SET));
    show("seek to the end", lseek(fd, 0, SEEK_END));
    printf("read at the end: %zd\n", read(fd, data, 512));
    show("write at the end", write(fd, data, 512));
    printf("write over the end: %zd\n", pwrite(fd, data, 1024, (off_t)size - 512));
    printf("read over the end: %zd\n", pread(fd, data, 8192, (off_t)size - 1000));
    show("direct, odd size", pread(direct, data, 100, 0));
    show("direct, odd place", pread(direct, data, 512, 100));
    show("direct, odd memory", pread(direct, data + 100, 512, 0));
    show("direct", pread(direct, data, 512, 512));
    show("read of bad memory", pread(fd, bad, 512, 0));
    show("write of bad memory", pwrite(fd, bad, 512, 0));
    memset(data, 7, sizeof data);
    show("BLKFLSBUF", ioctl(fd, BLKFLSBUF, 0));
    show("write", pwrite(fd, data, 8192, 4096));
    show("BLKZEROOUT", ioctl(fd, BLKZEROOUT, range));
    show("read", pread(fd, data, 8192, 4096));
    printf("zeros: %d\n", data[0] == 0 && memcmp(data, data + 1, 8191) == 0);
    range[1] = 100;
    show("BLKZEROOUT of less than a block", ioctl(fd, BLKZEROOUT, range));
    show("ftruncate", ftruncate(fd, 0));
    show("fsync", fsync(fd));
    show("terminal", ioctl(fd, TCGETS, data));
    show("no such disk", open("/dev/vdz", O_RDONLY));
}

// Of a disk that is read-only.
static void writes_refused(void)
{
    int fd = open(name, O_RDWR), number = 0;
    char data[512] = {0};
    show("open", fd);
    show("write", pwrite(fd, data, sizeof data, 0));
    show("read", pread(fd, data, sizeof data, 0));
    printf("BLKROGET %d", ioctl(fd, BLKROGET, &number));
    printf(" %d\n", number);
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        puts("usage: disk fill|check|facts|faults|refused FILE");
        return 2;
    }
    name = argv[2];
    int fd = open(name, O_RDONLY);
    off_t end = lseek(fd, 0, SEEK_END);
    if (end <= 0) {
        fail("the size", 0);
    }
    disk_size = (uint64_t)end;
    close(fd);
    may_fail = strcmp(argv[1], "faults") == 0;
    if (strcmp(argv[1], "facts") == 0) {
        facts();
    } else if (strcmp(argv[1], "refused") == 0) {
        writes_refused();
    } else {
        if (strcmp(argv[1], "check") != 0) {
            threads_run();
        }
        check();
        printf("all %llu bytes are right\n", (unsigned long long)disk_size);
    }
    if (may_fail) {
        printf("transfers failed: %s\n", failures > 0 ? "some" : "none");
    }
    return 0;
}
