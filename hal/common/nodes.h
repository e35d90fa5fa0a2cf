// SPDX-License-Identifier: BSD-3-Clause
// nodes.h: from firmware's nodes, numbered as it likes, to those of struct hal_nodes: 0, 1, 2 ...,
// in firmware's order.
#ifndef HAL_COMMON_NODES_H
#define HAL_COMMON_NODES_H

#include "hal/common/acpi.h"

struct nodes {
    struct hal_nodes found;
    uint32_t numbers[HAL_NODE_MAX]; // firmware's, ascending
    struct hal_node_memory memory[ACPI_NODE_MEMORY_MAX];
};

// All but found.cpus. False: there is one node, or more than HAL_NODE_MAX, or no memory is named.
bool nodes_find(struct nodes *nodes, const struct acpi *acpi);

// CPU index is the one whose local APIC is id.
void nodes_cpu_add(struct nodes *nodes, const struct acpi *acpi, uint32_t index, uint32_t id);

#endif
