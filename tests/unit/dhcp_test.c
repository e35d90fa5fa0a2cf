// SPDX-License-Identifier: BSD-3-Clause
// dhcp_test.c: the client of DHCP in virtual time: what it asks when, which answers it takes, when
// it gives an address back; and the bytes of its messages and of a server's.
#include "core/net/dhcp.h"

#include <check.h>
#include <errno.h>
#include <string.h>

#define SECOND UINT64_C(1000000000)

static const uint8_t here[NETIF_HARDWARE_SIZE] = {2, 0, 0, 0, 0, 1};
static struct dhcp dhcp;
static struct dhcp_step step;
static hal_ns now;

static struct net_address v4(unsigned a, unsigned b, unsigned c, unsigned d)
{
    const uint8_t bytes[] = {(uint8_t)a, (uint8_t)b, (uint8_t)c, (uint8_t)d};
    return address_of_v4(bytes);
}

static void start(void)
{
    now = 1000 * SECOND;
    dhcp_start(&dhcp, here, 42, now);
}

static enum dhcp_act due(void)
{
    dhcp_timeout(&dhcp, now, &step);
    return step.act;
}

// Nothing is due before the deadline; then time is there.
static hal_ns wait(void)
{
    const hal_ns before = now;
    ck_assert_int_eq(due(), DHCP_NOTHING);
    ck_assert_uint_gt(dhcp.deadline, now);
    now = dhcp.deadline - 1;
    ck_assert_int_eq(due(), DHCP_NOTHING);
    now = dhcp.deadline;
    return now - before;
}

static struct dhcp_reply reply_of(enum dhcp_kind kind)
{
    return (struct dhcp_reply){.kind = kind,
                               .number = dhcp.number,
                               .address = v4(10, 0, 0, 7),
                               .server = v4(10, 0, 0, 1),
                               .bits = 24,
                               .lease_s = 1000};
}

static enum dhcp_act hear(enum dhcp_kind kind)
{
    const struct dhcp_reply reply = reply_of(kind);
    dhcp_input(&dhcp, &reply, now, &step);
    return step.act;
}

static void check_sent(enum dhcp_act act, enum dhcp_kind kind)
{
    ck_assert_int_eq(due(), act);
    ck_assert_int_eq(step.request.kind, kind);
    ck_assert_uint_eq(step.request.number, dhcp.number);
}

static void get_lease(void)
{
    start();
    check_sent(DHCP_SEND_ALL, DHCP_DISCOVER);
    ck_assert_int_eq(hear(DHCP_OFFER), DHCP_NOTHING);
    check_sent(DHCP_SEND_ALL, DHCP_REQUEST);
    ck_assert(!address_is_any(&step.request.wanted) && !address_is_any(&step.request.server));
    ck_assert(address_is_any(&step.request.own));
    ck_assert_int_eq(hear(DHCP_ACK), DHCP_NOTHING);
    ck_assert_int_eq(due(), DHCP_ASK);
    (void)wait();
    ck_assert_int_eq(due(), DHCP_ASK);
    (void)wait();
    ck_assert_int_eq(due(), DHCP_TAKE);
    ck_assert_int_eq(due(), DHCP_NOTHING);
}

START_TEST(test_lease_is_got_renewed_and_lost)
{
    get_lease();
    const hal_ns got = dhcp.sent;
    (void)wait();
    ck_assert_uint_eq(now, got + 500 * SECOND);
    check_sent(DHCP_SEND_SERVER, DHCP_REQUEST);
    ck_assert(!address_is_any(&step.request.own));
    ck_assert(address_is_any(&step.request.wanted) && address_is_any(&step.request.server));
    ck_assert_int_eq(hear(DHCP_ACK), DHCP_KEEP);
    const hal_ns renewed = dhcp.sent;
    ck_assert_uint_eq(renewed, now);
    (void)wait();
    for (int i = 0; now < renewed + 875 * SECOND; ++i) { // nobody answers
        ck_assert_int_lt(i, 10);
        check_sent(DHCP_SEND_SERVER, DHCP_REQUEST);
        ck_assert_uint_ge(wait(), 15 * SECOND);
    }
    ck_assert_uint_eq(now, renewed + 875 * SECOND);
    for (int i = 0; now < renewed + 1000 * SECOND; ++i) {
        ck_assert_int_lt(i, 10);
        check_sent(DHCP_SEND_ALL, DHCP_REQUEST);
        ck_assert(!address_is_any(&step.request.own));
        (void)wait();
    }
    ck_assert_uint_eq(now, renewed + 1000 * SECOND);
    ck_assert_int_eq(due(), DHCP_LOSE);
    check_sent(DHCP_SEND_ALL, DHCP_DISCOVER);
    ck_assert(address_is_any(&step.request.own));
}
END_TEST

