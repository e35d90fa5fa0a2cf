// SPDX-License-Identifier: BSD-3-Clause
// power.c: how the machine ends.
//
// QEMU's isa-debug-exit carries the exit code (QEMU ends with 2 * code + 1) as far as it has room,
// an isa-debugcon the whole of it in decimal; they go first. ACPI turns the machine off
// (ACPI 6.4, 4.8.3.2.1 and 4.8.3.7) without a code, and resets it. Where there is no ACPI, as in
// Firecracker, the monitor takes the keyboard controller's reset as the end.
#include "power.h"

#include "hal/common/virtio.h"
#include "hal/hal.h"

#include "cpu_registers.h"
#include "firmware.h"
#include "smp.h"

enum {
    DEBUG_EXIT_PORT = 0xf4,
    CODE_MAX = 127, // what fits in 2 * code + 1; a failure must not come out as success
    CODE_PORT = 0xf8,
    CODE_PORT_ANSWER = 0xe9, // what reads from it, where it is there
    CODE_TOLD_MAX = 255,
    CONTROL_TYPE_SHIFT = 10,
    CONTROL_GO = 1 << 13,
    SLEEP_TYPE_SHIFT = 2,
    SLEEP_GO = 1 << 5,
    KEYBOARD_PORT = 0x64,
    KEYBOARD_RESET = 0xfe,
    RESET_PORT = 0xcf9,
    RESET_PREPARE = 2,
    RESET_FULL = 6,
};

// One that firmware names: in memory, or a port, or, with neither, not there.
struct place {
    char *memory;
    uint16_t port;
};

static struct place control[2], sleep_control, reset;
static const struct acpi_power *power; // NULL: power_init has not been called yet

static struct place place_find(const struct acpi_register *found)
{
    struct place place = {.memory = NULL};
    if (found->space == ACPI_SPACE_PORT) {
        place.port = (uint16_t)found->address;
    } else if (found->space == ACPI_SPACE_MEMORY && found->address != 0) {
        place.memory = machine_device_map(found->address, sizeof(uint16_t));
    }
    return place;
}

void power_init(void)
{
    power = &firmware()->power;
    control[0] = place_find(&power->control[0]);
    control[1] = place_find(&power->control[1]);
    sleep_control = place_find(&power->sleep);
    reset = place_find(&power->reset);
}

static void place_write8(const struct place *place, uint8_t value)
{
    if (place->memory != NULL) {
        memory_write8(place->memory, value);
    } else if (place->port != 0) {
        port_write8(place->port, value);
    }
}

static void place_write16(const struct place *place, uint16_t value)
{
    if (place->memory != NULL) {
        memory_write16(place->memory, value);
    } else if (place->port != 0) {
        port_write16(place->port, value);
    }
}

static void acpi_off(void)
{
    if (!firmware_power()->has_sleep_types) {
        return;
    }
    for (int i = 0; i < 2; ++i) {
        const unsigned type = (unsigned)power->sleep_types[i] << CONTROL_TYPE_SHIFT;
        place_write16(&control[i], (uint16_t)(type | CONTROL_GO));
    }
    const unsigned type = (unsigned)power->sleep_types[0] << SLEEP_TYPE_SHIFT;
    place_write8(&sleep_control, (uint8_t)(type | SLEEP_GO));
}

// The last resort: an exception without an interrupt table is a triple fault.
static void triple_fault(void)
{
    static const struct {
        uint16_t limit;
        uint64_t base;
    } __attribute__((packed)) none = {0, 0};
    __asm__ volatile("lidt %0\n\tint3" : : "m"(none));
}

static void machine_reset(void)
{
    if (power != NULL) {
        place_write8(&reset, power->reset_value);
    }
    port_write8(RESET_PORT, RESET_PREPARE);
    port_write8(RESET_PORT, RESET_FULL);
    port_write8(KEYBOARD_PORT, KEYBOARD_RESET);
    triple_fault();
}

static void code_tell(int code)
{
    if (port_read8(CODE_PORT) != CODE_PORT_ANSWER) {
        return;
    }
    const int told = code < 0 || code > CODE_TOLD_MAX ? CODE_TOLD_MAX : code;
    for (int unit = 100; unit > 0; unit /= 10) {
        if (told >= unit || unit == 1) {
            port_write8(CODE_PORT, (uint8_t)('0' + told / unit % 10));
        }
    }
    port_write8(CODE_PORT, '\n');
}

// A crash that stands still is seen; one that goes away with status 0 is not.
HAL_NORETURN void hal_halt(enum hal_halt how, int code)
{
    __asm__ volatile("cli" ::: "memory");
    smp_stop();
    if (how == HAL_REBOOT) {
        machine_reset();
    }
    code_tell(code);
    port_write32(DEBUG_EXIT_PORT, code < 0 || code > CODE_MAX ? CODE_MAX : (uint32_t)code);
    if (how == HAL_POWER_OFF && power != NULL && firmware()->program != 0) {
        acpi_off();
    } else if (how == HAL_POWER_OFF) {
        port_write8(KEYBOARD_PORT, KEYBOARD_RESET);
    }
    for (;;) {
        __asm__ volatile("cli\n\thlt" ::: "memory");
    }
}
