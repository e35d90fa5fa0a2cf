// SPDX-License-Identifier: BSD-3-Clause
// tcp_test.c: the header of TCP, and connections against each other over a network that loses,
// duplicates, delays and reorders, in virtual time. tcp_script_test.c has the rest.
#include "core/net/tcp_header.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { MSS = 1460, STREAM = 200000 };

static struct tcp_settings settings = {.mss = MSS, .room = 60000};
static hal_ns now;

// ---- Headers ---------------------------------------------------------------------------

START_TEST(header_is_read_as_it_was_written)
{
    const struct tcp_ports ports = {80, 40000};
    for (unsigned which = 0; which < 16; ++which) {
        const struct tcp_segment segment = {
            .sequence = 0x12345678,
            .acknowledgement = 0x9abcdef0,
            .window = 0xfedc,
            .flags = TCP_ACK | TCP_PSH,
            .mss = which & 1 ? MSS : 0,
            .scale = which & 1 ? 7 : UINT8_MAX,
            .may_sack = (which & 2) != 0,
            .has_timestamps = (which & 4) != 0,
            .time = which & 4 ? 77 : 0,
            .echo = which & 4 ? 99 : 0,
            .sack_count = which & 8 && !(which & 3) ? 2 : 0,
            .sacks = {{1, 2}, {3, 4}}, // not in a SYN
        };
        char data[TCP_HEADER_MAX + 3];
        struct tcp_segment read;
        struct tcp_ports read_ports;
        const uint32_t length = tcp_header_write(data, &segment, &ports);
        ck_assert_uint_eq(length % 4, 0);
        ck_assert_uint_eq(tcp_header_size(&segment), length);
        memcpy(data + length, "abc", 3);
        ck_assert_int_eq(tcp_header_read(&read, &read_ports, data, length + 3), 0);
        ck_assert_uint_eq(read_ports.source, 80);
        ck_assert_uint_eq(read_ports.target, 40000);
        ck_assert_uint_eq(read.sequence, segment.sequence);
        ck_assert_uint_eq(read.acknowledgement, segment.acknowledgement);
        ck_assert_uint_eq(read.window, segment.window);
        ck_assert_uint_eq(read.flags, segment.flags);
        ck_assert_uint_eq(read.mss, segment.mss);
        ck_assert_uint_eq(read.scale, segment.scale);
        ck_assert(read.may_sack == segment.may_sack);
        ck_assert(read.has_timestamps == segment.has_timestamps);
        ck_assert_uint_eq(read.time, segment.time);
        ck_assert_uint_eq(read.echo, segment.echo);
        ck_assert_uint_eq(read.sack_count, segment.sack_count);
        ck_assert_uint_eq(read.size, 3);
        ck_assert_int_eq(memcmp(read.data, "abc", 3), 0);
        for (uint32_t size = 0; size < length; ++size) {
            ck_assert_int_eq(tcp_header_read(&read, &read_ports, data, size), -EINVAL);
        }
    }
}
END_TEST

// ---- Two connections and a bad network --------------------------------------------------

enum { FLYING_MAX = 4096 };

static struct flying {
    struct tcp_segment segment;
    struct tcp *to;
    hal_ns at;
    char *data;
} flying[FLYING_MAX];
static unsigned flying_count;
static struct side {
    struct tcp tcp;
    char out[STREAM], in[STREAM];
} sides[2];
static uint32_t random_state;
static unsigned badness; // percent

static uint32_t draw(uint32_t below)
{
    random_state = random_state * 1664525 + 1013904223;
    return (uint32_t)((uint64_t)random_state * below >> 32);
}

static void fly(struct side *from, const struct tcp_segment *segment)
{
    struct side *to = from == &sides[0] ? &sides[1] : &sides[0];
    ck_assert_uint_lt(flying_count, FLYING_MAX);
    struct flying *item = &flying[flying_count++];
    *item = (struct flying){.segment = *segment, .to = &to->tcp, .at = now + 1000000};
    item->at += draw(100) < badness ? draw(300000000) : 0;
    item->data = malloc(segment->size + 1);
    memcpy(item->data, from->out + segment->from, segment->size);
    item->segment.data = item->data;
}

static void net_send(struct tcp *tcp, const struct tcp_segment *segment)
{
    struct side *from = (struct side *)tcp;
    if (segment->size > 0) {
        ck_assert_uint_le(segment->from + segment->size, tcp->written);
    }
    if (draw(100) >= badness) {
        fly(from, segment);
    }
    if (draw(100) < badness) {
        fly(from, segment);
    }
}

static bool net_store(struct tcp *tcp, const struct tcp_segment *segment, uint64_t from,
                      uint32_t skip, uint32_t size)
{
    struct side *side = (struct side *)tcp;
    ck_assert_uint_le(from + size, STREAM);
    memcpy(side->in + from, (char *)segment->data + skip, size);
    return true;
}

static struct tcp_space *net_space(struct tcp *tcp)
{
    static struct tcp_space spaces[2];
    return &spaces[(struct side *)tcp - sides];
}

