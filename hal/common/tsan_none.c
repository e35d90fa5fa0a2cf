// SPDX-License-Identifier: BSD-3-Clause
// tsan_none.c: applications compiled with -fsanitize=thread on a machine that does not look at
// their accesses.
#include "hal/common/tsan.h"
