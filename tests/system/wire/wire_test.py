#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""wire_test.py kernel QEMU.PY KERNEL TALK DEVICES BOARD:CPUS... or wire_test.py sim OSV-SIM TALK FILTERING CHANNELS LOOKUPS DEVICES CPUS...: the programs
of talk.c and devices.c on machines that are not alone: on the kernel in QEMU, on its user network; on several osv-sim on one switch; on osv-sim and,
over a TAP in a network namespace, on Linux. Prints TAP."""
import contextlib
import os
import shutil
import socket
import struct
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), ".."))
import cases  # pylint: disable=wrong-import-position

TIMEOUT = 200
ENVIRONMENT = {"PATH": "/usr/bin:/bin"}  # the kernel's command line is short
STREAM = "stream of 3145728\n"
LENT = "lent 48 of 48\n" + STREAM
PIECES = "5 datagrams by one send\n"
SHORT = "".join("datagram of %d\n" % size for size in (0, 1, 17, 512, 1400))
SAID = SHORT + "".join("datagram of %d\n" % size for size in (1472, 1473, 3000, 20000)) + PIECES + STREAM


class Suite(cases.Cases):
    def __init__(self, talk):
        super().__init__("osv-wire-")
        self.talk = shutil.copy(talk, self.path("talk"))
        self.filtering = self.channels = self.lookups = self.devices = None
        self.qemu = self.kernel = self.sim = self.machine = self.cpus = None

    def guest(self, net, *words):
        """The command of a machine."""
        words, program = list(words[:words.index("talk")]), list(words[words.index("talk") + 1:])
        return [sys.executable, self.qemu, "-c", self.cpus, "--machine", self.machine, "--kernel", self.kernel] + (
            ["--net", net] if net else []) + words + [self.talk] + program

    def process(self, net, *words):
        """The command of an osv-sim."""
        words, program = list(words[:words.index("talk")]), list(words[words.index("talk") + 1:])
        return [self.sim, "-c", self.cpus, "--net", net] + words + [self.talk] + program

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


def user_network(suite, name):
    port = str(cases.port_free())
    with suite.server([suite.talk, "serve", port, "1"]):
        got = suite.run(suite.guest("user", "talk", "ask", "10.0.2.2", port))  # its address is DHCP's
        suite.case("%s: a client there, a server here" % name, got[:2] == (0, SAID), got)
    got = suite.run(suite.guest("user", "--dns", "10.9.9.9", "talk", "names"))
    suite.case("%s: who knows names" % name, got[1] == "nameserver 10.9.9.9\nRead-only file system\n", got)
    port = str(cases.port_free())
    net = "user,hostfwd=tcp:127.0.0.1:{0}-:700,hostfwd=udp:127.0.0.1:{0}-:700".format(port)
    with suite.server(suite.guest(net, "--ip", "10.0.2.15/24,10.0.2.2", "talk", "serve", "700", "1")) as server:
        got = suite.run([suite.talk, "ask", "127.0.0.1", port])
        suite.case("%s: a server there, a client here" % name, got[:2] == (0, SAID), got)
        suite.case("%s: the server ends" % name, (server.stdout.read(), server.wait()) == ("served 1\n", 0), server.returncode)


def link_of(suite, name):
    path = os.path.join(suite.folder, "qmp")
    with suite.server(suite.guest("user", "--ip", "10.0.2.15/24", "--qmp", path, "talk", "link")) as server, socket.socket(socket.AF_UNIX) as qmp:
        qmp.connect(path)
        qmp.sendall(b'{"execute": "qmp_capabilities"}')
        said = []
        for is_up in ("false", "true"):
            qmp.sendall(b'{"execute": "set_link", "arguments": {"name": "net", "up": %s}}' % is_up.encode())
            said.append(server.stdout.readline())
        suite.case("%s: the link goes and comes" % name, (said, server.wait()) == (["down\n", "up\n"], 0), (said, server.returncode))


def total(data):
    """Of the 16-bit words, as the Internet checksum wants it: 0xffff where there is a right one in data."""
    data += bytes(len(data) % 2)
    value = sum(struct.unpack(">%dH" % (len(data) // 2), data))
    while value > 0xffff:
        value = (value & 0xffff) + (value >> 16)
    return value


def frames(path):
    """(time in ns, frame) of a pcap file."""
    with open(path, "rb") as file:
        data = file.read()
    if data[:24] != struct.pack("<IHHIIII", 0xa1b23c4d, 2, 4, 0, 0, 262144, 1):
        raise ValueError("no pcap file: %r" % data[:24])
    at = 24
    while at < len(data):
        seconds, ns, kept, size = struct.unpack_from("<IIII", data, at)
        if kept != size or ns >= 1000000000 or at + 16 + kept > len(data):
            raise ValueError("record at %d" % at)
        yield seconds * 1000000000 + ns, data[at + 16:at + 16 + kept]
        at += 16 + kept


def captured(suite, name, path, begin, end):
    """What was heard of a client of 10.0.2.2: its lease, and both sides of its conversation, with right sums."""
    ends, kinds, times, wrong = set(), [], [], 0
    for when, frame in frames(path):
        times.append(when)
        if frame[12:14] != b"\x08\x00":
            continue
        head = 14 + 4 * (frame[14] & 15)
        size, offset, protocol = struct.unpack_from(">H", frame, 16)[0], struct.unpack_from(">H", frame, 20)[0], frame[23]
        wrong += total(frame[14:head]) != 0xffff
        body = frame[head:14 + size]
        if offset & 0x3fff == 0 and not (protocol == 17 and body[6:8] == bytes(2)):
            wrong += total(frame[26:34] + struct.pack(">HH", protocol, len(body)) + body) != 0xffff
        if protocol == 6:
            ends.add((socket.inet_ntoa(frame[26:30]), socket.inet_ntoa(frame[30:34])))
        if protocol == 17 and offset & 0x1fff == 0 and struct.unpack_from(">HH", body) in ((67, 68), (68, 67)):
            kinds.append(body[8 + 242])
    holds = (ends == {("10.0.2.15", "10.0.2.2"), ("10.0.2.2", "10.0.2.15")} and kinds == [1, 2, 3, 5] and wrong == 0 and
             begin <= min(times) and max(times) <= end)
    suite.case("user, %s: what is heard on the wire" % name, holds, (ends, kinds, wrong, len(times)))


def is_large(path, sides):
    """Whether each of the two has sent frames of TCP that are several segments, and nobody others that are longer than the link's."""
    large = {(frame[23], socket.inet_ntoa(frame[26:30])) for _, frame in frames(path) if len(frame) > 1514}
    return large == {(6, side) for side in sides}, large


