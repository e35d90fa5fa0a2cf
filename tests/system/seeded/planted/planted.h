// SPDX-License-Identifier: BSD-3-Clause
// planted.h: small programs with a mistake that only a rare schedule shows, and without it.
//
//     PROGRAM [planted|right [ROUNDS]]    prints "done"; or "wrong: " and what, with status 1
#ifndef TESTS_SYSTEM_SEEDED_PLANTED_PLANTED_H
#define TESTS_SYSTEM_SEEDED_PLANTED_PLANTED_H

#include <pthread.h>
#include <stdbool.h>

extern bool is_planted;

// Ends the program where condition does not hold.
void check(bool condition, const char *what);

// pthread_create; the thread has a CPU of its own where there are two, so that both run at once.
void thread_start(pthread_t *thread, void *(*body)(void *), void *argument);

// Runs mine and, in a new thread, other, to the end of both.
void run_beside(void (*mine)(void), void (*other)(void));

// One round, for the program to define: as if it was the first.
void play_round(void);

#endif
