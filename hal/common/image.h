// SPDX-License-Identifier: BSD-3-Clause
// image.h: what osv-image writes into a kernel's file, so that the file boots one program: a note
// of the ELF file (System V gABI, "Note Section") whose name is IMAGE_NOTE_NAME, whose type is
// IMAGE_NOTE_TYPE, and whose value is a struct image. In a plain kernel it has no words and no
// root.
#ifndef HAL_COMMON_IMAGE_H
#define HAL_COMMON_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IMAGE_NOTE_NAME "OSv"
#define IMAGE_KERNEL_VERSION "0.1"

enum {
    IMAGE_NOTE_TYPE = 1,
    IMAGE_VERSION = 1, // of struct image
    IMAGE_WORDS_MAX = 256,
    IMAGE_WORDS_SIZE = 4016,
};

// Notes are aligned to 4.
struct image {
    uint32_t version;
    uint32_t words_size;            // bytes of words that are used
    uint64_t root_start, root_size; // a module in memory, loaded with the kernel; size 0: none
    // Within that module or, where there is none, the loader's last one: an ELF file of nothing but
    // the symbols of the kernel's functions. Size 0: none.
    uint64_t symbols_offset, symbols_size;
    char kernel_version[24];
    char words[IMAGE_WORDS_SIZE]; // the command line; a NUL ends each word
} __attribute__((packed, aligned(4)));

_Static_assert(sizeof(struct image) == 4080, "the layout is one between two programs");

struct image_note {
    uint32_t name_size, size, type;
    char name[sizeof IMAGE_NOTE_NAME];
    struct image image;
};

_Static_assert(sizeof IMAGE_NOTE_NAME == 4 && sizeof(struct image_note) == 4096, "no padding");

// Of the kernel that asks.
extern const struct image_note image_note;

// Whether image is one that can be believed: its words end within it.
static inline bool image_is_right(const struct image *image)
{
    return image->version == IMAGE_VERSION && image->words_size <= IMAGE_WORDS_SIZE &&
           (image->words_size == 0 || image->words[image->words_size - 1] == 0);
}

// The command line as a list of words that ends with NULL: options of image, options of line, "--",
// and the program of line or, where that has none, the one of image. line, which may be NULL, is
// split and cut off as cmdline_split says; image, which is right, stays where it is. One per boot.
const char *const *image_arguments(const struct image *image, const char *line);

#endif
