// SPDX-License-Identifier: BSD-3-Clause
// fs_driver_test.c: the file-system driver with far ends other than hal-linux's: older ones, ones
// that answer late, by interrupt, or never.
#include <check.h>
#include <errno.h>
#include <linux/virtio_ring.h>
#include <string.h>

#include "core/dev/fs.h"
#include "hal/upcall.h"
#include "vfs_host.h"

enum { QUEUES = 2, URGENT = 0, ORDINARY = 1 };

struct far_queue {
    struct hal_ring ring;
    uint16_t served;
    size_t requests;
    bool is_stuck; // it answers nothing
};

static struct far_queue queues[QUEUES];
static bool answers_late; // when core sleeps, by an interrupt, not in the kick
static bool is_refusing, is_stopped;
static size_t operation_count;
static struct fuse_request last_request; // of any queue
static size_t sleep_count;
static size_t pulses_until_answer; // urgent requests, after which ordinary ones are answered
static struct fuse_init_answer init;
static int dev;

static const struct hal_dev_info info = {
    .dev = (struct hal_dev *)&dev, .kind = HAL_FS, .queue_count = QUEUES, .name = "far"};

static void one_serve(uint32_t index, uint16_t head)
{
    struct far_queue *queue = &queues[index];
    const struct vring_desc *table = (const struct vring_desc *)queue->ring.desc;
    struct vring_used *used = (struct vring_used *)queue->ring.used;
    memcpy(&last_request, (const void *)table[head].addr, sizeof last_request);
    ++operation_count;
    uint32_t written = 0;
    if ((table[head].flags & VRING_DESC_F_NEXT) != 0) {
        struct {
            struct fuse_answer header;
            struct fuse_init_answer init;
        } answer = {.header = {.unique = last_request.unique}, .init = init};
        const struct vring_desc *out = &table[table[head].next];
        written = out->len;
        answer.header.size = written;
        memcpy((void *)out->addr, &answer, written < sizeof answer ? written : sizeof answer);
    }
    used->ring[used->idx % queue->ring.size] = (struct vring_used_elem){head, written};
    ++used->idx;
}

// True: there was something to answer.
static bool queue_serve(uint32_t index)
{
    struct far_queue *queue = &queues[index];
    const struct vring_avail *avail = (const struct vring_avail *)queue->ring.avail;
    bool is_busy = false;
    while (queue->ring.size != 0 && !queue->is_stuck && queue->served != avail->idx) {
        one_serve(index, avail->ring[queue->served++ % queue->ring.size]);
        is_busy = true;
    }
    if (is_busy && answers_late && (avail->flags & VRING_AVAIL_F_NO_INTERRUPT) == 0) {
        upcall_dev((struct hal_dev *)&dev, index, NULL);
    }
    return is_busy;
}

static void sleep_serve(void)
{
    ++sleep_count;
    for (uint32_t i = 0; i < QUEUES; ++i) {
        (void)queue_serve(i);
    }
}

int hal_dev_open(struct hal_dev *device, uint64_t *features)
{
    (void)device;
    (void)features;
    return is_refusing ? -ENODEV : 0;
}

int hal_dev_queue(struct hal_dev *device, uint32_t index, const struct hal_ring *ring, uint32_t cpu)
{
    (void)device;
    (void)cpu;
    ck_assert_uint_lt(index, QUEUES);
    queues[index].ring = *ring;
    return 0;
}

int hal_dev_go(struct hal_dev *device)
{
    (void)device;
    return 0;
}

void hal_dev_stop(struct hal_dev *device)
{
    (void)device;
    is_stopped = true;
}

void hal_dev_config(struct hal_dev *device, uint32_t offset, void *out, size_t size)
{
    (void)device;
    (void)offset;
    memset(out, 0, size);
}

void hal_dev_kick(struct hal_dev *device, uint32_t index)
{
    (void)device;
    ++queues[index].requests;
    if (index == URGENT && pulses_until_answer > 0 && --pulses_until_answer == 0) {
        queues[ORDINARY].is_stuck = false;
        (void)queue_serve(ORDINARY);
    }
    if (!answers_late) {
        (void)queue_serve(index);
    }
}

static void start(void)
{
    memset(queues, 0, sizeof queues);
    init = (struct fuse_init_answer){.major = 7, .minor = 31, .write_max = 1 << 20};
    answers_late = is_refusing = is_stopped = false;
    operation_count = sleep_count = pulses_until_answer = 0;
    host_sleep_hook = NULL;
}

static struct fs_device *opened(void)
{
    struct fs_device *device = NULL;
    ck_assert_int_eq(fs_device_open(&info, &device), 0);
    ck_assert_ptr_nonnull(device);
    return device;
}

static int attributes_get(struct fs_device *device)
{
    struct fuse_getattr arguments = {0};
    struct fuse_attributes_answer result;
    struct fs_call call = {.operation = FUSE_GETATTR,
                           .node = FUSE_ROOT,
                           .arguments = &arguments,
                           .arguments_size = sizeof arguments,
                           .result = &result,
                           .result_size = sizeof result};
    return fs_call(device, &call);
}

static void send(struct fs_device *device, uint32_t operation)
{
    struct fuse_release arguments = {.handle = 1}; // longer than those of FORGET
    struct fs_call call = {.operation = operation,
                           .node = 7,
                           .arguments = &arguments,
                           .arguments_size = operation == FUSE_FORGET ? sizeof(struct fuse_forget)
                                                                      : sizeof arguments};
    fs_send(device, &call);
}

