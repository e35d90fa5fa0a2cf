// SPDX-License-Identifier: BSD-3-Clause
// pfil.c: the program's packet filters (include/osv/pfil.h). The first makes the thread that runs
// all of them (core/net/filter.h), which stays: functions of programs need a thread pointer and a
// stack of their size.
#include <errno.h>
#include <stdbool.h>

#include "core/dev/packet.h"
#include "core/libc/export.h"
#include "core/libc/include/osv/pfil.h"
#include "core/libc/pthread.h"
#include "core/lib/list.h"
#include "core/mem/heap.h"
#include "core/net/filter.h"
#include "core/net/ip.h"
#include "core/net/netif.h"
#include "core/net/socket.h"
#include "core/net/udp.h"
#include "core/net/udp_answer.h"
#include "core/sync/mutex.h"

enum { STACK_SIZE = 256 << 10 };

struct osv_pfil {
    struct net_filter filter;
    enum osv_verdict (*hook)(struct osv_packet *packet, void *argument);
    void *argument;
};

// What a hook is shown; of one that is consumed it stays with the packet.
struct shown {
    struct osv_packet view;
    struct packet *packet;
    struct ip_header header;
    struct netif *netif;
    bool is_answer;
};

static struct shown *shown_make(struct netif *netif, struct packet *packet,
                                const struct ip_header *header)
{
    struct shown *shown = heap_alloc(sizeof *shown);
    if (shown == NULL) {
        return NULL;
    }
    *shown = (struct shown){
        .view =
            {
                .data = packet->data,
                .size = packet->size,
                .total = packet_size(packet),
                .transport = header->transport,
                .interface = netif->index,
                .version = address_is_v4(&header->target) ? 4 : 6,
                .protocol = header->protocol,
            },
        .packet = packet,
        .header = *header,
        .netif = netif,
    };
    return shown;
}

// A hook that says so without having made one drops the packet.
static enum net_verdict verdict_of(const struct shown *shown, enum osv_verdict said)
{
    switch (said) {
    case OSV_ANSWER:
        return shown->is_answer ? NET_ANSWER : NET_DROP;
    case OSV_CONSUME:
        return NET_TAKEN;
    case OSV_DROP:
        return NET_DROP;
    default:
        return shown->is_answer ? NET_DROP : NET_PASS;
    }
}

static enum net_verdict hook_run(struct net_filter *filter, struct netif *netif,
                                 struct packet **packet, const struct ip_header *header)
{
    const struct osv_pfil *pfil = container_of(filter, struct osv_pfil, filter);
    struct shown *shown = shown_make(netif, *packet, header);
    if (shown == NULL) {
        return NET_DROP;
    }
    const enum net_verdict verdict = verdict_of(shown, pfil->hook(&shown->view, pfil->argument));
    *packet = shown->packet;
    if (verdict != NET_TAKEN) {
        heap_free(shown);
    }
    return verdict;
}

static void filter_release(struct net_filter *filter)
{
    heap_free(container_of(filter, struct osv_pfil, filter));
}

// ---- Answers ---------------------------------------------------------------

EXPORT(enum osv_verdict, osv_packet_answer, struct osv_packet *packet, const void *payload,
       size_t size)
{
    struct shown *shown = container_of(packet, struct shown, view);
    struct packet *answer;
    if (shown->is_answer || packet->size < shown->header.transport + (size_t)UDP_HEADER) {
        return OSV_PASS;
    }
    const int error =
        udp_answer_make(&answer, packet->data, &shown->header, shown->netif, payload, size);
    if (error != 0) {
        return error == -ENOBUFS ? OSV_DROP : OSV_PASS;
    }
    packet_free(shown->packet);
    shown->packet = answer;
    shown->is_answer = true;
    return OSV_ANSWER;
}

EXPORT(void, osv_packet_free, struct osv_packet *packet)
{
    if (packet != NULL) {
        struct shown *shown = container_of(packet, struct shown, view);
        packet_free(shown->packet);
        heap_free(shown);
    }
}

// ---- Coming and going ------------------------------------------------------

static void *runner_run(void *unused)
{
    net_filter_run();
    return unused;
}

static bool runner_make(void)
{
    static struct mutex lock;
    static struct libc_thread *runner; // NULL: not yet; under it
    mutex_lock(&lock);
    const bool is_made = runner != NULL || libc_worker_create(&runner, STACK_SIZE, runner_run) == 0;
    mutex_unlock(&lock);
    return is_made;
}

EXPORT(struct osv_pfil *, osv_pfil_add_hook,
       enum osv_verdict (*hook)(struct osv_packet *packet, void *argument), void *argument)
{
    if (hook == NULL) {
        errno = EINVAL;
        return NULL;
    }
    struct osv_pfil *pfil = heap_alloc_zeroed(sizeof *pfil);
    if (pfil == NULL || net_start() != 0 || !runner_make()) {
        heap_free(pfil);
        errno = ENOMEM;
        return NULL;
    }
    pfil->filter.look = hook_run;
    pfil->filter.release = filter_release;
    pfil->hook = hook;
    pfil->argument = argument;
    net_filter_add(&pfil->filter);
    return pfil;
}

EXPORT(void, osv_pfil_remove_hook, struct osv_pfil *pfil)
{
    if (pfil != NULL) {
        net_filter_remove(&pfil->filter);
    }
}
