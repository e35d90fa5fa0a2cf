// SPDX-License-Identifier: BSD-3-Clause
// conversions.c: iconv: names and suffixes, answers and positions, states, marks, what stands in
// for characters; many descriptors at once.
#include <errno.h>
#include <iconv.h>
#include <langinfo.h>
#include <locale.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

static const iconv_t none = (iconv_t)-1;

static void name(const char *to, const char *from)
{
    errno = 0;
    iconv_t conversion = iconv_open(to, from);
    printf("\"%s\" to \"%s\": %s\n", from, to, conversion == none ? strerrorname_np(errno) : "yes");
    if (conversion != none) {
        printf("%d\n", iconv_close(conversion));
    }
}

static void names(void)
{
    static const char *const targets[] = {"UTF-8",
                                          "utf8",
                                          "Utf-8//",
                                          "UTF-8///",
                                          "ascii//foo",
                                          "ascii/foo",
                                          "ascii/foo/bar",
                                          "ascii/,translit",
                                          "asc ii",
                                          "a\"scii",
                                          "ascii//translit//ignore",
                                          "ascii//TRANSLIT,ignore",
                                          "ascii/translit/",
                                          "ascii//translit/ , ",
                                          "",
                                          "/",
                                          "//",
                                          "//x",
                                          "///translit",
                                          "//translit",
                                          "ISO-10646",
                                          "ISO-10646/",
                                          "ISO-10646//",
                                          "iso-10646/utf-8",
                                          "ISO-10646/UTF8/",
                                          "10646-1:1993/UCS4",
                                          "10646-1:1993/UCS4/",
                                          "UCS-4LE",
                                          "ucs-4be",
                                          "UCS2",
                                          "UNICODE",
                                          "UNICODELITTLE",
                                          "WCHAR_T",
                                          "INTERNAL",
                                          "char",
                                          "LOCALE",
                                          "L1",
                                          "latin1",
                                          "ISO8859-1",
                                          "ISO_8859-1:1987",
                                          "8859_1",
                                          "EUC-JP",
                                          "eucjp",
                                          "EUC_JP",
                                          "sjis",
                                          "CP932",
                                          "EBCDIC-US",
                                          "IBM-1047",
                                          "IBM1047",
                                          "TIS-620",
                                          "no such charset",
                                          "UTF-8-MAC",
                                          "UTF-16//",
                                          "EUC-CN",
                                          "GBK",
                                          "BIG5",
                                          "IBM420",
                                          "BS_4730"};
    for (size_t i = 0; i < sizeof targets / sizeof *targets; ++i) {
        name(targets[i], "UTF-8");
        name("UTF-8", targets[i]);
        name(targets[i], targets[i]);
    }
    name("IBM1008", "IBM420");
    name("GBK//IGNORE", "EUC-CN//TRANSLIT");
    printf("%d %d\n", iconv_close(none), errno == EBADF);
    char text[] = "a", out[4], *in = text, *to = out;
    size_t size = 1, room = 4;
    printf("%ld %d\n", (long)iconv(none, &in, &size, &to, &room), errno == EBADF);
}

static void bytes(const char *text, size_t size)
{
    for (size_t i = 0; i < size; ++i) {
        printf("%02x", (unsigned char)text[i]);
    }
}

// One text with every amount of room up to room_max, then the way back to the first state.
static void text(const char *to_name, const char *from_name, const char *input, size_t input_size,
                 size_t room_max)
{
    printf("-- %s to %s: ", from_name, to_name);
    bytes(input, input_size);
    puts("");
    for (size_t room_given = 0; room_given <= room_max; ++room_given) {
        iconv_t conversion = iconv_open(to_name, from_name);
        if (conversion == none) {
            puts("no");
            return;
        }
        char in_text[256], out_text[256];
        memcpy(in_text, input, input_size);
        char *in = in_text, *out = out_text;
        size_t size = input_size, room = room_given;
        for (int call = 0; call < 6; ++call) {
            errno = 0;
            char *before = out;
            long result = (long)iconv(conversion, &in, &size, &out, &room);
            printf("%zu: %ld %s in %td left %zu out %td room %zu ", room_given, result,
                   errno == 0 ? "" : strerrorname_np(errno), in - in_text, size, out - out_text,
                   room);
            bytes(before, (size_t)(out - before));
            puts("");
            if (result >= 0 || size == 0) {
                break;
            }
            if (errno == EILSEQ) {
                ++in;
                --size;
            }
            room += errno == E2BIG;
        }
        char *before = out;
        room = 8;
        printf("end %ld ", (long)iconv(conversion, NULL, NULL, &out, &room));
        bytes(before, (size_t)(out - before));
        printf(" %ld\n", (long)iconv(conversion, NULL, NULL, NULL, NULL));
        iconv_close(conversion);
    }
}

