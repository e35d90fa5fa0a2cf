"""planted: osv-sim with a bug of a line or two, and the test that finds it."""

load(":core.bzl", "ROOMS", "core_file")
load(":sealed.bzl", "sealed_core")
load(":sim.bzl", "sim_binary")

def _variant(name, room, src, suffix, binary):
    core_file(
        name = name + "_file",
        room = room,
        src = src,
        suffix = suffix,
    )
    sealed_core(
        name = name + "_core",
        replaced = name + "_file",
        room = "//core/%s:%s%s" % (room, room, suffix),
        tags = ["manual"],
        target_compatible_with = ["@platforms//os:linux", "@platforms//cpu:x86_64"],
        deps = ["//core/%s%s" % (r, ":%s_seed" % r if suffix else "") for r in ROOMS] +
               ["//core/libc:libc_musl" + suffix],
    )
    sim_binary(
        name = binary,
        tags = ["manual"],
        deps = [name + "_core", "//hal-linux" + (":seed" if suffix else "")],
    )

def planted(name, room, file, way, stress_cpus):
    """NAME.patch, applied to a copy of core/ROOM/FILE.

    Args:
      name: of the bug. NAME_test hunts for it on the seeded machine; NAME_stress, manual, runs the same program many
        times on real threads, where it must not be found.
      room: of core.
      file: in the room.
      way: the argument of meet.
      stress_cpus: with how many vCPUs real threads pass: numbers with commas between.
    """
    native.genrule(
        name = name + "_source",
        srcs = ["//core/%s:%s" % (room, file), name + ".patch"],
        outs = ["%s/%s" % (name, file)],
        cmd = "cp $(location //core/%s:%s) $@ && chmod u+w $@ && " % (room, file) +
              "patch --silent --no-backup-if-mismatch $@ $(location %s.patch)" % name,
        tags = ["manual"],
    )
    src = "%s/%s" % (name, file)
    _variant(name, room, src, "_seed", name + "/osv-sim-seed")
    _variant(name + "_real", room, src, "", name + "/osv-sim")
    for test, machine, option, tags in [
        # One compiler's is enough: what is looked for is in core's source.
        ("_test", "osv-sim-seed", "--hunt", ["no-clang", "seeded"]),
        ("_stress", "osv-sim", "--stress=" + stress_cpus, ["manual", "exclusive"]),
    ]:
        native.sh_test(
            name = name + test,
            size = "medium",
            srcs = ["planted.py"],
            args = [option, name, way] +
                   ["$(location %s)" % f for f in ["//sim:" + machine, name + "/" + machine, ":meet"]],
            data = ["//sim:" + machine, "//tests/system/seeded:hunt.py", name + "/" + machine, ":meet"],
            tags = ["sim", "no-san", "no-valgrind"] + tags,
            target_compatible_with = ["@platforms//os:linux", "@platforms//cpu:x86_64"],
        )
