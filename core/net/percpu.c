// SPDX-License-Identifier: BSD-3-Clause
// percpu.c: see percpu.h.
#include "core/net/percpu.h"

#include <stdatomic.h>

#include "core/lib/errno.h"
#include "core/lib/siphash.h"
#include "core/mem/heap.h"
#include "core/sched/thread.h"

struct net_cpu *net_cpus;

int net_cpus_start(void)
{
    if (net_cpus != NULL) {
        return 0;
    }
    const uintptr_t last = NET_CPU_LINE - 1;
    char *memory = heap_alloc_zeroed(sched_cpu_count() * sizeof *net_cpus + last);
    if (memory == NULL) {
        return -ENOMEM;
    }
    net_cpus = (struct net_cpu *)(((uintptr_t)memory + last) & ~last);
    return 0;
}

uint64_t net_cpu_siphash(const struct siphash_key *key, const uint64_t words[2])
{
    const uintptr_t irq = hal_irq_save();
    struct net_cpu *cpu = net_cpu_self();
    if (cpu->hashed[0] != words[0] || cpu->hashed[1] != words[1]) {
        cpu->hashed[0] = words[0];
        cpu->hashed[1] = words[1];
        cpu->hash = siphash(key, words, 2);
    }
    const uint64_t hash = cpu->hash;
    hal_irq_restore(irq);
    return hash;
}

static _Atomic int32_t tallies[NET_TALLIES]; // but for what CPUs keep

int32_t net_tally_add(enum net_tally which, int32_t by)
{
    const uintptr_t irq = hal_irq_save();
    struct net_cpu *cpu = net_cpu_self();
    int32_t kept = cpu->kept[which] + by;
    if (kept > NET_TALLY_KEPT || kept < -NET_TALLY_KEPT) {
        atomic_fetch_add_explicit(&tallies[which], kept, memory_order_relaxed);
        kept = 0;
    }
    cpu->kept[which] = kept;
    const int32_t count = atomic_load_explicit(&tallies[which], memory_order_relaxed) + kept;
    hal_irq_restore(irq);
    return count;
}
