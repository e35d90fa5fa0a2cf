// SPDX-License-Identifier: BSD-3-Clause
// seed_main.c: see seed_main.h.
#include "seed_main.h"

#include <stdio.h>
#include <string.h>

static int main_planted(const struct seed_test *tests, size_t count)
{
    for (size_t i = 0; i < count; ++i) {
        struct seed_result result = seed_enumerate(&tests[i]);
        if (result.violation != NULL) {
            printf("1..1\nok 1 - the planted bug is caught: %s\n", result.violation);
            return 0;
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
