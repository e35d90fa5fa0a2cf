// SPDX-License-Identifier: BSD-3-Clause
// thread.h: host threads that carry vCPUs. Hosted.
#ifndef HAL_LINUX_THREAD_H
#define HAL_LINUX_THREAD_H

#include <stdbool.h>

#include "hal-linux/vcpu.h"

// Makes the table of vCPUs. verbose: says on standard error what this host lacks. 0 or -errno.
int threads_init(uint32_t count, bool verbose);

// Starts a host thread that takes signals for vcpu and calls carry(vcpu), which does not return. 0
// or -errno.
int thread_carry(struct vcpu *vcpu, void (*carry)(struct vcpu *));

// The calling host thread runs guest code from here on: a system call from any text but ours is a
// signal.
void thread_guest_begin(void);

#endif
