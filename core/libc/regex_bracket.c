// SPDX-License-Identifier: BSD-3-Clause
// regex_bracket.c: bracket expressions, [a-z], [^[:digit:]], [[.x.][=y=]], in the C and C.UTF-8
// locales, where symbols collate by their codes and each is equivalent to itself only.
#include <stddef.h>
#include <string.h>
#include <wctype.h>

#include "core/libc/regex_pattern.h"

enum { NAME_SIZE = 32 }; // of a class or collating symbol, with its end

enum token_kind { TOKEN_END, TOKEN_SYMBOL, TOKEN_CLOSE, TOKEN_RANGE, TOKEN_NOT, TOKEN_NAMED };

struct token {
    enum token_kind kind;
    uint32_t symbol; // TOKEN_NAMED: '.', '=' or ':'
    size_t size;
};

enum element_kind { ELEMENT_SYMBOL, ELEMENT_COLLATING, ELEMENT_EQUIVALENT, ELEMENT_CLASS };

struct element {
    enum element_kind kind;
    uint32_t symbol;
    char name[NAME_SIZE];
};

// The byte at `at` as an operator sees it: folded, and 0 behind the end.
static uint32_t byte_peek(const struct regex_program *program, const struct regex_pattern *pattern,
                          size_t ahead)
{
    if (ahead >= regex_pattern_left(pattern)) {
        return 0;
    }
    unsigned char byte = pattern->text.bytes[pattern->at + ahead];
    if (pattern->text.translate != NULL) {
        byte = pattern->text.translate[byte];
    }
    return program->is_utf8 && byte >= 0x80 ? byte : program->fold[byte];
}

static struct token token_named(const struct regex_program *program,
                                const struct regex_pattern *pattern, uint64_t syntax)
{
    uint32_t next = byte_peek(program, pattern, 1);
    if (next == '.' || next == '=' || (next == ':' && (syntax & REGEX_CHAR_CLASSES) != 0)) {
        return (struct token){TOKEN_NAMED, next, 2};
    }
    return (struct token){TOKEN_SYMBOL, '[', 1};
}

static struct token token_peek(const struct regex_program *program,
                               const struct regex_pattern *pattern, uint64_t syntax)
{
    if (regex_pattern_left(pattern) == 0) {
        return (struct token){TOKEN_END, 0, 0};
    }
    struct token token = {.kind = TOKEN_SYMBOL};
    token.symbol = regex_symbol(program, &pattern->text, pattern->at, &token.size);
    if (token.size > 1) {
        return token;
    }
    switch (token.symbol) {
    case '\\':
        if ((syntax & REGEX_BACKSLASH_ESCAPE_IN_LISTS) != 0 && regex_pattern_left(pattern) > 1) {
            token.symbol = regex_symbol(program, &pattern->text, pattern->at + 1, &token.size);
            ++token.size;
        }
        return token;
    case '[':
        return token_named(program, pattern, syntax);
    case '-': // three of them are one that is meant
        if (regex_pattern_left(pattern) > 2 && byte_peek(program, pattern, 1) == '-' &&
            byte_peek(program, pattern, 2) == '-') {
            token.size = 3;
            return token;
        }
        token.kind = TOKEN_RANGE;
        return token;
    case ']':
        token.kind = TOKEN_CLOSE;
        return token;
    case '^':
        token.kind = TOKEN_NOT;
        return token;
    default:
        return token;
    }
}

// [:name:] and the like, behind the "[:".
static enum regex_error named_parse(const struct regex_program *program,
                                    struct regex_pattern *pattern, uint32_t delimiter,
                                    struct element *element)
{
    element->kind = delimiter == '.'   ? ELEMENT_COLLATING
                    : delimiter == '=' ? ELEMENT_EQUIVALENT
                                       : ELEMENT_CLASS;
    for (size_t length = 0;; ++length) {
        if (length == NAME_SIZE || regex_pattern_left(pattern) < 2) {
            return REGEX_EBRACK;
        }
        uint32_t byte = byte_peek(program, pattern, 0);
        if (byte == delimiter && byte_peek(program, pattern, 1) == ']') {
            element->name[length] = '\0';
            pattern->at += 2;
            return REGEX_OK;
        }
        // The name of a class means the same whether or not case is ignored.
        if (delimiter == ':') {
            byte = pattern->text.bytes[pattern->at];
        }
        element->name[length] = (char)byte;
        ++pattern->at;
    }
}

