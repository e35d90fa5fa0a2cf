// SPDX-License-Identifier: BSD-3-Clause
// iconv.c: iconv_open, iconv and iconv_close over the steps of gconv.h; what a charset's name says.
//
// A name is CHARSET/VARIANT/SUFFIXES; of the target's suffixes TRANSLIT and IGNORE count, others
// are passed over. Modules stay loaded, with a set of steps for each descriptor: descriptors share
// nothing. Invariant: data[i] belongs to steps[i], and only the last step has GCONV_IS_LAST.
#include <errno.h>
#include <iconv.h>
#include <langinfo.h>
#include <string.h>
#include <strings.h>

#include "core/elf/program.h"
#include "core/libc/export.h"
#include "core/libc/gconv.h"
#include "core/libc/memory.h"
#include "core/sync/mutex.h"

enum { BUFFER_CHARACTERS = 8160, NAME_EXTRA = 3 };

// What __gconv_create_spec makes and /usr/bin/iconv changes.
struct conversion_wish {
    char *from, *to;
    bool transliterates, ignores_errors;
};

struct conversion {
    size_t count;
    struct gconv_step steps[GCONV_STEPS_MAX];
    struct gconv_step_data data[GCONV_STEPS_MAX];
};

// ---- Names

static bool is_ascii_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

// Where the last suffix begins, at its separator; NULL: the name has none.
static char *suffix_find(char *name)
{
    unsigned slashes = 0;
    char *separator = NULL;
    for (; *name != '\0'; ++name) {
        slashes += *name == '/';
        if (*name == '/' || *name == ',') {
            separator = name;
        }
    }
    return slashes >= 2 ? separator : NULL;
}

// Takes the suffixes off the name.
static void suffixes_take(char *name, struct conversion_wish *wish)
{
    for (;;) {
        size_t length = strlen(name);
        while (length > 0 && (is_ascii_blank(name[length - 1]) || name[length - 1] == ',' ||
                              name[length - 1] == '/')) {
            --length;
        }
        name[length] = '\0';
        char *suffix = suffix_find(name);
        if (suffix == NULL) {
            return;
        }
        wish->transliterates |= strcasecmp(suffix + 1, "TRANSLIT") == 0;
        wish->ignores_errors |= strcasecmp(suffix + 1, "IGNORE") == 0;
        *suffix = '\0';
    }
}

// The name in capitals, without what no name has, with exactly two slashes. It has room for them.
static void name_normalise(char *name)
{
    char *end = name;
    unsigned slashes = 0;
    for (const char *next = name; *next != '\0'; ++next) {
        bool is_lower = *next >= 'a' && *next <= 'z';
        bool is_other = (*next >= 'A' && *next <= 'Z') || (*next >= '0' && *next <= '9') ||
                        strchr("_-.,:", *next) != NULL;
        if (*next == '/' && ++slashes == 3) {
            break;
        }
        if (is_lower || is_other || *next == '/') {
            *end++ = is_lower ? (char)(*next - 'a' + 'A') : *next;
        }
    }
    for (; slashes < 2; ++slashes) {
        *end++ = '/';
    }
    *end = '\0';
}

// The name as the lists have it.
static char *name_copy(const char *given, struct conversion_wish *wish)
{
    char *name = libc_malloc(strlen(given) + NAME_EXTRA);
    if (name != NULL) {
        strcpy(name, given);
        suffixes_take(name, wish);
        name_normalise(name);
    }
    return name;
}

EXPORT(struct conversion_wish *, __gconv_create_spec, struct conversion_wish *wish,
       const char *from, const char *to)
{
    struct conversion_wish of_source = {0}; // whose suffixes do not count
    *wish = (struct conversion_wish){0};
    wish->from = name_copy(from, &of_source);
    wish->to = name_copy(to, wish);
    if (wish->from != NULL && wish->to != NULL) {
        return wish;
    }
    libc_free(wish->from);
    libc_free(wish->to);
    return NULL;
}

EXPORT(void, __gconv_destroy_spec, struct conversion_wish *wish)
{
    libc_free(wish->from);
    libc_free(wish->to);
}

