// SPDX-License-Identifier: BSD-3-Clause
// waits.c: says "ready" and waits for SIGINT, as its argument says: default, handle, or busy.
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t stop;

static void on_interrupt(int signal)
{
    (void)signal;
    stop = 1;
}

int main(int argc, char **argv)
{
    const char *how = argc > 1 ? argv[1] : "default";
    if (strcmp(how, "default") != 0) {
        signal(SIGINT, on_interrupt);
    }
    fprintf(stderr, "ready\n");
    while (!stop) {
        if (strcmp(how, "busy") != 0) {
            pause();
        }
    }
    return 7;
}
