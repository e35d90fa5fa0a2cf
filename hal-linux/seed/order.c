// SPDX-License-Identifier: BSD-3-Clause
// order.c: a graph of classes, and of locks of one class.
//
// A node is a class (the root of its places) or, from LOCK_NODE on, a lock. Invariant: but for the
// circles that were told, the graph has none. So when an edge comes in, or two classes turn out to
// be one, only what leads from that node back to it need be looked for.
#include "hal-linux/seed/order.h"

enum {
    PLACES_MAX = 1024,
    LOCKS_MAX = 1 << 16,
    EDGES_MAX = 1024,      // between classes
    LOCK_EDGES_MAX = 1024, // between locks of one class: the oldest goes
    HOLDERS_MAX = 512,
    HELD_MAX = 16,
    PAGE_SHIFT = 10, // locks are found by their page
    PAGES = 1 << 14,
    LOCK_NODE = PLACES_MAX,
    NODES = LOCK_NODE + LOCKS_MAX,
};

struct lock {
    uintptr_t address;
    uint32_t next;       // of its page, or of those that are free; 0: none
    uint16_t place;      // one of its class
    uint16_t held_count; // it is in so many lists of what is held
    bool has_edges;
};

struct edge {
    uint32_t from, to; // from == to: none
    struct hal_lock_step step;
};

struct held {
    uint32_t lock;
    uint16_t place; // that took it
};

struct holder {
    void *self;
    uint32_t count;
    struct held held[HELD_MAX];
};

static struct {
    const void *place;
    uint16_t parent; // of its class's tree
} places[PLACES_MAX];
static uint32_t place_count = 1;             // 0: no place
static uint16_t place_slots[4 * PLACES_MAX]; // by address

static struct lock locks[LOCKS_MAX]; // 0: none
static uint32_t lock_count = 1, lock_free;
static uint32_t pages[PAGES];

static struct edge edges[EDGES_MAX + LOCK_EDGES_MAX]; // those between locks last
static uint32_t edge_count, lock_edge_next;
static uint8_t is_known[PLACES_MAX][PLACES_MAX / 8]; // pairs of places that have an edge

static struct holder holders[HOLDERS_MAX]; // who holds any
static uint32_t holder_count;

// ---- Places and locks ----------------------------------------------------------

static uint32_t class_of(uint32_t place)
{
    while (places[place].parent != place) {
        place = places[place].parent = places[places[place].parent].parent;
    }
    return place;
}

// 0: there are too many.
static uint32_t place_index(const void *place)
{
    uint32_t slot = (uint32_t)((uintptr_t)place * 0x9e3779b97f4a7c15u >> 52);
    while (place_slots[slot] != 0 && places[place_slots[slot]].place != place) {
        slot = (slot + 1) % (4 * PLACES_MAX);
    }
    if (place_slots[slot] == 0 && place_count < PLACES_MAX) {
        places[place_count].place = place;
        places[place_count].parent = (uint16_t)place_count;
        place_slots[slot] = (uint16_t)place_count++;
    }
    return place_slots[slot];
}

static uint32_t *page_of(uintptr_t address)
{
    return &pages[(address >> PAGE_SHIFT) * 0x9e3779b97f4a7c15u >> 50];
}

// 0: not known.
static uint32_t lock_find(uintptr_t address)
{
    uint32_t index = *page_of(address);
    while (index != 0 && locks[index].address != address) {
        index = locks[index].next;
    }
    return index;
}

// 0: there are too many.
static uint32_t lock_make(uintptr_t address, uint32_t place)
{
    uint32_t index = lock_free;
    if (index != 0) {
        lock_free = locks[index].next;
    } else if (lock_count < LOCKS_MAX) {
        index = lock_count++;
    } else {
        return 0;
    }
    uint32_t *page = page_of(address);
    locks[index] = (struct lock){.address = address, .next = *page, .place = (uint16_t)place};
    *page = index;
    return index;
}

static void lock_edges_drop(uint32_t lock)
{
    for (uint32_t i = EDGES_MAX; i < EDGES_MAX + LOCK_EDGES_MAX; ++i) {
        if (edges[i].from == LOCK_NODE + lock || edges[i].to == LOCK_NODE + lock) {
            edges[i].from = edges[i].to = 0;
        }
    }
}

static void page_forget(uint32_t *link, uintptr_t start, uintptr_t end)
{
    while (*link != 0) {
        struct lock *lock = &locks[*link];
        if (lock->address < start || lock->address >= end || lock->held_count != 0) {
            link = &lock->next;
            continue;
        }
        uint32_t index = *link;
        if (lock->has_edges) {
            lock_edges_drop(index);
        }
        *link = lock->next;
        *lock = (struct lock){.next = lock_free};
        lock_free = index;
    }
}

void order_forget(uintptr_t address, size_t size)
{
    const uintptr_t end = address + size;
    for (uintptr_t page = address >> PAGE_SHIFT; page << PAGE_SHIFT < end; ++page) {
        page_forget(page_of(page << PAGE_SHIFT), address, end);
    }
}

// ---- Circles -------------------------------------------------------------------

static uint32_t node_root(uint32_t node)
{
    return node < LOCK_NODE ? class_of(node) : node;
}

static bool edge_leads(const struct edge *edge, uint32_t *from, uint32_t *to)
{
    *from = node_root(edge->from);
    *to = node_root(edge->to);
    return *from != *to;
}

// Those between classes, then those between locks.
static uint32_t edge_next(uint32_t edge)
{
    return edge + 1 == edge_count ? EDGES_MAX : edge + 1;
}

