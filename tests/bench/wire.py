#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""wire.py: the network between two machines, one of which is Linux: the other is Linux, too, and ours, in turn, in one run.

    bazel run //tests/bench:wire [-- [--runs N] [--fifo] [--only NAME] [KIND...]]

A line per figure: its name, the medians with Linux and with ours as the server, the unit, how many times better ours is (compare.py),
and what is asked. The clients, and all that is Linux, are this machine's, in network namespaces. KIND:

    process   the server is a process, on Linux behind a veth pair, on osv-sim (one vCPU) behind a TAP, all of it on one processor
    apart     the same, but the client has another processor than the server
    free      the same, where the host's scheduler puts them: of what else the machine does much depends on that
    guest1    the server is a guest of QEMU's own processor behind a TAP: Debian's cloud kernel, which has nothing but the server in its
    guest2    initial file system, and our image of the same files; with one virtual CPU, and with two

The TAPs have no queueing discipline, as veth pairs have none, and Linux's ends run CUBIC, as Debian sets them: with BBR, which some hosts
begin with, the timers by which it paces are most of what a stream costs its sender. Of memcached the same is asked as of guests: 8 and 64 requests under way. With one, what the client and the host do is most of a round's time.

With --fifo all of process runs at real-time priority, so that others on this machine disturb it less.
"""
import argparse
import contextlib
import csv
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time

import boot
import compare

RUNS, TIMEOUT = 9, 60
NEAR, FAR = ("osv-bench-%s-%d" % (name, os.getpid()) for name in ("near", "far"))
ADDRESS = {"osv": "10.2.0.2", "linux": "10.3.0.2"}
NEAR_ADDRESS = {"osv": "10.2.0.1", "linux": "10.3.0.1"}
REDIS_CONF = 'port 6379\nbind 0.0.0.0\nprotected-mode no\nsave ""\nappendonly no\n'
MEMORY = "1G"
SERVERS = {  # its port, and what a connection is greeted with
    "wire": (700, b"c", b""),
    "memcached": (11211, b"version\r\n", b"VERSION"),
    "redis": (6379, b"PING\r\n", b"+PONG"),
    "filtered": (11211, b"version\r\n", b"VERSION"),  # memcached on Linux, a packet filter on ours
}
REQUESTS = {"process": (20000, 200000), "apart": (20000, 200000), "free": (20000, 200000), "guest1": (4000, 0), "guest2": (4000, 0)}  # of redis, alone and by 16
ASKED = {
    **{"%s_%s" % (kind, name): ratio for kind in ("process", "apart", "free") for name, ratio in {
        "tcp_stream_to": 0.9, "tcp_stream_from": 0.9, "tcp_rr_1B": 1.0, "udp_rr_1B": 1.0, "tcp_connect_close": 1.0, "memcached_udp_w8": 1.2, "memcached_udp_w64": 1.2,
        "filtered_udp_w8": 2.5, "filtered_udp_w64": 2.5, "redis_set": 1.0, "redis_get": 1.0, "redis_set_p16": 1.0, "redis_get_p16": 1.0}.items()},
    **{"guest%d_%s" % (cpus, name): 1.5 for cpus in (1, 2) for name in ("memcached_udp_w8", "memcached_udp_w64", "redis_set", "redis_get")},
}


def ip(space, text):
    subprocess.run((["ip", "-n", space] if space else ["ip"]) + text.split(), check=True)


@contextlib.contextmanager
def spaces():
    """The client's namespace, with a TAP for each kind of guest, and one behind a veth pair."""
    if subprocess.run(["ip", "netns", "add", NEAR], check=False).returncode != 0 or not os.path.exists("/dev/net/tun"):
        raise SystemExit("wire.py: this needs root, network namespaces and /dev/net/tun")
    try:
        ip(None, "netns add " + FAR)
        for space in (NEAR, FAR):
            subprocess.run(["ip", "netns", "exec", space, "sysctl", "-qw", "net.ipv4.tcp_congestion_control=cubic"], check=True)
        for text in ("link set lo up", "tuntap add osv0 mode tap", "tuntap add linux0 mode tap", "addr add %s/24 dev osv0" % NEAR_ADDRESS["osv"],
                     "link set osv0 up", "link set linux0 up"):
            ip(NEAR, text)
        for device in "osv0", "linux0":  # as veth pairs are, which have no queue either
            subprocess.run(["tc", "-n", NEAR, "qdisc", "replace", "dev", device, "root", "noqueue"], check=True)
        yield
    finally:
        for space in (NEAR, FAR):
            subprocess.run(["ip", "netns", "del", space], check=False)


