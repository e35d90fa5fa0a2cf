#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""link_seeds.py OUT...: what a machine on the link says, by each protocol, as link_fuzz.c reads it. OUT ends in PROTOCOL-NAME."""
import socket
import struct
import sys

KINDS = ["frame", "arp", "ip", "icmp", "icmp6", "nd", "mld", "igmp", "udp", "tcp", "fragments", "dhcp"]
RIGHT, V4 = 0x8000, 0x4000
HERE, THERE, OFFER, ACK, NAK = bytes([2, 0, 0, 0, 0, 1]), bytes([2, 0, 0, 0, 0, 2]), 2, 5, 6
OWN4, PEER4, OTHER4 = (bytes([10, 0, 0, last]) for last in (1, 2, 3))
OWN6, PEER6, OTHER6, NEAR6 = (socket.inet_pton(socket.AF_INET6, text) for text in ("fd00::1", "fd00::2", "fd00::3", "fe80::2"))


def item(data, head=RIGHT, wait=0):
    return struct.pack(">H", head | wait << 11 | len(data)) + data


def both(data, wait=0):
    return item(data, RIGHT, wait) + item(data, RIGHT | V4, wait)


def v4(protocol, payload, options=b"", piece=0):
    return struct.pack(">BBHHHBBH", 0x45 + len(options) // 4, 0, 20 + len(options) + len(payload), 1, piece, 64, protocol, 0) + PEER4 + OWN4 + options + payload


def v6(protocol, payload, source=PEER6):
    return struct.pack(">IHBB", 0x60000000, len(payload), protocol, 64) + source + OWN6 + payload


def arp(operation, source=PEER4, target=OWN4):
    return struct.pack(">HHBBH", 1, 0x800, 6, 4, operation) + THERE + source + HERE + target


def nd(kind, flags, about, option):
    return struct.pack(">BBHI", kind, 0, 0, flags << 24) + about + bytes([option, 1]) + THERE


def prefix(text, valid, flags=0xc0):
    return struct.pack(">BBBBIII", 3, 4, 64, flags, valid, valid, 0) + socket.inet_pton(socket.AF_INET6, text)


def router(lifetime, *options):
    return struct.pack(">BBHBBHII", 134, 0, 0, 64, 0, lifetime, 0, 0) + b"".join(options)


def mld(kind, span, group, more=b""):
    return struct.pack(">BBHHH", kind, 0, 0, span, 0) + socket.inet_pton(socket.AF_INET6, group) + more


def igmp(kind, span, group, more=b""):
    return struct.pack(">BBH", kind, span, 0) + socket.inet_aton(group) + more


def udp(payload, source=9999, target=80):
    return struct.pack(">HHHH", source, target, 8 + len(payload), 0) + payload


def tcp(flags, sequence, acknowledged=0, options=b"", payload=b"", target=80, window=60000, urgent=0):
    return struct.pack(">HHIIBBHHH", 9999, target, sequence, acknowledged & 0xffffffff, (20 + len(options)) << 2, flags, window, 0,
                       urgent) + options + payload


def piece(offset, more, payload):
    return struct.pack(">H", offset | more) + payload


def option(kind, data):
    return bytes([kind, len(data)]) + data


def dhcp(kind, *options):
    return (struct.pack(">BBBBIHH4s4s4s4s16s64s128s", 2, 1, 6, 0, 0, 0, 0, bytes(4), bytes([10, 0, 0, 7]), bytes(4), bytes(4), bytes(16), b"", b"")
            + bytes.fromhex("63825363") + option(53, bytes([kind])) + option(54, bytes([10, 0, 0, 1])) + b"".join(options) + b"\xff")


def error4(kind, code, rest, about):
    return struct.pack(">BBHI", kind, code, 0, rest) + about


SYN, FIN, RST, PSH, ACKS, URG = 2, 1, 4, 8, 16, 32
SYN_OPTIONS = bytes.fromhex("020405b40402080a0000000100000000" + "01030307")
CALLED = tcp(SYN | ACKS, 5000, options=SYN_OPTIONS, target=81)
TIMES = option(51, struct.pack(">I", 3600)) + option(1, bytes([255, 255, 255, 0])) + option(3, bytes([10, 0, 0, 254]))
SEEDS = {
    "frame-arp": item(b"\xff" * 6 + THERE + b"\x08\x06" + arp(1)),
    "frame-ip4": item(HERE + THERE + b"\x08\x00" + v4(17, udp(b"hello"))),
    "frame-ip6": item(HERE + THERE + b"\x86\xdd" + v6(17, udp(b"hello"))),
    "frame-tag": item(HERE + THERE + b"\x81\x00\x00\x05\x08\x00" + v4(17, udp(b"hello"))),
    "arp-ask": item(arp(1)) + item(arp(1, OTHER4), 0),
    "arp-answer": item(arp(2)) + item(arp(2, OWN4)) + item(arp(2, OTHER4), 0) + item(arp(1, bytes(4)), 0, 3),
    "ip-options": item(v4(1, error4(8, 0, 7, b"data"), b"\x07\x07\x04\0\0\0\0\0")) + item(v4(1, error4(8, 0, 7, b""), b"\x94\x04\0\0")),
    "ip-pieces": item(v4(17, udp(b"a" * 16), piece=0x2000)) + item(v4(17, b"b" * 8, piece=3)),
    "ip-headers6": item(v6(0, bytes([60, 0, 5, 2, 0, 0, 1, 0]) + bytes([17, 0, 1, 4, 0, 0, 0, 0]) + udp(b"hello"))),
    "ip-routing6": item(v6(43, bytes([44, 2, 0, 0]) + bytes(20) + bytes([17, 0, 0, 0, 0, 0, 0, 1]) + udp(b"hello"))),
    "ip-mapped6": item(v6(17, udp(b"hello", target=82), bytes(10) + b"\xff\xff" + PEER4)),
    "ip-nothing": item(v4(99, b"data")) + item(v6(99, b"data")) + item(v6(59, b"")),
    "icmp-echo": item(error4(8, 0, 0x70001, b"data")),
    "icmp-unreachable": item(error4(3, 3, 0, v4(17, udp(b"", 80, 9999)))) + item(error4(3, 1, 0, v4(6, tcp(2, 0)[:8]))),
    "icmp-long": item(error4(3, 4, 600, v4(6, tcp(16, 0)[:8]))) + item(error4(11, 0, 0, v4(6, tcp(16, 0)[:8]))),
    "icmp6-echo": item(error4(128, 0, 0x70001, b"data")),
    "icmp6-unreachable": item(error4(1, 4, 0, v6(17, udp(b"", 80, 9999)))) + item(error4(2, 0, 1280, v6(6, tcp(16, 0)[:8]))),
    "nd-ask": item(nd(135, 0, OWN6, 1)) + item(nd(135, 0, OTHER6, 1)),
    "nd-answer": item(nd(136, 0x60, PEER6, 2)) + item(nd(136, 0x20, OTHER6, 2)) + item(nd(136, 0, OWN6, 2)),
    "nd-router": item(router(1800, bytes([1, 1]) + THERE, struct.pack(">BBHI", 5, 1, 0, 1400), prefix("fd01::", 7200))) + item(router(0), wait=5),
    "nd-servers": item(router(1800, struct.pack(">BBHI", 25, 3, 0, 600) + OTHER6, prefix("fd02::", 60, 0x40))) + item(b"", wait=7),
    "nd-redirect": item(struct.pack(">BBHI", 137, 0, 0, 0) + PEER6 + OTHER6),
    "mld-ask": item(mld(130, 1000, "::"), wait=1) + item(mld(130, 1000, "ff02::fb", bytes([2, 125, 0, 0])), wait=5),
    "mld-said": item(mld(131, 0, "ff02::fb")) + item(mld(132, 0, "ff02::fb")) + item(struct.pack(">BBHHH", 143, 0, 0, 0, 1) + bytes(20)),
    "igmp-ask": item(igmp(0x11, 100, "0.0.0.0"), wait=1) + item(igmp(0x11, 10, "224.0.0.251", bytes([2, 125, 0, 0])), wait=5),
    "igmp-old": item(igmp(0x11, 0, "0.0.0.0")) + item(igmp(0x12, 0, "224.0.0.251")) + item(igmp(0x16, 0, "224.0.0.251")) + item(igmp(0x17, 0, "224.0.0.251")),
    "udp-data": both(udp(b"hello")) + both(udp(b"")) + item(udp(b"hello"), 0) + item(udp(b"hello"), V4),
    "udp-nobody": both(udp(b"hello", target=82)),
    "tcp-called": item(CALLED) + item(tcp(PSH | ACKS, 5001, payload=b"hello", target=81), wait=2) + item(tcp(FIN | ACKS, 5006, target=81)),
    "tcp-called4": item(CALLED, RIGHT | V4) + item(tcp(ACKS, 5001, payload=b"hello" * 10, target=81), RIGHT | V4) + item(tcp(RST, 5051, target=81), RIGHT | V4),
    "tcp-calls": both(tcp(SYN, 1000, options=SYN_OPTIONS)) + both(tcp(ACKS, 1001)) + both(tcp(PSH | ACKS, 1001, payload=b"hello")) + both(tcp(FIN | ACKS, 1006)),
    "tcp-row": item(tcp(SYN, 1000)) + item(tcp(ACKS, 1001)) + b"".join(item(tcp(ACKS, 1001 + 10 * i, payload=b"x" * 10)) for i in (0, 1, 2, 4, 3)),
    "tcp-many": b"".join(item(tcp(SYN, 1000 * i)[:1] + bytes([i]) + tcp(SYN, 1000 * i)[2:]) for i in range(5)) + item(tcp(RST | ACKS, 1), wait=6),
    "tcp-urgent": item(CALLED) + item(tcp(URG | ACKS, 5001, payload=b"hello", target=81, urgent=3)) + item(tcp(ACKS, 5006, target=81, window=0), wait=7),
    "fragments-two": item(piece(0, 1, udp(b"a" * 16))) + item(piece(24, 0, b"b" * 8)),
    "fragments-late": item(piece(24, 0, b"b" * 8), RIGHT | V4) + item(piece(0, 1, udp(b"a" * 16)), RIGHT | V4),
    "fragments-over": item(piece(0, 1, udp(b"a" * 16))) + item(piece(8, 1, b"b" * 24)) + item(piece(2, 1, b"c" * 8)) + item(piece(0xfff8, 0, b"d" * 16), wait=7),
    "dhcp-lease": item(dhcp(OFFER, TIMES)) + item(dhcp(ACK, TIMES)) + item(b"", wait=7) + item(dhcp(ACK, TIMES)),
    "dhcp-refused": item(dhcp(OFFER, TIMES)) + item(dhcp(NAK)) + item(dhcp(OFFER, TIMES)),
}

for path in sys.argv[1:]:
    name = path.rsplit("/", 1)[1]
    with open(path, "wb") as file:
        file.write(bytes([KINDS.index(name.split("-")[0])]) + SEEDS[name])
