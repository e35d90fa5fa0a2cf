// SPDX-License-Identifier: BSD-3-Clause
// accounts.c: /etc/passwd, group, shadow and gshadow as glibc's "files" reads them: one entry by
// name or number, all of them one after the other, and from streams and texts of the caller's.
//
// A line is split where it is, and lists of names go behind it. Invariant: a line that does not fit
// is read again by the next call.
#include <errno.h>
#include <grp.h>
#include <gshadow.h>
#include <limits.h>
#include <pwd.h>
#include <shadow.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/libc/export.h"
#include "core/libc/memory.h"
#include "core/sync/mutex.h"

enum { FIELDS_MAX = 9, BUFFER_SIZE = 1024, BUFFER_MAX = 1 << 20 };

// Sets the entry to what the fields say; lists go from space to end. 0, ERANGE, or EINVAL: the line
// is none of its kind.
typedef int fields_set(char **fields, size_t count, char *space, char *end, void *entry);

struct kind {
    fields_set *set;
    const char *path;
};

// Up to FIELDS_MAX fields of the line, which is cut up.
static size_t fields_split(char *line, char **fields)
{
    size_t count = 0;
    line[strcspn(line, "\n")] = '\0';
    while (count < FIELDS_MAX - 1 && strchr(line, ':') != NULL) {
        fields[count++] = line;
        line = strchr(line, ':');
        *line++ = '\0';
    }
    fields[count++] = line;
    return count;
}

// A number that fills the field; an empty one is `empty`.
static bool number_read(const char *field, long empty, long *number)
{
    char *end;
    *number = *field == '\0' ? empty : (long)(uint32_t)strtoul(field, &end, 10);
    return *field == '\0' || *end == '\0';
}

