// SPDX-License-Identifier: BSD-3-Clause
// acpi_facts.c: what is in the tables that matter to a kernel: MADT, MCFG, SRAT, SLIT, FADT, HPET,
// and one package of DSDT.
//
// Offsets are those of ACPI 6.4 (5.2.9 FADT, 5.2.12 MADT, 5.2.16 SRAT, 5.2.17 SLIT), the PCI
// Firmware Specification (MCFG) and the IA-PC HPET Specification. What does not fit in the lists of
// struct acpi is left out.
#include "hal/common/acpi.h"
#include "hal/common/acpi_table.h"

enum {
    ENTRY_HEADER = 2, // type and length, in MADT and SRAT

    MADT_APIC = 36,
    MADT_ENTRIES = 44,
    MADT_CPU = 0,
    MADT_IO_CONTROLLER = 1,
    MADT_LINE = 2,
    MADT_APIC_LONG = 5,
    MADT_CPU_LONG = 9,
    MADT_USABLE = 1,
    LINE_POLARITY = 3, // of an override's flags
    LINE_LOW = 3,
    LINE_TRIGGER = 3 << 2,
    LINE_LEVEL = 3 << 2,

    MCFG_ENTRIES = 44,
    MCFG_ENTRY_SIZE = 16,

    SRAT_ENTRIES = 48,
    SRAT_CPU = 0,
    SRAT_MEMORY = 1,
    SRAT_CPU_LONG = 2,
    SRAT_USABLE = 1,

    SLIT_COUNT = 36,
    SLIT_ENTRIES = 44,
    SLIT_OWN = 10, // the distance of a node to itself, which no other has

    FADT_DSDT = 40,
    FADT_CONTROL_A = 64,
    FADT_CONTROL_B = 68,
    FADT_TIMER = 76,
    FADT_FLAGS = 112,
    FADT_RESET = 116,
    FADT_RESET_VALUE = 128,
    FADT_DSDT_LONG = 140,
    FADT_CONTROL_A_LONG = 172,
    FADT_CONTROL_B_LONG = 184,
    FADT_TIMER_LONG = 208,
    FADT_SLEEP = 244,
    FADT_SIZE_LEAST = 116,
    FLAG_TIMER_32 = 1 << 8,
    FLAG_RESET = 1 << 10,
    FLAG_REDUCED = 1 << 20,

    HPET_REGISTERS = 40,
    HPET_SIZE_LEAST = 52,

    AML_ZERO = 0,
    AML_ONE = 1,
    AML_NAME = 8,
    AML_BYTE = 10,
    AML_WORD = 11,
    AML_PACKAGE = 18,
    AML_ROOT = '\\',
};

// One entry of MADT or SRAT, as a table of its own so that nothing is read behind its end.
struct entry {
    struct acpi_table bytes;
    uint32_t type;
};

static uint64_t number(const struct entry *entry, size_t offset, size_t size)
{
    return acpi_number(&entry->bytes, offset, size);
}

// Takes the entry at *at and leaves *at behind it. NULL, or what is wrong.
static const char *entry_take(const struct acpi_table *table, size_t *at, struct entry *out)
{
    const size_t size = acpi_number(table, *at + 1, 1);
    if (size < ENTRY_HEADER) {
        return "has an entry without a length";
    }
    if (size > table->size - *at) {
        return "has an entry that ends behind it";
    }
    *out = (struct entry){.bytes = {.bytes = table->bytes + *at, .size = size},
                          .type = (uint32_t)acpi_number(table, *at, 1)};
    *at += size;
    return NULL;
}

// Whether every entry from start on is whole: checked before the first one is used.
static const char *entries_check(const struct acpi_table *table, size_t start)
{
    if (table->size < start) {
        return "is too short";
    }
    const char *problem = NULL;
    for (size_t at = start; problem == NULL && at < table->size;) {
        struct entry entry;
        problem = entry_take(table, &at, &entry);
    }
    return problem;
}

static struct acpi_register register_at(const struct acpi_table *table, size_t offset)
{
    return (struct acpi_register){
        .space = (uint8_t)acpi_number(table, offset, 1),
        .bits = (uint8_t)acpi_number(table, offset + 1, 1),
        .address = acpi_number(table, offset + 4, 8),
    };
}

