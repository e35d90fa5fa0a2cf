// SPDX-License-Identifier: BSD-3-Clause
// trap.c: from a vector to an upcall.
//
// The processor keeps what is pending and delivers it one vector at a time, the timer's first by
// its number. An interrupt is acknowledged before its upcall, which may switch context and come
// back much later on another CPU.
#include "trap.h"

#include <stdatomic.h>

#include "hal/common/alarm.h"
#include "hal/common/crash.h"
#include "hal/upcall.h"

#include "apic.h"
#include "hal-x86_64/isa/isa.h"

#include "cpu_registers.h"
#include "flush.h"
#include "interrupt.h"
#include "machine_check.h"
#include "paging.h"
#include "percpu.h"
#include "smp.h"

enum { ERROR_WRITE = 2, ERROR_RESERVED = 8, ERROR_FETCH = 16 };

// testb $0, -HAL_STACK_PROBE(%rsp), as hal_irq_save has it.
static const uint64_t stack_probe = 0x00fffff8002484f6;
_Static_assert(HAL_STACK_PROBE == 0x800, "stack_probe");
enum { STACK_PROBE_SIZE = 8 };

static void irq_off(void)
{
    __asm__ volatile("cli" ::: "memory");
}

_Static_assert(sizeof(struct hal_regs) == 4288, "REGS_SIZE in trap.S");

HAL_NORETURN static void frame_crash(const char *what, const struct hal_frame *frame)
{
    const uint64_t *r = frame->general;
    const struct crash_value values[] = {
        {"rip", r[HAL_REG_RIP]},      {"rsp", r[HAL_REG_RSP]}, {"flg", r[HAL_REG_FLAGS]},
        {"va ", (uint64_t)frame->va}, {"rax", r[HAL_REG_RAX]}, {"rbx", r[HAL_REG_RBX]},
        {"rcx", r[HAL_REG_RCX]},      {"rdx", r[HAL_REG_RDX]}, {"rsi", r[HAL_REG_RSI]},
        {"rdi", r[HAL_REG_RDI]},      {"rbp", r[HAL_REG_RBP]}, {"r8 ", r[HAL_REG_R8]},
        {"r9 ", r[HAL_REG_R9]},       {"r10", r[HAL_REG_R10]}, {"r11", r[HAL_REG_R11]},
        {"r12", r[HAL_REG_R12]},      {"r13", r[HAL_REG_R13]}, {"r14", r[HAL_REG_R14]},
        {"r15", r[HAL_REG_R15]},      {"vec", frame->number},  {"acc", frame->access},
    };
    crash(what, values, sizeof values / sizeof values[0]);
}

static const char *fatal_name(uint64_t vector)
{
    switch (vector) {
    case VECTOR_DOUBLE_FAULT:
        return "double fault";
    case VECTOR_NMI:
        return "non-maskable interrupt: somebody wants to know where this CPU is";
    case VECTOR_MACHINE_CHECK:
        return "machine check: the hardware reports an error";
    default:
        return "exception without a place for its frame";
    }
}

HAL_NORETURN void trap_fatal(const struct trap_words *words)
{
    while (words->vector == VECTOR_NMI && smp_is_stopping()) {
        __asm__ volatile("cli\n\thlt" ::: "memory");
    }
    struct machine_check check = {.bank = 0};
    if (words->vector == VECTOR_MACHINE_CHECK) {
        machine_check_read(&check);
    }
    const struct crash_value values[] = {
        {"rip", words->rip},   {"rsp", words->rsp},
        {"flg", words->flags}, {"cr2", cr2_read()},
        {"rax", words->rax},   {"rbx", words->rbx},
        {"rcx", words->rcx},   {"rdx", words->rdx},
        {"rsi", words->rsi},   {"rdi", words->rdi},
        {"rbp", words->rbp},   {"r8 ", words->r8},
        {"r9 ", words->r9},    {"r10", words->r10},
        {"r11", words->r11},   {"r12", words->r12},
        {"r13", words->r13},   {"r14", words->r14},
        {"r15", words->r15},   {"vec", words->vector},
        {"err", words->error}, {"cpu", percpu_self()->index},
        {"mcg", check.global}, {"bnk", check.bank},
        {"mcs", check.status}, {"mca", check.address},
    };
    const size_t count = sizeof values / sizeof values[0];
    crash(fatal_name(words->vector), values,
          words->vector == VECTOR_MACHINE_CHECK ? count : count - 4);
}

// In a fetch the code cannot be read.
static bool is_stack_probe(const struct hal_frame *frame)
{
    return frame->number == VECTOR_PAGE && frame->access != HAL_EXEC &&
           (uint64_t)frame->va == frame->general[HAL_REG_RSP] - HAL_STACK_PROBE &&
           *(const uint64_t *)frame->general[HAL_REG_RIP] == stack_probe;
}

static bool is_copy(const struct hal_frame *frame)
{
    const uint64_t ip = frame->general[HAL_REG_RIP];
    return ip >= (uint64_t)isa_copy_start && ip < (uint64_t)isa_copy_end;
}

