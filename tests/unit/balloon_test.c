// SPDX-License-Identifier: BSD-3-Clause
// balloon_test.c: the driver of memory balloons against a model of one that keeps account of each
// frame, and against one that lies. Core's scheduler and frames are real, time is virtual.
#include "core/dev/balloon.h"

#include <check.h>
#include <linux/virtio_balloon.h>
#include <linux/virtio_ring.h>
#include <stdlib.h>
#include <string.h>

#include "core/dev/balloon_frames.h"
#include "core/dev/device.h"
#include "core/dev/virtq.h"
#include "core/mem/frame.h"
#include "core/mem/heap.h"
#include "core/mem/pressure.h"
#include "core/mem/usage.h"
#include "core/sched/thread.h"
#include "core/sync/shrinker.h"
#include "cpu_host.h"
#include "hal/unit_hal.h"
#include "hal/upcall.h"

enum { INFLATE, DEFLATE, STATS, QUEUES, FRAMES_MAX = 65536, MIB = 256, CHUNK = BALLOON_CHUNK };

#define FEATURE(name) (UINT64_C(1) << VIRTIO_BALLOON_F_##name)
#define SECOND UINT64_C(1000000000)

// ---- The device ----

static struct hal_ring rings[QUEUES];
static uint16_t taken[QUEUES]; // chains that the device has seen
static uint64_t offered = VIRTIO_VERSION_1 | FEATURE(MUST_TELL_HOST) | FEATURE(STATS_VQ) |
                          FEATURE(DEFLATE_ON_OOM) | FEATURE(PAGE_POISON);
static uint64_t accepted;
static struct virtio_balloon_config config;
static bool is_running, is_late, is_lying;
static bool has[FRAMES_MAX]; // by their numbers
static size_t has_count, requests;
static int device_memory;
static struct hal_dev *const dev = (struct hal_dev *)&device_memory;

int hal_dev_open(struct hal_dev *device, uint64_t *features)
{
    ck_assert_ptr_eq(device, dev);
    accepted = *features &= offered;
    return 0;
}

int hal_dev_queue(struct hal_dev *device, uint32_t index, const struct hal_ring *ring, uint32_t cpu)
{
    (void)device;
    ck_assert_uint_lt(index, QUEUES);
    ck_assert_uint_eq(cpu, 0);
    rings[index] = *ring;
    return 0;
}

int hal_dev_go(struct hal_dev *device)
{
    (void)device;
    is_running = true;
    return 0;
}

void hal_dev_stop(struct hal_dev *device)
{
    (void)device;
    is_running = false;
}

void hal_dev_config(struct hal_dev *device, uint32_t offset, void *out, size_t size)
{
    (void)device;
    memcpy(out, (const char *)&config + offset, size);
}

void hal_dev_config_write(struct hal_dev *device, uint32_t offset, const void *in, size_t size)
{
    ck_assert_ptr_eq(device, dev);
    ck_assert_uint_eq(offset, offsetof(struct virtio_balloon_config, actual));
    memcpy((char *)&config + offset, in, size);
}

static void *ring_part(hal_phys place)
{
    return frame_address(place);
}

static const struct vring_desc *chain_take(int queue)
{
    const struct vring_avail *avail = ring_part(rings[queue].avail);
    ck_assert_uint_ne(avail->idx, taken[queue]);
    const struct vring_desc *descs = ring_part(rings[queue].desc);
    return &descs[avail->ring[taken[queue]++ % rings[queue].size]];
}

static void chain_finish(int queue, const struct vring_desc *desc)
{
    struct vring_used *used = ring_part(rings[queue].used);
    const struct vring_desc *descs = ring_part(rings[queue].desc);
    const uint32_t head = is_lying ? 77 : (uint32_t)(desc - descs);
    used->ring[used->idx % rings[queue].size] = (struct vring_used_elem){head, 0};
    ++used->idx;
}

// A frame is given to the device once, and taken back once.
static void numbers_read(const struct vring_desc *desc, bool is_inflation)
{
    ck_assert_uint_eq(desc->len % sizeof(uint32_t), 0);
    for (size_t i = 0; i < desc->len / sizeof(uint32_t); ++i) {
        uint32_t number;
        memcpy(&number, frame_address(desc->addr) + i * sizeof number, sizeof number);
        ck_assert_uint_lt(number, FRAMES_MAX);
        ck_assert(frame_is_taken((hal_phys)number * HAL_PAGE_SIZE));
        ck_assert(has[number] != is_inflation);
        has[number] = is_inflation;
        has_count += is_inflation ? 1 : (size_t)-1;
    }
}

static const struct vring_desc *waiting; // a chain that is not finished yet
static int waiting_queue;

