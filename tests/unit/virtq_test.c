// SPDX-License-Identifier: BSD-3-Clause
// virtq_test.c: the driver's half of a ring against a model of the device, and against one that
// lies.
#include "core/dev/virtq.h"

#include <check.h>
#include <errno.h>
#include <linux/virtio_ring.h>
#include <stdlib.h>
#include <string.h>

#include "core/dev/device.h"
#include "core/dev/fs.h"
#include "hal/upcall.h"
#include "vfs_host.h"

static struct virtq queue;
static uint16_t device_taken;

static struct vring_desc *desc(void)
{
    return (struct vring_desc *)queue.place.desc;
}

static struct vring_avail *avail(void)
{
    return (struct vring_avail *)queue.place.avail;
}

static struct vring_used *used(void)
{
    return (struct vring_used *)queue.place.used;
}

static void start(void)
{
    device_taken = 0;
    ck_assert_int_eq(virtq_init(&queue, VIRTQ_SIZE), 0);
}

static void stop(void)
{
    virtq_free(&queue);
    ck_assert_uint_eq(host_frame_count(), 0);
}

static void used_put(uint32_t id, uint32_t length)
{
    used()->ring[used()->idx % VIRTQ_SIZE] = (struct vring_used_elem){id, length};
    ++used()->idx;
}

static uint16_t head_take(void)
{
    ck_assert_uint_ne(device_taken, avail()->idx);
    return avail()->ring[device_taken++ % VIRTQ_SIZE];
}

static const struct virtq_part parts[3] = {
    {0x1000, 10, false}, {0x2000, 20, true}, {0x3000, 30, true}};

START_TEST(a_chain_is_laid_out_as_the_specification_says)
{
    void *token;
    uint32_t written;
    ck_assert_uint_eq(queue.place.desc % 16, 0);
    ck_assert_uint_eq(queue.place.avail % 2, 0);
    ck_assert_uint_eq(queue.place.used % 4, 0);
    ck_assert_uint_eq(avail()->flags, VRING_AVAIL_F_NO_INTERRUPT);
    ck_assert_int_eq(virtq_collect(&queue, &token, &written), 0);
    ck_assert_int_eq(virtq_add(&queue, parts, 3, &queue), 0);
    uint16_t head = head_take();
    ck_assert_uint_eq(desc()[head].addr, 0x1000);
    ck_assert_uint_eq(desc()[head].len, 10);
    ck_assert_uint_eq(desc()[head].flags, VRING_DESC_F_NEXT);
    uint16_t second = desc()[head].next;
    ck_assert_uint_eq(desc()[second].flags, VRING_DESC_F_NEXT | VRING_DESC_F_WRITE);
    uint16_t third = desc()[second].next;
    ck_assert_uint_eq(desc()[third].addr, 0x3000);
    ck_assert_uint_eq(desc()[third].flags, VRING_DESC_F_WRITE);
    used_put(head, 50);
    ck_assert_int_eq(virtq_collect(&queue, &token, &written), 1);
    ck_assert_ptr_eq(token, &queue);
    ck_assert_uint_eq(written, 50);
    ck_assert_int_eq(virtq_collect(&queue, &token, &written), 0);
    virtq_interrupts_set(&queue, true);
    ck_assert_uint_eq(avail()->flags, 0);
}
END_TEST

// Chains of all lengths, finished in any order, many times around the ring.
START_TEST(chains_finish_in_any_order)
{
    static int tokens[VIRTQ_SIZE];
    int *in_flight[VIRTQ_SIZE];
    uint16_t heads[VIRTQ_SIZE];
    size_t count = 0;
    srand(1);
    for (int step = 0; step < 20000; ++step) {
        size_t length = (size_t)(rand() % 3) + 1;
        int *token = &tokens[step % VIRTQ_SIZE];
        if (rand() % 2 == 0 && virtq_add(&queue, parts, length, token) == 0) {
            in_flight[count] = token;
            heads[count++] = head_take();
        } else if (count > 0) {
            size_t which = (size_t)rand() % count;
            void *got;
            uint32_t written;
            used_put(heads[which], 0);
            ck_assert_int_eq(virtq_collect(&queue, &got, &written), 1);
            ck_assert_ptr_eq(got, in_flight[which]);
            heads[which] = heads[--count];
            in_flight[which] = in_flight[count];
        }
    }
}
END_TEST

