#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""queues_test.py kernel QEMU.PY KERNEL TALK BOARD:CPUS... or queues_test.py sim OSV-SIM TALK CPUS...: machines whose network device has a pair of queues for each CPU, on a TAP of as many
queues in a network namespace. Prints TAP."""
import contextlib
import json
import os
import socket
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import wire_test  # pylint: disable=wrong-import-position
from wire_test import cases  # pylint: disable=wrong-import-position

CONNECTIONS = 48
# As many flows: of those that a hash spreads over two pairs all go by one in 2^47 runs.
ASK = """
import socket
for i in range(%d):
    with socket.create_connection(("10.2.0.2", 700), 60) as one, one.makefile("rb") as answer:
        one.sendall(bytes(1000 + i))
        one.shutdown(socket.SHUT_WR)
        if answer.read() != bytes(1000 + i):
            print(i)
print("asked")
""" % CONNECTIONS


def tap():
    """How to be where Linux has 10.2.0.1 at a TAP of many queues."""
    return cases.network("tuntap add osv0 mode tap multi_queue", "addr add 10.2.0.1/24 dev osv0", "link set osv0 up", "link set lo up")


class Monitor:
    """QEMU's QMP."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.lines = self.socket.makefile("r")
        self.lines.readline()
        self.ask("qmp_capabilities")

    def close(self):
        self.lines.close()
        self.socket.close()

    def ask(self, command, **arguments):
        self.socket.sendall(json.dumps({"execute": command, "arguments": arguments}).encode())
        while True:
            answer = json.loads(self.lines.readline())
            if "error" in answer:
                raise RuntimeError("%s: %s" % (command, answer["error"]))
            if "return" in answer:
                return answer["return"]

    def used(self, count):
        """How much each of the network device's first queues has given back: those by which packets come, and, in turn, are sent."""
        path = next(device["path"] for device in self.ask("x-query-virtio") if device["name"] == "virtio-net")
        return [self.ask("x-query-virtio-queue-status", path=path, queue=i)["used-idx"] for i in range(count)]


def asks(suite, name, inside):
    got = suite.run(inside + [sys.executable, "-c", ASK])
    suite.case("%s: who asks by many flows" % name, got == (0, "asked\n", ""), got)


def serves(suite, name, inside, server):
    got = suite.run(inside + [suite.talk, "ask", "10.2.0.2", "700"])
    suite.case("%s: who asks for much" % name, got[:2] == (0, wire_test.SAID), got)
    suite.case("%s: the server ends" % name, (server.stdout.read(), server.wait()) == ("served %d\n" % (CONNECTIONS + 1), 0), server.returncode)


def kernel(suite, machine, nic):
    name = "%s, %s" % (machine, nic)
    pairs, path = int(suite.cpus), suite.path("qmp")
    with tap() as inside:
        if inside is None:
            suite.case(wire_test.SKIPPED, True)
            return
        net = "tap,ifname=osv0,script=no,downscript=no,queues=%d" % pairs
        command = suite.guest(net, "--nic", nic, "--qmp", path, "--ip", "10.2.0.2/24", "talk", "serve", "700", str(CONNECTIONS + 1))
        with suite.server(inside + command) as server, contextlib.closing(Monitor(path)) as monitor:
            asks(suite, name, inside)
            used = monitor.used(2 * pairs)
            suite.case("%s: all queues bring something" % name, min(used[::2]) > 0, used)
            suite.case("%s: several are sent by" % name, sum(count > 0 for count in used[1::2]) > 1, used)
            serves(suite, name, inside, server)
        os.unlink(path)


SLEPT = 20
# Of those that are asked, SLEPT are slept for: one after the other, or with time in between.
ASK_BUSY = """
import socket, sys, time
asks = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
asks.settimeout(20)
asks.connect(("10.2.0.2", 700))
for i in range(%d):
    if i < %d:
        time.sleep(float(sys.argv[1]))
    asks.send(b"%%d" %% i)
    if asks.recv(100) != b"%%d" %% i:
        print(i)
asks.send(b"")
print("asked")
""" % (SLEPT + 20, SLEPT)


