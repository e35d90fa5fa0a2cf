// SPDX-License-Identifier: BSD-3-Clause
// getopt.c: GNU's getopt: options may come after operands, which are moved behind them; long
// options may be shortened.
//
// Invariant: argv[first_operand .. last_operand) are the operands that were passed over, right
// before what is scanned next, or before options that were scanned since.
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/libc/copied.h"
#include "core/libc/export.h"
#include "core/libc/getopt_state.h"

enum order { PERMUTE, REQUIRE_ORDER, RETURN_IN_ORDER };

static __typeof__(((struct libc_getopt *)0)->scan) scan;

struct request {
    int argc;
    char **argv;
    const char *letters;
    const struct option *names;
    int *name_index;
    bool only_long;
    bool be_silent; // the caller wants ':' for a missing argument, and prints itself
};

// Swaps the blocks of operands and of the options after them.
static void operands_move(char **argv)
{
    int first = scan.first_operand;
    int middle = scan.last_operand;
    int end = *libc_optind;
    for (int i = middle; i < end; ++i) {
        char *option = argv[i];
        for (int j = i; j > first + (i - middle); --j) {
            argv[j] = argv[j - 1];
        }
        argv[first + (i - middle)] = option;
    }
    scan.first_operand += end - middle;
    scan.last_operand = end;
}

static const char *scan_start(const char *letters)
{
    *libc_optind = *libc_optind == 0 ? 1 : *libc_optind;
    scan.first_operand = scan.last_operand = *libc_optind;
    scan.next = NULL;
    scan.is_started = true;
    if (*letters == '-') {
        scan.order = RETURN_IN_ORDER;
        return letters + 1;
    }
    if (*letters == '+') {
        scan.order = REQUIRE_ORDER;
        return letters + 1;
    }
    scan.order = getenv("POSIXLY_CORRECT") != NULL ? REQUIRE_ORDER : PERMUTE;
    return letters;
}

static bool is_operand(const char *word)
{
    return word[0] != '-' || word[1] == 0;
}

static bool is_loud(const struct request *request)
{
    return *libc_opterr != 0 && !request->be_silent;
}

// The option that text (length bytes of a name) means. NULL: none, or *is_ambiguous.
static const struct option *name_find(const struct request *request, const char *text,
                                      size_t length, bool *is_ambiguous)
{
    const struct option *found = NULL;
    *is_ambiguous = false;
    for (const struct option *option = request->names; option->name != NULL; ++option) {
        if (strncmp(option->name, text, length) != 0) {
            continue;
        }
        if (strlen(option->name) == length) {
            *is_ambiguous = false;
            return option;
        }
        if (found == NULL) {
            found = option;
        } else if (request->only_long || found->has_arg != option->has_arg ||
                   found->flag != option->flag || found->val != option->val) {
            *is_ambiguous = true;
        }
    }
    return *is_ambiguous ? NULL : found;
}

static void ambiguous_print(const struct request *request, const char *dashes, size_t length)
{
    flockfile(stderr);
    fprintf(stderr, "%s: option '%s%s' is ambiguous; possibilities:", request->argv[0], dashes,
            scan.next);
    for (const struct option *option = request->names; option->name != NULL; ++option) {
        if (strncmp(option->name, scan.next, length) == 0) {
            fprintf(stderr, " '%s%s'", dashes, option->name);
        }
    }
    fprintf(stderr, "\n");
    funlockfile(stderr);
}

static int name_unknown(const struct request *request, const char *dashes, bool is_ambiguous,
                        size_t length)
{
    if (is_loud(request)) {
        if (is_ambiguous) {
            ambiguous_print(request, dashes, length);
        } else {
            fprintf(stderr, "%s: unrecognized option '%s%s'\n", request->argv[0], dashes,
                    scan.next);
        }
    }
    scan.next = NULL;
    ++*libc_optind;
    *libc_optopt = 0;
    return '?';
}

// -1: not a long option, try it as short ones.
static int name_take(const struct request *request, const char *dashes)
{
    size_t length = strcspn(scan.next, "=");
    bool is_ambiguous;
    const struct option *option = name_find(request, scan.next, length, &is_ambiguous);
    if (option == NULL) {
        bool may_be_short = request->only_long && dashes[1] == 0 && !is_ambiguous &&
                            strchr(request->letters, *scan.next) != NULL;
        return may_be_short ? -1 : name_unknown(request, dashes, is_ambiguous, length);
    }
    const char *value = scan.next[length] == '=' ? scan.next + length + 1 : NULL;
    ++*libc_optind;
    scan.next = NULL;
    if (value != NULL && option->has_arg == no_argument) {
        if (is_loud(request)) {
            fprintf(stderr, "%s: option '%s%s' doesn't allow an argument\n", request->argv[0],
                    dashes, option->name);
        }
        *libc_optopt = option->val;
        return '?';
    }
    if (value == NULL && option->has_arg == required_argument) {
        if (*libc_optind >= request->argc) {
            if (is_loud(request)) {
                fprintf(stderr, "%s: option '%s%s' requires an argument\n", request->argv[0],
                        dashes, option->name);
            }
            *libc_optopt = option->val;
            return request->be_silent ? ':' : '?';
        }
        value = request->argv[(*libc_optind)++];
    }
    *libc_optarg = (char *)(uintptr_t)value;
    if (request->name_index != NULL) {
        *request->name_index = (int)(option - request->names);
    }
    if (option->flag != NULL) {
        *option->flag = option->val;
        return 0;
    }
    return option->val;
}

