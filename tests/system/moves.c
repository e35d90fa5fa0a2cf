// SPDX-License-Identifier: BSD-3-Clause
// moves.c: bytes moved between descriptors: sendfile, copy_file_range, splice, tee, vmsplice; and
// vectors at a place with flags, appends, limits.
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "show.h"

enum { BIG = 300000, PAGE = 4096 };

static char data[BIG], got[BIG];

static long position(int fd)
{
    return (long)lseek(fd, 0, SEEK_CUR);
}

// What a file holds, as far as it is text.
static void text_show(const char *path)
{
    int fd = open(path, O_RDONLY);
    ssize_t size = read(fd, got, sizeof got);
    printf("  %s: %.*s\n", path, (int)(size < 60 ? size : 60), got);
    close(fd);
}

static int text_make(const char *path, const char *text)
{
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    write(fd, text, strlen(text));
    lseek(fd, 0, SEEK_SET);
    return fd;
}

static void sends(void)
{
    int in = text_make("in", "0123456789"), out = text_make("out", "");
    int ends[2], nowhere = open("/dev/null", O_WRONLY), folder = open(".", O_RDONLY);
    off_t offset = 3;
    pipe(ends);
    SHOW(sendfile(out, in, &offset, 4));
    printf("  %ld, %ld, %ld\n", (long)offset, position(in), position(out));
    SHOW(sendfile(out, in, NULL, 4));
    printf("  %ld, %ld\n", position(in), position(out));
    SHOW(sendfile(out, in, NULL, 100));
    SHOW(sendfile(out, in, NULL, 100));
    text_show("out");
    offset = 100;
    SHOW(sendfile(out, in, &offset, 4));
    offset = -1;
    SHOW(sendfile(out, in, &offset, 4));
    offset = 2;
    SHOW(sendfile(ends[1], in, &offset, 5));
    printf("  %ld\n", (long)offset);
    SHOW(read(ends[0], got, 100));
    SHOW(sendfile(nowhere, in, &offset, 5));
    SHOW(sendfile(out, ends[0], NULL, 5));
    SHOW(sendfile(out, ends[0], &offset, 5));
    SHOW(sendfile(in, nowhere, NULL, 5));
    SHOW(sendfile(9999, in, NULL, 5));
    SHOW(sendfile(out, 9999, NULL, 5));
    SHOW(sendfile(out, folder, NULL, 5));
    SHOW(sendfile(out, in, (off_t *)8, 5));
    SHOW(sendfile(out, in, NULL, 0));
    int append = open("out", O_WRONLY | O_APPEND);
    SHOW(sendfile(append, in, NULL, 5));
    int name = open("in", O_PATH);
    SHOW(sendfile(out, name, NULL, 5));
    close(ends[0]);
    signal(SIGPIPE, SIG_IGN);
    offset = 0;
    SHOW(sendfile(ends[1], in, &offset, 5));
    for (int i = 0; i < BIG; ++i) {
        data[i] = (char)(i * 7 + i / 1000);
    }
    SHOW(pwrite(in, data, BIG, 0));
    SHOW(ftruncate(out, 0));
    SHOW(lseek(in, 0, SEEK_SET));
    SHOW(lseek(out, 0, SEEK_SET));
    SHOW(sendfile(out, in, NULL, BIG + 1));
    SHOW(pread(out, got, BIG, 0));
    printf("  alike %d\n", memcmp(data, got, BIG) == 0);
    close(in), close(out), close(ends[1]), close(nowhere), close(folder), close(append),
        close(name);
}

static void copies(void)
{
    int in = text_make("in", "0123456789"), out = text_make("out", "abcdefghij");
    int ends[2], folder = open(".", O_RDONLY), reader = open("out", O_RDONLY);
    int append = open("out", O_WRONLY | O_APPEND);
    off_t from = 2, to = 5;
    pipe(ends);
    SHOW(copy_file_range(in, &from, out, &to, 3, 0));
    printf("  %ld %ld, %ld %ld\n", (long)from, (long)to, position(in), position(out));
    text_show("out");
    SHOW(copy_file_range(in, NULL, out, NULL, 4, 0));
    printf("  %ld %ld\n", position(in), position(out));
    SHOW(copy_file_range(in, NULL, out, &to, 100, 0));
    SHOW(copy_file_range(in, NULL, out, &to, 100, 0));
    text_show("out");
    SHOW(copy_file_range(in, NULL, out, NULL, 4, 1));
    from = 0, to = 2;
    SHOW(copy_file_range(in, &from, in, &to, 4, 0));
    to = 4;
    SHOW(copy_file_range(in, &from, in, &to, 4, 0));
    text_show("in");
    SHOW(copy_file_range(in, &from, ends[1], NULL, 4, 0));
    SHOW(copy_file_range(ends[0], NULL, out, NULL, 4, 0));
    SHOW(copy_file_range(folder, NULL, out, NULL, 4, 0));
    SHOW(copy_file_range(in, NULL, reader, NULL, 4, 0));
    SHOW(copy_file_range(in, NULL, append, NULL, 4, 0));
    SHOW(copy_file_range(9999, NULL, out, NULL, 4, 0));
    from = INT64_MAX - 1;
    SHOW(copy_file_range(in, &from, out, NULL, 4, 0));
    from = 1000;
    SHOW(copy_file_range(in, &from, out, NULL, 4, 0));
    SHOW(copy_file_range(in, NULL, out, NULL, 0, 0));
    close(in), close(out), close(ends[0]), close(ends[1]), close(folder), close(reader),
        close(append);
}