START_TEST(test_any_server_may_extend)
{
    get_lease();
    now += 900 * SECOND;
    check_sent(DHCP_SEND_ALL, DHCP_REQUEST);
    struct dhcp_reply reply = reply_of(DHCP_ACK);
    reply.server = v4(10, 0, 0, 2);
    dhcp_input(&dhcp, &reply, now, &step);
    ck_assert_int_eq(step.act, DHCP_KEEP);
    ck_assert_int_eq(dhcp.state, DHCP_BOUND);
    ck_assert_uint_eq(dhcp.deadline, now + 500 * SECOND);
}
END_TEST

START_TEST(test_refusal_while_extending_loses_the_address)
{
    get_lease();
    (void)wait();
    check_sent(DHCP_SEND_SERVER, DHCP_REQUEST);
    ck_assert_int_eq(hear(DHCP_NAK), DHCP_LOSE);
    check_sent(DHCP_SEND_ALL, DHCP_DISCOVER);
}
END_TEST

START_TEST(test_other_address_while_extending_loses_the_address)
{
    get_lease();
    (void)wait();
    check_sent(DHCP_SEND_SERVER, DHCP_REQUEST);
    struct dhcp_reply reply = reply_of(DHCP_ACK);
    reply.address = v4(10, 0, 0, 8);
    dhcp_input(&dhcp, &reply, now, &step);
    ck_assert_int_eq(step.act, DHCP_LOSE);
    ck_assert_int_eq(dhcp.state, DHCP_SELECTING);
}
END_TEST

// Whatever a server said before that is asked again, without its name.
static void link_returns(void)
{
    dhcp_link_returned(&dhcp, now);
    check_sent(DHCP_SEND_ALL, DHCP_REQUEST);
    ck_assert(!address_is_any(&step.request.wanted));
    ck_assert(address_is_any(&step.request.own) && address_is_any(&step.request.server));
}

START_TEST(test_link_that_returns_may_be_the_same)
{
    get_lease();
    now += 300 * SECOND;
    link_returns();
    ck_assert_int_eq(hear(DHCP_OFFER), DHCP_NOTHING);
    ck_assert_int_eq(hear(DHCP_ACK), DHCP_KEEP);
    ck_assert_int_eq(dhcp.state, DHCP_BOUND);
    ck_assert_uint_eq(dhcp.deadline, now + 500 * SECOND);
    (void)wait();
    check_sent(DHCP_SEND_SERVER, DHCP_REQUEST);
    link_returns();
    ck_assert_int_eq(hear(DHCP_ACK), DHCP_KEEP);
}
END_TEST

START_TEST(test_link_that_returns_may_be_another)
{
    get_lease();
    link_returns();
    ck_assert_int_eq(hear(DHCP_NAK), DHCP_LOSE);
    check_sent(DHCP_SEND_ALL, DHCP_DISCOVER);
    (void)hear(DHCP_OFFER);
    check_sent(DHCP_SEND_ALL, DHCP_REQUEST);
    dhcp_link_returned(&dhcp, now); // an offer is no lease
    check_sent(DHCP_SEND_ALL, DHCP_DISCOVER);
}
END_TEST

START_TEST(test_nobody_answers_where_the_link_returns)
{
    get_lease();
    const hal_ns renewal = dhcp.renewal, end = dhcp.end;
    link_returns();
    (void)wait();
    for (int i = 0; i < 2; ++i) {
        check_sent(DHCP_SEND_ALL, DHCP_REQUEST);
        (void)wait();
    }
    ck_assert_int_eq(due(), DHCP_NOTHING);
    ck_assert_int_eq(dhcp.state, DHCP_BOUND);
    ck_assert_uint_eq(dhcp.deadline, renewal);
    now = end - SECOND;
    link_returns();
    (void)wait();
    ck_assert_uint_eq(now, end);
    ck_assert_int_eq(due(), DHCP_LOSE);
}
END_TEST

START_TEST(test_asks_less_and_less_often)
{
    start();
    static const unsigned least[] = {3, 7, 15, 31, 63, 63, 63};
    for (size_t i = 0; i < sizeof least / sizeof *least; ++i) {
        check_sent(DHCP_SEND_ALL, DHCP_DISCOVER);
        const hal_ns waited = wait();
        ck_assert_uint_ge(waited, least[i] * SECOND);
        ck_assert_uint_le(waited, (least[i] + 2) * SECOND);
    }
}
END_TEST

