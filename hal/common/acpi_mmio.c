// SPDX-License-Identifier: BSD-3-Clause
// acpi_mmio.c: virtio's devices in DSDT, which names them by the string "LNRO0005" and describes
// each by a template of resources: a fixed piece of memory, and behind it an interrupt
// (ACPI 6.4, 6.4.3.4 and 6.4.3.6).
//
// AML is not interpreted: what stands behind a name and before the next is searched for these
// bytes.
#include "hal/common/acpi.h"
#include "hal/common/acpi_table.h"

enum {
    NAME_SIZE = 9, // with its NUL
    SEARCHED = 256,
    MEMORY_TAG = 0x86, // Memory32Fixed, of so many bytes behind its head
    MEMORY_SIZE = 9,
    MEMORY_BASE_AT = 4,
    MEMORY_LENGTH_AT = 8,
    HEAD_SIZE = 3,
    INTERRUPT_TAG = 0x89,
    INTERRUPT_FLAGS_AT = 3,
    INTERRUPT_COUNT_AT = 4,
    INTERRUPT_LINE_AT = 5,
    FLAG_EDGE = 2,
    FLAG_LOW = 4,
};

static bool is_name(const struct acpi_table *table, size_t at)
{
    return table->bytes[at] == 'L' && acpi_is_text(table, at, "LNRO") &&
           acpi_is_text(table, at + 4, "0005") && acpi_number(table, at + NAME_SIZE - 1, 1) == 0;
}

// A piece of memory at `at`, with one interrupt behind it.
static bool resources_read(const struct acpi_table *table, size_t at, struct acpi_mmio *mmio)
{
    const size_t interrupt = at + HEAD_SIZE + MEMORY_SIZE;
    if (acpi_number(table, at, 1) != MEMORY_TAG || acpi_number(table, at + 1, 2) != MEMORY_SIZE ||
        acpi_number(table, interrupt, 1) != INTERRUPT_TAG ||
        acpi_number(table, interrupt + INTERRUPT_COUNT_AT, 1) != 1 ||
        table->size < interrupt + INTERRUPT_LINE_AT + 4) {
        return false;
    }
    const uint64_t flags = acpi_number(table, interrupt + INTERRUPT_FLAGS_AT, 1);
    *mmio = (struct acpi_mmio){
        .region = {.start = acpi_number(table, at + MEMORY_BASE_AT, 4),
                   .size = acpi_number(table, at + MEMORY_LENGTH_AT, 4)},
        .line = (uint32_t)acpi_number(table, interrupt + INTERRUPT_LINE_AT, 4),
        .is_low = (flags & FLAG_LOW) != 0,
        .is_level = (flags & FLAG_EDGE) == 0,
    };
    return mmio->region.size != 0;
}

void acpi_mmio_find(struct acpi *acpi, const struct acpi_table *table)
{
    size_t left = 0; // of what is searched behind the last name
    for (size_t at = ACPI_HEADER_SIZE; at < table->size && acpi->mmio_count < ACPI_MMIO_MAX; ++at) {
        if (is_name(table, at)) {
            left = SEARCHED;
        } else if (left > 0) {
            const bool is_found = resources_read(table, at, &acpi->mmio[acpi->mmio_count]);
            acpi->mmio_count += is_found;
            left = is_found ? 0 : left - 1;
        }
    }
}
