// SPDX-License-Identifier: BSD-3-Clause
// regex_search.c: which matcher is asked for what.
//
// First whether there is a match at all, by one pass of the deterministic automaton; then from
// which of the places before its end the longest match begins, by tries. Tries that read much more
// than the text is long give way to one pass backwards. Groups are found last, for the one match.
// Invariant: the program's cache is used by whoever took it out of the program, and by nobody else;
// a second thread (or a signal handler) makes one of its own.
#include "core/libc/regex_search.h"

#include <stdatomic.h>
#include <string.h>

#include "core/libc/memory.h"
#include "core/libc/regex_backtrack.h"
#include "core/libc/regex_dfa.h"
#include "core/libc/regex_walk.h"

// Bytes that tries may read for each byte of the text, and in any case.
enum { WORK_FACTOR = 8, WORK_MIN = 16384 };

struct search {
    struct regex_program *program;
    const struct regex_text *text;
    struct regex_cache *cache;
    struct regex_backtrack *backtrack; // of programs with back references
    struct regex_span *groups;         // that the back-tracker fills; group_count + 1
    struct regex_span *spans;          // the caller's
    size_t count;
    size_t work;
    bool is_exact; // what regex_dfa_first_end finds is a match
};

static struct regex_cache *cache_take(struct regex_program *program)
{
    // acq_rel pairs with cache_put's: the cache's content comes with the pointer
    struct regex_cache *cache =
        atomic_exchange_explicit(&program->cache, NULL, memory_order_acq_rel);
    return cache != NULL ? cache : regex_cache_new(program);
}

static void cache_put(struct regex_program *program, struct regex_cache *cache)
{
    regex_cache_free(atomic_exchange_explicit(&program->cache, cache, memory_order_acq_rel));
}

static bool may_begin(const struct search *search, size_t at)
{
    if (search->program->can_be_empty) {
        return true;
    }
    if (at >= search->text->stop) {
        return false;
    }
    unsigned char byte = search->text->bytes[at];
    if (search->text->translate != NULL) {
        byte = search->text->translate[byte];
    }
    bool is_symbol = !search->program->is_utf8 || byte < 128;
    return search->program->first_bytes[is_symbol ? search->program->fold[byte] : byte] != 0;
}

// The spans of the match from start to end, which the back-tracker has found already.
static enum regex_error spans_find(struct search *search, size_t start, size_t end)
{
    size_t groups = search->program->group_count + 1;
    size_t known = search->count < groups ? search->count : groups;
    for (size_t i = known; i < search->count; ++i) {
        search->spans[i] = (struct regex_span){-1, -1};
    }
    if (search->count > 0) {
        search->spans[0] = (struct regex_span){(long)start, (long)end};
    }
    if (known <= 1) {
        return REGEX_OK;
    }
    if (search->backtrack != NULL) {
        memcpy(search->spans + 1, search->groups + 1, (known - 1) * sizeof *search->spans);
        return REGEX_OK;
    }
    return regex_walk(search->program, search->text, start, end, search->spans, known);
}

// Whether a match begins at start; if so its spans.
static enum regex_error match_at(struct search *search, size_t start)
{
    long end =
        regex_dfa_longest(search->cache, search->program, search->text, start, &search->work);
    if (end >= 0 && search->backtrack != NULL) {
        end = regex_backtrack_longest(search->backtrack, start, (size_t)end, search->groups);
    }
    if (end < 0) {
        return end == REGEX_NOWHERE ? REGEX_NOMATCH : REGEX_ESPACE;
    }
    return spans_find(search, start, (size_t)end);
}

static enum regex_error search_linearly(struct search *search, size_t first, size_t last)
{
    long start = regex_leftmost(search->program, search->text, first);
    if (start == REGEX_NO_MEMORY) {
        return REGEX_ESPACE;
    }
    return start < 0 || (size_t)start > last ? REGEX_NOMATCH : match_at(search, (size_t)start);
}

static size_t symbol_size(const struct search *search, size_t at)
{
    size_t size = 1;
    if (search->program->is_utf8 && at < search->text->length) {
        regex_symbol(search->program, search->text, at, &size);
    }
    return size;
}

// first <= last.
static enum regex_error search_forward(struct search *search, size_t first, size_t last)
{
    const struct regex_text *text = search->text;
    size_t bound = last;
    while (first < last && !may_begin(search, first)) {
        ++first;
    }
    if (first < last) {
        long end = regex_dfa_first_end(search->cache, search->program, text, first);
        if (end < 0) {
            return end == REGEX_NOWHERE ? REGEX_NOMATCH : REGEX_ESPACE;
        }
        if (search->is_exact) {
            if (search->count == 0 && (size_t)end <= last) {
                return REGEX_OK;
            }
            bound = (size_t)end < last ? (size_t)end : last;
        }
    }
    size_t work_max = WORK_MIN + WORK_FACTOR * (text->stop - first);
    for (size_t at = first; at <= bound; at += symbol_size(search, at)) {
        if (search->work > work_max && search->is_exact) {
            return search_linearly(search, at, bound);
        }
        enum regex_error error = may_begin(search, at) ? match_at(search, at) : REGEX_NOMATCH;
        if (error != REGEX_NOMATCH) {
            return error;
        }
    }
    return REGEX_NOMATCH;
}

// Whether a symbol begins at `at`.
static bool is_boundary(const struct search *search, size_t at)
{
    for (size_t back = 1; back < 4 && back <= at; ++back) {
        if (symbol_size(search, at - back) > back) {
            return false;
        }
    }
    return true;
}

static enum regex_error search_backward(struct search *search, size_t first, size_t last)
{
    for (size_t at = first + 1; at-- > last;) {
        if (may_begin(search, at) && is_boundary(search, at)) {
            enum regex_error error = match_at(search, at);
            if (error != REGEX_NOMATCH) {
                return error;
            }
        }
    }
    return REGEX_NOMATCH;
}

enum regex_error regex_search(struct regex_program *program, const struct regex_text *text,
                              size_t first, size_t last, struct regex_span *spans, size_t count)
{
    if (program->is_anchored && !text->newline_anchor) {
        if (first > 0 && last > 0) {
            return REGEX_NOMATCH;
        }
        first = last = 0; // no other place has a beginning before it
    }
    struct search search = {.program = program, .text = text, .spans = spans, .count = count};
    enum regex_error error = REGEX_ESPACE;
    search.cache = cache_take(program);
    bool ok = search.cache != NULL;
    if (ok && program->reference_count > 0) {
        search.backtrack = regex_backtrack_new(program, text);
        search.groups = libc_malloc((program->group_count + 1) * sizeof *search.groups);
        ok = search.backtrack != NULL && search.groups != NULL;
    }
    search.is_exact =
        program->reference_count == 0 && (!program->has_assertions || text->newline_anchor);
    if (ok) {
        regex_cache_fit(search.cache, program, text);
        error = last < first ? search_backward(&search, first, last)
                             : search_forward(&search, first, last);
    }
    regex_backtrack_free(search.backtrack);
    libc_free(search.groups);
    if (search.cache != NULL) {
        cache_put(program, search.cache);
    }
    return error;
}