static void splices(void)
{
    int in = text_make("in", "0123456789"), out = text_make("out", "");
    int a[2], b[2], append = open("out", O_WRONLY | O_APPEND);
    loff_t offset = 4;
    pipe(a);
    pipe(b);
    SHOW(splice(in, &offset, a[1], NULL, 4, 0));
    printf("  %ld %ld\n", (long)offset, position(in));
    SHOW(splice(in, NULL, a[1], NULL, 100, 0));
    printf("  %ld\n", position(in));
    SHOW(splice(in, NULL, a[1], NULL, 100, 0));
    SHOW(tee(a[0], b[1], 6, 0));
    SHOW(tee(a[0], b[1], 100, 0));
    SHOW(read(b[0], got, 100));
    printf("  %.20s\n", got);
    offset = 2;
    SHOW(splice(a[0], NULL, out, &offset, 5, 0));
    SHOW(splice(a[0], NULL, out, NULL, 2, 0));
    printf("  %ld %ld\n", (long)offset, position(out));
    SHOW(splice(a[0], NULL, b[1], NULL, 100, SPLICE_F_MOVE));
    SHOW(splice(a[0], NULL, b[1], NULL, 100, SPLICE_F_NONBLOCK));
    SHOW(tee(a[0], b[1], 100, SPLICE_F_NONBLOCK));
    SHOW(splice(b[0], NULL, out, NULL, 100, 0));
    text_show("out");
    SHOW(splice(in, NULL, out, NULL, 100, 0));
    SHOW(splice(a[0], &offset, out, NULL, 100, 0));
    SHOW(splice(in, NULL, a[1], &offset, 100, 0));
    SHOW(splice(a[1], NULL, out, NULL, 100, 0));
    SHOW(splice(in, NULL, a[0], NULL, 100, 0));
    SHOW(splice(a[0], NULL, a[1], NULL, 100, SPLICE_F_NONBLOCK));
    SHOW(splice(a[0], NULL, b[1], NULL, 0, 0));
    SHOW(splice(a[0], NULL, b[1], NULL, 1, 0x100));
    SHOW(splice(9999, NULL, b[1], NULL, 1, 0));
    SHOW(tee(in, b[1], 1, 0));
    SHOW(tee(a[0], a[1], 1, SPLICE_F_NONBLOCK));
    write(a[1], "x", 1);
    SHOW(splice(a[0], NULL, append, NULL, 1, 0));
    SHOW(splice(a[0], NULL, in, NULL, 1, 0));
    struct iovec vectors[3] = {{data, 5}, {data, 0}, {data + 100, 10}};
    SHOW(vmsplice(a[1], vectors, 3, 0));
    SHOW(read(a[0], got, 100));
    printf("  alike %d %d\n", memcmp(got, data, 5) == 0, memcmp(got + 5, data + 100, 10) == 0);
    SHOW(vmsplice(in, vectors, 1, 0));
    SHOW(vmsplice(a[1], vectors, 2000, 0));
    write(a[1], "read", 4);
    vectors[0].iov_base = got;
    SHOW(vmsplice(a[0], vectors, 1, 0));
    close(a[1]);
    SHOW(splice(a[0], NULL, out, NULL, 100, 0));
    SHOW(tee(a[0], b[1], 100, 0));
    close(b[0]);
    pipe(a);
    write(a[1], "lost", 4);
    SHOW(splice(a[0], NULL, b[1], NULL, 100, 0));
    SHOW(splice(in, NULL, b[1], NULL, 100, 0));
    SHOW(read(a[0], got, 100));
    close(in), close(out), close(a[0]), close(a[1]), close(b[1]), close(append);
}

static int first[2], second[2];

static void *forward(void *unused)
{
    while (splice(first[0], NULL, second[1], NULL, 50000, SPLICE_F_MOVE) > 0) {
    }
    close(second[1]);
    return unused;
}

static void *feed(void *unused)
{
    int in = open("in", O_RDONLY);
    loff_t offset = 0;
    while (splice(in, &offset, first[1], NULL, 70000, 0) > 0) {
    }
    close(first[1]);
    close(in);
    return unused;
}

