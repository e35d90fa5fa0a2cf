// SPDX-License-Identifier: BSD-3-Clause
// regex_parse.c: the pattern of a regular expression, in whichever of GNU's syntaxes, to nodes.
//
// One pass: an operator that repeats or alternates moves and copies the code of what stands before
// it, which is the end of the program. Groups that are open lie on a stack of their own. What is an
// operator where, and which error is reported, is as glibc has it.
#include <ctype.h>
#include <string.h>
#include <wctype.h>

#include "core/libc/memory.h"
#include "core/libc/regex_pattern.h"

enum { NO_GROUP = UINT32_MAX, NO_JUMP = UINT32_MAX };

enum token_kind {
    TOKEN_END,
    TOKEN_SYMBOL,
    TOKEN_BACKSLASH, // the last byte of the pattern
    TOKEN_ALTERNATE,
    TOKEN_REFERENCE,
    TOKEN_ASSERT,
    TOKEN_WORD_EDGE, // \b
    TOKEN_NO_EDGE,   // \B
    TOKEN_CLASS,     // \w \W \s \S
    TOKEN_OPEN,
    TOKEN_CLOSE,
    TOKEN_BRACKET,
    TOKEN_ANY,
    TOKEN_STAR, // the four that repeat: up to TOKEN_OPEN_INTERVAL
    TOKEN_PLUS,
    TOKEN_QUESTION,
    TOKEN_OPEN_INTERVAL,
    TOKEN_CLOSE_INTERVAL,
};

struct token {
    enum token_kind kind;
    uint32_t symbol; // also: what it is if it turns out to be no operator
    uint32_t value;  // the assertion, the group, or the class's letter
    size_t size;
};

// A group that is open, or the whole pattern.
struct group {
    uint32_t number;
    uint32_t start;        // its REGEX_OPEN
    uint32_t branch;       // where the branch that is being parsed begins
    uint32_t jump;         // the list, through `first`, of the branches' jumps to the end
    bool has_empty_first;  // its first branch is empty: it comes behind the second one
    uint32_t closed;       // groups (bits) that were closed when it began
    uint32_t closed_since; // and in its earlier branches
};

struct parser {
    struct regex_program *program;
    struct regex_pattern pattern;
    uint64_t syntax;
    struct token token; // the one to be looked at
    uint32_t closed;    // bit g: \g may refer to it
    struct group *groups;
    size_t depth, space;
};

static bool has(uint64_t syntax, uint64_t bits)
{
    return (syntax & bits) != 0;
}

static bool repeats(enum token_kind kind)
{
    return kind >= TOKEN_STAR && kind <= TOKEN_OPEN_INTERVAL;
}

// \x of GNU: an assertion or a class.
static void gnu_escape(struct token *token, unsigned char letter)
{
    enum { WORD = REGEX_WORD, EDGE = REGEX_EDGE };
    token->kind = TOKEN_ASSERT;
    switch (letter) {
    case '<':
        token->value = regex_assertion(0, WORD, WORD, 0);
        break;
    case '>':
        token->value = regex_assertion(WORD, 0, 0, WORD);
        break;
    case '`':
        token->value = regex_assertion(EDGE, 0, 0, 0);
        break;
    case '\'':
        token->value = regex_assertion(0, 0, EDGE, 0);
        break;
    case 'b':
        token->kind = TOKEN_WORD_EDGE;
        break;
    case 'B':
        token->kind = TOKEN_NO_EDGE;
        break;
    default:
        token->kind = TOKEN_CLASS;
        token->value = letter;
    }
}

