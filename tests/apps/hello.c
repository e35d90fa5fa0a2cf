// SPDX-License-Identifier: BSD-3-Clause
// hello.c: the smallest program that shows arguments, environment, both streams and the exit status.
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    printf("hello, world\n");
    for (int i = 1; i < argc; ++i) {
        printf("argument %d: %s\n", i, argv[i]);
    }
    const char *value = getenv("HELLO");
    printf("HELLO is %s\n", value == NULL ? "not set" : value);
    fprintf(stderr, "and to the error stream\n");
    return argc > 1 ? atoi(argv[1]) : 0;
}
