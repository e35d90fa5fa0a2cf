// SPDX-License-Identifier: BSD-3-Clause
// libvirt.c: a domain that lives as long as osv-run does.
//
// libvirt destroys the domain when our connection to it ends, however that comes. A thread runs
// libvirt's event loop and sends what happens, a byte for each event, through a pipe to session.c's
// loop. The domain starts paused, so that no event is missed.
//
// A domain ends when libvirt has seen, every 200 ms, that nothing is left of QEMU, which is init's
// child: an init that is late to wait for it (some containers') makes each run so much longer. It
// is waited for all the same: the name is not free before.
#include <errno.h>
#include <fcntl.h>
#include <libvirt/libvirt-qemu.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <libxml/uri.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/run/backend.h"
#include "sim/run/domain.h"
#include "sim/run/failure.h"
#include "sim/run/machine.h"

enum { STARTS = 5 };

static const char *uri;
static virConnect *connection;
static virDomain *domain;
static int lifecycle = -1, shutdown_event = -1; // callbacks' numbers
static int news[2] = {-1, -1};
static const char *reason = ""; // why there is no domain any more

static void event_send(enum backend_event event)
{
    const char byte = (char)event;
    (void)!write(news[1], &byte, 1); // far fewer than a pipe holds
}

// ---- On the thread of libvirt's events -------------------------------------------------

static int lifecycle_take(virConnect *from, virDomain *of, int event, int detail, void *unused)
{
    (void)from;
    (void)of;
    (void)unused;
    if (event == VIR_DOMAIN_EVENT_SUSPENDED) {
        event_send(EVENT_STOPPED);
    } else if (event == VIR_DOMAIN_EVENT_STOPPED) {
        if (detail == VIR_DOMAIN_EVENT_STOPPED_DESTROYED) {
            event_send(EVENT_KILLED);
        }
        event_send(EVENT_GONE);
    }
    return 0;
}

static void shutdown_take(virConnect *from, virDomain *of, const char *event, long long seconds,
                          unsigned micros, const char *details, void *unused)
{
    (void)from;
    (void)of;
    (void)event;
    (void)seconds;
    (void)micros;
    (void)unused;
    event_send(backend_shutdown_event(details == NULL ? "" : details));
}

static void connection_lost(virConnect *from, int why, void *unused)
{
    (void)from;
    (void)why;
    (void)unused;
    reason = "the connection to libvirt was lost";
    event_send(EVENT_GONE);
}

static void *events_run(void *unused)
{
    while (virEventRunDefaultImpl() == 0) {
    }
    return unused;
}

static void no_print(void *unused, virError *error)
{
    (void)unused;
    (void)error;
}

// ---- On the main thread ------------------------------------------------------------------

static void connection_check(void)
{
    char *full = virConnectGetURI(connection);
    xmlURI *parts = full == NULL ? NULL : xmlParseURI(full);
    if (parts != NULL && parts->server != NULL) {
        fail(STATUS_CANNOT,
             "--connect %s: is another host, which does not have our files; "
             "use a libvirt of this one",
             uri);
    }
    const char *kind = virConnectGetType(connection);
    if (kind == NULL || strcmp(kind, "QEMU") != 0) {
        fail(STATUS_CANNOT, "--connect %s: is no QEMU; try qemu:///session", uri);
    }
    xmlFreeURI(parts);
    free(full);
}

static void connection_open(void)
{
    pthread_t thread;
    virSetErrorFunc(NULL, no_print);
    if (virEventRegisterDefaultImpl() != 0 || pipe2(news, O_CLOEXEC | O_NONBLOCK) != 0) {
        fail(STATUS_CANNOT, "libvirt's events: %s", virGetLastErrorMessage());
    }
    connection = virConnectOpen(uri);
    if (connection == NULL) {
        fail(
            STATUS_CANNOT,
            "libvirt, %s: %s; start libvirtd (package libvirt-daemon-driver-qemu), or use --direct",
            uri, virGetLastErrorMessage());
    }
    connection_check();
    if (pthread_create(&thread, NULL, events_run, NULL) != 0 ||
        virConnectRegisterCloseCallback(connection, connection_lost, NULL, NULL) != 0) {
        fail(STATUS_CANNOT, "libvirt's events: %s", virGetLastErrorMessage());
    }
    (void)pthread_detach(thread);
}

