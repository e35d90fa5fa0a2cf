// SPDX-License-Identifier: BSD-3-Clause
// mounts.h: what the program sees of the host's files.
#ifndef SIM_MOUNTS_H
#define SIM_MOUNTS_H

#include "sim/options.h"

enum { MOUNTS_MAX = OPTIONS_MOUNT_MAX + 16 };

// Makes a file-system device for each directory that the program at path shall see, with the
// current directory cwd. The answer, in the order in which they are to be mounted, is core's
// options "--mount=virtiofs:TAG:GUEST:ro" in arguments, and their number.
size_t mounts_add(const struct options *options, const char *path, const char *cwd,
                  const char *arguments[MOUNTS_MAX]);

// For a program that failed: says which of its arguments name something of the host's that it does
// not see, and how it would.
void mounts_explain(char *const *arguments);

#endif
