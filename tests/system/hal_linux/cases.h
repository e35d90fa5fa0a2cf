// SPDX-License-Identifier: BSD-3-Clause
// cases.h: the tests of hal-linux. Each runs as the first thread and ends with case_passed.
#ifndef TESTS_SYSTEM_HAL_LINUX_CASES_H
#define TESTS_SYSTEM_HAL_LINUX_CASES_H

#include "hal/upcall.h"

extern uint64_t case_seconds; // how long a case that takes any time may take
extern const struct hal_boot *case_boot;
extern uint64_t step_stride; // step: every how many instructions
extern void (*case_notice)(uint32_t notice);
extern void (*case_dev)(struct hal_dev *dev, uint32_t queue);
extern long (*case_syscall)(long number, struct hal_frame *frame);
extern bool (*case_fault)(const struct hal_fault *fault, struct hal_frame *frame);

HAL_NORETURN void case_passed(void);

void mix_run(void *arg);
void mix_prepare(uint32_t workers, uint32_t scale, bool lazy); // before the scheduler starts
void step_run(void *arg);
void idle_run_test(void *arg);
void memory_run(void *arg);
void syscall_run(void *arg);
void resume_run(void *arg);
void device_run(void *arg);
void worker_run(void *arg);
void storm_run(void *arg);
void notice_run(void *arg);
void wire_run_test(void *arg);
void crash_run(void *arg);
void bench_run(void *arg);

#endif
