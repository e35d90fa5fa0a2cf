// SPDX-License-Identifier: BSD-3-Clause
// acpi.h: what firmware's tables say of the machine (ACPI specification 6.4, chapter 5).
//
// Only tables of data are read; of AML, which is a program, two things are looked up that are data
// in it: \_S5, the numbers that turn the machine off, and the resources of virtio's devices.
// Whatever the tables hold, reading them ends and touches nothing outside of them: a table that is
// damaged gives no facts, and problem names it.
#ifndef HAL_COMMON_ACPI_H
#define HAL_COMMON_ACPI_H

#include "hal/hal.h"

enum {
    ACPI_CPU_MAX = HAL_CPU_MAX,
    ACPI_SEGMENT_MAX = 8,
    ACPI_IO_CONTROLLER_MAX = 8,
    ACPI_LINE_MAX = 16,
    ACPI_NODE_MEMORY_MAX = 32,
    ACPI_DISTANCES = HAL_NODE_MAX,
    ACPI_MMIO_MAX = 32,
};

struct acpi_cpu {
    uint32_t id; // of its local APIC
    uint32_t node;
};

// PCI configuration space in memory: bus b starts at base + (b << 20), counted from bus 0.
struct acpi_segment {
    hal_phys base;
    uint16_t number;
    uint8_t bus_first, bus_last;
};

struct acpi_io_controller { // an I/O APIC
    hal_phys base;
    uint32_t line_first;
};

// An ISA interrupt that does not come in at the line of its own number, or not high and by its
// edge.
struct acpi_line {
    uint8_t isa;
    bool is_low, is_level;
    uint32_t line;
};

enum acpi_space { ACPI_SPACE_MEMORY = 0, ACPI_SPACE_PORT = 1 };

struct acpi_register { // address 0: there is none
    hal_phys address;
    uint8_t space; // enum acpi_space, or another one that we cannot use
    uint8_t bits;
};

struct acpi_power {
    struct acpi_register
        control[2]; // PM1a and PM1b; the sleep type belongs in bits 10 to 12 and 13 is "go"
    struct acpi_register sleep; // instead of those on hardware-reduced machines: bits 2 to 4, and 5
    struct acpi_register reset;
    uint8_t
        sleep_types[2]; // of \_S5, for the control registers of the same index: acpi_read_program
    bool has_sleep_types;
    uint8_t reset_value;
};

struct acpi_node_memory {
    struct hal_region region;
    uint32_t node;
};

struct acpi_mmio { // a virtio device's registers, and its line, counted over all I/O APICs
    struct hal_region region;
    uint32_t line;
    bool is_low, is_level;
};

struct acpi {
    struct acpi_cpu cpus[ACPI_CPU_MAX]; // those that may be started, in the order of the table
    size_t cpu_count;
    hal_phys apic; // registers of every CPU's local APIC; 0: not said
    struct acpi_io_controller io_controllers[ACPI_IO_CONTROLLER_MAX];
    size_t io_controller_count;
    struct acpi_line lines[ACPI_LINE_MAX];
    size_t line_count;
    struct acpi_segment segments[ACPI_SEGMENT_MAX];
    size_t segment_count;
    struct acpi_node_memory node_memory[ACPI_NODE_MEMORY_MAX];
    size_t node_memory_count;
    uint8_t distances[ACPI_DISTANCES]
                     [ACPI_DISTANCES];    // between nodes of firmware's numbers; 10: none
    size_t distance_count;                // of nodes; 0: not said
    struct acpi_mmio mmio[ACPI_MMIO_MAX]; // in the order of their descriptions: acpi_read_devices
    size_t mmio_count;
    struct acpi_power power;
    hal_phys program;           // DSDT; 0: there is none
    bool is_reduced;            // the hardware is no PC's, but what DSDT says
    struct acpi_register timer; // PM timer, 3.579545 MHz
    uint8_t timer_bits;         // 24 or 32
    hal_phys hpet;              // 0: there is none
    char table[5];              // the first damaged table's signature
    const char *problem;        // what is wrong with it; NULL: nothing is
};

// Where [start, start+size) of physical memory can be read, or NULL. Valid until the function
// returns that is given it.
typedef const char *acpi_view(hal_phys start, size_t size);

// Reads the tables that the pointer structure at rsdp leads to. False: there is none, or it is
// damaged.
bool acpi_read(struct acpi *acpi, hal_phys rsdp, acpi_view *view);

// Finds power.sleep_types, which only who turns the machine off needs: DSDT is long.
void acpi_read_program(struct acpi *acpi, acpi_view *view);

// Finds mmio, which only machines of reduced hardware have: elsewhere it does nothing.
void acpi_read_devices(struct acpi *acpi, acpi_view *view);

// Where the pointer structure is in [start, start+size), or 0: for loaders that do not say
// (5.2.5.1).
hal_phys acpi_search(hal_phys start, size_t size, acpi_view *view);

#endif