static const struct tcp_host net = {.send = net_send, .store = net_store, .space = net_space};

static void arrive(void)
{
    unsigned next = 0;
    for (unsigned i = 1; i < flying_count; ++i) {
        next = flying[i].at < flying[next].at ? i : next;
    }
    struct flying item = flying[next];
    flying[next] = flying[--flying_count];
    now = item.at > now ? item.at : now;
    if (item.to->host == NULL) {
        if (item.segment.flags == TCP_SYN) {
            tcp_answer(item.to, &net, &settings, draw(UINT32_MAX), &item.segment, now);
        }
    } else {
        tcp_input(item.to, &item.segment, now);
    }
    free(item.data);
}

static hal_ns next_event(void)
{
    hal_ns next = UINT64_MAX;
    for (unsigned i = 0; i < flying_count; ++i) {
        next = flying[i].at < next ? flying[i].at : next;
    }
    return next;
}

static void side_work(struct side *side, uint64_t size)
{
    struct tcp *tcp = &side->tcp;
    if (tcp->host == NULL) {
        return;
    }
    if (tcp->written < size && tcp_acknowledged(tcp) + 30000 > tcp->written) {
        const uint64_t more = tcp->written + 1 + draw(9000);
        tcp_write(tcp, more < size ? more : size, now);
    }
    const uint64_t received = tcp_received(tcp);
    if (received > tcp->taken && draw(3) == 0) {
        tcp_read(tcp, received, now);
    }
    if (tcp->written == size && !tcp->is_closing && tcp->state != TCP_STATE_SYN_SENT) {
        tcp_close(tcp, now);
    }
}

static bool is_over(const struct side *side)
{
    return side->tcp.state == TCP_STATE_CLOSED || side->tcp.state == TCP_STATE_TIME_WAIT;
}

static void exchange(uint32_t seed, unsigned bad)
{
    memset(sides, 0, sizeof sides);
    random_state = seed;
    badness = bad;
    flying_count = 0;
    now = 1000000000;
    settings.room = 5000 + draw(200000);
    const uint64_t sizes[2] = {draw(STREAM), draw(STREAM)};
    for (int s = 0; s < 2; ++s) {
        for (int i = 0; i < STREAM; ++i) {
            sides[s].out[i] = (char)(i * 7 + i / 256 + s);
        }
    }
    tcp_connect(&sides[0].tcp, &net, &settings, draw(UINT32_MAX), now);
    for (int step = 0; step < 400000 && !(is_over(&sides[0]) && is_over(&sides[1])); ++step) {
        side_work(&sides[0], sizes[0]);
        side_work(&sides[1], sizes[1]);
        const hal_ns event = next_event();
        struct tcp *first =
            sides[1].tcp.host != NULL && sides[1].tcp.deadline < sides[0].tcp.deadline
                ? &sides[1].tcp
                : &sides[0].tcp;
        if (first->deadline < event && first->host != NULL) {
            now = first->deadline > now ? first->deadline : now;
            tcp_tick(first, now);
        } else if (event != UINT64_MAX) {
            arrive();
        }
    }
    for (int s = 0; s < 2; ++s) {
        ck_assert_msg(is_over(&sides[s]), "seed %u: side %d stands in state %d", seed, s,
                      sides[s].tcp.state);
        ck_assert_msg(sides[s].tcp.error == 0, "seed %u: error %d", seed, sides[s].tcp.error);
        ck_assert_msg(tcp_received(&sides[s].tcp) == sizes[!s], "seed %u: %lu of %lu", seed,
                      tcp_received(&sides[s].tcp), sizes[!s]);
        ck_assert_int_eq(memcmp(sides[s].in, sides[!s].out, sizes[!s]), 0);
    }
    while (flying_count > 0) {
        free(flying[--flying_count].data);
    }
}

START_TEST(streams_arrive_over_a_good_network)
{
    for (uint32_t seed = 1; seed <= 100; ++seed) {
        exchange(seed, 0);
    }
}
END_TEST

START_TEST(streams_arrive_over_a_bad_network)
{
    for (uint32_t seed = 1; seed <= 100; ++seed) {
        exchange(seed, 1 + seed % 20);
    }
    // Which once did not: closed before it was established; both sending again.
    exchange(196, 1 + 196 % 20);
    exchange(1319, 1 + 1319 % 20);
}
END_TEST

// ---- More bytes than there are sequence numbers ----------------------------------------

enum { LINE = 4096, AT_ONCE = 1 << 20 };
#define LONG_STREAM (UINT64_C(9) << 29) // 4.5 GiB

static struct tcp ends[2];
static struct tcp_segment line[LINE];
static uint32_t line_put, line_taken;
static uint8_t line_to[LINE];
static uint64_t lost_from; // the first data from there on does not arrive; UINT64_MAX: all does

