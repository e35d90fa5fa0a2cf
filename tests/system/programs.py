# SPDX-License-Identifier: BSD-3-Clause
"""programs.py: the small programs of this folder and tests/system/*: output equal to Linux's, for compare.py."""
import os
import re


# QEMU's own processor never traps in vector instructions; virtiofsd, as Linux with it, makes no files without names.
ON_KERNEL = {"handlers": ["no-vector-traps"], "paths": ["all-named"]}


def program(machine, files):
    """The one program that is given, without arguments."""
    for name, path in sorted(files.items()):
        if not name.endswith(".so"):
            machine.same(name, [path] + (ON_KERNEL.get(name, []) if machine.is_kernel else []))


def program_and_folder(machine, files):
    """The same over its own files in memory, and over the host's current directory."""
    for name, path in sorted(files.items()):
        machine.same(name, [path])
        machine.same(name + " .", [path, "."])


def naming(machine, files):
    """Names of memory, which a Linux need not have: naming.txt is what one says that does."""
    path = files["naming"]
    has_names = machine.run([path])[1] != b"no names here\n"
    if has_names:
        machine.same("names", [path])
    else:
        with open(files["naming.txt"], "rb") as text:
            printed(machine, "names", machine.osv + [path], text.read())


def netchanges(machine, files):
    """What Linux would change, too: it is not asked."""
    with open(files["netchanges.txt"], "rb") as text:
        printed(machine, "addresses and routes change", machine.osv + [files["netchanges"]], text.read())


def fast(machine, files):
    """What Linux 6.18 printed as root, in a network namespace of its own."""
    with open(files["fast.txt"], "rb") as text:
        printed(machine, "Fast Open", machine.osv + [files["fast"]], text.read())


def unsupported(machine, files):
    """What Linux has and we have not; and a number that neither knows."""
    status, out, err = machine.run(machine.osv + [files["unsupported"]])
    lines = out.decode().splitlines()
    machine.case("they say so", status == 0 and len(lines) == 7 and all(line.endswith(": ENOSYS") for line in lines), repr((status, out, err)))


def credentials(machine, files):
    """What Linux 6.18 printed as root, in a folder of the machine's own memory and in one of the host."""
    if os.getuid() != 0 and not machine.is_kernel:
        machine.case("only root has ids to give up", True)
        return
    with open(files["credentials.txt"], "rb") as text:
        expected = text.read().split(b"----\n")
    os.chmod(machine.top, 0o755)
    for (way, folder), want in zip((("keep", "/tmp"), ("steps", "/tmp"), ("steps", "."), ("sockets", "/tmp")), expected):
        machine.empty()
        printed(machine, "%s in %s" % (way, folder), machine.osv + [files["credentials"], way, folder], want)


def raws(machine, files):
    """What Linux 6.18 printed as root, with net.ipv4.ping_group_range "0 2147483647", as Debian's systemd sets it."""
    if os.getuid() != 0 and not machine.is_kernel:
        machine.case("only root has raw sockets", True)
        return
    with open(files["raws.txt"], "rb") as text:
        printed(machine, "raws", machine.osv + [files["raws"]], text.read())


def bindings(machine, files):
    """What Linux 6.18 printed as root."""
    if os.getuid() != 0 and not machine.is_kernel:
        machine.case("only root takes a socket from its interface", True)
        return
    with open(files["bindings.txt"], "rb") as text:
        printed(machine, "bindings", machine.osv + [files["bindings"]], text.read())


def frames(machine, files):
    """What Linux 6.18 printed as root, in a network namespace of its own."""
    if os.getuid() != 0 and not machine.is_kernel:
        machine.case("only root has packet sockets", True)
        return
    with open(files["frames.txt"], "rb") as text:
        printed(machine, "frames", machine.osv + [files["frames"]], text.read())


def ping(machine, files):
    """Debian's, but for how long it took; which is an interval at least."""
    for address in ("127.0.0.1", "::1", "localhost"):
        command = ["ping", "-n", "-c", "2", "-i", "0.2", address]
        said = []
        for words in (command, machine.osv + command):
            status, out, err = machine.run(words)
            took = re.search(rb"time (\d+)ms", out)
            waited = took is not None and int(took.group(1)) >= 190
            said.append((status, waited, re.sub(rb"[\d.]+ ?ms|mdev = .*", b"", out), err))
        machine.case("ping " + address, said[0] == said[1] and said[1][:2] == (0, True), repr(said))


def real_time_program(machine, files):
    """One that asks Linux for real-time threads: a container may not have any."""
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    except PermissionError:
        if os.geteuid() == 0:
            machine.case("no real-time threads on this Linux", True)
            return
    program(machine, files)


def own_lines(out):
    """Without figures, which differ from run to run."""
    return b"".join(line for line in out.splitlines(True) if not line.startswith(b"#"))


def printed(machine, name, command, expected):
    """A command of osv-sim that ends well and prints exactly this, and figures."""
    status, out, err = machine.run(command)
    machine.case(name, status == 0 and own_lines(out) == expected, "status %d: %r %r" % (status, out, err[-500:]))


def hugepages(machine, files):
    """What Linux 6.18 printed as root, with no large pages set aside before: not all may do that."""
    with open(files["hugepages.txt"], "rb") as file:
        expected = file.read()
    status, out, err = machine.run(machine.osv + [files["hugepages"]])
    differing = [(a, b) for a, b in zip(out.splitlines(), expected.splitlines()) if a != b]
    machine.case("hugepages", status == 0 and out == expected, "status %d: %r %r" % (status, differing[:5], err[-500:]))


def multitude(machine, files):
    """Ten thousand threads; on Linux, which may allow fewer, a thousand. The seeded machine takes its time."""
    path = files["multitude"]
    seeded = "--seed" in machine.osv
    few, many = ("20", "100") if seeded else ("1000", "10000")
    machine.same(few + " threads", [path, few])
    all_ran = b"%s of %s, results 1, all slept and met 1\n" % (many.encode(), many.encode())
    if seeded:
        printed(machine, many + " threads", machine.osv + [path, many], all_ran)
        return
    table = ["4"] if machine.is_kernel else []  # each stack lies in a page table of its own
    printed(machine, many + " threads", machine.osv + [path, many, "memory"] + table,
            all_ran + b"memory: at most 68 KiB each 1, at most 12 KiB kept 1\n")
    printed(machine, "as many as there is memory for", machine.osv + ["-m", "64M", path, "10000", "until-full"],
            b"some 1, Resource temporarily unavailable, results 1, all slept and met 1\none more 1 1\n")


def stacks(machine, files):
    """Names of stacks: Linux's of the first thread's; of the others' what Linux said before 4.5."""
    machine.same("the first thread's", [files["stacks"]])
    printed(machine, "each thread's", machine.osv + [files["stacks"], "all"],
            b"[stack]\nof nobody: ''\nstacks that have their thread's name: 40 of 40\nafter the thread: ''\n")


def storm(machine, files):
    machine.same("threads come and go", [files["storm"], "rounds", "14" if "--seed" in machine.osv else "150"])


def storm_soak(machine, files):
    """The same for a minute; on QEMU's own processor, which takes long for everything, for ten seconds."""
    seconds = "10" if machine.is_kernel else "60"
    machine.same("threads come and go for %s seconds" % seconds, [files["storm"], "seconds", seconds],
                 linux=[[files["storm"], "rounds", "30"]], keep=own_lines)
