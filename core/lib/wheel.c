// SPDX-License-Identifier: BSD-3-Clause
// wheel.c: a hierarchical timing wheel (Varghese and Lauck, 1987) that does not tick and that is
// exact, because it is turned as a radix heap is (Ahuja, Mehlhorn, Orlin and Tarjan, 1990).
//
// A key lies on the level of the highest hexadecimal digit in which it differs from the position,
// in the slot of its own digit there. So what lies on a level comes before all that lies higher,
// and on one level the slots are in order: the first slot that is not empty, which two bitmaps
// tell, has the least key. A slot of level 0 is one key.
//
// Invariant: levels and slots are right for the position. It moves only into the first slot, whose
// keys are then laid anew, all of them lower than before: a key is moved at most WHEEL_LEVELS
// times. All others differ from the new position in the same digit as from the old one.
//
// A slot of a higher level is not sorted; it remembers the least key that came into it. When that
// one is removed and others are there, the wheel asks to be looked at too early, once: then the
// slot is laid anew, and remembers better.
#include "core/lib/wheel.h"

#include "core/lib/assert.h"

enum { DIGIT_BITS = 4 };

_Static_assert(WHEEL_SLOTS == 1 << DIGIT_BITS && WHEEL_LEVELS * DIGIT_BITS == 64, "all digits");

struct place {
    unsigned level, index;
};

static struct place place_of(const struct wheel *wheel, uint64_t key)
{
    uint64_t differs = (key ^ wheel->position) | 1; // a key that equals the position: level 0
    unsigned level = (unsigned)(63 - __builtin_clzll(differs)) / DIGIT_BITS;
    return (struct place){level, key >> level * DIGIT_BITS & (WHEEL_SLOTS - 1)};
}

// There is one.
static struct place first_place(const struct wheel *wheel)
{
    unsigned level = (unsigned)__builtin_ctz(wheel->levels);
    return (struct place){level, (unsigned)__builtin_ctz(wheel->slots[level])};
}

static void slot_add(struct wheel *wheel, struct wheel_node *node)
{
    struct place place = place_of(wheel, node->key);
    struct wheel_slot *slot = &wheel->slot[place.level][place.index];
    struct wheel_node *first = slot->first;
    if (first == NULL) {
        slot->first = node->next = node->previous = node;
        slot->earliest = node->key;
        wheel->slots[place.level] |= (uint16_t)(1u << place.index);
        wheel->levels |= (uint16_t)(1u << place.level);
        return;
    }
    node->next = first;
    node->previous = first->previous;
    node->previous->next = first->previous = node;
    if (node->key < slot->earliest) {
        slot->earliest = node->key;
    }
}

static void slot_clear(struct wheel *wheel, struct place place)
{
    wheel->slot[place.level][place.index].first = NULL;
    wheel->slots[place.level] &= (uint16_t) ~(1u << place.index);
    if (wheel->slots[place.level] == 0) {
        wheel->levels &= (uint16_t) ~(1u << place.level);
    }
}

void wheel_insert(struct wheel *wheel, struct wheel_node *node, uint64_t key)
{
    ASSERT(key != UINT64_MAX);
    node->key = key > wheel->position ? key : wheel->position;
    slot_add(wheel, node);
}

void wheel_remove(struct wheel *wheel, struct wheel_node *node)
{
    struct place place = place_of(wheel, node->key);
    struct wheel_slot *slot = &wheel->slot[place.level][place.index];
    ASSERT(slot->first != NULL && node->next->previous == node);
    if (node->next == node) {
        slot_clear(wheel, place);
        return;
    }
    node->next->previous = node->previous;
    node->previous->next = node->next;
    if (slot->first == node) {
        slot->first = node->next;
    }
}

uint64_t wheel_first(const struct wheel *wheel)
{
    if (wheel->levels == 0) {
        return UINT64_MAX;
    }
    struct place place = first_place(wheel);
    return wheel->slot[place.level][place.index].earliest;
}

static uint64_t least_key(const struct wheel_node *first)
{
    uint64_t least = first->key;
    for (const struct wheel_node *node = first->next; node != first; node = node->next) {
        least = node->key < least ? node->key : least;
    }
    return least;
}

// Moves the position into the first slot, which is due, and its keys to lower levels.
static void slot_spread(struct wheel *wheel, struct place place, uint64_t now)
{
    struct wheel_node *first = wheel->slot[place.level][place.index].first;
    struct wheel_node *last = first->previous;
    uint64_t least = least_key(first);
    slot_clear(wheel, place);
    wheel->position = least < now ? least : now;
    ASSERT(place_of(wheel, least).level < place.level);
    for (bool is_last = false; !is_last;) {
        struct wheel_node *node = first;
        first = node->next; // slot_add changes it
        is_last = node == last;
        slot_add(wheel, node);
    }
}

struct wheel_node *wheel_take(struct wheel *wheel, uint64_t now)
{
    while (wheel_first(wheel) <= now && wheel->levels != 0) {
        struct place place = first_place(wheel);
        if (place.level == 0) {
            struct wheel_node *node = wheel->slot[0][place.index].first;
            wheel_remove(wheel, node);
            return node;
        }
        slot_spread(wheel, place, now);
    }
    return NULL;
}