#define TEXT(to, from, input, room) text(to, from, input, sizeof input - 1, room)

static void answers(void)
{
    TEXT("UTF-16", "UTF-8", "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80z", 14);
    TEXT("UTF-16LE", "UTF-8",
         "\xef\xbb\xbf"
         "a\xe2\x82",
         5);
    TEXT("UTF-8", "UTF-16",
         "\xff\xfe"
         "a\0\x3d\xd8\0\xde\0\xdc",
         9);
    TEXT("UTF-8", "UTF-16", "\xfe\xff\0a\xff", 3);
    TEXT("UTF-32", "UTF-16BE", "\0a\xd8\x3d\xde", 12);
    TEXT("UCS-2", "UTF-8", "a\xf0\x9f\x98\x80\xf3\xa0\x80\xa1z", 5);
    TEXT("UTF-8", "UCS-2BE", "\0a\xd8\0\0z\x20", 4);
    TEXT("UTF-8", "UCS-4", "\0\0\0a\x80\0\0\0\0\0\0z\0", 4);
    TEXT("UTF-8//IGNORE", "UCS-4", "\0\0\0a\x80\0\0\0\x7f\0\0\0\0\0\0z", 10);
    TEXT("UCS-4LE", "UTF-8", "a\xed\xa0\x80\xf4\x90\x80\x80\xf8\x88\x80\x80\x80z", 8);
    TEXT("ASCII", "UTF-8", "a\xc3\xa9 \xff\xc3(\xe2\x82z", 5);
    TEXT("ASCII//IGNORE", "UTF-8", "a\xc3\xa9 \xff\xc3(\xe2\x82z", 5);
    TEXT("ASCII//TRANSLIT", "UTF-8", "\xc3\xa9\xc2\xa9\xe2\x82\xac\xef\xac\x83\xf0\x9f\x98\x80", 9);
    TEXT("ASCII//TRANSLIT//IGNORE", "UTF-8", "\xc3\x9f\xff\xf3\xa0\x80\xa1\xe4\xb8\x80z", 5);
    TEXT("ISO-8859-1//TRANSLIT", "UTF-8", "\xe2\x80\x9cx\xe2\x80\x9d\xc4\xb3\xce\xa9", 7);
    TEXT("EUC-JP//TRANSLIT", "UTF-8", "\xe3\x81\x82\xc2\xa9\xe2\x82\xac\xf0\x9f\x98\x80", 8);
    TEXT("ISO-2022-JP", "UTF-8",
         "a\xe6\x97\xa5\xe6\x9c\xac"
         "b\xe3\x81\x82",
         16);
    TEXT("UTF-8", "ISO-2022-JP", "a\x1b$BF|K\\\x1b(Bb\x1b$B$", 10);
    TEXT("ISO-2022-KR", "UTF-8", "a\xec\xa0\x80", 12);
    TEXT("UTF-7", "UTF-8", "a+\xc3\xa9\xe2\x82\xac-", 14);
    TEXT("UTF-8", "UTF-7", "a+-+AOkgrA-b+AOk", 9);
    TEXT("GBK", "EUC-CN", "a\xb0\xa1\xff", 4);
    TEXT("IBM1047", "UTF-8", "Hello\n\xe2\x82\xac", 8);
    TEXT("CP1255", "UTF-8", "\xd7\xa9\xd6\xbc\xd7\x81", 4);
    TEXT("UTF-8", "CP1255", "\xf9\xcc\xd1\xe0", 9);
    TEXT("UTF-8", "TCVN", "a\xb0\xea\xb3", 8);
    TEXT("BIG5-HKSCS", "UTF-8", "\xc3\x8a\xcc\x84\xc3\x8a", 5);
    TEXT("WCHAR_T", "EUC-KR", "a\xb0\xa1\xb0", 9);
    TEXT("ASCII//TRANSLIT", "WCHAR_T", "\xa9\0\0\0\xff\xff\xff\xff\xe9\0\0", 7);
}

