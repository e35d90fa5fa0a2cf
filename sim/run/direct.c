// SPDX-License-Identifier: BSD-3-Clause
// direct.c: QEMU as a child of osv-run.
//
// Its monitor (QMP: one JSON object in each line) says why a machine ends. QEMU starts with the
// machine standing still, so that no event is missed; nothing in the lines is a person's text, so
// that words in quotes are found by search.
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sim/run/backend.h"
#include "sim/run/failure.h"
#include "sim/run/process.h"
#include "sim/run/qemu_arguments.h"
#include "sim/run/scratch.h"

static const char commands[] = "{\"execute\":\"qmp_capabilities\"}\n{\"execute\":\"cont\"}\n";

static struct process qemu;
static bool is_running; // QEMU is there, and has not been waited for
static int watch = -1, listener = -1, monitor = -1;
static char line[4096]; // of the monitor, read so far
static size_t line_size;

static void watch_add(int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    if (epoll_ctl(watch, EPOLL_CTL_ADD, fd, &event) != 0) {
        fail(STATUS_CANNOT, "epoll: %s", strerror(errno));
    }
}

static char *monitor_path;

static void fd_close(int *fd)
{
    if (*fd >= 0) {
        close(*fd); // which takes it out of watch, too
    }
    *fd = -1;
}

static char *direct_start(const struct machine *machine)
{
    static const char *const names[] = {"qemu-system-x86_64", NULL};
    char *program = process_find(names);
    if (program == NULL) {
        fail(STATUS_CANNOT,
             "there is no qemu-system-x86_64 in PATH: install the package qemu-system-x86");
    }
    watch = epoll_create1(EPOLL_CLOEXEC);
    line_size = 0;
    listener = scratch_listen("monitor", &monitor_path);
    char **arguments = qemu_arguments_make(machine, program, monitor_path);
    process_start(&qemu, arguments, -1);
    is_running = true;
    watch_add(listener);
    watch_add(qemu.pidfd);
    qemu_arguments_free(arguments);
    free(program);
    return NULL;
}

static int direct_event_fd(void)
{
    return watch;
}

static void monitor_accept(void)
{
    int fd = listener < 0 ? -1 : accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd >= 0) {
        fd_close(&listener);
        monitor = fd;
        watch_add(monitor);
        (void)!write(monitor, commands, sizeof commands - 1); // an empty socket takes it all
    }
}

static enum backend_event line_read(void)
{
    if (strstr(line, "\"event\": \"STOP\"") != NULL) {
        return EVENT_STOPPED;
    }
    return strstr(line, "\"event\": \"SHUTDOWN\"") == NULL ? EVENT_NONE
                                                           : backend_shutdown_event(line);
}

// What has come from the monitor, up to the first line with an event.
static enum backend_event monitor_read(void)
{
    enum backend_event event = EVENT_NONE;
    char byte;
    ssize_t got = -1;
    while (monitor >= 0 && event == EVENT_NONE && (got = read(monitor, &byte, 1)) == 1) {
        if (byte == '\n') {
            line[line_size] = 0;
            line_size = 0;
            event = line_read();
        } else if (line_size < sizeof line - 1) {
            line[line_size++] = byte;
        }
    }
    if (got == 0) {
        fd_close(&monitor);
    }
    return event;
}

static enum backend_event direct_event_take(void)
{
    monitor_accept();
    enum backend_event event = monitor_read();
    if (event == EVENT_NONE && is_running && process_has_ended(&qemu)) {
        event = EVENT_GONE;
    }
    return event;
}

static const char *direct_explanation(void)
{
    static char said[PROCESS_LINE_SIZE];
    said[0] = 0;
    if (is_running) {
        process_last_line(&qemu, said);
    }
    return said;
}

static void direct_stop(void)
{
    if (is_running) {
        process_end(&qemu);
        is_running = false;
    }
    fd_close(&listener);
    fd_close(&monitor);
    fd_close(&watch);
    if (monitor_path != NULL) {
        (void)unlink(monitor_path);
        free(monitor_path);
        monitor_path = NULL;
    }
}

const struct backend backend_direct = {
    .start = direct_start,
    .event_fd = direct_event_fd,
    .event_take = direct_event_take,
    .explanation = direct_explanation,
    .stop = direct_stop,
};