def busy(suite, net):
    """Whose only CPU never idles gets what comes, whoever read the TAP until then: the CPU alone, or in turn with its worker."""
    for what, seconds in ("has idled for long", "0.01"), ("has hardly idled", "0"):
        with tap() as inside:
            if inside is None:
                suite.case(wire_test.SKIPPED, True)
                return
            with suite.server(inside + suite.process(net, "--ip", "10.2.0.2/24", "talk", "spin", "700", str(SLEPT))) as server:
                got = suite.run(inside + [sys.executable, "-c", ASK_BUSY, seconds])
                suite.case("%s: a busy CPU that %s" % (net, what), got == (0, "asked\n", ""), got)
                suite.case("%s: a busy CPU that %s: the server ends" % (net, what), got[0] == 0 and (server.stdout.read(), server.wait()) == ("served\n", 0), got)


# Runs what follows with a filter of system calls by which io_uring_setup is EPERM, as containers have it.
NO_RINGS = """
import ctypes, os, struct, sys
SETUP, LOAD, IF_SAME, ANSWER, ALLOW, EPERM = 425, 0x20, 0x15, 0x06, 0x7fff0000, 0x50001
code = b"".join(struct.pack("HBBI", *one) for one in ((LOAD, 0, 0, 0), (IF_SAME, 0, 1, SETUP), (ANSWER, 0, 0, EPERM), (ANSWER, 0, 0, ALLOW)))
kept = ctypes.create_string_buffer(code)
libc = ctypes.CDLL(None)
NO_NEW_PRIVILEGES, SECCOMP, FILTER = 38, 22, 2
program = ctypes.create_string_buffer(struct.pack("HxxxxxxP", 4, ctypes.addressof(kept)))
if libc.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0) != 0 or libc.prctl(SECCOMP, FILTER, program) != 0:
    sys.exit("no filter")
os.execv(sys.argv[1], sys.argv[1:])
"""


def refused(suite):
    with tap() as inside:
        if inside is None:
            suite.case(wire_test.SKIPPED, True)
            return
        got = suite.run(inside + [sys.executable, "-c", NO_RINGS] + suite.process("tap=osv0,uring", "--ip", "10.2.0.2/24", "talk", "list"))
        suite.case("a host without io_uring", got == (2, "", "osv-sim: --net tap=osv0,uring: this host refuses io_uring (its sysctl "
                                                      "kernel.io_uring_disabled, or a container's filter); leave ,uring out\n"), got)


def sim(suite, name, net="tap=osv0"):
    with tap() as inside:
        if inside is None:
            suite.case(wire_test.SKIPPED, True)
            return
        command = suite.process(net, "--ip", "10.2.0.2/24", "talk", "serve", "700", str(CONNECTIONS + 1))
        with suite.server(inside + command) as server:
            asks(suite, name, inside)
            got = suite.run(inside + ["ls", "/sys/class/net/osv0/queues"])
            suite.case("%s: the TAP has a queue for each CPU" % name, got[1].count("rx-") == int(suite.cpus), got)
            got = suite.run(inside + suite.process("tap=osv0", "--ip", "10.2.0.3/24", "talk", "fail", "10.2.0.1", "9"))
            suite.case("%s: another process has it" % name, got == (2, "", "osv-sim: --net tap=osv0: another process has it\n"), got)
            serves(suite, name, inside, server)


def main(how, *words):
    with wire_test.Suite(words[2 if how == "kernel" else 1]) as suite:
        if how == "kernel":
            suite.qemu, suite.kernel = os.path.abspath(words[0]), os.path.abspath(words[1])
            for machine in words[3:]:
                suite.machine, suite.cpus = machine.split(":")
                kernel(suite, machine, "mq=on")
            kernel(suite, machine, "mq=on,rss=on")
        else:
            suite.sim = os.path.abspath(words[0])
            for suite.cpus in words[2:]:
                sim(suite, suite.cpus + " CPUs")
            sim(suite, suite.cpus + " CPUs, io_uring", "tap=osv0,uring")
            suite.cpus = "1"
            refused(suite)
            for net in "tap=osv0", "tap=osv0,uring":
                busy(suite, net)
        return suite.end()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
