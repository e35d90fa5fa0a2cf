// SPDX-License-Identifier: BSD-3-Clause
// holes.c: room for a file and holes in it: fallocate, SEEK_DATA and SEEK_HOLE, blocks counted;
// hints about reading and writing. In memory (/dev/shm), where Linux answers by pages, and what
// does not depend on the disk also here.
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "show.h"

enum { PAGE = 4096 };

static void status_show(int fd)
{
    struct stat status;
    fstat(fd, &status);
    printf("  size %ld, blocks %ld\n", (long)status.st_size, (long)status.st_blocks);
}

// Data and holes, as two seeks find them.
static void map_show(int fd)
{
    off_t at = 0, end = lseek(fd, 0, SEEK_END);
    printf("  map of %ld:", (long)end);
    while (at < end) {
        off_t data = lseek(fd, at, SEEK_DATA);
        off_t hole = data < 0 ? end : lseek(fd, data, SEEK_HOLE);
        printf(" %ld..%ld", (long)data, (long)hole);
        at = hole;
    }
    printf("\n");
    errno = 0;
}

static void byte_show(int fd, off_t at)
{
    char byte = 'x';
    pread(fd, &byte, 1, at);
    printf("  byte %ld: %d\n", (long)at, byte);
}

static void by_pages(void)
{
    int fd = open("holes", O_RDWR | O_CREAT | O_EXCL, 0600);
    static char data[3 * PAGE];
    memset(data, 'd', sizeof data);
    map_show(fd);
    SHOW(lseek(fd, 0, SEEK_DATA));
    SHOW(lseek(fd, 0, SEEK_HOLE));
    SHOW(pwrite(fd, data, sizeof data, 4 * PAGE + 10));
    SHOW(pwrite(fd, data, 1, 20 * PAGE));
    SHOW(ftruncate(fd, 30 * PAGE + 5));
    map_show(fd);
    status_show(fd);
    SHOW(lseek(fd, 5 * PAGE, SEEK_DATA));
    SHOW(lseek(fd, 5 * PAGE + 7, SEEK_DATA));
    SHOW(lseek(fd, 5 * PAGE + 7, SEEK_HOLE));
    SHOW(lseek(fd, 8 * PAGE + 7, SEEK_HOLE));
    SHOW(lseek(fd, 8 * PAGE + 7, SEEK_DATA));
    SHOW(lseek(fd, 0, SEEK_CUR));
    SHOW(lseek(fd, 21 * PAGE, SEEK_DATA));
    SHOW(lseek(fd, 30 * PAGE + 4, SEEK_HOLE));
    SHOW(lseek(fd, 30 * PAGE + 5, SEEK_HOLE));
    SHOW(lseek(fd, -1, SEEK_DATA));
    SHOW(lseek(fd, -1, SEEK_HOLE));
    SHOW(lseek(fd, 0, 5));
    SHOW(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 5 * PAGE + 100, 2 * PAGE));
    map_show(fd);
    status_show(fd);
    byte_show(fd, 5 * PAGE + 99);
    byte_show(fd, 5 * PAGE + 100);
    byte_show(fd, 6 * PAGE);
    byte_show(fd, 7 * PAGE + 5);
    SHOW(fallocate(fd, 0, 10 * PAGE - 1, 2));
    status_show(fd);
    SHOW(fallocate(fd, FALLOC_FL_KEEP_SIZE, 31 * PAGE, 3 * PAGE));
    status_show(fd);
    SHOW(fallocate(fd, 0, 40 * PAGE, PAGE + 1));
    status_show(fd);
    byte_show(fd, 40 * PAGE);
    SHOW(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 1000 * PAGE));
    map_show(fd);
    status_show(fd);
    SHOW(fallocate(fd, FALLOC_FL_PUNCH_HOLE, 0, PAGE));
    SHOW(fallocate(fd, FALLOC_FL_ZERO_RANGE, 0, PAGE));
    SHOW(fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, 0, PAGE));
    SHOW(fallocate(fd, FALLOC_FL_INSERT_RANGE, 0, PAGE));
    SHOW(ftruncate(fd, 0));
    status_show(fd);
    SHOW(posix_fallocate(fd, 0, 2 * PAGE));
    status_show(fd);
    SHOW(fallocate(fd, FALLOC_FL_KEEP_SIZE, 2 * PAGE, 2 * PAGE));
    SHOW(write(fd, data, 1));
    SHOW(ftruncate(fd, PAGE)); // gives back what lies beyond, too
    status_show(fd);
    struct statfs space;
    SHOW(fstatfs(fd, &space));
    printf("  type %lx, block %ld, names up to %ld\n", (long)space.f_type, (long)space.f_bsize,
           (long)space.f_namelen);
    close(fd);
    SHOW(unlink("holes"));
}