// A file goes through two pipes to another file, three threads at work.
static void chain(void)
{
    pthread_t threads[2];
    int in = text_make("in", ""), out = text_make("out", "");
    long total = 0;
    ssize_t part;
    SHOW(write(in, data, BIG));
    pipe(first);
    pipe(second);
    pthread_create(&threads[0], NULL, feed, NULL);
    pthread_create(&threads[1], NULL, forward, NULL);
    while ((part = splice(second[0], NULL, out, NULL, 40000, 0)) > 0) {
        total += part;
    }
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    printf("total %ld\n", total);
    SHOW(pread(out, got, BIG, 0));
    printf("  alike %d\n", memcmp(data, got, BIG) == 0);
    close(in), close(out), close(first[0]), close(second[0]);
}

static void vectors_with_flags(void)
{
    int fd = text_make("in", "0123456789"), append = open("in", O_WRONLY | O_APPEND);
    struct iovec two[2] = {{"ab", 2}, {"cd", 2}};
    struct iovec room[2] = {{got, 3}, {got + 3, 3}};
    SHOW(pwritev2(fd, two, 2, 1, 0));
    SHOW(pwritev2(fd, two, 2, 1, RWF_SYNC));
    SHOW(pwritev2(fd, two, 2, 3, RWF_DSYNC | RWF_HIPRI));
    SHOW(pwritev2(fd, two, 2, 0, RWF_APPEND));
    printf("  %ld\n", position(fd));
    SHOW(pwritev2(fd, two, 1, -1, 0));
    printf("  %ld\n", position(fd));
    SHOW(pwritev2(fd, two, 1, -1, RWF_APPEND));
    printf("  %ld\n", position(fd));
    SHOW(pwritev2(fd, two, 1, -2, 0));
    SHOW(pwritev2(fd, two, 1, 0, 0x4000));
    SHOW(preadv2(fd, room, 2, 1, 0));
    SHOW(preadv2(fd, room, 2, -1, 0));
    SHOW(lseek(fd, 2, SEEK_SET));
    SHOW(preadv2(fd, room, 2, -1, RWF_HIPRI));
    printf("  %.6s\n", got);
    SHOW(pwrite(append, "!!", 2, 0)); // appends
    SHOW(pwritev(append, two, 2, 0));
    printf("  %ld\n", position(append));
    SHOW(write(append, "*", 1));
    printf("  %ld\n", position(append));
    text_show("in");
    struct iovec many[1025];
    for (int i = 0; i < 1025; ++i) {
        many[i] = (struct iovec){data + i, 1};
    }
    SHOW(pwritev(fd, many, 1025, 0));
    SHOW(pwritev(fd, many, 1024, 0));
    SHOW(writev(fd, many, 0));
    struct iovec long_one[2] = {{got, 5}, {got, SIZE_MAX / 2 + 1}};
    SHOW(readv(fd, long_one, 2));
    close(fd), close(append);
}

static volatile int signals;

static void count(int signal)
{
    (void)signal;
    ++signals;
}

static void limits(void)
{
    int fd = text_make("in", "");
    struct rlimit limit = {100, RLIM_INFINITY};
    signal(SIGXFSZ, count);
    SHOW(setrlimit(RLIMIT_FSIZE, &limit));
    SHOW(pwrite(fd, data, 60, 0));
    SHOW(pwrite(fd, data, 60, 60));
    SHOW(pwrite(fd, data, 60, 100));
    printf("  %d\n", signals);
    SHOW(lseek(fd, 90, SEEK_SET));
    SHOW(write(fd, data, 20));
    SHOW(write(fd, data, 20));
    printf("  %d\n", signals);
    SHOW(ftruncate(fd, 101));
    SHOW(truncate("in", 200));
    printf("  %d\n", signals);
    SHOW(ftruncate(fd, 100));
    int append = open("in", O_WRONLY | O_APPEND);
    SHOW(write(append, data, 1));
    SHOW(ftruncate(fd, 95));
    SHOW(write(append, data, 10));
    printf("  %d\n", signals);
    struct iovec two[2] = {{data, 4}, {data, 4}};
    SHOW(pwritev(fd, two, 2, 98));
    SHOW(writev(fd, two, 2));
    signal(SIGXFSZ, SIG_IGN);
    SHOW(write(fd, data, 1));
    int ends[2];
    pipe(ends);
    SHOW(write(ends[1], data, 1000)); // no file
    limit.rlim_cur = RLIM_INFINITY;
    SHOW(setrlimit(RLIMIT_FSIZE, &limit));
    SHOW(pwrite(fd, data, 60, 100));
    struct stat status;
    fstat(fd, &status);
    printf("  %ld\n", (long)status.st_size);
    close(fd), close(append), close(ends[0]), close(ends[1]);
}

static void everything(void)
{
    sends();
    copies();
    splices();
    chain();
    vectors_with_flags();
    limits();
    SHOW(unlink("in"));
    SHOW(unlink("out"));
}

int main(void)
{
    char folder[] = "/tmp/moves-XXXXXX";
    everything();
    mkdtemp(folder);
    chdir(folder);
    printf("in /tmp\n");
    signals = 0;
    everything();
    chdir("/");
    SHOW(rmdir(folder));
    return 0;
}
