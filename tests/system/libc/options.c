// SPDX-License-Identifier: BSD-3-Clause
// options.c: getopt as GNU has it.
#include <errno.h>
#include <error.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORDS_MAX = 16 };

static const struct option names[] = {
    {"alpha", no_argument, NULL, 'a'},       {"beta", required_argument, NULL, 'b'},
    {"gamma", optional_argument, NULL, 'g'}, {"alphabet", no_argument, NULL, 'z'},
    {"verbose", no_argument, NULL, 1000},    {NULL, 0, NULL, 0},
};

static void run(const char *letters, int way, const char *line)
{
    char copy[256];
    char *words[WORDS_MAX] = {"program"};
    int count = 1;
    strcpy(copy, line);
    for (char *word = strtok(copy, " "); word != NULL; word = strtok(NULL, " ")) {
        words[count++] = word;
    }
    words[count] = NULL;
    printf("%s / %s:", letters, line);
    optind = 0;
    int index = -1;
    int option;
    for (;;) {
        option = way == 0   ? getopt(count, words, letters)
                 : way == 1 ? getopt_long(count, words, letters, names, &index)
                            : getopt_long_only(count, words, letters, names, &index);
        if (option == -1) {
            break;
        }
        printf(" %d(%s,%d,%d)", option, optarg == NULL ? "-" : optarg, index,
               option == '?' ? optopt : 0);
    }
    printf(" | %d:", optind);
    for (int i = optind; i < count; ++i) {
        printf(" %s", words[i]);
    }
    puts("");
}

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    static const char *const lines[] = {
        "-a -b 1 x",
        "x -a y -b 2 z",
        "-ab3 -- -a",
        "-c",
        "-b",
        "--alpha x --beta=5",
        "--beta 6 --gamma --gamma=7",
        "--alp",
        "--alphab",
        "--bet 4",
        "--nothing",
        "--alpha=1",
        "--beta",
        "-",
        "a - -b 1",
        "-abc",
        "--verbose -a",
        "-alpha -beta 3",
        "",
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; ++i) {
        run("ab:", 0, lines[i]);
        run("ab:g::", 1, lines[i]);
        run("+ab:", 1, lines[i]);
        run("-ab:", 1, lines[i]);
        run(":ab:", 1, lines[i]);
        run("ab:", 2, lines[i]);
    }
    error(0, 0, "plain %d", 5);
    error(0, ENOENT, "with a number");
    error_at_line(0, 0, "file.c", 12, "at a line");
    printf("%u\n", error_message_count);
    error(3, EINVAL, "the end");
    return 0;
}
