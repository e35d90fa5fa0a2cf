// SPDX-License-Identifier: BSD-3-Clause
// balloon.c: see balloon.h.
//
// The driver leaves a buffer of figures here, which is kept until somebody asks: giving it back
// makes the driver fill it anew.
#include "hal-linux/dev/balloon.h"

#include <errno.h>
#include <linux/futex.h>
#include <linux/virtio_balloon.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/mman.h>
#include <time.h>

#include "hal-linux/dev/device.h"
#include "hal-linux/memory.h"
#include "hal-linux/syscall.h"

enum { QUEUE_INFLATE, QUEUE_DEFLATE, QUEUE_STATS, QUEUES };

#define WANTED offsetof(struct virtio_balloon_config, num_pages)
#define ACTUAL offsetof(struct virtio_balloon_config, actual)

static struct hal_dev *dev;
static _Atomic(struct device_chain *) stats_chain; // the driver's buffer; NULL: it has it
static _Atomic uint32_t stats_count;               // how often the driver has filled it
static _Atomic uint64_t figures[BALLOON_STATS];

// ---- In guest context ----

static void frames_release(uint64_t first, uint64_t count)
{
    char *start = memory_at(first * HAL_PAGE_SIZE, count * HAL_PAGE_SIZE);
    if (start != NULL) { // what is no memory is nothing
        (void)syscall3(SYS_madvise, (long)start, (long)(count * HAL_PAGE_SIZE), MADV_REMOVE);
    }
}

// The numbers come in the order of the frames, mostly: neighbours are released at once.
static void numbers_release(const struct device_chain *chain)
{
    uint64_t first = 0, count = 0;
    uint32_t number;
    for (size_t at = 0;
         device_gather(chain->parts, chain->in_count, at, &number, sizeof number) == sizeof number;
         at += sizeof number) {
        if (count > 0 && number != first + count) {
            frames_release(first, count);
            count = 0;
        }
        first = count > 0 ? first : number;
        ++count;
    }
    if (count > 0) {
        frames_release(first, count);
    }
}

static void stats_take(struct device_chain *chain)
{
    struct virtio_balloon_stat stat;
    for (size_t i = 0; i < BALLOON_STATS; ++i) {
        atomic_store(&figures[i], UINT64_MAX);
    }
    for (size_t at = 0;
         device_gather(chain->parts, chain->in_count, at, &stat, sizeof stat) == sizeof stat;
         at += sizeof stat) {
        if (stat.tag < BALLOON_STATS) {
            atomic_store(&figures[stat.tag], stat.val);
        }
    }
    atomic_store(&stats_chain, chain);
    atomic_fetch_add(&stats_count, 1);
    syscall3(SYS_futex, (long)&stats_count, FUTEX_WAKE_PRIVATE, 1);
}

static void balloon_serve(struct device_chain *chain)
{
    if (chain->queue == QUEUE_STATS) {
        stats_take(chain);
        return;
    }
    if (chain->queue == QUEUE_INFLATE) {
        numbers_release(chain);
    }
    device_chain_done(chain, 0);
}

// ---- Hosted ----

int balloon_add(uint64_t wanted, bool gives_back)
{
    static struct device_ops ops = {
        .queue_count = QUEUES,
        .config_size = ACTUAL + sizeof(uint32_t),
        .written_at = ACTUAL,
        .written_size = sizeof(uint32_t),
        .serve = balloon_serve,
    };
    const uint32_t config[] = {(uint32_t)(wanted / HAL_PAGE_SIZE), 0};
    ops.features = 1ul << VIRTIO_BALLOON_F_MUST_TELL_HOST | 1ul << VIRTIO_BALLOON_F_STATS_VQ |
                   (uint64_t)gives_back << VIRTIO_BALLOON_F_DEFLATE_ON_OOM;
    const int error = device_add(HAL_BALLOON, "balloon", &ops, NULL, config);
    size_t count;
    const struct hal_dev_info *infos = device_list(&count);
    dev = error == 0 ? infos[count - 1].dev : NULL;
    return error;
}

void balloon_want(uint64_t bytes)
{
    device_config_set(dev, WANTED, (uint32_t)(bytes / HAL_PAGE_SIZE));
}

void balloon_look(struct balloon_state *state)
{
    *state = (struct balloon_state){
        .actual = (uint64_t)device_config_get(dev, ACTUAL) * HAL_PAGE_SIZE,
        .wanted = (uint64_t)device_config_get(dev, WANTED) * HAL_PAGE_SIZE,
    };
}

bool balloon_stats(uint64_t stats[BALLOON_STATS])
{
    const struct timespec patience = {.tv_sec = 1};
    const uint32_t before = atomic_load(&stats_count);
    struct device_chain *chain = atomic_exchange(&stats_chain, NULL);
    if (chain != NULL) {
        device_chain_done(chain, 0);
    }
    while (atomic_load(&stats_count) == before) {
        if (syscall6(SYS_futex, (long)&stats_count, FUTEX_WAIT_PRIVATE, before, (long)&patience, 0,
                     0) == -ETIMEDOUT) {
            return false;
        }
    }
    for (size_t i = 0; i < BALLOON_STATS; ++i) {
        stats[i] = atomic_load(&figures[i]);
    }
    return true;
}
