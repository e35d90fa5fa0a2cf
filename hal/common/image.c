// SPDX-License-Identifier: BSD-3-Clause
// image.c: the command line of an image, and the note that holds it.
#include "hal/common/image.h"

#include "hal/common/cmdline.h"

// The file's bytes are changed after this was compiled: weak, so that the compiler believes none of
// them. Aligned, so that it is not aligned to more: the notes of a segment follow each other.
__attribute__((weak, used, aligned(4), section(".note.OSv"))) const struct image_note image_note = {
    .name_size = sizeof IMAGE_NOTE_NAME,
    .size = sizeof(struct image),
    .type = IMAGE_NOTE_TYPE,
    .name = IMAGE_NOTE_NAME,
    .image = {.version = IMAGE_VERSION, .kernel_version = IMAGE_KERNEL_VERSION},
};

static const char *own[IMAGE_WORDS_MAX + 1];
static const char *words[IMAGE_WORDS_MAX + 1 + CMDLINE_WORDS + 1]; // with "--" between

static void own_split(const struct image *image)
{
    size_t count = 0;
    for (size_t at = 0; at < image->words_size && count < IMAGE_WORDS_MAX; ++at) {
        own[count++] = &image->words[at];
        while (image->words[at] != 0) {
            ++at;
        }
    }
    own[count] = NULL;
}

static bool is_separator(const char *word)
{
    return word[0] == '-' && word[1] == '-' && word[2] == 0;
}

// Adds list up to its end or "--", and answers where that is.
static const char *const *options_add(const char *const *list, size_t *count)
{
    for (; *list != NULL && !is_separator(*list); ++list) {
        words[(*count)++] = *list;
    }
    return list;
}

const char *const *image_arguments(const struct image *image, const char *line)
{
    size_t count = 0;
    own_split(image);
    const char *const *own_program = options_add(own, &count);
    const char *const *program = options_add(cmdline_split(line), &count);
    for (program = *program == NULL ? own_program : program; *program != NULL; ++program) {
        words[count++] = *program;
    }
    words[count] = NULL;
    return words;
}
