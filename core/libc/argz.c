// SPDX-License-Identifier: BSD-3-Clause
// argz.c: argz_*: texts one behind the other, each with its terminator, in one block of malloc's.
//
// Invariant: an empty vector is (NULL, 0); any other ends with a terminator.
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "core/libc/export.h"
#include "core/libc/memory.h"

typedef int error_t;

// Makes room for more at the end; *place is where.
static error_t vector_grow(char **vector, size_t size, size_t more, char **place)
{
    char *grown = libc_realloc(*vector, size + more);
    if (grown == NULL) {
        return ENOMEM;
    }
    *vector = grown;
    *place = grown + size;
    return 0;
}

EXPORT(error_t, argz_append, char **vector, size_t *size, const char *bytes, size_t more)
{
    char *place;
    if (more == 0) {
        return 0;
    }
    if (vector_grow(vector, *size, more, &place) != 0) {
        return ENOMEM;
    }
    memcpy(place, bytes, more);
    *size += more;
    return 0;
}

EXPORT(error_t, argz_add, char **vector, size_t *size, const char *text)
{
    return glibc_argz_append(vector, size, text, strlen(text) + 1);
}

// Separators in a row, and in front, are one; one at the end begins an empty text.
EXPORT(error_t, argz_add_sep, char **vector, size_t *size, const char *text, int separator)
{
    char *place;
    if (*text == '\0') {
        return 0;
    }
    if (vector_grow(vector, *size, strlen(text) + 1, &place) != 0) {
        return ENOMEM;
    }
    for (; *text != '\0'; ++text) {
        if (*text != (char)separator) {
            *place++ = *text;
        } else if (place > *vector && place[-1] != '\0') {
            *place++ = '\0';
        }
    }
    *place++ = '\0';
    *size = (size_t)(place - *vector);
    return 0;
}

EXPORT(error_t, argz_create_sep, const char *text, int separator, char **vector, size_t *size)
{
    *vector = NULL;
    *size = 0;
    return glibc_argz_add_sep(vector, size, text, separator);
}

EXPORT(error_t, argz_create, char *const *texts, char **vector, size_t *size)
{
    *vector = NULL;
    *size = 0;
    for (; *texts != NULL; ++texts) {
        if (glibc_argz_add(vector, size, *texts) != 0) {
            libc_free(*vector);
            *vector = NULL;
            *size = 0;
            return ENOMEM;
        }
    }
    return 0;
}

EXPORT(char *, argz_next, const char *vector, size_t size, const char *entry)
{
    const char *next = entry == NULL ? vector : entry;
    if (entry != NULL && next < vector + size) {
        next += strlen(next) + 1;
    }
    return next < vector + size ? (char *)next : NULL;
}

EXPORT(size_t, argz_count, const char *vector, size_t size)
{
    size_t count = 0;
    for (const char *entry = NULL; (entry = glibc_argz_next(vector, size, entry)) != NULL;) {
        ++count;
    }
    return count;
}

EXPORT(void, argz_extract, const char *vector, size_t size, char **texts)
{
    for (char *entry = NULL; (entry = glibc_argz_next(vector, size, entry)) != NULL;) {
        *texts++ = entry;
    }
    *texts = NULL;
}

EXPORT(void, argz_stringify, char *vector, size_t size, int separator)
{
    for (size_t i = 0; i + 1 < size; ++i) {
        if (vector[i] == '\0') {
            vector[i] = (char)separator;
        }
    }
}

EXPORT(void, argz_delete, char **vector, size_t *size, char *entry)
{
    if (entry == NULL) {
        return;
    }
    size_t length = strlen(entry) + 1;
    *size -= length;
    memmove(entry, entry + length, *size - (size_t)(entry - *vector));
    if (*size == 0) {
        libc_free(*vector);
        *vector = NULL;
    }
}

EXPORT(error_t, argz_insert, char **vector, size_t *size, char *before, const char *text)
{
    if (before == NULL) {
        return glibc_argz_add(vector, size, text);
    }
    if (before < *vector || before >= *vector + *size) {
        return EINVAL;
    }
    while (before > *vector && before[-1] != '\0') {
        --before;
    }
    size_t at = (size_t)(before - *vector);
    size_t more = strlen(text) + 1;
    char *end;
    if (vector_grow(vector, *size, more, &end) != 0) {
        return ENOMEM;
    }
    memmove(*vector + at + more, *vector + at, *size - at);
    memcpy(*vector + at, text, more);
    *size += more;
    return 0;
}

