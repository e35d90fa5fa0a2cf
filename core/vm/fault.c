// SPDX-License-Identifier: BSD-3-Clause
// fault.c: page faults: anonymous memory comes without a lock (lazy.c), pages of files inside the
// gate of their addresses (gate.h).
//
// What is found without the mutex is used only where it resolves the fault; else the mutex is taken
// and says how things are, for a mapping may be about to be put in another's place.
#include "core/lib/errno.h"
#include "core/sched/thread.h"
#include "core/sync/shrinker.h"
#include "core/vm/area.h"
#include "core/vm/change.h"
#include "core/vm/filemap.h"
#include "core/vm/gate.h"
#include "core/vm/grow.h"
#include "core/vm/lazy.h"
#include "core/vm/vm.h"

// What a page with prot may be used for: no machine can write or execute what it cannot read.
static bool is_allowed(unsigned prot, unsigned access)
{
    prot = prot != 0 ? prot | HAL_READ : 0;
    return (access & ~prot) == 0 && prot != 0;
}

// What the pager has said not to be here.
struct wanted {
    struct vm_pager *pager; // held
    uint64_t offset;
};

// Inside the gate, an access that is allowed. 0, -EFAULT, -ENOMEM, or -EAGAIN: *wanted is to be
// prepared.
static int page_bring(const struct area *area, char *va, unsigned access, struct wanted *wanted)
{
    const int error = filemap_fault(area, va, access);
    if (error == -EAGAIN) {
        char *page = va - (uintptr_t)va % HAL_PAGE_SIZE;
        wanted->pager = area->pager;
        wanted->offset = area->offset + (uint64_t)(page - area->start);
        wanted->pager->get(wanted->pager);
    }
    return error;
}

// -EBUSY: the mutex has to be taken.
static int fault_alone(char *va, unsigned access, struct wanted *wanted, bool *has_waited)
{
    if (!gate_enter(va, has_waited)) {
        return -EBUSY;
    }
    struct area area;
    const bool is_ours = area_peek(va, &area) && filemap_is(&area) && is_allowed(area.prot, access);
    const int error = is_ours ? page_bring(&area, va, access, wanted) : -EBUSY;
    gate_leave(va);
    return error == 0 || error == -EAGAIN ? error : -EBUSY;
}

// Anonymous memory may have taken the place of what was there.
static bool is_there(char *va, unsigned access)
{
    hal_phys pa;
    unsigned prot;
    return lazy_fault(va, access) ||
           (hal_translate(va, &pa, &prot) == 0 && is_allowed(prot, access));
}

// The mutex is held: the gates are open.
static int area_bring(const struct area *area, char *va, unsigned access, struct wanted *wanted,
                      bool *has_waited)
{
    if (area == NULL || !is_allowed(area->prot, access)) {
        return -EFAULT;
    }
    if (!filemap_is(area)) {
        return is_there(va, access) ? 0 : -EFAULT;
    }
    if (!gate_enter(va, has_waited)) {
        return -EFAULT;
    }
    const int error = page_bring(area, va, access, wanted);
    gate_leave(va);
    return error;
}

static int fault_with_mutex(char *va, unsigned access, struct wanted *wanted, bool *has_waited)
{
    *has_waited = change_lock_waits() || *has_waited;
    grow_reach(va);
    const int error = area_bring(area_at(va), va, access, wanted, has_waited);
    change_unlock();
    return error;
}

// 0, -EFAULT, -ENOMEM, or -EAGAIN: it may be there now.
static int file_fault_once(char *va, unsigned access, bool *has_waited)
{
    struct wanted wanted;
    int error = fault_alone(va, access, &wanted, has_waited);
    error = error == -EBUSY ? fault_with_mutex(va, access, &wanted, has_waited) : error;
    if (error == -EAGAIN) {
        *has_waited = true;
        const int failure = wanted.pager->prepare(wanted.pager, wanted.offset, HAL_PAGE_SIZE);
        wanted.pager->put(wanted.pager);
        error = failure != 0 ? failure : -EAGAIN;
    }
    return error;
}

// is_patient: waits for memory.
static bool file_fault(char *va, unsigned access, bool is_patient)
{
    enum { TRIES = 5 }; // what somebody cuts off meanwhile, or takes back, is looked for again
    bool has_waited = false;
    int error = -EAGAIN;
    for (int i = 0; error == -EAGAIN && i < TRIES; ++i) {
        error = file_fault_once(va, access, &has_waited);
        if (error == -ENOMEM && is_patient) {
            has_waited = true;
            error = shrinker_wait(LAZY_CHUNK) ? -EAGAIN : -ENOMEM;
        }
    }
    if (has_waited) {
        // A stack probe (hal_irq_save) may have faulted on the way to sleep: the wake that it was
        // to sleep for may have ended the wait for a lock.
        thread_wake(thread_self());
    }
    return error == 0;
}

static bool fault(char *va, unsigned access, bool is_patient)
{
    return lazy_fault(va, access) ||
           (hal_irq_enabled() && !change_is_mine() && file_fault(va, access, is_patient));
}

bool vm_fault(char *va, unsigned access)
{
    return fault(va, access, false);
}

bool vm_fault_patient(char *va, unsigned access)
{
    return fault(va, access, true);
}

enum vm_refusal vm_refusal(char *va, unsigned access)
{
    struct wanted wanted = {.pager = NULL};
    bool has_waited;
    change_lock();
    const struct area *area = area_at(va);
    enum vm_refusal refusal = area == NULL                      ? VM_UNMAPPED
                              : !is_allowed(area->prot, access) ? VM_FORBIDDEN
                                                                : VM_NO_PAGE;
    if (refusal == VM_NO_PAGE && area_bring(area, va, access, &wanted, &has_waited) == 0) {
        refusal = VM_NONE;
    }
    change_unlock();
    if (wanted.pager != NULL) {
        wanted.pager->put(wanted.pager);
        refusal = file_fault(va, access, false) ? VM_NONE : VM_NO_PAGE;
    }
    return refusal;
}
