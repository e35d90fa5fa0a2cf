// SPDX-License-Identifier: BSD-3-Clause
// interface_test.c: what an interface does of what its device's driver tells it: segments that come
// in a row go on as one, but where the device puts them together, and filters see each.
#include "core/net/interface.h"

#include <check.h>
#include <string.h>

#include "core/dev/device.h"
#include "core/dev/net.h"
#include "core/dev/packet.h"
#include "core/net/checksum.h"
#include "core/net/counts.h"
#include "core/net/filter.h"
#include "core/net/ip.h"
#include "core/net/tcp_header.h"
#include "core/sched/quiescence.h"
#include "core/sched/thread.h"
#include "link_host.h"
#include "vfs_host.h"

enum { DATA = 1000, TCP_HEAD = 20, FRAME = ETHERNET_HEADER + IP4_HEADER + TCP_HEAD + DATA };

// ---- The device ------------------------------------------------------------------------

static struct net_device_user user;
static unsigned offloads;
static bool has_link = true;

const struct hal_dev_info *device_at(enum hal_dev_kind kind, size_t index)
{
    static const struct hal_dev_info info = {.name = "net"};
    return kind == HAL_NET && index == 0 ? &info : NULL;
}

int net_device_open(const struct hal_dev_info *info, const struct net_device_user *its,
                    struct net_device **device)
{
    (void)info;
    user = *its;
    *device = (struct net_device *)&user;
    return 0;
}

void net_device_close(struct net_device *device)
{
    (void)device;
}

const uint8_t *net_device_address(const struct net_device *device)
{
    (void)device;
    return here;
}

uint32_t net_device_mtu(const struct net_device *device)
{
    (void)device;
    return NET_MTU_DEFAULT;
}

bool net_device_has_link(const struct net_device *device)
{
    (void)device;
    return has_link;
}

bool net_device_wants_announcement(const struct net_device *device)
{
    (void)device;
    return false;
}

void net_device_announced(struct net_device *device)
{
    (void)device;
}

unsigned net_device_offloads(const struct net_device *device)
{
    (void)device;
    return offloads;
}

int net_device_send(struct net_device *device, struct packet *packet)
{
    (void)device;
    packet_free(packet);
    return 0;
}

void net_device_flush(struct net_device *device)
{
    (void)device;
}

bool net_device_has_sent(struct net_device *device)
{
    (void)device;
    return true;
}

void quiescence_interrupt_begin(void)
{
}

void quiescence_interrupt_end(void)
{
}

// ---- What it brings --------------------------------------------------------------------

static struct ethernet *ethernet;
static uint64_t packets_before;

static void open_with(unsigned its_offloads)
{
    struct interface_address address;
    link_start("10.9.0.1/24"); // and the network's own threads
    link_forget();
    offloads = its_offloads;
    ck_assert_int_eq(interface_open(0, false, &ethernet), 0);
    ck_assert_int_eq(interface_address_read(&address, "10.0.0.1/24"), 0);
    ck_assert_int_eq(interface_address_set(ethernet, &address), 0);
    packets_before = atomic_load(&net_counts[NET_IP_RECEIVED]);
}

static uint64_t packets_seen(void)
{
    return atomic_load(&net_counts[NET_IP_RECEIVED]) - packets_before;
}

// The index-th segment of a connection that nobody knows.
static void segment_come(uint32_t index)
{
    const struct ip_header header = {.source = address_of("10.0.0.2"),
                                     .target = address_of("10.0.0.1"),
                                     .protocol = IP_TCP,
                                     .hops = 64};
    struct packet *frame = packet_alloc_block(TCP_HEAD + DATA);
    const uint32_t sequence = __builtin_bswap32(index * DATA);
    memset(frame->data, 0, TCP_HEAD + DATA);
    frame->data[1] = 80;
    frame->data[3] = 81;
    memcpy(frame->data + 4, &sequence, sizeof sequence);
    frame->data[12] = TCP_HEAD / 4 << 4;
    frame->data[13] = TCP_ACK;
    frame->size = TCP_HEAD + DATA;
    const uint64_t sum = checksum_add_ends(0, &header.source, &header.target, IP_TCP, frame->size);
    const uint16_t checksum = checksum_end(checksum_add(sum, frame->data, frame->size));
    memcpy(frame->data + 16, &checksum, sizeof checksum);
    ip_header_push(frame, &header);
    frame->data -= ETHERNET_HEADER;
    frame->size += ETHERNET_HEADER;
    memcpy(frame->data, here, sizeof here);
    memcpy(frame->data + sizeof here, there, sizeof there);
    memcpy(frame->data + 2 * sizeof here, "\x08\0", 2);
    user.receive(user.state, frame);
}

