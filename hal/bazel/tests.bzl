"""The kinds of test: check_test, seed_test, sim_test, and the programs that run on the simulator."""

load(":core.bzl", "DRD_COPTS", "SEED_COPTS", "WARNINGS")
load(":kernel.bzl", "KERNEL_EXEMPT", "KERNEL_MACHINES", "KERNEL_SLOW")

_COPTS = ["-std=gnu11", "-D_GNU_SOURCE"] + WARNINGS

def check_test(
        name,
        rooms = [],
        deps = [],
        copts = [],
        tags = [],
        srcs = None,
        linkopts = [],
        size = "small",
        leaks = False,
        target_compatible_with = ["@platforms//os:linux"],
        **kwargs):
    """A unit test with Check: NAME.c against the _unit form of rooms and what they stand on.

    Args:
      name: the test; its source is NAME.c.
      rooms: rooms of core that it tests.
      deps: anything else.
      copts: more options for the compiler.
      tags: no-valgrind and no-san leave it out there; threads: its cases with the tag threads, for which the host's
        threads are CPUs, run under DRD.
      srcs: its sources where NAME.c is not enough.
      linkopts: more libraries.
      size: "medium" for more than a minute with sanitizers on a busy machine.
      leaks: its cases end with files open and the like: no leak is looked for, and Valgrind is
        left out.
      target_compatible_with: where it can run.
      **kwargs: of cc_test.
    """
    native.cc_test(
        name = name,
        srcs = srcs or [name + ".c"],
        copts = _COPTS + ["-Itests/unit/hal"] + DRD_COPTS + copts,
        linkopts = ["-lcheck", "-lsubunit", "-lm", "-lrt", "-lpthread"] + linkopts,
        linkstatic = True,  # one file per test: llvm-cov and Valgrind see it all
        size = size,
        tags = ["check"] + tags + (["no-valgrind"] if leaks else []),
        env = {"ASAN_OPTIONS": "detect_leaks=0"} if leaks else {},
        target_compatible_with = target_compatible_with,
        deps = ["//core/%s:%s_unit" % (room, room) for room in rooms] + deps +
               ["//hal", "//tests/unit/hal"],
        **kwargs
    )

def seed_test(name, rooms = [], sources = [], deps = [], srcs = None, guesses = False, **kwargs):
    """A test on the deterministic machine: NAME.c against the _seed form of rooms; prints TAP.

    Args:
      name: the test; its source is NAME.c.
      rooms: rooms of core that it tests.
      sources: files of these rooms that it tests without the rest: the test's own functions win over core's, and
        what functions need that it does not call is not missed.
      deps: what stands in for other rooms: linked before rooms, so that its functions win.
      srcs: its sources where NAME.c is not enough.
      guesses: the other CPU may go on within the test's and the sources' MARK_GUESS functions, too; MARK_UNSEEN
        ones stay one step.
      **kwargs: of cc_test.
    """
    native.cc_test(
        name = name,
        srcs = (srcs or [name + ".c"]) + sources,
        copts = _COPTS + ["-Itests/seed"] + SEED_COPTS +
                (["-ffunction-sections"] if sources else []) + (["-include", "tests/seed/seen.h"] if guesses else []),
        linkopts = ["-Wl,--gc-sections", "-Wl,--allow-multiple-definition"] if sources else [],
        features = ["seed", "-asan", "-ubsan", "-tsan", "-fuzzer", "-llvmcov"],
        linkstatic = True,
        tags = ["seed", "no-san", "no-valgrind"],
        target_compatible_with = ["@platforms//os:linux", "@platforms//cpu:x86_64"],
        deps = ["//tests/seed:machine"] + deps +
               ["//core/%s:%s_seed" % (room, room) for room in rooms] + ["//hal"],
        **kwargs
    )

def planted_bug(name, test, source, edit, sources = [], **kwargs):
    """A seed_test that must fail: its source has one line changed.

    Args:
      name: the test.
      test: the seed_test that catches it, without _test.
      source: the file with the bug, as a label.
      edit: the sed expression that plants it.
      sources: of the seed_test.
      **kwargs: of seed_test.
    """
    native.genrule(
        name = name + "_source",
        srcs = [source],
        outs = [name + "_planted.c"],
        cmd = "sed -e '%s' $< > $@ && ! cmp -s $< $@" % edit.replace("$", "$$"),
    )
    seed_test(
        name = name,
        srcs = [test + "_test.c", name + "_planted.c"],
        sources = [file for file in sources if file != source],
        args = ["planted"],
        **kwargs
    )