// ---- Opening

static struct mutex load_mutex; // guards is_loaded and code of all modules

static int module_symbol(struct elf_object *object, const char *name, void *function)
{
    void *address = NULL;
    int error = elf_symbol_find(object, name, NULL, NULL, &address);
    memcpy(function, &address, sizeof address);
    return error;
}

static bool code_load(const char *path, struct gconv_code *code)
{
    struct elf_object *object;
    char message[ELF_MESSAGE_SIZE];
    if (elf_open(path, ELF_LAZY, NULL, &object, message) != 0) {
        return false;
    }
    (void)module_symbol(object, "gconv_init", &code->init);
    (void)module_symbol(object, "gconv_end", &code->end);
    return module_symbol(object, "gconv", &code->convert) == 0;
}

// Two threads may load it at once, which is the same: who waited for the other here would hold the
// mutex while the loader runs initialisers, and those may open conversions.
static bool code_get(struct gconv_module *module, struct gconv_code *code)
{
    mutex_lock(&load_mutex);
    bool is_loaded = module->is_loaded;
    *code = module->code;
    mutex_unlock(&load_mutex);
    if (is_loaded) {
        return true;
    }
    if (!code_load(module->file, code)) {
        return false;
    }
    mutex_lock(&load_mutex);
    module->code = *code;
    module->is_loaded = true;
    mutex_unlock(&load_mutex);
    return true;
}

static int step_init(struct gconv_step *step, struct gconv_module *module)
{
    step->from = module->from;
    step->to = module->to;
    step->use_count = 1;
    step->module_name = module->file;
    if (module->file == NULL) {
        gconv_builtin_init(step);
        return GCONV_OK;
    }
    struct gconv_code code;
    if (!code_get(module, &code)) {
        return GCONV_NO_CONVERSION;
    }
    step->convert = code.convert;
    step->init = code.init;
    step->from_min = step->from_max = step->to_min = step->to_max = 1;
    int status = step->init == NULL ? GCONV_OK : step->init(step);
    step->end = status == GCONV_OK ? code.end : NULL;
    return status;
}

static void conversion_free(struct conversion *conversion)
{
    for (size_t i = 0; i < conversion->count; ++i) {
        if (conversion->steps[i].end != NULL) {
            conversion->steps[i].end(&conversion->steps[i]);
        }
        if ((conversion->data[i].flags & GCONV_IS_LAST) == 0) { // its buffer is the caller's
            libc_free(conversion->data[i].out);
        }
    }
    libc_free(conversion);
}

// The last step writes where iconv's caller says, any other to a buffer.
static int data_init(struct conversion *conversion, size_t index, size_t count, int flags)
{
    struct gconv_step_data *data = &conversion->data[index];
    *data = (struct gconv_step_data){.flags = flags, .state = &data->own_state};
    if (index + 1 == count) {
        data->flags |= GCONV_IS_LAST;
        return GCONV_OK;
    }
    size_t size = (size_t)conversion->steps[index].to_max * BUFFER_CHARACTERS;
    data->out = libc_malloc(size);
    if (data->out == NULL) {
        return GCONV_NO_MEMORY;
    }
    data->out_end = data->out + size;
    return GCONV_OK;
}

static int conversion_open(const char *from, const char *to, int flags, struct conversion **opened)
{
    struct gconv_module *route[GCONV_STEPS_MAX];
    size_t count = gconv_route_find(from, to, route);
    if (count == 0) {
        return GCONV_NO_CONVERSION;
    }
    struct conversion *conversion = libc_calloc(1, sizeof *conversion);
    if (conversion == NULL) {
        return GCONV_NO_MEMORY;
    }
    for (size_t i = 0; i < count; ++i) {
        int status = step_init(&conversion->steps[i], route[i]);
        if (status == GCONV_OK) {
            status = data_init(conversion, i, count, flags);
            conversion->count = i + 1;
        }
        if (status != GCONV_OK) {
            conversion_free(conversion);
            return status;
        }
    }
    *opened = conversion;
    return GCONV_OK;
}

