// SPDX-License-Identifier: BSD-3-Clause
// regex_test.c: regular expressions, compared with the host's C library, which is glibc: the same
// patterns on the same texts, written by hand and made from seeds; and patterns that are hostile.
#include <check.h>
#include <locale.h>
#include <regex.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// core/libc's, under the names that EXPORT gives them
int glibc_regcomp(regex_t *buffer, const char *pattern, int flags);
int glibc_regexec(const regex_t *buffer, const char *text, size_t count, regmatch_t *matches,
                  int flags);
void glibc_regfree(regex_t *buffer);
size_t glibc_regerror(int code, const regex_t *buffer, char *text, size_t size);
reg_syntax_t glibc_re_set_syntax(reg_syntax_t syntax);
const char *glibc_re_compile_pattern(const char *pattern, size_t length, regex_t *buffer);
int glibc_re_search(regex_t *buffer, const char *text, int length, int start, int range,
                    struct re_registers *registers);
int glibc_re_match(regex_t *buffer, const char *text, int length, int start,
                   struct re_registers *registers);
int glibc_re_search_2(regex_t *buffer, const char *first, int first_length, const char *second,
                      int second_length, int start, int range, struct re_registers *registers,
                      int stop);
int glibc_re_match_2(regex_t *buffer, const char *first, int first_length, const char *second,
                     int second_length, int start, struct re_registers *registers, int stop);
void glibc_re_set_registers(regex_t *buffer, struct re_registers *registers, unsigned count,
                            int *starts, int *ends);

// What core/libc/memory.h promises; the allocations that are left, and from which on they fail.
void *libc_malloc(size_t size);
void *libc_calloc(size_t count, size_t size);
void *libc_realloc(void *block, size_t size);
void libc_free(void *block);

static long allocations_left = -1;

static int runs_out(void)
{
    return allocations_left >= 0 && allocations_left-- == 0 ? (allocations_left = 0, 1) : 0;
}

void *libc_malloc(size_t size)
{
    return runs_out() ? NULL : malloc(size);
}

void *libc_calloc(size_t count, size_t size)
{
    return runs_out() ? NULL : calloc(count, size);
}

void *libc_realloc(void *block, size_t size)
{
    return runs_out() ? NULL : realloc(block, size);
}

void libc_free(void *block)
{
    free(block);
}

enum { SPANS = 6, PATTERN_SIZE = 64, TEXT_SIZE = 24, SHOWN_MAX = 6 };

static int shown;

static void show(const char *what, const char *pattern, const char *text, int flags)
{
    if (shown++ < SHOWN_MAX) {
        fprintf(stderr, "%s: /%s/ on \"%s\", flags %d\n", what, pattern, text, flags);
    }
}

static void spans_show(const char *who, int status, const regmatch_t *spans)
{
    if (shown <= SHOWN_MAX) {
        fprintf(stderr, "  %s: %d", who, status);
        for (int i = 0; i < SPANS; ++i) {
            fprintf(stderr, " %d-%d", spans[i].rm_so, spans[i].rm_eo);
        }
        fputc('\n', stderr);
    }
}

static int text_differs(const regex_t *theirs, const regex_t *ours, const char *pattern,
                        const char *text, int flags, int how)
{
    regmatch_t want[SPANS], have[SPANS];
    memset(want, 0x55, sizeof want);
    want[0].rm_so = 0;
    want[0].rm_eo = (regoff_t)strlen(text);
    memcpy(have, want, sizeof have);
    int status = regexec(theirs, text, SPANS, want, how);
    int mine = glibc_regexec(ours, text, SPANS, have, how);
    if (status == mine && (status != 0 || memcmp(want, have, sizeof want) == 0)) {
        return 0;
    }
    show("regexec", pattern, text, flags);
    spans_show("glibc", status, want);
    spans_show("ours ", mine, have);
    return 1;
}

