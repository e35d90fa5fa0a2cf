#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""image_seeds.py FILE: a small image from which the fuzzer starts: headers, the note, a root of 64 bytes."""
import struct
import sys

WORDS = b"--root=initrd\0--env=A=two words\0--\0/bin/hello\0" + b"\"quoted\"\0\0"
ROOT_AT = 0x600000

image = struct.pack("<IIQQQQ24s4016s", 1, len(WORDS), ROOT_AT, 64, 32, 32, b"0.1", WORDS)
note = struct.pack("<III4s", 4, len(image), 1, b"OSv\0") + image
headers = [(4, 4, 256, 0, 0, len(note), len(note), 4),  # PT_NOTE
           (1, 5, 0, 0x200000, 0x200000, 256 + len(note), 256 + len(note), 4096),
           (1, 4, 256 + len(note), ROOT_AT, ROOT_AT, 64, 64, 4096)]
elf = struct.pack("<16sHHIQQQIHHHHHH", b"\x7fELF\2\1\1", 2, 62, 1, 0x200000, 64, 0, 0, 64, 56, len(headers), 0, 0, 0)
elf += b"".join(struct.pack("<IIQQQQQQ", *header) for header in headers)
with open(sys.argv[1], "wb") as file:
    file.write(elf.ljust(256, b"\0") + note + bytes(64))