void hal_dev_kick(struct hal_dev *device, uint32_t index)
{
    ck_assert_ptr_eq(device, dev);
    ck_assert(is_running);
    if (index == STATS) {
        return; // the device keeps it
    }
    const struct vring_desc *desc = chain_take((int)index);
    ++requests;
    numbers_read(desc, index == INFLATE);
    if (is_late) {
        waiting = desc;
        waiting_queue = (int)index;
    } else {
        chain_finish((int)index, desc);
    }
}

static void interrupt(uint32_t queue)
{
    const uintptr_t irq = hal_irq_save();
    upcall_dev(dev, queue, NULL);
    hal_irq_restore(irq);
}

// ---- Its user ----

// Lets everybody else run. Less than the driver waits for memory.
static void settle(void)
{
    thread_sleep_until(hal_clock_ns() + SECOND / 100);
}

static void want(size_t frames)
{
    config.num_pages = (uint32_t)frames;
    interrupt(HAL_DEV_CONFIG);
    settle();
}

static void figures_get(struct balloon_figures *figures)
{
    *figures = (struct balloon_figures){
        .total = 1000, .free = 900, .available = 800, .cached = 70, .faults = 6};
}

static void start(void)
{
    static const struct hal_dev_info info = {.dev = (struct hal_dev *)&device_memory,
                                             .kind = HAL_BALLOON,
                                             .queue_count = QUEUES,
                                             .name = "balloon0"};
    static const struct hal_boot boot = {.devs = &info, .dev_count = 1};
    ck_assert_int_eq(shrinker_start(), 0);
    device_init(&boot);
    balloon_start(figures_get);
    settle();
}

static size_t whole_chunks(void)
{
    size_t count = 0;
    for (size_t i = 0; i < FRAMES_MAX; i += CHUNK) {
        size_t own = 0;
        while (own < CHUNK && has[i + own]) {
            ++own;
        }
        count += own == CHUNK;
    }
    return count;
}

static void wants_so_much(size_t frames, size_t chunks)
{
    want(frames);
    ck_assert_uint_eq(config.actual, frames);
    ck_assert_uint_eq(has_count, frames);
    ck_assert_uint_eq(whole_chunks(), chunks);
    ck_assert_uint_eq(usage_get(USAGE_LENT) + usage_get(USAGE_BALLOON), frames);
}

// ---- Tests ----

static void sizes_first(void *unused)
{
    (void)unused;
    start();
    ck_assert_uint_eq(accepted, offered & ~FEATURE(PAGE_POISON));
    const size_t free_before = frame_free_count();
    wants_so_much(10 * MIB + 3, 5);
    ck_assert_uint_ge(free_before - frame_free_count(), 10 * MIB + 3);
    ck_assert_uint_le(requests, 6); // 2 MiB in each, and the rest
    wants_so_much(10 * MIB, 5);
    wants_so_much(9 * MIB, 4);
    wants_so_much(5 * MIB, 2);
    wants_so_much(30 * MIB, 14);
    wants_so_much(1, 0);
    wants_so_much(0, 0);
    ck_assert_uint_ge(frame_free_count() + 1, free_before); // a record for bits
    ck_assert_uint_eq(usage_balloon_taken, 10 * MIB + 3 + 25 * MIB);
    ck_assert_uint_eq(usage_balloon_returned, usage_balloon_taken);
    cpu_host_end();
}

START_TEST(the_balloon_gets_the_size_that_is_wanted_in_whole_chunks)
{
    cpu_host_run(1, sizes_first);
}
END_TEST

static void late_first(void *unused)
{
    (void)unused;
    is_late = true;
    config.num_pages = CHUNK;
    start();
    ck_assert_uint_eq(config.actual, 0); // not before the device has answered
    ck_assert_ptr_nonnull(waiting);
    chain_finish(waiting_queue, waiting);
    interrupt((uint32_t)waiting_queue);
    settle();
    ck_assert_uint_eq(config.actual, CHUNK);
    const size_t free_before = frame_free_count();
    want(0);
    ck_assert_uint_le(frame_free_count(), free_before); // the same for what it gives back
    chain_finish(waiting_queue, waiting);
    interrupt((uint32_t)waiting_queue);
    settle();
    ck_assert_uint_ge(frame_free_count(), free_before + CHUNK);
    ck_assert_uint_eq(config.actual, 0);
    cpu_host_end();
}

START_TEST(frames_go_and_come_only_when_the_device_has_heard_of_them)
{
    cpu_host_run(1, late_first);
}
END_TEST

