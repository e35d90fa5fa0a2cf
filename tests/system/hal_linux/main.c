// SPDX-License-Identifier: BSD-3-Clause
// main.c: chooses a case, starts the machine with a scheduler just large enough to try the
// contract.
//
// usage: hal_linux CASE VCPUS [SECONDS [WORKERS [SLOWDOWN [eager]]]]
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hal-linux/boot.h"
#include "hal-linux/dev/entropy.h"
#include "hal-linux/irq.h"
#include "hal/upcall.h"
#include "tests/system/hal_linux/cases.h"
#include "tests/system/hal_linux/devices.h"
#include "tests/system/hal_linux/sched.h"

uint64_t case_seconds = 2;
const struct hal_boot *case_boot;
void (*case_notice)(uint32_t notice);
void (*case_dev)(struct hal_dev *dev, uint32_t queue);
long (*case_syscall)(long number, struct hal_frame *frame);
bool (*case_fault)(const struct hal_fault *fault, struct hal_frame *frame);
static void (*case_run)(void *arg);

static const struct {
    const char *name;
    void (*run)(void *arg);
} cases[] = {
    {"mix", mix_run},        {"step", step_run},       {"idle", idle_run_test},
    {"memory", memory_run},  {"syscall", syscall_run}, {"resume", resume_run},
    {"device", device_run},  {"worker", worker_run},   {"notice", notice_run},
    {"crash", crash_run},    {"bench", bench_run},     {"storm", storm_run},
    {"wire", wire_run_test},
};

void case_passed(void)
{
    static const char text[] = "ok 1\n";
    hal_console_write(text, sizeof text - 1);
    hal_halt(HAL_POWER_OFF, 0);
}

// ---- The upcalls that the scheduler does not take -----------------------------------

void upcall_boot(const struct hal_boot *boot)
{
    case_boot = boot;
    sched_start(boot, case_run, NULL);
}

void upcall_dev(struct hal_dev *dev, uint32_t queue, struct hal_frame *frame)
{
    ASSERT(!hal_irq_enabled() && case_dev != NULL);
    case_dev(dev, queue);
}

void upcall_notice(enum hal_notice notice)
{
    ASSERT(!hal_irq_enabled());
    if (case_notice != NULL) {
        case_notice(notice);
    }
}

bool upcall_fault(const struct hal_fault *fault, struct hal_frame *frame)
{
    return case_fault != NULL && case_fault(fault, frame);
}

long upcall_syscall(long a, long b, long c, long d, long e, long f, long number,
                    struct hal_frame *frame)
{
    ASSERT(hal_irq_enabled() && case_syscall != NULL);
    return case_syscall(number, frame);
}

hal_phys upcall_table_get(void)
{
    return 0;
}

void upcall_table_put(hal_phys page)
{
    sched_panic("table put", page);
}

// ---- Hosted -------------------------------------------------------------------------

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: %s CASE VCPUS [SECONDS [WORKERS [SLOWDOWN [eager]]]]\n", argv[0]);
        return 2;
    }
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
        if (strcmp(argv[1], cases[i].name) == 0) {
            case_run = cases[i].run;
        }
    }
    case_seconds = argc > 3 ? strtoul(argv[3], NULL, 10) : case_seconds;
    step_stride = argc > 4 ? strtoul(argv[4], NULL, 10) : 1;
    if (case_run == mix_run) {
        mix_prepare(argc > 4 ? (uint32_t)atoi(argv[4]) : 200,
                    argc > 5 ? (uint32_t)atoi(argv[5]) : 1, argc <= 6);
    }
    if (case_run == wire_run_test && wire_add() != 0) {
        return 2;
    }
    if (case_run == NULL || entropy_add() != 0 || echo_add() != 0) {
        return 2;
    }
    const struct boot_options options = {.cpu_count = (uint32_t)atoi(argv[2]),
                                         .memory_size = 256ul << 20,
                                         .args = (const char *const *)argv + 1,
                                         .verbose = true};
    return boot_run(&options);
}
