// SPDX-License-Identifier: BSD-3-Clause
// device.c: the transport: split rings (virtio 1.1, 2.6) from the device's side.
//
// Chains are taken off the available ring by whoever kicks, one compare-and-swap each, and finished
// in any order on any thread. Finished chains go on a stack without locks; whoever finds nobody
// publishing moves the stack to the used ring. Nobody ever waits: a publisher that is stopped by
// the host only delays what it publishes.
//
// Everything in a ring may be wrong or change under us. Each word is read once and checked; a chain
// lives in our own table from take to done, so nothing the driver writes meanwhile matters.
#include "hal-linux/dev/device.h"

#include <errno.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>
#include <sys/mman.h>

#include "hal-linux/dev/line.h"
#include "hal-linux/memory.h"
#include "hal-linux/syscall.h"
#include "hal-linux/vcpu.h"
#include "hal/upcall.h"

enum { NAME_MAX_SIZE = 64 };
enum serving { SERVING_NO, SERVING_YES, SERVING_AGAIN };

struct queue {
    uint16_t size; // 0: not attached
    uint32_t cpu;
    const volatile struct vring_desc *desc;
    volatile struct vring_avail *avail;
    volatile struct vring_used *used;
    _Atomic uint32_t taken;      // chains taken off avail; its low half is the ring's index
    _Atomic uint32_t serving;    // enum serving, for a device that is not parallel
    _Atomic uint32_t done;       // stack of finished chains: head + 1
    _Atomic uint32_t publishing; // somebody moves done to used, and owns used_index
    uint16_t used_index;
    struct device_chain *chains; // DEVICE_RING_MAX, by head
};

struct hal_dev {
    const struct device_ops *ops;
    void *state;
    char *shared;
    char name[NAME_MAX_SIZE];
    _Atomic uint32_t config[DEVICE_CONFIG_MAX / 4];
    _Atomic bool running;
    uint32_t line; // its first queue's; the configuration's is behind all of them
    struct queue queues[DEVICE_QUEUE_MAX];
};

static struct hal_dev devices[DEVICE_MAX];
static struct hal_dev_info device_infos[DEVICE_MAX];
static size_t device_count;
static uint8_t line_devices[VCPU_LINES]; // whose each is
static uint32_t line_count;

_Static_assert(DEVICE_MAX <= UINT8_MAX, "line_devices");

static void bytes_copy(void *target, const void *source, size_t size)
{
    int failure = hal_copy_safe(target, source, size);
    (void)failure; // there is none: neither side is an application's
}

static uint32_t line_of(const struct hal_dev *dev, const struct queue *queue)
{
    return dev->line + (uint32_t)(queue - dev->queues);
}

void line_upcall(uint32_t line, struct hal_frame *frame)
{
    struct hal_dev *dev = &devices[line_devices[line]];
    const uint32_t queue = line - dev->line;
    upcall_dev(dev, queue < dev->ops->queue_count ? queue : HAL_DEV_CONFIG, frame);
}

// ---- Taking chains --------------------------------------------------------------

static void device_break(struct hal_dev *dev)
{
    atomic_store(&dev->running, false);
}

// Adds one descriptor to chain. False: it breaks the rules.
static bool chain_add(struct device_chain *chain, const struct vring_desc *desc)
{
    char *data = memory_at(desc->addr, desc->len);
    bool is_out = (desc->flags & VRING_DESC_F_WRITE) != 0;
    if (data == NULL || (desc->flags & VRING_DESC_F_INDIRECT) ||
        (!is_out && chain->out_count > 0)) {
        return false;
    }
    chain->parts[chain->in_count + chain->out_count] = (struct iovec){data, desc->len};
    *(is_out ? &chain->out_count : &chain->in_count) += 1;
    return true;
}

static bool chain_fill(struct device_chain *chain, const struct queue *queue, uint32_t head)
{
    uint32_t index = head;
    chain->in_count = 0;
    chain->out_count = 0;
    for (uint32_t count = 0; count < queue->size && index < queue->size; ++count) {
        const volatile struct vring_desc *shared = &queue->desc[index];
        struct vring_desc desc = {shared->addr, shared->len, shared->flags, shared->next};
        if (!chain_add(chain, &desc)) {
            return false;
        }
        if (!(desc.flags & VRING_DESC_F_NEXT)) {
            return true;
        }
        index = desc.next;
    }
    return false; // a loop, or a name that is none
}

