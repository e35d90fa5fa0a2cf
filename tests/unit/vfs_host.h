// SPDX-License-Identifier: BSD-3-Clause
// vfs_host.h: the rooms under core/vfs and core/dev, played by the host, for single-threaded tests.
#ifndef VFS_HOST_H
#define VFS_HOST_H

#include <stdbool.h>
#include <stddef.h>

#include "hal/hal.h"

// Called whenever core would sleep: the test does here what another thread would have done. NULL,
// or a hook that changes nothing for a hundred calls: the test fails, for core would sleep for
// ever.
extern void (*host_sleep_hook)(void);

// Runs core's own threads, if there are any, each until it parks.
void host_thread_run(void);

// Where the caller is, of how many; 0 and 1 at first.
extern uint32_t host_cpu_index, host_cpu_count;

// Is a signal pending? What wait_is_interrupted answers.
extern bool host_is_interrupted;

// Allocations that have not been given back.
size_t host_block_count(void);

// What heap_alloc took from malloc last: who holds it says to Valgrind that it is kept for good.
const void *host_newest_block(void);
size_t host_frame_count(void);

// The next count allocations work, the one after them fails. -1: none fails.
void host_memory_fail_after(int count);

// ---- The transport, with the far ends that were added by device_add ----

// Devices for hal_boot, and device_init with them. After the far ends were added.
void host_devices_start(void);

// How many requests the far ends have been asked.
extern size_t host_request_count;

// Far ends do not do what only hal-linux's does, as if they were QEMU's virtiofsd: FUSE_ACCESS,
// TMPFILE, SYNCFS, appending, truncating in OPEN; a name that does not exist is an error.
extern bool host_far_is_plain;

// Runs what far ends deferred to a worker. False: there was nothing.
bool host_worker_run(void);

// Whether a deferred request is waiting.
bool host_worker_has_work(void);

#endif
