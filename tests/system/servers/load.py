#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""load.py MARKER WITNESS WIRE (sim OSV-SIM CPUS | kernel QEMU.PY KERNEL BOARD:CPUS) [SECONDS]: Debian's servers under load for SECONDS (600) in
all, over a TAP in a network namespace; afterwards memory and connections are what they were. What is in use tells WITNESS, which
is preloaded into the servers (witness.c). The beginning is after a load of a few seconds: by then a server has the memory it
works with. WIRE is tests/bench/wire.c's program. Prints TAP, and what was in use."""
import os
import re
import shutil
import sys
import time

import servers_test
from servers_test import GUEST

WITNESS_PORT, SECONDS, WARM_UP = 9, 600, 6
KERNEL_SLOWNESS = 5
GROWTH_MAX = 512      # kB, of what is in use
GROWTH_BY_ITSELF = {"memcached": 2048}  # it takes a megabyte more for another size of items
TABLES_PATIENCE = 150  # seconds: TIME_WAIT lasts one minute, and what was lost is sent again
TIME_WAIT = "06"
SERVERS = {  # its port, greeting and answer, and command
    "redis": (6379, b"PING\r\n", b"+PONG", "usr/bin/redis-server --port 6379 --bind 0.0.0.0 --protected-mode no --save @ --appendonly no"),
    "memcached": (11211, b"version\r\n", b"VERSION", "usr/bin/memcached -u root -l 0.0.0.0 -p 11211 -U 11211 -t 2"),
    "nginx": (80, b"GET / HTTP/1.0\r\n\r\n", b"HTTP/", "usr/sbin/nginx -p @folder -c @folder/nginx.conf"),
    "iperf3": (5201, None, "Server listening", "usr/bin/iperf3 -s --forceflush"),
}
LOADS = {  # each line for a second or two; @N: fewer where instructions are emulated
    "redis": [
        "@root/usr/bin/redis-benchmark -h @guest -n @20000 -c 50 -q -r 1000 -d 100 -t ping,set,get,incr,hset,sadd",
        "@root/usr/bin/redis-benchmark -h @guest -n @40000 -c 50 -q -r 1000 -P 16 -t set,get",
        "@root/usr/bin/redis-benchmark -h @guest -n @2000 -c 20 -k 0 -q -t ping",
    ],
    "memcached": [
        "@root/usr/bin/memcslap --servers=@guest:11211 --concurrency=8 --execute-number=500 --initial-load=500 --flush --test=get",
        "@wire memcached @guest 11211 8",
        "@wire memcached @guest 11211 64",
    ],
    "nginx": [
        "@root/usr/bin/wrk -t1 -c16 -d2 http://@guest/small",
        "@root/usr/bin/wrk -t1 -c4 -d1 http://@guest/large",
    ],
    "iperf3": ["@root/usr/bin/iperf3 -c @guest -t 1 " + words for words in ("", "-R", "-P 4", "--bidir", "-u -b 50M", "-u -b 50M -R")],
}
# For a minute after it, the servers have ends of connections that they have closed first.
CLOSING = "@root/usr/bin/wrk -t1 -c16 -d1 -H Connection:close http://@guest/small"


