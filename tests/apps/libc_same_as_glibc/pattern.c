// SPDX-License-Identifier: BSD-3-Clause
// pattern.c: fnmatch: each of many patterns against each of many texts, with all sets of flags.
#include <fnmatch.h>
#include <locale.h>
#include <string.h>

#include "same.h"

static const char *const patterns[] = {"",
                                       "*",
                                       "?",
                                       "a",
                                       "*a",
                                       "a*",
                                       "*a*b",
                                       "??",
                                       "[abc]",
                                       "[!abc]",
                                       "[^a]",
                                       "[a-c]x",
                                       "[]a]",
                                       "[!]a]",
                                       "[a",
                                       "[",
                                       "[]",
                                       "[a-]",
                                       "[-a]",
                                       "[a\\]]",
                                       "\\*",
                                       "\\",
                                       "a\\",
                                       "\\a",
                                       "*.c",
                                       ".*",
                                       "*/b",
                                       "a/*",
                                       "*/*",
                                       "?/b",
                                       "[/]b",
                                       "a[/]b",
                                       "[[:alpha:]]",
                                       "[[:upper:]]x",
                                       "[[:nonsense:]]",
                                       "[[:digit:]a]",
                                       "[[.a.]]",
                                       "[[=a=]]",
                                       "[[.-.]]",
                                       "[[.a.]-c]",
                                       "[A-Z]",
                                       "[a-Z]",
                                       "[z-a]",
                                       "[c-a]",
                                       "A*",
                                       "ABC",
                                       "a**b",
                                       "*?",
                                       "**?",
                                       "?*",
                                       "*.*",
                                       "a/.b",
                                       "a/?b",
                                       "a/[.]b",
                                       "[.]a",
                                       "?(a)",
                                       "*(a)",
                                       "+(a)",
                                       "@(a)",
                                       "!(a)",
                                       "?(a|b)c",
                                       "*(a|b)c",
                                       "+(a|b)",
                                       "@(a|b|)",
                                       "!(a|b)",
                                       "!(*.c)",
                                       "a!(b)c",
                                       "*(a*b)",
                                       "+(?)",
                                       "@(a",
                                       "?(",
                                       "+(a|+(b))",
                                       "*(*(a)b)",
                                       "!(!(a))",
                                       "@([)]|a)",
                                       "@(a\\)b)",
                                       "?(a)?(b)",
                                       "*(.)",
                                       "@(.a)",
                                       "!(.*)",
                                       "?(a/b)",
                                       "*(a/)b",
                                       "+([a-c])",
                                       "a+(b)c",
                                       "@(*)",
                                       "@(|)",
                                       "*(\\a)",
                                       "(a)",
                                       "a|b",
                                       "+",
                                       "!",
                                       "[!a-c]*",
                                       "*[!c]",
                                       "*b*c",
                                       "\303\244",
                                       "[\303\244]",
                                       "*\303\244*",
                                       "\377",
                                       "[[:alpha:]]*",
                                       "a/b",
                                       "a/b/c",
                                       "/*",
                                       "*/",
                                       "a/",
                                       "/a",
                                       "[[:",
                                       "[[:a",
                                       "[[.a",
                                       "[a[.b.]]",
                                       "[a-[.c.]]",
                                       "[!/]b",
                                       "a[!x]b",
                                       "x[!.]a",
                                       "a[b/c]d",
                                       "???",
                                       "????",
                                       "[\303\244]?",
                                       "[[.A.]]",
                                       "[[.a.]-z]",
                                       "@([a/]|b)"};

static const char *const texts[] = {"",           "a",    "b",       "c",    "A",
                                    "ab",         "abc",  "ABC",     "aab",  "acb",
                                    "a.c",        ".c",   ".",       "..",   ".a",
                                    "a/b",        "a/.b", "a/b/c",   "/",    "/a",
                                    "a/",         "//",   "ax",      "[",    "]",
                                    "[a",         "a]",   "*",       "\\",   "a\\",
                                    "-",          "1",    "aXb",     "bbbc", "ababab",
                                    "ab.c",       "(a)",  "a|b",     "aa",   "\303\244",
                                    "x\303\244y", "\377", "@(a",     "?(",   "+",
                                    "!",          "a)b",  "Bx",      "x.a",  "bb",
                                    "[]",         "[[",   "a[b/c]d", "abd",  "x\303\244\377"};

static void all(int flags)
{
    for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; ++i) {
        printf("%d %s:", flags, patterns[i]);
        for (size_t j = 0; j < sizeof texts / sizeof texts[0]; ++j) {
            int result = fnmatch(patterns[i], texts[j], flags);
            putchar(result == 0 ? 'y' : result == FNM_NOMATCH ? '.' : '?');
        }
        puts("");
    }
}

void pattern_section(void)
{
    static const int flags[] = {0,
                                FNM_PATHNAME,
                                FNM_PERIOD,
                                FNM_PATHNAME | FNM_PERIOD,
                                FNM_NOESCAPE,
                                FNM_CASEFOLD,
                                FNM_LEADING_DIR,
                                FNM_LEADING_DIR | FNM_PATHNAME,
                                FNM_EXTMATCH,
                                FNM_EXTMATCH | FNM_PATHNAME,
                                FNM_EXTMATCH | FNM_PERIOD,
                                FNM_EXTMATCH | FNM_PERIOD | FNM_PATHNAME | FNM_CASEFOLD};
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; ++i) {
        all(flags[i]);
    }
    setlocale(LC_ALL, "C.UTF-8");
    all(0);
    all(FNM_EXTMATCH);
    setlocale(LC_ALL, "C");
}
