#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""tidy.py: reads the sources against the include table and the house style.

    tidy.py WORKSPACE    the file of that name in the tree to be read; prints TAP, one line per rule

A rule is a function that takes one Source (or the Tree) and yields (line, message). A rule's
docstring is its name in the output. Bazel's visibility enforces the include table once more.
"""
import os
import re
import subprocess
import sys

# The include table: a room may include each room to the right, and what that may include.
ROOMS = {
    "boot": ["libc"],
    "libc": ["linux"],
    "linux": ["elf", "net"],
    "elf": ["vfs"],
    "vfs": ["dev", "vm"],
    "net": ["dev"],
    "dev": ["sync"],
    "vm": ["sync"],
    "sync": ["sched"],
    "sched": ["mem"],
    "mem": ["lib"],
    "lib": [],
}
LIBC_ROOMS = {"linux", "libc"}  # may include the C library's public headers
COMPILER_HEADERS = {
    "stdint.h", "stddef.h", "stdbool.h", "stdarg.h", "stdatomic.h", "limits.h",
    "emmintrin.h", "immintrin.h", "x86intrin.h", "arm_neon.h", "cpuid.h",
}
# What else may be included, by the longest prefix of the includer's path.
BACKENDS = {
    "hal/": ["hal/"],
    "hal-linux/": ["hal/", "hal-linux/", "hal-x86_64/isa/", "hal-aarch64/isa/"],
    "hal-x86_64/isa/": ["hal/", "hal-x86_64/isa/"],
    "hal-x86_64/machine/": ["hal/", "hal-x86_64/"],
    "hal-aarch64/isa/": ["hal/", "hal-aarch64/isa/"],
    "hal-aarch64/machine/": ["hal/", "hal-aarch64/"],
    "sim/": ["hal/", "hal-linux/", "sim/"],
    "sim/image/contents.c": ["hal/", "sim/image/", "core/lib/errno.h", "core/vfs/erofs/"],  # reads images as core does
}
TOP_LEVEL = {
    "README.md", "LICENSE", "WORKSPACE", "BUILD.bazel", "compile_commands.json",
    "core", "hal", "hal-linux", "hal-x86_64", "hal-aarch64", "sim", "tests",
}
BANNED_NAMES = {"util", "utils", "misc", "helper", "helpers", "internal", "internals", "common"}
BANNED_WORDS = [
    (r"\b(TODO|FIXME|XXX|HACK)\b(?!.*(#|issue )\d)", "a task without an issue number"),
    (r"(?<![\w.])/(work|root)/|/tmp/wt\b", "a path of somebody's machine"),
]
# A loop that does nothing but try to take a word. A compare-exchange that computes its new value
# again in each turn is none, unless it pauses in between.
SPIN = re.compile(
    r"\bwhile\s*\(\s*!?\s*(?:__)?atomic_(?:"
    r"(?:exchange|flag_test_and_set|test_and_set)\w*\s*\([^;{}]*\)\s*(?:;|\{\s*(?:hal_cpu_relax\(\);\s*)*\})|"
    r"compare_exchange\w*\s*\([^;{}]*\)\s*(?:hal_cpu_relax\(\);|\{\s*(?:hal_cpu_relax\(\);\s*)+\}))")
BANNED_CODE = [
    (r"\bspin_?lock\w*", "a spinlock"),
    (r"\balloca\s*\(", "alloca"),
    (r"^\s*typedef\s+(struct|union|enum)\b", "a typedef of a struct, union or enum"),
    (r"\b(do|handle)_[a-z]\w*\s*\(|\b(?!__)\w+_impl\b", "do_, handle_ or _impl in a name"),
]
BANNED_IN_CORE = [
    (r"\b(_Thread_local|__thread|thread_local)\b", "thread-local storage in core"),
]
FUNCTION_LINES_MAX = 70
FILE_LINES_MAX = 800
COLUMNS_MAX = 100
COMMENT_COLUMNS_MAX = 120
CODE = (".c", ".h", ".S", ".cc")


def reachable(room):
    """The rooms that room may include, itself among them."""
    found = {room}
    for _ in ROOMS:
        found |= {right for left in found for right in ROOMS[left]}
    return found


def without_comments(text):
    """text with comments and strings blanked, lines and columns kept."""
    pattern = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)

    def blank(match):
        kept = match.group(0)
        if kept[0] in "\"'":
            return kept[0] + " " * (len(kept) - 2) + kept[0]
        return re.sub(r"[^\n]", " ", kept)

    return pattern.sub(blank, text)


class Source:
    """One file: its path in the tree and its lines."""

    def __init__(self, root, path):
        self.path = path
        with open(os.path.join(root, path), encoding="utf-8", errors="replace") as file:
            self.text = file.read()
        self.lines = self.text.split("\n")[:-1]
        self.name = os.path.basename(path)
        self.stem, self.kind = os.path.splitext(self.name)
        self.is_code = self.kind in CODE
        self.is_script = self.lines[:1] != [] and self.lines[0].startswith("#!")
        self.code_lines = without_comments(self.text).split("\n")[:-1] if self.is_code else []
        parts = path.split("/")
        self.room = parts[1] if parts[0] == "core" and len(parts) > 2 else None
        # musl's own headers with our lines in them, and files that are part of musl
        self.is_override = path.startswith("core/libc/override/")
        self.sees_musl = self.is_override or re.match(r"core/libc/musl_[^/]*\.c$", path) is not None

    def includes(self):
        for number, line in enumerate(self.lines, 1):
            match = re.match(r'\s*#\s*include\s*(["<])([^">]+)', line)
            if match:
                yield number, match.group(1) == '"', match.group(2)


class Tree:
    """All files that a commit could hold, below root."""

    def __init__(self, root):
        self.root = root
        self.sources = []
        for folder, folders, files in os.walk(root):
            folders[:] = sorted(f for f in folders if self.is_ours(folder, f))
            for file in sorted(files):
                path = os.path.relpath(os.path.join(folder, file), root)
                if self.is_text(path):
                    self.sources.append(Source(root, path))

    @staticmethod
    def is_ours(folder, name):
        return name not in (".git", ".cache", "__pycache__") and not (
            name.startswith("bazel-") and os.path.islink(os.path.join(folder, name)))

    @staticmethod
    def is_text(path):
        name = os.path.basename(path)
        return os.path.splitext(name)[1] in CODE + (".py", ".sh", ".bzl", ".bazel", ".md", ".ld", ".lua", ".sql") \
            or name in ("WORKSPACE", "setup", "run")


def include_allowed(source, quoted, name):
    """Whether the include table lets source include name."""
    if source.path.startswith("tests/") or source.sees_musl:
        return True
    if name == "hal_regs.h":
        return True  # the instruction set's registers, by include path like hal_inline.h
    if name == "hal_inline.h":
        return source.path == "hal/hal.h"
    if source.room is None:
        if not quoted:
            return True
        prefix = max((p for p in BACKENDS if source.path.startswith(p)), key=len, default=None)
        # a file of the same folder, or hal/common's one header by include path
        if "/" not in name and prefix is not None:
            return True
        return prefix is None or any(name.startswith(allowed) for allowed in BACKENDS[prefix])
    if not quoted:
        return name in COMPILER_HEADERS or source.room in LIBC_ROOMS
    if name == "hal/upcall.h":
        # Who defines an upcall, or is handed on what one was called with.
        return source.room == "boot" or re.search(r"^\w.*\b(upcall_\w+\(|\w+\(const struct hal_fault )", source.text, re.M) is not None
    match = re.match(r"core/(\w+)/", name)
    return name == "hal/hal.h" or (match is not None and match.group(1) in reachable(source.room))


def rule_includes(source):
    """every include follows the include table"""
    if source.is_code:
        for number, quoted, name in source.includes():
            if not include_allowed(source, quoted, name):
                yield number, "may not include %s" % name


def rule_own_header_first(source):
    """a .c file includes its own header first"""
    header = source.path[:-2] + ".h"
    names = [name for _, _, name in source.includes()] if source.kind == ".c" else []
    if header in names and names[0] != header:
        yield 1, "%s is not the first include" % header


def rule_no_conditionals(source):
    """core has no #if but include guards"""
    if source.room is None or source.is_override or not source.is_code:
        return
    guards = 0
    for number, line in enumerate(source.code_lines, 1):
        match = re.match(r"\s*#\s*(if|ifdef|ifndef|elif|else)\b\s*(\w*)", line)
        if not match:
            continue
        following = source.code_lines[number] if number < len(source.code_lines) else ""
        is_guard = match.group(1) == "ifndef" and source.kind == ".h" and guards == 0 and \
            re.match(r"#define %s\s*$" % re.escape(match.group(2)), following)
        guards += 1
        if not is_guard:
            yield number, "#%s" % match.group(1)


