// SPDX-License-Identifier: BSD-3-Clause
// surroundings.c: prints what a program inherits; with "streams", what its standard streams are.
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

extern char **environ;

static void stream_show(int fd)
{
    struct stat status;
    struct winsize size = {0};
    struct termios mode;
    int error = fstat(fd, &status);
    printf("%d: fstat %d, type %o, terminal %d", fd, error, status.st_mode & S_IFMT, isatty(fd));
    if (tcgetattr(fd, &mode) == 0 && ioctl(fd, TIOCGWINSZ, &size) == 0) {
        printf(", %d x %d, echo %d", size.ws_row, size.ws_col, (mode.c_lflag & ECHO) != 0);
    }
    printf(", at %ld\n", (long)lseek(fd, 0, SEEK_CUR));
}

static void streams_show(void)
{
    char line[100];
    for (int fd = 0; fd < 3; ++fd) {
        stream_show(fd);
        fflush(stdout);
    }
    struct pollfd item = {0, POLLIN, 0};
    printf("poll %d\n", poll(&item, 1, 5000));
    while (fgets(line, sizeof line, stdin) != NULL) {
        printf("read: %s", line);
    }
    fprintf(stderr, "to the error stream\n");
}

// A program that sets its title writes over them.
static void strings_show(int argc, char **argv)
{
    const char *behind = argv[0];
    bool is_whole = true;
    for (int i = 0; i < argc; ++i) {
        is_whole = is_whole && argv[i] == behind;
        behind += strlen(behind) + 1;
    }
    for (int i = 0; environ[i] != NULL; ++i) {
        is_whole = is_whole && environ[i] == behind;
        behind += strlen(behind) + 1;
    }
    const char *executable = (const char *)getauxval(AT_EXECFN);
    printf("arguments, environment and the name of the executable follow each other: %d\n",
           is_whole && executable == behind);
}

int main(int argc, char **argv)
{
    char directory[4096];
    if (argc > 1 && strcmp(argv[1], "streams") == 0) {
        streams_show();
        return 0;
    }
    strings_show(argc, argv);
    printf("directory %s\n", getcwd(directory, sizeof directory));
    mode_t mask = umask(0);
    printf("umask %o, uid %d %d, gid %d %d\n", mask, getuid(), geteuid(), getgid(), getegid());
    for (int i = 1; i <= SIGRTMAX; ++i) {
        struct sigaction action;
        if (sigaction(i, NULL, &action) == 0 && action.sa_handler == SIG_IGN) {
            printf("ignores %d\n", i);
        }
    }
    for (int i = 1; i < argc; ++i) {
        printf("argument %s\n", argv[i]);
    }
    for (char **entry = environ; *entry != NULL; ++entry) {
        printf("%s\n", *entry);
    }
    return 0;
}
