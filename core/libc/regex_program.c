// SPDX-License-Identifier: BSD-3-Clause
// regex_program.c: building the nodes and sets of a compiled regular expression, and reading the
// symbols of a text.
//
// Invariant of the nodes while the parser works: code of a part of the pattern is one run that is
// entered at its first node and left behind its last, so that it can be moved and copied.
#include "core/libc/regex_program.h"

#include <ctype.h>
#include <string.h>
#include <wchar.h>
#include <wctype.h>

#include "core/libc/memory.h"
#include "core/libc/regex_dfa.h"

static bool has_targets(const struct regex_node *node)
{
    return node->operation == REGEX_JUMP || node->operation == REGEX_SPLIT;
}

// Room for count nodes more.
static bool grow(struct regex_program *program, uint32_t count)
{
    if (program->node_count + count > REGEX_NODES_MAX) {
        return false;
    }
    uint32_t space = program->node_space == 0 ? 16 : program->node_space;
    while (space < program->node_count + count) {
        space *= 2;
    }
    if (space == program->node_space) {
        return true;
    }
    struct regex_node *nodes = libc_realloc(program->nodes, space * sizeof *nodes);
    if (nodes == NULL) {
        return false;
    }
    program->nodes = nodes;
    program->node_space = space;
    return true;
}

bool regex_emit(struct regex_program *program, struct regex_node node)
{
    if (!grow(program, 1)) {
        return false;
    }
    program->nodes[program->node_count++] = node;
    return true;
}

static void targets_move(struct regex_node *node, uint32_t distance)
{
    if (has_targets(node)) {
        node->first += distance;
        node->second += distance;
    }
}

bool regex_insert(struct regex_program *program, uint32_t at, uint32_t count,
                  struct regex_node node)
{
    if (!grow(program, count)) {
        return false;
    }
    for (uint32_t n = program->node_count; n > at; --n) {
        program->nodes[n - 1 + count] = program->nodes[n - 1];
        targets_move(&program->nodes[n - 1 + count], count);
    }
    for (uint32_t n = at; n < at + count; ++n) {
        program->nodes[n] = node;
    }
    program->node_count += count;
    return true;
}

bool regex_copy(struct regex_program *program, uint32_t from, uint32_t to)
{
    uint32_t distance = program->node_count - from;
    if (!grow(program, to - from)) {
        return false;
    }
    for (uint32_t n = from; n < to; ++n) {
        struct regex_node node = program->nodes[n];
        targets_move(&node, distance);
        node.is_optional = false;
        program->nodes[program->node_count++] = node;
    }
    return true;
}

struct regex_set *regex_set_add(struct regex_program *program)
{
    if (program->set_count == program->set_space) {
        uint32_t space = program->set_space == 0 ? 4 : 2 * program->set_space;
        struct regex_set *sets = libc_realloc(program->sets, space * sizeof *sets);
        if (sets == NULL) {
            return NULL;
        }
        program->sets = sets;
        program->set_space = space;
    }
    struct regex_set *set = &program->sets[program->set_count++];
    memset(set, 0, sizeof *set);
    return set;
}

bool regex_set_range(struct regex_set *set, uint32_t first, uint32_t last)
{
    struct regex_range *ranges = libc_realloc(set->ranges, (set->range_count + 1) * sizeof *ranges);
    if (ranges == NULL) {
        return false;
    }
    set->ranges = ranges;
    ranges[set->range_count++] = (struct regex_range){first, last};
    return true;
}

bool regex_set_class(struct regex_set *set, unsigned long class)
{
    unsigned long *classes = libc_realloc(set->classes, (set->class_count + 1) * sizeof *classes);
    if (classes == NULL) {
        return false;
    }
    set->classes = classes;
    classes[set->class_count++] = class;
    return true;
}

bool regex_set_holds(const struct regex_program *program, const struct regex_set *set,
                     uint32_t symbol)
{
    if (symbol < program->small_count) {
        return (set->small[symbol / 64] >> symbol % 64 & 1) != 0;
    }
    if (symbol >= REGEX_STRAY) {
        return false;
    }
    bool found = false;
    for (uint32_t i = 0; i < set->range_count && !found; ++i) {
        found = set->ranges[i].first <= symbol && symbol <= set->ranges[i].last;
    }
    for (uint32_t i = 0; i < set->class_count && !found; ++i) {
        found = iswctype((wint_t)symbol, set->classes[i]) != 0;
    }
    return found != set->is_negated;
}

void regex_program_free(struct regex_program *program)
{
    for (uint32_t i = 0; i < program->set_count; ++i) {
        libc_free(program->sets[i].ranges);
        libc_free(program->sets[i].classes);
    }
    libc_free(program->sets);
    libc_free(program->nodes);
    regex_cache_free(program->cache);
    memset(program, 0, sizeof *program);
}

// Which bytes a match can begin with: those of all consuming nodes that are reached from the first
// one without consuming anything, whatever assertions stand in between.
static void first_bytes_of(struct regex_program *program, const struct regex_node *node)
{
    if (node->operation == REGEX_REFERENCE) {
        memset(program->first_bytes, 1, sizeof program->first_bytes);
        return;
    }
    for (uint32_t byte = 0; byte < program->small_count; ++byte) {
        program->first_bytes[byte] |= regex_consumes(program, node, byte);
    }
    // Whether a set has large members is not asked: UTF-8's lead bytes all count.
    if (program->is_utf8 && (node->operation == REGEX_SET || node->value >= program->small_count)) {
        memset(program->first_bytes + 128, 1, 128);
    }
}

