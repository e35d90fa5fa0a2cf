// SPDX-License-Identifier: BSD-3-Clause
// interface.c: see interface.h.
//
// The device's interrupt puts what it can into the channels of sockets (net_input_direct). What it
// cannot waits in a channel of the interface's, in the order in which it came, for a thread, which
// also looks after the sockets that got something while nobody waited for it: both may block.
#include "core/net/interface.h"

#include "core/dev/device.h"
#include "core/dev/net.h"
#include "core/lib/errno.h"
#include "core/lib/format.h"
#include "core/lib/list.h"
#include "core/lib/string.h"
#include "core/mem/heap.h"
#include "core/net/autoconf_client.h"
#include "core/net/channel.h"
#include "core/net/counts.h"
#include "core/net/dhcp_client.h"
#include "core/net/ethernet.h"
#include "core/net/filter.h"
#include "core/net/merge.h"
#include "core/net/packet_socket.h"
#include "core/net/run.h"
#include "core/net/socket.h"
#include "core/sched/quiescence.h"
#include "core/sched/thread.h"

enum {
    WAITING_MAX = 4 << 20, // bytes of packets that the thread has not yet seen
    NAME_SIZE = 8,
};

struct interface {
    struct ethernet ethernet;
    struct net_device *device;
    char name[NAME_SIZE];
    struct channel arrived;          // packets for the thread
    struct net_told told;            // sockets for it
    _Atomic(struct thread *) runner; // it, once it runs
    struct thread *thread;
    _Atomic bool has_changed;          // the device
    _Atomic bool is_held;              // the device may not have been told of all that was sent
    _Atomic bool merges;               // what comes; else the device does
    struct merge merge[NET_PAIRS_MAX]; // each its CPU's, interrupts off
};

// ---- Packets ---------------------------------------------------------------------------

static void runner_wake(struct interface *interface)
{
    struct thread *runner = atomic_load(&interface->runner);
    if (runner != NULL) { // before that it has not looked yet
        thread_wake(runner);
    }
}

static void leave_to_thread(struct interface *interface, struct packet *packet)
{
    packet->cost = 0;
    for (const struct packet *part = packet; part != NULL; part = part->more) {
        packet->cost += HAL_PAGE_SIZE;
    }
    const unsigned pushed = channel_push(&interface->arrived, packet, WAITING_MAX);
    if (pushed == 0) {
        netif_count(&interface->ethernet.netif, NETIF_RECEIVED_DROPPED, 1);
        packet_free(packet);
    } else if ((pushed & CHANNEL_ALONE) != 0) {
        runner_wake(interface);
    }
}

// told: of net_socket_push.
static void leave_told(struct interface *interface, struct net_socket *told)
{
    if (told != NULL && net_told_push(&interface->told, told)) {
        runner_wake(interface);
    }
}

// False: it goes the way of all.
static __attribute__((noinline)) bool early_input(struct interface *interface,
                                                  struct packet *packet)
{
    struct netif *netif = &interface->ethernet.netif;
    struct net_socket *told = NULL;
    quiescence_interrupt_begin();
    const bool is_taken = packet_sockets_take_direct(netif, packet, &told);
    quiescence_interrupt_end();
    leave_told(interface, told);
    if (!is_taken && net_is_filtered()) {
        net_filter_push(netif, packet);
        return true;
    }
    return is_taken;
}

static void frame_input(struct interface *interface, struct packet *packet)
{
    struct net_socket *told = NULL;
    if (net_has_early() && early_input(interface, packet)) {
        return;
    }
    quiescence_interrupt_begin();
    const bool is_taken = ethernet_input_direct(&interface->ethernet, packet, &told);
    quiescence_interrupt_end();
    leave_told(interface, told);
    if (!is_taken) {
        leave_to_thread(interface, packet);
    }
}

static void frames_input(struct interface *interface, struct packet *frame)
{
    while (frame != NULL) {
        struct packet *next = frame->next;
        frame_input(interface, frame);
        frame = next;
    }
}

// Filters and their like see packets as they were sent.
static bool is_merging(const struct interface *interface)
{
    return atomic_load_explicit(&interface->merges, memory_order_relaxed) && !net_has_early();
}

