// SPDX-License-Identifier: BSD-3-Clause
// musl_cancel.c: musl's cancellation points, and what it expects of its own threads, in terms of
// ours.
#include "core/libc/thread.h"

#include <errno.h>

#include "pthread_impl.h"
#include "syscall.h"

// Has libc_cancel_test perhaps something to do?
static inline bool cancel_is_requested(void)
{
    const struct libc_thread *self = (void *)(__get_tp() - LIBC_THREAD_MUSL);
    return atomic_load_explicit(&self->cancel_requested, memory_order_relaxed) != 0;
}

static inline long cancelable_call(long number, long a, long b, long c, long d, long e, long f)
{
    long result = __syscall6(number, a, b, c, d, e, f);
    if (result == -EINTR) {
        libc_cancel_test();
    }
    return result;
}

// A function by itself, so that nothing need be kept for it in the one below.
__attribute__((noinline, cold)) static long requested_call(long number, long a, long b, long c,
                                                           long d, long e, long f)
{
    libc_cancel_test();
    return cancelable_call(number, a, b, c, d, e, f);
}

long(__syscall_cp)(long number, long a, long b, long c, long d, long e, long f)
{
    return __builtin_expect(cancel_is_requested(), 0) ? requested_call(number, a, b, c, d, e, f)
                                                      : cancelable_call(number, a, b, c, d, e, f);
}

void __pthread_testcancel(void)
{
    libc_cancel_test();
}

int __pthread_setcancelstate(int state, int *old)
{
    struct libc_thread *self = libc_thread_self();
    if ((unsigned)state > PTHREAD_CANCEL_DISABLE) {
        return EINVAL;
    }
    if (old != NULL) {
        *old = self->cancel_state;
    }
    self->cancel_state = state;
    return 0;
}
weak_alias(__pthread_setcancelstate, pthread_setcancelstate);

// Children are not made here: core/linux answers ENOSYS, with a line that says why.
int __clone(int (*function)(void *), void *stack, int flags, void *argument, ...)
{
    (void)function;
    (void)stack;
    (void)argument;
    return __syscall_ret(__syscall5(SYS_clone, flags, 0, 0, 0, 0));
}

// musl's stdio closes streams in its own order; a cleanup of musl runs at once because nothing of
// musl unwinds.
void _pthread_cleanup_push(struct __ptcb *cleanup, void (*function)(void *), void *argument)
{
    cleanup->__f = function;
    cleanup->__x = argument;
}

void _pthread_cleanup_pop(struct __ptcb *cleanup, int run)
{
    if (run) {
        cleanup->__f(cleanup->__x);
    }
}
