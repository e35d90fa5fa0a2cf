// SPDX-License-Identifier: BSD-3-Clause
// owner.c: who is told by a signal of what happens to a file.
//
// An owner has an entry in its file's list of waiters. A wake only notes what may have happened and
// rings for the owners' thread: that one asks the file, which locks more than a wake may, and sends
// the signals. So there is none for what has been taken meanwhile.
//
// It does not keep the file open: who closes a file waits until it is not being told of, and no
// signal about it comes later.
//
// Locks, in this order: telling, owners_lock (who it is), a file's own, its poll_list's, news_lock.
#include "core/linux/owner.h"

#include <fcntl.h>
#include <sys/ioctl.h>

#include "core/lib/errno.h"
#include "core/lib/list.h"
#include "core/linux/process.h"
#include "core/linux/signal.h"
#include "core/linux/task.h"
#include "core/linux/user.h"
#include "core/mem/heap.h"
#include "core/sched/thread.h"
#include "core/sync/bell.h"
#include "core/vfs/poll.h"

enum { CODE_IN = 1, CODE_OUT = 2, CODE_ERROR = 4, CODE_PRIORITY = 5, CODE_HANG_UP = 6 }; // si_code
enum { ALL = POLL_IN_ANY | POLL_OUT_ANY | POLL_PRIORITY | POLL_READ_HANG_UP };

struct owner {
    struct file_owner is;
    struct file *file;
    struct poll_entry entry; // in the file's list of waiters
    struct list node;        // in news; empty: not there. news_lock
    unsigned events;         // that have come since. news_lock
    // owners_lock
    int type, id; // of F_SETOWN_EX; id 0: nobody
    int signal;   // of F_SETSIG
    int fd;       // that O_ASYNC was set by
};

static struct mutex telling;     // held while a file is asked and told of
static struct mutex owners_lock; // and of file->owner until there is one
static struct mutex news_lock;
static struct list news = LIST_EMPTY(news);
static struct bell arrivals;
static bool has_thread; // owners_lock

// ---- Telling -----------------------------------------------------------------

struct reason {
    unsigned events; // any of them
    int code;        // si_code
    unsigned band;   // si_band
    bool is_end;     // nothing else counts
};

// fcntl(2), F_SETSIG, and what Linux fills in (fs/fcntl.c, band_table).
static const struct reason reasons[] = {
    {POLL_HANG_UP, CODE_HANG_UP, POLL_HANG_UP | POLL_ERROR, true},
    {POLL_ERROR, CODE_ERROR, POLL_ERROR, true},
    {POLL_PRIORITY, CODE_PRIORITY, POLL_PRIORITY | 0x80, false},
    {POLL_IN_ANY, CODE_IN, POLL_IN_ANY, false},
    {POLL_OUT_ANY, CODE_OUT, POLL_OUT_ANY | 0x200, false},
};

static int send(const struct owner *owner, const struct linux_signal_info *info)
{
    return owner->id == 0               ? 0
           : owner->type == F_OWNER_TID ? signal_send_thread(owner->id, info)
                                        : signal_send_process(info);
}

// The one that F_SETSIG chose says why; where there is no room for it, SIGIO goes in its place.
static void reason_tell(const struct owner *owner, const struct reason *reason)
{
    struct linux_signal_info info = signal_info_kernel(SIGNAL_IO);
    if (owner->signal != 0) {
        struct linux_signal_info chosen = {.signal = owner->signal, .code = reason->code};
        chosen.words[0] = reason->band;
        chosen.words[1] = (uint64_t)owner->fd;
        if (send(owner, &chosen) != -EAGAIN) {
            return;
        }
    }
    (void)send(owner, &info);
}

static void tell(struct owner *owner, unsigned events)
{
    const unsigned ready = file_poll(owner->file, NULL) & events;
    const bool tells = (atomic_load(&owner->file->flags) & OPEN_ASYNC) != 0;
    mutex_lock(&owners_lock);
    const struct owner whom = *owner;
    mutex_unlock(&owners_lock);
    if (ready & POLL_PRIORITY) {
        const struct linux_signal_info info = signal_info_kernel(SIGNAL_URGENT);
        (void)send(&whom, &info);
    }
    bool goes_on = tells;
    for (size_t i = 0; goes_on && i < sizeof reasons / sizeof reasons[0]; ++i) {
        if (ready & reasons[i].events) {
            reason_tell(&whom, &reasons[i]);
            goes_on = !reasons[i].is_end;
        }
    }
}

