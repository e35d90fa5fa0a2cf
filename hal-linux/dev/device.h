// SPDX-License-Identifier: BSD-3-Clause
// device.h: the far end of a virtio ring, inside this process.
//
// A far end is a struct device_ops: a function that serves one chain of descriptors. hal_dev_kick
// takes the chains off the ring and calls it; what does not block is complete before hal_dev_kick
// returns. What would block is handed to a hosted worker thread by device_chain_defer and completed
// from there.
//
// serve runs in guest context: raw system calls only (hal-linux/syscall.h), interrupts off, on
// whatever stack kicked: keep below 1 KiB of stack, and keep larger scratch memory in state.
// Nothing a ring contains can make this layer touch memory outside the guest's: a chain that breaks
// the rules of virtio 1.x breaks its device, which then serves no more until it is opened again.
#ifndef HAL_LINUX_DEV_DEVICE_H
#define HAL_LINUX_DEV_DEVICE_H

#include <stdatomic.h>
#include <sys/uio.h>

#include "hal-linux/dev/worker.h"
#include "hal/hal.h"

enum {
    DEVICE_MAX = 64,        // devices
    DEVICE_QUEUE_MAX = 17,  // queues of one device
    DEVICE_RING_MAX = 256,  // descriptors in a ring; hal_dev_queue refuses more
    DEVICE_CONFIG_MAX = 64, // bytes of configuration
};

// One chain, from serve until device_chain_done. It lies in a table of its queue, so its address
// stays good while a worker has it. in and out are as the far end sees them: it reads `in` and
// writes `out`.
struct device_chain {
    struct hal_dev *dev;
    void *state; // as given to device_add
    uint32_t queue;
    uint32_t head;         // the chain's name on the ring
    uint32_t in_count;     // parts[0 .. in_count) were filled by the driver
    uint32_t out_count;    // parts[in_count .. in_count + out_count) are for the answer
    uint64_t note[4];      // the far end's own, to remember what between serve and a worker
    struct worker_job job; // of device_chain_defer
    void (*deferred)(struct device_chain *);
    uint32_t done_next;    // in the queue's stack of finished chains: head + 1, 0 ends
    uint32_t done_written; // bytes, of device_chains_done
    _Atomic bool taken;    // between take and done
    struct iovec parts[DEVICE_RING_MAX]; // addresses in the direct map
};

struct device_ops {
    uint64_t features;                 // offered besides VIRTIO_F_VERSION_1
    uint32_t queue_count;              // <= DEVICE_QUEUE_MAX
    uint32_t config_size;              // <= DEVICE_CONFIG_MAX
    uint32_t written_at, written_size; // the part of it that a driver may write
    size_t shared_size;                // of shared memory, a multiple of HAL_DIRECT_ALIGN; 0: none
    bool parallel; // serve may run on several vCPUs at once; otherwise once per queue at a time
    // Ends with device_chain_done or device_chain_defer of chain.
    void (*serve)(struct device_chain *chain);
    // There are no more for now: serve has been called for all that the queue had. By the same, of
    // a device that is not parallel. NULL: there is nothing to do.
    void (*served)(void *state, uint32_t queue);
    // Forgets everything about earlier requests; features is what was agreed upon. NULL: there is
    // nothing to do. Called by hal_dev_open, by no two at once.
    void (*reset)(void *state, uint64_t features);
};

// Hosted, before the machine starts. Makes a device whose ring is served by ops; state is handed
// through. config (config_size bytes) is copied; name is copied too, and cut at 63 bytes. 0,
// -ENOSPC, -EINVAL or -ENOMEM.
HAL_MUST_CHECK int device_add(enum hal_dev_kind kind, const char *name,
                              const struct device_ops *ops, void *state, const void *config);

// Hosted: how much shared memory all devices want; where it lies: from start on, at direct_base.
size_t device_shared_size(void);
void device_shared_place(char *direct_base, hal_phys start);

// The device's shared memory. Nothing is mapped there but what its far end maps.
char *device_shared(const struct hal_dev *dev);

// 4 bytes of configuration at a multiple of 4. Any thread that has a GS block. set raises the
// interrupt that tells a driver so.
uint32_t device_config_get(const struct hal_dev *dev, uint32_t offset);
void device_config_set(struct hal_dev *dev, uint32_t offset, uint32_t value);

// Hosted: the devices as core will see them.
const struct hal_dev_info *device_list(size_t *count);

// Completes a chain, of whose `out` parts the first written bytes were filled, and raises the
// queue's interrupt unless the driver asked for none. The chain is the driver's from here on. Any
// thread.
void device_chain_done(struct device_chain *chain, uint32_t written);

// The same of count chains of one queue, each with its done_written: the driver sees all of them or
// none, in this order.
void device_chains_done(struct device_chain *const *chains, size_t count);

// Whether the driver has made more available behind it. From serve.
bool device_chain_has_next(const struct device_chain *chain);

// The vCPU that the chain's queue interrupts.
uint32_t device_chain_cpu(const struct device_chain *chain);

// Runs function(chain) on a hosted worker thread, where it may block and use host libc, and which
// ends with device_chain_done. From serve.
void device_chain_defer(struct device_chain *chain, void (*function)(struct device_chain *));

// Copies out of the parts [first, first + count), from byte offset on; the answer is how much there
// was.
size_t device_gather(const struct iovec *parts, uint32_t count, size_t offset, void *target,
                     size_t size);

// Copies into the parts, from byte offset on; the answer is how much fitted.
size_t device_scatter(const struct iovec *parts, uint32_t count, size_t offset, const void *source,
                      size_t size);

// Bytes in the parts.
size_t device_size(const struct iovec *parts, uint32_t count);

#endif
