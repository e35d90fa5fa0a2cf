#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""servers_test.py MARKER sim OSV-SIM CPUS... or servers_test.py MARKER kernel QEMU.PY KERNEL BOARD:CPUS...: Debian's servers, unpacked where
MARKER is, on our machines, asked by Debian's clients on Linux: through the network of osv-sim or of QEMU, whose ports are published, and over a
TAP in a network namespace where one may be made. Prints TAP."""
import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), ".."))
import cases  # pylint: disable=wrong-import-position

TIMEOUT = 60
GUEST, GATEWAY = "10.0.2.15", "10.0.2.2"
NGINX = """daemon off; master_process off; error_log stderr; pid /tmp/nginx.pid;
events { worker_connections 1024; }
http { access_log off; %s server { listen 80; root %s; } }
""" % (" ".join("%s_temp_path /tmp/%s;" % (name, name) for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")), "%s")


class Suite(cases.Cases):
    def __init__(self, marker):
        super().__init__("osv-servers-", "/var/tmp")
        os.chmod(self.folder, 0o755)  # servers become other users
        self.root = os.path.join(self.folder, "root")
        shutil.copytree(os.path.dirname(os.path.realpath(marker)), self.root, symlinks=True)
        self.libraries = os.path.join(self.root, "usr/lib/x86_64-linux-gnu")
        self.environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LD_LIBRARY_PATH": self.libraries}
        self.machine = self.network = None  # the first words of its command; "publish", "qemu" or "tap"
        self.inside = []                    # before a client's command
        self.tap = ["--net", "tap=osv0", "--ip", GUEST + "/24"]

    def at_once(self, many):
        """How many connections may begin together: libslirp, and QEMU's copy of it, let two wait, and others for seconds."""
        return str(many if self.network == "tap" else 2)

    def program(self, path):
        return os.path.join(self.root, path)

    def client(self, *words, stdin=None):
        """What a client on Linux says."""
        try:
            done = subprocess.run(self.inside + list(words), cwd=self.folder, env=self.environment, input=stdin, timeout=TIMEOUT, text=True,
                                  capture_output=True, check=False)
        except subprocess.TimeoutExpired as late:
            return -1, str(late.stdout), "no end in time"
        return done.returncode, done.stdout, done.stderr

    def options(self, ports):
        """The network's options, and where a client finds each port."""
        if self.network == "tap":
            return self.tap, {port: (GUEST, port[1]) for port in ports}
        called = {port: ("127.0.0.1", cases.port_free()) for port in ports}
        if self.network == "qemu":
            forwards = ["hostfwd=%s:127.0.0.1:%d-:%d" % (kind, called[kind, port][1], port) for kind, port in ports]
            net = ["--net", ",".join(["user"] + forwards)]
        else:
            net = ["--net", "user"]
            for kind, port in ports:
                net += ["--publish", "127.0.0.1:%d:%d/%s" % (called[kind, port][1], port, kind)]
        return net + ["--ip", "%s/24,%s" % (GUEST, GATEWAY)], called

    @contextlib.contextmanager
    def server(self, ports, greeting, answer, path, *words):
        """One that answers a greeting at the first of ports, or (None) says so in its log; where each is found."""
        net, called = self.options(ports)
        command = self.inside + self.machine + net + ["-v", "%s:%s:ro" % (self.root, self.root), "-e", "LD_LIBRARY_PATH=" + self.libraries]
        with open(os.path.join(self.folder, "log"), "wb") as log, subprocess.Popen(
                command + [self.program(path)] + list(words), cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env=self.environment) as server:
            try:
                until = time.monotonic() + TIMEOUT
                while server.poll() is None and time.monotonic() < until and not self.answers(called[ports[0]], greeting, answer):
                    time.sleep(0.05)
                yield server, called
            finally:
                stop(server)

    def answers(self, at, greeting, answer):
        """Whether the server is there: a connection may be accepted by the network between."""
        if greeting is None:
            return answer in self.log()
        ask = "import socket; s = socket.create_connection(%r, 1); s.sendall(%r); print(s.recv(%d) == %r)" % (at, greeting, len(answer), answer)
        done = subprocess.run(self.inside + [sys.executable, "-c", ask], capture_output=True, text=True, check=False)
        return done.stdout == "True\n"

    def log(self):
        with open(os.path.join(self.folder, "log"), errors="replace") as log:
            return log.read()


