// SPDX-License-Identifier: BSD-3-Clause
// acpi_test.c: firmware's tables: what is in them, and tables that lie.
//
// The tables lie in a small fake of physical memory. The view gives each part that is asked for in
// a block of its own, exactly as large as asked, so that the sanitizers and Valgrind see a look
// beyond.
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "hal/common/acpi.h"
#include "hal/common/nodes.h"

enum { MEMORY = 0x4000, ROOT = 0x40, LIST = 0x100, TABLES = 0x400, BLOCKS_MAX = 4096 };

static unsigned char memory[MEMORY];
static size_t memory_used;
static size_t table_count;
static bool list_is_long;
static char *blocks[BLOCKS_MAX];
static size_t block_count;

static const char *view(hal_phys start, size_t size)
{
    if (start > MEMORY || size > MEMORY - start || block_count == BLOCKS_MAX) {
        return NULL;
    }
    char *block = malloc(size);
    memcpy(block, memory + start, size);
    blocks[block_count++] = block;
    return block;
}

static bool tables_read(struct acpi *acpi, hal_phys root)
{
    const bool right = acpi_read(acpi, root, view);
    acpi_read_program(acpi, view);
    acpi_read_devices(acpi, view);
    for (size_t i = 0; i < block_count; ++i) {
        free(blocks[i]);
    }
    block_count = 0;
    return right;
}

// ---- Making tables ----------------------------------------------------------

static void put(size_t at, uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; ++i) {
        memory[at + i] = (unsigned char)(value >> 8 * i);
    }
}

static void sum_fix(size_t start, size_t size, size_t at)
{
    unsigned char sum = 0;
    memory[at] = 0;
    for (size_t i = 0; i < size; ++i) {
        sum = (unsigned char)(sum + memory[start + i]);
    }
    memory[at] = (unsigned char)-sum;
}

static void table_fix(size_t start)
{
    const size_t size = (size_t)memory[start + 4] | (size_t)memory[start + 5] << 8;
    if (start + size <= MEMORY) {
        sum_fix(start, size, start + 9);
    }
}

static size_t list_width(void)
{
    return list_is_long ? 8 : 4;
}

static void list_fix(void)
{
    put(LIST + 4, 36 + table_count * list_width(), 4);
    table_fix(LIST);
}

static void memory_clear(bool is_long)
{
    memset(memory, 0, sizeof memory);
    memory_used = TABLES;
    table_count = 0;
    list_is_long = is_long;
    memcpy(memory + LIST, is_long ? "XSDT" : "RSDT", 4);
    list_fix();
    memcpy(memory + ROOT, "RSD PTR ", 8);
    memory[ROOT + 15] = is_long ? 2 : 0;
    put(ROOT + 16, is_long ? 0 : LIST, 4);
    put(ROOT + 20, 36, 4);
    put(ROOT + 24, is_long ? LIST : 0, 8);
    sum_fix(ROOT, 20, ROOT + 8);
    sum_fix(ROOT, 36, ROOT + 32);
}

// A table of body's bytes behind the header; answers where it is. It is in no list.
static size_t table_make(const char *name, const void *body, size_t size)
{
    const size_t start = memory_used;
    ck_assert_uint_le(start + 36 + size, MEMORY);
    memcpy(memory + start, name, 4);
    put(start + 4, 36 + size, 4);
    memcpy(memory + start + 36, body, size);
    table_fix(start);
    memory_used = (start + 36 + size + 15) & ~15ul;
    return start;
}

static size_t table_add(const char *name, const void *body, size_t size)
{
    const size_t start = table_make(name, body, size);
    put(LIST + 36 + table_count * list_width(), start, list_width());
    ++table_count;
    list_fix();
    return start;
}

static const unsigned char madt[] = {
    0, 0,  0xe0, 0xfe, 1,    0,    0,    0,                               // the local APICs, flags
    0, 8,  0,    0,    1,    0,    0,    0,                               // CPU 0
    0, 8,  1,    2,    1,    0,    0,    0,                               // CPU 2
    0, 8,  2,    4,    0,    0,    0,    0,                               // one that is not there
    9, 16, 0,    0,    0x2c, 1,    0,    0,    1,    0, 0, 0, 3, 0, 0, 0, // CPU 300
    9, 16, 0,    0,    2,    0,    0,    0,    1,    0, 0, 0, 1, 0, 0, 0, // CPU 2 again
    1, 12, 0,    0,    0,    0,    0xc0, 0xfe, 0,    0, 0, 0,             // an I/O APIC
    1, 12, 1,    0,    0,    0x10, 0xc0, 0xfe, 24,   0, 0, 0,             // and another
    2, 10, 0,    0,    2,    0,    0,    0,    0,    0,                   // ISA 0 comes in at 2
    2, 10, 0,    9,    9,    0,    0,    0,    0x0f, 0,                   // ISA 9: low, level
    4, 6,  0xff, 0,    0,    1,                                           // what nobody asks for
};

