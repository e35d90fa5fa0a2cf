// SPDX-License-Identifier: BSD-3-Clause
// fs_far.c: a plain transport for far ends in a unit test: what hal-linux/dev/device.c does, in one
// thread.
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <stdlib.h>
#include <string.h>
#include <linux/fuse.h>
#include <linux/virtio_ring.h>

#include "core/dev/device.h"
#include "hal-linux/dev/device.h"
#include "hal-linux/machine.h"
#include "hal/upcall.h"
#include "vfs_host.h"

enum { DEVICES = 8 };

struct far_queue {
    struct hal_ring ring;
    uint16_t taken, used;
    struct device_chain *chains;
};

struct hal_dev {
    const struct device_ops *ops;
    void *state;
    struct far_queue queues[DEVICE_QUEUE_MAX];
    char name[64];
    unsigned char config[DEVICE_CONFIG_MAX];
};

static struct hal_dev devices[DEVICES];
static struct hal_dev_info infos[DEVICES];
static size_t device_count;
static struct device_chain *deferred;
size_t host_request_count;
bool host_far_is_plain;

int device_add(enum hal_dev_kind kind, const char *name, const struct device_ops *ops, void *state,
               const void *config)
{
    struct hal_dev *dev = &devices[device_count];
    dev->ops = ops;
    dev->state = state;
    memcpy(dev->config, config, ops->config_size);
    strncpy(dev->name, name, sizeof dev->name - 1);
    for (size_t i = 0; i < DEVICE_QUEUE_MAX; ++i) {
        dev->queues[i].chains = calloc(DEVICE_RING_MAX, sizeof(struct device_chain));
    }
    infos[device_count++] = (struct hal_dev_info){
        .dev = dev, .kind = kind, .queue_count = ops->queue_count, .name = dev->name};
    return 0;
}

void host_devices_start(void)
{
    static struct hal_boot boot;
    boot = (struct hal_boot){.devs = infos, .dev_count = device_count, .cpu_count = 1};
    device_init(&boot);
}

int hal_dev_open(struct hal_dev *dev, uint64_t *features)
{
    *features &= (UINT64_C(1) << 32) | dev->ops->features;
    if (dev->ops->reset != NULL) {
        dev->ops->reset(dev->state, *features);
    }
    return 0;
}

int hal_dev_queue(struct hal_dev *dev, uint32_t index, const struct hal_ring *ring, uint32_t cpu)
{
    (void)cpu;
    dev->queues[index] = (struct far_queue){.ring = *ring, .chains = dev->queues[index].chains};
    return 0;
}

int hal_dev_go(struct hal_dev *dev)
{
    (void)dev;
    return 0;
}

void hal_dev_stop(struct hal_dev *dev)
{
    (void)dev;
}

void hal_dev_config(struct hal_dev *dev, uint32_t offset, void *out, size_t size)
{
    memset(out, 0, size);
    memcpy(out, dev->config + offset,
           size < dev->ops->config_size - offset ? size : dev->ops->config_size - offset);
}

// The request, whose header and fixed arguments are one part.
static struct fuse_in_header *request_of(const struct device_chain *chain)
{
    return chain->parts[0].iov_base;
}

static bool is_plain_refused(const struct fuse_in_header *request)
{
    const struct fuse_write_in *write = (const struct fuse_write_in *)(request + 1);
    return request->opcode == FUSE_ACCESS || request->opcode == FUSE_TMPFILE ||
           request->opcode == FUSE_SYNCFS ||
           (request->opcode == FUSE_WRITE && write->offset == UINT64_MAX);
}

// What the request is to others. True: it is answered.
static bool plain_serve(struct device_chain *chain)
{
    struct fuse_in_header *request = request_of(chain);
    if (request->opcode == FUSE_OPEN) {
        ((struct fuse_open_in *)(request + 1))->flags &= ~(uint32_t)O_TRUNC;
    }
    if (!is_plain_refused(request)) {
        return false;
    }
    struct fuse_out_header *answer = chain->parts[chain->in_count].iov_base;
    const int error = request->opcode == FUSE_WRITE ? -EINVAL : -ENOSYS;
    *answer = (struct fuse_out_header){sizeof *answer, error, request->unique};
    device_chain_done(chain, sizeof *answer);
    return true;
}

