// SPDX-License-Identifier: BSD-3-Clause
// zcopy_send.c: sends that lend the program's memory (include/osv/zcopy.h).
#include <errno.h>
#include <stdbool.h>

#include "core/lib/list.h"
#include "core/libc/export.h"
#include "core/libc/include/osv/zcopy.h"
#include "core/linux/socketcalls.h"
#include "core/linux/socketinet.h"
#include "core/mem/heap.h"
#include "core/net/loan.h"
#include "core/sync/waitqueue.h"
#include "core/vfs/fdtable.h"

struct osv_sending {
    struct net_loan loan;
    // Under ended_lock:
    struct file *event; // counted until the bytes are over; NULL: none
    bool is_over;
};

// Those of all sends, so that they outlive each.
static struct mutex ended_lock;
static struct waitqueue ended;

static void sending_end(struct net_loan *loan)
{
    struct osv_sending *sending = container_of(loan, struct osv_sending, loan);
    mutex_lock(&ended_lock);
    struct file *event = sending->event;
    sending->event = NULL;
    sending->is_over = true;
    waitqueue_wake_all(&ended);
    mutex_unlock(&ended_lock); // it may be gone
    if (event != NULL) {
        eventfd_signal(event);
        file_put(event);
    }
}

static int event_get(int fd, struct file **event)
{
    *event = NULL;
    const int error = fd == -1 ? 0 : fd_get(fd, event);
    if (error == 0 && *event != NULL && !file_is_eventfd(*event)) {
        file_put(*event);
        return -EINVAL;
    }
    return error;
}

static int sending_make(int event, struct osv_sending **made)
{
    struct osv_sending *sending = heap_alloc_zeroed(sizeof *sending);
    int error = sending == NULL ? -ENOBUFS : net_loan_start();
    error = error != 0 ? error : event_get(event, &sending->event);
    if (error != 0) {
        heap_free(sending);
        return error;
    }
    net_loan_begin(&sending->loan, sending_end);
    *made = sending;
    return 0;
}

static void sending_free(struct osv_sending *sending)
{
    if (sending->event != NULL) {
        file_put(sending->event);
    }
    heap_free(sending);
}

static long lend(struct file *file, const struct msghdr *message, int flags, int event,
                 struct osv_sending **made)
{
    struct osv_sending *sending;
    if (!file_is_inetsocket(file) || inet_is_raw(inet_of(file))) {
        return -EOPNOTSUPP;
    }
    const int error = sending_make(event, &sending);
    if (error != 0) {
        return error;
    }
    const long result = socket_message_send(file, message, flags & ~MSG_ZEROCOPY, &sending->loan);
    if (result < 0) { // nothing has a part
        sending_free(sending);
    } else {
        *made = sending;
        if (packet_buffer_is_mine(&sending->loan.buffer)) {
            sending_end(&sending->loan);
        } else {
            packet_buffer_put(&sending->loan.buffer);
        }
    }
    return result;
}

EXPORT(ssize_t, osv_zcopy_tx, int fd, const struct msghdr *message, int flags, int event,
       struct osv_sending **sending)
{
    struct file *file;
    long result = socket_get(fd, &file);
    if (result == 0) {
        result = lend(file, message, flags, event, sending);
        file_put(file);
    }
    if (result < 0) {
        errno = (int)-result;
        return -1;
    }
    return result;
}

// The lock is held.
static int end_await(const struct osv_sending *sending, bool waits)
{
    while (!sending->is_over) {
        if (!waits) {
            return EAGAIN;
        }
        if (waitqueue_wait_until(&ended, &ended_lock, UINT64_MAX, true) == WAIT_INTERRUPTED) {
            return EINTR;
        }
    }
    return 0;
}

EXPORT(int, osv_zcopy_txclose, struct osv_sending *sending, int flags)
{
    if ((flags & ~MSG_DONTWAIT) != 0) {
        errno = EINVAL;
        return -1;
    }
    mutex_lock(&ended_lock);
    const int error = end_await(sending, (flags & MSG_DONTWAIT) == 0);
    mutex_unlock(&ended_lock);
    if (error != 0) {
        errno = error;
        return -1;
    }
    heap_free(sending);
    return 0;
}