// The edges of a shortest circle through start, in order. 0: there is none.
static uint32_t circle_find(uint32_t start, const struct hal_lock_step *steps[ORDER_STEPS_MAX])
{
    static uint32_t queue[PLACES_MAX + LOCK_EDGES_MAX + 1], by[NODES], visits[NODES], visit;
    uint32_t first = 0, end = 0;
    ++visit;
    queue[end++] = start; // which is visited when the circle closes
    while (first < end) {
        const uint32_t node = queue[first++];
        for (uint32_t i = edge_next(-1u); i < EDGES_MAX + LOCK_EDGES_MAX; i = edge_next(i)) {
            uint32_t from, to;
            if (!edge_leads(&edges[i], &from, &to) || from != node || visits[to] == visit) {
                continue;
            }
            visits[to] = visit;
            by[to] = i;
            queue[end++] = to;
            if (to != start) {
                continue;
            }
            uint32_t count = 0;
            do {
                steps[count++] = &edges[by[to]].step;
                to = node_root(edges[by[to]].from);
            } while (to != start && count < ORDER_STEPS_MAX);
            return count;
        }
    }
    return 0;
}

static void circle_look(uint32_t node)
{
    const struct hal_lock_step *found[ORDER_STEPS_MAX], *steps[ORDER_STEPS_MAX];
    const uint32_t count = circle_find(node, found);
    for (uint32_t i = 0; i < count; ++i) {
        steps[i] = found[count - 1 - i];
    }
    if (count != 0) {
        order_found(steps, count);
    }
}

static void classes_join(uint32_t a, uint32_t b)
{
    const uint32_t root = class_of(a), other = class_of(b);
    if (root != other) {
        places[other].parent = (uint16_t)root;
        circle_look(root);
    }
}

// ---- Edges ---------------------------------------------------------------------

static void edge_fill(struct edge *edge, uint32_t from, uint32_t to, const struct held *held,
                      const struct hal_lock_step *step)
{
    *edge = (struct edge){.from = from, .to = to, .step = *step};
    edge->step.held = places[held->place].place;
    order_stack(step->stack[0], edge->step.stack);
}

static void class_edge_add(const struct held *held, uint32_t place,
                           const struct hal_lock_step *step)
{
    uint8_t *known = &is_known[held->place][place / 8];
    if ((*known & 1u << place % 8) == 0 && edge_count < EDGES_MAX) {
        *known |= (uint8_t)(1u << place % 8);
        edge_fill(&edges[edge_count++], held->place, place, held, step);
        circle_look(class_of(place));
    }
}

static void lock_edge_add(const struct held *held, uint32_t lock, const struct hal_lock_step *step)
{
    const uint32_t from = LOCK_NODE + held->lock, to = LOCK_NODE + lock;
    for (uint32_t i = EDGES_MAX; i < EDGES_MAX + LOCK_EDGES_MAX; ++i) {
        if (edges[i].from == from && edges[i].to == to) {
            return;
        }
    }
    locks[held->lock].has_edges = locks[lock].has_edges = true;
    edge_fill(&edges[EDGES_MAX + lock_edge_next], from, to, held, step);
    lock_edge_next = (lock_edge_next + 1) % LOCK_EDGES_MAX;
    circle_look(to);
}

// ---- Who holds what -------------------------------------------------------------

// NULL: nothing.
static struct holder *holder_find(void *self)
{
    for (uint32_t i = 0; i < holder_count; ++i) {
        if (holders[i].self == self) {
            return &holders[i];
        }
    }
    return NULL;
}

static void hold(struct holder *holder, void *self, uint32_t lock, uint32_t place)
{
    if (holder == NULL && holder_count < HOLDERS_MAX) {
        holder = &holders[holder_count++];
        holder->self = self;
        holder->count = 0;
    }
    if (holder != NULL && holder->count < HELD_MAX) {
        holder->held[holder->count++] = (struct held){lock, (uint16_t)place};
        ++locks[lock].held_count;
    }
}

static void take(void *self, uint32_t cpu, uint32_t lock, uint32_t place)
{
    struct holder *holder = holder_find(self);
    const struct hal_lock_step step = {.stack = {places[place].place}, .self = self, .cpu = cpu};
    for (uint32_t i = 0; holder != NULL && i < holder->count; ++i) {
        const struct held *held = &holder->held[i];
        if (class_of(held->place) != class_of(place)) {
            class_edge_add(held, place, &step);
        } else if (held->lock != lock) {
            lock_edge_add(held, lock, &step);
        }
    }
    hold(holder, self, lock, place);
}

void order_lock(void *self, uint32_t cpu, uintptr_t address, const void *at)
{
    const uint32_t place = place_index(at);
    uint32_t lock = lock_find(address);
    if (place == 0) {
        return;
    }
    if (lock == 0) {
        lock = lock_make(address, place);
    } else {
        classes_join(locks[lock].place, place);
    }
    if (lock != 0) {
        take(self, cpu, lock, place);
    }
}

void order_lock_again(void *self, uint32_t cpu, uintptr_t address)
{
    const uint32_t lock = lock_find(address);
    if (lock != 0) {
        take(self, cpu, lock, locks[lock].place);
    }
}

void order_lock_tried(void *self, uintptr_t address)
{
    const uint32_t lock = lock_find(address);
    if (lock != 0) {
        hold(holder_find(self), self, lock, locks[lock].place);
    }
}

void order_unlock(void *self, uintptr_t address)
{
    struct holder *holder = holder_find(self);
    uint32_t i = holder == NULL ? 0 : holder->count;
    while (i > 0 && locks[holder->held[i - 1].lock].address != address) {
        --i;
    }
    if (i == 0) {
        return;
    }
    --locks[holder->held[i - 1].lock].held_count;
    for (; i < holder->count; ++i) {
        holder->held[i - 1] = holder->held[i];
    }
    if (--holder->count == 0) {
        *holder = holders[--holder_count];
    }
}
