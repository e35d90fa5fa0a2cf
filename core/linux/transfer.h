// SPDX-License-Identifier: BSD-3-Clause
// transfer.h: what the system calls that move bytes have in common.
#ifndef CORE_LINUX_TRANSFER_H
#define CORE_LINUX_TRANSFER_H

#include <stdbool.h>
#include <stddef.h>

#include "core/vfs/file.h"

struct iovec;

// As much as one call moves (MAX_RW_COUNT of Linux).
static inline size_t transfer_limit(size_t size)
{
    return size < 0x7ffff000 ? size : 0x7ffff000;
}

long transfer_failed(int error); // transfer_result's

// What a call answers that has moved done bytes until there was an error, or none. Sends the signal
// that goes with some errors.
static inline long transfer_result(int error, size_t done)
{
    return done > 0 || error == 0 ? (long)done : transfer_failed(error);
}

// The same for a call that moved bytes of file, which it gives back.
long transfer_end(struct file *file, int error, size_t done);

// Is -EPIPE all that it says, without a signal? So it is with sockets that are no streams.
bool breaks_silently(const struct file *file);

enum { VECTOR_FEW = 16 };

struct vectors {
    struct io_vector few[VECTOR_FEW];
    struct io_vector *all; // few, or from the heap
    size_t count;
};

// Copies the caller's array in and checks it. On success vectors_free ends its use.
HAL_MUST_CHECK int vectors_read(struct vectors *vectors, const struct iovec *user, int count);
void vectors_free(struct vectors *vectors);

#endif
