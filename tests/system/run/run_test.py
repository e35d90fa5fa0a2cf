#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""run_test.py direct|libvirt OSV-RUN OSV-IMAGE KERNEL ROOT ENDS OFF RESET: osv-run: what programs write and how they end; wrong input;
timeouts and signals; that nothing is left of it.

ENDS is ends.c's program, ROOT an image with it, OFF and RESET machine_end.S's kernels. By libvirt the session's daemon is one that osv-run starts
by itself, for a user who is not root, in a folder of the test's. Prints TAP.
"""
import contextlib
import os
import pty
import re
import shutil
import signal
import socket
import subprocess
import sys
import termios
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), ".."))
import cases  # pylint: disable=wrong-import-position

TIMEOUT = 120


class Suite(cases.Cases):
    """Runs osv-run in a folder of its own."""

    def __init__(self, how, osv_run, osv_image, kernel, root, ends, off, reset):
        self.is_direct = how == "direct"
        self.how = ["--direct"] if self.is_direct else []
        super().__init__("osv-")  # a socket's name is short
        os.chmod(self.folder, 0o755)
        self.temporary = self.folder_make("tmp")
        self.environment = dict(os.environ, TMPDIR=self.temporary, HOME=self.folder_make("home"))
        for name, folder in (("CACHE_HOME", "cache"), ("CONFIG_HOME", "config"), ("DATA_HOME", "data"),
                             ("RUNTIME_DIR", "run")):
            self.environment["XDG_" + name] = self.folder_make(folder)
        # Where others may read them, too.
        self.osv_run, self.kernel, self.image, self.off, self.reset = (
            shutil.copy(path, self.folder) for path in (osv_run, kernel, root, off, reset))
        self.osv_image, self.program = os.path.abspath(osv_image), shutil.copy(ends, self.folder)

    def folder_make(self, name):
        os.mkdir(self.path(name))
        os.chmod(self.path(name), 0o777)
        return self.path(name)

    def write(self, name, data):
        with open(self.path(name), "wb") as file:
            file.write(data)
        return self.path(name)

    def command(self, *words):
        """osv-run; for libvirt as nobody, where root's daemon would be the whole host's."""
        user = [] if self.is_direct or os.getuid() != 0 else ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
        return user + [self.osv_run] + self.how + list(words)

    def machine(self, *options, board="q35", cpus=1):
        """The command up to the image."""
        return self.command("--accel", "tcg", "-c", str(cpus), "-m", "64", "--machine", board, "--initrd", self.image,
                            *options) + [self.kernel]

    def run(self, command, stdin=b"", environment=None):
        """(status, output, errors)"""
        done = subprocess.run(command, input=stdin, timeout=TIMEOUT, capture_output=True, check=False,
                              env=dict(self.environment, **(environment or {})))
        return done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")

    def ends(self, *words, stdin=b"", options=(), board="q35", cpus=1):
        return self.run(self.machine(*options, board=board, cpus=cpus) + ["--", "/bin/ends"] + list(words), stdin)

    def processes(self):
        """QEMU and virtiofsd, by numbers: they name a socket of osv-run's, or have inherited one."""
        found = subprocess.run(["pgrep", "-f", "^[^ ]*(qemu-system-x86_64|virtiofsd) .*" + self.folder], capture_output=True,
                               text=True, check=False)
        return [int(pid) for pid in found.stdout.split()]

    def left(self):
        """What osv-run has not removed: files, processes, domains."""
        return os.listdir(self.temporary) + self.processes() + ([] if self.is_direct else self.virsh("list", "--all", "--name"))

    def virsh(self, *words):
        done = self.run(self.command()[:-1] + ["virsh", "-q", "-c", "qemu:///session"] + list(words))
        return done[1].split()

    def is_over(self, holds):
        """Whether holds() comes to hold: for what ends by itself, in its own time."""
        deadline = time.monotonic() + TIMEOUT
        while not holds() and time.monotonic() < deadline:
            time.sleep(0.05)
        return holds()

    def __exit__(self, *_):
        daemon = self.path("run/libvirt/libvirtd.pid")
        if os.path.exists(daemon):
            with open(daemon, encoding="utf-8") as file:
                pid = int(file.read())
            os.kill(pid, signal.SIGTERM)
            self.is_over(lambda: not os.path.exists("/proc/%d" % pid))
        super().__exit__()

    def refused(self, name, command, status, *words, environment=None):
        """One line that has the words, that status, and nothing left."""
        got, out, err = self.run(command, environment=environment)
        holds = got == status and out == "" and len(err.splitlines()) == 1 and err.startswith("osv-run: ")
        holds = holds and all(word in err for word in words) and not self.left()
        self.case(name, holds, "status %d, want %d with %s:\n%s%sleft: %s" % (got, status, words, out, err, self.left()))


