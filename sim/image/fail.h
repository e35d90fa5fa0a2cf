// SPDX-License-Identifier: BSD-3-Clause
// fail.h: osv-image's exit statuses, and how it ends where it cannot go on.
#ifndef SIM_IMAGE_FAIL_H
#define SIM_IMAGE_FAIL_H

#include "sim/tool/failure.h"

enum { EXIT_FAILED = 1, EXIT_USAGE = 2 };

#endif
