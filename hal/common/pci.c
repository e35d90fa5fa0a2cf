// SPDX-License-Identifier: BSD-3-Clause
// pci.c: finding PCI devices and reading what they say of themselves.
//
// Firmware has numbered the buses and given out addresses. Invariant of the scan: a bus is looked
// at once, and a bridge counts only if it leads to a bus above its own, so it ends whatever the
// bridges say.
#include "pci.h"

#include "error.h"

enum {
    DEVICES = 32,
    FUNCTIONS = 8,
    BUSES = 256,
    NOBODY = 0xffff,
    HEADER_KIND = 0x7f,
    HEADER_DEVICE = 0,
    HEADER_BRIDGE = 1,
    HEADER_MULTIPLE = 0x80,
    BRIDGE_SECONDARY = 0x19,
    STATUS_CAPABILITIES = 0x10,
    BAR_IO = 1,
    BAR_KIND = 6,
    BAR_64 = 4,
    CAPABILITY_FIRST = 0x40, // below is the header
    CAPABILITY_END = 0x100,
    CAPABILITY_COUNT_MAX = (CAPABILITY_END - CAPABILITY_FIRST) / 4,
    MSIX_CONTROL = 2,
    MSIX_TABLE = 4,
    MSIX_SIZE = 12,
    MSIX_COUNT = 0x7ff,
    MSIX_ENABLE = 1 << 15,
    MSIX_MASK_ALL = 1 << 14,
    ENTRY_WORDS = 4,
    ENTRY_MASKED = 1,
};

#define BAR_ADDRESS UINT32_C(0xfffffff0)

// ---- Devices -------------------------------------------------------------------

static uint32_t header_kind(pci_address address)
{
    return pci_config_read(address, PCI_HEADER, 1) & HEADER_KIND;
}

static bool is_there(pci_address address)
{
    return pci_config_read(address, PCI_VENDOR, 2) != NOBODY;
}

struct scan {
    void (*visit)(pci_address address, void *argument);
    void *argument;
    bool is_bus[BUSES]; // some bridge leads there
};

static void function_visit(struct scan *scan, pci_address address)
{
    const uint32_t kind = header_kind(address);
    if (kind == HEADER_BRIDGE) {
        const uint32_t secondary = pci_config_read(address, BRIDGE_SECONDARY, 1);
        scan->is_bus[secondary] |= secondary > (uint32_t)address >> 8;
    } else if (kind == HEADER_DEVICE) {
        scan->visit(address, scan->argument);
    }
}

static void device_visit(struct scan *scan, pci_address first)
{
    if (!is_there(first)) {
        return;
    }
    function_visit(scan, first);
    if ((pci_config_read(first, PCI_HEADER, 1) & HEADER_MULTIPLE) == 0) {
        return;
    }
    for (uint32_t function = 1; function < FUNCTIONS; ++function) {
        const pci_address address = (pci_address)(first + function);
        if (is_there(address)) {
            function_visit(scan, address);
        }
    }
}

void pci_scan(void (*visit)(pci_address address, void *argument), void *argument)
{
    struct scan scan = {.visit = visit, .argument = argument, .is_bus = {true}};
    for (uint32_t bus = 0; bus < BUSES; ++bus) {
        for (uint32_t device = 0; scan.is_bus[bus] && device < DEVICES; ++device) {
            device_visit(&scan, (pci_address)(bus << 8 | device << 3));
        }
    }
}

void pci_command_set(pci_address address, uint32_t bits)
{
    const uint32_t command = pci_config_read(address, PCI_COMMAND, 2);
    pci_config_write(address, PCI_COMMAND, 2, command | bits);
}

// The bits of the register that can be written.
static uint32_t bar_probe(pci_address address, uint32_t offset)
{
    const uint32_t value = pci_config_read(address, offset, 4);
    pci_config_write(address, offset, 4, UINT32_MAX);
    const uint32_t writable = pci_config_read(address, offset, 4);
    pci_config_write(address, offset, 4, value);
    return writable;
}

static uint64_t bar_mask(pci_address address, uint32_t offset, bool is_wide)
{
    const uint32_t command = pci_config_read(address, PCI_COMMAND, 2);
    pci_config_write(address, PCI_COMMAND, 2,
                     command & ~(uint32_t)(PCI_COMMAND_IO | PCI_COMMAND_MEMORY));
    uint64_t mask = bar_probe(address, offset) & BAR_ADDRESS;
    if (is_wide) {
        mask |= (uint64_t)bar_probe(address, offset + 4) << 32;
    } else if (mask != 0) {
        mask |= (uint64_t)UINT32_MAX << 32;
    }
    pci_config_write(address, PCI_COMMAND, 2, command);
    return mask;
}