def own_user_network(suite, name):
    """osv-sim's network of one machine, whose way out is the sockets of osv-sim."""
    for words, there, longest in (("10.0.2.15/24,10.0.2.2", "10.0.2.2", ()), ("192.168.7.5/24,192.168.7.9", "192.168.7.9", ()),
                                  ("fd00::15/64,fd00::2", "fd00::2", ("1400",))):  # libslirp knows no fragments of IPv6
        port = str(cases.port_free())
        with suite.server([suite.talk, "serve", port, "1"]):
            got = suite.run(suite.process("user", "--ip", words, "talk", "ask", there, port, *longest))
            suite.case("user, %s: Linux is asked at %s" % (name, there), got[:2] == (0, SHORT + PIECES + STREAM if longest else SAID), got)
    port, more = str(cases.port_free()), str(cases.port_free())
    with suite.server(suite.process("user", "--ip", "10.0.2.15/24,10.0.2.2", "-p", port + ":700", "--publish", "127.0.0.1:%s:700/udp" % port,
                                    "-p", "127.0.0.2:%s:700" % more, "talk", "serve", "700", "3")) as server:
        asking = [subprocess.Popen([suite.talk, "ask", "127.0.0.1", port], stdout=subprocess.PIPE, text=True) for _ in range(2)]
        for one in asking:
            said = one.communicate(timeout=TIMEOUT)[0]
            suite.case("user, %s: Linux asks, one of two" % name, (one.returncode, said) == (0, SAID), said)
        taken = suite.run(suite.process("user", "--publish", port + ":1", "talk", "list"))
        suite.case("user, %s: the port is taken" % name, taken[0] == 2 and "osv-sim: --publish: port %s of 127.0.0.1: is taken; give another\n"
                   % port in taken[2], taken)
        with socket.create_connection(("127.0.0.2", int(more)), TIMEOUT) as last:
            last.sendall(b"to another address")
            last.shutdown(socket.SHUT_WR)
            with last.makefile("rb") as answer:
                suite.case("user, %s: by another address of the host" % name, answer.read() == b"to another address")
        suite.case("user, %s: the server ends" % name, (server.stdout.read(), server.wait()) == ("served 3\n", 0), server.returncode)
    port = str(cases.port_free())
    with suite.server(suite.process("user", "--ip", "fd00::15/64,fd00::2", "-p", "[::1]:%s:700" % port, "-p", "[::1]:%s:700/udp" % port, "talk", "serve",
                                    "700", "1")) as server:
        got = suite.run([suite.talk, "ask", "::1", port, "1400"])
        suite.case("user, %s: Linux asks by IPv6" % name, got[:2] == (0, SHORT + PIECES + STREAM), got)
        suite.case("user, %s: and the server ends" % name, (server.stdout.read(), server.wait()) == ("served 1\n", 0), server.returncode)
    port = str(cases.port_free())
    with suite.server([suite.talk, "serve", port, "1"]):
        begin, path = time.time_ns(), os.path.join(suite.folder, "frames")
        got = suite.run(suite.process("user", "--pcap", path, "talk", "ask", "10.0.2.2", port))
        suite.case("user, %s: an address by DHCP" % name, got == (0, SAID, ""), got)
        captured(suite, name, path, begin, time.time_ns())
    got = suite.run(suite.process("user", "talk", "autoconf"))
    suite.case("user, %s: addresses of IPv6 that it makes itself" % name, got[:2] == (0, "fe80:: of ff..fe\nfd00:: of ff..fe\n"), got)
    for words, said in (((), "10.0.2.3"), (("--dns", "10.9.9.9"), "10.9.9.9"), (("--dns", "fd00::9"), "fd00:0:0:0:0:0:0:9")):
        got = suite.run(suite.process("user", *words, "talk", "names"))
        suite.case("user, %s: name servers %s" % (name, words), got[:2] == (0, "nameserver %s\nRead-only file system\n" % said), got)
    got = suite.run(suite.process("user", "--ip", "10.0.2.15/24,10.0.2.2", "talk", "fail", "10.0.2.2", str(cases.port_free())))
    suite.case("user, %s: Linux refuses" % name, got[:2] == (1, "connect: Connection refused\n"), got)


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


