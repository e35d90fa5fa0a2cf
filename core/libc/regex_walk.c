// SPDX-License-Identifier: BSD-3-Clause
// regex_walk.c: sub-matches by two passes over the match.
//
// Backwards: for each place the set of nodes ("row") from which the end of the match can be
// reached. Forwards: one path, at each split the first choice whose node is in the row. So that
// path is the one which a back-tracking matcher would find first among those of the right length,
// and no time is lost on others. Rows are kept for one block of places at a time, and of each other
// block only the first one, from which the block's are computed again. Invariant: a row holds a
// node exactly if some path from it leads to an accepting place.
#include "core/libc/regex_walk.h"

#include <string.h>

#include "core/libc/memory.h"
#include "core/libc/regex_dfa.h"

enum { BLOCK_MIN = 64 }; // places

struct walk {
    const struct regex_program *program;
    const struct regex_text *text;
    size_t from, to;
    bool accepts_all; // each place may be the end, not only `to`
    size_t words;     // of a row
    size_t block_size, block_count;
    size_t *block_starts; // bytes; one more than blocks
    uint64_t *block_rows; // the first row of each block, and the row at `to`
    uint64_t *rows;       // of one block, without the row behind it
    uint32_t *symbols;    // of one block
    size_t *places;       // of one block, and behind it
    size_t count;         // symbols in that block
};

static bool row_has(const uint64_t *row, uint32_t n)
{
    return (row[n / 64] >> n % 64 & 1) != 0;
}

static void row_add(uint64_t *row, uint32_t n)
{
    row[n / 64] |= UINT64_C(1) << n % 64;
}

static void walk_free(struct walk *walk)
{
    libc_free(walk->block_starts);
    libc_free(walk->block_rows);
    libc_free(walk->rows);
    libc_free(walk->symbols);
    libc_free(walk->places);
}

static bool walk_init(struct walk *walk)
{
    size_t length = walk->to - walk->from;
    size_t size = BLOCK_MIN;
    while (size < length / size) {
        size *= 2;
    }
    size_t blocks = length / size + 2; // symbols have one byte or more
    walk->words = (walk->program->node_count + 63) / 64;
    walk->block_size = size;
    walk->block_starts = libc_malloc((blocks + 1) * sizeof *walk->block_starts);
    walk->block_rows = libc_malloc((blocks + 1) * walk->words * sizeof(uint64_t));
    walk->rows = libc_malloc((size + 1) * walk->words * sizeof(uint64_t));
    walk->symbols = libc_malloc((size + 1) * sizeof *walk->symbols);
    walk->places = libc_malloc((size + 1) * sizeof *walk->places);
    if (walk->block_starts == NULL || walk->block_rows == NULL || walk->rows == NULL ||
        walk->symbols == NULL || walk->places == NULL) {
        return false;
    }
    size_t at = walk->from;
    walk->block_count = 0;
    for (size_t symbols = 0; at < walk->to; ++symbols) {
        if (symbols % size == 0) {
            walk->block_starts[walk->block_count++] = at;
        }
        size_t bytes = 1;
        if (walk->program->is_utf8) {
            regex_symbol(walk->program, walk->text, at, &bytes);
        }
        at += bytes;
    }
    walk->block_starts[walk->block_count] = walk->to;
    return true;
}

static void block_read(struct walk *walk, size_t block)
{
    size_t at = walk->block_starts[block], end = walk->block_starts[block + 1];
    for (walk->count = 0; at < end; ++walk->count) {
        size_t size;
        walk->places[walk->count] = at;
        walk->symbols[walk->count] = regex_symbol(walk->program, walk->text, at, &size);
        at += size;
    }
    walk->places[walk->count] = end;
}

