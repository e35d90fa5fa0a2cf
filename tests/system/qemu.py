#!/usr/bin/python3 -IS
# SPDX-License-Identifier: BSD-3-Clause
"""qemu.py: osv-sim's command line for the x86_64 kernel in QEMU, for compare.py.

    qemu.py -c CPUS --machine q35|microvm --kernel FILE [OPTION...] PROGRAM ARGUMENT...

OPTIONs are osv-sim's -m, -v, -e, --cwd, --debug and those of FLAGS. The program sees the host's files
read-only, the current directory and what -v names by virtio-fs, /tmp, /dev and /proc of its own. Standard streams, exit
status, environment, umask, ids and ignored signals are as osv-sim hands them on; but that Python ignores SIGPIPE and
SIGXFSZ itself, so that the program does not. 124: no end in time. 125: QEMU ended without a status; what it said follows.
"""
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile

VIRTIOFSD = "/usr/lib/qemu/virtiofsd"
COMMAND_LINE_MAX = 4095  # QEMU's loader has no room for more
OWN = ("/tmp", "/dev", "/proc")  # of the guest
TIMEOUT = 250
FLAGS = {"--strace", "--verbose", "--stats", "--leak", "--check-heap"}


class Options:
    """What the command line says."""

    def __init__(self, words):
        self.cpus, self.memory, self.cwd, self.machine, self.kernel = "1", "1024M", None, "q35", None
        self.mounts, self.environment, self.core = [], {}, []
        while words and words[0].startswith("-"):
            words = words[1:] if self.flag(words[0]) else self.value(*words)
        self.program = list(words)

    def flag(self, word):
        self.core += [word] if word in FLAGS else []
        return word in FLAGS

    def value(self, option, value, *rest):
        if option in ("-v", "--mount"):
            host, guest = value.split(":")[:2]
            self.mounts.append((host, guest, value.endswith(":ro")))
        elif option in ("-e", "--env"):
            name, _, text = value.partition("=")
            self.environment[name] = text
        elif option == "--debug":
            self.core.append("--debug=" + value)
        else:
            setattr(self, {"-c": "cpus", "-m": "memory", "--cwd": "cwd", "--machine": "machine", "--kernel": "kernel"}[option],
                    value)
        return rest


def is_within(path, folder):
    return path == folder or path.startswith(folder + "/")


def is_own(path):
    return any(is_within(path, own) for own in OWN)


def mounts(options, program):
    """(host's directory, guest's, read-only) in their order; what the root shows in the same way anyway is left out."""
    here, folder = os.getcwd(), os.path.dirname(program)
    result = [] if not is_own(folder) or is_within(folder, here) else [(folder, folder, True)]
    result += [(here, here, False)]
    result += [mount for mount in options.mounts if mount[0] != mount[1] or not mount[2] or is_own(mount[1])]
    # Later ones lie on earlier ones: what is below another comes after it, as osv-sim's user wants it, too.
    result.sort(key=lambda mount: len(mount[1].split("/")))
    return result


def program_find(name):
    if "/" in name:
        return os.path.abspath(name)
    return shutil.which(name) or "/usr/bin/" + name


