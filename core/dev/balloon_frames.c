// SPDX-License-Identifier: BSD-3-Clause
// balloon_frames.c: see balloon_frames.h.
//
// What is in the frames themselves is the hypervisor's: a list through them would bring them back.
//
// Invariant: a chunk of which nothing or all is here has no bits.
#include "core/dev/balloon_frames.h"

#include "core/lib/assert.h"
#include "core/lib/errno.h"
#include "core/lib/string.h"
#include "core/mem/frame.h"
#include "core/mem/heap.h"

enum { WORDS = BALLOON_CHUNK / 64, CHUNK_SIZE = BALLOON_CHUNK * HAL_PAGE_SIZE };

static uint64_t whole; // what the word of a whole chunk points to

int balloon_frames_init(struct balloon_frames *frames)
{
    const size_t count = frame_span() / CHUNK_SIZE;
    *frames = (struct balloon_frames){.chunk_count = count,
                                      .chunks = heap_alloc_zeroed(count * sizeof(uint64_t *))};
    return frames->chunks != NULL ? 0 : -ENOMEM;
}

void balloon_frames_free(struct balloon_frames *frames)
{
    ASSERT(frames->count == 0);
    heap_free(frames->chunks);
}

static bool bit_get(const uint64_t *bits, size_t at)
{
    return (bits[at / 64] >> at % 64 & 1) != 0;
}

static bool is_all(const uint64_t *bits, uint64_t word)
{
    for (size_t i = 0; i < WORDS; ++i) {
        if (bits[i] != word) {
            return false;
        }
    }
    return true;
}

// With all bits so. NULL: no memory.
static uint64_t *bits_make(int byte)
{
    uint64_t *bits = heap_alloc(WORDS * sizeof bits[0]);
    return bits != NULL ? memset(bits, byte, WORDS * sizeof bits[0]) : NULL;
}

int balloon_frames_add(struct balloon_frames *frames, hal_phys start, size_t count)
{
    const size_t index = (start - frame_first()) / CHUNK_SIZE;
    const size_t at = (start - frame_first()) % CHUNK_SIZE / HAL_PAGE_SIZE;
    ASSERT(index < frames->chunk_count && at + count <= BALLOON_CHUNK);
    uint64_t **chunk = &frames->chunks[index];
    if (count < BALLOON_CHUNK) {
        uint64_t *bits = *chunk != NULL ? *chunk : bits_make(0);
        if (bits == NULL) {
            return -ENOMEM;
        }
        ASSERT(bits != &whole);
        for (size_t i = at; i < at + count; ++i) {
            ASSERT(!bit_get(bits, i));
            bits[i / 64] |= UINT64_C(1) << i % 64;
        }
        *chunk = bits;
    }
    if (*chunk == NULL || is_all(*chunk, UINT64_MAX)) {
        heap_free(*chunk);
        *chunk = &whole;
        ++frames->whole_count;
    }
    frames->count += count;
    return 0;
}

// There is one.
static size_t chunk_find(struct balloon_frames *frames, bool is_whole)
{
    for (size_t i = 0; i < frames->chunk_count; ++i) {
        const size_t index = (frames->cursor + i) % frames->chunk_count;
        const uint64_t *bits = frames->chunks[index];
        if (bits != NULL && (bits == &whole) == is_whole) {
            frames->cursor = index;
            return index;
        }
    }
    ASSERT(false);
    return 0;
}

static hal_phys chunk_start(size_t index)
{
    return frame_first() + (hal_phys)index * CHUNK_SIZE;
}

static size_t whole_take(struct balloon_frames *frames, hal_phys *start)
{
    const size_t index = chunk_find(frames, true);
    frames->chunks[index] = NULL;
    --frames->whole_count;
    *start = chunk_start(index);
    return BALLOON_CHUNK;
}

// The first run of a chunk that is no whole one.
static size_t part_take(struct balloon_frames *frames, size_t count_max, hal_phys *start)
{
    const size_t index = chunk_find(frames, false);
    uint64_t *bits = frames->chunks[index];
    size_t at = 0, count = 0;
    while (!bit_get(bits, at)) {
        ++at;
    }
    while (count < count_max && at + count < BALLOON_CHUNK && bit_get(bits, at + count)) {
        bits[(at + count) / 64] &= ~(UINT64_C(1) << (at + count) % 64);
        ++count;
    }
    if (is_all(bits, 0)) {
        heap_free(bits);
        frames->chunks[index] = NULL;
    }
    *start = chunk_start(index) + at * HAL_PAGE_SIZE;
    return count;
}

// Makes a whole chunk one that has bits. False: no memory.
static bool whole_open(struct balloon_frames *frames)
{
    uint64_t *bits = bits_make(0xff);
    if (bits != NULL) {
        frames->chunks[chunk_find(frames, true)] = bits;
        --frames->whole_count;
    }
    return bits != NULL;
}

size_t balloon_frames_take(struct balloon_frames *frames, size_t count_max, hal_phys *start)
{
    ASSERT(count_max > 0);
    size_t count = 0;
    if (count_max >= BALLOON_CHUNK && frames->whole_count > 0) {
        count = whole_take(frames, start);
    } else if (frames->count > frames->whole_count * BALLOON_CHUNK ||
               (frames->whole_count > 0 && whole_open(frames))) {
        count = part_take(frames, count_max, start);
    }
    frames->count -= count;
    return count;
}
