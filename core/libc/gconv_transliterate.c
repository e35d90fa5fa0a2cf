// SPDX-License-Identifier: BSD-3-Clause
// gconv_transliterate.c: //TRANSLIT: other characters in the place of one that a charset does not
// have, by the locale.
//
// A locale's LC_CTYPE file has texts in ascending order with what may stand for each, best first;
// what no list names becomes a question mark. The locale C has a list of its own (gconv_ascii.c).
// Also what the image's modules call.
#include <string.h>

#include "core/libc/encoding.h"
#include "core/libc/export.h"
#include "core/libc/gconv.h"

enum { LETTERS_MAX = 8 };

// The character that is to be replaced, and where to.
struct place {
    struct gconv_step *step;
    struct gconv_step_data *data;
    const unsigned char **in;
    unsigned char **out;
    size_t *irreversible;
};

// Writes count characters for the input's first used ones. Illegal: there is one among them that
// cannot be written either. *out is where the text ends, or as much of it as there was room for.
static int write_text(struct place *place, const uint32_t *text, size_t count, size_t used,
                      unsigned char **out)
{
    const unsigned char *in = (const unsigned char *)text;
    const unsigned char *in_end = (const unsigned char *)(text + count);
    int status =
        place->step->convert(place->step, place->data, &in, in_end, out, NULL, GCONV_CONVERT, 0);
    if (status == GCONV_EMPTY_INPUT) {
        *place->in += used * sizeof *text;
        ++*place->irreversible;
        status = GCONV_OK;
    }
    return status;
}

// The same, and nothing is written where there is no room for all.
static int try_text(struct place *place, const uint32_t *text, size_t count, size_t used)
{
    unsigned char *out = *place->out;
    int status = write_text(place, text, count, used, &out);
    if (status != GCONV_ILLEGAL_INPUT && status != GCONV_FULL_OUTPUT) {
        *place->out = out;
    }
    return status;
}

// What glibc's modules write before the question mark (a mark, an escape sequence) stays without
// it.
static int try_question_mark(struct place *place)
{
    static const uint32_t question_mark[] = {'?'};
    unsigned char *out = *place->out;
    int status = write_text(place, question_mark, 1, 1, &out);
    if (status != GCONV_ILLEGAL_INPUT) {
        *place->out = out;
    }
    return status;
}

static int try_ascii(struct place *place, uint32_t character)
{
    uint32_t text[LETTERS_MAX];
    size_t count;
    const char *letters = gconv_ascii_of(character, &count);
    if (letters == NULL || count > LETTERS_MAX) {
        return GCONV_ILLEGAL_INPUT;
    }
    for (size_t i = 0; i < count; ++i) {
        text[i] = (unsigned char)letters[i];
    }
    return try_text(place, text, count, 1);
}

// All that may stand for the list's text at index, which is used characters of the input.
static int try_list(struct place *place, const struct libc_replacements *list, size_t index,
                    size_t used)
{
    const uint32_t *text = list->to + list->to_index[index];
    do {
        size_t count = wcslen((const wchar_t *)text);
        int status = try_text(place, text, count, used);
        if (status != GCONV_ILLEGAL_INPUT) {
            return status;
        }
        text += count + 1;
    } while (*text != 0);
    return GCONV_ILLEGAL_INPUT;
}

// The input may lie at any address.
static uint32_t input_at(const struct place *place, size_t index)
{
    uint32_t character;
    memcpy(&character, *place->in + index * sizeof character, sizeof character);
    return character;
}

static int try_lists(struct place *place, const struct libc_replacements *list, size_t size)
{
    size_t low = 0, high = list->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        const uint32_t *text = list->from + list->from_index[middle];
        size_t same = 0;
        while (same < size && text[same] != 0 && text[same] == input_at(place, same)) {
            ++same;
        }
        if (same > 0 && text[same] == 0) {
            int status = try_list(place, list, middle, same);
            if (status != GCONV_ILLEGAL_INPUT) {
                return status;
            }
        } else if (same > 0 && same == size) {
            return GCONV_INCOMPLETE_INPUT; // it may be this text, of which more is to come
        }
        if (same == size || text[same] < input_at(place, same)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return GCONV_ILLEGAL_INPUT;
}

int gconv_transliterate(struct gconv_step *step, struct gconv_step_data *data,
                        const unsigned char **in, const unsigned char *in_end, unsigned char **out,
                        size_t *irreversible)
{
    struct place place = {step, data, in, out, irreversible};
    struct libc_replacements list;
    size_t size = (size_t)(in_end - *in) / sizeof(uint32_t);
    if (size == 0) {
        return *in == in_end ? GCONV_EMPTY_INPUT : GCONV_INCOMPLETE_INPUT;
    }
    int status = libc_replacements_get(&list) ? try_lists(&place, &list, size)
                                              : try_ascii(&place, input_at(&place, 0));
    return status != GCONV_ILLEGAL_INPUT ? status : try_question_mark(&place);
}

// As the image's modules call it: in_start, from which the step began, is of no use.
EXPORT(int, __gconv_transliterate, struct gconv_step *step, struct gconv_step_data *data,
       const unsigned char *in_start, const unsigned char **in, const unsigned char *in_end,
       unsigned char **out, size_t *irreversible)
{
    return gconv_transliterate(step, data, in, in_end, out, irreversible);
}

// Modules announce each call of the next step to a profiler, of which there is none.
EXPORT(void, _dl_mcount_wrapper_check, void *function)
{
}
