// SPDX-License-Identifier: BSD-3-Clause
// nodes.c: the nodes of memory and CPUs that SRAT names, and their distances, from SLIT where it is
// there (ACPI 6.4, 5.2.16 and 5.2.17).
#include "hal/common/nodes.h"

enum { DISTANCE_OWN = 10, DISTANCE_OTHER = 20 };

// Answers its place among the numbers, or -1 where there is no room.
static int number_add(struct nodes *nodes, uint32_t number)
{
    uint32_t count = nodes->found.count, at = 0;
    while (at < count && nodes->numbers[at] < number) {
        ++at;
    }
    if (at < count && nodes->numbers[at] == number) {
        return (int)at;
    }
    if (count == HAL_NODE_MAX) {
        return -1;
    }
    for (uint32_t i = count; i > at; --i) {
        nodes->numbers[i] = nodes->numbers[i - 1];
    }
    nodes->numbers[at] = number;
    ++nodes->found.count;
    return (int)at;
}

// In order of their addresses; what overlaps one that is there is cut, or left out.
static void memory_add(struct nodes *nodes, const struct acpi_node_memory *said)
{
    struct hal_node_memory *memory = nodes->memory;
    size_t at = nodes->found.memory_count;
    while (at > 0 && memory[at - 1].region.start > said->region.start) {
        memory[at] = memory[at - 1];
        --at;
    }
    memory[at] = (struct hal_node_memory){said->region, (uint32_t)number_add(nodes, said->node)};
    ++nodes->found.memory_count;
}

static void memory_part(struct nodes *nodes)
{
    hal_phys end = 0;
    for (size_t i = 0; i < nodes->found.memory_count; ++i) {
        struct hal_region *region = &nodes->memory[i].region;
        const hal_phys stop = region->start + region->size;
        region->start = region->start < end ? end : region->start;
        region->size = stop > region->start ? stop - region->start : 0;
        end = region->start + region->size;
    }
}

static uint8_t distance(const struct acpi *acpi, uint32_t from, uint32_t to)
{
    if (from < acpi->distance_count && to < acpi->distance_count) {
        return acpi->distances[from][to];
    }
    return from == to ? DISTANCE_OWN : DISTANCE_OTHER;
}

bool nodes_find(struct nodes *nodes, const struct acpi *acpi)
{
    *nodes = (struct nodes){.found.count = 0};
    bool has_room = true;
    for (size_t i = 0; i < acpi->node_memory_count; ++i) {
        has_room = number_add(nodes, acpi->node_memory[i].node) >= 0 && has_room;
    }
    for (size_t i = 0; i < acpi->cpu_count && acpi->node_memory_count > 0; ++i) {
        has_room = number_add(nodes, acpi->cpus[i].node) >= 0 && has_room;
    }
    if (nodes->found.count < 2 || !has_room) {
        return false;
    }
    for (size_t i = 0; i < acpi->node_memory_count; ++i) {
        memory_add(nodes, &acpi->node_memory[i]);
    }
    memory_part(nodes);
    for (uint32_t i = 0; i < nodes->found.count * nodes->found.count; ++i) {
        const uint32_t from = i / nodes->found.count, to = i % nodes->found.count;
        nodes->found.distances[from][to] = distance(acpi, nodes->numbers[from], nodes->numbers[to]);
    }
    nodes->found.memory = nodes->memory;
    return true;
}

void nodes_cpu_add(struct nodes *nodes, const struct acpi *acpi, uint32_t index, uint32_t id)
{
    for (size_t i = 0; i < acpi->cpu_count; ++i) {
        if (acpi->cpus[i].id == id) {
            nodes->found.cpus[index] = (uint8_t)number_add(nodes, acpi->cpus[i].node);
        }
    }
}
