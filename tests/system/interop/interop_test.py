#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""interop_test.py SERVERS TOOLS sim OSV-SIM TALK CPUS... or interop_test.py SERVERS TOOLS kernel QEMU.PY KERNEL TALK OSV-IMAGE OSV-RUN BOARD:CPUS...: our machines
and Linux on one wire, a TAP in a network namespace: ping, curl both ways, iperf3 both ways, a wire that loses and reorders, addresses by DHCP
from dnsmasq, and what tshark says of the frames. SERVERS and TOOLS are files in directories where programs of Debian are
unpacked. Prints TAP."""
import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "../servers"))
import servers_test  # pylint: disable=wrong-import-position

TIMEOUT = 120
HERE = os.path.dirname(os.path.realpath(__file__))
OURS, THEIRS = {4: "10.0.2.15", 6: "fd00::15"}, {4: "10.0.2.2", 6: "fd00::2"}
SMALL, LARGE = 100, 3000000
GREETING = b"GET / HTTP/1.0\r\n\r\n"
# Of a thousand frames: lost, doubled, overtaken by others; milliseconds that all take.
WIRES = {"loses": (30, 0, 0, 2), "doubles": (0, 100, 0, 2), "reorders": (0, 0, 100, 2), "does all of it": (15, 15, 50, 2)}
ALL_AT_ONCE = {"does all of it": WIRES["does all of it"]}
NETEM, LIKE_NETEM = "loss 2% duplicate 1% reorder 25% 50% delay 10ms 2ms", (20, 10, 250, 10)
CHECKED = ("ip", "tcp", "udp")
# Linux says 0xffff where the sum of a segment is 0 (CSUM_MANGLED_0), once in 65536; tshark wants 0.
LINUX_ZERO = "tcp.checksum == 0xffff and (ip.src == %s or ipv6.src == %s)" % (THEIRS[4], THEIRS[6])
BAD = "(%s) and not (%s)" % (
    " or ".join(["_ws.malformed"] + ['%s.checksum.status == "Bad"' % name for name in CHECKED + ("icmp", "icmpv6")]), LINUX_ZERO)


def at(address):
    return "[%s]" % address if ":" in address else address


class Lan(servers_test.Suite):
    """Our machine and Linux."""

    def __init__(self, servers, tools, talk):
        super().__init__(servers)
        self.tools = os.path.dirname(os.path.realpath(tools))
        self.talk = shutil.copy(talk, os.path.join(self.folder, "talk"))
        self.device = None  # the value of --net
        self.network = "tap"
        self.pages = os.path.join(self.folder, "pages")
        os.makedirs(self.pages)
        for page, size in (("small", SMALL), ("large", LARGE)):
            with open(os.path.join(self.pages, page), "wb") as file:
                file.write(bytes(i * 7 % 251 for i in range(size)))
        with open(os.path.join(self.folder, "nginx.conf"), "w", encoding="ascii") as file:
            file.write(servers_test.NGINX.replace("listen 80;", "listen 80; listen [::]:80;") % self.pages)

    def use(self, command, device):
        """Which machine the next ones are."""
        self.device, self.machine = device, command
        self.tap = ["--net", device, "--ip", OURS[4] + "/24," + THEIRS[4], "--ip", OURS[6] + "/64," + THEIRS[6]]

    def ours(self, *words, options=None):
        """What a program says that runs on ours."""
        net = self.tap if options is None else ["--net", self.device] + options
        command = self.inside + self.machine + net + ["-v", "%s:%s:ro" % (self.root, self.root), "-e", "LD_LIBRARY_PATH=" + self.libraries]
        return self.finished(command + list(words))

    def finished(self, command):
        try:
            done = subprocess.run(command, cwd=self.folder, env=self.environment, timeout=TIMEOUT, text=True, capture_output=True,
                                  stdin=subprocess.DEVNULL, check=False)
        except subprocess.TimeoutExpired as late:
            return -1, str(late.stdout), "no end in time: %s" % late.stderr
        return done.returncode, done.stdout, done.stderr

    @contextlib.contextmanager
    def linux(self, *words):
        """A program on Linux that says "ready" and ends with its standard input."""
        with subprocess.Popen(self.inside + list(words), cwd=self.folder, env=self.environment, text=True, stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE) as one:
            try:
                if one.stdout.readline() != "ready\n":
                    raise RuntimeError("%s: not ready" % (words,))
                yield
            finally:
                one.stdin.close()
                one.wait(timeout=TIMEOUT)

    def ip(self, text):
        subprocess.run(self.inside + ["ip"] + text.split(), check=True)

    def web(self):
        """nginx on ours."""
        return self.server([("tcp", 80)], GREETING, b"HTTP/", "usr/sbin/nginx", "-p", self.folder, "-c", os.path.join(self.folder, "nginx.conf"))


def same(suite, one, other):
    if not os.path.exists(os.path.join(suite.folder, one)):
        return False
    with open(os.path.join(suite.folder, one), "rb") as first, open(os.path.join(suite.folder, other), "rb") as second:
        return first.read() == second.read()


def ping(suite, name):
    for version, address in OURS.items():
        for size in (56, 1452, 8000):
            got = suite.client("ping", "-%d" % version, "-c", "5", "-i", "0.1", "-s", str(size), "-q", address)
            suite.case("%s: ping of %d bytes by IPv%d" % (name, size, version), got[0] == 0 and "5 received, 0% packet loss" in got[1] and
                       "errors" not in got[1], got)


def fetch(suite, name, what):
    """curl on Linux, of a page of ours."""
    for version, address in OURS.items():
        got = suite.client("curl", "-sS", "-g", "-o", "got", "http://%s/large" % at(address))
        suite.case("%s: curl of ours by IPv%d%s" % (name, version, what), got[0] == 0 and same(suite, "got", "pages/large"), "%s\n%s" % (got, suite.log()))


def curl_words(url):
    return ["/usr/bin/curl", "-sS", "-g", "-o", "got", url + "large", "--next", "-sS", "-g", "-T", "pages/large", url + "back"]


def curl(suite, name, what="", run=None):
    """curl on ours, of a page of Linux's, and back."""
    with suite.linux(sys.executable, os.path.join(HERE, "web.py"), "8000", suite.pages):
        for version, address in THEIRS.items():
            got = (run or suite.ours)(*curl_words("http://%s:8000/" % at(address)))
            suite.case("%s: curl on ours by IPv%d%s" % (name, version, what), got[0] == 0 and same(suite, "got", "pages/large") and
                       same(suite, "pages/back", "pages/large"), got)
            for made in ("got", "pages/back"):
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(os.path.join(suite.folder, made))


