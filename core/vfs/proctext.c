// SPDX-License-Identifier: BSD-3-Clause
// proctext.c: the texts of procfs that core/vfs can write by itself: time, mounts, and a system
// without a past. Those about memory are memtext.c's.
//
// Layouts are those of proc(5); programs parse them by column.
#include "core/vfs/proctext.h"

#include "core/lib/errno.h"
#include "core/lib/format.h"
#include "core/sched/sched.h"
#include "core/sched/thread.h"
#include "core/vfs/mount.h"
#include "core/vfs/procfs.h"
#include "core/vfs/vfs.h"
#include "hal/hal.h"

void writer_put(struct writer *writer, const char *pattern, ...)
{
    va_list arguments;
    va_start(arguments, pattern);
    size_t used = writer->length < writer->size ? writer->length : writer->size;
    writer->length += format_list(writer->text + used, writer->size - used, pattern, arguments);
    va_end(arguments);
}

int setting_number(const char *text, uint64_t *number)
{
    uint64_t value = 0;
    bool is_number = *text != 0;
    for (; *text != 0 && is_number; ++text) {
        is_number = *text >= '0' && *text <= '9' && !__builtin_mul_overflow(value, 10, &value) &&
                    !__builtin_add_overflow(value, (uint64_t)(*text - '0'), &value);
    }
    *number = value;
    return is_number ? 0 : -EINVAL;
}

// ---- Time and processors ----

static void runtime_add(struct thread *thread, void *argument)
{
    *(hal_ns *)argument += thread_runtime_ns(thread);
}

static hal_ns runtime_sum(void)
{
    hal_ns sum = 0;
    thread_walk(runtime_add, &sum);
    return sum;
}

static size_t stat_make(char *text, size_t size, void *argument)
{
    (void)argument;
    enum { TICK_NS = 10000000 };
    struct writer writer = {text, size, 0};
    uint32_t cpus = sched_cpu_count();
    hal_ns up = hal_clock_ns();
    uint64_t busy = runtime_sum() / TICK_NS;
    uint64_t all = up / TICK_NS * cpus;
    uint64_t idle = all > busy ? all - busy : 0;
    writer_put(&writer, "cpu  %lu 0 0 %lu 0 0 0 0 0 0\n", busy, idle);
    for (uint32_t i = 0; i < cpus; ++i) {
        writer_put(&writer, "cpu%u %lu 0 0 %lu 0 0 0 0 0 0\n", i, busy / cpus, idle / cpus);
    }
    struct sched_counts counts;
    sched_counts_sum(&counts);
    writer_put(&writer,
               "intr %lu\nctxt %lu\nbtime %lu\nprocesses 1\nprocs_running 1\nprocs_blocked 0\n",
               counts.interrupts, counts.switches, (hal_clock_wall_ns() - up) / 1000000000);
    return writer.length;
}

enum { NS_PER_US = 1000 };

// One figure of each CPU.
struct interrupt_line {
    const char *name, *what;
    uint64_t (*count)(const struct sched_counts *);
};

static uint64_t timers_of(const struct sched_counts *counts)
{
    return counts->timers;
}

static uint64_t kicks_of(const struct sched_counts *counts)
{
    return counts->kicked;
}

static uint64_t others_of(const struct sched_counts *counts)
{
    return counts->interrupts - counts->timers - counts->kicked;
}

static uint64_t looks_of(const struct sched_counts *counts)
{
    return counts->polls;
}

static uint64_t looked_us_of(const struct sched_counts *counts)
{
    return counts->polled_ns / NS_PER_US;
}

static uint64_t vain_us_of(const struct sched_counts *counts)
{
    return counts->polled_vain_ns / NS_PER_US;
}

static uint64_t unkicked_of(const struct sched_counts *counts)
{
    return counts->unkicked;
}

static uint64_t moves_of(const struct sched_counts *counts)
{
    return counts->moves;
}

