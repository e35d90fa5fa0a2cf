// SPDX-License-Identifier: BSD-3-Clause
// contract.c: the single promises of the contract: memory, faults, system calls, resuming, devices,
// notices, idle.
#include <errno.h>
#include <signal.h>
#include <sys/resource.h>

#include "hal-linux/syscall.h"
#include "hal-linux/vcpu.h"
#include "hal/upcall.h"
#include "tests/system/hal_linux/cases.h"
#include "tests/system/hal_linux/devices.h"
#include "tests/system/hal_linux/ring.h"
#include "tests/system/hal_linux/sched.h"

// ---- Memory -------------------------------------------------------------------------

static char *lazy_va;
static hal_phys lazy_pa;

static bool lazy_fault(const struct hal_fault *fault, struct hal_frame *frame)
{
    size_t offset = (size_t)(fault->va - lazy_va);
    ASSERT(fault->kind == HAL_FAULT_PAGE);
    return offset < HAL_PAGE_SIZE &&
           hal_map(lazy_va, lazy_pa, HAL_PAGE_SIZE, HAL_READ | HAL_WRITE) == 0;
}

// Every size and offset of a copy, and where it must stop.
static void copy_check(char *good, char *bad)
{
    char *source = page_alloc(1, NULL);
    for (size_t i = 0; i < 256; ++i) {
        source[i] = (char)(i * 7 + 1);
    }
    for (size_t size = 0; size < 100; ++size) {
        for (size_t at = 0; at < 9; ++at) {
            good[at + size] = 99;
            ASSERT(hal_copy_safe(good + at, source + at * 2, size) == 0);
            for (size_t i = 0; i < size; ++i) {
                ASSERT(good[at + i] == source[at * 2 + i]);
            }
            ASSERT(good[at + size] == 99);
            ASSERT(size == 0 || hal_copy_safe(bad - size + 1, source, size) == -EFAULT);
            ASSERT(size == 0 || hal_copy_safe(source + 512, bad - size + 1, size) == -EFAULT);
        }
    }
    uintptr_t state = hal_irq_save();
    ASSERT(hal_copy_safe(good, bad, 1) == -EFAULT && !hal_irq_enabled());
    hal_irq_restore(state);
}

static void window_check(char *base, size_t size)
{
    hal_phys pa, found;
    unsigned prot;
    char *direct = page_alloc(4, &pa);
    char *va = base + size - 4 * HAL_PAGE_SIZE; // the very end
    ASSERT(hal_translate(va, &found, &prot) == -EFAULT);
    ASSERT(hal_map(va, pa, 4 * HAL_PAGE_SIZE, HAL_READ | HAL_WRITE) == 0);
    hal_populate(va, 4 * HAL_PAGE_SIZE);
    va[HAL_PAGE_SIZE] = 5;
    ASSERT(direct[HAL_PAGE_SIZE] == 5);
    ASSERT(hal_protect(va + HAL_PAGE_SIZE, HAL_PAGE_SIZE, HAL_READ) == 0);
    ASSERT(hal_translate(va + HAL_PAGE_SIZE + 3, &found, &prot) == 0);
    ASSERT(found == pa + HAL_PAGE_SIZE + 3 && prot == HAL_READ);
    ASSERT(hal_copy_safe(va + HAL_PAGE_SIZE, "x", 1) == -EFAULT && va[HAL_PAGE_SIZE] == 5);
    uint64_t dirty = 0;
    hal_dirty_take(va, 4 * HAL_PAGE_SIZE, &dirty);
    ASSERT(dirty == 15);
    ASSERT(hal_unmap(va, 2 * HAL_PAGE_SIZE) == 0);
    ASSERT(hal_translate(va, &found, &prot) == -EFAULT);
    ASSERT(hal_translate(va + 2 * HAL_PAGE_SIZE, &found, &prot) == 0 &&
           prot == (HAL_READ | HAL_WRITE));
    ASSERT(hal_copy_safe(direct, va, 1) == -EFAULT);
    ASSERT(hal_unmap(va + 2 * HAL_PAGE_SIZE, 2 * HAL_PAGE_SIZE) == 0);
    ASSERT(hal_map(base + size, pa, HAL_PAGE_SIZE, HAL_READ) == -EINVAL);
    ASSERT(hal_map(base, 1ul << 40, HAL_PAGE_SIZE, HAL_READ) == -EINVAL);
}