def transferred(got):
    """How many bytes iperf3 says that it has received."""
    end = json.loads(got[1]).get("end", {}) if got[0] == 0 else {}
    return min([end[key]["bytes"] for key in ("sum_received", "sum_received_bidir_reverse", "sum") if key in end] or [0])


IPERF = {
    "to the server": [], "from the server": ["-R"], "both ways at once": ["--bidir"], "three streams": ["-P", "3"], "IPv6": ["-6"],
    "IPv6, from the server": ["-6", "-R"], "UDP": ["-u", "-b", "20M"], "UDP, from the server": ["-u", "-b", "20M", "-R"],
}


def iperf(suite, name, which=tuple(IPERF)):
    kinds = {what: IPERF[what] for what in which}
    program = suite.program("usr/bin/iperf3")
    with suite.server([("tcp", 5201)], None, "Server listening", "usr/bin/iperf3", "-s", "--forceflush"):
        for number, (what, words) in enumerate(kinds.items(), 1):
            servers_test.listening(suite.log, number)
            got = suite.client(program, "-c", OURS[6 if "-6" in words else 4], "-t", "1", "-J", *words)
            suite.case("%s: iperf3, its server on ours: %s" % (name, what), transferred(got) > 100000, "%s\n%s" % (got, suite.log()))
    log = os.path.join(suite.folder, "iperf3.log")
    with open(log, "w", encoding="utf-8") as output, subprocess.Popen(suite.inside + [program, "-s", "--forceflush"], cwd=suite.folder, stdout=output,
                                                                     stderr=output, env=suite.environment) as server:
        try:
            for number, (what, words) in enumerate(kinds.items(), 1):
                servers_test.listening(lambda: text_of(log), number)
                got = suite.ours(program, "-c", THEIRS[6 if "-6" in words else 4], "-t", "1", "-J", *words)
                suite.case("%s: iperf3, its client on ours: %s" % (name, what), transferred(got) > 100000, got)
        finally:
            servers_test.stop(server)


