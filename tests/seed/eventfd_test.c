// SPDX-License-Identifier: BSD-3-Clause
// eventfd_test.c: one who reads or polls an eventfd and one who writes, under every schedule with
// at most four preemptions: what is written is read once, and nobody sleeps on.
#include <string.h>

#include "core/sched/thread.h"
#include "core/vfs/poll.h"
#include "seed.h"
#include "seed_main.h"
#include "seed_thread.h"
#include "slab_seed.h"

static struct file file;
static uint64_t read_sum;

// ---- In place of the rest of core/vfs and of the machine ----

void file_end(struct file *of)
{
    (void)of;
    seed_fail("it is not closed here");
}

int file_create(struct file **result, const struct file_ops *ops, uint32_t flags, void *state)
{
    file = (struct file){.ops = ops, .state = state};
    atomic_store_explicit(&file.flags, flags, memory_order_relaxed);
    *result = &file;
    return 0;
}

int file_seek_nowhere(struct file *of, int64_t offset, enum seek_from from, uint64_t *result)
{
    (void)of, (void)offset, (void)from, (void)result;
    return 0;
}

unsigned file_poll(struct file *of, struct poll_entry *entry)
{
    return of->ops->poll(of, entry);
}

int hal_copy_safe(void *to, const void *from, size_t size)
{
    memcpy(to, from, size);
    return 0;
}

// ---- What the two do ----

static void make(bool is_semaphore)
{
    struct file *made;
    seed_threads_reset();
    seed_slabs_reset();
    read_sum = 0;
    seed_check(eventfd_create(&made, 0, is_semaphore, 0) == 0, "made");
}

static void reset(void)
{
    make(false);
}

static void reset_semaphore(void)
{
    make(true);
}

static void read_one(void)
{
    uint64_t value = 0;
    size_t done = 0;
    int error = file.ops->read(&file, FILE_OFFSET_NONE, (char *)&value, sizeof value, &done);
    seed_check(error == 0 && done == sizeof value && value > 0, "read");
    read_sum += value;
}

static void write_some(uint64_t value)
{
    size_t done = 0;
    int error = file.ops->write(&file, FILE_OFFSET_NONE, (char *)&value, sizeof value, &done);
    seed_check(error == 0 && done == sizeof value, "written");
}

static void write_two(void)
{
    write_some(2);
}

static void write_zero_and_two(void)
{
    write_some(0);
    write_some(2);
}

static void read_two(void)
{
    read_one();
    read_one();
}

struct poller {
    struct poll_entry entry;
    struct thread *thread;
};

static bool poller_wake(struct poll_entry *entry, unsigned events)
{
    seed_check((events & POLL_IN) != 0, "woken for what is not wanted");
    thread_wake(container_of(entry, struct poller, entry)->thread);
    return true;
}

static void poll_for_input(void)
{
    struct poller poller = {.entry = {.wanted = POLL_IN, .wake = poller_wake},
                            .thread = thread_self()};
    unsigned ready = file.ops->poll(&file, &poller.entry);
    while ((ready & POLL_IN) == 0) {
        thread_park();
        ready = file.ops->poll(&file, NULL);
    }
    poll_entry_remove(&poller.entry);
    read_one();
}

static void check(void)
{
    seed_check(read_sum == 2, "what was written is not what was read");
}

static const struct seed_test tests[] = {
    {.name = "read", .reset = reset, .bodies = {read_one, write_zero_and_two}, .check = check},
    {.name = "semaphore",
     .reset = reset_semaphore,
     .bodies = {read_two, write_two},
     .check = check},
    {.name = "poll", .reset = reset, .bodies = {poll_for_input, write_two}, .check = check},
};

int main(int argc, char **argv)
{
    return seed_main(argc, argv, tests, sizeof tests / sizeof tests[0]);
}
