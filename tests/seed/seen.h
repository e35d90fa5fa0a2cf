// SPDX-License-Identifier: BSD-3-Clause
// seen.h: for tests that look at guesses (seed_test's guesses): MARK_GUESS functions have points,
// too, and MARK_UNSEEN ones are one step.
#ifndef SEED_SEEN_H
#define SEED_SEEN_H

#undef MARK_GUESS
#define MARK_GUESS

// As mark.h's MARK_GUESS.
#ifdef __clang__
#define MARK_UNSEEN __attribute__((disable_sanitizer_instrumentation, noinline))
#else
#define MARK_UNSEEN __attribute__((no_sanitize("thread"), noipa))
#endif

#endif
