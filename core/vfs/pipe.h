// SPDX-License-Identifier: BSD-3-Clause
// pipe.h: pipes and FIFOs beyond what all files can do: opening, size, and moving data between them
// and others without a buffer of the caller's.
//
// Thread context, may block. A wait ends early with -EINTR.
#ifndef CORE_VFS_PIPE_H
#define CORE_VFS_PIPE_H

#include <stdbool.h>
#include <stddef.h>

#include "hal/hal.h"

struct file;
struct mutex;
struct pipe;

enum { PIPE_SIZE_MAX = 1 << 20 }; // that anybody may ask for

// Opens the FIFO whose node keeps its pipe at place, NULL while nobody has it open, guarded by
// place_lock. Waits for the other end as open(2) says. -ENXIO, -EINTR, -ENOMEM.
HAL_MUST_CHECK int fifo_open(struct pipe **place, struct mutex *place_lock, struct file *file);

// Is it an end of a pipe or FIFO? The rest is for such files.
bool file_is_pipe(const struct file *file);

// How many bytes it holds. set rounds up to a power of two and answers what it is now; -EBUSY: more
// than that is in it. -EPERM, -EINVAL, -ENOMEM.
int pipe_size(const struct file *file);
int pipe_size_set(struct file *file, size_t size);

// Where a pipe's bytes go or come from: as read and write of file.h, with core's own memory. It is
// called with the pipe locked.
struct pipe_peer {
    int (*move)(void *argument, char *data, size_t size, size_t *done);
    void *argument;
};

// Waits until the pipe has data (room), unless waits or the file's flags say no: -EAGAIN. Then
// moves at most size bytes, as many as there are data (room), and adds their count to *done; what
// the other side does not take (give) stays. 0 bytes: no writer is left, or the other side's end.
// -EPIPE: no reader is left.
HAL_MUST_CHECK int pipe_drain(struct file *file, size_t size, bool waits,
                              const struct pipe_peer *to, size_t *done);
HAL_MUST_CHECK int pipe_fill(struct file *file, size_t size, bool waits,
                             const struct pipe_peer *from, size_t *done);

// From one pipe to another; keeps: it stays in the first as well. -EINVAL: they are the same.
HAL_MUST_CHECK int pipe_copy(struct file *from, struct file *to, size_t size, bool waits,
                             bool keeps, size_t *done);

#endif
