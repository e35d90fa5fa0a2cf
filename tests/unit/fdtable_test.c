// SPDX-License-Identifier: BSD-3-Clause
// fdtable_test.c: descriptors, pipes, eventfds and poll answer as Linux does.
#include "core/vfs/fdtable.h"

#include <check.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <valgrind/valgrind.h>

#include "core/vfs/poll.h"
#include "hal/unit_hal.h"
#include "vfs_host.h"

static int closed_count;

static void closed(struct file *file)
{
    (void)file;
    ++closed_count;
}

static const struct file_ops counted_ops = {.close = closed};

static struct file *file_new(void)
{
    struct file *file;
    ck_assert_int_eq(file_create(&file, &counted_ops, OPEN_READ_WRITE, NULL), 0);
    return file;
}

// ---- Descriptors ----

START_TEST(the_lowest_free_descriptor_is_taken)
{
    for (int i = 0; i < 600; ++i) {
        ck_assert_int_eq(fd_install(file_new(), 0, false), i);
    }
    ck_assert_int_eq(fd_close(5), 0);
    ck_assert_int_eq(fd_close(500), 0);
    ck_assert_int_eq(fd_close(70), 0);
    ck_assert_int_eq(fd_close(70), -EBADF);
    ck_assert_int_eq(fd_install(file_new(), 10, true), 70);
    ck_assert_int_eq(fd_flag_get(70), 1);
    ck_assert_int_eq(fd_install(file_new(), 0, false), 5);
    ck_assert_int_eq(fd_install(file_new(), 0, false), 500);
    ck_assert_int_eq(fd_install(file_new(), 0, false), 600);
    ck_assert_int_eq(closed_count, 3);
    fd_limit_set(601);
    struct file *file = file_new();
    ck_assert_int_eq(fd_install(file, 0, false), -EMFILE);
    ck_assert_int_eq(fd_install(file, 601, false), -EINVAL);
    ck_assert_int_eq(fd_install(file, -1, false), -EINVAL);
    ck_assert_int_eq(fd_install_at(601, file, false), -EBADF);
    ck_assert_int_eq(fd_install_at(-1, file, false), -EBADF);
    ck_assert_int_eq(fd_install_at(3, file, true), 3);
    ck_assert_int_eq(closed_count, 4);
    ck_assert_int_eq(fd_flag_get(3), 1);
    ck_assert_int_eq(fd_flag_set(3, false), 0);
    ck_assert_int_eq(fd_flag_get(3), 0);
    ck_assert_int_eq(fd_flag_get(-1), -EBADF);
    ck_assert_int_eq(fd_flag_get(100000), -EBADF);
    ck_assert_int_eq(fd_flag_set(5000, true), -EBADF);
    struct file *got;
    ck_assert_int_eq(fd_get(3, &got), 0);
    ck_assert_ptr_eq(got, file);
    ck_assert_int_eq(fd_close(3), 0);
    ck_assert_int_eq(closed_count, 4);
    file_put(got);
    ck_assert_int_eq(closed_count, 5);
    ck_assert_int_eq(fd_get(3, &got), -EBADF);
    ck_assert_int_eq(fd_get(-1, &got), -EBADF);
    ck_assert_int_eq(fd_get(65536, &got), -EBADF);
}
END_TEST

static bool visit(int fd, struct file *file, void *argument)
{
    (void)file;
    int *last = argument;
    ck_assert_int_gt(fd, *last);
    *last = fd;
    return fd < 2000;
}

START_TEST(descriptors_are_walked_in_order)
{
    static const int fds[] = {1, 63, 64, 511, 512, 2000, 3000};
    fd_limit_set(FD_MAX);
    for (size_t i = 0; i < sizeof fds / sizeof fds[0]; ++i) {
        ck_assert_int_eq(fd_install_at(fds[i], file_new(), false), fds[i]);
    }
    int last = -1;
    ck_assert_int_eq(fd_walk(visit, &last), 0);
    ck_assert_int_eq(last, 2000);
}
END_TEST