// How many of the texts, up to a NULL, the pattern is not treated alike on; 1 for its errors.
static int differs(const char *pattern, const char *const *texts, int flags, int how)
{
    regex_t theirs, ours;
    int count = 0;
    int want = regcomp(&theirs, pattern, flags);
    int have = glibc_regcomp(&ours, pattern, flags);
    if (want != have || (want == 0 && theirs.re_nsub != ours.re_nsub)) {
        show("regcomp", pattern, "", flags);
        fprintf(stderr, "  glibc: %d, ours: %d\n", want, have);
        count = 1;
    }
    for (; want == 0 && have == 0 && *texts != NULL; ++texts) {
        count += text_differs(&theirs, &ours, pattern, *texts, flags, how);
    }
    if (want == 0) {
        regfree(&theirs);
    }
    if (have == 0) {
        glibc_regfree(&ours);
    }
    return count;
}

static const char *const texts_by_hand[] = {
    "",
    "a",
    "b",
    "ab",
    "ba",
    "aab",
    "abab",
    "aaaa",
    "abcabc",
    "abc\nabd",
    "\n",
    "a\n",
    "\na",
    "foo bar",
    "foo_bar baz",
    "  x",
    "x  ",
    "a*b",
    "a+b",
    "a{1}",
    "a|b",
    "(a)",
    "[a]",
    "^a$",
    "a\\b",
    "ABC",
    "aBc",
    "hello, world",
    "The quick brown fox",
    "aaaaaaaaab",
    "xyzzy",
    "0x1f",
    "2024-01-31",
    "key=value",
    "a.b.c",
    "--option",
    "abcdefgabcdefg",
    "aXbXc",
    "\t tab",
    "-",
    "]",
    "caf\303\251",
    NULL,
};

static const char *const patterns_by_hand[] = {
    "",
    "a",
    "a*",
    "a\\+",
    "a+",
    "a\\?",
    "a?",
    "ab*c",
    "^a",
    "a$",
    "^$",
    "^*",
    "*a",
    "\\(*a\\)",
    "\\(^a\\)",
    "a\\{2\\}",
    "a{2}",
    "a{2,}",
    "a{,2}",
    "a{2,3}",
    "a{3,2}",
    "a{1",
    "a{1,",
    "a{",
    "a{x}",
    "a\\{1",
    "a\\{x\\}",
    "a{32768}",
    "a{0}",
    "a{0}b",
    "(a){0}\\1",
    "()",
    "(|a)",
    "(a|)",
    "a||b",
    "|",
    "a|",
    "|a",
    "(",
    ")",
    "a)",
    "\\(",
    "\\)",
    "(a",
    "a**",
    "a+*",
    "(*a)",
    "(+a)",
    "a|*b",
    "^*b",
    "^+b",
    "$*b",
    "(^a)",
    "(a$)",
    "a^b",
    "a$b",
    "x*",
    "(a*)*",
    "(a*)+",
    "(a*)(a*)",
    "(a|ab)(c|bcd)(d*)",
    "(a+)(b+)?",
    "((a)|(b))*",
    "((a*)|b)*",
    "(a?)*b",
    "(a)(b)(c)(a)(b)(c)",
    "\\(a\\)\\1",
    "(a)\\1",
    "(ab)\\1",
    "(a|b)\\1",
    "(a*)\\1",
    "\\(a*\\)b*\\1",
    "(.)(.)\\2\\1",
    "\\(.\\).*\\1",
    "(a)|b\\1",
    "\\1",
    "(a)\\2",
    "([a-c]*)\\1$",
    "^(.*)\\1$",
    "(a*b)*\\1",
    "(a(b)?)+\\2",
    "[abc]",
    "[^abc]",
    "[a-c]*",
    "[]a]",
    "[^]a]",
    "[a-]",
    "[-a]",
    "[a-c-e]",
    "[c-a]",
    "[---]",
    "[%--]",
    "[a",
    "[",
    "[^",
    "[]",
    "[^]",
    "[[:alpha:]]+",
    "[[:digit:][:space:]]",
    "[[:foo:]]",
    "[[:alpha:",
    "[[:alpha:]",
    "[[.a.]]",
    "[[.hyphen.]]",
    "[[.-.]]",
    "[[.ab.]]",
    "[[=a=]b]",
    "[[=ab=]]",
    "[[:alpha:]-z]",
    "[a-[:alpha:]]",
    "[[.a.]-c]",
    "[a-[.c.]]",
    "[\\n]",
    "[\\]",
    "[a\\]b]",
    "[[]",
    "[[a]",
    "[:alpha:]",
    "[[:upper:]]",
    "[[:lower:]]+",
    "[^[:upper:]]",
    "\\w+",
    "\\W+",
    "\\s+",
    "\\S+",
    "\\bf",
    "o\\b",
    "\\Bo",
    "\\<b",
    "r\\>",
    "\\`a",
    "c\\'",
    "\\<",
    "\\>",
    "\\b",
    "\\B",
    "\\",
    "a\\",
    "\\a",
    "\\n",
    "\\.",
    "\\*",
    "\\[",
    "\\]",
    "\\{",
    "\\}",
    "\\|",
    "a\\|b",
    "\\(a\\|b\\)*c",
    "\\+",
    "\\?",
    "\\(^*a\\)",
    "a\\{1,2\\}\\{2\\}",
    "(a{1,2}){2}",
    "(a{0,2}){0,2}b",
    "((a{2}){2}){2}",
    ".",
    "..",
    ".*",
    ".+b",
    "a.c",
    "[A-Z]",
    "[Z-a]",
    "[z-A]",
    "hello|world",
    "(hello|hell)(o|o,)",
    "(foo|foobar)(bar)?",
    "x(y|z)*y",
    "(a|b|c|d)*e",
    "[0-9]{4}-[0-9]{2}-[0-9]{2}",
    "^([^=]*)=(.*)$",
    "(a*)(ab)*(b*)",
    "(a*)(ab)*(b)*",
    "((a|ab)(c|bcd))(d*)",
    "(ab|a)(bc|c)?",
    "(a|(b))*",
    "(^|b)a",
    "a(b|$)",
    "(a|^)*b",
    "(\\<|x)b",
    "()*",
    "(()|a)*",
    "(a|()|b)*c",
    "\\(\\)",
    "\\(\\(a\\)\\)",
    "((((((((((a))))))))))",
    "((a)(b))\\3",
    "(a{1}){1}",
    "a{,}",
    "{1}",
    "a|{1}",
    "{",
    "}",
    "a}",
    "a{1}{2}",
    "a{1,2}{3}",
    "a*{2}",
    "[[:alnum:]_]+",
    "caf.",
    "caf..",
    "caf\303\251",
    "caf[\303\251]",
    "caf[^a]",
};

