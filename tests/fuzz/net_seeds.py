#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""net_seeds.py OUT...: packets of IP as net_fuzz.c reads them."""
import struct
import sys

HOME4, HOME6 = bytes([127, 0, 0, 1]), bytes(15) + b"\x01"
UDP, TCP, ICMP, ICMP6 = 17, 6, 1, 58


def v4(protocol, payload):
    return struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(payload), 1, 0, 64, protocol, 0) + HOME4 + HOME4 + payload


def v6(protocol, payload):
    return struct.pack(">IHBB", 0x60000000, len(payload), protocol, 64) + HOME6 + HOME6 + payload


def udp(payload, source=9999, target=80):
    return struct.pack(">HHHH", source, target, 8 + len(payload), 0) + payload


def tcp(flags, sequence, acknowledgement=0, options=b"", payload=b""):
    return struct.pack(">HHIIBBHHH", 9999, 80, sequence, acknowledgement, (20 + len(options)) << 2, flags, 60000, 0, 0) + options + payload


def item(packet, is_trusted=True):
    return struct.pack(">H", len(packet) | (0x8000 if is_trusted else 0)) + packet


SYN = bytes.fromhex("020405b40402080a0000000100000000") + bytes.fromhex("01030307")
SEEDS = {
    "udp4": item(v4(UDP, udp(b"hello"))),
    "udp6": item(v6(UDP, udp(b"hello"))),
    "nobody": item(v4(UDP, udp(b"hello", target=81))) + item(v6(UDP, udp(b"hello", target=81))),
    "tcp4": item(v4(TCP, tcp(2, 1000, options=SYN))) + item(v4(TCP, tcp(16, 1001, 1))) + item(v4(TCP, tcp(4, 1001))),
    "tcp6": item(v6(TCP, tcp(2, 1000, options=SYN))) + item(v6(TCP, tcp(17, 1001, 1, payload=b"data"))),
    "icmp4": item(v4(ICMP, b"\x03\x03\x00\x00\x00\x00\x00\x00" + v4(UDP, udp(b"", 80, 9999))), False),
    "icmp6": item(v6(ICMP6, b"\x01\x04\x00\x00\x00\x00\x00\x00" + v6(UDP, udp(b"", 80, 9999))), False),
    "echo": item(v4(ICMP, b"\x08\x00\xf7\xff\x00\x00\x00\x00")),
}

for path in sys.argv[1:]:
    with open(path, "wb") as file:
        file.write(SEEDS[path.rsplit("/", 1)[1]])