static void code_check(char *va)
{
    static const unsigned char code[] = {0xb8, 42, 0, 0, 0, 0xc3}; // mov $42, %eax; ret
    hal_phys pa;
    char *direct = page_alloc(1, &pa);
    ASSERT(hal_copy_safe(direct, code, sizeof code) == 0);
    ASSERT(hal_map(va, pa, HAL_PAGE_SIZE, HAL_READ | HAL_EXEC) == 0);
    hal_code_sync(va, HAL_PAGE_SIZE);
    int (*function)(void);
    *(void **)&function = va;
    ASSERT(function() == 42);
    ASSERT(hal_unmap(va, HAL_PAGE_SIZE) == 0);
}

void memory_run(void *arg)
{
    hal_phys pa, found;
    unsigned prot;
    char *direct = page_alloc(1, &pa);
    ASSERT(hal_translate(direct + 9, &found, &prot) == 0 && found == pa + 9);
    window_check(case_boot->va_base, case_boot->va_size);
    if (case_boot->low_size != 0) {
        window_check(case_boot->low_base, case_boot->low_size);
    }
    code_check(va_next);
    lazy_va = va_next + HAL_PAGE_SIZE;
    (void)page_alloc(1, &lazy_pa);
    case_fault = lazy_fault;
    copy_check(lazy_va, va_next + (64ul << 20));
    hal_ns start = hal_clock_ns();
    for (int i = 0; i < 10000; ++i) {
        ASSERT(hal_unmap(lazy_va, HAL_PAGE_SIZE) == 0);
        *(volatile char *)lazy_va = 1;
    }
    report("unmap, fault, map, resume, ns:", (hal_clock_ns() - start) / 10000);
    case_passed();
}

// ---- System calls -------------------------------------------------------------------

static long getppid_answer(long number, struct hal_frame *frame)
{
    static struct hal_regs regs; // one at a time
    hal_frame_get(frame, &regs);
    ASSERT(regs.general[HAL_REG_RAX] == SYS_getppid && regs.general[HAL_REG_R12] == 12);
    ASSERT(number == SYS_getppid);
    regs.general[HAL_REG_R12] = 13;
    hal_frame_set(frame, &regs);
    return 4711;
}

// mov $12, %r12; mov $SYS_getppid, %eax; syscall; mov %r12, %rdx; ret: text that is not osv-sim's.
static const unsigned char syscall_code[] = {
    0x49, 0xc7, 0xc4, 12, 0, 0, 0, 0xb8, SYS_getppid, 0, 0, 0, 0x0f, 0x05, 0x4c, 0x89, 0xe2, 0xc3};

void syscall_run(void *arg)
{
    hal_phys pa;
    char *direct = page_alloc(1, &pa);
    ASSERT(hal_copy_safe(direct, syscall_code, sizeof syscall_code) == 0);
    ASSERT(hal_map(va_next, pa, HAL_PAGE_SIZE, HAL_READ | HAL_EXEC) == 0);
    case_syscall = getppid_answer;
    long answer, changed;
    __asm__ volatile("call *%2"
                     : "=a"(answer), "=d"(changed)
                     : "r"(va_next)
                     : "r12", "rcx", "r11", "memory");
    ASSERT(answer == 4711 && changed == 13);
    ASSERT(hal_irq_enabled());
    case_passed();
}

// ---- Resuming ------------------------------------------------------------------------

static struct hal_regs saved, resumed;
static volatile uint32_t trap_count;

// Takes the register image of a trap, and later goes back to it from elsewhere.
static bool trap_fault(const struct hal_fault *fault, struct hal_frame *frame)
{
    ASSERT(fault->kind == (trap_count == 0 ? HAL_FAULT_TRAP : HAL_FAULT_ILLEGAL));
    hal_frame_get(frame, ++trap_count == 1 ? &saved : &resumed);
    if (trap_count == 2) {
        hal_regs_resume(&saved); // from the entry stack
    }
    return true;
}

