// SPDX-License-Identifier: BSD-3-Clause
// musl_locale.c: the locales there are: C (also called POSIX) and C.UTF-8, in glibc's layout of
// locale_t.
//
// Programs read the character tables and the names inside a locale_t; musl reads cat[]: NULL is the
// C locale, and
// &__c_dot_utf8 for LC_CTYPE means UTF-8. Invariant: names[i] always says what cat[i] means.
#include <ctype.h>
#include <errno.h>
#include <langinfo.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "core/libc/encoding.h"

#include "locale_impl.h"
#include "lock.h"

enum {
    CATEGORY_COUNT = 13,
    LC_ALL_GLIBC = 6
}; // glibc: 0..5 as musl, 7..12 PAPER .. IDENTIFICATION

static const uint32_t empty_catalog[] = {0x950412de, 0, -1, -1, -1};

const struct __locale_map __c_dot_utf8 = {
    .map = empty_catalog,
    .map_size = sizeof empty_catalog,
    .name = "C.UTF-8",
};

const unsigned short **__ctype_b_loc(void);
const int32_t **glibc___ctype_tolower_loc(void);
const int32_t **glibc___ctype_toupper_loc(void);

// Filled at start, so not constant as musl declares them.
struct __locale_struct libc_locale_c;
struct __locale_struct libc_locale_utf8;
extern const struct __locale_struct __c_locale __attribute__((alias("libc_locale_c")));
extern const struct __locale_struct __c_dot_utf8_locale __attribute__((alias("libc_locale_utf8")));
volatile int __locale_lock[1];

static const char name_c[] = "C";
static const char name_utf8[] = "C.UTF-8";

// The tables of the C locale: as musl's, but that bytes above 0x7f stay what they are.
static int32_t lower_table[384];
static int32_t upper_table[384];
static const int32_t *lower = lower_table + 128;
static const int32_t *upper = upper_table + 128;

const int32_t **glibc___ctype_tolower_loc(void)
{
    return &lower;
}

const int32_t **glibc___ctype_toupper_loc(void)
{
    return &upper;
}

size_t glibc___ctype_get_mb_cur_max(void)
{
    return CURRENT_UTF8 ? 6 : 1;
}

bool libc_is_utf8(void)
{
    return CURRENT_UTF8;
}

bool libc_locale_is_utf8(locale_t locale)
{
    return (locale == LC_GLOBAL_LOCALE ? &libc.global_locale : locale)->cat[LC_CTYPE] != NULL;
}

static void locale_fill(struct __locale_struct *locale, int utf8)
{
    for (int i = 0; i < CATEGORY_COUNT; ++i) {
        locale->names[i] = utf8 ? name_utf8 : name_c;
        if (i < 6) {
            locale->cat[i] = utf8 && i == LC_CTYPE ? &__c_dot_utf8 : NULL;
        }
    }
    locale->ctype_b = *__ctype_b_loc();
    locale->ctype_tolower = lower;
    locale->ctype_toupper = upper;
}

void libc_musl_locale_init(void)
{
    for (int c = -128; c < 256; ++c) {
        lower_table[c + 128] = c >= 'A' && c <= 'Z' ? c + 32 : c;
        upper_table[c + 128] = c >= 'a' && c <= 'z' ? c - 32 : c;
    }
    locale_fill(&libc_locale_c, 0);
    locale_fill(&libc_locale_utf8, 1);
    locale_fill(&libc.global_locale, 0);
}

// A locale is called as the program called it.
static const char *const kind_names[] = {name_c, name_utf8, "C.utf8", "C.UTF8", "C.utf-8"};

// 0: C, above: C.UTF-8 by one of its names, -1: no such locale.
static int locale_kind(const char *name)
{
    if (strcmp(name, "POSIX") == 0) {
        return 0;
    }
    for (int i = 0; i < (int)(sizeof kind_names / sizeof kind_names[0]); ++i) {
        if (strcmp(name, kind_names[i]) == 0) {
            return i;
        }
    }
    return -1;
}

static const char *const variable_names[CATEGORY_COUNT] = {
    "LC_CTYPE",     "LC_NUMERIC",     "LC_TIME",           "LC_COLLATE", "LC_MONETARY",
    "LC_MESSAGES",  "LC_ALL",         "LC_PAPER",          "LC_NAME",    "LC_ADDRESS",
    "LC_TELEPHONE", "LC_MEASUREMENT", "LC_IDENTIFICATION",
};

static const char *locale_variable(int category)
{
    const char *value = getenv("LC_ALL");
    if (value == NULL || *value == 0) {
        value = getenv(variable_names[category]);
    }
    if (value == NULL || *value == 0) {
        value = getenv("LANG");
    }
    return value == NULL || *value == 0 ? name_c : value;
}

