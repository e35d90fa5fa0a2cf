// SPDX-License-Identifier: BSD-3-Clause
// regex_backtrack.c: matching with back references, by trying.
//
// Depth first with a stack of the choices that are left. A node that consumes is entered once for
// each place and content of the groups that are referred to: what follows depends on nothing else,
// so the second time could only find what the first one did. That makes the search polynomial;
// STEPS_MAX and MEMORY_MAX bound it.
#include "core/libc/regex_backtrack.h"

#include <string.h>

#include "core/libc/memory.h"
#include "core/libc/regex_dfa.h"
#include "core/libc/regex_walk.h"

enum { MEMORY_MAX = 64 << 20, STEPS_MAX = 30 * 1000 * 1000, SEEN_MIN = 256 };

// What the path so far leads to. In memory: this, spans, saved spans, passed nodes.
struct place {
    uint32_t node;
    size_t at;
};

struct regex_backtrack {
    const struct regex_program *program;
    const struct regex_text *text;
    size_t span_count, span_bytes, words;
    size_t frame_size; // bytes of a place with its spans and passed nodes
    char *frames;      // the choices that are left
    size_t depth, frame_space;
    char *current; // one frame
    uint32_t groups[REGEX_REFERENCES_MAX];
    uint32_t group_count; // that are referred to
    size_t key_count;     // longs in a key
    long *seen;           // keys, open addressing; the first long + 1, 0: free
    size_t seen_count, seen_space;
    size_t start; // of the match that is tried
    size_t steps;
};

static struct regex_span *spans_of(const struct regex_backtrack *search, char *frame)
{
    return (struct regex_span *)(frame + sizeof(struct place));
}

static struct regex_span *saved_of(const struct regex_backtrack *search, char *frame)
{
    return spans_of(search, frame) + search->span_count;
}

static uint64_t *passed_of(const struct regex_backtrack *search, char *frame)
{
    return (uint64_t *)(saved_of(search, frame) + search->span_count);
}

struct regex_backtrack *regex_backtrack_new(const struct regex_program *program,
                                            const struct regex_text *text)
{
    struct regex_backtrack *search = libc_calloc(1, sizeof *search);
    if (search == NULL) {
        return NULL;
    }
    search->program = program;
    search->text = text;
    search->span_count = program->group_count + 1;
    search->span_bytes = search->span_count * sizeof(struct regex_span);
    search->words = (program->node_count + 63) / 64;
    search->frame_size =
        sizeof(struct place) + 2 * search->span_bytes + search->words * sizeof(uint64_t);
    for (uint32_t group = 1; group <= REGEX_REFERENCES_MAX; ++group) {
        if ((program->referenced >> group & 1) != 0) {
            search->groups[search->group_count++] = group;
        }
    }
    search->key_count = 2 + 2 * search->group_count;
    search->seen_space = SEEN_MIN;
    search->current = libc_malloc(search->frame_size);
    search->seen = libc_calloc(SEEN_MIN * search->key_count, sizeof(long));
    if (search->current == NULL || search->seen == NULL) {
        regex_backtrack_free(search);
        return NULL;
    }
    return search;
}

void regex_backtrack_free(struct regex_backtrack *search)
{
    if (search != NULL) {
        libc_free(search->frames);
        libc_free(search->current);
        libc_free(search->seen);
        libc_free(search);
    }
}

static bool choice_push(struct regex_backtrack *search, uint32_t node)
{
    if (search->depth == search->frame_space) {
        size_t space = search->frame_space == 0 ? 16 : 2 * search->frame_space;
        if (space * search->frame_size > MEMORY_MAX) {
            return false;
        }
        char *frames = libc_realloc(search->frames, space * search->frame_size);
        if (frames == NULL) {
            return false;
        }
        search->frames = frames;
        search->frame_space = space;
    }
    char *frame = search->frames + search->depth++ * search->frame_size;
    memcpy(frame, search->current, search->frame_size);
    ((struct place *)frame)->node = node;
    return true;
}

static void key_make(struct regex_backtrack *search, long *key)
{
    const struct place *place = (const struct place *)search->current;
    const struct regex_span *spans = spans_of(search, search->current);
    key[0] = (long)place->node + 1;
    key[1] = (long)place->at;
    for (uint32_t i = 0; i < search->group_count; ++i) {
        key[2 + 2 * i] = spans[search->groups[i]].start;
        key[3 + 2 * i] = spans[search->groups[i]].end;
    }
}

// The slot where key is or belongs.
static long *slot_find(const struct regex_backtrack *search, const long *key)
{
    uint64_t hash = 0;
    for (size_t i = 0; i < search->key_count; ++i) {
        hash = (hash ^ (uint64_t)key[i]) * 0x9e3779b97f4a7c15u;
        hash ^= hash >> 29;
    }
    size_t index = hash % search->seen_space;
    for (;;) {
        long *slot = search->seen + index * search->key_count;
        if (slot[0] == 0 || memcmp(slot, key, search->key_count * sizeof *key) == 0) {
            return slot;
        }
        index = (index + 1) % search->seen_space;
    }
}