def guest_program(name, srcs, kind = "pie", copts = [], linkopts = [], cxx = False, **kwargs):
    """A program for Linux that the simulator runs as well.

    Args:
      name: the file; a .so for kind "shared".
      srcs: C or C++ sources.
      kind: "pie", "shared" (a shared object with main) or "fixed" (at its link address).
      copts: more options for the compiler.
      linkopts: more options for the linker.
      cxx: C++17, with libstdc++.
      **kwargs: of cc_binary.
    """
    compile, link = {
        "fixed": (["-fno-pie"], ["-no-pie"]),
        "pie": (["-fPIE"], ["-pie"]),
        "shared": (["-fPIC"], []),
    }[kind]
    native.cc_binary(
        name = name,
        srcs = srcs,
        copts = ["-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror"] + compile + (["-std=gnu++17"] if cxx else []) + copts,
        features = ["-asan", "-ubsan", "-tsan", "-fuzzer", "-llvmcov"] +
                   ([] if kind == "pie" else ["-pie_link"]),
        linkopts = link + linkopts + (["-lstdc++", "-lm"] if cxx else []) + ["-lpthread"],
        linkshared = kind == "shared",
        linkstatic = True,
        target_compatible_with = ["@platforms//os:linux"],
        **kwargs
    )

def tsan_program(name, srcs, copts = [], linkopts = [], cxx = False):
    """A program compiled with -fsanitize=thread, by both compilers whichever builds the rest.

    NAME.gcc is an executable that needs libtsan, NAME.clang.so a shared object with main that leaves __tsan_* to
    whoever loads it; NAME.gcc_plain and NAME.clang_plain are the same programs as the compilers make them otherwise.

    Args:
      name: the files, but for their ends.
      srcs: C or C++ sources, and headers that they include.
      copts: more options for the compilers.
      linkopts: libraries.
      cxx: C++17.
    """
    gcc, clang = ("g++ -std=gnu++17", "clang++ -std=gnu++17") if cxx else ("gcc", "clang")
    compile = " -D_GNU_SOURCE -O1 -g -Wall -Wextra -I. %s -o $(RULEDIR)/%s%%s $$sources %s -lpthread" % (
        " ".join(copts),
        name,
        " ".join(linkopts),
    )
    native.genrule(
        name = name,
        srcs = srcs + ["@compilers//:gcc.version", "@compilers//:clang.version"],
        outs = [name + end for end in [".gcc", ".gcc_plain", ".clang.so", ".clang_plain"]],
        cmd = " && ".join(["sources=$$(echo $(SRCS) | tr ' ' '\n' | grep '[.]cc*$$')"] + [
            compiler + compile % end
            for compiler, end in [
                # gcc says that its own run-time does not know fences; ours does
                (gcc + " -fsanitize=thread -Wno-tsan", ".gcc"),
                (gcc, ".gcc_plain"),
                (clang + " -fsanitize=thread -fPIC -shared", ".clang.so"),
                (clang, ".clang_plain"),
            ]
        ]),
        target_compatible_with = ["@platforms//os:linux"],
    )

def sim_test(name, runner, args = [], data = [], cpus = [1, 2, 4], seeded = True, tags = [], size = "medium", **kwargs):
    """One test for each machine: RUNNER OSV-SIM CPUS ARGS..., or RUNNER OSV-SIM CPUS@SEED ARGS...

    In the packages of kernel.bzl also on the x86_64 kernel in QEMU: _on_kernel.

    Args:
      name: NAME_1cpu, NAME_2cpu ... are the tests, and NAME_seeded.
      runner: a shell or Python script; prints "ok N - what" and "not ok N - what".
      args: what it is called with after the simulator and the number; $(location) works.
      data: what args name.
      cpus: the numbers of vCPUs.
      seeded: on the seeded machine, too.
      tags: of the tests.
      size: of the tests.
      **kwargs: of sh_test.
    """
    for machine, cpus_and_seed in [("%dcpu" % count, str(count)) for count in cpus] + (
        [("seeded", "3@1")] if seeded else []
    ):
        native.sh_test(
            name = "%s_%s" % (name, machine),
            srcs = [runner],
            args = ["$(location //sim:osv-sim)", cpus_and_seed] + args,
            data = data + ["//sim:osv-sim", "//sim:osv-sim-seed"],
            size = size,
            tags = ["sim", "no-valgrind"] + (["seeded"] if machine == "seeded" else []) + tags,
            target_compatible_with = ["@platforms//os:linux"],
            **kwargs
        )
    if name not in KERNEL_EXEMPT.get(native.package_name(), {name: ""}):
        _on_kernel(name, runner, args, data, tags, size, kwargs)