def functions(source):
    """(first line, last line, name) of each function: K&R braces in the first column."""
    start = None
    for number, line in enumerate(source.code_lines, 1):
        if line.rstrip() == "{":
            start = number
        elif line.startswith("}") and start is not None:
            head = " ".join(source.code_lines[max(0, start - 6):start - 1])
            names = re.findall(r"(\w+)\s*\((?:[^()]|\([^()]*\))*\)\s*$", head.rstrip())
            yield start, number, names[-1] if names else ""
            start = None


def rule_function_length(source):
    """no function is longer than 70 lines"""
    if source.kind in (".c", ".h"):
        for first, last, name in functions(source):
            if last - first - 1 > FUNCTION_LINES_MAX:
                yield first, "%s has %d lines" % (name, last - first - 1)


def rule_no_recursion(source):
    """no function of core calls itself"""
    if source.room is not None and source.kind in (".c", ".h") and not source.is_override:
        for first, last, name in functions(source):
            for number in range(first, last):
                if name and re.search(r"(?<![\w.>])%s\s*\(" % name, source.code_lines[number]):
                    yield number + 1, "%s calls itself" % name


def rule_file_length(source):
    """no file is longer than 800 lines"""
    if (source.is_code or source.kind == ".py") and len(source.lines) > FILE_LINES_MAX:
        yield len(source.lines), "%d lines" % len(source.lines)


