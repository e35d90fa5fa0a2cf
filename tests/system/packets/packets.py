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

ENDS = """nothing: -1 EAGAIN
poll: 1
frames: 3
  version %(version)d, protocol 17, link 0, %(one)d bytes: 'one'
  version %(version)d, protocol 17, link 0, %(two)d bytes: ''
  version %(version)d, protocol 17, link 0, %(three)d bytes: 'three'
sent: 3
answer: 8 'answer 0'
answer: 8 'answer 1'
answer: 8 'answer 2'
poll: 0
recv: -1 EOPNOTSUPP
from the channel: 9 'by sendto'
about what was sent: 1
  version %(version)d, protocol %(messages)d, link 0, %(message)d bytes
after close: %(version)d
"""

CHANNELS = (ENDS % {"version": 4, "one": 31, "two": 28, "three": 33, "messages": 1, "message": 62}
            + ENDS % {"version": 6, "one": 51, "two": 48, "three": 53, "messages": 58, "message": 102}).encode() + b"""lent: 1
after that: 1
nothing in time: -1 EAGAIN
shut: 0
many: 200, wrong: 0
its socket: -1 ''
another: 4 'left'
poll: 1
frames: 1
  version 4, protocol 17, link 0, 33 bytes: 'taken'
sent on: 1
its socket: 5 'taken'
without a channel: 5 'heard'
made: 0
sent: 1
frames: 1
  version 4, protocol 253, link 0, 27 bytes
  'beyond'
no socket: -1 EBADF
a local socket: -1 EOPNOTSUPP
a stream: -1 EOPNOTSUPP
has a port: -1 EINVAL
gets frames: -1 EINVAL
no channel: -1 EINVAL
none: -1 EINVAL
flags: -1 EINVAL
too large: -1 EMSGSIZE
no packet: -1 EINVAL
no datagram: -1 EINVAL
lo has no link: -1 ENXIO
no interface: -1 ENXIO
longer than it is: -1 EINVAL
up to the wrong one: 1
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


def channels(machine, files):
    same(machine, files["channels"], b"no channels here\n", CHANNELS)


def filtering(machine, files):
    same(machine, files["filtering"], b"no packet filters here\n", FILTERED)


def lending(machine, files):
    same(machine, files["lending"], b"nothing is lent here\n", LENDING)


def streams(machine, files):
    same(machine, files["streams"], b"nothing is lent here\n", STREAMS)


def loans(machine, files):
    same(machine, files["loans"], b"nothing is lent here\n", LOANS)
