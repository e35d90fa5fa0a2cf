// SPDX-License-Identifier: BSD-3-Clause
// nodes.c: the nodes of --nodes. Each is as far from the others as SLIT says of two sockets.
#include "hal-linux/nodes.h"

enum { DISTANCE_OWN = 10, DISTANCE_OTHER = 20, BORDER = 2 << 20 };

const struct hal_nodes *nodes_divide(uint32_t count, size_t memory_size, uint32_t cpu_count)
{
    static struct hal_node_memory memory[HAL_NODE_MAX];
    static struct hal_nodes nodes;
    if (count <= 1) {
        return NULL;
    }
    nodes.count = count;
    nodes.memory = memory;
    nodes.memory_count = count;
    for (uint32_t i = 0; i < count; ++i) {
        const size_t start = memory_size / count * i / BORDER * BORDER;
        const size_t end =
            i + 1 == count ? memory_size : memory_size / count * (i + 1) / BORDER * BORDER;
        memory[i] = (struct hal_node_memory){{start, end - start}, i};
        for (uint32_t j = 0; j < count; ++j) {
            nodes.distances[i][j] = i == j ? DISTANCE_OWN : DISTANCE_OTHER;
        }
    }
    for (uint32_t cpu = 0; cpu < cpu_count; ++cpu) {
        nodes.cpus[cpu] = (uint8_t)(cpu * count / cpu_count);
    }
    return &nodes;
}