START_TEST(a_full_ring_takes_no_more)
{
    for (int i = 0; i < VIRTQ_SIZE / 2; ++i) {
        ck_assert_int_eq(virtq_add(&queue, parts, 2, NULL), 0);
    }
    ck_assert_int_eq(virtq_add(&queue, parts, 1, NULL), -ENOSPC);
    void *token;
    uint32_t written;
    used_put(head_take(), 0);
    ck_assert_int_eq(virtq_collect(&queue, &token, &written), 1);
    ck_assert_int_eq(virtq_add(&queue, parts, 3, NULL), -ENOSPC);
    ck_assert_int_eq(virtq_add(&queue, parts, 2, NULL), 0);
}
END_TEST

// Devices choose how long their rings are: entropy devices have 8 entries.
START_TEST(a_small_ring_goes_round_too)
{
    virtq_free(&queue);
    ck_assert_int_eq(virtq_init(&queue, 8), 0);
    ck_assert_uint_eq(queue.place.size, 8);
    for (int round = 0; round < 20; ++round) {
        void *token;
        uint32_t written;
        for (int i = 0; i < 4; ++i) {
            ck_assert_int_eq(virtq_add(&queue, parts, 2, &token), 0);
        }
        ck_assert_int_eq(virtq_add(&queue, parts, 1, &token), -ENOSPC);
        for (int i = 0; i < 4; ++i) {
            uint16_t head = avail()->ring[device_taken++ % 8];
            used()->ring[used()->idx % 8] = (struct vring_used_elem){head, 0};
            ++used()->idx;
            ck_assert_int_eq(virtq_collect(&queue, &token, &written), 1);
        }
    }
    used()->ring[used()->idx % 8] = (struct vring_used_elem){8, 0};
    ++used()->idx;
    void *token;
    uint32_t written;
    ck_assert_int_eq(virtq_collect(&queue, &token, &written), -EIO); // outside of this ring
}
END_TEST

// Whether a device that was last looked at before it finished chain from hears of it now.
static bool would_interrupt(uint16_t size, uint16_t from)
{
    return vring_need_event(avail()->ring[size], used()->idx, from);
}

static void chain_finish(uint16_t size)
{
    const uint16_t head = avail()->ring[device_taken++ % size];
    used()->ring[used()->idx % size] = (struct vring_used_elem){head, 0};
    ++used()->idx;
}

// By events both sides say of which chain they want to hear: of rings of all sizes, over the end of
// 16 bits.
START_TEST(events_say_which_chain_is_to_be_heard_of)
{
    const uint16_t size = (uint16_t)_i;
    void *token;
    uint32_t written;
    virtq_free(&queue);
    ck_assert_int_eq(virtq_init(&queue, size), 0);
    virtq_events_use(&queue);
    uint16_t *wanted = (uint16_t *)(void *)&used()->ring[size];
    bool holds = true; // an assertion for each would take seconds
    for (int round = 0; round < 40000 && holds; ++round) {
        const uint16_t index = avail()->idx, before = used()->idx;
        *wanted = (uint16_t)(index + round % 3); // the next, or one or two later
        holds &= virtq_add(&queue, parts, 1, &token) == 0;
        holds &= virtq_kick_wanted(&queue) == (round % 3 == 0) && !virtq_kick_wanted(&queue);
        holds &= virtq_add(&queue, parts, 1, &token) == 0;
        holds &= virtq_kick_wanted(&queue) == (round % 3 == 1);
        virtq_interrupts_set(&queue, false);
        chain_finish(size);
        holds &= !would_interrupt(size, before);
        holds &= virtq_collect(&queue, &token, &written) == 1;
        virtq_interrupts_set(&queue, true);
        holds &= avail()->ring[size] == used()->idx && avail()->flags == 0;
        chain_finish(size);
        holds &= would_interrupt(size, (uint16_t)(before + 1));
        holds &= virtq_collect(&queue, &token, &written) == 1;
    }
    ck_assert(holds);
}
END_TEST

START_TEST(interrupts_may_wait_for_half_of_what_is_under_way)
{
    virtq_events_use(&queue);
    for (uint16_t count = 0; count <= VIRTQ_SIZE; ++count) {
        void *token;
        uint32_t written;
        const uint16_t before = used()->idx;
        for (uint16_t i = 0; i < count; ++i) {
            ck_assert_int_eq(virtq_add(&queue, parts, 1, &token), 0);
        }
        virtq_interrupts_set_late(&queue);
        for (uint16_t i = 0; i < count; ++i) {
            ck_assert_int_eq(would_interrupt(VIRTQ_SIZE, before), i > count / 2);
            chain_finish(VIRTQ_SIZE);
        }
        ck_assert_int_eq(would_interrupt(VIRTQ_SIZE, before), count > 0);
        while (virtq_collect(&queue, &token, &written) == 1) {
        }
    }
    virtq_free(&queue);
    start(); // without events it is the next one
    virtq_interrupts_set_late(&queue);
    ck_assert_uint_eq(avail()->flags, 0);
}
END_TEST