def word(text):
    """As the kernel reads it: see hal-x86_64/README.md."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def inherited():
    mask = os.umask(0)
    os.umask(mask)
    with open("/proc/self/status", encoding="ascii") as file:
        ignored = int(next(line for line in file if line.startswith("SigIgn")).split()[1], 16)
    own = {int(signal.SIGPIPE), int(signal.SIGXFSZ)}
    return ["--umask=%03o" % mask, "--uid=%d" % os.getuid(), "--gid=%d" % os.getgid(), "--hostname=" + os.uname().nodename] + [
        "--ignore=%d" % number for number in range(1, 65) if ignored >> (number - 1) & 1 and number not in own]


def late(*_):
    raise TimeoutError


class Run:
    """One machine, what serves its directories, and a directory for their sockets."""

    def __init__(self, options):
        self.options = options
        self.folder = tempfile.mkdtemp(prefix="osv-qemu-")
        self.children, self.devices = [], []

    def path(self, name):
        return os.path.join(self.folder, name)

    def serve(self, tag, directory):
        """virtiofsd gets its socket as a descriptor: one that it makes itself needs a lock below /run."""
        with socket.socket(socket.AF_UNIX) as listener, open(self.path(tag + ".log"), "wb") as log:
            listener.bind(self.path(tag))
            listener.listen()
            user = [] if os.getuid() == 0 else ["unshare", "--map-root-user"]
            self.children.append(subprocess.Popen(
                user + [VIRTIOFSD, "-o", "sandbox=chroot,cache=always,source=" + directory, "--fd=%d" % listener.fileno()],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=[listener.fileno()]))
        kind = "vhost-user-fs-pci" if self.options.machine == "q35" else "vhost-user-fs-device"
        self.devices += ["-chardev", "socket,id=%s,path=%s" % (tag, self.path(tag)),
                         "-device", "%s,chardev=%s,tag=%s" % (kind, tag, tag)]

    def command_line(self):
        options = self.options
        program = program_find(options.program[0])
        words = ["--root=virtiofs:root:ro", "--std=hvc0", "--exec=" + program, "--cwd=" + (options.cwd or os.getcwd())]
        self.serve("root", "/")
        for number, (host, guest, read_only) in enumerate(mounts(options, program)):
            self.serve("fs%d" % number, host)
            words.append("--mount=virtiofs:fs%d:%s%s" % (number, guest, ":ro" if read_only else ""))
        words += inherited() + options.core
        words += ["--env=%s=%s" % pair for pair in dict(os.environ, **options.environment).items()]
        line = " ".join(word(text) for text in words + ["--"] + options.program)
        if len(os.fsencode(line)) > COMMAND_LINE_MAX:
            sys.exit("qemu.py: the command line is longer than %d bytes" % COMMAND_LINE_MAX)
        return line

    def qemu(self):
        line, options = self.command_line(), self.options
        out, error = os.dup(1), os.dup(2)
        serial = "virtio-serial-pci,vectors=16" if options.machine == "q35" else "virtio-serial-device"
        with open(self.path("qemu.log"), "wb") as log:
            return subprocess.Popen(
                ["qemu-system-x86_64", "-accel", "tcg", "-M", options.machine + ",memory-backend=memory", "-cpu", "max", "-smp",
                 options.cpus, "-m", options.memory, "-object", "memory-backend-memfd,id=memory,share=on,size=" + options.memory,
                 "-nic", "none", "-vga", "none", "-display", "none", "-no-reboot", "-monitor", "none", "-rtc", "base=utc",
                 "-global", "virtio-mmio.force-legacy=false",
                 "-device", "isa-debug-exit,iobase=0xf4,iosize=4",
                 "-chardev", "file,id=code,path=" + self.path("code"), "-device", "isa-debugcon,iobase=0xf8,chardev=code",
                 "-device", serial, "-chardev", "stdio,id=in,signal=off", "-device", "virtserialport,chardev=in,name=stdin",
                 "-add-fd", "fd=%d,set=1" % out, "-chardev", "file,id=out,path=/dev/fdset/1,append=on",
                 "-device", "virtserialport,chardev=out,name=stdout",
                 "-add-fd", "fd=%d,set=2" % error, "-chardev", "file,id=error,path=/dev/fdset/2,append=on", "-serial", "chardev:error"]
                + self.devices + ["-kernel", options.kernel, "-append", line], stdout=log, stderr=log, pass_fds=[out, error])

    def status(self):
        child = self.qemu()
        self.children.append(child)
        signal.signal(signal.SIGALRM, late)
        signal.alarm(TIMEOUT)  # Popen.wait with a timeout looks only 20 times a second
        try:
            child.wait()
        except TimeoutError:
            return 124
        finally:
            signal.alarm(0)
        try:
            with open(self.path("code"), encoding="ascii") as file:
                return int(file.read())
        except (OSError, ValueError):
            with open(self.path("qemu.log"), "rb") as log:
                os.write(2, b"qemu.py: QEMU ended with %d\n" % child.returncode + log.read())
            return 125

    def end(self):
        for child in self.children:
            child.kill()
            child.wait()
        shutil.rmtree(self.folder)


def main(words):
    run = Run(Options(words))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        return run.status()
    finally:
        run.end()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