def stop(server):
    """With what it has started: QEMU outlives a qemu.py that is killed."""
    server.terminate()
    try:
        server.wait(timeout=TIMEOUT)
    except subprocess.TimeoutExpired:
        server.kill()


def ends(suite, name, server, status):
    """By SIGTERM, as whoever runs it in a service ends it. A kernel in QEMU gets none."""
    if suite.network != "qemu":
        server.send_signal(signal.SIGTERM)
        try:
            got = server.wait(timeout=TIMEOUT)
        except subprocess.TimeoutExpired:
            got = None
        suite.case(name + ": ends by SIGTERM", got == status, "%s\n%s" % (got, suite.log()))


def redis(suite, name):
    with suite.server([("tcp", 6379)], b"PING\r\n", b"+PONG", "usr/bin/redis-server", "--port", "6379", "--bind", "0.0.0.0", "--protected-mode", "no", "--save", "",
                      "--appendonly", "no") as (server, called):
        host, port = called["tcp", 6379]
        cli = [suite.program("usr/bin/redis-cli"), "-h", host, "-p", str(port)]
        value = "value " * 20000
        got = suite.client(*cli, "-x", "set", "key", stdin=value)
        suite.case(name + ": set", got[:2] == (0, "OK\n"), "%s\n%s" % (got, suite.log()))
        got = suite.client(*cli, "get", "key")
        suite.case(name + ": get", got[:2] == (0, value + "\n"), got)
        got = suite.client(*cli, "--csv", "eval", "local s = 0; for i = 1, 100 do s = s + redis.call('incr', KEYS[1]) end; return s", "1", "n")
        suite.case(name + ": a script in Lua", got[:2] == (0, "5050\n"), got)
        got = suite.client(suite.program("usr/bin/redis-benchmark"), "-h", host, "-p", str(port), "-n", "2000", "-c", suite.at_once(20), "-q", "--csv", "-t",
                           "ping,set,get,incr,lpush,rpop,sadd,hset,zadd,mset")
        suite.case(name + ": redis-benchmark", got[0] == 0 and len(got[1].splitlines()) >= 11, got)
        got = suite.client(suite.program("usr/bin/redis-benchmark"), "-h", host, "-p", str(port), "-n", "20000", "-c", suite.at_once(50),
                           "-P", "16", "-q", "--csv", "-t", "set,get")
        suite.case(name + ": redis-benchmark, 16 requests at once", got[0] == 0 and len(got[1].splitlines()) == 3, got)
        got = suite.client(*cli, "info", "clients")
        suite.case(name + ": connections that ended are gone", re.search(r"^connected_clients:1\r?$", got[1], re.MULTILINE), got)
        ends(suite, name, server, 0)


def udp_request(host, port, line):
    """memcached's frame: a number, which of how many datagrams, and nothing."""
    return "import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(9); " \
           "s.sendto(bytes([0, 7, 0, 0, 0, 1, 0, 0]) + %r, (%r, %d)); print(s.recv(2000))" % (line, host, port)


def memcached(suite, name):
    with suite.server([("tcp", 11211), ("udp", 11211)], b"version\r\n", b"VERSION", "usr/bin/memcached", "-u", "nobody", "-l", "0.0.0.0",
                      "-p", "11211", "-U", "11211", "-t", "2") as (server, called):
        host, port = called["tcp", 11211]
        got = suite.client(suite.program("usr/bin/memccapable"), "-h", host, "-p", str(port))
        passed = got[0] == 0 and "All tests passed" in got[1] + got[2]
        suite.case(name + ": memccapable", passed, "%s\n%s" % (got, suite.log()))
        for test in ("set", "get"):
            got = suite.client(suite.program("usr/bin/memcslap"), "--servers=%s:%d" % (host, port), "--concurrency=" + suite.at_once(8), "--execute-number=500",
                               "--initial-load=500", "--test=" + test)
            suite.case("%s: memcslap %s" % (name, test), got[0] == 0 and "Time to %s" % test in got[1] and "error" not in got[1] + got[2], got)
        got = suite.client(sys.executable, "-c", udp_request(*called["udp", 11211], b"version\r\n"))
        suite.case(name + ": over UDP", got[0] == 0 and "b'\\x00\\x07\\x00\\x00\\x00\\x01\\x00\\x00VERSION 1." in got[1], got)
        ends(suite, name, server, 0)


