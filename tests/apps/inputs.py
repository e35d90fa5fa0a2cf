# SPDX-License-Identifier: BSD-3-Clause
"""inputs.py: the files that programs.py's cases work on, made anew for each run, always the same.

INPUTS maps a name to a function that makes it at a path: a file, or a directory.
"""
import json
import os
import random
import struct
import subprocess

MOMENT = 1_000_000_000  # the time stamp of every file, so that archives and listings agree
SYLLABLES = "ka lo mi ne ru sa to vi xe zu".split()


def word(generator):
    return "".join(generator.choice(SYLLABLES) for _ in range(generator.randint(1, 3)))


def mixed(size):
    """Text, numbers and noise that compress to about a third."""
    generator = random.Random(7)
    words = [word(generator).encode() for _ in range(4000)]
    blocks = [b" ".join(generator.choices(words, k=800)) for _ in range(40)]
    blocks += [struct.pack("<500I", *(n * n & 0xffff for n in range(k, k + 500))) for k in range(20)]
    blocks += [generator.randbytes(1500) for _ in range(20)]
    made = bytearray()
    while len(made) < size:
        made += generator.choice(blocks)
        made += b"%d\n" % generator.randrange(10 ** 9)
    return bytes(made[:size])


def prose(size):
    """Words in no order: nothing repeats for long."""
    generator = random.Random(9)
    words = [word(generator).encode() for _ in range(20000)]
    made = bytearray()
    while len(made) < size:
        made += b" ".join(generator.choices(words, k=20000)) + b"\n"
    return bytes(made[:size])


def lines(count=2000):
    generator = random.Random(4)
    return "".join("%d %s %d\n" % (n, word(generator), generator.randrange(1000)) for n in range(count)).encode()


def records(count=500):
    generator = random.Random(5)
    return json.dumps([{"name": word(generator), "kind": generator.choice("abc"), "size": generator.randrange(1000),
                        "tags": [word(generator) for _ in range(generator.randrange(4))]} for _ in range(count)]).encode()


def numbers():
    generator = random.Random(6)
    units = ["", "K", "M"]
    return "".join("%s%d%s\t%.3f\t%s\n" % (generator.choice(["", "-"]), generator.randrange(5000), generator.choice(units),
                                            generator.random() * 100, word(generator)) for _ in range(1000)).encode()


def makefile():
    return b"""NAMES := one two three
OBJECTS := $(NAMES:%=%.o)
all: $(OBJECTS) report
define rule
$(1).o: $(1).c common.h
\tcc -c -O2 -D NAME=$(1) -o $$@ $$<
endef
$(foreach name,$(NAMES),$(eval $(call rule,$(name))))
report: $(OBJECTS) ; @echo linked $^ $(words $^) $(sort b a c) $(patsubst %.o,%,$<)
$(NAMES:%=%.c): ; touch $@
common.h:
ifeq ($(DEBUG),1)
\techo debug > $@
else
\techo '$(subst e,E,release)' > $@
endif
.PHONY: all report
"""


def macros():
    return b"""define(`count', `ifelse($#, 0, 0, $#)')dnl
define(`repeat', `ifelse($1, 0, `', `$2`'repeat(decr($1), `$2')')')dnl
define(`reverse', `ifelse($#, 0, , $#, 1, ``$1'', `reverse(shift($@)), `$1'')')dnl
count(a, b, c) repeat(5, `ab ') reverse(1, 2, 3)
eval(2 ** 10 + 0x1f % 7) len(`four') index(`foobar', `bar') substr(`abcdef', 2, 3) translit(`abc', `a-c', `x-z')
divert(1)later
divert(0)dnl
changequote([, ])dnl
define([greet], [hello $1, $2])greet([you], [all]) format([%05d|%-5s|%.2f], 42, ab, 3.14159)
pushdef([x], 1)pushdef([x], 2)x popdef([x])x ifdef([y], yes, no) incr(41) regexp([abc123], [[0-9]+])
patsubst([a-b-c], [-], [+]) forloop errprint([to the error stream
])dnl
m4exit(3)
"""


def tree(path):
    """Directories, files of all sizes and modes, links."""
    generator = random.Random(8)
    for number in range(12):
        folder = os.path.join(path, "folder %d" % (number % 4), "deep" * (number % 3))
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, "%s.%s" % (word(generator), "ch"[number % 2])), "wb") as file:
            file.write(generator.randbytes(generator.choice([0, 1, 511, 512, 513, 10000])))
        os.chmod(file.name, 0o600 + number)
    os.makedirs(os.path.join(path, "empty"))
    os.symlink("folder 0", os.path.join(path, "to folder"))
    os.symlink("nothing", os.path.join(path, "dangling"))
    os.link(file.name, os.path.join(path, "hard"))


def git(path, *arguments):
    environment = dict(os.environ, GIT_CONFIG_GLOBAL="/dev/null", GIT_CONFIG_NOSYSTEM="1", HOME="/nonexistent")
    environment.update({"GIT_%s_%s" % (who, what): value for who in ("AUTHOR", "COMMITTER") for what, value in
                        (("NAME", "A. Body"), ("EMAIL", "a@example.org"), ("DATE", "%d +0100" % (MOMENT + git.moment)))})
    git.moment += 60
    subprocess.run(("git", "-C", path) + arguments, env=environment, check=True, stdout=subprocess.DEVNULL)


def repository(path):
    """Six commits, a branch, a merge, a tag; some objects packed."""
    git.moment = 0
    os.makedirs(path)
    git(path, "init", "-q", "-b", "main")
    for number in range(4):
        with open(os.path.join(path, "file"), "a", encoding="ascii") as file:
            file.write("".join("line %d of %d\n" % (n, number) for n in range(number * 10, number * 10 + 10)))
        with open(os.path.join(path, "new %d" % number), "w", encoding="ascii") as file:
            file.write("new\n" * number)
        git(path, "add", ".")
        git(path, "commit", "-q", "-m", "commit %d\n\nIts body." % number)
    git(path, "tag", "-a", "v1", "-m", "the first")
    git(path, "repack", "-adq")
    git(path, "checkout", "-q", "-b", "side", "HEAD~2")
    git(path, "mv", "new 0", "moved")
    git(path, "commit", "-q", "-m", "on the side")
    git(path, "checkout", "-q", "main")
    git(path, "merge", "-q", "--no-edit", "side")


def write(make):
    def writer(path):
        with open(path, "wb") as file:
            file.write(make())
    return writer


INPUTS = {
    "lines": write(lines),
    "numbers": write(numbers),
    "data.json": write(records),
    "sample": write(lambda: mixed(4 << 20)),
    "sample10": write(lambda: mixed(10 << 20)),
    "sample50": write(lambda: mixed(50 << 20)),
    "some": write(lambda: mixed(200_000)),
    "Makefile": write(makefile),
    "macros": write(macros),
    "tree": tree,
    "repository": repository,
}