@contextlib.contextmanager
def bad_wire(suite, numbers):
    """Linux is behind osv1, and frames of osv0 come there by a wire that is bad."""
    for text in ("addr flush dev osv0", "link set osv0 arp off addrgenmode none", "tuntap add osv1 mode tap", "addr add 10.0.2.2/24 dev osv1",
                 "addr add fd00::2/64 dev osv1 nodad", "link set osv1 up"):
        suite.ip(text)
    try:
        with suite.linux(sys.executable, os.path.join(HERE, "bad_wire.py"), "osv0", "osv1", *map(str, numbers), "1"):
            yield
    finally:
        for text in ("tuntap del osv1 mode tap", "link set osv0 arp on addrgenmode eui64", "addr add 10.0.2.2/24 dev osv0", "addr add fd00::2/64 dev osv0 nodad"):
            suite.ip(text)


def bad(suite, name, wires):
    for kind, numbers in wires.items():
        with bad_wire(suite, numbers):
            with suite.web():
                fetch(suite, name, ", on a wire that " + kind)
            curl(suite, name, ", on a wire that " + kind)


def netem(suite, name):
    """Linux's own, or the same by a wire of ours where this kernel has none."""
    done = subprocess.run(suite.inside + ["tc", "qdisc", "add", "dev", "osv0", "root", "netem"] + NETEM.split(), capture_output=True, check=False)
    if done.returncode != 0:
        bad(suite, name, {"is like netem's": LIKE_NETEM})
        return
    with suite.web():
        fetch(suite, name, ", netem")
    curl(suite, name, ", netem")
    subprocess.run(suite.inside + "tc qdisc del dev osv0 root".split(), check=True)


def dhcp(suite, name):
    """dnsmasq gives leases for two minutes, and wants them renewed after some seconds."""
    log, leases = os.path.join(suite.folder, "dnsmasq.log"), os.path.join(suite.folder, "leases")
    words = [os.path.join(suite.tools, "usr/sbin/dnsmasq"), "--keep-in-foreground", "--conf-file=/dev/null", "--interface=osv0", "--bind-interfaces",
             "--user=root", "--group=root", "--pid-file", "--dhcp-authoritative", "--log-dhcp", "--log-facility=" + log, "--dhcp-leasefile=" + leases,
             "--dhcp-range=10.0.2.100,10.0.2.110,2m", "--dhcp-option=option:T1,3", "--dhcp-option=option:T2,100", "--dhcp-option=option:router,10.0.2.2",
             "--no-hosts", "--no-resolv", "--local=/far.test/", "--address=/far.test/10.0.2.2", "--dhcp-option=option:dns-server,10.0.2.2"]
    environment = dict(suite.environment, LD_LIBRARY_PATH=os.path.join(suite.tools, "usr/lib/x86_64-linux-gnu"))
    with subprocess.Popen(suite.inside + words, env=environment, cwd=suite.folder) as server:
        try:
            with suite.linux(sys.executable, os.path.join(HERE, "web.py"), "8000", suite.pages):
                got = suite.ours("/usr/bin/curl", "-sS", "-o", "got", "http://far.test:8000/small", options=[])
                suite.case(name + ": an address and a name server by dnsmasq", got[0] == 0 and same(suite, "got", "pages/small") and
                           "DHCPACK(osv0) 10.0.2.1" in text_of(log), "%s\n%s" % (got, text_of(log)))
            got = suite.ours("/usr/bin/ip", "-4", "addr", "show", "eth0", options=[])
            suite.case(name + ": how long it has the address", re.search(r" dynamic eth0\n +valid_lft (120|11\d)sec preferred_lft \1sec\n", got[1]), got)
            renewed(suite, name, log)
        finally:
            servers_test.stop(server)