// A hole is one for those who have the file mapped, too, but not where they have written on a copy.
static void in_mappings(void)
{
    int fd = open("holes", O_RDWR | O_CREAT | O_EXCL, 0600);
    ftruncate(fd, 8 * PAGE);
    char *shared = mmap(NULL, 8 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    memset(shared, 's', 8 * PAGE);
    char *copy = mmap(NULL, 8 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    copy[2 * PAGE] = 'c';
    SHOW(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, PAGE + 10, 4 * PAGE));
    for (int i = 0; i < 8; ++i) {
        printf("  %d", shared[i * PAGE]);
    }
    printf(", own copy %d\n", copy[2 * PAGE]);
    status_show(fd);
    shared[3 * PAGE] = 't';
    byte_show(fd, 3 * PAGE);
    byte_show(fd, 5 * PAGE + 9);
    byte_show(fd, 5 * PAGE + 10);
    status_show(fd);
    munmap(shared, 8 * PAGE);
    munmap(copy, 8 * PAGE);
    close(fd);
    SHOW(unlink("holes"));
}

static void anywhere(void)
{
    int fd = open("holes", O_RDWR | O_CREAT | O_EXCL, 0600), reader = open("holes", O_RDONLY);
    int folder = open(".", O_RDONLY), name = open("holes", O_PATH), ends[2];
    pipe(ends);
    SHOW(fallocate(fd, 0, 100, 900));
    struct stat status;
    fstat(fd, &status);
    printf("  size %ld\n", (long)status.st_size);
    byte_show(fd, 500);
    SHOW(fallocate(fd, FALLOC_FL_KEEP_SIZE, 1000, 1000));
    SHOW(lseek(fd, 0, SEEK_END));
    SHOW(lseek(fd, 0, SEEK_DATA));
    SHOW(lseek(fd, 1000, SEEK_DATA));
    SHOW(lseek(fd, 1000, SEEK_HOLE));
    SHOW(fallocate(fd, 0, -1, 10));
    SHOW(fallocate(fd, 0, 0, 0));
    SHOW(fallocate(fd, 0, 0, -1));
    SHOW(fallocate(fd, 0, INT64_MAX, 10));
    SHOW(fallocate(fd, 0x1000, 0, 10));
    SHOW(fallocate(reader, 0, 0, 10));
    SHOW(fallocate(folder, 0, 0, 10));
    SHOW(fallocate(ends[1], 0, 0, 10));
    SHOW(fallocate(name, 0, 0, 10));
    SHOW(fallocate(9999, 0, 0, 10));
    SHOW(posix_fallocate(reader, 0, 10));
    SHOW(lseek(ends[0], 0, SEEK_DATA));
    SHOW(lseek(name, 0, SEEK_SET));
    SHOW(posix_fadvise(fd, 0, 0, POSIX_FADV_WILLNEED));
    SHOW(posix_fadvise(fd, 0, -1, POSIX_FADV_WILLNEED));
    SHOW(posix_fadvise(fd, 0, 0, 77));
    SHOW(posix_fadvise(ends[0], 0, 0, POSIX_FADV_NORMAL));
    SHOW(posix_fadvise(9999, 0, 0, POSIX_FADV_NORMAL));
    SHOW(readahead(fd, 0, 100));
    SHOW(readahead(ends[0], 0, 100));
    SHOW(readahead(9999, 0, 100));
    SHOW(sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER));
    SHOW(sync_file_range(fd, -1, 0, 0));
    SHOW(sync_file_range(fd, 0, 0, 77));
    SHOW(sync_file_range(ends[0], 0, 0, 0));
    SHOW(syncfs(fd));
    SHOW(syncfs(9999));
    sync();
    SHOW(fsync(fd));
    SHOW(fdatasync(reader));
    SHOW(fsync(folder));
    SHOW(fsync(ends[0]));
    SHOW(fsync(name));
    int left = -1;
    SHOW(lseek(fd, 400, SEEK_SET));
    SHOW(ioctl(fd, FIONREAD, &left));
    printf("  %d\n", left);
    SHOW(ioctl(folder, FIONREAD, &left));
    SHOW(ioctl(name, FIONREAD, &left));
    close(fd), close(reader), close(folder), close(name), close(ends[0]), close(ends[1]);
    SHOW(unlink("holes"));
}

int main(void)
{
    anywhere();
    char folder[] = "/dev/shm/holes-XXXXXX";
    if (mkdtemp(folder) == NULL || chdir(folder) != 0) {
        return 1;
    }
    anywhere();
    by_pages();
    in_mappings();
    chdir("/");
    SHOW(rmdir(folder));
    return 0;
}
