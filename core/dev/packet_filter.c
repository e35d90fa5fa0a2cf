// SPDX-License-Identifier: BSD-3-Clause
// packet_filter.c: see packet_filter.h.
#include "core/dev/packet_filter.h"

#include "core/dev/packet.h"
#include "core/lib/errno.h"
#include "core/lib/list.h"
#include "core/lib/string.h"
#include "core/mem/heap.h"
#include "core/sched/thread.h"
#include "core/sync/mutex.h"

static struct mutex lock; // of who changes slots and counts

struct packet_filter *packet_filter_alloc(uint32_t count)
{
    struct packet_filter *filter =
        heap_alloc_zeroed(sizeof *filter + count * sizeof *filter->program);
    if (filter != NULL) {
        filter->count = count;
    }
    return filter;
}

void packet_filter_free(struct packet_filter *filter)
{
    heap_free(filter);
}

int packet_filter_check(const struct packet_filter *filter)
{
    uint16_t *room = heap_alloc(filter->count * sizeof *room);
    if (room == NULL) {
        return -ENOMEM;
    }
    const int error = bpf_check(filter->program, filter->count, room);
    heap_free(room);
    return error;
}

static void filter_end(struct rcu_head *head)
{
    heap_free(container_of(head, struct packet_filter, end));
}

void packet_filter_set(packet_filter_slot *slot, struct packet_filter *filter)
{
    mutex_lock(&lock);
    struct packet_filter *before = atomic_load(slot);
    if (filter != NULL) {
        ++filter->user_count;
    }
    atomic_store(slot, filter);
    const bool is_last = before != NULL && --before->user_count == 0;
    mutex_unlock(&lock);
    if (is_last) {
        rcu_defer(&before->end, filter_end);
    }
}

void packet_filter_share(packet_filter_slot *to, packet_filter_slot *from)
{
    mutex_lock(&lock);
    struct packet_filter *filter = atomic_load(from);
    if (filter != NULL) {
        ++filter->user_count;
        atomic_store(to, filter);
    }
    mutex_unlock(&lock);
}

size_t packet_filter_look(packet_filter_slot *slot, const char *bytes, size_t size)
{
    rcu_read_begin();
    const struct packet_filter *filter = atomic_load(slot);
    const struct bpf_view view = {
        .bytes = bytes,
        .near_size = (uint32_t)size,
        .size = (uint32_t)size,
        .network = BPF_NOWHERE,
        .link = BPF_NOWHERE,
        .cpu = thread_cpu_index(),
    };
    const uint32_t wanted = filter == NULL ? UINT32_MAX : bpf_run(filter->program, &view);
    rcu_read_end();
    return wanted < size ? wanted : size;
}

static void parts_read(const struct bpf_view *view, uint32_t offset, uint8_t *to, uint32_t count)
{
    packet_read(view->source, offset, to, count);
}

struct bpf_view packet_filter_view(const struct packet *packet)
{
    return (struct bpf_view){
        .bytes = packet->data,
        .near_size = packet->size,
        .size = packet_size(packet),
        .network = BPF_NOWHERE,
        .link = BPF_NOWHERE,
        .far_read = parts_read,
        .source = packet,
        .cpu = thread_cpu_index(),
    };
}
