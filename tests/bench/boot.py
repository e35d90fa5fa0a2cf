#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""boot.py: what a boot costs: from the kernel's first instruction to the program's first line.

    bazel run //tests/bench:boot [-- --linux VMLINUZ]   side by side with Debian's cloud kernel and a static init
    bazel test //tests/bench:boot_test                  ours alone, held against LIMITS

Instructions are counted by a plug-in of QEMU (instructions.c) under -icount, where a nanosecond of the machine is an
instruction: the same in each run on any host. Time is the host's, without -icount, the best of three. Prints lines
"name linux osv unit linux/osv"; Linux, which does not start with 64 MB, has 256 MB there. It comes from Debian's archive when this is
built for the first time (hal/bazel/debian_kernel.bzl), and needs no network afterwards.
"""
import argparse
import gzip
import os
import shutil
import stat
import struct
import subprocess
import sys
import tempfile

QEMU = ("qemu-system-x86_64 -accel tcg -cpu max -nic none -vga none -display none -monitor none "
        "-serial stdio -no-reboot -device isa-debug-exit,iobase=0xf4,iosize=4").split()
COUNTED = "-icount shift=0,sleep=off -seed 1 -rtc base=2026-01-01,clock=vm".split()
LINE = "first line"
LINUX_START = 0x100000  # where a bzImage is entered in protected mode
LINUX_SMALL = "256M"     # it does not start with 64 MB
PVH_NOTE = 18
LIMITS = {  # of ours
    "boot_instructions_64mb": 450000,
    "boot_growth_64mb_to_16gb": 1,  # half of it is the hole below 4 GiB and a second piece of memory, from 3 GB on
    "kernel_size": 1500000,
    "least_memory": 4,
    "least_memory_microvm": 4,
}
TOO_LITTLE = [(3, 1, 4), (4, 64, 10)]  # megabytes, CPUs, and the megabytes that are asked for
TIMEOUT = 300


class Kernel:
    """One to boot: its file, its initial file system, its command line and its first address."""

    def __init__(self, path, initrd, line, start):
        self.path, self.initrd, self.line, self.start = path, initrd, line, start

    def boot(self, memory, plugin=None, options=(), machine="q35", cpus=1):
        """The console, and mark -> (instructions, nanoseconds)."""
        command = QEMU + ["-M", machine, "-smp", str(cpus), "-m", memory, "-kernel", self.path, "-initrd", self.initrd, "-append", self.line] + list(options)
        if plugin:
            command += ["-plugin", "file=%s,start=%#x" % (plugin, self.start) + ("" if COUNTED[0] in options else ",count=off")]
        try:
            done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                  timeout=TIMEOUT, check=False)
        except subprocess.TimeoutExpired:
            return "", {}
        lines = [line.split() for line in done.stderr.decode(errors="replace").splitlines()]
        marks = {int(words[1]): (int(words[2]), int(words[3])) for words in lines if words[:1] == ["mark"]}
        return done.stdout.decode(errors="replace"), marks

    def instructions(self, memory, plugin):
        output, marks = self.boot(memory, plugin, COUNTED)
        if 2 not in marks:
            raise SystemExit("%s with %s: no first line:\n%s" % (self.path, memory, output))
        return marks[2][0]

    def milliseconds(self, memory, plugin):
        return min(self.boot(memory, plugin)[1][2][1] for _ in range(3)) / 1e6

    def runs(self, megabytes, machine):
        return LINE in self.boot("%dM" % megabytes, machine=machine)[0]

    def least_memory(self, low, high, machine="q35"):
        """MB, between low, which are too few, and high."""
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if self.runs(middle, machine) else (middle, high)
        return high


def pvh_entry(path):
    """The address in the note that QEMU starts a kernel by."""
    with open(path, "rb") as file:
        content = file.read()
    (place,), (size, count) = struct.unpack_from("<Q", content, 32), struct.unpack_from("<HH", content, 54)
    for at in range(place, place + size * count, size):
        kind, _, offset, _, _, length = struct.unpack_from("<IIQQQQ", content, at)
        while kind == 4 and length >= 12:  # PT_NOTE
            name, value, note = struct.unpack_from("<III", content, offset)
            step = 12 + (name + 3) // 4 * 4
            if note == PVH_NOTE and content[offset + 12:offset + 15] == b"Xen":
                return int.from_bytes(content[offset + step:offset + step + value], "little")
            step += (value + 3) // 4 * 4
            offset, length = offset + step, length - step
    raise SystemExit("%s: not a kernel for PVH" % path)


def osv_kernel(options, work):
    root, image = os.path.join(work, "tree"), os.path.join(work, "image")
    for folder in ("bin", "dev", "proc", "tmp"):
        os.makedirs(os.path.join(root, folder))
    shutil.copyfile(options.program, os.path.join(root, "bin", "first"))
    os.chmod(os.path.join(root, "bin", "first"), 0o755)
    subprocess.run(["mkfs.erofs", "--quiet", "-T0", "-Enoinline_data", image, root], check=True, stdout=subprocess.DEVNULL)
    stripped = os.path.join(work, "kernel.elf")
    subprocess.run(["objcopy", "--strip-all", options.kernel, stripped], check=True)
    return Kernel(stripped, image, "--root=initrd -- /bin/first", pvh_entry(stripped))


def cpio(entries):
    """An archive in the form that Linux takes: name -> (mode, device, content)."""
    archive = b""
    entries = list(entries.items()) + [("TRAILER!!!", (0, 0, b""))]
    for number, (name, (mode, device, content)) in enumerate(entries, 1):
        fields = (number, mode, 0, 0, 1, 0, len(content), 0, 0, device >> 8, device & 255, len(name) + 1, 0)
        head = b"070701" + b"".join(b"%08x" % field for field in fields) + name.encode() + b"\0"
        archive += head + bytes(-len(head) % 4) + content + bytes(-len(content) % 4)
    return archive


def linux_kernel(options, work):
    with open(options.static, "rb") as file:
        content = file.read()
    initrd = os.path.join(work, "initrd")
    with open(initrd, "wb") as file:
        file.write(gzip.compress(cpio({
            "dev": (stat.S_IFDIR | 0o755, 0, b""),
            "dev/console": (stat.S_IFCHR | 0o600, 5 << 8 | 1, b""),
            "init": (stat.S_IFREG | 0o755, 0, content),
        })))
    return Kernel(options.linux, initrd, "console=ttyS0 quiet panic=-1 rdinit=/init", LINUX_START)


def image_size(options, work):
    """Of the file that osv-image makes of the program."""
    path = os.path.join(work, "first.osv")
    subprocess.run([options.image, "build", "-o", path, options.program], check=True, stdout=subprocess.DEVNULL)
    return os.path.getsize(path)


def figures_of(kernel, plugin, small_memory, least_low, least_high):
    small, large = kernel.instructions(small_memory, plugin), kernel.instructions("16G", plugin)
    return {
        "boot_instructions_64mb": (small, "instructions"),
        "boot_instructions_16gb": (large, "instructions"),
        "boot_growth_64mb_to_16gb": (round(100 * (large / small - 1), 2), "%"),
        "kernel_size": (os.path.getsize(kernel.path), "bytes"),
        "least_memory": (kernel.least_memory(least_low, least_high), "MB"),
    }


def check(figures, osv):
    failed = 0
    for number, (name, limit) in enumerate(LIMITS.items(), 1):
        figure, unit = figures[name]
        failed += figure > limit
        print("%s %d - %s: %s %s, %s at most" % ("ok" if figure <= limit else "not ok", number, name, figure, unit, limit))
    for number, (memory, cpus, least) in enumerate(TOO_LITTLE, len(LIMITS) + 1):
        said = osv.boot("%dM" % memory, cpus=cpus)[0].replace("\r", "").strip()
        holds = said == "osv: %d MB of memory are too few; give at least %d" % (memory, least)
        holds = holds and LINE in osv.boot("%dM" % least, cpus=cpus)[0]
        print("%s %d - too little memory is one line, and true (%s)" % ("ok" if holds else "not ok", number, said))
        failed += not holds
    print("1..%d" % (len(LIMITS) + len(TOO_LITTLE)))
    return 1 if failed else 0


def compare(options, work, osv, figures):
    linux = linux_kernel(options, work)
    theirs = figures_of(linux, options.plugin, LINUX_SMALL, 16, 256)
    for kernel, found, small in ((linux, theirs, LINUX_SMALL), (osv, figures, "64M")):
        found["boot_time_64mb"] = (round(kernel.milliseconds(small, options.plugin), 1), "ms")
        found["boot_time_16gb"] = (round(kernel.milliseconds("16G", options.plugin), 1), "ms")
    theirs["image_size"] = (os.path.getsize(linux.path) + os.path.getsize(linux.initrd), "bytes")
    figures["image_size"] = (image_size(options, work), "bytes")
    for name, (figure, unit) in figures.items():
        other = theirs[name][0] if name in theirs else "-"  # a cloud kernel is not built for every board
        ratio = "%.1f" % (other / figure) if unit != "%" and name in theirs else "-"
        print("%-28s %14s %12s %-12s %8s" % (name, other, figure, unit, ratio))
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("kernel", "plugin", "program"):
        parser.add_argument("--" + name, required=True, type=os.path.abspath, help=argparse.SUPPRESS)
    for name in ("static", "image"):
        parser.add_argument("--" + name, type=os.path.abspath, help=argparse.SUPPRESS)
    parser.add_argument("--linux", type=os.path.abspath, help="a Linux kernel that is here already")
    parser.add_argument("--check", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="osv-boot-") as work:
        osv = osv_kernel(options, work)
        figures = figures_of(osv, options.plugin, "64M", 2, 8)
        figures["least_memory_microvm"] = (osv.least_memory(2, 8, "microvm"), "MB")
        return check(figures, osv) if options.check else compare(options, work, osv, figures)


if __name__ == "__main__":
    sys.exit(main())