// A fault that nothing resolves: two places expect it, any other is fatal.
static void fault_unresolved(struct hal_frame *frame)
{
    if (is_copy(frame)) {
        frame->general[HAL_REG_RIP] = (uint64_t)isa_copy_fail;
    } else if (is_stack_probe(frame)) {
        // Near the end of a stack that needs no more.
        frame->general[HAL_REG_RIP] += STACK_PROBE_SIZE;
    } else {
        frame_crash("fault not resolved", frame);
    }
}

static enum hal_fault_kind fault_kind(const struct hal_frame *frame)
{
    switch (frame->number) {
    case VECTOR_PAGE:
        return HAL_FAULT_PAGE;
    case VECTOR_PROTECTION: // a pointer that is none, say
    case VECTOR_STACK:
    case VECTOR_BOUND:
    case VECTOR_ALIGNMENT:
        return HAL_FAULT_PROTECTION;
    case VECTOR_ILLEGAL:
        return HAL_FAULT_ILLEGAL;
    case VECTOR_DIVIDE:
    case VECTOR_X87:
    case VECTOR_SIMD:
        return HAL_FAULT_MATH;
    case VECTOR_DEBUG:
    case VECTOR_BREAKPOINT:
    case VECTOR_OVERFLOW:
        return HAL_FAULT_TRAP;
    default:
        frame_crash("exception", frame);
    }
}

// Makes the frame's description of the fault of what the processor says. trap.S has left the error
// code where fault_kind and access go.
static void fault_describe(struct hal_frame *frame)
{
    const uint32_t error = frame->number == VECTOR_PAGE ? frame->fault_kind : 0;
    frame->fault_kind = fault_kind(frame);
    frame->kind = FRAME_FAULT;
    frame->access = error & ERROR_FETCH ? HAL_EXEC : error & ERROR_WRITE ? HAL_WRITE : HAL_READ;
    if (frame->number != VECTOR_PAGE) {
        frame->va = NULL;
    }
}

// The table was changed since, or the processor remembered an older one.
static bool is_spurious(const struct hal_frame *frame, uint32_t error)
{
    return frame->number == VECTOR_PAGE && (error & ERROR_RESERVED) == 0 &&
           paging_permits(frame->va, frame->access);
}

static void fault_run(struct hal_frame *frame)
{
    const uint32_t error = frame->fault_kind;
    fault_describe(frame);
    if (is_spurious(frame, error)) {
        return;
    }
    if (frame->masked && is_stack_probe(frame)) {
        // Nested hal_irq_save: the outer one has probed.
        frame->general[HAL_REG_RIP] += STACK_PROBE_SIZE;
        return;
    }
    const struct hal_fault fault = {.kind = frame->fault_kind,
                                    .access = frame->access,
                                    .va = frame->va,
                                    .is_optional = is_copy(frame) || is_stack_probe(frame)};
    hal_irq_restore(frame->masked);
    const bool resolved = upcall_fault(&fault, frame);
    irq_off();
    if (!resolved) {
        fault_unresolved(frame);
    }
}

// NULL where core let the interrupt in by hal_cpu_idle: nothing of the application's is there.
static struct hal_frame *frame_shown(struct hal_frame *frame)
{
    return frame->general[HAL_REG_RIP] == (uint64_t)trap_idle_woken ? NULL : frame;
}

void trap_idle_wait(void)
{
    flush_nap_begin();
    trap_halt();
    flush_nap_end(); // what is no interrupt of ours (an NMI) ends a halt, too
}

static void interrupt_run(struct hal_frame *frame)
{
    flush_nap_end();
    if (frame->number == VECTOR_TIMER) {
        apic_end();
        if (alarm_is_due()) {
            ++percpu_self()->upcall_count;
            upcall_timer(frame_shown(frame));
        }
    } else if (frame->number == VECTOR_KICK) {
        apic_end();
        ++percpu_self()->upcall_count;
        upcall_kick(frame_shown(frame));
    } else if (frame->number == VECTOR_FLUSH) {
        apic_end();
        flush_run();
    } else if (frame->number >= VECTOR_DEVICE && frame->number < VECTOR_KICK) {
        ++percpu_self()->upcall_count;
        interrupt_deliver(frame->number, frame_shown(frame));
    } else if (frame->number != VECTOR_SPURIOUS) {
        frame_crash("interrupt of no device", frame);
    }
}

void trap_run(struct hal_frame *frame)
{
    uint64_t *flags = &frame->general[HAL_REG_FLAGS];
    frame->masked = (*flags & IRQ_FLAG) == 0;
    if (frame->number < VECTOR_EXCEPTIONS) {
        fault_run(frame);
    } else {
        frame->kind = FRAME_INTERRUPT;
        interrupt_run(frame);
    }
    // Whatever core wrote into the frame: interrupts stay as they were.
    *flags = frame->masked ? *flags & ~(uint64_t)IRQ_FLAG : *flags | IRQ_FLAG;
}

void trap_frame_load(struct hal_frame *frame, const struct hal_regs *regs)
{
    hal_frame_set(frame, regs);
}

uint64_t trap_upcalls(void)
{
    return percpu_self()->upcall_count;
}
