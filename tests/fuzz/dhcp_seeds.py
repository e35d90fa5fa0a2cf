#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""dhcp_seeds.py OUT...: messages of DHCP servers as dhcp_fuzz.c reads them."""
import struct
import sys

OFFER, ACK, NAK = 2, 5, 6


def option(kind, data):
    return bytes([kind, len(data)]) + data


def message(kind, *options, name=b"", file=b""):
    return (struct.pack(">BBBBIHH4s4s4s4s16s64s128s", 2, 1, 6, 0, 0, 0, 0, bytes(4), bytes([10, 0, 0, 7]), bytes(4), bytes(4), bytes(16), name, file)
            + bytes.fromhex("63825363") + option(53, bytes([kind])) + option(54, bytes([10, 0, 0, 1])) + b"".join(options) + b"\xff")


def items(*messages):
    return b"".join(struct.pack(">H", len(one)) + one for one in messages)


LEASE = option(51, struct.pack(">I", 3600))
REST = (option(1, bytes([255, 255, 255, 0])), option(3, bytes([10, 0, 0, 1])), option(6, bytes([10, 0, 0, 2, 10, 0, 0, 3])), option(12, b"host"),
        option(15, b"example.org"), option(26, struct.pack(">H", 1400)), option(58, struct.pack(">I", 60)), option(59, struct.pack(">I", 120)))
ROUTES = option(121, bytes([0, 10, 0, 0, 1, 25, 192, 168, 1, 128, 10, 0, 0, 2]))
SEEDS = {
    "lease": items(message(OFFER, LEASE), message(ACK, LEASE, *REST)),
    "routes": items(message(OFFER, LEASE), message(ACK, LEASE, ROUTES, option(121, bytes([32, 1, 2, 3, 4, 10, 0, 0, 1])))),
    "renewed": items(message(OFFER, LEASE), message(ACK, LEASE), *[message(ACK, LEASE, ROUTES)] * 4),
    "refused": items(message(OFFER, LEASE), message(NAK), message(OFFER, LEASE), message(ACK, LEASE), *[message(NAK)] * 4),
    "overload": items(message(OFFER, option(52, b"\x03"), name=LEASE + b"\xff", file=ROUTES + b"\xff")),
}

for path in sys.argv[1:]:
    with open(path, "wb") as file:
        file.write(SEEDS[path.rsplit("/", 1)[1]])
