// SPDX-License-Identifier: BSD-3-Clause
// uring.c: see uring.h. A request that may not wait is complete when the host has taken it, so they
// happen one after the other.
//
// Of liburing only what its header has inline: its library is for hosted threads.
#include "hal-linux/dev/uring.h"

#include <errno.h>
#include <linux/fs.h>

#include "hal-linux/syscall.h"

static void request_add(struct uring *uring, struct io_uring_sqe *request)
{
    request->rw_flags = RWF_NOWAIT;
    request->user_data = uring->count;
    uring->results[uring->count++] = -EAGAIN;
}

void uring_read(struct uring *uring, int fd, const struct iovec *parts, uint32_t count)
{
    struct io_uring_sqe *request = io_uring_get_sqe(&uring->ring);
    io_uring_prep_readv(request, fd, parts, count, 0);
    request_add(uring, request);
}

void uring_write(struct uring *uring, int fd, const struct iovec *parts, uint32_t count)
{
    struct io_uring_sqe *request = io_uring_get_sqe(&uring->ring);
    io_uring_prep_writev(request, fd, parts, count, 0);
    request_add(uring, request);
}

static uint32_t results_take(struct uring *uring)
{
    const struct io_uring_cqe *result;
    uint32_t head, count = 0;
    io_uring_for_each_cqe(&uring->ring, head, result)
    {
        uring->results[result->user_data] = result->res;
        ++count;
    }
    io_uring_cq_advance(&uring->ring, count);
    return count;
}

uint32_t uring_run(struct uring *uring)
{
    struct io_uring_sq *queue = &uring->ring.sq;
    const uint32_t count = uring->count;
    uint32_t left = count;
    io_uring_smp_store_release(queue->ktail, queue->sqe_tail);
    while (left > 0) {
        const uint32_t waiting = queue->sqe_tail - io_uring_smp_load_acquire(queue->khead);
        const long taken = syscall6(SYS_io_uring_enter, uring->ring.ring_fd, waiting, left,
                                    IORING_ENTER_GETEVENTS, 0, 0);
        if (taken < 0 && taken != -EINTR) { // it has no memory: what it has not taken is taken back
            queue->sqe_tail -= waiting;
            io_uring_smp_store_release(queue->ktail, queue->sqe_tail);
            left -= waiting;
        }
        left -= results_take(uring);
    }
    uring->count = 0;
    return count;
}
