// SPDX-License-Identifier: BSD-3-Clause
// glob.c: patterns over a small tree of files, and over folders that the program makes up.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "same.h"

static const char *const folders[] = {"one", "one/in", "two", "two/in", ".hid", "one/in/deep"};
static const char *const files[] = {"a.c",     "b.c",    "B.h", "one/x.c",  "one/in/y.c",
                                    "two/x.c", "{b}",    "a,b", "two/in/z", "[b]",
                                    "back\\s", ".hid/f", ".dot"};

static int failed(const char *path, int error)
{
    printf("failed %s %d\n", path, error);
    return 0;
}

static int failed_end(const char *path, int error)
{
    printf("failed, end %s %d\n", path, error);
    return 1;
}

static void show(const char *pattern, int flags, int (*function)(const char *, int))
{
    glob_t result;
    memset(&result, 0, sizeof result);
    result.gl_offs = 2;
    int error = glob(pattern, flags, function, &result);
    bool shows = error == 0 && pattern[0] != 0 && pattern[strlen(pattern) - 1] != '/' &&
                 (flags & (GLOB_NOCHECK | GLOB_NOMAGIC)) == 0;
    printf("%s %x: %d %zu %x", pattern, flags, error, result.gl_pathc,
           shows ? result.gl_flags & GLOB_MAGCHAR : 0);
    size_t first = (flags & GLOB_DOOFFS) != 0 ? 2 : 0;
    for (size_t i = 0; error == 0 && i < result.gl_pathc; ++i) {
        printf(" <%s>", result.gl_pathv[first + i]);
    }
    if (error == 0) {
        printf(" %d", result.gl_pathv[first + result.gl_pathc] == NULL);
        globfree(&result);
    }
    puts("");
}

static const char *const patterns[] = {"*",
                                       "*.c",
                                       "?.c",
                                       "[ab].c",
                                       "[!a].c",
                                       "*/*",
                                       "*/*.c",
                                       "*/",
                                       "*/*/",
                                       "one/*",
                                       "one/",
                                       "one//x.c",
                                       "one//*",
                                       "*//x.c",
                                       "./*.c",
                                       "a.c",
                                       "none",
                                       "none*",
                                       "none/*",
                                       "a.c/",
                                       "a.c/*",
                                       "*/none",
                                       "*/x.c",
                                       "*/in/*",
                                       "*/in",
                                       ".*",
                                       "*/.*",
                                       "/",
                                       "/etc/host[s]",
                                       "a\\.c",
                                       "\\a.c",
                                       "a\\*",
                                       "\\[b]",
                                       "[[]b]",
                                       "back\\\\s",
                                       "back\\s",
                                       "",
                                       "{a,b}.c",
                                       "{a,none}.c",
                                       "{none,nothing}",
                                       "{a,b",
                                       "a,b}",
                                       "{b}",
                                       "{}",
                                       "{,a.c}",
                                       "{a,{b,B}}.{c,h}",
                                       "{a.c,*.c}",
                                       "{one,two}/{x.c,in}",
                                       "{one,two}/*",
                                       "\\{b}",
                                       "{a,b}*",
                                       "x{",
                                       "{a.c}",
                                       "{a\\,b,b.c}",
                                       "~",
                                       "~/",
                                       "~/*.c",
                                       "~nobodyx",
                                       "~nobodyx/x",
                                       "~root",
                                       "a~",
                                       "*/in/deep",
                                       "one/in/../*",
                                       "./././a.c",
                                       "[",
                                       "[b",
                                       "*[",
                                       "two/in/z/*"};

