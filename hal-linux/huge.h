// SPDX-License-Identifier: BSD-3-Clause
// huge.h: huge pages of the host beneath the machine's memory, which is shared memory to it.
#ifndef HAL_LINUX_HUGE_H
#define HAL_LINUX_HUGE_H

#include <stddef.h>

#include "hal/hal.h"

// When the host gives shared memory 2 MiB at a touch.
enum huge_host {
    HUGE_HOST_NEVER,
    HUGE_HOST_ADVISED, // where a view was advised (MADV_HUGEPAGE)
    HUGE_HOST_UNASKED,
};

// As the host's settings have it (Linux's admin-guide/mm/transhuge.rst): all is the text of
// /sys/kernel/mm/transparent_hugepage/shmem_enabled, large that of hugepages-2048kB/shmem_enabled
// there, which hosts before Linux 6.11 have not. NULL: there is no such file.
enum huge_host huge_host_of(const char *all, const char *large);

// At boot, before views are made.
void huge_host_set(enum huge_host host);

// A view of [pa, pa + size) of the memory has been made at va: what lies in it as in the memory may
// come 2 MiB at a touch.
void huge_view(char *va, hal_phys pa, size_t size, unsigned prot);

// Brings the pages of [va, va + size), a view that may be written, 2 MiB by 2 MiB, so that
// interrupts need not wait for longer. An error ends it: then they come by faults.
void huge_populate(char *va, size_t size);

// memory.c's: madvise of the host. 0 or -errno.
long huge_host_advise(char *va, size_t size, int advice);

#endif
