// SPDX-License-Identifier: BSD-3-Clause
// report.c: crash reports and thread listings.
//
// Everything read from the failed program goes through user_read or hal_copy_safe: a broken stack
// cuts the backtrace short and does no more harm.
#include "core/linux/report.h"

#include <stdatomic.h>
#include <stdbool.h>

#include "core/elf/program.h"
#include "core/lib/format.h"
#include "core/lib/string.h"
#include "core/linux/coredump.h"
#include "core/linux/machine.h"
#include "core/linux/signal.h"
#include "core/linux/standstill.h"
#include "core/linux/task.h"
#include "core/linux/unwind.h"
#include "hal/upcall.h"

enum { FRAME_MAX = 32, LINE_SIZE = 512 };

const char *signal_name(int signal)
{
    static const char names[32][10] = {
        "",          "SIGHUP",  "SIGINT",    "SIGQUIT", "SIGILL",   "SIGTRAP", "SIGABRT", "SIGBUS",
        "SIGFPE",    "SIGKILL", "SIGUSR1",   "SIGSEGV", "SIGUSR2",  "SIGPIPE", "SIGALRM", "SIGTERM",
        "SIGSTKFLT", "SIGCHLD", "SIGCONT",   "SIGSTOP", "SIGTSTP",  "SIGTTIN", "SIGTTOU", "SIGURG",
        "SIGXCPU",   "SIGXFSZ", "SIGVTALRM", "SIGPROF", "SIGWINCH", "SIGIO",   "SIGPWR",  "SIGSYS",
    };
    return signal > 0 && signal < 32 ? names[signal] : "real-time signal";
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

size_t report_place(char *text, size_t size, uintptr_t ip, bool may_read)
{
    struct elf_place place;
    struct elf_function function;
    char name[ELF_NAME_SIZE];
    if (!elf_place_of((const void *)ip, &place)) {
        return format(text, size, "?");
    }
    size_t used = format(text, size, "%s+0x%lx", base_name(place.object_name),
                         ip - (uintptr_t)place.object_base);
    if (elf_function_of((const void *)ip, may_read, &function, name)) {
        place.symbol_name = function.name;
        place.symbol_address = function.start;
    }
    if (place.symbol_name != NULL && used < size) {
        used += format(text + used, size - used, " (%s+0x%lx)", place.symbol_name,
                       ip - (uintptr_t)place.symbol_address);
    }
    return used;
}

static void backtrace_print(struct machine_place place, const struct thread *thread, bool may_read)
{
    char line[LINE_SIZE];
    for (int depth = 0; depth < FRAME_MAX && place.ip != 0; ++depth) {
        // A return address may belong to the next function: look at the call before it.
        (void)report_place(line, sizeof line, place.ip - place.is_return, may_read);
        console_print("osv:  #%-2d %016lx %s\n", depth, place.ip, line);
        if (!unwind_step(&place, thread)) {
            break;
        }
    }
}

__attribute__((noinline)) void osv_fatal_fault(int signal, const void *address,
                                               const struct hal_regs *regs)
{
    __asm__ volatile("" : : "r"(signal), "r"(address), "r"(regs) : "memory");
}

// Codes above 0 are the machine's: the address counts. Others say who sent the signal.
static bool is_fault(const struct linux_signal_info *info)
{
    return info != NULL && info->code > 0;
}

// Whether the caller may wait and holds no lock of core's: it is in its own code, or takes a signal
// on its way there.
static bool is_outside_core(uintptr_t ip, const struct linux_signal_info *info)
{
    struct elf_object_info object;
    bool is_core = elf_object_of((const void *)ip, &object) && object.object == NULL;
    return hal_irq_enabled() && !(is_core && is_fault(info));
}

void report_fatal(int signal, const struct hal_regs *regs, const struct linux_signal_info *info)
{
    static _Atomic(const struct thread *) reporter;
    const struct thread *self = thread_self();
    const struct thread *other = NULL;
    struct machine_place place = unwind_caller();
    if (regs != NULL) {
        place = machine_place_of(regs);
    }
    bool may_read = is_outside_core(place.ip, info);
    if (!atomic_compare_exchange_strong(&reporter, &other, self)) {
        if (other != self && may_read) {
            standstill_hold(); // that one ends the process when it has said all
        }
        return;
    }
    char line[LINE_SIZE];
    (void)report_place(line, sizeof line, place.ip, may_read);
    if (is_fault(info)) {
        console_print("osv: %s: address %p, at %s, thread %d (%s)\n", signal_name(signal),
                      info->address, line, task_id(self), self->name);
    } else {
        console_print("osv: %s: at %s, thread %d (%s)\n", signal_name(signal), line, task_id(self),
                      self->name);
    }
    if (regs != NULL) {
        machine_print(regs);
    }
    backtrace_print(place, self, may_read);
    osv_fatal_fault(signal, is_fault(info) ? info->address : NULL, regs);
    if (may_read && process_options()->core.name != NULL) {
        coredump_take(signal, regs, info);
    }
}

static void stack_print(const void *const stack[HAL_RACE_DEPTH])
{
    char line[LINE_SIZE];
    for (int depth = 0; depth < HAL_RACE_DEPTH && stack[depth] != NULL; ++depth) {
        uintptr_t ip = (uintptr_t)stack[depth];
        (void)report_place(line, sizeof line, ip - 1, false); // a return address
        console_print("osv:  #%-2d %016lx %s\n", depth, ip, line);
    }
}

// Its thread may be another by now, or none.
static void side_print(const char *when, const struct hal_race_side *side)
{
    const struct thread *thread = side->self;
    console_print("osv: %s %s%s of %u bytes, thread %d (%s), CPU %u\n", when,
                  side->is_atomic ? "atomic " : "", side->writes ? "write" : "read", side->size,
                  thread == NULL ? 0 : task_id(thread), thread == NULL ? "boot" : thread->name,
                  side->cpu);
    stack_print(side->stack);
}

void upcall_race(const struct hal_race *race)
{
    console_print("osv: data race: nothing orders two accesses to %p\n", race->address);
    side_print("the later:", &race->sides[1]);
    side_print("the earlier:", &race->sides[0]);
}

void upcall_lock_order(const struct hal_lock_step *const *steps, uint32_t count)
{
    char line[LINE_SIZE];
    console_print("osv: lock order: %u locks are taken in a circle\n", count);
    for (uint32_t i = 0; i < count; ++i) {
        const struct thread *thread = steps[i]->self;
        (void)report_place(line, sizeof line, (uintptr_t)steps[i]->held - 1, false);
        console_print("osv: with the lock of %s held, thread %d (%s), CPU %u, takes another\n",
                      line, thread == NULL ? 0 : task_id(thread),
                      thread == NULL ? "boot" : thread->name, steps[i]->cpu);
        stack_print(steps[i]->stack);
    }
}

static void thread_print(struct thread *thread, void *argument)
{
    static const char *const states[] = {"running", "waiting", "running", "dead"};
    (void)argument;
    uint32_t state = atomic_load(&thread->state);
    console_print("osv: thread %d (%s), %s\n", task_id(thread), thread->name, states[state & 3]);
    if (state == THREAD_PARKED && thread != thread_self()) {
        struct machine_place place;
        if (unwind_parked(thread, &place)) {
            backtrace_print(place, thread, true);
        }
    }
}

void report_threads(void)
{
    thread_walk(thread_print, NULL);
}