static void tree(void)
{
    static const int flags[] = {0,
                                GLOB_MARK,
                                GLOB_NOCHECK,
                                GLOB_NOESCAPE,
                                GLOB_PERIOD,
                                GLOB_BRACE,
                                GLOB_BRACE | GLOB_NOCHECK,
                                GLOB_BRACE | GLOB_NOMAGIC,
                                GLOB_NOMAGIC,
                                GLOB_TILDE,
                                GLOB_TILDE_CHECK,
                                GLOB_TILDE_CHECK | GLOB_NOCHECK,
                                GLOB_ONLYDIR,
                                GLOB_DOOFFS,
                                GLOB_DOOFFS | GLOB_NOCHECK};
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; ++i) {
        for (size_t j = 0; j < sizeof patterns / sizeof patterns[0]; ++j) {
            if (flags[i] == GLOB_ONLYDIR && strchr(patterns[j], '\\') != NULL) {
                continue; // glibc looks whether it is a folder, unlike without backslashes
            }
            if (flags[i] != GLOB_MARK || strcspn(patterns[j], "/") + 1 != strlen(patterns[j])) {
                show(patterns[j], flags[i], NULL); // else glibc gives two slashes
            }
        }
    }
    show("none/*", 0, failed);
    show("none/*", 0, failed_end);
    show("none/*", GLOB_ERR, NULL);
    show("a.c/*", GLOB_ERR, failed_end);
    RESULT(glob("*", 1 << 20, NULL, &(glob_t){0}));
    glob_t result = {.gl_offs = 1};
    NUMBER(glob("*.c", GLOB_DOOFFS, NULL, &result));
    NUMBER(glob("*.h", GLOB_DOOFFS | GLOB_APPEND, NULL, &result));
    NUMBER(glob("none*", GLOB_DOOFFS | GLOB_APPEND, NULL, &result));
    NUMBER(glob("none", GLOB_DOOFFS | GLOB_APPEND | GLOB_NOCHECK, NULL, &result));
    NUMBER(result.gl_pathc);
    NUMBER(result.gl_pathv[0] == NULL);
    for (size_t i = 0; i < result.gl_pathc + 1; ++i) {
        TEXT(result.gl_pathv[1 + i]);
    }
    globfree(&result);
    for (size_t j = 0; j < sizeof patterns / sizeof patterns[0]; ++j) {
        printf("%d%d ", glob_pattern_p(patterns[j], 0), glob_pattern_p(patterns[j], 1));
    }
    puts("");
}

struct made_up {
    int place;
    struct dirent entry;
};

static void *made_up_open(const char *path)
{
    printf("open %s\n", path);
    errno = ENOENT;
    return strcmp(path, "bad") == 0 ? NULL : calloc(1, sizeof(struct made_up));
}

static struct dirent *made_up_read(void *stream)
{
    static const char *const names[] = {"zeta", "alpha", ".dot", "gone", "beta"};
    struct made_up *made_up = stream;
    if (made_up->place == 5) {
        return NULL;
    }
    strcpy(made_up->entry.d_name, names[made_up->place]);
    made_up->entry.d_ino = made_up->place == 3 ? 0 : 1;
    made_up->entry.d_type = made_up->place == 0 ? DT_DIR : DT_REG;
    ++made_up->place;
    return &made_up->entry;
}

static int made_up_stat(const char *path, struct stat *status)
{
    memset(status, 0, sizeof *status);
    status->st_mode = strstr(path, "zeta") != NULL ? S_IFDIR | 0700 : S_IFREG | 0600;
    return strstr(path, "none") != NULL ? -1 : 0;
}

static void made_up(void)
{
    static const char *const wanted[] = {"*", "dir/*", "dir/none", "*/x", "bad/*", "dir/x"};
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; ++i) {
        glob_t result = {.gl_opendir = made_up_open,
                         .gl_readdir = made_up_read,
                         .gl_closedir = free,
                         .gl_stat = made_up_stat,
                         .gl_lstat = made_up_stat};
        int error = glob(wanted[i], GLOB_ALTDIRFUNC | GLOB_MARK | (i % 2 == 0 ? GLOB_NOSORT : 0),
                         failed, &result);
        printf("%s: %d %zu", wanted[i], error, result.gl_pathc);
        for (size_t j = 0; error == 0 && j < result.gl_pathc; ++j) {
            printf(" <%s>", result.gl_pathv[j]);
        }
        puts("");
    }
}

void glob_section(void)
{
    char root[] = "/tmp/same.glob.XXXXXX";
    if (mkdtemp(root) == NULL || chdir(root) != 0) {
        perror(root);
        return;
    }
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; ++i) {
        mkdir(folders[i], 0700);
    }
    for (size_t i = 0; i < sizeof files / sizeof files[0]; ++i) {
        close(open(files[i], O_CREAT | O_WRONLY, 0600));
    }
    setenv("HOME", "one", 1);
    symlink("one", "link");
    symlink("nowhere", "broken");
    tree();
    made_up();
    unlink("link");
    unlink("broken");
    for (size_t i = 0; i < sizeof files / sizeof files[0]; ++i) {
        unlink(files[i]);
    }
    for (size_t i = sizeof folders / sizeof folders[0]; i > 0; --i) {
        rmdir(folders[i - 1]);
    }
    chdir("/");
    rmdir(root);
}
