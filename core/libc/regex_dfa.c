// SPDX-License-Identifier: BSD-3-Clause
// regex_dfa.c: the subset construction, one transition at a time, when a text first needs it.
//
// A state is the set of nodes that may be active at a place, before assertions at the place are
// decided, with the context before it. A transition is taken on a class of bytes that all nodes
// treat alike; it also tells whether the match node is active at the place, which the symbol behind
// it decides. Symbols of more than one byte have transitions in a small table of their own.
// Invariant: states and transitions are derived from the program alone: when they take too much
// memory all are thrown away, and built again as they are needed.
#include "core/libc/regex_dfa.h"

#include <string.h>

#include "core/libc/memory.h"

enum {
    MEMORY_MAX = 4 << 20, // of states, before they are thrown away
    BUCKETS = 1024,
    WIDES = 256,   // entries in the table of larger symbols
    CLASSES = 260, // of bytes, with the four that follow
};

// A transition: where to, and MATCHES if the match node was active before the symbol.
#define MATCHES ((uintptr_t)1)

struct state {
    struct state *same_bucket;
    uint32_t hash, count;
    uint8_t before; // the context; 0 if the program has no assertions
    bool is_search; // matches may begin at each place that follows
    bool has_assertions;
    uint32_t *nodes;  // sorted: those that consume, assert or match
    uintptr_t next[]; // by class; 0: not known yet
};

struct wide {
    const struct state *state;
    uint32_t symbol;
    uintptr_t next;
};

struct regex_cache {
    uint32_t node_count;
    uint32_t class_count;       // the byte classes, then:
    uint32_t wide_class;        // the first byte of a larger symbol
    uint32_t end_class;         // the end of the text; + 1: the end, which is no end of a line
    uint16_t byte_class[256];   // of the text's bytes
    uint16_t symbol_class[256]; // of folded symbols
    uint8_t class_symbol[CLASSES];
    bool newline_anchor, is_fit;
    const unsigned char *translate;
    size_t memory, memory_max;
    struct state *buckets[BUCKETS];
    struct wide wides[WIDES];
    struct state *starts[2][8]; // by is_search and context
    uint64_t *now, *then;       // sets of nodes, as bits
    uint32_t *stack, *found;
};

static size_t words_of(uint32_t node_count)
{
    return (node_count + 63) / 64;
}

static bool bit_test_set(uint64_t *bits, uint32_t n)
{
    uint64_t bit = UINT64_C(1) << n % 64;
    bool was = (bits[n / 64] & bit) != 0;
    bits[n / 64] |= bit;
    return was;
}

// Splits each class into the symbols that are members and those that are not.
static void classes_refine(struct regex_cache *cache, const bool *is_member)
{
    uint16_t split[CLASSES];
    memset(split, 0xff, sizeof split);
    bool has_rest[CLASSES] = {false};
    for (uint32_t s = 0; s < 256; ++s) {
        has_rest[cache->symbol_class[s]] |= !is_member[s];
    }
    for (uint32_t s = 0; s < 256; ++s) {
        uint32_t class = cache->symbol_class[s];
        if (is_member[s] && has_rest[class]) {
            if (split[class] == 0xffff) {
                split[class] = (uint16_t)cache->class_count++;
            }
            cache->symbol_class[s] = split[class];
        }
    }
}

static void classes_of_contexts(struct regex_cache *cache, const struct regex_program *program)
{
    bool is_word[256], is_newline[256];
    for (uint32_t s = 0; s < 256; ++s) {
        is_word[s] = s < 128 && regex_context_of(program, s, true) == REGEX_WORD;
        is_newline[s] = s == '\n';
    }
    classes_refine(cache, is_word);
    classes_refine(cache, is_newline);
}

static void classes_find(struct regex_cache *cache, const struct regex_program *program)
{
    bool is_member[256];
    bool is_single[256] = {false};
    cache->class_count = 1;
    if (program->has_assertions) {
        classes_of_contexts(cache, program);
    }
    for (uint32_t i = 0; i < program->set_count; ++i) {
        for (uint32_t s = 0; s < 256; ++s) {
            is_member[s] =
                s < program->small_count && regex_set_holds(program, &program->sets[i], s);
        }
        classes_refine(cache, is_member);
    }
    for (uint32_t n = 0; n < program->node_count; ++n) {
        const struct regex_node *node = &program->nodes[n];
        if (node->operation == REGEX_SYMBOL && node->value < program->small_count &&
            !is_single[node->value]) {
            is_single[node->value] = true;
            memset(is_member, 0, sizeof is_member);
            is_member[node->value] = true;
            classes_refine(cache, is_member);
        }
    }
    for (uint32_t s = 256; s-- > 0;) {
        cache->class_symbol[cache->symbol_class[s]] = (uint8_t)s;
    }
    cache->wide_class = cache->class_count;
    cache->end_class = cache->class_count + 1;
}