void resume_run(void *arg)
{
    case_fault = trap_fault;
    volatile uint32_t passes = 0;
    double kept = 0;
    // xmm6 and rbx as they were at the trap, whatever has happened since.
    __asm__ volatile("mov $77, %%ebx\n\tcvtsi2sd %%ebx, %%xmm6\n\tint3\n\tmovsd %%xmm6, %0"
                     : "=m"(kept)
                     :
                     : "rbx", "xmm6", "memory");
    ++passes;
    ASSERT(hal_irq_enabled() && kept == 77);
    __asm__ volatile("xorps %%xmm6, %%xmm6" : : : "xmm6");
    if (passes == 1) {
        hal_regs_resume(&saved); // from the thread's own stack
    }
    if (passes == 2) {
        __asm__ volatile("ud2");
    }
    ASSERT(passes == 3 && trap_count == 2);
    case_passed();
}

// ---- Devices -------------------------------------------------------------------------

static _Atomic uint32_t dev_count;
static struct thread *dev_waiter;

static void dev_wake(struct hal_dev *dev, uint32_t queue)
{
    atomic_fetch_add(&dev_count, 1);
    if (dev_waiter != NULL) {
        thread_wake(dev_waiter);
    }
}

static struct hal_dev *dev_find(enum hal_dev_kind kind)
{
    for (size_t i = 0; i < case_boot->dev_count; ++i) {
        if (case_boot->devs[i].kind == kind) {
            return case_boot->devs[i].dev;
        }
    }
    sched_panic("no such device", kind);
}

// A chain of three answers in full, and one interrupt follows.
static void entropy_check(uint32_t cpu)
{
    struct ring ring;
    uint32_t head, written;
    ring_start(&ring, dev_find(HAL_ENTROPY), 0, cpu);
    atomic_store(&dev_count, 0);
    ring_desc(&ring, 3, 100, VRING_DESC_F_WRITE | VRING_DESC_F_NEXT, 1);
    ring_desc(&ring, 1, 50, VRING_DESC_F_WRITE | VRING_DESC_F_NEXT, 2);
    ring_desc(&ring, 2, 8, VRING_DESC_F_WRITE, 0);
    for (uint32_t round = 1; round <= 3 * RING_SIZE; ++round) {
        ring_send(&ring, 3);
        ASSERT(ring_take(&ring, &head, &written) && head == 3 && written == 158);
        while (atomic_load(&dev_count) != round) {
            thread_yield();
        }
    }
    uint64_t seen = 0;
    for (size_t i = 0; i < 8; ++i) {
        seen |= (uint64_t)(unsigned char)ring.buffer[2 * RING_BUFFER + i] << 8 * i;
    }
    ASSERT(seen != 0 && ring.buffer[2 * RING_BUFFER + 8] == 0);
    ring.avail->flags = VRING_AVAIL_F_NO_INTERRUPT;
    ring_send(&ring, 3);
    ASSERT(ring_take(&ring, &head, &written) && atomic_load(&dev_count) == 3 * RING_SIZE);
    hal_dev_stop(ring.dev);
    ring_send(&ring, 3);
    ASSERT(!ring_take(&ring, &head, &written));
}

enum hostile {
    BAD_ADDRESS,
    BAD_LENGTH,
    BAD_NEXT,
    BAD_LOOP,
    BAD_ORDER,
    BAD_HEAD,
    BAD_INDEX,
    HOSTILE_COUNT
};

static void hostile_write(struct ring *ring, enum hostile hostile)
{
    const uint16_t write = VRING_DESC_F_WRITE, next = VRING_DESC_F_NEXT;
    ring_desc(ring, 0, 64, write | (hostile == BAD_ADDRESS || hostile == BAD_LENGTH ? 0 : next), 1);
    ring_desc(ring, 1, 64, write, 0);
    switch (hostile) {
    case BAD_ADDRESS:
        ring->desc[0].addr = UINT64_MAX - 32;
        break;
    case BAD_LENGTH:
        ring->desc[0].len = UINT32_MAX;
        break;
    case BAD_NEXT:
        ring->desc[0].next = RING_SIZE;
        break;
    case BAD_LOOP:
        ring->desc[1].flags = write | next;
        break;
    case BAD_ORDER:
        ring->desc[1].flags = 0;
        break;
    case BAD_INDEX:
        ring->avail->idx = RING_SIZE + 4;
        break;
    default:
        break;
    }
}