static enum regex_error element_parse(const struct regex_program *program,
                                      struct regex_pattern *pattern, struct token token,
                                      uint64_t syntax, bool accepts_hyphen, struct element *element)
{
    pattern->at += token.size;
    if (token.kind == TOKEN_NAMED) {
        return named_parse(program, pattern, token.symbol, element);
    }
    if (token.kind == TOKEN_RANGE && !accepts_hyphen &&
        token_peek(program, pattern, syntax).kind != TOKEN_CLOSE) {
        return REGEX_ERANGE;
    }
    element->kind = ELEMENT_SYMBOL;
    element->symbol = token.symbol;
    return REGEX_OK;
}

static bool symbol_add(const struct regex_program *program, struct regex_set *set, uint32_t symbol)
{
    if (symbol < program->small_count) {
        regex_set_small(set, symbol);
        return true;
    }
    return regex_set_range(set, symbol, symbol);
}

// The one symbol that a range may begin or end with. In UTF-8 only those of one byte have a place
// in the collating order, which neither of the two locales defines.
static enum regex_error range_end(const struct regex_program *program, struct element *element)
{
    if (element->kind == ELEMENT_CLASS || element->kind == ELEMENT_EQUIVALENT) {
        return REGEX_ERANGE;
    }
    if (element->kind == ELEMENT_COLLATING) {
        if (strlen(element->name) != 1) {
            return REGEX_ECOLLATE;
        }
        element->symbol = (unsigned char)element->name[0];
    }
    return element->symbol < program->small_count ? REGEX_OK : REGEX_ECOLLATE;
}

static enum regex_error range_add(const struct regex_program *program, struct regex_set *set,
                                  struct element *first, struct element *last, uint64_t syntax)
{
    enum regex_error error = range_end(program, first);
    if (error == REGEX_OK) {
        error = range_end(program, last);
    }
    if (error != REGEX_OK) {
        return error;
    }
    if (first->symbol > last->symbol) {
        return (syntax & REGEX_NO_EMPTY_RANGES) != 0 ? REGEX_ERANGE : REGEX_OK;
    }
    for (uint32_t s = first->symbol; s <= last->symbol; ++s) {
        regex_set_small(set, s);
    }
    return REGEX_OK;
}

enum regex_error regex_class_add(struct regex_program *program, struct regex_set *set,
                                 const char *name, const unsigned char *translate)
{
    if (program->ignores_case && (strcmp(name, "upper") == 0 || strcmp(name, "lower") == 0)) {
        name = "alpha";
    }
    wctype_t class = wctype(name);
    if (class == 0) {
        return REGEX_ECTYPE;
    }
    for (uint32_t symbol = 0; symbol < 128; ++symbol) {
        if (iswctype((wint_t)symbol, class)) {
            unsigned char member = translate == NULL ? (unsigned char)symbol : translate[symbol];
            if (member < program->small_count) {
                regex_set_small(set, member);
            }
        }
    }
    return !program->is_utf8 || regex_set_class(set, class) ? REGEX_OK : REGEX_ESPACE;
}

static enum regex_error element_add(struct regex_program *program, struct regex_set *set,
                                    const struct element *element, const unsigned char *translate)
{
    switch (element->kind) {
    case ELEMENT_SYMBOL:
        return symbol_add(program, set, element->symbol) ? REGEX_OK : REGEX_ESPACE;
    case ELEMENT_CLASS:
        return regex_class_add(program, set, element->name, translate);
    default:
        if (strlen(element->name) != 1) {
            return REGEX_ECOLLATE;
        }
        return symbol_add(program, set, (unsigned char)element->name[0]) ? REGEX_OK : REGEX_ESPACE;
    }
}