struct regex_cache *regex_cache_new(const struct regex_program *program)
{
    struct regex_cache *cache = libc_calloc(1, sizeof *cache);
    if (cache == NULL) {
        return NULL;
    }
    uint32_t count = program->node_count;
    cache->node_count = count;
    // Four states at least, however large they are.
    size_t largest = count * sizeof(uint32_t) + sizeof(struct state) + CLASSES * sizeof(uintptr_t);
    cache->memory_max = MEMORY_MAX < 4 * largest ? 4 * largest : MEMORY_MAX;
    cache->now = libc_malloc(2 * words_of(count) * sizeof *cache->now);
    cache->stack = libc_malloc((4 * (size_t)count + 2) * sizeof *cache->stack);
    if (cache->now == NULL || cache->stack == NULL) {
        regex_cache_free(cache);
        return NULL;
    }
    cache->then = cache->now + words_of(count);
    cache->found = cache->stack + 3 * (size_t)count + 2;
    classes_find(cache, program);
    return cache;
}

static void states_free(struct regex_cache *cache)
{
    for (int b = 0; b < BUCKETS; ++b) {
        while (cache->buckets[b] != NULL) {
            struct state *state = cache->buckets[b];
            cache->buckets[b] = state->same_bucket;
            libc_free(state);
        }
    }
    memset(cache->wides, 0, sizeof cache->wides);
    memset(cache->starts, 0, sizeof cache->starts);
    cache->memory = 0;
}

void regex_cache_free(struct regex_cache *cache)
{
    if (cache != NULL) {
        states_free(cache);
        libc_free(cache->now);
        libc_free(cache->stack);
        libc_free(cache);
    }
}

void regex_cache_fit(struct regex_cache *cache, const struct regex_program *program,
                     const struct regex_text *text)
{
    if (cache->newline_anchor != text->newline_anchor) {
        states_free(cache);
        cache->newline_anchor = text->newline_anchor;
    }
    if (cache->is_fit && text->translate == NULL && cache->translate == NULL) {
        return;
    }
    cache->is_fit = true;
    cache->translate = text->translate;
    for (uint32_t byte = 0; byte < 256; ++byte) {
        unsigned char seen = text->translate == NULL ? (unsigned char)byte : text->translate[byte];
        cache->byte_class[byte] = program->is_utf8 && seen >= 128
                                      ? (uint16_t)cache->wide_class
                                      : cache->symbol_class[program->fold[seen]];
    }
}

// Adds node n, and what is reached from it without consuming, to bits. contexts: of the place
// (before, behind) to decide assertions; NULL: they are left for later.
static void closure_add(struct regex_cache *cache, const struct regex_program *program,
                        uint64_t *bits, uint32_t n, const uint32_t *contexts)
{
    uint32_t depth = 0;
    cache->stack[depth++] = n;
    while (depth > 0) {
        n = cache->stack[--depth];
        if (bit_test_set(bits, n)) {
            continue;
        }
        const struct regex_node *node = &program->nodes[n];
        switch (node->operation) {
        case REGEX_SPLIT:
            cache->stack[depth++] = node->second;
            cache->stack[depth++] = node->first;
            break;
        case REGEX_JUMP:
            cache->stack[depth++] = node->first;
            break;
        case REGEX_ASSERT:
            if (contexts != NULL && regex_assertion_holds(node->value, contexts[0], contexts[1])) {
                cache->stack[depth++] = n + 1;
            }
            break;
        case REGEX_OPEN:
        case REGEX_CLOSE:
        case REGEX_REFERENCE:
            cache->stack[depth++] = n + 1;
            break;
        default:
            break;
        }
    }
}

static bool is_kept(const struct regex_node *node)
{
    return node->operation <= REGEX_ASSERT;
}

// The nodes of bits that a state keeps, in order, to cache->found.
static uint32_t nodes_collect(struct regex_cache *cache, const struct regex_program *program,
                              const uint64_t *bits)
{
    uint32_t count = 0;
    for (size_t w = 0; w < words_of(cache->node_count); ++w) {
        for (uint64_t word = bits[w]; word != 0; word &= word - 1) {
            uint32_t n = (uint32_t)(w * 64) + (uint32_t)__builtin_ctzll(word);
            if (is_kept(&program->nodes[n])) {
                cache->found[count++] = n;
            }
        }
    }
    return count;
}

