// SPDX-License-Identifier: BSD-3-Clause
// regex_program.h: what a regular expression is compiled to: a non-deterministic automaton whose
// nodes lie in one array, each falling through to the next unless it says otherwise.
//
// A text is a sequence of symbols: bytes where a character is one byte; else code points of UTF-8,
// and bytes that belong to none as REGEX_STRAY + byte. Symbols are folded: translated by the
// caller's table, and in upper case if the pattern ignores case.
#ifndef CORE_LIBC_REGEX_PROGRAM_H
#define CORE_LIBC_REGEX_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    REGEX_STRAY = 0x110000,    // + byte: no part of a character
    REGEX_NODES_MAX = 1 << 18, // a pattern that needs more is REG_ESPACE
    REGEX_REPEAT_MAX = 0x7fff, // in an interval
    REGEX_REFERENCES_MAX = 9,  // \1 to \9
};

// The codes of <regex.h>, as glibc numbers them.
enum regex_error {
    REGEX_OK,
    REGEX_NOMATCH,
    REGEX_BADPAT,
    REGEX_ECOLLATE,
    REGEX_ECTYPE,
    REGEX_EESCAPE,
    REGEX_ESUBREG,
    REGEX_EBRACK,
    REGEX_EPAREN,
    REGEX_EBRACE,
    REGEX_BADBR,
    REGEX_ERANGE,
    REGEX_ESPACE,
    REGEX_BADRPT,
    REGEX_EEND,
    REGEX_ESIZE,
    REGEX_ERPAREN,
    REGEX_ERRORS
};

// RE_* bits of <regex.h>.
enum regex_syntax {
    REGEX_BACKSLASH_ESCAPE_IN_LISTS = 1 << 0,
    REGEX_BK_PLUS_QM = 1 << 1,
    REGEX_CHAR_CLASSES = 1 << 2,
    REGEX_CONTEXT_INDEP_ANCHORS = 1 << 3,
    REGEX_CONTEXT_INDEP_OPS = 1 << 4,
    REGEX_CONTEXT_INVALID_OPS = 1 << 5,
    REGEX_DOT_NEWLINE = 1 << 6,
    REGEX_DOT_NOT_NULL = 1 << 7,
    REGEX_HAT_LISTS_NOT_NEWLINE = 1 << 8,
    REGEX_INTERVALS = 1 << 9,
    REGEX_LIMITED_OPS = 1 << 10,
    REGEX_NEWLINE_ALT = 1 << 11,
    REGEX_NO_BK_BRACES = 1 << 12,
    REGEX_NO_BK_PARENS = 1 << 13,
    REGEX_NO_BK_REFS = 1 << 14,
    REGEX_NO_BK_VBAR = 1 << 15,
    REGEX_NO_EMPTY_RANGES = 1 << 16,
    REGEX_UNMATCHED_RIGHT_PAREN_ORD = 1 << 17,
    REGEX_NO_GNU_OPS = 1 << 19,
    REGEX_INVALID_INTERVAL_ORD = 1 << 21,
    REGEX_ICASE = 1 << 22,
    REGEX_CARET_ANCHORS_HERE = 1 << 23,
    REGEX_CONTEXT_INVALID_DUP = 1 << 24,
    REGEX_NO_SUB = 1 << 25,
};

enum regex_operation {
    REGEX_SYMBOL,    // consumes the symbol `value`
    REGEX_SET,       // consumes a symbol of sets[value]
    REGEX_REFERENCE, // consumes what group `value` matched
    REGEX_MATCH,     // the last node
    REGEX_ASSERT,    // passes where the contexts fit `value`, made by regex_assertion
    REGEX_OPEN,      // group `value` begins
    REGEX_CLOSE,     // group `value` ends
    REGEX_JUMP,      // goes on at `first`
    REGEX_SPLIT,     // goes on at `first`, or else at `second`
};

struct regex_node {
    uint8_t operation;
    bool is_optional; // CLOSE: the group stands in the part of a repetition that may be left out
    uint32_t value, first, second;
};

// What stands before or behind a place in the text.
enum regex_context { REGEX_WORD = 1, REGEX_NEWLINE = 2, REGEX_EDGE = 4 };

struct regex_range {
    uint32_t first, last;
};

struct regex_set {
    uint64_t small[4]; // symbols below the program's small_count
    bool is_negated;   // of the larger symbols: those that are in no range and no class
    uint32_t range_count, class_count;
    struct regex_range *ranges;
    unsigned long *classes; // wctype()
};

struct regex_cache; // regex_dfa.h

