// SPDX-License-Identifier: BSD-3-Clause
// wide_class.c: classes, capitals and columns of wide characters.
//
// What glibc knows about characters beyond ASCII is in a file of the image, C.utf8/LC_CTYPE, in
// tables of three levels: so the answers are those of this very image. Without the file only ASCII
// has classes. Layout: a magic word, the number of items, the offset of each; classes and maps are
// items in a row, from the items that CLASS_OFFSET and MAP_OFFSET name.
#include <ctype.h>
#include <fcntl.h>
#include <limits.h>
#include <locale.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <wchar.h>
#include <wctype.h>

#include "core/libc/encoding.h"
#include "core/libc/export.h"
#include "core/sync/mutex.h"

enum {
    MAGIC = 0x20090720,
    ITEM_WIDTH = 12,
    ITEM_CLASS_OFFSET = 17,
    ITEM_MAP_OFFSET = 18,
    ITEM_REPLACEMENTS = 61, // their number, then four tables
};

enum class {
    CLASS_UPPER,
    CLASS_LOWER,
    CLASS_ALPHA,
    CLASS_DIGIT,
    CLASS_XDIGIT,
    CLASS_SPACE,
    CLASS_PRINT,
    CLASS_GRAPH,
    CLASS_BLANK,
    CLASS_CNTRL,
    CLASS_PUNCT,
    CLASS_ALNUM,
    CLASS_COUNT,
};

enum { MAP_UPPER, MAP_LOWER, MAP_COUNT };

static const char *const class_names[CLASS_COUNT] = {"upper",  "lower", "alpha", "digit",
                                                     "xdigit", "space", "print", "graph",
                                                     "blank",  "cntrl", "punct", "alnum"};
static const char *const map_names[MAP_COUNT] = {"toupper", "tolower"};

static struct mutex load_mutex;
static bool is_loaded; // guarded by load_mutex
// Of the file; NULL without one. They never change once set.
static const uint32_t *classes[CLASS_COUNT];
static const uint32_t *maps[MAP_COUNT];
static const uint32_t *widths;
static struct libc_replacements replacements; // count 0 without a file

// The item's place in the file, if a table's head fits there.
static const uint32_t *item_find(const char *file, size_t size, uint32_t item)
{
    enum { HEAD = 2, TABLE_HEAD = 5 };
    const uint32_t *words = (const uint32_t *)(const void *)file;
    if (item >= words[1] || (HEAD + item + 1) * sizeof *words > size) {
        return NULL;
    }
    uint32_t offset = words[HEAD + item];
    return offset % sizeof *words != 0 || offset + TABLE_HEAD * sizeof *words > size
               ? NULL
               : (const uint32_t *)(const void *)(file + offset);
}

static void replacements_find(const char *file, size_t size)
{
    const uint32_t *items[5];
    for (uint32_t i = 0; i < 5; ++i) {
        items[i] = item_find(file, size, ITEM_REPLACEMENTS + i);
        if (items[i] == NULL) {
            return;
        }
    }
    replacements = (struct libc_replacements){*items[0], items[1], items[2], items[3], items[4]};
}

static void tables_find(const char *file, size_t size)
{
    const uint32_t *first_class = item_find(file, size, ITEM_CLASS_OFFSET);
    const uint32_t *first_map = item_find(file, size, ITEM_MAP_OFFSET);
    if (*(const uint32_t *)(const void *)file != MAGIC || first_class == NULL ||
        first_map == NULL) {
        return;
    }
    for (uint32_t i = 0; i < CLASS_COUNT; ++i) {
        classes[i] = item_find(file, size, *first_class + i);
    }
    for (uint32_t i = 0; i < MAP_COUNT; ++i) {
        maps[i] = item_find(file, size, *first_map + i);
    }
    widths = item_find(file, size, ITEM_WIDTH);
    replacements_find(file, size);
}

void libc_classes_load(void)
{
    enum { SIZE_MIN = 128 };
    mutex_lock(&load_mutex);
    int fd = is_loaded ? -1 : open("/usr/lib/locale/C.utf8/LC_CTYPE", O_RDONLY | O_CLOEXEC);
    is_loaded = true;
    struct stat status;
    if (fd >= 0 && fstat(fd, &status) == 0 && status.st_size >= SIZE_MIN) {
        size_t size = (size_t)status.st_size;
        char *file = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (file != MAP_FAILED) {
            tables_find(file, size);
        }
    }
    if (fd >= 0) {
        close(fd);
    }
    mutex_unlock(&load_mutex);
}

bool libc_replacements_get(struct libc_replacements *found)
{
    *found = replacements;
    return replacements.count > 0 && libc_is_utf8();
}

// The third level of a table for c, or NULL: the table says nothing about c.
static const char *table_row(const uint32_t *table, wint_t c)
{
    uint32_t index = c >> table[0];
    if (index >= table[1] || table[5 + index] == 0) {
        return NULL;
    }
    const char *start = (const char *)table;
    uint32_t second = *(const uint32_t *)(const void *)(start + table[5 + index] +
                                                        (c >> table[2] & table[3]) * 4);
    return second == 0 ? NULL : start + second;
}

// isalpha and the like call nothing but tables of ASCII for these.
static bool ascii_has(enum class class, wint_t c)
{
    int byte = (int)c;
    switch (class) {
    case CLASS_UPPER:
        return isupper(byte);
    case CLASS_LOWER:
        return islower(byte);
    case CLASS_ALPHA:
        return isalpha(byte);
    case CLASS_DIGIT:
        return isdigit(byte);
    case CLASS_XDIGIT:
        return isxdigit(byte);
    case CLASS_SPACE:
        return isspace(byte);
    case CLASS_PRINT:
        return isprint(byte);
    case CLASS_GRAPH:
        return isgraph(byte);
    case CLASS_BLANK:
        return isblank(byte);
    case CLASS_CNTRL:
        return iscntrl(byte);
    case CLASS_PUNCT:
        return ispunct(byte);
    case CLASS_ALNUM:
        return isalnum(byte);
    case CLASS_COUNT:
        break;
    }
    return false;
}

