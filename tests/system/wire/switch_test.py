#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""switch_test.py OSV-RUN OSV-IMAGE KERNEL OSV-SIM TALK BOARD:CPUS...: the kernel's machines, of osv-run, and osv-sim's on one switch. Prints TAP."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import wire_test  # pylint: disable=wrong-import-position


def machine(suite, osv_run, board, address, *program):
    """The command of a kernel's machine."""
    kind, cpus = board.split(":")
    return [osv_run, "--direct", "--accel", "tcg", "-c", cpus, "-m", "96", "--machine", kind, "--net", suite.net, "--kernel-option", "--ip=" + address,
            suite.path("talk.osv"), "--", "/bin/talk"] + list(program)


def together(suite, osv_run, board, other):
    def on_kernel(*words):
        return machine(suite, osv_run, *words)

    def on_sim(address, *words):
        return suite.process(suite.net, "--ip", address, "talk", *words)

    suite.cpus = board.split(":")[1]
    with suite.server(on_kernel(board, "10.1.0.1/24", "serve", "700", "2")) as server:
        got = suite.run(on_sim("10.1.0.2/24", "ask", "10.1.0.1", "700"))
        suite.case("%s: osv-sim asks a kernel" % board, got == (0, wire_test.SAID, ""), got)
        got = suite.run(on_kernel(other, "10.1.0.3/24", "ask", "10.1.0.1", "700"))
        suite.case("%s: another kernel does" % board, got[:2] == (0, wire_test.SAID), got)
        suite.case("%s: the server ends" % board, (server.stdout.read(), server.wait()) == ("served 2\n", 0), server.returncode)
    with suite.server(on_sim("fd00::2/64", "serve", "700", "1")) as server:
        got = suite.run(on_kernel(board, "fd00::1/64", "ask", "fd00::2", "700"))
        suite.case("%s: a kernel asks osv-sim, by IPv6" % board, got[:2] == (0, wire_test.SAID), got)
        suite.case("%s: which ends" % board, (server.stdout.read(), server.wait()) == ("served 1\n", 0), server.returncode)
    left = os.listdir(suite.path("lan"))
    suite.case("%s: nothing is left in the folder" % board, left == [], left)


def main(osv_run, osv_image, kernel, sim, talk, *boards):
    with wire_test.Suite(talk) as suite:
        suite.sim, suite.net = os.path.abspath(sim), "switch=" + suite.path("lan")
        made = suite.run([os.path.abspath(osv_image), "build", "--kernel", os.path.abspath(kernel), "-o", suite.path("talk.osv"), "--file",
                          suite.talk + ":/bin/talk", "/bin/talk"])
        suite.case("an image", made[0] == 0, made)
        for i, board in enumerate(boards):
            together(suite, os.path.abspath(osv_run), board, boards[i - 1])
        return suite.end()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
