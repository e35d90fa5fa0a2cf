// SPDX-License-Identifier: BSD-3-Clause
// pci_config.c: PCI's configuration space: in memory where ACPI says so (PCI Express
// Base 4.0, 7.2.2), else by the two ports that every PC has (PCI Local Bus 3.0, 3.2.2.3.2).
//
// While the machine boots, on one CPU: an access is two steps.
#include "hal/common/pci.h"
#include "hal/common/register.h"

#include "cpu_registers.h"
#include "firmware.h"
#include "paging.h"

enum { PORT_ADDRESS = 0xcf8, PORT_DATA = 0xcfc, FUNCTION_SIZE = 4096 };

#define ADDRESS_ENABLE UINT32_C(0x80000000)

// NULL: this bus is not in memory. Only segment 0 is looked at, as by the ports.
static volatile char *function_memory(pci_address address)
{
    const struct acpi *acpi = firmware();
    const uint32_t bus = address >> 8;
    for (size_t i = 0; i < acpi->segment_count; ++i) {
        const struct acpi_segment *segment = &acpi->segments[i];
        if (segment->number == 0 && bus >= segment->bus_first && bus <= segment->bus_last) {
            return paging_device(segment->base + (hal_phys)address * FUNCTION_SIZE, FUNCTION_SIZE);
        }
    }
    return NULL;
}

// The port that holds the number.
static uint16_t port_select(pci_address address, uint32_t offset)
{
    port_write32(PORT_ADDRESS, ADDRESS_ENABLE | (uint32_t)address << 8 | (offset & 0xfc));
    return (uint16_t)(PORT_DATA + (offset & 3));
}

static uint32_t ports_read(pci_address address, uint32_t offset, uint32_t size)
{
    const uint16_t port = port_select(address, offset);
    switch (size) {
    case 1:
        return port_read8(port);
    case 2:
        return port_read16(port);
    default:
        return port_read32(port);
    }
}

static void ports_write(pci_address address, uint32_t offset, uint32_t size, uint32_t value)
{
    const uint16_t port = port_select(address, offset);
    switch (size) {
    case 1:
        port_write8(port, (uint8_t)value);
        break;
    case 2:
        port_write16(port, (uint16_t)value);
        break;
    default:
        port_write32(port, value);
        break;
    }
}

uint32_t pci_config_read(pci_address address, uint32_t offset, uint32_t size)
{
    const volatile char *memory = function_memory(address);
    return memory != NULL ? register_read(memory + offset, size)
                          : ports_read(address, offset, size);
}

void pci_config_write(pci_address address, uint32_t offset, uint32_t size, uint32_t value)
{
    volatile char *memory = function_memory(address);
    if (memory != NULL) {
        register_write(memory + offset, size, value);
    } else {
        ports_write(address, offset, size, value);
    }
}
