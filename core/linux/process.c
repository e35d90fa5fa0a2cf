// SPDX-License-Identifier: BSD-3-Clause
// process.c: who the process is, what it may use, and how it ends.
#include "core/linux/process.h"

#include <stdatomic.h>
#include <sys/prctl.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>

#include "core/dev/block.h"
#include "core/lib/assert.h"
#include "core/lib/errno.h"
#include "core/lib/format.h"
#include "core/lib/string.h"
#include "core/linux/calls.h"
#include "core/linux/credentials.h"
#include "core/linux/coredump.h"
#include "core/linux/machine.h"
#include "core/linux/procfiles.h"
#include "core/linux/range.h"
#include "core/linux/standstill.h"
#include "core/linux/stats.h"
#include "core/linux/task.h"
#include "core/linux/user.h"
#include "core/mem/frame.h"
#include "core/mem/usage.h"
#include "core/net/names.h"
#include "core/net/netif.h"
#include "core/net/tcp_finish.h"
#include "core/vfs/vfs.h"
#include "core/vm/huge.h"
#include "core/vm/vm.h"

static const struct process_options *options;

void process_init(const struct process_options *given)
{
    options = given;
    limits_init();
    vfs_umask_set(given->umask);
    credentials_init(given->uid, given->gid);
    signal_ignore(given->ignored_signals);
    int error = procfiles_add();
    ASSERT(error == 0); // memory for a dozen names
}

const struct process_options *process_options(void)
{
    return options;
}

// So long may another machine take nothing of what it is to get.
#define FINISH_PATIENCE (UINT64_C(5) * 1000000000)

static void (*exit_hook)(void);

void process_exit_hook_set(void (*hook)(void))
{
    exit_hook = hook;
}

void process_exit(int status)
{
    static _Atomic bool has_begun;
    if (hal_irq_enabled()) {
        coredump_await();
        if (atomic_exchange(&has_begun, true)) {
            standstill_hold();
        }
        if (exit_hook != NULL) {
            exit_hook();
        }
        tcp_finish(FINISH_PATIENCE);
        netif_finish(FINISH_PATIENCE);
    }
    process_end(status);
}

void process_end(int status)
{
    coredump_await();
    vfs_mappings_flush();
    if (options->stats) {
        stats_print();
    }
    if (options->stats || options->verbose) {
        stats_unknown_print();
    }
    block_devices_end();
    hal_halt(HAL_POWER_OFF, status & 0xff);
}

// ---- Identity ------------------------------------------------------------

long linux_getpid(void)
{
    return PROCESS_ID;
}

long linux_getppid(void)
{
    return PROCESS_PARENT_ID;
}

long linux_gettid(void)
{
    return task_self()->id;
}

long linux_getpgid(int id)
{
    return id == 0 || id == PROCESS_ID ? PROCESS_ID : -ESRCH;
}

long linux_getsid(int id)
{
    return linux_getpgid(id);
}

long linux_getpgrp(void)
{
    return PROCESS_ID;
}

long linux_setpgid(int id, int group)
{
    id = id == 0 ? PROCESS_ID : id;
    group = group == 0 ? id : group;
    return group < 0 ? -EINVAL : id != PROCESS_ID ? -ESRCH : group != PROCESS_ID ? -EPERM : 0;
}

long linux_setsid(void)
{
    return -EPERM; // it leads its group already
}

long linux_uname(struct utsname *result)
{
    const struct net_names names = net_names_now();
    struct utsname name = {
        .sysname = "Linux",
        .nodename = "osv",
        .release = "6.1.0-osv",
        .version = "#1 SMP PREEMPT_DYNAMIC OSv",
        .domainname = "(none)",
    };
    (void)format(name.machine, sizeof name.machine, "%s", machine_name);
    if (names.host[0] != 0) {
        (void)format(name.nodename, sizeof name.nodename, "%s", names.host);
    }
    return user_write(result, &name, sizeof name);
}

// ---- Resources -----------------------------------------------------------

static void thread_count(struct thread *thread, void *count)
{
    *(unsigned short *)count += thread->user != NULL;
}

long linux_sysinfo(struct sysinfo *result)
{
    // The kernel writes 112 bytes; musl's struct is longer.
    enum { SYSINFO_SIZE = 112 };
    struct sysinfo info;
    memset(&info, 0, sizeof info);
    info.uptime = (unsigned long)(hal_clock_ns() / 1000000000);
    info.totalram = (frame_total_count() - usage_get(USAGE_BALLOON)) * HAL_PAGE_SIZE;
    info.freeram = frame_free_count() * HAL_PAGE_SIZE;
    info.mem_unit = 1;
    thread_walk(thread_count, &info.procs);
    return user_write(result, &info, SYSINFO_SIZE);
}

long linux_getrandom(char *data, size_t size, unsigned flags)
{
    enum { FLAGS_ALL = 7 };
    if ((flags & ~(unsigned)FLAGS_ALL) != 0) {
        return -EINVAL;
    }
    int error = user_check(data, size);
    if (error != 0) {
        return error;
    }
    size = size < 0x1ffffff ? size : 0x1ffffff;
    hal_entropy(data, size);
    return (long)size;
}