// A backslash and what follows.
static struct token token_escaped(const struct parser *parser)
{
    const struct regex_pattern *pattern = &parser->pattern;
    uint64_t syntax = parser->syntax;
    if (regex_pattern_left(pattern) < 2) {
        return (struct token){.kind = TOKEN_BACKSLASH, .symbol = '\\', .size = 1};
    }
    // The letter is what the pattern says, even if case is ignored or bytes are translated.
    unsigned char letter = pattern->text.bytes[pattern->at + 1];
    struct token token = {.kind = TOKEN_SYMBOL, .symbol = letter, .size = 2};
    if (parser->program->is_utf8 && letter >= 0x80) {
        token.symbol = regex_symbol(parser->program, &pattern->text, pattern->at + 1, &token.size);
        ++token.size;
        return token;
    }
    bool has_plus = !has(syntax, REGEX_LIMITED_OPS) && has(syntax, REGEX_BK_PLUS_QM);
    bool has_braces = has(syntax, REGEX_INTERVALS) && !has(syntax, REGEX_NO_BK_BRACES);
    if (letter == '|' && !has(syntax, REGEX_LIMITED_OPS | REGEX_NO_BK_VBAR)) {
        token.kind = TOKEN_ALTERNATE;
    } else if (letter >= '1' && letter <= '9' && !has(syntax, REGEX_NO_BK_REFS)) {
        token.kind = TOKEN_REFERENCE;
        token.value = letter - '0';
    } else if ((letter == '(' || letter == ')') && !has(syntax, REGEX_NO_BK_PARENS)) {
        token.kind = letter == '(' ? TOKEN_OPEN : TOKEN_CLOSE;
    } else if ((letter == '+' || letter == '?') && has_plus) {
        token.kind = letter == '+' ? TOKEN_PLUS : TOKEN_QUESTION;
    } else if ((letter == '{' || letter == '}') && has_braces) {
        token.kind = letter == '{' ? TOKEN_OPEN_INTERVAL : TOKEN_CLOSE_INTERVAL;
    } else if (letter != 0 && strchr("<>bB`'wWsS", letter) && !has(syntax, REGEX_NO_GNU_OPS)) {
        gnu_escape(&token, letter);
    }
    return token;
}

static bool caret_is_anchor(const struct parser *parser, uint64_t syntax)
{
    const struct regex_pattern *pattern = &parser->pattern;
    return has(syntax, REGEX_CONTEXT_INDEP_ANCHORS | REGEX_CARET_ANCHORS_HERE) ||
           pattern->at == 0 ||
           (has(syntax, REGEX_NEWLINE_ALT) && pattern->text.bytes[pattern->at - 1] == '\n');
}

// Before the end, an alternation or the end of a group.
static bool dollar_is_anchor(const struct parser *parser)
{
    const struct regex_pattern *pattern = &parser->pattern;
    uint64_t syntax = parser->syntax;
    size_t left = regex_pattern_left(pattern);
    if (has(syntax, REGEX_CONTEXT_INDEP_ANCHORS) || left == 1) {
        return true;
    }
    const unsigned char *next = pattern->text.bytes + pattern->at + 1;
    bool has_bar = !has(syntax, REGEX_LIMITED_OPS);
    if (next[0] == '\\' && left > 2) {
        return (next[1] == '|' && has_bar && !has(syntax, REGEX_NO_BK_VBAR)) ||
               (next[1] == ')' && !has(syntax, REGEX_NO_BK_PARENS));
    }
    return (next[0] == '|' && has_bar && has(syntax, REGEX_NO_BK_VBAR)) ||
           (next[0] == ')' && has(syntax, REGEX_NO_BK_PARENS)) ||
           (next[0] == '\n' && has(syntax, REGEX_NEWLINE_ALT));
}

