#!/usr/bin/python3 -IS
# SPDX-License-Identifier: BSD-3-Clause
"""qemu.py: osv-sim's command line for the x86_64 kernel in QEMU, for compare.py.

    qemu.py -c CPUS --machine q35|microvm --kernel FILE [OPTION...] PROGRAM ARGUMENT...

OPTIONs are osv-sim's -m, -v, -e, --cwd, --ip, --dns, --debug, --balloon and those of FLAGS, and --net, which is QEMU's -netdev without an id, of
which --qmp SOCKET can say more, and --nic what the device has besides. The program sees the host's files
read-only, the current directory and what -v names by virtio-fs, /tmp, /dev and /proc of its own. Standard streams, exit
status, environment, umask, ids and ignored signals are as osv-sim hands them on; but that Python ignores SIGPIPE and
SIGXFSZ itself, so that the program does not. 124: no end in time. 125: QEMU ended without a status; what it said follows.
"""
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading

VIRTIOFSD = "/usr/lib/qemu/virtiofsd"
COMMAND_LINE_MAX = 4095  # QEMU's loader has no room for more
OWN = ("/tmp", "/dev", "/proc")  # of the guest
TIMEOUT = 250
FLAGS = {"--strace", "--verbose", "--stats", "--leak", "--check-heap"}


