// SPDX-License-Identifier: BSD-3-Clause
// balloon.c: see balloon.h.
//
// One thread brings the balloon to the size that the device's configuration has. It takes 2 MiB at
// once where there are such, and single frames otherwise, tells the device which by a list of their
// numbers, and waits until it has read that. Giving back is the same the other way round: the
// device hears of it first, as MUST_TELL_HOST wants it.
//
// The thread waits for shrinkers with nothing locked: the balloon is one of them.
//
// Page poison is not accepted: free memory here holds what it held.
#include "core/dev/balloon.h"

#include "core/dev/balloon_frames.h"
#include "core/dev/device.h"
#include "core/dev/exchange.h"
#include "core/lib/assert.h"
#include "core/lib/errno.h"
#include "core/lib/format.h"
#include "core/lib/string.h"
#include "core/mem/frame.h"
#include "core/mem/heap.h"
#include "core/mem/pressure.h"
#include "core/mem/usage.h"
#include "core/sched/sched.h"
#include "core/sched/thread.h"
#include "core/sync/bell.h"
#include "core/sync/shrinker.h"

#define MUST_TELL_HOST (UINT64_C(1) << 0)
#define HAS_STATS (UINT64_C(1) << 1)
#define DEFLATE_ON_OOM (UINT64_C(1) << 2)

#define FEATURES (VIRTIO_VERSION_1 | MUST_TELL_HOST | HAS_STATS | DEFLATE_ON_OOM)

enum {
    QUEUE_INFLATE,
    QUEUE_DEFLATE,
    QUEUE_STATS,
    RING_SIZE = 4,
    NUMBERS_MAX = BALLOON_CHUNK, // of frames, in one request
    RUNS_MAX = 64,
    STATS_AT = HAL_PAGE_SIZE / 2, // in the page that is shared with the device
    RING_TARGET = 1,
    RING_STATS = 2,
    MIB_FRAMES = (1 << 20) / HAL_PAGE_SIZE,
};

#define RETRY_NS UINT64_C(1000000000)

struct balloon_config { // 5.5.4
    uint32_t wanted, actual;
};

struct stat { // 5.5.6.3
    uint16_t tag;
    uint64_t value;
} __attribute__((packed));

enum stat_tag { STAT_MINOR_FAULTS = 3, STAT_FREE, STAT_TOTAL, STAT_AVAILABLE, STAT_CACHES };

struct run {
    hal_phys start;
    size_t count;
};

struct balloon {
    struct hal_dev *dev; // constant once it runs, as is what follows up to bell
    void (*figures)(struct balloon_figures *figures);
    char *page; // shared with the device
    enum usage usage;
    bool has_stats;
    struct bell bell;
    struct exchange inflate, deflate;
    struct exchange stats; // its ring, which the thread uses by itself
    struct shrinker shrinker;
    _Atomic bool is_held; // it gave back where memory ended: it grows no more before it is asked to
    uint32_t told_target; // that cannot be reached, and has been said so; the thread's
    struct mutex lock;    // guards what follows, and the first half of page
    struct balloon_frames frames;
    bool is_dead;
};

// ---- Frames, with the lock held ----

static void numbers_put(struct balloon *balloon, size_t at, const struct run *run)
{
    for (size_t i = 0; i < run->count; ++i) {
        const uint32_t number = (uint32_t)(run->start / HAL_PAGE_SIZE + i);
        memcpy(balloon->page + (at + i) * sizeof number, &number, sizeof number);
    }
}

// False: the device broke the rules, and is stopped.
static bool numbers_tell(struct balloon *balloon, struct exchange *exchange, size_t count)
{
    const struct virtq_part part = {.address = frame_of(balloon->page),
                                    .size = (uint32_t)(count * sizeof(uint32_t))};
    uint32_t written;
    return exchange_run(exchange, &part, 1, &written) == 0;
}

static void actual_tell(const struct balloon *balloon)
{
    const uint32_t actual = (uint32_t)balloon->frames.count;
    hal_dev_config_write(balloon->dev, offsetof(struct balloon_config, actual), &actual,
                         sizeof actual);
}

