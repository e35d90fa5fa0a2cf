#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""boot_test.py BOARD DIES IMAGE...: images of hello start as they are, and as the loader's command line changes them. Damaged ones say
what is wrong, in one line."""
import os
import re
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), ".."))
import cases  # pylint: disable=wrong-import-position
import images  # pylint: disable=wrong-import-position


def damaged(test, board, image):
    with open(image, "rb") as file:
        good = file.read()
    offset, size = images.root_place(good)

    def refuse(claim, change, code, text, memory=64):
        data = bytearray(good)
        change(data)
        with tempfile.NamedTemporaryFile() as file:
            file.write(data)
            file.flush()
            got = images.boot(["-kernel", file.name], board, memory=memory)
        test.case(claim, got == (code, text), got)

    def set_inode(data):
        inode = images.root_inode(data)
        data[inode + 8:inode + 12] = b"\xff\xff\xff\x7f"  # its size

    def set_root_size(data):
        note = data.index(b"\x04\0\0\0\xf0\x0f\0\0\x01\0\0\0OSv\0") + 16
        data[note + 16:note + 24] = (1 << 30).to_bytes(8, "little")

    def set_words(data):
        note = data.index(b"\x04\0\0\0\xf0\x0f\0\0\x01\0\0\0OSv\0") + 16
        data[note + 4:note + 8] = (1 << 20).to_bytes(4, "little")

    def set_zero(data):
        data[offset:offset + size] = bytes(size)

    refuse("a damaged root: its block is named", set_inode, 126,
           "osv: file-system image, block 0: a file is longer than the image\nosv: initrd: is damaged\n")
    refuse("a root that is none", set_zero, 126, "osv: initrd: is no image in EROFS format\n")
    refuse("a root beyond the machine's memory", set_root_size, 125,
           "machine: too little memory for the image; give the machine more\n")
    refuse("a damaged command line", set_words, 125, "machine: the image's command line is damaged\n")


def main(board, dies, *paths):
    test = cases.Cases()
    for path in paths:
        got = images.boot(["-kernel", path], board)
        test.case(os.path.basename(path), got == (3, images.hello("from the image", "3", "two words")), got)
    got = images.boot(["-kernel", paths[0], "-append", "--env=HELLO=added"], board, cpus=2)
    test.case("the loader's options are added", got == (3, images.hello("added", "3", "two words")), got)
    program = "/bin/" + os.path.basename(paths[0])[:-len(".osv")]
    got = images.boot(["-kernel", paths[0], "-append", "-- %s 4" % program], board)
    test.case("the loader's program takes the place of the image's", got == (4, images.hello("from the image", "4")), got)
    code, console = images.boot(["-kernel", dies], board)
    core = [line for line in console.splitlines() if re.search(r"#\d+ .* libc\.so\.6\+", line)]
    test.case("a crash report names the kernel's functions", code == 127 and len(core) > 2 and all(
        re.search(r"\([\w.]+\+0x[0-9a-f]+\)$", line) for line in core), (code, console))
    damaged(test, board, paths[0])
    return test.end()


sys.exit(main(*sys.argv[1:]))
