// SPDX-License-Identifier: BSD-3-Clause
// failure.c: what the shared part of failures is told of osv-run.
#include "sim/run/failure.h"

const char tool_name[] = "osv-run";
const int tool_failed = STATUS_CANNOT;