START_TEST(patterns_by_hand_match_as_glibcs)
{
    static const int ways[] = {0, REG_NOTBOL, REG_NOTEOL, REG_NOTBOL | REG_NOTEOL, REG_STARTEND};
    int count = 0;
    setlocale(LC_ALL, _i < 16 ? "C" : "C.UTF-8");
    for (size_t i = 0; i < sizeof patterns_by_hand / sizeof *patterns_by_hand; ++i) {
        for (size_t w = 0; w < sizeof ways / sizeof *ways; ++w) {
            count += differs(patterns_by_hand[i], texts_by_hand, _i % 16, ways[w]);
        }
    }
    setlocale(LC_ALL, "C");
    ck_assert_int_eq(count, 0);
}
END_TEST

static unsigned long seed;

static unsigned pick(unsigned bound)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(seed >> 33) % bound;
}

// A pattern of parts that make sense more often than characters do.
static void pattern_make(char *pattern, int parts, const char *const *pool, unsigned pool_count)
{
    *pattern = '\0';
    for (int i = 0; i < parts; ++i) {
        const char *part = pool[pick(pool_count)];
        if (strlen(pattern) + strlen(part) < PATTERN_SIZE) {
            strcat(pattern, part);
        }
    }
}

static void text_make(char *text, const char *letters)
{
    unsigned length = pick(TEXT_SIZE - 1);
    unsigned count = (unsigned)strlen(letters);
    for (unsigned i = 0; i < length; ++i) {
        text[i] = letters[pick(count)];
    }
    text[length] = '\0';
}