def on_switch(suite, name):
    """Machines that share a folder, and one that was killed there."""
    net = "switch=" + os.path.join(suite.folder, "switch")
    with suite.server(suite.process(net, "--ip", "10.1.0.9/24", "talk", "serve", "700", "1")) as server:
        server.kill()
        server.wait()
    with suite.server(suite.process(net, "--ip", "10.1.0.1/24", "talk", "serve", "700", "2")) as server, suite.server(
            suite.process(net, "--ip", "10.1.0.3/24", "--ip", "fd00::3/64", "talk", "serve", "700", "3")) as other:
        got = suite.run(suite.process(net, "--ip", "fd00::4/64", "talk", "ask", "fd00::3", "700"))
        suite.case("switch, %s: one asks another by IPv6" % name, got[:2] == (0, SAID), got)
        path = os.path.join(suite.folder, "large")
        got = suite.run(suite.process(net, "--ip", "10.1.0.2/24", "--pcap", path, "talk", "ask", "10.1.0.1", "700"))
        suite.case("switch, %s: one asks another" % name, got[:2] == (0, SAID), got)
        suite.case("switch, %s: nobody makes segments" % name, *is_large(path, ("10.1.0.1", "10.1.0.2")))
        got = suite.run(suite.process(net, "--ip", "10.1.0.4/24", "talk", "ask", "10.1.0.3", "700"))
        suite.case("switch, %s: and a third" % name, got[:2] == (0, SAID), got)
        got = suite.run(suite.process(net, "--ip", "10.1.0.5/24", "talk", "lend", "10.1.0.3", "700"))
        suite.case("switch, %s: bytes that are sent where they lie" % name, got[:2] == (0, LENT), got)
        suite.case("switch, %s: which ends" % name, (other.stdout.read(), other.wait()) == ("served 3\n", 0), other.returncode)
        got = suite.run(suite.process(net, "--ip", "10.1.0.3/24", "talk", "ask", "10.1.0.1", "700"))
        suite.case("switch, %s: its address on another machine" % name, got[:2] == (0, SAID), got)
        suite.case("switch, %s: the server ends" % name, (server.stdout.read(), server.wait()) == ("served 2\n", 0), server.returncode)
    got = suite.run(suite.process(net, "--ip", "10.1.0.3/24", "talk", "fail", "10.1.0.77", "700"))
    suite.case("switch, %s: nobody has the address" % name, got[:2] == (1, "connect: No route to host\n"), got)
    suite.case("switch, %s: nothing is left in the folder" % name, os.listdir(net.partition("=")[2]) == [])