static void promised_first(void *unused)
{
    (void)unused;
    start();
    const size_t left = pressure_left(), promised = left - 8 * MIB;
    pressure_promise((int64_t)promised);
    want(64 * MIB);
    ck_assert_uint_gt(has_count, 0);
    ck_assert_uint_lt(has_count, 8 * MIB);
    ck_assert_uint_ge(pressure_left(), promised + (size_t)pressure.high - CHUNK / 8);
    hal_phys start_of[2];
    ck_assert_int_eq(frame_alloc(4 * CHUNK, FRAME_PROMISED, &start_of[0]), 0);
    frame_free(start_of[0], 4 * CHUNK);
    pressure_promise(-(int64_t)promised);
    thread_sleep_until(hal_clock_ns() + 2 * SECOND); // it looks again by itself
    ck_assert_uint_eq(has_count, 64 * MIB);
    cpu_host_end();
}

START_TEST(promised_memory_is_never_taken)
{
    cpu_host_run(1, promised_first);
}
END_TEST

static hal_phys hoard;
static bool was_patient;

static size_t hoard_shrink(struct shrinker *shrinker, size_t wanted, bool may_wait)
{
    (void)shrinker;
    (void)wanted;
    const size_t given = hoard != 0 ? 32 * MIB : 0;
    was_patient = may_wait;
    if (hoard != 0) {
        frame_free(hoard, 32 * MIB);
        hoard = 0;
    }
    return given * HAL_PAGE_SIZE;
}

static void hoard_first(void *unused)
{
    static struct shrinker shrinker = {.name = "hoard", .shrink = hoard_shrink};
    (void)unused;
    start();
    shrinker_register(&shrinker);
    ck_assert_int_eq(frame_alloc(32 * MIB, 0, &hoard), 0);
    want(32 * MIB);
    ck_assert_uint_ne(hoard, 0); // nobody is asked while there is enough
    want(100 * MIB);
    ck_assert_uint_eq(hoard, 0);
    ck_assert(was_patient);
    ck_assert_uint_eq(has_count, 100 * MIB);
    cpu_host_end();
}

START_TEST(shrinkers_give_what_the_balloon_wants)
{
    cpu_host_run(1, hoard_first);
}
END_TEST

static void scarce_first(void *unused)
{
    (void)unused;
    start();
    wants_so_much(100 * MIB, 50);
    ck_assert_uint_eq(shrinker_ask(4 * MIB * HAL_PAGE_SIZE), 0); // not for who can do without
    ck_assert_uint_eq(has_count, 100 * MIB);
    ck_assert_uint_ge(shrinker_reclaim(7 * MIB * HAL_PAGE_SIZE), 7 * MIB * HAL_PAGE_SIZE);
    ck_assert_uint_eq(has_count, 92 * MIB);
    ck_assert_uint_eq(config.actual, 92 * MIB);
    thread_sleep_until(hal_clock_ns() + 5 * SECOND);
    ck_assert_uint_eq(has_count, 92 * MIB); // it does not take it again by itself
    wants_so_much(96 * MIB, 48);
    while (shrinker_reclaim(20 * MIB * HAL_PAGE_SIZE) > 0) {
    }
    ck_assert_uint_eq(has_count, 0);
    cpu_host_end();
}

START_TEST(memory_comes_back_before_an_allocation_fails)
{
    cpu_host_run(1, scarce_first);
}
END_TEST

static void hard_first(void *unused)
{
    (void)unused;
    offered &= ~FEATURE(DEFLATE_ON_OOM);
    start();
    wants_so_much(100 * MIB, 50);
    ck_assert_uint_eq(usage_get(USAGE_BALLOON), 100 * MIB);
    ck_assert_uint_eq(shrinker_reclaim(7 * MIB * HAL_PAGE_SIZE), 0);
    ck_assert_uint_eq(has_count, 100 * MIB);
    cpu_host_end();
}

START_TEST(without_the_feature_it_does_not)
{
    cpu_host_run(1, hard_first);
}
END_TEST

static void lies_first(void *unused)
{
    (void)unused;
    start();
    wants_so_much(10 * MIB, 5);
    const size_t free_before = frame_free_count();
    is_lying = true;
    want(20 * MIB);
    ck_assert(!is_running);
    ck_assert_uint_ge(frame_free_count(), free_before + 10 * MIB - CHUNK / 4);
    ck_assert_uint_eq(usage_get(USAGE_LENT), 0);
    want(4 * MIB);
    ck_assert_uint_eq(shrinker_reclaim(HAL_PAGE_SIZE), 0);
    cpu_host_end();
}

START_TEST(a_device_that_breaks_the_rules_loses_all)
{
    cpu_host_run(1, lies_first);
}
END_TEST