// Whether node holds at the beginning of a line or text only.
static bool is_beginning(const struct regex_node *node)
{
    return node->operation == REGEX_ASSERT &&
           (node->value & regex_assertion(REGEX_NEWLINE | REGEX_EDGE, 0, 0, 0)) != 0;
}

// past: beyond assertions of a beginning too, to note what can come first; else only whether
// anything can, without one of them.
static bool firsts_find(struct regex_program *program, uint32_t *stack, uint8_t *seen, bool past)
{
    uint32_t depth = 0;
    bool found = false;
    memset(seen, 0, program->node_count);
    stack[depth++] = 0;
    seen[0] = 1;
    while (depth > 0) {
        uint32_t index = stack[--depth];
        const struct regex_node *node = &program->nodes[index];
        if (!past && is_beginning(node)) {
            continue;
        }
        found |= node->operation <= REGEX_MATCH;
        if (past && node->operation <= REGEX_REFERENCE) {
            first_bytes_of(program, node);
        }
        program->can_be_empty |= past && node->operation == REGEX_MATCH;
        uint32_t next[2] = {index + 1, index + 1};
        if (has_targets(node)) {
            next[0] = node->first;
            next[1] = node->operation == REGEX_SPLIT ? node->second : node->first;
        } else if (node->operation < REGEX_REFERENCE || node->operation == REGEX_MATCH) {
            continue;
        }
        for (int i = 0; i < 2; ++i) {
            if (!seen[next[i]]) {
                seen[next[i]] = 1;
                stack[depth++] = next[i];
            }
        }
    }
    return found;
}

enum regex_error regex_program_finish(struct regex_program *program)
{
    size_t count = program->node_count;
    uint32_t *stack = libc_malloc(count * sizeof *stack);
    uint8_t *seen = libc_malloc(count);
    if (stack != NULL && seen != NULL) {
        program->is_anchored = !firsts_find(program, stack, seen, false);
        firsts_find(program, stack, seen, true);
        program->magic = REGEX_MAGIC;
    }
    libc_free(stack);
    libc_free(seen);
    return program->magic == REGEX_MAGIC ? REGEX_OK : REGEX_ESPACE;
}

uint32_t regex_utf8(const unsigned char *bytes, size_t count, size_t *size)
{
    static const uint32_t smallest[5] = {0, 0, 0x80, 0x800, 0x10000};
    size_t length = bytes[0] < 0xc2 ? 0 : bytes[0] < 0xe0 ? 2 : bytes[0] < 0xf0 ? 3 : 4;
    *size = 0;
    if (bytes[0] < 0x80) {
        *size = 1;
        return bytes[0];
    }
    if (length == 0 || bytes[0] > 0xf4 || length > count) {
        return 0;
    }
    uint32_t code = bytes[0] & (0x7fu >> length);
    for (size_t i = 1; i < length; ++i) {
        if ((bytes[i] & 0xc0) != 0x80) {
            return 0;
        }
        code = code << 6 | (bytes[i] & 0x3fu);
    }
    if (code < smallest[length] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) {
        return 0;
    }
    *size = length;
    return code;
}

static unsigned char byte_at(const struct regex_text *text, size_t at)
{
    unsigned char byte = text->bytes[at];
    return text->translate == NULL ? byte : text->translate[byte];
}

uint32_t regex_symbol(const struct regex_program *program, const struct regex_text *text, size_t at,
                      size_t *size)
{
    unsigned char bytes[4] = {byte_at(text, at)};
    *size = 1;
    if (!program->is_utf8 || bytes[0] < 0x80) {
        return program->fold[bytes[0]];
    }
    size_t count = text->length - at < 4 ? text->length - at : 4;
    for (size_t i = 1; i < count; ++i) {
        bytes[i] = byte_at(text, at + i);
    }
    uint32_t code = regex_utf8(bytes, count, size);
    if (*size == 0) {
        *size = 1;
        return REGEX_STRAY + bytes[0];
    }
    return program->ignores_case ? (uint32_t)towupper((wint_t)code) : code;
}

uint32_t regex_context_of(const struct regex_program *program, uint32_t symbol, bool has_lines)
{
    if (symbol == '\n') {
        return has_lines ? REGEX_NEWLINE : 0;
    }
    if (symbol < 128) {
        return isalnum((int)symbol) || symbol == '_' ? REGEX_WORD : 0;
    }
    bool is_word = program->is_utf8 && symbol < REGEX_STRAY && iswalnum((wint_t)symbol);
    return is_word ? REGEX_WORD : 0;
}

uint32_t regex_context_before(const struct regex_program *program, const struct regex_text *text,
                              size_t at, bool is_inside)
{
    if (at == 0) {
        return REGEX_EDGE | (text->not_bol ? 0 : REGEX_NEWLINE);
    }
    size_t size;
    bool has_lines = is_inside || text->newline_anchor;
    for (size_t back = 2; program->is_utf8 && back <= 4 && back <= at; ++back) {
        uint32_t symbol = regex_symbol(program, text, at - back, &size);
        if (size == back) {
            return regex_context_of(program, symbol, has_lines);
        }
    }
    return regex_context_of(program, regex_symbol(program, text, at - 1, &size), has_lines);
}

uint32_t regex_context_behind(const struct regex_program *program, const struct regex_text *text,
                              size_t at)
{
    if (at == text->length) {
        return REGEX_EDGE | (text->not_eol ? 0 : REGEX_NEWLINE);
    }
    size_t size;
    return regex_context_of(program, regex_symbol(program, text, at, &size), text->newline_anchor);
}