LISTED = """lo
eth0
lo has 127.0.0.1 mask 255.0.0.0
eth0 has 10.1.0.5 mask 255.255.255.0 broadcast 10.1.0.255
lo has ::1 mask ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff
eth0 has fd00::5 mask ffff:ffff:ffff:ffff::
Iface\tDestination\tGateway
eth0\t00000000\t0100010A\t0003\t0\t0\t0\t00000000\t0\t0\t0
eth0\t0000010A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
 asked: 10.1.0.255
"""


def listed(suite):
    net = "switch=" + os.path.join(suite.folder, "switch")
    got = suite.run(suite.process(net, "--ip", "10.1.0.5/24,10.1.0.1", "--ip", "fd00::5/64", "talk", "list"))
    suite.case("interfaces, addresses and routes are listed", got[:2] == (0, LISTED), got)


LOOKED_UP = """nobody.test: -3
both.test: 0 10.9.8.7 2001:db8::7
one.test: 0 10.9.8.7
refuses-v6.test: 0 10.9.8.7
refuses-v4.test: 0 2001:db8::7
fails-v6.test: 0 10.9.8.7
silent-v6.test: 0 10.9.8.7
refuses.test: -3
fails.test: -3
unknown.test: -2
refuses-v6.test: 0 10.9.8.7
refuses-v6.test: -3
"""


def looked_up(suite):
    """Linux waits, too, for who says nothing; the seeded machine's clock need not."""
    net = "switch=" + suite.path("names")
    got = suite.run(suite.process(net, "--ip", "10.1.0.5/24", "--dns", "127.0.0.1", "talk")[:-1] + [suite.lookups])
    suite.case("names of which a server tells half", got == (0, LOOKED_UP, ""), got)
    for seed in ("1", "2", "3"):
        got = suite.run([suite.sim, "--seed", seed, "-c", "3", "--net", "sim", "--ip", "10.1.0.5/24", "--dns", "127.0.0.1", suite.lookups])
        suite.case("the same by the seed " + seed, got[:2] == (0, LOOKED_UP), got)
    with open(suite.path("resolv.conf"), "w", encoding="ascii") as file:
        file.write("nameserver 127.0.0.1\noptions timeout:1\n")
    with cases.network("link set lo up") as inside:
        got = (0, LOOKED_UP, "") if inside is None else suite.run(inside + ["sh", "-c", "mount --bind resolv.conf /etc/resolv.conf && exec ./lookups"])
        suite.case("Linux says so" + (" # SKIP" if inside is None else ""), got == (0, LOOKED_UP, ""), got)


SKIPPED = "over TAP # SKIP this user may not make network namespaces"


MEMCACHED = """
import socket
asks = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
asks.settimeout(5)
asks.connect(("10.2.0.2", 11211))
for i in range(50):
    asks.send(bytes((i, 0, 0, 0, 0, 1, 0, 0)) + b"get " + b"k" * (i + 1) + b"\\r\\n")
    got = asks.recv(2000)
    if got != bytes((i, 0, 0, 0, 0, 1, 0, 0)) + b"VALUE %s 0 %d\\r\\n%s\\r\\nEND\\r\\n" % (b"k" * (i + 1), i + 1, b"k" * (i + 1)):
        print(i, got)
for i in range(50):
    asks.send(bytes((i, 0, 0, 0, 0, 1, 0, 0)) + b"get " + b"k" * (40 - i % 7 // 6) + b"\\r\\n")
got = [asks.recv(2000) for i in range(50)]  # of sizes that differ, in their order
if [answer[0] for answer in got] != list(range(50)) or any(len(answer) != 108 - i % 7 // 6 * 2 for i, answer in enumerate(got)):
    print(got)
print("asked")
"""


