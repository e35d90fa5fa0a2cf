#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""partition_seeds.py GPT OLD: two small disks from which the fuzzer starts: one with a table in GPT's form and its copy, one with the old form."""
import struct
import sys
import zlib

SECTOR, SECTORS, ENTRIES = 512, 24, 8


def old(*entries):
    table = b"".join(struct.pack("<B3xB3xII", 0, kind, first, count) for kind, first, count in entries)
    return bytes(446) + table.ljust(64, b"\0") + b"\x55\xaa"


def header(own, other, table, entries):
    def pack(checksum):
        return struct.pack("<8sIIIIQQQQ16sQIII", b"EFI PART", 0x10000, 92, checksum, 0, own, other, 4, SECTORS - 4, b"d" * 16, table,
                           ENTRIES, 128, zlib.crc32(entries))
    return pack(zlib.crc32(pack(0))).ljust(SECTOR, b"\0")


def gpt():
    entries = b"".join(struct.pack("<16s16sQQQ72s", b"k" * 16, bytes([i]) * 16, 4 + i, 6 + 2 * i, 0, b"") for i in range(3))
    entries = entries.ljust(ENTRIES * 128, b"\0")
    last = SECTORS - 1
    disk = old((0xee, 1, last)) + header(1, last, 2, entries) + entries
    return disk.ljust((last - 2) * SECTOR, b"\0") + entries + header(last, 1, last - 2, entries)


for name, disk in zip(sys.argv[1:], [gpt(), old((0x83, 4, 8), (0x05, 12, 4), (0x0c, 16, 8)).ljust(SECTORS * SECTOR, b"\0")]):
    with open(name, "wb") as file:
        file.write(disk)