static enum token_kind operator_kind(const struct parser *parser, uint32_t symbol, uint64_t syntax)
{
    bool has_bar = !has(syntax, REGEX_LIMITED_OPS) && has(syntax, REGEX_NO_BK_VBAR);
    bool has_plus = !has(syntax, REGEX_LIMITED_OPS | REGEX_BK_PLUS_QM);
    bool has_braces = has(syntax, REGEX_INTERVALS) && has(syntax, REGEX_NO_BK_BRACES);
    bool has_parentheses = has(syntax, REGEX_NO_BK_PARENS);
    switch (symbol) {
    case '\n':
        return has(syntax, REGEX_NEWLINE_ALT) ? TOKEN_ALTERNATE : TOKEN_SYMBOL;
    case '|':
        return has_bar ? TOKEN_ALTERNATE : TOKEN_SYMBOL;
    case '*':
        return TOKEN_STAR;
    case '+':
        return has_plus ? TOKEN_PLUS : TOKEN_SYMBOL;
    case '?':
        return has_plus ? TOKEN_QUESTION : TOKEN_SYMBOL;
    case '{':
        return has_braces ? TOKEN_OPEN_INTERVAL : TOKEN_SYMBOL;
    case '}':
        return has_braces ? TOKEN_CLOSE_INTERVAL : TOKEN_SYMBOL;
    case '(':
        return has_parentheses ? TOKEN_OPEN : TOKEN_SYMBOL;
    case ')':
        return has_parentheses ? TOKEN_CLOSE : TOKEN_SYMBOL;
    case '[':
        return TOKEN_BRACKET;
    case '.':
        return TOKEN_ANY;
    case '^':
        return caret_is_anchor(parser, syntax) ? TOKEN_ASSERT : TOKEN_SYMBOL;
    case '$':
        return dollar_is_anchor(parser) ? TOKEN_ASSERT : TOKEN_SYMBOL;
    default:
        return TOKEN_SYMBOL;
    }
}

// Takes the next token. extra: REGEX_CARET_ANCHORS_HERE where a group or branch begins.
static void token_next(struct parser *parser, uint64_t extra)
{
    struct regex_pattern *pattern = &parser->pattern;
    struct token *token = &parser->token;
    *token = (struct token){.kind = TOKEN_END};
    if (regex_pattern_left(pattern) == 0) {
        return;
    }
    token->symbol = regex_symbol(parser->program, &pattern->text, pattern->at, &token->size);
    if (token->symbol == '\\') {
        *token = token_escaped(parser);
    } else {
        token->kind = operator_kind(parser, token->symbol, parser->syntax | extra);
        token->value = token->symbol == '^' ? regex_assertion(REGEX_NEWLINE, 0, 0, 0)
                                            : regex_assertion(0, 0, REGEX_NEWLINE, 0);
    }
    pattern->at += token->size;
}

static bool group_push(struct parser *parser, uint32_t number)
{
    if (parser->depth == parser->space) {
        size_t space = parser->space == 0 ? 8 : 2 * parser->space;
        struct group *groups = libc_realloc(parser->groups, space * sizeof *groups);
        if (groups == NULL) {
            return false;
        }
        parser->groups = groups;
        parser->space = space;
    }
    struct group *group = &parser->groups[parser->depth++];
    *group = (struct group){.number = number,
                            .start = parser->program->node_count,
                            .jump = NO_JUMP,
                            .closed = parser->closed};
    struct regex_node open = {.operation = REGEX_OPEN, .value = number};
    if (number != NO_GROUP && !regex_emit(parser->program, open)) {
        return false;
    }
    group->branch = parser->program->node_count;
    return true;
}

// The code of the branch is one choice of two, the other one being the code that follows.
static bool choice_emit(struct parser *parser)
{
    struct regex_program *program = parser->program;
    struct group *group = &parser->groups[parser->depth - 1];
    struct regex_node split = {.operation = REGEX_SPLIT, .first = group->branch + 1};
    split.second = program->node_count + 2;
    struct regex_node jump = {.operation = REGEX_JUMP, .first = group->jump};
    if (!regex_insert(program, group->branch, 1, split) || !regex_emit(program, jump)) {
        return false;
    }
    group->jump = program->node_count - 1;
    group->branch = program->node_count;
    return true;
}

// At a `|`. glibc prefers a second branch to an empty first one, but both to a third.
static enum regex_error branch_end(struct parser *parser)
{
    struct group *group = &parser->groups[parser->depth - 1];
    bool is_empty = group->branch == parser->program->node_count;
    bool is_first = group->jump == NO_JUMP && !group->has_empty_first;
    group->closed_since |= parser->closed;
    parser->closed = group->closed;
    if (is_first && is_empty) {
        group->has_empty_first = true;
        return REGEX_OK;
    }
    bool has_more = group->has_empty_first && group->jump == NO_JUMP && !is_empty;
    return choice_emit(parser) && (!has_more || choice_emit(parser)) ? REGEX_OK : REGEX_ESPACE;
}

