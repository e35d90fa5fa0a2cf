// SPDX-License-Identifier: BSD-3-Clause
// tape.h: a run's turns, written down or made again.
//
// Whoever knows the seed and the turns knows the run: all else that is drawn comes from the seed. A
// turn is told by the points that its own vCPU has passed, since those of others may be more or
// fewer where an earlier turn is left out. What the tape does not name goes the plain way: a vCPU
// that waits, or spins, or has gone on for TAPE_TURN_POINTS, lets the next one go on; otherwise
// none is preempted. Only what differs from that is on the tape.
//
// The format is the README's. Where nothing is recorded and nothing replayed, tape_is_on is false
// and none of the rest may be called.
#ifndef HAL_LINUX_SEED_TAPE_H
#define HAL_LINUX_SEED_TAPE_H

#include "hal-linux/seed/seed.h"

enum { TAPE_TURN_POINTS = 200000 };

extern bool tape_is_on, tape_replays;

// Hosted, before anything else.
void tape_init(const struct seed_options *options);

// When the machine has halted: whether the run was not the recorded one, and between which points
// it departed from that.
bool tape_is_departed(uint64_t *from, uint64_t *to);

// Until when no more is to be done; at that time point_slow calls tape_look.
hal_ns tape_next(void);

// Before anything happens at a point: is it the recorded run so far?
void tape_check(void);

// At a point. chooses: a turn may end here in any case. *stall: how long the vCPU stands still; a
// replay knows better. True: the turn may end because of the tape.
bool tape_look(bool chooses, hal_ns *stall);

// Which vCPU goes on, of `count` able ones, count > 0.
uint32_t tape_choose(const uint32_t *able, uint32_t count, uint32_t running,
                     enum turn_reason reason);

// What was chosen, from these, at place.
void tape_note(const uint32_t *able, uint32_t count, uint32_t running, enum turn_reason reason,
               uint32_t chosen, const void *place);

// The turn of vCPU index begins. It has been noted.
void tape_turn_begin(uint32_t index);

// ---- record.c: the lines of a recording --------------------------------------------

extern bool record_is_on;

// From now on lines go to this file of the host's; meetings: those are among them.
void record_begin(int fd, bool meetings);

// "name text", escaped, and "name number" to that base.
void record_text(const char *name, const char *text);
void record_number(const char *name, uint64_t number, uint64_t base);

void record_turn(enum seed_turn_kind kind, uint32_t cpu, uint64_t point, uint32_t to,
                 const void *place);
void record_meeting(uint32_t cpu, uint64_t point, const void *place);
void record_check(uint64_t point, uint64_t hash);

// An answer, without its data; then its data, piece by piece, answer->size bytes in all.
void record_answer(const struct seed_answer *answer);
void record_bytes(const char *data, size_t size);

// The last line: how the program ended.
void record_end(const char *how, int code);

// ---- meet.c: where vCPUs meet -------------------------------------------------------

// Whether the recording names meetings: where it shall, from when the program is loaded.
extern bool meet_is_on;

// The vCPU that runs accesses that at code. Its point has been passed.
void meet_access(const volatile void *address, const void *code);

// ---- origin.c: what a run comes from -------------------------------------------------

// Hosted, before the machine starts: a recording begins; one that this machine cannot make again is
// refused, and ends the process.
void origin_begin(const struct seed_options *options, const struct hal_boot *boot);

// Hosted, when the machine has halted: how the program ended. True: the run was not the recorded
// one; that has been said.
bool origin_end(const struct seed_options *options, const char *how, int code);

#endif
