// SPDX-License-Identifier: BSD-3-Clause
// memory_host.c: see memory_host.h. Physical address 2 MiB is where the host's memory begins: 0 is
// none.
#include "memory_host.h"

#include <check.h>
#include <sys/mman.h>

#include "core/mem/frame.h"
#include "core/mem/heap.h"
#include "hal/hal.h"

enum { MIB = 1 << 20, MEMORY = 128 * MIB };

void memory_host_init(uint32_t cpu_count)
{
    static struct hal_region region = {2 * MIB, MEMORY};
    char *arena =
        mmap(NULL, MEMORY + 2 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert(arena != MAP_FAILED);
    arena = (char *)(((uintptr_t)arena + 2 * MIB - 1) & ~(uintptr_t)(2 * MIB - 1));
    const struct hal_boot facts = {
        .cpu_count = cpu_count,
        .direct_base = arena - region.start,
        .regions = &region,
        .region_count = 1,
        .memory_is_zero = true,
    };
    frame_init(&facts);
    heap_init(cpu_count);
}
