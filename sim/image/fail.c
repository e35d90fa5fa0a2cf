// SPDX-License-Identifier: BSD-3-Clause
// fail.c: what the shared part of failures is told of osv-image.
#include "sim/image/fail.h"

const char tool_name[] = "osv-image";
const int tool_failed = EXIT_FAILED;
