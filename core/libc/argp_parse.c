// SPDX-License-Identifier: BSD-3-Clause
// argp_parse.c: argp_parse: a command line, given to a tree of parsers.
//
// getopt finds the options; the number that it returns says whose one is: a letter is its own, a
// name's is the place of the parser in the tree and the key. Invariant: the state's `next` is what
// getopt looks at next.
#include "core/libc/argp.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/elf/program.h"
#include "core/lib/assert.h"
#include "core/libc/copied.h"
#include "core/libc/export.h"
#include "core/libc/getopt_state.h"
#include "core/libc/libc.h"
#include "core/libc/memory.h"

enum { // what parsers are told
    KEY_ARG = 0,
    KEY_END = 0x1000001,
    KEY_NO_ARGS = 0x1000002,
    KEY_INIT = 0x1000003,
    KEY_SUCCESS = 0x1000004,
    KEY_ERROR = 0x1000005,
    KEY_ARGS = 0x1000006,
    KEY_FINI = 0x1000007,
};

enum {
    UNKNOWN = E2BIG, // what a parser says of what is not its own
    KEY_BITS = 24,
    KEY_PROGRAM_NAME = -2,
    KEY_USAGE = -3,
    KEY_HANG = -4,
    HANG_SECONDS = 3600,
    USAGE_STATUS = 64,
    NODES_MAX = 127,
};

const char *glibc_argp_program_version;
const char *glibc_argp_program_bug_address;
void (*glibc_argp_program_version_hook)(FILE *, struct argp_state *);
int glibc_argp_err_exit_status = USAGE_STATUS;

void glibc_argp_state_help(const struct argp_state *state, FILE *stream, unsigned flags);
void glibc_argp_error(const struct argp_state *state, const char *pattern, ...);
int glibc_getopt_long(int argc, char *const *argv, const char *letters, const struct option *names,
                      int *name_index);
int glibc_getopt_long_only(int argc, char *const *argv, const char *letters,
                           const struct option *names, int *name_index);

void *libc_argp_variable(const char *name)
{
    void *variable = NULL;
    ASSERT(elf_symbol_find(ELF_DEFAULT, name, NULL, NULL, &variable) == 0);
    return variable;
}

// What a parser has of its own, beside the node of the same number.
struct group {
    void *input, **child_inputs, *hook;
    unsigned argument_count;
    size_t letters_end; // the letters up to here are its own or of parsers before
};

struct parser {
    struct argp_node *nodes;
    size_t count;
    struct group *groups;
    char *letters;
    struct option *names;
    size_t letter_count, name_count, child_count;
    void **child_inputs;
    bool wants_options; // nothing has said "--" yet
    struct libc_getopt getopt;
    struct argp_state state;
};

bool libc_argp_is_end(const struct argp_option *option)
{
    return option->key == 0 && option->name == NULL && option->doc == NULL && option->group == 0;
}

bool libc_argp_is_short(const struct argp_option *option)
{
    return (option->flags & OPTION_DOC) == 0 && option->key > ' ' - 1 && option->key < 0x7f;
}

static size_t children_count(const struct argp *argp)
{
    size_t count = 0;
    while (argp->children != NULL && argp->children[count].argp != NULL) {
        ++count;
    }
    return count;
}

// Parents before children: each node that is added is asked for its next child until it has none.
struct argp_node *libc_argp_list(const struct argp *root, size_t *count)
{
    struct argp_node *nodes = libc_calloc(NODES_MAX, sizeof *nodes);
    size_t next_child[NODES_MAX] = {0};
    size_t at = 0;
    if (nodes == NULL) {
        return NULL;
    }
    nodes[0] = (struct argp_node){.argp = root};
    *count = 1;
    for (;;) {
        const struct argp_child *children = nodes[at].argp->children;
        size_t next = next_child[at]++;
        if (children != NULL && children[next].argp != NULL && *count < NODES_MAX) {
            nodes[*count] = (struct argp_node){children[next].argp, &children[next], at, next, 0};
            at = (*count)++;
        } else {
            nodes[at].end = *count;
            if (at == 0) {
                return nodes;
            }
            at = nodes[at].parent;
        }
    }
}

void *libc_argp_input(const struct argp *argp, const struct argp_state *state)
{
    const struct parser *parser = state == NULL ? NULL : state->parser;
    for (size_t i = 0; parser != NULL && i < parser->count; ++i) {
        if (parser->nodes[i].argp == argp) {
            return parser->groups[i].input;
        }
    }
    return NULL;
}