static const char *const pool_extended[] = {
    "a",     "b",    "c",    "a",    "b",    ".",           "(",   ")",      "(",
    ")",     "(a",   "b)",   "|",    "*",    "+",           "?",   "{2}",    "{1,2}",
    "{0,1}", "{,2}", "{1,}", "[ab]", "[^a]", "[a-c]",       "^",   "$",      "\\<",
    "\\>",   "\\b",  "\\w",  "\\W",  "()",   "[[:alpha:]]", "\\B", "(a|b)*",
};
static const char *const pool_basic[] = {
    "a",    "b",    "c",    "a",   "b",   ".",   "\\(", "\\)",     "\\(",
    "\\)",  "\\(a", "b\\)", "\\|", "*",   "\\+", "\\?", "\\{2\\}", "\\{1,2\\}",
    "[ab]", "[^a]", "^",    "$",   "\\w", "\\s", "\\`", "x\\|",    "*",
};
static const char *const pool_references[] = {
    "a",     "b",   "c",    ".",   "a*",  "b?",  ".*",  "(a*)", "(a|b)",
    "(ab?)", "(.)", "(.*)", "(b)", "\\1", "\\1", "\\2", "^",    "$",
};

#define POOL(pool) pool, sizeof pool / sizeof *pool

START_TEST(patterns_of_seeds_match_as_glibcs)
{
    static const int flags[] = {REG_EXTENDED, REG_EXTENDED | REG_ICASE, REG_EXTENDED | REG_NEWLINE,
                                0, REG_NEWLINE};
    char pattern[PATTERN_SIZE + 1], text[8][TEXT_SIZE];
    const char *texts[9] = {text[0], text[1], text[2], text[3], text[4],
                            text[5], text[6], text[7], NULL};
    int count = 0;
    seed = 1000 + (unsigned long)_i;
    for (int round = 0; round < 3000; ++round) {
        int way = flags[pick(5)];
        if ((way & REG_EXTENDED) != 0) {
            pattern_make(pattern, 1 + (int)pick(8), POOL(pool_extended));
        } else {
            pattern_make(pattern, 1 + (int)pick(8), POOL(pool_basic));
        }
        for (int i = 0; i < 8; ++i) {
            text_make(text[i], i < 6 ? "aabbc" : "aAb c\n_B");
        }
        count += differs(pattern, texts, way, (int)pick(4));
    }
    ck_assert_int_eq(count, 0);
}
END_TEST

// No group and no reference is repeated: what glibc finds then depends on the order in which it
// learns of groups.
START_TEST(references_of_seeds_match_as_glibcs)
{
    char pattern[PATTERN_SIZE + 1], text[8][TEXT_SIZE];
    const char *texts[9] = {text[0], text[1], text[2], text[3], text[4],
                            text[5], text[6], text[7], NULL};
    int count = 0;
    seed = 7000 + (unsigned long)_i;
    for (int round = 0; round < 1000; ++round) {
        pattern_make(pattern, 2 + (int)pick(4), POOL(pool_references));
        for (int i = 0; i < 8; ++i) {
            text_make(text[i], "aabbc");
        }
        count += differs(pattern, texts, REG_EXTENDED, 0);
    }
    ck_assert_int_eq(count, 0);
}
END_TEST

static const char *const pool_wide[] = {
    "a",
    "\303\251",
    "\303\211",
    "\342\202\254",
    "[\303\240-\303\277]",
    "[^a]",
    "[[:alpha:]]",
    "[^[:alpha:]]",
    ".",
    "\\w",
    "\\W",
    "*",
    "+",
    "?",
    "(",
    ")",
    "|",
    "(a|\303\251)",
    "\\b",
    "\\<",
    "^",
    "$",
    "{2}",
    "[a\342\202\254]",
};

START_TEST(wide_patterns_of_seeds_match_as_glibcs)
{
    static const char *const letters[] = {"a", "\303\251", "\303\211",         "\342\202\254",
                                          " ", "Z",        "\360\237\230\200", "\303\240"};
    char pattern[PATTERN_SIZE + 1], text[4][4 * TEXT_SIZE];
    const char *texts[5] = {text[0], text[1], text[2], text[3], NULL};
    int count = 0;
    ck_assert_ptr_nonnull(setlocale(LC_ALL, "C.UTF-8"));
    seed = 9000 + (unsigned long)_i;
    for (int round = 0; round < 1500; ++round) {
        pattern_make(pattern, 1 + (int)pick(6), POOL(pool_wide));
        for (int i = 0; i < 4; ++i) {
            text[i][0] = '\0';
            for (unsigned length = pick(TEXT_SIZE); length > 0; --length) {
                strcat(text[i], letters[pick(8)]);
            }
        }
        count += differs(pattern, texts, REG_EXTENDED | (pick(2) ? REG_ICASE : 0), 0);
    }
    setlocale(LC_ALL, "C");
    ck_assert_int_eq(count, 0);
}
END_TEST

