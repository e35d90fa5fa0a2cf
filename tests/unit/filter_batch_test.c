// SPDX-License-Identifier: BSD-3-Clause
// filter_batch_test.c: what has come together for packet filters: whose answer waits for the next
// one's, and when the device hears of them.
#include "core/net/filter.h"

#include <check.h>

#include "core/dev/packet.h"
#include "core/net/netif.h"
#include "core/sched/thread.h"
#include "link_host.h"
#include "unit_hal.h"
#include "vfs_host.h"

enum { WIRES = 2, HOOK_NS = 1000, SLOW_NS = 100000, SEEN_MAX = 2000 };

static struct netif wires[WIRES];
static char seen[SEEN_MAX]; // 'm': has more behind it; 'l': the last; 'f': a flush
static size_t seen_count;
static hal_ns hook_ns;

static void filtered(struct netif *netif, struct packet *packet, bool has_more)
{
    ck_assert_uint_eq(packet->netif, netif->index);
    ck_assert_uint_lt(seen_count, SEEN_MAX - 1);
    seen[seen_count++] = has_more ? 'm' : 'l';
    unit_clock_ns += hook_ns;
    packet_free(packet);
}

static void flush(struct netif *netif)
{
    (void)netif;
    seen[seen_count++] = 'f';
}

static void runner_run(void *argument)
{
    (void)argument;
    net_filter_run();
}

static void start(void)
{
    struct thread *runner;
    const struct thread_config config = {.name = "filters"};
    link_start("10.0.0.1/24,10.0.0.254");
    for (int i = 0; i < WIRES; ++i) {
        wires[i] = (struct netif){.name = "wire", .filtered = filtered, .flush = flush};
        ck_assert_int_eq(netif_add(&wires[i]), 0);
    }
    ck_assert_int_eq(thread_create(&runner, &config, runner_run, NULL), 0);
    hook_ns = HOOK_NS;
}

static void push(int index, uint32_t size)
{
    struct packet *packet = packet_alloc_block(size);
    packet->size = size;
    net_filter_push(&wires[index], packet);
}

static void expect(const char *expected)
{
    seen_count = 0;
    host_thread_run();
    seen[seen_count] = 0;
    ck_assert_str_eq(seen, expected);
}

START_TEST(answers_of_one_batch_go_together)
{
    push(0, 100);
    push(0, 100);
    push(0, 100);
    expect("mmlf");
    push(0, 100);
    expect("lf");
}
END_TEST

// Another device does not know what this one holds.
START_TEST(each_device_has_its_batch)
{
    push(0, 100);
    push(0, 100);
    push(1, 100);
    push(0, 100);
    expect("mlflflf");
}
END_TEST

START_TEST(slow_hooks_keep_no_answer_waiting)
{
    hook_ns = SLOW_NS;
    push(0, 100);
    push(0, 100);
    push(0, 100);
    expect("mlflf");
    hook_ns = 3 * SLOW_NS / 25; // two of them may wait
    for (int i = 0; i < 6; ++i) {
        push(0, 100);
    }
    expect("mmlfmlflf");
}
END_TEST

// What has been seen makes room, and what finds none is counted.
START_TEST(there_is_a_limit)
{
    enum { SIZE = 60000, ROOM = (4 << 20) / SIZE };
    for (int round = 0; round < 3; ++round) {
        const uint64_t before = netif_figure(&wires[0], NETIF_RECEIVED_DROPPED);
        for (int i = 0; i < 2 * ROOM; ++i) {
            push(0, SIZE);
        }
        const uint64_t dropped = netif_figure(&wires[0], NETIF_RECEIVED_DROPPED) - before;
        ck_assert_uint_ge(dropped, ROOM);
        ck_assert_uint_le(dropped, ROOM + 2);
        seen_count = 0;
        host_thread_run();
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("filter_batch");
    TCase *cases = tcase_create("filter_batch");
    tcase_add_checked_fixture(cases, start, link_forget);
    tcase_add_test(cases, answers_of_one_batch_go_together);
    tcase_add_test(cases, each_device_has_its_batch);
    tcase_add_test(cases, slow_hooks_keep_no_answer_waiting);
    tcase_add_test(cases, there_is_a_limit);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
