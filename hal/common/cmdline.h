// SPDX-License-Identifier: BSD-3-Clause
// cmdline.h: the boot loader's command line as a list of words.
#ifndef HAL_COMMON_CMDLINE_H
#define HAL_COMMON_CMDLINE_H

enum { CMDLINE_SIZE = 4096, CMDLINE_WORDS = 256 };

// Copies line (NULL is an empty one) and splits the copy: blanks separate words, double quotes hold
// blanks together and fall away, a backslash makes the next byte one like others and falls away,
// too. Longer lines and more words are cut off. The list ends with NULL and stays valid; one per
// boot.
const char *const *cmdline_split(const char *line);

#endif
