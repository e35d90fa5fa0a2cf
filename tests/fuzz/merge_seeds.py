#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""merge_seeds.py OUT...: frames that come in a row, as merge_fuzz.c reads them."""
import struct
import sys

V4, RAW, OTHER, CONTINUES, TRUSTED = 0x8000, 0x4000, 0x2000, 0x1000, 0x800
PUSHED, OPTIONS = 8, bytes.fromhex("0101080a0000000100000002")


def item(data, head):
    return struct.pack(">H", head | len(data)) + data


def segment(size, head=V4 | CONTINUES, sequence=0, flags=0, options=b"", window=500):
    return item(struct.pack(">4xIIBBHHH", sequence, 7, (20 + len(options)) << 2, flags, window, 0, 0) + options + b"x" * size, head)


SEEDS = {
    "row": segment(100, sequence=0xffffff00) * 5 + segment(50),
    "row6": segment(100, CONTINUES, options=OPTIONS) * 5 + segment(100, CONTINUES, options=OPTIONS, flags=PUSHED),
    "two": (segment(100) + segment(100, V4 | OTHER | CONTINUES)) * 3 + segment(100, CONTINUES),
    "gap": segment(100) + segment(100) + segment(100, V4, sequence=900) + segment(100),
    "ends": segment(100) + segment(100, flags=0x91) + segment(0) + segment(100, window=400) + segment(200) + segment(100),
    "raw": segment(100) + item(bytes(12) + b"\x08\x06" + bytes(28), RAW) + item(bytes(12) + b"\x86\xdd" + b"\x60" + bytes(60), RAW | TRUSTED),
}

for path in sys.argv[1:]:
    with open(path, "wb") as file:
        file.write(SEEDS[path.rsplit("/", 1)[1]])
