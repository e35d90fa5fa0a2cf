// SPDX-License-Identifier: BSD-3-Clause
// neighbour.c: see neighbour.h. The table has a fixed size, as others on the link can make us want
// to send to addresses that nobody has: who was sent nothing for the longest time makes room, those
// last that are known to be there.
#include "core/net/neighbour.h"

#include "core/dev/packet.h"
#include "core/lib/assert.h"
#include "core/lib/string.h"

#define SECOND UINT64_C(1000000000)
// RFC 4861, 10
#define RETRANSMIT_NS SECOND
#define REACHABLE_NS (30 * SECOND)
#define DELAY_FIRST_PROBE_NS (5 * SECOND)

enum { ASK_MAX = 3 }; // RFC 4861, 10: MAX_MULTICAST_SOLICIT, MAX_UNICAST_SOLICIT

void neighbours_init(struct neighbours *neighbours)
{
    for (size_t i = 0; i < NEIGHBOUR_LISTS; ++i) {
        list_init(&neighbours->lists[i]);
    }
}

static struct list *list_of(struct neighbours *neighbours, const struct net_address *address)
{
    uint64_t hash = address->words[0] ^ address->words[1];
    hash *= UINT64_C(0x9e3779b97f4a7c15);
    return &neighbours->lists[(hash >> 32) % NEIGHBOUR_LISTS];
}

// With lock held.
static struct neighbour *find(struct neighbours *neighbours, const struct net_address *address)
{
    struct list *list = list_of(neighbours, address), *node;
    list_for_each(node, list)
    {
        struct neighbour *neighbour = container_of(node, struct neighbour, node);
        if (address_is_equal(&neighbour->address, address)) {
            return neighbour;
        }
    }
    return NULL;
}

// In memory: a part is a page at least.
static uint32_t waiting_size_of(const struct packet *packet)
{
    uint32_t size = 0;
    for (; packet != NULL; packet = packet->more) {
        size += packet->size > HAL_PAGE_SIZE ? packet->size : HAL_PAGE_SIZE;
    }
    return size;
}

// With lock held. Neither has more than it may then, but for the newest.
static void waiting_add(struct neighbours *neighbours, struct neighbour *neighbour,
                        struct packet *packet, struct neighbour_step *step)
{
    const uint32_t size = waiting_size_of(packet);
    packet->has_more = false; // what follows it may be gone by then
    *(neighbour->waiting == NULL ? &neighbour->waiting : &neighbour->newest->next) = packet;
    neighbour->newest = packet;
    neighbour->waiting_size += size;
    neighbours->waiting_size += size;
    while (neighbour->waiting != packet && (neighbour->waiting_size > NEIGHBOUR_WAITING_MAX ||
                                            neighbours->waiting_size > NEIGHBOURS_WAITING_MAX)) {
        struct packet *oldest = neighbour->waiting; // it goes: RFC 1122, 2.3.2.2
        neighbour->waiting = oldest->next;
        neighbour->waiting_size -= waiting_size_of(oldest);
        neighbours->waiting_size -= waiting_size_of(oldest);
        oldest->next = step->dropped;
        step->dropped = oldest;
    }
}

// With lock held.
static struct packet *waiting_take(struct neighbours *neighbours, struct neighbour *neighbour)
{
    struct packet *packets = neighbour->waiting;
    ASSERT(neighbours->waiting_size >= neighbour->waiting_size);
    neighbours->waiting_size -= neighbour->waiting_size;
    neighbour->waiting_size = 0;
    neighbour->waiting = neighbour->newest = NULL;
    return packets;
}

// With lock held. What has waited.
static struct packet *forget(struct neighbours *neighbours, struct neighbour *neighbour)
{
    list_remove(&neighbour->node);
    neighbour->state = NEIGHBOUR_FREE;
    neighbour->deadline = UINT64_MAX;
    return waiting_take(neighbours, neighbour);
}

// The smaller, the sooner it makes room.
static hal_ns worth_of(const struct neighbour *neighbour)
{
    const hal_ns known = (hal_ns)1 << 63;
    return neighbour->state == NEIGHBOUR_FREE        ? 0
           : neighbour->state == NEIGHBOUR_REACHABLE ? neighbour->used | known
                                                     : neighbour->used + 1;
}

// With lock held.
static struct neighbour *make(struct neighbours *neighbours, const struct net_address *address,
                              hal_ns now, struct neighbour_step *step)
{
    struct neighbour *chosen = &neighbours->all[0];
    for (size_t i = 1; i < NEIGHBOUR_MAX; ++i) {
        if (worth_of(&neighbours->all[i]) < worth_of(chosen)) {
            chosen = &neighbours->all[i];
        }
    }
    if (chosen->state != NEIGHBOUR_FREE) {
        step->dropped = forget(neighbours, chosen);
    }
    *chosen = (struct neighbour){.address = *address, .used = now, .deadline = UINT64_MAX};
    list_push_back(list_of(neighbours, address), &chosen->node);
    return chosen;
}

static void state_set(struct neighbour *neighbour, enum neighbour_state state, hal_ns deadline)
{
    neighbour->state = (uint8_t)state;
    neighbour->deadline = deadline;
    neighbour->tries = 0;
}

static void step_make(struct neighbour_step *step, enum neighbour_act act,
                      const struct neighbour *neighbour, struct packet *packets)
{
    step->act = act;
    step->address = neighbour->address;
    step->packets = packets;
    memcpy(step->hardware, neighbour->hardware, sizeof step->hardware);
}