// Each frame is counted, in one with others or not.
static void frame_merge(struct interface *interface, struct packet *packet)
{
    struct merge *merge = &interface->merge[thread_cpu_index()];
    struct packet *frames = merge_frame(merge, packet);
    if (merge->cut != 0) {
        netif_count(&interface->ethernet.netif, NETIF_RECEIVED, 1);
        netif_count(&interface->ethernet.netif, NETIF_RECEIVED_BYTES, merge->cut);
    }
    frames_input(interface, frames);
}

// Interrupts off.
static void received(void *state, struct packet *packet)
{
    struct interface *interface = state;
    if (packet == NULL) {
        netif_count(&interface->ethernet.netif, NETIF_RECEIVED_DROPPED, 1);
    } else if (is_merging(interface)) {
        frame_merge(interface, packet);
    } else {
        frames_input(interface, merge_end(&interface->merge[thread_cpu_index()]));
        frame_input(interface, packet);
    }
}

// Interrupts off.
static void received_all(void *state)
{
    struct interface *interface = state;
    frames_input(interface, merge_end(&interface->merge[thread_cpu_index()]));
}

static void packet_input(struct interface *interface, struct packet *packet)
{
    packet = packet->more == NULL ? packet : packet_join(packet);
    if (packet == NULL) {
        netif_count(&interface->ethernet.netif, NETIF_RECEIVED_DROPPED, 1);
        net_count(NET_NO_MEMORY);
        return;
    }
    ethernet_input(&interface->ethernet, packet);
}

static void packets_input(struct interface *interface, struct packet *packet)
{
    while (packet != NULL) {
        struct packet *next = packet->next;
        channel_return(&interface->arrived, packet->cost);
        packet_input(interface, packet);
        packet = next;
    }
}

static void changed(void *state)
{
    struct interface *interface = state;
    atomic_store(&interface->has_changed, true);
    runner_wake(interface);
}

static void addresses_announce(struct interface *interface)
{
    struct route_address addresses[ROUTE_ADDRESS_MAX];
    const uint32_t count = route_address_list(addresses);
    for (uint32_t i = 0; i < count; ++i) {
        if (addresses[i].netif == &interface->ethernet.netif) {
            ethernet_announce(&interface->ethernet, &addresses[i].address);
        }
    }
}

// It may be somewhere else than before: its neighbours, and who gave it its addresses, are told.
static void link_returned(struct interface *interface)
{
    struct ethernet *ethernet = &interface->ethernet;
    if (ethernet->dhcp != NULL) {
        dhcp_client_link_returned(ethernet->dhcp);
    }
    if (ethernet->autoconf != NULL) {
        autoconf_client_link_returned(ethernet->autoconf);
    }
}

static void link_look(struct interface *interface)
{
    const bool has_link = net_device_has_link(interface->device);
    const bool is_wanted = net_device_wants_announcement(interface->device);
    const bool was_cut = atomic_load(&interface->ethernet.netif.is_cut);
    atomic_store(&interface->ethernet.netif.is_cut, !has_link);
    if (was_cut == has_link) {
        netif_changed(&interface->ethernet.netif);
    }
    if (is_wanted || (was_cut && has_link)) {
        addresses_announce(interface);
    }
    if (was_cut && has_link) {
        link_returned(interface);
    }
    if (is_wanted) {
        net_device_announced(interface->device);
    }
}

static void interface_run(void *argument)
{
    struct interface *interface = argument;
    atomic_store(&interface->runner, thread_self()); // before the looks; pairs with runner_wake
    atomic_store(&interface->has_changed, true);     // since it was opened, perhaps
    for (;;) {
        if (atomic_load(&interface->has_changed)) {
            atomic_store(&interface->has_changed, false); // before the look
            link_look(interface);
        }
        if (atomic_load(&interface->is_held)) {
            atomic_store(&interface->is_held, false); // before the look; pairs with flush_soon
            net_device_flush(interface->device);
        }
        const bool has_told = net_told_tell(&interface->told);
        struct packet *packets = channel_take(&interface->arrived);
        if (!has_told && packets == NULL) {
            thread_park();
            continue;
        }
        packets_input(interface, packets);
        net_run();
    }
}

