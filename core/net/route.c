// SPDX-License-Identifier: BSD-3-Clause
// route.c: see route.h.
//
// One table: routes, the longest prefix first, then the least metric, so that the first that fits
// is the best; and addresses. Readers follow one pointer; a writer makes a new table under the lock
// and gives the old one to RCU. As long as there is but the loopback network there is no table:
// 127.0.0.0/8 and ::1 are known without one.
#include "core/net/route.h"

#include "core/lib/assert.h"
#include "core/lib/errno.h"
#include "core/lib/list.h"
#include "core/lib/string.h"
#include "core/mem/heap.h"
#include "core/net/netif.h"
#include "core/sync/mutex.h"
#include "core/sync/rcu.h"

struct table {
    bool has_times; // some address of IPv6 will not be preferred for ever
    struct rcu_head end;
    uint32_t route_count, address_count;
    struct route_entry routes[ROUTE_MAX];
    struct route_address addresses[ROUTE_ADDRESS_MAX];
};

enum { V4_OFFSET_BITS = ROUTE_V6_BITS - ROUTE_V4_BITS }; // of a mapped address

static struct mutex table_lock; // of writers
static _Atomic(struct table *) current_table;

// Are the first bits of both the same, of addresses of one version?
static bool prefix_is_equal(const struct net_address *a, const struct net_address *b, uint8_t bits)
{
    if (address_is_v4(a) != address_is_v4(b)) {
        return false;
    }
    const uint8_t *left = address_bytes(a), *right = address_bytes(b);
    const unsigned whole = bits + (address_is_v4(a) ? V4_OFFSET_BITS : 0u);
    const unsigned rest = whole % 8;
    return memcmp(left, right, whole / 8) == 0 &&
           (rest == 0 || ((left[whole / 8] ^ right[whole / 8]) >> (8 - rest)) == 0);
}

// In an RCU section, or with table_lock held.
static const struct table *table_now(void)
{
    // Acquire pairs with the release in table_publish.
    return atomic_load_explicit(&current_table, memory_order_acquire);
}

// ---- Finding -------------------------------------------------------------------------

__attribute__((noinline)) static const struct route_address *
address_find(const struct table *table, const struct net_address *address)
{
    for (uint32_t i = 0; table != NULL && i < table->address_count; ++i) {
        if (address_is_equal(&table->addresses[i].address, address)) {
            return &table->addresses[i];
        }
    }
    return NULL;
}

bool route_is_local(const struct net_address *address)
{
    if (address_is_loopback(address)) {
        return true;
    }
    rcu_read_begin();
    const bool is_local = address_find(table_now(), address) != NULL;
    rcu_read_end();
    return is_local;
}

bool route_has(const struct netif *netif, const struct net_address *address)
{
    rcu_read_begin();
    const struct route_address *own = address_find(table_now(), address);
    const bool has = own != NULL && own->netif == netif;
    rcu_read_end();
    return has;
}

struct netif *route_owner(const struct net_address *address)
{
    rcu_read_begin();
    const struct route_address *own = address_find(table_now(), address);
    struct netif *netif = own != NULL ? own->netif : &loopback;
    rcu_read_end();
    return netif;
}

// The last address of a network is all of its machines (RFC 919); not of one of two or one machine.
static bool is_last_of(const struct route_address *own, const struct net_address *address)
{
    uint32_t last;
    if (!address_is_v4(&own->address) || own->bits >= ROUTE_V4_BITS - 1) {
        return false;
    }
    memcpy(&last, address_v4_bytes(&own->address), sizeof last);
    last = __builtin_bswap32(__builtin_bswap32(last) | UINT32_MAX >> own->bits);
    return memcmp(&last, address_v4_bytes(address), sizeof last) == 0;
}