static const unsigned char mcfg[] = {
    0,    0, 0,    0,    0, 0, 0, 0, 0, 0, 0, 0xb0, 0, 0, 0, 0,    0,    0, 0,
    0xff, 0, 0,    0,    0, 0, 0, 0, 0, 1, 0, 0,    0, 1, 0, 0x10, 0x1f, 0, 0,
    0,    0, 0,    0x10, 0, 0, 0, 0, 0, 0, 2, 0,    0, 1, 0, 0,    0,    0, // not at a MiB
    0,    0, 0x10, 0,    0, 0, 0, 0, 2, 0, 1, 0,    0, 0, 0, 0,             // ends before it starts
};

static const unsigned char srat[] = {
    1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 16, 1, 2, 1, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0,
    0, // CPU 2 is of node 0x201
    2, 24, 0, 0, 7, 0, 0, 0, 0x2c, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // 300 of
                                                                                // 7
    1, 40, 7, 0, 0, 0, 0, 0, 0, 0, 0x10, 0, 1, 0, 0, 0, 0, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 40, 8, 0, 0, 0, 0, 0, 0, 0, 0x10, 0, 1, 0, 0, 0, 0, 0, 0x20, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // not in use
};

static const unsigned char hpet[] = {
    1, 2, 3, 4, 0, 64, 0, 0, 0, 0, 0xd0, 0xfe, 0, 0, 0, 0, 0, 0, 0, 0,
};

// As compilers make it: some other bytes, Name (\_S5, Package (4) {5, 0x06, 0, 0}).
static const unsigned char dsdt[] = {
    0x5b, 0x80, 'D',  'B', 'G', '_', 1,   '_',  'S', '5', '_',  9, 8,    '_', 'S', '4', '_', 0x12,
    2,    8,    '\\', '_', 'S', '5', '_', 0x12, 8,   4,   0x0a, 5, 0x0b, 6,   0,   0,   0,
};

// Offsets are those of the table, header included.
static size_t fadt_add(const unsigned char *program, size_t size)
{
    static unsigned char body[276 - 36];
    memset(body, 0, sizeof body);
    const size_t start = table_add("FACP", body, sizeof body);
    put(start + 40, table_make("DSDT", program, size), 4);
    put(start + 64, 0x604, 4);
    put(start + 76, 0x608, 4);
    put(start + 112, 1 << 10 | 1 << 8, 4);
    put(start + 116, 0x0801, 4); // a port of 8 bits
    put(start + 120, 0xcf9, 8);
    memory[start + 128] = 0x0f;
    table_fix(start);
    return start;
}

static void tables_make(bool is_long)
{
    memory_clear(is_long);
    (void)table_add("SRAT", srat, sizeof srat); // before the CPUs that it speaks of
    (void)fadt_add(dsdt, sizeof dsdt);
    (void)table_add("APIC", madt, sizeof madt);
    (void)table_add("OEM1", "1234", 4);
    (void)table_add("HPET", hpet, sizeof hpet);
    (void)table_add("MCFG", mcfg, sizeof mcfg);
}

// ---- What they say ------------------------------------------------------------

static struct acpi acpi;

