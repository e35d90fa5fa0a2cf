#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""wire_test.py QEMU.PY KERNEL TALK BOARD:CPUS...: the kernel's network in QEMU, on its user network: talk.c's program there, and on the host.
Prints TAP."""
import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile

TIMEOUT = 200
ENVIRONMENT = {"PATH": "/usr/bin:/bin"}  # the kernel's command line is short
SAID = "".join("datagram of %d\n" % size for size in (0, 1, 17, 512, 1400, 1472, 1473, 3000, 20000)) + "stream of 3145728\n"


class Suite:
    def __init__(self, qemu, kernel, talk):
        self.folder = tempfile.mkdtemp(prefix="osv-wire-", dir="/tmp")
        self.qemu, self.kernel = os.path.abspath(qemu), os.path.abspath(kernel)
        self.talk = shutil.copy(talk, os.path.join(self.folder, "talk"))
        self.machine = self.cpus = None
        self.count = self.failed = 0

    def case(self, name, holds, why=""):
        self.count += 1
        self.failed += not holds
        print("%s %d - %s" % ("ok" if holds else "not ok", self.count, name), flush=True)
        if not holds:
            print("\n".join("# " + line for line in str(why).splitlines()[-30:]), flush=True)

    def guest(self, net, *words):
        """The command of a machine."""
        words, program = list(words[:words.index("talk")]), list(words[words.index("talk") + 1:])
        return [sys.executable, self.qemu, "-c", self.cpus, "--machine", self.machine, "--kernel", self.kernel] + (
            ["--net", net] if net else []) + words + [self.talk] + program

    def run(self, command):
        got = subprocess.run(command, cwd=self.folder, capture_output=True, timeout=TIMEOUT, text=True, env=ENVIRONMENT)
        return got.returncode, got.stdout, got.stderr

    @contextlib.contextmanager
    def server(self, command):
        """One that says that it is ready."""
        with subprocess.Popen(command, cwd=self.folder, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT) as server:
            try:
                while True:
                    line = server.stdout.readline()
                    if line == "ready\n":
                        break
                    if line == "":
                        raise RuntimeError("the server ended with %s" % server.wait())
                yield server
            finally:
                server.kill()


def ports():
    """One that is free for UDP and TCP."""
    for _ in range(50):
        with socket.socket() as stream, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
            stream.bind(("0.0.0.0", 0))
            with contextlib.suppress(OSError):
                datagrams.bind(("0.0.0.0", stream.getsockname()[1]))
                return str(stream.getsockname()[1])
    raise RuntimeError("no free port")


def user_network(suite, name):
    port = ports()
    with suite.server([suite.talk, "serve", port, "1"]):
        got = suite.run(suite.guest("user", "--ip", "10.0.2.15/24,10.0.2.2", "talk", "ask", "10.0.2.2", port))
        suite.case("%s: a client there, a server here" % name, got[:2] == (0, SAID), got)
    port = ports()
    net = "user,hostfwd=tcp:127.0.0.1:{0}-:700,hostfwd=udp:127.0.0.1:{0}-:700".format(port)
    with suite.server(suite.guest(net, "--ip", "10.0.2.15/24,10.0.2.2", "talk", "serve", "700", "1")) as server:
        got = suite.run([suite.talk, "ask", "127.0.0.1", port])
        suite.case("%s: a server there, a client here" % name, got[:2] == (0, SAID), got)
        suite.case("%s: the server ends" % name, (server.stdout.read(), server.wait()) == ("served 1\n", 0), server.returncode)


def what_is_not_there(suite):
    got = suite.run(suite.guest("user", "--ip", "10.0.2.15/24", "talk", "fail", "11.0.0.1", "80"))
    suite.case("no way leads there", got[:2] == (1, "connect: Network is unreachable\n"), got)
    got = suite.run(suite.guest("user", "--ip", "10.0.2.15/24,10.0.2.2", "talk", "fail", "10.0.2.15", "80"))
    suite.case("nobody has the port of one's own", got[:2] == (1, "connect: Connection refused\n"), got)
    got = suite.run(suite.guest(None, "--ip", "10.0.2.15/24", "talk", "fail", "10.0.2.2", "80"))
    suite.case("no device", got[0] == 2 and "osv: --ip=10.0.2.15/24: the machine has no network device; give it one by --net\n" in got[2], got)
    for wrong in ("10.0.2.15", "10.0.2.15/24,11.0.0.1", "10.0.2.300/24"):
        got = suite.run(suite.guest("user", "--ip", wrong, "talk", "fail", "10.0.2.2", "80"))
        suite.case("no address: " + wrong, got[0] == 2 and "osv: --ip=%s: wants ADDRESS/BITS[,GATEWAY], such as " % wrong in got[2], got)
    got = suite.run(suite.guest("user", "--ip", "10.0.2.15/24", "--ip", "10.0.2.15/24", "talk", "fail", "10.0.2.2", "80"))
    suite.case("twice the same", got[0] == 2 and "osv: --ip=10.0.2.15/24: the address is given twice" in got[2], got)


def main(qemu, kernel, talk, *machines):
    suite = Suite(qemu, kernel, talk)
    try:
        for machine in machines:
            suite.machine, suite.cpus = machine.split(":")
            user_network(suite, machine)
        what_is_not_there(suite)
    finally:
        shutil.rmtree(suite.folder)
    print("1..%d" % suite.count)
    return suite.failed > 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