// In an RCU section.
__attribute__((noinline)) static bool is_broadcast(const struct table *table,
                                                   const struct net_address *address)
{
    static const uint8_t all[ADDRESS_V4_SIZE] = {255, 255, 255, 255};
    static const uint8_t all_loopback[ADDRESS_V4_SIZE] = {127, 255, 255, 255};
    if (!address_is_v4(address)) {
        return false;
    }
    bool is_one = memcmp(address_v4_bytes(address), all, sizeof all) == 0 ||
                  memcmp(address_v4_bytes(address), all_loopback, sizeof all) == 0;
    for (uint32_t i = 0; table != NULL && i < table->address_count && !is_one; ++i) {
        is_one = is_last_of(&table->addresses[i], address);
    }
    return is_one;
}

bool route_is_broadcast(const struct net_address *address)
{
    rcu_read_begin();
    const bool is_one = is_broadcast(table_now(), address);
    rcu_read_end();
    return is_one;
}

bool route_is_plain(const struct net_address *source, const struct net_address *target)
{
    if (address_is_loopback(source) || address_is_loopback(target) ||
        address_is_multicast(source)) {
        return false;
    }
    rcu_read_begin();
    const struct table *table = table_now();
    const bool is_plain = address_find(table, target) != NULL &&
                          address_find(table, source) == NULL && !is_broadcast(table, source);
    rcu_read_end();
    return is_plain;
}

bool route_takes(const struct netif *netif, const struct net_address *address)
{
    if ((netif->flags & NETIF_LOOPBACK) != 0) {
        return route_is_local(address) || address_is_multicast(address);
    }
    if (address_is_loopback(address)) { // RFC 1122, 3.2.1.3 (g)
        return false;
    }
    return route_is_local(address) || address_is_multicast(address) || route_is_broadcast(address);
}

static bool is_deprecated(const struct route_address *own, hal_ns now)
{
    return own->preferred_until != 0 && own->preferred_until <= now;
}

// In place of a source that is no longer preferred, one of the interface's that is, and is good as
// far (RFC 6724, 5, rule 3).
static __attribute__((noinline)) void
source_prefer(const struct table *table, const struct netif *netif, struct net_address *source)
{
    const hal_ns now = hal_clock_ns();
    const bool is_local = address_is_link_local(source);
    const struct route_address *former = address_find(table, source);
    if (former == NULL || !is_deprecated(former, now)) {
        return;
    }
    for (uint32_t i = 0; i < table->address_count; ++i) {
        const struct route_address *own = &table->addresses[i];
        if (own->netif == netif && !address_is_v4(&own->address) && !is_deprecated(own, now) &&
            address_is_link_local(&own->address) == is_local) {
            *source = own->address;
            return;
        }
    }
}

// by NULL: any.
static bool entry_find(const struct table *table, const struct net_address *target,
                       const struct netif *by, struct route *route)
{
    for (uint32_t i = 0; table != NULL && i < table->route_count; ++i) {
        const struct route_entry *entry = &table->routes[i];
        if ((by == NULL || entry->netif == by) &&
            prefix_is_equal(&entry->target, target, entry->bits)) {
            *route = (struct route){
                .netif = entry->netif,
                .source = entry->source,
                .hop = address_is_any(&entry->gateway) ? *target : entry->gateway,
            };
            if (table->has_times && !address_is_v4(target)) {
                source_prefer(table, entry->netif, &route->source);
            }
            return true;
        }
    }
    return false;
}

int route_find(const struct net_address *target, struct route *route)
{
    if (address_is_loopback(target)) {
        *route = (struct route){&loopback, address_loopback(address_is_v4(target)), *target};
        return 0;
    }
    rcu_read_begin();
    const struct table *table = table_now();
    bool is_found = true;
    if (address_find(table, target) != NULL) {
        *route = (struct route){&loopback, *target, *target};
    } else {
        is_found = entry_find(table, target, NULL, route);
    }
    rcu_read_end();
    return is_found ? 0 : -ENETUNREACH;
}

// An address of this machine's is reached by the interface that has it alone.
static bool find_by(const struct net_address *target, struct netif *by, struct route *route)
{
    const struct table *table = table_now();
    const struct route_address *own = address_find(table, target);
    if (own != NULL && own->netif == by) {
        *route = (struct route){&loopback, *target, *target};
        return true;
    }
    if (entry_find(table, target, by, route)) {
        return true;
    }
    *route = (struct route){by, address_any(true), *target};
    (void)route_source_any(by, true, false, &route->source);
    // What is another's is not lo's.
    return address_is_v4(target) && (own == NULL || (by->flags & NETIF_LOOPBACK) == 0);
}

