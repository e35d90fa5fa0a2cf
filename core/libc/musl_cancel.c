// SPDX-License-Identifier: BSD-3-Clause
// musl_cancel.c: musl's cancellation points, and what it expects of its own threads, in terms of
// ours.
#include "core/libc/thread.h"

#include <errno.h>

#include "core/libc/export.h"
#include "core/linux/syscall.h"
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
    // A constant of musl's, so it is in the table.
    long result = linux_call_run(number, a, b, c, d, e, f);
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

// Those that are called most often, by a shorter way.

typedef long transfer_call(long fd, long data, long size);
typedef long close_call(long fd);

__attribute__((noinline)) static long transfer_look(long result, long number,
                                                    const volatile long arguments[6])
{
    result = linux_call_look(result, number, arguments);
    if (result == -EINTR) {
        libc_cancel_test();
    }
    return __syscall_ret(result);
}

static inline long transfer(long number, int fd, const void *data, size_t size)
{
    if (__builtin_expect(cancel_is_requested(), 0)) {
        libc_cancel_test();
    }
    volatile long kept[6];
    kept[0] = fd, kept[1] = (long)data, kept[2] = (long)size;
    transfer_call *call = (transfer_call *)(void (*)(void))linux_calls[number];
    long result = call(fd, (long)data, (long)size);
    return __builtin_expect(linux_call_is_over(result), 1) ? result
                                                           : transfer_look(result, number, kept);
}

EXPORT(ssize_t, read, int fd, void *data, size_t size)
{
    return transfer(SYS_read, fd, data, size);
}

EXPORT(ssize_t, write, int fd, const void *data, size_t size)
{
    return transfer(SYS_write, fd, data, size);
}

// A descriptor is closed whatever the answer.
__attribute__((noinline)) static long close_look(long result, long fd)
{
    const volatile long arguments[6] = {fd};
    result = linux_call_look(result, SYS_close, arguments);
    if (result == -EINTR) {
        libc_cancel_test();
    }
    return __syscall_ret(result == -EINTR ? 0 : result);
}

EXPORT(int, close, int fd)
{
    if (__builtin_expect(cancel_is_requested(), 0)) {
        libc_cancel_test();
    }
    volatile long kept = fd;
    long result = ((close_call *)(void (*)(void))linux_calls[SYS_close])(fd);
    return __builtin_expect(linux_call_is_over(result), 1) ? result : close_look(result, kept);
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
