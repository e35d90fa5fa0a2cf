// SPDX-License-Identifier: BSD-3-Clause
// signal.h: signals: who is to get one, and when its handler runs.
#ifndef CORE_LINUX_SIGNAL_H
#define CORE_LINUX_SIGNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hal/hal.h"

struct hal_fault;
struct task;
struct thread;

enum { SIGNAL_COUNT = 64, SIGNAL_PIPE = 13 };

struct linux_signal_info { // siginfo_t, 128 bytes
    int32_t signal, error, code, padding;
    union {
        struct {
            int32_t pid;
            uint32_t uid;
        } sender;
        void *address;
        uint64_t words[14];
    };
};

_Static_assert(sizeof(struct linux_signal_info) == 128, "siginfo_t");

// image: core's own code, where a signal's handler may not cut in.
void signal_init(const char *image, size_t image_size);

// To the process, to one thread (that has a task), to the caller (its handler has run, or the
// process has ended, on return). Thread context.
void signal_send_process(int signal);
void signal_send_thread(struct thread *thread, int signal);
void signal_send_self(int signal);

// Called when a system call answered -EINTR: runs handlers. True: the call is to be made again.
bool signal_interrupted(void);

// Another mask for the time of one call (ppoll, pselect). mask NULL: none. -EINVAL, -EFAULT.
HAL_MUST_CHECK int signal_mask_push(const uint64_t *mask, size_t size);
void signal_mask_pop(const uint64_t *mask, bool is_interrupted);
void signal_mask_restore(struct task *task, uint64_t mask);

const char *signal_name(int signal); // "SIGSEGV"

#endif
