"""compiler_repository: what this machine's compilers are.

It writes the directory of each compiler's own headers (<stdint.h>, <stdarg.h> ...)
into defs.bzl, and each compiler's version into a file that is an input of every
compile: without it a compiler upgrade would keep the old objects silently.
"""

_COMPILERS = {
    "gcc": ["/usr/bin/gcc", "-print-file-name=include", ""],
    "clang": ["/usr/bin/clang", "-print-resource-dir", "/include"],
    "gcc_aarch64": ["/usr/bin/aarch64-linux-gnu-gcc", "-print-file-name=include", ""],
}

def _run(rctx, command):
    result = rctx.execute(command)
    if result.return_code:
        fail("%s failed; hal/tools/setup installs it. %s" % (command[0], result.stderr))
    return result.stdout.strip()

def _impl(rctx):
    lines = []
    for name, (path, option, suffix) in _COMPILERS.items():
        lines.append("%s_INCLUDE = \"%s%s\"" % (name.upper(), _run(rctx, [path, option]), suffix))
        rctx.file(name + ".version", _run(rctx, [path, "--version"]) + "\n")
    rctx.file("defs.bzl", "\n".join(lines) + "\n")
    rctx.file("WORKSPACE", "workspace(name = \"%s\")\n" % rctx.name)
    rctx.file("BUILD.bazel", "exports_files(glob([\"*.version\"]))\n")

compiler_repository = repository_rule(implementation = _impl, local = True)