static struct state *state_new(struct regex_cache *cache, const struct regex_program *program,
                               uint32_t count, uint32_t hash)
{
    size_t class_count = cache->end_class + 2;
    size_t head = sizeof(struct state) + class_count * sizeof(uintptr_t);
    size_t size = head + count * sizeof(uint32_t);
    if (cache->memory + size > cache->memory_max) {
        states_free(cache);
    }
    struct state *state = libc_malloc(size);
    if (state == NULL) {
        return NULL;
    }
    cache->memory += size;
    memset(state, 0, head);
    state->hash = hash;
    state->count = count;
    state->nodes = (uint32_t *)((char *)state + head);
    memcpy(state->nodes, cache->found, count * sizeof(uint32_t));
    for (uint32_t i = 0; i < count; ++i) {
        state->has_assertions |= program->nodes[state->nodes[i]].operation == REGEX_ASSERT;
    }
    state->same_bucket = cache->buckets[hash % BUCKETS];
    cache->buckets[hash % BUCKETS] = state;
    return state;
}

// The state with the nodes of bits. NULL: out of memory.
static struct state *state_find(struct regex_cache *cache, const struct regex_program *program,
                                const uint64_t *bits, uint32_t before, bool is_search)
{
    uint32_t count = nodes_collect(cache, program, bits);
    uint32_t hash = before * 2 + is_search;
    for (uint32_t i = 0; i < count; ++i) {
        hash = (hash ^ cache->found[i]) * 0x9e3779b1u;
        hash ^= hash >> 15;
    }
    for (struct state *state = cache->buckets[hash % BUCKETS]; state != NULL;
         state = state->same_bucket) {
        if (state->hash == hash && state->count == count && state->before == before &&
            state->is_search == is_search &&
            memcmp(state->nodes, cache->found, count * sizeof(uint32_t)) == 0) {
            return state;
        }
    }
    struct state *state = state_new(cache, program, count, hash);
    if (state != NULL) {
        state->before = (uint8_t)before;
        state->is_search = is_search;
    }
    return state;
}

static void bits_clear(const struct regex_cache *cache, uint64_t *bits)
{
    memset(bits, 0, words_of(cache->node_count) * sizeof *bits);
}

// The nodes of state that are active once the assertions are decided, to cache->found.
static uint32_t assertions_decide(struct regex_cache *cache, const struct regex_program *program,
                                  const struct state *state, uint32_t behind)
{
    uint32_t contexts[2] = {state->before, behind};
    bits_clear(cache, cache->now);
    for (uint32_t i = 0; i < state->count; ++i) {
        closure_add(cache, program, cache->now, state->nodes[i], contexts);
    }
    return nodes_collect(cache, program, cache->now);
}

// Whether the match node is active in state, with that context behind; and the nodes that are
// active then, to *nodes.
static bool state_decide(struct regex_cache *cache, const struct regex_program *program,
                         const struct state *state, uint32_t behind, const uint32_t **nodes,
                         uint32_t *count)
{
    *nodes = state->nodes;
    *count = state->count;
    if (state->has_assertions) {
        *count = assertions_decide(cache, program, state, behind);
        *nodes = cache->found;
    }
    return *count > 0 && (*nodes)[*count - 1] == program->node_count - 1;
}

// The transition of state on symbol. 0: out of memory. The state may be gone afterwards.
static uintptr_t transition(struct regex_cache *cache, const struct regex_program *program,
                            const struct regex_text *text, const struct state *state,
                            uint32_t symbol)
{
    uint32_t context = 0;
    bool matches = false, is_apart = false;
    const uint32_t *nodes;
    uint32_t count;
    if (program->has_assertions) {
        context = regex_context_of(program, symbol, true);
        // The match would end here, before a newline that ends no line.
        is_apart = symbol == '\n' && !text->newline_anchor;
        matches = is_apart && state_decide(cache, program, state, 0, &nodes, &count);
    }
    matches |= state_decide(cache, program, state, context, &nodes, &count) && !is_apart;
    bool is_search = state->is_search;
    bits_clear(cache, cache->then);
    for (uint32_t i = 0; i < count; ++i) {
        const struct regex_node *node = &program->nodes[nodes[i]];
        if (node->operation == REGEX_REFERENCE) {
            closure_add(cache, program, cache->then, nodes[i], NULL);
        } else if (node->operation <= REGEX_SET && regex_consumes(program, node, symbol)) {
            closure_add(cache, program, cache->then, nodes[i] + 1, NULL);
        }
    }
    if (is_search) {
        closure_add(cache, program, cache->then, 0, NULL);
    }
    struct state *next = state_find(cache, program, cache->then, context, is_search);
    return next == NULL ? 0 : (uintptr_t)next | (matches ? MATCHES : 0);
}