static void facts_are_right(void)
{
    ck_assert(tables_read(&acpi, ROOT));
    ck_assert_ptr_null(acpi.problem);
    ck_assert_uint_eq(acpi.apic, 0xfee00000);
    ck_assert_uint_eq(acpi.cpu_count, 3);
    ck_assert_uint_eq(acpi.cpus[0].id, 0);
    ck_assert_uint_eq(acpi.cpus[0].node, 0);
    ck_assert_uint_eq(acpi.cpus[1].id, 2);
    ck_assert_uint_eq(acpi.cpus[1].node, 0x201);
    ck_assert_uint_eq(acpi.cpus[2].id, 300);
    ck_assert_uint_eq(acpi.cpus[2].node, 7);
    ck_assert_uint_eq(acpi.io_controller_count, 2);
    ck_assert_uint_eq(acpi.io_controllers[0].base, 0xfec00000);
    ck_assert_uint_eq(acpi.io_controllers[1].base, 0xfec01000);
    ck_assert_uint_eq(acpi.io_controllers[1].line_first, 24);
    ck_assert_uint_eq(acpi.line_count, 2);
    ck_assert(acpi.lines[0].isa == 0 && acpi.lines[0].line == 2 && !acpi.lines[0].is_low);
    ck_assert(acpi.lines[1].isa == 9 && acpi.lines[1].is_low && acpi.lines[1].is_level);
    ck_assert_uint_eq(acpi.segment_count, 2);
    ck_assert_uint_eq(acpi.segments[0].base, 0xb0000000);
    ck_assert_uint_eq(acpi.segments[0].bus_last, 255);
    ck_assert_uint_eq(acpi.segments[1].base, 0x100000000);
    ck_assert_uint_eq(acpi.segments[1].number, 1);
    ck_assert_uint_eq(acpi.segments[1].bus_first, 16);
    ck_assert_uint_eq(acpi.node_memory_count, 1);
    ck_assert_uint_eq(acpi.node_memory[0].region.start, 0x100100000);
    ck_assert_uint_eq(acpi.node_memory[0].region.size, 0x200000);
    ck_assert_uint_eq(acpi.node_memory[0].node, 7);
    ck_assert_uint_eq(acpi.hpet, 0xfed00000);
}

START_TEST(facts)
{
    for (int is_long = 0; is_long < 2; ++is_long) {
        tables_make(is_long);
        facts_are_right();
        ck_assert_uint_eq(acpi.timer.address, 0x608);
        ck_assert_uint_eq(acpi.timer.space, ACPI_SPACE_PORT);
        ck_assert_uint_eq(acpi.timer_bits, 32);
        ck_assert_uint_eq(acpi.power.control[0].address, 0x604);
        ck_assert_uint_eq(acpi.power.control[0].space, ACPI_SPACE_PORT);
        ck_assert_uint_eq(acpi.power.control[1].address, 0);
        ck_assert_uint_eq(acpi.power.sleep.address, 0);
        ck_assert_uint_eq(acpi.power.reset.address, 0xcf9);
        ck_assert_uint_eq(acpi.power.reset_value, 0x0f);
        ck_assert(acpi.power.has_sleep_types);
        ck_assert_uint_eq(acpi.power.sleep_types[0], 5);
        ck_assert_uint_eq(acpi.power.sleep_types[1], 6);
    }
}
END_TEST

// Two devices as QEMU's microvm describes them, and one without an interrupt between.
static const unsigned char virtio_devices[] = {
    0x5b, 0x82, 0x40, 4,    'V',  'R',  '0',  '0',  8,    '_', 'H',  'I',  'D',  0x0d, 'L',
    'N',  'R',  'O',  '0',  '0',  '0',  '5',  0,    8,    '_', 'U',  'I',  'D',  0,    8,
    '_',  'C',  'R',  'S',  0x11, 0x1a, 0x0a, 0x17, 0x86, 9,   0,    1,    0,    0,    0xb0,
    0xfe, 0,    2,    0,    0,    0x89, 6,    0,    1,    1,   24,   0,    0,    0,    0x79,
    0,    0x0d, 'L',  'N',  'R',  'O',  '0',  '0',  '0',  '5', 0,    0x86, 9,    0,    1,
    0,    4,    0xb0, 0xfe, 0,    2,    0,    0,    0x79, 0,   0x0d, 'L',  'N',  'R',  'O',
    '0',  '0',  '0',  '5',  0,    0x86, 9,    0,    1,    0,   2,    0xb0, 0xfe, 0,    2,
    0,    0,    0x89, 6,    0,    7,    1,    0x2f, 1,    0,   0};

