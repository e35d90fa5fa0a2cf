# SPDX-License-Identifier: BSD-3-Clause
"""command_line.py: what osv-sim makes of options, environment, streams, scripts and of wrong input, for compare.py.

What is not the command line's own matter holds for the kernel, too, which qemu.py starts with the same options.
"""
import ctypes
import os
import pty
import select
import signal
import socket
import stat
import struct
import subprocess
import tempfile
import time

WAIT_ALL = 0x40000000  # waitpid's __WALL: threads, too


def write(machine, name, data, mode=0o644):
    path = os.path.join(machine.directory, name)
    with open(path, "wb") as file:
        file.write(data)
    os.chmod(path, mode)
    return path


def refused(machine, name, command, *words, status=None, lines=1):
    """One clear line, status 1..127, and no crash."""
    got, out, err = machine.run((machine.osv if machine.is_kernel else machine.osv[:1]) + command)
    text = err.decode(errors="replace")
    ok = 1 <= got <= 127 and (status is None or got == status) and len(text.splitlines()) == lines
    ok = ok and all(word in text for word in words)
    machine.case(name, ok, "status %d, want %s; stderr (want %d line(s) with %s):\n%s\nstdout: %r" %
                 (got, status, lines, words, text, out[:200]))


def wrong_options(machine, files):
    hello = files["hello_pie"]
    refused(machine, "no program", [], status=2)
    refused(machine, "unknown option", ["--no-such-option", hello], "no-such-option", status=2)
    for cpus in ("0", "x", "-1", "99999"):
        refused(machine, "-c " + cpus, ["-c", cpus, hello], cpus, status=2)
    for size in ("0", "x", "12Q", "99999999G"):
        refused(machine, "-m " + size, ["-m", size, hello], size, status=2)
    refused(machine, "too little memory", ["-m", "1M", hello], "-m")
    refused(machine, "--mount without a guest path", ["-v", "/tmp", hello], "/tmp", status=2)
    refused(machine, "--mount of what is not there", ["-v", "/no/such/dir:/x", hello], "/no/such/dir")
    refused(machine, "--cwd that is not there", ["--cwd", "/no/such/dir", hello], "/no/such/dir")
    refused(machine, "-e without a value", ["-e", "NAME", hello], "NAME", status=2)


def end_of_segments(data):
    """Where the bytes end that the program headers ask for: what lies behind is for debuggers."""
    table, size, count = struct.unpack_from("<Q", data, 32)[0], *struct.unpack_from("<HH", data, 54)
    headers = [struct.unpack_from("<IIQQQQ", data, table + i * size) for i in range(count)]
    return max(offset + file_size for kind, _, offset, _, _, file_size in headers if kind == 1)  # PT_LOAD