def linux_behind(interface):
    """Where Linux's server is: at the end of a veth pair, or of a TAP."""
    subprocess.run(["ip", "-n", NEAR, "link", "del", "veth0"], check=False, stderr=subprocess.DEVNULL)
    ip(NEAR, "addr flush dev linux0")
    if interface == "veth0":
        ip(NEAR, "link add veth0 type veth peer name veth1 netns " + FAR)
        ip(FAR, "addr add %s/24 dev veth1" % ADDRESS["linux"])
        ip(FAR, "link set veth1 up")
    ip(NEAR, "addr add %s/24 dev %s" % (NEAR_ADDRESS["linux"], interface))
    ip(NEAR, "link set %s up" % interface)


class Files:
    """The programs, and what they need of libraries, in a tree that both guests have as their root."""

    def __init__(self, options, work):
        self.options, self.work = options, work
        self.root = os.path.dirname(os.path.realpath(options.servers))
        self.libraries = os.path.join(self.root, "usr/lib/x86_64-linux-gnu")
        self.environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LD_LIBRARY_PATH": self.libraries, "BENCH_REPS": "1", "BENCH_MS": "250"}
        self.conf = os.path.join(work, "redis.conf")
        with open(self.conf, "w", encoding="ascii") as file:
            file.write(REDIS_CONF)

    def command(self, server, machine):
        if server == "filtered":
            return self.command("memcached", machine) if machine == "linux" else [self.options.filtered, "11211"]
        return {
            "wire": [self.options.program, "serve", str(SERVERS["wire"][0])],
            "redis": [os.path.join(self.root, "usr/bin/redis-server"), self.conf],
            "memcached": [os.path.join(self.root, "usr/bin/memcached"), "-u", "root", "-l", "0.0.0.0", "-U", "11211", "-t", "1"],
        }[server]

    def tree(self, server, machine):
        """name in a guest -> file here; and the server's command there."""
        program, *words = self.command(server, machine)
        inside = "usr/bin/" + os.path.basename(program)
        said = subprocess.run(["ldd", program], env=self.environment, capture_output=True, text=True, check=True).stdout
        files = {inside: program, "redis.conf": self.conf}
        for name, path in re.findall(r"(\S+)(?: => (\S+))? \(0x", said):
            if path:
                files["usr/lib/x86_64-linux-gnu/" + name] = path
            elif name.startswith("/"):
                files["lib64/" + os.path.basename(name)] = name
        return files, ["/" + inside] + ["/redis.conf" if word == self.conf else word for word in words]


def linux_guest(files, server):
    """Linux with its initial file system."""
    tree, command = files.tree(server, "linux")
    folder = os.path.dirname(os.path.realpath(files.options.modules))
    modules = [name for name in os.listdir(folder) if name.endswith(".ko")]
    if not modules:
        raise SystemExit("wire.py: there are no modules for the kernel in OSV_LINUX; guests want Debian's own")
    tree.update({"modules/" + name: os.path.join(folder, name) for name in modules})
    entries = {name: (stat.S_IFDIR | 0o755, 0, b"") for name in ("dev", "proc", "tmp", "etc")}
    for path in sorted(tree):
        for end in range(1, path.count("/") + 1):
            entries["/".join(path.split("/")[:end])] = (stat.S_IFDIR | 0o755, 0, b"")
        with open(tree[path], "rb") as file:
            entries[path] = (stat.S_IFREG | 0o755, 0, file.read())
    entries["etc/passwd"] = (stat.S_IFREG | 0o644, 0, b"root:x:0:0::/:/bin/sh\n")
    entries["dev/console"] = (stat.S_IFCHR | 0o600, 5 << 8 | 1, b"")
    with open(files.options.init, "rb") as file:
        entries["init"] = (stat.S_IFREG | 0o755, 0, file.read())
    initrd = os.path.join(files.work, "initrd-" + server)
    with open(initrd, "wb") as file:
        file.write(boot.cpio(entries))
    line = "console=ttyS0 quiet panic=-1 rdinit=/init -- %s %s" % (ADDRESS["linux"], " ".join(command))
    return ["-kernel", files.options.linux, "-initrd", initrd, "-append", line]


