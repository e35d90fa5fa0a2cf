// SPDX-License-Identifier: BSD-3-Clause
// command.c: argp: command lines, help in many forms, and errors.
#include <argp.h>
#include <stdlib.h>
#include <string.h>

#include "same.h"

const char *argp_program_version = "same 1.2";
const char *argp_program_bug_address = "<nobody@example.org>";

static const struct argp_option options[] = {
    {"verbose", 'v', 0, 0, "Produce verbose output"},
    {"quiet", 'q', 0, 0, "Don't produce any output"},
    {"silent", 's', 0, OPTION_ALIAS},
    {"output", 'o', "FILE", 0, "Output to FILE instead of standard output"},
    {0, 0, 0, 0, "The following options should be grouped together:"},
    {"repeat", 'r', "COUNT", OPTION_ARG_OPTIONAL,
     "Repeat the output COUNT (default 10) times, and explain it in a text that is so long that it "
     "must be wrapped at least once or twice"},
    {"abort", 300, 0, 0, "Abort before showing any output"},
    {"a-very-long-option-name-that-does-not-fit", 'L', "ARGUMENT", 0, "Long"},
    {"exactly-twenty-one-xx", 301, 0, 0, "Column"},
    {"hidden", 302, 0, OPTION_HIDDEN, "Hidden"},
    {"no-usage", 303, 0, OPTION_NO_USAGE, "Not in usage"},
    {"document", 0, 0, OPTION_DOC, "A documentation option"},
    {"--looks-like", 0, 0, OPTION_DOC | OPTION_NO_USAGE, "Looks like one"},
    {0, 'x', 0, 0, "Only a letter"},
    {0, 'y', "ARG", 0, "Letter with argument"},
    {0, 'z', "ARG", OPTION_ARG_OPTIONAL, "Letter with optional argument"},
    {"Upper", 'V' + 1, 0, 0, "Case"},
    {"wide", 'w', 0, 0, "Case, small"},
    {0, 0, 0, 0, "Last group", 7},
    {"last", 'l', 0, 0, 0},
    {"minus", 'm', "N", 0, "Group of -2", -2},
    {0}};

static int show(int key, char *argument, struct argp_state *state)
{
    printf("parser %s: key %x arg %s next %d arg_num %u\n", (char *)state->input, key,
           argument == NULL ? "NULL" : argument, state->next, state->arg_num);
    switch (key) {
    case ARGP_KEY_INIT:
        state->err_stream = stdout;
        if (state->root_argp->children != NULL && state->child_inputs != NULL) {
            state->child_inputs[0] = "first child";
        }
        return 0;
    case 300:
        argp_error(state, "abort %d", 5);
        return 0;
    case 301:
        argp_failure(state, 0, ENOENT, "failure %s", "text");
        return EINVAL;
    case ARGP_KEY_ARG:
        if (argument[0] == '@') {
            argp_usage(state);
        }
        return argument[0] == '!' ? ARGP_ERR_UNKNOWN : 0;
    case ARGP_KEY_NO_ARGS:
    case ARGP_KEY_END:
    case ARGP_KEY_SUCCESS:
    case ARGP_KEY_ERROR:
    case ARGP_KEY_FINI:
    case ARGP_KEY_ARGS:
        return 0;
    default:
        return (key > 0 && key < 400) || key == -5 ? 0 : ARGP_ERR_UNKNOWN;
    }
}

static char *filter(int key, const char *text, void *input)
{
    char *result;
    if (key == ARGP_KEY_HELP_EXTRA) {
        return strdup("Extra text.");
    }
    if (text == NULL || key == ARGP_KEY_HELP_DUP_ARGS_NOTE) {
        return NULL;
    }
    if (key == ARGP_KEY_HELP_ARGS_DOC) {
        return (char *)text;
    }
    asprintf(&result, "<%x %s>", key, text);
    return result;
}

static const struct argp_option child_options[] = {{"child", 'c', "X", 0, "Of the child"},
                                                   {"verbose", 'v', 0, 0, "Shadowed"},
                                                   {"zebra", 'Z', 0, 0, "Z"},
                                                   {"apple", 'A', 0, 0, "A"},
                                                   {0}};