START_TEST(test_silent_server_is_given_up)
{
    start();
    check_sent(DHCP_SEND_ALL, DHCP_DISCOVER);
    ck_assert_int_eq(hear(DHCP_OFFER), DHCP_NOTHING);
    for (int i = 0; i < 4; ++i) {
        check_sent(DHCP_SEND_ALL, DHCP_REQUEST);
        (void)wait();
    }
    const uint32_t number = dhcp.number;
    check_sent(DHCP_SEND_ALL, DHCP_DISCOVER);
    ck_assert_uint_ne(dhcp.number, number);
}
END_TEST

START_TEST(test_refused_offer_waits)
{
    start();
    check_sent(DHCP_SEND_ALL, DHCP_DISCOVER);
    ck_assert_int_eq(hear(DHCP_OFFER), DHCP_NOTHING);
    check_sent(DHCP_SEND_ALL, DHCP_REQUEST);
    ck_assert_int_eq(hear(DHCP_NAK), DHCP_NOTHING);
    ck_assert_uint_ge(wait(), SECOND);
    check_sent(DHCP_SEND_ALL, DHCP_DISCOVER);
}
END_TEST

START_TEST(test_address_in_use_is_declined)
{
    start();
    check_sent(DHCP_SEND_ALL, DHCP_DISCOVER);
    (void)hear(DHCP_OFFER);
    check_sent(DHCP_SEND_ALL, DHCP_REQUEST);
    (void)hear(DHCP_ACK);
    ck_assert_int_eq(due(), DHCP_ASK);
    const struct net_address other = v4(10, 0, 0, 8), own = v4(10, 0, 0, 7);
    dhcp_heard(&dhcp, &other, now, &step);
    ck_assert_int_eq(step.act, DHCP_NOTHING);
    dhcp_heard(&dhcp, &own, now, &step);
    ck_assert_int_eq(step.act, DHCP_SEND_ALL);
    ck_assert_int_eq(step.request.kind, DHCP_DECLINE);
    ck_assert(address_is_equal(&step.request.wanted, &own));
    ck_assert_uint_ge(wait(), 10 * SECOND);
    check_sent(DHCP_SEND_ALL, DHCP_DISCOVER);
}
END_TEST

START_TEST(test_what_is_not_taken)
{
    start();
    check_sent(DHCP_SEND_ALL, DHCP_DISCOVER);
    struct dhcp_reply wrong[6];
    for (size_t i = 0; i < 6; ++i) {
        wrong[i] = reply_of(DHCP_OFFER);
    }
    wrong[0].number ^= 1;
    wrong[1].address = v4(224, 0, 0, 1);
    wrong[2].address = v4(127, 0, 0, 1);
    wrong[3].server = address_any(true);
    wrong[4].lease_s = 0;
    wrong[5].kind = DHCP_ACK; // not asked for
    for (size_t i = 0; i < 6; ++i) {
        dhcp_input(&dhcp, &wrong[i], now, &step);
        ck_assert_int_eq(step.act, DHCP_NOTHING);
        ck_assert_int_eq(dhcp.state, DHCP_SELECTING);
    }
}
END_TEST

START_TEST(test_times_of_the_server)
{
    static const struct {
        uint32_t lease, renewal, rebinding; // said
        uint64_t first, second;             // meant
    } cases[] = {{1000, 100, 200, 100, 200},
                 {1000, 0, 0, 500, 875},
                 {1000, 900, 800, 500, 875},
                 {1000, 100, 2000, 500, 875},
                 {1000, 0, 300, 300, 300},
                 {1000, 100, 0, 500, 875},
                 {UINT32_MAX, 1, 2, UINT64_MAX, UINT64_MAX}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
        start();
        check_sent(DHCP_SEND_ALL, DHCP_DISCOVER);
        (void)hear(DHCP_OFFER);
        check_sent(DHCP_SEND_ALL, DHCP_REQUEST);
        struct dhcp_reply reply = reply_of(DHCP_ACK);
        reply.lease_s = cases[i].lease;
        reply.renewal_s = cases[i].renewal;
        reply.rebinding_s = cases[i].rebinding;
        dhcp_input(&dhcp, &reply, now, &step);
        const bool ends = cases[i].first != UINT64_MAX;
        ck_assert_uint_eq(dhcp.renewal, ends ? now + cases[i].first * SECOND : UINT64_MAX);
        ck_assert_uint_eq(dhcp.rebinding, ends ? now + cases[i].second * SECOND : UINT64_MAX);
    }
}
END_TEST

