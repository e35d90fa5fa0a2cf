// SPDX-License-Identifier: BSD-3-Clause
// output.c: files as a whole.
#include "sim/image/output.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "sim/image/fail.h"
#include "sim/image/scratch.h"

enum { COPY_SIZE = 1 << 20 };

struct output {
    FILE *file;
    char *path;
    uint64_t size;
};

uint64_t file_size(const char *path)
{
    struct stat status;
    if (stat(path, &status) != 0) {
        fail_errno(path);
    }
    return (uint64_t)status.st_size;
}

static FILE *input_open(const char *path)
{
    FILE *file = fopen(path, "rbe");
    if (file == NULL) {
        fail_errno(path);
    }
    return file;
}

char *file_read(const char *path, size_t *size)
{
    FILE *file = input_open(path);
    const size_t room = file_size(path);
    char *bytes = memory_new(room);
    *size = fread(bytes, 1, room, file);
    if (ferror(file)) {
        fail_errno(path);
    }
    fclose(file);
    return bytes;
}

static struct output *output_open_as(const char *path, const char *mode)
{
    struct output *output = memory_new(sizeof *output);
    output->path = text_make("%s", path);
    output->file = fopen(path, mode);
    if (output->file == NULL) {
        fail_errno(path);
    }
    return output;
}

struct output *output_open(const char *path)
{
    return output_open_as(path, "wbe");
}

void file_append(const char *path, const void *bytes, size_t size)
{
    struct output *output = output_open_as(path, "abe");
    output_write(output, bytes, size);
    output_close(output);
}

void output_write(struct output *output, const void *bytes, size_t size)
{
    if (fwrite(bytes, 1, size, output->file) != size) {
        fail_errno(output->path);
    }
    output->size += size;
}

void output_pad(struct output *output, uint64_t offset)
{
    static const char zeroes[4096];
    while (output->size < offset) {
        const uint64_t left = offset - output->size;
        output_write(output, zeroes, left < sizeof zeroes ? left : sizeof zeroes);
    }
}

void output_copy(struct output *output, const char *path)
{
    static char buffer[COPY_SIZE];
    FILE *file = input_open(path);
    size_t size;
    while ((size = fread(buffer, 1, sizeof buffer, file)) > 0) {
        scratch_check();
        output_write(output, buffer, size);
    }
    if (ferror(file)) {
        fail_errno(path);
    }
    fclose(file);
}

void output_close(struct output *output)
{
    if (fclose(output->file) != 0) {
        fail_errno(output->path);
    }
    free(output->path);
    free(output);
}