int route_find_on(const struct net_address *target, struct netif *by, struct route *route)
{
    if ((by->flags & NETIF_LOOPBACK) != 0 && address_is_loopback(target)) {
        return route_find(target, route);
    }
    rcu_read_begin();
    const bool is_found = find_by(target, by, route);
    rcu_read_end();
    return is_found ? 0 : -ENETUNREACH;
}

int route_check_source(const struct route *route, const struct net_address *source)
{
    if (address_is_v4(&route->hop) != address_is_v4(source)) {
        return -ENETUNREACH;
    }
    return address_is_loopback(source) && (route->netif->flags & NETIF_LOOPBACK) == 0 ? -EINVAL : 0;
}

int route_source_take(struct route *route, const struct net_address *source)
{
    if (address_is_any(source)) {
        return 0;
    }
    if (!route_is_local(source)) {
        return address_is_v4(source) ? -ENETUNREACH : -EINVAL;
    }
    const int error = route_check_source(route, source);
    if (error == 0) {
        route->source = *source;
    }
    return error;
}

bool route_source(const struct netif *netif, const struct net_address *neighbour, bool link_only,
                  struct net_address *source)
{
    bool is_found = false;
    rcu_read_begin();
    const struct table *table = table_now();
    for (uint32_t i = 0; table != NULL && i < table->address_count && !is_found; ++i) {
        const struct route_address *own = &table->addresses[i];
        is_found = own->netif == netif &&
                   (link_only ? address_is_link_local(&own->address)
                              : prefix_is_equal(&own->address, neighbour, own->bits));
        *source = own->address;
    }
    rcu_read_end();
    return is_found;
}

bool route_source_any(const struct netif *netif, bool is_v4, bool link_only,
                      struct net_address *source)
{
    bool is_found = (netif->flags & NETIF_LOOPBACK) != 0;
    if (is_found) {
        *source = address_loopback(is_v4);
    }
    rcu_read_begin();
    const struct table *table = table_now();
    for (uint32_t i = 0; table != NULL && i < table->address_count && !is_found; ++i) {
        const struct route_address *own = &table->addresses[i];
        is_found = own->netif == netif && address_is_v4(&own->address) == is_v4 &&
                   (!link_only || address_is_link_local(&own->address));
        *source = own->address;
    }
    if (is_found && table != NULL && table->has_times && !is_v4) {
        source_prefer(table, netif, source);
    }
    rcu_read_end();
    return is_found;
}

// ---- Changes -------------------------------------------------------------------------

// With table_lock held: what the next table changes, to be told once it is there.
static struct route_change changes[ROUTE_MAX + 2];
static uint32_t change_count;
static void (*watcher)(const struct route_change *change);

void route_watch(void (*told)(const struct route_change *change))
{
    mutex_lock(&table_lock);
    watcher = told;
    mutex_unlock(&table_lock);
}

static void entry_note(enum route_event event, const struct route_entry *entry)
{
    ASSERT(change_count < sizeof changes / sizeof *changes);
    changes[change_count++] = (struct route_change){.event = event, .entry = *entry};
}

static void address_note(enum route_event event, const struct route_address *address)
{
    ASSERT(change_count < sizeof changes / sizeof *changes);
    changes[change_count++] = (struct route_change){.event = event, .address = *address};
}

static void changes_tell(bool are_made)
{
    for (uint32_t i = 0; are_made && watcher != NULL && i < change_count; ++i) {
        watcher(&changes[i]);
    }
    change_count = 0;
}

static void table_end(struct rcu_head *head)
{
    heap_free(container_of(head, struct table, end));
}

// With table_lock held. NULL: no memory.
static struct table *table_copy(void)
{
    struct table *copy = heap_alloc_zeroed(sizeof *copy);
    const struct table *now = table_now();
    if (copy != NULL && now != NULL) {
        *copy = *now;
    }
    return copy;
}

