// SPDX-License-Identifier: BSD-3-Clause
// gconv.h: conversions of text between charsets, in steps.
//
// Steps and their functions have the layout and the protocol of glibc's <gconv.h>, so that the
// image's own modules (/usr/lib/*/gconv/*.so) are steps as well: as on Linux only UTF-8, ASCII,
// UCS-2 and UCS-4 are built in. Every charset is converted to or from INTERNAL, characters as
// 32-bit words, and a route is the steps from one charset to another. A step converts into its
// own buffer and calls the next one, the last converts into the caller's. No step here has
// __shlib_handle, by which modules know that a function's address is not scrambled.
#ifndef CORE_LIBC_GCONV_H
#define CORE_LIBC_GCONV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <wchar.h>

enum gconv_status {
    GCONV_OK,
    GCONV_NO_CONVERSION,
    GCONV_NO_DATABASE,
    GCONV_NO_MEMORY,
    GCONV_EMPTY_INPUT, // all of it is converted
    GCONV_FULL_OUTPUT,
    GCONV_ILLEGAL_INPUT,
    GCONV_INCOMPLETE_INPUT,
};

enum {
    GCONV_IS_LAST = 1,
    GCONV_IGNORE_ERRORS = 2,
    GCONV_TRANSLITERATE = 8,
};

enum gconv_flush { GCONV_CONVERT, GCONV_FLUSH, GCONV_RESET };

struct gconv_step;

struct gconv_step_data {
    unsigned char *out, *out_end;
    int flags;
    int call_count; // 0: at the beginning of a text
    int is_internal_use;
    mbstate_t *state;
    mbstate_t own_state;
};

// Converts *in up to in_end, and moves *in behind what is converted. out NULL: into data->out, and
// all further steps too; else into *out, and nothing more: so gconv_transliterate calls it, with
// irreversible NULL. Adds to *irreversible what does not come back the same.
typedef int gconv_function(struct gconv_step *step, struct gconv_step_data *data,
                           const unsigned char **in, const unsigned char *in_end,
                           unsigned char **out, size_t *irreversible, int flush,
                           int consume_incomplete);

struct gconv_step {
    void *shared_object; // NULL for all steps here
    const char *module_name;
    int use_count;
    const char *from, *to;
    gconv_function *convert;
    void *byte_to_wide;
    int (*init)(struct gconv_step *step);
    void (*end)(struct gconv_step *step);
    int from_min, from_max, to_min, to_max; // bytes of a character
    int has_states;
    void *data; // the step's own
};

// What a module's file exports.
struct gconv_code {
    gconv_function *convert;
    int (*init)(struct gconv_step *step); // or NULL
    void (*end)(struct gconv_step *step); // or NULL
};

// A conversion that there is. The layout is that of glibc's own list, which /usr/bin/iconv walks.
struct gconv_module {
    const char *from, *to;
    int cost, order;
    const char *file; // NULL: built in
    struct gconv_module *left, *same, *right;
    // Not glibc's:
    int from_index, to_index; // the charsets' numbers
    bool is_loaded;           // guarded by iconv.c's mutex, as is code
    struct gconv_code code;
};

enum { GCONV_STEPS_MAX = 8 };

// The names as glibc writes them: capitals and two slashes. The cheapest route between two of them,
// and how many steps it has; 0: there is none. Thread context; reads the image's lists once.
size_t gconv_route_find(const char *from, const char *to,
                        struct gconv_module *route[GCONV_STEPS_MAX]);

// Fills in a built-in step from its module's names.
void gconv_builtin_init(struct gconv_step *step);
extern struct gconv_module gconv_builtin_modules[];
extern const size_t gconv_builtin_count;

// For a character at *in that step cannot write: writes what the locale has in its place to *out.
int gconv_transliterate(struct gconv_step *step, struct gconv_step_data *data,
                        const unsigned char **in, const unsigned char *in_end, unsigned char **out,
                        size_t *irreversible);
// What the locale C has in the place of a character, count letters; NULL: it says nothing.
const char *gconv_ascii_of(uint32_t character, size_t *count);

#endif