def programs(suite):
    for status in (0, 1, 127, 255):
        got = suite.ends("status", str(status))
        suite.case("status %d" % status, got == (status, "output\n", "errors\n"), got)
    got = suite.ends("signal", "15")
    suite.case("ended by SIGTERM", got == (143, "output\n", "errors\n"), got)
    got = suite.ends("signal", "11")
    suite.case("ended by SIGSEGV", got[:2] == (139, "output\n") and "osv: SIGSEGV" in got[2], got)
    got = suite.ends("status", "5", board="pc", cpus=2)
    suite.case("pc, 2 CPUs", got == (5, "output\n", "errors\n"), got)
    got = suite.ends("status", "200", board="microvm")
    suite.case("microvm", got == (200, "output\n", "errors\n"), got)
    words = ["two words", "", "a\"quote", "back\\slash", "--", "--std=hvc9", "tab\there", "$HOME", "'x'"]
    got = suite.ends("arguments", *words, options=("--env", "ENDS=a \"value\\", "--cwd", "/tmp"))
    expected = "output\n" + "".join("<%s>\n" % word for word in words) + "/tmp\na \"value\\\n"
    suite.case("arguments, environment, directory", got == (0, expected, "errors\n"), got)
    got = suite.ends("copy")
    suite.case("standard input that is empty", got == (0, "", ""), got)
    got = suite.run(["bash", "-c", 'exec "$@" <&- 2>&-', "-"] + suite.machine() + ["--", "/bin/ends", "copy"], b"not read")
    suite.case("standard input that is closed", got == (0, "", ""), got)
    data = "".join("%d\n" % number for number in range(100000))
    got = suite.ends("copy", stdin=data.encode())
    suite.case("half a megabyte through it", got == (0, data, ""), (got[0], len(got[1]), got[2]))
    got = suite.run(suite.machine("--kernel-option", "--selftest"))
    suite.case("an option for the kernel", got[0] == 0 and "\n1.." in got[2], got)
    got = suite.run(suite.command("--accel", "tcg", "-m", "64M", suite.reset))
    suite.case("the machine resets itself", got == (123, "", "osv-run: the machine reset itself\n"), got)
    got = suite.run(suite.command("--accel", "tcg", "-m", "64M", suite.off))
    suite.case("the machine turns itself off", got == (121, "", "osv-run: the machine was turned off without an exit status\n"),
               got)
    suite.case("nothing is left", not suite.left(), suite.left())


def devices(suite):
    """Two directories of the host and two disks, the second ones read-only."""
    for board in ("q35", "microvm"):
        one, two = suite.folder_make("one-" + board), suite.folder_make("two-" + board)
        for folder in (one, two):
            suite.write(os.path.join(folder, "file"), folder.encode())
        options = ("--mount", one + ":/mnt/one", "-v", two + ":/mnt/two:ro")
        got = suite.ends("write", "/mnt/one/new", "/mnt/two/new", options=options, board=board)
        with open(os.path.join(one, "new"), encoding="utf-8") as file:
            written = file.read()
        suite.case("--mount on " + board, got == (30, "output\n", "errors\n") and written == "written" and
                   os.listdir(two) == ["file"], (got, written, os.listdir(two)))
        disks = [suite.write(name, name.encode() + bytes(1 << 20)) for name in ("first", "second")]
        for disk in disks:
            os.chmod(disk, 0o666)
        got = suite.ends("blocks", "/dev/vda", "/dev/vdb", options=("--disk", disks[0], "--disk", disks[1] + ":ro"),
                         board=board)
        with open(disks[0], "rb") as file:
            first = file.read(7)
        suite.case("--disk on " + board, got == (0, "output\nfirst 0\nsecond 1\n", "errors\n") and first == b"written",
                   (got, first))
    suite.case("nothing is left", not suite.left(), suite.left())