static void returned_count(const struct balloon *balloon, size_t count)
{
    usage_take(balloon->usage, count);
    atomic_fetch_add(&usage_balloon_returned, count);
}

// What a device had that is stopped.
static void all_return(struct balloon *balloon)
{
    struct run run;
    balloon->is_dead = true;
    while ((run.count = balloon_frames_take(&balloon->frames, BALLOON_CHUNK, &run.start)) > 0) {
        returned_count(balloon, run.count);
        frame_free(run.start, run.count);
    }
    console_print("osv: the balloon breaks the rules of virtio and is left alone from now on\n");
}

// Takes count_max frames at most, and lists them.
static size_t frames_gather(struct balloon *balloon, size_t count_max)
{
    size_t count = 0;
    while (count < count_max) {
        struct run run;
        run.count = frame_alloc_run(count_max - count, 0, &run.start);
        if (run.count == 0) {
            break;
        }
        if (balloon_frames_add(&balloon->frames, run.start, run.count) != 0) {
            frame_free(run.start, run.count);
            break;
        }
        numbers_put(balloon, count, &run);
        count += run.count;
    }
    usage_add(balloon->usage, count);
    atomic_fetch_add(&usage_balloon_taken, count);
    return count;
}

// Answers by how much the balloon has grown.
static size_t balloon_grow(struct balloon *balloon, size_t count_max)
{
    mutex_lock(&balloon->lock);
    const size_t count = balloon->is_dead ? 0 : frames_gather(balloon, count_max);
    if (count > 0 && numbers_tell(balloon, &balloon->inflate, count)) {
        actual_tell(balloon);
    } else if (count > 0) {
        all_return(balloon);
    }
    mutex_unlock(&balloon->lock);
    return count;
}

// Takes runs out of the balloon, of count_max frames at most, and lists them. Where there is no
// memory to remember the rest of a chunk it is all of it.
static size_t runs_gather(struct balloon *balloon, size_t count_max, struct run *runs,
                          size_t *run_count)
{
    size_t count = 0;
    *run_count = 0;
    while (count < count_max && *run_count < RUNS_MAX) {
        struct run *run = &runs[*run_count];
        run->count = balloon_frames_take(&balloon->frames, count_max - count, &run->start);
        if (run->count == 0 && count == 0) {
            run->count = balloon_frames_take(&balloon->frames, BALLOON_CHUNK, &run->start);
        }
        if (run->count == 0) {
            break;
        }
        numbers_put(balloon, count, run);
        count += run->count;
        ++*run_count;
    }
    return count;
}

// Answers by how much the balloon has shrunk; 0: it is empty.
static size_t balloon_drop(struct balloon *balloon, size_t count_max)
{
    struct run runs[RUNS_MAX];
    size_t run_count;
    mutex_lock(&balloon->lock);
    const size_t count = runs_gather(balloon, count_max, runs, &run_count);
    const bool is_told = count == 0 || numbers_tell(balloon, &balloon->deflate, count);
    returned_count(balloon, count);
    for (size_t i = 0; i < run_count; ++i) {
        frame_free(runs[i].start, runs[i].count);
    }
    if (!is_told) {
        all_return(balloon);
    } else if (count > 0) {
        actual_tell(balloon);
    }
    mutex_unlock(&balloon->lock);
    return count;
}

static size_t count_get(struct balloon *balloon, bool *is_dead)
{
    mutex_lock(&balloon->lock);
    const size_t count = balloon->frames.count;
    *is_dead = balloon->is_dead;
    mutex_unlock(&balloon->lock);
    return count;
}

// Of shrinkers the last. The device answers whatever happens here: it is waited for.
static size_t balloon_shrink(struct shrinker *shrinker, size_t wanted, bool may_wait)
{
    (void)may_wait;
    struct balloon *balloon = container_of(shrinker, struct balloon, shrinker);
    const size_t count = wanted / HAL_PAGE_SIZE + 1;
    bool is_dead;
    if (count_get(balloon, &is_dead) == 0) {
        return 0;
    }
    atomic_store(&balloon->is_held, true); // first, or the thread takes what is given back
    size_t dropped = 0, step = 1;
    while (dropped < count && step > 0) {
        step = balloon_drop(balloon, NUMBERS_MAX);
        dropped += step;
    }
    return dropped * HAL_PAGE_SIZE;
}

