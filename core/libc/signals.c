// SPDX-License-Identifier: BSD-3-Clause
// signals.c: waiting for signals and sending them with a value, where musl's differ from glibc's.
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>

#include "core/libc/export.h"
#include "core/libc/pthread.h"
#include "core/linux/process.h"
#include "core/linux/signal.h"
#include "core/linux/syscall.h"

static int answer(long result)
{
    if (result < 0) {
        errno = (int)-result;
        return -1;
    }
    return (int)result;
}

// glibc says SI_USER where the kernel knows better: a signal of raise and pthread_kill.
static long wait_call(const sigset_t *set, siginfo_t *info, const struct timespec *timeout)
{
    libc_cancel_test();
    long result =
        linux_dispatch(SYS_rt_sigtimedwait, (long)set, (long)info, (long)timeout, 8, 0, 0);
    if (result == -EINTR) {
        libc_cancel_test();
    }
    if (result > 0 && info != NULL && info->si_code == SI_TKILL) {
        info->si_code = SI_USER;
    }
    return result;
}

// musl refuses SS_ONSTACK, and looks at the size of a stack that is switched off.
EXPORT(int, sigaltstack, const stack_t *set, stack_t *get)
{
    return answer(linux_dispatch(SYS_sigaltstack, (long)set, (long)get, 0, 0, 0, 0));
}

// musl begins again after a handler; glibc says EINTR.
EXPORT(int, sigtimedwait, const sigset_t *set, siginfo_t *info, const struct timespec *timeout)
{
    return answer(wait_call(set, info, timeout));
}

EXPORT(int, sigwaitinfo, const sigset_t *set, siginfo_t *info)
{
    return answer(wait_call(set, info, NULL));
}

EXPORT(int, sigwait, const sigset_t *set, int *signal)
{
    long result;
    do {
        result = wait_call(set, NULL, NULL);
    } while (result == -EINTR);
    if (result > 0) {
        *signal = (int)result;
    }
    return result > 0 ? 0 : (int)-result;
}

static struct linux_signal_info queue_info(int signal, void *value)
{
    struct linux_signal_info info;
    memset(&info, 0, sizeof info);
    info.signal = signal;
    info.code = SI_QUEUE;
    info.sender.pid = PROCESS_ID;
    info.sender.uid = process_options()->uid;
    info.sender.value = (uint64_t)(uintptr_t)value;
    return info;
}

EXPORT(int, sigqueue, int process, int signal, void *value)
{
    const struct linux_signal_info info = queue_info(signal, value);
    return answer(linux_dispatch(SYS_rt_sigqueueinfo, process, signal, (long)&info, 0, 0, 0));
}

EXPORT(int, pthread_sigqueue, struct libc_thread *thread, int signal, void *value)
{
    const struct linux_signal_info info = queue_info(signal, value);
    if (signal == 32 || signal == 33) {
        return EINVAL; // the library's own
    }
    return (int)-linux_dispatch(SYS_rt_tgsigqueueinfo, PROCESS_ID, thread->id, signal, (long)&info,
                                0, 0);
}

// BSD's masks: the first 32 signals in an int.

static sigset_t set_of(int mask)
{
    sigset_t set;
    sigemptyset(&set);
    for (int i = 0; i < 32; ++i) {
        if (((unsigned)mask >> i & 1) != 0) {
            sigaddset(&set, i + 1);
        }
    }
    return set;
}

static int mask_change(int how, const sigset_t *set)
{
    sigset_t old;
    if (sigprocmask(how, set, &old) != 0) {
        return -1;
    }
    unsigned mask = 0;
    for (int i = 0; i < 32; ++i) {
        mask |= (unsigned)(sigismember(&old, i + 1) == 1) << i;
    }
    return (int)mask;
}

EXPORT(int, sigsetmask, int mask)
{
    sigset_t set = set_of(mask);
    return mask_change(SIG_SETMASK, &set);
}

EXPORT(int, sigblock, int mask)
{
    sigset_t set = set_of(mask);
    return mask_change(SIG_BLOCK, &set);
}

EXPORT(int, siggetmask, void)
{
    return mask_change(SIG_BLOCK, NULL);
}

// System V's: the handler is gone after its first signal, which it does not block.
EXPORT(void *, sysv_signal, int signal, void (*handler)(int))
{
    struct sigaction action = {
        .sa_handler = handler,
        .sa_flags = SA_RESETHAND | SA_NODEFER,
    };
    struct sigaction old;
    if (handler == SIG_ERR) {
        errno = EINVAL;
        return (void *)SIG_ERR;
    }
    return (void *)(sigaction(signal, &action, &old) != 0 ? SIG_ERR : old.sa_handler);
}