static uint64_t stat_of(const struct vring_desc *desc, uint16_t tag)
{
    struct virtio_balloon_stat stat;
    for (size_t at = 0; at + sizeof stat <= desc->len; at += sizeof stat) {
        memcpy(&stat, frame_address(desc->addr) + at, sizeof stat);
        if (stat.tag == tag) {
            return stat.val;
        }
    }
    return UINT64_MAX;
}

static void stats_first(void *unused)
{
    (void)unused;
    start();
    for (int i = 0; i < 9; ++i) {
        const struct vring_desc *desc = chain_take(STATS);
        ck_assert_uint_eq(desc->flags, 0);
        ck_assert_uint_eq(stat_of(desc, VIRTIO_BALLOON_S_MEMTOT), 1000);
        ck_assert_uint_eq(stat_of(desc, VIRTIO_BALLOON_S_MEMFREE), 900);
        ck_assert_uint_eq(stat_of(desc, VIRTIO_BALLOON_S_AVAIL), 800);
        ck_assert_uint_eq(stat_of(desc, VIRTIO_BALLOON_S_CACHES), 70);
        ck_assert_uint_eq(stat_of(desc, VIRTIO_BALLOON_S_MINFLT), 6);
        chain_finish(STATS, desc);
        interrupt(STATS);
        settle();
    }
    cpu_host_end();
}

START_TEST(figures_are_there_as_often_as_they_are_wanted)
{
    cpu_host_run(1, stats_first);
}
END_TEST

static void refused_first(void *unused)
{
    (void)unused;
    offered &= ~VIRTIO_VERSION_1;
    const size_t free_before = frame_free_count();
    start();
    ck_assert(!is_running);
    ck_assert_uint_ge(frame_free_count() + 64, free_before);
    cpu_host_end();
}

START_TEST(an_old_device_is_left_out)
{
    cpu_host_run(1, refused_first);
}
END_TEST

// Single frames all over the place, as chance gives them, against an array.
static void model_first(void *unused)
{
    enum { CHUNKS = 8, TURNS = 20000 };
    static bool model[CHUNKS * CHUNK];
    struct balloon_frames frames;
    size_t count = 0;
    (void)unused;
    srand(1);
    ck_assert_int_eq(balloon_frames_init(&frames), 0);
    for (int turn = 0; turn < TURNS; ++turn) {
        const size_t most = (size_t)rand() % 4 == 0 ? CHUNK : 1 + (size_t)rand() % 40;
        size_t at = (size_t)rand() % (CHUNKS * CHUNK), length = 0;
        hal_phys start = frame_first();
        if (rand() % 2000 < 1000 - 2 * (turn % 1000) + 500) {
            at = most == CHUNK ? at / CHUNK * CHUNK : at;
            while (length < most && at % CHUNK + length < CHUNK && !model[at + length]) {
                model[at + length++] = true;
            }
            if (length > 0) {
                start += at * HAL_PAGE_SIZE;
                ck_assert_int_eq(balloon_frames_add(&frames, start, length), 0);
            }
            count += length;
        } else if ((length = balloon_frames_take(&frames, most, &start)) > 0) {
            ck_assert_uint_le(length, most);
            at = (start - frame_first()) / HAL_PAGE_SIZE;
            for (size_t i = 0; i < length; ++i) {
                ck_assert(model[at + i]);
                model[at + i] = false;
            }
            count -= length;
        } else {
            ck_assert_uint_eq(count, 0);
        }
        ck_assert_uint_eq(frames.count, count);
    }
    hal_phys start;
    while (balloon_frames_take(&frames, 100, &start) > 0) {
    }
    balloon_frames_free(&frames);
    cpu_host_end();
}

START_TEST(frames_are_remembered_one_by_one)
{
    cpu_host_run(1, model_first);
}
END_TEST

// Each in a process of its own: a scheduler is not stopped.
int main(void)
{
    Suite *suite = suite_create("balloon");
    TCase *all = tcase_create("all");
    tcase_set_timeout(all, 60);
    tcase_add_test(all, the_balloon_gets_the_size_that_is_wanted_in_whole_chunks);
    tcase_add_test(all, frames_go_and_come_only_when_the_device_has_heard_of_them);
    tcase_add_test(all, promised_memory_is_never_taken);
    tcase_add_test(all, shrinkers_give_what_the_balloon_wants);
    tcase_add_test(all, memory_comes_back_before_an_allocation_fails);
    tcase_add_test(all, without_the_feature_it_does_not);
    tcase_add_test(all, a_device_that_breaks_the_rules_loses_all);
    tcase_add_test(all, figures_are_there_as_often_as_they_are_wanted);
    tcase_add_test(all, an_old_device_is_left_out);
    tcase_add_test(all, frames_are_remembered_one_by_one);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_FORK);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
