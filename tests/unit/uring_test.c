// SPDX-License-Identifier: BSD-3-Clause
// uring_test.c: reads and writes of several frames by one system call of the host, over a socket
// that keeps frames apart. A host without io_uring is not tested.
#include "hal-linux/dev/uring.h"

#include <check.h>
#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TURNS = 3 };

static struct uring uring;
static int ends[2];
static char bytes[URING_MAX];
static struct iovec parts[URING_MAX];

static void start(void)
{
    ck_assert_int_eq(io_uring_queue_init(URING_MAX, &uring.ring, 0), 0);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
    for (uint32_t i = 0; i < URING_MAX; ++i) {
        bytes[i] = (char)(i + 1);
        parts[i] = (struct iovec){&bytes[i], 1};
    }
}

static void stop(void)
{
    io_uring_queue_exit(&uring.ring);
    close(ends[0]);
    close(ends[1]);
}

// As often as one likes; the ring goes round.
START_TEST(all_are_written_in_their_order)
{
    for (int turn = 0; turn < TURNS; ++turn) {
        const uint32_t count = URING_MAX - (uint32_t)turn;
        for (uint32_t i = 0; i < count; ++i) {
            uring_write(&uring, ends[0], &parts[i], 1);
        }
        ck_assert_uint_eq(uring_run(&uring), count);
        for (uint32_t i = 0; i < count; ++i) {
            char got[2];
            ck_assert_int_eq(uring.results[i], 1);
            ck_assert_int_eq(recv(ends[1], got, sizeof got, MSG_DONTWAIT), 1);
            ck_assert_int_eq(got[0], bytes[i]);
        }
        ck_assert_int_eq(recv(ends[1], bytes, 1, MSG_DONTWAIT), -1);
    }
}
END_TEST

// And none of the reads is under way then: what comes later is there for others.
START_TEST(what_is_there_is_read_and_nothing_is_waited_for)
{
    char got[3] = {0};
    const struct iovec places[] = {{&got[0], 1}, {&got[1], 1}, {&got[2], 1}};
    ck_assert_int_eq(write(ends[1], "a", 1), 1);
    ck_assert_int_eq(write(ends[1], "b", 1), 1);
    for (int i = 0; i < 3; ++i) {
        uring_read(&uring, ends[0], &places[i], 1);
    }
    ck_assert_uint_eq(uring_run(&uring), 3);
    ck_assert_int_eq(uring.results[0], 1);
    ck_assert_int_eq(uring.results[1], 1);
    ck_assert_int_eq(uring.results[2], -EAGAIN);
    ck_assert_int_eq(write(ends[1], "c", 1), 1);
    ck_assert_int_eq(recv(ends[0], &got[2], 1, MSG_DONTWAIT), 1);
    ck_assert_mem_eq(got, "abc", 3);
}
END_TEST

START_TEST(what_fails_says_so_and_holds_up_none)
{
    const int number = eventfd(0, EFD_NONBLOCK); // takes 8 bytes
    uring_write(&uring, ends[0], &parts[0], 1);
    uring_write(&uring, number, &parts[1], 1);
    uring_write(&uring, -1, &parts[2], 1);
    uring_write(&uring, ends[0], &parts[3], 1);
    ck_assert_uint_eq(uring_run(&uring), 4);
    ck_assert_int_eq(uring.results[0], 1);
    ck_assert_int_lt(uring.results[1], 0);
    ck_assert_int_eq(uring.results[2], -EBADF);
    ck_assert_int_eq(uring.results[3], 1);
    close(number);
}
END_TEST

// Nor are requests kept that would come true later.
START_TEST(a_host_that_takes_none_is_not_asked_again)
{
    const int ring = uring.ring.ring_fd;
    uring.ring.ring_fd = ends[1]; // EOPNOTSUPP
    uring_write(&uring, ends[0], &parts[0], 1);
    uring_write(&uring, ends[0], &parts[1], 1);
    ck_assert_uint_eq(uring_run(&uring), 2);
    ck_assert_int_eq(uring.results[0], -EAGAIN);
    ck_assert_int_eq(uring.results[1], -EAGAIN);
    uring.ring.ring_fd = ring;
    uring_write(&uring, ends[0], &parts[2], 1);
    ck_assert_uint_eq(uring_run(&uring), 1);
    ck_assert_int_eq(uring.results[0], 1);
    char got[2];
    ck_assert_int_eq(recv(ends[1], got, sizeof got, MSG_DONTWAIT), 1);
    ck_assert_int_eq(got[0], bytes[2]);
}
END_TEST

int main(void)
{
    struct io_uring probe;
    if (io_uring_queue_init(1, &probe, 0) != 0) {
        return 0;
    }
    io_uring_queue_exit(&probe);
    Suite *suite = suite_create("uring");
    TCase *tcase = tcase_create("uring");
    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, start, stop);
    tcase_add_test(tcase, all_are_written_in_their_order);
    tcase_add_test(tcase, what_is_there_is_read_and_nothing_is_waited_for);
    tcase_add_test(tcase, what_fails_says_so_and_holds_up_none);
    tcase_add_test(tcase, a_host_that_takes_none_is_not_asked_again);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