def networks(suite):
    """The device on QEMU's user network: core's self-test finds its router. What cannot be had."""
    folder = suite.folder_make("captures")

    def frames_of(board):
        return os.path.join(folder, "frames, " + board)

    with contextlib.ExitStack() as stack:
        taken, port = stack.enter_context(socket.socket()), cases.port_free()
        for board in ("q35", "microvm"):
            got = suite.run(suite.machine("--net", "user", "-p", "%d:80" % port, "-p", "127.0.0.1:%d:53/udp" % port, "--kernel-option",
                                          "--selftest", "--pcap", frames_of(board), board=board))
            suite.case("--net user on " + board, got[0] == 0 and re.search(r"^ok \d+ - a network device sends and receives$", got[2], re.M) and
                       "osv: device eth0, " in got[2], got)
            with open(frames_of(board), "rb") as file:
                frames = file.read()
            suite.case("--pcap on " + board, frames[:4] == bytes.fromhex("d4c3b2a1") and frames.count(bytes.fromhex("0806000108000604")) >= 2, frames)
        got = suite.run(suite.machine("--kernel-option", "--selftest"))
        suite.case("no network", got[0] == 0 and "osv: device eth0, " not in got[2], got)
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        suite.refused("a port that is taken", suite.machine("--net", "user", "-p", "%d:80" % port), 125, "port %d of 127.0.0.1: is taken" % port)
    lan = suite.folder_make("lan")
    for board in ("q35", "microvm"):
        got = suite.run(suite.machine("--net", "switch=" + lan, "--kernel-option", "--ip=10.1.0.1/24", board=board) + ["--", "/bin/ends", "status", "9"])
        suite.case("--net switch on " + board, got == (9, "output\n", "errors\n") and os.listdir(lan) == [] and not suite.left(), got)
    suite.refused("no folder for a switch", suite.machine("--net", "switch=/nowhere/lan"), 125, "switch=/nowhere/lan: the folder: No such file")
    suite.refused("a switch whose name is too long", suite.machine("--net", "switch=" + suite.path("n" * 90)), 125, "the folder: File name too long")
    suite.refused("no such place", suite.machine("--net", "user", "--pcap", "/nowhere/x"), 125, "--pcap: /nowhere/x: No such file")
    suite.refused("no such tap", suite.machine("--net", "tap=nowhere0"), 125, "no such interface", "ip tuntap add nowhere0")
    suite.refused("an interface that is no tap", suite.machine("--net", "tap=lo"), 125, "tap=lo", "is no tap")
    suite.refused("no such bridge", suite.machine("--net", "bridge=nowhere0"), 125, "no such interface", "ip link add nowhere0")
    suite.refused("an interface that is no bridge", suite.machine("--net", "bridge=lo"), 125, "bridge=lo", "is no bridge")
    if suite.is_direct:
        suite.refused("a network of libvirt's", suite.machine("--net", "network=default"), 2, "network=default", "leave out --direct")
    else:
        suite.refused("no such network", suite.machine("--net", "network=nowhere"), 125, "libvirt: ", "nowhere")
        suite.refused("on microvm", suite.machine("--net", "network=nowhere", board="microvm"), 2, "--machine q35")


