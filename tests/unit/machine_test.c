// SPDX-License-Identifier: BSD-3-Clause
// machine_test.c: the x86_64 kernel's clocks, timers, interrupt controller and vector state on
// machines that QEMU's emulation is not: KVM's clock, x2APIC, TSC-deadline, AVX-512, timers that
// are missing or late.
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <valgrind/valgrind.h>

#include "hal-x86_64/isa/frame.h"
#include "hal-x86_64/isa/isa.h"
#include "hal-x86_64/machine/apic.h"
#include "hal-x86_64/machine/clock.h"
#include "hal-x86_64/machine/rtc.h"
#include "hal-x86_64/machine/timer.h"
#include "hal-x86_64/machine/trap.h"
#include "hal/common/alarm.h"
#include "tests/unit/machine_fake.h"

enum {
    MSR_APIC_BASE = 0x1b,
    MSR_DEADLINE = 0x6e0,
    MSR_KVM_TIME = 0x4b564d01,
    X2APIC = 1 << 21,
    TSC_DEADLINE = 1 << 24,
};

static const hal_ns second = 1000000000, millisecond = 1000000;

static void leaf_set(int at, uint32_t leaf, struct cpuid value)
{
    fake.leaves[at] = (struct fake_leaf){.leaf = leaf, .value = value};
}

// What the CPU misses is by chance, in five degrees.
static uint32_t rounds(void)
{
    return RUNNING_ON_VALGRIND ? 5 : 50;
}

static void is_about(uint64_t value, uint64_t expected, uint64_t per_million)
{
    const uint64_t slack = expected * per_million / 1000000 + 1;
    ck_assert_msg(value + slack >= expected && value <= expected + slack, "%llu is not about %llu",
                  (unsigned long long)value, (unsigned long long)expected);
}

// ---- How fast the TSC is --------------------------------------------------------

static void clock_is_right(uint64_t per_million)
{
    clock_init();
    is_about(clock_tsc_span(second), fake.tsc_hz, per_million);
    const hal_ns before = hal_clock_ns();
    fake.now_ns += 100 * second;
    is_about(hal_clock_ns() - before, 100 * second, per_million);
}

static void hpet_make(uint32_t period)
{
    fake.acpi.hpet = 0xfed00000;
    fake.hpet_period = period;
}

static void pm_timer_make(uint8_t bits)
{
    fake.acpi.timer = (struct acpi_register){.address = FAKE_PM_TIMER, .space = ACPI_SPACE_PORT};
    fake.acpi.timer_bits = bits;
}

// Each reference, where the CPU is always there and where it stands still now and then.
START_TEST(tsc_is_measured)
{
    for (int kind = 0; kind < 6; ++kind) {
        for (uint32_t round = 0; round < rounds(); ++round) {
            fake_reset();
            leaf_set(0, 0x80000007, (struct cpuid){.d = 1 << 8}); // invariant
            fake.stall_every = round % 5 * 29;
            fake.stall_ns = 2 * millisecond;
            switch (kind) {
            case 0:
                hpet_make(10000000); // as QEMU's
                break;
            case 1:
                hpet_make(69841279); // as PCs'
                fake.hpet_is_short = true;
                fake.hpet_start = 0xffff0000; // goes round in the middle
                break;
            case 2:
                pm_timer_make(24);
                fake.now_ns = 4686900000; // the same
                break;
            case 3:
                pm_timer_make(32);
                break;
            case 4:
                hpet_make(0); // one that is not there after all
                fake.has_pit = true;
                break;
            default:
                fake.has_pit = true;
                break;
            }
            clock_is_right(300);
        }
    }
}
END_TEST

static uint32_t accesses_of_clock_init(void)
{
    const uint32_t before = fake.access_count;
    clock_init();
    return fake.access_count - before;
}

