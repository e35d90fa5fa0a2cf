// SPDX-License-Identifier: BSD-3-Clause
// command.h: other programs that osv-image runs.
#ifndef SIM_IMAGE_COMMAND_H
#define SIM_IMAGE_COMMAND_H

// Runs arguments[0], looked up in PATH, and waits for it. Where it fails, so does osv-image, with
// the last line that it has written; where it is not there, with the Debian package that has it.
void command_run(const char *package, const char *const *arguments);

#endif