def nginx(suite, name):
    pages = os.path.join(suite.folder, "pages")
    os.makedirs(pages, exist_ok=True)
    for page, size in (("small", 100), ("large", 3000000)):
        with open(os.path.join(pages, page), "wb") as file:
            file.write(bytes(i * 7 % 251 for i in range(size)))
    with open(os.path.join(suite.folder, "nginx.conf"), "w", encoding="ascii") as file:
        file.write(NGINX % pages)
    with suite.server([("tcp", 80)], b"GET / HTTP/1.0\r\n\r\n", b"HTTP/", "usr/sbin/nginx", "-p", suite.folder, "-c",
                      os.path.join(suite.folder, "nginx.conf")) as (server, called):
        at = "http://%s:%d/" % called["tcp", 80]
        for page in ("small", "large"):
            got = suite.client("curl", "-s", "-o", page, at + page)
            same = suite.client("cmp", page, os.path.join(pages, page))
            suite.case("%s: the %s page" % (name, page), got[0] == same[0] == 0, "%s %s\n%s" % (got, same, suite.log()))
        got = suite.client("curl", "-s", "-o", "none", "-w", "%{http_code}", at + "none")
        suite.case(name + ": a page that is not there", got[:2] == (0, "404"), got)
        got = suite.client(suite.program("usr/bin/wrk"), "-t1", "-c" + suite.at_once(16), "-d2", at + "small")
        suite.case(name + ": wrk", got[0] == 0 and re.search(r"^ +\d\d+ requests in", got[1], re.MULTILINE) and
                   "Socket errors" not in got[1] and "Non-2xx" not in got[1], got)
        ends(suite, name, server, 0)


def listening(log, number):
    """The server of iperf3 listens anew for each test: who comes before that is sent away."""
    until = time.monotonic() + TIMEOUT
    while log().count("Server listening") < number and time.monotonic() < until:
        time.sleep(0.02)


def iperf3(suite, name):
    udp = [] if suite.network != "tap" else [("both ways of UDP", ["-u", "-b", "20M"]), ("UDP back", ["-u", "-b", "20M", "-R"])]
    with suite.server([("tcp", 5201)], None, "Server listening", "usr/bin/iperf3", "-s", "--forceflush") as (server, called):
        host, port = called["tcp", 5201]
        for number, (what, words) in enumerate([("to us", []), ("from us", ["-R"]), ("four streams", ["-P", "4"])] + udp, 1):
            listening(suite.log, number)
            got = suite.client(suite.program("usr/bin/iperf3"), "-c", host, "-p", str(port), "-t", "1", "-J", *words)
            report = json.loads(got[1]) if got[0] == 0 else {}
            end = report.get("end", {})
            said = end.get("sum_received", end.get("sum", {})).get("bytes", 0)
            suite.case("%s: %s" % (name, what), said > 100000, "%s\n%s" % (got, suite.log()))
        ends(suite, name, server, 1)  # iperf3's own


SERVERS = (redis, memcached, nginx, iperf3)


def namespace():
    """One with a TAP."""
    return cases.network("tuntap add osv0 mode tap", "addr add 10.0.2.2/24 dev osv0", "link set osv0 up", "link set lo up")


def on_sim(suite, sim, *counts):
    for cpus in counts:
        suite.machine, suite.network, suite.inside = [os.path.abspath(sim), "-c", cpus], "publish", []
        for server in SERVERS:
            server(suite, "%s, published, %s CPUs" % (server.__name__, cpus))
    with namespace() as inside:
        for cpus in counts if inside is not None else ():
            suite.machine, suite.network, suite.inside = [os.path.abspath(sim), "-c", cpus], "tap", inside
            for server in SERVERS:
                server(suite, "%s, tap, %s CPUs" % (server.__name__, cpus))


def on_kernel(suite, qemu, kernel, *boards):
    for board in boards:
        machine, cpus = board.split(":")
        suite.machine = [sys.executable, os.path.abspath(qemu), "-c", cpus, "--machine", machine, "--kernel", os.path.abspath(kernel)]
        suite.network = "qemu"
        for server in SERVERS:
            server(suite, "%s, %s, %s CPUs" % (server.__name__, machine, cpus))


def main(marker, kind, *words):
    with Suite(marker) as suite:
        {"sim": on_sim, "kernel": on_kernel}[kind](suite, *words)
        return suite.end()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
