"""core_library: one room of core, in the three forms it is compiled in.

  ROOM       what ships: freestanding, on the machine that the platform names
  ROOM_unit  for Check programs on the host, with the HAL of tests/unit/hal
  ROOM_seed  every memory access a call of __tsan_*, for the deterministic machine

ROOMS is the include table of the design. A room may include every room that can be
reached from it; Bazel's visibility keeps the others out, //tests/tidy reads the
#includes as well.
"""

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

# Rooms that are compiled against the C library's public headers.
_MUSL_ROOMS = ["linux", "libc"]

WARNINGS = ["-Wall", "-Wextra", "-Werror", "-Wshadow", "-Wno-unused-parameter"]

_CORE_COPTS = ["-std=gnu11"] + WARNINGS + ["-Wmissing-prototypes", "-Wstrict-prototypes"]

# Where hal_inline.h is found.
HAL_INCLUDE = select({
    "@osv_in_c//hal:is_linux": ["-Ihal-linux"],
    "@osv_in_c//hal:is_osv_x86_64": ["-Ihal-x86_64/isa"],
    "@osv_in_c//hal:is_osv_aarch64": ["-Ihal-aarch64/isa"],
})

MUSL_INCLUDE = ["-isystem", "core/libc/override/include"] + select({
    "@osv_in_c//hal:cpu_aarch64": [
        "-isystem",
        "external/musl/arch/aarch64",
        "-isystem",
        "$(GENDIR)/external/musl/obj/aarch64/include",
    ],
    "@osv_in_c//hal:cpu_x86_64": [
        "-isystem",
        "external/musl/arch/x86_64",
        "-isystem",
        "$(GENDIR)/external/musl/obj/x86_64/include",
    ],
}) + [
    "-isystem",
    "external/musl/arch/generic",
    "-isystem",
    "external/musl/include",
]

# musl's own order of internal directories, with ours before all of them. None of them may come as -isystem as well:
# then gcc drops its -I.
MUSL_INTERNAL_INCLUDE = ["-Icore/libc/override", "-Icore/libc/override/include"] + select({
    "@osv_in_c//hal:cpu_aarch64": ["-Icore/libc/override/aarch64", "-Iexternal/musl/arch/aarch64"],
    "@osv_in_c//hal:cpu_x86_64": ["-Icore/libc/override/x86_64", "-Iexternal/musl/arch/x86_64"],
}) + [
    "-Iexternal/musl/arch/generic",
    "-I$(GENDIR)/external/musl/obj/src/internal",
    "-Iexternal/musl/src/include",
    "-Iexternal/musl/src/internal",
] + select({
    "@osv_in_c//hal:cpu_aarch64": ["-I$(GENDIR)/external/musl/obj/aarch64/include"],
    "@osv_in_c//hal:cpu_x86_64": ["-I$(GENDIR)/external/musl/obj/x86_64/include"],
}) + ["-Iexternal/musl/include"]

_NO_RUNTIME = ["-asan", "-ubsan", "-tsan", "-fuzzer", "-llvmcov"]

# Each access to memory is a call (feature "seed"), and a MARK counts (hal-linux/seed/mark.h takes the place of core/lib/mark.h).
SEED_COPTS = [
    "-Ihal-linux/seed",
    "-DCORE_LIB_MARK_H",
    "-include",
    "hal-linux/seed/mark.h",
]

# For unit tests under Valgrind's DRD (--config=drd): tests/unit/drd/mark.h takes the place of core/lib/mark.h.
DRD_COPTS = select({
    "@osv_in_c//tests/unit/drd:is_on": [
        "-DCORE_LIB_MARK_H",
        "-include",
        "tests/unit/drd/mark.h",
    ],
    "//conditions:default": [],
})

def isa_glob(patterns, exclude = []):
    """The files of patterns that belong to the platform's instruction set."""
    x86 = [p.replace("*.", "*_x86_64.") for p in patterns]
    arm = [p.replace("*.", "*_aarch64.") for p in patterns]
    if not patterns:
        return []
    return native.glob(patterns, exclude = exclude + x86 + arm) + select({
        "@osv_in_c//hal:cpu_aarch64": native.glob(arm, exclude = exclude),
        "@osv_in_c//hal:cpu_x86_64": native.glob(x86, exclude = exclude),
    })

def _reachable(room):
    found = []
    frontier = [room]
    for _ in ROOMS:
        frontier = [n for r in frontier for n in ROOMS[r]]
        found += [r for r in frontier if r not in found]
    return found

def _users(room):
    return ["//core/%s:__pkg__" % r for r in ROOMS if room in _reachable(r)] + [
        "//core:__pkg__",
        "//sim:__pkg__",  # osv-image reads file systems as core does
        "//tests:__subpackages__",
    ]

def _deps(room, suffix):
    return ["//core/%s:%s%s" % (r, r, suffix) for r in ROOMS[room]]

