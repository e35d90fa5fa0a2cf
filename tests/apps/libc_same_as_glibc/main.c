// SPDX-License-Identifier: BSD-3-Clause
// main.c: prints what the C library answers; `program SECTION...` prints these sections only. What
// it prints on Linux is what it must print on osv-sim.
#include <stdbool.h>
#include <string.h>

#include "same.h"

static const struct section {
    const char *name;
    void (*run)(void);
} sections[] = {
    // clang-format off: one a line
    {"printf", printf_section},       {"scanf", scanf_section},
    {"number", number_section},       {"printf_wide", printf_wide_section},
    {"locale", locale_section},       {"wide", wide_section},
    {"time", time_section},           {"string", string_section},
    {"random", random_section},       {"search", search_section},
    {"text", text_section},           {"limit", limit_section},
    {"stream", stream_section},       {"vector", vector_section},
    {"command", command_section},     {"glob", glob_section},
    {"account", account_section},     {"pattern", pattern_section},
    {"semaphore", semaphore_section},
    // clang-format on
};

int main(int argc, char **argv)
{
    for (size_t i = 0; i < sizeof sections / sizeof sections[0]; ++i) {
        bool is_wanted = argc == 1;
        for (int j = 1; j < argc; ++j) {
            is_wanted |= strcmp(argv[j], sections[i].name) == 0;
        }
        if (is_wanted) {
            printf("== %s\n", sections[i].name);
            sections[i].run();
        }
    }
    return 0;
}
