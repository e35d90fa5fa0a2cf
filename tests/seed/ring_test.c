// SPDX-License-Identifier: BSD-3-Clause
// ring_test.c: rings under every schedule with at most four preemptions: each value comes out once,
// whole, and in the order of its producer. Their numbers pass 2^32 meanwhile.
#include "core/lib/ring.h"

#include "core/lib/mark.h"
#include "seed.h"
#include "seed_main.h"

enum { CAPACITY = 2, COUNT = 4 };

static const uint32_t START = UINT32_MAX - 1;

// ---- One producer ----------------------------------------------------------------

static struct ring one;
static uintptr_t one_slots[CAPACITY];
static uintptr_t pushed, popped; // values are 1, 2, ...

static void one_reset(void)
{
    ring_init(&one, one_slots, CAPACITY);
    one.head_seen = one.tail_seen = START;
    one.tail = START;
    one.head = START;
    one_slots[0] = one_slots[1] = 0;
    pushed = popped = 0;
}

static void one_push(void)
{
    for (int i = 0; i < 3; ++i) {
        const uintptr_t values[] = {pushed + 1, pushed + 2};
        pushed += ring_push(&one, values, 2);
    }
}

static void one_pop_some(uint32_t count)
{
    uintptr_t values[CAPACITY];
    count = ring_pop(&one, values, count);
    for (uint32_t i = 0; i < count; ++i) {
        seed_check(values[i] == popped + 1, "another value than the next");
        ++popped;
    }
}

static void one_pop(void)
{
    one_pop_some(2);
    one_pop_some(1);
    one_pop_some(2);
}

static void one_check(void)
{
    const bool is_empty = ring_is_empty(&one);
    seed_check(is_empty == (pushed == popped), "empty or not: it says the other");
    one_pop_some(2);
    seed_check(pushed == popped, "a value is lost");
    seed_check(ring_is_empty(&one), "all is popped, and it is not empty");
}

static const char *const one_marks[] = {"ring: full", "ring: less than asked for", NULL};

// ---- Many producers --------------------------------------------------------------

static struct ring_many many;
static struct ring_slot many_slots[COUNT];
static uintptr_t sent[2], received[2]; // value 2 * n + p: the n-th of producer p, from 1 on

static void many_reset(uint32_t capacity)
{
    ring_many_init(&many, many_slots, capacity);
    many.head = START;
    many.tail = START;
    for (uint32_t i = 0; i < capacity; ++i) {
        const uint32_t number = START + i;
        many_slots[number & many.mask] = (struct ring_slot){.turn = number};
    }
    sent[0] = sent[1] = received[0] = received[1] = 0;
}

static void wide_reset(void)
{
    many_reset(COUNT);
}

static void narrow_reset(void)
{
    many_reset(CAPACITY);
}

static void many_push(unsigned producer)
{
    for (int i = 0; i < 2; ++i) {
        if (ring_many_push(&many, 2 * (sent[producer] + 1) + producer)) {
            ++sent[producer];
        }
    }
}

static void first_push(void)
{
    many_push(0);
}

static void second_push(void)
{
    many_push(1);
}

static bool many_pop_one(void)
{
    uintptr_t value = 0;
    if (!ring_many_pop(&many, &value)) {
        return false;
    }
    const unsigned producer = value & 1;
    seed_check(value / 2 == received[producer] + 1, "another value than the producer's next");
    ++received[producer];
    return true;
}

static void many_pop(void)
{
    for (int i = 0; i < 3; ++i) {
        (void)many_pop_one();
    }
}

// Also behind a push that found no room there is room afterwards.
static void first_push_twice(void)
{
    many_push(0);
    many_push(0);
}

static void many_check(void)
{
    while (many_pop_one()) {
    }
    seed_check(sent[0] == received[0] && sent[1] == received[1], "a value is lost");
    seed_check(ring_many_push(&many, 2 * (++sent[0] + 1)), "empty, and it says that it is full");
}

static void wide_check(void)
{
    seed_check(sent[0] == 2 && sent[1] == 2, "there was room for all");
    many_check();
}

static const char *const wide_marks[] = {"ring: another producer was faster",
                                         "ring: the number is taken already", NULL};
static const char *const narrow_marks[] = {"ring: full of many", NULL};

static const struct seed_test tests[] = {
    {
        .name = "ring",
        .reset = one_reset,
        .bodies = {one_push, one_pop},
        .check = one_check,
        .marks = one_marks,
    },
    {
        .name = "ring, two producers",
        .reset = wide_reset,
        .bodies = {first_push, second_push},
        .check = wide_check,
        .marks = wide_marks,
    },
    {
        .name = "ring, one of many producers and the consumer",
        .reset = narrow_reset,
        .bodies = {first_push_twice, many_pop},
        .check = many_check,
        .marks = narrow_marks,
    },
    {
        .name = "ring, two producers and too little room",
        .reset = narrow_reset,
        .bodies = {first_push, second_push},
        .check = many_check,
        .marks = narrow_marks,
    },
};

int main(int argc, char **argv)
{
    return seed_main(argc, argv, tests, sizeof tests / sizeof tests[0]);
}
