# SPDX-License-Identifier: BSD-3-Clause
"""cases.py: what tests share that print TAP: they count their cases, and say why one does not hold."""
import contextlib
import os
import random
import shutil
import socket
import subprocess
import tempfile

LINES_FIRST, LINES_LAST = 10, 30  # that are said
PORTS = range(10000, 32768)  # that Linux gives to nobody who does not ask for one (net.ipv4.ip_local_port_range)


def port_free():
    """One of this host that is free for TCP and UDP."""
    for port in random.SystemRandom().sample(PORTS, 100):
        with socket.socket(socket.AF_INET6) as stream, socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as datagrams:
            try:
                stream.bind(("::", port))  # and IPv4's
                datagrams.bind(("::", port))
                return port
            except OSError:
                continue
    raise RuntimeError("no free port")


@contextlib.contextmanager
def network(*words):
    """A network namespace in which `ip` has done what words say: the beginning of a command there. None: this machine makes none, or no TAPs."""
    name = "osv-test-%d" % os.getpid()
    inside = ["ip", "netns", "exec", name]
    made = os.path.exists("/dev/net/tun") and subprocess.run(["ip", "netns", "add", name], capture_output=True, check=False).returncode == 0
    try:
        for line in words if made else ():
            subprocess.run(inside + ["ip"] + line.split(), check=True)
        yield inside if made else None
    finally:
        if made:
            subprocess.run(["ip", "netns", "del", name], check=True)


class Cases:
    """Where a prefix is given, it has a folder, whose name begins so, until the end of its `with`."""

    def __init__(self, prefix=None, place="/tmp"):
        self.count = self.failed = 0
        self.folder = None if prefix is None else tempfile.mkdtemp(prefix=prefix, dir=place)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.folder is not None:
            shutil.rmtree(self.folder)

    def path(self, name):
        """Of a file in the folder."""
        return os.path.join(self.folder, name)

    def case(self, name, holds, why=""):
        self.count += 1
        self.failed += not holds
        print("%s %d - %s" % ("ok" if holds else "not ok", self.count, name), flush=True)
        lines = [] if holds else str(why).splitlines()
        if len(lines) > LINES_FIRST + LINES_LAST:
            lines[LINES_FIRST:-LINES_LAST] = ["(%d lines more)" % (len(lines) - LINES_FIRST - LINES_LAST)]
        for line in lines:
            print("# " + line, flush=True)

    def end(self):
        """How many there were; answers the test's exit status."""
        print("1..%d" % self.count)
        return 1 if self.failed else 0