static void lie(int kind)
{
    switch (kind) {
    case 0:
        used_put(VIRTQ_SIZE, 0); // no such descriptor
        break;
    case 1:
        used_put(0xffffffff, 0);
        break;
    case 2:
        used_put((uint32_t)head_take() + 1, 0); // not the first of its chain
        break;
    case 3:
        used_put(head_take(), 51); // more than there was room for
        break;
    case 4:
        used_put(40, 0); // not in flight
        break;
    default:
        used()->idx = (uint16_t)(VIRTQ_SIZE + 1); // more than there can be
        break;
    }
}

START_TEST(lies_are_errors)
{
    void *token;
    uint32_t written;
    ck_assert_int_eq(virtq_add(&queue, parts, 3, NULL), 0);
    lie(_i);
    ck_assert_int_eq(virtq_collect(&queue, &token, &written), -EIO);
    ck_assert_int_eq(virtq_collect(&queue, &token, &written), -EIO);
    ck_assert_int_eq(virtq_add(&queue, parts, 1, NULL), -EIO);
}
END_TEST

// The device scribbles over descriptors in flight: our own memory of the chains is what counts.
START_TEST(scribbles_do_not_matter)
{
    void *token;
    uint32_t written;
    for (int round = 0; round < 100; ++round) {
        ck_assert_int_eq(virtq_add(&queue, parts, 3, &token), 0);
        uint16_t head = head_take();
        memset(desc(), 0xff, VIRTQ_SIZE * sizeof(struct vring_desc));
        used_put(head, 0);
        ck_assert_int_eq(virtq_collect(&queue, &token, &written), 1);
    }
    for (int i = 0; i < VIRTQ_SIZE; ++i) {
        ck_assert_int_eq(virtq_add(&queue, parts, 1, NULL), 0); // all of them are there again
    }
}
END_TEST

// ---- The file-system driver with a far end that answers nonsense ----

enum { QUEUES = 2 };

static struct hal_ring rings[QUEUES];
static uint16_t served[QUEUES];
static int nonsense; // what the far end does with a request after INIT
static bool stopped;

int hal_dev_open(struct hal_dev *dev, uint64_t *features)
{
    (void)dev;
    (void)features;
    stopped = false;
    return 0;
}

int hal_dev_queue(struct hal_dev *dev, uint32_t index, const struct hal_ring *ring, uint32_t cpu)
{
    (void)dev;
    (void)cpu;
    ck_assert_uint_lt(index, QUEUES);
    rings[index] = *ring;
    served[index] = 0;
    return 0;
}

int hal_dev_go(struct hal_dev *dev)
{
    (void)dev;
    return 0;
}

void hal_dev_stop(struct hal_dev *dev)
{
    (void)dev;
    stopped = true;
}

struct reply {
    struct fuse_answer header;
    struct fuse_init_answer init;
};

static uint32_t reply_spoil(struct reply *reply, uint32_t size)
{
    static const int32_t errors[] = {1, -4096, INT32_MIN};
    switch (nonsense) {
    case 0:
        return 0; // nothing written
    case 1:
        return 15; // less than a header
    case 2:
        reply->header.size += 1;
        return size;
    case 3:
        reply->header.unique += 1;
        return size;
    case 4:
    case 5:
    case 6:
        reply->header.error = errors[nonsense - 4];
        return size;
    case 7: // success without its result
        reply->header.size = sizeof reply->header;
        return sizeof reply->header;
    default:
        return 0x7fffffff; // more than there was room for
    }
}