def images(suite):
    """What osv-image makes: a file for the loader, where the command line is osv-run's as well, and disks."""
    for kind, streams in (("elf", ("output\n", "errors\n")), ("raw", ("output\nerrors\n", "")), ("qcow2", ("output\nerrors\n", ""))):
        image = suite.path("image." + kind)
        made = suite.run([suite.osv_image, "build", "--format", kind, "--kernel", suite.kernel, "-o", image, "--file",
                          suite.program + ":/bin/ends", "/bin/ends", "status", "9"])
        got = suite.run(suite.command("--accel", "tcg", "-m", "96M", image))
        suite.case("an image, " + kind, made[0] == 0 and got == (9,) + streams, (made, got))
    got = suite.run(suite.command("--accel", "tcg", "-m", "96M", "--env", "ENDS=changed", suite.path("image.elf"), "--",
                                  "/bin/ends", "arguments", "other"))
    suite.case("another program of an image", got == (0, "output\n<other>\n/\nchanged\n", "errors\n"), got)
    suite.refused("another program of a disk", suite.command(suite.path("image.raw"), "--", "/bin/ends"), 2, "image.raw",
                  "command line")


def wrong_options(suite):
    run, kernel = suite.command(), suite.kernel
    suite.refused("no image", run, 2, "no image given", "--help")
    for name, words, said in (
            ("unknown option", ["--colour"], "'--colour'"), ("unknown short option", ["-x"], "'-x'"),
            ("an option without its value", ["--cpus"], "'--cpus' needs a value"),
            ("no CPUs", ["-c", "0", kernel], "'0'"), ("too many CPUs", ["-c", "257", kernel], "'257'"),
            ("memory that is no size", ["-m", "1Q", kernel], "'1Q'"),
            ("too much memory", ["-m", "9999999G", kernel], "too much"),
            ("a machine that is none", ["--machine", "pdp11", kernel], "'pdp11'"),
            ("an accelerator that is none", ["--accel", "xen", kernel], "'xen'"),
            ("a network that is none", ["--net", "users", kernel], "'users'"),
            ("a tap without a name", ["--net", "tap=", kernel], "'tap='"),
            ("a port that is none", ["--net", "user", "-p", "80:70000", kernel], "'80:70000'"),
            ("no port of the host's", ["--net", "user", "-p", "80", kernel], "'80'"),
            ("a switch without a folder", ["--net", "switch=", kernel], "'switch='"),
            ("an address of IPv6", ["--net", "user", "-p", "[::1]:80:80", kernel], "addresses of IPv4 alone"),
            ("another protocol", ["--net", "user", "-p", "80:80/icmp", kernel], "'80:80/icmp'"),
            ("an address that is none", ["--net", "user", "-p", "here:80:80", kernel], "'here:80:80'"),
            ("a capture without a network", ["--pcap", "x", kernel], "no network device to listen to"),
            ("a capture of a bridge", ["--direct", "--net", "bridge=br0", "--pcap", "x", kernel], "--pcap: not with --net bridge=br0"),
            ("a port without a network", ["-p", "8080:80", kernel], "--net user"),
            ("a variable without a value", ["-e", "HOME", kernel], "'HOME'"),
            ("a time that is none", ["--timeout", "soon", kernel], "'soon'"),
            ("a mount without a guest path", ["-v", "/tmp", kernel], "HOST:GUEST"),
            ("a mount of what is not there", ["-v", "/nowhere:/x", kernel], "'/nowhere' is not a directory"),
            ("a program before --", [kernel, "/bin/ends"], "behind --"),
            ("a command line that is too long", [kernel, "--", "x" * 5000], "4095 bytes")):
        suite.refused(name, run + words, 2, said)
    status, out, err = suite.run(run + ["--help"])
    suite.case("--help", status == 0 and out.startswith("usage: osv-run") and err == "", (status, out, err))