def rule_line_length(source):
    """no line is longer than 100 columns, a comment 120"""
    if not source.is_code or source.is_override:
        return
    for number, line in enumerate(source.lines, 1):
        is_comment = line.lstrip().startswith("//") or (source.kind == ".h" and "//" in line)
        if len(line) > (COMMENT_COLUMNS_MAX if is_comment else COLUMNS_MAX):
            yield number, "%d columns" % len(line)


def rule_white_space(source):
    """no tab for indentation, no blank at a line's end, one newline at the end of a file"""
    if not source.is_code or source.is_override:
        return
    for number, line in enumerate(source.lines, 1):
        if line != line.rstrip():
            yield number, "blank at the end"
        if source.kind != ".S" and "\t" in line:
            yield number, "tab"
    if source.text and (not source.text.endswith("\n") or source.text.endswith("\n\n")):
        yield len(source.lines), "end of file"


def rule_banned_words(source):
    """no task without an issue, no path of a machine"""
    if source.path.startswith("tests/tidy/"):
        return
    for number, line in enumerate(source.lines, 1):
        for pattern, what in BANNED_WORDS:
            if re.search(pattern, line):
                yield number, what


def rule_banned_code(source):
    """no spinlock, alloca, struct typedef, do_ or _impl; no thread-local storage in core"""
    if not source.is_code or source.path.startswith("tests/") or source.sees_musl:
        return
    text = "\n".join(source.code_lines)
    for match in SPIN.finditer(text):
        yield text.count("\n", 0, match.start()) + 1, "a spinlock"
    patterns = BANNED_CODE + (BANNED_IN_CORE if source.room else [])
    for number, line in enumerate(source.code_lines, 1):
        for pattern, what in patterns:
            if re.search(pattern, line):
                yield number, what


