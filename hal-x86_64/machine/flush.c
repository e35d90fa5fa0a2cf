// SPDX-License-Identifier: BSD-3-Clause
// flush.c: translation caches: the own one, and those of other CPUs by interrupt.
//
// A request lies in one of a few slots. Who asks takes a slot, fills it, sets the bits of the CPUs
// that it waits for, and then the slot's bit in each of those CPUs' blocks; who sets the first bit
// there sends the interrupt. A CPU takes all its bits at once, does what the slots say and clears
// its own bit in each. Nobody waits with interrupts off, so a CPU that waits answers others.
#include "flush.h"

#include <stdatomic.h>

#include "hal/common/crash.h"
#include "hal/common/radix.h"

#include "apic.h"
#include "cpu_registers.h"
#include "percpu.h"
#include "trap.h"

enum {
    SLOTS = 64,
    RANGES_MAX = 8,
    PAGES_MAX = 64, // above, everything goes: about where reloading CR3 gets cheaper
    WORDS = HAL_CPU_MAX / 64,
    NAP_ASLEEP = 1,
    NAP_STALE = 2, // while asleep: something has changed since
};

struct slot {
    _Atomic bool is_taken;
    struct hal_range ranges[RANGES_MAX];
    size_t count; // 0: everything
    _Atomic uint64_t waiting[WORDS];
};

static struct slot slots[SLOTS];

// Figures: nothing orders them.
static struct {
    _Atomic uint64_t remote, received, local_all, local_one;
} counts;

static void count_add(_Atomic uint64_t *count, uint64_t by)
{
    atomic_fetch_add_explicit(count, by, memory_order_relaxed);
}

static uint64_t count_get(const _Atomic uint64_t *count)
{
    return atomic_load_explicit(count, memory_order_relaxed);
}

static void ranges_flush(const struct hal_range *ranges, size_t count)
{
    if (count == 0) {
        cr3_write(cr3_read());
    }
    for (size_t i = 0; i < count; ++i) {
        for (size_t at = 0; at < ranges[i].size; at += HAL_PAGE_SIZE) {
            page_flush(ranges[i].va + at);
        }
    }
}

void flush_run(void)
{
    struct percpu *self = percpu_self();
    const uint64_t mine = 1ull << self->index % 64;
    const uint64_t asked = atomic_exchange(&self->flushes, 0);
    if (asked != 0) {
        count_add(&counts.received, 1);
    }
    for (uint64_t bits = asked; bits != 0; bits &= bits - 1) {
        struct slot *slot = &slots[__builtin_ctzll(bits)];
        ranges_flush(slot->ranges, slot->count);
        // The last access: whoever waits may give the slot to others.
        atomic_fetch_and(&slot->waiting[self->index / 64], ~mine);
    }
}

static void nap_change(uint32_t nap)
{
    if (atomic_exchange(&percpu_self()->nap, nap) & NAP_STALE) {
        ranges_flush(NULL, 0);
    }
}

void flush_nap_begin(void)
{
    nap_change(NAP_ASLEEP);
}

void flush_nap_end(void)
{
    if (atomic_load_explicit(&percpu_self()->nap, memory_order_relaxed) != 0) { // its own word
        nap_change(0);
    }
}

// Whether the CPU is asleep, and will drop all of its translations when it wakes.
static bool is_left_to_sleep(struct percpu *percpu)
{
    uint32_t nap = atomic_load(&percpu->nap);
    while (nap != 0) {
        if (atomic_compare_exchange_weak(&percpu->nap, &nap, NAP_ASLEEP | NAP_STALE)) {
            return true;
        }
    }
    return false;
}

// There are fewer slots than CPUs may be, and a thread that waits may be preempted.
static size_t slot_take(void)
{
    for (;;) {
        for (size_t i = 0; i < SLOTS; ++i) {
            if (!atomic_load_explicit(&slots[i].is_taken, memory_order_relaxed) &&
                !atomic_exchange(&slots[i].is_taken, true)) {
                return i;
            }
        }
        hal_cpu_relax();
    }
}

static void slot_fill(struct slot *slot, const struct hal_range *ranges, size_t count)
{
    slot->count = count;
    for (size_t i = 0; i < count; ++i) {
        slot->ranges[i] = ranges[i];
    }
}

// Asks every CPU in cpus that runs, but those asleep, if they may_sleep, and this one, which
// flushes by itself: interrupts are off, so it stays this one.
static void slot_send(size_t index, const struct hal_cpu_set *cpus, bool may_sleep)
{
    struct slot *slot = &slots[index];
    const uint32_t self = percpu_self()->index;
    bool is_remote = false;
    for (uint32_t i = 0; i < percpu_count(); ++i) {
        struct percpu *percpu = percpu_of(i);
        const uint64_t bit = 1ull << i % 64;
        if (i == self || (cpus->words[i / 64] & bit) == 0 || !atomic_load(&percpu->is_running)) {
            continue;
        }
        is_remote = true;
        if (may_sleep && is_left_to_sleep(percpu)) {
            continue;
        }
        atomic_fetch_or(&slot->waiting[i / 64], bit);
        if (atomic_fetch_or(&percpu->flushes, 1ull << index) == 0) {
            apic_send(percpu->apic_id, VECTOR_FLUSH);
        }
    }
    count_add(&counts.remote, is_remote);
}

static void slot_wait(const struct slot *slot)
{
    for (size_t i = 0; i < WORDS; ++i) {
        while (atomic_load(&slot->waiting[i]) != 0) {
            hal_cpu_relax();
        }
    }
}

// count 0: everything.
static void flush(const struct hal_range *ranges, size_t count, const struct hal_cpu_set *cpus,
                  bool may_sleep)
{
    if (percpu_count() == 1) {
        ranges_flush(ranges, count);
        return;
    }
    crash_unless(hal_irq_enabled(), "translations flushed with interrupts off");
    const size_t index = slot_take();
    slot_fill(&slots[index], ranges, count);
    const uintptr_t state = hal_irq_save();
    slot_send(index, cpus, may_sleep);
    ranges_flush(ranges, count);
    hal_irq_restore(state);
    slot_wait(&slots[index]);
    atomic_store(&slots[index].is_taken, false);
}

// A retired table may be known to any CPU, by any address in it, and core gives the page to others:
// all of every cache goes.
void hal_tlb_flush(const struct hal_range *ranges, size_t count, const struct hal_cpu_set *cpus)
{
    static const struct hal_cpu_set all = {.words = {~0ull, ~0ull, ~0ull, ~0ull}};
    _Static_assert(WORDS == 4, "all");
    const hal_phys tables = radix_retired_take();
    size_t pages = 0;
    for (size_t i = 0; i < count; ++i) {
        pages += ranges[i].size / HAL_PAGE_SIZE;
    }
    if (tables != 0) {
        count_add(&counts.local_all, 1);
        flush(NULL, 0, &all, false);
    } else if (count > RANGES_MAX || pages > PAGES_MAX) {
        count_add(&counts.local_all, 1);
        flush(NULL, 0, cpus, true);
    } else if (count > 0) {
        count_add(&counts.local_one, pages);
        flush(ranges, count, cpus, true);
    }
    radix_retired_put(tables);
}

void hal_tlb_count(struct hal_tlb_counts *out)
{
    *out = (struct hal_tlb_counts){
        .remote = count_get(&counts.remote),
        .received = count_get(&counts.received),
        .local_all = count_get(&counts.local_all),
        .local_one = count_get(&counts.local_one),
    };
}
