// SPDX-License-Identifier: BSD-3-Clause
// main.c: osv-run: runs an image in a virtual machine and ends as its program does.
//
// Whatever happens, exit() is the way out: what was started is ended there, and what was made is
// removed.
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "sim/run/accelerator.h"
#include "sim/run/backend.h"
#include "sim/run/failure.h"
#include "sim/run/image.h"
#include "sim/run/machine.h"
#include "sim/run/options.h"
#include "sim/run/relay.h"
#include "sim/run/scratch.h"
#include "sim/run/session.h"
#include "sim/run/virtiofs.h"

#define SECOND_NS 1000000000l

enum { START_SECONDS = 10 }; // KVM's, until the kernel gives a sign

static const struct backend *backend;

static void clean_up(void)
{
    if (backend != NULL) {
        backend->stop();
    }
    virtiofs_stop();
    relay_stop();
    scratch_remove();
}

// What came of a run by KVM is what comes where KVM does not work.
static bool looks_broken(const struct session_outcome *outcome)
{
    return outcome->can_be_repeated &&
           (outcome->end == END_STOPPED || outcome->end == END_KILLED ||
            outcome->end == END_RESET || outcome->end == END_NOT_STARTED);
}

static const char *broken_text(const struct session_outcome *outcome)
{
    switch (outcome->end) {
    case END_STOPPED:
        return "stopped the machine by an internal error";
    case END_NOT_STARTED:
        return "did not get to the kernel's start in 10 s";
    case END_RESET:
        return "made the machine reset itself";
    default:
        return outcome->explanation[0] != 0 ? outcome->explanation : "ended QEMU";
    }
}

// One run, by the accelerator that the machine has.
static void machine_run_once(struct machine *machine, int64_t deadline_ns, int64_t start_ns,
                             struct session_outcome *outcome)
{
    virtiofs_start(machine);
    relay_start(machine);
    session_run(backend, machine, deadline_ns, start_ns, outcome);
    char *why = outcome->has_started ? NULL : virtiofs_explanation(machine);
    if (why != NULL) {
        (void)snprintf(outcome->explanation, sizeof outcome->explanation, "%s", why);
        outcome->can_be_repeated = false;
        free(why);
    }
    virtiofs_stop();
    relay_stop();
}

static void machine_run(const struct options *options, struct machine *machine,
                        struct session_outcome *outcome)
{
    const int64_t now = session_now_ns();
    const int64_t deadline =
        options->timeout_s == 0 ? INT64_MAX : now + options->timeout_s * SECOND_NS;
    const bool is_auto = options->acceleration == ACCELERATION_AUTO;
    const bool is_kvm = is_auto ? accelerator_is_kvm() : options->acceleration == ACCELERATION_KVM;
    machine->accelerator = is_kvm ? ACCELERATOR_KVM : ACCELERATOR_TCG;
    machine_run_once(machine, deadline,
                     is_kvm && is_auto ? now + START_SECONDS * SECOND_NS : INT64_MAX, outcome);
    if (!is_kvm || !is_auto || !looks_broken(outcome)) {
        return;
    }
    note("KVM %s: again by emulation, which is slower", broken_text(outcome));
    machine->accelerator = ACCELERATOR_TCG;
    machine_run_once(machine, deadline, INT64_MAX, outcome);
    if (outcome->has_started) {
        accelerator_remember_broken();
    }
}

// osv-run's status, with one line where it is not the program's.
static int status_of(const struct options *options, enum accelerator accelerator,
                     const struct session_outcome *outcome)
{
    const char *why = outcome->explanation;
    switch (outcome->end) {
    case END_STATUS: // where the kernel crashed it has said why
        return outcome->code;
    case END_RESET:
        note("the machine reset itself");
        return STATUS_RESET;
    case END_OFF:
        note("the machine was turned off without an exit status");
        return STATUS_CLOSED;
    case END_STOPPED:
        note("QEMU stopped the machine: %s", accelerator == ACCELERATOR_KVM
                                                 ? "an internal error of KVM; try --accel tcg"
                                                 : "is a disk of the host full?");
        return STATUS_CANNOT;
    case END_TIMEOUT:
        note("--timeout: the machine was ended after %" PRIu32 " s", options->timeout_s);
        return STATUS_TIMEOUT;
    case END_SIGNAL:
    case END_OUTPUT_CLOSED:
        return 128 + outcome->code;
    case END_NOT_STARTED:
    case END_KILLED:
        break;
    }
    if (!outcome->has_started && why[0] != 0) {
        note("%s%s", why, accelerator == ACCELERATOR_KVM ? "; try --accel tcg" : "");
        return STATUS_CANNOT;
    }
    note("QEMU was killed, or died%s%s", why[0] == 0 ? "" : ": ", why);
    return STATUS_KILLED;
}

// So that nothing that is opened takes the place of a standard stream that is closed.
static void streams_open(void)
{
    int fd;
    do {
        fd = open("/dev/null", O_RDWR);
    } while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0) {
        close(fd);
    }
}

int main(int argc, char **argv)
{
    static struct options options;
    static struct machine machine;
    struct image image;
    struct session_outcome outcome;
    streams_open();
    options_read(&options, argc, argv);
    image_read(&image, options.image);
    machine_make(&machine, &options, &image);
    if (atexit(clean_up) != 0) {
        fail(STATUS_CANNOT, "out of memory");
    }
    session_signals_block();
    backend = options.is_direct ? &backend_direct : backend_libvirt(options.connect);
    scratch_make();
    machine_run(&options, &machine, &outcome);
    return status_of(&options, machine.accelerator, &outcome);
}