// As number_read, where a number must be.
static bool id_read(const char *field, unsigned *id)
{
    long number;
    bool is_number = *field != '\0' && number_read(field, 0, &number);
    *id = is_number ? (unsigned)number : 0;
    return is_number;
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

// The names of a list with commas, in an array at *space, which moves. Names have no space in
// front, and are not empty.
static int list_read(char *field, char **space, char *end, char ***list)
{
    uintptr_t at = ((uintptr_t)*space + sizeof(char *) - 1) / sizeof(char *) * sizeof(char *);
    char **names = (char **)at;
    size_t count = 0;
    while (field != NULL) {
        if ((uintptr_t)(names + count + 1) > (uintptr_t)end) {
            return ERANGE;
        }
        while (is_space(*field)) {
            ++field;
        }
        char *name = field;
        field = strchr(field, ',');
        if (field != NULL) {
            *field++ = '\0';
        }
        if (*name != '\0') {
            names[count++] = name;
        }
    }
    if ((uintptr_t)(names + count + 1) > (uintptr_t)end) {
        return ERANGE;
    }
    names[count++] = NULL;
    *list = names;
    *space = (char *)(names + count);
    return 0;
}

static int user_set(char **fields, size_t count, char *space, char *end, void *entry)
{
    struct passwd *user = entry;
    *user = (struct passwd){.pw_name = fields[0]};
    if (count < 7 || !id_read(fields[2], &user->pw_uid) || !id_read(fields[3], &user->pw_gid)) {
        return EINVAL;
    }
    user->pw_passwd = fields[1];
    user->pw_gecos = fields[4];
    user->pw_dir = fields[5];
    user->pw_shell = fields[6];
    return 0;
}

static int group_set(char **fields, size_t count, char *space, char *end, void *entry)
{
    struct group *group = entry;
    if (count < 3 || !id_read(fields[2], &group->gr_gid)) {
        return EINVAL;
    }
    group->gr_name = fields[0];
    group->gr_passwd = fields[1];
    return list_read(count > 3 ? fields[3] : fields[2] + strlen(fields[2]), &space, end,
                     &group->gr_mem);
}

static int shadow_set(char **fields, size_t count, char *space, char *end, void *entry)
{
    struct spwd *user = entry;
    long *const numbers[] = {&user->sp_lstchg, &user->sp_min,   &user->sp_max,
                             &user->sp_warn,   &user->sp_inact, &user->sp_expire};
    enum { NUMBERS = sizeof numbers / sizeof numbers[0], OLD_NUMBERS = 3 };
    if (count < 2 + OLD_NUMBERS || (count > 2 + OLD_NUMBERS && count < 2 + NUMBERS)) {
        return EINVAL;
    }
    user->sp_namp = fields[0];
    user->sp_pwdp = fields[1];
    for (size_t i = 0; i < NUMBERS; ++i) {
        *numbers[i] = -1;
        if (2 + i < count && !number_read(fields[2 + i], -1, numbers[i])) {
            return EINVAL;
        }
    }
    long flag = -1;
    if (count > 2 + NUMBERS && !number_read(fields[2 + NUMBERS], -1, &flag)) {
        return EINVAL;
    }
    user->sp_flag = (unsigned long)flag;
    return 0;
}

static int shadow_group_set(char **fields, size_t count, char *space, char *end, void *entry)
{
    struct sgrp *group = entry;
    char *nothing = fields[count - 1] + strlen(fields[count - 1]);
    group->sg_namp = fields[0];
    group->sg_passwd = count > 1 ? fields[1] : nothing;
    int error = list_read(count > 2 ? fields[2] : nothing, &space, end, &group->sg_adm);
    return error != 0 ? error
                      : list_read(count > 3 ? fields[3] : nothing, &space, end, &group->sg_mem);
}

static const struct kind users = {user_set, "/etc/passwd"};
static const struct kind groups = {group_set, "/etc/group"};
static const struct kind shadows = {shadow_set, "/etc/shadow"};
static const struct kind shadow_groups = {shadow_group_set, "/etc/gshadow"};

// The line stands in the buffer.
static int line_read(const struct kind *kind, void *entry, char *buffer, size_t size)
{
    char *fields[FIELDS_MAX];
    char *space = buffer + strlen(buffer) + 1;
    size_t count = fields_split(buffer, fields);
    return kind->set(fields, count, space, buffer + size, entry);
}

// The next entry: 0, ENOENT at the end, or ERANGE, and the stream stands before it again.
static int stream_read(const struct kind *kind, FILE *stream, void *entry, char *buffer,
                       size_t size)
{
    for (;;) {
        fpos_t start;
        bool can_return = fgetpos(stream, &start) == 0;
        if (size < 2) {
            return ERANGE;
        }
        if (fgets(buffer, size > INT32_MAX ? INT32_MAX : (int)size, stream) == NULL) {
            return ENOENT;
        }
        const char *text = buffer + strspn(buffer, " \t\n");
        bool is_whole = strchr(buffer, '\n') != NULL || feof(stream);
        if (is_whole && (*text == '\0' || *text == '#')) {
            continue;
        }
        int error = ERANGE;
        if (is_whole) {
            memmove(buffer, text, strlen(text) + 1);
            error = line_read(kind, entry, buffer, size);
        }
        if (error == ERANGE && can_return) {
            fsetpos(stream, &start);
        }
        if (error != EINVAL) {
            return error;
        }
    }
}

// Memory of the forms that return a pointer: an entry and the buffer it points into. It grows
// until the entry fits.
struct kept {
    union {
        struct passwd user;
        struct group group;
        struct spwd shadow;
        struct sgrp shadow_group;
    } entry;
    char *buffer;
    size_t size;
};

static bool kept_grow(struct kept *kept)
{
    size_t size = kept->size == 0 ? BUFFER_SIZE : kept->size * 2;
    char *buffer = size > BUFFER_MAX ? NULL : libc_realloc(kept->buffer, size);
    if (buffer == NULL) {
        errno = ENOMEM;
        return false;
    }
    kept->buffer = buffer;
    kept->size = size;
    return true;
}

static void *kept_stream_read(const struct kind *kind, FILE *stream, struct kept *kept)
{
    int error = ERANGE;
    while (kept->size > 0 || kept_grow(kept)) {
        error = stream_read(kind, stream, &kept->entry, kept->buffer, kept->size);
        if (error != ERANGE || !kept_grow(kept)) {
            break;
        }
    }
    return error == 0 ? &kept->entry : NULL;
}

static int text_read(const struct kind *kind, const char *text, void *entry, char *buffer,
                     size_t size)
{
    size_t length = strlen(text);
    if (length >= size) {
        return ERANGE;
    }
    memcpy(buffer, text, length + 1);
    return line_read(kind, entry, buffer, size);
}

static void *kept_text_read(const struct kind *kind, const char *text, struct kept *kept)
{
    int error = ERANGE;
    while (kept->size > 0 || kept_grow(kept)) {
        error = text_read(kind, text, &kept->entry, kept->buffer, kept->size);
        if (error != ERANGE || !kept_grow(kept)) {
            break;
        }
    }
    return error == 0 ? &kept->entry : NULL;
}

// A walk through a file, and what its forms without _r return.
struct walk {
    const struct kind *kind;
    struct mutex guard; // of all below
    FILE *stream;
    struct kept kept;
};

static struct walk user_walk = {.kind = &users};
static struct walk group_walk = {.kind = &groups};
static struct walk shadow_walk = {.kind = &shadows};
static struct walk shadow_group_walk = {.kind = &shadow_groups};

static void walk_end(struct walk *walk)
{
    mutex_lock(&walk->guard);
    if (walk->stream != NULL) {
        fclose(walk->stream);
    }
    walk->stream = NULL;
    mutex_unlock(&walk->guard);
}

static bool walk_open_locked(struct walk *walk)
{
    if (walk->stream == NULL) {
        walk->stream = fopen(walk->kind->path, "re");
    }
    return walk->stream != NULL;
}

static int walk_next(struct walk *walk, void *entry, char *buffer, size_t size, void **result)
{
    mutex_lock(&walk->guard);
    int error = ENOENT;
    if (walk_open_locked(walk)) {
        error = stream_read(walk->kind, walk->stream, entry, buffer, size);
    }
    mutex_unlock(&walk->guard);
    *result = error == 0 ? entry : NULL;
    return error;
}

static void *walk_next_kept(struct walk *walk)
{
    mutex_lock(&walk->guard);
    void *entry = NULL;
    if (walk_open_locked(walk)) {
        entry = kept_stream_read(walk->kind, walk->stream, &walk->kept);
    }
    mutex_unlock(&walk->guard);
    return entry;
}

// What is looked for: a name, with which all entries begin, or, where it is NULL, an id.
struct wanted {
    const char *name;
    unsigned id;
};

static bool matches(const struct kind *kind, const void *entry, const struct wanted *wanted)
{
    if (wanted->name != NULL) {
        return strcmp(*(char *const *)entry, wanted->name) == 0;
    }
    return wanted->id == (kind == &users ? ((const struct passwd *)entry)->pw_uid
                                         : ((const struct group *)entry)->gr_gid);
}

// 0 or an error number; *result: the entry, or NULL where there is none. A walk is not disturbed.
static int find(const struct kind *kind, const struct wanted *wanted, void *entry, char *buffer,
                size_t size, void **result)
{
    FILE *stream = fopen(kind->path, "re");
    *result = NULL;
    if (stream == NULL) {
        return errno == ENOENT ? 0 : errno;
    }
    int error;
    do {
        error = stream_read(kind, stream, entry, buffer, size);
    } while (error == 0 && !matches(kind, entry, wanted));
    fclose(stream);
    *result = error == 0 ? entry : NULL;
    error = error == ENOENT ? 0 : error;
    errno = error != 0 ? error : errno;
    return error;
}

static void *kept_find(const struct kind *kind, const struct wanted *wanted, struct kept *kept)
{
    void *result = NULL;
    while (kept->size > 0 || kept_grow(kept)) {
        int error = find(kind, wanted, &kept->entry, kept->buffer, kept->size, &result);
        if (error != ERANGE || !kept_grow(kept)) {
            break;
        }
    }
    return result;
}

// The functions of one kind of entry; those that return memory of the library's keep it until their
// next call.
#define FAMILY(type, kind, walk, suffix)                                                           \
    EXPORT(void, set##suffix##ent, void)                                                           \
    {                                                                                              \
        walk_end(&(walk));                                                                         \
    }                                                                                              \
    EXPORT(void, end##suffix##ent, void)                                                           \
    {                                                                                              \
        walk_end(&(walk));                                                                         \
    }                                                                                              \
    EXPORT(type *, get##suffix##ent, void)                                                         \
    {                                                                                              \
        return walk_next_kept(&(walk));                                                            \
    }                                                                                              \
    EXPORT(int, get##suffix##ent_r, type *entry, char *buffer, size_t size, type **result)         \
    {                                                                                              \
        return walk_next(&(walk), entry, buffer, size, (void **)result);                           \
    }                                                                                              \
    EXPORT(type *, fget##suffix##ent, FILE *stream)                                                \
    {                                                                                              \
        static struct kept kept;                                                                   \
        return kept_stream_read(&(kind), stream, &kept);                                           \
    }                                                                                              \
    EXPORT(int, fget##suffix##ent_r, FILE *stream, type *entry, char *buffer, size_t size,         \
           type **result)                                                                          \
    {                                                                                              \
        int error = stream_read(&(kind), stream, entry, buffer, size);                             \
        *result = error == 0 ? entry : NULL;                                                       \
        return error;                                                                              \
    }                                                                                              \
    EXPORT(int, get##suffix##nam_r, const char *name, type *entry, char *buffer, size_t size,      \
           type **result)                                                                          \
    {                                                                                              \
        const struct wanted wanted = {.name = name};                                               \
        return find(&(kind), &wanted, entry, buffer, size, (void **)result);                       \
    }                                                                                              \
    EXPORT(type *, get##suffix##nam, const char *name)                                             \
    {                                                                                              \
        static struct kept kept;                                                                   \
        const struct wanted wanted = {.name = name};                                               \
        return kept_find(&(kind), &wanted, &kept);                                                 \
    }

FAMILY(struct passwd, users, user_walk, pw)
FAMILY(struct group, groups, group_walk, gr)
FAMILY(struct spwd, shadows, shadow_walk, sp)
FAMILY(struct sgrp, shadow_groups, shadow_group_walk, sg)

// What only the entries with an id have.
#define FAMILY_BY_ID(type, kind, noun)                                                             \
    EXPORT(int, noun##_r, unsigned id, type *entry, char *buffer, size_t size, type **result)      \
    {                                                                                              \
        const struct wanted wanted = {.id = id};                                                   \
        return find(&(kind), &wanted, entry, buffer, size, (void **)result);                       \
    }                                                                                              \
    EXPORT(type *, noun, unsigned id)                                                              \
    {                                                                                              \
        static struct kept kept;                                                                   \
        const struct wanted wanted = {.id = id};                                                   \
        return kept_find(&(kind), &wanted, &kept);                                                 \
    }

FAMILY_BY_ID(struct passwd, users, getpwuid)
FAMILY_BY_ID(struct group, groups, getgrgid)

// What only the shadow files' entries have.
#define FAMILY_OF_TEXT(type, kind, suffix)                                                         \
    EXPORT(type *, sget##suffix##ent, const char *text)                                            \
    {                                                                                              \
        static struct kept kept;                                                                   \
        return kept_text_read(&(kind), text, &kept);                                               \
    }                                                                                              \
    EXPORT(int, sget##suffix##ent_r, const char *text, type *entry, char *buffer, size_t size,     \
           type **result)                                                                          \
    {                                                                                              \
        int error = text_read(&(kind), text, entry, buffer, size);                                 \
        *result = error == 0 ? entry : NULL;                                                       \
        return error;                                                                              \
    }

FAMILY_OF_TEXT(struct spwd, shadows, sp)
FAMILY_OF_TEXT(struct sgrp, shadow_groups, sg)

// Adds gid where there is room; *count: how many there are.
static void member_add(gid_t *groups_found, int room, int *count, gid_t gid)
{
    for (int i = 0; i < *count && i < room; ++i) {
        if (groups_found[i] == gid) {
            return;
        }
    }
    if (*count < room) {
        groups_found[*count] = gid;
    }
    ++*count;
}

EXPORT(int, getgrouplist, const char *user, gid_t gid, gid_t *list, int *count)
{
    int found = 0;
    struct kept kept = {0};
    member_add(list, *count, &found, gid);
    FILE *stream = fopen(groups.path, "re");
    const struct group *group;
    while (stream != NULL && (group = kept_stream_read(&groups, stream, &kept)) != NULL) {
        char **member = group->gr_mem;
        while (*member != NULL && strcmp(*member, user) != 0) {
            ++member;
        }
        if (*member != NULL) {
            member_add(list, *count, &found, group->gr_gid);
        }
    }
    if (stream != NULL) {
        fclose(stream);
    }
    libc_free(kept.buffer);
    bool fits = found <= *count;
    *count = found;
    return fits ? found : -1;
}

EXPORT(int, initgroups, const char *user, gid_t gid)
{
    static gid_t list[NGROUPS_MAX]; // guarded by group_walk.guard
    int count = NGROUPS_MAX;
    mutex_lock(&group_walk.guard);
    int result = glibc_getgrouplist(user, gid, list, &count);
    result = result < 0 ? -1 : setgroups((size_t)count, list);
    mutex_unlock(&group_walk.guard);
    return result;
}

static void list_write(FILE *stream, char *const *names, const char *end)
{
    for (const char *comma = ""; names != NULL && *names != NULL; ++names, comma = ",") {
        fprintf(stream, "%s%s", comma, *names);
    }
    fputs(end, stream);
}

EXPORT(int, putsgent, const struct sgrp *group, FILE *stream)
{
    if (strpbrk(group->sg_namp, ":\n") != NULL ||
        (group->sg_passwd != NULL && strpbrk(group->sg_passwd, ":\n") != NULL)) {
        errno = EINVAL;
        return -1;
    }
    flockfile(stream);
    fprintf(stream, "%s:%s:", group->sg_namp, group->sg_passwd == NULL ? "" : group->sg_passwd);
    list_write(stream, group->sg_adm, ":");
    list_write(stream, group->sg_mem, "\n");
    bool failed = ferror(stream) != 0;
    funlockfile(stream);
    return failed ? -1 : 0;
}

// The line of a user as /etc/passwd has it, in the caller's memory.
EXPORT(int, getpw, uid_t uid, char *line)
{
    if (line == NULL) {
        errno = EINVAL;
        return -1;
    }
    const struct passwd *user = glibc_getpwuid(uid);
    if (user == NULL) {
        errno = errno == 0 ? ENOENT : errno;
        return -1;
    }
    return sprintf(line, "%s:%s:%lu:%lu:%s:%s:%s", user->pw_name, user->pw_passwd,
                   (unsigned long)user->pw_uid, (unsigned long)user->pw_gid, user->pw_gecos,
                   user->pw_dir, user->pw_shell) < 0
               ? -1
               : 0;
}

// glob.c knows them by these names.
extern __typeof__(glibc_getpwnam_r) getpwnam_r __attribute__((alias("glibc_getpwnam_r")));
extern __typeof__(glibc_getpwuid_r) getpwuid_r __attribute__((alias("glibc_getpwuid_r")));