START_TEST(virtio_devices_are_found)
{
    memory_clear(false);
    size_t start = fadt_add(virtio_devices, sizeof virtio_devices);
    ck_assert(tables_read(&acpi, ROOT));
    ck_assert_uint_eq(acpi.mmio_count, 0); // a PC, where nobody looks
    put(start + 112, 1 << 20, 4);
    table_fix(start);
    ck_assert(tables_read(&acpi, ROOT));
    ck_assert_uint_eq(acpi.mmio_count, 2);
    ck_assert_uint_eq(acpi.mmio[0].region.start, 0xfeb00000);
    ck_assert_uint_eq(acpi.mmio[0].region.size, 512);
    ck_assert_uint_eq(acpi.mmio[0].line, 24);
    ck_assert(acpi.mmio[0].is_level && !acpi.mmio[0].is_low);
    ck_assert_uint_eq(acpi.mmio[1].region.start, 0xfeb00200);
    ck_assert_uint_eq(acpi.mmio[1].line, 0x12f);
    ck_assert(!acpi.mmio[1].is_level && acpi.mmio[1].is_low);
    for (size_t size = 0; size < sizeof virtio_devices; ++size) { // cut anywhere
        memory_clear(false);
        start = fadt_add(virtio_devices, size);
        put(start + 112, 1 << 20, 4);
        table_fix(start);
        (void)tables_read(&acpi, ROOT);
        ck_assert_uint_le(acpi.mmio_count, 1);
    }
}
END_TEST

// A machine like QEMU's microvm: one register to sleep, and one to reset, both in memory.
START_TEST(hardware_is_reduced)
{
    memory_clear(false);
    const unsigned char program[] = {8, '_', 'S', '5', '_', 0x12, 4, 1, 0x0a, 5};
    const size_t start = fadt_add(program, sizeof program);
    put(start + 112, 1 << 20 | 1 << 10, 4);
    put(start + 116, 0x0800, 4);
    put(start + 120, 0xfea00002, 8);
    put(start + 244, 0x0800, 4);
    put(start + 248, 0xfea00000, 8);
    table_fix(start);
    ck_assert(tables_read(&acpi, ROOT));
    ck_assert_ptr_null(acpi.problem);
    ck_assert_uint_eq(acpi.power.control[0].address, 0);
    ck_assert_uint_eq(acpi.timer.address, 0);
    ck_assert_uint_eq(acpi.power.sleep.address, 0xfea00000);
    ck_assert_uint_eq(acpi.power.sleep.space, ACPI_SPACE_MEMORY);
    ck_assert_uint_eq(acpi.power.reset.address, 0xfea00002);
    ck_assert(acpi.power.has_sleep_types && acpi.power.sleep_types[0] == 5);
    ck_assert_uint_eq(acpi.power.sleep_types[1], 5);
}
END_TEST

// ---- Nodes ----------------------------------------------------------------------

// Three nodes that firmware calls 1, 4 and 7, of which the last has the lowest memory and overlaps
// node 1's; CPU 0 is of 4, CPU 2 of 1, and 300 of 7.
static void nodes_make(void)
{
    enum { CPU_SIZE = 16, MEMORY_SIZE = 40 };
    static const struct {
        unsigned char id, node;
    } of_cpus[] = {{0, 4}, {2, 1}};
    static const struct {
        uint64_t start, size;
        unsigned char node;
    } of_memory[] = {{0x10000000, 0x10000000, 1}, {0x40000000, 0x40000000, 4}, {0, 0x18000000, 7}};
    unsigned char body[12 + 2 * CPU_SIZE + 3 * MEMORY_SIZE + 24] = {0};
    unsigned char *at = body + 12;
    for (size_t i = 0; i < 2; ++i, at += CPU_SIZE) {
        memcpy(at, (const unsigned char[]){0, CPU_SIZE, of_cpus[i].node, of_cpus[i].id, 1}, 5);
    }
    for (size_t i = 0; i < 3; ++i, at += MEMORY_SIZE) {
        memcpy(at, (const unsigned char[]){1, MEMORY_SIZE, of_memory[i].node}, 3);
        memcpy(at + 8, &of_memory[i].start, 8);
        memcpy(at + 16, &of_memory[i].size, 8);
        at[28] = 1;
    }
    memcpy(at, (const unsigned char[]){2, 24, 0, 0, 7, 0, 0, 0, 0x2c, 1, 0, 0, 1}, 13);
    memory_clear(true);
    (void)table_add("APIC", madt, sizeof madt);
    (void)table_add("SRAT", body, sizeof body);
}

// 8 nodes, from i to j 10 + 3 |i - j| + (i > j).
static size_t distances_add(void)
{
    unsigned char body[8 + 64] = {8};
    for (int i = 0; i < 64; ++i) {
        const int from = i / 8, to = i % 8;
        body[8 + i] = (unsigned char)(10 + (from > to ? 3 * (from - to) + 1 : 3 * (to - from)));
    }
    return table_add("SLIT", body, sizeof body);
}

