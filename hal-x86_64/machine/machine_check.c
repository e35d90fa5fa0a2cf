// SPDX-License-Identifier: BSD-3-Clause
// machine_check.c: errors that the hardware reports of itself (Intel SDM vol. 3, 16.3).
#include "machine_check.h"

#include "cpu_registers.h"

enum {
    MSR_CAPABILITIES = 0x179,
    MSR_STATUS = 0x17a,
    MSR_CONTROL = 0x17b,
    MSR_BANKS = 0x400, // control, status, address and more of each
    BANK_MSRS = 4,
    BANK_STATUS = 1,
    BANK_ADDRESS = 2,
    BANK_COUNT = 0xff, // of the capabilities
    HAS_CONTROL = 1 << 8,
    LEAF_FEATURES = 1,
    FEATURE_EXCEPTION = 1 << 7, // edx
    FEATURE_BANKS = 1 << 14,
    CR4_MACHINE_CHECK = 1 << 6,
};

static const uint64_t status_valid = 1ull << 63, status_has_address = 1ull << 58;

static uint32_t bank_count(void)
{
    const bool has_banks = (cpuid_read(LEAF_FEATURES, 0).d & FEATURE_BANKS) != 0;
    return has_banks ? (uint32_t)msr_read(MSR_CAPABILITIES) & BANK_COUNT : 0;
}

void machine_check_init(void)
{
    if ((cpuid_read(LEAF_FEATURES, 0).d & FEATURE_EXCEPTION) == 0) {
        return;
    }
    const uint32_t count = bank_count();
    if (count > 0 && (msr_read(MSR_CAPABILITIES) & HAS_CONTROL) != 0) {
        msr_write(MSR_CONTROL, UINT64_MAX);
    }
    for (uint32_t i = 0; i < count; ++i) {
        msr_write(MSR_BANKS + BANK_MSRS * i, UINT64_MAX);
        msr_write(MSR_BANKS + BANK_MSRS * i + BANK_STATUS, 0);
    }
    cr4_write(cr4_read() | CR4_MACHINE_CHECK);
}

void machine_check_read(struct machine_check *check)
{
    *check = (struct machine_check){.bank = 0};
    const uint32_t count = bank_count();
    check->global = count == 0 ? 0 : msr_read(MSR_STATUS);
    for (uint32_t i = 0; i < count; ++i) {
        const uint32_t bank = MSR_BANKS + BANK_MSRS * i;
        const uint64_t status = msr_read(bank + BANK_STATUS);
        if ((status & status_valid) != 0) {
            check->bank = i;
            check->status = status;
            check->address = (status & status_has_address) != 0 ? msr_read(bank + BANK_ADDRESS) : 0;
            return;
        }
    }
}