def rule_file_names(source):
    """a file is named by a noun"""
    if source.is_code and source.stem.lower() in BANNED_NAMES:
        yield 1, "%s is not a noun" % source.stem


def rule_licence(source):
    """each file starts with its licence"""
    if source.is_code or source.kind in (".py", ".sh") or source.name in ("setup", "run"):
        line = source.lines[1 if source.is_script else 0] if len(source.lines) > source.is_script else ""
        if not re.match(r"(//|#|/\*) SPDX-License-Identifier: BSD-3-Clause", line):
            yield 1, "no SPDX line"


def rule_preamble(source):
    """each file says what it is for"""
    if source.is_code and source.kind != ".cc":
        line = source.lines[1] if len(source.lines) > 1 else ""
        if not re.match(r"(//|/\*) %s: \S" % re.escape(source.name), line) and not source.is_override:
            yield 2, "no `// %s: ...`" % source.name


def rule_include_guard(source):
    """each header has the guard of its path"""
    if source.kind != ".h" or source.is_override or source.name == "bench.h":
        return
    names = re.findall(r"^#ifndef (\w+)\n#define \1$", source.text, re.M)
    tail = re.sub(r"\W", "_", source.name).upper()
    if not names or not names[0].endswith(tail):
        yield 3, "no #ifndef ...%s" % tail


def header_command(path):
    """The compiler and its options for a header that is to be compiled alone."""
    compiler = "/usr/bin/gcc"
    backend = "hal-linux"
    if "aarch64" in path:
        compiler = "/usr/bin/aarch64-linux-gnu-gcc"
        backend = "hal-aarch64/isa"
    elif path.startswith("hal-x86_64/machine/"):
        backend = "hal-x86_64/isa"
    elif path.startswith(("tests/unit/", "tests/seed/")):
        backend = "hal-linux/seed" if path.startswith("tests/seed/") else "tests/unit/hal"
    return [compiler, "-std=gnu11", "-D_GNU_SOURCE", "-ffreestanding", "-fsyntax-only", "-w", "-x", "c",
            "-I.", "-I" + backend, path]


def rule_headers_compile(tree):
    """each header compiles alone"""
    for source in tree.sources:
        # hal_inline.h is the second half of hal.h
        if source.kind == ".h" and not source.is_override and source.name != "hal_inline.h":
            result = subprocess.run(header_command(source.path), cwd=tree.root, capture_output=True, text=True,
                                    check=False)
            if result.returncode:
                yield source.path, 1, next(line for line in result.stderr.split("\n") if "error" in line)


def rule_top_level(tree):
    """the top level is the one that the design fixes"""
    for name in sorted(os.listdir(tree.root)):
        if name not in TOP_LEVEL and not name.startswith((".", "bazel-")):
            yield name, 1, "not in the top level"


FILE_RULES = [
    rule_includes, rule_own_header_first, rule_no_conditionals, rule_function_length, rule_no_recursion,
    rule_file_length, rule_line_length, rule_white_space, rule_banned_words, rule_banned_code,
    rule_file_names, rule_licence, rule_preamble, rule_include_guard,
]
TREE_RULES = [rule_headers_compile, rule_top_level]


def findings(tree):
    """(rule, [(path, line, message)]) for each rule."""
    for rule in FILE_RULES:
        yield rule, [(source.path, line, message) for source in tree.sources for line, message in rule(source)]
    for rule in TREE_RULES:
        yield rule, list(rule(tree))


def main(workspace):
    tree = Tree(os.path.dirname(os.path.realpath(workspace)))
    failed = 0
    for number, (rule, found) in enumerate(findings(tree), 1):
        print("%sok %d - %s" % ("not " if found else "", number, rule.__doc__))
        for path, line, message in found:
            print("# %s:%d: %s" % (path, line, message))
        failed += bool(found)
    print("1..%d" % number)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