def forwarding(suite, value):
    """Of Linux, for both versions."""
    words = ["echo %s > /proc/sys/net/%s" % (value, place) for place in ("ipv4/ip_forward", "ipv6/conf/all/forwarding")]
    subprocess.run(suite.inside + ["sh", "-c", "; ".join(words)], check=True)


# Once its link is there.
FAR = """echo $$; read go
ip link set lo up; ip addr add 10.0.3.2/24 dev far1; ip addr add fd00:3::2/64 dev far1 nodad; ip link set far1 up
ip route add default via 10.0.3.1; ip route add default via fd00:3::1; exec "$0" serve 700 2"""


def routed(suite, name):
    """A machine behind Linux, which cuts what is longer than the link, though the TAP may have taken it as one."""
    with subprocess.Popen(suite.inside + ["unshare", "--net", "sh", "-c", FAR, suite.talk], cwd=suite.folder, env=suite.environment, text=True,
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE) as far:
        try:
            suite.ip("link add far0 type veth peer name far1 netns " + far.stdout.readline())
            suite.ip("addr add 10.0.3.1/24 dev far0")
            suite.ip("addr add fd00:3::1/64 dev far0 nodad")
            suite.ip("link set far0 up")
            forwarding(suite, "1")
            far.stdin.write("go\n")
            far.stdin.flush()
            is_ready = far.stdout.readline() == "ready\n"
            for there in ("10.0.3.2", "fd00:3::2"):
                got = suite.ours(suite.talk, "ask", there, "700")
                suite.case("%s: datagrams of all lengths to %s, behind Linux" % (name, there), is_ready and got[0] == 0 and
                           "datagram of 20000\n5 datagrams by one send\n" in got[1], got)
        finally:
            servers_test.stop(far)
    # The other end's namespace may have ended by now, and the link with it.
    subprocess.run(suite.inside + "ip link del far0".split(), capture_output=True, check=False)
    forwarding(suite, "0")


