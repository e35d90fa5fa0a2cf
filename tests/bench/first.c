// SPDX-License-Identifier: BSD-3-Clause
// first.c: a program that writes one line, and tells instructions.c when it is about to and when it
// has.
#include <unistd.h>

// A no-op that nobody else has.
#define MARK(number)                                                                               \
    __asm__ volatile(".byte 0x0f, 0x1f, 0x80, " #number ", 'O', 'S', 'v'" ::: "memory")

int main(void)
{
    MARK(1);
    if (write(1, "first line\n", 11) != 11) {
        return 1;
    }
    MARK(2);
    return 0;
}
