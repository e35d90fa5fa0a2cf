// SPDX-License-Identifier: BSD-3-Clause
// entry.h: the way in and the way back: see entry_x86_64.S.
#ifndef HAL_LINUX_ENTRY_H
#define HAL_LINUX_ENTRY_H

#include "hal/hal.h"

// Where sigreturn goes, rdi = rsp = frame, masked.
extern const char entry_stub[];

// The bounds of the restartable way back.
extern const char entry_exit[], entry_exit_jump[];

// Leaves by frame. Masked.
HAL_NORETURN void entry_resume(struct hal_frame *frame);

// Called by entry_resume, below frame: what is in it has been written.
void entry_frame_show(struct hal_frame *frame);

// Called by entry_stub, masked, on the entry stack.
void entry_run(struct hal_frame *frame);

// readv(2) by a vCPU that idles, masked: -EINTR as soon as something is pending, at once if
// something is. What raises it need only send the signal.
struct iovec;
long entry_read(int fd, const struct iovec *parts, size_t count);

// Where a signal ends it, and where it goes then.
extern const char entry_read_call[], entry_read_end[];

// What host signal handlers return to: in our own text, which alone may make system calls.
void entry_sigreturn(void);

#endif
