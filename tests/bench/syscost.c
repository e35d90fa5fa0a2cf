// SPDX-License-Identifier: BSD-3-Clause
// syscost.c: cost of the cheapest calls into the system.
#include "bench.h"
#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/uio.h>

static void f_getppid(void *a, uint64_t n)
{
    (void)a;
    while (n--)
        (void)getppid();
}
static void f_rawsys(void *a, uint64_t n)
{
    (void)a;
    while (n--)
        (void)syscall(SYS_getppid);
}
static void f_clock(void *a, uint64_t n)
{
    struct timespec ts;
    (void)a;
    while (n--)
        clock_gettime(CLOCK_MONOTONIC, &ts);
}
static void f_read1(void *a, uint64_t n)
{
    char c;
    int fd = *(int *)a;
    while (n--)
        if (read(fd, &c, 1) != 1)
            BENCH_DIE("read");
}
static void f_read4k(void *a, uint64_t n)
{
    static char buf[4096];
    int fd = *(int *)a;
    while (n--)
        if (read(fd, buf, sizeof buf) != (ssize_t)sizeof buf)
            BENCH_DIE("read");
}
static void f_write1(void *a, uint64_t n)
{
    int fd = *(int *)a;
    while (n--)
        if (write(fd, "x", 1) != 1)
            BENCH_DIE("write");
}

int main(void)
{
    int z, nul;
    bench_pin(0);
    bench_ns("getppid", f_getppid, NULL);
    bench_ns("syscall_getppid", f_rawsys, NULL);
    bench_ns("clock_gettime_monotonic", f_clock, NULL);
    z = open("/dev/zero", O_RDONLY);
    if (z >= 0) {
        bench_ns("read_devzero_1B", f_read1, &z);
        bench_ns("read_devzero_4K", f_read4k, &z);
    } else
        bench_skip("read_devzero_1B", "no /dev/zero");
    nul = open("/dev/null", O_WRONLY);
    if (nul >= 0)
        bench_ns("write_devnull_1B", f_write1, &nul);
    else
        bench_skip("write_devnull_1B", "no /dev/null");
    return 0;
}