# Exceptions of a program pass through what it calls back from, which is in libc, and memcpy and its like have no frames; tables for all of
# core would be a tenth of the kernel. Elsewhere a frame's caller is found by its frame pointer, and by gdb in the debug information.
_TABLE_ROOMS = ["libc", "lib"]
_NO_TABLES = ["-fno-exceptions", "-fno-asynchronous-unwind-tables"]

def _core_copts(room):
    # gcc's <limits.h> looks for a libc's unless it believes that it comes from there.
    return _CORE_COPTS + (_NO_TABLES if room not in _TABLE_ROOMS else []) + (["-D_GNU_SOURCE"] + MUSL_INCLUDE if room in _MUSL_ROOMS else ["-D_LIBC_LIMITS_H_"])

def _core_headers(room):
    return ["//hal"] + (["@musl//:headers", "//core/libc:override"] if room in _MUSL_ROOMS else [])

def core_library(name, hosts = []):
    """The targets NAME, NAME_unit and NAME_seed of one room, and NAME_headers: what may be included of it.

    Args:
      name: the room; its package is //core/NAME.
      hosts: sources that define what the host's C library has too. A unit test runs on the
        host's, which the sanitizers and Valgrind know; NAME_hosts_unit has them for their own test.
    """
    internal = ["musl_*.c", "override/**"] if name == "libc" else []
    srcs = isa_glob(["**/*.c", "**/*.S"], exclude = internal)
    common = {
        "hdrs": native.glob(["**/*.h"], exclude = ["override/**"]),
        "linkstatic": True,
        "visibility": _users(name),
    }

    copts = _core_copts(name)
    extra = _core_headers(name)

    native.cc_library(
        name = name + "_headers",
        hdrs = common["hdrs"],
        visibility = common["visibility"],
        deps = _deps(name, "_headers") + extra,
    )
    native.cc_library(
        name = name,
        srcs = srcs,
        copts = copts + HAL_INCLUDE,
        # ubsan stays on, and traps; lines are counted: the counters are written by osv-sim's main thread
        features = ["core", "sealed"] + [f for f in _NO_RUNTIME if f not in ["-ubsan", "-llvmcov"]],
        deps = _deps(name, "") + extra + ["//hal:inline"],
        **common
    )
    for suffix, unit_srcs in [
        ("_unit", isa_glob(["**/*.c", "**/*.S"], exclude = internal + hosts)),
        ("_hosts_unit", isa_glob(hosts)),
    ]:
        if suffix == "_unit" or hosts:
            native.cc_library(
                name = name + suffix,
                srcs = unit_srcs,
                copts = copts + ["-Itests/unit/hal"] + DRD_COPTS,
                features = ["core"],
                target_compatible_with = ["@platforms//os:linux"],
                deps = _deps(name, "_unit") + extra + ["//tests/unit/hal"],
                **common
            )
    native.cc_library(
        name = name + "_seed",
        srcs = srcs,
        copts = copts + SEED_COPTS,
        features = ["core", "seed"] + _NO_RUNTIME,
        tags = ["manual"],  # built where a test asks for it
        target_compatible_with = ["@platforms//os:linux"],
        deps = _deps(name, "_seed") + extra + ["//hal-linux:seed_inline"],
        **common
    )

def core_file(name, room, src, suffix):
    """One file of a room compiled as NAME or NAME_seed is, wherever it lies: for sealed_core's `replaced`."""
    native.cc_library(
        name = name,
        srcs = [src],
        copts = _core_copts(room) + (SEED_COPTS if suffix else HAL_INCLUDE),
        features = ["core", "seed" if suffix else "sealed"] + _NO_RUNTIME,
        linkstatic = True,
        tags = ["manual"],
        target_compatible_with = ["@platforms//os:linux", "@platforms//cpu:x86_64"],
        deps = ["//core/%s:%s%s" % (room, room, suffix)] + _core_headers(room) +
               ["//hal-linux:seed_inline" if suffix else "//hal:inline"],
    )

def core_musl_library(name):
    """core/libc/musl_*.c: the files of libc that see musl's internal headers; NAME and NAME_seed."""
    for suffix in ["", "_seed"]:
        native.cc_library(
            name = name + suffix,
            srcs = native.glob(["musl_*.c"]),
            copts = ["-std=gnu11", "-w"] + MUSL_INTERNAL_INCLUDE + HAL_INCLUDE,
            features = ["core", "musl"] + [f for f in _NO_RUNTIME if suffix or f != "-llvmcov"],
            linkstatic = True,
            tags = ["manual"] if suffix else [],
            visibility = ["//core:__pkg__", "//tests:__subpackages__"],
            deps = [":libc" + suffix, "//hal:inline", ":override", "@musl//:headers", "@musl//:internal"],
        )
