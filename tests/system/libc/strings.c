// SPDX-License-Identifier: BSD-3-Clause
// strings.c: string functions, character classes, locales and error texts, as glibc has them.
#include <ctype.h>
#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <search.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <wchar.h>
#include <wctype.h>

char *dirname(char *path); // libgen.h would change basename

static int sign(int value)
{
    return (value > 0) - (value < 0);
}

static void searching(void)
{
    const char *text = "the quick brown fox jumps over the lazy dog, the end";
    printf("%td %td %td\n", strstr(text, "the end") - text, strrchr(text, 't') - text,
           strpbrk(text, "xyz") - text);
    printf("%zu %zu %s\n", strspn(text, "eht "), strcspn(text, ",."), strcasestr(text, "LAZY"));
    printf("%s|%s|%p\n", strchr(text, 'q'), strchrnul(text, '!'), (void *)strchr(text, '!'));
    printf("%s %s\n", (char *)memmem(text, strlen(text), "fox", 3),
           (char *)memrchr(text, 'd', strlen(text)));
    printf("%d %d %d\n", sign(strcasecmp("HeLLo", "hello")), sign(strncasecmp("abcX", "ABCY", 3)),
           sign(strverscmp("a9", "a10")));
    printf("%d %d\n", sign(strcoll("a", "b")), sign(memcmp("abc", "abd", 3)));
    char words[] = "a,b;;c";
    char *rest = words, *word;
    while ((word = strsep(&rest, ",;")) != NULL) {
        printf("[%s]", word);
    }
    char again[] = "  one two  three ";
    for (word = strtok_r(again, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest)) {
        printf("<%s>", word);
    }
    puts("");
    char path[] = "/usr/lib/x/";
    printf("%s %s ", basename("/a/b"), basename("/a/b/"));
    printf("%s\n", dirname(path));
    char target[32];
    printf("%s %td\n", stpcpy(target, "abc") - 3, stpcpy(target, "abcd") - target);
    strncpy(target, "xy", 5);
    printf("%d %d %s\n", target[2], target[4], strcat(target, "z"));
    char *copy = strndup("duplicate", 3);
    printf("%s %zu\n", copy, strnlen("abcdef", 3));
    free(copy);
    printf("%s\n", (char *)mempcpy(target, "12345", 6) - 6);
    printf("%zu\n", strxfrm(target, "hello", sizeof target));
}

static void classes(void)
{
    for (int c = -1; c < 256; ++c) {
        printf("%d:%d%d%d%d%d%d%d%d%d%d%d %d %d\n", c, !!isalpha(c), !!isdigit(c), !!isalnum(c),
               !!isspace(c), !!isupper(c), !!islower(c), !!ispunct(c), !!isprint(c), !!isgraph(c),
               !!iscntrl(c), !!isxdigit(c), toupper(c), tolower(c));
    }
    for (wint_t c = 0; c < 128; ++c) {
        printf("%d%d%d%lc", !!iswalpha(c), !!iswspace(c), !!iswupper(c),
               iswprint(c) ? towupper(c) : L'.');
    }
    puts("");
}

static void errors(void)
{
    for (int i = -1; i < 140; ++i) {
        char text[64];
        printf("%d %s|%s|%s\n", i, strerror(i), strerror_r(i, text, sizeof text),
               strerrorname_np(i) == NULL ? "none" : strerrorname_np(i));
    }
    for (int i = 0; i < 70; ++i) {
        printf("%d %s\n", i, strsignal(i));
    }
    errno = EACCES;
    perror("perror");
}

static void locales(void)
{
    static const char *const names[] = {"C",      "POSIX",       "",      "C.UTF-8",
                                        "C.utf8", "en_US.UTF-8", "xx_YY", "de_DE"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; ++i) {
        const char *now = setlocale(LC_ALL, names[i]);
        printf("%s -> %s %s\n", names[i], now == NULL ? "none" : now, nl_langinfo(CODESET));
        locale_t made = newlocale(LC_ALL_MASK, names[i], NULL);
        printf("%d\n", made != NULL);
        if (made != NULL) {
            freelocale(made);
        }
    }
    setlocale(LC_ALL, "C");
    printf("%s %s\n", setlocale(LC_CTYPE, "C.UTF-8"), setlocale(LC_ALL, NULL));
    wchar_t wide[8];
    printf("%zu %zu %d\n", mbstowcs(wide, "\xc3\xa4x", 8), MB_CUR_MAX, wcwidth(L'x'));
    setlocale(LC_ALL, "C");
    struct lconv *conventions = localeconv();
    printf("%s|%s|%d\n", conventions->decimal_point, conventions->thousands_sep,
           conventions->frac_digits);
    printf("%s|%s|%s|%s\n", nl_langinfo(D_T_FMT), nl_langinfo(DAY_1), nl_langinfo(MON_12),
           nl_langinfo(RADIXCHAR));
}

static int compare(const void *a, const void *b)
{
    return *(const int *)a % 10 - *(const int *)b % 10;
}

static int compare_big(const void *a, const void *b)
{
    return ((const int *)a)[0] % 10 - ((const int *)b)[0] % 10;
}

// What was compared with what, in which order: programs that print from here can see it.
static unsigned long comparisons;

static int compare_seen(const void *a, const void *b)
{
    comparisons = comparisons * 31 + (unsigned long)(*(const int *)a * 7 + *(const int *)b);
    return *(const int *)a - *(const int *)b;
}

static void sorting_order(void)
{
    static struct {
        int key;
        char rest[40];
    } large[200];
    for (int count = 0; count < 200; ++count) {
        int values[200];
        for (int i = 0; i < count; ++i) {
            values[i] = large[i].key = (i * 7919 + count * 31) % 97;
        }
        qsort(values, (size_t)count, sizeof values[0], compare_seen);
        qsort(large, (size_t)count, sizeof large[0], compare_seen);
    }
    printf("comparisons %lx\n", comparisons);
}

static void sorting(void)
{
    int values[1000];
    int big[300][12];
    srandom(3);
    for (int i = 0; i < 1000; ++i) {
        values[i] = (int)(random() % 1000);
    }
    for (int i = 0; i < 300; ++i) {
        for (int k = 0; k < 12; ++k) {
            big[i][k] = rand() % 100 * (k + 1);
        }
    }
    qsort(values, 1000, sizeof values[0], compare);
    qsort(big, 300, sizeof big[0], compare_big);
    for (int i = 0; i < 1000; ++i) {
        printf("%d ", values[i]);
    }
    for (int i = 0; i < 300; ++i) {
        printf("%d:%d ", big[i][0], big[i][11]);
    }
    srand(7);
    unsigned seed = 9;
    char state[128];
    for (int i = 0; i < 5; ++i) {
        printf("%d %d %ld ", rand(), rand_r(&seed), random());
    }
    initstate(5, state, 64);
    printf("%ld %ld ", random(), random());
    setstate(state);
    printf("%ld %f %ld\n", random(), drand48(), lrand48());
}

int main(void)
{
    searching();
    classes();
    errors();
    locales();
    sorting_order();
    sorting();
    return 0;
}