static void transmit(struct ethernet *ethernet, struct packet *frame)
{
    struct interface *interface = container_of(ethernet, struct interface, ethernet);
    const uint32_t size = packet_size(frame);
    if (net_device_send(interface->device, frame) != 0) {
        netif_count(&ethernet->netif, NETIF_SENT_DROPPED, 1);
        return;
    }
    netif_count(&ethernet->netif, NETIF_SENT, 1);
    netif_count(&ethernet->netif, NETIF_SENT_BYTES, size);
}

static void flush(struct netif *netif)
{
    net_device_flush(container_of(netif, struct interface, ethernet.netif)->device);
}

static bool has_sent(struct netif *netif)
{
    return net_device_has_sent(container_of(netif, struct interface, ethernet.netif)->device);
}

// Where the runner is to look already it sees what the caller has sent: that came before this look.
static void flush_soon(struct netif *netif)
{
    struct interface *interface = container_of(netif, struct interface, ethernet.netif);
    if (!atomic_load(&interface->is_held)) {
        atomic_store(&interface->is_held, true);
        runner_wake(interface);
    }
}

// ---- Beginning -------------------------------------------------------------------------

// Its memory stays: who has found the interface may use it for ever.
static int interface_make(size_t index, struct interface **made)
{
    struct interface *interface = heap_alloc_zeroed(sizeof *interface);
    if (interface == NULL) {
        return -ENOMEM;
    }
    (void)format(interface->name, sizeof interface->name, "eth%u", (unsigned)index);
    const struct thread_schedule fair = {.policy = THREAD_FAIR};
    const struct thread_config config = {.name = interface->name, .schedule = &fair};
    const int error = thread_create(&interface->thread, &config, interface_run, interface);
    if (error != 0) {
        heap_free(interface);
        return error;
    }
    *made = interface;
    return 0;
}

static unsigned flags_of(unsigned offloads)
{
    return ((offloads & NET_CHECKSUMS) != 0 ? NETIF_CHECKSUMS : 0u) |
           ((offloads & NET_SEGMENTS_V4) != 0 ? NETIF_SEGMENTS_V4 : 0u) |
           ((offloads & NET_SEGMENTS_V6) != 0 ? NETIF_SEGMENTS_V6 : 0u) |
           ((offloads & NET_SEGMENTS_UDP) != 0 ? NETIF_SEGMENTS_UDP : 0u) |
           ((offloads & NET_FRAGMENTS) != 0 ? NETIF_FRAGMENTS : 0u);
}

static void netif_fill(struct interface *interface)
{
    struct netif *netif = &interface->ethernet.netif;
    const uint32_t mtu = net_device_mtu(interface->device);
    netif->name = interface->name;
    netif->mtu = mtu;
    netif->flags = flags_of(net_device_offloads(interface->device));
    netif->parts_max = NET_PARTS_MAX;
    memcpy(netif->hardware, net_device_address(interface->device), sizeof netif->hardware);
    netif->flush = flush;
    netif->has_sent = has_sent;
    netif->flush_soon = flush_soon;
    interface->ethernet.transmit = transmit;
}

int interface_open(size_t index, bool has_dhcp, struct ethernet **ethernet)
{
    const struct hal_dev_info *info = device_at(HAL_NET, index);
    struct interface *interface;
    int error = info == NULL ? -ENXIO : net_start();
    error = error != 0 ? error : interface_make(index, &interface);
    if (error != 0) {
        return error;
    }
    const struct net_device_user user = {received, received_all, changed, interface};
    error = net_device_open(info, &user, &interface->device);
    if (error != 0) {
        thread_discard(interface->thread);
        heap_free(interface);
        return error;
    }
    netif_fill(interface);
    atomic_store(&interface->merges, (net_device_offloads(interface->device) & NET_MERGES) == 0);
    error = ethernet_start(&interface->ethernet);
    error = error == 0 && has_dhcp ? dhcp_client_make(&interface->ethernet) : error;
    error = error == 0 && has_dhcp ? autoconf_client_make(&interface->ethernet) : error;
    if (error != 0) { // nothing is freed: the alarm's thread may know it
        net_device_close(interface->device);
        thread_discard(interface->thread);
        return error;
    }
    thread_start(interface->thread);
    *ethernet = &interface->ethernet;
    return 0;
}
