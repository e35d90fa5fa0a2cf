// SPDX-License-Identifier: BSD-3-Clause
// fnmatch.c: patterns of file names with GNU's extensions: ?(a|b) *(a) +(a) @(a) !(a), case folded,
// a folder's name for all that is in it.
//
// The algorithm: a set of the places in the text that the pattern so far can have come to, moved on
// by one element of the pattern after the other; so nothing is tried twice. The alternatives of a
// group are moved through by themselves, in a level of their own. Invariant: `now` of the highest
// level is the set at its `at`; each level below waits for the group that it stands at.
#include <fnmatch.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <wchar.h>
#include <wctype.h>

#include "core/libc/encoding.h"
#include "core/libc/export.h"
#include "core/libc/memory.h"

enum { EXTENDED = 1 << 5 }; // FNM_EXTMATCH
enum { STACK_SIZE = 256, CLASS_SIZE = 32 };

struct matcher {
    const wchar_t *text;
    size_t length;
    int flags;
    bool is_bytes; // characters beyond ASCII are bytes that no class knows
};

struct level {
    const wchar_t *at, *end;    // of the sequence that is gone through
    unsigned char *now;         // its places
    unsigned char *from;        // of the group at `at`: where its alternatives begin
    unsigned char *reached;     // ... what they have come to
    unsigned char *result;      // ... what is behind the group
    const wchar_t *alternative; // ... the one that the level above goes through
    size_t place;               // of !(...): the one that is asked about
};

static wchar_t fold(const struct matcher *self, wchar_t c)
{
    bool folds = (self->flags & FNM_CASEFOLD) != 0 && (c < 0x80 || !self->is_bytes);
    return folds ? (wchar_t)towlower((wint_t)c) : c;
}

// Whether the place has a period that only a period matches.
static bool is_leading_period(const struct matcher *self, size_t place)
{
    if ((self->flags & FNM_PERIOD) == 0 || self->text[place] != '.') {
        return false;
    }
    return place == 0 || ((self->flags & FNM_PATHNAME) != 0 && self->text[place - 1] == '/');
}

// Whether a wildcard may stand for the character at the place.
static bool is_free(const struct matcher *self, size_t place)
{
    bool is_slash = self->text[place] == '/' && (self->flags & FNM_PATHNAME) != 0;
    return !is_slash && !is_leading_period(self, place);
}

// "[:name:]", "[.c.]", "[=c=]" at text, behind the '['. Returns what follows, NULL where it is
// none.
static const wchar_t *named_end(const wchar_t *text, const wchar_t *end)
{
    wchar_t kind = *text;
    for (const wchar_t *at = text + 1; at + 1 < end; ++at) {
        if (at[0] == kind && at[1] == ']') {
            return at + 2;
        }
    }
    return NULL;
}

static bool class_matches(const struct matcher *self, const wchar_t *name, size_t length, wchar_t c)
{
    char narrow[CLASS_SIZE];
    if (length >= CLASS_SIZE || (self->is_bytes && c >= 0x80)) {
        return false;
    }
    for (size_t i = 0; i < length; ++i) {
        narrow[i] = (char)name[i];
    }
    narrow[length] = '\0';
    return iswctype((wint_t)c, wctype(narrow)) != 0;
}

// One bound of a range, or a character that stands alone, in [. .] or [= =] as it is; NULL: the
// list is broken.
static const wchar_t *bound_read(const struct matcher *self, const wchar_t *at, const wchar_t *end,
                                 wchar_t *c)
{
    if (at[0] == '[' && at + 1 < end && (at[1] == '.' || at[1] == '=')) {
        const wchar_t *behind = named_end(at + 1, end);
        if (behind != NULL) {
            *c = behind - at == 5 ? at[2]
                                  : WCHAR_MAX; // there are no symbols of more than one character
            return behind;
        }
    }
    if (*at == '\\' && (self->flags & FNM_NOESCAPE) == 0) {
        ++at;
    }
    if (at >= end) {
        return NULL;
    }
    *c = fold(self, *at);
    return at + 1;
}

// The list at `at`, behind its '['. Returns what follows it, NULL where it has no end.
static const wchar_t *list_read(const struct matcher *self, const wchar_t *at, const wchar_t *end,
                                wchar_t wanted, bool *is_in)
{
    bool is_not = at < end && (*at == '!' || *at == '^');
    bool found = false;
    at += is_not;
    for (bool is_first = true; at < end && (is_first || *at != ']'); is_first = false) {
        if (*at == '[' && at + 1 < end && at[1] == ':') {
            const wchar_t *behind = named_end(at + 1, end);
            if (behind != NULL) {
                found |= class_matches(self, at + 2, (size_t)(behind - at) - 4, wanted);
                at = behind;
                continue;
            }
        }
        wchar_t low;
        wchar_t high;
        bool is_named = *at == '[';
        at = bound_read(self, at, end, &low);
        high = low;
        if (at != NULL && at + 1 < end && at[0] == '-' && at[1] != ']') {
            at = bound_read(self, at + 1, end, &high);
        }
        if (at == NULL) {
            return NULL;
        }
        wchar_t folded = is_named && low == high ? wanted : fold(self, wanted);
        found |= low <= folded && folded <= high;
    }
    *is_in = found != is_not;
    return at < end ? at + 1 : NULL;
}