// A ring that breaks the rules is never answered, harms nothing, and the device works again when
// opened again.
static void hostile_check(void)
{
    for (enum hostile hostile = 0; hostile < HOSTILE_COUNT; ++hostile) {
        struct ring ring;
        uint32_t head, written;
        ring_start(&ring, dev_find(HAL_ENTROPY), 0, 0);
        hostile_write(&ring, hostile);
        ring_send(&ring, hostile == BAD_HEAD ? RING_SIZE : 0);
        ASSERT(!ring_take(&ring, &head, &written));
    }
    entropy_check(0);
}

static void refuse_check(struct hal_dev *dev)
{
    uint64_t features = 1;
    struct hal_ring facts = {.desc = HAL_PAGE_SIZE,
                             .avail = 2 * HAL_PAGE_SIZE,
                             .used = 3 * HAL_PAGE_SIZE,
                             .size = RING_SIZE};
    ASSERT(hal_dev_open(dev, &features) == -ENODEV && features == 0);
    ASSERT(hal_dev_queue(dev, 9, &facts, 0) == -EINVAL);
    facts.size = 5;
    ASSERT(hal_dev_queue(dev, 0, &facts, 0) == -EINVAL);
    facts.size = RING_SIZE;
    facts.used = 1ul << 50;
    ASSERT(hal_dev_queue(dev, 0, &facts, 0) == -EINVAL);
}

void device_run(void *arg)
{
    case_dev = dev_wake;
    for (uint32_t cpu = 0; cpu < case_boot->cpu_count; ++cpu) {
        entropy_check(cpu);
    }
    hostile_check();
    refuse_check(dev_find(HAL_ENTROPY));
    uint32_t config = 0;
    hal_dev_config(dev_find(HAL_CONSOLE), 0, &config, sizeof config);
    ASSERT(config == ECHO_CONFIG);
    case_passed();
}

// Requests that block overtake each other: the longest is sent first and answered last.
void worker_run(void *arg)
{
    enum { COUNT = 5 };
    struct ring ring;
    case_dev = dev_wake;
    dev_waiter = hal_self();
    ring_start(&ring, dev_find(HAL_CONSOLE), ECHO_BY_WORKER, case_boot->cpu_count - 1);
    for (uint32_t round = 0; round < 20; ++round) {
        for (uint16_t i = 0; i < COUNT; ++i) {
            ring_desc(&ring, i * 2, 2, VRING_DESC_F_NEXT, i * 2 + 1);
            ring_desc(&ring, i * 2 + 1, 2, VRING_DESC_F_WRITE, 0);
            ring.buffer[i * 2 * RING_BUFFER] = (char)(2 * (COUNT - i));
            ring.buffer[i * 2 * RING_BUFFER + 1] = (char)(i + round);
            ring_send(&ring, i * 2);
        }
        for (uint32_t done = 0; done < COUNT;) {
            uint32_t head, written;
            if (!ring_take(&ring, &head, &written)) {
                thread_park();
                continue;
            }
            ASSERT(written == 2 && head % 2 == 0 && head < 2 * COUNT);
            ASSERT(ring.buffer[(head + 1) * RING_BUFFER + 1] == (char)(head / 2 + round));
            ++done;
        }
    }
    case_passed();
}

// ---- Many CPUs at one ring --------------------------------------------------------------

static _Atomic uint32_t storm_stop, storm_running;

static void storm_kick(void *arg)
{
    const struct ring *ring = arg;
    atomic_fetch_add(&storm_running, 1);
    while (!atomic_load(&storm_stop)) {
        hal_dev_kick(ring->dev, ring->queue);
    }
    atomic_fetch_sub(&storm_running, 1);
}

