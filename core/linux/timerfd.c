// SPDX-License-Identifier: BSD-3-Clause
// timerfd.c: timers that are read as files, as timerfd_create(2) has them.
#include <fcntl.h>
#include <sys/timerfd.h>

#include "core/lib/errno.h"
#include "core/linux/calls.h"
#include "core/linux/clock.h"
#include "core/linux/interval.h"
#include "core/linux/user.h"
#include "core/mem/heap.h"
#include "core/sync/waitqueue.h"
#include "core/vfs/fdtable.h"
#include "core/vfs/nameless.h"
#include "core/vfs/poll.h"

struct timerfd {
    struct mutex lock; // guards the next six
    struct interval interval;
    uint64_t ticks;   // expiries that nobody has read; 1 at least if is_canceled
    bool may_cancel;  // TFD_TIMER_CANCEL_ON_SET: whoever sets the clock is to be told of
    bool is_canceled; // somebody has, and nobody has been told
    uint64_t changes; // interval_wall_changes, when the timer was set or last canceled
    struct waitqueue readers;
    struct poll_list poll;
};

static const struct file_ops timerfd_ops;

static void timerfd_ring(struct alarm *alarm)
{
    struct timerfd *timer = container_of(alarm, struct timerfd, interval.alarm);
    mutex_lock(&timer->lock);
    bool is_news = interval_is_due(&timer->interval);
    uint64_t changes = interval_wall_changes();
    if (timer->may_cancel && timer->changes != changes) {
        timer->changes = changes;
        timer->is_canceled = is_news = true;
    }
    if (is_news) {
        ++timer->ticks;
        waitqueue_wake_all(&timer->readers);
    }
    mutex_unlock(&timer->lock);
    if (is_news) {
        poll_list_wake(&timer->poll, POLL_IN);
    }
}

// Counts what has come since it rang. The ring itself is in ticks already.
static void forward_locked(struct timerfd *timer)
{
    uint64_t passed = interval_forward(&timer->interval);
    timer->ticks += passed > 1 ? passed - 1 : 0;
}

static int timerfd_read(struct file *file, uint64_t offset, char *data, size_t size, size_t *done)
{
    (void)offset;
    struct timerfd *timer = file->state;
    bool is_nonblocking = (atomic_load(&file->flags) & OPEN_NONBLOCK) != 0;
    int error = 0;
    if (size < sizeof timer->ticks) {
        return -EINVAL;
    }
    mutex_lock(&timer->lock);
    while (timer->ticks == 0 && error == 0) {
        if (is_nonblocking) {
            error = -EAGAIN;
        } else if (waitqueue_wait_until(&timer->readers, &timer->lock, UINT64_MAX, true) ==
                   WAIT_INTERRUPTED) {
            error = -EINTR;
        }
    }
    uint64_t ticks = 0;
    if (error == 0 && timer->is_canceled) {
        timer->is_canceled = false;
        timer->ticks = 0;
        error = -ECANCELED;
    } else if (error == 0) {
        forward_locked(timer);
        ticks = timer->ticks;
        timer->ticks = 0;
    }
    mutex_unlock(&timer->lock);
    if (error == 0) {
        *done = sizeof ticks;
        error = user_write(data, &ticks, sizeof ticks);
    }
    return error;
}

static unsigned timerfd_poll(struct file *file, struct poll_entry *entry)
{
    struct timerfd *timer = file->state;
    if (entry != NULL) {
        poll_list_add(&timer->poll, entry);
    }
    mutex_lock(&timer->lock);
    unsigned events = timer->ticks != 0 ? POLL_IN : 0;
    mutex_unlock(&timer->lock);
    return events;
}

static void timerfd_close(struct file *file)
{
    struct timerfd *timer = file->state;
    interval_end(&timer->interval);
    heap_free(timer);
}

static const struct file_ops timerfd_ops = {
    .read = timerfd_read,
    .seek = file_seek_nowhere,
    .poll = timerfd_poll,
    .status = nameless_shared_status,
    .close = timerfd_close,
};

static bool is_clock(int clock)
{
    return clock == CLOCK_REALTIME || clock == CLOCK_MONOTONIC || clock == CLOCK_BOOTTIME ||
           clock == CLOCK_REALTIME_ALARM || clock == CLOCK_BOOTTIME_ALARM;
}

long linux_timerfd_create(int clock, int flags)
{
    struct file *file;
    if (!is_clock(clock) || (flags & ~(TFD_NONBLOCK | TFD_CLOEXEC)) != 0) {
        return -EINVAL;
    }
    struct timerfd *timer = heap_alloc_zeroed(sizeof *timer);
    if (timer == NULL) {
        return -ENOMEM;
    }
    timer->interval.clock = clock;
    timer->interval.alarm.ring = timerfd_ring;
    uint32_t open_flags = ((uint32_t)flags & OPEN_NONBLOCK) | OPEN_READ_WRITE;
    int error = file_create(&file, &timerfd_ops, open_flags, timer);
    if (error != 0) {
        heap_free(timer);
        return error;
    }
    file->is_stream = true;
    int fd = fd_install(file, 0, (flags & TFD_CLOEXEC) != 0);
    if (fd < 0) {
        file_put(file);
    }
    return fd;
}

static int timerfd_get(int fd, struct file **file)
{
    int error = fd_get(fd, file);
    if (error == 0 && (*file)->ops != &timerfd_ops) {
        file_put(*file);
        error = -EINVAL;
    }
    return error;
}

// Answers -ECANCELED, though the timer is set, where it goes on from one that is canceled: so does
// Linux.
static int timerfd_set_locked(struct timerfd *timer, int flags, hal_ns value, hal_ns period)
{
    const int cancels = TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET;
    timer->may_cancel = (flags & cancels) == cancels && clock_is_on_wall(timer->interval.clock);
    bool was_canceled = timer->may_cancel && timer->is_canceled;
    timer->is_canceled = false;
    timer->ticks = 0;
    int error = interval_set(&timer->interval, (flags & TFD_TIMER_ABSTIME) != 0, value, period);
    timer->changes = interval_wall_changes(); // from here on each makes it ring
    return error == 0 && was_canceled && value != 0 ? -ECANCELED : error;
}

long linux_timerfd_settime(int fd, int flags, const struct itimerspec *set, struct itimerspec *get)
{
    struct file *file;
    hal_ns value;
    hal_ns period;
    if ((flags & ~(TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET)) != 0) {
        return -EINVAL;
    }
    int error = interval_read(set, &value, &period);
    if (error != 0 || (error = timerfd_get(fd, &file)) != 0) {
        return error;
    }
    struct timerfd *timer = file->state;
    mutex_lock(&timer->lock);
    forward_locked(timer);
    hal_ns old_left = interval_left(&timer->interval);
    hal_ns old_period = timer->interval.period;
    error = timerfd_set_locked(timer, flags, value, period);
    mutex_unlock(&timer->lock);
    file_put(file);
    return error != 0 || get == NULL ? error : interval_write(get, old_left, old_period);
}

long linux_timerfd_gettime(int fd, struct itimerspec *get)
{
    struct file *file;
    int error = timerfd_get(fd, &file);
    if (error != 0) {
        return error;
    }
    struct timerfd *timer = file->state;
    mutex_lock(&timer->lock);
    forward_locked(timer);
    hal_ns left = interval_left(&timer->interval);
    hal_ns period = timer->interval.period;
    mutex_unlock(&timer->lock);
    file_put(file);
    return interval_write(get, left, period);
}