// ---- Bytes -----------------------------------------------------------------------------

enum { HEAD = 240, FILE_AT = 108, NAME_AT = 44 };

static uint8_t message[600];
static size_t message_size;

static void message_begin(uint8_t kind)
{
    static const uint8_t head[] = {2, 1, 6, 0, 1, 2, 3, 4};
    memset(message, 0, sizeof message);
    memcpy(message, head, sizeof head);
    memcpy(message + 16, "\x0a\0\0\x07", 4);
    memcpy(message + 28, here, sizeof here);
    memcpy(message + 236, "\x63\x82\x53\x63", 4);
    memcpy(message + HEAD, (const uint8_t[]){53, 1, kind}, 3);
    message_size = HEAD + 3;
}

static void message_add(const void *bytes, size_t size)
{
    memcpy(message + message_size, bytes, size);
    message_size += size;
}

#define ADD(text) message_add("" text, sizeof text - 1)

static struct dhcp_reply got;

static int message_read(void)
{
    uint8_t exact[sizeof message]; // what is read behind it is seen by the sanitizers
    memcpy(exact, message, message_size);
    return dhcp_reply_read(&got, here, exact, message_size);
}

static void check_route(uint32_t index, struct net_address target, uint8_t bits,
                        struct net_address gateway)
{
    ck_assert_uint_lt(index, got.route_count);
    ck_assert(address_is_equal(&got.routes[index].target, &target));
    ck_assert(address_is_equal(&got.routes[index].gateway, &gateway));
    ck_assert_uint_eq(got.routes[index].bits, bits);
}

START_TEST(test_reply_is_read)
{
    message_begin(DHCP_OFFER);
    ADD("\1\4\xff\xff\xff\0"
        "\3\4\x0a\0\0\1"
        "\6\x8\x0a\0\0\2\x0a\0\0\3"
        "\x33\4\0\0\x0e\x10");
    ADD("\x36\4\x0a\0\0\1"
        "\x0c\4host"
        "\x0f\x0b"
        "example.org"
        "\x1a\2\5\x14"
        "\xff");
    ck_assert_int_eq(message_read(), 0);
    const struct net_address server = v4(10, 0, 0, 1), own = v4(10, 0, 0, 7);
    ck_assert_int_eq(got.kind, DHCP_OFFER);
    ck_assert_uint_eq(got.number, 0x01020304);
    ck_assert(address_is_equal(&got.address, &own) && address_is_equal(&got.server, &server));
    ck_assert_uint_eq(got.bits, 24);
    ck_assert_uint_eq(got.lease_s, 3600);
    ck_assert_uint_eq(got.mtu, 1300);
    ck_assert_uint_eq(got.names.server_count, 2);
    ck_assert_str_eq(got.names.host, "host");
    ck_assert_str_eq(got.names.domain, "example.org");
    ck_assert_uint_eq(got.route_count, 1);
    check_route(0, address_any(true), 0, server);
}
END_TEST

START_TEST(test_classless_routes_replace_the_router)
{
    message_begin(DHCP_ACK);
    ADD("\3\4\x0a\0\0\1"
        "\x79\x0e\0\x0a\0\0\2\x19\xc0\xa8\1\x80\x0a\0\0\3");
    ADD("\x79\5\x20\1\2\3\4"
        "\x79\4\x0a\0\0\4"); // in pieces
    ck_assert_int_eq(message_read(), 0);
    ck_assert_uint_eq(got.route_count, 3);
    check_route(0, address_any(true), 0, v4(10, 0, 0, 2));
    check_route(1, v4(192, 168, 1, 128), 25, v4(10, 0, 0, 3));
    check_route(2, v4(1, 2, 3, 4), 32, v4(10, 0, 0, 4));
    message_begin(DHCP_ACK);
    ADD("\x79\5\x21\1\2\3\4"); // 33 bits
    ck_assert_int_eq(message_read(), 0);
    ck_assert_uint_eq(got.route_count, 0);
}
END_TEST

START_TEST(test_options_in_the_fields_of_names)
{
    message_begin(DHCP_ACK);
    ADD("\x34\1\3\xff");
    memcpy(message + FILE_AT, "\x33\4\0\0\0\x64\xff", 7);
    memcpy(message + NAME_AT, "\x36\4\x0a\0\0\1\xff", 7);
    ck_assert_int_eq(message_read(), 0);
    ck_assert_uint_eq(got.lease_s, 100);
    ck_assert(!address_is_any(&got.server));
}
END_TEST