// Where the group whose '(' is at `at` ends: behind its ')', or NULL. *bar: its first alternative's
// end.
static const wchar_t *group_end(const wchar_t *at, const wchar_t *end, const wchar_t **bar)
{
    int depth = 0;
    *bar = NULL;
    for (++at; at < end; ++at) {
        if (*at == '[') {
            const wchar_t *list = at + 1;
            list += list < end && (*list == '!' || *list == '^');
            list += list < end && *list == ']';
            while (list < end && *list != ']') {
                ++list;
            }
            at = list < end ? list : at;
        } else if (wcschr(L"?*+@!", *at) != NULL && at + 1 < end && at[1] == '(') {
            ++depth;
            ++at;
        } else if (*at == ')' && depth-- == 0) {
            *bar = *bar == NULL ? at : *bar;
            return at + 1;
        } else if (*at == '|' && depth == 0 && *bar == NULL) {
            *bar = at;
        }
    }
    return NULL;
}

static bool is_group(const struct matcher *self, const wchar_t *at, const wchar_t *end)
{
    const wchar_t *bar;
    return (self->flags & EXTENDED) != 0 && at + 1 < end && wcschr(L"?*+@!", *at) != NULL &&
           at[1] == '(' && group_end(at + 1, end, &bar) != NULL;
}

static void star_step(const struct matcher *self, unsigned char *now)
{
    for (size_t i = 0; i <= self->length; ++i) {
        if (now[i] != 0 && i < self->length) {
            if (is_leading_period(self, i)) {
                now[i] = 0;
            } else if (is_free(self, i)) {
                now[i + 1] = 1;
            }
        }
    }
}

// Moves the set over one element that is one character; returns what follows the element.
static const wchar_t *character_step(const struct matcher *self, const wchar_t *at,
                                     const wchar_t *end, unsigned char *now)
{
    bool is_any = *at == '?';
    bool is_list = *at == '[';
    bool is_escaped = *at == '\\' && (self->flags & FNM_NOESCAPE) == 0;
    bool is_in = false;
    if (is_list && list_read(self, at + 1, end, 0, &is_in) == NULL) {
        is_list = false;
    }
    at += is_escaped;
    if (at >= end) { // a backslash at the end
        memset(now, 0, self->length + 1);
        return end;
    }
    const wchar_t *behind = is_list ? list_read(self, at + 1, end, 0, &is_in) : at + 1;
    wchar_t wanted = fold(self, *at);
    for (size_t i = self->length; i > 0; --i) {
        bool moves = now[i - 1] != 0;
        if (moves && is_list) {
            list_read(self, at + 1, end, self->text[i - 1], &is_in);
            moves = is_in && is_free(self, i - 1);
        } else if (moves) {
            moves = is_any ? is_free(self, i - 1) : fold(self, self->text[i - 1]) == wanted;
        }
        now[i] = moves;
    }
    now[0] = 0;
    return behind;
}

static bool set_add(unsigned char *set, const unsigned char *more, size_t size)
{
    bool has_new = false;
    for (size_t i = 0; i < size; ++i) {
        has_new |= more[i] != 0 && set[i] == 0;
        set[i] |= more[i];
    }
    return has_new;
}

// Where !(...) at level->place or behind begins; the alternatives begin there, and have come to
// nothing yet.
static bool not_next(const struct matcher *self, struct level *level)
{
    size_t size = self->length + 1;
    memset(level->from, 0, size);
    memset(level->reached, 0, size);
    while (level->place < size && level->now[level->place] == 0) {
        ++level->place;
    }
    if (level->place == size) {
        return false;
    }
    level->from[level->place] = 1;
    return true;
}

// The level above goes through the alternative that begins at `at`.
static void alternative_begin(const struct matcher *self, struct level *level, const wchar_t *at)
{
    const wchar_t *bar;
    level->alternative = at;
    group_end(at - 1, level->end, &bar);
    level[1].at = at;
    level[1].end = bar;
    memcpy(level[1].now, level->from, self->length + 1);
}

static void group_leave(const struct matcher *self, struct level *level)
{
    const wchar_t *bar;
    memcpy(level->now, level->result, self->length + 1);
    level->at = group_end(level->at + 1, level->end, &bar);
}

// True: the level above has an alternative to go through.
static bool group_begin(const struct matcher *self, struct level *level)
{
    size_t size = self->length + 1;
    wchar_t kind = *level->at;
    memcpy(level->from, level->now, size);
    memset(level->reached, 0, size);
    memset(level->result, 0, size);
    level->place = 0;
    if (kind == '*' || kind == '?') {
        memcpy(level->result, level->now, size);
    }
    if (kind == '!' && !not_next(self, level)) {
        group_leave(self, level);
        return false;
    }
    alternative_begin(self, level, level->at + 2);
    return true;
}