// Linux's names, then ours.
static const struct interrupt_line interrupt_lines[] = {
    {"LOC", "Local timer interrupts", timers_of},
    {"RES", "Rescheduling interrupts", kicks_of},
    {"DEV", "Devices and notices", others_of},
    {"NOK", "Wakes of another CPU that looked, without an interrupt", unkicked_of},
    {"LOO", "Looks for work before halting", looks_of},
    {"LUS", "Microseconds of that", looked_us_of},
    {"VUS", "Microseconds of that in vain", vain_us_of},
    {"MOV", "Threads that went to another CPU", moves_of},
};

static void interrupts_put(struct writer *writer, const struct interrupt_line *line)
{
    writer_put(writer, "%s:", line->name);
    for (uint32_t i = 0; i < sched_cpu_count(); ++i) {
        struct sched_counts counts;
        sched_counts_get(i, &counts);
        writer_put(writer, " %10lu", line->count(&counts));
    }
    writer_put(writer, "   %s\n", line->what);
}

static size_t interrupts_make(char *text, size_t size, void *argument)
{
    (void)argument;
    struct writer writer = {text, size, 0};
    writer_put(&writer, "     ");
    for (uint32_t i = 0; i < sched_cpu_count(); ++i) {
        writer_put(&writer, "%sCPU%u", i == 0 ? "      " : i < 10 ? "       " : "      ", i);
    }
    writer_put(&writer, "\n");
    for (size_t i = 0; i < sizeof interrupt_lines / sizeof interrupt_lines[0]; ++i) {
        interrupts_put(&writer, &interrupt_lines[i]);
    }
    return writer.length;
}

static size_t uptime_make(char *text, size_t size, void *argument)
{
    (void)argument;
    enum { CENTISECOND_NS = 10000000 };
    uint64_t up = hal_clock_ns() / CENTISECOND_NS;
    uint64_t busy = runtime_sum() / CENTISECOND_NS;
    uint64_t all = up * sched_cpu_count();
    uint64_t idle = all > busy ? all - busy : 0;
    return format(text, size, "%lu.%02lu %lu.%02lu\n", up / 100, up % 100, idle / 100, idle % 100);
}

// ---- Mounts ----

static bool mount_put(const struct mount *mount, void *argument)
{
    writer_put(argument, "%s %s %s %s,relatime 0 0\n", mount->source, mount->path, mount->type,
               mount->read_only ? "ro" : "rw");
    return true;
}

static size_t mounts_make(char *text, size_t size, void *argument)
{
    (void)argument;
    struct writer writer = {text, size, 0};
    mount_walk(mount_put, &writer);
    return writer.length;
}

static size_t fixed_make(char *text, size_t size, void *argument)
{
    return format(text, size, "%s", (const char *)argument);
}

struct fixed_text {
    const char *name, *text;
};

int proctext_add(void)
{
    static const struct fixed_text fixed[] = {
        {"loadavg", "0.00 0.00 0.00 1/1 2\n"},
        {"filesystems", "nodev\tramfs\nnodev\tproc\nnodev\tfuse\n"},
        {"sys/kernel/pid_max", "4194304\n"},
        {"sys/vm/overcommit_memory", "0\n"},
        {"sys/vm/max_map_count", "65530\n"},
        {"sys/fs/pipe-max-size", "65536\n"},
        {"sys/kernel/shmmax", "18446744073692774399\n"},
        {"sys/kernel/shmall", "18446744073692774399\n"},
        {"sys/kernel/shmmni", "4096\n"},
    };
    procfs_fill_later(hugetext_add);
    procfs_fill_later(pooltext_add);
    procfs_fill_later(nodetext_add);
    int error = memtext_add();
    error = error != 0 ? error : procfs_add("self/mounts", mounts_make, NULL);
    error = error != 0 ? error : procfs_add_link("mounts", fixed_make, (void *)"self/mounts");
    error = error != 0 ? error : procfs_add("stat", stat_make, NULL);
    error = error != 0 ? error : procfs_add("uptime", uptime_make, NULL);
    error = error != 0 ? error : procfs_add("interrupts", interrupts_make, NULL);
    for (size_t i = 0; i < sizeof fixed / sizeof fixed[0] && error == 0; ++i) {
        error = procfs_add(fixed[i].name, fixed_make, (void *)(uintptr_t)fixed[i].text);
    }
    return error;
}
