# SPDX-License-Identifier: BSD-3-Clause
"""packets.py: programs that see packets before the network does, for compare.py."""

FILTERED = b"""no hook: 1
answer: 39:0001000000010000VALUE beyond 0 60d0abbbbbb0d0aEND0d0a
answer: 15:0002000000010000ERROR0d0a
answers: 2
answer: 39:0001000000010000VALUE beyond 0 60d0abbbbbb0d0aEND0d0a
answer: 15:0002000000010000ERROR0d0a
answers: 4
kept: version 4, 32 bytes of 32, 'kept', interface 1
dropped: 1
without filters: 5:heard
passed: 4:pass
passed: 4:pass
passed: 4:pass
calls of one that has removed itself: 1
connect: 0
stream: 0
"""


def filtering(machine, files):
    """On Linux it starts as well."""
    status, out, _ = machine.run([files["filtering"]])
    machine.case("starts on Linux", (status, out) == (1, b"no packet filters here\n"))
    status, out, err = machine.run(machine.osv + [files["filtering"]])
    machine.case("packet filters", (status, out) == (0, FILTERED), "status %d\n%s\n%s" % (status, out.decode(), err.decode(errors="replace")[-1500:]))
