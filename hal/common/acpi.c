// SPDX-License-Identifier: BSD-3-Clause
// acpi.c: from the root pointer to each table, checked before anybody looks inside.
//
// The root table is a list of addresses of tables, and FADT has one more (DSDT); no table is
// followed further, so there is nothing to go round in.
#include "hal/common/acpi.h"

#include "hal/common/acpi_table.h"
#include "hal/common/string.h"

enum {
    ROOT_SIZE = 20, // of revision 0
    ROOT_SIZE_LONG = 36,
    ROOT_REVISION = 15,
    ROOT_SHORT_TABLE = 16,
    ROOT_LONG_TABLE = 24,
    ROOT_ALIGN = 16,
    TABLE_LENGTH = 4,
    TABLE_SIZE_MAX = 16 << 20,
    TABLE_COUNT_MAX = 256,
};

uint64_t acpi_number(const struct acpi_table *table, size_t offset, size_t size)
{
    if (offset > table->size || size > table->size - offset) {
        return 0;
    }
    uint64_t number = 0;
    for (size_t i = size; i > 0; --i) {
        number = number << 8 | (uint8_t)table->bytes[offset + i - 1];
    }
    return number;
}

bool acpi_is_text(const struct acpi_table *table, size_t offset, const char *text)
{
    return offset <= table->size && table->size - offset >= 4 &&
           memcmp(table->bytes + offset, text, 4) == 0;
}

static bool sum_is_zero(const char *bytes, size_t size)
{
    uint8_t sum = 0;
    for (size_t i = 0; i < size; ++i) {
        sum = (uint8_t)(sum + (uint8_t)bytes[i]);
    }
    return sum == 0;
}

const char *acpi_table_open(struct acpi_table *table, hal_phys start, acpi_view *view)
{
    *table = (struct acpi_table){.bytes = view(start, ACPI_HEADER_SIZE), .size = ACPI_HEADER_SIZE};
    if (table->bytes == NULL) {
        return "lies outside of memory";
    }
    const uint64_t size = acpi_number(table, TABLE_LENGTH, 4);
    if (size < ACPI_HEADER_SIZE || size > TABLE_SIZE_MAX) {
        return "has a length that cannot be";
    }
    const char *all = view(start, size);
    if (all == NULL) {
        return "ends outside of memory";
    }
    *table = (struct acpi_table){.bytes = all, .size = size};
    return sum_is_zero(all, size) ? NULL : "has a wrong checksum";
}

// The first one counts: the rest may follow from it.
static void problem_note(struct acpi *acpi, const struct acpi_table *table, const char *problem)
{
    if (problem == NULL || acpi->problem != NULL) {
        return;
    }
    acpi->problem = problem;
    for (size_t i = 0; i < 4; ++i) {
        const char byte = table->bytes == NULL ? '?' : table->bytes[i];
        acpi->table[i] = byte >= ' ' && byte <= '~' ? byte : '?';
    }
}

static bool program_open(struct acpi *acpi, struct acpi_table *table, acpi_view *view)
{
    const char *problem = acpi->program == 0 ? NULL : acpi_table_open(table, acpi->program, view);
    if (problem != NULL) {
        problem_note(acpi, table, problem);
    }
    return acpi->program != 0 && problem == NULL;
}

void acpi_read_program(struct acpi *acpi, acpi_view *view)
{
    struct acpi_table table;
    if (program_open(acpi, &table, view)) {
        acpi_sleep_find(&acpi->power, &table);
    }
}

void acpi_read_devices(struct acpi *acpi, acpi_view *view)
{
    struct acpi_table table;
    if (acpi->is_reduced && program_open(acpi, &table, view)) {
        acpi_mmio_find(acpi, &table);
    }
}

// SRAT speaks of the CPUs that MADT lists, so it comes last.
static bool is_late(hal_phys start, acpi_view *view)
{
    const struct acpi_table name = {.bytes = view(start, 4), .size = 4};
    return name.bytes != NULL && acpi_is_text(&name, 0, "SRAT");
}

static void table_read(struct acpi *acpi, hal_phys start, acpi_view *view)
{
    struct acpi_table table;
    const char *problem = acpi_table_open(&table, start, view);
    if (problem == NULL) {
        problem = acpi_facts_add(acpi, &table);
    }
    problem_note(acpi, &table, problem);
    if (problem == NULL && acpi_is_text(&table, 0, "FACP")) {
        acpi->program = acpi_program_address(&table);
    }
}

// A list of 4-byte addresses (RSDT), or of 8-byte ones (XSDT).
static bool list_read(struct acpi *acpi, hal_phys start, const char *name, acpi_view *view)
{
    struct acpi_table list;
    const char *problem = acpi_table_open(&list, start, view);
    if (problem == NULL && !acpi_is_text(&list, 0, name)) {
        problem = "is not the list of tables";
    }
    problem_note(acpi, &list, problem);
    if (problem != NULL) {
        return false;
    }
    const size_t width = name[0] == 'X' ? 8 : 4;
    size_t count = (list.size - ACPI_HEADER_SIZE) / width;
    count = count < TABLE_COUNT_MAX ? count : TABLE_COUNT_MAX;
    for (size_t i = 0; i < 2 * count; ++i) {
        const hal_phys table = acpi_number(&list, ACPI_HEADER_SIZE + i % count * width, width);
        if (table != 0 && is_late(table, view) == (i >= count)) {
            table_read(acpi, table, view);
        }
    }
    return true;
}

static bool root_is_right(const char *root)
{
    return memcmp(root, "RSD PTR ", 8) == 0 && sum_is_zero(root, ROOT_SIZE);
}

bool acpi_read(struct acpi *acpi, hal_phys rsdp, acpi_view *view)
{
    *acpi = (struct acpi){.cpu_count = 0};
    const char *bytes = rsdp == 0 ? NULL : view(rsdp, ROOT_SIZE);
    if (bytes == NULL || !root_is_right(bytes)) {
        return false;
    }
    const struct acpi_table root = {.bytes = bytes, .size = ROOT_SIZE};
    if (acpi_number(&root, ROOT_REVISION, 1) >= 2) {
        const struct acpi_table more = {.bytes = view(rsdp, ROOT_SIZE_LONG),
                                        .size = ROOT_SIZE_LONG};
        if (more.bytes != NULL && sum_is_zero(more.bytes, ROOT_SIZE_LONG)) {
            const hal_phys list = acpi_number(&more, ROOT_LONG_TABLE, 8);
            if (list != 0 && list_read(acpi, list, "XSDT", view)) {
                return true;
            }
        }
    }
    return list_read(acpi, acpi_number(&root, ROOT_SHORT_TABLE, 4), "RSDT", view);
}

hal_phys acpi_search(hal_phys start, size_t size, acpi_view *view)
{
    for (size_t at = 0; at + ROOT_SIZE <= size; at += ROOT_ALIGN) {
        const char *bytes = view(start + at, ROOT_SIZE);
        if (bytes != NULL && root_is_right(bytes)) {
            return start + at;
        }
    }
    return 0;
}