static bool class_has(enum class class, wint_t c, bool is_utf8)
{
    if (c < 0x80) {
        return ascii_has(class, c);
    }
    if (!is_utf8 || classes[class] == NULL) {
        return false;
    }
    const uint32_t *table = classes[class];
    const char *row = table_row(table, c);
    if (row == NULL) {
        return false;
    }
    uint32_t bits = *(const uint32_t *)(const void *)(row + (c >> 5 & table[4]) * 4);
    return (bits >> (c & 31) & 1) != 0;
}

static wint_t mapped(int map, wint_t c, bool is_utf8)
{
    if (c < 0x80) {
        return (wint_t)(map == MAP_UPPER ? toupper((int)c) : tolower((int)c));
    }
    if (!is_utf8 || maps[map] == NULL) {
        return c;
    }
    const char *row = table_row(maps[map], c);
    if (row == NULL) {
        return c;
    }
    return c + (wint_t) * (const int32_t *)(const void *)(row + (c & maps[map][4]) * 4);
}

// isw* and isw*_l of one class.
#define WIDE_CLASS(name, class)                                                                    \
    int(isw##name)(wint_t c)                                                                       \
    {                                                                                              \
        return class_has(class, c, libc_is_utf8());                                                \
    }                                                                                              \
    int isw##name##_l(wint_t c, locale_t locale)                                                   \
    {                                                                                              \
        return class_has(class, c, libc_locale_is_utf8(locale));                                   \
    }                                                                                              \
    EXPORT(int, __isw##name##_l, wint_t c, locale_t locale)                                        \
    {                                                                                              \
        return class_has(class, c, libc_locale_is_utf8(locale));                                   \
    }

WIDE_CLASS(upper, CLASS_UPPER)
WIDE_CLASS(lower, CLASS_LOWER)
WIDE_CLASS(alpha, CLASS_ALPHA)
WIDE_CLASS(digit, CLASS_DIGIT)
WIDE_CLASS(xdigit, CLASS_XDIGIT)
WIDE_CLASS(space, CLASS_SPACE)
WIDE_CLASS(print, CLASS_PRINT)
WIDE_CLASS(graph, CLASS_GRAPH)
WIDE_CLASS(blank, CLASS_BLANK)
WIDE_CLASS(cntrl, CLASS_CNTRL)
WIDE_CLASS(punct, CLASS_PUNCT)
WIDE_CLASS(alnum, CLASS_ALNUM)

// A wctype_t is 1 + the class, a wctrans_t a pointer to 1 + the map: nought is none.
wctype_t wctype(const char *name)
{
    for (unsigned i = 0; i < CLASS_COUNT; ++i) {
        if (strcmp(name, class_names[i]) == 0) {
            return i + 1;
        }
    }
    return 0;
}

int iswctype(wint_t c, wctype_t type)
{
    return type - 1 < CLASS_COUNT && class_has((enum class)(type - 1), c, libc_is_utf8());
}

wctype_t wctype_l(const char *name, locale_t locale)
{
    return wctype(name);
}

int iswctype_l(wint_t c, wctype_t type, locale_t locale)
{
    return type - 1 < CLASS_COUNT &&
           class_has((enum class)(type - 1), c, libc_locale_is_utf8(locale));
}

wint_t towupper(wint_t c)
{
    return mapped(MAP_UPPER, c, libc_is_utf8());
}

wint_t towlower(wint_t c)
{
    return mapped(MAP_LOWER, c, libc_is_utf8());
}

wint_t towupper_l(wint_t c, locale_t locale)
{
    return mapped(MAP_UPPER, c, libc_locale_is_utf8(locale));
}

wint_t towlower_l(wint_t c, locale_t locale)
{
    return mapped(MAP_LOWER, c, libc_locale_is_utf8(locale));
}

wctrans_t wctrans(const char *name)
{
    for (uintptr_t i = 0; i < MAP_COUNT; ++i) {
        if (strcmp(name, map_names[i]) == 0) {
            return (wctrans_t)(i + 1);
        }
    }
    return NULL;
}

static wint_t transformed(wint_t c, wctrans_t map, bool is_utf8)
{
    uintptr_t index = (uintptr_t)map - 1;
    return index < MAP_COUNT ? mapped((int)index, c, is_utf8) : c;
}

wint_t towctrans(wint_t c, wctrans_t map)
{
    return transformed(c, map, libc_is_utf8());
}

wctrans_t wctrans_l(const char *name, locale_t locale)
{
    return wctrans(name);
}

wint_t towctrans_l(wint_t c, wctrans_t map, locale_t locale)
{
    return transformed(c, map, libc_locale_is_utf8(locale));
}

int wcwidth(wchar_t c)
{
    wint_t wide = (wint_t)c;
    if (wide < 0x80) {
        return wide == 0 ? 0 : isprint((int)wide) ? 1 : -1;
    }
    const char *row = libc_is_utf8() && widths != NULL ? table_row(widths, wide) : NULL;
    return row == NULL ? -1 : (signed char)row[wide & widths[4]];
}

int wcswidth(const wchar_t *text, size_t count)
{
    int sum = 0;
    for (size_t i = 0; i < count && text[i] != 0; ++i) {
        int width = wcwidth(text[i]);
        if (width < 0) {
            return -1;
        }
        sum += width;
    }
    return sum;
}