// An HPET of 64 bits: it is the clock until enough time has passed; nothing waits, and nothing goes
// back.
START_TEST(tsc_is_measured_meanwhile)
{
    for (uint32_t round = 0; round < rounds(); ++round) {
        fake_reset();
        leaf_set(0, 0x80000007, (struct cpuid){.d = 1 << 8}); // invariant
        hpet_make(10000000);
        fake.stall_every = round % 5 * 29;
        fake.stall_ns = 2 * millisecond;
        ck_assert_uint_lt(accesses_of_clock_init(), 200);
        fake.stall_every = 0;
        const hal_ns offset = fake.now_ns - hal_clock_ns(), start = fake.now_ns;
        fake.stall_every = round % 5 * 29;
        hal_ns last = 0;
        size_t wrong = 0; // counted: an assertion per step is slow under Valgrind
        while (fake.now_ns - start < 30 * millisecond) {
            const hal_ns before = fake.now_ns, now = hal_clock_ns();
            wrong +=
                now < last || now + offset + 20000 < before || now + offset > fake.now_ns + 20000;
            last = now;
            fake.now_ns += (round + 1) * 1000;
        }
        ck_assert_uint_eq(wrong, 0);
        fake.stall_every = 0;
        const uint32_t accesses = fake.access_count;
        (void)hal_clock_ns();
        ck_assert_uint_eq(fake.access_count, accesses + 1); // the TSC alone
        is_about(clock_tsc_span(second), fake.tsc_hz, 300);
        const hal_ns before = hal_clock_ns();
        fake.now_ns += 100 * second;
        is_about(hal_clock_ns() - before, 100 * second, 300);
    }
}
END_TEST

START_TEST(measuring_is_settled)
{
    fake_reset();
    leaf_set(0, 0x80000007, (struct cpuid){.d = 1 << 8}); // invariant
    hpet_make(10000000);
    clock_init();
    const hal_ns start = fake.now_ns, before = hal_clock_ns();
    clock_settle();
    ck_assert_uint_lt(fake.now_ns - start, 3 * millisecond);
    const uint32_t accesses = fake.access_count;
    ck_assert_uint_gt(hal_clock_ns(), before);
    ck_assert_uint_eq(fake.access_count, accesses + 1); // the TSC alone
    clock_settle();
    is_about(clock_tsc_span(second), fake.tsc_hz, 300);
}
END_TEST

START_TEST(tsc_is_told)
{
    fake_reset();
    fake.tsc_hz = 2400000000;
    leaf_set(0, 0x15, (struct cpuid){.a = 2, .b = 200, .c = 24000000});
    ck_assert_uint_lt(accesses_of_clock_init(), 100); // nothing is measured
    is_about(clock_tsc_span(second), 2400000000, 1);
    fake_reset();
    fake.tsc_hz = 2893202000;
    leaf_set(0, 0x40000010, (struct cpuid){.a = 2893202, .b = 1000000});
    ck_assert_uint_lt(accesses_of_clock_init(), 100);
    clock_is_right(1);
}
END_TEST

START_TEST(nothing_says_how_fast)
{
    fake_reset();
    leaf_set(0, 0x16, (struct cpuid){.a = 2500});
    clock_init();
    is_about(clock_tsc_span(second), 2500000000, 1);
    fake_reset();
    clock_init();
    is_about(clock_tsc_span(second), 1000000000, 1);
    fake_reset();
    pm_timer_make(24);
    fake.acpi.timer.address = 0x700; // where nothing counts
    clock_init();
    is_about(clock_tsc_span(second), 1000000000, 1);
}
END_TEST

// ---- Other clocks -----------------------------------------------------------------

START_TEST(hpet_is_the_clock)
{
    fake_reset();
    hpet_make(10000000);
    clock_is_right(300);
    fake.tsc_hz /= 2; // which nobody notices
    for (uint64_t phase = 0; phase < 3000; phase += 100) {
        const uint64_t around = (1ull << 32) * 10; // ns until the low word is 0 again
        fake.now_ns += around - fake.now_ns % around - 20000 + phase;
        hal_ns last = hal_clock_ns();
        for (int i = 0; i < 20; ++i) {
            const hal_ns now = hal_clock_ns();
            ck_assert_uint_ge(now, last);
            ck_assert_uint_lt(now - last, millisecond);
            last = now;
        }
    }
}
END_TEST

