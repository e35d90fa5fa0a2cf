// SPDX-License-Identifier: BSD-3-Clause
// acpi_fuzz.c: any bytes at all as memory with firmware's tables: all that hal/common reads of
// them.
//
// The view gives each part in a block of its own, so that the sanitizers see a look beyond. A table
// with a wrong sum is not looked into: the mutator puts the sums right, seven times of eight.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "hal/common/acpi.h"
#include "hal/common/nodes.h"

// Views that an input may take: lists may name the same long table over and over.
enum { BLOCKS_MAX = 8192, ROOT_SIZE = 20, ROOT_SIZE_LONG = 36, HEADER_SIZE = 36, LISTED_MAX = 64 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);

static const uint8_t *memory;
static size_t memory_size;
static char *blocks[BLOCKS_MAX];
static size_t block_count;

static const char *view(hal_phys start, size_t size)
{
    if (start > memory_size || size > memory_size - start || block_count == BLOCKS_MAX) {
        return NULL;
    }
    char *block = malloc(size);
    if (block == NULL) {
        abort();
    }
    memcpy(block, memory + start, size);
    blocks[block_count++] = block;
    return block;
}

static void require(bool condition)
{
    if (!condition) {
        abort();
    }
}

static void facts_check(const struct acpi *acpi)
{
    require(acpi->cpu_count <= ACPI_CPU_MAX && acpi->segment_count <= ACPI_SEGMENT_MAX);
    require(acpi->io_controller_count <= ACPI_IO_CONTROLLER_MAX);
    require(acpi->line_count <= ACPI_LINE_MAX && acpi->node_memory_count <= ACPI_NODE_MEMORY_MAX);
    require((acpi->problem == NULL) == (acpi->table[0] == 0) && acpi->table[4] == 0);
    for (size_t i = 0; i < acpi->segment_count; ++i) {
        require(acpi->segments[i].bus_first <= acpi->segments[i].bus_last);
    }
}

static void nodes_check(const struct acpi *acpi)
{
    static struct nodes nodes;
    const struct hal_nodes *found = &nodes.found;
    if (!nodes_find(&nodes, acpi)) {
        return;
    }
    require(found->count >= 2 && found->count <= HAL_NODE_MAX);
    require(found->memory_count == acpi->node_memory_count);
    hal_phys end = 0;
    for (size_t i = 0; i < found->memory_count; ++i) {
        require(found->memory[i].region.start >= end && found->memory[i].node < found->count);
        end = found->memory[i].region.start + found->memory[i].region.size;
        require(end >= found->memory[i].region.start);
    }
    for (uint32_t i = 0; i < found->count * found->count; ++i) {
        const uint32_t from = i / found->count, to = i % found->count;
        require(from == to ? found->distances[from][to] == 10 : found->distances[from][to] > 10);
    }
    for (uint32_t i = 0; i < acpi->cpu_count; ++i) {
        nodes_cpu_add(&nodes, acpi, i, acpi->cpus[i].id);
        require(found->cpus[i] < found->count);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct acpi acpi;
    memory = data;
    memory_size = size;
    const hal_phys root = acpi_search(0, size, view);
    const bool is_read = acpi_read(&acpi, root, view);
    require(!is_read || root != 0);
    acpi_read_program(&acpi, view);
    acpi_read_devices(&acpi, view);
    facts_check(&acpi);
    nodes_check(&acpi);
    while (block_count > 0) {
        free(blocks[--block_count]);
    }
    return 0;
}

// ---- The mutator -------------------------------------------------------------------

static uint64_t number_at(const uint8_t *data, size_t size, uint64_t at, unsigned width)
{
    uint64_t number = 0;
    if (at <= size && width <= size - at) {
        memcpy(&number, data + at, width);
    }
    return number;
}

static void sum_fix(uint8_t *data, size_t size, uint64_t start, uint64_t length, size_t at)
{
    if (start > size || length > size - start || at >= length) {
        return;
    }
    uint8_t sum = 0;
    data[start + at] = 0;
    for (uint64_t i = 0; i < length; ++i) {
        sum = (uint8_t)(sum + data[start + i]);
    }
    data[start + at] = (uint8_t)-sum;
}

static void table_fix(uint8_t *data, size_t size, uint64_t start)
{
    enum { LENGTH_AT = 4, SUM_AT = 9 };
    sum_fix(data, size, start, number_at(data, size, start + LENGTH_AT, 4), SUM_AT);
}

static void list_fix(uint8_t *data, size_t size, uint64_t start, unsigned width)
{
    enum { PROGRAM_AT = 40, PROGRAM_LONG_AT = 140 };
    const uint64_t end = start + number_at(data, size, start + 4, 4);
    uint64_t at = start + HEADER_SIZE;
    for (unsigned i = 0; i < LISTED_MAX && at + width <= end; ++i, at += width) {
        const uint64_t table = number_at(data, size, at, width);
        if (table <= size && size - table >= 4 && memcmp(data + table, "FACP", 4) == 0) {
            table_fix(data, size, number_at(data, size, table + PROGRAM_AT, 4));
            table_fix(data, size, number_at(data, size, table + PROGRAM_LONG_AT, 8));
        }
        table_fix(data, size, table);
    }
    table_fix(data, size, start);
}

static void sums_fix(uint8_t *data, size_t size)
{
    for (size_t at = 0; at + ROOT_SIZE_LONG <= size; at += 16) {
        if (memcmp(data + at, "RSD PTR ", 8) == 0) {
            list_fix(data, size, number_at(data, size, at + 16, 4), 4);
            list_fix(data, size, number_at(data, size, at + 24, 8), 8);
            sum_fix(data, size, at, ROOT_SIZE, 8);
            sum_fix(data, size, at, ROOT_SIZE_LONG, 32);
            return;
        }
    }
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    size = LLVMFuzzerMutate(data, size, max_size);
    if (seed % 8 != 7) {
        sums_fix(data, size);
    }
    return size;
}
