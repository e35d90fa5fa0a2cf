// SPDX-License-Identifier: BSD-3-Clause
// pci.h: finding PCI devices and reading what they say of themselves (PCI Local Bus 3.0, chapter 6;
// PCI Express Base 4.0, 7.2.2).
//
// Nothing that a device says is believed without a look: lists end, addresses lie inside of what
// the device has. While the machine boots, on one CPU.
#ifndef HAL_COMMON_PCI_H
#define HAL_COMMON_PCI_H

#include "hal/hal.h"

enum {
    PCI_BARS = 6,
    PCI_VENDOR = 0x00,
    PCI_DEVICE = 0x02,
    PCI_COMMAND = 0x04,
    PCI_STATUS = 0x06,
    PCI_REVISION = 0x08,
    PCI_HEADER = 0x0e,
    PCI_BAR = 0x10,
    PCI_SUBSYSTEM = 0x2e,
    PCI_CAPABILITIES = 0x34,
    PCI_LINE = 0x3c, // of interrupts, as firmware has connected it
    PCI_PIN = 0x3d,  // 0: it has no line
    PCI_COMMAND_IO = 1,
    PCI_COMMAND_MEMORY = 2,
    PCI_COMMAND_MASTER = 4,
    PCI_COMMAND_NO_INTX = 1 << 10,
    PCI_CAPABILITY_VENDOR = 0x09,
    PCI_CAPABILITY_MSIX = 0x11,
};

// bus << 8 | device << 3 | function.
typedef uint16_t pci_address;

// ---- What the machine supplies -----------------------------------------------

// A number of 1, 2 or 4 bytes at offset, a multiple of its size, of a function's configuration
// space. All ones: nobody is there.
uint32_t pci_config_read(pci_address address, uint32_t offset, uint32_t size);
void pci_config_write(pci_address address, uint32_t offset, uint32_t size, uint32_t value);

// ---- Devices -------------------------------------------------------------------

// Calls visit for each function that is no bridge, by ascending bus, from bus 0 through all bridges
// that lead to higher ones.
void pci_scan(void (*visit)(pci_address address, void *argument), void *argument);

// Memory behind base address register index (its lower half where it has 64 bits), sized by writing
// it: the device's memory is off meanwhile. False: there is none, or nobody has given it an
// address.
bool pci_bar_read(pci_address address, uint32_t index, struct hal_region *region);

// Whether some memory of the function was given no address.
bool pci_lacks_addresses(pci_address address);

// The next capability of that kind after offset `after` (0: the first). 0 and where it is, -ENODEV:
// there is none, -EIO: the list leads outside of the space for it or goes round in a circle.
HAL_MUST_CHECK int pci_capability_find(pci_address address, uint8_t kind, uint32_t after,
                                       uint32_t *offset);

// Turns on what bits of PCI_COMMAND name, and leaves the rest.
void pci_command_set(pci_address address, uint32_t bits);

// ---- Interrupts ----------------------------------------------------------------

struct pci_message { // what the device writes where for an interrupt
    uint64_t address;
    uint32_t data;
};

struct pci_msix {
    pci_address address;
    uint32_t capability;
    uint32_t count;           // of entries
    uint32_t bar;             // the table is in its memory
    uint32_t offset;          // there
    volatile uint32_t *table; // set by who has mapped it
};

// -ENODEV: the device has no such interrupts. -EIO: what it says makes no sense.
HAL_MUST_CHECK int pci_msix_find(pci_address address, struct pci_msix *msix);

// Masks all entries and turns MSI-X on.
void pci_msix_enable(const struct pci_msix *msix);

// Entry index writes this message from now on.
void pci_msix_set(const struct pci_msix *msix, uint32_t index, const struct pci_message *message);

#endif
