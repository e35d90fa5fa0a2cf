// SPDX-License-Identifier: BSD-3-Clause
// halt.c: how the machine ends.
//
// The exit code goes by semihosting (Arm 100863, SYS_EXIT_EXTENDED), which a debugger or QEMU's
// -semihosting hears; elsewhere the instruction is undefined and skipped. Then PSCI (Arm DEN 0022)
// turns the machine off, without a code.
#include "halt.h"

#include "hal/hal.h"

enum { SEMIHOST_EXIT_EXTENDED = 0x20, STOPPED_APPLICATION_EXIT = 0x20026 };

static const uint32_t psci_system_off = 0x84000008, psci_system_reset = 0x84000009;

static bool psci_by_smc;
static int halt_count; // a machine that crashes while it halts must not try the same again

extern const char halt_probe[];

void halt_psci_set(bool by_smc)
{
    psci_by_smc = by_smc;
}

bool halt_is_probe(uint64_t pc)
{
    return pc == (uint64_t)halt_probe;
}

__attribute__((noinline)) static void semihost_exit(int code)
{
    const uint64_t block[2] = {STOPPED_APPLICATION_EXIT, (uint64_t)code};
    register uint64_t operation __asm__("x0") = SEMIHOST_EXIT_EXTENDED;
    register const uint64_t *argument __asm__("x1") = block;
    __asm__ volatile(".globl halt_probe\nhalt_probe:\n\thlt #0xf000"
                     : "+r"(operation)
                     : "r"(argument)
                     : "memory");
}

static void psci_call(uint32_t function)
{
    register uint64_t x0 __asm__("x0") = function;
    if (psci_by_smc) {
        __asm__ volatile("smc #0" : "+r"(x0) : : "x1", "x2", "x3", "memory");
    } else {
        __asm__ volatile("hvc #0" : "+r"(x0) : : "x1", "x2", "x3", "memory");
    }
}

HAL_NORETURN void hal_halt(enum hal_halt how, int code)
{
    __asm__ volatile("msr daifset, #15" ::: "memory");
    const int count = halt_count++;
    if (how != HAL_REBOOT && count == 0) {
        semihost_exit(code);
    }
    if (how != HAL_CRASH && count <= 1) {
        psci_call(how == HAL_REBOOT ? psci_system_reset : psci_system_off);
    }
    for (;;) {
        __asm__ volatile("wfi" ::: "memory");
    }
}