PING = """
import socket, struct, sys
family, kind, to = (socket.AF_INET6, 128, sys.argv[1]) if ":" in sys.argv[1] else (socket.AF_INET, 8, sys.argv[1])
wire = socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_ICMPV6 if kind == 128 else socket.IPPROTO_ICMP)
wire.settimeout(5)
message = struct.pack(">BBHHH", kind, 0, 0, 77, 1) + bytes(i * 7 % 256 for i in range(3000))
total = sum(struct.unpack(">%dH" % (len(message) // 2), message))
total = (total & 0xffff) + (total >> 16)
total = (total & 0xffff) + (total >> 16)
wire.sendto(message[:2] + struct.pack(">H", total ^ 0xffff) + message[4:], (to, 0))
while True:
    got = wire.recv(65535)[0 if kind == 128 else 20:]
    if got[0] == (129 if kind == 128 else 0) and got[4:] == message[4:]:
        break
print("echo")
"""


# Waits until both sides have sent what is several segments of TCP.
LARGE = """
import socket
wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
wire.bind(("osv0", 0))
print("ready", flush=True)
sides = set()
while sides != {b"\\x0a\\x02\\0\\1", b"\\x0a\\x02\\0\\2"}:
    frame = wire.recv(70000)
    if len(frame) > 1514 and frame[23] == 6:
        sides.add(frame[26:30])
print("both")
"""


def bound_over_tap(suite, name, inside):
    """Addresses that are good on the link alone, and sockets that are bound to its interface, as on Linux."""
    for words in ("link set osv0 addrgenmode none", "-6 addr flush dev osv0 scope link", "addr add fe80::1/64 dev osv0 nodad"):
        subprocess.run(inside + ["ip"] + words.split(), check=True)
    devices_of(suite, "tap, %s, Linux" % name, inside, "osv0", "10.2.0.1", "fd00::1", "fe80::1")
    words = ("tap=osv0", "--ip", "10.2.0.2/24", "--ip", "fd00::2/64", "--ip", "fe80::2/64", "talk")
    devices_of(suite, "tap, " + name, inside + suite.process(*words)[:-1], "eth0", "10.2.0.2", "fd00::2", "fe80::2")
    with suite.server(inside + suite.process(*words, "serve", "700", "1")):
        got = suite.run(inside + [suite.talk, "ask", "fe80::2%osv0", "700"])
        suite.case("tap, %s: Linux asks on the link" % name, got[:2] == (0, SAID), got)
    with suite.server(inside + [suite.talk, "serve", "700", "1"]):
        got = suite.run(inside + suite.process(*words, "ask", "fe80::1%eth0", "700"))
        suite.case("tap, %s: Linux is asked on the link" % name, got[:2] == (0, SAID), got)
        got = suite.run(inside + suite.process(*words, "fail", "fe80::1", "700"))
        suite.case("tap, %s: on which link is not said" % name, got[:2] == (1, "connect: Invalid argument\n"), got)


