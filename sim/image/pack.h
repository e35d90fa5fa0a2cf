// SPDX-License-Identifier: BSD-3-Clause
// pack.h: what a program needs beside itself: its interpreter if it is a script, and libraries.
#ifndef SIM_IMAGE_PACK_H
#define SIM_IMAGE_PACK_H

#include <stdbool.h>

#include "sim/image/search.h"

// Takes the program at path, absolute in the image, and all that it needs from the host, as far as
// the tree does not have it. What is missing, or not a program that the kernel runs, ends the run.
void pack_program(struct search *search, const char *path);

// The same for a file that the tree has, which need not be a program.
void pack_file(struct search *search, const char *path);

#endif