// An empty name is that of the locale's charset, which buffer has room for.
static const char *name_choose(char *buffer, const char *name)
{
    if (strcmp(name, "//") != 0) {
        return name;
    }
    strcpy(buffer, nl_langinfo(CODESET));
    name_normalise(buffer);
    return buffer;
}

EXPORT(int, __gconv_open, struct conversion_wish *wish, struct conversion **opened, int flags)
{
    enum { LOCALE_NAME_SIZE = 64 };
    char buffers[2][LOCALE_NAME_SIZE];
    flags = (wish->transliterates ? GCONV_TRANSLITERATE : 0) |
            (wish->ignores_errors ? GCONV_IGNORE_ERRORS : 0);
    *opened = NULL;
    return conversion_open(name_choose(buffers[0], wish->from), name_choose(buffers[1], wish->to),
                           flags, opened);
}

EXPORT(iconv_t, iconv_open, const char *to, const char *from)
{
    struct conversion_wish wish;
    struct conversion *opened;
    if (glibc___gconv_create_spec(&wish, from, to) == NULL) {
        errno = ENOMEM;
        return (iconv_t)-1;
    }
    int before = errno;
    int status = glibc___gconv_open(&wish, &opened, 0);
    glibc___gconv_destroy_spec(&wish);
    if (status != GCONV_OK) {
        errno = status == GCONV_NO_MEMORY ? ENOMEM : EINVAL;
        return (iconv_t)-1;
    }
    errno = before;
    return opened;
}

EXPORT(int, iconv_close, iconv_t opened)
{
    if (opened == (iconv_t)-1) {
        errno = EBADF;
        return -1;
    }
    conversion_free(opened);
    return 0;
}

// ---- Converting

// Ends the text: writes what leads back to the first state, or with no room for it only goes there.
static int conversion_flush(struct conversion *conversion, size_t *irreversible)
{
    bool has_room = conversion->data[conversion->count - 1].out != NULL;
    int status =
        conversion->steps[0].convert(conversion->steps, conversion->data, NULL, NULL, NULL,
                                     irreversible, has_room ? GCONV_FLUSH : GCONV_RESET, 0);
    for (size_t i = 0; status == GCONV_OK && i < conversion->count; ++i) {
        conversion->data[i].call_count = 0;
    }
    return status;
}

static int convert(struct conversion *conversion, const unsigned char **in,
                   const unsigned char *in_end, size_t *irreversible)
{
    struct gconv_step *step = conversion->steps;
    const unsigned char *before;
    int status;
    do {
        before = *in;
        status =
            step->convert(step, conversion->data, in, in_end, NULL, irreversible, GCONV_CONVERT, 0);
    } while (status == GCONV_EMPTY_INPUT && before != *in && in_end - *in >= step->from_min);
    return status;
}

EXPORT(size_t, iconv, iconv_t opened, char **in, size_t *in_size, char **out, size_t *out_size)
{
    if (opened == (iconv_t)-1) {
        errno = EBADF;
        return (size_t)-1;
    }
    struct conversion *conversion = opened;
    struct gconv_step_data *last = &conversion->data[conversion->count - 1];
    size_t irreversible = 0;
    int status;
    last->out = out == NULL ? NULL : (unsigned char *)*out;
    last->out_end = last->out == NULL ? NULL : last->out + *out_size;
    if (in == NULL || *in == NULL) {
        status = conversion_flush(conversion, &irreversible);
    } else {
        const unsigned char *place = (const unsigned char *)*in;
        status = convert(conversion, &place, place + *in_size, &irreversible);
        *in_size -= (size_t)((const char *)place - *in);
        *in = (char *)(uintptr_t)place;
    }
    if (last->out != NULL) {
        *out_size -= (size_t)((char *)last->out - *out);
        *out = (char *)last->out;
    }
    switch (status) {
    case GCONV_FULL_OUTPUT:
        errno = E2BIG;
        return (size_t)-1;
    case GCONV_INCOMPLETE_INPUT:
        errno = EINVAL;
        return (size_t)-1;
    case GCONV_ILLEGAL_INPUT:
        errno = EILSEQ;
        return (size_t)-1;
    default:
        return irreversible;
    }
}
