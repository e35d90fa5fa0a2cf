// SPDX-License-Identifier: BSD-3-Clause
// tree.h: what the device tree says.
#ifndef HAL_AARCH64_MACHINE_TREE_H
#define HAL_AARCH64_MACHINE_TREE_H

#include "hal/common/memory_list.h"
#include "hal/hal.h"

enum { TREE_SEED_MAX = 64 };

// A start of 0 says that there is none. Everything is copied but the tree itself, which `blob`
// keeps from core.
struct tree {
    struct memory_list ram;
    struct memory_list
        reserved; // whole pages of ram that core must not have: the tree, the loader's own
    const char *const *args;       // ends with NULL
    struct hal_module module;      // size 0: none
    struct hal_region serial;      // PL011
    struct hal_region rtc;         // PL031
    struct hal_region distributor; // GICv2
    struct hal_region interrupts;  // GICv2's CPU interface
    bool psci_by_smc;
    unsigned char seed[TREE_SEED_MAX]; // unpredictable bytes from the loader
    size_t seed_size;
};

// Reads the tree at blob. False: there is none.
bool tree_read(struct tree *tree, const void *blob, hal_phys blob_phys);

#endif
