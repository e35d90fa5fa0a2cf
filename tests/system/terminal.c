// SPDX-License-Identifier: BSD-3-Clause
// terminal.c: the standard streams are a terminal: modes, size, raw input, /dev/tty, Ctrl-C.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "show.h"

static volatile sig_atomic_t seen;

static void on_signal(int signal)
{
    seen = signal;
}

int main(void)
{
    struct termios mode, raw;
    struct winsize size = {0};
    struct sigaction action = {.sa_handler = on_signal};
    char text[16] = "";
    int ready = 0;
    setvbuf(stdout, NULL, _IONBF, 0);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGWINCH, &action, NULL);
    sigset_t awaited, before;
    sigemptyset(&awaited);
    sigaddset(&awaited, SIGINT);
    sigaddset(&awaited, SIGWINCH);
    sigprocmask(SIG_BLOCK, &awaited, &before); // they come in sigsuspend only, and none is missed
    printf("%d %d %d\n", isatty(0), isatty(1), isatty(2));
    SHOW(tcgetattr(0, &mode));
    printf("%#x %#x %#x %#x %d %d\n", mode.c_iflag, mode.c_oflag, mode.c_cflag, mode.c_lflag,
           mode.c_cc[VMIN], mode.c_cc[VINTR]);
    SHOW(ioctl(1, TIOCGWINSZ, &size));
    printf("%d x %d\n", size.ws_col, size.ws_row);
    int tty = open("/dev/tty", O_RDWR);
    SHOW(isatty(tty));
    SHOW_OK(tcgetpgrp(0));
    dprintf(tty, "through /dev/tty\n");
    raw = mode;
    cfmakeraw(&raw);
    raw.c_oflag |= OPOST;
    SHOW(tcsetattr(0, TCSANOW, &raw));
    printf("type\n");
    struct pollfd item = {.fd = 0, .events = POLLIN};
    SHOW(poll(&item, 1, -1));
    SHOW(ioctl(0, FIONREAD, &ready));
    printf("%d ready\n", ready);
    SHOW(read(0, text, sizeof text));
    printf("%d %d %d\n", text[0], text[1], text[2]);
    SHOW(tcsetattr(0, TCSADRAIN, &mode));
    printf("line\n");
    SHOW(read(0, text, sizeof text));
    printf("interrupt\n");
    while (seen != SIGINT) {
        sigsuspend(&before);
    }
    printf("resize\n");
    while (seen != SIGWINCH) {
        sigsuspend(&before);
    }
    SHOW(ioctl(0, TIOCGWINSZ, &size));
    printf("%d x %d\n", size.ws_col, size.ws_row);
    SHOW(tcsetattr(0, TCSANOW, &raw));
    printf("end\n");
    return 0;
}
