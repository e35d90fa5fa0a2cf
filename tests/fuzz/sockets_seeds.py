#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""sockets_seeds.py OUT...: requests of netlink and messages of control, as sockets_fuzz.c reads them. OUT ends in KIND-NAME."""
import socket
import struct
import sys

KINDS = ["route", "diag", "local", "inet"]
REQUEST, ACK, DUMP, ROOT, EXCL, CREATE = 1, 4, 0x300, 0x100, 0x200, 0x400
LINK, ADDRESS, ROUTE, NEIGHBOUR, RULE = 18, 22, 26, 30, 34
V4, ADDRESS4, ADDRESS6 = 0x4000, bytes([10, 0, 0, 9]), socket.inet_pton(socket.AF_INET6, "fd00::9")
ALL = bytes([7])  # switches: strict, and reasons


def item(data, head=0):
    return struct.pack(">H", head | len(data)) + data


def request(kind, flags, body, *attributes):
    return item(struct.pack("=IHHII", 0, kind, flags | REQUEST, 1, 0) + body + b"".join(attributes))


def attribute(kind, data):
    return struct.pack("=HH", 4 + len(data), kind) + data + bytes(-len(data) % 4)


def link(index=0, family=0):
    return struct.pack("=BxHiII", family, 0, index, 0, 0)


def address(family, bits, index=2):
    return struct.pack("=BBBBI", family, bits, 0, 0, index)


def route(family, bits, table=254, protocol=4, scope=0, kind=1):
    return struct.pack("=BBBBBBBBI", family, bits, 0, 0, table, protocol, scope, kind, 0)


def diag(family, protocol, states=0xffffffff, ends=bytes(48)):
    return struct.pack("=BBBBI", family, protocol, 255, 0, states) + ends


def control(level, kind, data, head=0):
    return item(struct.pack("=QII", 16 + len(data), level, kind) + data, head)


OUT = attribute(4, struct.pack("=I", 2))
INET, INET6 = socket.AF_INET, socket.AF_INET6
SEEDS = {
    "route-links": bytes(1) + request(LINK, DUMP, link()) + request(LINK, 0, link(1)) + request(LINK, ACK, link(), attribute(3, b"eth0\0")),
    "route-dumps": ALL + b"".join(request(kind, DUMP, body) for kind, body in (
        (ADDRESS, address(0, 0, 0)), (ADDRESS, address(INET, 0)), (ROUTE, route(0, 0, 0, 0)), (ROUTE, route(INET6, 0, 255)),
        (NEIGHBOUR, struct.pack("=BBHiHBB", 0, 0, 0, 0, 0, 0, 0)), (RULE, route(INET, 0)), (99, b""))),
    "route-address": bytes(1) + request(20, ACK | CREATE | EXCL, address(INET, 24), attribute(2, ADDRESS4), attribute(1, ADDRESS4), attribute(3, b"eth0\0"))
    + request(20, ACK, address(INET6, 64), attribute(1, ADDRESS6), attribute(6, struct.pack("=IIII", 60, 60, 0, 0))) + request(21, ACK, address(INET, 24), attribute(2, ADDRESS4)),
    "route-new": ALL + request(24, ACK | CREATE, route(INET, 8), attribute(1, bytes([11, 0, 0, 0])), attribute(5, bytes([10, 0, 0, 2])), OUT)
    + request(24, ACK | CREATE | ROOT, route(INET6, 64), attribute(1, ADDRESS6), attribute(6, struct.pack("=I", 99)), OUT)
    + request(25, ACK, route(INET, 8), attribute(1, bytes([11, 0, 0, 0]))),
    "route-get": bytes(1) + request(ROUTE, ACK, route(INET, 32), attribute(1, ADDRESS4)) + request(ROUTE, 0, route(INET6, 128), attribute(1, ADDRESS6), attribute(2, ADDRESS6), OUT),
    "route-set": bytes(1) + request(19, ACK, link(2), attribute(4, struct.pack("=I", 1300))) + request(16, ACK | CREATE, link(), attribute(3, b"dummy0\0")),
    "diag-dump": bytes(1) + b"".join(request(20, DUMP, diag(family, protocol)) for family in (INET, INET6) for protocol in (6, 17, 1)),
    "diag-one": ALL + request(20, ACK, diag(INET, 17, ends=struct.pack(">HH", 80, 0) + bytes(44))),
    "local-rights": bytes(1) + control(1, 1, struct.pack("=II", 0, 1)) + control(1, 1, struct.pack("=I", 1), 0x3800) + control(1, 1, struct.pack("=I", 9)),
    "local-sender": bytes(1) + control(1, 2, struct.pack("=iII", 7, 0, 0)) + control(1, 2, struct.pack("=iII", 7, 0, 0), 0x3800) + control(41, 2, b"data"),
    "inet-source": bytes(1) + control(0, 8, struct.pack("=i4s4s", 1, bytes([127, 0, 0, 1]), bytes(4)), V4) + control(41, 50, bytes(15) + b"\1" + struct.pack("=i", 1)),
    "inet-other": bytes(1) + control(0, 2, struct.pack("=i", 64), V4) + control(41, 52, struct.pack("=i", 64)) + control(1, 1, b"") + control(99, 1, b""),
}

for path in sys.argv[1:]:
    name = path.rsplit("/", 1)[1]
    with open(path, "wb") as file:
        file.write(bytes([KINDS.index(name.split("-")[0])]) + SEEDS[name])