static void line_send(struct tcp *tcp, const struct tcp_segment *segment)
{
    if (segment->size > 0 && segment->from >= lost_from) {
        lost_from = UINT64_MAX;
        return;
    }
    ck_assert_uint_lt(line_put - line_taken, LINE);
    line_to[line_put % LINE] = tcp == &ends[0];
    line[line_put++ % LINE] = *segment;
}

static bool line_store(struct tcp *tcp, const struct tcp_segment *segment, uint64_t from,
                       uint32_t skip, uint32_t size)
{
    (void)segment, (void)skip, (void)size;
    ck_assert_uint_ge(from, tcp_received(tcp));
    return true;
}

static void line_deliver(void)
{
    static const struct tcp_host host = {.send = line_send, .store = line_store};
    while (line_taken != line_put) {
        struct tcp_segment segment = line[line_taken % LINE];
        segment.may_sack = false;
        struct tcp *to = &ends[line_to[line_taken++ % LINE]];
        now += 1000;
        if (to->host == NULL) {
            tcp_answer(to, &host, &settings, 7, &segment, now);
        } else {
            tcp_input(to, &segment, now);
        }
    }
}

START_TEST(a_stream_may_be_longer_than_its_numbers)
{
    static const struct tcp_host host = {.send = line_send, .store = line_store};
    const struct tcp_settings large = {.mss = MSS, .room = 4 << 20, .burst = 65000};
    settings = large;
    lost_from = UINT64_C(3) << 30;
    tcp_connect(&ends[0], &host, &settings, 5, now);
    ck_assert_uint_eq(tcp_acknowledged(&ends[0]), 0);
    line_deliver();
    uint64_t before = 0;
    while (before < LONG_STREAM) {
        tcp_write(&ends[0], before + AT_ONCE < LONG_STREAM ? before + AT_ONCE : LONG_STREAM, now);
        line_deliver();
        tcp_read(&ends[1], tcp_received(&ends[1]), now);
        line_deliver();
        const hal_ns deadline =
            ends[0].deadline < ends[1].deadline ? ends[0].deadline : ends[1].deadline;
        if (tcp_acknowledged(&ends[0]) == before) {
            ck_assert_uint_ne(deadline, UINT64_MAX);
            now = deadline;
            tcp_tick(&ends[0], now);
            tcp_tick(&ends[1], now);
            line_deliver();
        }
        ck_assert_uint_ge(tcp_acknowledged(&ends[0]), before);
        ck_assert_uint_le(tcp_acknowledged(&ends[0]), tcp_received(&ends[1]));
        before = tcp_acknowledged(&ends[0]);
    }
    ck_assert_uint_eq(tcp_received(&ends[1]), LONG_STREAM);
    ck_assert_uint_eq(ends[0].counts.fast_recoveries, 1);
    ck_assert_uint_eq(ends[0].counts.timeouts, 0);
}
END_TEST

// A call, an answer, and the end of who has called, which the other has not acknowledged.
static void near_end_begin(void)
{
    static const struct tcp_host host = {.send = line_send, .store = line_store};
    settings.is_near = true;
    lost_from = UINT64_MAX;
    tcp_connect(&ends[0], &host, &settings, 5, now);
    line_deliver();
    tcp_close(&ends[0], now);
    line_deliver();
    ck_assert_int_eq(ends[1].state, TCP_STATE_CLOSE_WAIT);
    ck_assert_int_eq(ends[0].state, TCP_STATE_FIN_WAIT_1);
}

START_TEST(the_end_of_one_that_is_near_is_acknowledged_with_ours)
{
    near_end_begin();
    const uint32_t before = line_put;
    tcp_close(&ends[1], now);
    ck_assert_uint_eq(line_put, before + 1);
    line_deliver();
    ck_assert_uint_eq(line_put, before + 2);
    ck_assert_int_eq(ends[0].state, TCP_STATE_TIME_WAIT);
    ck_assert_int_eq(ends[1].state, TCP_STATE_CLOSED);
}
END_TEST

START_TEST(the_end_of_one_that_is_near_is_acknowledged_soon)
{
    near_end_begin();
    ck_assert_uint_le(ends[1].deadline, now + 40000000);
    now = ends[1].deadline;
    tcp_tick(&ends[1], now);
    line_deliver();
    ck_assert_int_eq(ends[0].state, TCP_STATE_FIN_WAIT_2);
    ck_assert_int_eq(ends[1].state, TCP_STATE_CLOSE_WAIT);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("tcp");
    TCase *cases = tcase_create("tcp");
    tcase_set_timeout(cases, 120);
    tcase_add_test(cases, header_is_read_as_it_was_written);
    tcase_add_test(cases, streams_arrive_over_a_good_network);
    tcase_add_test(cases, streams_arrive_over_a_bad_network);
    tcase_add_test(cases, a_stream_may_be_longer_than_its_numbers);
    tcase_add_test(cases, the_end_of_one_that_is_near_is_acknowledged_with_ours);
    tcase_add_test(cases, the_end_of_one_that_is_near_is_acknowledged_soon);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
