// SPDX-License-Identifier: BSD-3-Clause
// procfiles.c: what /proc says of the process. Layouts are proc(5)'s; what we do not count is 0.
#include "core/linux/procfiles.h"

#include <stdatomic.h>
#include <sys/utsname.h>

#include "core/lib/format.h"
#include "core/lib/string.h"
#include "core/linux/calls.h"
#include "core/linux/credentials.h"
#include "core/linux/netfiles.h"
#include "core/linux/process.h"
#include "core/sched/thread.h"
#include "core/vfs/procfs.h"
#include "core/vfs/usage.h"
#include "core/vfs/vfs.h"
#include "core/vm/piece.h"

enum { TICK_NS = 10000000, PAGE_KIB = HAL_PAGE_SIZE / 1024 };

struct thread_sum { // over the program's threads
    hal_ns runtime;
    uint32_t count;
};

static void thread_add(struct thread *thread, void *argument)
{
    struct thread_sum *sum = argument;
    if (task_id(thread) != 0) {
        sum->runtime += thread_runtime_ns(thread);
        ++sum->count;
    }
}

static struct thread_sum threads_sum(void)
{
    struct thread_sum sum = {0};
    thread_walk(thread_add, &sum);
    return sum;
}

static const char *command_name(void)
{
    const char *path = process_options()->executable;
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

// Texts one after another, each with its NUL.
static size_t strings_make(const char *const *strings, char *text, size_t size)
{
    size_t length = 0;
    for (; *strings != NULL; ++strings) {
        size_t whole = strlen(*strings) + 1;
        if (length + whole <= size) {
            memcpy(text + length, *strings, whole);
        }
        length += whole;
    }
    return length;
}

static size_t cmdline_make(char *text, size_t size, void *argument)
{
    (void)argument;
    return strings_make(process_options()->arguments, text, size);
}

static size_t environ_make(char *text, size_t size, void *argument)
{
    (void)argument;
    return strings_make(process_options()->environment, text, size);
}

static size_t comm_make(char *text, size_t size, void *argument)
{
    (void)argument;
    return format(text, size, "%.15s\n", command_name());
}

static size_t exe_make(char *text, size_t size, void *argument)
{
    (void)argument;
    return format(text, size, "%s", process_options()->executable);
}

static size_t stat_make(char *text, size_t size, void *argument)
{
    (void)argument;
    struct thread_sum threads = threads_sum();
    struct memory_usage usage;
    memory_usage_get(&usage);
    const struct thread_schedule schedule = thread_schedule_get(thread_self());
    int priority = schedule.priority != 0 ? -1 - schedule.priority : 20 + schedule.nice;
    return format(text, size,
                  "%d (%.15s) R %d %d %d 0 -1 4194304 0 0 0 0 %lu 0 0 0 %d %d %u 0 0 %zu %zu "
                  "18446744073709551615 1 1 0 0 0 0 0 0 0 0 0 0 17 %u %u %ld "
                  "0 0 0 0 0 0 0 0 0 0 0\n",
                  PROCESS_ID, command_name(), PROCESS_PARENT_ID, PROCESS_ID, PROCESS_ID,
                  threads.runtime / TICK_NS, priority, schedule.nice, threads.count,
                  (usage.mapped + usage.heap) * HAL_PAGE_SIZE, memory_usage_resident(&usage),
                  thread_cpu_index(), schedule.priority, linux_sched_getscheduler(0));
}

// The most that was seen when somebody asked, in KiB.
static _Atomic size_t mapped_most, resident_most;

static size_t highest(_Atomic size_t *most, size_t now)
{
    size_t before = atomic_load(most);
    while (now > before && !atomic_compare_exchange_weak(most, &before, now)) {
    }
    return now > before ? now : before;
}

static size_t status_make(char *text, size_t size, void *argument)
{
    (void)argument;
    struct memory_usage usage;
    memory_usage_get(&usage);
    const size_t mapped = (usage.mapped + usage.heap) * PAGE_KIB;
    const size_t resident = memory_usage_resident(&usage) * PAGE_KIB;
    size_t length =
        format(text, size,
               "Name:\t%.15s\nUmask:\t%04o\nState:\tR (running)\nTgid:\t%d\nNgid:\t0\nPid:\t%d\n"
               "PPid:\t%d\nTracerPid:\t0\n",
               command_name(), vfs_umask(), PROCESS_ID, PROCESS_ID, PROCESS_PARENT_ID);
    size_t used = length < size ? length : size;
    length += credentials_format(text + used, size - used);
    const struct {
        const char *name;
        size_t kib;
    } lines[] = {
        {"VmPeak", highest(&mapped_most, mapped)},
        {"VmSize", mapped},
        {"VmLck", vm_locked_bytes() / 1024},
        {"VmPin", 0},
        {"VmHWM", highest(&resident_most, resident)},
        {"VmRSS", resident},
        {"RssAnon", (usage.anonymous + usage.heap) * PAGE_KIB},
        {"RssFile", usage.mapped_files * PAGE_KIB},
        {"RssShmem", usage.mapped_memory_files * PAGE_KIB},
        {"VmData", (usage.data + usage.heap) * PAGE_KIB},
        {"VmStk", usage.stack * PAGE_KIB},
        {"VmExe", usage.program * PAGE_KIB},
        {"VmLib", usage.libraries * PAGE_KIB},
        {"VmPTE", usage.tables * PAGE_KIB},
        {"VmSwap", 0},
        {"HugetlbPages", usage.mapped_huge * PAGE_KIB},
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; ++i) {
        used = length < size ? length : size;
        length += format(text + used, size - used, "%s:\t%8zu kB\n", lines[i].name, lines[i].kib);
    }
    used = length < size ? length : size;
    length +=
        format(text + used, size - used, "CoreDumping:\t0\nThreads:\t%u\n", threads_sum().count);
    used = length < size ? length : size;
    return length + capabilities_format(text + used, size - used);
}

// ---- The system: uname(2), one field to a file ----

enum system_field { SYSTEM_TYPE, SYSTEM_RELEASE, SYSTEM_VERSION, SYSTEM_HOST, SYSTEM_DOMAIN };

static size_t field_make(char *text, size_t size, void *argument)
{
    struct utsname name;
    if (linux_uname(&name) != 0) {
        return 0;
    }
    const char *const fields[] = {name.sysname, name.release, name.version, name.nodename,
                                  name.domainname};
    return format(text, size, "%s\n", fields[(uintptr_t)argument]);
}

static size_t version_make(char *text, size_t size, void *argument)
{
    (void)argument;
    struct utsname name;
    if (linux_uname(&name) != 0) {
        return 0;
    }
    return format(text, size, "%s version %s %s\n", name.sysname, name.release, name.version);
}

struct procfile {
    const char *name;
    size_t (*make)(char *text, size_t size, void *argument);
    uintptr_t argument;
};

int procfiles_add(void)
{
    static const struct procfile files[] = {
        {"self/cmdline", cmdline_make, 0},
        {"self/environ", environ_make, 0},
        {"self/comm", comm_make, 0},
        {"self/limits", limits_make, 0},
        {"self/numa_maps", nodemaps_make, 0},
        {"self/stat", stat_make, 0},
        {"self/status", status_make, 0},
        {"cpuinfo", cpuinfo_make, 0},
        {"version", version_make, 0},
        {"sysvipc/shm", segments_make, 0},
        {"sys/kernel/ostype", field_make, SYSTEM_TYPE},
        {"sys/kernel/osrelease", field_make, SYSTEM_RELEASE},
        {"sys/kernel/version", field_make, SYSTEM_VERSION},
        {"sys/kernel/hostname", field_make, SYSTEM_HOST},
        {"sys/kernel/domainname", field_make, SYSTEM_DOMAIN},
    };
    int error = procfs_add_link("self/exe", exe_make, NULL);
    for (size_t i = 0; i < sizeof files / sizeof files[0] && error == 0; ++i) {
        error = procfs_add(files[i].name, files[i].make, (void *)files[i].argument);
    }
    error = error != 0 ? error : netfiles_add();
    procfs_process_set(PROCESS_ID, task_id);
    return error;
}
