// SPDX-License-Identifier: BSD-3-Clause
// route_test.c: routes and addresses that are looked up while others change them, under every
// schedule: what stays is always found, what changes is found as it was or as it is, and memory
// that is given back is not read. Memory is used again as soon as RCU allows it.
#include "core/net/route.h"

#include <string.h>

#include "core/lib/mark.h"
#include "core/mem/heap.h"
#include "core/net/netif.h"
#include "core/sched/thread.h"
#include "rcu_steps.h"
#include "seed.h"
#include "seed_main.h"
#include "seed_thread.h"

enum { TABLES = 4, TABLE_SIZE = 8192, GATEWAY_OLD = 1, GATEWAY_NEW = 2 };

struct netif loopback = {.name = "lo", .flags = NETIF_LOOPBACK};
static struct netif wire = {.name = "eth0"};

// ---- In place of core/mem and core/sync's RCU: each is one step ---------------------------

static _Alignas(16) char tables[TABLES][TABLE_SIZE];
static bool is_used[TABLES];

MARK_GUESS void *heap_alloc_zeroed(size_t size)
{
    seed_check(size <= TABLE_SIZE, "too large");
    for (unsigned i = 0; i < TABLES; ++i) {
        if (!is_used[i]) {
            is_used[i] = true;
            return memset(tables[i], 0, size);
        }
    }
    seed_check(false, "memory is not given back");
    return NULL;
}

void heap_free(void *block)
{
    const size_t index = (size_t)((char *)block - tables[0]) / TABLE_SIZE;
    seed_check(is_used[index], "freed twice");
    is_used[index] = false;
    for (size_t i = 0; i < 4; ++i) { // the counts of a table among them
        ((uint64_t *)(void *)tables[index])[i] = 0;
    }
}

// ---- Two threads ----------------------------------------------------------------------------

static struct net_address v4(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
    const uint8_t bytes[] = {a, b, c, d};
    return address_of_v4(bytes);
}

static struct route_entry entry_by(uint8_t a, uint8_t bits, uint8_t gateway)
{
    return (struct route_entry){.target = v4(a, 0, 0, 0),
                                .bits = bits,
                                .netif = &wire,
                                .gateway = v4(10, 0, 0, gateway),
                                .source = v4(10, 0, 0, 9)};
}

static void add(uint8_t a, uint8_t bits, uint8_t gateway)
{
    const struct route_entry entry = entry_by(a, bits, gateway);
    seed_check(route_add(&entry) == 0, "not added");
}

static void all_remove(void)
{
    struct route_entry entries[ROUTE_MAX];
    struct route_address addresses[ROUTE_ADDRESS_MAX];
    for (uint32_t count = route_address_list(addresses); count > 0; --count) {
        seed_check(route_address_remove(&addresses[count - 1].address) == 0, "not removed");
    }
    for (uint32_t count = route_list(entries); count > 0; --count) {
        seed_check(route_remove(&entries[count - 1]) == 0, "not removed");
    }
}

static void reset(void)
{
    const struct route_address own = {.address = v4(10, 0, 0, 9), .bits = 8, .netif = &wire};
    seed_threads_reset();
    reader_count = 0;
    ended_run();
    all_remove();
    add(0, 0, GATEWAY_OLD);
    seed_check(route_address_add(&own) == 0, "not added");
}

static uint8_t gateway_to(uint8_t a)
{
    const struct net_address target = v4(a, 1, 2, 3);
    struct route route;
    seed_check(route_find(&target, &route) == 0, "there is a way");
    seed_check(route.netif == &wire, "by the wire");
    return address_v4_bytes(&route.hop)[3];
}

static void find_twice(void)
{
    const uint8_t first = gateway_to(20);
    const uint8_t second = gateway_to(20);
    seed_check(first == GATEWAY_OLD || first == GATEWAY_NEW, "neither the old nor the new way");
    seed_check(second == GATEWAY_NEW || second == first, "back in time");
}

static void put_in_front(void)
{
    add(20, 8, GATEWAY_NEW);
}

static void look_at_own(void)
{
    const struct net_address own = v4(10, 0, 0, 9);
    seed_check(route_is_local(&own), "an address that stays");
    seed_check(route_has(&wire, &own), "and its interface");
}

static void change_others(void)
{
    const struct route_address other = {.address = v4(30, 0, 0, 9), .bits = 8, .netif = &wire};
    seed_check(route_address_add(&other) == 0, "not added");
    seed_check(route_address_remove(&other.address) == 0, "not removed");
}

static void two_check(void)
{
    struct route_entry entries[ROUTE_MAX];
    seed_check(route_list(entries) == 3, "a change is lost");
    seed_check(gateway_to(20) == GATEWAY_NEW, "the new way");
}

static void put_another(void)
{
    add(40, 8, GATEWAY_NEW);
}

static void four_check(void)
{
    struct route_entry entries[ROUTE_MAX];
    seed_check(route_list(entries) == 4, "a change is lost");
}

static void same_check(void)
{
    struct route_entry entries[ROUTE_MAX];
    seed_check(route_list(entries) == 2, "as before");
}

static const struct seed_test tests[] = {
    {.name = "route, found while a better one comes",
     .reset = reset,
     .bodies = {find_twice, put_in_front},
     .check = two_check,
     .preemption_max = 3},
    {.name = "route, addresses that come and go",
     .reset = reset,
     .bodies = {look_at_own, change_others},
     .check = same_check,
     .preemption_max = 3},
    {.name = "route, two that change",
     .reset = reset,
     .bodies = {put_another, put_in_front},
     .check = four_check,
     .preemption_max = 3},
};

int main(int argc, char **argv)
{
    return seed_main(argc, argv, tests, sizeof tests / sizeof tests[0]);
}