// ---- MADT ------------------------------------------------------------------

static struct acpi_cpu *cpu_find(struct acpi *acpi, uint32_t id)
{
    for (size_t i = 0; i < acpi->cpu_count; ++i) {
        if (acpi->cpus[i].id == id) {
            return &acpi->cpus[i];
        }
    }
    return NULL;
}

// A CPU may be listed in both forms.
static void cpu_add(struct acpi *acpi, uint32_t id, uint64_t flags)
{
    if ((flags & MADT_USABLE) != 0 && acpi->cpu_count < ACPI_CPU_MAX &&
        cpu_find(acpi, id) == NULL) {
        acpi->cpus[acpi->cpu_count++].id = id;
    }
}

static void line_add(struct acpi *acpi, const struct entry *entry)
{
    if (acpi->line_count == ACPI_LINE_MAX) {
        return;
    }
    const uint64_t flags = number(entry, 8, 2);
    acpi->lines[acpi->line_count++] = (struct acpi_line){
        .isa = (uint8_t)number(entry, 3, 1),
        .line = (uint32_t)number(entry, 4, 4),
        .is_low = (flags & LINE_POLARITY) == LINE_LOW,
        .is_level = (flags & LINE_TRIGGER) == LINE_LEVEL,
    };
}

static void madt_entry_add(struct acpi *acpi, const struct entry *entry)
{
    switch (entry->type) {
    case MADT_CPU:
        cpu_add(acpi, (uint32_t)number(entry, 3, 1), number(entry, 4, 4));
        break;
    case MADT_CPU_LONG:
        cpu_add(acpi, (uint32_t)number(entry, 4, 4), number(entry, 8, 4));
        break;
    case MADT_APIC_LONG:
        acpi->apic = number(entry, 4, 8);
        break;
    case MADT_LINE:
        line_add(acpi, entry);
        break;
    case MADT_IO_CONTROLLER:
        if (acpi->io_controller_count < ACPI_IO_CONTROLLER_MAX) {
            acpi->io_controllers[acpi->io_controller_count++] = (struct acpi_io_controller){
                .base = number(entry, 4, 4), .line_first = (uint32_t)number(entry, 8, 4)};
        }
        break;
    default: // what we have no use for
        break;
    }
}

static const char *madt_add(struct acpi *acpi, const struct acpi_table *table)
{
    const char *problem = entries_check(table, MADT_ENTRIES);
    if (problem != NULL) {
        return problem;
    }
    acpi->apic = acpi_number(table, MADT_APIC, 4);
    struct entry entry;
    for (size_t at = MADT_ENTRIES; at < table->size && entry_take(table, &at, &entry) == NULL;) {
        madt_entry_add(acpi, &entry);
    }
    return NULL;
}

// ---- MCFG ------------------------------------------------------------------

static const char *mcfg_add(struct acpi *acpi, const struct acpi_table *table)
{
    if (table->size < MCFG_ENTRIES) {
        return "is too short";
    }
    for (size_t at = MCFG_ENTRIES; at + MCFG_ENTRY_SIZE <= table->size; at += MCFG_ENTRY_SIZE) {
        const struct acpi_segment segment = {
            .base = acpi_number(table, at, 8),
            .number = (uint16_t)acpi_number(table, at + 8, 2),
            .bus_first = (uint8_t)acpi_number(table, at + 10, 1),
            .bus_last = (uint8_t)acpi_number(table, at + 11, 1),
        };
        const bool is_whole = segment.base != 0 && segment.base % (1 << 20) == 0 &&
                              segment.bus_first <= segment.bus_last;
        if (is_whole && acpi->segment_count < ACPI_SEGMENT_MAX) {
            acpi->segments[acpi->segment_count++] = segment;
        }
    }
    return NULL;
}

// ---- SRAT ------------------------------------------------------------------

static void cpu_node_set(struct acpi *acpi, uint32_t id, uint32_t node, uint64_t flags)
{
    struct acpi_cpu *cpu = cpu_find(acpi, id);
    if (cpu != NULL && (flags & SRAT_USABLE) != 0) {
        cpu->node = node;
    }
}