START_TEST(segments_in_a_row_go_on_as_one)
{
    open_with(0);
    segment_come(0);
    segment_come(1);
    segment_come(2);
    host_thread_run();
    ck_assert_uint_eq(packets_seen(), 0);
    user.receive_end(user.state);
    host_thread_run();
    ck_assert_uint_eq(packets_seen(), 1);
    ck_assert_uint_eq(netif_figure(&ethernet->netif, NETIF_RECEIVED), 3);
    ck_assert_uint_eq(netif_figure(&ethernet->netif, NETIF_RECEIVED_BYTES), 3 * FRAME);
    user.receive_end(user.state); // nothing is left
    host_thread_run();
    ck_assert_uint_eq(packets_seen(), 1);
}
END_TEST

// A gap is none.
START_TEST(others_go_on_by_themselves)
{
    open_with(0);
    segment_come(0);
    segment_come(7);
    user.receive_end(user.state);
    host_thread_run();
    ck_assert_uint_eq(packets_seen(), 2);
}
END_TEST

START_TEST(what_a_device_merges_is_left_as_it_is)
{
    open_with(NET_MERGES);
    segment_come(0);
    segment_come(1);
    segment_come(2);
    host_thread_run();
    ck_assert_uint_eq(packets_seen(), 3);
    ck_assert_uint_eq(netif_figure(&ethernet->netif, NETIF_RECEIVED), 3);
}
END_TEST

START_TEST(what_the_driver_had_no_memory_for_is_counted)
{
    open_with(0);
    user.receive(user.state, NULL);
    ck_assert_uint_eq(netif_figure(&ethernet->netif, NETIF_RECEIVED_DROPPED), 1);
}
END_TEST

static unsigned told_count;

static void told(const struct netif *netif)
{
    ck_assert_ptr_eq(netif, &ethernet->netif);
    ck_assert(atomic_load(&netif->is_cut) == !has_link);
    ++told_count;
}

START_TEST(who_watches_is_told_of_the_link)
{
    open_with(0);
    netif_watch(told);
    for (unsigned i = 0; i < 4; ++i) {
        has_link = i % 2 != 0;
        user.changed(user.state);
        host_thread_run();
        ck_assert_uint_eq(told_count, i + 1);
        user.changed(user.state); // of something else
        host_thread_run();
        ck_assert_uint_eq(told_count, i + 1);
    }
}
END_TEST

// ---- Filters ---------------------------------------------------------------------------

enum { SEEN_MAX = 8 };
static uint32_t seen[SEEN_MAX], seen_count; // the sizes of their data

static enum net_verdict look(struct net_filter *filter, struct netif *netif, struct packet **packet,
                             const struct ip_header *header)
{
    (void)filter, (void)netif, (void)packet;
    ck_assert_uint_lt(seen_count, SEEN_MAX);
    seen[seen_count++] = header->size - TCP_HEAD;
    return NET_DROP;
}

static void release(struct net_filter *filter)
{
    (void)filter;
}

static struct net_filter filter = {.look = look, .release = release};

static void runner_run(void *argument)
{
    (void)argument;
    net_filter_run();
}

static void filter_begin(void)
{
    const struct hal_cpu_set beside = {.words[0] = 2}; // the interface's thread is the first
    const struct thread_config config = {.name = "filters", .affinity = &beside};
    struct thread *runner;
    ck_assert_int_eq(thread_create(&runner, &config, runner_run, NULL), 0);
    net_filter_add(&filter);
}

START_TEST(filters_see_what_was_sent)
{
    open_with(0);
    filter_begin();
    segment_come(0);
    segment_come(1);
    user.receive_end(user.state);
    host_thread_run();
    ck_assert_uint_eq(seen_count, 2);
    ck_assert_uint_eq(seen[0], DATA);
    ck_assert_uint_eq(seen[1], DATA);
    net_filter_remove(&filter);
}
END_TEST

// Also where a filter comes between two frames.
START_TEST(what_was_held_goes_first)
{
    open_with(0);
    segment_come(0);
    segment_come(1);
    filter_begin();
    segment_come(2);
    user.receive_end(user.state);
    host_thread_run();
    ck_assert_uint_eq(seen_count, 2);
    ck_assert_uint_eq(seen[0], 2 * DATA);
    ck_assert_uint_eq(seen[1], DATA);
    net_filter_remove(&filter);
    segment_come(3);
    user.receive_end(user.state);
    host_thread_run();
    ck_assert_uint_eq(packets_seen(), 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("interface");
    TCase *cases = tcase_create("interface");
    tcase_add_test(cases, segments_in_a_row_go_on_as_one);
    tcase_add_test(cases, others_go_on_by_themselves);
    tcase_add_test(cases, what_a_device_merges_is_left_as_it_is);
    tcase_add_test(cases, what_the_driver_had_no_memory_for_is_counted);
    tcase_add_test(cases, who_watches_is_told_of_the_link);
    tcase_add_test(cases, filters_see_what_was_sent);
    tcase_add_test(cases, what_was_held_goes_first);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
