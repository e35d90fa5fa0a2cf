// SPDX-License-Identifier: BSD-3-Clause
// filemaps.c: files and the memory they are mapped to are the same: what either says, errors
// included.
//
//     filemaps [FOLDER]
//
// In a folder of the host, private copies of pages that are cut off stay: they are not looked at.
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "show.h"

enum { PAGE = 4096 };
enum { RW = PROT_READ | PROT_WRITE };

static int is_here; // FOLDER is given
static sigjmp_buf after_fault;
static volatile siginfo_t fault;

static void on_fault(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    (void)context;
    *(siginfo_t *)&fault = *info;
    siglongjmp(after_fault, 1);
}

// What touching the byte answers: its value, or the signal.
static void touch(const char *what, volatile char *byte, int is_write)
{
    if (sigsetjmp(after_fault, 1) != 0) {
        printf("%s: %s, code %d, %s\n", what, sigabbrev_np(fault.si_signo), fault.si_code,
               fault.si_addr == byte ? "its address" : "another address");
        return;
    }
    if (is_write) {
        *byte = 'w';
    }
    printf("%s: %d\n", what, *byte);
}

static int file_new(const char *name, size_t size)
{
    int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0644);
    char page[PAGE];
    for (size_t done = 0; done < size; done += sizeof page) {
        memset(page, 'a' + (int)(done / PAGE % 26), sizeof page);
        size_t part = size - done < sizeof page ? size - done : sizeof page;
        if (write(fd, page, part) != (ssize_t)part) {
            perror(name);
        }
    }
    return fd;
}

static char *map(int fd, size_t pages, int protection, int flags)
{
    return mmap(NULL, pages * PAGE, protection, flags, fd, 0);
}

static int byte_at(int fd, off_t offset)
{
    unsigned char byte;
    return pread(fd, &byte, 1, offset) == 1 ? byte : -1;
}

static void shared_and_file(void)
{
    int fd = file_new("one", 5 * PAGE + 100);
    char *va = map(fd, 6, RW, MAP_SHARED);
    char *other = map(fd, 6, PROT_READ, MAP_SHARED);
    printf("read: %c%c, then %d\n", va[0], va[PAGE], va[5 * PAGE + 100]);
    va[PAGE] = 'X';
    printf("by the file: %c, by another mapping: %c\n", byte_at(fd, PAGE), other[PAGE]);
    SHOW(pwrite(fd, "YZ", 2, 2 * PAGE - 1));
    printf("by the mappings: %c%c %c%c\n", va[2 * PAGE - 1], va[2 * PAGE], other[2 * PAGE - 1],
           other[2 * PAGE]);
    va[5 * PAGE + 99] = 'E';
    va[5 * PAGE + 200] = 'F';
    printf("before and behind the end: %c %d\n", byte_at(fd, 5 * PAGE + 99),
           byte_at(fd, 5 * PAGE + 200));
    SHOW(msync(va, 6 * PAGE, MS_SYNC));
    SHOW(msync(va, 6 * PAGE, MS_ASYNC));
    SHOW(munmap(other, 6 * PAGE));
    SHOW(unlink("one"));
    SHOW(close(fd));
    printf("without a name: %c%c\n", va[0], va[PAGE]);
    touch("without a name, written", va, 1);
    SHOW(munmap(va, 6 * PAGE));
    touch("unmapped", va, 0);
}

