// SPDX-License-Identifier: BSD-3-Clause
// output.h: files as a whole. Where one cannot be read or written, the run ends.
#ifndef SIM_IMAGE_OUTPUT_H
#define SIM_IMAGE_OUTPUT_H

#include <stddef.h>
#include <stdint.h>

uint64_t file_size(const char *path);

// All of it, for free().
char *file_read(const char *path, size_t *size);

void file_append(const char *path, const void *bytes, size_t size);

struct output; // a file that is being written

struct output *output_open(const char *path);
void output_write(struct output *output, const void *bytes, size_t size);
void output_pad(struct output *output, uint64_t offset); // zeroes up to there
void output_copy(struct output *output, const char *path);
void output_close(struct output *output);

#endif