// Whether node n, which consumes nothing, leads to a node of the row. contexts: NULL: no assertion
// holds.
static bool leads_on(const struct regex_program *program, const uint64_t *row, uint32_t n,
                     const uint32_t *contexts)
{
    const struct regex_node *node = &program->nodes[n];
    switch (node->operation) {
    case REGEX_SPLIT:
        return row_has(row, node->first) || row_has(row, node->second);
    case REGEX_JUMP:
        return row_has(row, node->first);
    case REGEX_OPEN:
    case REGEX_CLOSE:
        return row_has(row, n + 1);
    case REGEX_ASSERT:
        return row_has(row, n + 1) && contexts != NULL &&
               regex_assertion_holds(node->value, contexts[0], contexts[1]);
    default:
        return false;
    }
}

// Adds to the row all nodes that lead to its nodes without consuming.
static void row_close(const struct regex_program *program, uint64_t *row, const uint32_t *contexts)
{
    for (bool grows = true; grows;) {
        grows = false;
        for (uint32_t n = program->node_count; n-- > 0;) {
            if (program->nodes[n].operation > REGEX_MATCH && !row_has(row, n) &&
                leads_on(program, row, n, contexts)) {
                row_add(row, n);
                // What jumps back to it may lie behind it: one more turn.
                grows = true;
            }
        }
    }
}

static void contexts_at(const struct walk *walk, size_t at, uint32_t *contexts)
{
    if (walk->program->has_assertions) {
        contexts[0] = regex_context_before(walk->program, walk->text, at, at > walk->from);
        contexts[1] = regex_context_behind(walk->program, walk->text, at);
    }
}

// The row at `to`. has_assertions: assertions may stand between the last symbol and the end.
static void last_row_make(const struct walk *walk, bool has_assertions)
{
    uint32_t contexts[2] = {0, 0};
    uint64_t *row = walk->block_rows + walk->block_count * walk->words;
    memset(row, 0, walk->words * sizeof *row);
    row_add(row, walk->program->node_count - 1);
    if (has_assertions) {
        contexts_at(walk, walk->to, contexts);
    }
    row_close(walk->program, row, has_assertions ? contexts : NULL);
}

// The row before a symbol, out of the one behind it.
static void row_step(const struct walk *walk, uint64_t *row, const uint64_t *behind, size_t index)
{
    const struct regex_program *program = walk->program;
    uint32_t contexts[2] = {0, 0};
    memset(row, 0, walk->words * sizeof *row);
    for (uint32_t n = 0; n + 1 < program->node_count; ++n) {
        const struct regex_node *node = &program->nodes[n];
        if (node->operation <= REGEX_SET && row_has(behind, n + 1) &&
            regex_consumes(program, node, walk->symbols[index])) {
            row_add(row, n);
        }
    }
    if (walk->accepts_all) {
        row_add(row, program->node_count - 1);
    }
    contexts_at(walk, walk->places[index], contexts);
    row_close(program, row, contexts);
}

// All rows of a block, from the first row of the next one.
static void block_rows_make(struct walk *walk, size_t block)
{
    block_read(walk, block);
    const uint64_t *behind = walk->block_rows + (block + 1) * walk->words;
    for (size_t i = walk->count; i-- > 0;) {
        uint64_t *row = walk->rows + i * walk->words;
        row_step(walk, row, behind, i);
        behind = row;
    }
    memcpy(walk->block_rows + block * walk->words, behind, walk->words * sizeof *behind);
}

long regex_leftmost(const struct regex_program *program, const struct regex_text *text,
                    size_t start)
{
    struct walk walk = {
        .program = program, .text = text, .from = start, .to = text->stop, .accepts_all = true};
    if (!walk_init(&walk)) {
        walk_free(&walk);
        return REGEX_NO_MEMORY;
    }
    last_row_make(&walk, true);
    bool at_end = row_has(walk.block_rows + walk.block_count * walk.words, 0);
    long found = at_end ? (long)text->stop : REGEX_NOWHERE;
    for (size_t block = walk.block_count; block-- > 0;) {
        block_rows_make(&walk, block);
        for (size_t i = walk.count; i-- > 0;) {
            if (row_has(walk.rows + i * walk.words, 0)) {
                found = (long)walk.places[i];
            }
        }
    }
    walk_free(&walk);
    return found;
}

