"""One cc_toolchain_config rule for the host (gcc or clang) and both kernels."""

load("@bazel_tools//tools/build_defs/cc:action_names.bzl", "ACTION_NAMES")
load(
    "@bazel_tools//tools/cpp:cc_toolchain_config_lib.bzl",
    "feature",
    "flag_group",
    "flag_set",
    "tool_path",
    "with_feature_set",
)

_COMPILE = [
    ACTION_NAMES.assemble,
    ACTION_NAMES.preprocess_assemble,
    ACTION_NAMES.c_compile,
    ACTION_NAMES.cpp_compile,
    ACTION_NAMES.cpp_header_parsing,
]

_C = [ACTION_NAMES.c_compile, ACTION_NAMES.cpp_compile]

_LINK = [
    ACTION_NAMES.cpp_link_executable,
    ACTION_NAMES.cpp_link_dynamic_library,
    ACTION_NAMES.cpp_link_nodeps_dynamic_library,
]

_EXE = [ACTION_NAMES.cpp_link_executable]

# The thread pointer is the application's while core runs: no guard word at %fs:0x28.
_CORE = [
    "-fno-stack-protector",
    "-fno-strict-aliasing",
    "-fno-omit-frame-pointer",
]

def _flags(actions, flags, with_features = []):
    if not flags:
        return []
    return [flag_set(
        actions = actions,
        flag_groups = [flag_group(flags = flags)],
        with_features = with_features,
    )]

def _both(name, compile, link, exe = []):
    """A feature that is off until --features=<name> asks for it."""
    return feature(
        name = name,
        flag_sets = _flags(_C, compile) + _flags(_LINK, link) + _flags(_EXE, exe),
    )

def _impl(ctx):
    p = ctx.attr.tool_prefix
    clang = ctx.attr.compiler == "clang"
    cc = "/usr/bin/clang" if clang else p + "gcc"
    tools = {
        "ar": p + "ar",
        "cpp": "/usr/bin/clang-cpp" if clang else p + "cpp",
        "gcc": cc,
        "gcov": "/usr/bin/gcov",
        "ld": "/usr/bin/ld.lld" if clang else p + "ld",
        "nm": p + "nm",
        "objcopy": p + "objcopy",
        "objdump": p + "objdump",
        "strip": p + "strip",
        "dwp": "/bin/false",
    }

    # gcc's <stdint.h> looks for a libc's unless told there is none; memcpy is still a builtin.
    freestanding = [] if clang else ["-ffreestanding", "-fbuiltin"]

    # A loop in memset itself must not become a call of memset.
    no_idiom = ["-fno-tree-loop-distribute-patterns"]
    if clang:
        no_idiom = ["-fno-builtin-" + f for f in ["memset", "memcpy", "memmove"]]

    # Each access to memory is a call of __tsan_*. No calls at function entries, whose counterpart on the way of an
    # exception would need a personality routine.
    accesses = ["-fsanitize=thread"] + ([
        "-mllvm",
        "-tsan-instrument-func-entry-exit=0",
    ] if clang else [
        "--param=tsan-instrument-func-entry-exit=0",
        "-Wno-tsan",  # gcc says that its own run-time does not know fences; ours does
    ])
    features = [
        feature(name = "opt"),
        feature(name = "dbg"),
        feature(name = "fastbuild"),
        feature(
            name = "default_compile_flags",
            enabled = True,
            flag_sets = _flags(_COMPILE, ctx.attr.compile_flags) +
                        _flags(_C, ["-O2", "-g"], [with_feature_set(not_features = ["dbg"])]) +
                        _flags(_C, ["-Og", "-g3"], [with_feature_set(features = ["dbg"])]) +
                        # identical objects whatever the sandbox path
                        _flags(_C, [
                            "-D__DATE__=\"redacted\"",
                            "-D__TIME__=\"redacted\"",
                            "-Wno-builtin-macro-redefined",
                        ]),
        ),
        # What every file of core and musl is compiled with, whatever the machine.
        # Named by core.bzl as features = ["core"].
        feature(
            name = "core",
            flag_sets = _flags(_COMPILE, _CORE + freestanding + no_idiom + ctx.attr.core_flags),
        ),
        # musl's C files and those that see its internal headers; not its assembly.
        feature(
            name = "musl",
            flag_sets = _flags([ACTION_NAMES.c_compile], ["-include", "core/libc/override/forced.h"]),
        ),
        # Marks what ships in the sealed core.
        feature(name = "sealed"),
        feature(
            name = "backend",
            flag_sets = _flags(_COMPILE, _CORE + no_idiom),
        ),
        feature(
            name = "default_link_flags",
            enabled = True,
            flag_sets = _flags(_LINK, ctx.attr.link_flags),
        ),
    ]
    if ctx.attr.hosted:
        features += [
            feature(name = "supports_dynamic_linker", enabled = True),
            # features = ["-pie_link"] for an executable at its link address.
            feature(name = "pie_link", enabled = True, flag_sets = _flags(_EXE, ["-pie"])),
            _both("asan", ["-fsanitize=address", "-fno-omit-frame-pointer", "-DOSV_ASAN=1"], ["-fsanitize=address"]),
            feature(
                name = "ubsan",
                flag_sets = _flags(_C, ["-fsanitize=undefined"]) +
                            # core in the simulator has no host's library to report with: it traps
                            _flags(
                                _C,
                                ["-fsanitize-trap=undefined" if clang else "-fsanitize-undefined-trap-on-error"],
                                [with_feature_set(features = ["sealed"])],
                            ) +
                            _flags(
                                _C,
                                ["-fno-sanitize-recover=all"],
                                [with_feature_set(not_features = ["sealed"])],
                            ) +
                            _flags(_LINK, ["-fsanitize=undefined"]),
            ),
            _both("tsan", ["-fsanitize=thread"], ["-fsanitize=thread"]),
            # core and applications on the seeded machine, and unit tests under DRD (tests/unit/drd), which have
            # their own __tsan_*.
            feature(name = "seed", flag_sets = _flags(_C, accesses)),
            feature(name = "drd", flag_sets = _flags(_C, accesses)),
            _both("fuzzer", ["-fsanitize=fuzzer-no-link"], []),
            _both("llvmcov", ["-fprofile-instr-generate", "-fcoverage-mapping"], ["-fprofile-instr-generate"]),
        ]
    return cc_common.create_cc_toolchain_config_info(
        ctx = ctx,
        features = features,
        cxx_builtin_include_directories = ctx.attr.builtin_includes,
        toolchain_identifier = ctx.label.name,
        host_system_name = "local",
        target_system_name = "linux" if ctx.attr.hosted else "osv",
        target_cpu = ctx.attr.cpu,
        target_libc = "glibc" if ctx.attr.hosted else "musl",
        compiler = ctx.attr.compiler,
        abi_version = "local",
        abi_libc_version = "local",
        tool_paths = [tool_path(name = n, path = t) for n, t in tools.items()],
    )

cc_toolchain_config = rule(
    implementation = _impl,
    attrs = {
        "cpu": attr.string(mandatory = True),
        "compiler": attr.string(values = ["gcc", "clang"], mandatory = True),
        "hosted": attr.bool(),
        "tool_prefix": attr.string(default = "/usr/bin/"),
        "compile_flags": attr.string_list(),
        "core_flags": attr.string_list(),
        "link_flags": attr.string_list(),
        "builtin_includes": attr.string_list(),
    },
    provides = [CcToolchainConfigInfo],
)