// How many chains are available behind the first `taken`. What is read together with an old
// `taken`, because somebody else took chains meanwhile, may be any number: it is told by taken
// having changed since.
static uint16_t available_count(struct hal_dev *dev, struct queue *queue, uint32_t taken)
{
    uint16_t available = queue->avail->idx;
    atomic_thread_fence(memory_order_acquire); // the driver wrote ring and descriptors before idx
    uint16_t count = (uint16_t)(available - taken);
    if (count > queue->size && atomic_load(&queue->taken) == taken) {
        device_break(dev);
    }
    return count;
}

// The next head on the available ring. False: there is none.
static bool head_take(struct hal_dev *dev, struct queue *queue, uint32_t *head)
{
    uint32_t taken = atomic_load(&queue->taken);
    do {
        if (available_count(dev, queue, taken) == 0 || !atomic_load(&dev->running)) {
            return false;
        }
        *head = queue->avail->ring[taken % queue->size];
        if (!dev->ops->parallel) { // nobody else takes any
            atomic_store_explicit(&queue->taken, taken + 1, memory_order_relaxed);
            return true;
        }
    } while (!atomic_compare_exchange_weak(&queue->taken, &taken, taken + 1));
    return true;
}

// False: it is taken already.
static bool chain_claim(const struct hal_dev *dev, struct device_chain *chain)
{
    if (dev->ops->parallel) {
        return !atomic_exchange(&chain->taken, true);
    }
    const bool is_taken = atomic_load_explicit(&chain->taken, memory_order_acquire);
    atomic_store_explicit(&chain->taken, true, memory_order_relaxed);
    return !is_taken;
}

static struct device_chain *chain_take(struct hal_dev *dev, struct queue *queue)
{
    uint32_t head;
    if (!head_take(dev, queue, &head)) {
        return NULL;
    }
    struct device_chain *chain = head < queue->size ? &queue->chains[head] : NULL;
    if (chain == NULL || !chain_claim(dev, chain)) {
        device_break(dev); // no such head, or one that we have already
        return NULL;
    }
    if (!chain_fill(chain, queue, head)) {
        atomic_store(&chain->taken, false);
        device_break(dev);
        return NULL;
    }
    chain->dev = dev;
    chain->state = dev->state;
    chain->queue = (uint32_t)(queue - dev->queues);
    chain->head = head;
    return chain;
}

// ---- Finishing chains -----------------------------------------------------------

// The stack from its oldest on.
static uint32_t done_reverse(struct queue *queue, uint32_t top)
{
    uint32_t oldest = 0;
    while (top != 0) {
        uint32_t next = queue->chains[top - 1].done_next;
        queue->chains[top - 1].done_next = oldest;
        oldest = top;
        top = next;
    }
    return oldest;
}

static void used_write(struct queue *queue, struct device_chain *chain)
{
    volatile struct vring_used_elem *used = &queue->used->ring[queue->used_index % queue->size];
    used->id = chain->head;
    used->len = chain->done_written;
    ++queue->used_index;
    // Release: the driver may use the head again as soon as it sees the index, which comes later.
    atomic_store_explicit(&chain->taken, false, memory_order_release);
}

// By whoever set publishing: own, if any, and what others left on the stack. Lets go of it.
static void done_move(struct hal_dev *dev, struct queue *queue, struct device_chain *own)
{
    bool is_any = own != NULL;
    if (own != NULL) {
        used_write(queue, own);
    }
    uint32_t name = 0;
    if (atomic_load_explicit(&queue->done, memory_order_relaxed) != 0) {
        name = done_reverse(queue, atomic_exchange(&queue->done, 0));
    }
    while (name != 0) {
        struct device_chain *chain = &queue->chains[name - 1];
        name = chain->done_next;
        used_write(queue, chain);
        is_any = true;
    }
    atomic_thread_fence(memory_order_release);
    queue->used->idx = queue->used_index;
    atomic_store_explicit(&queue->publishing, 0, memory_order_release);
    // Two pairs: with the driver, which allows interrupts and then looks at idx; and with those who
    // left a chain on the stack because we were publishing: we look there after we let go.
    atomic_thread_fence(memory_order_seq_cst);
    if (is_any && !(queue->avail->flags & VRING_AVAIL_F_NO_INTERRUPT)) {
        vcpu_raise_line(&vcpus[queue->cpu], line_of(dev, queue));
    }
}