void regex_set_negate(const struct regex_program *program, struct regex_set *set)
{
    for (uint32_t i = 0; i < program->small_count / 64; ++i) {
        set->small[i] = ~set->small[i];
    }
    set->is_negated = !set->is_negated;
}

enum regex_error regex_set_emit(struct regex_program *program)
{
    uint32_t index = program->set_count - 1;
    const struct regex_set *set = &program->sets[index];
    int members = 0;
    uint32_t member = 0;
    for (uint32_t i = 0; i < 4; ++i) {
        members += __builtin_popcountll(set->small[i]);
        if (set->small[i] != 0) {
            member = i * 64 + (uint32_t)__builtin_ctzll(set->small[i]);
        }
    }
    struct regex_node node = {.operation = REGEX_SET, .value = index};
    if (members == 1 && !set->is_negated && set->range_count + set->class_count == 0) {
        node.operation = REGEX_SYMBOL;
        node.value = member;
        --program->set_count;
    }
    return regex_emit(program, node) ? REGEX_OK : REGEX_ESPACE;
}

// One element or range, the first token of which has been peeked at; *token: the one behind it.
static enum regex_error item_parse(struct regex_program *program, struct regex_pattern *pattern,
                                   uint64_t syntax, bool is_first, struct token *token)
{
    struct element first = {0};
    enum regex_error error = element_parse(program, pattern, *token, syntax, is_first, &first);
    if (error != REGEX_OK) {
        return error;
    }
    struct regex_set *set = &program->sets[program->set_count - 1];
    *token = token_peek(program, pattern, syntax);
    bool may_be_range = first.kind == ELEMENT_SYMBOL || first.kind == ELEMENT_COLLATING;
    if (may_be_range && token->kind == TOKEN_RANGE) {
        size_t hyphen = pattern->at;
        pattern->at += token->size;
        struct token end = token_peek(program, pattern, syntax);
        if (end.kind == TOKEN_END) {
            return REGEX_EBRACK;
        }
        if (end.kind != TOKEN_CLOSE) {
            struct element last = {0};
            error = element_parse(program, pattern, end, syntax, true, &last);
            *token = token_peek(program, pattern, syntax);
            return error != REGEX_OK ? error : range_add(program, set, &first, &last, syntax);
        }
        pattern->at = hyphen; // the last one stands for itself
        token->kind = TOKEN_SYMBOL;
    }
    return element_add(program, set, &first, pattern->text.translate);
}

enum regex_error regex_bracket_parse(struct regex_program *program, struct regex_pattern *pattern,
                                     uint64_t syntax)
{
    struct regex_set *set = regex_set_add(program);
    if (set == NULL) {
        return REGEX_ESPACE;
    }
    struct token token = token_peek(program, pattern, syntax);
    bool is_negated = token.kind == TOKEN_NOT;
    if (is_negated) {
        if ((syntax & REGEX_HAT_LISTS_NOT_NEWLINE) != 0) {
            regex_set_small(set, '\n');
        }
        pattern->at += token.size;
        token = token_peek(program, pattern, syntax);
    }
    if (token.kind == TOKEN_END) {
        return REGEX_BADPAT;
    }
    if (token.kind == TOKEN_CLOSE) {
        token.kind = TOKEN_SYMBOL;
    }
    for (bool is_first = true;; is_first = false) {
        enum regex_error error = item_parse(program, pattern, syntax, is_first, &token);
        if (error != REGEX_OK) {
            return error;
        }
        if (token.kind == TOKEN_END) {
            return REGEX_EBRACK;
        }
        if (token.kind == TOKEN_CLOSE) {
            break;
        }
    }
    pattern->at += token.size;
    if (is_negated) {
        regex_set_negate(program, &program->sets[program->set_count - 1]);
    }
    return regex_set_emit(program);
}