static _Atomic bool racing_done;

static void *getter(void *argument)
{
    (void)argument;
    size_t got_count = 0;
    while (!racing_done) {
        struct file *file;
        if (fd_get(0, &file) == 0) {
            ck_assert_ptr_eq(file->ops, &counted_ops);
            file_put(file);
            ++got_count;
        }
    }
    return (void *)got_count;
}

// fd_get on another thread: a file that is open in the table is never free, and none is leaked.
START_TEST(a_descriptor_may_be_closed_while_it_is_got)
{
    pthread_t thread;
    static struct file *spare[3];
    for (int i = 0; i < 3; ++i) {
        spare[i] = file_new(); // held: the other thread then never frees a file (the slab here is
                               // for one thread)
    }
    ck_assert_int_eq(fd_install_at(0, spare[0], false), 0);
    file_get(spare[0]);
    ck_assert_int_eq(pthread_create(&thread, NULL, getter, NULL), 0);
    for (int i = 1; i < (RUNNING_ON_VALGRIND ? 2000 : 20000); ++i) {
        file_get(spare[i % 3]);
        ck_assert_int_eq(fd_install_at(0, spare[i % 3], false), 0);
    }
    racing_done = true;
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    ck_assert_int_eq(fd_close(0), 0);
    for (int i = 0; i < 3; ++i) {
        ck_assert_uint_eq(atomic_load(&spare[i]->reference_count), 1);
        file_put(spare[i]);
    }
}
END_TEST

// ---- Pipes ----

static struct file *reader, *writer;

static void pipe_start(void)
{
    ck_assert_int_eq(pipe_create(&reader, &writer, 0), 0);
}

static void nonblocking_set(struct file *file)
{
    atomic_fetch_or(&file->flags, OPEN_NONBLOCK);
}

START_TEST(a_pipe_carries_bytes_in_order)
{
    static char data[65536 + 10], back[65536 + 10];
    size_t done = 0;
    for (size_t i = 0; i < sizeof data; ++i) {
        data[i] = (char)(i * 11 + i / 100);
    }
    nonblocking_set(writer);
    nonblocking_set(reader);
    ck_assert_int_eq(file_read(reader, back, 1, &done), -EAGAIN);
    ck_assert_int_eq(file_write(writer, data, 1000, &done), 0);
    ck_assert_int_eq(file_read(reader, back, 999, &done), 0); // so that the ring wraps
    ck_assert_int_eq(file_write(writer, data, sizeof data, &done), 0);
    ck_assert_uint_eq(done, 65535);
    ck_assert_int_eq(file_write(writer, data, 1, &done), -EAGAIN);
    ck_assert_int_eq(file_read(reader, back, sizeof back, &done), 0);
    ck_assert_uint_eq(done, 65536);
    ck_assert_int_eq(memcmp(back + 1, data, 65535), 0);
    uint64_t offset;
    ck_assert_int_eq(file_seek(reader, 0, SEEK_FROM_CURRENT, &offset), -ESPIPE);
    ck_assert_int_eq(file_read_at(reader, 0, back, 1, &done), -ESPIPE);
    ck_assert_int_eq(file_write(reader, back, 1, &done), -EBADF);
    ck_assert_int_eq(file_read(writer, back, 1, &done), -EBADF);
    ck_assert_int_eq(file_truncate(writer, 0), -EINVAL);
    struct file_status status;
    ck_assert_int_eq(file_status(reader, &status), 0);
    ck_assert_uint_eq(status.mode, MODE_FIFO | 0600);
    file_put(reader);
    ck_assert_int_eq(file_write(writer, data, 1, &done), -EPIPE);
    file_put(writer);
}
END_TEST

