// SPDX-License-Identifier: BSD-3-Clause
// signalfd.c: signals that are read as files, as signalfd(2) has them: those pending for the reader
// or for the process.
#include <fcntl.h>
#include <sys/signalfd.h>

#include "core/lib/errno.h"
#include "core/lib/string.h"
#include "core/linux/calls.h"
#include "core/linux/owner.h"
#include "core/linux/signal.h"
#include "core/linux/task.h"
#include "core/linux/user.h"
#include "core/mem/heap.h"
#include "core/vfs/fdtable.h"
#include "core/vfs/nameless.h"
#include "core/vfs/poll.h"

struct signalfd {
    _Atomic uint64_t set;
};

static struct poll_list pollers; // of all signalfds

void signal_sent(void)
{
    poll_list_wake(&pollers, POLL_IN);
}

static struct signalfd_siginfo record_of(const struct linux_signal_info *info)
{
    struct signalfd_siginfo record;
    memset(&record, 0, sizeof record);
    record.ssi_signo = (uint32_t)info->signal;
    record.ssi_errno = info->error;
    record.ssi_code = info->code;
    if (info->code == SIGNAL_CODE_TIMER) {
        record.ssi_tid = (uint32_t)info->timer.id;
        record.ssi_overrun = (uint32_t)info->timer.overrun;
        record.ssi_ptr = info->timer.value;
        record.ssi_int = (int32_t)info->timer.value;
    } else if (info->code > 0 && info->code <= OWNER_CODE_MAX) { // nothing else has such here
        record.ssi_band = (uint32_t)info->words[0];
        record.ssi_fd = (int32_t)info->words[1];
    } else {
        record.ssi_pid = (uint32_t)info->sender.pid;
        record.ssi_uid = info->sender.uid;
    }
    if (info->code == SIGNAL_CODE_QUEUE) {
        record.ssi_ptr = info->sender.value;
        record.ssi_int = (int32_t)info->sender.value;
    }
    return record;
}

static int take(struct signalfd *fd, bool may_wait, struct linux_signal_info *info)
{
    struct task *task = task_self();
    uint64_t set = atomic_load(&fd->set);
    int error = 0;
    signal_wait_begin(task, set);
    while (error == 0 && !signal_take(task, set, info)) {
        if (!may_wait) {
            error = -EAGAIN;
        } else if (wait_is_interrupted()) {
            error = -EINTR;
        } else {
            thread_park();
        }
    }
    signal_wait_end(task);
    return error;
}

static int signalfd_read(struct file *file, uint64_t offset, char *data, size_t size, size_t *done)
{
    (void)offset;
    bool may_wait = (atomic_load(&file->flags) & OPEN_NONBLOCK) == 0;
    struct linux_signal_info info;
    struct signalfd_siginfo record;
    if (size < sizeof record) {
        return -EINVAL;
    }
    int error = 0;
    while (error == 0 && size - *done >= sizeof record) {
        error = take(file->state, may_wait && *done == 0, &info);
        if (error == 0) {
            record = record_of(&info);
            error = user_write(data + *done, &record, sizeof record);
            *done += error == 0 ? sizeof record : 0;
        }
    }
    return *done > 0 ? 0 : error;
}

static unsigned signalfd_poll(struct file *file, struct poll_entry *entry)
{
    struct signalfd *fd = file->state;
    if (entry != NULL) {
        poll_list_add(&pollers, entry);
    }
    const struct task *task = task_self();
    return task != NULL && (signal_pending(task) & atomic_load(&fd->set)) != 0 ? POLL_IN : 0;
}

static void signalfd_close(struct file *file)
{
    heap_free(file->state);
}

static const struct file_ops signalfd_ops = {
    .read = signalfd_read,
    .seek = file_seek_nowhere,
    .poll = signalfd_poll,
    .status = nameless_shared_status,
    .close = signalfd_close,
};

static long signalfd_new(uint64_t set, int flags)
{
    struct file *file;
    struct signalfd *fd = heap_alloc_zeroed(sizeof *fd);
    if (fd == NULL) {
        return -ENOMEM;
    }
    atomic_store(&fd->set, set);
    uint32_t open_flags = ((uint32_t)flags & OPEN_NONBLOCK) | OPEN_READ_WRITE;
    int error = file_create(&file, &signalfd_ops, open_flags, fd);
    if (error != 0) {
        heap_free(fd);
        return error;
    }
    file->is_stream = true;
    int result = fd_install(file, 0, (flags & SFD_CLOEXEC) != 0);
    if (result < 0) {
        file_put(file);
    }
    return result;
}

// Whoever waits sees the new set at the next signal.
static long signalfd_change(int number, uint64_t set)
{
    struct file *file;
    int error = fd_get(number, &file);
    if (error != 0) {
        return error;
    }
    bool is_one = file->ops == &signalfd_ops;
    if (is_one) {
        struct signalfd *fd = file->state;
        atomic_store(&fd->set, set);
        signal_sent();
    }
    file_put(file);
    return is_one ? number : -EINVAL;
}

long linux_signalfd4(int fd, const uint64_t *mask, size_t size, int flags)
{
    uint64_t set;
    if (size != sizeof set || (flags & ~(SFD_CLOEXEC | SFD_NONBLOCK)) != 0) {
        return -EINVAL;
    }
    int error = user_read(&set, mask, sizeof set);
    if (error != 0) {
        return error;
    }
    set &= ~signal_unblockable;
    return fd == -1 ? signalfd_new(set, flags) : signalfd_change(fd, set);
}

long linux_signalfd(int fd, const uint64_t *mask, size_t size)
{
    return linux_signalfd4(fd, mask, size, 0);
}