static void kvm_make(void)
{
    fake_reset();
    leaf_set(0, 0x40000000, (struct cpuid){.b = 0x7263694d, .c = 0x666f736f, .d = 0x76482074});
    leaf_set(1, 0x40000100, (struct cpuid){.b = 0x4b4d564b, .c = 0x564b4d56, .d = 0x4d});
    leaf_set(2, 0x40000101, (struct cpuid){.a = 1 << 3});
    fake.tsc_hz = 2000000000;
    fake.cpus[0].kvmclock = (struct kvmclock){
        .version = 4,
        .tsc = 0,
        .ns = 77,
        .multiplier = 0x80000000, // half a nanosecond
        .flags = 1,
    };
}

START_TEST(kvm_has_a_clock)
{
    kvm_make();
    ck_assert_uint_lt(accesses_of_clock_init(), 100);
    ck_assert_uint_eq(fake.writes[0].to, MSR_KVM_TIME);
    ck_assert_uint_eq(fake.writes[0].value, (uint64_t)(uintptr_t)&fake.cpus[0].kvmclock | 1);
    is_about(clock_tsc_span(second), 2000000000, 1);
    hal_ns before = hal_clock_ns();
    fake.now_ns += second;
    is_about(hal_clock_ns() - before, second, 1);
    before = hal_clock_ns();
    fake.cpus[0].kvmclock.ns += 10 * second; // the guest has stood still
    is_about(hal_clock_ns() - before, 10 * second, 1);
    kvm_make();
    fake.cpus[0].kvmclock.shift = 1;
    fake.cpus[0].kvmclock.multiplier = 0x40000000;
    clock_is_right(1);
    kvm_make();
    fake.tsc_hz = 8000000000;
    fake.cpus[0].kvmclock.shift = -2;
    clock_is_right(1);
    kvm_make();
    fake.leaves[2].value.a = 0; // KVM, but no clock
    leaf_set(3, 0x15, (struct cpuid){.a = 1, .b = 100, .c = 20000000});
    clock_is_right(1);
    ck_assert_uint_eq(fake.write_count, 0);
}
END_TEST

static void kvm_updates(void)
{
    fake.cpus[0].kvmclock.version += 2;
    fake.cpus[0].kvmclock.ns += 5 * second;
}

static void kvm_ends_update(void)
{
    ++fake.cpus[0].kvmclock.version;
    fake.cpus[0].kvmclock.ns -= 1000 * second;
}

static void kvm_goes_on(void)
{
    fake.tsc_hook = kvm_ends_update;
}

static void kvm_starts_update(void)
{
    ++fake.cpus[0].kvmclock.version;
    fake.cpus[0].kvmclock.ns += 1000 * second; // what nobody may use
    fake.tsc_hook = kvm_goes_on;
}

START_TEST(kvm_writes_meanwhile)
{
    kvm_make();
    clock_init();
    hal_ns before = hal_clock_ns();
    fake.tsc_hook = kvm_updates;
    is_about(hal_clock_ns() - before, 5 * second, 1);
    before = hal_clock_ns();
    fake.tsc_hook = kvm_starts_update;
    ck_assert_uint_lt(hal_clock_ns() - before, millisecond); // it was read until it was whole
    ck_assert_ptr_null(fake.tsc_hook);
}
END_TEST

START_TEST(kvm_clocks_disagree)
{
    kvm_make();
    fake.cpus[0].kvmclock.flags = 0;
    clock_init();
    fake.now_ns += second;
    const hal_ns before = hal_clock_ns();
    fake.cpus[0].kvmclock.ns -= 10; // as another CPU's would be
    fake.now_ns -= 1000;
    ck_assert_uint_eq(hal_clock_ns(), before);
    fake.now_ns += 2000;
    ck_assert_uint_gt(hal_clock_ns(), before);
}
END_TEST

// ---- Alarms -------------------------------------------------------------------------

static uint64_t written(uint32_t to)
{
    for (uint32_t i = fake.write_count; i > 0; --i) {
        if (fake.writes[i - 1].to == to) {
            return fake.writes[i - 1].value;
        }
    }
    ck_abort_msg("nothing was written to %x", to);
    return 0;
}

static void machine_make(uint32_t features)
{
    leaf_set(0, 1, (struct cpuid){.c = features});
    leaf_set(1, 0x15, (struct cpuid){.a = 1, .b = 100, .c = 20000000});
    fake.tsc_hz = 2000000000;
    clock_init();
    apic_init();
    fake.cpus[0].deadline = UINT64_MAX;
    timer_init();
}