class Load(servers_test.Suite):
    def __init__(self, marker, witness, wire, slowness):
        super().__init__(marker)
        self.network = "tap"
        self.slowness = slowness
        self.wire, self.witness = (shutil.copy(os.path.realpath(path), self.folder) for path in (wire, witness))
        pages = os.path.join(self.folder, "pages")
        os.makedirs(pages)
        for page, size in (("small", 100), ("large", 3000000)):
            with open(os.path.join(pages, page), "wb") as file:
                file.write(bytes(size))
        with open(os.path.join(self.folder, "nginx.conf"), "w", encoding="ascii") as file:
            file.write(servers_test.NGINX.replace("listen 80;", "listen 80; keepalive_requests 1000000000;") % pages)
        self.loads = {name: list(lines) for name, lines in LOADS.items()}
        self.environment.update(BENCH_REPS="2", BENCH_MS="500")

    def words(self, text):
        places = {"root": self.root, "guest": GUEST, "wire": self.wire, "folder": self.folder, "": ""}

        def put(found):
            return str(int(found[1]) // self.slowness) if found[1].isdigit() else places[found[1]]
        return [re.sub("@([0-9]+|[a-z]*)", put, word) for word in text.split()]

    def load(self, name, seconds):
        """All kinds of it in turn; how often, and what failed."""
        until, count, failed = time.monotonic() + seconds, 0, []
        while time.monotonic() < until or count % len(self.loads[name]) != 0:
            self.awaits(name)
            got = self.client(*self.words(self.loads[name][count % len(self.loads[name])]))
            failed += [] if got[0] == 0 else [got]
            count += 1
        return count, failed

    def awaits(self, name):
        """iperf3's server listens anew for each test: who comes before that is sent away."""
        until = time.monotonic() + servers_test.TIMEOUT
        while name == "iperf3" and self.log().rfind("Server listening") < self.log().rfind("Accepted") and time.monotonic() < until:
            time.sleep(0.02)

    def told(self):
        """What the witness says: file -> lines."""
        ask = "import socket, sys; s = socket.create_connection((%r, %d), 20); s.shutdown(1); sys.stdout.write(s.makefile().read())"
        got = self.client(sys.executable, "-c", ask % (GUEST, WITNESS_PORT))
        found, lines = {}, []
        for line in got[1].splitlines():
            if line.startswith("/"):
                lines = found[line] = []
            else:
                lines.append(line)
        return found


def figures(lines):
    """kB, by name."""
    return {line.split(":")[0]: int(line.split()[1]) for line in lines if line.endswith(" kB")}


def in_use(told):
    """kB of memory that are neither free, nor a file's as it is on its disk, nor kept by the heap for who asks next: each processor keeps some
    of each size, so that this becomes more for a while."""
    memory = figures(told["/proc/meminfo"])
    return memory["MemTotal"] - memory["MemFree"] - memory["Cached"] - figures(told["/heap"])["Free"]


def tables(told, seconds):
    """How many sockets there are, by kind and state; in short runs without those that go after a minute."""
    states = {}
    for version in ("tcp", "tcp6", "udp", "udp6"):
        for line in told["/proc/net/" + version][1:]:
            place = (version, line.split()[3])
            if place[1] != TIME_WAIT or seconds >= SECONDS:
                states[place] = states.get(place, 0) + 1
    return sorted(states.items()), told["/proc/net/sockstat"] if seconds >= SECONDS else None


def settled(suite, begin, seconds):
    """What is told once the tables are as at the beginning, or nothing changes that."""
    until = time.monotonic() + TABLES_PATIENCE
    while True:
        told = suite.told()
        if tables(told, seconds) == tables(begin, seconds) or time.monotonic() > until:
            return told
        time.sleep(1)


def under_load(suite, name, seconds):
    port, greeting, answer, command = SERVERS[name]
    words, share = suite.words(command), seconds / len(SERVERS)
    with suite.server([("tcp", port)], greeting, answer, *words) as (server, _):
        quiet = suite.told()
        suite.load(name, WARM_UP)
        begin = suite.told()
        count, failed = suite.load(name, share)
        suite.case("%s: %d loads in %d s" % (name, count, share), not failed and server.poll() is None, "%s\n%s" % (failed[:3], suite.log()))
        end = settled(suite, quiet, seconds)
        print("# %s: kB in use: %d before any load, %d at the beginning, %d at the end" % (name, in_use(quiet), in_use(begin), in_use(end)))
        were, are = tables(quiet, seconds), tables(end, seconds)
        suite.case(name + ": connections are what they were", are == were, "%s\n%s" % (were, are))
        limit = in_use(begin) + GROWTH_MAX + GROWTH_BY_ITSELF.get(name, 0)
        suite.case(name + ": memory is what it was", in_use(end) <= limit, "%s\n%s" % (begin["/proc/meminfo"], end["/proc/meminfo"]))


def main(marker, witness, wire, kind, *words):
    own = 2 if kind == "sim" else 3
    seconds = int(words[own]) if len(words) > own else SECONDS
    with Load(marker, witness, wire, 1 if kind == "sim" else KERNEL_SLOWNESS) as suite, servers_test.namespace() as suite.inside:
        suite.loads["nginx"] += [CLOSING] if seconds >= SECONDS else []
        if kind == "sim":
            suite.machine = [os.path.abspath(words[0]), "-c", words[1], "-v", "%s:%s:ro" % (suite.folder, suite.folder)]
        else:
            board, cpus = words[2].split(":")
            suite.machine = [sys.executable, os.path.abspath(words[0]), "--timeout", "3600", "-c", cpus, "--machine", board,
                             "--kernel", os.path.abspath(words[1])]
            suite.tap[1] = "tap,ifname=osv0,script=no,downscript=no"
        suite.machine += ["-e", "LD_PRELOAD=" + suite.witness, "-e", "WITNESS_PORT=%d" % WITNESS_PORT]
        if suite.inside is None:
            suite.case("under load # SKIP no network namespace with a TAP can be made here", True)
        for name in SERVERS if suite.inside is not None else ():
            under_load(suite, name, seconds)
    return suite.end()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
