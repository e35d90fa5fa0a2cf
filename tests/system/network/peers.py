#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""peers.py OSV-SIM CROWD CPUS...: a machine with little memory, and many bad peers of its TCP: some acknowledge nothing, some have no window
for ever, and of some nobody reads what they send. It serves others meanwhile, and holds no more for them all than its share. Prints TAP."""
import ipaddress
import os
import re
import socket
import struct
import subprocess
import sys
import threading
import time

sys.dont_write_bytecode = True
sys.path[:0] = [os.path.dirname(os.path.realpath(__file__)), os.path.join(os.path.dirname(os.path.realpath(__file__)), "..")]
import cases  # pylint: disable=wrong-import-position
import flood  # pylint: disable=wrong-import-position

TIMEOUT = 60
MEMORY = 40 << 20
SHARE = MEMORY // 8
SLACK = 3 << 20  # what was granted before the share was used up, and a little for each
PEERS = 120
ISS, MSS, PIECES = 5000, 1400, 45
OURS = ipaddress.ip_address("10.1.64.9")
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
KINDS = (("that acknowledge nothing", b"s", 60000), ("without a window", b"s", 1000), ("of whom nobody reads", b"q", 60000))


def segment(port, flags, sequence, acknowledgement, window, data=b""):
    head = struct.pack(">HHIIBBHHH", port, flood.PORT, sequence % 2**32, acknowledgement % 2**32, 0x50, flags, window, 0, 0)
    ends = OURS.packed + ipaddress.ip_address(flood.SERVER).packed + struct.pack(">HH", 6, len(head) + len(data))
    checksum = flood.total(ends + head + data)
    return flood.v4(OURS, 6, head[:16] + struct.pack(">H", checksum) + head[18:] + data)


class Peers:
    """All bad peers: one host, a port each."""

    def __init__(self, folder):
        self.folder = folder
        self.wire = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.wire.bind(os.path.join(folder, flood.OWN.hex()))
        self.wire.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        self.wire.settimeout(0.2)
        self.kinds = {}  # of ports: the first byte, the window
        self.expected, self.acknowledged = {}, {}
        self.lock = threading.Lock()
        self.target = None
        threading.Thread(target=self.run, daemon=True).start()

    def send(self, frame):
        with self.lock:
            for _ in range(50):
                try:
                    self.wire.sendto(flood.HEADER + bytes.fromhex(os.path.basename(self.target)) + flood.OWN + frame, self.target)
                    return
                except TimeoutError:  # it does not read now: as on any wire
                    pass
                except OSError:
                    return

    def begin(self, first, byte, window):
        for port in range(first, first + PEERS):
            self.kinds[port] = byte, window
            self.send(segment(port, SYN, ISS, 0, window))

    def end(self, first):
        for port in range(first, first + PEERS):
            self.send(segment(port, RST, self.acknowledged.get(port, ISS + 1), 0, 0))

    def run(self):
        while True:
            try:
                frame = self.wire.recv(1 << 17)[len(flood.HEADER):]
            except TimeoutError:
                continue
            except OSError:
                return
            kind, body = frame[12:14], frame[14:]
            if kind == b"\x08\x06" and body[6:8] == b"\0\1" and body[24:28] == OURS.packed:
                self.send(b"\x08\x06" + body[:6] + b"\0\2" + flood.OWN + OURS.packed + body[8:18])
            elif kind == b"\x08\x00" and body[9] == 6 and body[16:20] == OURS.packed:
                self.take(body[(body[0] & 15) * 4:struct.unpack(">H", body[2:4])[0]])

    def take(self, tcp):
        _, port, sequence, acknowledgement, length, flags = struct.unpack(">HHIIBB", tcp[:14])
        size = len(tcp) - (length >> 4) * 4
        byte, window = self.kinds.get(port, (b"", 0))
        if not byte or flags & RST:
            return
        if flags & SYN:
            self.expected[port] = sequence + 1
            self.send(segment(port, ACK | PSH, ISS + 1, sequence + 1, window, byte))
        elif window < MSS:  # takes some, and then no more
            if sequence == self.expected[port] and size <= window and self.acknowledged.get(port) is None:
                self.expected[port] += size
            self.send(segment(port, ACK, ISS + 2, self.expected[port], 0))
        elif byte == b"q" and port not in self.acknowledged:
            for index in range(PIECES):
                self.send(segment(port, ACK, ISS + 2 + index * MSS, sequence, window, bytes(MSS)))
        if not flags & SYN:
            self.acknowledged[port] = acknowledgement


class Suite(cases.Cases):
    def __init__(self, sim, crowd):
        super().__init__("osv-peers-")
        self.sim, self.crowd = os.path.abspath(sim), os.path.abspath(crowd)

    def command(self, cpus, address, *words):
        return [self.sim, "-c", cpus, "-m", "40M", "--net", "switch=" + self.folder, "--ip", address + "/16", self.crowd] + list(words)

    def ask(self, cpus, what="ask"):
        """What the server says that connections hold, bytes; None: it does not serve."""
        try:
            done = subprocess.run(self.command(cpus, "10.1.0.2", what, flood.SERVER, str(flood.PORT)), cwd=self.folder, capture_output=True,
                                  text=True, timeout=TIMEOUT, check=False)
        except subprocess.TimeoutExpired as error:
            return None, error
        said = re.search(r"^mem (\d+)$", done.stdout, re.M)
        return (int(said.group(1)) * 4096 if done.returncode == 0 and said else None), done

    def all(self, cpus):
        with subprocess.Popen(self.command(cpus, flood.SERVER, "serve", str(flood.PORT)), cwd=self.folder, stdout=subprocess.PIPE,
                              text=True) as server:
            try:
                if server.stdout.readline() != "ready\n":
                    raise RuntimeError("the server ended with %s" % server.wait())
                peers = Peers(self.folder)
                peers.target = os.path.join(self.folder, [name for name in os.listdir(self.folder) if name != flood.OWN.hex()][0])
                for index, (name, byte, window) in enumerate(KINDS):
                    self.kind(peers, cpus, 10000 + index * PEERS, name, byte, window)
                self.ask(cpus, "end")
                self.case("%s CPUs: the server ends" % cpus, server.wait(TIMEOUT) == 0, server.returncode)
            finally:
                server.kill()
        peers.wire.close()
        os.unlink(os.path.join(self.folder, flood.OWN.hex()))

    def kind(self, peers, cpus, first, name, byte, window):
        peers.begin(first, byte, window)
        most = 0
        for _ in range(100):  # until they hold what they can
            held, done = self.ask(cpus)
            if held is None or (most == held and held > SHARE // 2):
                break
            most = max(held, most)
        self.case("peers %s, %s CPUs: others are served" % (name, cpus), held is not None, done)
        self.case("peers %s, %s CPUs: they hold no more than a share" % (name, cpus), SHARE // 2 <= most <= SHARE + SLACK, most)
        peers.end(first)
        for _ in range(100):
            held, done = self.ask(cpus)
            if held is None or held < SHARE // 8:
                break
            time.sleep(0.1)
        self.case("peers %s, %s CPUs: and nothing afterwards" % (name, cpus), held is not None and held < SHARE // 8, (held, done))


def main(sim, crowd, *counts):
    with Suite(sim, crowd) as suite:
        for cpus in counts:
            suite.all(cpus)
        return suite.end()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