static struct nodes nodes;

START_TEST(nodes_are_numbered)
{
    nodes_make();
    (void)distances_add();
    ck_assert(tables_read(&acpi, ROOT));
    ck_assert_ptr_null(acpi.problem);
    ck_assert(nodes_find(&nodes, &acpi));
    const struct hal_nodes *found = &nodes.found;
    ck_assert_uint_eq(found->count, 3);
    ck_assert_uint_eq(found->memory_count, 3);
    const uint64_t starts[] = {0, 0x18000000, 0x40000000},
                   sizes[] = {0x18000000, 0x8000000, 0x40000000};
    const uint32_t of[] = {2, 0, 1};
    for (size_t i = 0; i < 3; ++i) {
        ck_assert_uint_eq(found->memory[i].region.start, starts[i]);
        ck_assert_uint_eq(found->memory[i].region.size, sizes[i]);
        ck_assert_uint_eq(found->memory[i].node, of[i]);
    }
    ck_assert_uint_eq(found->distances[0][0], 10);
    ck_assert_uint_eq(found->distances[0][1], 19);
    ck_assert_uint_eq(found->distances[1][0], 20);
    ck_assert_uint_eq(found->distances[2][0], 29);
    nodes_cpu_add(&nodes, &acpi, 0, 300);
    nodes_cpu_add(&nodes, &acpi, 1, 2);
    nodes_cpu_add(&nodes, &acpi, 2, 0);
    ck_assert(found->cpus[0] == 2 && found->cpus[1] == 0 && found->cpus[2] == 1);
}
END_TEST

START_TEST(distances_need_not_be_said)
{
    nodes_make();
    ck_assert(tables_read(&acpi, ROOT));
    ck_assert(nodes_find(&nodes, &acpi));
    ck_assert_uint_eq(nodes.found.distances[1][1], 10);
    ck_assert_uint_eq(nodes.found.distances[1][2], 20);
}
END_TEST

START_TEST(one_node_is_none)
{
    tables_make(true); // memory of node 7, CPUs of others
    ck_assert(tables_read(&acpi, ROOT));
    ck_assert(nodes_find(&nodes, &acpi));
    acpi.node_memory_count = 0;
    ck_assert(!nodes_find(&nodes, &acpi));
    acpi.node_memory_count = 1;
    acpi.cpu_count = 0;
    ck_assert(!nodes_find(&nodes, &acpi));
    acpi.node_memory_count = HAL_NODE_MAX + 1;
    for (uint32_t i = 0; i <= HAL_NODE_MAX; ++i) {
        acpi.node_memory[i] = (struct acpi_node_memory){{i << 20, 1 << 20}, i};
    }
    ck_assert(!nodes_find(&nodes, &acpi)); // more than there is room for
}
END_TEST

START_TEST(distances_are_damaged)
{
    static const struct {
        size_t at;
        unsigned char byte;
        const char *problem;
    } all[] = {
        {44, 11, "has a distance that cannot be"}, // to itself
        {45, 10, "has a distance that cannot be"}, // as near as itself
        {36, 9, "is too short"},
        {36, 0, "is too short"},
        {43, 0x80, "is too short"},
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; ++i) {
        nodes_make();
        const size_t start = distances_add();
        memory[start + all[i].at] = all[i].byte;
        table_fix(start);
        ck_assert(tables_read(&acpi, ROOT));
        ck_assert_str_eq(acpi.table, "SLIT");
        ck_assert_str_eq(acpi.problem, all[i].problem);
        ck_assert_uint_eq(acpi.distance_count, 0);
        ck_assert(nodes_find(&nodes, &acpi));
    }
}
END_TEST

START_TEST(root_is_searched)
{
    tables_make(true);
    ck_assert_uint_eq(acpi_search(0, MEMORY, view), ROOT);
    ck_assert_uint_eq(acpi_search(ROOT + 16, MEMORY - ROOT - 16, view), 0);
    ck_assert_uint_eq(acpi_search(0, ROOT + 19, view), 0);
    memory[ROOT + 9] ^= 1;
    ck_assert_uint_eq(acpi_search(0, MEMORY, view), 0);
    (void)tables_read(&acpi, 0);
}
END_TEST