// All of them at once, the first one deepest.
static void done_push(struct queue *queue, struct device_chain *const *chains, size_t count)
{
    for (size_t i = 1; i < count; ++i) {
        chains[i]->done_next = chains[i - 1]->head + 1;
    }
    uint32_t top = atomic_load(&queue->done);
    do {
        chains[0]->done_next = top;
    } while (!atomic_compare_exchange_weak(&queue->done, &top, chains[count - 1]->head + 1));
}

// Either we publish, or whoever does looks at the stack again after it lets go.
static void done_publish(struct hal_dev *dev, struct queue *queue,
                         struct device_chain *const *chains, size_t count)
{
    if (count == 1 && atomic_exchange(&queue->publishing, 1) == 0) {
        done_move(dev, queue, chains[0]);
    } else {
        done_push(queue, chains, count);
    }
    while (atomic_load(&queue->done) != 0 && atomic_exchange(&queue->publishing, 1) == 0) {
        done_move(dev, queue, NULL);
    }
}

void device_chains_done(struct device_chain *const *chains, size_t count)
{
    struct hal_dev *dev = chains[0]->dev;
    struct queue *queue = &dev->queues[chains[0]->queue];
    uintptr_t state = hal_irq_save();
    if (atomic_load(&dev->running)) {
        done_publish(dev, queue, chains, count);
        hal_irq_restore(state);
        return;
    }
    for (size_t i = 0; i < count; ++i) { // stopped meanwhile: the ring is no longer ours
        atomic_store(&chains[i]->taken, false);
    }
    hal_irq_restore(state);
}

void device_chain_done(struct device_chain *chain, uint32_t written)
{
    chain->done_written = written;
    device_chains_done(&chain, 1);
}

bool device_chain_has_next(const struct device_chain *chain)
{
    const struct queue *queue = &chain->dev->queues[chain->queue];
    return (uint16_t)atomic_load(&queue->taken) != queue->avail->idx;
}

uint32_t device_chain_cpu(const struct device_chain *chain)
{
    return chain->dev->queues[chain->queue].cpu;
}

static void job_run(struct worker_job *job)
{
    struct device_chain *chain =
        (struct device_chain *)((char *)job - offsetof(struct device_chain, job));
    chain->deferred(chain);
}

void device_chain_defer(struct device_chain *chain, void (*function)(struct device_chain *))
{
    chain->deferred = function;
    chain->job.run = job_run;
    worker_submit(&chain->job);
}

// ---- The contract ---------------------------------------------------------------

static void serve_all(struct hal_dev *dev, struct queue *queue)
{
    struct device_chain *chain;
    while ((chain = chain_take(dev, queue)) != NULL) {
        dev->ops->serve(chain);
    }
    if (dev->ops->served != NULL) {
        dev->ops->served(dev->state, (uint32_t)(queue - dev->queues));
    }
}

// One vCPU at a time. Another's kick is served by the one that is at it.
static void serve_alone(struct hal_dev *dev, struct queue *queue)
{
    uint32_t serving = SERVING_NO;
    while (!atomic_compare_exchange_strong(&queue->serving, &serving, SERVING_YES)) {
        if (serving == SERVING_AGAIN ||
            atomic_compare_exchange_strong(&queue->serving, &serving, SERVING_AGAIN)) {
            return;
        }
        serving = SERVING_NO;
    }
    for (;;) {
        serve_all(dev, queue);
        serving = SERVING_YES;
        if (atomic_compare_exchange_strong(&queue->serving, &serving, SERVING_NO)) {
            return;
        }
        atomic_store(&queue->serving, SERVING_YES); // it said SERVING_AGAIN
    }
}