static void jumps_resolve(struct parser *parser)
{
    struct regex_program *program = parser->program;
    struct group *group = &parser->groups[parser->depth - 1];
    for (uint32_t jump = group->jump; jump != NO_JUMP;) {
        struct regex_node *node = &program->nodes[jump];
        jump = node->first;
        node->first = program->node_count;
    }
    parser->closed |= group->closed_since;
}

// Where a group ends, before its REGEX_CLOSE.
static bool branches_end(struct parser *parser)
{
    struct group *group = &parser->groups[parser->depth - 1];
    bool is_second = group->has_empty_first && group->jump == NO_JUMP;
    bool ok = !is_second || group->branch == parser->program->node_count || choice_emit(parser);
    jumps_resolve(parser);
    return ok;
}

// The bounds of {m,n}, the current token being the '{'. first: -1 none, -2 no number.
struct interval {
    int first, last; // last -1: without end
};

static int number_parse(struct parser *parser)
{
    int number = -1;
    for (;;) {
        token_next(parser, 0);
        const struct token *token = &parser->token;
        if (token->kind == TOKEN_END) {
            return -2;
        }
        if (token->kind == TOKEN_CLOSE_INTERVAL || token->symbol == ',') {
            return number;
        }
        bool is_digit = token->kind == TOKEN_SYMBOL && token->symbol >= '0' && token->symbol <= '9';
        int digit = (int)token->symbol - '0';
        if (!is_digit || number == -2) {
            number = -2;
        } else if (number == -1) {
            number = digit;
        } else if (number <= REGEX_REPEAT_MAX) {
            number = number * 10 + digit;
        }
    }
}

static bool is_comma(const struct token *token)
{
    return token->kind == TOKEN_SYMBOL && token->symbol == ',';
}

// *is_literal: it is no interval after all but a plain '{', and is the current token.
static enum regex_error interval_parse(struct parser *parser, struct interval *interval,
                                       bool *is_literal)
{
    struct token brace = parser->token;
    size_t behind = parser->pattern.at;
    interval->first = number_parse(parser);
    interval->last = 0;
    *is_literal = false;
    if (interval->first == -1) {
        if (!is_comma(&parser->token)) {
            return REGEX_BADBR;
        }
        interval->first = 0;
    }
    if (interval->first != -2) {
        interval->last = parser->token.kind == TOKEN_CLOSE_INTERVAL ? interval->first
                         : is_comma(&parser->token)                 ? number_parse(parser)
                                                                    : -2;
    }
    if (interval->first == -2 || interval->last == -2) {
        if (!has(parser->syntax, REGEX_INVALID_INTERVAL_ORD)) {
            return parser->token.kind == TOKEN_END ? REGEX_EBRACE : REGEX_BADBR;
        }
        parser->pattern.at = behind;
        parser->token = brace;
        parser->token.kind = TOKEN_SYMBOL;
        *is_literal = true;
        return REGEX_OK;
    }
    if ((interval->last != -1 && interval->first > interval->last) ||
        parser->token.kind != TOKEN_CLOSE_INTERVAL) {
        return REGEX_BADBR;
    }
    int most = interval->last == -1 ? interval->first : interval->last;
    return most > REGEX_REPEAT_MAX ? REGEX_ESIZE : REGEX_OK;
}

static void optional_mark(struct regex_program *program, uint32_t from, uint32_t group)
{
    for (uint32_t n = from; n < program->node_count; ++n) {
        struct regex_node *node = &program->nodes[n];
        if (node->operation == REGEX_CLOSE && node->value == group) {
            node->is_optional = true;
        }
    }
}