// Byte by byte: the text may end right before a page that is not there. Cut where it is too long.
static int name_read(const char *user)
{
    char name[THREAD_NAME_SIZE] = {0};
    for (size_t i = 0; i < THREAD_NAME_SIZE - 1; ++i) {
        int error = user_read(&name[i], user + i, 1);
        if (error != 0) {
            return error;
        }
        if (name[i] == 0) {
            break;
        }
    }
    memcpy(thread_self()->name, name, sizeof name);
    return 0;
}

static int death_signal_set(unsigned long signal)
{
    if (signal > SIGNAL_COUNT) {
        return -EINVAL;
    }
    task_self()->parent_death_signal = (int)signal; // the parent, init, does not die
    return 0;
}

// Linux 6.18 has flags in b; 6.1, which this is, none.
static long huge_disable(bool is_disabled, unsigned long b, unsigned long c, unsigned long d)
{
    if ((b | c | d) != 0) {
        return -EINVAL;
    }
    atomic_store_explicit(&huge_settings.is_disabled, is_disabled, memory_order_relaxed);
    return 0;
}

long linux_prctl(int operation, unsigned long a, unsigned long b, unsigned long c, unsigned long d)
{
    enum { MEMORY_NAME = 0x53564d41 }; // PR_SET_VMA; its one a is PR_SET_VMA_ANON_NAME
    char name[THREAD_NAME_SIZE] = {0};
    long result;
    switch (operation) {
    case PR_SET_NAME:
        return name_read((const char *)a);
    case PR_GET_NAME:
        memcpy(name, thread_self()->name, THREAD_NAME_SIZE - 1);
        return user_write((char *)a, name, sizeof name);
    case PR_SET_PDEATHSIG:
        return death_signal_set(a);
    case PR_GET_PDEATHSIG:
        return user_write((int *)a, &task_self()->parent_death_signal, sizeof(int));
    case PR_SET_DUMPABLE:
        return a <= 1 ? 0 : -EINVAL;
    case PR_SET_NO_NEW_PRIVS:
        return a == 1 ? 0 : -EINVAL;
    case PR_SET_TIMERSLACK:
        return 0;
    case PR_GET_TIMERSLACK:
        return 50000;
    case PR_GET_DUMPABLE:
        return 1;
    case MEMORY_NAME:
        return a == 0 ? memory_name_set((char *)b, c, (const char *)d) : -EINVAL;
    case PR_SET_THP_DISABLE:
        return huge_disable(a != 0, b, c, d);
    case PR_GET_THP_DISABLE:
        return (a | b | c | d) != 0
                   ? -EINVAL
                   : atomic_load_explicit(&huge_settings.is_disabled, memory_order_relaxed);
    case PR_GET_SECCOMP:
        return 0;
    default:
        return capability_control(operation, a, b, c, d, &result) ? result : -EINVAL;
    }
}

// ---- Threads as Linux sees them ------------------------------------------

long linux_set_tid_address(_Atomic uint32_t *word)
{
    task_self()->clear_child_id = word;
    return task_self()->id;
}

long linux_set_robust_list(void *head, size_t size)
{
    enum { HEAD_SIZE = 24 };
    if (size != HEAD_SIZE) {
        return -EINVAL;
    }
    task_self()->robust_list = head;
    return 0;
}

// ---- What a library OS has not -------------------------------------------

long process_refuse(const char *call)
{
    static _Atomic bool is_said;
    if (!atomic_exchange(&is_said, true)) {
        console_print(
            "osv: %s: not possible here: OSv runs one process; run the other program beside it, or "
            "use threads\n",
            call);
    }
    return -ENOSYS;
}

long linux_fork(void)
{
    return process_refuse("fork");
}

long linux_vfork(void)
{
    return process_refuse("vfork");
}

// The C library's fork is a clone; its threads are made by call. A thread by clone begins where the
// instruction was: see clone.c.
long linux_clone(unsigned long flags)
{
    const unsigned long thread_flag = 0x10000; // CLONE_THREAD
    return process_refuse((flags & thread_flag) != 0 ? "clone" : "fork");
}

long linux_clone3(void)
{
    return process_refuse("clone3");
}

long linux_execve(const char *path)
{
    (void)path;
    return process_refuse("execve");
}

long linux_execveat(void)
{
    return process_refuse("execveat");
}

long linux_wait4(void)
{
    return -ECHILD;
}

long linux_waitid(void)
{
    return -ECHILD;
}

long linux_exit(int status)
{
    task_quit(status);
}

long linux_exit_group(int status)
{
    process_exit(status);
}

long linux_membarrier(int command, unsigned flags)
{
    return command == 0 && flags == 0 ? 0 : -EINVAL; // MEMBARRIER_CMD_QUERY: none
}

long linux_personality(unsigned long persona)
{
    return persona == 0xffffffff || persona == 0 ? 0 : -EINVAL;
}