// GNU's interface: a pattern in the syntax, searched and matched in all ways.
static int gnu_differs(reg_syntax_t syntax, const char *pattern, const char *text, int round)
{
    regex_t theirs = {0}, ours = {0};
    struct re_registers want = {0}, have = {0};
    unsigned char translate[256];
    int results[2][4] = {{0}};
    int length = (int)strlen(text), start = (int)pick((unsigned)length + 1);
    int range = (int)pick(2 * TEXT_SIZE) - TEXT_SIZE, stop = (int)pick((unsigned)length + 1);
    for (int c = 0; c < 256; ++c) {
        translate[c] = (unsigned char)(c == 'b' ? 'a' : c);
    }
    theirs.translate = ours.translate = round % 5 == 0 ? translate : NULL;
    re_set_syntax(syntax);
    glibc_re_set_syntax(syntax);
    const char *theirs_error = re_compile_pattern(pattern, strlen(pattern), &theirs);
    const char *ours_error = glibc_re_compile_pattern(pattern, strlen(pattern), &ours);
    int differences = (theirs_error == NULL) != (ours_error == NULL) ||
                      (theirs_error != NULL && strcmp(theirs_error, ours_error) != 0);
    if (theirs_error == NULL && ours_error == NULL) {
        theirs.newline_anchor = ours.newline_anchor = round % 2;
        theirs.not_bol = ours.not_bol = round % 3 == 0;
        int answers[2][4] = {
            {re_search(&theirs, text, length, start, range, &want),
             re_match(&theirs, text, length, start, NULL),
             re_search_2(&theirs, text, start, text + start, length - start, 0, stop, NULL, stop),
             re_match_2(&theirs, text, start, text + start, length - start, 0, NULL, stop)},
            {glibc_re_search(&ours, text, length, start, range, &have),
             glibc_re_match(&ours, text, length, start, NULL),
             glibc_re_search_2(&ours, text, start, text + start, length - start, 0, stop, NULL,
                               stop),
             glibc_re_match_2(&ours, text, start, text + start, length - start, 0, NULL, stop)}};
        memcpy(results, answers, sizeof results);
        differences += memcmp(results[0], results[1], sizeof results[0]) != 0;
        if (results[0][0] >= 0 && results[1][0] >= 0 && theirs.no_sub == 0) {
            differences += want.num_regs != have.num_regs ||
                           memcmp(want.start, have.start, want.num_regs * sizeof(int)) != 0 ||
                           memcmp(want.end, have.end, want.num_regs * sizeof(int)) != 0;
        }
    }
    if (differences != 0) {
        show("gnu", pattern, text, (int)syntax);
        if (shown <= SHOWN_MAX) {
            fprintf(stderr,
                    "  start %d range %d stop %d; glibc: %s %d %d %d %d, ours: %s %d %d %d %d\n",
                    start, range, stop, theirs_error, results[0][0], results[0][1], results[0][2],
                    results[0][3], ours_error, results[1][0], results[1][1], results[1][2],
                    results[1][3]);
        }
    }
    theirs.translate = ours.translate = NULL;
    regfree(&theirs);
    glibc_regfree(&ours);
    free(want.start);
    free(want.end);
    free(have.start);
    free(have.end);
    return differences;
}

static const char *const pool_gnu[] = {
    "a",    "b",     "c",     ".",   "*",     "+",       "?",   "\\+", "\\?",   "(",        ")",
    "\\(",  "\\)",   "|",     "\\|", "{1,2}", "\\{2\\}", "{",   "\\{", "^",     "$",        "[ab]",
    "[^a]", "[b-a]", "[\\]]", "\n",  "\\n",   "\\w",     "\\'", "\\`", "(a|b)", "\\(b\\)*",
};