class Options:
    """What the command line says."""

    def __init__(self, words):
        self.cpus, self.memory, self.cwd, self.machine, self.kernel = "1", "1024M", None, "q35", None
        self.mounts, self.environment, self.core, self.balloon, self.net, self.qmp = [], {}, [], None, None, None
        self.nic, self.timeout = None, TIMEOUT
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
        elif option in ("--debug", "--ip", "--dns"):
            self.core.append(option + "=" + value)
        else:
            setattr(self, {"--balloon": "balloon", "-c": "cpus", "-m": "memory", "--cwd": "cwd", "--machine": "machine", "--kernel": "kernel",
                           "--net": "net", "--nic": "nic", "--qmp": "qmp", "--timeout": "timeout"}[option],
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


def size_of(text):
    """None: no size."""
    number, unit = (text[:-1], text[-1]) if text[-1:] in tuple("kMG") else (text, "")
    return int(number) << {"": 0, "k": 10, "M": 20, "G": 30}[unit] if number.isdigit() else None


class Balloon:
    """osv-sim's --balloon in front of QEMU's, by QMP, where a balloon's size is that of the rest of memory."""

    STATS = (("total", "total-memory"), ("free", "free-memory"), ("available", "available-memory"), ("cached", "disk-caches"),
             ("minor-faults", "minor-faults"))

    def __init__(self, what, options):
        self.what, _, flag = what.partition(",")
        self.memory, self.wanted, self.memory_text = size_of(options.memory), 0, options.memory
        self.near, self.far = socket.socketpair()
        self.lines = self.near.makefile("r")
        kind = "virtio-balloon-pci" if options.machine == "q35" else "virtio-balloon-device"
        self.devices = ["-device", "%s,id=balloon,deflate-on-oom=%s" % (kind, "on" if flag else "off"),
                        "-chardev", "socket,id=qmp,fd=%d" % self.far.fileno(), "-mon", "chardev=qmp,mode=control"]
        self.listener = None
        if size_of(self.what) is None:
            self.listener = socket.socket(socket.AF_UNIX)
            self.listener.bind(self.what)
            self.listener.listen()

    def ask(self, command, **arguments):
        self.near.sendall(json.dumps({"execute": command, "arguments": arguments}).encode())
        while True:
            answer = json.loads(self.lines.readline())
            if "return" in answer or "error" in answer:
                return answer.get("return")

    def want(self, size):
        self.wanted = size
        self.ask("balloon", value=max(self.memory - size, 1))

    def answer(self, line):
        size = size_of(line)
        if line == "stats":
            place = {"path": "/machine/peripheral/balloon"}
            self.ask("qom-set", **place, property="guest-stats-polling-interval", value=1)
            stats = old = self.ask("qom-get", **place, property="guest-stats")
            while stats["last-update"] == old["last-update"]:
                stats = self.ask("qom-get", **place, property="guest-stats")
            return " ".join("%s %d" % (name, stats["stats"]["stat-" + theirs]) for name, theirs in self.STATS)
        if line and size is None:
            return "error: '%s' is neither a size, such as 64M, nor stats" % line
        if line and size > self.memory:
            return "error: %s is more than the machine has (--memory %s)" % (line, self.memory_text)
        if line:
            self.want(size)
        return "actual %d wanted %d" % (self.memory - self.ask("query-balloon")["actual"], self.wanted)

    def serve(self):
        self.lines.readline()  # QMP's greeting
        self.ask("qmp_capabilities")
        if self.listener is None:
            self.want(size_of(self.what))
            return
        while True:
            connection = self.listener.accept()[0]
            with connection, connection.makefile("r") as questions:
                for line in questions:
                    connection.sendall(self.answer(line.strip()).encode() + b"\n")

    def end(self):
        if self.listener is not None:
            os.unlink(self.what)

    def start(self):
        self.far.close()  # QEMU has it
        threading.Thread(target=self.serve, daemon=True).start()


class Run:
    """One machine, what serves its directories, and a directory for their sockets."""

    def __init__(self, options):
        self.options = options
        self.folder = tempfile.mkdtemp(prefix="osv-qemu-")
        self.children, self.devices, self.balloon = [], [], None

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
        out, error, passed = os.dup(1), os.dup(2), []
        if options.balloon is not None:
            self.balloon = Balloon(options.balloon, options)
            self.devices += self.balloon.devices
            passed = [self.balloon.far.fileno()]
        if options.net is not None:
            kind = "virtio-net-pci" if options.machine == "q35" else "virtio-net-device"
            self.devices += ["-netdev", options.net + ",id=net", "-device", kind + ",netdev=net" + ("," + options.nic if options.nic else "")]
        if options.qmp is not None:
            self.devices += ["-qmp", "unix:%s,server=on,wait=off" % options.qmp]
        serial = "virtio-serial-pci,vectors=16" if options.machine == "q35" else "virtio-serial-device"
        with open(self.path("qemu.log"), "wb") as log:
            # Room for two CPUs at least: QEMU before 8.0 leaves out barriers where there is room for one only (sim/run/machine.h).
            return subprocess.Popen(
                ["qemu-system-x86_64", "-accel", "tcg", "-M", options.machine + ",memory-backend=memory", "-cpu", "max", "-smp",
                 "%s,maxcpus=%d" % (options.cpus, max(int(options.cpus), 2)), "-m", options.memory, "-object", "memory-backend-memfd,id=memory,share=on,size=" + options.memory,
                 "-nic", "none", "-vga", "none", "-display", "none", "-no-reboot", "-monitor", "none", "-rtc", "base=utc",
                 "-global", "virtio-mmio.force-legacy=false",
                 "-device", "isa-debug-exit,iobase=0xf4,iosize=4",
                 "-chardev", "file,id=code,path=" + self.path("code"), "-device", "isa-debugcon,iobase=0xf8,chardev=code",
                 "-device", serial, "-chardev", "stdio,id=in,signal=off", "-device", "virtserialport,chardev=in,name=stdin",
                 "-add-fd", "fd=%d,set=1" % out, "-chardev", "file,id=out,path=/dev/fdset/1,append=on",
                 "-device", "virtserialport,chardev=out,name=stdout",
                 "-add-fd", "fd=%d,set=2" % error, "-chardev", "file,id=error,path=/dev/fdset/2,append=on", "-serial", "chardev:error"]
                + self.devices + ["-kernel", options.kernel, "-append", line], stdout=log, stderr=log, pass_fds=[out, error] + passed)

    def status(self):
        child = self.qemu()
        self.children.append(child)
        if self.balloon is not None:
            self.balloon.start()
        signal.signal(signal.SIGALRM, late)
        signal.alarm(int(self.options.timeout))  # Popen.wait with a timeout looks only 20 times a second
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
        if self.balloon is not None:
            self.balloon.end()
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