// The last error of libvirt, with a remedy where there is one.
static char *error_text(const struct machine *machine)
{
    const char *text = virGetLastErrorMessage();
    const bool is_taken = strstr(text, "already exists") != NULL;
    return text_make("libvirt: %s%s%s", text, is_taken ? "; give another --name than " : "",
                     is_taken ? machine->name : "");
}

// A QEMU that does not take its arguments may have ended before libvirt reaches its monitor, and
// then libvirt does not know why: another one is tried. NULL: it says why.
static virDomainPtr domain_start(const char *xml)
{
    virDomainPtr started = NULL;
    bool knows_why = false;
    for (int i = 0; i < STARTS && started == NULL && !knows_why; ++i) {
        started = virDomainCreateXML(connection, xml,
                                     VIR_DOMAIN_START_PAUSED | VIR_DOMAIN_START_AUTODESTROY);
        knows_why =
            started == NULL && strstr(virGetLastErrorMessage(), "to monitor socket") == NULL;
    }
    return started;
}

static char *libvirt_start(const struct machine *machine)
{
    if (connection == NULL) {
        connection_open();
    }
    char *xml = domain_make(machine);
    reason = "";
    domain = domain_start(xml);
    free(xml);
    if (domain == NULL) {
        return error_text(machine);
    }
    lifecycle =
        virConnectDomainEventRegisterAny(connection, domain, VIR_DOMAIN_EVENT_ID_LIFECYCLE,
                                         VIR_DOMAIN_EVENT_CALLBACK(lifecycle_take), NULL, NULL);
    shutdown_event = virConnectDomainQemuMonitorEventRegister(connection, domain, "SHUTDOWN",
                                                              shutdown_take, NULL, NULL, 0);
    if (lifecycle < 0 || shutdown_event < 0 || virDomainResume(domain) != 0) {
        return error_text(machine);
    }
    return NULL;
}

static int libvirt_event_fd(void)
{
    return news[0];
}

// Somebody who looks at a machine may suspend it for a while.
static bool is_suspended_by_somebody(void)
{
    int state = 0, why = 0;
    return virDomainGetState(domain, &state, &why, 0) != 0 || state != VIR_DOMAIN_PAUSED ||
           why == VIR_DOMAIN_PAUSED_USER;
}

static enum backend_event libvirt_event_take(void)
{
    char event;
    if (read(news[0], &event, 1) != 1 || (event == EVENT_STOPPED && is_suspended_by_somebody())) {
        return EVENT_NONE;
    }
    return (enum backend_event)event;
}

static const char *libvirt_explanation(void)
{
    return reason;
}

static void libvirt_stop(void)
{
    if (domain == NULL) {
        return;
    }
    if (lifecycle >= 0) {
        (void)virConnectDomainEventDeregisterAny(connection, lifecycle);
    }
    if (shutdown_event >= 0) {
        (void)virConnectDomainQemuMonitorEventDeregister(connection, shutdown_event);
    }
    lifecycle = shutdown_event = -1;
    (void)virDomainDestroy(domain); // it may be gone
    virDomainFree(domain);
    domain = NULL;
    char byte;
    while (read(news[0], &byte, 1) == 1) {
    }
}

const struct backend *backend_libvirt(const char *name)
{
    static const struct backend backend = {
        .start = libvirt_start,
        .event_fd = libvirt_event_fd,
        .event_take = libvirt_event_take,
        .explanation = libvirt_explanation,
        .stop = libvirt_stop,
    };
    uri = name;
    return &backend;
}