static void private_copies(void)
{
    int fd = file_new("two", 40 * PAGE);
    char *va = map(fd, 40, RW, MAP_PRIVATE);
    char *large = mmap(NULL, 200 * PAGE, RW, MAP_PRIVATE, fd, 0);
    char *shared = map(fd, 40, RW, MAP_SHARED);
    va[0] = '1';
    large[20 * PAGE] = '2';
    shared[30 * PAGE] = '3';
    printf("%c %c %c, %c %c %c, %c %c %c\n", va[0], va[20 * PAGE], va[PAGE], large[0],
           large[20 * PAGE], large[21 * PAGE], shared[0], shared[20 * PAGE],
           byte_at(fd, 30 * PAGE));
    touch("behind the end", large + 40 * PAGE, 1);
    touch("far behind", large + 150 * PAGE, 0);
    SHOW(mprotect(large, 40 * PAGE, PROT_READ));
    touch("read only", large + 20 * PAGE, 0);
    touch("read only, written", large + 20 * PAGE, 1);
    touch("read only, written elsewhere", large + 3 * PAGE, 1);
    SHOW(mprotect(large, 40 * PAGE, RW));
    touch("copied before", large + 20 * PAGE, 0);
    touch("copied now", large + 3 * PAGE + 1, 1);
    printf("the file: %c %c\n", byte_at(fd, 3 * PAGE + 1), byte_at(fd, 20 * PAGE));
    SHOW(madvise(large, 40 * PAGE, MADV_DONTNEED));
    printf("the file again: %c %c\n", large[20 * PAGE], large[3 * PAGE + 1]);
    SHOW(madvise(shared, 40 * PAGE, MADV_DONTNEED));
    printf("shared stays: %c\n", shared[30 * PAGE]);
    SHOW(munmap(large + 10 * PAGE, 5 * PAGE));
    touch("in the hole", large + 12 * PAGE, 0);
    touch("behind it", large + 15 * PAGE, 0);
    SHOW(mprotect(large, 40 * PAGE, PROT_READ));
    SHOW(msync(large, 40 * PAGE, MS_SYNC));
    SHOW(munmap(large, 200 * PAGE));
    SHOW(munmap(shared, 40 * PAGE));
    SHOW(munmap(va, 40 * PAGE));
    SHOW(close(fd));
}

static void ends(void)
{
    int fd = file_new("three", 3 * PAGE + 1);
    char *va = map(fd, 8, RW, MAP_SHARED);
    char *private = mmap(NULL, 100 * PAGE, RW, MAP_PRIVATE, fd, 0);
    touch("last byte", va + 3 * PAGE, 0);
    touch("last page", va + 4 * PAGE - 1, 0);
    touch("behind it", va + 4 * PAGE, 0);
    touch("behind it, written", va + 5 * PAGE + 17, 1);
    touch("private", private + 2 * PAGE, 1);
    touch("private, behind", private + 4 * PAGE + 3, 1);
    SHOW(ftruncate(fd, 6 * PAGE));
    touch("grown", va + 5 * PAGE + 17, 1);
    touch("grown, private", private + 5 * PAGE + 17, 0);
    touch("grown, behind", va + 6 * PAGE, 0);
    va[PAGE + 10] = 'k';
    SHOW(ftruncate(fd, PAGE + 5));
    touch("cut, first", va + PAGE, 0);
    touch("cut, tail", va + PAGE + 10, 0);
    touch("cut, behind", va + 2 * PAGE, 0);
    if (!is_here) {
        touch("cut, private", private + 2 * PAGE, 0);
    }
    touch("cut, private behind", private + 5 * PAGE, 1);
    SHOW(read(fd, va + 4 * PAGE, 10));
    SHOW(pread(fd, va + 4 * PAGE, 10, 0));
    SHOW(pwrite(fd, va + 4 * PAGE, 10, 0));
    SHOW(ftruncate(fd, 8 * PAGE));
    touch("again", va + 2 * PAGE, 0);
    if (!is_here) {
        touch("again, private", private + 2 * PAGE, 0);
    }
    touch("again, written", va + 7 * PAGE, 1);
    SHOW(pwrite(fd, va + PAGE, 2 * PAGE, 3 * PAGE));
    SHOW(pread(fd, va + 5 * PAGE, PAGE, 0));
    printf("copied within: %c %c\n", byte_at(fd, 3 * PAGE), va[5 * PAGE]);
    SHOW(ftruncate(fd, 0));
    touch("empty", va, 0);
    SHOW(munmap(va, 8 * PAGE));
    SHOW(munmap(private, 100 * PAGE));
    SHOW(close(fd));
    SHOW(open("three", O_RDWR | O_TRUNC) >= 0 ? 0 : -1);
}

static void holes(void)
{
    int fd = file_new("four", 0);
    SHOW(ftruncate(fd, 3000000));
    char *va = mmap(NULL, 3000000, RW, MAP_SHARED, fd, 0);
    touch("hole", va + 2000000, 0);
    touch("hole, written", va + 1000000, 1);
    printf("in the file: %d %d\n", byte_at(fd, 2000000), byte_at(fd, 1000000));
    SHOW(pwrite(fd, "hole", 4, 2500000));
    printf("in memory: %.4s\n", va + 2500000);
    char *fixed = mmap(va + 8 * PAGE, 4 * PAGE, PROT_READ, MAP_SHARED | MAP_FIXED, fd, 244 * PAGE);
    printf("in place: %d, %d\n", fixed == va + 8 * PAGE, fixed[0]);
    touch("the other part, written", fixed + 577 % PAGE, 1);
    touch("beside it", va + 7 * PAGE, 1);
    SHOW(munmap(va, 3000000));
    SHOW(close(fd));
}

