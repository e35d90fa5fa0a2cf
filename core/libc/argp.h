// SPDX-License-Identifier: BSD-3-Clause
// argp.h: GNU's argp, as its three files know it: argp_parse.c reads a command line, argp_help.c
// says what it may be, argp_text.c wraps lines.
//
// A parser and its children make a tree; all work goes through it as a list of nodes, parents
// before their children. The public structures have glibc's layout.
#ifndef CORE_LIBC_ARGP_H
#define CORE_LIBC_ARGP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct argp_state;

struct argp_option {
    const char *name;
    int key;
    const char *arg;
    int flags;
    const char *doc;
    int group;
};

typedef int argp_parser(int key, char *argument, struct argp_state *state);

struct argp {
    const struct argp_option *options;
    argp_parser *parser;
    const char *args_doc, *doc;
    const struct argp_child *children;
    char *(*help_filter)(int key, const char *text, void *input);
    const char *domain;
};

struct argp_child {
    const struct argp *argp;
    int flags;
    const char *header;
    int group;
};

struct argp_state {
    const struct argp *root;
    int argc;
    char **argv;
    int next;
    unsigned flags, argument_count;
    int quoted;
    void *input, **child_inputs, *hook;
    char *name;
    FILE *errors, *output;
    void *parser; // struct parser of argp_parse.c
};

enum { // of options
    OPTION_ARG_OPTIONAL = 1,
    OPTION_HIDDEN = 2,
    OPTION_ALIAS = 4,
    OPTION_DOC = 8,
    OPTION_NO_USAGE = 16
};

enum { // of parsing
    ARGP_PARSE_ARGV0 = 1,
    ARGP_NO_ERRS = 2,
    ARGP_NO_ARGS = 4,
    ARGP_IN_ORDER = 8,
    ARGP_NO_HELP = 16,
    ARGP_NO_EXIT = 32,
    ARGP_LONG_ONLY = 64
};

enum { // of help
    HELP_USAGE = 1,
    HELP_SHORT_USAGE = 2,
    HELP_SEE = 4,
    HELP_LONG = 8,
    HELP_PRE_DOC = 16,
    HELP_POST_DOC = 32,
    HELP_BUG_ADDRESS = 64,
    HELP_EXIT_ERROR = 0x100,
    HELP_EXIT_OK = 0x200,
    HELP_FOR_ERROR = HELP_SEE | HELP_EXIT_ERROR,
    HELP_ALL = HELP_SHORT_USAGE | HELP_LONG | HELP_EXIT_OK | HELP_PRE_DOC | HELP_POST_DOC |
               HELP_BUG_ADDRESS
};

// One argp of a tree, in the list of all.
struct argp_node {
    const struct argp *argp;
    const struct argp_child *as_child; // NULL: the root
    size_t parent;                     // its place in the list; the root's is its own
    size_t child_index;                // among its parent's children
    size_t end;                        // behind the last of its descendants
};

// The list of a tree; libc_free it. NULL: no memory.
struct argp_node *libc_argp_list(const struct argp *root, size_t *count);

// The end of a list of options; whether one has a short form, or is an alias of the one before.
bool libc_argp_is_end(const struct argp_option *option);
bool libc_argp_is_short(const struct argp_option *option);

// The variable of this name: the program's, where it has one.
void *libc_argp_variable(const char *name);

// What the parser was given for one of its argps: for filters of help.
void *libc_argp_input(const struct argp *argp, const struct argp_state *state);

// Text in lines: words that do not fit go to the next one. A line begins at the left margin, what
// was wrapped at the wrapping margin.
struct argp_text {
    FILE *stream;
    char *pending; // not yet wrapped
    size_t size, room;
    int column, left_margin, wrap_margin, right_margin;
    bool has_failed;
};

void libc_text_write(struct argp_text *text, const char *bytes, size_t size);
void libc_text_put(struct argp_text *text, const char *string);
void libc_text_print(struct argp_text *text, const char *pattern, ...);
void libc_text_wrap(struct argp_text *text); // what is pending; column is right afterwards
int libc_text_left_set(struct argp_text *text, int margin); // both return the old one
int libc_text_wrap_set(struct argp_text *text, int margin);
void libc_text_space(struct argp_text *text, size_t room); // or a new line, where room is missing
void libc_text_indent(struct argp_text *text, int column);
void libc_text_end(struct argp_text *text);

#endif
