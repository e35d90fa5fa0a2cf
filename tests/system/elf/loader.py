# SPDX-License-Identifier: BSD-3-Clause
"""loader.py: what the loader makes of paths in the environment and of libraries that are not what they were, for compare.py."""
import os
import re
import struct


def write(machine, name, data):
    path = os.path.join(machine.directory, name)
    with open(path, "wb") as file:
        file.write(data)
    os.chmod(path, 0o755)
    return path


def both(machine, name, variables, *command):
    """The same program with variables in its environment: osv-sim itself must not see them."""
    options = [word for variable in variables for word in ("-e", variable)]
    machine.same(name, options + list(command), linux=[["env"] + variables + list(command)])


def ends(machine, name, options, command, status, *words):
    got, out, err = machine.run(machine.osv + options + command)
    text = err.decode(errors="replace")
    ok = got == status and all(word in text for word in words)
    machine.case(name, ok, "status %d, want %d; stderr (want %s):\n%s\nstdout: %r" % (got, status, words, text, out[:200]))


def paths(machine, files):
    gone = files["gone"]
    both(machine, "the library next to the program", [], gone, "x")
    both(machine, "LD_LIBRARY_PATH comes first", ["LD_LIBRARY_PATH=/nowhere:" + os.path.dirname(gone)], gone, "x")
    both(machine, "LD_PRELOAD", ["LD_PRELOAD=" + files["libpreload.so"]], gone, "x")
    both(machine, "two in LD_PRELOAD", ["LD_PRELOAD=" + files["libpreload.so"] + ":" + files["libcopied.so"]], gone)
    _, out, err = machine.run(machine.osv + ["-e", "LD_PRELOAD=/no/such.so", gone])
    machine.case("a preload that is not there is passed over", b"kept: 1" in out and b"/no/such.so" in err, repr((out, err)))


def losses(machine, files):
    lost = os.path.join(machine.directory, "lost")
    os.mkdir(lost)
    with open(files["lost_libgone.so"], "rb") as file:
        write(machine, "lost/libgone.so", file.read())
    option = ["-e", "LD_LIBRARY_PATH=" + lost, "-v", lost + ":" + lost + ":ro"]
    ends(machine, "a missing function that is not called", option, [files["gone"]], 0)
    ends(machine, "a missing function that is called", option, [files["gone"], "x"], 127, "gone_function", "GONE_1", "gone")
    ends(machine, "--verbose names it at load", option + ["--verbose"], [files["gone"]], 0, "gone_function", "GONE_1")
    ends(machine, "missing data", option, [files["gone_data"]], 127, "gone_data", "GONE_1")
    os.unlink(os.path.join(lost, "libgone.so"))
    with open(files["textrel_libgone.so"], "rb") as file:
        write(machine, "lost/libgone.so", file.read())
    ends(machine, "a library that relocates its text", option, [files["gone"]], 126, "-fPIC", "libgone.so")


def segments(machine, files):
    with open(files["gone"], "rb") as file:
        data = bytearray(file.read())
    offset, = struct.unpack_from("<Q", data, 32)
    count, = struct.unpack_from("<H", data, 56)
    for i in range(count):
        kind, flags = struct.unpack_from("<II", data, offset + 56 * i)
        if kind == 1 and flags == 5:
            struct.pack_into("<I", data, offset + 56 * i + 4, 7)
    ends(machine, "a segment that is writable and executable", [], [write(machine, "both", data)], 126, "writable and executable")


def spaces(machine, files):
    """A second namespace is refused, and the message says what to do."""
    status, out, _ = machine.run(machine.osv + [files["space"], "libz.so.1"])
    machine.case("dlmopen", status == 0 and out == b"libz.so.1: dlmopen: there is one namespace only; use LM_ID_BASE or dlopen\nloaded\n",
                 repr((status, out)))


def traces(machine, files):
    """--debug prints about a library what LD_DEBUG does, in the same order; only files are not looked for in as many places."""
    library = os.path.join(os.path.dirname(files["gone"]), "libgone.so").encode()

    def told(command):
        lines = [re.sub(rb"^( *\d+:\t|osv: )", b"", line) for line in machine.run(command)[2].split(b"\n")]
        return [line for line in lines if library in line or b"library=libgone.so" in line]

    for variables in ([], ["LD_BIND_NOW=1"]):
        options = [word for variable in variables for word in ("-e", variable)]
        want = told(["env", "LD_DEBUG=libs,bindings"] + variables + [files["gone"], "x"])
        have = told(machine.osv + options + ["--debug", "libs,symbols", files["gone"], "x"])
        machine.case("--debug " + " ".join(variables), have == want and len(want) > 4,
                     "want:\n%s\nhave:\n%s" % (b"\n".join(want).decode(), b"\n".join(have).decode()))
    if machine.is_kernel:
        return  # what is wrong with an option osv-sim says in words of its own
    status, _, err = machine.run(machine.osv + ["--debug", "nothing", files["gone"]])
    machine.case("--debug knows its words", status == 2 and b"libs,symbols" in err, repr((status, err)))
