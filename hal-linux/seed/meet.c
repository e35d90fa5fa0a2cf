// SPDX-License-Identifier: BSD-3-Clause
// meet.c: the accesses at which vCPUs meet, for a recording: the last ones to a word before another
// vCPU comes to it, and that one's first ones.
//
// Invariant: of each place the last accesses of its visitor are kept that are not written yet.
// Places are told apart by a hash: two addresses may share one, and then more meetings are named
// than there are.
#include "hal-linux/seed/tape.h"

enum { PLACES_LOG = 16, LAST = 8 };

bool meet_is_on;

static struct meet_place {
    uint32_t visitor; // 1 + the vCPU; 0: nobody yet
    uint32_t count;   // of its accesses that are kept, the latest LAST of them
    uint32_t heat;    // so many more of its accesses are a meeting
    struct {
        uint64_t point;
        const void *code;
    } last[LAST];
} places[1 << PLACES_LOG];

void meet_access(const volatile void *address, const void *code)
{
    const uint32_t index = vcpu_self()->index, visitor = index + 1;
    const uint64_t point = turn_points();
    uint64_t hash = ((uintptr_t)address >> 3) * 0x9e3779b97f4a7c15u;
    struct meet_place *place = &places[hash >> (64 - PLACES_LOG)];
    if (place->visitor != visitor) {
        const uint32_t kept = place->count < LAST ? place->count : LAST;
        for (uint32_t i = place->count - kept; i < place->count; ++i) {
            record_meeting(place->visitor - 1, place->last[i % LAST].point,
                           place->last[i % LAST].code);
        }
        place->heat = place->visitor == 0 ? 0 : LAST;
        place->visitor = visitor;
        place->count = 0;
    }
    if (place->heat > 0) {
        --place->heat;
        record_meeting(index, point, code);
    } else {
        place->last[place->count % LAST].point = point;
        place->last[place->count % LAST].code = code;
        ++place->count;
    }
}