def text_of(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


def renewed(suite, name, log):
    """One lease, asked for once more before it ends."""
    before = len(text_of(log))
    net = ["--net", suite.device]
    with subprocess.Popen(suite.inside + suite.machine + net + [suite.talk, "serve", "700", "1"], cwd=suite.folder, env=suite.environment,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as server:
        try:
            said = server.stdout.readline()
            until = time.monotonic() + TIMEOUT
            while len(asked(log, before)) < 4 and time.monotonic() < until:
                time.sleep(0.1)
            kinds, addresses = zip(*asked(log, before)[:4])
            suite.case(name + ": the lease is renewed", said == "ready\n" and kinds == ("REQUEST", "ACK") * 2 and len(set(addresses)) == 1, text_of(log)[before:])
            got = suite.client(suite.talk, "ask", addresses[0], "700")
            suite.case(name + ": and the machine is there", got[0] == 0, got)
        finally:
            servers_test.stop(server)


def asked(log, begin):
    """(message, address) of dnsmasq's log, from there on."""
    return re.findall(r"DHCP(REQUEST|ACK|NAK|DECLINE)\(osv0\) ([0-9.]+)", text_of(log)[begin:])


def tshark(suite, path, which, how=("-T", "fields", "-e", "frame.number")):
    """The numbers of those frames, or what else is wanted of them. A page's pieces, of which it guesses what they are, are data."""
    words = [os.path.join(suite.tools, "usr/bin/tshark"), "-n", "-r", path, "-d", "tcp.port==8000,echo", *how]
    for protocol in CHECKED:
        words += ["-o", protocol + ".check_checksum:TRUE"]
    environment = dict(suite.environment, LD_LIBRARY_PATH=os.path.join(suite.tools, "usr/lib/x86_64-linux-gnu"), HOME=suite.folder)
    done = subprocess.run(words + (["-Y", which] if which else []), cwd=suite.folder, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout.split(), done.stderr


def seen(suite, path, which):
    return " ".join(tshark(suite, path, which, ("-V", "-x"))[1][:1000])


def read_by_tshark(suite, name, path):
    """All that was captured is well formed; and tshark would have seen what is not."""
    with_tcp, wrong = tshark(suite, path, "tcp"), tshark(suite, path, BAD)
    suite.case(name + ": tshark reads the capture", with_tcp[0] == 0 and len(with_tcp[1]) > 1000, with_tcp[2])
    suite.case(name + ": no frame is malformed or has a bad checksum", wrong[0] == 0 and not wrong[1], wrong[2] + seen(suite, path, BAD))
    with open(path, "r+b") as file:
        file.seek(-1, os.SEEK_END)
        last = file.read(1)
        file.seek(-1, os.SEEK_END)
        file.write(bytes([last[0] ^ 1]))
    wrong = tshark(suite, path, BAD)
    suite.case(name + ": but one whose last byte was changed", len(wrong[1]) == 1, wrong)


def captured(suite, name, run):
    """run(file) -> how to run a program on ours, whose frames are in the file then."""
    def both(*words):
        path = os.path.join(suite.folder, "frames-%d" % len(paths))
        paths.append(path)
        return run(path)(*words)

    paths = []
    curl(suite, name, ", captured", both)
    for path in paths:
        read_by_tshark(suite, name, path)


def together(suite, name, wires):
    with suite.web():
        ping(suite, name)
        fetch(suite, name, "")
    iperf(suite, name)
    routed(suite, name)
    bad(suite, name, wires)
    netem(suite, name)
    dhcp(suite, name)


def on_sim(suite, sim, _, *counts):
    for cpus in counts:
        machine = [os.path.abspath(sim), "-c", cpus]
        suite.use(machine, "tap=osv0")
        together(suite, "%s CPUs" % cpus, WIRES if cpus == counts[0] else ALL_AT_ONCE)

        def run(path, machine=machine):
            suite.machine = machine + ["--pcap", path]
            return suite.ours
        captured(suite, "%s CPUs" % cpus, run)
    suite.use(machine, "tap=osv0,uring")
    with_rings(suite, "%s CPUs, io_uring" % cpus)


def with_rings(suite, name):
    """Many frames by one system call; once more what sends and receives many."""
    with suite.web():
        ping(suite, name)
        fetch(suite, name, "")
    iperf(suite, name, ("three streams", "IPv6, from the server", "UDP"))
    bad(suite, name, ALL_AT_ONCE)


def on_kernel(suite, qemu, kernel, _, image, osv_run, *boards):
    curl_image = os.path.join(suite.folder, "curl.osv")
    place = os.path.join(suite.folder, "place")
    os.makedirs(place)
    subprocess.run([image, "build", "-o", curl_image, "--file", place + ":/shown", "/usr/bin/curl"], check=True, stdout=subprocess.DEVNULL)
    for board in boards:
        machine, cpus = board.split(":")
        suite.use([sys.executable, os.path.abspath(qemu), "-c", cpus, "--machine", machine, "--kernel", os.path.abspath(kernel)],
                  "tap,ifname=osv0,script=no,downscript=no")
        together(suite, board, ALL_AT_ONCE)
        command = suite.inside + [os.path.abspath(osv_run), "--direct", "--accel", "tcg", "-c", cpus, "--machine", machine, "--net", "tap=osv0",
                                  "-v", suite.folder + ":/shown", "--cwd", "/shown"]
        for version, bits in ((4, 24), (6, 64)):
            command += ["--kernel-option", "--ip=%s/%d,%s" % (OURS[version], bits, THEIRS[version])]

        def run(path, command=command):
            return lambda *words: suite.finished(command + ["--pcap", path, curl_image, "--"] + list(words))
        captured(suite, board, run)


def main(servers, tools, kind, *words):
    with Lan(servers, tools, words[1] if kind == "sim" else words[2]) as suite, servers_test.namespace() as suite.inside:
        if suite.inside is None:
            suite.case("Linux and ours on one wire # SKIP no network namespace with a TAP can be made here", True)
        else:
            suite.ip("addr add fd00::2/64 dev osv0 nodad")
            {"sim": on_sim, "kernel": on_kernel}[kind](suite, *words)
        return suite.end()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
