// SPDX-License-Identifier: BSD-3-Clause
// uring.h: several reads or writes of frames by one system call of the host (io_uring(7)). None of
// them waits, and none is under way when uring_run returns.
//
// Raw system calls only, on any thread, but on one at a time.
#ifndef HAL_LINUX_DEV_URING_H
#define HAL_LINUX_DEV_URING_H

#include <liburing.h>
#include <stdint.h>

enum { URING_MAX = 64 }; // of one run; a power of 2

struct uring {
    struct io_uring ring; // hosted: io_uring_queue_init(URING_MAX, &ring, 0)
    uint32_t count;       // since the last run
    long results[URING_MAX];
};

// One more, of a descriptor that takes RWF_NOWAIT; there are fewer than URING_MAX. The parts and
// what they name stay until uring_run.
void uring_read(struct uring *uring, int fd, const struct iovec *parts, uint32_t count);
void uring_write(struct uring *uring, int fd, const struct iovec *parts, uint32_t count);

// All of them, in this order, with the results of readv and writev in it: bytes or -errno; -EAGAIN
// of one that would wait, and of those that the host has not taken. The answer is how many.
uint32_t uring_run(struct uring *uring);

#endif
