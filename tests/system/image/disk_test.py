#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""disk_test.py OSV-IMAGE KERNEL RAW QCOW2: disks of hello start by a BIOS and by UEFI; what inspect says of them; damaged ones; the
same files make the same disk."""
import os
import re
import shutil
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), ".."))
import cases  # pylint: disable=wrong-import-position
import images  # pylint: disable=wrong-import-position

FIRMWARE = "/usr/share/OVMF/OVMF_CODE_4M.fd"
SECTOR = 512


def drive(file, format, *more):
    return ["-drive", ",".join(["file=" + file, "format=" + format, *more])]


def boots(test, raw, qcow2):
    def case(claim, arguments, board="q35"):
        # Firmware and GRUB write to the serial port, too.
        code, console = images.boot(arguments, board, cpus=2)
        test.case(claim, code == 3 and console.endswith(images.hello("from the image", "3", "two words")), (code, console))
    case("BIOS, pc, IDE, raw", drive(raw, "raw"), "pc")
    case("BIOS, q35, virtio, qcow2", drive(qcow2, "qcow2", "if=virtio"))
    case("UEFI, q35, AHCI, raw", ["-drive", "if=pflash,format=raw,readonly=on,file=" + FIRMWARE, *drive(raw, "raw")])
    other = drive("null-co://", "raw", "if=none,id=other") + ["-device", "virtio-blk-pci,drive=other,bootindex=2"]
    case("BIOS, another disk before it", other + drive(raw, "raw", "if=none,id=own") + ["-device", "virtio-blk-pci,drive=own,bootindex=1"])


def on_disk(test, tool):
    """A root that stays on the disk: by a BIOS and by UEFI, on whatever disk of virtio's, read as files are read."""
    made = {name: tool.build("stays." + name, "--format=" + name, "--root-on-disk", "/usr/bin/seq", "3") for name in ["raw", "qcow2"]}
    raw, qcow2 = made["raw"], made["qcow2"]
    again = tool.build("stays.again", "--format=raw", "--root-on-disk", "/usr/bin/seq", "3")
    test.case("the same files make the same disk", open(raw, "rb").read() == open(again, "rb").read())

    def case(claim, arguments, want, code=0, board="q35"):
        got = images.boot(arguments, board)
        test.case("a root that stays on the disk, " + claim, got[0] == code and got[1].endswith(want), got)
    null = drive("null-co://", "raw", "if=virtio")
    case("BIOS, q35, raw, the second one", [*drive(raw, "raw", "if=none,id=own", "readonly=on"), *null,
                                            "-device", "virtio-blk-pci,drive=own,bootindex=1"], "1\n2\n3\n")
    case("UEFI, q35, qcow2", ["-drive", "if=pflash,format=raw,readonly=on,file=" + FIRMWARE,
                              *drive(qcow2, "qcow2", "if=virtio", "readonly=on")], "1\n2\n3\n")
    _, out, _ = tool.run("inspect", raw)
    root = re.search(r"--root=(partuuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}) ", out)
    places = re.findall(r"^layout:   (\d), ([^:]+): at (\d+) KiB, (\d+) KiB ", out, re.M)
    test.case("inspect shows the layout", root and [place[:2] for place in places] == [("1", "BIOS boot"), ("2", "files"), ("3", "root")] and
              int(places[2][2]) == int(places[1][2]) + int(places[1][3]) and "  /usr/bin/seq\n" in out and "\nsymbols:  " in out, out)
    case("IDE, which the kernel does not know", drive(raw, "raw"),
         "osv: %s: there is no such disk; it has to be one of virtio's (QEMU: if=virtio)\n" % root[1], 126, "pc")
    status, _, error = tool.run("build", "-o", "elf.osv", "--root-on-disk", "seq")
    test.case("not in one file with the kernel", status == 2 and error.count("\n") == 1 and "--format raw or qcow2" in error, error)


def inspected(test, tool, raw, qcow2):
    for file, format in [(raw, "raw"), (qcow2, "qcow2")]:
        status, out, error = tool.run("inspect", file)
        test.case("inspect reads " + format, status == 0 and error == "" and out.startswith("image:    %s, " % format) and
                  '-- /bin/hello 3 "two words"\n' in out and "  /bin/hello\n" in out, out + error)
    test.case("in raw the disk is made of whole sectors", os.path.getsize(raw) % (1 << 20) == 0, os.path.getsize(raw))


