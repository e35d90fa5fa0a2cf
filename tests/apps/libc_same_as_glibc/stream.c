// SPDX-License-Identifier: BSD-3-Clause
// stream.c: stdio: buffers, modes, positions, streams in memory.
#include <fcntl.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <wchar.h>

#include "same.h"

struct log {
    size_t total;
};

static ssize_t cookie_write(void *cookie, const char *bytes, size_t size)
{
    printf("<write %zu>", size);
    ((struct log *)cookie)->total += size;
    return size;
}

static int cookie_close(void *cookie)
{
    printf("<close>\n");
    return 0;
}

static FILE *cookie_open(const char *mode, struct log *log)
{
    cookie_io_functions_t functions = {.write = cookie_write, .close = cookie_close};
    return fopencookie(log, mode, functions);
}

static void modes(void)
{
    static const char *const names[] = {"r",  "w",  "a",           "r+", "w+", "a+", "rb", "wx",
                                        "we", "rm", "r,ccs=UTF-8", "x",  "",   "rw", "+r", "wbx+"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; ++i) {
        unlink("mode");
        if (strchr(names[i], 'r') != NULL) {
            close(open("mode", O_CREAT | O_WRONLY, 0644));
        }
        errno = 0;
        FILE *stream = fopen("mode", names[i]);
        printf("fopen %s: %d errno %d", names[i], stream != NULL, errno);
        if (stream != NULL) {
            printf(" flags %x cloexec %d readable %d writable %d",
                   fcntl(fileno(stream), F_GETFL) & 0xfff, fcntl(fileno(stream), F_GETFD),
                   __freadable(stream) != 0, __fwritable(stream) != 0);
            putc('x', stream);
            printf(" pending %zu", __fpending(stream));
            fclose(stream);
        }
        puts("");
    }
    RESULT(fopen("mode", "wx") == NULL);
    RESULT(fdopen(99, "r") == NULL);
    RESULT(fopen("nosuch/x", "w") == NULL);
}

static void positions(void)
{
    FILE *stream = fopen("positions", "w+");
    NUMBER(fputs("line one\nline two\nline three", stream) >= 0);
    NUMBER(ftell(stream));
    rewind(stream);
    char line[64], *made = NULL;
    size_t room = 0;
    NUMBER(getline(&made, &room, stream));
    printf("%s\n", made);
    NUMBER(getdelim(&made, &room, 'w', stream));
    TEXT(made);
    NUMBER(ftell(stream));
    NUMBER(ungetc('Q', stream));
    NUMBER(ftell(stream));
    NUMBER(getc(stream));
    NUMBER(fseek(stream, -3, SEEK_END));
    NUMBER(fread(line, 1, 64, stream));
    NUMBER(feof(stream) != 0);
    NUMBER(getc(stream));
    NUMBER(ungetc('Z', stream));
    NUMBER(feof(stream) != 0);
    NUMBER(getc(stream));
    NUMBER(ungetc(EOF, stream));
    RESULT(fseek(stream, -100, SEEK_SET));
    RESULT(fseek(stream, 0, 99));
    NUMBER(fseek(stream, 5, SEEK_SET));
    fpos_t position;
    NUMBER(fgetpos(stream, &position));
    NUMBER(getc(stream));
    NUMBER(fsetpos(stream, &position));
    NUMBER(getc(stream));
    NUMBER(fseek(stream, 0, SEEK_CUR));
    NUMBER(putc('!', stream));
    NUMBER(fflush(stream));
    rewind(stream);
    TEXT(fgets(line, sizeof line, stream));
    TEXT(fgets(line, 5, stream));
    TEXT(fgets(line, 1, stream));
    NUMBER(fseek(stream, 100, SEEK_SET));
    NUMBER(fputc('e', stream));
    NUMBER(fclose(stream));
    struct stat status;
    stat("positions", &status);
    NUMBER(status.st_size);
    stream = fopen("positions", "a+");
    NUMBER(ftell(stream));
    NUMBER(getc(stream));
    NUMBER(fseek(stream, 0, SEEK_SET));
    NUMBER(fputs("appended", stream) >= 0);
    NUMBER(ftell(stream));
    NUMBER(fclose(stream));
    stream = fopen("positions", "r");
    RESULT(fputc('x', stream));
    NUMBER(ferror(stream) != 0);
    clearerr(stream);
    NUMBER(ferror(stream) != 0);
    stream = freopen("mode", "w", stream);
    NUMBER(stream != NULL);
    RESULT(fgetc(stream));
    NUMBER(fclose(stream));
    free(made);
    RESULT(getline(&made, NULL, stdin));
}

