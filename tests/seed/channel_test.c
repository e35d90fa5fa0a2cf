// SPDX-License-Identifier: BSD-3-Clause
// channel_test.c: channels under every schedule of two threads: each packet comes out once, those
// of one producer in their order, who waits is woken, who polls is told, and what does not fit is
// not taken.
#include "core/net/channel.h"

#include "core/dev/packet.h"
#include "core/lib/mark.h"
#include "seed.h"
#include "seed_main.h"
#include "seed_thread.h"

enum { PACKETS = 4, COST = 10 };

static struct packet packets[PACKETS];
static struct channel channel;
static struct mutex lock;
static unsigned taken[PACKETS], taken_count;
static _Atomic unsigned refused;
static _Atomic bool is_known, is_told;

static void reset(void)
{
    seed_threads_reset();
    channel = (struct channel){.newest = NULL};
    lock = (struct mutex){.claims = 0};
    for (unsigned i = 0; i < PACKETS; ++i) {
        packets[i] = (struct packet){.cost = COST};
        taken[i] = 0;
    }
    taken_count = 0;
    refused = 0;
    is_known = is_told = false;
}

// Of who polls: what linux does in ready.
static void push(unsigned index, uint32_t limit)
{
    const unsigned result = channel_push(&channel, &packets[index], limit);
    if ((result & CHANNEL_WATCHED) && is_known) {
        is_told = true;
    }
    refused += result == 0;
}

// With lock held.
static void take(void)
{
    unsigned last[2] = {0}; // of each producer: packets 0 and 1, 2 and 3
    struct packet *packet = channel_take(&channel);
    while (packet != NULL) {
        struct packet *next = packet->next;
        const unsigned index = (unsigned)(packet - packets);
        seed_check(++taken[index] == 1, "taken twice");
        seed_check(index % 2 >= last[index / 2], "out of order");
        seed_check(index % 2 == 0 || taken[index - 1] == 1, "before an older one");
        last[index / 2] = index % 2;
        ++taken_count;
        (index % 2 == 0 ? channel_return_locked : channel_return)(&channel, packet->cost);
        packet = next;
    }
}

static void all_check(void)
{
    seed_check(channel_is_empty(&channel), "something is left");
    seed_check(channel_cost(&channel) == 0, "the cost is not given back");
    seed_check(channel.sleeper == NULL, "somebody is said to sleep");
}

// ---- One producer, one that waits -------------------------------------------------

static void push_both(void)
{
    push(0, 1000);
    push(1, 1000);
}

static void await_both(void)
{
    mutex_lock(&lock);
    take();
    while (taken_count < 2) {
        seed_check(channel_wait(&channel, &lock, UINT64_MAX) == WAIT_WOKEN, "no wake");
        take();
    }
    mutex_unlock(&lock);
}

static const char *const await_marks[] = {"channel: pushed before the sleep",
                                          "channel: behind another", NULL};

// ---- One producer, one that gives up ------------------------------------------------

static void await_some(void)
{
    mutex_lock(&lock);
    (void)channel_wait(&channel, &lock, 1);
    take();
    (void)channel_wait(&channel, &lock, 1);
    take();
    mutex_unlock(&lock);
}

static void some_check(void)
{
    mutex_lock(&lock);
    take();
    mutex_unlock(&lock);
    seed_check(taken_count == 2, "a packet is lost");
    all_check();
}

static const char *const some_marks[] = {"channel: another woke it, or it gave up", NULL};

// ---- Two producers ------------------------------------------------------------------

static void push_others(void)
{
    push(2, 1000);
    push(3, 1000);
}

static void four_check(void)
{
    mutex_lock(&lock);
    take();
    mutex_unlock(&lock);
    seed_check(taken_count == 4, "a packet is lost");
    all_check();
}

// ---- Two that wait, and one of them is served ---------------------------------------

static void await_one_until(hal_ns deadline)
{
    mutex_lock(&lock);
    while (taken_count == 0) {
        if (channel_wait(&channel, &lock, deadline) != WAIT_WOKEN && taken_count == 0) {
            push(0, 1000); // what this one does then does for both
        }
        take();
    }
    mutex_unlock(&lock);
}

static void await_one(void)
{
    await_one_until(UINT64_MAX);
}

static void await_one_a_while(void)
{
    await_one_until(1);
}

// ---- One that polls -------------------------------------------------------------------

static void push_one(void)
{
    push(0, 1000);
}

static void watch(void)
{
    is_known = true;
    channel_watch(&channel);
    if (!channel_is_empty(&channel)) {
        is_told = true;
    }
}

static void watch_check(void)
{
    seed_check(is_told, "who polls is not told");
}

// ---- Little room -----------------------------------------------------------------------

static void push_costly(void)
{
    push(0, COST);
    push(1, COST);
}

static void push_costly_others(void)
{
    push(2, COST);
}

static void take_some(void)
{
    mutex_lock(&lock);
    take();
    mutex_unlock(&lock);
}

static void push_other_and_take(void)
{
    push(2, 1000);
    take_some();
}

static void roomy_check(void)
{
    take_some();
    seed_check(refused == 0 && taken_count == 2, "refused though there is room");
    all_check();
}

static void costly_check(void)
{
    mutex_lock(&lock);
    take();
    mutex_unlock(&lock);
    seed_check(taken_count >= 1 && taken_count + refused == 3, "taken, or refused");
    all_check();
}

static void costly_serial_check(void)
{
    mutex_lock(&lock);
    take();
    mutex_unlock(&lock);
    seed_check(taken_count + refused == 2 && taken_count >= 1, "taken, or refused");
    all_check();
}

static const struct seed_test tests[] = {
    {.name = "channel, one waits",
     .reset = reset,
     .bodies = {push_both, await_both},
     .check = all_check,
     .marks = await_marks},
    {.name = "channel, one gives up",
     .reset = reset,
     .bodies = {push_both, await_some},
     .check = some_check,
     .marks = some_marks},
    {.name = "channel, two producers",
     .reset = reset,
     .bodies = {push_both, push_others},
     .check = four_check},
    {.name = "channel, two wait",
     .reset = reset,
     .bodies = {await_one, await_one_a_while},
     .check = all_check,
     .preemption_max = 3},
    {.name = "channel, one polls",
     .reset = reset,
     .bodies = {push_one, watch},
     .check = watch_check},
    {.name = "channel, two producers and little room",
     .reset = reset,
     .bodies = {push_costly, push_costly_others},
     .check = costly_check},
    {.name = "channel, much room and a consumer",
     .reset = reset,
     .bodies = {push_one, push_other_and_take},
     .check = roomy_check},
    {.name = "channel, little room and a consumer",
     .reset = reset,
     .bodies = {push_costly, take_some},
     .check = costly_serial_check},
};

int main(int argc, char **argv)
{
    return seed_main(argc, argv, tests, sizeof tests / sizeof tests[0]);
}