// ---- The thread ----

// Frames that can be had without making memory scarce.
static size_t room_get(void)
{
    const size_t spare = pressure_spare(), kept = (size_t)pressure.high;
    return spare > kept ? spare - kept : 0;
}

static bool balloon_inflate(struct balloon *balloon, size_t wanted)
{
    size_t step = wanted < NUMBERS_MAX ? wanted : NUMBERS_MAX;
    size_t room = room_get();
    if (room < step) {
        (void)shrinker_ask((step - room) * HAL_PAGE_SIZE);
        room = room_get();
        step = step < room ? step : room;
    }
    return step > 0 && balloon_grow(balloon, step) > 0;
}

static uint32_t target_read(const struct balloon *balloon)
{
    uint32_t wanted = 0;
    hal_dev_config(balloon->dev, offsetof(struct balloon_config, wanted), &wanted, sizeof wanted);
    return wanted;
}

static void shortness_tell(struct balloon *balloon, size_t target, size_t count)
{
    if (balloon->told_target != target) {
        console_print("osv: the balloon is to be %zu MiB and is %zu: the rest is in use here\n",
                      target / MIB_FRAMES, count / MIB_FRAMES);
        balloon->told_target = (uint32_t)target;
    }
}

// Answers whether the balloon has the size that is wanted, or is not to get it.
static bool target_approach(struct balloon *balloon)
{
    bool is_dead;
    for (;;) {
        const size_t count = count_get(balloon, &is_dead), target = target_read(balloon);
        if (is_dead || target == count) {
            return true;
        }
        if (target < count) {
            (void)balloon_drop(balloon,
                               count - target < NUMBERS_MAX ? count - target : NUMBERS_MAX);
        } else if (atomic_load(&balloon->is_held)) {
            return true;
        } else if (!balloon_inflate(balloon, target - count)) {
            shortness_tell(balloon, target, count);
            return false;
        }
    }
}

// Hands the device what it will keep until it wants to know more.
static void stats_give(struct balloon *balloon)
{
    struct balloon_figures figures;
    balloon->figures(&figures);
    const struct stat stats[] = {
        {STAT_MINOR_FAULTS, figures.faults}, {STAT_FREE, figures.free},
        {STAT_TOTAL, figures.total},         {STAT_AVAILABLE, figures.available},
        {STAT_CACHES, figures.cached},
    };
    memcpy(balloon->page + STATS_AT, stats, sizeof stats);
    const struct virtq_part part = {.address = frame_of(balloon->page) + STATS_AT,
                                    .size = sizeof stats};
    if (virtq_add(&balloon->stats.ring, &part, 1, balloon) == 0) {
        hal_dev_kick(balloon->dev, QUEUE_STATS);
    }
}

static void stats_answer(struct balloon *balloon)
{
    void *token;
    uint32_t written;
    if (virtq_collect(&balloon->stats.ring, &token, &written) == 1) {
        stats_give(balloon);
    }
}

HAL_NORETURN static void balloon_run(void *argument)
{
    struct balloon *balloon = argument;
    bool is_done = true;
    if (balloon->has_stats) {
        virtq_interrupts_set(&balloon->stats.ring, true);
        stats_give(balloon);
    }
    for (;;) {
        const uint32_t rung = is_done ? bell_wait(&balloon->bell)
                                      : bell_wait_until(&balloon->bell, hal_clock_ns() + RETRY_NS);
        if (balloon->has_stats && (rung & RING_STATS) != 0) {
            stats_answer(balloon);
        }
        if ((rung & RING_TARGET) != 0) {
            atomic_store(&balloon->is_held, false);
        }
        is_done = target_approach(balloon);
    }
}

// ---- Opening ----