def wrong_programs(machine, files):
    with open(files["hello_pie"], "rb") as file:
        good = file.read()
    refused(machine, "no such file", ["/no/such/program"], "/no/such/program", status=127)
    refused(machine, "not in PATH", ["no-such-program-anywhere"], "no-such-program-anywhere", status=127)
    refused(machine, "a directory", ["/usr"], "/usr", status=126)
    path = write(machine, "not-executable", good, 0o644)
    refused(machine, "not executable", [path], "not-executable", status=126)
    for name, data in (("text", b"hello, this is text\n"), ("empty", b""), ("random", bytes(i * 73 % 251 for i in range(8192))),
                       ("truncated-100", good[:100]), ("truncated-1000", good[:1000]),
                       ("truncated-half", good[:end_of_segments(good) // 2])):
        path = write(machine, name, data, 0o755)
        refused(machine, name, [path], name)
    other = bytearray(good)
    other[18:20] = b"\xb7\x00"  # EM_AARCH64
    refused(machine, "other architecture", [write(machine, "aarch64", bytes(other), 0o755)], "aarch64")
    other = bytearray(good)
    other[4] = 1  # ELFCLASS32
    refused(machine, "32-bit", [write(machine, "elf32", bytes(other), 0o755)], "elf32")
    refused(machine, "static program", [files["static_program.bin"]], "static")
    foreign = good.replace(b"/lib64/ld-linux-x86-64.so.2", b"/lib/ld-musl-x86_64.so.1\0\0\0")
    refused(machine, "foreign C library", [write(machine, "foreign", foreign, 0o755)], "musl")
    refused(machine, "missing library", [files["needs_library.bin"]], "libmissing.so", "needs_library", status=127)
    path = write(machine, "bad-script", b"#!/no/such/interpreter\n", 0o755)
    refused(machine, "script without its interpreter", [path], "/no/such/interpreter", status=127)


def dying_programs(machine, files):
    """Programs that die: the report names what a person needs."""
    program = files["dies.bin"]
    for how, status, words in (("null", 139, ["SIGSEGV", "0x", "dies", "rip", "die_null"]),
                               ("abort", 134, ["SIGABRT", "dies"]),
                               ("freed-twice", 134, ["free(): 0x", "a block of 64 bytes, was freed before", "die_freed_twice"]),
                               ("no-block", 134, ["free(): 0x", "is not a block of malloc", "dies"]),
                               ("divide", 136, ["SIGFPE", "die_divide"]),
                               ("illegal", 132, ["SIGILL", "die_illegal"]),
                               ("terminate", 143, []),
                               ("syscall", 134, ["SIGABRT", "die_syscall"]),
                               ("fork", 0, ["fork", "one process"]),
                               ("exec", 0, ["execve", "one process"]),
                               ("missing", 127, ["no_such_function", "dies"]),
                               ("stack", 139, ["SIGSEGV"])):
        got, _, err = machine.run(machine.osv + [program, how])
        text = err.decode(errors="replace")
        ok = got == status and all(word in text for word in words)
        machine.case("a program that dies: " + how, ok, "status %d, want %d, stderr:\n%s" % (got, status, text))
    _, _, err = machine.run(machine.osv + ["--verbose", program, "none"])
    _, _, unknown = machine.run(machine.osv + ["--verbose", program, "unknown"])
    machine.case("--verbose counts unknown system calls by name", b"bpf 1" in unknown, unknown.decode(errors="replace"))
    machine.case("--verbose lists missing symbols", b"no_such_function" in err, err.decode(errors="replace"))
    if not machine.is_kernel:
        said = err.count(b"this host gives shared memory no huge pages")
        machine.case("--verbose says once that there are no huge pages", said == (not has_huge_pages()), err.decode(errors="replace"))
        machine.case("and nothing else does", b"huge pages" not in machine.run(machine.osv + [program, "none"])[2])


def has_huge_pages():
    """Whether this host gives shared memory huge pages."""
    def chosen(name):
        try:
            with open("/sys/kernel/mm/transparent_hugepage/" + name, encoding="ascii") as file:
                return file.read().split("[")[1].split("]")[0]
        except FileNotFoundError:
            return None
    every, large = chosen("shmem_enabled"), chosen("hugepages-2048kB/shmem_enabled") or "inherit"
    if every in (None, "deny"):
        return False
    return every != "never" if large == "inherit" else every != "force" and large != "never"


def surroundings(machine, files):
    show = files["surroundings"]
    machine.environment["SURROUNDINGS"] = "inherited"
    machine.same("environment, directory, umask, ids", [show])
    deaf = ["sh", "-c", "trap '' HUP USR1 %s; exec \"$@\"" % ("WINCH" if machine.is_kernel else "PIPE"), "-"]
    want, got = (machine.run(deaf + prefix + [show]) for prefix in ([], machine.osv))
    machine.case("signals that are ignored", got == want and b"ignores 1\n" in got[1], repr((want, got)))
    got = machine.run(machine.osv + ["-e", "SURROUNDINGS=replaced", "-e", "EMPTY=", show])[1]
    machine.case("-e", b"SURROUNDINGS=replaced\n" in got and b"EMPTY=\n" in got, got.decode())
    got = machine.run(machine.osv + ["--cwd", "/usr", show])[1]
    machine.case("--cwd", b"directory /usr\n" in got, got.decode())
    script = b"#!/usr/bin/lua5.4 \nprint('script', arg[0]:match('[^/]*$'), ...)\n"
    path = write(machine, "script.lua", script, 0o755)
    got, out, err = machine.run(machine.osv + [path, "one", "two"])
    machine.case("#! script", (got, out) == (0, b"script\tscript.lua\tone\ttwo\n"), repr((got, out, err)))
    path = write(machine, "argument.bc", b"#!/usr/bin/bc -l\nscale\nquit\n", 0o755)
    got, out, err = machine.run(machine.osv + [path])
    machine.case("#! script with an argument", (got, out) == (0, b"20\n"), repr((got, out, err)))
    got, out, err = machine.run(machine.osv + ["--strace", files["hello_pie"]])
    machine.case("--strace", b"write(1, \"hello, world\\n" in err or b"writev(1" in err, err.decode(errors="replace"))
    got, out, err = machine.run(machine.osv + ["--strace", "date", "+%s"])
    machine.case("--strace: clocks", got == 0 and b"clock_gettime(" in err, err.decode(errors="replace"))
    if machine.is_kernel:
        return
    got, out, _ = machine.run(machine.osv + ["--version"])
    machine.case("--version", got == 0 and len(out.splitlines()) == 1, repr(out))
    got, out, _ = machine.run(machine.osv + ["--help"])
    machine.case("--help", got == 0 and b"--strace" in out and b"--mount" in out, repr(out))


def mounts(machine, files):
    lua = ["lua5.4", "-e"]
    os.mkdir(os.path.join(machine.directory, "data"))
    data = write(machine, "data/file", b"content")
    folder = os.path.dirname(data)
    place = "/tmp/x" if machine.is_kernel else "/mnt/x"  # which makes nothing on the host to mount upon
    cat = "print(io.open('%s/file'):read('a'))" % place
    got = machine.run(machine.osv + ["-v", folder + ":" + place] + lua + [cat])
    machine.case("-v HOST:GUEST", got[:2] == (0, b"content\n"), repr(got))
    put = "print(io.open('%s/new', 'w'))" % place
    got = machine.run(machine.osv + ["-v", folder + ":" + place + ":ro"] + lua + [put])
    machine.case("-v HOST:GUEST:ro", b"Read-only file system" in got[1], repr(got))
    got = machine.run(machine.osv + lua + ["print(io.open('/usr/new', 'w'))"])
    machine.case("/usr is read-only", b"Read-only file system" in got[1], repr(got))
    own = "local f = io.open('/tmp/osv-own', 'w') f:write('y') f:close() print(io.open('/tmp/osv-own'):read('a'))"
    got = machine.run(machine.osv + lua + [own])
    machine.case("/tmp is its own", got[1] == b"y\n" and not os.path.exists("/tmp/osv-own"), repr(got))
    unseen = tempfile.mkdtemp(prefix="osv-unseen-")
    got = machine.run(machine.osv + ["ls", unseen])
    hint = "--mount=%s:%s shows it" % (unseen, unseen)
    machine.case("a program that fails on what it does not see: which --mount shows it",
                 machine.is_kernel or hint.encode() in got[2], repr(got))
    got = machine.run(machine.osv + ["-v", "%s:%s" % (unseen, unseen), "ls", unseen])
    machine.case("and then it does", got == (0, b"", b""), repr(got))
    os.rmdir(unseen)
    got = machine.run(machine.osv + lua + ["io.open('here', 'w'):write('z'):close()"])
    machine.case("the current directory is the host's", os.path.exists(os.path.join(machine.directory, "here")), repr(got))


def streams(machine, files):
    show = [files["surroundings"], "streams"]
    machine.same("streams as pipes", show, stdin=b"from the pipe\n")
    for machine_name, command in (("linux", show), ("osv", machine.osv + show)):
        path = write(machine, "input", b"line 1\nline 2\n")
        with open(path, "rb") as file, open(os.path.join(machine.directory, machine_name), "wb") as out:
            os.lseek(file.fileno(), 7, os.SEEK_SET)
            done = subprocess.run(command, stdin=file, stdout=out, stderr=subprocess.STDOUT, check=False, timeout=60,
                                  cwd=machine.directory, env=machine.environment)
    results = [open(os.path.join(machine.directory, name), "rb").read() for name in ("linux", "osv")]
    machine.case("streams as files", results[0] == results[1], "%r\n%r" % tuple(results))
    outputs = [on_terminal(machine, command, b"typed\n\x04") for command in (show, machine.osv + show)]
    machine.case("streams as a terminal", outputs[0] == outputs[1], "%r\n%r" % tuple(outputs))
    spoken = []
    for command in (["cat"], machine.osv + ["cat"]):
        ours, theirs = socket.socketpair()
        with ours, theirs:
            ours.sendall(b"said\n" * 1000)
            ours.shutdown(socket.SHUT_WR)
            done = subprocess.run(command, stdin=theirs, stdout=theirs, stderr=subprocess.PIPE, check=False, timeout=60,
                                  env=machine.environment)
            theirs.shutdown(socket.SHUT_WR)
            spoken.append((done.returncode, done.stderr, ours.makefile("rb").read()))
    machine.case("streams as a socket", spoken[0] == spoken[1] == (0, b"", b"said\n" * 1000), repr(spoken)[:2000])
    closed = [subprocess.run(["bash", "-c", '"$@" <&- >&-', "bash"] + prefix + [files["hello_pie"]], check=False,
                             timeout=60, stderr=subprocess.PIPE, env=machine.environment).returncode
              for prefix in ([], machine.osv)]
    machine.case("closed streams", closed[0] == closed[1], repr(closed))


def on_terminal(machine, command, typed):
    """(status, everything it printed) of a command on a terminal of 33 x 99; types once there are three lines."""
    leader, follower = pty.openpty()
    os.set_inheritable(follower, True)
    subprocess.run(["stty", "-F", os.ttyname(follower), "rows", "33", "cols", "99"], check=True)
    process = subprocess.Popen(command, stdin=follower, stdout=follower, stderr=follower, start_new_session=True,
                               cwd=machine.directory, env=machine.environment)
    os.close(follower)
    output = b""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        ready, _, _ = select.select([leader], [], [], 0.1)
        if ready:
            try:
                output += os.read(leader, 65536)
            except OSError:
                break
            if typed and output.count(b"\n") >= 3:
                os.write(leader, typed)
                typed = b""
        elif process.poll() is not None:
            break
    process.kill() if process.poll() is None else None
    os.close(leader)
    return process.wait(), output


def wait_for(process, word):
    """Reads the process's stderr until a line holds word. False: it ended before."""
    for line in process.stderr:
        if word in line:
            return True
    return False


def threads_shown(process, word):
    """The same in what Ctrl-\\ prints, as often as the first thread is not yet where it waits."""
    for line in process.stderr:
        if word in line:
            return True
        if b"thread 2 " in line and b", running" in line:
            process.send_signal(signal.SIGQUIT)
    return False


def stop_vcpu(process):
    """Stops the first vCPU's thread as a debugger does; the thread's number."""
    folder = "/proc/%d/task" % process.pid
    names = {}
    for thread in os.listdir(folder):
        with open(os.path.join(folder, thread, "comm"), encoding="ascii") as file:
            names[file.read().strip()] = int(thread)
    seize, interrupt, libc = 0x4206, 0x4207, ctypes.CDLL(None, use_errno=True)
    for request in (seize, interrupt):
        if libc.ptrace(request, names["vcpu0"], None, None) != 0:
            raise OSError(ctypes.get_errno(), "ptrace")
    os.waitpid(names["vcpu0"], WAIT_ALL)
    return names["vcpu0"]


def no_answer(machine, files):
    """SIGTERM ends osv-sim also when nothing in it listens any more; once is enough."""
    process = subprocess.Popen(machine.osv + [files["waits"], "default"], stderr=subprocess.PIPE, env=machine.environment)
    ready = wait_for(process, b"ready")
    thread = stop_vcpu(process)
    process.send_signal(signal.SIGTERM)
    said = wait_for(process, b"no answer from the machine")
    os.waitpid(thread, WAIT_ALL)
    machine.case("SIGTERM, and the vCPU stands still", ready and said and process.wait(timeout=30) == 143,
                 "ready %r, said %r, status %r" % (ready, said, process.returncode))


def notices(machine, files):
    """Signals from the host's side."""
    no_answer(machine, files)
    program = files["waits"]
    for name, number, how, status in (("Ctrl-C, default", signal.SIGINT, "default", 130),
                                      ("Ctrl-C, handled", signal.SIGINT, "handle", 7),
                                      ("Ctrl-C, busy loop", signal.SIGINT, "busy", 7),
                                      ("Ctrl-C, waiting for a mutex", signal.SIGINT, "lock", 9),
                                      ("Ctrl-C, waiting for a thread", signal.SIGINT, "join", 9),
                                      ("SIGTERM, default", signal.SIGTERM, "default", 143),
                                      ("SIGHUP, default", signal.SIGHUP, "default", 129),
                                      ("SIGUSR1, default", signal.SIGUSR1, "default", 138),
                                      *((sent.name + ", handled", sent, "any", int(sent)) for sent in (
                                          signal.SIGHUP, signal.SIGQUIT, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2,
                                          signal.SIGWINCH, signal.SIGCONT))):
        process = subprocess.Popen(machine.osv + [program, how], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                   env=machine.environment)
        ready = wait_for(process, b"ready")
        process.send_signal(number)
        try:
            got = process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            got = "no end in 30 s"
        machine.case(name, ready and got == status, "status %r, want %d, ready %r" % (got, status, ready))
    for how, words in (("handle", b"thread"), ("instruction", b"wait_by_instruction")):
        process = subprocess.Popen(machine.osv + [program, how], stderr=subprocess.PIPE, env=machine.environment)
        ready = wait_for(process, b"ready")
        process.send_signal(signal.SIGQUIT)
        shown = threads_shown(process, words)
        process.send_signal(signal.SIGINT)
        process.stderr.read()
        machine.case("Ctrl-\\ prints the threads and goes on: " + how, ready and shown and process.wait(timeout=30) == 7,
                     "ready %r, shown %r, status %r" % (ready, shown, process.returncode))


def unprivileged(machine, files):
    """The same as an ordinary user, where the test runs as root."""
    if os.getuid() != 0:
        machine.case("runs unprivileged anyway", True)
        return
    os.chmod(machine.directory, stat.S_IRWXU | stat.S_IRWXG | stat.S_IRWXO)
    command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] + machine.osv + ["lua5.4", "-e", "print(6 * 7)"]
    got = machine.run(command)
    machine.case("as nobody", got[:2] == (0, b"42\n"), repr(got))
