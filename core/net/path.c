// SPDX-License-Identifier: BSD-3-Clause
// path.c: see path.h. Each address has one place in a table, which it shares with others: who comes
// later has it, and of the former a router tells once more.
#include "core/net/path.h"

#include "core/lib/string.h"
#include "core/sync/mutex.h"
#include "hal/hal.h"

enum { PLACES = 256 };

#define AGE (600 * UINT64_C(1000000000)) // net.ipv4.route.mtu_expires of Linux; RFC 8201, 4

_Atomic bool path_is_any;

static struct mutex lock;
static struct place {
    struct net_address target;
    uint32_t mtu; // 0: nobody's
    hal_ns learned_at;
} places[PLACES];

static struct place *place_of(const struct net_address *target)
{
    uint64_t words[2];
    memcpy(words, address_bytes(target), sizeof words);
    const uint64_t mixed = (words[0] ^ words[1] * 3) * UINT64_C(0x9e3779b97f4a7c15);
    return &places[mixed >> 56];
}

// With lock held. 0: nothing.
static uint32_t known(const struct place *place, const struct net_address *target)
{
    const bool is_there = place->mtu != 0 && address_is_equal(&place->target, target) &&
                          hal_clock_ns() - place->learned_at < AGE;
    return is_there ? place->mtu : 0;
}

uint32_t path_find(const struct net_address *target, uint32_t link_mtu)
{
    mutex_lock(&lock);
    const uint32_t mtu = known(place_of(target), target);
    mutex_unlock(&lock);
    return mtu != 0 && mtu < link_mtu ? mtu : link_mtu;
}

uint32_t path_learn(const struct net_address *target, uint32_t mtu)
{
    const uint32_t least = address_is_v4(target) ? PATH_MTU_MIN_V4 : PATH_MTU_MIN_V6;
    const uint32_t told = mtu < least ? least : mtu;
    struct place *place = place_of(target);
    mutex_lock(&lock);
    const uint32_t before = known(place, target);
    if (before == 0 || told < before) {
        *place = (struct place){*target, told, hal_clock_ns()};
    }
    mutex_unlock(&lock);
    atomic_store_explicit(&path_is_any, true, memory_order_relaxed);
    return told;
}
