// SPDX-License-Identifier: BSD-3-Clause
// image_fuzz.c: any bytes at all as an image: what osv-image finds in the file, and what the kernel
// then makes of its note and of a loader's command line, which is the same bytes.
//
// The mutator changes one number of the headers or of the note half of the time.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "hal/common/cmdline.h"
#include "hal/common/image.h"
#include "sim/image/kernel.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);

static volatile size_t touched; // so that no access is left out

static void arguments_touch(const struct image *image, const char *line)
{
    struct image *copy = malloc(sizeof *copy); // what lies behind it is not its own
    memcpy(copy, image, sizeof *copy);
    const char *const *words = image_arguments(copy, line);
    size_t count = 0;
    for (; words[count] != NULL; ++count) {
        touched += strlen(words[count]);
    }
    if (count > IMAGE_WORDS_MAX + 1 + CMDLINE_WORDS) {
        abort();
    }
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct kernel kernel;
    char *bytes = malloc(size + 1);
    memcpy(bytes, data, size);
    bytes[size] = 0;
    if (kernel_parse(&kernel, bytes, size) == NULL) {
        const Elf64_Phdr *root = kernel_root(&kernel);
        if (root != NULL && root->p_filesz > 0) {
            touched +=
                (size_t)bytes[root->p_offset] + (size_t)bytes[root->p_offset + root->p_filesz - 1];
        }
        if (kernel.size > size) {
            abort();
        }
        arguments_touch(kernel.image, bytes + size / 2);
    }
    free(bytes);
    return 0;
}

// ---- The mutator -------------------------------------------------------------------

static unsigned random_next(unsigned *state)
{
    *state = *state * 1664525 + 1013904223;
    return *state >> 8;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    static const uint64_t likely[] = {0,    1,    4,         4031,       4032,
                                      4033, 4096, INT32_MAX, UINT32_MAX, UINT64_MAX};
    unsigned state = seed;
    if (size < 1024 || random_next(&state) % 2 == 0) {
        return LLVMFuzzerMutate(data, size, max_size);
    }
    const size_t width = (size_t)2 << random_next(&state) % 3;
    const size_t at = random_next(&state) % 512 / 2 * 2;
    uint64_t number = likely[random_next(&state) % (sizeof likely / sizeof likely[0])];
    number += random_next(&state) % 3;
    memcpy(data + at, &number, width);
    return size;
}
