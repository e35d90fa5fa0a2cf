#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""image_test.py OSV-IMAGE KERNEL HELLO SYSTEM.C PACK.C: what osv-image packs, that it packs the same again, and what it refuses:
with one line that names what is wrong, and without an output."""
import os
import re
import resource
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), ".."))
import cases  # pylint: disable=wrong-import-position
import images  # pylint: disable=wrong-import-position

MIB = 1 << 20
SERVERS = "/etc/resolv.conf"  # which each image has
LIBC = {"libc.so.6", "libpthread.so.0", "libdl.so.2", "librt.so.1", "ld-linux-x86-64.so.2"}


def sizes(test, tool, hello):
    image = tool.build("hello.osv", "-f", hello + ":/bin/hello", "/bin/hello", "3", "two words", 'a "quote"')
    test.case("an image of hello has 2 MiB at most", os.path.getsize(image) <= 2 * MIB, os.path.getsize(image))
    status, out, error = tool.run("inspect", image)
    lines = dict(line.split(":", 1) for line in out.splitlines() if not line.startswith(" "))
    test.case("inspect counts files, directories and links", lines["files"].split() == "2, in 7 directories, and 0 links".split(),
              lines["files"])
    test.case("inspect succeeds", status == 0 and error == "" and lines["image"].split()[0] == "elf,", out + error)
    kernel = int(lines["kernel"].split("(")[1].split()[0])
    test.case("the kernel has 1.5 MiB at most", kernel <= 3 * MIB // 2, kernel)
    test.case("inspect shows the command line",
              lines["command"].strip() == r'--root=initrd -- /bin/hello 3 "two words" "a \"quote\""', lines["command"])
    _, out, _ = tool.run("inspect", tool.build("options.osv", "--option=--strace", "-e", "A=", "--cwd=/usr", "seq", ""))
    test.case("options of the kernel, environment, current directory and empty arguments are in it",
              '\ncommand:  --root=initrd --env=A= --cwd=/usr --strace -- ' in out and '/seq ""\n' in out, out)
    test.case("the C library is left out", tool.files(image) == ["/bin/hello", SERVERS], tool.files(image))
    status, out, _ = tool.run("inspect", tool.kernel)
    test.case("a plain kernel has no root", status == 0 and "root:     none" in out, out)


def compile_shared(tool, name, *arguments, source="int f;"):
    path = tool.path(name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    subprocess.run(["gcc", "-xc", "-", "-xnone", "-o", path, "-Wl,--no-as-needed", *arguments], input=source, text=True, check=True)
    return path


def libraries(test, tool):
    """Each needs the next one, which is found another way."""
    def shared(name, *arguments):
        return compile_shared(tool, name, "-shared", "-fPIC", "-Wl,-soname," + os.path.basename(name), *arguments)
    by_path = shared("p/libbypath.so")
    deep = shared("r/libdeep.so", by_path)  # by LD_LIBRARY_PATH
    middle = shared("r/libmiddle.so", deep)  # by DT_RPATH of the program
    near = shared("prefix/lib/libnear.so", "-lz")  # by DT_RUNPATH of the library below
    outer = shared("prefix/lib/libouter.so", near, "-Wl,--enable-new-dtags,-rpath,${ORIGIN}")
    program = compile_shared(tool, "prefix/bin/program", outer, middle, "-Wl,-rpath-link," + tool.path("p"),
                             "-Wl,--disable-new-dtags,-rpath,$ORIGIN/../lib:" + tool.path("r"),
                             source="int main(void) { return 0; }")
    ways = ["--env=LD_LIBRARY_PATH=/nowhere:" + tool.path("p")]
    files = tool.files(tool.build("libraries.osv", *ways, program))
    wanted = {program, outer, near, middle, deep, by_path, SERVERS}
    test.case("libraries by DT_RPATH, DT_RUNPATH, LD_LIBRARY_PATH", wanted <= set(files), files)
    test.case("and by /etc/ld.so.conf", any("libz.so." in file for file in files), files)
    test.case("and nothing else", len(files) == len(wanted) + 1, files)
    test.case("the C library's companions are left out", not LIBC & {os.path.basename(file) for file in files}, files)

    status, _, error = tool.run("build", "-o", "missing.osv", "--kernel", tool.kernel, program)
    test.case("a missing library is named, with who needs it",
              status == 1 and error.count("\n") == 1 and deep in error and "libbypath.so" in error, error)
    os.rename(by_path, by_path + ".away")
    tool.write("p/libbypath.so", b"\x7fELF\x01\x01\x01" + bytes(64))
    status, _, error = tool.run("build", "-o", "missing.osv", "--kernel", tool.kernel, *ways, program)
    test.case("a library for another machine is passed over", status == 1 and "libbypath.so" in error, error)
    os.rename(by_path + ".away", by_path)

    os.rename(tool.path("prefix"), tool.path("moved"))
    os.rename(tool.path("r"), tool.path("moved-r"))
    places = {"moved": "/opt", "moved-r": "/usr/lib", "p/libbypath.so": "/lib/libbypath.so"}
    files = tool.files(tool.build("relocated.osv", *["--file=%s:%s" % (tool.path(host), guest) for host, guest in places.items()],
                                  "/opt/bin/program"))
    test.case("the image's own libraries come first",
              {"/opt/bin/program", "/opt/lib/libouter.so", "/opt/lib/libnear.so", "/usr/lib/libmiddle.so", "/usr/lib/libdeep.so",
               "/lib/libbypath.so"} <= set(files) and not any(file.startswith(tool.directory) for file in files), files)


def supplied(source):
    """The names in the list of libraries that a C file has."""
    with open(source) as file:
        return re.findall(r'"([^"]+)"', re.search(r'\{\s*("libc\.so\.6"[^}]*)\}', file.read()).group(1))


def programs(test, tool):
    script = tool.write("script", "#! /bin/bash -u\necho a script\n", 0o755)
    files = tool.files(tool.build("script.osv", script))
    test.case("a script comes with its interpreter and that one's libraries",
              script in files and any(f.endswith("/bash") for f in files) and any("libtinfo" in f for f in files), files)
    files = tool.files(tool.build("path.osv", "seq", "3"))
    test.case("a program is looked up in PATH", [os.path.basename(file) for file in files if file != SERVERS] == ["seq"], files)
    shutil.copy(shutil.which("seq"), tool.path("my-seq"))
    files = tool.files(tool.build("relative.osv", "./my-seq", "3"))
    test.case("a relative path is the host's", files == [tool.path("my-seq"), SERVERS], files)


def extract(tool, image):
    with open(image, "rb") as file:
        data = file.read()
    offset, size = images.root_place(data)
    root = tool.write("extracted.erofs", data[offset:offset + size])
    shutil.rmtree(tool.path("extracted"), ignore_errors=True)
    subprocess.run(["fsck.erofs", "--extract=" + tool.path("extracted"), root], check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)
    return tool.path("extracted")


def fill(tool, name):
    """A root with files of all kinds."""
    shutil.copy(shutil.which("seq"), tool.write(name + "/bin/seq", ""))
    os.chmod(tool.path(name + "/bin/seq"), 0o755)
    tool.write(name + "/etc/secret", "s", 0o600)
    tool.write(name + "/proc/hidden", "beneath a mount")
    tool.write(name + "/data/big", os.urandom(1 << 10) * (1 << 10))
    tool.write(name + "/data/set", "x", 0o751)
    os.link(tool.path(name + "/data/big"), tool.path(name + "/data/another"))
    os.symlink("../etc/none", tool.path(name + "/data/dangling"))
    os.symlink("/bin", tool.path(name + "/programs"))
    os.mkfifo(tool.path(name + "/data/fifo"), 0o640)
    os.mkdir(tool.path(name + "/empty"))
    os.chmod(tool.path(name + "/empty"), 0o1777)
    for path, directories, files in os.walk(tool.path(name)):
        for file in files + directories + ["."]:
            os.utime(os.path.join(path, file), (1e9, 1e9), follow_symlinks=False)
    return tool.path(name)


def roots(test, tool):
    root = fill(tool, "root")
    image = tool.build("root.osv", "--root", root, "--cwd=/data", "/programs/seq", "2")
    copy = extract(tool, image)
    wrong = []
    for path in ["bin/seq", "etc/secret", "data/set", "data/big", "data/dangling", "programs", "empty", "data/fifo"]:
        have, want = os.lstat(os.path.join(copy, path)), os.lstat(os.path.join(root, path))
        if stat.S_IFMT(have.st_mode) != stat.S_IFMT(want.st_mode) or have.st_mtime != want.st_mtime or (
                have.st_mode != want.st_mode and os.getuid() == 0):
            wrong.append((path, oct(have.st_mode), oct(want.st_mode), have.st_mtime))
    test.case("--root keeps kinds, modes and dates", not wrong, wrong)
    test.case("and links", os.readlink(os.path.join(copy, "data/dangling")) == "../etc/none" and
              os.readlink(os.path.join(copy, "programs")) == "/bin")
    test.case("a file with two names is there once", images.root_place(open(image, "rb").read())[1] < 3 * MIB // 2)
    test.case("mount points are there, and empty", all(os.listdir(os.path.join(copy, name)) == [] for name in ["tmp", "dev", "proc", "sys"]))
    other = fill(tool, "other")
    shutil.copy(os.path.join(root, "data/big"), os.path.join(other, "data/big"))
    for file in ["big", "another", "."]:
        os.utime(os.path.join(other, "data", file), (1e9, 1e9))
    again = tool.build("again.osv", "--root", other, "--cwd=/data", "/programs/seq", "2")
    same = open(image, "rb").read() == open(again, "rb").read()
    test.case("the same files make the same image", same)
    os.utime(os.path.join(other, "data/set"), (1.5e9, 1.5e9))
    env = dict(os.environ, SOURCE_DATE_EPOCH="1000000000")
    clamped = tool.build("clamped.osv", "--root", other, "--cwd=/data", "/programs/seq", "2", env=env)
    image = tool.build("root.osv", "--root", root, "--cwd=/data", "/programs/seq", "2", env=env)
    test.case("whatever is younger than SOURCE_DATE_EPOCH", open(image, "rb").read() == open(clamped, "rb").read())


def refusals(test, tool, hello):
    def refuse(claim, status, words, *arguments, build=("build", "-o", "refused.osv"), **how):
        before = sorted(os.listdir(tool.directory))
        got, out, error = tool.run(*build, *arguments, **how)
        holds = got == status and error.startswith("osv-image: ") and error.count("\n") == 1 and out == ""
        holds = holds and all(word in error for word in words)
        test.case(claim, holds and sorted(os.listdir(tool.directory)) == before, "status %d: %s" % (got, error))

    kernel = ["--kernel", tool.kernel]
    refuse("no verb", 2, ["''"], build=())
    refuse("an unknown verb", 2, ["'make'"], build=("make",))
    refuse("no program", 2, ["no program"])
    refuse("no output", 2, ["-o FILE"], "seq", build=("build",))
    refuse("an unknown option", 2, ["'--colour'"], "--colour", "seq")
    refuse("an option without its value", 2, ["'--file'"], "--file")
    refuse("a file without a guest's path", 2, ["HOST:GUEST"], "--file", hello, "seq")
    refuse("a file at a relative path", 2, ["HOST:GUEST"], "--file", hello + ":bin/hello", "seq")
    refuse("a variable without a value", 2, ["'HOME'"], "-e", "HOME", "seq")
    refuse("an option of the kernel that is none", 2, ["'strace'"], "--option=strace", "seq")
    refuse("a relative current directory", 2, ["'usr'"], "--cwd=usr", "seq")
    refuse("an unknown format", 2, ["'iso'"], "--format=iso", "seq")
    refuse("a program that is not there", 1, ["no-such-program", "PATH"], *kernel, "no-such-program")
    refuse("nor there", 1, ["/no/such", "no such file"], *kernel, "/no/such")
    refuse("a directory", 1, ["/usr/bin", "directory"], *kernel, "/usr/bin")
    refuse("a file that is not there", 1, ["/no/file"], *kernel, "-f", "/no/file:/file", "seq")
    refuse("a root that is not there", 1, ["/no/root"], *kernel, "--root=/no/root", "seq")
    refuse("a current directory that is not there", 1, ["/no/cwd"], *kernel, "--cwd=/no/cwd", "seq")
    hidden = tempfile.mkdtemp(prefix="osv-hidden-", dir="/tmp")
    shutil.copy(shutil.which("seq"), hidden + "/seq")
    refuse("a program that a mount would hide", 1, [hidden + "/seq: ", "over /tmp", "--file HOST:GUEST"], *kernel, hidden + "/seq")
    refuse("found by PATH, too", 1, [hidden + "/seq: "], *kernel, "--env=PATH=" + hidden, "seq")
    shutil.rmtree(hidden)
    for guest in ["/tmp/a", "/dev/a/b", "/proc/a"]:
        refuse("a file that a mount would hide: " + guest, 1, [guest + ": ", "over " + guest[:5].rstrip("/")], *kernel,
               "-f", hello + ":" + guest, "seq")
    os.symlink("/tmp", os.path.dirname(tool.write("linked/file", "")) + "/away")
    refuse("by way of a link", 1, ["/tmp/a: "], *kernel, "--root=linked", "-f", hello + ":/away/a", "seq")
    refuse("a directory over a mount point", 1, [": the kernel mounts", "/tmp"], *kernel, "-f", tool.path("linked") + ":/tmp", "seq")
    refuse("text as a program", 1, ["text", "no program"], *kernel, tool.write("text", "text", 0o755))
    refuse("a file that may not be executed", 1, ["plain", "chmod"], *kernel, tool.write("plain", "#!/bin/sh\n"))
    refuse("a script without its interpreter", 1, ["/no/interpreter", "lost"], *kernel,
           tool.write("lost", "#!/no/interpreter\n", 0o755))
    with open(hello, "rb") as file:
        good = file.read()
    foreign = bytearray(good)
    foreign[18:20] = (183).to_bytes(2, "little")  # EM_AARCH64
    refuse("a program for another machine", 1, ["foreign", "another machine"], *kernel, tool.write("foreign", bytes(foreign), 0o755))
    refuse("a program that is cut short", 1, ["short"], *kernel, tool.write("short", good[:200], 0o755))
    refuse("a kernel that is none", 1, ["text", "kernel"], "--kernel", tool.path("text"), "seq")
    refuse("a kernel that is not there", 1, ["/no/kernel"], "--kernel=/no/kernel", "seq")
    image = tool.build("image.osv", "seq")
    refuse("an image as a kernel", 1, ["image already"], "--kernel", image, "seq")
    refuse("arguments that are too long", 1, ["4016"], *kernel, "seq", "9" * 5000)
    refuse("an output in no directory", 1, ["/no/directory"], *kernel, "seq", build=("build", "-o", "/no/directory/x"))
    refuse("a directory as the output", 1, ["is a directory"], *kernel, "seq", build=("build", "-o", tool.directory))
    refuse("an output in the root", 1, ["inside/x.osv", "elsewhere"], *kernel, "--root", os.path.dirname(tool.write("inside/file", "")),
           "seq", build=("build", "-o", "inside/x.osv"))
    refuse("inspecting text", 1, ["text"], build=("inspect", tool.path("text")))
    refuse("inspecting nothing", 1, ["/no/image"], build=("inspect", "/no/image"))
    cut = tool.write("cut.osv", open(image, "rb").read()[:-4096])
    refuse("inspecting an image that is cut short", 1, ["cut short"], build=("inspect", cut))


def damaged_root(test, tool):
    with open(tool.build("image.osv", "seq"), "rb") as file:
        data = bytearray(file.read())
    inode = images.root_inode(data)
    data[inode + 8:inode + 12] = b"\xff\xff\xff\x7f"  # its size
    status, _, error = tool.run("inspect", tool.write("damaged.osv", bytes(data)))
    data[inode + 8:inode + 12], data[inode + 4:inode + 6] = bytes(4), (0o100644).to_bytes(2, "little")  # its size and mode
    no_directory = tool.run("inspect", tool.write("damaged.osv", bytes(data)))
    test.case("inspect does not take a root that is a file for an empty one",
              no_directory[0] == 1 and no_directory[2].endswith("its root is damaged\n"), no_directory)
    test.case("inspect names the block of a damaged root", status == 1 and "block 0: a file is longer" in error, error)


def endings(test, tool):
    """Nothing is left where the end comes early."""
    before = sorted(os.listdir(tool.directory))
    empty = {"PATH": "/nowhere"}
    status, _, error = tool.run("build", "-o", "ending.osv", "--kernel", tool.kernel, "/usr/bin/seq", env=empty)
    test.case("without mkfs.erofs its package is named", status == 1 and "mkfs.erofs" in error and "erofs-utils" in error, error)

    def small_files():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (MIB, MIB))
    status, _, error = tool.run("build", "-o", "ending.osv", "--kernel", tool.kernel, "/usr/bin/seq", preexec_fn=small_files)
    test.case("where there is no room one line says so", status == 1 and error.count("\n") == 1 and "too large" in error, error)
    bin_directory = os.path.dirname(tool.write("slow/mkfs.erofs", "#!/bin/sh\n: >%s\nexec sleep 60\n" % tool.path("slow/started"), 0o755))
    before = sorted(set(before) | {"slow"})
    process = subprocess.Popen([tool.tool, "build", "-o", "ending.osv", "--kernel", tool.kernel, "/usr/bin/seq"], cwd=tool.directory,
                               env=dict(os.environ, PATH=bin_directory + ":" + os.environ["PATH"]), stderr=subprocess.PIPE, text=True)
    while not os.path.exists(tool.path("slow/started")) and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    error = process.communicate(timeout=60)[1]
    test.case("SIGTERM ends it", process.returncode == 128 + signal.SIGTERM and "interrupted" in error, (process.returncode, error))
    test.case("nothing is left of any of these", sorted(os.listdir(tool.directory)) == before, os.listdir(tool.directory))


def main(tool_path, kernel, hello, system_c, pack_c):
    test = cases.Cases()
    test.case("what the kernel supplies is what images lack", supplied(system_c) == supplied(pack_c) != [], supplied(pack_c))
    hello = os.path.realpath(hello)
    # Programs of ours keep their paths in images, where /tmp and /dev are something else.
    with images.Tool(tool_path, kernel, os.environ["TEST_TMPDIR"]) as tool:
        sizes(test, tool, hello)
        libraries(test, tool)
        programs(test, tool)
        roots(test, tool)
        refusals(test, tool, hello)
        damaged_root(test, tool)
        endings(test, tool)
    return test.end()


sys.exit(main(*sys.argv[1:]))