// The next with news. NULL: there is none.
static struct owner *news_take(unsigned *events)
{
    struct owner *owner = NULL;
    mutex_lock(&news_lock);
    if (!list_is_empty(&news)) {
        owner = container_of(news.next, struct owner, node);
        list_remove(&owner->node);
        *events = owner->events;
        owner->events = 0;
    }
    mutex_unlock(&news_lock);
    return owner;
}

static bool news_tell(void)
{
    unsigned events;
    mutex_lock(&telling);
    struct owner *owner = news_take(&events);
    if (owner != NULL) {
        tell(owner, events);
    }
    mutex_unlock(&telling);
    return owner != NULL;
}

static void owners_run(void *argument)
{
    (void)argument;
    for (;;) {
        (void)bell_wait(&arrivals);
        while (news_tell()) {
        }
    }
}

// Under the lock of the file's list of waiters.
static bool owner_wake(struct poll_entry *entry, unsigned events)
{
    struct owner *owner = container_of(entry, struct owner, entry);
    mutex_lock(&news_lock);
    owner->events |= events;
    if (list_is_empty(&owner->node)) {
        list_push_back(&news, &owner->node);
    }
    mutex_unlock(&news_lock);
    bell_ring(&arrivals, 1);
    return false;
}

// ---- Owners --------------------------------------------------------------------

static void owner_end(struct file_owner *is)
{
    struct owner *owner = container_of(is, struct owner, is);
    poll_entry_remove(&owner->entry); // from here on nobody wakes it
    mutex_lock(&telling);
    mutex_lock(&news_lock);
    list_remove(&owner->node);
    mutex_unlock(&news_lock);
    mutex_unlock(&telling);
    heap_free(owner);
}

// With owners_lock held.
static int thread_need(void)
{
    const struct thread_schedule fair = {.policy = THREAD_FAIR};
    const struct thread_config config = {.name = "owners", .schedule = &fair, .detached = true};
    struct thread *thread;
    const int error = has_thread ? 0 : thread_create(&thread, &config, owners_run, NULL);
    if (error == 0 && !has_thread) {
        has_thread = true;
        bell_listener_set(&arrivals, thread);
        thread_start(thread);
    }
    return error;
}

static bool can_tell(struct file *file)
{
    struct file_status status;
    if (file->ops->poll == NULL || file_status(file, &status) != 0) {
        return false;
    }
    const uint32_t type = status.mode & MODE_TYPE;
    return type == MODE_SOCKET || type == MODE_FIFO || type == MODE_CHARACTER;
}

// With owners_lock held: the file's owner, which is nobody at first.
static int owner_need(struct file *file, struct owner **out)
{
    int error = thread_need();
    struct owner *owner = file->owner != NULL ? container_of(file->owner, struct owner, is) : NULL;
    if (error == 0 && owner == NULL) {
        owner = heap_alloc_zeroed(sizeof *owner);
        error = owner == NULL ? -ENOMEM : 0;
    }
    if (error == 0 && file->owner == NULL) {
        owner->is.end = owner_end;
        owner->file = file;
        owner->type = F_OWNER_PID;
        list_init(&owner->node);
        owner->entry.wake = owner_wake;
        owner->entry.wanted = POLL_PRIORITY; // SIGURG comes without O_ASYNC
        file->owner = &owner->is;
        if (can_tell(file)) {
            (void)file_poll(file, &owner->entry);
        }
    }
    *out = owner;
    return error;
}

