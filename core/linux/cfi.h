// SPDX-License-Identifier: BSD-3-Clause
// cfi.h: how a function keeps its caller's registers, as its call frame information says.
//
// Sources: DWARF 5, 6.4; Linux Standard Base, 10.6 (.eh_frame, .eh_frame_hdr); the psABIs' register
// numbers.
#ifndef CORE_LINUX_CFI_H
#define CORE_LINUX_CFI_H

#include <stdbool.h>
#include <stdint.h>

enum cfi_kind { CFI_SAME, CFI_AT_OFFSET, CFI_UNDEFINED };

struct cfi_rule {
    enum cfi_kind kind;
    int64_t offset; // from the canonical frame address
};

struct cfi_row {
    uint64_t cfa_register; // DWARF number
    int64_t cfa_offset;
    struct cfi_rule frame, return_address;
    bool is_signal_frame;
};

// The row for ip. eh_frame_header: the object's. False: none, or one that needs more than registers
// and offsets.
bool cfi_find(const void *eh_frame_header, uintptr_t ip, struct cfi_row *row);

#endif
