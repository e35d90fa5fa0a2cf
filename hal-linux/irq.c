// SPDX-License-Identifier: BSD-3-Clause
// irq.c: from a host signal to an upcall.
//
// A signal handler never switches context. It builds the frame on the running context's entry stack
// and edits the ucontext, so that sigreturn lands in entry_stub, masked, with all signals open
// again. While masked, the handler only leaves reasons in pending; whoever unmasks delivers them.
//
// VCPU_SIGNAL carries no information. It means: look at pending and at the deadline.
#include "hal-linux/irq.h"

#include <errno.h>
#include <valgrind/memcheck.h>

#include "hal-linux/clock.h"
#include "hal-linux/dev/line.h"
#include "hal-linux/entry.h"
#include "hal-linux/halt.h"
#include "hal-x86_64/isa/isa.h"
#include "hal/upcall.h"

enum { RED_ZONE = 128, ENTRY_MARGIN = 4096 };

struct irq_counts irq_counts;
uint64_t irq_flags_kept;

static void deliver_lines(struct vcpu *vcpu, struct hal_frame *frame)
{
    uint32_t line = VCPU_LINES;
    for (uint32_t word = 0; word < VCPU_LINES / 64; ++word) {
        uint64_t bits = atomic_load(&vcpu->lines[word]);
        if (bits != 0 && line == VCPU_LINES) {
            line = word * 64 + (uint32_t)__builtin_ctzl(bits);
            bits &= bits - 1;
        }
        if (bits != 0) { // look for the next when this one is served
            atomic_fetch_or(&vcpu->pending, VCPU_DEV);
            break;
        }
    }
    if (line < VCPU_LINES) { // before the upcall: pairs with vcpu_raise_line
        atomic_fetch_and(&vcpu->lines[line / 64], ~(1ul << line % 64));
        line_upcall(line, frame);
    }
}

static void deliver_notice(struct vcpu *vcpu)
{
    uint32_t bits = atomic_load(&vcpu->notices);
    if (bits != 0) {
        uint32_t bit = (uint32_t)__builtin_ctz(bits);
        atomic_fetch_and(&vcpu->notices, ~(1u << bit));
        atomic_fetch_or(&vcpu->pending, VCPU_NOTICE);
        upcall_notice((enum hal_notice)bit);
    }
}

// One cause at a time, and the vCPU afresh each time: an upcall may return on another one, and the
// causes left behind belong to whoever runs on the first. A cause is taken off before its upcall:
// raised again during the upcall it comes again.
void irq_deliver(struct hal_frame *frame)
{
    for (;;) {
        struct vcpu *vcpu = vcpu_self();
        uint32_t pending = atomic_load_explicit(&vcpu->pending, memory_order_relaxed);
        uint32_t cause = pending & VCPU_CAUSES & -pending;
        if (pending & VCPU_TIMER) {
            cause = VCPU_TIMER; // the timer first
        }
        if (cause == 0) {
            return;
        }
        atomic_fetch_and(&vcpu->pending, ~cause);
        if (cause == VCPU_TIMER) {
            upcall_timer(frame);
        } else if (cause == VCPU_KICK) {
            upcall_kick(frame);
        } else if (cause == VCPU_DEV) {
            deliver_lines(vcpu, frame);
        } else {
            deliver_notice(vcpu);
        }
    }
}

void vcpu_unmask_slow(void)
{
    do {
        (void)hal_irq_save();
        irq_deliver(NULL);
        __asm__ volatile("movl $0, %%gs:%c0" : : "i"(VCPU_MASKED) : "memory");
    } while (atomic_load_explicit(&vcpu_self()->pending, memory_order_relaxed) != 0);
}

void entry_frame_show(struct hal_frame *frame)
{
    (void)VALGRIND_MAKE_MEM_DEFINED(frame, sizeof *frame + isa_vector_size);
}

// Called by entry_stub, masked, on the entry stack.
void entry_run(struct hal_frame *frame)
{
    if (frame->kind != FRAME_INTERRUPT) {
        fault_deliver(frame);
    }
    if (frame->masked == 0) {
        irq_deliver(frame);
    }
}

