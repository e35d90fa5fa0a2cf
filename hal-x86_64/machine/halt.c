// SPDX-License-Identifier: BSD-3-Clause
// halt.c: how the machine ends.
//
// Without ACPI there is no way to power a real one off. QEMU's isa-debug-exit carries the exit code
// (QEMU ends with 2 * code + 1), its q35 and pc have the ACPI power port at a known place; where
// neither is, the CPU stops for good.
#include "hal/hal.h"

#include "cpu_registers.h"
#include "smp.h"

enum {
    DEBUG_EXIT_PORT = 0xf4,
    CODE_MAX = 127, // what fits in 2 * code + 1; a failure must not come out as success
    QEMU_PM1A_PORT = 0x604,
    QEMU_PM1A_SLEEP = 0x2000, // SLP_EN, SLP_TYP 0, which is S5 there
    KEYBOARD_PORT = 0x64,
    KEYBOARD_RESET = 0xfe,
    RESET_PORT = 0xcf9,
    RESET_FULL = 6,
};

static void machine_reset(void)
{
    port_write8(RESET_PORT, RESET_FULL);
    port_write8(KEYBOARD_PORT, KEYBOARD_RESET);
}

HAL_NORETURN void hal_halt(enum hal_halt how, int code)
{
    __asm__ volatile("cli" ::: "memory");
    smp_stop();
    if (how == HAL_REBOOT) {
        machine_reset();
    } else {
        port_write32(DEBUG_EXIT_PORT, code < 0 || code > CODE_MAX ? CODE_MAX : (uint32_t)code);
    }
    if (how == HAL_POWER_OFF) { // a crash that stands still is seen; one that goes away with status
                                // 0 is not
        port_write16(QEMU_PM1A_PORT, QEMU_PM1A_SLEEP);
    }
    for (;;) {
        __asm__ volatile("cli\n\thlt" ::: "memory");
    }
}
