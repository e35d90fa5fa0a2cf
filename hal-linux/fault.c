// SPDX-License-Identifier: BSD-3-Clause
// fault.c: from a host fault signal to upcall_fault, and from a system call by the instruction to
// upcall_syscall.
//
// The handler leaves the cause in the frame; the stub's C part asks core, with interrupts as the
// thread had them, and goes back or ends the machine.
#include "hal-linux/fault.h"

#include <errno.h>

#include "hal-linux/halt.h"
#include "hal-linux/irq.h"
#include "hal-linux/machine.h"
#include "hal-linux/memory.h"
#include "hal-linux/syscall.h"
#include "hal-x86_64/isa/isa.h"
#include "hal/upcall.h"

// testb $0, -HAL_STACK_PROBE(%rsp), as hal_irq_save has it.
enum { STACK_PROBE_SIZE = 8, USER_DISPATCH = 2 };
static const uint64_t stack_probe = 0x00fffff8002484f6;
_Static_assert(HAL_STACK_PROBE == 0x800, "stack_probe");

static const char *vdso_start, *vdso_end;

void fault_vdso_set(const char *start, size_t size)
{
    vdso_start = start;
    vdso_end = start + size;
}

static bool is_stack_probe(const uint64_t *general, const char *va)
{
    return (uint64_t)va == general[HAL_REG_RSP] - HAL_STACK_PROBE &&
           *(const uint64_t *)general[HAL_REG_RIP] == stack_probe;
}

static const char *fault_name(int signal)
{
    switch (signal) {
    case SIGILL:
        return "illegal instruction";
    case SIGFPE:
        return "arithmetic error";
    case SIGTRAP:
        return "trap";
    default:
        return "invalid memory access";
    }
}

static void fault_ask(struct hal_frame *frame)
{
    struct hal_fault fault = {
        .kind = (enum hal_fault_kind)frame->fault_kind, .access = frame->access, .va = frame->va};
    const uint64_t ip = frame->general[HAL_REG_RIP];
    const bool is_copy = ip >= (uint64_t)isa_copy_start && ip < (uint64_t)isa_copy_end;
    const bool is_probe = fault.kind == HAL_FAULT_PAGE && is_stack_probe(frame->general, fault.va);
    fault.is_optional = is_copy || is_probe;
    hal_irq_restore(frame->masked);
    bool resolved = upcall_fault(&fault, frame);
    (void)hal_irq_save();
    if (resolved) {
        return;
    }
    if (is_copy) {
        frame->general[HAL_REG_RIP] = (uint64_t)isa_copy_fail;
    } else if (is_probe) {
        frame->general[HAL_REG_RIP] =
            ip + STACK_PROBE_SIZE; // near the end of a stack that needs no more
    } else {
        halt_fault(fault_name((int)frame->number), (int)frame->number, ip, fault.va);
    }
}

void fault_deliver(struct hal_frame *frame)
{
    uint32_t kind = frame->kind;
    frame->kind = FRAME_INTERRUPT; // a restart of the exit does not repeat the fault
    if (kind == FRAME_FAULT) {
        fault_ask(frame);
    } else {
        uint64_t *r = frame->general;
        hal_irq_restore(frame->masked);
        const long result = upcall_syscall(
            (long)r[HAL_REG_RDI], (long)r[HAL_REG_RSI], (long)r[HAL_REG_RDX], (long)r[HAL_REG_R10],
            (long)r[HAL_REG_R8], (long)r[HAL_REG_R9], (long)r[HAL_REG_RAX], frame);
        (void)hal_irq_save();
        r[HAL_REG_RAX] = (uint64_t)result;
    }
}

// A system call from outside our text. The host's vDSO makes one where it cannot read the clock
// itself.
static void fault_syscall(struct vcpu *vcpu, greg_t *general)
{
    const char *ip = (const char *)general[HAL_REG_RIP];
    if (ip >= vdso_start && ip < vdso_end) {
        general[HAL_REG_RAX] = syscall3(general[HAL_REG_RAX], general[HAL_REG_RDI],
                                        general[HAL_REG_RSI], general[HAL_REG_RDX]);
        return;
    }
    irq_frame_push(vcpu, general)->kind = FRAME_SYSCALL;
}

// A fault that the host has no address for is none of a page.
static enum hal_fault_kind fault_kind(int signal, int code, const greg_t *general)
{
    enum { GENERAL_PROTECTION = 13, STACK_SEGMENT = 12 };
    if (signal == SIGBUS && code == BUS_ADRERR) {
        return HAL_FAULT_BUS; // behind the end of a file of the host
    }
    switch (signal) {
    case SIGSEGV:
    case SIGBUS:
        return general[REG_TRAPNO] == GENERAL_PROTECTION || general[REG_TRAPNO] == STACK_SEGMENT
                   ? HAL_FAULT_PROTECTION
                   : HAL_FAULT_PAGE;
    case SIGILL:
        return HAL_FAULT_ILLEGAL;
    case SIGFPE:
        return HAL_FAULT_MATH;
    case SIGTRAP:
        return HAL_FAULT_TRAP;
    default:
        return HAL_FAULT_PAGE;
    }
}

// A bug in hosted code: the instruction runs again and ends the process as in any program.
static void fault_default(int signal)
{
    const uint64_t action[4] = {0}; // struct kernel_sigaction: SIG_DFL
    syscall4(SYS_rt_sigaction, signal, (long)action, 0, 8);
}

void fault_signal(int signal, siginfo_t *info, void *ucontext)
{
    enum { PAGE_FAULT = 14, ERROR_WRITE = 2, ERROR_EXEC = 16 };
    struct vcpu *vcpu = vcpu_self();
    greg_t *general = ((ucontext_t *)ucontext)->uc_mcontext.gregs;
    uint64_t ip = (uint64_t)general[HAL_REG_RIP];
    if (signal == SIGSYS && info->si_code == USER_DISPATCH) {
        fault_syscall(vcpu, general);
        return;
    }
    if (machine_emulate(signal, info->si_code, general)) {
        return;
    }
    if (vcpu->index == VCPU_HOSTED) {
        fault_default(signal);
        return;
    }
    if (signal == SIGSYS) {
        halt_fault("system call refused", signal, ip, info->si_addr);
    }
    const bool is_write =
        general[REG_TRAPNO] == PAGE_FAULT && (general[REG_ERR] & ERROR_WRITE) != 0;
    if (is_write && info->si_code == SEGV_ACCERR && memory_write_fault(info->si_addr)) {
        return;
    }
    enum hal_fault_kind kind = fault_kind(signal, info->si_code, general);
    bool masked = atomic_load_explicit(&vcpu->masked, memory_order_relaxed) != 0;
    if (masked && kind == HAL_FAULT_PAGE &&
        is_stack_probe((const uint64_t *)general, info->si_addr)) {
        general[HAL_REG_RIP] += STACK_PROBE_SIZE; // a nested hal_irq_save: the outer one has probed
        return;
    }
    uint64_t error = general[REG_TRAPNO] == PAGE_FAULT ? (uint64_t)general[REG_ERR] : 0;
    struct hal_frame *frame = irq_frame_push(vcpu, general);
    irq_count(frame->masked ? &irq_counts.faults_masked : &irq_counts.faults);
    frame->kind = FRAME_FAULT;
    frame->fault_kind = kind;
    frame->access = error & ERROR_EXEC ? HAL_EXEC : error & ERROR_WRITE ? HAL_WRITE : HAL_READ;
    frame->va = info->si_addr;
    frame->number = (uint64_t)signal;
}
