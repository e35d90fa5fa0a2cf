#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""bpf_seeds.py OUT...: filters and packets, as bpf_fuzz.c reads them."""
import struct
import sys

PACKET = bytes([0x45, 0, 0, 40]) + bytes(8) + bytes([127, 0, 0, 1] * 2) + bytes(range(40))
RETURN, RETURN_A = (6, 0, 0, 0xffff), (0x16, 0, 0, 0)


def seed(*program, repairs=0, near=30):
    return bytes([repairs, len(program) - 1, 0, 0, 255, near]) + b"".join(struct.pack("=HBBI", *one) for one in program) + PACKET


SEEDS = {
    "ports": seed((0x30, 0, 0, 9), (0x15, 0, 3, 17), (0xb1, 0, 0, 0), (0x48, 0, 0, 2), (0x15, 0, 1, 53), RETURN, (6, 0, 0, 0)),
    "memory": seed((0x80, 0, 0, 0), (2, 0, 0, 3), (0x61, 0, 0, 3), (0x0c, 0, 0, 0), (0x24, 0, 0, 7), (0x34, 0, 0, 3), (7, 0, 0, 0), RETURN_A, near=0),
    "facts": seed((0x20, 0, 0, 0xfffff000), (0x20, 0, 0, 0xfffff004), (0x30, 0, 0, 0xfff00009), (0x50, 0, 0, 0xffe00000), RETURN_A),
    "shifts": seed((0x20, 0, 0, 12), (0x64, 0, 0, 4), (0x77, 0, 0, 0), (0x84, 0, 0, 0), (0x97, 0, 0, 3), (5, 0, 0, 1), (0x87, 0, 0, 0), RETURN_A, repairs=1),
}

for path in sys.argv[1:]:
    with open(path, "wb") as file:
        file.write(SEEDS[path.rsplit("/", 1)[1]])