START_TEST(small_writes_are_whole)
{
    static char data[65536];
    size_t done;
    nonblocking_set(writer);
    ck_assert_int_eq(file_write(writer, data, 65536 - 100, &done), 0);
    ck_assert_int_eq(file_write(writer, data, 101, &done), -EAGAIN);
    ck_assert_int_eq(file_write(writer, data, 4096, &done), -EAGAIN);
    ck_assert_int_eq(file_write(writer, data, 100, &done), 0);
    ck_assert_uint_eq(done, 100);
    ck_assert_int_eq(file_read(reader, data, 50, &done), 0);
    ck_assert_int_eq(file_write(writer, data, 4097, &done), 0); // larger ones go in parts
    ck_assert_uint_eq(done, 50);
    int count;
    ck_assert_int_eq(file_control(reader, 0x541b, &count), 0);
    ck_assert_int_eq(count, 65536);
}
END_TEST

static void writer_act(void)
{
    size_t done;
    if (writer != NULL && hal_clock_ns() > 0) {
        ck_assert_int_eq(file_write(writer, "late", 4, &done), 0);
        unit_clock_ns = 0;
    } else if (writer != NULL) {
        file_put(writer);
        writer = NULL;
    }
}

START_TEST(a_reader_waits_for_data_and_for_the_end)
{
    char data[8];
    size_t done;
    unit_clock_ns = 1;
    host_sleep_hook = writer_act;
    ck_assert_int_eq(file_read(reader, data, sizeof data, &done), 0);
    ck_assert_uint_eq(done, 4);
    ck_assert_int_eq(file_read(reader, data, sizeof data, &done), 0);
    ck_assert_uint_eq(done, 0);
}
END_TEST

START_TEST(a_signal_ends_a_wait)
{
    char data[8];
    size_t done;
    host_is_interrupted = true;
    ck_assert_int_eq(file_read(reader, data, sizeof data, &done), -EINTR);
    struct poll_item item = {.file = reader, .wanted = POLL_IN};
    ck_assert_int_eq(poll_wait(&item, 1, UINT64_MAX), -EINTR);
}
END_TEST

START_TEST(vectors_are_one_piece)
{
    char a[3], b[64];
    size_t done;
    struct io_vector out[3] = {{"ab", 2}, {"", 0}, {"cdef", 4}};
    ck_assert_int_eq(file_write_vector(writer, out, 3, &done), 0);
    ck_assert_uint_eq(done, 6);
    struct io_vector in[2] = {{a, sizeof a}, {b, sizeof b}};
    ck_assert_int_eq(file_read_vector(reader, in, 2, &done), 0); // no wait for more
    ck_assert_uint_eq(done, 6);
    ck_assert_int_eq(memcmp(a, "abc", 3), 0);
    ck_assert_int_eq(memcmp(b, "def", 3), 0);
}
END_TEST

// ---- Poll and eventfd ----

static void poll_act(void)
{
    size_t done;
    ck_assert_int_eq(file_write(writer, "x", 1, &done), 0);
}

START_TEST(poll_sees_each_end)
{
    struct poll_item items[6] = {
        {.file = reader, .wanted = POLL_IN},           {.file = writer, .wanted = POLL_OUT},
        {.file = NULL, .wanted = POLL_IN, .ready = 7}, {.file = reader, .wanted = POLL_IN},
        {.file = reader, .wanted = POLL_IN},           {.file = reader, .wanted = POLL_IN}};
    ck_assert_int_eq(poll_wait(items, 3, 0), 1);
    ck_assert_uint_eq(items[0].ready, 0);
    ck_assert_uint_eq(items[1].ready, POLL_OUT);
    ck_assert_uint_eq(items[2].ready, 0);
    items[1].file = NULL;
    ck_assert_int_eq(poll_wait(items, 6, 1000), 0);
    ck_assert_uint_eq(hal_clock_ns(), 1000);
    host_sleep_hook = poll_act;
    ck_assert_int_eq(poll_wait(items, 6, UINT64_MAX), 4);
    ck_assert_uint_eq(items[5].ready, POLL_IN);
    file_put(writer);
    ck_assert_int_eq(poll_wait(items, 1, UINT64_MAX), 1);
    ck_assert_uint_eq(items[0].ready, POLL_IN | POLL_HANG_UP);
    file_put(reader);
    ck_assert_int_eq(pipe_create(&reader, &writer, 0), 0);
    file_put(reader);
    items[0] = (struct poll_item){.file = writer, .wanted = 0};
    ck_assert_int_eq(poll_wait(items, 1, UINT64_MAX), 1);
    ck_assert_uint_eq(items[0].ready, POLL_ERROR);
    file_put(writer);
}
END_TEST

