// SPDX-License-Identifier: BSD-3-Clause
// limits.c: what the process may use at most: getrlimit(2), and /proc/self/limits.
#include <sys/resource.h>

#include "core/lib/errno.h"
#include "core/linux/calls.h"
#include "core/linux/credentials.h"
#include "core/linux/process.h"
#include "core/linux/procfiles.h"
#include "core/linux/user.h"
#include "core/mem/frame.h"
#include "core/vfs/fdtable.h"
#include "core/vfs/proctext.h"
#include "core/vfs/vfs.h"
#include "core/vm/vm.h"

enum { LIMIT_COUNT = 16 };

static struct rlimit limits[LIMIT_COUNT]; // one writer at a time matters to nobody

void limits_init(void)
{
    for (int i = 0; i < LIMIT_COUNT; ++i) {
        limits[i] = (struct rlimit){RLIM_INFINITY, RLIM_INFINITY};
    }
    limits[RLIMIT_STACK] = (struct rlimit){8 << 20, RLIM_INFINITY};
    limits[RLIMIT_NOFILE] = (struct rlimit){1024, FD_MAX};
    limits[RLIMIT_NICE] = limits[RLIMIT_RTPRIO] = (struct rlimit){0, 0};
    limits[RLIMIT_MEMLOCK] = (struct rlimit){8 << 20, 8 << 20};
    limits[RLIMIT_MSGQUEUE] = (struct rlimit){819200, 819200};
    rlim_t tasks = frame_total_count() / 64; // as Linux has it: a stack and more for each
    limits[RLIMIT_NPROC] = limits[RLIMIT_SIGPENDING] = (struct rlimit){tasks, tasks};
    limits[RLIMIT_CORE] = (struct rlimit){0, RLIM_INFINITY};
    fd_limit_set(1024);
    vm_stack_limit_set(limits[RLIMIT_STACK].rlim_cur);
}

static long limit_set(int resource, struct rlimit limit)
{
    if (limit.rlim_cur > limit.rlim_max) {
        return -EINVAL;
    }
    if (limit.rlim_max > limits[resource].rlim_max && !credentials_may(CAPABILITY_SYS_RESOURCE)) {
        return -EPERM;
    }
    if (resource == RLIMIT_NOFILE && limit.rlim_max > FD_MAX) {
        return -EPERM;
    }
    limits[resource] = limit;
    if (resource == RLIMIT_NOFILE) {
        fd_limit_set((int)limit.rlim_cur);
    } else if (resource == RLIMIT_FSIZE) {
        file_size_limit_set(limit.rlim_cur);
    } else if (resource == RLIMIT_AS || resource == RLIMIT_DATA) {
        // Of data, none at all means that the hard limit is the limit, as on Linux.
        const struct rlimit *data = &limits[RLIMIT_DATA];
        vm_limit_set(limits[RLIMIT_AS].rlim_cur,
                     data->rlim_cur == 0 ? data->rlim_max : data->rlim_cur);
    } else if (resource == RLIMIT_STACK) {
        vm_stack_limit_set(limit.rlim_cur);
    }
    return 0;
}

uint64_t process_limit(int resource)
{
    return limits[resource].rlim_cur;
}

long linux_prlimit64(int id, int resource, const struct rlimit *set, struct rlimit *get)
{
    struct rlimit limit;
    long error = set != NULL ? user_read(&limit, set, sizeof limit) : 0; // first, as on Linux
    if (error != 0) {
        return error;
    }
    if (id != 0 && id != PROCESS_ID) {
        return -ESRCH;
    }
    if (resource < 0 || resource >= LIMIT_COUNT) {
        return -EINVAL;
    }
    struct rlimit old = limits[resource];
    error = set == NULL ? 0 : limit_set(resource, limit);
    return error != 0 || get == NULL ? error : user_write(get, &old, sizeof old);
}

long linux_getrlimit(int resource, struct rlimit *get)
{
    return linux_prlimit64(0, resource, NULL, get);
}

long linux_setrlimit(int resource, const struct rlimit *set)
{
    return linux_prlimit64(0, resource, set, NULL);
}

// ---- /proc/self/limits ---------------------------------------------------

static void limit_put(struct writer *writer, rlim_t limit)
{
    if (limit == RLIM_INFINITY) {
        writer_put(writer, "%-20s ", "unlimited");
    } else {
        writer_put(writer, "%-20lu ", (unsigned long)limit);
    }
}

size_t limits_make(char *text, size_t size, void *argument)
{
    static const struct {
        const char *name, *unit;
    } lines[LIMIT_COUNT] = {
        [RLIMIT_CPU] = {"Max cpu time", "seconds"},
        [RLIMIT_FSIZE] = {"Max file size", "bytes"},
        [RLIMIT_DATA] = {"Max data size", "bytes"},
        [RLIMIT_STACK] = {"Max stack size", "bytes"},
        [RLIMIT_CORE] = {"Max core file size", "bytes"},
        [RLIMIT_RSS] = {"Max resident set", "bytes"},
        [RLIMIT_NPROC] = {"Max processes", "processes"},
        [RLIMIT_NOFILE] = {"Max open files", "files"},
        [RLIMIT_MEMLOCK] = {"Max locked memory", "bytes"},
        [RLIMIT_AS] = {"Max address space", "bytes"},
        [RLIMIT_LOCKS] = {"Max file locks", "locks"},
        [RLIMIT_SIGPENDING] = {"Max pending signals", "signals"},
        [RLIMIT_MSGQUEUE] = {"Max msgqueue size", "bytes"},
        [RLIMIT_NICE] = {"Max nice priority", NULL},
        [RLIMIT_RTPRIO] = {"Max realtime priority", NULL},
        [RLIMIT_RTTIME] = {"Max realtime timeout", "us"},
    };
    struct writer writer = {text, size, 0};
    (void)argument;
    writer_put(&writer, "%-25s %-20s %-20s %-10s\n", "Limit", "Soft Limit", "Hard Limit", "Units");
    for (int i = 0; i < LIMIT_COUNT; ++i) {
        writer_put(&writer, "%-25s ", lines[i].name);
        limit_put(&writer, limits[i].rlim_cur);
        limit_put(&writer, limits[i].rlim_max);
        writer_put(&writer, lines[i].unit != NULL ? "%-10s\n" : "%s\n",
                   lines[i].unit != NULL ? lines[i].unit : "");
    }
    return writer.length;
}
