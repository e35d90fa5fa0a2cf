// SPDX-License-Identifier: BSD-3-Clause
// ends.c: the program that run_test.py starts: ends as it is told, after two lines.
//
//     ends status N | signal N | copy | wait | arguments WORD... | write FILE... | blocks FILE...
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void input_copy(void)
{
    char part[3000];
    ssize_t size;
    while ((size = read(STDIN_FILENO, part, sizeof part)) > 0) {
        if (write(STDOUT_FILENO, part, (size_t)size) != size) {
            exit(1);
        }
    }
}

static void surroundings_print(char **words)
{
    for (; *words != NULL; ++words) {
        printf("<%s>\n", *words);
    }
    char *directory = getcwd(NULL, 0);
    const char *variable = getenv("ENDS");
    printf("%s\n%s\n", directory, variable == NULL ? "none" : variable);
    free(directory);
}

// errno of the last one.
static int files_write(char **names)
{
    int error = 0;
    for (; *names != NULL; ++names) {
        int fd = open(*names, O_WRONLY | O_CREAT, 0644);
        error = fd < 0 || write(fd, "written", 7) != 7 ? errno : 0;
        close(fd);
    }
    return error;
}

// Each one's first word, and what becomes of an attempt to write another.
static void blocks_change(char **names)
{
    for (; *names != NULL; ++names) {
        char block[4096] = "";
        int fd = open(*names, O_RDWR);
        ssize_t got = pread(fd, block, sizeof block, 0);
        printf("%s ", got > 0 ? block : "?");
        memcpy(block, "written", 7);
        errno = 0;
        (void)(pwrite(fd, block, sizeof block, 0) < 0 || fsync(fd) != 0);
        printf("%d\n", errno);
        close(fd);
    }
}

int main(int argc, char **argv)
{
    const char *how = argc > 1 ? argv[1] : "";
    const int number = argc > 2 ? atoi(argv[2]) : 0;
    if (strcmp(how, "copy") == 0) {
        input_copy();
        return 0;
    }
    printf("output\n");
    fflush(stdout);
    fprintf(stderr, "errors\n");
    if (strcmp(how, "signal") == 0) {
        raise(number);
    } else if (strcmp(how, "wait") == 0) {
        pause();
    } else if (strcmp(how, "arguments") == 0) {
        surroundings_print(argv + 2);
    } else if (strcmp(how, "write") == 0) {
        return files_write(argv + 2);
    } else if (strcmp(how, "blocks") == 0) {
        blocks_change(argv + 2);
    }
    return number;
}
