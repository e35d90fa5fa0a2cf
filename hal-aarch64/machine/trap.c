// SPDX-License-Identifier: BSD-3-Clause
// trap.c: from an exception to an upcall.
//
// The interrupt controller keeps what is pending and delivers one cause at a time, the timer's
// first by its priority. An interrupt is acknowledged before its upcall, which may switch context
// and come back much later on another CPU.
#include "trap.h"

#include <stdatomic.h>

#include "hal-aarch64/isa/isa.h"
#include "hal/common/alarm.h"
#include "hal/common/crash.h"
#include "hal/upcall.h"

#include "gic.h"
#include "halt.h"
#include "paging.h"
#include "percpu.h"

// Exception classes, ESR_EL1 bits 31:26 (Arm ARM D17.2.37).
enum {
    CLASS_UNKNOWN = 0x00,
    CLASS_ILLEGAL_STATE = 0x0e,
    CLASS_SVC = 0x15,
    CLASS_SYSTEM_REGISTER = 0x18,
    CLASS_FETCH = 0x21,
    CLASS_PC_ALIGNMENT = 0x22,
    CLASS_DATA = 0x25,
    CLASS_SP_ALIGNMENT = 0x26,
    CLASS_FLOATING_POINT = 0x2c,
    CLASS_BREAKPOINT = 0x31,
    CLASS_STEP = 0x33,
    CLASS_WATCHPOINT = 0x35,
    CLASS_BRK = 0x3c,
    SYNDROME_WRITE = 1 << 6,
    SYNDROME_CACHE = 1 << 8, // cache maintenance says "write" and is none
    SYNDROME_STATUS = 0x3c,
    STATUS_ADDRESS = 0x00, // what a status without its level may be
    STATUS_TRANSLATION = 0x04,
    STATUS_ACCESS = 0x08,
    STATUS_PERMISSION = 0x0c,
    PSTATE_MODE = 4, // EL1 on SP_EL0, nothing masked
};

// ldrb wzr, [xN], as hal_irq_save has it for any N.
static const uint32_t stack_probe = 0x3940001f, stack_probe_mask = 0xfffffc1f;
enum { INSTRUCTION_SIZE = 4 };

static void irq_off(void)
{
    __asm__ volatile("msr daifset, #2" ::: "memory");
}

HAL_NORETURN static void frame_crash(const char *what, const struct hal_frame *frame)
{
    const struct hal_regs *r = &frame->regs;
    struct crash_value values[] = {
        {"pc  ", r->pc},
        {"sp  ", r->sp},
        {"pst ", r->pstate},
        {"esr ", frame->syndrome},
        {"far ", frame->va},
        {"x0  ", 0},
        {"x1  ", 0},
        {"x2  ", 0},
        {"x3  ", 0},
        {"x4  ", 0},
        {"x5  ", 0},
        {"x6  ", 0},
        {"x7  ", 0},
        {"x8  ", 0},
        {"x19 ", r->general[19]},
        {"x20 ", r->general[20]},
        {"x29 ", r->general[29]},
        {"x30 ", r->general[30]},
    };
    for (int i = 0; i <= 8; ++i) {
        values[5 + i].value = r->general[i];
    }
    crash(what, values, sizeof values / sizeof values[0]);
}

HAL_NORETURN void trap_fatal(uint64_t vector, uint64_t syndrome, uint64_t pc, uint64_t va,
                             uint64_t sp)
{
    const struct crash_value values[] = {
        {"vec ", vector}, {"esr ", syndrome}, {"pc  ", pc}, {"far ", va}, {"sp  ", sp},
    };
    crash("exception without a place for its frame", values, sizeof values / sizeof values[0]);
}

static uint32_t syndrome_class(uint64_t syndrome)
{
    return syndrome >> 26 & 0x3f;
}

static bool is_masked(const struct hal_frame *frame)
{
    return (frame->regs.pstate & IRQ_MASKED) != 0;
}

// In a fetch the code cannot be read.
static bool is_stack_probe(const struct hal_frame *frame)
{
    return syndrome_class(frame->syndrome) == CLASS_DATA &&
           frame->va == frame->regs.sp - HAL_STACK_PROBE &&
           (*(const uint32_t *)frame->regs.pc & stack_probe_mask) == stack_probe;
}

static bool is_copy(const struct hal_frame *frame)
{
    const uint64_t pc = frame->regs.pc;
    return pc >= (uint64_t)isa_copy_start && pc < (uint64_t)isa_copy_end;
}

// A fault that nothing resolves: two places expect it, any other is fatal.
static void fault_unresolved(struct hal_frame *frame)
{
    if (is_copy(frame)) {
        frame->regs.pc = (uint64_t)isa_copy_fail;
    } else if (is_stack_probe(frame)) {
        frame->regs.pc += INSTRUCTION_SIZE; // near the end of a stack that needs no more
    } else {
        frame_crash("fault not resolved", frame);
    }
}

