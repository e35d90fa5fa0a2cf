// SPDX-License-Identifier: BSD-3-Clause
// pthread_cancel.c: cancellation, deferred: a request is honoured at system calls that may wait and
// at pthread_testcancel, and wakes a thread out of an interruptible system call.
//
// Leaving a thread runs C's cleanup handlers (setjmp buffers that pthread_cleanup_push registers)
// and, through the image's libgcc_s, the destructors of C++ frames.
#include <errno.h>
#include <sys/syscall.h>

#include "core/libc/export.h"
#include "core/libc/pthread.h"
#include "core/linux/process.h"
#include "core/linux/syscall.h"

enum { CANCELED = -1, SIGNAL_CANCEL = 32 };

HAL_NORETURN void _longjmp(void *registers, int value); // musl's

// glibc's __pthread_unwind_buf_t: a jmp_buf without mask, the mask flag, and four words of libc.
struct libc_cleanup {
    uint64_t registers[8];
    int mask_was_saved;
    struct libc_cleanup *previous;
    void *unused[3];
};

void libc_cancel_test(void)
{
    struct libc_thread *self = libc_thread_self();
    if (atomic_load_explicit(&self->cancel_requested, memory_order_relaxed) == 0 ||
        self->cancel_state != LIBC_CANCEL_ENABLE || self->exiting) {
        return;
    }
    self->exiting = true;
    self->result = (void *)(intptr_t)CANCELED;
    libc_thread_unwind();
    libc_thread_exit((void *)(intptr_t)CANCELED);
}

EXPORT(void, pthread_testcancel, void)
{
    libc_cancel_test();
}

struct kernel_action { // rt_sigaction's
    void (*handler)(int signal);
    unsigned long flags;
    void (*restorer)(void);
    uint64_t mask;
};

static void cancel_interrupt(int signal)
{
}

EXPORT(int, pthread_cancel, struct libc_thread *thread)
{
    atomic_store(&thread->cancel_requested, 1);
    if (thread == libc_thread_self()) {
        return 0;
    }
    // A handler that does nothing: what waits in a system call answers EINTR, and __syscall_cp
    // looks.
    static const struct kernel_action action = {.handler = cancel_interrupt};
    linux_dispatch(SYS_rt_sigaction, SIGNAL_CANCEL, (long)&action, 0, 8, 0, 0);
    linux_dispatch(SYS_tgkill, PROCESS_ID, thread->id, SIGNAL_CANCEL, 0, 0, 0);
    return 0;
}

EXPORT(int, pthread_setcancelstate, int state, int *old)
{
    if ((unsigned)state > LIBC_CANCEL_DISABLE) {
        return EINVAL;
    }
    struct libc_thread *self = libc_thread_self();
    if (old != NULL) {
        *old = (int)self->cancel_state;
    }
    self->cancel_state = (uint32_t)state;
    return 0;
}

EXPORT(int, pthread_setcanceltype, int type, int *old)
{
    if ((unsigned)type > 1) {
        return EINVAL;
    }
    struct libc_thread *self = libc_thread_self();
    if (old != NULL) {
        *old = (int)self->cancel_type;
    }
    self->cancel_type = (uint32_t)type;
    return 0;
}

EXPORT(void, __pthread_register_cancel, struct libc_cleanup *cleanup)
{
    struct libc_thread *self = libc_thread_self();
    cleanup->previous = self->cleanups;
    self->cleanups = cleanup;
}

EXPORT(void, __pthread_unregister_cancel, struct libc_cleanup *cleanup)
{
    libc_thread_self()->cleanups = cleanup->previous;
}

// The handler's function ends in __pthread_unwind_next.
void libc_cleanups_run_below(struct libc_thread *self, uintptr_t frame)
{
    struct libc_cleanup *cleanup = self->cleanups;
    if (cleanup != NULL && (uintptr_t)cleanup < frame) {
        self->cleanups = cleanup->previous;
        _longjmp(cleanup->registers, 1);
    }
}

EXPORT(HAL_NORETURN void, __pthread_unwind_next, struct libc_cleanup *cleanup)
{
    libc_thread_unwind();
    libc_thread_exit(libc_thread_self()->result);
}