void regex_span_pass(const struct regex_node *node, long at, struct regex_span *spans,
                     struct regex_span *saved, size_t count)
{
    if (node->value >= count) {
        return;
    }
    struct regex_span *span = &spans[node->value];
    if (node->operation == REGEX_OPEN) {
        *span = (struct regex_span){at, -1};
    } else if (span->start < at) {
        span->end = at;
        memcpy(saved, spans, count * sizeof *spans);
    } else if (node->is_optional && saved[node->value].start != -1) {
        memcpy(spans, saved, count * sizeof *spans);
    } else {
        span->end = at;
    }
}

// Follows the path from node at a place as far as it consumes nothing: the node that consumes, or
// the match node. passed: a scratch row.
static uint32_t place_pass(const struct walk *walk, const uint64_t *row, uint32_t n, long at,
                           uint64_t *passed, struct regex_span *spans, struct regex_span *saved,
                           size_t count)
{
    const struct regex_program *program = walk->program;
    memset(passed, 0, walk->words * sizeof *passed);
    while (program->nodes[n].operation > REGEX_MATCH) {
        const struct regex_node *node = &program->nodes[n];
        row_add(passed, n);
        if (node->operation == REGEX_SPLIT) {
            bool has_first = row_has(row, node->first), has_second = row_has(row, node->second);
            bool is_again = has_second && row_has(passed, node->first);
            n = has_first && !is_again ? node->first : node->second;
            continue;
        }
        if (node->operation == REGEX_OPEN || node->operation == REGEX_CLOSE) {
            regex_span_pass(node, at, spans, saved, count);
        }
        n = node->operation == REGEX_JUMP ? node->first : n + 1;
    }
    return n;
}

static void path_follow(struct walk *walk, uint64_t *passed, struct regex_span *spans,
                        struct regex_span *saved, size_t count)
{
    uint32_t n = 0;
    for (size_t block = 0; block < walk->block_count; ++block) {
        if (block > 0) { // the first block's are there from the backward pass
            block_rows_make(walk, block);
        }
        for (size_t i = 0; i < walk->count; ++i) {
            const uint64_t *row = walk->rows + i * walk->words;
            n = place_pass(walk, row, n, (long)walk->places[i], passed, spans, saved, count) + 1;
        }
    }
    const uint64_t *last = walk->block_rows + walk->block_count * walk->words;
    place_pass(walk, last, n, (long)walk->to, passed, spans, saved, count);
}

// All first rows. Whether there is a path.
static bool rows_make(struct walk *walk, bool has_assertions)
{
    last_row_make(walk, has_assertions);
    for (size_t block = walk->block_count; block-- > 0;) {
        block_rows_make(walk, block);
    }
    return row_has(walk->block_rows, 0);
}

enum regex_error regex_walk(const struct regex_program *program, const struct regex_text *text,
                            size_t start, size_t end, struct regex_span *spans, size_t count)
{
    struct walk walk = {.program = program, .text = text, .from = start, .to = end};
    struct regex_span *saved = libc_malloc(count * sizeof *saved);
    bool ok = walk_init(&walk) && saved != NULL, is_path = false;
    uint64_t *passed = libc_malloc(walk.words * sizeof *passed);
    ok = ok && passed != NULL;
    if (ok) {
        for (size_t i = 1; i < count; ++i) {
            spans[i] = (struct regex_span){-1, -1};
        }
        memcpy(saved, spans, count * sizeof *spans);
        // As glibc: a path that needs no assertion at its end comes before those that do.
        is_path = rows_make(&walk, !program->has_assertions) || rows_make(&walk, true);
        if (is_path) {
            path_follow(&walk, passed, spans, saved, count);
        }
    }
    libc_free(passed);
    libc_free(saved);
    walk_free(&walk);
    return !ok ? REGEX_ESPACE : is_path ? REGEX_OK : REGEX_NOMATCH;
}