START_TEST(a_device_that_refuses_is_no_device)
{
    struct fs_device *device;
    is_refusing = true;
    ck_assert_int_eq(fs_device_open(&info, &device), -ENODEV);
    is_refusing = false;
    (void)opened(); // and can be tried again
    ck_assert_int_eq(fs_device_open(&info, &device), -EBUSY);
}
END_TEST

struct version {
    uint32_t major, minor, flags, write_max;
    uint16_t pages_max;
    int result;
    size_t transfer_max;
};

static const struct version versions[] = {
    {7, 36, FUSE_MAX_PAGES, 1 << 20, 256, 0, 1 << 20}, // QEMU's virtiofsd
    {7, 31, FUSE_MAX_PAGES, 1 << 20, 4, 0, 16384},
    {7, 31, FUSE_MAX_PAGES, 1 << 20, 0, 0, 131072}, // it says that it counts, and does not
    {7, 27, 0, 1 << 20, 256, 0, 131072},            // pages_max is something else yet
    {7, 23, 0, 4096, 0, 0, 4096},
    {7, 22, 0, 1 << 20, 0, -EPROTO, 0},
    {7, 31, 0, 4095, 0, -EPROTO, 0},
    {6, 31, 0, 1 << 20, 0, -EPROTO, 0},
    {8, 0, 0, 1 << 20, 0, -EPROTO, 0}, // the newest that speaks our 7 says so
};

START_TEST(a_version_is_agreed_upon)
{
    const struct version *version = &versions[_i];
    init = (struct fuse_init_answer){.major = version->major,
                                     .minor = version->minor,
                                     .flags = version->flags,
                                     .write_max = version->write_max,
                                     .pages_max = version->pages_max};
    struct fs_device *device;
    ck_assert_int_eq(fs_device_open(&info, &device), version->result);
    if (version->result == 0) {
        ck_assert_uint_eq(fs_transfer_max(device), version->transfer_max);
        ck_assert(!fs_truncates(device) && !fs_is_ours(device) && !fs_has_chunks(device));
    } else {
        ck_assert(is_stopped);
        ck_assert_uint_eq(host_block_count() + host_frame_count(), 0);
    }
}
END_TEST

START_TEST(an_answer_may_come_by_interrupt)
{
    struct fs_device *device = opened();
    answers_late = true;
    host_sleep_hook = sleep_serve;
    for (int i = 0; i < 100; ++i) {
        ck_assert_int_eq(attributes_get(device), 0);
    }
    ck_assert_uint_eq(sleep_count, 100);
}
END_TEST

START_TEST(nobody_waits_for_forget_and_release)
{
    struct fs_device *device = opened();
    answers_late = true;
    fs_owner_set(1000, 100);
    for (int i = 0; i < 8; ++i) {
        send(device, FUSE_FORGET);
        send(device, FUSE_RELEASE);
    }
    ck_assert_uint_eq(sleep_count, 0);
    ck_assert_uint_eq(queues[URGENT].requests, 8); // virtio 1.2, 5.11.6.2
    ck_assert_uint_eq(queues[ORDINARY].requests, 9);
    host_sleep_hook = sleep_serve;
    send(device, FUSE_FORGET); // more than may be under way: this one is waited for
    ck_assert_uint_ne(sleep_count, 0);
    ck_assert_uint_eq(operation_count, 1 + 17);
    ck_assert_uint_eq(last_request.uid, 1000);
    ck_assert_uint_eq(last_request.gid, 100);
    for (int i = 0; i < 50; ++i) {
        send(device, FUSE_RELEASE);
        ck_assert_int_eq(attributes_get(device), 0);
    }
    ck_assert_uint_eq(operation_count, 18 + 100);
}
END_TEST

START_TEST(a_far_end_that_is_slow_is_waited_for)
{
    struct fs_device *device = opened();
    queues[ORDINARY].is_stuck = true;
    pulses_until_answer = 50;
    const hal_ns began = hal_clock_ns();
    ck_assert_int_eq(attributes_get(device), 0);
    ck_assert_uint_ge(hal_clock_ns() - began, 150000000000); // looked at every three seconds
    ck_assert(!is_stopped);
}
END_TEST

START_TEST(a_far_end_that_never_answers_is_dead_after_ten_seconds)
{
    struct fs_device *device = opened();
    queues[ORDINARY].is_stuck = queues[URGENT].is_stuck = true;
    for (int i = 0; i < 20; ++i) {
        send(device, i % 2 == 0 ? FUSE_FORGET : FUSE_RELEASE); // these are lost
    }
    hal_ns began = hal_clock_ns();
    ck_assert_int_eq(attributes_get(device), -EIO);
    hal_ns took = hal_clock_ns() - began;
    ck_assert_msg(took <= 11000000000, "%lu ns", (unsigned long)took);
    ck_assert(is_stopped);
    began = hal_clock_ns();
    for (int i = 0; i < 100; ++i) {
        ck_assert_int_eq(attributes_get(device), -EIO);
        send(device, FUSE_FORGET);
    }
    ck_assert_uint_eq(hal_clock_ns(), began); // at once
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("fs_driver");
    TCase *driver = tcase_create("driver");
    tcase_add_checked_fixture(driver, start, NULL);
    suite_add_tcase(suite, driver);
    tcase_add_test(driver, a_device_that_refuses_is_no_device);
    tcase_add_loop_test(driver, a_version_is_agreed_upon, 0, sizeof versions / sizeof versions[0]);
    tcase_add_test(driver, an_answer_may_come_by_interrupt);
    tcase_add_test(driver, nobody_waits_for_forget_and_release);
    tcase_add_test(driver, a_far_end_that_is_slow_is_waited_for);
    tcase_add_test(driver, a_far_end_that_never_answers_is_dead_after_ten_seconds);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