// Ten pages of the file, and behind them one that is in the way.
static char *before_wall(int fd, int flags)
{
    char *va = mmap(NULL, 11 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return mmap(va, 10 * PAGE, RW, flags | MAP_FIXED, fd, 0);
}

static void remapped(void)
{
    int fd = file_new("five", 20 * PAGE);
    char *va = before_wall(fd, MAP_SHARED);
    va[9 * PAGE] = '9';
    SHOW(mremap(va, 10 * PAGE, 12 * PAGE, 0));
    char *moved = mremap(va, 10 * PAGE, 24 * PAGE, MREMAP_MAYMOVE);
    printf("moved: %d\n", moved != va && moved != MAP_FAILED);
    touch("old place", va, 0);
    printf("new place: %c %c\n", moved[9 * PAGE], moved[19 * PAGE]);
    moved[15 * PAGE] = 'm';
    printf("the file: %c\n", byte_at(fd, 15 * PAGE));
    touch("behind the end", moved + 20 * PAGE, 0);
    SHOW(mremap(moved, 24 * PAGE, 4 * PAGE, 0) == moved ? 0 : -1);
    touch("kept", moved + 3 * PAGE, 0);
    touch("given back", moved + 4 * PAGE, 0);
    char *own = before_wall(fd, MAP_PRIVATE);
    own[2 * PAGE] = 'o';
    own = mremap(own, 10 * PAGE, 20 * PAGE, MREMAP_MAYMOVE);
    printf("private: %c %c, the file: %c\n", own[2 * PAGE], own[12 * PAGE], byte_at(fd, 2 * PAGE));
    SHOW(munmap(own, 20 * PAGE));
    SHOW(munmap(moved, 4 * PAGE));
    SHOW(close(fd));
}

static void refused(void)
{
    int fd = file_new("six", 2 * PAGE);
    int reader = open("six", O_RDONLY), writer = open("six", O_WRONLY);
    int folder = open(".", O_RDONLY), null = open("/dev/null", O_RDWR), path = open("six", O_PATH);
    int pipes[2];
    SHOW(pipe(pipes));
    SHOW_OK(mmap(NULL, PAGE, RW, MAP_SHARED, reader, 0));
    SHOW_OK(mmap(NULL, PAGE, RW, MAP_PRIVATE, reader, 0));
    SHOW_OK(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, writer, 0));
    SHOW_OK(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, writer, 0));
    SHOW_OK(mmap(NULL, PAGE, PROT_WRITE, MAP_SHARED, writer, 0));
    SHOW_OK(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, folder, 0));
    SHOW_OK(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, folder, 0));
    SHOW_OK(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, pipes[0], 0));
    SHOW_OK(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, pipes[1], 0));
    SHOW_OK(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, null, 0));
    SHOW_OK(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, path, 0));
    SHOW_OK(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, 99, 0));
    SHOW_OK(mmap(NULL, 0, PROT_READ, MAP_PRIVATE, 99, 0));
    SHOW_OK(mmap(NULL, 0, PROT_READ, MAP_PRIVATE, fd, 0));
    SHOW_OK(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 1));
    SHOW_OK(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, -PAGE));
    SHOW_OK(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, INT64_MAX - PAGE + 1));
    SHOW_OK(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 1ll << 50));
    SHOW_OK(mmap(NULL, PAGE, PROT_READ, 0, fd, 0));
    SHOW_OK(mmap((void *)1, PAGE, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, 0));
    SHOW_OK(mmap(NULL, SIZE_MAX, PROT_READ, MAP_PRIVATE, fd, 0));
    SHOW_OK(mmap(NULL, PAGE, PROT_READ, MAP_SHARED_VALIDATE, fd, 0));
    char *va = map(reader, 2, PROT_READ, MAP_SHARED);
    SHOW(mprotect(va, PAGE, RW));
    SHOW(mprotect(va, PAGE, PROT_NONE));
    touch("none", va, 0);
    SHOW(mprotect(va, PAGE, PROT_READ));
    touch("read again", va, 0);
    touch("written", va, 1);
    SHOW(msync(va, 2 * PAGE, MS_SYNC | MS_ASYNC));
    SHOW(msync(va + 1, PAGE, MS_SYNC));
    SHOW(munmap(va + PAGE, PAGE));
    SHOW(msync(va, 2 * PAGE, MS_SYNC));
    SHOW(munmap(va, 2 * PAGE));
    va = map(fd, 2, PROT_READ, MAP_SHARED);
    SHOW(mprotect(va, PAGE, RW));
    touch("made writable", va, 1);
    printf("the file: %c\n", byte_at(fd, 0));
    SHOW(munmap(va, 2 * PAGE));
    int files[] = {fd, reader, writer, folder, null, path, pipes[0], pipes[1]};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; ++i) {
        close(files[i]);
    }
}