static void node_memory_add(struct acpi *acpi, const struct entry *entry)
{
    const uint64_t start = number(entry, 8, 8), size = number(entry, 16, 8);
    if ((number(entry, 28, 4) & SRAT_USABLE) == 0 || size == 0 || start + size < start ||
        acpi->node_memory_count == ACPI_NODE_MEMORY_MAX) {
        return;
    }
    acpi->node_memory[acpi->node_memory_count++] = (struct acpi_node_memory){
        .region = {.start = start, .size = size}, .node = (uint32_t)number(entry, 2, 4)};
}

static void srat_entry_add(struct acpi *acpi, const struct entry *entry)
{
    switch (entry->type) {
    case SRAT_CPU: {
        const uint64_t node = number(entry, 2, 1) | number(entry, 9, 3) << 8;
        cpu_node_set(acpi, (uint32_t)number(entry, 3, 1), (uint32_t)node, number(entry, 4, 4));
        break;
    }
    case SRAT_CPU_LONG:
        cpu_node_set(acpi, (uint32_t)number(entry, 8, 4), (uint32_t)number(entry, 4, 4),
                     number(entry, 12, 4));
        break;
    case SRAT_MEMORY:
        node_memory_add(acpi, entry);
        break;
    default:
        break;
    }
}

static const char *srat_add(struct acpi *acpi, const struct acpi_table *table)
{
    const char *problem = entries_check(table, SRAT_ENTRIES);
    if (problem != NULL) {
        return problem;
    }
    struct entry entry;
    for (size_t at = SRAT_ENTRIES; at < table->size && entry_take(table, &at, &entry) == NULL;) {
        srat_entry_add(acpi, &entry);
    }
    return NULL;
}

// ---- SLIT ------------------------------------------------------------------

static const char *slit_add(struct acpi *acpi, const struct acpi_table *table)
{
    const uint64_t count = acpi_number(table, SLIT_COUNT, 8);
    const size_t size = table->size < SLIT_ENTRIES ? 0 : table->size - SLIT_ENTRIES;
    if (count == 0 || count > size || count * count > size) {
        return "is too short";
    }
    const size_t known = count < ACPI_DISTANCES ? count : ACPI_DISTANCES;
    for (size_t i = 0; i < known * known; ++i) {
        const size_t from = i / known, to = i % known;
        const uint64_t distance = acpi_number(table, SLIT_ENTRIES + from * count + to, 1);
        if (from == to ? distance != SLIT_OWN : distance <= SLIT_OWN) {
            return "has a distance that cannot be";
        }
    }
    for (size_t i = 0; i < known * known; ++i) {
        acpi->distances[i / known][i % known] =
            (uint8_t)acpi_number(table, SLIT_ENTRIES + i / known * count + i % known, 1);
    }
    acpi->distance_count = known;
    return NULL;
}

// ---- FADT ------------------------------------------------------------------

// A register that has an old field of 4 bytes, which is a port, and perhaps a newer one that counts
// then.
static struct acpi_register register_either(const struct acpi_table *table, size_t at,
                                            size_t at_long, uint8_t bits)
{
    const struct acpi_register found = register_at(table, at_long);
    if (found.address != 0) {
        return found;
    }
    return (struct acpi_register){
        .address = acpi_number(table, at, 4), .space = ACPI_SPACE_PORT, .bits = bits};
}

static const char *fadt_add(struct acpi *acpi, const struct acpi_table *table)
{
    if (table->size < FADT_SIZE_LEAST) {
        return "is too short";
    }
    const uint64_t flags = acpi_number(table, FADT_FLAGS, 4);
    struct acpi_power *power = &acpi->power;
    acpi->is_reduced = (flags & FLAG_REDUCED) != 0;
    if (acpi->is_reduced) {
        power->sleep = register_at(table, FADT_SLEEP);
    } else {
        power->control[0] = register_either(table, FADT_CONTROL_A, FADT_CONTROL_A_LONG, 16);
        power->control[1] = register_either(table, FADT_CONTROL_B, FADT_CONTROL_B_LONG, 16);
        acpi->timer = register_either(table, FADT_TIMER, FADT_TIMER_LONG, 32);
        acpi->timer_bits = (flags & FLAG_TIMER_32) != 0 ? 32 : 24;
    }
    if ((flags & FLAG_RESET) != 0) {
        power->reset = register_at(table, FADT_RESET);
        power->reset_value = (uint8_t)acpi_number(table, FADT_RESET_VALUE, 1);
    }
    return NULL;
}