// The state at start. NULL: out of memory.
static struct state *state_start(struct regex_cache *cache, const struct regex_program *program,
                                 const struct regex_text *text, size_t start, bool is_search)
{
    uint32_t before =
        program->has_assertions ? regex_context_before(program, text, start, false) : 0;
    struct state *state = cache->starts[is_search][before];
    if (state == NULL) {
        bits_clear(cache, cache->then);
        closure_add(cache, program, cache->then, 0, NULL);
        state = state_find(cache, program, cache->then, before, is_search);
        cache->starts[is_search][before] = state;
    }
    return state;
}

// Fills in the transition of state at `at`, where there is a symbol; *size: its bytes.
static uintptr_t transition_at(struct regex_cache *cache, const struct regex_program *program,
                               const struct regex_text *text, struct state *state, size_t at,
                               size_t *size)
{
    uint32_t class = cache->byte_class[text->bytes[at]];
    if (class != cache->wide_class) {
        *size = 1;
        uintptr_t known = state->next[class];
        if (known == 0) {
            size_t memory = cache->memory;
            known = transition(cache, program, text, state, cache->class_symbol[class]);
            if (cache->memory >= memory) { // else the states were thrown away
                state->next[class] = known;
            }
        }
        return known;
    }
    uint32_t symbol = regex_symbol(program, text, at, size);
    size_t hash = ((uintptr_t)state / 16 + symbol * 31) % WIDES;
    if (cache->wides[hash].state != state || cache->wides[hash].symbol != symbol) {
        size_t memory = cache->memory;
        uintptr_t next = transition(cache, program, text, state, symbol);
        if (cache->memory < memory || next == 0) {
            return next;
        }
        cache->wides[hash] = (struct wide){state, symbol, next};
    }
    return cache->wides[hash].next;
}

// Whether the match node is active at text->stop.
static bool stop_matches(struct regex_cache *cache, const struct regex_program *program,
                         const struct regex_text *text, struct state *state)
{
    const uint32_t *nodes;
    uint32_t count;
    bool is_end = text->stop == text->length;
    uintptr_t *known = &state->next[cache->end_class + text->not_eol];
    if (is_end && *known != 0) {
        return (*known & MATCHES) != 0;
    }
    uint32_t behind = program->has_assertions ? regex_context_behind(program, text, text->stop) : 0;
    bool matches = state_decide(cache, program, state, behind, &nodes, &count);
    if (is_end) {
        *known = matches ? 2 | MATCHES : 2;
    }
    return matches;
}

// Reads from start. is_search: until a match ends, else until no longer match is possible.
static long run(struct regex_cache *cache, const struct regex_program *program,
                const struct regex_text *text, size_t start, bool is_search, size_t *end)
{
    struct state *state = state_start(cache, program, text, start, is_search);
    size_t at = start;
    long found = REGEX_NOWHERE;
    while (state != NULL && at < text->stop) {
        uintptr_t next = state->next[cache->byte_class[text->bytes[at]]];
        size_t size = 1;
        if (next == 0) {
            next = transition_at(cache, program, text, state, at, &size);
            if (next == 0) {
                return REGEX_NO_MEMORY;
            }
        }
        if ((next & MATCHES) != 0) {
            found = (long)at;
            if (is_search) {
                break;
            }
        }
        state = (struct state *)(next & ~MATCHES);
        at += size;
        if (state->count == 0 && !is_search) {
            break;
        }
    }
    *end = at;
    if (state == NULL) {
        return REGEX_NO_MEMORY;
    }
    bool is_over = is_search ? found >= 0 : state->count == 0;
    if (!is_over && at == text->stop && stop_matches(cache, program, text, state)) {
        found = (long)at;
    }
    return found;
}

long regex_dfa_longest(struct regex_cache *cache, const struct regex_program *program,
                       const struct regex_text *text, size_t start, size_t *work)
{
    size_t end = start;
    long found = run(cache, program, text, start, false, &end);
    *work += end - start;
    return found;
}

long regex_dfa_first_end(struct regex_cache *cache, const struct regex_program *program,
                         const struct regex_text *text, size_t start)
{
    size_t end;
    return run(cache, program, text, start, true, &end);
}