def over_tap(suite, name):
    """Linux is the other, in a network namespace."""
    with cases.network("tuntap add osv0 mode tap", "addr add 10.2.0.1/24 dev osv0", "addr add fd00::1/64 dev osv0 nodad", "link set osv0 up",
                       "link set lo up") as inside:
        if inside is None:
            suite.case(SKIPPED, True)
            return
        net = "tap=osv0"
        with suite.server(inside + suite.process(net, "--ip", "10.2.0.2/24,10.2.0.1", "--ip", "fd00::2/64,fd00::1", "talk", "serve", "700", "2")) as server:
            got = suite.run(inside + [sys.executable, "-c", PING, "fd00::2"])
            suite.case("tap, %s: Linux's ping by IPv6" % name, got[:2] == (0, "echo\n"), got)
            got = suite.run(inside + [suite.talk, "ask", "fd00::2", "700"])
            suite.case("tap, %s: Linux asks by IPv6" % name, got[:2] == (0, SAID), got)
            got = suite.run(inside + [sys.executable, "-c", PING, "10.2.0.2"])
            suite.case("tap, %s: Linux's ping" % name, got[:2] == (0, "echo\n"), got)
            subprocess.run(inside + "ip tuntap add osv1 mode tap".split(), check=True)
            subprocess.run(inside + "ip link set osv1 mtu 1000 up".split(), check=True)
            small = suite.run(inside + suite.process("tap=osv1", "--ip", "fd00::3/64", "talk", "list"))
            suite.case("tap, %s: too small an MTU" % name, small[0] == 2 and "--ip=fd00::3/64: the device's MTU is too small" in small[2], small)
            busy = suite.run(inside + suite.process(net, "--ip", "10.2.0.3/24", "talk", "fail", "10.2.0.1", "9"))
            suite.case("tap, %s: another process has it" % name, busy[0] == 2 and "--net tap=osv0: another process has it" in busy[2], busy)
            got = suite.run(inside + [suite.talk, "ask", "10.2.0.2", "700"])
            suite.case("tap, %s: Linux asks" % name, got[:2] == (0, SAID), got)
            suite.case("tap, %s: the server ends" % name, (server.stdout.read(), server.wait()) == ("served 2\n", 0), server.returncode)
        with suite.server(inside + [suite.talk, "serve", "700", "1"]):
            with suite.server(inside + ["timeout", "60", sys.executable, "-c", LARGE]) as listener:
                got = suite.run(inside + suite.process(net, "--ip", "10.2.0.2/24,10.2.0.1", "talk", "ask", "10.2.0.1", "700"))
                suite.case("tap, %s: Linux is asked" % name, got[:2] == (0, SAID), got)
                suite.case("tap, %s: segments are made and put together by Linux" % name, listener.stdout.read() == "both\n")
        with suite.server(inside + suite.process(net, "--ip", "10.2.0.2/24", "talk")[:-1] + [suite.filtering, "100"]) as server:
            got = suite.run(inside + [sys.executable, "-c", MEMCACHED])
            suite.case("tap, %s: a packet filter answers Linux" % name, got == (0, "asked\n", ""), got)
            suite.case("tap, %s: and ends" % name, (server.stdout.read(), server.wait()) == ("answered 100\n", 0), server.returncode)
        for kind in ("ends", "frames"):
            with suite.server(inside + suite.process(net, "--ip", "10.2.0.2/24", "talk")[:-1] + [suite.channels, kind, "100"]) as server:
                got = suite.run(inside + [sys.executable, "-c", MEMCACHED])
                suite.case("tap, %s: a channel by %s answers Linux" % (name, kind), got == (0, "asked\n", ""), got)
                suite.case("tap, %s: and ends" % name, (server.stdout.read(), server.wait()) == ("answered 100\n", 0), server.returncode)
        for own, there in (("10.2.0.2/24", "10.2.0.1"), ("fd00::2/64", "fd00::1")):
            got = suite.run(inside + suite.process(net, "--ip", own, "talk")[:-1] + ["ping", "-n", "-c", "3", "-s", "1000", "-i", "0.01", there])
            suite.case("tap, %s: Debian's ping of %s" % (name, there), got[0] == 0 and "3 received, 0% packet loss" in got[1] and got[2] == "", got)
        got = suite.run(inside + suite.process(net, "--ip", "10.2.0.2/24", "talk")[:-1] + ["ping", "-n", "-c", "1", "-W", "5", "10.2.0.77"])
        suite.case("tap, %s: a ping of nobody" % name, got[0] == 1 and "From 10.2.0.2 icmp_seq=1 Destination Host Unreachable\n" in got[1], got)
        got = suite.run(inside + suite.process(net, "--ip", "10.2.0.2/24", "talk", "fail", "10.2.0.1", "9"))
        suite.case("tap, %s: Linux refuses" % name, got[:2] == (1, "connect: Connection refused\n"), got)
        bound_over_tap(suite, name, inside)


def no_lease(suite):
    got = suite.run(suite.process("switch=" + os.path.join(suite.folder, "silent"), "talk", "fail", "10.0.2.2", "80"))
    suite.case("nobody gives an address", got == (1, "connect: Network is unreachable\n", "osv: eth0: no DHCP server has answered within 10 s: "
                                                  "the program starts without an address; --ip gives one\n"), got)