static void alarm_is_right(void)
{
    const uint64_t hz = fake.apic_hz / 16;
    hal_timer_set(hal_clock_ns() + second); // the first alarm of all may wait
    hal_timer_set(hal_clock_ns() + second);
    is_about(written(APIC_TIMER_START), hz, 500);
    ck_assert(!alarm_is_due()); // rings early, and is set again for the rest
    fake.now_ns += second / 2;
    ck_assert(!alarm_is_due());
    is_about(written(APIC_TIMER_START), hz / 2, 500);
    fake.now_ns += second / 2;
    ck_assert(alarm_is_due());
    ck_assert(!alarm_is_due()); // once
    hal_timer_set(hal_clock_ns() - 1);
    ck_assert_uint_eq(written(APIC_TIMER_START), 1); // 0 would be never
    hal_timer_set(UINT64_MAX - 1);
    ck_assert_uint_eq(written(APIC_TIMER_START), UINT32_MAX);
    hal_timer_set(UINT64_MAX);
    ck_assert_uint_eq(written(APIC_TIMER_START), 0);
    ck_assert(!alarm_is_due());
}

START_TEST(alarm_counts_down)
{
    for (uint32_t round = 0; round < rounds(); ++round) {
        fake_reset();
        fake.stall_every = round % 5 * 29;
        fake.stall_ns = 2 * millisecond;
        machine_make(X2APIC);
        fake.stall_every = 0;
        alarm_is_right();
    }
    fake_reset();
    fake.apic_hz = 24000000;
    machine_make(0);
    alarm_is_right();
    fake_reset();
    fake.apic_hz = 25000000;
    leaf_set(2, 0x40000010, (struct cpuid){.a = 2000000, .b = 25000});
    machine_make(X2APIC);
    alarm_is_right();
    fake_reset();
    machine_make(X2APIC);
    hal_timer_set(UINT64_MAX);  // while the timer is still measured
    fake.now_ns += 90 * second; // its counter has come to its end
    alarm_is_right();
    fake_reset();
    machine_make(X2APIC);
    fake.now_ns += 5 * millisecond;
    const hal_ns before = fake.now_ns;
    timer_settle();
    ck_assert_uint_lt(fake.now_ns - before, 100000); // nothing to wait for
    alarm_is_right();
}
END_TEST

START_TEST(alarm_is_a_tsc_value)
{
    fake_reset();
    machine_make(X2APIC | TSC_DEADLINE);
    ck_assert_uint_eq(written(APIC_TIMER), VECTOR_TIMER | 2 << 17);
    ck_assert_uint_eq(fake.fence_at, fake.write_count); // before the first deadline
    const hal_ns deadline = hal_clock_ns() + second;
    const uint64_t now = tsc_read();
    hal_timer_set(deadline);
    is_about(written(MSR_DEADLINE) - now, fake.tsc_hz, 1);
    ck_assert(!alarm_is_due());
    is_about(written(MSR_DEADLINE) - now, fake.tsc_hz, 1);
    fake.now_ns += second + millisecond;
    ck_assert(alarm_is_due());
    hal_timer_set(UINT64_MAX);
    ck_assert_uint_eq(written(MSR_DEADLINE), 0);
}
END_TEST

// ---- The interrupt controller -----------------------------------------------------------

START_TEST(x2apic)
{
    fake_reset();
    leaf_set(0, 1, (struct cpuid){.c = X2APIC});
    apic_init();
    // By way of the old mode: there is no other.
    ck_assert(fake.writes[0].to == MSR_APIC_BASE && fake.writes[0].value == 0xfee00900);
    ck_assert(fake.writes[1].to == MSR_APIC_BASE && fake.writes[1].value == 0xfee00d00);
    ck_assert_uint_eq(fake.cpus[0].apic_id, 7);
    ck_assert_uint_gt(apic_id_max(), 255);
    ck_assert_uint_eq(apic_id(1), 5);
    fake.write_count = 0;
    fake.fence_at = UINT32_MAX;
    apic_send(0x12345, APIC_START | 9);
    ck_assert_uint_eq(fake.write_count, 1);
    ck_assert_uint_eq(fake.fence_at, 0); // before it
    ck_assert_uint_eq(written(APIC_COMMAND), 0x1234500004609);
    apic_send_self(VECTOR_KICK);
    ck_assert_uint_eq(written(APIC_COMMAND), 0x44000 | VECTOR_KICK);
    apic_end();
    ck_assert_uint_eq(written(APIC_EOI), 0);
}
END_TEST

