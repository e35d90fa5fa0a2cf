#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""fast_test.py kernel QEMU.PY KERNEL FAST BOARD:CPUS... or fast_test.py sim OSV-SIM FAST CPUS...: Fast Open between our machines and Linux, each of them calling,
over a TAP in a network namespace, by both versions of IP. Prints TAP."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import queues_test  # pylint: disable=wrong-import-position
import wire_test  # pylint: disable=wrong-import-position

OURS, THEIRS = ("10.2.0.2", "fd02::2"), ("10.2.0.1", "fd02::1")
PLACES = ["--ip", OURS[0] + "/24", "--ip", OURS[1] + "/64"]
# The first call gets a cookie.
CALLED = "".join("sent %d, got %d, right, with the SYN %d\n" % (size, size, size_of_syn) for size, size_of_syn in ((5, 0), (5, 1), (5000, 1)))
SERVED = "".join("served %d, with the SYN %d\n" % each for each in ((5, 0), (5, 1), (5000, 1)))


def both_ways(suite, name, machine):
    """machine: the command of one of ours, of the program's words."""
    with queues_test.tap() as inside:
        if inside is None:
            suite.case(wire_test.SKIPPED, True)
            return
        suite.run(inside + "ip addr add fd02::1/64 dev osv0 nodad".split())
        linux = inside + [suite.talk]
        for way, serving, calling, addresses in (("Linux calls", inside + machine("serve", "700", "6"), lambda *words: linux + list(words), OURS),
                                                 ("Linux serves", linux + ["serve", "700", "6"], lambda *words: inside + machine(*words), THEIRS)):
            with suite.server(serving) as server:
                for address in addresses:
                    got = suite.run(calling("call", address, "700"))
                    suite.case("%s: %s, %s" % (name, way, address), got[:2] == (0, CALLED), got)
                said = server.stdout.read(), server.wait()
                suite.case("%s: %s: what was served" % (name, way), said == (2 * SERVED, 0), said)


def main(how, *words):
    with wire_test.Suite(words[2 if how == "kernel" else 1]) as suite:
        if how == "kernel":
            suite.qemu, suite.kernel = os.path.abspath(words[0]), os.path.abspath(words[1])
            for board in words[3:]:
                suite.machine, suite.cpus = board.split(":")
                net = "tap,ifname=osv0,script=no,downscript=no,queues=%s" % suite.cpus
                both_ways(suite, board, lambda *words, net=net: suite.guest(net, "--nic", "mq=on", *PLACES, "talk", *words))
        else:
            suite.sim = os.path.abspath(words[0])
            for suite.cpus in words[2:]:
                both_ways(suite, suite.cpus + " CPUs", lambda *words: suite.process("tap=osv0", *PLACES, "talk", *words))
        return suite.end()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