def wrong_options(suite):
    for words, said in ((["--net", "tap="], "--net: 'tap=' is none of none, user, switch=FOLDER, tap=NAME and sim"),
                        (["--net", "tap=osv-none"], "there is no such interface; root makes one by: ip tuntap add osv-none mode tap user"),
                        (["--net", "user", "-p", "80"], "--publish: '80' is not [ADDRESS:]HOST:GUEST[/tcp|/udp]"),
                        (["--net", "user", "-p", "::1:80:80"], "--publish: '::1:80:80' is not "),
                        (["--net", "user", "-p", "8080:80/sctp"], "--publish: '8080:80/sctp' is not "),
                        (["--net", "user", "-p", "192.0.2.1:8080:80"], "port 8080 of 192.0.2.1: Cannot assign requested address"),
                        (["--net", "user", "-p", "[::1]:80"], "--publish: '[::1]:80' is not "),
                        (["--net", "user", "-p", "[::g]:80:80"], "--publish: '[::g]:80:80' is not "),
                        (["--net", "user", "-p", "[2001:db8::1]:8080:80"], "port 8080 of 2001:db8::1: Cannot assign requested address"),
                        (["--net", "switch=x", "-p", "80:80"], "--publish goes with --net user only"),
                        (["--net", "user", "--ip", "10.0.0.1/31"], "--ip 10.0.0.1/31: --net user needs room"),
                        (["--net", "tap=a/b"], "'a/b' is no name of an interface"),
                        (["--net", "tap=,uring"], "'' is no name of an interface"),
                        (["--net", "tap=osv0,ring"], "'ring' is no option of a tap; uring is one"),
                        (["--net", "tap=osv0,"], "'' is no option of a tap; uring is one"),
                        (["--net", "tap=osv-none,uring"], "there is no such interface; root makes one by: ip tuntap add osv-none mode tap user"),
                        (["--net", "switch=/nowhere/else"], "the folder: No such file or directory"),
                        (["--net", "switch=x", "--seed", "1"], "not with --seed"),
                        (["--ip", "10.0.0.1/24"], "--ip=10.0.0.1/24: the machine has no network device; give it one by --net"),
                        (["--net", "none", "--pcap", "x"], "--pcap: there is no network device to listen to: give one by --net"),
                        (["--net", "user", "--pcap", "/nowhere/x"], "--pcap: /nowhere/x: No such file or directory"),
                        (["--dns", "10.0.0.1"], "--dns=10.0.0.1: the machine has no network device; give it one by --net"),
                        (["--net", "user", "--dns", "name"], "--dns=name: wants an address, such as 10.0.2.3 or fd00::3"),
                        (["--net", "user"] + ["--dns", "10.0.0.1"] * 4, "--dns=10.0.0.1: at most 3 of them"),
                        (["--net", "none", "--ip", "10.0.0.1/24"], "has no network device"),
                        (["--net", "switch=x", "--ip", "10.0.0.1"], "--ip=10.0.0.1: wants ADDRESS/BITS[,GATEWAY]")):
        got = suite.run([suite.sim] + words + [suite.talk, "fail", "10.0.0.2", "80"])
        suite.case("refused: " + " ".join(words), got[0] == 2 and said in got[2], got)


def devices_of(suite, what, command, name, *addresses):
    """devices.txt is what Linux 6.18 printed."""
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "devices.txt"), encoding="ascii") as text:
        want = text.read()
    got = suite.run(command + [suite.devices, name, *addresses])
    suite.case(what + ": sockets that are bound to an interface", got[:2] == (0, want), got)


def kernel_suite(suite, qemu, kernel, machines):
    suite.qemu, suite.kernel = os.path.abspath(qemu), os.path.abspath(kernel)
    for machine in machines:
        suite.machine, suite.cpus = machine.split(":")
        user_network(suite, machine)
        link_of(suite, machine)
    addresses = ("10.0.2.15", "fd00::15", "fe80::15")
    words = [word for address in addresses for word in ("--ip", address + ("/24" if "." in address else "/64"))]
    devices_of(suite, machine, suite.guest("user", *words, "talk")[:-1], "eth0", *addresses)
    what_is_not_there(suite)


def sim_suite(suite, sim, filtering, channels, lookups, counts):
    suite.channels = shutil.copy(channels, suite.path("channels"))
    suite.filtering, suite.lookups = shutil.copy(filtering, suite.path("filtering")), shutil.copy(lookups, suite.path("lookups"))
    suite.sim = os.path.abspath(sim)
    for suite.cpus in counts:
        on_switch(suite, suite.cpus + " CPUs")
        own_user_network(suite, suite.cpus + " CPUs")
        over_tap(suite, suite.cpus + " CPUs")
    listed(suite)
    looked_up(suite)
    no_lease(suite)
    wrong_options(suite)


def main(how, *words):
    with Suite(words[2] if how == "kernel" else words[1]) as suite:
        if how == "kernel":
            suite.devices = shutil.copy(words[3], suite.path("devices"))
            kernel_suite(suite, words[0], words[1], words[4:])
        else:
            suite.devices = shutil.copy(words[5], suite.path("devices"))
            sim_suite(suite, words[0], words[2], words[3], words[4], words[6:])
        return suite.end()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
