# SPDX-License-Identifier: BSD-3-Clause
"""images.py: what the tests here share: osv-image, ELF files of images, QEMU."""
import os
import shutil
import struct
import subprocess
import tempfile

PT_LOAD = 1
BLOCK = 4096
QEMU = ["qemu-system-x86_64", "-accel", "tcg", "-cpu", "max", "-nic", "none", "-vga", "none", "-display", "none", "-no-reboot",
        "-device", "isa-debug-exit,iobase=0xf4,iosize=4", "-monitor", "none", "-serial", "stdio"]


class Tool:
    """osv-image, in a directory of its own that goes away with it."""

    def __init__(self, tool, kernel, place=None):
        self.tool, self.kernel = os.path.realpath(tool), os.path.realpath(kernel)
        self.directory = tempfile.mkdtemp(prefix="osv-image-", dir=place)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.directory)

    def path(self, name):
        return os.path.join(self.directory, name)

    def write(self, name, data, mode=0o644):
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(data if isinstance(data, bytes) else data.encode())
        os.chmod(path, mode)
        return path

    def run(self, *arguments, env=None, **how):
        """(status, standard output, standard error) of osv-image."""
        env = dict(os.environ, LC_ALL="C") if env is None else env
        done = subprocess.run([self.tool, *arguments], capture_output=True, text=True, env=env, cwd=self.directory,
                              stdin=subprocess.DEVNULL, timeout=120, **how)
        return done.returncode, done.stdout, done.stderr

    def build(self, name, *arguments, **how):
        """The path of the image that osv-image build makes; its error where it makes none."""
        path = self.path(name)
        status, _, error = self.run("build", "-o", path, "--kernel", self.kernel, *arguments, **how)
        if status != 0:
            raise RuntimeError("osv-image: status %d: %s" % (status, error))
        return path

    def files(self, image):
        """The files that inspect names, biggest first: ten at most."""
        status, out, error = self.run("inspect", image)
        if status != 0:
            raise RuntimeError(error)
        return [line.split(None, 1)[1] for line in out.splitlines() if line.startswith("  ")]


def root_place(data):
    """(offset, size) of the root in an image in ELF format: the last segment."""
    table, size, count = struct.unpack_from("<Q", data, 32)[0], *struct.unpack_from("<HH", data, 54)
    headers = [struct.unpack_from("<IIQQQQ", data, table + i * size) for i in range(count)]
    kind, _, offset, _, _, file_size = headers[-1]
    assert kind == PT_LOAD
    return offset, file_size


def root_inode(data):
    """Where the root's own inode is in an image in ELF format."""
    offset, _ = root_place(data)
    number, block = struct.unpack_from("<14xH24xI", data, offset + 1024)  # the superblock
    return offset + block * BLOCK + number * 32


def hello(value, *arguments):
    """What tests/apps/hello.c prints."""
    lines = ["and to the error stream", "hello, world"]
    lines += ["argument %d: %s" % (i + 1, argument) for i, argument in enumerate(arguments)]
    return "\n".join(lines + ["HELLO is " + value, ""])


def boot(arguments, board="q35", cpus=1, memory=128):
    """(exit code of core, console) of one start of QEMU; codes of QEMU itself count from 1000."""
    # Room for two: see machine_cpu_places, sim/run/machine.h.
    done = subprocess.run(QEMU + ["-M", board, "-smp", "%d,maxcpus=%d" % (cpus, max(cpus, 2)), "-m", str(memory)] + arguments, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120)
    status = done.returncode
    return status // 2 if status % 2 == 1 else 1000 + status, done.stdout.decode(errors="replace").replace("\r", "")
