#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""tcp_seeds.py OUT...: what peers do to connections, as tcp_fuzz.c reads it."""
import struct
import sys


def begin(kind):
    return struct.pack(">BBBHH", kind, 100, 50, 60000, 1460)


def segment(flags, sequence=0, acknowledgement=0, size=0, window=60000, kind=1, more=b""):
    return b"\x04" + struct.pack(">BBhhHH", kind, flags, sequence, acknowledgement, size, window) + more


def passes(exponent):
    return b"\x00" + bytes([exponent])


def writes(size):
    return b"\x01" + struct.pack(">H", size)


ACK, FIN, RST, CLOSE = 16, 17, 4, b"\xcb"
SEEDS = {
    "answer": begin(1) + segment(ACK) + segment(ACK, size=100) + passes(17) + segment(FIN) + CLOSE + segment(ACK),
    "call": begin(9) + writes(5000) + segment(ACK) + passes(20) + writes(9000) + segment(ACK, acknowledgement=-500) + CLOSE,
    "gaps": begin(1) + segment(ACK) + b"".join(segment(ACK, sequence=100 * i, size=50) for i in range(1, 40)) + segment(ACK, size=5000),
    "losses": begin(105) + writes(19000) + b"".join(
        segment(ACK, kind=32 | 64 * (i % 4), more=struct.pack(">HHHH", 1448 * i, 1448, 3000, 100)) for i in range(1, 6)) + passes(18) + passes(20),
    "probes": begin(9) + segment(ACK, window=0) + writes(5000) + passes(20) + passes(24) + segment(ACK, window=100),
    # What the fuzzer found: a range that begins and ends beyond half of all numbers.
    "ranges": bytes.fromhex("696432ea6026600138b4044a100000003d0000ea60050c4805a80bb80064000000000000000000000000"
                            "00ea6004011000000000fc00000034ea60040110096000000032ea600401100914c400"),
    "resets": begin(41) + segment(RST, sequence=5) + segment(2, sequence=9) + passes(21) + passes(21) + segment(RST),
}

for path in sys.argv[1:]:
    with open(path, "wb") as file:
        file.write(SEEDS[path.rsplit("/", 1)[1]])