int owner_tells_set(struct file *file, int fd, bool tells)
{
    struct owner *owner;
    int error = can_tell(file) ? 0 : -ENOTTY;
    mutex_lock(&owners_lock);
    const bool told = (atomic_load(&file->flags) & OPEN_ASYNC) != 0;
    if (error == 0 && tells != told) {
        error = owner_need(file, &owner);
    }
    if (error == 0 && tells && !told) {
        owner->fd = fd;
        atomic_fetch_or(&file->flags, OPEN_ASYNC);
        poll_entry_want(&owner->entry, ALL);
    } else if (error == 0 && told && !tells) {
        atomic_fetch_and(&file->flags, ~(uint32_t)OPEN_ASYNC);
        poll_entry_want(&owner->entry, POLL_PRIORITY);
    }
    mutex_unlock(&owners_lock);
    return error;
}

// -ESRCH: there is none of that type.
static int owner_find(int type, int id)
{
    bool is_there = id == PROCESS_ID; // the process, and its group
    if (type == F_OWNER_TID) {
        mutex_lock(&task_lock);
        is_there = task_find(id) != NULL;
        mutex_unlock(&task_lock);
    }
    return id == 0 || is_there ? 0 : -ESRCH;
}

static long owner_set(struct file *file, int type, int id)
{
    struct owner *owner;
    int error = owner_find(type, id);
    mutex_lock(&owners_lock);
    error = error == 0 ? owner_need(file, &owner) : error;
    if (error == 0) {
        owner->type = type;
        owner->id = id;
    }
    mutex_unlock(&owners_lock);
    return error;
}

// A negative number is a group's.
static long owner_set_signed(struct file *file, long who)
{
    const int id = (int)who;
    return id == INT32_MIN ? -EINVAL
           : id < 0        ? owner_set(file, F_OWNER_PGRP, -id)
                           : owner_set(file, F_OWNER_PID, id);
}

static long signal_set(struct file *file, long signal)
{
    struct owner *owner;
    if (signal < 0 || signal > SIGNAL_COUNT) {
        return -EINVAL;
    }
    mutex_lock(&owners_lock);
    const int error = owner_need(file, &owner);
    if (error == 0) {
        owner->signal = (int)signal;
    }
    mutex_unlock(&owners_lock);
    return error;
}

// As it is now. Without one: nobody, and SIGIO.
static struct owner owner_now(struct file *file)
{
    struct owner now = {.type = F_OWNER_PID};
    mutex_lock(&owners_lock);
    if (file->owner != NULL) {
        now = *container_of(file->owner, struct owner, is);
    }
    mutex_unlock(&owners_lock);
    return now;
}

static long owner_get_signed(struct file *file)
{
    const struct owner owner = owner_now(file);
    return owner.type == F_OWNER_PGRP ? -owner.id : owner.id;
}

static long owner_set_user(struct file *file, const struct f_owner_ex *user)
{
    struct f_owner_ex named;
    if (user_read(&named, user, sizeof named) != 0) {
        return -EFAULT;
    }
    const bool is_type =
        named.type == F_OWNER_TID || named.type == F_OWNER_PID || named.type == F_OWNER_PGRP;
    return is_type ? owner_set(file, named.type, named.pid) : -EINVAL;
}

long owner_control(struct file *file, int command, long argument)
{
    switch (command) {
    case F_SETOWN:
        return owner_set_signed(file, argument);
    case F_GETOWN:
        return owner_get_signed(file);
    case F_SETOWN_EX:
        return owner_set_user(file, (const struct f_owner_ex *)argument);
    case F_GETOWN_EX: {
        const struct owner owner = owner_now(file);
        const struct f_owner_ex named = {.type = owner.type, .pid = owner.id};
        return user_write((void *)argument, &named, sizeof named);
    }
    case F_SETSIG:
        return signal_set(file, argument);
    case F_GETSIG:
        return owner_now(file).signal;
    default:
        return -EINVAL;
    }
}

int owner_ioctl(struct file *file, unsigned long request, int *user)
{
    int who;
    switch (request) {
    case FIOSETOWN:
    case SIOCSPGRP:
        return user_read(&who, user, sizeof who) != 0 ? -EFAULT : (int)owner_set_signed(file, who);
    case FIOGETOWN:
    case SIOCGPGRP:
        who = (int)owner_get_signed(file);
        return user_write(user, &who, sizeof who);
    default:
        return -ENOTTY;
    }
}
