// SPDX-License-Identifier: BSD-3-Clause
// wait.c: waits for files where musl's differ from glibc's.
#include <errno.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/time.h>

#include "core/libc/export.h"
#include "core/libc/thread.h"
#include "core/linux/syscall.h"

static int answer(long result)
{
    if (result < 0) {
        errno = (int)-result;
        return -1;
    }
    return (int)result;
}

// A cancellation point: before it waits, and when the request ended the wait.
static int wait_call(long number, long a, long b, long c, long d, long e, long f)
{
    libc_cancel_test();
    long result = linux_dispatch(number, a, b, c, d, e, f);
    if (result == -EINTR) {
        libc_cancel_test();
    }
    return answer(result);
}

EXPORT(int, epoll_create, int size)
{
    if (size <= 0) {
        return answer(-EINVAL);
    }
    return answer(linux_dispatch(SYS_epoll_create1, 0, 0, 0, 0, 0, 0));
}

EXPORT(int, epoll_pwait2, int fd, struct epoll_event *events, int max,
       const struct timespec *timeout, const sigset_t *mask)
{
    return wait_call(SYS_epoll_pwait2, fd, (long)events, max, (long)timeout, (long)mask, 8);
}

// The time that was left goes back to the caller; musl keeps it.
EXPORT(int, select, int count, fd_set *reads, fd_set *writes, fd_set *exceptions,
       struct timeval *timeout)
{
    struct timespec span;
    if (timeout == NULL) {
        return wait_call(SYS_pselect6, count, (long)reads, (long)writes, (long)exceptions, 0, 0);
    }
    if (timeout->tv_sec < 0 || timeout->tv_usec < 0) {
        return answer(-EINVAL);
    }
    span.tv_sec = timeout->tv_sec + timeout->tv_usec / 1000000;
    span.tv_nsec = timeout->tv_usec % 1000000 * 1000;
    int result =
        wait_call(SYS_pselect6, count, (long)reads, (long)writes, (long)exceptions, (long)&span, 0);
    timeout->tv_sec = span.tv_sec;
    timeout->tv_usec = span.tv_nsec / 1000;
    return result;
}

EXPORT(int, __select, int count, fd_set *reads, fd_set *writes, fd_set *exceptions,
       struct timeval *timeout)
{
    return glibc_select(count, reads, writes, exceptions, timeout);
}
