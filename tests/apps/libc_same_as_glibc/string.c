// SPDX-License-Identifier: BSD-3-Clause
// string.c: strings, and what is odd among them; malloc's answers.
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "same.h"

static void plain(void)
{
    char text[64] = "  one, two;three  ", *rest = text, *part;
    while ((part = strsep(&rest, " ,;")) != NULL) {
        printf("[%s]", part);
    }
    puts("");
    strcpy(text, "a:b::c");
    for (part = strtok_r(text, ":", &rest); part != NULL; part = strtok_r(NULL, ":", &rest)) {
        printf("[%s]", part);
    }
    puts("");
    static const char *const versions[] = {"1", "01",  "1.2", "1.10",  "1.02",    "a9",      "a10",
                                           "",  "000", "00",  "1.001", "item#99", "item#100"};
    for (size_t i = 0; i < sizeof versions / sizeof versions[0]; ++i) {
        for (size_t j = 0; j < sizeof versions / sizeof versions[0]; ++j) {
            int order = strverscmp(versions[i], versions[j]);
            printf("%d", (order > 0) - (order < 0));
        }
        puts("");
    }
    strcpy(text, "frob");
    memfrob(text, 4);
    TEXT(text);
    strcpy(text, "abcdef");
    NUMBER(strlen(strfry(text)));
    TEXT(basename("/a/b/c"));
    TEXT(basename("/a/b/"));
    TEXT(basename(""));
    NUMBER(strcasecmp("HELLO", "hellp"));
    NUMBER(strncasecmp("HELLO", "hellp", 4));
    NUMBER(strcasestr("Hello World", "WORLD") != NULL);
    NUMBER(strcmp("\xff", "a") > 0);
    NUMBER(memcmp("\xff", "a", 1) > 0);
    NUMBER(strnlen("abc", 2));
    NUMBER(rawmemchr("abc", 'c') != NULL);
    NUMBER(memrchr("abcb", 'b', 4) != NULL);
    NUMBER((char *)mempcpy(text, "xyz", 3) - text);
    NUMBER((char *)memccpy(text, "hello", 'l', 5) - text);
    NUMBER(memccpy(text, "hello", 'z', 5) == NULL);
    NUMBER(stpncpy(text, "ab", 5) - text);
    NUMBER(strspn("aabbc", "ab"));
    NUMBER(strcspn("aabbc", "c"));
    NUMBER(strpbrk("hello", "xyz") == NULL);
    NUMBER(strstr("aaab", "aab") != NULL);
    NUMBER(strstr("", "") != NULL);
    NUMBER(memmem("abcabd", 6, "abd", 3) != NULL);
    NUMBER(ffs(0x100));
    char swapped[8] = "";
    swab("abcdef", swapped, 6);
    TEXT(swapped);
    NUMBER(rpmatch("yes"));
    NUMBER(rpmatch("no"));
    NUMBER(rpmatch("maybe"));
    TEXT(strdupa("dup"));
    TEXT(strndup("dup", 2));
}

static void more(void)
{
    char copy[64];
    char *option = "ro,size=5,bad=1", *value;
    char *const tokens[] = {"ro", "size", NULL};
    strcpy(copy, option);
    option = copy;
    while (*option != 0) {
        int index = getsubopt(&option, tokens, &value);
        printf("%d %s\n", index, value == NULL ? "NULL" : value);
    }
    NUMBER(realloc(malloc(5), 0) == NULL);
    void *p = malloc(0);
    NUMBER(p != NULL);
    RESULT(malloc((size_t)-1) == NULL);
    RESULT(calloc((size_t)-1, 2) == NULL);
    RESULT(reallocarray(NULL, (size_t)-1, 2) == NULL);
    RESULT(posix_memalign(&p, 3, 8));
    RESULT(aligned_alloc(3, 8) != NULL);
}

void string_section(void)
{
    plain();
    more();
}
