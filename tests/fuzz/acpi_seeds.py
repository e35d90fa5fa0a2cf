#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""acpi_seeds.py FILE...: memory with the tables of a machine, each FILE of another kind, by its name.

short: RSDT; long: XSDT; reduced: hardware-reduced, as QEMU's microvm; many: more of all than there is room for.
"""
import os
import struct
import sys

ROOT, LIST, TABLES = 0x10, 0x40, 0x400


def summed(table, at):
    table = bytearray(table)
    table[at] = 0
    table[at] = -sum(table) & 255
    return bytes(table)


def table_of(name, body):
    head = struct.pack("<4sIBB6s8sI4sI", name, 36 + len(body), 1, 0, b"MAKER ", b"MACHINE ", 1, b"MADE", 1)
    return summed(head + body, 9)


def madt(cpus, controllers):
    body = struct.pack("<II", 0xfee00000, 1)
    for cpu in range(cpus):
        body += struct.pack("<BBBBI", 0, 8, cpu & 255, cpu & 255, 1)
    body += struct.pack("<BBHIII", 9, 16, 0, 300, 1, 3)
    for index in range(controllers):
        body += struct.pack("<BBBBII", 1, 12, index, 0, 0xfec00000 + 0x1000 * index, 24 * index)
        body += struct.pack("<BBBBIH", 2, 10, 0, index, index + 2, 15)
    return table_of(b"APIC", body + struct.pack("<BBBHB", 4, 6, 255, 0, 1))


def mcfg(segments):
    body = bytes(8)
    for index in range(segments):
        body += struct.pack("<QHBBI", 0xb0000000 + (index << 28), index, 0, 255, 0)
    return table_of(b"MCFG", body)


def srat(nodes):
    body = struct.pack("<IQ", 1, 0)
    for node in range(nodes):
        body += struct.pack("<BBBBI4sI", 0, 16, node, node, 1, bytes(4), 0)
        body += struct.pack("<BBIHQQIIQ", 1, 40, node, 0, node << 32, 1 << 30, 0, 1, 0)
        body += struct.pack("<BBHIIIII", 2, 24, 0, node, 300, 1, 0, 0)
    return table_of(b"SRAT", body)


def slit(nodes):
    body = struct.pack("<Q", nodes)
    return table_of(b"SLIT", body + bytes(10 if i == j else 20 for i in range(nodes) for j in range(nodes)))


def fadt(program, is_reduced):
    body = bytearray(276 - 36)
    for at, form, value in ((40, "<I", program), (64, "<I", 0x604), (76, "<I", 0x608), (88, "<I", 0x04020400),
                            (112, "<I", 1 << 20 | 1 << 10 if is_reduced else 1 << 10 | 1 << 8),
                            (116, "<I", 0x0800 if is_reduced else 0x0801), (120, "<Q", 0xcf9), (128, "<B", 15),
                            (140, "<Q", program), (244, "<I", 0x0800), (248, "<Q", 0xfea00000)):
        struct.pack_into(form, body, at - 36, value)
    return table_of(b"FACP", bytes(body))


def dsdt():
    return table_of(b"DSDT", b"\x5b\x80DBG_\x01\x08\\_S5_\x12\x08\x04\x0a\x05\x0b\x06\x00\x00\x00")


def memory_of(kind):
    many = 40 if kind == "many" else 2
    memory = bytearray(0x3000)
    addresses = []
    place = TABLES

    def put(table):
        nonlocal place
        memory[place:place + len(table)] = table
        at = place
        place = (place + len(table) + 15) // 16 * 16
        return at

    program = put(dsdt())
    hpet = table_of(b"HPET", struct.pack("<IIQBHB", 1, 64 << 8, 0xfed00000, 0, 0, 0))
    for table in (srat(many), slit(many), fadt(program, kind == "reduced"), madt(many, many), hpet, mcfg(many), table_of(b"OEM1", b"1234")):
        addresses.append(put(table))
    form = "<I" if kind == "short" else "<Q"
    listed = table_of(b"RSDT" if kind == "short" else b"XSDT", b"".join(struct.pack(form, at) for at in addresses))
    memory[LIST:LIST + len(listed)] = listed
    root = struct.pack("<8sB6sBI", b"RSD PTR ", 0, b"MAKER ", 0 if kind == "short" else 2, LIST if kind == "short" else 0)
    root = summed(root, 8) + struct.pack("<IQB3s", 36, 0 if kind == "short" else LIST, 0, bytes(3))
    memory[ROOT:ROOT + 36] = summed(root, 32)
    return bytes(memory[:place])


def main():
    for path in sys.argv[1:]:
        with open(path, "wb") as file:
            file.write(memory_of(os.path.basename(path)))


if __name__ == "__main__":
    main()