void neighbour_send(struct neighbours *neighbours, const struct net_address *address,
                    struct packet *packet, hal_ns now, struct neighbour_step *step)
{
    *step = (struct neighbour_step){0};
    mutex_lock(&neighbours->lock);
    struct neighbour *neighbour = find(neighbours, address);
    if (neighbour == NULL) {
        neighbour = make(neighbours, address, now, step);
        state_set(neighbour, NEIGHBOUR_INCOMPLETE, now + RETRANSMIT_NS);
        neighbour->tries = 1;
        step->waits = true;
        step_make(step, NEIGHBOUR_ASK_ALL, neighbour, NULL);
    }
    neighbour->used = now;
    packet->next = NULL;
    if (neighbour->state == NEIGHBOUR_INCOMPLETE) {
        waiting_add(neighbours, neighbour, packet, step);
    } else {
        if (neighbour->state == NEIGHBOUR_STALE) {
            state_set(neighbour, NEIGHBOUR_DELAY, now + DELAY_FIRST_PROBE_NS);
            step->waits = true;
        }
        step_make(step, NEIGHBOUR_SEND, neighbour, packet);
    }
    mutex_unlock(&neighbours->lock);
}

// With lock held (RFC 4861, 7.2.5).
static void learn(struct neighbours *neighbours, struct neighbour *neighbour,
                  const uint8_t hardware[NETIF_HARDWARE_SIZE], unsigned news, hal_ns now,
                  struct neighbour_step *step)
{
    const bool is_same = memcmp(neighbour->hardware, hardware, NETIF_HARDWARE_SIZE) == 0;
    const bool is_incomplete = neighbour->state == NEIGHBOUR_INCOMPLETE;
    if (!is_incomplete && !is_same && (news & NEIGHBOUR_OVERRIDES) == 0) {
        if (neighbour->state == NEIGHBOUR_REACHABLE) { // two say that they have it: ask again
            state_set(neighbour, NEIGHBOUR_STALE, UINT64_MAX);
        }
        return;
    }
    memcpy(neighbour->hardware, hardware, NETIF_HARDWARE_SIZE);
    if ((news & NEIGHBOUR_SOLICITED) != 0) {
        state_set(neighbour, NEIGHBOUR_REACHABLE, now + REACHABLE_NS);
    } else if (is_incomplete || !is_same) {
        state_set(neighbour, NEIGHBOUR_STALE, UINT64_MAX);
    }
    if (neighbour->waiting != NULL) {
        step_make(step, NEIGHBOUR_SEND, neighbour, waiting_take(neighbours, neighbour));
        if (neighbour->state == NEIGHBOUR_STALE) {
            state_set(neighbour, NEIGHBOUR_DELAY, now + DELAY_FIRST_PROBE_NS);
        }
    }
}

void neighbour_learn(struct neighbours *neighbours, const struct net_address *address,
                     const uint8_t hardware[NETIF_HARDWARE_SIZE], unsigned news, hal_ns now,
                     struct neighbour_step *step)
{
    *step = (struct neighbour_step){0};
    mutex_lock(&neighbours->lock);
    struct neighbour *neighbour = find(neighbours, address);
    if (neighbour == NULL && (news & NEIGHBOUR_IS_NEW) != 0) {
        neighbour = make(neighbours, address, now, step);
        state_set(neighbour, NEIGHBOUR_INCOMPLETE, UINT64_MAX);
    }
    if (neighbour != NULL) {
        learn(neighbours, neighbour, hardware, news, now, step);
    }
    mutex_unlock(&neighbours->lock);
}

// With lock held: its deadline has passed.
static void due(struct neighbours *neighbours, struct neighbour *neighbour, hal_ns now,
                struct neighbour_step *step)
{
    switch (neighbour->state) {
    case NEIGHBOUR_REACHABLE:
        state_set(neighbour, NEIGHBOUR_STALE, UINT64_MAX);
        return;
    case NEIGHBOUR_DELAY:
        state_set(neighbour, NEIGHBOUR_PROBE, now);
        break;
    default:
        break;
    }
    if (neighbour->tries == ASK_MAX) {
        step_make(step, NEIGHBOUR_GIVE_UP, neighbour, forget(neighbours, neighbour));
        return;
    }
    ++neighbour->tries;
    neighbour->deadline = now + RETRANSMIT_NS;
    step_make(step,
              neighbour->state == NEIGHBOUR_INCOMPLETE ? NEIGHBOUR_ASK_ALL : NEIGHBOUR_ASK_ONE,
              neighbour, NULL);
}

void neighbour_timeout(struct neighbours *neighbours, hal_ns now, struct neighbour_step *step)
{
    *step = (struct neighbour_step){0};
    mutex_lock(&neighbours->lock);
    for (size_t i = 0; i < NEIGHBOUR_MAX && step->act == NEIGHBOUR_NOTHING; ++i) {
        struct neighbour *neighbour = &neighbours->all[i];
        if (neighbour->state != NEIGHBOUR_FREE && now >= neighbour->deadline) {
            due(neighbours, neighbour, now, step);
        }
    }
    mutex_unlock(&neighbours->lock);
}

hal_ns neighbour_deadline(struct neighbours *neighbours)
{
    hal_ns first = UINT64_MAX;
    mutex_lock(&neighbours->lock);
    for (size_t i = 0; i < NEIGHBOUR_MAX; ++i) {
        const struct neighbour *neighbour = &neighbours->all[i];
        if (neighbour->state != NEIGHBOUR_FREE && neighbour->deadline < first) {
            first = neighbour->deadline;
        }
    }
    mutex_unlock(&neighbours->lock);
    return first;
}

struct neighbour neighbour_at(struct neighbours *neighbours, uint32_t index)
{
    ASSERT(index < NEIGHBOUR_MAX);
    mutex_lock(&neighbours->lock);
    const struct neighbour copy = neighbours->all[index];
    mutex_unlock(&neighbours->lock);
    return copy;
}