void hal_dev_kick(struct hal_dev *dev, uint32_t index)
{
    uintptr_t state = hal_irq_save();
    if (index < dev->ops->queue_count && dev->queues[index].size != 0 &&
        atomic_load(&dev->running)) {
        if (dev->ops->parallel) {
            serve_all(dev, &dev->queues[index]);
        } else {
            serve_alone(dev, &dev->queues[index]);
        }
    }
    hal_irq_restore(state);
}

// Whether a worker is still at a request from before.
static bool has_chains(const struct hal_dev *dev)
{
    for (uint32_t i = 0; i < DEVICE_QUEUE_MAX; ++i) {
        const struct queue *queue = &dev->queues[i];
        for (uint32_t head = 0; head < queue->size; ++head) {
            if (atomic_load(&queue->chains[head].taken)) {
                return true;
            }
        }
    }
    return false;
}

int hal_dev_open(struct hal_dev *dev, uint64_t *features)
{
    *features &= dev->ops->features | 1ul << VIRTIO_F_VERSION_1;
    atomic_store(&dev->running, false);
    if (!(*features >> VIRTIO_F_VERSION_1 & 1) || has_chains(dev)) {
        return -ENODEV; // an old driver, or not yet
    }
    for (uint32_t i = 0; i < DEVICE_QUEUE_MAX; ++i) {
        dev->queues[i].size = 0;
    }
    if (dev->ops->reset != NULL) {
        dev->ops->reset(dev->state, *features);
    }
    return 0;
}

int hal_dev_queue(struct hal_dev *dev, uint32_t index, const struct hal_ring *ring, uint32_t cpu)
{
    uint32_t size = ring->size;
    if (index >= dev->ops->queue_count || size == 0 || size > DEVICE_RING_MAX ||
        (size & (size - 1)) || cpu >= vcpu_count) {
        return -EINVAL;
    }
    struct queue *queue = &dev->queues[index];
    char *desc = memory_at(ring->desc, size * sizeof(struct vring_desc));
    char *avail = memory_at(ring->avail, sizeof(struct vring_avail) + size * 2);
    char *used =
        memory_at(ring->used, sizeof(struct vring_used) + size * sizeof(struct vring_used_elem));
    if (desc == NULL || avail == NULL || used == NULL || ((uintptr_t)desc & 15) ||
        ((uintptr_t)avail & 1) || ((uintptr_t)used & 3)) {
        return -EINVAL;
    }
    *queue = (struct queue){.size = (uint16_t)size, .cpu = cpu, .chains = queue->chains};
    queue->desc = (const volatile struct vring_desc *)desc;
    queue->avail = (volatile struct vring_avail *)avail;
    queue->used = (volatile struct vring_used *)used;
    return 0;
}

int hal_dev_go(struct hal_dev *dev)
{
    atomic_store(&dev->running, true);
    return 0;
}

// A worker in a host call that writes to a chain's buffer cannot be called back: see README.md.
void hal_dev_stop(struct hal_dev *dev)
{
    atomic_store(&dev->running, false);
}

// ---- Configuration ----

static uint32_t config_word(const struct hal_dev *dev, uint32_t offset)
{
    return offset < dev->ops->config_size ? atomic_load(&dev->config[offset / 4]) : 0;
}

// Fields of 4 bytes are untorn; longer ones do not change.
void hal_dev_config(struct hal_dev *dev, uint32_t offset, void *out, size_t size)
{
    unsigned char *bytes = out;
    uint32_t word = config_word(dev, offset);
    for (size_t i = 0; i < size; ++i) {
        const uint32_t at = offset + (uint32_t)i;
        word = at % 4 == 0 ? config_word(dev, at) : word;
        bytes[i] = at < dev->ops->config_size ? (unsigned char)(word >> at % 4 * 8) : 0;
    }
}

// Whole words; what else a driver writes is not looked at.
void hal_dev_config_write(struct hal_dev *dev, uint32_t offset, const void *in, size_t size)
{
    const struct device_ops *ops = dev->ops;
    uint32_t value;
    if (offset >= ops->written_at && offset % 4 == 0 && size == sizeof value &&
        offset + sizeof value <= ops->written_at + ops->written_size) {
        bytes_copy(&value, in, sizeof value);
        atomic_store(&dev->config[offset / 4], value);
    }
}

uint32_t device_config_get(const struct hal_dev *dev, uint32_t offset)
{
    return config_word(dev, offset);
}