static void interrupt(void *state, uint32_t queue)
{
    struct balloon *balloon = state;
    if (queue == QUEUE_INFLATE) {
        exchange_interrupt(&balloon->inflate);
    } else if (queue == QUEUE_DEFLATE) {
        exchange_interrupt(&balloon->deflate);
    } else {
        bell_ring(&balloon->bell, queue == QUEUE_STATS ? RING_STATS : RING_TARGET);
    }
}

static int device_start(struct balloon *balloon, struct hal_dev *dev)
{
    uint64_t features = FEATURES;
    int error = hal_dev_open(dev, &features);
    if (error != 0 || (features & VIRTIO_VERSION_1) == 0) {
        return -ENODEV;
    }
    const bool gives_back = (features & DEFLATE_ON_OOM) != 0;
    balloon->usage = gives_back ? USAGE_LENT : USAGE_BALLOON;
    balloon->has_stats = (features & HAS_STATS) != 0;
    error = exchange_open(&balloon->inflate, dev, QUEUE_INFLATE, RING_SIZE);
    error = error != 0 ? error : exchange_open(&balloon->deflate, dev, QUEUE_DEFLATE, RING_SIZE);
    if (error == 0 && balloon->has_stats) {
        error = exchange_open(&balloon->stats, dev, QUEUE_STATS, RING_SIZE);
    }
    error = error != 0 ? error : device_attach(dev, interrupt, balloon);
    error = error != 0 ? error : hal_dev_go(dev);
    if (error == 0 && gives_back) {
        balloon->shrinker =
            (struct shrinker){.name = "balloon", .shrink = balloon_shrink, .is_last = true};
        shrinker_register(&balloon->shrinker);
    }
    return error;
}

static void balloon_free(struct balloon *balloon)
{
    hal_dev_stop(balloon->dev);
    device_detach(balloon->dev);
    exchange_close(&balloon->inflate);
    exchange_close(&balloon->deflate);
    exchange_close(&balloon->stats);
    if (balloon->page != NULL) {
        frame_free(frame_of(balloon->page), 1);
    }
    balloon_frames_free(&balloon->frames);
    heap_free(balloon);
}

static int thread_make(struct balloon *balloon, struct thread **thread)
{
    struct hal_cpu_set all = {0};
    for (uint32_t cpu = 0; cpu < sched_cpu_count(); ++cpu) {
        all.words[cpu / 64] |= (uint64_t)1 << cpu % 64;
    }
    const struct thread_config config = {.name = "balloon", .affinity = &all, .detached = true};
    return thread_create(thread, &config, balloon_run, balloon);
}

static int balloon_open(const struct hal_dev_info *info, struct balloon *balloon)
{
    hal_phys page;
    struct thread *thread = NULL;
    balloon->dev = info->dev;
    int error = frame_alloc(1, 0, &page);
    balloon->page = error == 0 ? frame_address(page) : NULL;
    error = error != 0 ? error : balloon_frames_init(&balloon->frames);
    error = error != 0 ? error : thread_make(balloon, &thread);
    if (error != 0) {
        return error;
    }
    error = device_start(balloon, info->dev);
    if (error != 0) {
        thread_discard(thread);
        return error;
    }
    bell_listener_set(&balloon->bell, thread);
    bell_ring(&balloon->bell, RING_TARGET);
    thread_start(thread);
    return 0;
}

static const char *error_text(int error)
{
    switch (error) {
    case -ENODEV:
        return "it refuses virtio 1.0";
    case -ENOSPC:
        return "there is no interrupt left for it";
    case -EINVAL:
        return "what it says of its queues makes no sense";
    default:
        return "there is not enough memory; try more";
    }
}

void balloon_start(void (*figures)(struct balloon_figures *figures))
{
    const struct hal_dev_info *info = device_find(HAL_BALLOON, NULL);
    if (info == NULL) {
        return;
    }
    struct balloon *balloon = heap_alloc_zeroed(sizeof *balloon);
    int error = -ENOMEM;
    if (balloon != NULL) {
        balloon->figures = figures;
        error = balloon_open(info, balloon);
    }
    if (error != 0) {
        console_print("osv: the balloon %s is left out: %s\n", info->name, error_text(error));
    }
    if (balloon != NULL && error != 0) {
        balloon_free(balloon);
    }
}
