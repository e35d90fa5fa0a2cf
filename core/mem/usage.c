// SPDX-License-Identifier: BSD-3-Clause
// usage.c: the counts of usage.h. Each is raised after its frames were taken and lowered before
// they are given back, or the other way round: a moment's answer is all that anybody gets.
#include "core/mem/usage.h"

_Atomic size_t usage_counts[USAGE_COUNT];
_Atomic size_t usage_balloon_taken, usage_balloon_returned;
