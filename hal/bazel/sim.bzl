"""sim_binary: osv-sim's command line with a machine and a core."""

def sim_binary(name, deps, **kwargs):
    """A process machine.

    Args:
      name: the file.
      deps: a sealed core and a form of hal-linux.
      **kwargs: of cc_binary.
    """
    native.cc_binary(
        name = name,
        features = ["-asan", "-ubsan", "-tsan"],
        # Valgrind knows this file by its soname (hal-linux/checker_strings.c).
        # Nothing may be bound by the host's dynamic linker while the thread pointer is an application's.
        linkopts = ["-pie", "-Wl,-z,now", "-Wl,-soname,osv-sim", "-l:liburing.a", "-lpthread", "-ldl"],
        linkstatic = True,
        target_compatible_with = ["@platforms//os:linux"],
        deps = deps + ["//sim:command"],
        **kwargs
    )
