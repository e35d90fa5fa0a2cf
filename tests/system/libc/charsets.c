// SPDX-License-Identifier: BSD-3-Clause
// charsets.c: every charset that the image's lists name: all bytes, half of all pairs of bytes and
// some thousand characters, to UTF-8 and back, as one checksum for each charset and direction.
#include <errno.h>
#include <iconv.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__)
#define GCONV "/usr/lib/x86_64-linux-gnu/gconv/"
#else
#define GCONV "/usr/lib/aarch64-linux-gnu/gconv/"
#endif

enum { NAMES_MAX = 2000, BUFFER = 1 << 16 };

static char *names[NAMES_MAX];
static int is_alias[NAMES_MAX], name_count;
static uint64_t sum;

static void sum_bytes(const void *bytes, size_t size)
{
    for (size_t i = 0; i < size; ++i) {
        sum = (sum ^ ((const unsigned char *)bytes)[i]) * 0x100000001b3;
    }
}

static void name_add(const char *name, int alias)
{
    for (int i = 0; i < name_count; ++i) {
        if (strcmp(names[i], name) == 0) {
            return;
        }
    }
    is_alias[name_count] = alias;
    names[name_count++] = strdup(name);
}

static void list_read(const char *path)
{
    char line[200], kind[20], from[100], to[100];
    FILE *list = fopen(path, "r");
    while (list != NULL && fgets(line, sizeof line, list) != NULL) {
        if (sscanf(line, "%19s %99s %99s", kind, from, to) == 3 && kind[0] != '#' &&
            strcmp(from, "INTERNAL") != 0) {
            name_add(from, strcmp(kind, "alias") == 0);
        }
    }
    if (list != NULL) {
        fclose(list);
    }
}

// One call of iconv with a piece of text and little room: the answer, the position and what was
// written count.
static void step(iconv_t conversion, char **in, size_t *size, int *error)
{
    enum { PIECE = 61, ROOM = 64 };
    char out[ROOM], *to = out;
    size_t room = sizeof out, left = size == NULL ? 0 : *size < PIECE ? *size : PIECE, piece = left;
    errno = 0;
    size_t result = iconv(conversion, in, &left, &to, &room);
    *error = result == (size_t)-1 ? errno : 0;
    sum_bytes(out, sizeof out - room);
    sum_bytes(&result, sizeof result);
    sum_bytes(error, sizeof *error);
    sum_bytes(&left, sizeof left);
    if (size != NULL) {
        *size -= piece - left;
    }
}

// The whole text; of what is illegal one byte is passed over.
static void convert(iconv_t conversion, char *in, size_t size)
{
    int error = 0;
    while (size > 0) {
        size_t before = size;
        step(conversion, &in, &size, &error);
        if (error == EILSEQ || before == size) {
            ++in;
            --size;
        }
    }
    step(conversion, NULL, NULL, &error);
}

static void all_bytes(iconv_t conversion)
{
    static char text[BUFFER * 2];
    size_t size = 0;
    for (int lead = 0; lead < 256; ++lead) {
        text[size++] = (char)lead;
    }
    for (int lead = 0x80; lead < 256; ++lead) {
        for (int trail = 0x21 + lead % 2; trail < 256; trail += 2) {
            text[size++] = (char)lead;
            text[size++] = (char)trail;
        }
    }
    convert(conversion, text, size);
}

static size_t utf8(char *out, uint32_t c)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    int length = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (int i = length - 1; i > 0; --i) {
        out[i] = (char)(0x80 | (c & 0x3f));
        c >>= 6;
    }
    out[0] = (char)(0xff00 >> length | c);
    return (size_t)length;
}

static char characters[BUFFER * 4];
static size_t characters_size;

static void characters_make(void)
{
    for (uint32_t c = 0; c < 0x2f000; c += c < 0x600 ? 1 : c < 0x10000 ? 11 : 331) {
        if (c < 0xd800 || c >= 0xe000) {
            characters_size += utf8(characters + characters_size, c);
        }
    }
}

// What cannot be converted is passed over.
static void all_characters(iconv_t conversion)
{
    char *in = characters;
    size_t size = characters_size;
    int error = 0;
    while (size > 0) {
        size_t before = size;
        step(conversion, &in, &size, &error);
        if (error == EILSEQ || before == size) {
            unsigned char first = (unsigned char)*in;
            size_t skip = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
            in += skip;
            size -= skip;
        }
    }
    step(conversion, NULL, NULL, &error);
}

static void way(const char *to, const char *from, void (*text)(iconv_t conversion))
{
    sum = 0xcbf29ce484222325;
    iconv_t conversion = iconv_open(to, from);
    if (conversion == (iconv_t)-1) {
        printf(" %s", strerrorname_np(errno));
        return;
    }
    text(conversion);
    iconv_close(conversion);
    printf(" %016llx", (unsigned long long)sum);
}

int main(void)
{
    static const char *const builtin[] = {"ISO-10646/UCS4/", "UCS-4LE//",        "ISO-10646/UTF8/",
                                          "ISO-10646/UCS2/", "ANSI_X3.4-1968//", "UNICODEBIG//",
                                          "INTERNAL"};
    for (size_t i = 0; i < sizeof builtin / sizeof *builtin; ++i) {
        name_add(builtin[i], 0);
    }
    list_read(GCONV "gconv-modules");
    list_read(GCONV "gconv-modules.d/gconv-modules-extra.conf");
    characters_make();
    for (int i = 0; i < name_count; ++i) {
        printf("%s", names[i]);
        if (is_alias[i]) {
            iconv_t conversion = iconv_open("UTF-8", names[i]);
            printf(conversion == (iconv_t)-1 ? " no" : " yes");
            if (conversion != (iconv_t)-1) {
                iconv_close(conversion);
            }
        } else {
            way("UTF-8", names[i], all_bytes);
            way(names[i], "UTF-8", all_characters);
        }
        puts("");
    }
    return 0;
}