static uint32_t plain_answer(struct device_chain *chain, uint32_t written)
{
    const struct fuse_in_header *request = request_of(chain);
    struct fuse_out_header *answer = chain->parts[chain->in_count].iov_base;
    if (request->opcode == FUSE_INIT && written == sizeof *answer + sizeof(struct fuse_init_out)) {
        struct fuse_init_out *init = (struct fuse_init_out *)(answer + 1);
        init->flags = init->flags2 = init->max_pages = 0;
    } else if (request->opcode == FUSE_LOOKUP && answer->error == 0 &&
               ((struct fuse_entry_out *)(answer + 1))->nodeid == 0) {
        *answer = (struct fuse_out_header){sizeof *answer, -ENOENT, request->unique};
        return sizeof *answer;
    }
    return written;
}

static void chain_take(struct hal_dev *dev, uint32_t index, uint16_t head)
{
    struct far_queue *queue = &dev->queues[index];
    struct device_chain *chain = &queue->chains[head];
    *chain = (struct device_chain){.dev = dev, .state = dev->state, .queue = index, .head = head};
    const struct vring_desc *desc = (const struct vring_desc *)queue->ring.desc;
    for (uint16_t at = head;; at = desc[at].next) {
        bool is_out = (desc[at].flags & VRING_DESC_F_WRITE) != 0;
        chain->parts[chain->in_count + chain->out_count] =
            (struct iovec){(void *)desc[at].addr, desc[at].len};
        *(is_out ? &chain->out_count : &chain->in_count) += 1;
        if ((desc[at].flags & VRING_DESC_F_NEXT) == 0) {
            break;
        }
    }
    ++host_request_count;
    if (!host_far_is_plain || !plain_serve(chain)) {
        dev->ops->serve(chain);
    }
}

void hal_dev_kick(struct hal_dev *dev, uint32_t index)
{
    struct far_queue *queue = &dev->queues[index];
    const struct vring_avail *avail = (const struct vring_avail *)queue->ring.avail;
    while (queue->taken != avail->idx) {
        chain_take(dev, index, avail->ring[queue->taken++ % queue->ring.size]);
    }
}

// Nothing is mapped anywhere else.
void memory_shared_set(const char *at, size_t size, int fd, uint64_t offset)
{
}

char *device_shared(const struct hal_dev *dev)
{
    static char *window;
    (void)dev;
    if (window == NULL) {
        window = mmap(NULL, (size_t)16 << 30, PROT_NONE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    }
    return window;
}

void device_chain_done(struct device_chain *chain, uint32_t written)
{
    written = host_far_is_plain ? plain_answer(chain, written) : written;
    struct far_queue *queue = &chain->dev->queues[chain->queue];
    struct vring_used *used = (struct vring_used *)queue->ring.used;
    const struct vring_avail *avail = (const struct vring_avail *)queue->ring.avail;
    used->ring[queue->used++ % queue->ring.size] = (struct vring_used_elem){chain->head, written};
    used->idx = queue->used;
    if ((avail->flags & VRING_AVAIL_F_NO_INTERRUPT) == 0) {
        upcall_dev(chain->dev, chain->queue, NULL);
    }
}

void device_chain_defer(struct device_chain *chain, void (*function)(struct device_chain *))
{
    chain->deferred = function;
    chain->job.next = deferred != NULL ? &deferred->job : NULL;
    deferred = chain;
}

bool host_worker_has_work(void)
{
    return deferred != NULL;
}

bool host_worker_run(void)
{
    struct device_chain *chain = deferred;
    if (chain == NULL) {
        return false;
    }
    struct worker_job *next = chain->job.next;
    deferred = next == NULL
                   ? NULL
                   : (struct device_chain *)((char *)next - offsetof(struct device_chain, job));
    chain->deferred(chain);
    return true;
}

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
        memcpy(gather ? flat + moved : part, gather ? part : flat + moved, step);
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
    return parts_move(parts, count, offset, (char *)(uintptr_t)source, size, false);
}

void machine_act_as(uint32_t uid, uint32_t gid)
{
    (void)uid, (void)gid; // who runs the test
}