bool pci_bar_read(pci_address address, uint32_t index, struct hal_region *region)
{
    if (index >= PCI_BARS) {
        return false;
    }
    const uint32_t offset = PCI_BAR + 4 * index;
    const uint32_t low = pci_config_read(address, offset, 4);
    const bool is_wide = (low & BAR_KIND) == BAR_64;
    if ((low & BAR_IO) != 0 || (is_wide && index + 1 == PCI_BARS)) {
        return false;
    }
    uint64_t start = low & BAR_ADDRESS;
    start |= is_wide ? (uint64_t)pci_config_read(address, offset + 4, 4) << 32 : 0;
    const uint64_t mask = bar_mask(address, offset, is_wide);
    const uint64_t size = ~mask + 1; // 0: no bit can be written
    if (start == 0 || size == 0 || (size & (size - 1)) != 0 || (start & (size - 1)) != 0) {
        return false;
    }
    *region = (struct hal_region){.start = start, .size = size};
    return true;
}

bool pci_lacks_addresses(pci_address address)
{
    bool is_wide;
    for (uint32_t i = 0; i < PCI_BARS; i += is_wide ? 2 : 1) {
        const uint32_t offset = PCI_BAR + 4 * i, low = pci_config_read(address, offset, 4);
        is_wide = (low & BAR_IO) == 0 && (low & BAR_KIND) == BAR_64 && i + 1 < PCI_BARS;
        const bool is_empty = (low & (BAR_IO | BAR_ADDRESS)) == 0 &&
                              (!is_wide || pci_config_read(address, offset + 4, 4) == 0);
        if (is_empty && bar_mask(address, offset, is_wide) != 0) {
            return true;
        }
    }
    return false;
}

// ---- Capabilities ----------------------------------------------------------------

// Always to the end of the list, so that no search in one that goes round is begun.
int pci_capability_find(pci_address address, uint8_t kind, uint32_t after, uint32_t *offset)
{
    if ((pci_config_read(address, PCI_STATUS, 2) & STATUS_CAPABILITIES) == 0) {
        return -ERROR_NODEV;
    }
    uint32_t at = pci_config_read(address, PCI_CAPABILITIES, 1) & ~3u;
    uint32_t found = 0;
    bool is_after = after == 0;
    for (uint32_t i = 0; at != 0; ++i) {
        if (at < CAPABILITY_FIRST || i == CAPABILITY_COUNT_MAX) {
            return -ERROR_IO;
        }
        if (is_after && found == 0 && pci_config_read(address, at, 1) == kind) {
            found = at;
        }
        is_after |= at == after;
        at = pci_config_read(address, at + 1, 1) & ~3u;
    }
    *offset = found;
    return found != 0 ? 0 : -ERROR_NODEV;
}

// ---- Interrupts ------------------------------------------------------------------

int pci_msix_find(pci_address address, struct pci_msix *msix)
{
    uint32_t at;
    const int error = pci_capability_find(address, PCI_CAPABILITY_MSIX, 0, &at);
    if (error != 0) {
        return error;
    }
    if (at + MSIX_SIZE > CAPABILITY_END) {
        return -ERROR_IO;
    }
    const uint32_t table = pci_config_read(address, at + MSIX_TABLE, 4);
    *msix = (struct pci_msix){
        .address = address,
        .capability = at,
        .count = (pci_config_read(address, at + MSIX_CONTROL, 2) & MSIX_COUNT) + 1,
        .bar = table & 7,
        .offset = table & ~7u,
    };
    return msix->bar < PCI_BARS ? 0 : -ERROR_IO;
}

static volatile uint32_t *entry_of(const struct pci_msix *msix, uint32_t index)
{
    return msix->table + (size_t)index * ENTRY_WORDS;
}

void pci_msix_enable(const struct pci_msix *msix)
{
    const uint32_t at = msix->capability + MSIX_CONTROL;
    const uint32_t control = pci_config_read(msix->address, at, 2);
    pci_config_write(msix->address, at, 2, control | MSIX_ENABLE | MSIX_MASK_ALL);
    for (uint32_t i = 0; i < msix->count; ++i) {
        entry_of(msix, i)[3] = ENTRY_MASKED;
    }
    pci_config_write(msix->address, at, 2, (control | MSIX_ENABLE) & ~(uint32_t)MSIX_MASK_ALL);
    pci_command_set(msix->address, PCI_COMMAND_NO_INTX);
}

void pci_msix_set(const struct pci_msix *msix, uint32_t index, const struct pci_message *message)
{
    volatile uint32_t *entry = entry_of(msix, index);
    entry[3] = ENTRY_MASKED; // while it is half written
    entry[0] = (uint32_t)message->address;
    entry[1] = (uint32_t)(message->address >> 32);
    entry[2] = message->data;
    entry[3] = 0;
}
