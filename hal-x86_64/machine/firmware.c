// SPDX-License-Identifier: BSD-3-Clause
// firmware.c: the ACPI tables of a PC: where they are, and what was wrong with them.
#include "firmware.h"

#include "hal/common/string.h"

#include "layout.h"

enum { BIOS_START = 0xe0000, BIOS_SIZE = 0x20000, EBDA_POINTER = 0x40e, EBDA_SIZE = 1024 };

static struct acpi acpi;

static const char *view(hal_phys start, size_t size)
{
    const hal_phys end = BOOT_MAPPED;
    return start < end && size <= end - start ? (const char *)LAYOUT_DIRECT + start : NULL;
}

// The extended BIOS data area, whose segment is in the BIOS's own, and the BIOS.
static hal_phys root_search(void)
{
    const unsigned char *pointer = (const unsigned char *)view(EBDA_POINTER, 2);
    const hal_phys data = (hal_phys)(pointer[0] | pointer[1] << 8) << 4;
    const hal_phys found = data == 0 ? 0 : acpi_search(data, EBDA_SIZE, view);
    return found != 0 ? found : acpi_search(BIOS_START, BIOS_SIZE, view);
}

static void text_write(const char *text)
{
    hal_console_write(text, text_size(text));
}

static void problem_write(void)
{
    text_write("machine: ACPI table ");
    text_write(acpi.table);
    text_write(" ");
    text_write(acpi.problem);
    text_write(" and is not used\n");
}

void firmware_init(hal_phys rsdp)
{
    (void)acpi_read(&acpi, rsdp != 0 ? rsdp : root_search(), view);
    acpi_read_devices(&acpi, view);
    if (acpi.problem != NULL) {
        problem_write();
    }
}

const struct acpi_power *firmware_power(void)
{
    const bool had_problem = acpi.problem != NULL;
    acpi_read_program(&acpi, view);
    if (acpi.problem != NULL && !had_problem) {
        problem_write();
    }
    return &acpi.power;
}

const struct acpi *firmware(void)
{
    return &acpi;
}
