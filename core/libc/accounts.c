// SPDX-License-Identifier: BSD-3-Clause
// accounts.c: the walks through /etc/passwd and /etc/group with memory of the caller's, over
// musl's.
//
// Invariant: an entry that did not fit is kept, and given by the next call.
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdint.h>
#include <string.h>

#include "core/libc/export.h"
#include "core/sync/mutex.h"

static struct mutex guard; // of the two below, and of musl's own state
static const struct passwd *kept_user;
static const struct group *kept_group;

// Memory of the caller's that is left.
struct space {
    char *at, *end;
};

// Copies *text there and moves it.
static int text_move(struct space *space, char **text)
{
    size_t size = strlen(*text) + 1;
    if ((size_t)(space->end - space->at) < size) {
        return ERANGE;
    }
    *text = memcpy(space->at, *text, size);
    space->at += size;
    return 0;
}

EXPORT(int, getpwent_r, struct passwd *entry, char *buffer, size_t size, struct passwd **result)
{
    struct space space = {buffer, buffer + size};
    mutex_lock(&guard);
    const struct passwd *next = kept_user != NULL ? kept_user : getpwent();
    int error = ENOENT;
    if (next != NULL) {
        *entry = *next;
        char **texts[] = {&entry->pw_name, &entry->pw_passwd, &entry->pw_gecos, &entry->pw_dir,
                          &entry->pw_shell};
        error = 0;
        for (size_t i = 0; i < sizeof texts / sizeof texts[0] && error == 0; ++i) {
            error = text_move(&space, texts[i]);
        }
    }
    kept_user = error == ERANGE ? next : NULL;
    mutex_unlock(&guard);
    *result = error == 0 ? entry : NULL;
    return error;
}

static int members_move(struct space *space, char ***members)
{
    size_t count = 0;
    while ((*members)[count] != NULL) {
        ++count;
    }
    uintptr_t at = ((uintptr_t)space->at + sizeof(char *) - 1) / sizeof(char *) * sizeof(char *);
    if (at + (count + 1) * sizeof(char *) > (uintptr_t)space->end) {
        return ERANGE;
    }
    char **moved = memcpy((void *)at, *members, (count + 1) * sizeof(char *));
    space->at = (char *)(moved + count + 1);
    int error = 0;
    for (size_t i = 0; i < count && error == 0; ++i) {
        error = text_move(space, &moved[i]);
    }
    *members = moved;
    return error;
}

EXPORT(int, getgrent_r, struct group *entry, char *buffer, size_t size, struct group **result)
{
    struct space space = {buffer, buffer + size};
    mutex_lock(&guard);
    const struct group *next = kept_group != NULL ? kept_group : getgrent();
    int error = ENOENT;
    if (next != NULL) {
        *entry = *next;
        error = members_move(&space, &entry->gr_mem);
        error = error != 0 ? error : text_move(&space, &entry->gr_name);
        error = error != 0 ? error : text_move(&space, &entry->gr_passwd);
    }
    kept_group = error == ERANGE ? next : NULL;
    mutex_unlock(&guard);
    *result = error == 0 ? entry : NULL;
    return error;
}

EXPORT(void, setpwent, void)
{
    mutex_lock(&guard);
    kept_user = NULL;
    setpwent();
    mutex_unlock(&guard);
}

EXPORT(void, setgrent, void)
{
    mutex_lock(&guard);
    kept_group = NULL;
    setgrent();
    mutex_unlock(&guard);
}
