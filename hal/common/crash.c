// SPDX-License-Identifier: BSD-3-Clause
// crash.c: the last words of a machine: one line that says what, then registers.
//
// It uses no memory but its own stack and calls nothing but the console, so that it works when
// little else does.
#include "hal/common/crash.h"

#include "hal/common/string.h"

static void text_write(const char *text)
{
    hal_console_write(text, text_size(text));
}

static void number_write(uint64_t value)
{
    char digits[16];
    for (int i = 0; i < 16; ++i) {
        digits[i] = "0123456789abcdef"[value >> (60 - 4 * i) & 15];
    }
    hal_console_write(digits, sizeof digits);
}

HAL_NORETURN void crash(const char *what, const struct crash_value *values, size_t count)
{
    text_write("machine: ");
    text_write(what);
    text_write("\n");
    for (size_t i = 0; i < count; ++i) {
        text_write("  ");
        text_write(values[i].name);
        text_write(" ");
        number_write(values[i].value);
        text_write(i % 4 == 3 || i + 1 == count ? "\n" : "");
    }
    hal_halt(HAL_CRASH, CRASH_STATUS);
}
