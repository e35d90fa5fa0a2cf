# SPDX-License-Identifier: BSD-3-Clause
"""pressure.py: programs that use all of little memory, for compare.py."""
import os
import socket
import subprocess


def small(machine, size="48M"):
    """The machine's command with that much memory."""
    return machine.osv + ["-m", size]


def all_so(machine, name, command, count):
    """A command that prints a line for each promise: what, and 1."""
    status, out, err = machine.run(command)
    lines = out.decode().splitlines()
    ok = status == 0 and len(lines) == count and all(line.endswith(" 1") for line in lines)
    machine.case(name, ok, "status %d\n%s\n%s" % (status, out.decode(), err.decode(errors="replace")[-1500:]))


def shrinking(machine, files):
    """The program's own shrinkers; on Linux it starts as well."""
    status, out, _ = machine.run([files["shrinking"]])
    machine.case("starts on Linux", (status, out) == (0, b"no shrinkers here\n"))
    all_so(machine, "shrinkers of the program", small(machine) + [files["shrinking"]], 11)


def usage(machine, files):
    """What /proc says of memory: laid out as Linux does, and true."""
    machine.same("formats", [files["usage"], "formats"])
    all_so(machine, "values", machine.osv + [files["usage"], "values"], 17)


def freed(machine, files):
    """What malloc was given back."""
    all_so(machine, "memory that malloc has free", small(machine) + [files["freed"]], 6)


def cleared(machine, files):
    """Free memory is cleared by processors that have no work; whoever gets it finds zeros."""
    machine.same("zeros", [files["cleared"], "zeros"])
    all_so(machine, "who clears", machine.osv + [files["cleared"], "figures"], 4)


REPORT = b"osv: memory has ended: "


def exhausting(machine, files):
    """All memory taken, given back, and again; what is said of that."""
    command = small(machine) + [files["exhausting"]]
    rounds = "10" if machine.is_seeded else "1000"
    for kind in "small", "large", "mapped":
        all_so(machine, "%s, %s times" % (kind, rounds), command + [kind, rounds], 4)
    all_so(machine, "calls where there is no memory", command + ["calls"], 9)
    all_so(machine, "what was granted", command + ["untouched"], 4)
    status, out, err = machine.run(command + ["untouched"])
    said = out + err
    ok = status == 0 and 1 <= said.count(REPORT) <= 2 and b"by a larger -m SIZE" in said
    machine.case("each shortage is reported once", ok, said.decode(errors="replace"))


class Control:
    """A program in a machine whose balloon has a socket: osv-sim's, or qemu.py's in front of QEMU."""

    def __init__(self, machine, words):
        path = os.path.join(machine.top, "balloon")
        self.child = subprocess.Popen(small(machine, "96M") + ["--balloon", path] + words, cwd=machine.directory,
                                      env=machine.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                      stderr=subprocess.PIPE, bufsize=0)
        self.path, self.socket, self.said, self.errors = path, None, [], []

    def line(self, text):
        """Waits until the program has said so."""
        while not self.said or self.said[-1] != text:
            got = self.child.stdout.readline().decode()
            if not got:
                raise EOFError("no '%s' after %s" % (text, self.said))
            self.said.append(got.strip())

    def complaint(self, text):
        """Waits until the kernel has said something of that kind."""
        while not self.errors or text not in self.errors[-1]:
            got = self.child.stderr.readline().decode()
            if not got:
                raise EOFError("no '%s' after %s" % (text, self.errors))
            self.errors.append(got.strip())
        return self.errors[-1]

    def ask(self, question):
        if self.socket is None:
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.connect(self.path)
            self.answers = self.socket.makefile("r")
        self.socket.sendall(question.encode() + b"\n")
        return self.answers.readline().strip()

    def actual(self):
        return int(self.ask("").split()[1]) >> 20

    def end(self):
        if self.socket is not None:
            self.answers.close()
            self.socket.close()
        out, err = self.child.communicate(timeout=60)
        self.said += out.decode().splitlines()
        self.errors += err.decode(errors="replace").splitlines()
        return self.child.returncode


def told(machine, program):
    """The host changes its mind while the program runs."""
    control = Control(machine, [program, "back"])
    control.line("ready 1")
    answers = [control.ask(line) for line in ("word", "1000G")]
    machine.case("what is no size is said", answers[0].startswith("error: 'word' is neither a size") and
                 answers[1].startswith("error: 1000G is more than the machine has"), "\n".join(answers))
    control.ask("40M")
    control.line("less 1")
    while control.actual() != 40:
        pass
    stats = control.ask("stats").split()
    figures = dict(zip(stats[::2], stats[1::2]))
    total, free = int(figures.get("total", 0)) >> 20, int(figures.get("free", 0)) >> 20
    machine.case("figures of the program's memory", 30 < total <= 56 and 0 < free < total, " ".join(stats))
    control.ask("0")
    status = control.end()
    machine.case("memory goes and comes as the host wants", status == 0 and control.said[-1] == "all 1",
                 "%d %s %s" % (status, control.said, control.errors))
    control = Control(machine, [program, "promised", "50"])
    control.line("mapped 1")
    control.ask("90M")
    why = control.complaint("osv: the balloon is to be 90 MiB and is ")
    control.child.stdin.write(b"go\n")
    status = control.end()
    machine.case("what the program was promised it keeps", status == 0 and control.said[-1] == "touched 1",
                 "%d %s %s" % (status, control.said, control.errors))
    machine.case("that is said once", control.errors.count(why) == 1, "\n".join(control.errors))


def balloon(machine, files):
    """Memory that the hypervisor takes, and gives back."""
    program = files["balloon"]
    all_so(machine, "memory that is taken", small(machine, "96M") + ["--balloon", "32M", program, "taken", "32"], 5)
    all_so(machine, "from a busy program", small(machine, "96M") + ["--balloon", "48M", program, "busy", "48"], 2)
    all_so(machine, "memory that is lent",
           small(machine, "96M") + ["--balloon", "64M,deflate-on-oom", program, "lent", "64"], 4)
    status, out, err = machine.run(small(machine, "96M") + ["--balloon", "95M", program, "beyond", "60"])
    machine.case("more than there is", (status, out) == (0, b"the program goes on 1\n"), "%d %s %s" % (status, out, err))
    if not machine.is_seeded:
        told(machine, program)


def rereading(machine, files):
    """A file that is larger than memory."""
    program = files["rereading"]
    rounds = "1" if machine.is_seeded else "3"
    all_so(machine, "again and again", small(machine, "32M") + [program, rounds], 10)
    if machine.is_seeded:
        return
    control = Control(machine, [program, "asked"])
    control.line("read 1")
    control.ask("40M")
    while control.actual() != 40:
        pass
    control.child.stdin.write(b"go\n")
    status = control.end()
    machine.case("the host gets pages of files", status == 0 and control.said[-1] == "read again 1",
                 "%d %s %s" % (status, control.said, control.errors))