// The code [from, end) any number of times.
static bool star_emit(struct regex_program *program, uint32_t from)
{
    struct regex_node split = {.operation = REGEX_SPLIT, .first = from + 1};
    split.second = program->node_count + 2;
    struct regex_node jump = {.operation = REGEX_JUMP, .first = from};
    return regex_insert(program, from, 1, split) && regex_emit(program, jump);
}

// The code [from, end) up to count times: each split leaves out one of them, from the last on.
static bool optional_emit(struct regex_program *program, uint32_t from, uint32_t count)
{
    uint32_t size = program->node_count - from;
    struct regex_node split = {.operation = REGEX_SPLIT};
    if ((uint64_t)count * (size + 1) > REGEX_NODES_MAX ||
        !regex_insert(program, from, count, split)) {
        return false;
    }
    for (uint32_t i = 1; i < count; ++i) {
        if (!regex_copy(program, from + count, from + count + size)) {
            return false;
        }
    }
    for (uint32_t i = 0; i < count; ++i) {
        program->nodes[from + i].first = from + i + 1;
        program->nodes[from + i].second = program->node_count - i * size;
    }
    return true;
}

// Repeats the code [from, end), which may be none at all.
static bool repeat_emit(struct regex_program *program, uint32_t from, uint32_t group,
                        struct interval interval)
{
    uint32_t size = program->node_count - from;
    if (size == 0) {
        return true;
    }
    if (interval.first == 0 && interval.last == 0) {
        program->node_count = from;
        return true;
    }
    uint32_t start = from;
    if (interval.first > 0) {
        int copies = interval.first == interval.last ? interval.first - 1 : interval.first;
        if ((uint64_t)copies * size > REGEX_NODES_MAX) {
            return false;
        }
        for (int i = 0; i < copies; ++i) {
            start = program->node_count;
            if (!regex_copy(program, from, from + size)) {
                return false;
            }
        }
        if (interval.first == interval.last) {
            return true;
        }
    }
    if (group != NO_GROUP) {
        optional_mark(program, start, group);
    }
    return interval.last == -1
               ? star_emit(program, start)
               : optional_emit(program, start, (uint32_t)(interval.last - interval.first));
}

// The operators behind an expression whose code begins at from; group: if it is one.
static enum regex_error repetitions_parse(struct parser *parser, uint32_t from, uint32_t group)
{
    while (repeats(parser->token.kind)) {
        bool is_literal = false;
        struct interval interval = {parser->token.kind == TOKEN_PLUS,
                                    parser->token.kind == TOKEN_QUESTION ? 1 : -1};
        if (parser->token.kind == TOKEN_OPEN_INTERVAL) {
            enum regex_error error = interval_parse(parser, &interval, &is_literal);
            if (error != REGEX_OK || is_literal) {
                return error;
            }
        }
        token_next(parser, 0);
        if (!repeat_emit(parser->program, from, group, interval)) {
            return REGEX_ESPACE;
        }
        group = NO_GROUP;
        if (has(parser->syntax, REGEX_CONTEXT_INVALID_DUP) &&
            (parser->token.kind == TOKEN_STAR || parser->token.kind == TOKEN_OPEN_INTERVAL)) {
            return REGEX_BADRPT;
        }
    }
    return REGEX_OK;
}

// \b and \B: one assertion or the other.
static bool either_emit(struct regex_program *program, uint32_t one, uint32_t other)
{
    uint32_t at = program->node_count;
    return regex_emit(
               program,
               (struct regex_node){.operation = REGEX_SPLIT, .first = at + 1, .second = at + 3}) &&
           regex_emit(program, (struct regex_node){.operation = REGEX_ASSERT, .value = one}) &&
           regex_emit(program, (struct regex_node){.operation = REGEX_JUMP, .first = at + 4}) &&
           regex_emit(program, (struct regex_node){.operation = REGEX_ASSERT, .value = other});
}

