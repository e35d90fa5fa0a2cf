"""Macro: config + cc_toolchain + toolchain in one call."""

load(":cc_toolchain_config.bzl", "cc_toolchain_config")

def osv_cc_toolchain(name, constraints, compile_flags, version_file, **config):
    cc_toolchain_config(
        name = name + "_config",
        # The path of a system compiler is not in a compile action's cache key:
        # without this, gcc -> clang with equal flags would keep gcc's objects.
        compile_flags = compile_flags + ["-DOSV_TOOLCHAIN_" + name],
        **config
    )
    native.cc_toolchain(
        name = name + "_cc",
        all_files = version_file,
        ar_files = ":empty",
        as_files = version_file,
        compiler_files = version_file,
        dwp_files = ":empty",
        linker_files = version_file,
        objcopy_files = ":empty",
        strip_files = ":empty",
        supports_param_files = 1,
        toolchain_config = ":" + name + "_config",
    )
    native.toolchain(
        name = name + "_toolchain",
        exec_compatible_with = ["@platforms//os:linux", "@platforms//cpu:x86_64"],
        target_compatible_with = constraints,
        toolchain = ":" + name + "_cc",
        toolchain_type = "@bazel_tools//tools/cpp:toolchain_type",
    )