// ---- Tables that lie ----------------------------------------------------------

START_TEST(root_is_damaged)
{
    tables_make(false);
    ck_assert(!tables_read(&acpi, 0));
    ck_assert(!tables_read(&acpi, ROOT + 16));
    ck_assert(!tables_read(&acpi, MEMORY - 8));
    memory[ROOT + 8] ^= 1;
    ck_assert(!tables_read(&acpi, ROOT));
    tables_make(false);
    memory[LIST + 9] ^= 1;
    ck_assert(!tables_read(&acpi, ROOT));
    ck_assert_str_eq(acpi.table, "RSDT");
    ck_assert_str_eq(acpi.problem, "has a wrong checksum");
    tables_make(true); // which has no short list to fall back on
    memory[ROOT + 33] ^= 1;
    ck_assert(!tables_read(&acpi, ROOT));
}
END_TEST

static void one_is_damaged(const char *name, const char *problem)
{
    ck_assert(tables_read(&acpi, ROOT));
    ck_assert_str_eq(acpi.table, name);
    ck_assert_str_eq(acpi.problem, problem);
    ck_assert_uint_eq(acpi.segment_count, 1); // the other table is read all the same
}

// Tables of MADT's kind whose bytes from offset 36 on are body's, beside one that is right.
static size_t damaged_make(const char *name, const void *body, size_t size)
{
    memory_clear(false);
    const size_t start = table_add(name, body, size);
    (void)table_add("MCFG", mcfg, 24);
    return start;
}

START_TEST(tables_are_damaged)
{
    size_t start = damaged_make("APIC", madt, sizeof madt);
    memory[start + 50] ^= 1;
    one_is_damaged("APIC", "has a wrong checksum");
    ck_assert_uint_eq(acpi.cpu_count, 0);
    start = damaged_make("APIC", madt, sizeof madt);
    put(start + 4, 35, 4);
    one_is_damaged("APIC", "has a length that cannot be");
    put(start + 4, 0xffffffff, 4);
    one_is_damaged("APIC", "has a length that cannot be");
    put(start + 4, MEMORY, 4);
    one_is_damaged("APIC", "ends outside of memory");
    put(LIST + 36, MEMORY + 100, 4);
    list_fix();
    one_is_damaged("????", "lies outside of memory");
    put(LIST + 36, LIST, 4); // a list that lists itself
    list_fix();
    ck_assert(tables_read(&acpi, ROOT));
    ck_assert_ptr_null(acpi.problem);
}
END_TEST

START_TEST(entries_are_damaged)
{
    unsigned char body[24] = {0};
    body[8 + 1] = 8;
    body[8 + 4] = 1; // one good CPU, then an entry of length 0: not to be walked for ever
    (void)damaged_make("APIC", body, sizeof body);
    one_is_damaged("APIC", "has an entry without a length");
    ck_assert_uint_eq(acpi.cpu_count, 0);
    body[17] = 9;
    (void)damaged_make("APIC", body, sizeof body);
    one_is_damaged("APIC", "has an entry that ends behind it");
    ck_assert_uint_eq(acpi.cpu_count, 0);
    body[17] = 8;
    (void)damaged_make("APIC", body, sizeof body);
    ck_assert(tables_read(&acpi, ROOT));
    ck_assert_ptr_null(acpi.problem);
    (void)damaged_make("APIC", body, 17); // one byte of an entry
    one_is_damaged("APIC", "has an entry without a length");
    (void)damaged_make("APIC", body, 7);
    one_is_damaged("APIC", "is too short");
    (void)damaged_make("SRAT", body, 11);
    one_is_damaged("SRAT", "is too short");
    (void)damaged_make("FACP", body, 24);
    one_is_damaged("FACP", "is too short");
    (void)damaged_make("HPET", body, 15);
    one_is_damaged("HPET", "is too short");
    (void)damaged_make("MCFG", body, 7);
    one_is_damaged("MCFG", "is too short");
}
END_TEST