START_TEST(gnu_interface_answers_as_glibcs)
{
    static const reg_syntax_t syntaxes[] = {
        RE_SYNTAX_EMACS,
        RE_SYNTAX_AWK,
        RE_SYNTAX_GNU_AWK,
        RE_SYNTAX_POSIX_AWK,
        RE_SYNTAX_GREP,
        RE_SYNTAX_EGREP,
        RE_SYNTAX_POSIX_EGREP,
        RE_SYNTAX_POSIX_BASIC,
        RE_SYNTAX_POSIX_MINIMAL_BASIC,
        RE_SYNTAX_POSIX_EXTENDED,
        RE_SYNTAX_POSIX_MINIMAL_EXTENDED,
        RE_SYNTAX_GREP | RE_NO_SUB,
        RE_SYNTAX_EGREP | RE_ICASE,
        RE_SYNTAX_POSIX_EXTENDED & ~(reg_syntax_t)RE_UNMATCHED_RIGHT_PAREN_ORD,
    };
    char pattern[PATTERN_SIZE + 1], text[TEXT_SIZE];
    int count = 0;
    seed = 11000 + (unsigned long)_i;
    for (int round = 0; round < 10000; ++round) {
        pattern_make(pattern, 1 + (int)pick(7), POOL(pool_gnu));
        text_make(text, "aabbc\n*+(");
        count +=
            gnu_differs(syntaxes[pick(sizeof syntaxes / sizeof *syntaxes)], pattern, text, round);
    }
    ck_assert_int_eq(count, 0);
}
END_TEST

START_TEST(registers_are_the_callers_or_ours)
{
    regex_t pattern = {0};
    int starts[3] = {7, 7, 7}, ends[3] = {7, 7, 7};
    struct re_registers fixed = {3, starts, ends}, grown = {0};
    glibc_re_set_syntax(RE_SYNTAX_POSIX_EXTENDED);
    ck_assert_ptr_null(glibc_re_compile_pattern("(a)(b)?(c)", 10, &pattern));
    pattern.regs_allocated = REGS_FIXED;
    ck_assert_int_eq(glibc_re_search(&pattern, "xac", 3, 0, 3, &fixed), 1);
    ck_assert_int_eq(starts[0], 1);
    ck_assert_int_eq(ends[1], 2);
    ck_assert_int_eq(starts[2], -1);
    glibc_re_set_registers(&pattern, &grown, 0, NULL, NULL);
    ck_assert_int_eq(glibc_re_match(&pattern, "abc", 3, 0, &grown), 3);
    ck_assert_int_eq(pattern.regs_allocated, REGS_REALLOCATE);
    ck_assert_uint_eq(grown.num_regs, 5);
    ck_assert_int_eq(grown.end[3], 3);
    ck_assert_int_eq(grown.start[4], -1);
    free(grown.start);
    free(grown.end);
    glibc_regfree(&pattern);
}
END_TEST

// No time or memory that grows exponentially: an error instead.
START_TEST(hostile_patterns_end)
{
    static const char *const refused[] = {
        "((((a{1,255}){1,255}){1,255}){1,255}){1,255}",
        "(((a{32767}){32767}){32767}){32767}",
        "((a{1,1000}){1,1000}){1,1000}",
        "(((((((x+){9}){9}){9}){9}){9}){9}){9}",
    };
    static const char *const accepted[] = {
        "(a*)*(a*)*(a*)*b",
        "((a|aa)+)+b",
        "(a?){64}a{64}b",
        "(.*)(.*)(.*)(.*)(.*)x",
        "a{0,30000}b",
        "(a|b|ab)*c",
        "((((((((((a*)*)*)*)*)*)*)*)*)*)*b",
        "(x+x+)+y",
    };
    regex_t pattern;
    enum { SIZE = 20000 };
    char *text = malloc(SIZE + 1);
    memset(text, 'a', SIZE);
    text[SIZE] = '\0';
    for (size_t i = 0; i < sizeof refused / sizeof *refused; ++i) {
        ck_assert_int_eq(glibc_regcomp(&pattern, refused[i], REG_EXTENDED), REG_ESPACE);
    }
    for (size_t i = 0; i < sizeof accepted / sizeof *accepted; ++i) {
        ck_assert_int_eq(glibc_regcomp(&pattern, accepted[i], REG_EXTENDED), 0);
        regmatch_t spans[3];
        ck_assert_int_eq(glibc_regexec(&pattern, text, 3, spans, 0), REG_NOMATCH);
        glibc_regfree(&pattern);
    }
    char *deep = malloc(SIZE + 1); // parentheses as deep as they go
    memset(deep, '(', SIZE / 2);
    memset(deep + SIZE / 2, ')', SIZE / 2);
    deep[SIZE] = '\0';
    ck_assert_int_eq(glibc_regcomp(&pattern, deep, REG_EXTENDED), 0);
    ck_assert_int_eq(glibc_regexec(&pattern, text, 0, NULL, 0), 0);
    glibc_regfree(&pattern);
    free(deep);
    free(text);
}
END_TEST