// Checks where the frame is, and sees to it that no tool believes what was there.
struct hal_frame *irq_frame_place(const struct vcpu *vcpu, uint64_t ip, uint64_t sp)
{
    struct hal_frame *frame = frame_place(vcpu->entry_stack, sp);
    uintptr_t top = (uintptr_t)vcpu->entry_stack;
    uintptr_t low = (uintptr_t)frame;
    if (vcpu->entry_stack == NULL || low < top - HAL_ENTRY_STACK + ENTRY_MARGIN) {
        halt_fault("entry stack exhausted", SIGABRT, ip, (const char *)sp);
    }
    if (top - low > atomic_load_explicit(&irq_counts.depth_max, memory_order_relaxed)) {
        atomic_store_explicit(&irq_counts.depth_max, top - low, memory_order_relaxed);
    }
    // Memcheck does not see the jump of rsp; what it would have opened includes 128 bytes below.
    (void)VALGRIND_MAKE_MEM_UNDEFINED((const char *)frame - RED_ZONE,
                                      RED_ZONE + sizeof *frame + isa_vector_size);
    return frame;
}

struct hal_frame *irq_frame_push(struct vcpu *vcpu, greg_t *general)
{
    struct hal_frame *frame =
        irq_frame_place(vcpu, (uint64_t)general[HAL_REG_RIP], (uint64_t)general[HAL_REG_RSP]);
    for (int i = 0; i < HAL_REG_COUNT; ++i) {
        frame->general[i] = (uint64_t)general[i];
    }
    frame->kind = FRAME_INTERRUPT;
    frame->masked = atomic_load_explicit(&vcpu->masked, memory_order_relaxed);
    atomic_store_explicit(&vcpu->masked, 1, memory_order_relaxed);
    general[HAL_REG_RSP] = (greg_t)frame;
    general[HAL_REG_RDI] = (greg_t)frame;
    general[HAL_REG_RIP] = (greg_t)entry_stub;
    // No direction, alignment-check or trap flag of the application's.
    general[HAL_REG_FLAGS] =
        (greg_t)(FRAME_FLAGS_FIXED | ((uint64_t)general[HAL_REG_FLAGS] & irq_flags_kept));
    return frame;
}

void irq_signal(int signal, siginfo_t *info, void *ucontext)
{
    (void)signal;
    (void)info;
    struct vcpu *vcpu = vcpu_self();
    greg_t *general = ((ucontext_t *)ucontext)->uc_mcontext.gregs;
    const char *ip = (const char *)general[HAL_REG_RIP];

    clock_timer_check(vcpu);
    if (ip >= (const char *)entry_read && ip <= entry_read_call) {
        general[HAL_REG_RIP] = (greg_t)entry_read_end;
        general[HAL_REG_RAX] = -EINTR;
        irq_count(&irq_counts.read_end);
        return; // masked: whoever reads looks at pending
    }
    if ((atomic_load_explicit(&vcpu->pending, memory_order_relaxed) & VCPU_CAUSES) == 0) {
        irq_count(&irq_counts.nothing);
        return;
    }
    if (ip >= entry_exit && ip < entry_exit_jump) {
        general[HAL_REG_RIP] = (greg_t)entry_exit;
        irq_count(&irq_counts.exit_restart);
        return;
    }
    if (atomic_load_explicit(&vcpu->masked, memory_order_relaxed) != 0) {
        irq_count(&irq_counts.masked);
        return;
    }
    if (ip == entry_exit_jump) {
        general[HAL_REG_RIP] = (greg_t)vcpu->exit_ip;
        irq_count(&irq_counts.exit_jump);
    }
    irq_frame_push(vcpu, general);
    irq_count(&irq_counts.framed);
}

// A frame made by hand, left by the exit path. On the entry stack it lies below everything that the
// caller uses, regs included; from any other stack the entry stack is empty.
void hal_regs_resume(const struct hal_regs *regs)
{
    (void)hal_irq_save();
    struct vcpu *vcpu = vcpu_self();
    uintptr_t sp = (uintptr_t)__builtin_frame_address(0) - HAL_STACK_PROBE;
    struct hal_frame *frame = irq_frame_place(vcpu, regs->general[HAL_REG_RIP], sp);
    hal_frame_set(frame, regs);
    frame->kind = FRAME_INTERRUPT;
    frame->masked = 0;
    entry_resume(frame);
}
