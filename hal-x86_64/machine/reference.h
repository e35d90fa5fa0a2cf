// SPDX-License-Identifier: BSD-3-Clause
// reference.h: counters of known frequency, and others measured by them.
#ifndef HAL_X86_64_MACHINE_REFERENCE_H
#define HAL_X86_64_MACHINE_REFERENCE_H

#include <stdbool.h>
#include <stdint.h>

// A counter that counts up and goes round at mask.
struct reference {
    uint64_t (*read)(void);
    uint64_t hz;
    uint64_t mask;
};

// The best that the machine has: HPET, ACPI's timer, the PIT. False: it has none that runs.
bool reference_find(struct reference *reference);

// The HPET, where it has 64 bits and so never goes round.
bool reference_find_hpet(struct reference *reference);

// How often counter counts in a second: the median of three samples, of 1 to 5 ms, as fine as
// reference is, whose ends are each the tightest of several readings; so a virtual CPU that loses
// its host CPU during one does not spoil the result. 0: reference stands still.
uint64_t reference_measure(const struct reference *reference, uint64_t (*counter)(void));

// The same without waiting: a first reading now, and a second one whenever enough time has passed.
// The longer that is, the better. For references that do not go round meanwhile.
struct reading {
    uint64_t counter, reference;
};
struct measurement {
    struct reference reference;
    uint64_t (*counter)(void);
    struct reading first;
};
void measurement_begin(struct measurement *measurement, const struct reference *reference,
                       uint64_t (*counter)(void));
uint64_t measurement_end(const struct measurement *measurement, struct reading *last);

#endif
