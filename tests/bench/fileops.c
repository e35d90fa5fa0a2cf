// SPDX-License-Identifier: BSD-3-Clause
// fileops.c: calls on files below argv[1] (default /tmp): per-call cost of open+close, stat,
// create+unlink, 4 KiB pread and pwrite over a 64 MiB file that is in memory, and reading it
// through mmap.
#include "bench.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

enum { FILE_MB = 64 };
static char path[512], path2[512], deep[512];
static char buf[65536];

static void open_close(void *a, uint64_t n)
{
    const char *p = a;
    while (n--) {
        int fd = open(p, O_RDONLY);
        if (fd < 0)
            BENCH_DIE("open");
        close(fd);
    }
}
static void do_stat(void *a, uint64_t n)
{
    struct stat st;
    while (n--)
        if (stat(a, &st))
            BENCH_DIE("stat");
}
static void do_fstat(void *a, uint64_t n)
{
    struct stat st;
    while (n--)
        if (fstat(*(int *)a, &st))
            BENCH_DIE("fstat");
}
static void create_unlink(void *a, uint64_t n)
{
    while (n--) {
        int fd = open(a, O_RDWR | O_CREAT | O_EXCL, 0644);
        if (fd < 0)
            BENCH_DIE("create");
        close(fd);
        if (unlink(a))
            BENCH_DIE("unlink");
    }
}

struct io {
    int fd;
    size_t len;
    uint64_t seed;
    int rnd;
};
static off_t next_off(struct io *io, uint64_t i)
{
    uint64_t slots = ((uint64_t)FILE_MB << 20) / io->len;
    if (io->rnd) {
        io->seed = io->seed * 6364136223846793005ull + 1442695040888963407ull;
        i = io->seed >> 33;
    }
    return (off_t)((i % slots) * io->len);
}
static void do_pread(void *a, uint64_t n)
{
    struct io *io = a;
    for (uint64_t i = 0; i < n; i++)
        if (pread(io->fd, buf, io->len, next_off(io, i)) != (ssize_t)io->len)
            BENCH_DIE("pread");
}
static void do_pwrite(void *a, uint64_t n)
{
    struct io *io = a;
    for (uint64_t i = 0; i < n; i++)
        if (pwrite(io->fd, buf, io->len, next_off(io, i)) != (ssize_t)io->len)
            BENCH_DIE("pwrite");
}

// Map the file, read one word of each page, unmap.
static double map_read_ns(int fd)
{
    const size_t bytes = (size_t)FILE_MB << 20;
    uint64_t sum = 0;
    const uint64_t start = now_ns();
    char *p = mmap(NULL, bytes, PROT_READ, MAP_SHARED, fd, 0);
    if (p == MAP_FAILED)
        BENCH_DIE("mmap");
    for (size_t i = 0; i < bytes; i += 4096)
        sum += *(volatile uint64_t *)(p + i);
    munmap(p, bytes);
    const uint64_t end = now_ns();
    if (sum == 42)
        puts("# 42");
    return (double)(end - start);
}

// ns per page; each time it is the whole file, however long that takes.
static void map_report(int fd)
{
    double v[BENCH_MAX_REPS];
    const int reps = bench_reps();
    for (int i = 0; i < reps; i++)
        v[i] = map_read_ns(fd) / (((size_t)FILE_MB << 20) / 4096);
    bench_report("file_mmap_read_page", v, reps, "ns");
}

int main(int argc, char **argv)
{
    const char *dir = argc > 1 ? argv[1] : "/tmp";
    struct io io = {.seed = 1};
    int fd;
    bench_pin(0);
    memset(buf, 'x', sizeof buf);
    snprintf(path, sizeof path, "%s/fileops.dat", dir);
    snprintf(path2, sizeof path2, "%s/fileops.new", dir);
    fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0644);
    if (fd < 0)
        BENCH_DIE(path);
    for (size_t i = 0; i < ((size_t)FILE_MB << 20); i += sizeof buf)
        if (write(fd, buf, sizeof buf) != (ssize_t)sizeof buf)
            BENCH_DIE("write");
    snprintf(deep, sizeof deep, "%s/d1", dir);
    mkdir(deep, 0755);
    snprintf(deep, sizeof deep, "%s/d1/d2", dir);
    mkdir(deep, 0755);
    snprintf(deep, sizeof deep, "%s/d1/d2/d3", dir);
    mkdir(deep, 0755);
    snprintf(deep, sizeof deep, "%s/d1/d2/d3/f", dir);
    close(open(deep, O_CREAT | O_RDWR, 0644));

    bench_ns("file_open_close", open_close, path);
    bench_ns("file_open_close_deep3", open_close, deep);
    bench_ns("file_stat", do_stat, path);
    bench_ns("file_stat_deep3", do_stat, deep);
    bench_ns("file_fstat", do_fstat, &fd);
    bench_ns("file_create_close_unlink", create_unlink, path2);
    io.fd = fd;
    io.len = 4096;
    bench_ns("file_pread_4k_seq", do_pread, &io);
    bench_ns("file_pwrite_4k_seq", do_pwrite, &io);
    io.rnd = 1;
    bench_ns("file_pread_4k_rand", do_pread, &io);
    bench_ns("file_pwrite_4k_rand", do_pwrite, &io);
    io.rnd = 0;
    io.len = 65536;
    bench_ns("file_pread_64k_seq", do_pread, &io);
    map_report(fd);
    close(fd);
    unlink(path);
    unlink(deep);
    snprintf(deep, sizeof deep, "%s/d1/d2/d3", dir);
    rmdir(deep);
    snprintf(deep, sizeof deep, "%s/d1/d2", dir);
    rmdir(deep);
    snprintf(deep, sizeof deep, "%s/d1", dir);
    rmdir(deep);
    return 0;
}
