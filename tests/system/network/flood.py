#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""flood.py OSV-SIM TALK CPUS...: a machine with little memory on a switch with one that floods it, with SYNs, fragments, questions and answers
of ARP and neighbour discovery, and datagrams, and reads nothing of what it gets: others are served meanwhile and afterwards. Prints TAP."""
import contextlib
import ipaddress
import os
import socket
import struct
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), ".."))
import cases  # pylint: disable=wrong-import-position

TIMEOUT = 200
HEADER = bytes(12)  # virtio's: nothing is left to the other
OWN = bytes.fromhex("020000000099")
SERVER, PORT = "10.1.0.1", 700
MANY = 4000
DEAF, DEAF_ADDRESS = 24, "10.1.96.0"  # machines, and the first of their addresses


def total(data):
    data += b"\0" * (len(data) % 2)
    value = sum(struct.unpack(">%dH" % (len(data) // 2), data))
    while value >> 16:
        value = (value & 0xffff) + (value >> 16)
    return value ^ 0xffff


def v4(source, protocol, body, number=0, place=0):
    head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(body), number, place, 64, protocol, 0, source.packed, ipaddress.ip_address(SERVER).packed)
    return b"\x08\x00" + head[:10] + struct.pack(">H", total(head)) + head[12:] + body


def syn(index):
    """From ever another machine and port."""
    source = ipaddress.ip_address("10.1.128.0") + index % 3000
    head = struct.pack(">HHIIBBHHH", 1024 + index % 60000, PORT, index * 7919, 0, 0x50, 2, 65535, 0, 0)
    ends = source.packed + ipaddress.ip_address(SERVER).packed + struct.pack(">HH", 6, len(head))
    return v4(source, 6, head[:16] + struct.pack(">H", total(ends + head)) + head[18:])


def fragment(index):
    """The beginning of a packet that never becomes whole."""
    return v4(ipaddress.ip_address("10.1.64.9"), 17, bytes(1400), index % 65536, 0x2000 | index // 65536)


def arp(index, operation=2, hardware=OWN, first="10.1.192.0"):
    source = ipaddress.ip_address(first) + index % 16000
    return b"\x08\x06" + struct.pack(">HHBBH6s4s6s4s", 1, 0x800, 6, 4, operation, hardware, source.packed, bytes(6), ipaddress.ip_address(SERVER).packed)


def ask_arp(index):
    return arp(index, 1)


def neighbour(index):
    """One asks who has the server's address, from ever another address of its own."""
    source, target = ipaddress.ip_address("fd00::1:0") + index, ipaddress.ip_address("fd00::1")
    body = struct.pack(">BBHI16sBB6s", 135, 0, 0, 0, target.packed, 1, 1, OWN)
    ends = source.packed + target.packed + struct.pack(">II", len(body), 58)
    body = body[:2] + struct.pack(">H", total(ends + body)) + body[4:]
    return b"\x86\xdd" + struct.pack(">IHBB16s16s", 0x60000000, len(body), 58, 255, source.packed, target.packed) + body


def deaf(number):
    """The hardware address of a machine that does not read."""
    return b"\2deaf" + bytes([number])


def datagram(index):
    """From one of those; now and then it says where it is."""
    turn, number = divmod(index, DEAF)
    if turn % 20 == 0:
        return arp(number, 1, deaf(number), DEAF_ADDRESS)
    return v4(ipaddress.ip_address(DEAF_ADDRESS) + number, 17, struct.pack(">HHHH", 9, PORT, 1408, 0) + bytes(1400))


FLOODS = (("datagrams", datagram), ("SYNs", syn), ("fragments", fragment), ("answers of ARP", arp), ("questions of ARP", ask_arp), ("questions of neighbour discovery", neighbour))


class Suite(cases.Cases):
    def __init__(self, sim, talk):
        super().__init__("osv-flood-")
        self.sim, self.talk = os.path.abspath(sim), os.path.abspath(talk)

    def command(self, cpus, address, *words):
        return [self.sim, "-c", cpus, "-m", "40M", "--net", "switch=" + os.path.join(self.folder, "switch"), "--ip", address + "/16", "--ip",
                "fd00::%s/64" % address.rsplit(".", 1)[1], self.talk] + list(words)

    def ask(self, cpus):
        done = subprocess.run(self.command(cpus, "10.1.0.2", "ask", SERVER, str(PORT), "512"), cwd=self.folder, capture_output=True, text=True,
                              timeout=TIMEOUT, check=False)
        return done.returncode == 0 and done.stdout.endswith("stream of 3145728\n"), done

    def flood(self, wire, to, make, first):
        target = os.path.join(self.folder, "switch", to.hex())
        for index in range(first, first + MANY):
            with contextlib.suppress(TimeoutError):  # as on any wire
                wire.sendto(HEADER + to + OWN + make(index), target)

    @contextlib.contextmanager
    def member(self, own):
        """A socket on the switch, which nobody reads."""
        path = os.path.join(self.folder, "switch", own.hex())
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as wire:
            wire.bind(path)
            yield wire
        os.unlink(path)

    def all(self, cpus):
        os.makedirs(os.path.join(self.folder, "switch"), exist_ok=True)
        with contextlib.ExitStack() as stack, subprocess.Popen(
                self.command(cpus, SERVER, "serve", str(PORT), str(2 * len(FLOODS))), cwd=self.folder, stdout=subprocess.PIPE, text=True) as server:
            try:
                if server.stdout.readline() != "ready\n":
                    raise RuntimeError("the server ended with %s" % server.wait())
                to = bytes.fromhex(os.listdir(os.path.join(self.folder, "switch"))[0])
                wire = [stack.enter_context(self.member(own)) for own in [OWN] + [deaf(number) for number in range(DEAF)]][0]
                wire.settimeout(0.2)
                wire.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
                for name, make in FLOODS:
                    self.flood(wire, to, make, 0)
                    served = self.ask(cpus)
                    self.case("%s, %s CPUs: others are served" % (name, cpus), *served)
                    self.flood(wire, to, make, MANY)
                    served = self.ask(cpus)
                    self.case("%s, %s CPUs: and again" % (name, cpus), *served)
                said = server.communicate(timeout=TIMEOUT)[0]
                self.case("%s CPUs: the server ends" % cpus, (said, server.returncode) == ("served %d\n" % (2 * len(FLOODS)), 0), (said, server.returncode))
            finally:
                server.kill()


def main(sim, talk, *counts):
    with Suite(sim, talk) as suite:
        for cpus in counts:
            suite.all(cpus)
        return suite.end()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