def osv_guest(files, server):
    """Our image of the same files."""
    tree, command = files.tree(server, "osv")
    root, image = os.path.join(files.work, "root-" + server), os.path.join(files.work, server + ".osv")
    if not os.path.exists(image):
        for name, path in tree.items():
            os.makedirs(os.path.dirname(os.path.join(root, name)), exist_ok=True)
            shutil.copy(path, os.path.join(root, name))
        os.makedirs(os.path.join(root, "etc"))
        with open(os.path.join(root, "etc/passwd"), "w", encoding="ascii") as file:
            file.write("root:x:0:0::/:/bin/sh\n")
        subprocess.run([files.options.image, "build", "-o", image, "--root", root] + command, check=True, stdout=subprocess.DEVNULL)
    return ["-kernel", image, "-append", "--ip=%s/24" % ADDRESS["osv"]]


def guest(files, machine, server, cpus):
    """Either, with room for two CPUs (machine_cpu_places, sim/run/machine.h)."""
    return ["ip", "netns", "exec", NEAR] + boot.QEMU + ["-M", "q35", "-smp", "%d,maxcpus=%d" % (cpus, max(cpus, 2)), "-m", MEMORY] + {
        "linux": linux_guest, "osv": osv_guest}[machine](files, server) + [
            "-netdev", "tap,id=net,ifname=%s0,script=no,downscript=no" % machine, "-device", "virtio-net-pci,netdev=net"]


def process(files, machine, server, prefix):
    if machine == "linux":
        return ["ip", "netns", "exec", FAR] + prefix + files.command(server, machine)
    return ["ip", "netns", "exec", NEAR] + prefix + [
        files.options.osv_sim, "-c", "1", "-m", MEMORY, "--net", "tap=osv0", "--ip", ADDRESS["osv"] + "/24", "-v", "%s:%s:ro" % (files.root, files.root),
        "-v", "%s:%s:ro" % (files.work, files.work), "-e", "LD_LIBRARY_PATH=" + files.libraries] + files.command(server, machine)


def answers(machine, server):
    port, greeting, answer = SERVERS[server]
    ask = "import socket; s = socket.create_connection(%r, 1); s.settimeout(1); s.sendall(%r); print(s.recv(100)[:%d] == %r)" % (
        (ADDRESS[machine], port), greeting, len(answer), answer)
    done = subprocess.run(["ip", "netns", "exec", NEAR, sys.executable, "-c", ask], capture_output=True, text=True, check=False)
    return done.stdout == "True\n"


@contextlib.contextmanager
def started(files, command, machine, server):
    with open(os.path.join(files.work, "log"), "w+b") as log, subprocess.Popen(
            command, cwd=files.work, env=files.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True) as one:
        try:
            until = time.monotonic() + TIMEOUT
            while not answers(machine, server):
                if one.poll() is not None or time.monotonic() > until:
                    log.seek(0)
                    raise SystemExit("%s, %s: no server:\n%s" % (machine, server, log.read().decode(errors="replace")[-2000:]))
                time.sleep(0.05)
            yield
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(one.pid, signal.SIGKILL)


