#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""answers_test.py kernel QEMU.PY KERNEL ANSWERS BOARD:CPUS... or answers_test.py sim OSV-SIM ANSWERS CPUS...: answers of a server that has more to answer, and
something else to do first, leave all the same. Over a TAP in a network namespace. Prints TAP."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import queues_test  # pylint: disable=wrong-import-position
import wire_test  # pylint: disable=wrong-import-position

ASK = """
import socket
ASKED = 12
asker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
asker.settimeout(60)
asked = [b"%d" % i for i in range(ASKED)]
asker.sendto(asked[0], ("10.2.0.2", 700))
got = [asker.recv(10)]
for what in asked[1:]:
    asker.sendto(what, ("10.2.0.2", 700))
asker.sendto(b"all", ("10.2.0.2", 701))
got += [asker.recv(10) for i in range(ASKED - 2)]
asker.sendto(b"next", ("10.2.0.2", 701))
got.append(asker.recv(10))
print(sorted(got) == sorted(asked))
"""


def both(suite, name, machine):
    with queues_test.tap() as inside:
        if inside is None:
            suite.case(wire_test.SKIPPED, True)
            return
        for how in "waits", "computes":
            with suite.server(inside + machine(how, "700")) as server:
                got = suite.run(inside + [sys.executable, "-c", ASK])
                suite.case("%s: the server %s" % (name, how), got == (0, "True\n", ""), got)
                said = server.stdout.read(), server.wait()
                suite.case("%s: it ends that %s" % (name, how), said == ("answered\n", 0), said)


def main(how, *words):
    with wire_test.Suite(words[2 if how == "kernel" else 1]) as suite:
        if how == "kernel":
            suite.qemu, suite.kernel = os.path.abspath(words[0]), os.path.abspath(words[1])
            for board in words[3:]:
                suite.machine, suite.cpus = board.split(":")
                net = "tap,ifname=osv0,script=no,downscript=no,queues=%s" % suite.cpus
                both(suite, board, lambda *words, net=net: suite.guest(net, "--nic", "mq=on", "--ip", "10.2.0.2/24", "talk", *words))
        else:
            suite.sim = os.path.abspath(words[0])
            for suite.cpus in words[2:]:
                both(suite, suite.cpus + " CPUs", lambda *words: suite.process("tap=osv0", "--ip", "10.2.0.2/24", "talk", *words))
        return suite.end()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
