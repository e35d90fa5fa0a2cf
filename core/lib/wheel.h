// SPDX-License-Identifier: BSD-3-Clause
// wheel.h: sets of deadlines whose links lie in the elements: a hierarchical timing wheel.
//
// Insertion and removal take a constant number of steps, whatever is in the wheel; so does
// wheel_first. Taking out what is due takes a constant number for each element, at most one for
// each level that it comes down. Keys are any uint64_t but UINT64_MAX: nothing turns, no key is too
// far away. All-zero is an empty wheel. The caller provides the lock.
#ifndef CORE_LIB_WHEEL_H
#define CORE_LIB_WHEEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WHEEL_LEVELS = 16, WHEEL_SLOTS = 16 };

struct wheel_node {
    struct wheel_node *next, *previous; // a ring: of its slot
    uint64_t key;
};

struct wheel {
    uint64_t position;            // no key is less
    uint16_t levels;              // those that are not empty
    uint16_t slots[WHEEL_LEVELS]; // of each level, those that are not empty
    struct wheel_slot {
        struct wheel_node *first; // the oldest; NULL: empty
        uint64_t earliest;        // no key here is less; exact until that one is removed
    } slot[WHEEL_LEVELS][WHEEL_SLOTS];
};

// A key that is less than what wheel_take was asked for already counts as that: it is due.
void wheel_insert(struct wheel *wheel, struct wheel_node *node, uint64_t key);
void wheel_remove(struct wheel *wheel, struct wheel_node *node);

// When to call wheel_take: the least key, or a lesser one that has been removed meanwhile.
// UINT64_MAX: empty.
uint64_t wheel_first(const struct wheel *wheel);

// Takes out the least key that is not greater than now, of equal ones that which was inserted
// first. NULL: there is none, and if wheel_first was due it is later now. Now does not go back from
// call to call.
struct wheel_node *wheel_take(struct wheel *wheel, uint64_t now);

#endif