def clients(files, kind, server, address):
    """Commands that print figures."""
    wire, benchmark = files.options.program, os.path.join(files.root, "usr/bin/redis-benchmark")
    alone, together = REQUESTS[kind]
    if server == "wire":
        return [[wire, what, address, "700"] for what in ("rr", "udp_rr", "to", "from", "connect")]
    if server in ("memcached", "filtered"):
        return [[wire, "memcached", address, "11211", window] for window in (("8", "64") if kind.startswith("guest") else ("1", "8", "64"))]
    redis = [benchmark, "-h", address, "-c", "50", "-d", "64", "-t", "set,get", "--csv"]
    return [redis + ["-n", str(alone)]] + ([redis + ["-n", str(together), "-P", "16"]] if together else [])


def figures_of(text, is_redis, suffix):
    """(name, value, unit) of what a client printed."""
    if is_redis:
        return [("redis_%s%s" % (row[0].lower(), suffix), float(row[1]), "ops/s") for row in csv.reader(text.splitlines()) if row and row[0] in ("SET", "GET")]
    return [(words[0], float(words[1]), words[2]) for words in map(str.split, text.splitlines()) if len(words) >= 3 and words[0] != "#"]


def measure(files, figures, kind, server, machine, words, prefix):
    done = subprocess.run(["ip", "netns", "exec", NEAR] + prefix + words, cwd=files.work, env=files.environment, capture_output=True, text=True,
                          timeout=TIMEOUT, check=False)
    found = figures_of(done.stdout, "redis-benchmark" in words[0], "_p16" if "-P" in words else "")
    if done.returncode != 0 or not found:
        raise SystemExit("%s, %s: %s\n%s%s" % (kind, machine, words, done.stdout, done.stderr))
    for name, value, unit in found:
        figures.add(machine, "%s_%s" % (kind, name.replace("memcached", server) if server == "filtered" else name), value, unit)
    for line in done.stdout.splitlines():
        if line.startswith("#"):
            print("%s %s %s" % (line, kind, machine), flush=True)


def run(files, figures, kind, server, options):
    """One server on both machines."""
    fifo = ["chrt", "-f", "50"] if options.fifo and kind == "process" else []
    far, near = {"process": ("0", "0"), "apart": ("1", "0"), "free": ("0,1", "0,1")}.get(kind, ("0,1", "0"))
    linux_behind("linux0" if kind.startswith("guest") else "veth0")
    with contextlib.ExitStack() as stack:
        for machine in ADDRESS:
            prefix = ["taskset", "-c", far] + fifo
            command = guest(files, machine, server, int(kind[5:])) if kind.startswith("guest") else process(files, machine, server, prefix)
            stack.enter_context(started(files, command, machine, server))
        for _ in range(options.runs):
            for which in range(len(clients(files, kind, server, ""))):
                for machine, address in ADDRESS.items():
                    words = clients(files, kind, server, address)[which]
                    if not options.only or re.search(options.only, " ".join(words)):
                        measure(files, figures, kind, server, machine, words, ["taskset", "-c", near] + fifo)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("osv-sim", "servers", "program", "filtered", "image", "init", "linux", "modules"):
        parser.add_argument("--" + name, required=True, type=os.path.abspath, help=argparse.SUPPRESS)
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--fifo", action="store_true")
    parser.add_argument("--only", help="only clients whose commands match this")
    parser.add_argument("--server", action="append", choices=list(SERVERS), help="only this; repeatable")
    parser.add_argument("kind", nargs="*", help="only these: " + " ".join(REQUESTS))
    options = parser.parse_args()
    wrong = [kind for kind in options.kind if kind not in REQUESTS]
    if wrong:
        parser.error("%s: there is no such kind; there are: %s" % (wrong[0], " ".join(REQUESTS)))
    compare.REQUIRED, compare.LIMIT = ASKED, {}
    figures = compare.Figures()
    with tempfile.TemporaryDirectory(prefix="osv-wire-", dir="/var/tmp") as work, spaces():
        files = Files(options, work)
        for kind in options.kind or REQUESTS:
            for server in options.server or SERVERS:
                if server != "wire" or not kind.startswith("guest"):
                    run(files, figures, kind, server, options)
    asked, missed = figures.print()
    print("%d of %d asked figures reached%s" % (asked - len(missed), asked, "; missed: " + " ".join(missed) if missed else ""))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