static bool has_any_times(const struct table *table)
{
    uint32_t i = 0;
    while (i < table->address_count && (address_is_v4(&table->addresses[i].address) ||
                                        table->addresses[i].preferred_until == 0)) {
        ++i;
    }
    return i < table->address_count;
}

// With table_lock held: in place of the one that there is, or, with an error, not at all.
static int table_publish(struct table *table, int error)
{
    if (error != 0) {
        changes_tell(false);
        heap_free(table);
        return error;
    }
    struct table *former = atomic_load_explicit(&current_table, memory_order_relaxed);
    table->has_times = has_any_times(table);
    atomic_store_explicit(&current_table, table, memory_order_release); // pairs with table_now
    if (former != NULL) {
        rcu_defer(&former->end, table_end);
    }
    changes_tell(true);
    return 0;
}

static bool entry_is_same(const struct route_entry *a, const struct route_entry *b)
{
    return a->bits == b->bits && a->netif == b->netif && a->metric == b->metric &&
           address_is_equal(&a->target, &b->target) && address_is_equal(&a->gateway, &b->gateway);
}

static void entry_cut(struct table *table, uint32_t index)
{
    entry_note(ROUTE_REMOVED, &table->routes[index]);
    --table->route_count;
    memmove(&table->routes[index], &table->routes[index + 1],
            (table->route_count - index) * sizeof table->routes[0]);
}

static int entry_put(struct table *table, const struct route_entry *entry)
{
    uint32_t at = 0;
    while (at < table->route_count && !entry_is_same(&table->routes[at], entry)) {
        ++at;
    }
    if (at < table->route_count) {
        entry_cut(table, at);
    }
    if (table->route_count == ROUTE_MAX) {
        return -ENOSPC;
    }
    at = 0;
    while (at < table->route_count &&
           (table->routes[at].bits > entry->bits ||
            (table->routes[at].bits == entry->bits && table->routes[at].metric <= entry->metric))) {
        ++at;
    }
    memmove(&table->routes[at + 1], &table->routes[at],
            (table->route_count - at) * sizeof table->routes[0]);
    table->routes[at] = *entry;
    ++table->route_count;
    entry_note(ROUTE_ADDED, entry);
    return 0;
}

__attribute__((cold)) int route_add(const struct route_entry *entry)
{
    mutex_lock(&table_lock);
    struct table *table = table_copy();
    int error = table == NULL ? -ENOMEM : table_publish(table, entry_put(table, entry));
    mutex_unlock(&table_lock);
    return error;
}

static int entry_remove(struct table *table, const struct route_entry *entry)
{
    for (uint32_t i = 0; i < table->route_count; ++i) {
        if (entry_is_same(&table->routes[i], entry)) {
            entry_cut(table, i);
            return 0;
        }
    }
    return -ESRCH;
}

__attribute__((cold)) int route_remove(const struct route_entry *entry)
{
    mutex_lock(&table_lock);
    struct table *table = table_copy();
    int error = table == NULL ? -ENOMEM : table_publish(table, entry_remove(table, entry));
    mutex_unlock(&table_lock);
    return error;
}

__attribute__((cold)) int route_replace(const struct route_entry *former,
                                        const struct route_entry *entry)
{
    mutex_lock(&table_lock);
    struct table *table = table_copy();
    if (table != NULL) {
        (void)entry_remove(table, former); // another may have done so
    }
    int error = table == NULL ? -ENOMEM : table_publish(table, entry_put(table, entry));
    mutex_unlock(&table_lock);
    return error;
}

// Others on the network of own are on its link, which one address says as well as another.
static int link_put(struct table *table, const struct route_address *own)
{
    const struct route_entry link = {
        .target = address_prefix(&own->address, own->bits),
        .bits = own->bits,
        .netif = own->netif,
        .gateway = address_any(address_is_v4(&own->address)),
        .source = own->address,
        .origin = ROUTE_ORIGIN_KERNEL,
    };
    for (uint32_t i = 0; i < table->route_count; ++i) {
        if (entry_is_same(&table->routes[i], &link)) {
            return 0;
        }
    }
    return entry_put(table, &link);
}

