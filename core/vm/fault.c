// SPDX-License-Identifier: BSD-3-Clause
// fault.c: page faults: anonymous memory comes without a lock (lazy.c), pages of files under the
// mutex of the address space (filemap.c).
#include "core/lib/errno.h"
#include "core/sched/thread.h"
#include "core/vm/area.h"
#include "core/vm/change.h"
#include "core/vm/filemap.h"
#include "core/vm/lazy.h"
#include "core/vm/vm.h"

// What a page with prot may be used for: no machine can write or execute what it cannot read.
static bool is_allowed(const struct area *area, unsigned access)
{
    unsigned prot = area->prot != 0 ? area->prot | HAL_READ : 0;
    return (access & ~prot) == 0 && prot != 0;
}

// The next two are called with the mutex held.
static int area_fault(char *va, unsigned access)
{
    struct area *area = area_at(va);
    bool is_ours = area != NULL && filemap_is(area) && is_allowed(area, access);
    return is_ours ? filemap_fault(area, va, access) : -EFAULT;
}

// The pager brings what it has said not to be here; the mutex is free meanwhile.
static int area_prepare(char *va)
{
    const struct area *area = area_at(va);
    struct vm_pager *pager = area->pager;
    char *page = va - (uintptr_t)va % HAL_PAGE_SIZE;
    uint64_t offset = area->offset + (uint64_t)(page - area->start);
    pager->get(pager);
    change_unlock();
    int error = pager->prepare(pager, offset, HAL_PAGE_SIZE);
    pager->put(pager);
    change_lock();
    return error;
}

static bool file_fault(char *va, unsigned access)
{
    enum { PREPARE_MAX = 4 }; // one that somebody cuts off meanwhile is looked for again
    bool has_waited = change_lock_waits();
    int error = area_fault(va, access);
    for (int i = 0; error == -EAGAIN && i < PREPARE_MAX; ++i) {
        has_waited = true;
        error = area_prepare(va);
        error = error != 0 ? error : area_fault(va, access);
    }
    bool is_resolved = error == 0;
    change_unlock();
    if (has_waited) {
        // A stack probe (hal_irq_save) may have faulted on the way to sleep: the wake that it was
        // to sleep for may have ended the wait for the mutex.
        thread_wake(thread_self());
    }
    return is_resolved;
}

bool vm_fault(char *va, unsigned access)
{
    return lazy_fault(va, access) ||
           (hal_irq_enabled() && !change_is_mine() && file_fault(va, access));
}

enum vm_refusal vm_refusal(char *va, unsigned access)
{
    change_lock();
    const struct area *area = area_at(va);
    enum vm_refusal refusal = area == NULL                ? VM_UNMAPPED
                              : !is_allowed(area, access) ? VM_FORBIDDEN
                                                          : VM_NO_PAGE;
    change_unlock();
    return refusal;
}
