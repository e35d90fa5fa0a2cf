// SPDX-License-Identifier: BSD-3-Clause
// vcpu.c: the table of vCPUs, and what is raised on them.
#include "hal-linux/vcpu.h"

#include <asm/prctl.h>
#include <linux/futex.h>

#include "hal-linux/machine.h"
#include "hal-linux/syscall.h"

struct vcpu vcpus[HAL_CPU_MAX];
uint32_t vcpu_count;
uint32_t vcpu_host_count;
int vcpu_pid;

void hal_cpu_adopt(struct cpu *cpu)
{
    vcpu_self()->cpu = cpu;
}

void vcpu_source_free(struct vcpu *vcpu)
{
    if (atomic_load(&vcpu->pending) == VCPU_IDLE) {
        syscall3(SYS_futex, (long)&vcpu->pending, FUTEX_WAKE_PRIVATE, 1);
    }
}

void vcpu_raise_line(struct vcpu *vcpu, uint32_t line)
{
    atomic_fetch_or(&vcpu->lines[line / 64], 1ul << line % 64);
    vcpu_raise(vcpu, VCPU_DEV);
}

void vcpu_raise_notice(uint32_t notice)
{
    atomic_fetch_or(&vcpus[0].notices, 1u << notice);
    vcpu_raise(&vcpus[0], VCPU_NOTICE);
}

void hal_cpu_kick(uint32_t index)
{
    vcpu_raise(&vcpus[index], VCPU_KICK);
}

void vcpu_adopt_thread(struct vcpu *block)
{
    *block = (struct vcpu){.self = block, .masked = 1, .index = VCPU_HOSTED};
    syscall3(SYS_arch_prctl, ARCH_SET_GS, (long)block, 0);
}

// setfsuid(2) is of one thread, unlike what the C library makes of setuid(2).
void machine_act_as(uint32_t uid, uint32_t gid)
{
    struct vcpu *vcpu = vcpu_self();
    if (vcpu->acts_uid == uid && vcpu->acts_gid == gid) {
        return;
    }
    vcpu->acts_uid = uid;
    vcpu->acts_gid = gid;
    syscall3(SYS_setfsgid, gid, 0, 0);
    syscall3(SYS_setfsuid, uid, 0, 0);
}