static enum regex_error assertion_emit(struct parser *parser)
{
    enum { WORD = REGEX_WORD };
    struct regex_program *program = parser->program;
    const struct token *token = &parser->token;
    bool ok;
    program->has_assertions = true;
    if (token->kind == TOKEN_WORD_EDGE) {
        ok = either_emit(program, regex_assertion(0, WORD, WORD, 0),
                         regex_assertion(WORD, 0, 0, WORD));
    } else if (token->kind == TOKEN_NO_EDGE) {
        ok = either_emit(program, regex_assertion(WORD, 0, WORD, 0),
                         regex_assertion(0, WORD, 0, WORD));
    } else {
        ok = regex_emit(program,
                        (struct regex_node){.operation = REGEX_ASSERT, .value = token->value});
    }
    token_next(parser, 0);
    return ok ? REGEX_OK : REGEX_ESPACE;
}

static enum regex_error any_emit(struct parser *parser)
{
    struct regex_program *program = parser->program;
    struct regex_set *set = regex_set_add(program);
    if (set == NULL) {
        return REGEX_ESPACE;
    }
    if (!has(parser->syntax, REGEX_DOT_NEWLINE)) {
        regex_set_small(set, '\n');
    }
    if (has(parser->syntax, REGEX_DOT_NOT_NULL)) {
        regex_set_small(set, '\0');
    }
    regex_set_negate(program, set);
    return regex_set_emit(program);
}

// \w, \s and their contraries.
static enum regex_error class_emit(struct parser *parser)
{
    struct regex_program *program = parser->program;
    struct regex_set *set = regex_set_add(program);
    if (set == NULL) {
        return REGEX_ESPACE;
    }
    uint32_t letter = parser->token.value;
    bool is_word = letter == 'w' || letter == 'W';
    enum regex_error error =
        regex_class_add(program, set, is_word ? "alnum" : "space", parser->pattern.text.translate);
    if (error != REGEX_OK) {
        return error;
    }
    if (is_word) {
        regex_set_small(set, '_');
    }
    if (letter == 'W' || letter == 'S') {
        regex_set_negate(program, set);
    }
    return regex_set_emit(program);
}

static enum regex_error reference_emit(struct parser *parser)
{
    struct regex_program *program = parser->program;
    uint32_t group = parser->token.value;
    if ((parser->closed & 1u << group) == 0) {
        return REGEX_ESUBREG;
    }
    program->referenced |= 1u << group;
    ++program->reference_count;
    struct regex_node node = {.operation = REGEX_REFERENCE, .value = group};
    return regex_emit(program, node) ? REGEX_OK : REGEX_ESPACE;
}

// The node of one token that stands for symbols.
static enum regex_error symbols_emit(struct parser *parser)
{
    struct regex_node node = {.operation = REGEX_SYMBOL, .value = parser->token.symbol};
    switch (parser->token.kind) {
    case TOKEN_BRACKET:
        return regex_bracket_parse(parser->program, &parser->pattern, parser->syntax);
    case TOKEN_ANY:
        return any_emit(parser);
    case TOKEN_CLASS:
        return class_emit(parser);
    case TOKEN_REFERENCE:
        return reference_emit(parser);
    default:
        return regex_emit(parser->program, node) ? REGEX_OK : REGEX_ESPACE;
    }
}

// An operator that repeats where there is nothing to be repeated. *is_skipped: it is left out.
static enum regex_error repetition_misplaced(const struct parser *parser, bool *is_skipped)
{
    bool invalid_interval = has(parser->syntax, REGEX_CONTEXT_INVALID_DUP);
    *is_skipped = false;
    if (parser->token.kind == TOKEN_OPEN_INTERVAL && invalid_interval) {
        return REGEX_BADRPT;
    }
    if (has(parser->syntax, REGEX_CONTEXT_INVALID_OPS) && !invalid_interval) {
        return REGEX_BADRPT;
    }
    *is_skipped = has(parser->syntax, REGEX_CONTEXT_INDEP_OPS);
    return REGEX_OK;
}

// Opens the group whose parenthesis is the current token.
static enum regex_error group_open(struct parser *parser)
{
    if (!group_push(parser, ++parser->program->group_count)) {
        return REGEX_ESPACE;
    }
    token_next(parser, REGEX_CARET_ANCHORS_HERE);
    return REGEX_OK;
}