// A search may use as much time as the text is long, whatever the tries from its places cost.
START_TEST(long_texts_take_linear_time)
{
    enum { SIZE = 1 << 20 };
    char *text = malloc(SIZE + 1);
    regex_t pattern;
    regmatch_t spans[2];
    memset(text, 'a', SIZE);
    text[SIZE] = '\0';
    text[SIZE - 1] = 'c';
    ck_assert_int_eq(glibc_regcomp(&pattern, "(a*)b|c", REG_EXTENDED), 0);
    ck_assert_int_eq(glibc_regexec(&pattern, text, 2, spans, 0), 0);
    ck_assert_int_eq(spans[0].rm_so, SIZE - 1);
    ck_assert_int_eq(spans[1].rm_so, -1);
    glibc_regfree(&pattern);
    ck_assert_int_eq(glibc_regcomp(&pattern, "(a|aa)*(a)c", REG_EXTENDED), 0);
    ck_assert_int_eq(glibc_regexec(&pattern, text, 2, spans, 0), 0);
    ck_assert_int_eq(spans[0].rm_so, 0);
    ck_assert_int_eq(spans[0].rm_eo, SIZE);
    ck_assert_int_eq(spans[1].rm_eo, SIZE - 2);
    glibc_regfree(&pattern);
    free(text);
}
END_TEST

// Whichever allocation fails first, the answer is an error and nothing is lost.
START_TEST(every_allocation_may_fail)
{
    static const char *const patterns[] = {"(a|[[:alpha:]]+)*b{2,3}|x", "((a*)b)\\1c|[x-z]{0,3}"};
    for (int p = 0; p < 2; ++p) {
        int failures = 0;
        for (long n = 0;; ++n) {
            regex_t pattern;
            regmatch_t spans[12];
            allocations_left = n;
            int error = glibc_regcomp(&pattern, patterns[p], REG_EXTENDED);
            if (error == 0) {
                error = glibc_regexec(&pattern, "aabaabbbc", 12, spans, 0);
                glibc_regfree(&pattern);
            }
            bool all = allocations_left > 0;
            allocations_left = -1;
            if (all) {
                ck_assert_int_eq(error, 0);
                break;
            }
            failures += error != 0;
        }
        ck_assert_int_ge(failures, 10);
    }
}
END_TEST

START_TEST(errors_have_glibcs_texts)
{
    for (int code = 0; code <= 16; ++code) {
        char want[80], have[80];
        ck_assert_uint_eq(regerror(code, NULL, want, sizeof want),
                          glibc_regerror(code, NULL, have, sizeof have));
        ck_assert_str_eq(want, have);
    }
    char few[4];
    ck_assert_uint_eq(glibc_regerror(1, NULL, few, sizeof few), 9);
    ck_assert_str_eq(few, "No ");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("regex");
    TCase *all = tcase_create("regex");
    tcase_set_timeout(all, 120);
    tcase_add_loop_test(all, patterns_by_hand_match_as_glibcs, 0, 32);
    tcase_add_loop_test(all, patterns_of_seeds_match_as_glibcs, 0, 4);
    tcase_add_loop_test(all, references_of_seeds_match_as_glibcs, 0, 4);
    tcase_add_loop_test(all, wide_patterns_of_seeds_match_as_glibcs, 0, 4);
    tcase_add_loop_test(all, gnu_interface_answers_as_glibcs, 0, 4);
    tcase_add_test(all, registers_are_the_callers_or_ours);
    tcase_add_test(all, hostile_patterns_end);
    tcase_add_test(all, long_texts_take_linear_time);
    tcase_add_test(all, every_allocation_may_fail);
    tcase_add_test(all, errors_have_glibcs_texts);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