START_TEST(xapic)
{
    fake_reset();
    apic_init();
    ck_assert(fake.writes[0].to == MSR_APIC_BASE && fake.writes[0].value == 0xfee00900);
    ck_assert_uint_eq(fake.writes[1].to, APIC_TASK_PRIORITY);
    ck_assert_uint_eq(fake.cpus[0].apic_id, 7);
    ck_assert_uint_eq(apic_id_max(), 254);
    fake.write_count = 0;
    fake.apic_pending = 3; // the last command is still on its way
    apic_send(9, APIC_INIT);
    ck_assert_uint_eq(fake.apic_pending, 0);
    ck_assert_uint_eq(fake.write_count, 2);
    ck_assert(fake.writes[0].to == APIC_COMMAND_TARGET && fake.writes[0].value == 9 << 24);
    ck_assert(fake.writes[1].to == APIC_COMMAND && fake.writes[1].value == 0x4500);
    apic_send_self(VECTOR_KICK);
    ck_assert_uint_eq(written(APIC_COMMAND), 0x44000 | VECTOR_KICK);
    ck_assert(hal_irq_enabled());
}
END_TEST

// ---- Vector registers ------------------------------------------------------------------------

// As a processor with AVX-512, protection keys and AMX has it: size, offset, alignment.
static void vector_leaves_set(uint32_t has_xsavec)
{
    static const uint32_t parts[][4] = {
        {2, 256, 576, 0}, {5, 64, 1088, 0},  {6, 512, 1152, 0},   {7, 1024, 1664, 0},
        {9, 8, 2688, 0},  {17, 64, 2752, 2}, {18, 8192, 2816, 6},
    };
    fake_reset();
    fake.leaves[0] = (struct fake_leaf){.leaf = 13, .subleaf = 1, .value = {.a = has_xsavec << 1}};
    for (int i = 0; i < 7; ++i) {
        fake.leaves[i + 1] = (struct fake_leaf){
            .leaf = 13,
            .subleaf = parts[i][0],
            .value = {.a = parts[i][1], .b = parts[i][2], .c = parts[i][3]},
        };
    }
}

START_TEST(vector_sizes)
{
    // What is enabled, and the size of the area in the standard and in the compacted form.
    static const uint64_t cases[][3] = {
        {0x3, 576, 576},       // SSE: the legacy area and the header
        {0x7, 832, 832},       // AVX
        {0xe7, 2688, 2432},    // AVX-512
        {0x2e7, 2752, 2496},   // and protection keys: 8 bytes, rounded up
        {0x602e7, 2752, 2496}, // AMX is left out
        {0x207, 2752, 896},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
        for (uint32_t has_xsavec = 0; has_xsavec < 2; ++has_xsavec) {
            vector_leaves_set(has_xsavec);
            fake.xcr0 = cases[i][0];
            isa_init(true);
            ck_assert_uint_eq(isa_vector_mask, cases[i][0] & ~0x60000ull);
            ck_assert_uint_eq(isa_vector_size, cases[i][1 + has_xsavec]);
            ck_assert_uint_eq(isa_has_xsavec, has_xsavec);
        }
    }
}
END_TEST

START_TEST(vector_choice)
{
    ck_assert_uint_eq(isa_vector_choose(0), 0x3);
    ck_assert_uint_eq(isa_vector_choose(0x7), 0x7);
    ck_assert_uint_eq(isa_vector_choose(0x602e7), 0xe7);
    ck_assert_uint_eq(isa_vector_choose(0x67), 0x7); // a part of AVX-512 is none
    ck_assert_uint_eq(isa_vector_choose(0xe3), 0x3);
}
END_TEST

