// SPDX-License-Identifier: BSD-3-Clause
// upcall.c: the upcalls that several rooms answer together.
#include "hal/upcall.h"

#include "core/linux/trap.h"
#include "core/mem/frame.h"
#include "core/mem/usage.h"
#include "core/sched/sched.h"
#include "core/vm/vm.h"

// Core copies under its locks, and what it copies does not wait for memory.
static bool page_fault(const struct hal_fault *fault)
{
    return fault->is_optional ? vm_fault(fault->va, fault->access)
                              : vm_fault_patient(fault->va, fault->access);
}

bool upcall_fault(const struct hal_fault *fault, struct hal_frame *frame)
{
    sched_fault_count();
    return (fault->kind == HAL_FAULT_PAGE && page_fault(fault)) || signal_fault(fault, frame);
}

hal_phys upcall_table_get(void)
{
    hal_phys page;
    if (frame_alloc(1, FRAME_ZERO | FRAME_PROMISED, &page) != 0) {
        return 0;
    }
    usage_add(USAGE_TABLES, 1);
    return page;
}

void upcall_table_put(hal_phys page)
{
    usage_take(USAGE_TABLES, 1);
    frame_free(page, 1);
}
