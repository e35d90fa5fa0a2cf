// SPDX-License-Identifier: BSD-3-Clause
// trap.c: faults that nobody resolves, which become signals.
#include "core/linux/trap.h"

#include <signal.h>

#include "core/linux/machine.h"
#include "core/linux/process.h"
#include "core/linux/report.h"
#include "core/linux/signal.h"
#include "core/linux/task.h"
#include "core/vm/vm.h"
#include "hal/upcall.h"

// False: there is nothing to explain any more.
static bool page_fault_explain(const struct hal_fault *fault, struct linux_signal_info *info)
{
    switch (vm_refusal(fault->va, fault->access)) {
    case VM_NONE:
        return false;
    case VM_UNMAPPED:
        info->code = SEGV_MAPERR;
        break;
    case VM_FORBIDDEN:
        info->code = SEGV_ACCERR;
        break;
    case VM_NO_PAGE:
        info->signal = SIGBUS;
        info->code = BUS_ADRERR;
        break;
    }
    return true;
}

static struct linux_signal_info info_of_fault(const struct hal_fault *fault,
                                              const struct hal_regs *regs)
{
    struct linux_signal_info info = {.address = (void *)machine_place_of(regs).ip};
    switch (fault->kind) {
    case HAL_FAULT_PAGE:
        info.signal = SIGSEGV;
        info.address = fault->va;
        break;
    case HAL_FAULT_BUS:
        info.signal = SIGBUS;
        info.code = BUS_ADRERR;
        info.address = fault->va;
        break;
    case HAL_FAULT_PROTECTION:
        info = signal_info_kernel(SIGSEGV);
        break;
    case HAL_FAULT_ILLEGAL:
        info.signal = SIGILL;
        info.code = ILL_ILLOPN;
        break;
    case HAL_FAULT_MATH:
        info.signal = SIGFPE;
        info.code = machine_math_code(regs);
        break;
    case HAL_FAULT_TRAP:
        info = signal_info_kernel(SIGTRAP);
        break;
    }
    return info;
}

static bool (*fault_watch)(const struct hal_fault *fault);

void signal_fault_watch_set(bool (*watch)(const struct hal_fault *fault))
{
    fault_watch = watch;
}

// Code with interrupts off gets no signal, and must not take locks to find out more.
bool signal_fault(const struct hal_fault *fault, struct hal_frame *frame)
{
    struct hal_regs regs;
    if (fault->is_optional) {
        return false;
    }
    hal_frame_get(frame, &regs);
    struct linux_signal_info info = info_of_fault(fault, &regs);
    bool may_run = task_self() != NULL && hal_irq_enabled();
    if (may_run && fault->kind == HAL_FAULT_PAGE) {
        if (!page_fault_explain(fault, &info)) {
            return true;
        }
        if (fault_watch != NULL && fault_watch(fault)) {
            report_fatal(SIGABRT, &regs, NULL);
            process_end(128 + SIGABRT);
        }
    }
    if (!may_run || !signal_force(&regs, &info)) {
        report_fatal(info.signal, &regs, &info);
        process_end(128 + info.signal);
    }
    hal_frame_set(frame, &regs);
    return true;
}
