// SPDX-License-Identifier: BSD-3-Clause
// writebacks.c: what is written to a file's mapping is in the file: at once for who reads it, and
// for good, whatever the mapping, the descriptor or the program ends by.
//
//     writebacks [FOLDER]
//
// In FOLDER the files are left, for who compares them.
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "show.h"

enum { PAGE = 4096, PAGES = 20, SIZE = (PAGES - 1) * PAGE + 100, RW = PROT_READ | PROT_WRITE };

static sigjmp_buf after_fault;

static void on_fault(int signal)
{
    siglongjmp(after_fault, signal);
}

static int file_new(const char *name)
{
    char text[PAGE];
    int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0644);
    for (int i = 0; i < PAGES; ++i) {
        memset(text, 'a' + i, sizeof text);
        SHOW(pwrite(fd, text, i + 1 == PAGES ? SIZE % PAGE : PAGE, (off_t)i * PAGE) > 0);
    }
    return fd;
}

static char *map(int fd)
{
    return mmap(NULL, PAGES * PAGE, RW, MAP_SHARED, fd, 0);
}

// Every third page, and the last bytes before the end and behind it.
static void change(char *va, char mark)
{
    for (int i = 0; i < PAGES; i += 3) {
        va[i * PAGE + i] = mark;
    }
    va[SIZE - 1] = mark;
    va[SIZE] = '!'; // in no file: when it goes is the file system's affair
}

// The file, by a descriptor of its own.
static void show_file(const char *name)
{
    static char text[PAGES * PAGE];
    int fd = open(name, O_RDONLY);
    ssize_t size = read(fd, text, sizeof text);
    uint32_t sum = 0;
    for (ssize_t i = 0; i < size; ++i) {
        sum = sum * 31 + (unsigned char)text[i];
    }
    printf("%s: %zd bytes, %08x, %d %d %d\n", name, size, sum, text[0], text[3 * PAGE + 3],
           text[SIZE - 1]);
    close(fd);
}

// What there is of a page: its first and last bytes and whether all else is one byte; or a signal.
static void show_page(const char *when, const volatile char *page)
{
    int signal = sigsetjmp(after_fault, 1);
    if (signal != 0) {
        printf("%s: signal %d\n", when, signal);
        return;
    }
    int zeros = 0;
    for (int i = 0; i < PAGE; ++i) {
        zeros += page[i] == 0;
    }
    printf("%s: %d %d, zeros %d\n", when, page[0], page[PAGE - 1], zeros);
}

static void synced(const char *name, int flags)
{
    int fd = file_new(name);
    char *va = map(fd);
    change(va, 'S');
    SHOW(msync(va, PAGES * PAGE, flags));
    show_file(name);
    change(va, 'T'); // once more: the page is clean in between
    SHOW(msync(va + 3 * PAGE, PAGE, flags));
    SHOW(fsync(fd));
    show_file(name);
    SHOW(munmap(va, PAGES * PAGE));
    SHOW(close(fd));
    show_file(name);
}

static void dropped(const char *name)
{
    int fd = file_new(name);
    char *va = map(fd);
    SHOW(close(fd));
    change(va, 'D');
    show_file(name);
    SHOW(munmap(va, PAGES * PAGE));
    show_file(name);
}

static void replaced(const char *name)
{
    int fd = file_new(name);
    char *va = map(fd);
    change(va, 'R');
    SHOW_OK(mmap(va, PAGES * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
    printf("now %d\n", va[0]);
    show_file(name);
    SHOW(munmap(va, PAGES * PAGE));
    va = map(fd);
    change(va, 'A');
    SHOW(madvise(va, PAGES * PAGE, MADV_DONTNEED));
    printf("again %c\n", va[0]);
    SHOW(mprotect(va, PAGES * PAGE, PROT_READ));
    SHOW(munmap(va, PAGES * PAGE));
    SHOW(close(fd));
    show_file(name);
}

// Cut within a page that is mapped and written, and grown again: what was cut off comes back as
// zeros, for mappings and readers alike.
static void cut(const char *name)
{
    int fd = file_new(name);
    char *va = map(fd);
    char *private = mmap(NULL, PAGES * PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
    change(va, 'C');
    SHOW(ftruncate(fd, 3 * PAGE + 10));
    show_page("the page of the end", va + 3 * PAGE);
    show_page("by the other mapping", private + 3 * PAGE);
    show_page("the last before it", va + 2 * PAGE);
    show_page("the first behind it", va + 4 * PAGE);
    show_page("the same, private", private + 4 * PAGE);
    show_file(name);
    va[3 * PAGE + 10] = 'x'; // behind the end
    va[3 * PAGE + 9] = 'y';
    SHOW(ftruncate(fd, 3 * PAGE)); // a page's end is the file's
    show_page("just behind the end", va + 3 * PAGE);
    SHOW(ftruncate(fd, 6 * PAGE + 1));
    show_page("grown, the page of the old end", va + 3 * PAGE);
    show_page("grown, cut off before", va + 4 * PAGE);
    show_page("grown, private", private + 4 * PAGE);
    show_page("grown, the page of the new end", va + 6 * PAGE);
    show_page("grown, behind it", va + 7 * PAGE);
    va[5 * PAGE] = 'z';
    va[6 * PAGE] = 'w';
    SHOW(munmap(private, PAGES * PAGE));
    SHOW(msync(va, 7 * PAGE, MS_SYNC));
    SHOW(munmap(va, PAGES * PAGE));
    SHOW(close(fd));
    show_file(name);
}

// The mapping has no name and no descriptor, and is the last that knows of the file.
static void unnamed(const char *name)
{
    int fd = file_new(name);
    char *va = map(fd);
    SHOW(unlink(name));
    SHOW(close(fd));
    change(va, 'U');
    SHOW(msync(va, PAGES * PAGE, MS_SYNC));
    printf("%c %c\n", va[0], va[SIZE - 1]);
    SHOW(munmap(va, PAGES * PAGE));
    SHOW(access(name, F_OK));
}

int main(int count, char **arguments)
{
    static const char *const names[] = {"sync", "async", "none", "drop", "replace", "cut", "end"};
    char folder[] = "/tmp/writebacksXXXXXX";
    setvbuf(stdout, NULL, _IOLBF, 0);
    signal(SIGBUS, on_fault);
    signal(SIGSEGV, on_fault);
    if ((count > 1 ? chdir(arguments[1]) : chdir(mkdtemp(folder))) != 0) {
        perror("writebacks");
        return 1;
    }
    synced("sync", MS_SYNC);
    synced("async", MS_ASYNC);
    synced("none", 0);
    dropped("drop");
    replaced("replace");
    cut("cut");
    unnamed("gone");
    char *va = map(file_new("end"));
    change(va, 'E');
    if (count == 1) {
        for (size_t i = 0; i < sizeof names / sizeof names[0]; ++i) {
            SHOW(unlink(names[i]));
        }
        SHOW(chdir("/"));
        SHOW(rmdir(folder));
    }
    fflush(stdout);
    return raise(SIGKILL); // with the last file mapped and written
}
