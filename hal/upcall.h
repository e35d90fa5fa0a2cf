// SPDX-License-Identifier: BSD-3-Clause
// upcall.h: everything a back-end may call in core/, and nothing else.
//
// Interrupts are off on entry to each and must be off on return, unless its comment says otherwise.
// Floating-point control words are the default ones in every upcall, whatever the application set. The
// frame and everything under it is on the entry stack of the context that was interrupted; frames nest up
// to three deep.
#ifndef HAL_UPCALL_H
#define HAL_UPCALL_H

#include "hal/hal.h"

// First call, on the boot CPU's stack. boot stays valid for ever.
HAL_NORETURN void upcall_boot(const struct hal_boot *boot);

// First call on a CPU that hal_cpu_start started.
HAL_NORETURN void upcall_cpu(struct cpu *cpu);

// Interrupts. Each may switch context and return much later on another CPU. Causes pending together come
// as separate calls, the timer first. frame is what was interrupted, or NULL where core itself let the
// interrupt in (hal_irq_restore, hal_cpu_idle): nothing of the application's is there to be changed.
void upcall_timer(struct hal_frame *frame);
void upcall_kick(struct hal_frame *frame);

// Queue `queue` of dev has used descriptors, or its configuration changed (HAL_DEV_CONFIG), or any of
// these: the device has too few interrupts to tell (HAL_DEV_ALL), or only that it is one of the queues
// (HAL_DEV_QUEUES).
enum { HAL_DEV_CONFIG = 0xffff, HAL_DEV_ALL = 0xfffe, HAL_DEV_QUEUES = 0xfffd };
void upcall_dev(struct hal_dev *dev, uint32_t queue, struct hal_frame *frame);

// The host or the person at it asks for something, or has done it.
enum hal_notice {
    HAL_NOTICE_INTERRUPT,
    HAL_NOTICE_TERMINATE,
    HAL_NOTICE_QUIT,
    HAL_NOTICE_RESIZE,
    HAL_NOTICE_POWER,
    HAL_NOTICE_HANG_UP,
    HAL_NOTICE_CONTINUE, // after a time in which the host let nothing run
    HAL_NOTICE_USER_1,   // whatever the program makes of them
    HAL_NOTICE_USER_2,
    HAL_NOTICE_CLOCK // hal_clock_wall_ns has stepped
};
void upcall_notice(enum hal_notice notice);

enum hal_fault_kind {
    HAL_FAULT_PAGE,
    HAL_FAULT_BUS, // the page is mapped, but a device has taken away what was behind it
    HAL_FAULT_PROTECTION, // what the processor refuses without naming an address
    HAL_FAULT_ILLEGAL,
    HAL_FAULT_MATH,
    HAL_FAULT_TRAP
};

struct hal_fault {
    enum hal_fault_kind kind;
    unsigned access; // HAL_READ, HAL_WRITE or HAL_EXEC, for these two
    char *va;
    bool is_optional; // hal_copy_safe or a stack probe took it: false is an answer, and nothing is lost
};

// A fault in a thread. Interrupts are as the thread had them. True: resolved, resume frame, which core
// may have changed. False: not resolved: fatal unless fault->is_optional.
// With interrupts on it may block: for the mutex of the address space, where the page is a file's. With
// interrupts off (only for code that had them off) it must not, and resolves anonymous memory alone.
bool upcall_fault(const struct hal_fault *fault, struct hal_frame *frame);

// A system call instruction of the application's, with the arguments that the ISA's Linux has in registers. Runs on
// entry_stack, interrupts on as on return, and may block. The answer is for the register that has the result: what else
// frame has goes back with it where core has called hal_frame_set, else all registers are as they were (but for those
// that the instruction itself changes).
long upcall_syscall(long a, long b, long c, long d, long e, long f, long number,
                    struct hal_frame *frame);

// A machine that watches accesses to memory has found two to the same bytes that nothing orders; the later one is
// about to be made. To be printed, for core knows names. Struck anywhere in core: takes no lock, never blocks.
enum { HAL_RACE_DEPTH = 24 };
struct hal_race_side {
    const void *stack[HAL_RACE_DEPTH]; // the place, its caller ..; NULL ends
    void *self;                        // hal_self of the context; it may have ended
    uint32_t cpu, size;
    bool writes, is_atomic;
};
struct hal_race {
    const char *address;
    struct hal_race_side sides[2]; // the earlier one first
};
void upcall_race(const struct hal_race *race);

// Such a machine has seen locks taken in an order that goes round in a circle: the second lock of each step is the
// first of the next, and that of the last is the first's. To be printed as well, under the same rules.
struct hal_lock_step {
    const void *held;                  // where a lock was taken
    const void *stack[HAL_RACE_DEPTH]; // where another was taken while that was held
    void *self;                        // by whom; as above
    uint32_t cpu;
};
void upcall_lock_order(const struct hal_lock_step *const *steps, uint32_t count);

// One zeroed page for a translation table, or 0; and its return.
hal_phys upcall_table_get(void);
void upcall_table_put(hal_phys page);

#endif