def wrong_images(suite):
    run = suite.command("--accel", "tcg")
    with open(suite.kernel, "rb") as file:
        kernel = file.read()
    suite.refused("no such image", run + ["/no/such/image"], 127, "/no/such/image", "No such file")
    suite.refused("a directory", run + [suite.folder], 126, "is a directory")
    os.mkfifo(suite.path("fifo"))
    suite.refused("a pipe", run + [suite.path("fifo")], 126, "not a regular file")
    aarch64 = kernel[:18] + b"\xb7\0" + kernel[20:]
    for name, data, said in (("empty", b"", "is empty"), ("text", b"hello " * 1000, "not bootable"),
                             ("cut-10", kernel[:10], "cut short"), ("cut-100", kernel[:100], "cut short"),
                             ("cut-100000", kernel[:100000], "cut short"), ("aarch64", aarch64, "x86_64")):
        suite.refused("an image that is wrong: " + name, run + [suite.write(name, data)], 126, name, said)
    suite.refused("a program", run + [os.path.realpath("/bin/true")], 126, "no kernel", "osv-image")
    suite.refused("no such root", run + ["--initrd", "/no/such/root", suite.kernel], 127, "/no/such/root")
    suite.refused("no such disk", run + ["--disk", "/no/such/disk", suite.kernel], 127, "--disk", "/no/such/disk")
    for size in ("2", "2M"):
        suite.refused("too little memory, " + size, run + ["-m", size, suite.kernel], 125, "--memory: %s is too little" % size,
                      "at least")


def hosts(suite):
    """A host that has not what it needs."""
    suite.refused("QEMU does not take an argument", suite.machine("--qemu-argument", "-no-such-option"), 125,
                  "no-such-option")
    if suite.is_direct:
        suite.refused("no QEMU", suite.machine(), 125, "no qemu-system-x86_64 in PATH", "qemu-system-x86",
                      environment={"PATH": "/nonexistent"})
        return
    nowhere = suite.folder_make("nowhere")
    alone = {"XDG_RUNTIME_DIR": nowhere, "LIBVIRT_AUTOSTART": "0"}
    suite.refused("no libvirt", suite.machine(), 125, "qemu:///session", "No such file", "start libvirtd", "--direct",
                  environment=alone)
    os.mkdir(os.path.join(nowhere, "libvirt"))
    with socket.socket(socket.AF_UNIX) as refusing:
        refusing.bind(os.path.join(nowhere, "libvirt/libvirt-sock"))
        suite.refused("a libvirt that refuses", suite.machine(), 125, "start libvirtd", environment=alone)
    suite.refused("words that are no text", suite.machine() + ["--", b"/bin/\xff"], 2, "UTF-8", "--direct")
    suite.refused("another hypervisor", suite.machine("--connect", "test:///default"), 125, "test:///default", "no QEMU")
    suite.refused("an address that is none", suite.machine("--connect", "nonsense"), 125, "nonsense")
    with waiting(suite, "--name", "taken"):
        got = suite.run(suite.machine("--name", "taken"))
        suite.case("a name that is taken", got[0] == 125 and len(got[2].splitlines()) == 1 and "'taken'" in got[2] and
                   "give another --name" in got[2], got)


def timeouts(suite):
    got = suite.run(suite.machine("--timeout", "2") + ["--", "/bin/ends", "wait"])
    suite.case("--timeout", got == (124, "output\n", "errors\nosv-run: --timeout: the machine was ended after 2 s\n"), got)
    suite.case("nothing is left", not suite.left(), suite.left())


@contextlib.contextmanager
def waiting(suite, *options):
    """osv-run with a program that has begun to wait."""
    process = subprocess.Popen(suite.machine(*options) + ["--", "/bin/ends", "wait"], stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=suite.environment)
    try:
        assert process.stdout.readline() == b"output\n"
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=TIMEOUT)


