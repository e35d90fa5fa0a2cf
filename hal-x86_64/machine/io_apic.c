// SPDX-License-Identifier: BSD-3-Clause
// io_apic.c: the I/O APICs that MADT names (Intel 82093AA, 3.0), or, where there is no MADT, the
// one that every PC has had at the same place.
//
// Two registers are a window upon the others, so an access is two steps.
#include "io_apic.h"

#include "cpu_registers.h"
#include "firmware.h"
#include "paging.h"

enum {
    SELECT = 0x00,
    WINDOW = 0x10,
    VERSION = 1,
    ENTRIES_SHIFT = 16, // of VERSION: the last entry
    ENTRIES_MASK = 0xff,
    ENTRY = 0x10, // two registers each
    ENTRY_LOW = 1 << 13,
    ENTRY_LEVEL = 1 << 15,
    ENTRY_MASKED = 1 << 16,
    TARGET_SHIFT = 24,
};

#define BASE_USUAL UINT64_C(0xfec00000)

static uint32_t io_apic_read(char *base, uint32_t index)
{
    memory_write32(base + SELECT, index);
    return memory_read32(base + WINDOW);
}

static void io_apic_write(char *base, uint32_t index, uint32_t value)
{
    memory_write32(base + SELECT, index);
    memory_write32(base + WINDOW, value);
}

// Masked while it is half written.
static void entry_write(char *base, uint32_t entry, const struct io_apic_route *route)
{
    const uint32_t at = ENTRY + 2 * entry;
    io_apic_write(base, at, ENTRY_MASKED);
    io_apic_write(base, at + 1, route->target << TARGET_SHIFT);
    io_apic_write(base, at,
                  route->vector | (route->is_level ? ENTRY_LEVEL : 0) |
                      (route->is_low ? ENTRY_LOW : 0));
}

static bool controller_route(const struct acpi_io_controller *controller, uint32_t line,
                             const struct io_apic_route *route)
{
    char *base = line < controller->line_first ? NULL : paging_device(controller->base, WINDOW + 4);
    if (base == NULL) {
        return false;
    }
    const uint32_t entry = line - controller->line_first;
    if (entry > (io_apic_read(base, VERSION) >> ENTRIES_SHIFT & ENTRIES_MASK)) {
        return false;
    }
    entry_write(base, entry, route);
    return true;
}

bool io_apic_route(uint32_t line, const struct io_apic_route *route)
{
    static const struct acpi_io_controller usual = {.base = BASE_USUAL};
    const struct acpi *acpi = firmware();
    if (acpi->io_controller_count == 0) {
        return controller_route(&usual, line, route);
    }
    for (size_t i = 0; i < acpi->io_controller_count; ++i) {
        if (controller_route(&acpi->io_controllers[i], line, route)) {
            return true;
        }
    }
    return false;
}