def damaged(test, tool, raw):
    with open(raw, "rb") as file:
        good = file.read()

    def refuse(claim, at, change, code, text):
        data = bytearray(good)
        data[at:at + len(change)] = change
        got = images.boot(drive(tool.write("damaged.raw", bytes(data)), "raw"), "pc")
        test.case(claim, got[0] == code and re.search(text + r"\n\Z", got[1]) and got[1].count("\n") == text.count(r"\n") + 1, got)

    magic = good.rindex(b"\xe2\xe1\xf5\xe0\0\0\0\0"[:4])  # of the root, which comes last
    refuse("a root of zeroes", magic, bytes(4), 126, r"osv: initrd: is no image in EROFS format")
    refuse("a root that ends too early", magic + 36, (1 << 20).to_bytes(4, "little"), 126,  # its blocks
           r"osv: file-system image, block \d+: the image ends before it\nosv: initrd: is damaged")
    status, _, error = tool.run("inspect", tool.write("damaged.raw", good[:len(good) // 4]))
    test.case("inspect of half a disk", status == 1 and error.startswith("osv-image: "), error)
    status, _, error = tool.run("inspect", tool.write("damaged.qcow2", b"QFI\xfb" + bytes(1000)))
    test.case("inspect of no qcow2", status == 1 and error.startswith("osv-image: qemu-img failed") and error.count("\n") == 1, error)


def tools(test, tool):
    """Without one of the programs that make a disk, the package that has it is named."""
    names = {"mkfs.erofs": "erofs-utils", "grub-mkimage": "grub-common", "mformat": "mtools", "qemu-img": "qemu-utils"}
    for missing, package in names.items():
        directory = tool.path("without-" + missing)
        os.mkdir(directory)
        for name in [*names, "mmd", "mcopy"]:
            if name != missing:
                os.symlink(shutil.which(name), os.path.join(directory, name))
        status, _, error = tool.run("build", "-o", "disk.qcow2", "--format=qcow2", "--kernel", tool.kernel, "/usr/bin/seq",
                                    env={"PATH": directory})
        test.case("no " + missing, status == 1 and error == "osv-image: %s: not found; the package %s has it\n" % (missing, package),
                  error)
    test.case("nothing is left", not [name for name in os.listdir(tool.directory) if name.startswith("disk")])


def name_servers(test, tool):
    """Of DHCP, where the image has no file for them; its own stays where it has none of the network's."""
    network = ["-nic", "user,model=virtio-net-pci"]
    image = tool.build("names.osv", "/usr/bin/cat", "/etc/resolv.conf")
    got = images.boot(["-kernel", image] + network)
    test.case("name servers of DHCP", got == (0, "nameserver 10.0.2.3\n"), got)
    own = tool.build("own.osv", "-f", tool.write("resolv.conf", "nameserver 10.9.9.9\n") + ":/etc/resolv.conf", "/usr/bin/cat", "/etc/resolv.conf")
    got = images.boot(["-kernel", own])
    test.case("an image's own without a network", got == (0, "nameserver 10.9.9.9\n"), got)


def main(tool_path, kernel, raw, qcow2):
    test = cases.Cases()
    with images.Tool(tool_path, kernel) as tool:
        raw, qcow2 = shutil.copy(raw, tool.path("own.raw")), shutil.copy(qcow2, tool.path("own.qcow2"))
        for file in [raw, qcow2]:
            os.chmod(file, 0o644)  # QEMU's IDE disks want to be written to
        first = {name: tool.build("first." + name, "--format=" + name, "/usr/bin/seq", "3") for name in ["raw", "qcow2"]}
        boots(test, raw, qcow2)
        on_disk(test, tool)
        inspected(test, tool, raw, qcow2)
        damaged(test, tool, raw)
        name_servers(test, tool)
        tools(test, tool)
        for name, file in first.items():  # by now the clock says something else
            again = tool.build("again." + name, "--format=" + name, "/usr/bin/seq", "3")
            test.case("the same files make the same disk, " + name, open(file, "rb").read() == open(again, "rb").read())
    return test.end()


sys.exit(main(*sys.argv[1:]))