START_TEST(eventfds_count)
{
    struct file *file;
    uint64_t value = 5;
    size_t done;
    ck_assert_int_eq(eventfd_create(&file, 3, false, OPEN_NONBLOCK), 0);
    ck_assert_int_eq(file_write(file, (char *)&value, 8, &done), 0);
    ck_assert_int_eq(file_read(file, (char *)&value, 8, &done), 0);
    ck_assert_uint_eq(value, 8);
    ck_assert_int_eq(file_read(file, (char *)&value, 8, &done), -EAGAIN);
    ck_assert_int_eq(file_read(file, (char *)&value, 7, &done), -EINVAL);
    value = UINT64_MAX;
    ck_assert_int_eq(file_write(file, (char *)&value, 8, &done), -EINVAL);
    value = UINT64_MAX - 1;
    ck_assert_int_eq(file_write(file, (char *)&value, 8, &done), 0);
    ck_assert_uint_eq(file_poll(file, NULL), POLL_IN);
    value = 1;
    ck_assert_int_eq(file_write(file, (char *)&value, 8, &done), -EAGAIN);
    file_put(file);
    ck_assert_int_eq(eventfd_create(&file, 2, true, 0), 0);
    ck_assert_int_eq(file_read(file, (char *)&value, 8, &done), 0);
    ck_assert_uint_eq(value, 1);
    ck_assert_uint_eq(file_poll(file, NULL), POLL_IN | POLL_OUT);
    file_put(file);
}
END_TEST

static void end_put(struct file *file)
{
    // One reference, or the test has put it already: then its memory is still a file, a free one.
    if (file != NULL && atomic_load(&file->reference_count) != 0) {
        file_put(file);
    }
}

static void stop(void)
{
    for (int fd = 0; fd < 4000; ++fd) {
        (void)fd_close(fd);
    }
    end_put(reader);
    end_put(writer);
}

static TCase *case_new(Suite *suite, const char *name, void (*setup)(void))
{
    TCase *tests = tcase_create(name);
    tcase_add_checked_fixture(tests, setup, stop);
    tcase_set_timeout(tests, 30);
    suite_add_tcase(suite, tests);
    return tests;
}

int main(void)
{
    Suite *suite = suite_create("fdtable");
    TCase *descriptors = case_new(suite, "descriptors", NULL);
    tcase_add_test(descriptors, the_lowest_free_descriptor_is_taken);
    tcase_add_test(descriptors, descriptors_are_walked_in_order);
    tcase_add_test(descriptors, eventfds_count);
    TCase *threads = case_new(suite, "threads", NULL);
    tcase_set_tags(threads, "threads");
    tcase_add_test(threads, a_descriptor_may_be_closed_while_it_is_got);
    TCase *pipes = case_new(suite, "pipes", pipe_start);
    tcase_add_test(pipes, a_pipe_carries_bytes_in_order);
    tcase_add_test(pipes, small_writes_are_whole);
    tcase_add_test(pipes, a_reader_waits_for_data_and_for_the_end);
    tcase_add_test(pipes, a_signal_ends_a_wait);
    tcase_add_test(pipes, vectors_are_one_piece);
    tcase_add_test(pipes, poll_sees_each_end);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
