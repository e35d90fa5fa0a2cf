// SPDX-License-Identifier: BSD-3-Clause
// memfiles.c: files in memory without a name, their seals, shared memory by name, and /dev/zero.
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "show.h"

enum { PAGE = 4096, RW = PROT_READ | PROT_WRITE };

static void memfd(void)
{
    char name[300], path[400];
    memset(name, 'n', sizeof name);
    name[249] = 0;
    SHOW_OK(memfd_create(name, 0));
    name[249] = 'n';
    name[250] = 0;
    SHOW_OK(memfd_create(name, 0));
    SHOW_OK(memfd_create((char *)8, 0));
    SHOW_OK(memfd_create("x", 0x4000));
    int fd = memfd_create("one two", MFD_CLOEXEC);
    struct stat status;
    SHOW(fstat(fd, &status));
    printf("mode %o, %ld links, %ld bytes, %ld blocks\n", status.st_mode, (long)status.st_nlink,
           (long)status.st_size, (long)status.st_blocks);
    printf("close on exec: %d, access %d\n", fcntl(fd, F_GETFD), fcntl(fd, F_GETFL) & O_ACCMODE);
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(name, path, sizeof path - 1);
    path[length < 0 ? 0 : length] = 0;
    printf("link: %s\n", path);
    SHOW(ftruncate(fd, 3 * PAGE));
    char *va = mmap(NULL, 3 * PAGE, RW, MAP_SHARED, fd, 0);
    strcpy(va + PAGE - 2, "across");
    char text[7] = "";
    SHOW(pread(fd, text, 6, PAGE - 2));
    printf("%s\n", text);
    int again = open(name, O_RDONLY);
    printf("again: %d\n", again >= 0);
    SHOW_OK(mmap(NULL, PAGE, RW, MAP_SHARED, again, 0));
    SHOW(fcntl(fd, F_GET_SEALS));
    SHOW(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW));
    SHOW(close(fd));
    SHOW(close(again));
    printf("still there: %s\n", va + PAGE - 2);
    SHOW(munmap(va, 3 * PAGE));
}

static void seals(void)
{
    int fd = memfd_create("sealed", MFD_ALLOW_SEALING);
    char page[2 * PAGE] = "text";
    SHOW(fcntl(fd, F_GET_SEALS));
    SHOW(ftruncate(fd, 2 * PAGE + 10));
    SHOW(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK));
    SHOW(ftruncate(fd, PAGE));
    SHOW(ftruncate(fd, 3 * PAGE));
    SHOW(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW));
    SHOW(ftruncate(fd, 4 * PAGE));
    SHOW(pwrite(fd, page, sizeof page, 2 * PAGE));
    SHOW(pwrite(fd, page, 10, 3 * PAGE));
    SHOW(fallocate(fd, 0, 0, 4 * PAGE));
    SHOW(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, PAGE));
    char *va = mmap(NULL, PAGE, RW, MAP_SHARED, fd, 0);
    SHOW(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
    SHOW(munmap(va, PAGE));
    SHOW(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SEAL));
    SHOW(pwrite(fd, page, 1, 0));
    SHOW(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, PAGE));
    SHOW_OK(mmap(NULL, PAGE, RW, MAP_SHARED, fd, 0));
    va = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
    printf("mapped to read: %d\n", va != MAP_FAILED);
    SHOW(mprotect(va, PAGE, RW));
    va = mmap(NULL, PAGE, RW, MAP_PRIVATE, fd, 0);
    va[0] = 'p';
    printf("private: %c\n", va[0]);
    SHOW(fcntl(fd, F_GET_SEALS));
    SHOW(fcntl(fd, F_ADD_SEALS, 0));
    SHOW(close(fd));
    fd = memfd_create("unknown", MFD_ALLOW_SEALING);
    SHOW(fcntl(fd, F_ADD_SEALS, 1 << 20));
    SHOW(close(fd));
}

static void by_name(void)
{
    int fd = shm_open("/memfiles-test", O_RDWR | O_CREAT | O_EXCL, 0600);
    printf("made: %d\n", fd >= 0);
    SHOW(ftruncate(fd, 2 * PAGE));
    int other = shm_open("/memfiles-test", O_RDONLY, 0);
    char *va = mmap(NULL, 2 * PAGE, RW, MAP_SHARED, fd, 0);
    char *seen = mmap(NULL, 2 * PAGE, PROT_READ, MAP_SHARED, other, 0);
    strcpy(va + PAGE, "shared");
    printf("seen: %s\n", seen + PAGE);
    SHOW(shm_unlink("/memfiles-test"));
    SHOW_OK(shm_open("/memfiles-test", O_RDWR, 0));
    va[0] = 'k';
    printf("kept: %c\n", seen[0]);
    SHOW(close(fd));
    SHOW(close(other));
    SHOW(munmap(va, 2 * PAGE));
    SHOW(munmap(seen, 2 * PAGE));
}

static void zero(void)
{
    int fd = open("/dev/zero", O_RDWR);
    char *shared = mmap(NULL, 3 * PAGE, RW, MAP_SHARED, fd, 0);
    char *private = mmap(NULL, 3 * PAGE, RW, MAP_PRIVATE, fd, PAGE);
    char *more = mmap(NULL, 3 * PAGE, RW, MAP_SHARED, fd, 0);
    shared[PAGE] = private[PAGE] = 'z';
    printf("%d %c %c %d\n", shared[0], shared[PAGE], private[PAGE], more[PAGE]);
    SHOW(close(fd));
    SHOW(munmap(shared, 3 * PAGE));
    SHOW(munmap(private, 3 * PAGE));
    SHOW(munmap(more, 3 * PAGE));
}

int main(void)
{
    memfd();
    seals();
    by_name();
    zero();
    return 0;
}