static void resident(void)
{
    int fd = file_new("seven", 4 * PAGE);
    unsigned char there[6] = {9, 9, 9, 9, 9, 9};
    char *va = map(fd, 6, RW, MAP_SHARED);
    SHOW(mincore(va, 4 * PAGE, there));
    printf("%d%d%d%d %d\n", there[0] & 1, there[1] & 1, there[2] & 1, there[3] & 1, there[4]);
    SHOW(mincore(va, PAGE, (unsigned char *)va));
    SHOW(mincore(va, PAGE, (unsigned char *)16));
    struct stat before, after;
    SHOW(fstat(fd, &before));
    SHOW(futimens(fd, (struct timespec[]){{1000, 0}, {1000, 0}}));
    char *fresh = map(fd, 4, RW, MAP_SHARED);
    fresh[3 * PAGE + 5] = 't';
    SHOW(msync(fresh, 4 * PAGE, MS_SYNC));
    SHOW(fstat(fd, &after));
    printf("blocks: %ld %ld\n", (long)before.st_blocks, (long)after.st_blocks);
    SHOW(munmap(fresh, 4 * PAGE));
    SHOW(munmap(va, 6 * PAGE));
    SHOW(close(fd));
}

static void populated(void)
{
    int fd = file_new("eight", 600 * PAGE);
    char *va = mmap(NULL, 600 * PAGE, RW, MAP_SHARED | MAP_POPULATE, fd, 0);
    unsigned long sum = 0;
    for (int i = 0; i < 600; ++i) {
        sum = sum * 31 + (unsigned char)va[i * PAGE + i];
        va[i * PAGE + 1] = (char)i;
    }
    for (int i = 0; i < 600; ++i) {
        sum = sum * 31 + (unsigned long)byte_at(fd, i * PAGE + 1);
    }
    printf("sum %lx\n", sum);
    SHOW(munmap(va, 600 * PAGE));
    va = mmap(NULL, 600 * PAGE, RW, MAP_PRIVATE, fd, 0);
    for (int i = 599; i >= 0; --i) {
        va[i * PAGE + 2] = (char)i;
        sum = sum * 31 + (unsigned char)va[i * PAGE + 1];
    }
    for (int i = 0; i < 600; ++i) {
        sum = sum * 31 + (unsigned long)byte_at(fd, i * PAGE + 2) + (unsigned char)va[i * PAGE + 2];
    }
    printf("sum %lx\n", sum);
    SHOW(ftruncate(fd, 100 * PAGE));
    if (!is_here) {
        touch("cut", va + 100 * PAGE, 1);
    }
    SHOW(munmap(va, 600 * PAGE));
    SHOW(close(fd));
}

int main(int count, char **arguments)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGBUS, &action, NULL);
    is_here = count > 1;
    char folder[] = "/tmp/filemapsXXXXXX";
    if ((is_here ? chdir(arguments[1]) : chdir(mkdtemp(folder))) != 0) {
        perror("filemaps");
        return 1;
    }
    shared_and_file();
    private_copies();
    ends();
    holes();
    remapped();
    refused();
    resident();
    populated();
    const char *names[] = {"two", "three", "four", "five", "six", "seven", "eight"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; ++i) {
        SHOW(unlink(names[i]));
    }
    if (!is_here) {
        rmdir(folder);
    }
    return 0;
}