static const struct argp_option grand_options[] = {{"grand", 'g', 0, 0, "Of the grandchild"}, {0}};
static const struct argp grand = {grand_options, show, "GRAND", "Grand doc\vGrand post"};
static const struct argp_child grands[] = {{&grand, 0, "Grandchild options:", 0}, {0}};
static const struct argp child = {child_options, show, "CHILD\nOTHER", "Child doc", grands};
static const struct argp plain_child = {grand_options, show, 0, "Plain", 0, filter};
static const struct argp_child headed[] = {
    {&child, 0, "Child options:", 3}, {&plain_child, 0, 0, 0}, {0}};
static const struct argp_child grouped[] = {
    {&child, 0, 0, -3}, {&grand, 0, "", 2}, {&plain_child, 0, "Last", 0}, {0}};

static const struct argp argps[] = {
    {options, show, "FILE...",
     "Program -- does things, and says so in a sentence that is longer than one line of eighty "
     "columns\vMore text at the end."},
    {options, show, "FILE...\n-x ONE TWO\nNOTHING", 0},
    {0, show, 0, "Only a doc"},
    {options, show, "A", "Doc\vPost", headed},
    {child_options, show, "A\nB", "Doc\vPost", grouped, filter},
    {child_options, show, 0, "\vOnly post", headed, filter}};

static char *const lines[][8] = {
    {"same"},
    {"same", "--help"},
    {"/bin/same", "--usage"},
    {"same", "--version"},
    {"same", "-V"},
    {"same", "-?"},
    {"same", "a", "-v", "b", "--", "-q", "c"},
    {"same", "--output=f", "-o", "g", "-oh", "-vq", "--repeat", "--rep=5", "-r7"},
    {"same", "--bad"},
    {"same", "-k"},
    {"same", "--output"},
    {"same", "--abort", "x"},
    {"same", "--exact"},
    {"same", "@"},
    {"same", "!", "z"},
    {"same", "a", "!"},
    {"same", "--child=1", "-g", "-A"},
    {"same", "-m"},
    {"same", "--program-name=/x/other", "--usage"},
    {"same", "--hidden", "-x", "-y", "q", "-z"}};

static void run(const struct argp *argp, size_t line, unsigned flags, int with_end)
{
    char *words[10] = {"same"}, **argv = words + 1; // ARGP_PARSE_ARGV0 looks before it
    int argc = 0, end = -1;
    while (argc < 8 && lines[line][argc] != NULL) {
        argv[argc] = lines[line][argc];
        ++argc;
    }
    printf("-- argp %d line %zu flags %x\n", (int)(argp - argps), line, flags);
    int error = argp_parse(argp, argc, argv, flags | ARGP_NO_EXIT, with_end ? &end : NULL, "root");
    printf("error %d end %d:", error, end);
    for (int i = 0; i < argc; ++i) {
        printf(" %s", argv[i]);
    }
    puts("");
}

void command_section(void)
{
    static const char *const formats[] = {
        NULL,
        "rmargin=72",
        "dup-args,no-dup-args-note",
        "short-opt-col=0,long-opt-col=4,opt-doc-col=30,header-col=3",
        "usage-indent=4 rmargin=63",
        "no-dup-args-note,doc-opt-col=5"};
    static const unsigned flags[] = {
        0,           ARGP_IN_ORDER, ARGP_NO_ARGS, ARGP_LONG_ONLY, ARGP_NO_ERRS, ARGP_PARSE_ARGV0,
        ARGP_NO_HELP};
    program_invocation_name = "/bin/same";
    program_invocation_short_name = "same";
    for (size_t i = 0; i < sizeof argps / sizeof argps[0]; ++i) {
        for (size_t j = 0; j < sizeof lines / sizeof lines[0]; ++j) {
            run(&argps[i], j, 0, j % 2);
            program_invocation_short_name = "same";
        }
        for (size_t j = 0; j < sizeof formats / sizeof formats[0]; ++j) {
            if (formats[j] != NULL) {
                setenv("ARGP_HELP_FMT", formats[j], 1);
            }
            printf("format %s\n", formats[j] == NULL ? "" : formats[j]);
            for (unsigned help = 1; help < 0x80; help *= 2) {
                argp_help(&argps[i], stdout, help, "name");
            }
            argp_help(&argps[i], stdout, ARGP_HELP_STD_HELP & ~ARGP_HELP_EXIT_OK, "name");
            unsetenv("ARGP_HELP_FMT");
        }
    }
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; ++i) {
        for (size_t j = 6; j < sizeof lines / sizeof lines[0]; ++j) {
            run(&argps[0], j, flags[i], 1);
            program_invocation_short_name = "same";
        }
    }
}