// The kind that name means for a category; in "LC_CTYPE=C.UTF-8;LC_NUMERIC=C;...", if that is
// allowed, the category's part counts.
static int category_kind(int category, const char *name, bool may_be_list)
{
    if (*name == 0) {
        return locale_kind(locale_variable(category));
    }
    if (!may_be_list || strchr(name, ';') == NULL) {
        return locale_kind(name);
    }
    size_t length = strlen(variable_names[category]);
    for (const char *part = name; part != NULL; part = strchr(part, ';')) {
        part += *part == ';';
        if (strncmp(part, variable_names[category], length) == 0 && part[length] == '=') {
            const char *value = part + length + 1;
            char copy[16] = "";
            size_t size = strcspn(value, ";");
            if (size >= sizeof copy) {
                return -1;
            }
            memcpy(copy, value, size);
            return locale_kind(copy);
        }
    }
    return -1;
}

static void category_set(struct __locale_struct *locale, int category, int kind)
{
    if (kind != 0 && category == LC_CTYPE) {
        libc_classes_load();
    }
    locale->names[category] = kind_names[kind];
    if (category < 6) {
        locale->cat[category] = kind && category == LC_CTYPE ? &__c_dot_utf8 : NULL;
    }
}

static char *locale_name(const struct __locale_struct *locale, int category)
{
    static char text[512];
    if (category != LC_ALL_GLIBC) {
        return (char *)locale->names[category];
    }
    int mixed = 0;
    for (int i = 0; i < CATEGORY_COUNT; ++i) {
        mixed |= i != LC_ALL_GLIBC && locale->names[i] != locale->names[0];
    }
    if (!mixed) {
        return (char *)locale->names[0];
    }
    char *end = text;
    for (int i = 0; i < CATEGORY_COUNT; ++i) {
        if (i != LC_ALL_GLIBC) {
            end = stpcpy(end, variable_names[i]);
            *end++ = '=';
            end = stpcpy(end, locale->names[i]);
            *end++ = ';';
        }
    }
    end[-1] = 0;
    return text;
}

char *setlocale(int category, const char *name)
{
    if ((unsigned)category >= CATEGORY_COUNT) {
        return NULL;
    }
    struct __locale_struct *global = &libc.global_locale;
    if (name == NULL) {
        return locale_name(global, category);
    }
    int kinds[CATEGORY_COUNT];
    for (int i = 0; i < CATEGORY_COUNT; ++i) {
        if ((i == category || category == LC_ALL_GLIBC) && i != LC_ALL_GLIBC) {
            kinds[i] = category_kind(i, name, category == LC_ALL_GLIBC);
            if (kinds[i] < 0) {
                return NULL;
            }
        }
    }
    LOCK(__locale_lock);
    for (int i = 0; i < CATEGORY_COUNT; ++i) {
        if ((i == category || category == LC_ALL_GLIBC) && i != LC_ALL_GLIBC) {
            category_set(global, i, kinds[i]);
        }
    }
    char *result = locale_name(global, category);
    UNLOCK(__locale_lock);
    return result;
}

int __loc_is_allocated(locale_t locale)
{
    return locale != NULL && locale != &__c_locale && locale != &__c_dot_utf8_locale;
}

// A name with a folder in it is a path, which is not allowed; a leading slash alone is.
static bool name_has_folder(const char *name)
{
    return *name != 0 && strchr(name + 1, '/') != NULL;
}

locale_t __newlocale(int mask, const char *name, locale_t base)
{
    if (mask == 1 << LC_ALL_GLIBC) {
        mask = 0x1fbf;
    }
    if ((mask & ~0x1fbf) != 0 || name == NULL || name_has_folder(name)) {
        errno = EINVAL;
        return NULL;
    }
    struct __locale_struct built = base == NULL ? __c_locale : *base;
    int kinds = 0;
    for (int i = 0; i < CATEGORY_COUNT; ++i) {
        if ((mask & 1 << i) != 0) {
            int kind = category_kind(i, name, true);
            if (kind < 0) {
                return NULL;
            }
            category_set(&built, i, kind);
        }
        kinds += built.names[i] != name_c;
    }
    if (kinds == 0 && !__loc_is_allocated(base)) {
        return &libc_locale_c;
    }
    if (!__loc_is_allocated(base)) {
        base = malloc(sizeof *base);
    }
    if (base != NULL) {
        *base = built;
    }
    return base;
}
weak_alias(__newlocale, newlocale);

locale_t __duplocale(locale_t locale)
{
    locale_t copy = malloc(sizeof *copy);
    if (copy != NULL) {
        *copy = locale == LC_GLOBAL_LOCALE ? libc.global_locale : *locale;
    }
    return copy;
}
weak_alias(__duplocale, duplocale);

void __freelocale(locale_t locale)
{
    if (__loc_is_allocated(locale)) {
        free(locale);
    }
}
weak_alias(__freelocale, freelocale);

// No catalogues are read: a message is its own translation.
const struct __locale_map *__get_locale(int category, const char *name)
{
    return category == LC_CTYPE && locale_kind(name) > 0 ? &__c_dot_utf8 : NULL;
}
