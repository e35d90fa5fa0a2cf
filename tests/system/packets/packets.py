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

LENT = b"""nothing: -1 EAGAIN
poll: 1
datagrams: 3
  'one' from port 6001 of family 1
  '' from port 6001 of family 1
  'three' from port 6001 of family 1
poll: 0
  after close: 'One'
"""

LENDING = LENT + LENT + b"""lent: 1
after that: 1
lent: 1
it has not moved: 1
a local socket: -1 EOPNOTSUPP
no socket: -1 EBADF
none: -1 EINVAL
flags: -1 EINVAL
"""

STREAM = b"""nothing: -1 EAGAIN
received: 1, wrong: 0
the end: 0
"""

STREAMS = STREAM + STREAM + b"""lent: 1, its sender waits: 1
poll: 1
after that: 1
after close: 0
up to the mark: 1: 'before'
behind it: 1: 'behind'
recv: 3 'who'
the rest: 1: 'le'
shut: 0:
not connected: -1 ENOTCONN
none: -1 EINVAL
flags: -1 EINVAL
"""

LOAN = b"""sent: 65536
received: 1, where it was: 1
not over: -1 EAGAIN
event: 0
event: 1
over: 0
"""

LOANS = LOAN + LOAN + b"""few bytes: 1, event: 1, close: 0
its own data: 1, event: 1, close: 0
a mapping: 1, event: 1, close: 0
a datagram: 1, event: 1, close: 0
bytes: 845000, wrong: 0
sent: 65536
broken off: 0
sent: 65536
broken off by the peer: 0
no socket: -1 EBADF
a local socket: -1 EOPNOTSUPP
no event: -1 EBADF
no eventfd: -1 EINVAL
not connected: -1 EPIPE
"""


def same(machine, path, without, expected):
    """On Linux it starts as well."""
    status, out, _ = machine.run([path])
    machine.case("starts on Linux", (status, out) == (1, without))
    status, out, err = machine.run(machine.osv + [path])
    machine.case("packets", (status, out) == (0, expected), "status %d\n%s\n%s" % (status, out.decode(), err.decode(errors="replace")[-1500:]))


def filtering(machine, files):
    same(machine, files["filtering"], b"no packet filters here\n", FILTERED)


def lending(machine, files):
    same(machine, files["lending"], b"nothing is lent here\n", LENDING)


def streams(machine, files):
    same(machine, files["streams"], b"nothing is lent here\n", STREAMS)


def loans(machine, files):
    same(machine, files["loans"], b"nothing is lent here\n", LOANS)