static int address_put(struct table *table, const struct route_address *address)
{
    if (address_is_loopback(&address->address) || address_find(table, &address->address) != NULL) {
        return -EEXIST;
    }
    if (table->address_count == ROUTE_ADDRESS_MAX) {
        return -ENOSPC;
    }
    table->addresses[table->address_count++] = *address;
    address_note(ROUTE_ADDRESS_ADDED, address);
    return link_put(table, address);
}

__attribute__((cold)) int route_address_add(const struct route_address *address)
{
    mutex_lock(&table_lock);
    struct table *table = table_copy();
    int error = table == NULL ? -ENOMEM : table_publish(table, address_put(table, address));
    mutex_unlock(&table_lock);
    return error;
}

static int times_put(struct table *table, const struct route_address *address)
{
    const struct route_address *found = address_find(table, &address->address);
    if (found == NULL) {
        return -EADDRNOTAVAIL;
    }
    struct route_address *own = &table->addresses[found - table->addresses];
    own->preferred_until = address->preferred_until;
    own->valid_until = address->valid_until;
    address_note(ROUTE_ADDRESS_ADDED, own);
    return 0;
}

// With table_lock held.
static bool has_times(const struct route_address *address)
{
    const struct route_address *found = address_find(table_now(), &address->address);
    return found != NULL && found->preferred_until == address->preferred_until &&
           found->valid_until == address->valid_until;
}

__attribute__((cold)) int route_address_renew(const struct route_address *address)
{
    int error = 0;
    mutex_lock(&table_lock);
    if (!has_times(address)) {
        struct table *table = table_copy();
        error = table == NULL ? -ENOMEM : table_publish(table, times_put(table, address));
    }
    mutex_unlock(&table_lock);
    return error;
}

static int address_cut(struct table *table, const struct net_address *address)
{
    const struct route_address *found = address_find(table, address);
    if (found == NULL) {
        return -EADDRNOTAVAIL;
    }
    const uint32_t index = (uint32_t)(found - table->addresses);
    const struct route_address gone = *found;
    --table->address_count;
    memmove(&table->addresses[index], &table->addresses[index + 1],
            (table->address_count - index) * sizeof table->addresses[0]);
    for (uint32_t i = table->route_count; i-- > 0;) {
        if (address_is_equal(&table->routes[i].source, address)) {
            entry_cut(table, i);
        }
    }
    address_note(ROUTE_ADDRESS_REMOVED, &gone);
    int error = 0;
    for (uint32_t i = 0; i < table->address_count && error == 0; ++i) {
        const struct route_address *other = &table->addresses[i];
        if (other->netif == gone.netif && other->bits == gone.bits &&
            prefix_is_equal(&other->address, &gone.address, gone.bits)) {
            error = link_put(table, other);
        }
    }
    return error;
}

__attribute__((cold)) int route_address_remove(const struct net_address *address)
{
    mutex_lock(&table_lock);
    struct table *table = table_copy();
    int error = table == NULL ? -ENOMEM : table_publish(table, address_cut(table, address));
    mutex_unlock(&table_lock);
    return error;
}

uint32_t route_list(struct route_entry entries[ROUTE_MAX])
{
    mutex_lock(&table_lock);
    const struct table *table = table_now();
    const uint32_t count = table == NULL ? 0 : table->route_count;
    for (uint32_t i = 0; i < count; ++i) {
        entries[i] = table->routes[i];
    }
    mutex_unlock(&table_lock);
    return count;
}

uint32_t route_address_list(struct route_address addresses[ROUTE_ADDRESS_MAX])
{
    mutex_lock(&table_lock);
    const struct table *table = table_now();
    const uint32_t count = table == NULL ? 0 : table->address_count;
    for (uint32_t i = 0; i < count; ++i) {
        addresses[i] = table->addresses[i];
    }
    mutex_unlock(&table_lock);
    return count;
}