static struct hal_fault fault_describe(const struct hal_frame *frame)
{
    const uint64_t syndrome = frame->syndrome;
    struct hal_fault fault = {.kind = HAL_FAULT_PAGE, .access = HAL_READ, .va = (char *)frame->va};
    switch (syndrome_class(syndrome)) {
    case CLASS_DATA:
        fault.access = (syndrome & SYNDROME_WRITE) != 0 && (syndrome & SYNDROME_CACHE) == 0
                           ? HAL_WRITE
                           : HAL_READ;
        break;
    case CLASS_FETCH:
    case CLASS_PC_ALIGNMENT:
        fault.access = HAL_EXEC;
        break;
    case CLASS_SP_ALIGNMENT:
        fault.va = (char *)frame->regs.sp;
        break;
    case CLASS_UNKNOWN:
    case CLASS_ILLEGAL_STATE:
    case CLASS_SYSTEM_REGISTER:
        fault = (struct hal_fault){.kind = HAL_FAULT_ILLEGAL};
        break;
    case CLASS_FLOATING_POINT:
        fault = (struct hal_fault){.kind = HAL_FAULT_MATH};
        break;
    case CLASS_BRK:
    case CLASS_BREAKPOINT:
    case CLASS_STEP:
    case CLASS_WATCHPOINT:
        fault = (struct hal_fault){.kind = HAL_FAULT_TRAP};
        break;
    default:
        frame_crash("exception", frame);
    }
    return fault;
}

// The table was changed since, the processor remembered an older one, or this is the first write
// since hal_dirty_take.
static bool is_spurious(const struct hal_frame *frame, const struct hal_fault *fault)
{
    const uint64_t status = frame->syndrome & SYNDROME_STATUS;
    const uint32_t class = syndrome_class(frame->syndrome);
    if ((class != CLASS_DATA && class != CLASS_FETCH) ||
        (status != STATUS_TRANSLATION && status != STATUS_PERMISSION)) {
        return false;
    }
    return fault->access == HAL_WRITE ? paging_write_permit(fault->va)
                                      : paging_permits(fault->va, fault->access);
}

static void fault_run(struct hal_frame *frame)
{
    if (halt_is_probe(frame->regs.pc)) {
        frame->regs.pc += INSTRUCTION_SIZE;
        return;
    }
    struct hal_fault fault = fault_describe(frame);
    fault.is_optional = is_copy(frame) || is_stack_probe(frame);
    if (is_spurious(frame, &fault)) {
        return;
    }
    if (is_masked(frame) && is_stack_probe(frame)) {
        frame->regs.pc += INSTRUCTION_SIZE; // nested hal_irq_save: the outer one has probed
        return;
    }
    hal_irq_restore(is_masked(frame) ? IRQ_MASKED : 0);
    const bool resolved = upcall_fault(&fault, frame);
    irq_off();
    if (!resolved) {
        fault_unresolved(frame);
    }
}

static void syscall_run(struct hal_frame *frame)
{
    enum { NUMBER = 8 };
    const uint64_t *x = frame->regs.general;
    hal_irq_restore(0);
    const long result = upcall_syscall((long)x[0], (long)x[1], (long)x[2], (long)x[3], (long)x[4],
                                       (long)x[5], (long)x[NUMBER], frame);
    irq_off();
    frame->regs.general[0] = (uint64_t)result;
}

static void sync_run(struct hal_frame *frame)
{
    if (syndrome_class(frame->syndrome) == CLASS_SVC) {
        syscall_run(frame);
    } else {
        fault_run(frame);
    }
}

// NULL where core let the interrupt in by hal_cpu_idle: nothing of the application's is there.
static struct hal_frame *frame_shown(struct hal_frame *frame)
{
    const uint64_t pc = frame->regs.pc;
    return pc >= (uint64_t)trap_idle_start && pc <= (uint64_t)trap_idle_end ? NULL : frame;
}

static void irq_run(struct hal_frame *frame)
{
    const enum gic_cause cause = gic_take();
    if (cause == GIC_TIMER && alarm_is_due()) {
        ++percpu_self()->upcall_count;
        upcall_timer(frame_shown(frame));
    } else if (cause == GIC_KICK) {
        ++percpu_self()->upcall_count;
        upcall_kick(frame_shown(frame));
    }
}

void trap_run(struct hal_frame *frame)
{
    switch (frame->kind) {
    case FRAME_SYNC:
        sync_run(frame);
        break;
    case FRAME_IRQ:
        irq_run(frame);
        break;
    default:
        frame_crash("FIQ or system error", frame);
    }
}

void trap_frame_load(struct hal_frame *frame, const struct hal_regs *regs)
{
    frame->regs.pstate = PSTATE_MODE;
    hal_frame_set(frame, regs);
}

uint64_t trap_upcalls(void)
{
    return percpu_self()->upcall_count;
}
