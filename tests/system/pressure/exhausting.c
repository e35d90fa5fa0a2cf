// SPDX-License-Identifier: BSD-3-Clause
// exhausting.c: a program that takes all memory until it is refused, gives it back, and again.
//
//   exhausting KIND ROUNDS    KIND: small (malloc of 1000 bytes), large (malloc), mapped (mmap)
//   exhausting calls          calls that need memory, where there is none
//   exhausting untouched      what is granted is there when it is touched
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "tests/system/figures.h"

enum { PAGE = 4096, MIB = 1 << 20, LEFT = 6 * MIB, SIZES = 5, PIECES = 65536 };

static size_t free_bytes(void)
{
    struct sysinfo info;
    sysinfo(&info);
    return info.freeram * info.mem_unit;
}

struct kind {
    const char *name;
    size_t sizes[SIZES];
    int is_mapped;
};

static const struct kind kinds[] = {
    {"small", {1000, 1000, 1000, 1000, 1000}, 0},
    {"large", {40000, 300000, 1 << 20, 1100000, 3000000}, 0},
    {"mapped", {4096, 65536, 100000, 1 << 20, 2 << 20}, 1},
};

static void *take(const struct kind *kind, size_t size)
{
    char *block = kind->is_mapped
                      ? mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
                      : malloc(size);
    if (block == NULL || (kind->is_mapped && block == MAP_FAILED)) {
        return NULL;
    }
    for (size_t at = 0; at < size; at += PAGE) {
        block[at] = (char)size;
    }
    block[size - 1] = (char)size;
    return block;
}

static void give(const struct kind *kind, void *block, size_t size)
{
    if (kind->is_mapped) {
        munmap(block, size);
    } else {
        free(block);
    }
}

// How many bytes there were.
static size_t exhaust(const struct kind *kind, size_t size, int *wrong)
{
    static char *pieces[PIECES];
    size_t count = 0;
    errno = 0;
    while (count < PIECES && (pieces[count] = take(kind, size)) != NULL) {
        ++count;
    }
    *wrong += errno != ENOMEM;
    for (size_t i = 0; i < count; ++i) {
        *wrong += pieces[i][0] != (char)size || pieces[i][size - 1] != (char)size;
        give(kind, pieces[i], size);
    }
    return count * size;
}

static void *ballast_take(void)
{
    const size_t size = (free_bytes() - LEFT) / PAGE * PAGE;
    return mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1,
                0);
}

static void repeat(const struct kind *kind, int rounds)
{
    size_t first[SIZES] = {0}, before = 0;
    int wrong = 0, is_less = 0;
    for (int i = 0; i < rounds * SIZES; ++i) {
        const size_t size = kind->sizes[i % SIZES], bytes = exhaust(kind, size, &wrong);
        if (i < SIZES) {
            first[i] = bytes;
        } else {
            if (bytes + size < first[i % SIZES] / 8 * 5 && is_less++ == 0) {
                printf("round %d: %zu of %zu: ", i, bytes, first[i % SIZES]);
            }
        }
        if (i == SIZES - 1) {
            malloc_trim(0);
            before = free_bytes();
        }
    }
    malloc_trim(0);
    promise("each round had its memory", is_less == 0 && first[0] > LEFT / 2);
    promise("each ended in ENOMEM, with its contents", wrong == 0);
    promise("memory is back where it began", free_bytes() + MIB >= before);
}

// ---- Calls ----

static int is_want_of_memory(void)
{
    return errno == ENOMEM || errno == EAGAIN || errno == ENOSPC || errno == EMFILE ||
           errno == ENFILE || errno == ENOBUFS;
}

static int pipes(void)
{
    static char piece[65536];
    enum { PIPES = 500 };
    static int fds[PIPES][2];
    int count = 0;
    while (count < PIPES && pipe(fds[count]) == 0) {
        fcntl(fds[count][1], F_SETFL, O_NONBLOCK);
        ssize_t put = write(fds[count][1], piece, sizeof piece);
        ++count;
        if (put < 0) {
            break;
        }
    }
    int is_said = is_want_of_memory();
    for (int i = 0; i < count; ++i) {
        close(fds[i][0]);
        close(fds[i][1]);
    }
    return count < PIPES && is_said;
}

static int sockets(void)
{
    enum { PAIRS = 500 };
    static char piece[32768];
    static int fds[PAIRS][2];
    int count = 0;
    ssize_t put = 0;
    while (put >= 0 && count < PAIRS &&
           socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds[count]) == 0) {
        put = write(fds[count++][0], piece, sizeof piece);
    }
    int is_said = is_want_of_memory();
    for (int i = 0; i < count; ++i) {
        close(fds[i][0]);
        close(fds[i][1]);
    }
    return count < PAIRS && is_said;
}