struct regex_program {
    uint64_t magic; // REGEX_MAGIC in one that is whole
    struct regex_node *nodes;
    struct regex_set *sets;
    uint32_t node_count, node_space, set_count, set_space;
    uint32_t group_count;     // not counting the whole match
    uint32_t reference_count; // nodes that are REGEX_REFERENCE
    uint32_t referenced;      // bit g: \g occurs
    uint32_t small_count;     // 256, or 128 in UTF-8
    bool is_utf8, ignores_case, has_assertions;
    bool is_anchored;                  // a match begins at the beginning of a line or of the text
    bool can_be_empty;                 // without regard to assertions
    uint8_t first_bytes[256];          // whether a match, other than an empty one, can begin so
    uint8_t fold[256];                 // of bytes that are symbols
    struct regex_cache *_Atomic cache; // whoever matches takes it, and puts it back
};

#define REGEX_MAGIC 0x7265676578707231u

// A text as the matchers see it.
struct regex_text {
    const unsigned char *bytes;
    size_t length;                  // for contexts
    size_t stop;                    // no match goes beyond
    const unsigned char *translate; // of 256 bytes, or NULL
    bool newline_anchor, not_bol, not_eol;
};

// start and end as offsets; -1: did not take part.
struct regex_span {
    long start, end;
};

// Makes program, all zeroes before, of the pattern. On failure it is empty again.
enum regex_error regex_parse(struct regex_program *program, const unsigned char *pattern,
                             size_t length, uint64_t syntax, const unsigned char *translate);

// One bracket expression, whose '[' has been read. Emits a node.
struct regex_pattern;
enum regex_error regex_bracket_parse(struct regex_program *program, struct regex_pattern *pattern,
                                     uint64_t syntax);

void regex_program_free(struct regex_program *program);

// Adds a node at the end, or a number of them between others at `at`. false: out of memory, or too
// many.
bool regex_emit(struct regex_program *program, struct regex_node node);
bool regex_insert(struct regex_program *program, uint32_t at, uint32_t count,
                  struct regex_node node);

// Copies the nodes [from, to), which fall through to their end only, to the end; groups in the copy
// are not optional until they are marked so.
bool regex_copy(struct regex_program *program, uint32_t from, uint32_t to);

// A new set without members; NULL: out of memory. The index is set_count - 1.
struct regex_set *regex_set_add(struct regex_program *program);
bool regex_set_range(struct regex_set *set, uint32_t first, uint32_t last);
bool regex_set_class(struct regex_set *set, unsigned long class);
bool regex_set_holds(const struct regex_program *program, const struct regex_set *set,
                     uint32_t symbol);

static inline void regex_set_small(struct regex_set *set, uint32_t symbol)
{
    set->small[symbol / 64] |= UINT64_C(1) << symbol % 64;
}

// What an assertion node's value says: contexts that must, and must not, be before and behind.
static inline uint32_t regex_assertion(uint32_t before, uint32_t not_before, uint32_t behind,
                                       uint32_t not_behind)
{
    return before | not_before << 4 | behind << 8 | not_behind << 12;
}

static inline bool regex_assertion_holds(uint32_t value, uint32_t before, uint32_t behind)
{
    uint32_t seen = before | (~before & 7) << 4 | behind << 8 | (~behind & 7) << 12;
    return (value & ~seen) == 0;
}

// After all nodes: what the matchers need to know of the whole.
enum regex_error regex_program_finish(struct regex_program *program);

// Whether node n, REGEX_SYMBOL or REGEX_SET, consumes symbol.
static inline bool regex_consumes(const struct regex_program *program,
                                  const struct regex_node *node, uint32_t symbol)
{
    return node->operation == REGEX_SYMBOL
               ? node->value == symbol
               : regex_set_holds(program, &program->sets[node->value], symbol);
}

// The folded symbol at `at`, below the text's length, and how many bytes it takes.
uint32_t regex_symbol(const struct regex_program *program, const struct regex_text *text, size_t at,
                      size_t *size);

// The contexts of the place at `at`: of what stands before it and behind it. is_inside: the match
// began before that symbol, so that a newline ends a line even if the text's newlines are no
// anchors (glibc's /a\n^b/ matches so).
uint32_t regex_context_before(const struct regex_program *program, const struct regex_text *text,
                              size_t at, bool is_inside);
uint32_t regex_context_behind(const struct regex_program *program, const struct regex_text *text,
                              size_t at);

// The context that a symbol is.
uint32_t regex_context_of(const struct regex_program *program, uint32_t symbol, bool has_lines);

// One character of UTF-8 in at most `count` bytes: its code point and size, or size 0.
uint32_t regex_utf8(const unsigned char *bytes, size_t count, size_t *size);

#endif
