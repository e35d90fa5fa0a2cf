// SPDX-License-Identifier: BSD-3-Clause
// flush_test.c: which CPUs of the x86_64 kernel are interrupted when mappings change, and which are
// left to sleep.
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "hal-x86_64/machine/apic.h"
#include "hal-x86_64/machine/flush.h"
#include "hal-x86_64/machine/trap.h"
#include "hal/common/crash.h"
#include "hal/common/radix.h"
#include "hal/hal.h"

enum { CPUS = 4, BIG = 1 << 20 };

static struct percpu cpus[CPUS];
static struct percpu *self;
static hal_phys tables; // retired

static const struct hal_cpu_set all = {.words = {~0ull, ~0ull, ~0ull, ~0ull}};
static const struct hal_range page = {(char *)0x200000, HAL_PAGE_SIZE};

// ---- What flush.c asks for ------------------------------------------------------

struct percpu *percpu_self(void)
{
    return self;
}

struct percpu *percpu_of(uint32_t index)
{
    return &cpus[index];
}

uint32_t percpu_count(void)
{
    return CPUS;
}

uint64_t cr3_read(void)
{
    return 42;
}

void cr3_write(uint64_t value)
{
    ck_assert_uint_eq(value, 42);
    ++self->everything;
}

void page_flush(const char *va)
{
    ck_assert_ptr_eq(va, page.va);
    ++self->pages;
}

// The interrupt comes at once.
void apic_send(uint32_t id, uint32_t what)
{
    struct percpu *sender = self;
    ck_assert_uint_eq(what, VECTOR_FLUSH);
    self = &cpus[id];
    ++self->interrupts;
    flush_nap_end();
    flush_run();
    self = sender;
}

hal_phys radix_retired_take(void)
{
    return tables;
}

void radix_retired_put(hal_phys list)
{
    ck_assert_uint_eq(list, tables);
}

void crash(const char *what, const struct crash_value *values, size_t count)
{
    ck_abort_msg("%s", what);
}

// ---- Tests ------------------------------------------------------------------------

static void cpus_make(void)
{
    memset(cpus, 0, sizeof cpus);
    for (uint32_t i = 0; i < CPUS; ++i) {
        cpus[i].index = cpus[i].apic_id = i;
        atomic_store(&cpus[i].is_running, true);
    }
    self = &cpus[0];
    tables = 0;
}

static void sleep_begin(uint32_t index)
{
    self = &cpus[index];
    flush_nap_begin();
    self = &cpus[0];
}

static void sleep_end(uint32_t index)
{
    self = &cpus[index];
    flush_nap_end();
    self = &cpus[0];
}

static void ck_flushed(uint32_t index, uint32_t interrupts, uint32_t pages, uint32_t everything)
{
    ck_assert_uint_eq(cpus[index].interrupts, interrupts);
    ck_assert_uint_eq(cpus[index].pages, pages);
    ck_assert_uint_eq(cpus[index].everything, everything);
}

START_TEST(who_is_awake_is_asked)
{
    cpus_make();
    atomic_store(&cpus[3].is_running, false);
    hal_tlb_flush(&page, 1, &all);
    ck_flushed(0, 0, 1, 0);
    ck_flushed(1, 1, 1, 0);
    ck_flushed(2, 1, 1, 0);
    ck_flushed(3, 0, 0, 0);
    hal_tlb_flush(&page, 1, &(struct hal_cpu_set){.words = {1 << 2}});
    ck_flushed(1, 1, 1, 0);
    ck_flushed(2, 2, 2, 0);
    hal_tlb_flush(&(struct hal_range){page.va, BIG}, 1, &all);
    ck_flushed(1, 2, 1, 1);
}
END_TEST

// However often, it drops all once, when it wakes.
START_TEST(who_sleeps_is_left_to)
{
    cpus_make();
    sleep_begin(1);
    hal_tlb_flush(&page, 1, &all);
    hal_tlb_flush(&page, 1, &all);
    ck_flushed(1, 0, 0, 0);
    ck_flushed(2, 2, 2, 0);
    sleep_end(1);
    ck_flushed(1, 0, 0, 1);
    sleep_end(1); // the interrupt that ended it, and the idle loop
    ck_flushed(1, 0, 0, 1);
    hal_tlb_flush(&page, 1, &all);
    ck_flushed(1, 1, 1, 1);
    sleep_begin(1); // nothing has changed meanwhile
    sleep_end(1);
    ck_flushed(1, 1, 1, 1);
}
END_TEST

// What ends a halt without an interrupt, and is followed by another.
START_TEST(a_halt_follows_a_halt)
{
    cpus_make();
    sleep_begin(1);
    hal_tlb_flush(&page, 1, &all);
    sleep_begin(1);
    ck_flushed(1, 0, 0, 1);
    hal_tlb_flush(&page, 1, &all);
    sleep_end(1);
    ck_flushed(1, 0, 0, 2);
}
END_TEST

// A table is given to others: a processor may walk it even in its sleep.
START_TEST(tables_are_told_to_all)
{
    cpus_make();
    sleep_begin(1);
    tables = 0x5000;
    hal_tlb_flush(&page, 1, &(struct hal_cpu_set){.words = {1}});
    for (uint32_t i = 1; i < CPUS; ++i) {
        ck_flushed(i, 1, 0, 1);
    }
    ck_flushed(0, 0, 0, 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("flush");
    TCase *all_cases = tcase_create("all");
    tcase_add_test(all_cases, who_is_awake_is_asked);
    tcase_add_test(all_cases, who_sleeps_is_left_to);
    tcase_add_test(all_cases, a_halt_follows_a_halt);
    tcase_add_test(all_cases, tables_are_told_to_all);
    suite_add_tcase(suite, all_cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
