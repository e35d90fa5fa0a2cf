// SPDX-License-Identifier: BSD-3-Clause
// balloon_frames.h: which page frames a balloon has. Its caller locks.
#ifndef CORE_DEV_BALLOON_FRAMES_H
#define CORE_DEV_BALLOON_FRAMES_H

#include "hal/hal.h"

enum { BALLOON_CHUNK = 512 }; // frames: what large pages are made of

struct balloon_frames {
    size_t count;
    size_t whole_count; // chunks of which all is here
    size_t chunk_count;
    size_t cursor; // where it looks first
    uint64_t *
        *chunks; // NULL: nothing of it is here; &balloon_whole: all; else a bit for each frame
};

// An empty one. -ENOMEM.
HAL_MUST_CHECK int balloon_frames_init(struct balloon_frames *frames);
void balloon_frames_free(struct balloon_frames *frames); // it is empty

// Adds count frames of one chunk. -ENOMEM: there is no memory to remember them.
HAL_MUST_CHECK int balloon_frames_add(struct balloon_frames *frames, hal_phys start, size_t count);

// Takes out neighbouring frames, count_max at most, and answers how many. Parts of chunks go first,
// but whole ones for who wants as much. 0: it is empty, or there is no memory to remember what is
// left of a chunk.
size_t balloon_frames_take(struct balloon_frames *frames, size_t count_max, hal_phys *start);

#endif
