// SPDX-License-Identifier: BSD-3-Clause
// acpi_table.h: one checked table, between acpi.c, which finds it, and acpi_facts.c, which knows
// what is in it.
#ifndef HAL_COMMON_ACPI_TABLE_H
#define HAL_COMMON_ACPI_TABLE_H

#include "hal/common/acpi.h"

enum { ACPI_HEADER_SIZE = 36 };

struct acpi_table {
    const char *bytes; // the header first
    size_t size;       // all of it readable
};

// A little-endian number of 1 to 8 bytes at offset; 0 where the table ends before.
uint64_t acpi_number(const struct acpi_table *table, size_t offset, size_t size);

// Whether the four bytes at offset are text.
bool acpi_is_text(const struct acpi_table *table, size_t offset, const char *text);

// The table at start, checked. NULL, or what is wrong with it.
const char *acpi_table_open(struct acpi_table *table, hal_phys start, acpi_view *view);

// Adds what the table says, if it is one that matters. NULL, or what is wrong with it; then nothing
// was added.
const char *acpi_facts_add(struct acpi *acpi, const struct acpi_table *table);

// Where FADT says that DSDT is.
hal_phys acpi_program_address(const struct acpi_table *table);

// Looks for \_S5 in a table of AML.
void acpi_sleep_find(struct acpi_power *power, const struct acpi_table *table);

// Looks for virtio's devices in a table of AML.
void acpi_mmio_find(struct acpi *acpi, const struct acpi_table *table);

#endif