void device_config_set(struct hal_dev *dev, uint32_t offset, uint32_t value)
{
    atomic_store(&dev->config[offset / 4], value);
    if (atomic_load(&dev->running)) {
        const uintptr_t state = hal_irq_save();
        vcpu_raise_line(&vcpus[0], dev->line + dev->ops->queue_count);
        hal_irq_restore(state);
    }
}

// ---- Parts ----------------------------------------------------------------------

size_t device_size(const struct iovec *parts, uint32_t count)
{
    size_t size = 0;
    for (uint32_t i = 0; i < count; ++i) {
        size += parts[i].iov_len;
    }
    return size;
}

// Moves between the parts and flat memory.
static size_t parts_move(const struct iovec *parts, uint32_t count, size_t offset, char *flat,
                         size_t size, bool gather)
{
    size_t moved = 0;
    for (uint32_t i = 0; i < count && moved < size; ++i) {
        if (offset >= parts[i].iov_len) {
            offset -= parts[i].iov_len;
            continue;
        }
        size_t step = parts[i].iov_len - offset;
        step = step < size - moved ? step : size - moved;
        char *part = (char *)parts[i].iov_base + offset;
        bytes_copy(gather ? flat + moved : part, gather ? part : flat + moved, step);
        moved += step;
        offset = 0;
    }
    return moved;
}

size_t device_gather(const struct iovec *parts, uint32_t count, size_t offset, void *target,
                     size_t size)
{
    return parts_move(parts, count, offset, target, size, true);
}

size_t device_scatter(const struct iovec *parts, uint32_t count, size_t offset, const void *source,
                      size_t size)
{
    return parts_move(parts, count, offset, (char *)source, size, false);
}

// ---- Start-up -------------------------------------------------------------------

// Lazily backed: a queue that is never deep costs a page or two.
static int chains_init(struct hal_dev *dev)
{
    size_t size = sizeof(struct device_chain) * DEVICE_RING_MAX * dev->ops->queue_count;
    long chains = syscall6(SYS_mmap, 0, (long)size, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (chains < 0 && chains >= -4095) {
        return (int)chains;
    }
    for (uint32_t i = 0; i < dev->ops->queue_count; ++i) {
        dev->queues[i].chains = (struct device_chain *)chains + i * DEVICE_RING_MAX;
    }
    return 0;
}

int device_add(enum hal_dev_kind kind, const char *name, const struct device_ops *ops, void *state,
               const void *config)
{
    const uint32_t lines = ops->queue_count + 1;
    if (device_count == DEVICE_MAX || lines > VCPU_LINES - line_count) {
        return -ENOSPC;
    }
    if (ops->queue_count > DEVICE_QUEUE_MAX || ops->config_size > DEVICE_CONFIG_MAX) {
        return -EINVAL;
    }
    struct hal_dev *dev = &devices[device_count];
    dev->ops = ops;
    dev->state = state;
    for (size_t i = 0; i < NAME_MAX_SIZE - 1 && name[i] != 0; ++i) {
        dev->name[i] = name[i];
    }
    bytes_copy(dev->config, config, ops->config_size);
    int failure = chains_init(dev);
    if (failure != 0) {
        return failure;
    }
    dev->line = line_count;
    for (uint32_t i = 0; i < lines; ++i) {
        line_devices[line_count++] = (uint8_t)device_count;
    }
    device_infos[device_count] = (struct hal_dev_info){
        .dev = dev, .kind = kind, .queue_count = ops->queue_count, .name = dev->name};
    ++device_count;
    return 0;
}

size_t device_shared_size(void)
{
    size_t sum = 0;
    for (size_t i = 0; i < device_count; ++i) {
        sum += devices[i].ops->shared_size;
    }
    return sum;
}

void device_shared_place(char *direct_base, hal_phys start)
{
    for (size_t i = 0; i < device_count; ++i) {
        size_t size = devices[i].ops->shared_size;
        devices[i].shared = direct_base + start;
        device_infos[i].shared = (struct hal_region){start, size};
        start += size;
    }
}

char *device_shared(const struct hal_dev *dev)
{
    return dev->shared;
}

const struct hal_dev_info *device_list(size_t *count)
{
    *count = device_count;
    return device_infos;
}