void hal_dev_kick(struct hal_dev *dev, uint32_t index)
{
    (void)dev;
    const struct vring_avail *offered = (const struct vring_avail *)rings[index].avail;
    const struct vring_desc *table = (const struct vring_desc *)rings[index].desc;
    struct vring_used *answered = (struct vring_used *)rings[index].used;
    for (; served[index] != offered->idx; ++served[index]) {
        uint16_t head = offered->ring[served[index] % VIRTQ_SIZE];
        const struct fuse_request *request = (const struct fuse_request *)table[head].addr;
        const struct vring_desc *out = &table[table[head].next];
        struct reply reply = {.header = {.size = out->len, .unique = request->unique},
                              .init = {.major = 7, .minor = 31, .write_max = 65536}};
        uint32_t size = request->operation == FUSE_INIT ? out->len : reply_spoil(&reply, out->len);
        memcpy((void *)out->addr, &reply, out->len < sizeof reply ? out->len : sizeof reply);
        answered->ring[answered->idx % VIRTQ_SIZE] = (struct vring_used_elem){head, size};
        ++answered->idx;
    }
}

static uint32_t heard; // a bit for each queue
static bool heard_config;

static void hear(void *state, uint32_t which)
{
    (void)state;
    heard |= which == DEVICE_CONFIG ? 0 : 1u << which;
    heard_config |= which == DEVICE_CONFIG;
}

START_TEST(an_interrupt_of_all_is_heard_by_each)
{
    static int dev;
    static const struct hal_dev_info info = {.dev = (struct hal_dev *)&dev, .queue_count = 3};
    static const struct hal_boot boot = {.devs = &info, .dev_count = 1};
    static const struct {
        uint32_t which, heard;
        bool has_config;
    } cases[] = {
        {1, 2, false},
        {HAL_DEV_CONFIG, 0, true},
        {HAL_DEV_ALL, 7, true},
        {HAL_DEV_QUEUES, 7, false},
    };
    device_init(&boot);
    ck_assert_int_eq(device_attach(info.dev, hear, NULL), 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
        heard = 0;
        heard_config = false;
        upcall_dev(info.dev, cases[i].which, NULL);
        ck_assert_uint_eq(heard, cases[i].heard);
        ck_assert(heard_config == cases[i].has_config);
    }
    device_detach(info.dev);
    device_init(NULL);
}
END_TEST

START_TEST(a_far_end_that_answers_nonsense_is_an_io_error)
{
    static int dev;
    const struct hal_dev_info info = {
        .dev = (struct hal_dev *)&dev, .kind = HAL_FS, .queue_count = QUEUES, .name = "liar"};
    struct fs_device *device;
    nonsense = _i;
    ck_assert_int_eq(fs_device_open(&info, &device), 0);
    struct fuse_getattr arguments = {0};
    struct fuse_attributes_answer result;
    for (int i = 0; i < 20; ++i) { // also when the ring is dead already
        struct fs_call call = {.operation = FUSE_GETATTR,
                               .node = FUSE_ROOT,
                               .arguments = &arguments,
                               .arguments_size = sizeof arguments,
                               .result = &result,
                               .result_size = sizeof result};
        ck_assert_int_eq(fs_call(device, &call), -EIO);
    }
    ck_assert(stopped == (nonsense == 8));
    upcall_dev((struct hal_dev *)&dev, 1, NULL); // interrupts that nobody asked for
    upcall_dev((struct hal_dev *)&dev, 77, NULL);
    upcall_dev((struct hal_dev *)&dev, HAL_DEV_CONFIG, NULL);
    upcall_dev((struct hal_dev *)&stopped, 0, NULL); // of a device that nobody drives
    ck_assert_int_eq(fs_poll_start(device, 0, 1, NULL, NULL), -ENOSYS); // it has no queue for that
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("virtq");
    TCase *ring = tcase_create("ring");
    tcase_add_checked_fixture(ring, start, stop);
    suite_add_tcase(suite, ring);
    tcase_add_test(ring, a_chain_is_laid_out_as_the_specification_says);
    tcase_add_test(ring, chains_finish_in_any_order);
    tcase_add_test(ring, a_full_ring_takes_no_more);
    tcase_add_test(ring, a_small_ring_goes_round_too);
    tcase_add_loop_test(ring, events_say_which_chain_is_to_be_heard_of, VIRTQ_SIZE, VIRTQ_SIZE + 1);
    tcase_add_loop_test(ring, events_say_which_chain_is_to_be_heard_of, 8, 9);
    tcase_add_test(ring, interrupts_may_wait_for_half_of_what_is_under_way);
    tcase_add_loop_test(ring, lies_are_errors, 0, 6);
    tcase_add_test(ring, scribbles_do_not_matter);
    TCase *driver = tcase_create("driver");
    suite_add_tcase(suite, driver);
    tcase_add_test(driver, an_interrupt_of_all_is_heard_by_each);
    tcase_add_loop_test(driver, a_far_end_that_answers_nonsense_is_an_io_error, 0, 9);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
