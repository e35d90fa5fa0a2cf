// SPDX-License-Identifier: BSD-3-Clause
// getopt_state.h: getopt for a command line beside the program's own.
#ifndef CORE_LIBC_GETOPT_STATE_H
#define CORE_LIBC_GETOPT_STATE_H

#include <stdbool.h>

// All that getopt keeps between calls; zeros before the first one.
struct libc_getopt {
    int index, letter; // optind, optopt
    bool is_loud;      // opterr
    char *argument;    // optarg
    struct {
        bool is_started;
        int order;
        char *next; // in a word of short options; NULL or "": go to the next word
        int first_operand, last_operand;
    } scan;
};

// Exchanges it for what getopt keeps now.
void libc_getopt_swap(struct libc_getopt *other);

#endif
