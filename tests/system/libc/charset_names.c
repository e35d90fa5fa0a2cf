// SPDX-License-Identifier: BSD-3-Clause
// charset_names.c: GCONV_PATH and its lists; what /usr/bin/iconv asks the C library for beside
// iconv: all names of charsets, and conversions with errors ignored.
#include <dlfcn.h>
#include <errno.h>
#include <iconv.h>
#include <search.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#if defined(__x86_64__)
#define GCONV "/usr/lib/x86_64-linux-gnu/gconv/"
#else
#define GCONV "/usr/lib/aarch64-linux-gnu/gconv/"
#endif

struct module { // glibc's struct gconv_module
    const char *from, *to;
    int cost_high, cost_low;
    const char *file;
    struct module *left, *same, *right;
};

struct wish { // struct gconv_spec
    char *from, *to;
    bool transliterates, ignores_errors;
};

static void *names;

static int compare(const void *one, const void *other)
{
    return strverscmp(one, other);
}

static void alias_add(const void *node, VISIT visit, int level)
{
    const char *const *alias = *(const char *const *const *)node;
    if (visit == leaf || visit == preorder) {
        tsearch(alias[0], &names, compare);
        tsearch(alias[1], &names, compare);
    }
}

static void modules_add(const struct module *module)
{
    if (module->left != NULL) {
        modules_add(module->left);
    }
    if (module->right != NULL) {
        modules_add(module->right);
    }
    for (; module != NULL; module = module->same) {
        if (strcmp(module->from, "INTERNAL") != 0) {
            tsearch(module->from, &names, compare);
        }
        if (strcmp(module->to, "INTERNAL") != 0) {
            tsearch(module->to, &names, compare);
        }
    }
}

static void name_print(const void *node, VISIT visit, int level)
{
    if (visit == leaf || visit == postorder) {
        puts(*(const char *const *)node);
    }
}

static void *private_function(const char *name)
{
    return dlvsym(RTLD_DEFAULT, name, "GLIBC_PRIVATE");
}

static void all_names(void)
{
    iconv_close(iconv_open("L1", "L1"));
    void *(*cache)(void) = private_function("__gconv_get_cache");
    void *(*aliases)(void) = private_function("__gconv_get_alias_db");
    struct module *(*modules)(void) = private_function("__gconv_get_modules_db");
    printf("cache: %d\n", cache() != NULL);
    twalk(aliases(), alias_add);
    modules_add(modules());
    twalk(names, name_print);
}

static void wish_try(const char *from, const char *to, bool ignores_errors)
{
    struct wish wish;
    iconv_t conversion = NULL;
    struct wish *(*create)(struct wish *, const char *, const char *) =
        private_function("__gconv_create_spec");
    int (*open)(struct wish *, iconv_t *, int) = private_function("__gconv_open");
    void (*destroy)(struct wish *) = private_function("__gconv_destroy_spec");
    printf("%d ", create(&wish, from, to) == &wish);
    printf("%s %s %d %d: ", wish.from, wish.to, wish.transliterates, wish.ignores_errors);
    wish.ignores_errors |= ignores_errors;
    printf("%d ", open(&wish, &conversion, 0));
    destroy(&wish);
    if (conversion != NULL) {
        char in_text[] = "a\xc3\xa9z", out_text[16] = "", *in = in_text, *out = out_text;
        size_t size = strlen(in), room = sizeof out_text;
        errno = 0;
        long result = (long)iconv(conversion, &in, &size, &out, &room);
        printf("%ld %d %zu %.*s", result, errno == EILSEQ, size, (int)(out - out_text), out_text);
        iconv_close(conversion);
    }
    puts("");
}

static void list_make(void)
{
    mkdir("lists", 0755);
    mkdir("lists/gconv-modules.d", 0755);
    FILE *list = fopen("lists/gconv-modules", "w");
    fprintf(list,
            "# a list\n\nalias mine// ISO-8859-2//  # a name\nalias\tmine//\tISO-8859-5//\n"
            "alias UTF-16// ISO-8859-1//\nalias far// mine//\nalias short\nother A B C\n"
            "module own// INTERNAL %sISO8859-1 1\nmodule INTERNAL own// %sISO8859-1.so\n"
            "module lost// INTERNAL none 1\nmodule lost// ISO-8859-1// none 1\n"
            "module KOI8-R// ISO-8859-1// none 5\n",
            GCONV, GCONV);
    fclose(list);
    list = fopen("lists/gconv-modules.d/more.conf", "w");
    fprintf(list, "alias more// KOI8-R//");
    fclose(list);
    list = fopen("lists/gconv-modules.d/not-read", "w");
    fprintf(list, "alias unread// KOI8-R//\n");
    fclose(list);
}

static void own_names(void)
{
    static const char *const tried[] = {"mine",  "MORE", "far",    "own",    "lost",
                                        "short", "A",    "unread", "KOI8-R", "UTF-16"};
    for (size_t i = 0; i < sizeof tried / sizeof *tried; ++i) {
        for (int way = 0; way < 2; ++way) {
            iconv_t conversion =
                iconv_open(way == 0 ? "UTF-8" : tried[i], way == 0 ? tried[i] : "UTF-8");
            char in_text[] = "\xc4\x99", out_text[16], *in = in_text, *out = out_text;
            size_t size = 2, room = sizeof out_text;
            printf("%s:", tried[i]);
            if (conversion != (iconv_t)-1) {
                iconv(conversion, &in, &size, &out, &room);
                for (char *byte = out_text; byte < out; ++byte) {
                    printf(" %02x", (unsigned char)*byte);
                }
                iconv_close(conversion);
            }
            puts("");
        }
    }
}

int main(void)
{
    list_make();
    setenv("GCONV_PATH", "nowhere::lists", 1); // with it glibc reads the lists and not their cache
    all_names();
    own_names();
    wish_try("utf8", "ascii//TRANSLIT", false);
    wish_try("utf8//ignore", "ascii", true);
    wish_try("", " latin1/ , ", false);
    wish_try("nothing", "ascii", false);
    return 0;
}
