// SPDX-License-Identifier: BSD-3-Clause
// seed_main.c: see seed_main.h.
#include "seed_main.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void crashed(int signal)
{
    static const char text[] = "1..1\nok 1 - the planted bug is caught: a crash\n";
    (void)signal;
    _exit(write(STDOUT_FILENO, text, sizeof text - 1) == (ssize_t)sizeof text - 1 ? 0 : 1);
}

static unsigned preemptions_of(const struct seed_test *test)
{
    return test->preemption_max == 0 ? PREEMPTIONS_MAX : test->preemption_max;
}

// Few preemptions first: most bugs need no more, and all schedules with one are soon tried.
static int main_planted(const struct seed_test *tests, size_t count)
{
    (void)signal(SIGSEGV, crashed);
    for (unsigned max = 1; max <= PREEMPTIONS_MAX; ++max) {
        for (size_t i = 0; i < count; ++i) {
            struct seed_test test = tests[i];
            if (max > preemptions_of(&tests[i])) {
                continue;
            }
            test.preemption_max = max;
            test.marks = NULL;
            struct seed_result result = seed_enumerate(&test);
            if (result.violation != NULL) {
                printf("1..1\nok 1 - the planted bug is caught: %s\n", result.violation);
                return 0;
            }
        }
    }
    printf("1..1\nnot ok 1 - the planted bug is caught\n");
    return 1;
}

static int main_all(const struct seed_test *tests, size_t count)
{
    int failed = 0;
    printf("1..%zu\n", count);
    for (size_t i = 0; i < count; ++i) {
        struct seed_result result = seed_enumerate(&tests[i]);
        bool is_fine = result.violation == NULL && !result.is_mark_missing;
        failed |= !is_fine;
        printf("%s %zu - %s: %lu schedules%s\n", is_fine ? "ok" : "not ok", i + 1, tests[i].name,
               result.schedule_count, result.is_mark_missing ? "; a mark was not reached" : "");
        fflush(stdout);
    }
    return failed;
}

int seed_main(int argc, char **argv, const struct seed_test *tests, size_t count)
{
    bool planted = argc > 1 && strcmp(argv[1], "planted") == 0;
    return planted ? main_planted(tests, count) : main_all(tests, count);
}