START_TEST(test_what_is_no_reply)
{
    message_begin(DHCP_ACK);
    ck_assert_int_eq(message_read(), 0);
    for (size_t size = 0; size < message_size; ++size) { // cut
        ck_assert_int_eq(dhcp_reply_read(&got, here, message, size), -EINVAL);
    }
    static const size_t places[] = {0, 1, 2, 28, 236, HEAD + 2};
    for (size_t i = 0; i < sizeof places / sizeof *places; ++i) {
        message_begin(DHCP_ACK);
        message[places[i]] ^= 0x40;
        ck_assert_int_eq(message_read(), -EINVAL);
    }
    message_begin(DHCP_ACK);
    ADD("\6\x7f\1\2"); // longer than the message
    ck_assert_int_eq(message_read(), -EINVAL);
}
END_TEST

START_TEST(test_names_are_but_names)
{
    message_begin(DHCP_ACK);
    ADD("\x0c\x9"
        "a\nb c;d:e"
        "\x0f\4good");
    ck_assert_int_eq(message_read(), 0);
    ck_assert_str_eq(got.names.host, "");
    ck_assert_str_eq(got.names.domain, "good");
}
END_TEST

START_TEST(test_masks)
{
    static const struct {
        const char *bytes;
        unsigned bits;
    } cases[] = {{"\xff\xff\xff\xff", 32}, {"\xff\xff\xff\xfe", 31}, {"\xff\xff\x80\0", 17},
                 {"\x80\0\0\0", 1},        {"\0\0\0\0", 0},          {"\xff\0\xff\0", 0},
                 {"\x7f\xff\xff\xff", 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
        message_begin(DHCP_ACK);
        ADD("\1\4");
        message_add(cases[i].bytes, 4);
        ck_assert_int_eq(message_read(), 0);
        ck_assert_uint_eq(got.bits, cases[i].bits);
    }
}
END_TEST

START_TEST(test_request_is_written)
{
    uint8_t bytes[DHCP_MESSAGE_SIZE];
    struct dhcp_request request = {.kind = DHCP_REQUEST,
                                   .number = 0x01020304,
                                   .seconds = 0x0506,
                                   .own = address_any(true),
                                   .wanted = v4(10, 0, 0, 7),
                                   .server = v4(10, 0, 0, 1)};
    memcpy(request.hardware, here, sizeof here);
    dhcp_request_write(&request, bytes);
    ck_assert_mem_eq(bytes, "\1\1\6\0\1\2\3\4\5\6\0\0\0\0\0\0", 16);
    ck_assert_mem_eq(bytes + 28, here, sizeof here);
    static const uint8_t options[] = {0x63, 0x82, 0x53, 0x63, 53, 1, 3, 61, 7, 1,  2, 0, 0, 0, 0,
                                      1,    50,   4,    10,   0,  0, 7, 54, 4, 10, 0, 0, 1, 57};
    ck_assert_mem_eq(bytes + 236, options, sizeof options);
    request.kind = DHCP_DECLINE;
    request.own = v4(10, 0, 0, 9);
    dhcp_request_write(&request, bytes);
    ck_assert_mem_eq(bytes + 12, "\x0a\0\0\x09", 4);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("dhcp");
    TCase *machine = tcase_create("machine"), *bytes = tcase_create("bytes");
    tcase_add_test(machine, test_lease_is_got_renewed_and_lost);
    tcase_add_test(machine, test_any_server_may_extend);
    tcase_add_test(machine, test_refusal_while_extending_loses_the_address);
    tcase_add_test(machine, test_other_address_while_extending_loses_the_address);
    tcase_add_test(machine, test_link_that_returns_may_be_the_same);
    tcase_add_test(machine, test_link_that_returns_may_be_another);
    tcase_add_test(machine, test_nobody_answers_where_the_link_returns);
    tcase_add_test(machine, test_asks_less_and_less_often);
    tcase_add_test(machine, test_silent_server_is_given_up);
    tcase_add_test(machine, test_refused_offer_waits);
    tcase_add_test(machine, test_address_in_use_is_declined);
    tcase_add_test(machine, test_what_is_not_taken);
    tcase_add_test(machine, test_times_of_the_server);
    suite_add_tcase(suite, machine);
    tcase_add_test(bytes, test_reply_is_read);
    tcase_add_test(bytes, test_classless_routes_replace_the_router);
    tcase_add_test(bytes, test_options_in_the_fields_of_names);
    tcase_add_test(bytes, test_what_is_no_reply);
    tcase_add_test(bytes, test_names_are_but_names);
    tcase_add_test(bytes, test_masks);
    tcase_add_test(bytes, test_request_is_written);
    suite_add_tcase(suite, bytes);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
