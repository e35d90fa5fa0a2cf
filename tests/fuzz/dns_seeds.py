#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""dns_seeds.py OUT...: answers of name servers as dns_fuzz.c reads them."""
import struct
import sys

A, CNAME, AAAA = 1, 5, 28
PLAIN, FIRST, SECOND, NOBODY = range(4)  # whose number an answer has
NAME = b"\x04host\x04test\0"
SELF = b"\xc0\x0c"  # the name of the question
V4, V6 = bytes([10, 9, 8, 7]), bytes.fromhex("20010db8000000000000000000000001")


def record(kind, data, name=SELF):
    return name + struct.pack(">HHIH", kind, 1, 60, len(data)) + data


def answer(kind, *records, code=0, name=NAME):
    return struct.pack(">HBBHHHH", 0, 0x81, 0x80 | code, 1, len(records), 0, 0) + name + struct.pack(">HH", kind, 1) + b"".join(records)


def items(*parts):
    """Each (whose number, bytes[, from the second server])."""
    return b"".join(struct.pack(">H", part[0] << 12 | (len(part) > 2) << 11 | len(part[1])) + part[1] for part in parts)


def full(kind):
    """As long as an answer may be; the head of its last record would go on behind the end."""
    cut = SELF + bytes(6)
    return answer(kind, record(16, bytes(512 - len(answer(kind, record(16, b""), cut)))), cut)


LONGEST = answer(A, *[record(A, V4)] * 30)
SEEDS = {
    "both": items((FIRST, answer(A, record(A, V4))), (SECOND, answer(AAAA, record(AAAA, V6)))),
    "same": items((FIRST, answer(A, record(A, V4))), (SECOND, answer(AAAA, record(AAAA, V6)))) + b"0",  # of an odd size
    "many": items((FIRST, LONGEST), (SECOND, answer(AAAA, *[record(AAAA, V6)] * 17))),
    "alias": items((FIRST, answer(A, record(CNAME, b"\x05other\xc0\x11"), record(A, V4))), (SECOND, answer(AAAA))),
    # An alias whose name goes on where the answer has ended.
    "beyond": items((SECOND, answer(AAAA)), (FIRST, answer(A, record(A, V4), record(CNAME, b"\xc1\x04")))),
    "full": items((FIRST, full(A)), (SECOND, full(AAAA))),
    "refused": items((FIRST, answer(A, code=5)), (SECOND, answer(AAAA, code=5), 1), (NOBODY, b""), (FIRST, answer(A, record(A, V4)), 1)),
    "unknown": items((FIRST, answer(A, code=3)), (SECOND, answer(AAAA, code=3))),
    "others": items((PLAIN, answer(A, record(A, V4))), (FIRST, b"short"), (SECOND, NAME * 3)),
}

for path in sys.argv[1:]:
    with open(path, "wb") as file:
        file.write(SEEDS[path.rsplit("/", 1)[1]])