static int letter_argument(const struct request *request, int letter, bool is_optional)
{
    if (*scan.next != 0) {
        *libc_optarg = scan.next;
        ++*libc_optind;
    } else if (is_optional) {
        *libc_optarg = NULL;
    } else if (*libc_optind >= request->argc) {
        if (is_loud(request)) {
            fprintf(stderr, "%s: option requires an argument -- '%c'\n", request->argv[0], letter);
        }
        *libc_optopt = letter;
        letter = request->be_silent ? ':' : '?';
    } else {
        *libc_optarg = request->argv[(*libc_optind)++];
    }
    scan.next = NULL;
    return letter;
}

static int letter_take(const struct request *request)
{
    int letter = *scan.next++;
    const char *found = letter == ':' || letter == ';' ? NULL : strchr(request->letters, letter);
    if (*scan.next == 0) {
        ++*libc_optind;
    }
    if (found == NULL) {
        if (is_loud(request)) {
            fprintf(stderr, "%s: invalid option -- '%c'\n", request->argv[0], letter);
        }
        *libc_optopt = letter;
        return '?';
    }
    if (found[1] == ':') {
        return letter_argument(request, letter, found[2] == ':');
    }
    return letter;
}

// Brings scan.next to the next word of options. False: *result is the answer.
static bool word_find(const struct request *request, int *result)
{
    int argc = request->argc;
    char **argv = request->argv;
    if (scan.last_operand > *libc_optind) {
        scan.last_operand = *libc_optind;
    }
    if (scan.first_operand > *libc_optind) {
        scan.first_operand = *libc_optind;
    }
    if (scan.order == PERMUTE) {
        if (scan.first_operand != scan.last_operand && scan.last_operand != *libc_optind) {
            operands_move(argv);
        } else if (scan.last_operand != *libc_optind) {
            scan.first_operand = *libc_optind;
        }
        while (*libc_optind < argc && is_operand(argv[*libc_optind])) {
            ++*libc_optind;
        }
        scan.last_operand = *libc_optind;
    }
    if (*libc_optind != argc && strcmp(argv[*libc_optind], "--") == 0) {
        ++*libc_optind;
        if (scan.first_operand != scan.last_operand && scan.last_operand != *libc_optind) {
            operands_move(argv);
        } else if (scan.first_operand == scan.last_operand) {
            scan.first_operand = *libc_optind;
        }
        scan.last_operand = argc;
        *libc_optind = argc;
    }
    if (*libc_optind == argc) {
        if (scan.first_operand != scan.last_operand) {
            *libc_optind = scan.first_operand;
        }
        *result = -1;
        return false;
    }
    char *word = argv[*libc_optind];
    if (is_operand(word)) {
        *result = -1;
        if (scan.order == RETURN_IN_ORDER) {
            *libc_optarg = word;
            ++*libc_optind;
            *result = 1;
        }
        return false;
    }
    scan.next = word + 1;
    return true;
}

static int option_next(struct request *request)
{
    if (request->argc < 1) {
        return -1;
    }
    *libc_optarg = NULL;
    if (*libc_optind == 0 || !scan.is_started) {
        request->letters = scan_start(request->letters);
    } else if (*request->letters == '-' || *request->letters == '+') {
        ++request->letters;
    }
    request->be_silent = *request->letters == ':';
    if (scan.next == NULL || *scan.next == 0) {
        int result;
        if (!word_find(request, &result)) {
            return result;
        }
        if (request->names != NULL && *scan.next == '-') {
            ++scan.next;
            return name_take(request, "--");
        }
        if (request->names != NULL && request->only_long &&
            (scan.next[1] != 0 || strchr(request->letters, *scan.next) == NULL)) {
            result = name_take(request, "-");
            if (result != -1) {
                return result;
            }
        }
    }
    return letter_take(request);
}

EXPORT(int, getopt, int argc, char *const *argv, const char *letters)
{
    struct request request = {argc, (char **)(uintptr_t)argv, letters, NULL, NULL, false, false};
    return option_next(&request);
}

// POSIX's: stops at the first operand.
EXPORT(int, __posix_getopt, int argc, char *const *argv, const char *letters)
{
    struct request request = {argc, (char **)(uintptr_t)argv, letters, NULL, NULL, false, false};
    if (!scan.is_started || *libc_optind == 0) {
        scan_start("+");
    }
    scan.order = REQUIRE_ORDER;
    return option_next(&request);
}

EXPORT(int, getopt_long, int argc, char *const *argv, const char *letters,
       const struct option *names, int *name_index)
{
    struct request request = {argc, (char **)(uintptr_t)argv, letters, names, name_index, false,
                              false};
    return option_next(&request);
}

EXPORT(int, getopt_long_only, int argc, char *const *argv, const char *letters,
       const struct option *names, int *name_index)
{
    struct request request = {argc, (char **)(uintptr_t)argv, letters, names, name_index, true,
                              false};
    return option_next(&request);
}

void libc_getopt_swap(struct libc_getopt *other)
{
    struct libc_getopt now = {*libc_optind, *libc_optopt, *libc_opterr != 0, *libc_optarg, scan};
    *libc_optind = other->index;
    *libc_optopt = other->letter;
    *libc_opterr = other->is_loud;
    *libc_optarg = other->argument;
    scan = other->scan;
    *other = now;
}