// What XSAVEC leaves behind where a component is in its initial state: whatever was there.
START_TEST(vector_state_that_was_not_written_is_initial)
{
    enum { X87 = 1, SSE = 2, SIZE = 832, HEADER = 512, XMM = 160, XMM_END = 416, OLD = 0xa5 };
    static struct {
        struct hal_frame frame;
        unsigned char area[SIZE];
    } entry;
    static struct hal_regs regs;
    static const unsigned char zeros[256];
    static const unsigned char x87[8] = {0x7f, 3}, sse[8] = {0x80, 0x1f, 0, 0, 0xff, 0xff};
    isa_vector_size = SIZE;
    for (unsigned present = 0; present < 4; ++present) {
        unsigned char expected[SIZE];
        memset(entry.area, OLD, SIZE);
        memset(entry.area + HEADER, 0, 64);
        entry.area[HEADER] = present | 4;
        isa_has_xsavec = 0;
        hal_frame_get(&entry.frame, &regs);
        ck_assert_mem_eq(regs.vector, entry.area, SIZE); // XSAVE writes all

        memcpy(expected, entry.area, SIZE);
        expected[HEADER] = X87 | SSE | 4; // an edit of a handler's counts
        if ((present & X87) == 0) {
            memcpy(expected, x87, 8);
            memcpy(expected + 8, zeros, 16);
            memcpy(expected + 32, zeros, XMM - 32);
        }
        if ((present & SSE) == 0) {
            memcpy(expected + 24, sse, 8);
            memcpy(expected + XMM, zeros, XMM_END - XMM);
        }
        isa_has_xsavec = 1;
        hal_frame_get(&entry.frame, &regs);
        ck_assert_mem_eq(regs.vector, expected, SIZE);
    }
}
END_TEST

// ---- The date ------------------------------------------------------------------------------

static void cmos_set(uint8_t status, const uint8_t values[6])
{
    static const uint8_t places[6] = {0, 2, 4, 7, 8, 9}; // second minute hour day month year
    fake_reset();
    fake.cmos[11] = status;
    for (int i = 0; i < 6; ++i) {
        fake.cmos[places[i]] = values[i];
    }
}

START_TEST(date)
{
    cmos_set(2, (const uint8_t[6]){0x56, 0x34, 0x12, 0x29, 0x02, 0x24});
    ck_assert_uint_eq(rtc_seconds(), 1709210096);
    cmos_set(6, (const uint8_t[6]){56, 34, 12, 29, 2, 24});
    fake.cmos_updating = 50;
    ck_assert_uint_eq(rtc_seconds(), 1709210096);
    cmos_set(0, (const uint8_t[6]){0x59, 0x59, 0x91, 0x31, 0x12, 0x26}); // 11 at night
    ck_assert_uint_eq(rtc_seconds(), 1798761599);
    cmos_set(0, (const uint8_t[6]){0, 0, 0x12, 0x01, 0x01, 0x27}); // midnight
    ck_assert_uint_eq(rtc_seconds(), 1798761600);
    cmos_set(4, (const uint8_t[6]){0, 0, 0x8c, 1, 1, 27}); // noon
    ck_assert_uint_eq(rtc_seconds(), 1798761600 + 43200);
    cmos_set(6,
             (const uint8_t[6]){0xff, 0xff, 0xff, 0xff, 0xff, 0xff}); // no clock: any date will do
    fake.cmos_updating = UINT32_MAX;
    (void)rtc_seconds();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("machine");
    TCase *tcase = tcase_create("all");
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, tsc_is_measured);
    tcase_add_test(tcase, tsc_is_measured_meanwhile);
    tcase_add_test(tcase, measuring_is_settled);
    tcase_add_test(tcase, tsc_is_told);
    tcase_add_test(tcase, nothing_says_how_fast);
    tcase_add_test(tcase, hpet_is_the_clock);
    tcase_add_test(tcase, kvm_has_a_clock);
    tcase_add_test(tcase, kvm_writes_meanwhile);
    tcase_add_test(tcase, kvm_clocks_disagree);
    tcase_add_test(tcase, alarm_counts_down);
    tcase_add_test(tcase, alarm_is_a_tsc_value);
    tcase_add_test(tcase, x2apic);
    tcase_add_test(tcase, xapic);
    tcase_add_test(tcase, vector_sizes);
    tcase_add_test(tcase, vector_choice);
    tcase_add_test(tcase, vector_state_that_was_not_written_is_initial);
    tcase_add_test(tcase, date);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