static void buffers(void)
{
    struct log log = {0};
    FILE *stream = cookie_open("w", &log);
    for (int i = 0; i < 3000; ++i) {
        fputs("abc", stream);
    }
    puts("");
    char block[10000];
    memset(block, 'b', sizeof block);
    fwrite(block, 1, sizeof block, stream);
    puts("");
    fwrite(block, 1, 4096, stream);
    fprintf(stream, "%5000d", 5);
    puts("");
    fflush(stream);
    setlinebuf(stream);
    fputs("no newline", stream);
    fputs("a newline\nrest", stream);
    fputc('\n', stream);
    fputs("more\nand more\nrest", stream);
    puts("");
    fclose(stream);
    NUMBER(log.total);
    stream = cookie_open("w", &log);
    NUMBER(setvbuf(stream, NULL, _IONBF, 0));
    fputs("unbuffered", stream);
    fprintf(stream, "%d %s %d", 1, "two", 3);
    fputc('x', stream);
    fwrite("abc", 1, 3, stream);
    fclose(stream);
    NUMBER(setvbuf(stdin, NULL, 77, 0) != 0);
}

static void memories(void)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    NUMBER(fprintf(stream, "hello %d", 5));
    NUMBER(fflush(stream));
    printf("%s %zu\n", text, size);
    NUMBER(fseek(stream, 2, SEEK_SET));
    NUMBER(fputs("XX", stream) >= 0);
    NUMBER(fflush(stream));
    printf("%s %zu\n", text, size);
    NUMBER(fseek(stream, 20, SEEK_SET));
    NUMBER(fputc('e', stream));
    NUMBER(fclose(stream));
    printf("%zu %d\n", size, text[19]);
    free(text);
    char array[16] = "0123456789";
    stream = fmemopen(array, sizeof array, "r+");
    NUMBER(getc(stream));
    NUMBER(fseek(stream, 0, SEEK_END));
    NUMBER(ftell(stream));
    NUMBER(fputs("end", stream) >= 0);
    fclose(stream);
    TEXT(array);
    stream = fmemopen(array, 5, "w");
    fclose(stream);
    stream = fmemopen(NULL, 10, "w+");
    NUMBER(fputs("abc", stream) >= 0);
    rewind(stream);
    NUMBER(getc(stream));
    fclose(stream);
    stream = fmemopen(array, sizeof array, "a");
    NUMBER(ftell(stream));
    fclose(stream);
    RESULT(fmemopen(array, 5, "q") == NULL);
    stream = fmemopen("read only", 9, "r");
    char line[32] = "";
    NUMBER(fread(line, 1, 32, stream));
    NUMBER(feof(stream) != 0);
    RESULT(fputc('x', stream));
    fclose(stream);
    wchar_t *wide = NULL;
    stream = open_wmemstream(&wide, &size);
    NUMBER(fwprintf(stream, L"wide %d", 7));
    fclose(stream);
    printf("%ls %zu\n", wide, size);
    free(wide);
}

static void others(void)
{
    NUMBER(BUFSIZ);
    NUMBER(FILENAME_MAX);
    NUMBER(FOPEN_MAX);
    NUMBER(L_tmpnam);
    NUMBER(TMP_MAX);
    FILE *stream = tmpfile();
    NUMBER(stream != NULL);
    NUMBER(__flbf(stream) != 0);
    NUMBER(__freading(stream) != 0);
    NUMBER(__fwriting(stream) != 0);
    fputs("x", stream);
    NUMBER(__fwriting(stream) != 0);
    __fpurge(stream);
    NUMBER(ftell(stream));
    fclose(stream);
    char name[] = "tempXXXXXX";
    NUMBER(mkstemp(name) >= 0);
    unlink(name);
    RESULT(mkstemp((char[]){"short"}));
    RESULT(rename("nosuch", "other"));
    RESULT(remove("nosuch"));
    RESULT(fclose(fopen("mode", "r")));
    NUMBER(puts("puts") >= 0);
    NUMBER(putw(0x41414141, stdout));
}

void stream_section(void)
{
    modes();
    positions();
    buffers();
    memories();
    others();
}