// One expression with what repeats it; or a group is opened.
static enum regex_error expression_parse(struct parser *parser)
{
    while (repeats(parser->token.kind)) {
        bool is_skipped;
        enum regex_error error = repetition_misplaced(parser, &is_skipped);
        if (error != REGEX_OK) {
            return error;
        }
        if (!is_skipped) {
            parser->token.kind = TOKEN_SYMBOL;
            break;
        }
        token_next(parser, 0);
    }
    uint32_t from = parser->program->node_count;
    switch (parser->token.kind) {
    case TOKEN_END:
    case TOKEN_ALTERNATE:
        return REGEX_OK;
    case TOKEN_BACKSLASH:
        return REGEX_EESCAPE;
    case TOKEN_OPEN:
        return group_open(parser);
    case TOKEN_ASSERT:
    case TOKEN_WORD_EDGE:
    case TOKEN_NO_EDGE:
        return assertion_emit(parser);
    case TOKEN_CLOSE:
        if (!has(parser->syntax, REGEX_UNMATCHED_RIGHT_PAREN_ORD)) {
            return REGEX_ERPAREN;
        }
        break;
    default:
        break;
    }
    enum regex_error error = symbols_emit(parser);
    if (error != REGEX_OK) {
        return error;
    }
    token_next(parser, 0);
    return repetitions_parse(parser, from, NO_GROUP);
}

// At the ')' of the innermost group.
static enum regex_error group_close(struct parser *parser)
{
    struct group group = parser->groups[parser->depth - 1];
    struct regex_node close = {.operation = REGEX_CLOSE, .value = group.number};
    bool ok = branches_end(parser);
    --parser->depth;
    if (!ok || !regex_emit(parser->program, close)) {
        return REGEX_ESPACE;
    }
    if (group.number <= REGEX_REFERENCES_MAX) {
        parser->closed |= 1u << group.number;
    }
    token_next(parser, 0);
    return repetitions_parse(parser, group.start, group.number);
}

static enum regex_error pattern_parse(struct parser *parser)
{
    if (!group_push(parser, NO_GROUP)) {
        return REGEX_ESPACE;
    }
    token_next(parser, REGEX_CARET_ANCHORS_HERE);
    for (;;) {
        enum regex_error error = REGEX_OK;
        if (parser->token.kind == TOKEN_END) {
            break;
        }
        if (parser->token.kind == TOKEN_ALTERNATE) {
            error = branch_end(parser);
            token_next(parser, REGEX_CARET_ANCHORS_HERE);
        } else if (parser->token.kind == TOKEN_CLOSE && parser->depth > 1) {
            error = group_close(parser);
        } else {
            error = expression_parse(parser);
        }
        if (error != REGEX_OK) {
            return error;
        }
    }
    if (parser->depth > 1) {
        return REGEX_EPAREN;
    }
    struct regex_node match = {.operation = REGEX_MATCH};
    if (!branches_end(parser) || !regex_emit(parser->program, match)) {
        return REGEX_ESPACE;
    }
    return regex_program_finish(parser->program);
}

enum regex_error regex_parse(struct regex_program *program, const unsigned char *pattern,
                             size_t length, uint64_t syntax, const unsigned char *translate)
{
    program->small_count = program->is_utf8 ? 128 : 256;
    program->ignores_case = has(syntax, REGEX_ICASE);
    for (int byte = 0; byte < 256; ++byte) {
        unsigned char folded = (unsigned char)byte;
        program->fold[byte] =
            program->ignores_case && folded < 128 ? (unsigned char)toupper(folded) : folded;
    }
    struct parser parser = {.program = program, .syntax = syntax};
    parser.pattern.text = (struct regex_text){
        .bytes = pattern, .length = length, .stop = length, .translate = translate};
    enum regex_error error = pattern_parse(&parser);
    libc_free(parser.groups);
    if (error != REGEX_OK) {
        uint32_t groups = program->group_count; // glibc tells how far it came
        regex_program_free(program);
        program->group_count = groups;
    }
    return error;
}