// Packages that end early, hold something else, or are none.
START_TEST(sleep_package_is_damaged)
{
    const unsigned char whole[] = {8, '_', 'S', '5', '_', 0x12, 6, 2, 0x0a, 5, 0x0a, 5};
    for (size_t size = 0; size < sizeof whole; ++size) {
        memory_clear(false);
        (void)fadt_add(whole, size);
        ck_assert(tables_read(&acpi, ROOT));
        ck_assert(!acpi.power.has_sleep_types);
    }
    for (size_t at = 5; at < sizeof whole; ++at) {
        if (at != 6 && at != 9 && at != 11) { // the length and the values may be any
            unsigned char program[sizeof whole];
            memcpy(program, whole, sizeof whole);
            program[at] = at == 7 ? 0 : 0x70;
            memory_clear(false);
            (void)fadt_add(program, sizeof program);
            ck_assert(tables_read(&acpi, ROOT));
            ck_assert(!acpi.power.has_sleep_types);
        }
    }
}
END_TEST

// More of everything than there is room for.
START_TEST(lists_are_long)
{
    static unsigned char body[8 + 300 * 16];
    memset(body, 0, sizeof body);
    for (size_t i = 0; i < 300; ++i) {
        unsigned char *entry = body + 8 + i * 16;
        entry[0] = 9;
        entry[1] = 16;
        entry[4] = (unsigned char)i;
        entry[5] = (unsigned char)(i >> 8);
        entry[8] = 1;
    }
    memory_clear(true);
    (void)table_add("APIC", body, sizeof body);
    for (size_t i = 0; i < 300; ++i) {
        memset(body + 8 + i * 16, 0, 16);
        body[8 + i * 16] = (unsigned char)(1 + i % 2);
        body[8 + i * 16 + 1] = 16;
    }
    (void)table_add("APIC", body, sizeof body); // the first one counts
    ck_assert(tables_read(&acpi, ROOT));
    ck_assert_ptr_null(acpi.problem);
    ck_assert_uint_eq(acpi.cpu_count, ACPI_CPU_MAX);
    ck_assert_uint_eq(acpi.cpus[255].id, 255);
    memory_clear(true);
    (void)table_add("APIC", body, sizeof body);
    for (size_t i = 0; i < 3; ++i) {
        (void)table_add("MCFG", mcfg, sizeof mcfg);
        (void)table_add("MCFG", mcfg, sizeof mcfg);
        (void)table_add("SRAT", srat, sizeof srat);
    }
    ck_assert(tables_read(&acpi, ROOT));
    ck_assert_uint_eq(acpi.io_controller_count, ACPI_IO_CONTROLLER_MAX);
    ck_assert_uint_eq(acpi.line_count, ACPI_LINE_MAX);
    ck_assert_uint_eq(acpi.segment_count, ACPI_SEGMENT_MAX);
}
END_TEST

// Some bytes changed at random, their sums put right again: reading ends, and stays inside.
START_TEST(bytes_at_random)
{
    size_t whole = 0;
    srandom(1);
    for (int round = 0; round < 4000; ++round) {
        tables_make(round % 2 == 0);
        for (long changes = random() % 4; changes >= 0; --changes) {
            const size_t at = (size_t)random() % memory_used;
            memory[at] = (unsigned char)random();
        }
        for (size_t i = 0; i < table_count; ++i) {
            size_t start = 0;
            for (size_t j = 2; j > 0; --j) {
                start = start << 8 | memory[LIST + 36 + i * list_width() + j - 1];
            }
            if (start + 36 <= MEMORY && random() % 4 != 0) {
                table_fix(start);
            }
        }
        table_fix(LIST);
        whole += tables_read(&acpi, ROOT) && acpi.problem == NULL;
        ck_assert_uint_le(acpi.cpu_count, ACPI_CPU_MAX);
    }
    ck_assert_uint_gt(whole, 100);
    ck_assert_uint_lt(whole, 3900);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("acpi");
    TCase *tcase = tcase_create("all");
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, facts);
    tcase_add_test(tcase, hardware_is_reduced);
    tcase_add_test(tcase, nodes_are_numbered);
    tcase_add_test(tcase, distances_need_not_be_said);
    tcase_add_test(tcase, one_node_is_none);
    tcase_add_test(tcase, distances_are_damaged);
    tcase_add_test(tcase, root_is_searched);
    tcase_add_test(tcase, root_is_damaged);
    tcase_add_test(tcase, virtio_devices_are_found);
    tcase_add_test(tcase, tables_are_damaged);
    tcase_add_test(tcase, entries_are_damaged);
    tcase_add_test(tcase, sleep_package_is_damaged);
    tcase_add_test(tcase, lists_are_long);
    tcase_add_test(tcase, bytes_at_random);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
