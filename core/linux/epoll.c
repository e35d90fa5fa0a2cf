// SPDX-License-Identifier: BSD-3-Clause
// epoll.c: the calls of epoll(7).
#include <fcntl.h>
#include <limits.h>
#include <sys/epoll.h>

#include "core/lib/errno.h"
#include "core/linux/calls.h"
#include "core/linux/clock.h"
#include "core/linux/signal.h"
#include "core/linux/user.h"
#include "core/vfs/epoll.h"
#include "core/vfs/fdtable.h"

_Static_assert((int)EPOLL_CTL_ADD == (int)EPOLL_ADD && (int)EPOLL_CTL_DEL == (int)EPOLL_REMOVE &&
                   (int)EPOLL_CTL_MOD == (int)EPOLL_CHANGE,
               "epoll operations");
_Static_assert((int)EPOLLRDHUP == (int)POLL_READ_HANG_UP &&
                   (int)EPOLLRDNORM == (int)POLL_IN_NORMAL &&
                   (int)EPOLLWRNORM == (int)POLL_OUT_NORMAL,
               "epoll events");

long linux_epoll_create1(int flags)
{
    struct file *file;
    if ((flags & ~O_CLOEXEC) != 0) {
        return -EINVAL;
    }
    int error = epoll_make(&file);
    if (error != 0) {
        return error;
    }
    int fd = fd_install(file, 0, (flags & O_CLOEXEC) != 0);
    if (fd < 0) {
        file_put(file);
    }
    return fd;
}

long linux_epoll_create(int size)
{
    return size <= 0 ? -EINVAL : linux_epoll_create1(0);
}

long linux_epoll_ctl(int epoll_fd, int operation, int fd, const struct epoll_event *user)
{
    struct file *epoll;
    struct file *file;
    struct epoll_event event = {0};
    int error = operation == EPOLL_CTL_DEL ? 0 : user_read(&event, user, sizeof event);
    if (error != 0 || (error = fd_get(epoll_fd, &epoll)) != 0) {
        return error;
    }
    error = fd_get(fd, &file);
    if (error == 0) {
        error = epoll_control(epoll, operation, file, fd, event.events, event.data.u64);
        file_put(file);
    }
    file_put(epoll);
    return error;
}

static int event_emit(uint32_t events, uint64_t data, void *argument)
{
    struct epoll_event **next = argument;
    const struct epoll_event event = {.events = events, .data.u64 = data};
    int error = user_write(*next, &event, sizeof event);
    *next += error == 0;
    return error;
}

static long wait_call(int fd, struct epoll_event *user, int max, hal_ns deadline)
{
    struct file *epoll;
    if (max <= 0 || max > INT_MAX / (int)sizeof *user) {
        return -EINVAL;
    }
    int error = fd_get(fd, &epoll);
    if (error != 0) {
        return error;
    }
    long result = epoll_collect(epoll, max, deadline, event_emit, &user);
    file_put(epoll);
    return result;
}

static hal_ns deadline_of(int timeout_ms)
{
    return timeout_ms < 0    ? UINT64_MAX
           : timeout_ms == 0 ? 0
                             : hal_clock_ns() + (hal_ns)timeout_ms * 1000000;
}

long linux_epoll_wait(int fd, struct epoll_event *events, int max, int timeout_ms)
{
    return wait_call(fd, events, max, deadline_of(timeout_ms));
}

static long wait_masked(int fd, struct epoll_event *events, int max, hal_ns deadline,
                        const struct linux_pselect_mask *mask)
{
    int error = signal_mask_push(mask->mask, mask->size);
    if (error != 0) {
        return error;
    }
    long result = wait_call(fd, events, max, deadline);
    signal_mask_pop(mask->mask, result == -EINTR);
    return result;
}

long linux_epoll_pwait(int fd, struct epoll_event *events, int max, int timeout_ms,
                       const uint64_t *mask, size_t mask_size)
{
    const struct linux_pselect_mask how = {mask, mask_size};
    return wait_masked(fd, events, max, deadline_of(timeout_ms), &how);
}

long linux_epoll_pwait2(int fd, struct epoll_event *events, int max, const struct timespec *timeout,
                        const uint64_t *mask, size_t mask_size)
{
    const struct linux_pselect_mask how = {mask, mask_size};
    hal_ns deadline;
    int error = clock_span_read(&deadline, timeout);
    return error != 0 ? error : wait_masked(fd, events, max, deadline, &how);
}