static int files(void)
{
    static char piece[65536];
    int fd = open("/tmp/all", O_RDWR | O_CREAT, 0600);
    ssize_t put = 0;
    for (size_t i = 0; i < 1000 && put >= 0; ++i) {
        put = write(fd, piece, sizeof piece);
    }
    int is_said = is_want_of_memory();
    close(fd);
    unlink("/tmp/all");
    return put < 0 && is_said;
}

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static void *thread_run(void *argument)
{
    pthread_mutex_lock(&gate);
    pthread_mutex_unlock(&gate);
    return argument;
}

static int threads(void)
{
    enum { THREADS = 1000 };
    static pthread_t made[THREADS];
    int count = 0, error = 0;
    pthread_mutex_lock(&gate);
    while (count < THREADS && (error = pthread_create(&made[count], NULL, thread_run, NULL)) == 0) {
        ++count;
    }
    pthread_mutex_unlock(&gate);
    for (int i = 0; i < count; ++i) {
        pthread_join(made[i], NULL);
    }
    return count < THREADS && error == EAGAIN;
}

static int breaks(void)
{
    char *old = sbrk(0);
    int count = 0;
    while (count < 1000 && sbrk(MIB) != (void *)-1) {
        memset((char *)sbrk(0) - MIB, 1, MIB);
        ++count;
    }
    int is_said = errno == ENOMEM;
    brk(old);
    return count < 1000 && is_said;
}

static int remaps(void)
{
    size_t size = MIB;
    char *map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    while (map != MAP_FAILED && size < 1000 * (size_t)MIB) {
        memset(map + size - MIB, 1, MIB);
        char *grown = mremap(map, size, size + MIB, MREMAP_MAYMOVE);
        if (grown == MAP_FAILED) {
            break;
        }
        map = grown;
        size += MIB;
    }
    int is_said = errno == ENOMEM;
    munmap(map, size);
    return size < 1000 * (size_t)MIB && is_said;
}

static int copies(void)
{
    char *block = malloc(MIB), *grown = block;
    size_t size = MIB;
    while (grown != NULL && size < 1000 * (size_t)MIB) {
        memset(block + size - MIB, 1, MIB);
        grown = realloc(block, size + MIB);
        block = grown != NULL ? grown : block;
        size += grown != NULL ? MIB : 0;
    }
    int is_said = errno == ENOMEM;
    free(block);
    return grown == NULL && is_said;
}

static void calls(void)
{
    void *ballast = ballast_take();
    int pair[2];
    promise("some is left", ballast != MAP_FAILED && pipe(pair) == 0);
    int wrong = 0;
    const size_t before = exhaust(&kinds[2], PAGE, &wrong);
    promise("the break", breaks());
    promise("mremap", remaps());
    promise("realloc", copies());
    promise("files", files());
    promise("pipes", pipes());
    promise("sockets", sockets());
    promise("threads", threads());
    const size_t now = exhaust(&kinds[2], PAGE, &wrong);
    if (now < before / 2) {
        printf("%zu of %zu: ", now, before);
    }
    promise("what was freed can be had again", now >= before / 2 && wrong == 0);
}

// ---- Untouched ----

static void untouched(void)
{
    static char *blocks[PIECES];
    for (int is_mapped = 0; is_mapped < 2; ++is_mapped) {
        const size_t size = 3 * MIB;
        malloc_trim(0);
        size_t count = 0, have = free_bytes();
        char *block = NULL;
        while (count < PIECES) {
            block = is_mapped ? mmap(NULL, size, PROT_READ | PROT_WRITE,
                                     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
                              : malloc(size);
            if (block == NULL || block == MAP_FAILED) {
                break;
            }
            blocks[count++] = block;
        }
        int is_right =
            count * size <= have + 4 * MIB && count * size >= have / 2 && errno == ENOMEM;
        promise("no more is granted than there is", is_right);
        size_t others = 0; // may not take what is granted
        while (others < 1000 && (block = malloc(30000)) != NULL) {
            blocks[PIECES - 1 - others++] = block;
        }
        for (size_t i = 0; i < count; ++i) {
            memset(blocks[i], 1, size);
        }
        for (size_t i = 0; i < count; ++i) {
            give(&kinds[is_mapped ? 2 : 1], blocks[i], size);
        }
        while (others-- > 0) {
            free(blocks[PIECES - 1 - others]);
        }
        promise("all that is granted comes", 1);
    }
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (strcmp(what, "calls") == 0) {
        calls();
    } else if (strcmp(what, "untouched") == 0) {
        untouched();
    } else {
        for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; ++i) {
            if (strcmp(what, kinds[i].name) == 0) {
                promise("some is left", ballast_take() != MAP_FAILED);
                repeat(&kinds[i], atoi(argv[2]) / SIZES);
            }
        }
    }
    return 0;
}