def signals(suite):
    """They end osv-run in order; or QEMU, and that ends it."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        with waiting(suite, "--mount", suite.folder + ":/mnt/one:ro") as process:
            there = suite.processes()
            process.send_signal(number)
            status = process.wait(TIMEOUT)
        suite.case("%s ends it in order" % number.name, status == 128 + number and len(there) >= 2 and not suite.left(),
                   (status, there, suite.left()))
    for number in (signal.SIGKILL, signal.SIGTERM):
        with waiting(suite) as process:
            os.kill(suite.processes()[0], number)
            status = process.wait(TIMEOUT)
            err = process.stderr.read().decode()
        suite.case("QEMU is ended by %s" % number.name, status == 122 and "osv-run: QEMU was killed" in err and
                   not suite.left(), (status, err, suite.left()))
    with waiting(suite, "--mount", suite.folder + ":/mnt/one:ro") as process:
        there = suite.processes()
        process.kill()
        process.wait(TIMEOUT)
        gone = suite.is_over(lambda: not suite.processes())
        suite.case("nothing that runs outlives osv-run", len(there) >= 2 and gone, (there, suite.processes()))
    shutil.rmtree(suite.temporary)  # nobody could remove its sockets
    suite.folder_make("tmp")
    command = " ".join(suite.machine()) + " -- /bin/ends copy < /dev/zero | head -c 3; exit ${PIPESTATUS[0]}"
    done = subprocess.run(["bash", "-c", command], env=suite.environment, capture_output=True, check=False)
    suite.case("nobody reads", (done.returncode, done.stdout) == (141, bytes(3)) and not suite.left(), done)


def terminals(suite):
    """Ctrl-C on a terminal, and what modes that has afterwards."""
    master, slave = pty.openpty()
    before = termios.tcgetattr(slave)
    process = subprocess.Popen(suite.machine() + ["--", "/bin/ends", "wait"], stdin=slave, stdout=slave, stderr=slave,
                               env=suite.environment, preexec_fn=lambda: os.login_tty(slave))
    said = b""
    while b"output" not in said or b"errors" not in said:
        said += os.read(master, 1000)
    os.write(master, b"\x03")
    status = process.wait(TIMEOUT)
    after = termios.tcgetattr(slave)
    suite.case("Ctrl-C on a terminal", status == 130 and not suite.left(), (status, suite.left()))
    suite.case("which is as before", before == after, (before, after))
    os.close(master)
    os.close(slave)


FAKE = """#!/bin/sh
case " $* " in
*" -accel kvm "*) %s ;;
*) exec %s "$@" ;;
esac
"""


def accelerators(suite):
    """A KVM that does not work: what comes of it is that of emulation, one line says so, and it is remembered."""
    folder = suite.path("bin")
    os.mkdir(folder)
    qemu = shutil.which("qemu-system-x86_64")
    cache = suite.path("cache/osv-run-kvm-is-broken")
    command = [word for word in suite.machine() if word not in ("--accel", "tcg")] + ["--", "/bin/ends", "copy"]
    environment = {"PATH": "%s:%s" % (folder, os.environ["PATH"])}
    if not suite.is_direct:
        return
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        got = suite.run(command, b"input")
        suite.case("no KVM", got[:2] == (0, "input") and re.fullmatch("osv-run: no KVM .*\n", got[2]), got)
        return
    for name, what, said in (("ends", "echo 'qemu: failed to initialize kvm: No' >&2; exit 1", "failed to initialize kvm"),
                             ("does nothing", "exec sleep 100", "did not get to the kernel's start")):
        with open(os.path.join(folder, "qemu-system-x86_64"), "w", encoding="utf-8") as file:
            file.write(FAKE % (what, qemu))
        os.chmod(file.name, 0o755)
        got = suite.run(command, b"input", environment)
        suite.case("a KVM that " + name, got[:2] == (0, "input") and len(got[2].splitlines()) == 1 and said in got[2] and
                   os.path.exists(cache), got)
        got = suite.run(command, b"input", environment)
        suite.case("and is remembered", got[:2] == (0, "input") and cache in got[2], got)
        os.unlink(cache)
    suite.case("nothing is left", not suite.left(), suite.left())


def main(*arguments):
    with Suite(*arguments) as suite:
        for part in (programs, devices, networks, images, wrong_options, wrong_images, hosts, timeouts, signals, terminals, accelerators):
            part(suite)
        return suite.end()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