// Random texts of bytes that are likely to mean something, between all of some charsets.
static void random_texts(void)
{
    static const char *const sets[] = {"UTF-8",   "ASCII",   "UCS-2",       "UCS-2BE",
                                       "UCS-4",   "UCS-4LE", "WCHAR_T",     "UTF-16",
                                       "UTF-32",  "UTF-7",   "ISO-2022-JP", "EUC-JP",
                                       "GB18030", "L1",      "CP1255",      "ISO-2022-CN-EXT"};
    static const char *const suffixes[] = {"", "//IGNORE", "//TRANSLIT", "//TRANSLIT//IGNORE"};
    static const unsigned char likely[] = {0,    0,    0,    'a',  '+',  '-',  0x1b, '$',  'B',
                                           '(',  0x80, 0x9f, 0xa0, 0xc3, 0xa9, 0xe2, 0x82, 0xac,
                                           0xf0, 0xd8, 0xdc, 0xfe, 0xff, 0x24, 0x30};
    enum { SETS = sizeof sets / sizeof *sets, ROUNDS = 8192, TEXT_SIZE = 40 };
    uint64_t sum = 0, state = 1;
    for (int round = 0; round < ROUNDS; ++round) {
        char to[64], in_text[TEXT_SIZE], out_text[TEXT_SIZE * 2];
        sprintf(to, "%s%s", sets[round / SETS % SETS], suffixes[round / SETS / SETS % 4]);
        iconv_t conversion = iconv_open(to, sets[round % SETS]);
        char *in = in_text;
        size_t size = TEXT_SIZE;
        for (size_t i = 0; i < TEXT_SIZE; ++i) {
            state = state * 6364136223846793005 + 1442695040888963407;
            in_text[i] = (char)likely[(state >> 40) % sizeof likely];
        }
        for (int call = 0; conversion != none && call < 12; ++call) {
            char *out = out_text;
            state = state * 6364136223846793005 + 1442695040888963407;
            size_t room = (state >> 40) % 30;
            errno = 0;
            size_t result = iconv(conversion, call == 7 ? NULL : &in, &size, &out, &room);
            sum = sum * 31 + result * 7 + (size_t)errno * 5 + size * 3 + room;
            for (char *byte = out_text; byte < out; ++byte) {
                sum = sum * 31 + (unsigned char)*byte;
            }
            if (errno == EILSEQ && size > 0) {
                ++in;
                --size;
            }
        }
        if (conversion != none) {
            iconv_close(conversion);
        }
        if (round % (SETS * SETS) == SETS * SETS - 1) {
            printf("after %d: %016llx\n", round + 1, (unsigned long long)sum);
        }
    }
}

static void *opener(void *argument)
{
    static const char *const sets[] = {"EUC-JP", "GBK", "ISO-2022-KR", "IBM1047", "KOI8-R"};
    long failures = 0;
    for (int i = 0; i < 40; ++i) {
        const char *set = sets[(i + (long)argument) % 5];
        char in_text[] = "abc", middle[32], back[32];
        char *in = in_text, *out = middle;
        size_t size = sizeof in_text, room = sizeof middle;
        iconv_t there = iconv_open(set, "UTF-8"), here = iconv_open("UTF-8", set);
        failures += there == none || here == none || iconv(there, &in, &size, &out, &room) != 0;
        in = middle;
        size = sizeof middle - room;
        out = back;
        room = sizeof back;
        failures += iconv(here, &in, &size, &out, &room) != 0 || strcmp(back, "abc") != 0;
        iconv_close(there);
        iconv_close(here);
    }
    return (void *)failures;
}

static void threads(void)
{
    enum { COUNT = 4 };
    pthread_t thread[COUNT];
    for (long i = 0; i < COUNT; ++i) {
        pthread_create(&thread[i], NULL, opener, (void *)i);
    }
    for (int i = 0; i < COUNT; ++i) {
        void *failures;
        pthread_join(thread[i], &failures);
        printf("thread %d: %ld failures\n", i, (long)failures);
    }
}

int main(void)
{
    threads();
    static const char *const locales[] = {"C", "C.UTF-8"};
    for (int i = 0; i < 2; ++i) {
        printf("---- %s\n", setlocale(LC_ALL, locales[i]));
        printf("%s\n", nl_langinfo(CODESET));
        names();
        answers();
        random_texts();
    }
    return 0;
}