def _on_kernel(name, runner, args, data, tags, size, kwargs):
    """NAME_q35_1cpu, NAME_q35_2cpu ...: RUNNER KERNEL BOARD:CPUS ARGS...; bazel test //... runs one of them."""
    machines = KERNEL_MACHINES.keys()
    is_slow = name in KERNEL_SLOW.get(native.package_name(), [])
    chosen = None if is_slow else machines[hash(native.package_name() + ":" + name) % len(machines)]
    for machine in machines:
        native.sh_test(
            name = "%s_%s" % (name, machine),
            srcs = [runner],
            args = ["$(location //hal-x86_64:kernel)", KERNEL_MACHINES[machine]] + args,
            data = data + ["//hal-x86_64:kernel", "//tests/system:qemu.py"],
            size = "large" if is_slow else size,
            tags = ["matrix", "no-clang", "no-san", "no-valgrind", "qemu"] + tags + ([] if machine == chosen else ["manual"]),
            target_compatible_with = ["@platforms//os:linux", "@platforms//cpu:x86_64"],
            **kwargs
        )

def kernel_tests(name):
    """All tests of a package that run on the kernel. Stands behind them.

    Args:
      name: the test_suite of all; NAME_q35_1cpu, NAME_q35_2cpu ... have those on one machine. It fails where kernel.bzl has
        the name of a test that is not there.
    """
    tests = native.existing_rules()
    for listed in [KERNEL_EXEMPT.get(native.package_name(), {}), KERNEL_SLOW.get(native.package_name(), [])]:
        for test in listed:
            if not [1 for count in [1, 2, 4] if "%s_%dcpu" % (test, count) in tests]:
                fail("hal/bazel/kernel.bzl names %s, which is no sim_test here" % test)
    matrix = [test for test, rule in tests.items() if "matrix" in rule.get("tags", [])]
    for machine in KERNEL_MACHINES:
        native.test_suite(
            name = "%s_%s" % (name, machine),
            tags = ["manual"],
            tests = [test for test in matrix if test.endswith("_" + machine)],
            visibility = ["//tests:__pkg__"],
        )
    native.test_suite(
        name = name,
        tags = ["manual"],
        tests = matrix,
        visibility = ["//tests:__pkg__"],
    )

def _commands_impl(ctx):
    lines = ctx.actions.declare_file(ctx.label.name + ".list")
    ctx.actions.write(lines, "".join([ctx.expand_location(line, ctx.attr.data) + "\n" for line in ctx.attr.lines]))
    runfiles = ctx.runfiles([lines] + ctx.files.data)
    for target in ctx.attr.data:
        runfiles = runfiles.merge(target[DefaultInfo].default_runfiles)
    return [DefaultInfo(files = depset([lines]), runfiles = runfiles)]

_commands = rule(
    doc = "A file of lines, and the files that they name.",
    attrs = {"data": attr.label_list(allow_files = True), "lines": attr.string_list()},
    implementation = _commands_impl,
)

def seeded_tests(name):
    """What //tests/system/seeded:soak runs of a package. Stands behind all its tests.

    Args:
      name: NAME.list has a line for each NAME_seeded of the package that is no manual test: its label and arguments.
    """
    lines = []
    data = {}
    for test, rule in native.existing_rules().items():
        if test.endswith("_seeded") and "seeded" in rule["tags"] and "manual" not in rule["tags"]:
            args = [arg.replace("$(location ", "$(rootpath ") for arg in rule["args"]]
            lines.append(" ".join(["//%s:%s" % (native.package_name(), test)] + args))
            data.update({label: None for label in rule["data"]})
    _commands(
        name = name,
        data = data.keys(),
        lines = lines,
        visibility = ["//tests:__subpackages__"],
    )