static bool seen_grow(struct regex_backtrack *search)
{
    struct regex_backtrack old = *search;
    size_t size = search->key_count * sizeof(long);
    if (2 * search->seen_space * size > MEMORY_MAX) {
        return false;
    }
    search->seen = libc_calloc(2 * search->seen_space, size);
    if (search->seen == NULL) {
        search->seen = old.seen;
        return false;
    }
    search->seen_space *= 2;
    for (size_t i = 0; i < old.seen_space; ++i) {
        const long *key = old.seen + i * search->key_count;
        if (key[0] != 0) {
            memcpy(slot_find(search, key), key, size);
        }
    }
    libc_free(old.seen);
    return true;
}

// Whether the current place has been there already; it has been from now on. *failed: no memory.
static bool seen_before(struct regex_backtrack *search, bool *failed)
{
    long key[2 + 2 * REGEX_REFERENCES_MAX];
    if (4 * search->seen_count >= 3 * search->seen_space && !seen_grow(search)) {
        *failed = true;
        return true;
    }
    key_make(search, key);
    long *slot = slot_find(search, key);
    if (slot[0] != 0) {
        return true;
    }
    memcpy(slot, key, search->key_count * sizeof *key);
    ++search->seen_count;
    return false;
}

// How many bytes from `at` on are equal, folded, to those of span; -1: not so many are.
static long reference_length(const struct regex_backtrack *search, struct regex_span span,
                             size_t at)
{
    size_t start = at;
    for (size_t of = (size_t)span.start; of < (size_t)span.end;) {
        size_t of_size, size;
        if (at >= search->text->stop ||
            regex_symbol(search->program, search->text, of, &of_size) !=
                regex_symbol(search->program, search->text, at, &size)) {
            return -1;
        }
        of += of_size;
        at += size;
    }
    return at <= search->text->stop ? (long)(at - start) : -1;
}

// The current place is one of a node that consumes: on behind what it consumes. false: it does not
// fit.
static bool place_consume(struct regex_backtrack *search, bool *failed)
{
    struct place *place = (struct place *)search->current;
    const struct regex_node *node = &search->program->nodes[place->node];
    size_t size;
    if (seen_before(search, failed)) {
        return false;
    }
    if (node->operation == REGEX_REFERENCE) {
        struct regex_span span = spans_of(search, search->current)[node->value];
        long length = span.end < 0 ? -1 : reference_length(search, span, place->at);
        if (length < 0) {
            return false;
        }
        size = (size_t)length;
    } else if (place->at >= search->text->stop ||
               !regex_consumes(search->program, node,
                               regex_symbol(search->program, search->text, place->at, &size))) {
        return false;
    }
    place->at += size;
    ++place->node;
    if (size > 0) {
        memset(passed_of(search, search->current), 0, search->words * sizeof(uint64_t));
    }
    return true;
}

// The current place is one of a node that consumes nothing. false: no way on.
static bool place_pass(struct regex_backtrack *search, bool *failed)
{
    struct place *place = (struct place *)search->current;
    const struct regex_node *node = &search->program->nodes[place->node];
    uint64_t *passed = passed_of(search, search->current);
    passed[place->node / 64] |= UINT64_C(1) << place->node % 64;
    switch (node->operation) {
    case REGEX_JUMP:
        place->node = node->first;
        return true;
    case REGEX_SPLIT:
        if ((passed[node->first / 64] >> node->first % 64 & 1) != 0) {
            place->node = node->second;
            return true;
        }
        *failed = !choice_push(search, node->second);
        place->node = node->first;
        return !*failed;
    case REGEX_ASSERT:
        ++place->node;
        return regex_assertion_holds(
            node->value,
            regex_context_before(search->program, search->text, place->at,
                                 place->at > search->start),
            regex_context_behind(search->program, search->text, place->at));
    default:
        regex_span_pass(node, (long)place->at, spans_of(search, search->current),
                        saved_of(search, search->current), search->span_count);
        ++place->node;
        return true;
    }
}

// Follows the current path to its end: true if it is a match.
static bool path_follow(struct regex_backtrack *search, bool *failed)
{
    const struct place *place = (const struct place *)search->current;
    for (;;) {
        if (++search->steps > STEPS_MAX) {
            *failed = true;
            return false;
        }
        uint8_t operation = search->program->nodes[place->node].operation;
        if (operation == REGEX_MATCH) {
            return true;
        }
        bool is_left =
            operation < REGEX_MATCH ? place_consume(search, failed) : place_pass(search, failed);
        if (!is_left) {
            return false;
        }
    }
}

long regex_backtrack_longest(struct regex_backtrack *search, size_t start, size_t most,
                             struct regex_span *spans)
{
    struct place *place = (struct place *)search->current;
    long best = REGEX_NOWHERE;
    bool failed = false;
    memset(search->current, 0, search->frame_size);
    memset(spans_of(search, search->current), 0xff, 2 * search->span_bytes);
    search->start = place->at = start;
    search->depth = 0;
    for (;;) {
        if (path_follow(search, &failed) && (long)place->at > best) {
            best = (long)place->at;
            memcpy(spans + 1, spans_of(search, search->current) + 1,
                   search->span_bytes - sizeof *spans);
        }
        if (failed) {
            return REGEX_NO_MEMORY;
        }
        if (search->depth == 0 || best == (long)most) {
            return best;
        }
        --search->depth;
        memcpy(search->current, search->frames + search->depth * search->frame_size,
               search->frame_size);
    }
}
