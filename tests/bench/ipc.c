// SPDX-License-Identifier: BSD-3-Clause
// ipc.c: ping-pong between two threads: pipe, eventfd, socketpair, futex, on one CPU and on two.
// One operation is a full round trip.
#include "bench.h"
#include <linux/futex.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>

enum kind { PIPE, EVENTFD, SOCKPAIR, FUTEX };
struct chan {
    enum kind kind;
    int a[2], b[2];
    int cpu[2];
};

static void fd_send(enum kind k, int fd)
{
    uint64_t one = 1;
    size_t len = k == EVENTFD ? 8 : 1;
    if (write(fd, &one, len) != (ssize_t)len)
        BENCH_DIE("write");
}
static void fd_recv(enum kind k, int fd)
{
    uint64_t v;
    size_t len = k == EVENTFD ? 8 : 1;
    if (read(fd, &v, len) != (ssize_t)len)
        BENCH_DIE("read");
}

static int word;
static void futex_turn(int me, uint64_t n)
{
    while (n--) {
        int v;
        while ((v = __atomic_load_n(&word, __ATOMIC_ACQUIRE)) != me)
            syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, v, NULL, NULL, 0);
        __atomic_store_n(&word, !me, __ATOMIC_RELEASE);
        syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
    }
}

static void side(void *p, int me, uint64_t n)
{
    struct chan *c = p;
    if (c->kind == FUTEX)
        futex_turn(me, n);
    else if (me)
        while (n--) {
            fd_recv(c->kind, c->a[0]);
            fd_send(c->kind, c->b[1]);
        }
    else
        while (n--) {
            fd_send(c->kind, c->a[1]);
            fd_recv(c->kind, c->b[0]);
        }
}

static uint64_t pingpong(void *a, uint64_t n)
{
    struct chan *c = a;
    word = 0;
    return bench_two(side, c, c->cpu, n);
}

static void run(const char *what, enum kind k)
{
    struct chan c = {.kind = k};
    char name[64];
    switch (k) {
    case PIPE:
        if (pipe(c.a) || pipe(c.b)) {
            bench_skip(what, strerror(errno));
            return;
        }
        break;
    case EVENTFD:
        c.a[0] = c.a[1] = eventfd(0, 0);
        c.b[0] = c.b[1] = eventfd(0, 0);
        if (c.a[0] < 0 || c.b[0] < 0) {
            bench_skip(what, strerror(errno));
            return;
        }
        break;
    case SOCKPAIR: {
        int s[2];
        if (socketpair(AF_UNIX, SOCK_STREAM, 0, s)) {
            bench_skip(what, strerror(errno));
            return;
        }
        c.a[1] = c.b[0] = s[0];
        c.a[0] = c.b[1] = s[1];
        break;
    }
    case FUTEX:
        break;
    }
    snprintf(name, sizeof name, "%s_rt_1cpu", what);
    bench_ns_timed(name, pingpong, &c);
    if (bench_ncpu() > 1) {
        c.cpu[1] = 1;
        snprintf(name, sizeof name, "%s_rt_2cpu", what);
        bench_ns_timed(name, pingpong, &c);
    }
}

int main(void)
{
    run("pipe", PIPE);
    run("eventfd", EVENTFD);
    run("socketpair", SOCKPAIR);
    run("futex", FUTEX);
    return 0;
}
