// SPDX-License-Identifier: BSD-3-Clause
// direct.c: syscall(2) by the shortest way, and functions that need no system call.
#include "core/libc/direct.h"

#include <errno.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "core/elf/program.h"
#include "core/libc/export.h"
#include "core/linux/calls.h"
#include "core/linux/process.h"
#include "core/linux/syscall.h"
#include "hal/hal.h"

typedef long linux_call_bare(void);

static long failed(long result)
{
    if (__builtin_expect((unsigned long)result < -4095ul, 1)) {
        return result;
    }
    errno = (int)-result;
    return -1;
}

// The uncommon cases are tail calls of these, so that the common one saves no register.

__attribute__((noinline)) static long look(long result, long number)
{
    static const volatile long none[6];
    return failed(linux_call_look(result, number, none));
}

__attribute__((noinline)) static long syscall_kept(long number, long a, long b, long c, long d,
                                                   long e, long f)
{
    if ((unsigned long)number >= SYSCALL_NUMBER_MAX) {
        errno = ENOSYS;
        return -1;
    }
    return failed(linux_call_run(number, a, b, c, d, e, f));
}

// As programs call it, with what arguments there are: both ABIs pass variable ones like others.
EXPORT(long, syscall, long number, long a, long b, long c, long d, long e, long f)
{
    if ((unsigned long)number >= SYSCALL_NUMBER_MAX || !linux_call_is_bare[number]) {
        return syscall_kept(number, a, b, c, d, e, f);
    }
    volatile long kept = number; // in memory: see linux_call_run
    long result = ((linux_call_bare *)(void (*)(void))linux_calls[number])();
    return __builtin_expect(linux_call_is_over(result), 1) ? result : look(result, kept);
}

// There is one process, and it has had its numbers from the start.

EXPORT(pid_t, getpid, void)
{
    return PROCESS_ID;
}

EXPORT(pid_t, getppid, void)
{
    return PROCESS_PARENT_ID;
}

// The clocks are in memory or a register, as in the vDSO.

__attribute__((noinline)) static int clock_other(clockid_t clock, struct timespec *result)
{
    return (int)failed(linux_clock_gettime(clock, result));
}

EXPORT(int, clock_gettime, clockid_t clock, struct timespec *result)
{
    static const hal_ns second = 1000000000;
    if (clock != CLOCK_MONOTONIC && clock != CLOCK_REALTIME) {
        return clock_other(clock, result);
    }
    const hal_ns now = clock == CLOCK_MONOTONIC ? hal_clock_ns() : hal_clock_wall_ns();
    result->tv_sec = (time_t)(now / second);
    result->tv_nsec = (long)(now % second);
    return 0;
}

EXPORT(int, gettimeofday, struct timeval *result, void *zone)
{
    return (int)linux_gettimeofday(result, zone);
}

EXPORT(time_t, time, time_t *result)
{
    return linux_time(result);
}

void libc_direct_init(void)
{
    if (syscall_is_watched()) {
        elf_system_address_set("getpid", getpid);
        elf_system_address_set("getppid", getppid);
        elf_system_address_set("clock_gettime", clock_gettime);
        elf_system_address_set("gettimeofday", gettimeofday);
        elf_system_address_set("time", time);
    }
}