static bool name_is_known(const struct parser *parser, const char *name)
{
    for (size_t i = 0; i < parser->name_count; ++i) {
        if (strcmp(parser->names[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

static void options_convert(struct parser *parser, size_t index)
{
    const struct argp_option *option = parser->nodes[index].argp->options;
    const struct argp_option *real = option;
    for (; option != NULL && !libc_argp_is_end(option); ++option) {
        real = (option->flags & OPTION_ALIAS) == 0 ? option : real;
        if ((real->flags & OPTION_DOC) != 0) {
            continue;
        }
        bool is_optional = real->arg != NULL && (real->flags & OPTION_ARG_OPTIONAL) != 0;
        if (libc_argp_is_short(option)) {
            parser->letters[parser->letter_count++] = (char)option->key;
            for (int i = (real->arg != NULL) + is_optional; i > 0; --i) {
                parser->letters[parser->letter_count++] = ':';
            }
        }
        if (option->name != NULL && !name_is_known(parser, option->name)) {
            unsigned key = (unsigned)(option->key != 0 ? option->key : real->key);
            parser->names[parser->name_count++] = (struct option){
                .name = option->name,
                .has_arg = real->arg == NULL ? no_argument
                           : is_optional     ? optional_argument
                                             : required_argument,
                .val = (int)((key & ((1u << KEY_BITS) - 1)) | (unsigned)(index + 1) << KEY_BITS),
            };
        }
    }
    parser->groups[index].letters_end = parser->letter_count;
}

static void parser_free(struct parser *parser)
{
    libc_free(parser->nodes);
    libc_free(parser->groups);
    libc_free(parser->letters);
    libc_free(parser->names);
    libc_free(parser->child_inputs);
}

static int parser_make(struct parser *parser, const struct argp *root, unsigned flags)
{
    parser->nodes = libc_argp_list(root, &parser->count);
    if (parser->nodes == NULL) {
        return ENOMEM;
    }
    size_t options = 0;
    size_t children = 0;
    for (size_t i = 0; i < parser->count; ++i) {
        const struct argp *argp = parser->nodes[i].argp;
        for (const struct argp_option *option = argp->options;
             option != NULL && !libc_argp_is_end(option); ++option) {
            ++options;
        }
        children += children_count(argp);
    }
    parser->groups = libc_calloc(parser->count, sizeof *parser->groups);
    parser->letters = libc_calloc(1, 3 * options + 2);
    parser->names = libc_calloc(options + 1, sizeof *parser->names);
    parser->child_inputs = libc_calloc(children + 1, sizeof *parser->child_inputs);
    if (parser->groups == NULL || parser->letters == NULL || parser->names == NULL ||
        parser->child_inputs == NULL) {
        parser_free(parser);
        return ENOMEM;
    }
    if ((flags & (ARGP_IN_ORDER | ARGP_NO_ARGS)) != 0) {
        parser->letters[parser->letter_count++] = (flags & ARGP_IN_ORDER) != 0 ? '-' : '+';
    }
    for (size_t i = 0; i < parser->count; ++i) {
        options_convert(parser, i);
        parser->groups[i].child_inputs = parser->child_inputs + parser->child_count;
        parser->child_count += children_count(parser->nodes[i].argp);
    }
    return 0;
}

static int group_call(struct parser *parser, size_t index, int key, char *argument)
{
    struct group *group = &parser->groups[index];
    argp_parser *function = parser->nodes[index].argp->parser;
    if (function == NULL) {
        return UNKNOWN;
    }
    parser->state.hook = group->hook;
    parser->state.input = group->input;
    parser->state.child_inputs = group->child_inputs;
    parser->state.argument_count = group->argument_count;
    int error = function(key, argument, &parser->state);
    group->hook = parser->state.hook;
    return error;
}

// Each parser is told, until one fails; children first where `backwards`.
static int groups_call(struct parser *parser, int key, bool backwards)
{
    int error = 0;
    for (size_t i = 0; i < parser->count && (error == 0 || error == UNKNOWN); ++i) {
        size_t index = backwards ? parser->count - 1 - i : i;
        if (key != KEY_NO_ARGS || parser->groups[index].argument_count == 0) {
            error = group_call(parser, index, key, NULL);
        }
    }
    return error == UNKNOWN ? 0 : error;
}

static int groups_begin(struct parser *parser, void *input)
{
    int error = 0;
    parser->groups[0].input = input;
    for (size_t i = 0; i < parser->count && error == 0; ++i) {
        const struct argp_node *node = &parser->nodes[i];
        struct group *group = &parser->groups[i];
        if (i > 0) {
            group->input = parser->groups[node->parent].child_inputs[node->child_index];
        }
        if (node->argp->parser == NULL && children_count(node->argp) > 0) {
            group->child_inputs[0] = group->input;
        }
        error = group_call(parser, i, KEY_INIT, NULL);
        error = error == UNKNOWN ? 0 : error;
    }
    return error;
}

static int operand_parse(struct parser *parser, char *argument)
{
    struct argp_state *state = &parser->state;
    int index = --state->next;
    int error = UNKNOWN;
    int key = KEY_ARG;
    size_t taker = 0;
    for (size_t i = 0; i < parser->count && error == UNKNOWN; ++i) {
        taker = i;
        ++state->next;
        key = KEY_ARG;
        error = group_call(parser, i, key, argument);
        if (error == UNKNOWN) {
            --state->next;
            key = KEY_ARGS;
            error = group_call(parser, i, key, NULL);
        }
    }
    if (error != 0) {
        return error;
    }
    if (key == KEY_ARGS) {
        state->next = state->argc;
    }
    if (state->next > index) {
        parser->groups[taker].argument_count += (unsigned)(state->next - index);
    } else { // the parser wants it to be looked at again
        parser->wants_options = true;
    }
    return 0;
}

static int option_parse(struct parser *parser, int option, char *argument)
{
    size_t owner = (unsigned)option >> KEY_BITS;
    int error = UNKNOWN;
    if (owner == 0) {
        const char *letter = strchr(parser->letters, option);
        size_t place = letter == NULL ? parser->letter_count : (size_t)(letter - parser->letters);
        for (size_t i = 0; i < parser->count && letter != NULL; ++i) {
            if (parser->groups[i].letters_end > place) {
                error = group_call(parser, i, option, argument);
                break;
            }
        }
    } else {
        int key = (int)((unsigned)option << (32 - KEY_BITS)) >> (32 - KEY_BITS);
        error = group_call(parser, owner - 1, key, argument);
    }
    if (error == UNKNOWN) {
        static const char text[] = "(PROGRAM ERROR) Option should have been recognized!?";
        size_t i = 0;
        while (i < parser->name_count && parser->names[i].val != option) {
            ++i;
        }
        if (owner == 0) {
            glibc_argp_error(&parser->state, "-%c: %s", option, text);
        } else {
            glibc_argp_error(&parser->state, "--%s: %s",
                             i < parser->name_count ? parser->names[i].name : "???", text);
        }
    }
    return error;
}

// The next word. UNKNOWN and *is_end: there is none, or it is nobody's.
static int next_parse(struct parser *parser, bool *is_end)
{
    struct argp_state *state = &parser->state;
    int option = -1;
    char *argument = NULL;
    *is_end = false;
    if (state->quoted != 0 && state->next < state->quoted) {
        state->quoted = 0;
    }
    if (parser->wants_options && state->quoted == 0) {
        parser->getopt.index = state->next;
        parser->getopt.letter = -1;
        libc_getopt_swap(&parser->getopt);
        option =
            ((state->flags & ARGP_LONG_ONLY) != 0 ? glibc_getopt_long_only : glibc_getopt_long)(
                state->argc, state->argv, parser->letters, parser->names, NULL);
        libc_getopt_swap(&parser->getopt);
        state->next = parser->getopt.index;
        argument = parser->getopt.argument;
        if (option == -1) {
            parser->wants_options = false;
            if (state->next > 1 && strcmp(state->argv[state->next - 1], "--") == 0) {
                state->quoted = state->next;
            }
        } else if (option == '?' && parser->getopt.letter != -1) {
            return UNKNOWN; // getopt has said what is wrong
        }
    }
    if (option == -1) {
        if (state->next >= state->argc || (state->flags & ARGP_NO_ARGS) != 0) {
            *is_end = true;
            return UNKNOWN;
        }
        option = 1;
        argument = state->argv[state->next++];
    }
    if (option == 1) {
        int error = operand_parse(parser, argument);
        *is_end = error == UNKNOWN;
        return error;
    }
    return option_parse(parser, option, argument);
}

static int parser_end(struct parser *parser, int error, bool is_end, int *end_index)
{
    struct argp_state *state = &parser->state;
    error = error == UNKNOWN && is_end ? 0 : error;
    if (error == 0 && state->next == state->argc) {
        error = groups_call(parser, KEY_NO_ARGS, false);
        error = error != 0 ? error : groups_call(parser, KEY_END, true);
        if (error == 0 && end_index != NULL) {
            *end_index = state->next;
        }
    } else if (error == 0 && end_index != NULL) {
        *end_index = state->next;
    } else if (error == 0) {
        if ((state->flags & ARGP_NO_ERRS) == 0 && state->errors != NULL) {
            fprintf(state->errors, "%s: Too many arguments\n", state->name);
        }
        error = UNKNOWN;
    }
    if (error != 0) {
        if (error == UNKNOWN) {
            glibc_argp_state_help(state, state->errors, HELP_FOR_ERROR);
        }
        for (size_t i = 0; i < parser->count; ++i) {
            group_call(parser, i, KEY_ERROR, NULL);
        }
    } else {
        error = groups_call(parser, KEY_SUCCESS, true);
    }
    for (size_t i = parser->count; i > 0; --i) {
        group_call(parser, i - 1, KEY_FINI, NULL);
    }
    return error == UNKNOWN ? EINVAL : error;
}

static int default_parse(int key, char *argument, struct argp_state *state)
{
    switch (key) {
    case '?':
        glibc_argp_state_help(state, state->output, HELP_ALL);
        return 0;
    case KEY_USAGE:
        glibc_argp_state_help(state, state->output, HELP_USAGE | HELP_EXIT_OK);
        return 0;
    case KEY_PROGRAM_NAME: {
        const char *slash = strrchr(argument, '/');
        *libc_progname_full = argument;
        *libc_progname = slash == NULL ? argument : argument + (slash + 1 - argument);
        state->name = *libc_progname;
        if ((state->flags & (ARGP_PARSE_ARGV0 | ARGP_NO_ERRS)) == ARGP_PARSE_ARGV0) {
            state->argv[0] = argument;
        }
        return 0;
    }
    case KEY_HANG:
        for (int left = argument != NULL ? atoi(argument) : HANG_SECONDS; left > 0; --left) {
            sleep(1);
        }
        return 0;
    default:
        return UNKNOWN;
    }
}

static int version_parse(int key, char *argument, struct argp_state *state)
{
    (void)argument;
    if (key != 'V') {
        return UNKNOWN;
    }
    void (**hook)(FILE *, struct argp_state *) = libc_argp_variable("argp_program_version_hook");
    const char **version = libc_argp_variable("argp_program_version");
    if (*hook != NULL) {
        (*hook)(state->output, state);
    } else if (*version != NULL) {
        fprintf(state->output, "%s\n", *version);
    } else {
        glibc_argp_error(state, "%s", "(PROGRAM ERROR) No version known!?");
    }
    if ((state->flags & ARGP_NO_EXIT) == 0) {
        libc_exit(0);
    }
    return 0;
}

static const struct argp default_argp = {
    .options =
        (const struct argp_option[]){
            {"help", '?', NULL, 0, "Give this help list", -1},
            {"usage", KEY_USAGE, NULL, 0, "Give a short usage message", 0},
            {"program-name", KEY_PROGRAM_NAME, "NAME", OPTION_HIDDEN, "Set the program name", 0},
            {"HANG", KEY_HANG, "SECS", OPTION_ARG_OPTIONAL | OPTION_HIDDEN,
             "Hang for SECS seconds (default 3600)", 0},
            {0},
        },
    .parser = default_parse,
    .domain = "libc",
};

static const struct argp version_argp = {
    .options =
        (const struct argp_option[]){
            {"version", 'V', NULL, 0, "Print program version", -1},
            {0},
        },
    .parser = version_parse,
    .domain = "libc",
};

static char *name_of(unsigned flags, int argc, char **argv)
{
    if ((flags & ARGP_PARSE_ARGV0) != 0 || argc == 0 || argv[0] == NULL) {
        return *libc_progname;
    }
    char *slash = strrchr(argv[0], '/');
    return slash == NULL ? argv[0] : slash + 1;
}

static int tree_parse(const struct argp *root, int argc, char **argv, unsigned flags,
                      int *end_index, void *input)
{
    struct parser parser = {.wants_options = true};
    int error = parser_make(&parser, root, flags);
    if (error != 0) {
        return error;
    }
    parser.state = (struct argp_state){
        .root = root,
        .argc = argc,
        .argv = argv,
        .flags = flags,
        .name = name_of(flags, argc, argv),
        .errors = stderr,
        .output = stdout,
        .parser = &parser,
    };
    parser.getopt.is_loud = (flags & ARGP_NO_ERRS) == 0;
    bool is_end = false;
    error = groups_begin(&parser, input);
    if (error == 0) {
        while (error == 0) {
            error = next_parse(&parser, &is_end);
        }
        error = parser_end(&parser, error, is_end, end_index);
    }
    parser_free(&parser);
    return error;
}

EXPORT(int, argp_parse, const struct argp *argp, int argc, char **argv, unsigned flags,
       int *end_index, void *input)
{
    struct argp_child children[4] = {0};
    const struct argp top = {.children = children};
    size_t count = 0;
    if ((flags & ARGP_NO_HELP) == 0) {
        void **version = libc_argp_variable("argp_program_version");
        void **hook = libc_argp_variable("argp_program_version_hook");
        if (argp != NULL) {
            children[count++].argp = argp;
        }
        children[count++].argp = &default_argp;
        if (*version != NULL || *hook != NULL) {
            children[count++].argp = &version_argp;
        }
        argp = &top;
    }
    return tree_parse(argp, argc, argv, flags, end_index, input);
}