hal_phys acpi_program_address(const struct acpi_table *table)
{
    const hal_phys found = acpi_number(table, FADT_DSDT_LONG, 8);
    return found != 0 ? found : acpi_number(table, FADT_DSDT, 4);
}

// ---- HPET ------------------------------------------------------------------

static const char *hpet_add(struct acpi *acpi, const struct acpi_table *table)
{
    if (table->size < HPET_SIZE_LEAST) {
        return "is too short";
    }
    const struct acpi_register counter = register_at(table, HPET_REGISTERS);
    acpi->hpet = counter.space == ACPI_SPACE_MEMORY ? counter.address : 0;
    return NULL;
}

// ---- DSDT ------------------------------------------------------------------

// A small constant at *at, and leaves *at behind it. False: it is something else.
static bool constant_take(const struct acpi_table *table, size_t *at, uint8_t *value)
{
    const uint64_t kind = acpi_number(table, *at, 1);
    switch (kind) {
    case AML_ZERO:
    case AML_ONE:
        *value = (uint8_t)kind;
        *at += 1;
        return *at <= table->size;
    case AML_BYTE:
    case AML_WORD:
        *value = (uint8_t)acpi_number(table, *at + 1, 1);
        *at += kind == AML_BYTE ? 2 : 3;
        return *at <= table->size;
    default:
        return false;
    }
}

// Behind the name: a package, its length in 1 to 4 bytes (20.2.4), its element count, its elements.
// One of a single element names the type of both registers.
static bool package_read(const struct acpi_table *table, size_t at, uint8_t types[2])
{
    if (at >= table->size || acpi_number(table, at, 1) != AML_PACKAGE) {
        return false;
    }
    const size_t more = acpi_number(table, at + 1, 1) >> 6;
    at += 2 + more;
    const uint64_t count = acpi_number(table, at, 1);
    ++at;
    if (count < 1 || !constant_take(table, &at, &types[0])) {
        return false;
    }
    types[1] = types[0];
    return count < 2 || constant_take(table, &at, &types[1]);
}

void acpi_sleep_find(struct acpi_power *power, const struct acpi_table *table)
{
    for (size_t at = ACPI_HEADER_SIZE + 1; at + 4 < table->size && !power->has_sleep_types; ++at) {
        const uint64_t before = acpi_number(table, at - 1, 1);
        const bool is_name =
            before == AML_NAME || (before == AML_ROOT && acpi_number(table, at - 2, 1) == AML_NAME);
        uint8_t types[2];
        if (is_name && acpi_is_text(table, at, "_S5_") && package_read(table, at + 4, types)) {
            power->sleep_types[0] = types[0] & 7;
            power->sleep_types[1] = types[1] & 7;
            power->has_sleep_types = true;
        }
    }
}

// ---- All of them -----------------------------------------------------------

const char *acpi_facts_add(struct acpi *acpi, const struct acpi_table *table)
{
    if (acpi_is_text(table, 0, "APIC")) {
        return acpi->cpu_count == 0 ? madt_add(acpi, table) : NULL;
    }
    if (acpi_is_text(table, 0, "MCFG")) {
        return mcfg_add(acpi, table);
    }
    if (acpi_is_text(table, 0, "SRAT")) {
        return srat_add(acpi, table);
    }
    if (acpi_is_text(table, 0, "SLIT")) {
        return slit_add(acpi, table);
    }
    if (acpi_is_text(table, 0, "FACP")) {
        return fadt_add(acpi, table);
    }
    return acpi_is_text(table, 0, "HPET") ? hpet_add(acpi, table) : NULL;
}
