// SPDX-License-Identifier: BSD-3-Clause
// cmdline.c: the boot loader's command line as a list of words.
//
// The words are written over the copy that they are read from: a word never grows, so the write
// position never passes the read position.
#include "hal/common/cmdline.h"

#include <stdbool.h>
#include <stddef.h>

static char text[CMDLINE_SIZE];
static const char *words[CMDLINE_WORDS + 1];

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\n';
}

static void text_copy(const char *line)
{
    size_t size = 0;
    while (line != NULL && size < CMDLINE_SIZE - 1 && line[size] != 0) {
        text[size] = line[size];
        ++size;
    }
    text[size] = 0;
}

// Reads one word at *at, which is not blank, and leaves *at behind it.
static const char *word_take(size_t *at)
{
    size_t from = *at, to = *at;
    const char *word = &text[to];
    bool quoted = false;
    while (text[from] != 0 && (quoted || !is_blank(text[from]))) {
        if (text[from] == '"') {
            quoted = !quoted;
        } else {
            from += text[from] == '\\' && text[from + 1] != 0; // the next one as it is
            text[to++] = text[from];
        }
        ++from;
    }
    *at = text[from] == 0 ? from : from + 1;
    text[to] = 0;
    return word;
}

const char *const *cmdline_split(const char *line)
{
    text_copy(line);
    size_t at = 0, count = 0;
    while (count < CMDLINE_WORDS) {
        while (is_blank(text[at])) {
            ++at;
        }
        if (text[at] == 0) {
            break;
        }
        words[count++] = word_take(&at);
    }
    words[count] = NULL;
    return words;
}
