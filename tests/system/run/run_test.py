#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""run_test.py OSV-RUN KERNEL ENDS: osv-run --direct: what programs write and how they end; wrong input; timeouts and signals.

ENDS is ends.c's program. Prints TAP.
"""
import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

TIMEOUT = 120


class Suite:
    """Runs osv-run in a folder of its own and counts."""

    def __init__(self, osv_run, kernel, ends, how):
        self.osv_run, self.kernel, self.how = os.path.abspath(osv_run), os.path.abspath(kernel), how
        self.top = tempfile.mkdtemp(prefix="osv-")
        os.chmod(self.top, 0o755)
        self.temporary = os.path.join(self.top, "tmp")
        os.mkdir(self.temporary)
        os.chmod(self.temporary, 0o777)
        self.environment = dict(os.environ, TMPDIR=self.temporary, XDG_CACHE_HOME=os.path.join(self.top, "cache"))
        self.image = self.root_make(ends)
        self.count = self.failed = 0

    def root_make(self, ends):
        root = os.path.join(self.top, "root")
        for folder in ("bin", "dev", "proc", "tmp"):
            os.makedirs(os.path.join(root, folder))
        shutil.copy(ends, os.path.join(root, "bin/ends"))
        image = os.path.join(self.top, "root.img")
        subprocess.run(["mkfs.erofs", "--quiet", image, root], check=True, stdout=subprocess.DEVNULL)
        return image

    def case(self, name, holds, why=""):
        self.count += 1
        self.failed += not holds
        print("%s %d - %s" % ("ok" if holds else "not ok", self.count, name), flush=True)
        if not holds:
            print("\n".join("# " + line for line in str(why).splitlines()[:30]), flush=True)

    def path(self, name):
        return os.path.join(self.top, name)

    def write(self, name, data):
        with open(self.path(name), "wb") as file:
            file.write(data)
        return self.path(name)

    def machine(self, *options, board="q35", cpus=1):
        """The command up to the image."""
        return [self.osv_run] + self.how + ["--accel", "tcg", "-c", str(cpus), "-m", "64M", "--machine", board,
                                            "--initrd", self.image] + list(options) + [self.kernel]

    def run(self, command, stdin=b"", environment=None):
        """(status, output, errors)"""
        done = subprocess.run(command, input=stdin, timeout=TIMEOUT, capture_output=True, check=False,
                              env=dict(self.environment, **(environment or {})))
        return done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")

    def ends(self, *words, stdin=b"", options=(), board="q35", cpus=1):
        return self.run(self.machine(*options, board=board, cpus=cpus) + ["--", "/bin/ends"] + list(words), stdin)

    def left(self):
        """What osv-run has not removed: files, and processes that name them."""
        names = os.listdir(self.temporary)
        found = subprocess.run(["pgrep", "-f", self.temporary], capture_output=True, text=True, check=False).stdout
        return names + found.split()

    def refused(self, name, command, status, *words, environment=None):
        """One line that has the words, that status, and nothing left."""
        got, out, err = self.run(command, environment=environment)
        holds = got == status and out == "" and len(err.splitlines()) == 1 and err.startswith("osv-run: ")
        holds = holds and all(word in err for word in words) and not self.left()
        self.case(name, holds, "status %d, want %d with %s:\n%s%sleft: %s" % (got, status, words, out, err, self.left()))


def programs(suite):
    for status in (0, 1, 3, 127, 128, 255):
        got = suite.ends("status", str(status))
        suite.case("status %d" % status, got == (status, "output\n", "errors\n"), got)
    for number in (signal.SIGKILL, signal.SIGTERM):
        got = suite.ends("signal", str(int(number)))
        suite.case("ended by %s" % number.name, got == (128 + number, "output\n", "errors\n"), got)
    got = suite.ends("signal", "11")
    suite.case("ended by SIGSEGV", got[:2] == (139, "output\n") and "osv: SIGSEGV" in got[2], got)
    got = suite.ends("status", "5", board="pc", cpus=2)
    suite.case("pc, 2 CPUs", got == (5, "output\n", "errors\n"), got)
    got = suite.ends("status", "200", board="microvm")
    suite.case("microvm, by the serial port", got == (200, "output\nerrors\n", ""), got)
    words = ["two words", "", "a\"quote", "back\\slash", "--", "--std=hvc9", "tab\there", "$HOME", "'x'"]
    got = suite.ends("arguments", *words, options=("--env", "ENDS=a \"value\\", "--cwd", "/tmp"))
    expected = "output\n" + "".join("<%s>\n" % word for word in words) + "/tmp\na \"value\\\n"
    suite.case("arguments, environment, directory", got == (0, expected, "errors\n"), got)
    got = suite.ends("copy")
    suite.case("standard input that is empty", got == (0, "", ""), got)
    data = "".join("%d\n" % number for number in range(100000))
    got = suite.ends("copy", stdin=data.encode())
    suite.case("half a megabyte through it", got == (0, data, ""), (got[0], len(got[1]), got[2]))
    got = suite.run(suite.machine("--kernel-option", "--selftest"))
    suite.case("an option for the kernel", got[0] == 0 and "\n1.." in got[2], got)
    suite.case("nothing is left", not suite.left(), suite.left())


def wrong_options(suite):
    run, kernel = [suite.osv_run] + suite.how, suite.kernel
    suite.refused("no image", run, 2, "no image given", "--help")
    for name, words, said in (
            ("unknown option", ["--colour"], "'--colour'"), ("unknown short option", ["-x"], "'-x'"),
            ("an option without its value", ["--cpus"], "'--cpus' needs a value"),
            ("no CPUs", ["-c", "0", kernel], "'0'"), ("too many CPUs", ["-c", "257", kernel], "'257'"),
            ("memory that is no size", ["-m", "1Q", kernel], "'1Q'"),
            ("too much memory", ["-m", "9999999G", kernel], "too much"),
            ("a machine that is none", ["--machine", "pdp11", kernel], "'pdp11'"),
            ("an accelerator that is none", ["--accel", "xen", kernel], "'xen'"),
            ("a network", ["--net", "user,publish=80:80", kernel], "no network driver yet"),
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
    run = [suite.osv_run] + suite.how + ["--accel", "tcg"]
    with open(suite.kernel, "rb") as file:
        kernel = file.read()
    suite.refused("no such image", run + ["/no/such/image"], 127, "/no/such/image", "No such file")
    suite.refused("a directory", run + [suite.top], 126, "is a directory")
    aarch64 = kernel[:18] + b"\xb7\0" + kernel[20:]
    for name, data, said in (("empty", b"", "is empty"), ("text", b"hello " * 1000, "not bootable"),
                             ("cut-10", kernel[:10], "cut short"), ("cut-100", kernel[:100], "cut short"),
                             ("cut-100000", kernel[:100000], "cut short"), ("aarch64", aarch64, "x86_64")):
        suite.refused("an image that is wrong: " + name, run + [suite.write(name, data)], 126, name, said)
    suite.refused("a program", run + [os.path.realpath("/bin/true")], 126, "no kernel", "osv-image")
    suite.refused("no such root", run + ["--initrd", "/no/such/root", suite.kernel], 127, "/no/such/root")
    suite.refused("no such disk", run + ["--disk", "/no/such/disk", suite.kernel], 127, "--disk", "/no/such/disk")
    suite.refused("too little memory", run + ["-m", "2M", suite.kernel], 125, "--memory", "too little", "at least")
    disk = suite.write("disk", bytes(510) + b"\x55\xaa" + bytes(1 << 20))
    suite.refused("a program for a disk", run + [disk, "--", "/bin/ends"], 2, "disk", "command line")


def hosts(suite):
    """QEMU that is not there, or ends."""
    suite.refused("no QEMU", suite.machine(), 125, "no qemu-system-x86_64 in PATH", "qemu-system-x86",
                  environment={"PATH": "/nonexistent"})
    suite.refused("QEMU does not take it", suite.machine("--qemu-argument", "-no-such-option"), 125, "no-such-option")


def timeouts(suite):
    got = suite.run(suite.machine("--timeout", "2") + ["--", "/bin/ends", "wait"])
    suite.case("--timeout", got == (124, "output\n", "errors\nosv-run: --timeout: the machine was ended after 2 s\n"), got)
    suite.case("nothing is left", not suite.left(), suite.left())


@contextlib.contextmanager
def waiting(suite, **streams):
    """osv-run with a program that has begun to wait."""
    command = suite.machine() + ["--", "/bin/ends", "wait"]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               env=suite.environment, **streams)
    try:
        assert process.stdout.readline() == b"output\n"
        yield process
    finally:
        process.kill()
        process.communicate()


def children(process):
    return [int(pid) for pid in subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, text=True,
                                               check=False).stdout.split()]


def signals(suite):
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        with waiting(suite) as process:
            there = suite.left()
            process.send_signal(number)
            status = process.wait(TIMEOUT)
        suite.case("%s ends it in order" % number.name, status == 128 + number and there and not suite.left(),
                   (status, there, suite.left()))
    with waiting(suite) as process:
        os.kill(children(process)[0], signal.SIGKILL)
        status = process.wait(TIMEOUT)
        err = process.stderr.read().decode()
    suite.case("QEMU is killed", status == 122 and "osv-run: QEMU was killed" in err and not suite.left(),
               (status, err, suite.left()))
    with waiting(suite) as process:
        os.kill(children(process)[0], signal.SIGTERM)
        status = process.wait(TIMEOUT)
        err = process.stderr.read().decode()
    suite.case("QEMU is told to end", status == 122 and "osv-run: QEMU was killed" in err, (status, err))
    with waiting(suite) as process:
        pids = children(process)
        process.kill()
        process.wait(TIMEOUT)
        deadline = time.monotonic() + TIMEOUT
        while any(os.path.exists("/proc/%d" % pid) for pid in pids) and time.monotonic() < deadline:
            time.sleep(0.05)
        suite.case("QEMU does not outlive osv-run", pids and not any(os.path.exists("/proc/%d" % pid) for pid in pids), pids)
    shutil.rmtree(suite.temporary)
    os.mkdir(suite.temporary)
    done = subprocess.run("%s -- /bin/ends copy < /dev/zero | head -c 3; exit ${PIPESTATUS[0]}" % " ".join(suite.machine()),
                          shell=True, executable="/bin/bash", env=suite.environment, capture_output=True, check=False)
    suite.case("nobody reads", (done.returncode, done.stdout) == (141, bytes(3)) and not suite.left(), done)


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


def main(osv_run, kernel, ends):
    suite = Suite(osv_run, kernel, ends, ["--direct"])
    try:
        for part in (programs, wrong_options, wrong_images, hosts, timeouts, signals, accelerators):
            part(suite)
    finally:
        shutil.rmtree(suite.top)
    print("1..%d" % suite.count)
    return 1 if suite.failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