// Whoever serves a chain and whoever publishes it: each comes back once, with its own answer.
static void storm_check(enum hal_dev_kind kind, uint32_t queue, hal_ns time)
{
    enum { COUNT = RING_SIZE / 2 };
    struct ring *ring = (struct ring *)page_alloc(1, NULL);
    ring_start(ring, dev_find(kind), queue, 0);
    atomic_store(&storm_stop, 0);
    for (uint32_t cpu = 1; cpu < case_boot->cpu_count; ++cpu) {
        thread_create(cpu, NULL, NULL, storm_kick, ring);
    }
    uint64_t rounds = 0;
    for (hal_ns end = hal_clock_ns() + time; hal_clock_ns() < end; ++rounds) {
        for (uint16_t i = 0; i < COUNT; ++i) {
            bool is_echo = kind == HAL_CONSOLE;
            ring_desc(ring, i * 2, 2, is_echo ? VRING_DESC_F_NEXT : VRING_DESC_F_WRITE, i * 2 + 1);
            ring_desc(ring, i * 2 + 1, 2, VRING_DESC_F_WRITE, 0);
            ring->buffer[i * 2 * RING_BUFFER] = 0;
            ring->buffer[i * 2 * RING_BUFFER + 1] = (char)(i + rounds);
            ring_send(ring, i * 2);
        }
        uint32_t missing = (1u << COUNT) - 1;
        while (missing != 0) {
            uint32_t head, written;
            if (!ring_take(ring, &head, &written)) {
                hal_cpu_relax();
                continue;
            }
            ASSERT(head % 2 == 0 && (missing >> head / 2 & 1) && written == 2);
            ASSERT(kind != HAL_CONSOLE ||
                   ring->buffer[(head + 1) * RING_BUFFER + 1] == (char)(head / 2 + rounds));
            missing &= ~(1u << head / 2);
        }
    }
    atomic_store(&storm_stop, 1);
    while (atomic_load(&storm_running) != 0) {
        thread_yield();
    }
    report("rounds of 8 chains:", rounds);
    hal_dev_stop(ring->dev);
}

void storm_run(void *arg)
{
    case_dev = dev_wake;
    storm_check(HAL_ENTROPY, 0, case_seconds * 500000000);
    storm_check(HAL_CONSOLE, ECHO_AT_ONCE, case_seconds * 500000000);
    storm_check(HAL_CONSOLE, ECHO_BY_WORKER, case_seconds * 500000000);
    case_passed();
}

// ---- Notices, idle -------------------------------------------------------------------

static _Atomic uint32_t notice_seen;

static void notice_note(uint32_t notice)
{
    ASSERT(hal_cpu_self() == &cpus[0]);
    atomic_fetch_or(&notice_seen, 1u << notice);
}

void notice_run(void *arg)
{
    const int signals[] = {SIGINT, SIGTERM, SIGQUIT, SIGWINCH};
    const enum hal_notice notices[] = {HAL_NOTICE_INTERRUPT, HAL_NOTICE_TERMINATE, HAL_NOTICE_QUIT,
                                       HAL_NOTICE_RESIZE};
    case_notice = notice_note;
    for (uint32_t i = 0; i < 4; ++i) {
        ASSERT(syscall3(SYS_kill, vcpu_pid, signals[i], 0) == 0);
        while (!(atomic_load(&notice_seen) >> notices[i] & 1)) {
            thread_sleep_until(hal_clock_ns() + 1000000);
        }
    }
    case_passed();
}

static uint64_t cpu_used_us(void)
{
    struct rusage usage;
    syscall3(SYS_getrusage, RUSAGE_SELF, (long)&usage, 0);
    return (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 +
           (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

void idle_run_test(void *arg)
{
    thread_sleep_until(hal_clock_ns() + 100000000);
    uint64_t before = cpu_used_us();
    thread_sleep_until(hal_clock_ns() + case_seconds * 1000000000);
    uint64_t used = (cpu_used_us() - before) / case_seconds;
    report("CPU time used while idle, us per s:", used);
    ASSERT(used < 20000);
    hal_ns late_sum = 0, late_max = 0;
    for (int i = 0; i < 100; ++i) {
        hal_ns when = hal_clock_ns() + 5000000;
        thread_sleep_until(when);
        hal_ns late = hal_clock_ns() - when;
        ASSERT(late < 1ull << 40); // never early
        late_sum += late;
        late_max = late > late_max ? late : late_max;
    }
    report("5 ms timer, late by ns, mean:", late_sum / 100);
    report("5 ms timer, late by ns, max:", late_max);
    case_passed();
}

void crash_run(void *arg)
{
    *(volatile char *)(va_next + 0x123) = 1;
    case_passed();
}
