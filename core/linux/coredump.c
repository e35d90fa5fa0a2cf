// SPDX-License-Identifier: BSD-3-Clause
// coredump.c: taking a core dump.
//
// A thread of its own does it, so that the one that dies is switched out like all others and its
// registers are known. First everybody is made to hold still (standstill.h), so that the dump can
// be written through the file system like any file. A thread that does not stop in time is left
// out, and named.
#include "core/linux/coredump.h"

#include <stdatomic.h>

#include "core/lib/format.h"
#include "core/linux/corefile.h"
#include "core/linux/calls.h"
#include "core/linux/process.h"
#include "core/linux/standstill.h"
#include "core/linux/task.h"
#include "core/sched/thread.h"
#include "core/vfs/vfs.h"

enum { MODE = 0600, SENT_TO_THREAD = -6 }; // SI_TKILL

static struct process_output output;
static struct thread *dumper;
static struct corefile_death death; // set before is_wanted
static _Atomic bool is_wanted, is_done;

void coredump_await(void)
{
    if (atomic_load(&is_wanted) && thread_self() != death.thread && hal_irq_enabled()) {
        standstill_hold();
    }
}

static void dump(void)
{
    struct file *file;
    uint64_t size;
    const struct thread *moving = standstill_begin();
    if (moving != NULL) {
        console_print("osv: --core: thread %d (%s) does not stop; it is left out\n",
                      task_id(moving), moving->name);
    }
    int error = vfs_device_file_make(output.device, output.name, MODE, &file);
    if (error == 0) {
        error = corefile_write(file, &death, standstill_again, &size);
        file_put(file);
    }
    if (error != 0) {
        console_print("osv: --core: %s cannot be written (error %d)\n", output.name, -error);
    } else {
        console_print("osv: core dumped to %s\n", output.name);
    }
}

static void dumper_run(void *unused)
{
    (void)unused;
    while (!atomic_load(&is_wanted)) {
        thread_park();
    }
    dump();
    atomic_store(&is_done, true);
    thread_wake(death.thread);
}

int coredump_start(const struct process_output *wanted)
{
    output = *wanted;
    const struct thread_config config = {.name = "core dump", .detached = true};
    int error = thread_create(&dumper, &config, dumper_run, NULL);
    if (error == 0) {
        thread_start(dumper);
    }
    return error;
}

void coredump_take(int signal, const struct hal_regs *regs, const struct linux_signal_info *info)
{
    if (dumper == NULL) {
        return;
    }
    death.thread = thread_self();
    death.regs = regs;
    if (info != NULL) {
        death.info = *info;
    } else {
        death.info = (struct linux_signal_info){
            .signal = signal,
            .code = SENT_TO_THREAD,
            .sender = {.pid = PROCESS_ID, .uid = (uint32_t)linux_getuid()}};
    }
    atomic_store(&is_wanted, true);
    thread_wake(dumper);
    while (!atomic_load(&is_done)) {
        thread_park();
    }
}