// The level above has gone through an alternative. True: there is another one to go through.
static bool group_continue(const struct matcher *self, struct level *level)
{
    size_t size = self->length + 1;
    const wchar_t *bar;
    set_add(level->reached, level[1].now, size);
    group_end(level->alternative - 1, level->end, &bar);
    if (*bar == '|') {
        alternative_begin(self, level, bar + 1);
        return true;
    }
    wchar_t kind = *level->at;
    bool again;
    if (kind == '!') {
        for (size_t i = level->place; i < size; ++i) {
            level->result[i] |= level->reached[i] == 0;
        }
        ++level->place;
        again = not_next(self, level);
    } else {
        memcpy(level->from, level->reached, size);
        again = set_add(level->result, level->reached, size) && (kind == '*' || kind == '+');
        memset(level->reached, 0, size);
    }
    if (again) {
        alternative_begin(self, level, level->at + 2);
    } else {
        group_leave(self, level);
    }
    return again;
}

static bool run(const struct matcher *self, struct level *levels)
{
    struct level *level = levels;
    for (;;) {
        if (level->at == level->end) {
            if (level == levels) {
                break;
            }
            --level;
            level += group_continue(self, level);
        } else if (is_group(self, level->at, level->end)) {
            level += group_begin(self, level);
        } else if (*level->at == '*') {
            star_step(self, level->now);
            ++level->at;
        } else {
            level->at = character_step(self, level->at, level->end, level->now);
        }
    }
    bool matches = levels->now[self->length] != 0;
    for (size_t i = 0; i < self->length && (self->flags & FNM_LEADING_DIR) != 0; ++i) {
        matches |= levels->now[i] != 0 && self->text[i] == '/';
    }
    return matches;
}

// How deep groups may be in each other, and one more.
static size_t depth_of(const struct matcher *self, const wchar_t *pattern)
{
    size_t depth = 1;
    for (; (self->flags & EXTENDED) != 0 && *pattern != '\0'; ++pattern) {
        depth += *pattern == '(';
    }
    return depth;
}

static int wide_match(const struct matcher *self, const wchar_t *pattern)
{
    enum { SETS = 4 };
    unsigned char stack[STACK_SIZE];
    struct level one;
    struct level *levels = &one;
    size_t size = self->length + 1;
    size_t depth = depth_of(self, pattern);
    unsigned char *sets = stack;
    void *memory = NULL;
    if (depth > 1 || size > STACK_SIZE) {
        memory = libc_malloc(depth * (sizeof *levels + SETS * size));
        if (memory == NULL) {
            return -2; // as glibc
        }
        levels = memory;
        sets = (unsigned char *)(levels + depth);
    }
    for (size_t i = 0; i < depth; ++i, sets += SETS * size) {
        levels[i] = (struct level){.now = sets};
        if (depth > 1) {
            levels[i].from = sets + size;
            levels[i].reached = sets + 2 * size;
            levels[i].result = sets + 3 * size;
        }
    }
    levels[0].at = pattern;
    levels[0].end = pattern + wcslen(pattern);
    memset(levels[0].now, 0, size);
    levels[0].now[0] = 1;
    bool matches = run(self, levels);
    libc_free(memory);
    return matches ? 0 : FNM_NOMATCH;
}

static bool characters_read(const char *text, size_t length, wchar_t *wide)
{
    mbstate_t state = {0};
    return mbsrtowcs(wide, &text, length + 1, &state) != (size_t)-1;
}

static void bytes_read(const char *text, size_t length, wchar_t *wide)
{
    for (size_t i = 0; i <= length; ++i) {
        wide[i] = (unsigned char)text[i];
    }
}

// As characters, and, where these do not match, as bytes, as glibc has it.
EXPORT(int, fnmatch, const char *pattern, const char *text, int flags)
{
    wchar_t stack[STACK_SIZE];
    size_t pattern_length = strlen(pattern);
    size_t text_length = strlen(text);
    size_t count = pattern_length + text_length + 2;
    wchar_t *wide = count <= STACK_SIZE ? stack : libc_malloc(count * sizeof *wide);
    if (wide == NULL) {
        return -2;
    }
    wchar_t *wide_text = wide + pattern_length + 1;
    struct matcher matcher = {.text = wide_text, .flags = flags, .is_bytes = !libc_is_utf8()};
    int result = FNM_NOMATCH;
    bool was_same = false; // in characters and in bytes
    if (!matcher.is_bytes && characters_read(pattern, pattern_length, wide) &&
        characters_read(text, text_length, wide_text)) {
        matcher.length = wcslen(wide_text);
        result = wide_match(&matcher, wide);
        was_same = matcher.length == text_length && wcslen(wide) == pattern_length;
    }
    if (result == FNM_NOMATCH && !was_same) {
        bytes_read(pattern, pattern_length, wide);
        bytes_read(text, text_length, wide_text);
        matcher.length = text_length;
        matcher.is_bytes = true;
        result = wide_match(&matcher, wide);
    }
    if (wide != stack) {
        libc_free(wide);
    }
    return result;
}

// glob.c knows it by this name.
extern __typeof__(glibc_fnmatch) fnmatch __attribute__((alias("glibc_fnmatch")));