// Appends entry with each `old` in it replaced.
static error_t replaced_append(char **vector, size_t *size, const char *entry, const char *old,
                               const char *new, unsigned *count)
{
    for (const char *found; (found = strstr(entry, old)) != NULL; entry = found + strlen(old)) {
        if (glibc_argz_append(vector, size, entry, (size_t)(found - entry)) != 0 ||
            glibc_argz_append(vector, size, new, strlen(new)) != 0) {
            return ENOMEM;
        }
        ++*count;
    }
    return glibc_argz_add(vector, size, entry);
}

EXPORT(error_t, argz_replace, char **vector, size_t *size, const char *old, const char *new,
       unsigned *count)
{
    if (old == NULL || *old == '\0') {
        return 0;
    }
    char *replaced = NULL;
    size_t replaced_size = 0;
    unsigned found = 0;
    for (char *entry = NULL; (entry = glibc_argz_next(*vector, *size, entry)) != NULL;) {
        if (replaced_append(&replaced, &replaced_size, entry, old, new, &found) != 0) {
            libc_free(replaced);
            return ENOMEM;
        }
    }
    if (count != NULL) {
        *count += found;
    }
    libc_free(*vector);
    *vector = replaced;
    *size = replaced_size;
    return 0;
}

// envz_*: such vectors of NAME=VALUE. A NAME alone is there, but has no value.

static bool names_equal(const char *entry, const char *name)
{
    while (*entry == *name && *name != '\0' && *name != '=') {
        ++entry;
        ++name;
    }
    return (*entry == '\0' || *entry == '=') && (*name == '\0' || *name == '=');
}

EXPORT(char *, envz_entry, const char *vector, size_t size, const char *name)
{
    char *entry = glibc_argz_next(vector, size, NULL);
    while (entry != NULL && !names_equal(entry, name)) {
        entry = glibc_argz_next(vector, size, entry);
    }
    return entry;
}

EXPORT(char *, envz_get, const char *vector, size_t size, const char *name)
{
    char *entry = glibc_envz_entry(vector, size, name);
    char *equals = entry == NULL ? NULL : strchr(entry, '=');
    return equals == NULL ? NULL : equals + 1;
}

EXPORT(void, envz_remove, char **vector, size_t *size, const char *name)
{
    glibc_argz_delete(vector, size, glibc_envz_entry(*vector, *size, name));
}

EXPORT(error_t, envz_add, char **vector, size_t *size, const char *name, const char *value)
{
    char *place;
    glibc_envz_remove(vector, size, name);
    if (value == NULL) {
        return glibc_argz_add(vector, size, name);
    }
    size_t name_length = strlen(name);
    size_t more = name_length + strlen(value) + 2;
    if (vector_grow(vector, *size, more, &place) != 0) {
        return ENOMEM;
    }
    memcpy(place, name, name_length);
    place[name_length] = '=';
    strcpy(place + name_length + 1, value);
    *size += more;
    return 0;
}

EXPORT(error_t, envz_merge, char **vector, size_t *size, const char *other, size_t other_size,
       int override)
{
    for (char *entry = NULL; (entry = glibc_argz_next(other, other_size, entry)) != NULL;) {
        char *old = glibc_envz_entry(*vector, *size, entry);
        if (old != NULL && override == 0) {
            continue;
        }
        glibc_argz_delete(vector, size, old);
        if (glibc_argz_add(vector, size, entry) != 0) {
            return ENOMEM;
        }
    }
    return 0;
}

EXPORT(void, envz_strip, char **vector, size_t *size)
{
    char *kept = *vector;
    char *end = *vector + *size;
    for (char *entry = *vector; entry < end;) {
        size_t length = strlen(entry) + 1;
        char *next = entry + length;
        if (strchr(entry, '=') != NULL) {
            memmove(kept, entry, length);
            kept += length;
        }
        entry = next;
    }
    *size = (size_t)(kept - *vector);
}
